"""Statistics of data, and what the checks find in data that are wrong on purpose."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from models.axes import image, sequence, tokens, vector
from playground.data import DataError, DataSettings, open_data
from playground.data.checks import Finding, Report, check, similar
from playground.data.checks.features import embedding, measure
from playground.data.checks.report import robust
from playground.data.checks.statistics import histogram
from playground.data.checks.statistics import measure as statistics
from playground.data.dataset import Column, Dataset, Groups

COUNT = 90


def noise(shape: tuple[int, ...], seed: int = 0) -> Any:
    return np.random.default_rng(seed).integers(0, 256, (COUNT, *shape)).astype(np.uint8)


def made(column: Column, labels: Any = None, **more: Any) -> Dataset:
    labels = np.arange(COUNT) % 3 if labels is None else labels
    return Dataset(
        name="Made",
        summary="90 samples",
        inputs={column.name: column},
        targets={"label": Column("label", vector(1), labels, classes=("a", "b", "c"))},
        splits={
            "train": np.arange(60),
            "validation": np.arange(60, 75),
            "test": np.arange(75, COUNT),
        },
        task="classification",
        **more,
    )


def pictures(values: Any = None, **more: Any) -> Dataset:
    values = noise((1, 12, 12)) if values is None else values
    return made(Column("image", image(1, 12, 12), values), **more)


def of(report: Report, check_id: str) -> list[Finding]:
    return [f for f in report.findings if f.check == check_id and f.level != "good"]


def test_good_data_have_no_findings() -> None:
    report = check(pictures())
    assert {finding.level for finding in report.findings} == {"good"}
    assert (report.looked_at, report.total) == (COUNT, COUNT)


def test_copies_and_torn_labels_and_leaks_are_found() -> None:
    values = noise((1, 12, 12))
    values[3] = values[0]  # one class, both for training
    values[5] = values[1]  # another class
    values[80] = values[2]  # held back
    report = check(pictures(values))
    torn, copies = of(report, "duplicates")
    assert torn.level == "bad"
    assert torn.clusters == ((1, 5),)
    assert set(copies.clusters) == {(0, 3), (1, 5), (2, 80)}
    assert "3 samples are exact copies" in copies.sentence
    (leak,) = of(report, "leakage")
    assert (leak.level, leak.clusters, leak.samples) == ("bad", ((2, 80),), (2, 80))
    assert report.findings[0].level == "bad"
    assert not of(report, "near")


def test_near_copies_are_found() -> None:
    values = noise((1, 12, 12)) // 2
    values[70] = values[7] + 1
    values[71] = np.clip(values[8].astype(int) * 2 - 3, 0, 255)
    report = check(pictures(values))
    assert not of(report, "duplicates")
    (near,) = of(report, "near")
    assert set(near.clusters) == {(7, 70), (8, 71)}
    (leak,) = of(report, "leakage")
    assert leak.level == "warn"


def test_near_copies_of_every_kind() -> None:
    from playground.data.series_reading import SeriesReading

    rng = np.random.default_rng(0)
    series = rng.normal(size=(COUNT, 50, 2)).astype(np.float32)
    series[9] = 2 * series[4]
    column = Column("series", sequence(50, 2), series, reading=SeriesReading(50))
    assert of(check(made(column)), "near")[0].clusters == ((4, 9),)
    rows = rng.normal(size=(COUNT, 4)).astype(np.float32)
    rows[9] = rows[4] * np.float32(1.0001)
    assert (4, 9) in of(check(made(Column("row", vector(4), rows))), "near")[0].clusters
    words = np.arange(COUNT * 4).reshape(COUNT, 4) + 2
    captions = tuple(f"text {i}" for i in range(COUNT))
    captions = (*captions[:9], "Text, 4!", *captions[10:])
    column = Column("text", tokens(4), words)
    assert of(check(made(column, captions=captions)), "near")[0].clusters == ((4, 9),)


def test_broken_samples_are_found() -> None:
    values = np.random.default_rng(0).normal(size=(COUNT, 20, 1)).astype(np.float32)
    values[3, 4] = np.nan
    values[6, 0] = np.inf
    values[8] = 0.5
    report = check(made(Column("series", sequence(20, 1), values)))
    bad, still = of(report, "broken")
    assert (bad.level, bad.samples) == ("bad", (3, 6))
    assert still.samples == (8,)


def test_samples_that_cannot_be_read_are_found() -> None:
    class Files:
        dtype = np.dtype(np.uint8)

        def __len__(self) -> int:
            return COUNT

        def take(self, indices: Any) -> Any:
            if 7 in indices.tolist():
                raise DataError("seven.png is empty")
            return noise((1, 12, 12))[indices]

    dataset = pictures(Files())
    report = check(dataset)
    (broken,) = of(report, "broken")
    assert broken.samples == (7,)
    assert "seven.png is empty" in broken.sentence
    assert report.looked_at == COUNT - 1
    assert len(dataset.unreadable) == 1


def test_groups_and_files_in_several_splits() -> None:
    codes = np.arange(COUNT) % 9
    groups = Groups("voice", codes, tuple(f"voice {i}" for i in range(9)))
    (found,) = of(check(pictures(groups=groups)), "groups")
    assert found.action == "group"
    assert "9 of 9 voices" in found.sentence
    apart = Groups("voice", np.repeat([0, 1, 2], (60, 15, 15)), ("a", "b", "c"))
    assert not of(check(pictures(groups=apart)), "groups")
    files = tuple(f"/data/{place % 45}.png" for place in range(COUNT))
    (leak,) = of(check(pictures(files=files)), "leakage")
    assert "files" in leak.sentence
    assert not of(check(pictures(files=("/data/table.csv",) * COUNT)), "leakage")


def test_uneven_classes() -> None:
    labels = np.zeros(COUNT, np.int64)
    labels[[1, 61, 76]] = 1
    labels[[2, 3]] = 2
    found = of(check(pictures(labels=labels)), "balance")
    assert [finding.level for finding in found] == ["warn", "warn", "warn"]
    assert any("no samples of “c”" in finding.sentence for finding in found)
    assert any("42 times" in finding.sentence for finding in found)
    one = np.zeros(COUNT, np.int64)
    one[60:] = 1
    lacking = of(check(pictures(labels=one)), "balance")
    assert lacking[0].level == "bad"


def test_outliers_say_in_what() -> None:
    values = noise((1, 12, 12)) // 4
    values[17] = 255 - values[17] // 8
    (found,) = of(check(pictures(values)), "outliers")
    assert found.clusters[0] == (17,)
    assert "brightness unusually great" in found.sentence
    rows = np.random.default_rng(0).normal(size=(COUNT, 2)).astype(np.float32)
    rows[4, 1] = 300
    (row,) = of(check(made(Column("row", vector(2), rows))), "outliers")
    assert row.samples == (4,)
    assert np.all(robust(np.ones(50)) == 0)


def test_it_can_be_cancelled_and_bounded() -> None:
    class Enough(Exception):
        pass

    def stop(text: str, fraction: float | None) -> None:
        if text.startswith("Comparing"):
            raise Enough

    with pytest.raises(Enough):
        check(pictures(), stop)
    assert check(pictures(), most=30).looked_at == 30


def test_so_many_alike_say_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(similar, "MOST_PAIRS", 5)
    values = np.repeat(noise((1, 12, 12))[:9], 10, axis=0)
    values[:, 0, 0, 0] = np.arange(COUNT)
    assert "So many" in of(check(pictures(values)), "near")[0].sentence


def test_clusters_join_in_chains() -> None:
    vectors = np.zeros((4, 3), np.float32)
    vectors[0] = (1, 0, 0)
    vectors[1] = (np.cos(0.1), np.sin(0.1), 0)
    vectors[2] = (np.cos(0.2), np.sin(0.2), 0)
    vectors[3] = (0, 0, 1)
    indices = np.array([5, 6, 7, 8])
    found = similar.alike(indices, vectors, 0.99, lambda text, fraction: None)
    assert found == [(5, 6, 7)]
    assert similar.across([(0, 1), (0, 2)], np.array([0, 0, 2], np.int8)) == [(0, 2)]


def test_vectors_are_of_mean_0_and_length_1() -> None:
    dataset = pictures()
    measured = measure(dataset)
    assert measured.vectors is not None
    assert np.allclose(measured.vectors.mean(axis=1), 0, atol=1e-6)
    assert np.allclose(np.linalg.norm(measured.vectors, axis=1), 1, atol=1e-5)
    flat = embedding(dataset.inputs["image"], np.full((1, 12, 12), 9, np.uint8))
    assert flat is not None
    assert not flat.any()


@pytest.mark.parametrize("source", ["digits", "moving-shapes", "waves", "brackets"])
def test_data_of_other_kinds_are_checked(source: str) -> None:
    options = {} if source == "digits" else {"samples": 60}
    dataset = open_data(DataSettings(source, options), Path.cwd())
    report = check(dataset, most=200)
    assert report.looked_at == min(200, len(dataset))
    assert all(finding.sentence.endswith((".", "!")) for finding in report.findings)


# --- statistics -----------------------------------------------------------------------------------


def test_statistics_of_pictures() -> None:
    values = noise((2, 6, 6))
    dataset = made(Column("image", image(2, 6, 6), values))
    found = statistics(dataset)
    assert found.measured == COUNT
    assert found.mean_picture == pytest.approx(values.mean(axis=0))
    means, stds = np.array(found.channels).T
    assert means == pytest.approx(values.mean(axis=(0, 2, 3)))
    assert stds == pytest.approx(values.std(axis=(0, 2, 3)))
    assert found.values is not None
    assert found.values.counts.sum() == values.size
    assert found.counts["train"].tolist() == [20, 20, 20]


def test_statistics_of_picture_files(tmp_path: Path) -> None:
    for place in range(COUNT):
        if place:
            size = (10, 20) if place % 2 else (30, 40)
            Image.fromarray(np.zeros(size, np.uint8)).save(tmp_path / f"{place}.png")
    files = tuple(str(tmp_path / f"{place}.png") for place in range(COUNT))
    sizes = statistics(pictures(files=files)).file_sizes
    assert len(sizes) == COUNT - 1  # one is gone
    assert set(sizes) == {(10, 20), (30, 40)}


def test_statistics_of_a_table(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    rows = "".join(f"{i},{'ab'[i % 2]},{i * 2}\n" for i in range(50))
    path.write_text(f"size,kind,price\n{rows},a,3\n")
    dataset = open_data(DataSettings("table", {"path": str(path), "target": "price"}), tmp_path)
    size, kind = statistics(dataset).features
    assert (size.name, size.low, size.high, size.missing) == ("size", 0, 49, 1)
    assert size.mean == pytest.approx(24.5)
    assert kind.categories == ("a", "b")
    assert kind.histogram.counts.tolist() == [26, 25]


def test_statistics_of_lengths_and_a_bound() -> None:
    lengths = np.arange(COUNT) % 7 + 1
    column = Column("text", tokens("T"), np.ones((COUNT, 7), np.int64), lengths=lengths)
    found = statistics(made(column), limit=20)
    assert found.measured == 20
    assert found.lengths is not None
    assert found.lengths.counts.sum() == COUNT
    assert np.all(np.diff(found.lengths.edges) == 1)


def test_histograms_of_odd_values() -> None:
    for values in ([], [np.nan], [5.0], [1e300, -1e300], [1.0, 1.0 + 1e-16], [0, np.inf, 1]):
        found = histogram(np.array(values, float))
        assert len(found.edges) == len(found.counts) + 1
        assert found.counts.sum() + found.missing == len(values)


def test_an_empty_data_set() -> None:
    none = np.zeros(0, np.int64)
    empty = replace(
        pictures(noise((1, 12, 12))[:0], labels=none),
        splits={"train": none, "validation": none, "test": none},
    )
    assert check(empty).looked_at == 0
    assert statistics(empty).measured == 0
