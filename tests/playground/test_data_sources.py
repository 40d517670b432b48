"""The bundled data, the split, and the one type that all data become."""

import json
from fnmatch import fnmatch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.parameters import ParameterError
from playground.data import SOURCES, DataError, Dataset, DataSettings, SplitSettings, open_data
from playground.data.labels import natural
from playground.data.splits import number, split
from playground.resources import SAMPLES

GUNPOINT = {
    "path": "sample:series/gunpoint_train.csv",
    "test_path": "sample:series/gunpoint_test.csv",
}


def test_digits(tmp_path):
    settings = DataSettings("digits", {}, SplitSettings(500, 1000))
    data = open_data(settings, tmp_path)
    assert data.summary == "5,000 images · 28×28 grey · 10 classes"
    assert {name: len(some) for name, some in data.splits.items()} == {
        "train": 3500,
        "validation": 500,
        "test": 1000,
    }
    assert (data.counts("test") == 100).all()
    assert data.raw([0])["image"].dtype == np.uint8
    batch = data.batch(data.splits["train"])
    assert batch["image"].shape == (3500, 1, 28, 28)
    assert abs(float(batch["image"].mean())) < 1e-3
    assert data.describe(4999) == "“9”"
    assert data.resident_bytes == 5000 * (28 * 28 + 8)
    assert not data.lazy


def test_the_same_seed_gives_the_same_split(tmp_path):
    first, again, other = (
        open_data(DataSettings("digits", {}, SplitSettings(seed=seed)), tmp_path)
        for seed in (0, 0, 1)
    )
    assert (first.splits["test"] == again.splits["test"]).all()
    assert not (first.splits["test"] == other.splits["test"]).all()


def test_the_archives_own_test_split_is_kept(tmp_path):
    data = open_data(DataSettings("series", GUNPOINT, SplitSettings(10, 0.5)), tmp_path)
    assert data.summary == "200 series · 150 steps · 2 classes"
    np.testing.assert_array_equal(data.splits["test"], np.arange(50, 200))
    assert len(data.splits["validation"]) == 10
    mixed = open_data(
        DataSettings("series", GUNPOINT, SplitSettings(method="stratified")), tmp_path
    )
    assert len(mixed.splits["test"]) == 30
    alone = open_data(DataSettings("series", {"path": GUNPOINT["path"]}), tmp_path)
    assert len(alone) == 50


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("label,t0,t1,t2\n1,1,2,3\n2,4,x,6\n", "row 3 of column t1 is 'x'"),
        ("label,t0,t1,t2\n1,1,2,3\n1,4,5,6\n", "one class only (1)"),
        ("label,t0,t1,t2\n,1,2,3\n,4,5,6\n", "row 2 has no label"),
        ("label,t0\n1,1\n", "has 2 columns"),
    ],
)
def test_bad_series_are_explained(tmp_path, content, words):
    (tmp_path / "s.csv").write_text(content)
    with pytest.raises(DataError) as caught:
        open_data(DataSettings("series", {"path": "s.csv"}), tmp_path)
    assert words in str(caught.value)


def test_files_of_different_lengths_vary_in_length(tmp_path):
    (tmp_path / "s.csv").write_text("label,t0,t1,t2\n1,1,2,3\n2,4,5,6\n1,0,0,1\n2,0,1,1\n")
    options = {"path": "s.csv", "test_path": GUNPOINT["test_path"]}
    data = open_data(DataSettings("series", options), tmp_path)
    assert data.inputs["series"].shape.varies
    assert set(data.inputs["series"].lengths.tolist()) == {3, 150}


def test_unknown_sources_and_options_are_explained(tmp_path):
    with pytest.raises(DataError, match="did you mean digits"):
        open_data(DataSettings("digitz"), tmp_path)
    with pytest.raises(DataError, match="File is text"):
        open_data(DataSettings("table", {"path": 3}), tmp_path)


def test_every_source_has_what_a_form_needs():
    for source in SOURCES:
        assert source.name
        assert source.summary.endswith(".")
        assert source.icon
        for parameter in source.parameters:
            assert parameter.check(parameter.default) == parameter.default


@pytest.mark.parametrize("settings", [DataSettings("digits"), DataSettings("series", GUNPOINT)])
def test_what_was_fitted_is_saved(tmp_path, settings):
    data = open_data(settings, tmp_path)
    document = json.loads(json.dumps(data.to_json()))
    again = Dataset.from_json(document)
    assert again.to_json() == data.to_json()
    raw = data.raw([0])
    for name, column in data.inputs.items():
        expected = column.prepared(raw[name])
        np.testing.assert_array_equal(again.inputs[name].prepared(raw[name]), expected)
        assert again.inputs[name].reading == column.reading


@pytest.mark.parametrize(
    "data",
    [
        None,
        {},
        {"task": "x", "inputs": [], "targets": []},
        {"task": "x", "inputs": [3], "targets": [3]},
        {"task": "x", "inputs": [{"name": "a", "shape": {}}], "targets": [{}]},
        {"task": "x", "inputs": [{"name": "a", "shape": {"kind": "vector", "sizes": [1]},
         "reading": {"kind": "exec"}}], "targets": [{}]},
    ],
)  # fmt: skip
def test_damaged_descriptions_are_refused(data):
    with pytest.raises(ValueError, match=r".+"):
        Dataset.from_json(data)


# --- the split ------------------------------------------------------------------------------------


@given(
    st.integers(1, 300),
    st.integers(1, 6),
    st.floats(0, 0.6),
    st.floats(0, 0.6),
    st.sampled_from(["auto", "random", "stratified"]),
)
def test_a_split_divides_all_samples(count, classes, validation, test, method):
    labels = np.arange(count) ** 2 % classes
    settings = SplitSettings(validation, test, method)
    if number(validation, count) + number(test, count) >= count:
        with pytest.raises(DataError, match="left for training"):
            split(count, settings, labels)
        return
    parts = split(count, settings, labels)
    assert sorted(np.concatenate(list(parts.values()))) == list(range(count))
    if method != "random":
        assert set(labels[parts["train"]]) == set(labels)


def test_numbers_from_one_on_are_counts():
    parts = split(100, SplitSettings(10, 25), np.arange(100) % 4)
    assert [len(parts[name]) for name in ("train", "validation", "test")] == [65, 10, 25]


def test_settings_are_checked_and_kept():
    settings = SplitSettings(validation=500, test=0.25)
    assert settings.to_json()["validation"] == 500
    assert SplitSettings.from_json(settings.to_json()) == settings
    assert settings.replace(seed=3).seed == 3
    with pytest.raises(ParameterError, match="Validation is from 0"):
        settings.replace(validation=-1)
    data = DataSettings("table", {"path": "a.csv"})
    assert DataSettings.from_json(data.to_json()) == data


def test_names_are_sorted_as_a_person_would():
    names = ["10", "9", "1.5", "class 10", "class 2", "b", "A"]
    assert sorted(names, key=natural) == ["1.5", "9", "10", "A", "b", "class 2", "class 10"]


def test_every_bundled_sample_has_its_source_and_licence():
    text = (SAMPLES / "SOURCES.md").read_text(encoding="utf-8")
    cells = [line.split("|")[1].replace("\\", "") for line in text.splitlines() if "|" in line]
    listed = {name.strip().rpartition("/")[2] for cell in cells for name in cell.split(",")}
    for path in SAMPLES.rglob("*"):
        if path.is_file() and path.parent.name not in ("samples", "LICENSES"):
            assert any(fnmatch(path.name, name) for name in listed), path.name
    for notice in (SAMPLES / "LICENSES").iterdir():
        assert notice.name in text
