"""The bench runs and says what it measured. The figures themselves are not for a test to judge."""

from __future__ import annotations

import sys

import pytest

from playground import bench
from playground.bench import data, pictures, tables
from playground.bench.child import Child, ChildFailed
from tests.playground.cli_kit import Shell


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.setattr(bench, "EXAMPLES", ("digits-cnn",))
    monkeypatch.setattr(bench, "WARM_UP_SECONDS", 0.01)
    return Shell(capsys)


def test_contenders_take_turns(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = (bench.BASE, "engine")
    monkeypatch.setattr(bench, "TITLES", {name: bench.TITLES[name] for name in chosen})
    words = ("bench", "training", "--rounds", "1", "--seconds", "0.01")
    *rows, last = shell.json(*words)
    assert [row["contender"] for row in rows] == list(chosen)
    for row in rows:
        assert row["example"] == "digits-cnn"
        assert row["threads"] >= 1
        for spread in (row["batches_per_second"], row["ratio"]):
            assert 0 < spread["min"] <= spread["median"] <= spread["max"]
    assert rows[0]["ratio"] == {"median": 1.0, "min": 1.0, "max": 1.0}
    assert last["machine"]["cores"] >= 1
    assert last["rows"] == 2


def test_the_window(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "LAUNCHES", 1)
    monkeypatch.setattr(bench, "SIZES", (20,))
    monkeypatch.setattr(bench, "EDITS", 3)
    said = shell("bench", "ui", "launch", "edits", "--rounds", "1", "--seconds", "0.3")
    assert said.code == 0, said.err
    for heading in ("window while training", "launch to visible window", "an edit to new shapes"):
        assert heading in said.out
    assert "20 nodes: and painted" in said.out


def test_an_unknown_bench(shell: Shell) -> None:
    assert "known: training, ui, launch, edits, data" in shell("bench", "speed").sentence


def test_why_a_child_ended() -> None:
    child = Child("playground.bench.contender", ["engine", "no-such-example"])
    with pytest.raises(ChildFailed, match="no-such-example"):
        child.answer()
    child.close()


def test_a_contender_that_is_not_there_is_told(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = (bench.BASE, "lightning")
    monkeypatch.setattr(bench, "TITLES", {name: bench.TITLES[name] for name in chosen})
    monkeypatch.setattr(bench, "find_spec", lambda name: None)
    said = shell("bench", "training", "--rounds", "1", "--seconds", "0.01")
    assert said.code == 0, said.err
    assert "Lightning: is not installed" in said.out
    assert sys.modules.get("lightning") is None


def test_reading_pictures(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "PICTURES", 60)
    monkeypatch.setattr(pictures, "MANY", 60)
    monkeypatch.setattr(pictures, "WORKERS", (0,))
    monkeypatch.setattr(data, "PARTS", (pictures.loading, pictures.folder))
    loading, folder, _ = shell.json("bench", "data", "--rounds", "1")
    assert set(loading["seconds"]) == {"torchvision, 0 workers", "first", "again"}
    assert loading["against_torchvision"]["median"] > 0
    assert folder["files"] == 60
    assert len(folder["megabytes"]) == 5


def test_reading_tables(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "ROWS", 500)
    monkeypatch.setattr(data, "PARTS", (tables.reading_tables,))
    table, _ = shell.json("bench", "data", "--rounds", "1")
    assert set(table["seconds"]) == {"polars", "preview", "dataset"}
    assert table["dataset_against_reading"]["median"] > 0
    assert "500 rows" in shell("bench", "data", "--rounds", "1").out
