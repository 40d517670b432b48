"""Dividing samples: shares, groups, time, folds, and splits that come with the data."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.data.dataset import Groups
from playground.data.errors import DataError
from playground.data.settings import SplitSettings
from playground.data.splits import split

LABELS = np.repeat(np.arange(4), 50)
VOICES = Groups("voice", np.tile(np.arange(10), 20), tuple("abcdefghij"))


def divided(method: str = "auto", **more: Any) -> dict[str, np.ndarray[Any, Any]]:
    keys = ("validation", "test", "seed", "folds", "fold")
    chosen = {key: more.pop(key) for key in keys if key in more}
    return split(200, SplitSettings(method=method).replace(**chosen), LABELS, **more)


def whole(parts: dict[str, np.ndarray[Any, Any]], count: int = 200) -> None:
    """Every sample is in exactly one split."""
    together = np.concatenate(list(parts.values()))
    assert sorted(together.tolist()) == list(range(count))


def test_groups_stay_together() -> None:
    for seed in range(5):
        parts = divided("group", groups=VOICES, seed=seed, validation=0.2, test=0.2)
        whole(parts)
        sets = [set(VOICES.codes[part].tolist()) for part in parts.values()]
        assert [len(item) for item in sets] == [6, 2, 2]
        assert not sets[0] & sets[1]
        assert not sets[1] & sets[2]
        assert not sets[0] & sets[2]
    with pytest.raises(DataError, match="no groups"):
        divided("group")
    two = Groups("voice", np.arange(200) % 2, ("a", "b"))
    with pytest.raises(DataError, match="needs at least 3"):
        divided("group", groups=two)
    whole(divided("group", groups=two, validation=0.0, test=0.5))


@settings(deadline=None)
@given(
    st.lists(st.integers(0, 6), min_size=20, max_size=60),
    st.floats(0, 0.45),
    st.floats(0, 0.45),
    st.integers(0, 50),
)
def test_any_groups(codes: list[int], validation: float, test: float, seed: int) -> None:
    groups = Groups("patient", np.asarray(codes), tuple("abcdefg"))
    try:
        parts = split(len(codes), SplitSettings(validation, test, "group", seed), groups=groups)
    except DataError:
        return
    whole(parts, len(codes))
    sets = [set(groups.codes[part].tolist()) for part in parts.values()]
    assert sum(map(len, sets)) == len(set(codes))
    assert len(parts["train"])


def test_samples_that_are_alike_stay_together() -> None:
    labels = (VOICES.codes == 4).astype(np.int64)  # one group alone has the class 1
    for seed in range(20):
        found = SplitSettings(0.2, 0.2, "auto", seed)
        parts = split(200, found, labels, groups=VOICES, together=True)
        whole(parts)
        sets = [set(VOICES.codes[part].tolist()) for part in parts.values()]
        assert [len(item) for item in sets] == [6, 2, 2]
        assert len(set.union(*sets)) == 10
        assert 4 in sets[0]
        own = {"test": np.flatnonzero(VOICES.codes == 3)}
        parts = split(200, found, labels, groups=VOICES, own=own, together=True)
        assert parts["test"].tolist() == own["test"].tolist()
        assert not set(VOICES.codes[parts["train"]]) & set(VOICES.codes[parts["validation"]])
    alone = Groups("photo", np.arange(200), tuple(map(str, range(200))))
    two = Groups("photo", np.arange(200) % 2, ("a", "b"))
    for groups in (alone, two):  # by class, as without groups
        parts = split(200, found, labels, groups=groups, together=True)
        assert [labels[part].sum() for part in parts.values()] == [12, 4, 4]


def test_time_keeps_back_the_last() -> None:
    moments = np.random.default_rng(0).permutation(200)
    parts = divided("time", order=moments)
    whole(parts)
    assert moments[parts["train"]].max() < moments[parts["validation"]].min()
    assert moments[parts["validation"]].max() < moments[parts["test"]].min()
    each = divided("time", order=moments, groups=VOICES)
    whole(each)
    for code in range(10):
        inside = {name: part[VOICES.codes[part] == code] for name, part in each.items()}
        assert [len(part) for part in inside.values()] == [14, 3, 3]
        assert moments[inside["train"]].max() < moments[inside["test"]].min()


def test_folds_are_every_sample_once() -> None:
    seen: list[int] = []
    for fold in range(1, 6):
        parts = divided("folds", fold=fold, test=0.1)
        whole(parts)
        counts = np.bincount(LABELS[parts["validation"]], minlength=4)
        assert counts.min() == counts.max() == 9
        seen += parts["validation"].tolist()
    assert len(seen) == len(set(seen)) == 180
    for fold in range(1, 6):
        parts = divided("folds", fold=fold, test=0, groups=VOICES)
        sides = [set(VOICES.codes[parts[name]].tolist()) for name in ("train", "validation")]
        assert not sides[0] & sides[1]
        assert len(sides[1]) == 2
    with pytest.raises(DataError, match="no times to split by"):
        divided("time")
    with pytest.raises(DataError, match="from 1 to 3"):
        divided("folds", folds=3, fold=4)
    with pytest.raises(DataError, match="20 folds need"):
        divided("folds", folds=20, groups=VOICES)


def test_folds_beside_a_test_set() -> None:
    own = {"train": np.arange(100), "validation": np.arange(100, 150), "test": np.arange(150, 200)}
    seen = [divided("folds", fold=fold, own=own) for fold in range(1, 6)]
    for parts in seen:
        whole(parts)
        assert np.array_equal(parts["test"], own["test"])
    validation = np.concatenate([parts["validation"] for parts in seen])
    assert np.array_equal(np.sort(validation), np.arange(150))
    for fold in range(1, 5):
        parts = divided("folds", folds=4, fold=fold, test=0.2, groups=VOICES)
        whole(parts)
        codes = [set(VOICES.codes[part].tolist()) for part in parts.values()]
        assert sum(map(len, codes)) == 10  # no voice is in two of them


def test_own_split_is_kept() -> None:
    own = {"train": np.arange(100), "validation": np.arange(100, 150), "test": np.arange(150, 200)}
    for method in ("auto", "own"):
        parts = divided(method, own=own)
        assert all(np.array_equal(parts[name], own[name]) for name in own)
    mixed = divided("stratified", own=own)
    assert not np.array_equal(mixed["test"], own["test"])
    part = divided("auto", own={"train": own["train"], "test": own["test"]}, validation=10)
    assert len(part["validation"]) == 10
    assert part["validation"].max() < 100  # taken from the training samples
    with pytest.raises(DataError, match="split of their own"):
        divided("own")


def test_settings_of_folds_are_kept_where_they_matter() -> None:
    assert "folds" not in SplitSettings().to_json()
    folds = SplitSettings(method="folds", folds=3, fold=2)
    assert SplitSettings.from_json(folds.to_json()) == folds
