"""The rows of a run's own data once more: where they begin, and how they come."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from playground.data import open_data
from playground.data.source import Place
from playground.live import replay as replay_module
from playground.live.replay import Replay, Script, script_of
from playground.live.rows import Rows
from playground.project import Project, open_example
from playground.runs import RunFolder
from tests.playground.capture_kit import until

SCRIPT = Script(("a", "b"), tuple((str(n), f"x,{n}") for n in range(6)), 2, 50.0)


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    until(lambda: set(threading.enumerate()) <= before, 3)


class Run(RunFolder):
    """A run of a project that was never trained."""

    def __init__(self, project: Project, folder: Path) -> None:
        super().__init__(folder)
        self._project = project

    def project(self) -> Project:
        return self._project

    def place(self) -> Place:
        return Place(self.path, self.path)


def test_a_forecast_begins_with_the_first_window_that_was_kept_back(tmp_path: Path) -> None:
    project = open_example("airline-lstm")
    script = script_of(Run(project, tmp_path))
    dataset = open_data(project.data, None)
    first = int(min(dataset.splits["validation"].min(), dataset.splits["test"].min()))
    window = dataset.inputs["series"].take([first])[0][:, 0]
    assert script.header == ("date", "passengers")
    there = [float(row[1]) for row in script.rows[: script.there]]
    assert there[-12:] == window.tolist()
    assert len(script.rows) == 144
    assert script.rate == 2.0


def test_cases_follow_each_other(tmp_path: Path) -> None:
    script = script_of(Run(open_example("gunpoint-cnn"), tmp_path))
    assert script.header == ("value",)
    assert script.there == 150
    assert len(script.rows) == 150 * 150
    assert script.rate == 25.0


def test_a_table_that_is_gone(tmp_path: Path) -> None:
    project = open_example("airline-lstm")
    options = {**project.data.options, "path": str(tmp_path / "gone.csv")}
    project = replace(project, data=replace(project.data, options=options))
    with pytest.raises(ValueError, match=r"gone\.csv"):
        script_of(Run(project, tmp_path))
    with pytest.raises(ValueError, match="no series"):
        script_of(Run(open_example("digits-cnn"), tmp_path))


def test_a_window_that_is_not_in_the_table() -> None:
    values = np.arange(6, dtype=np.float32)[:, None]
    assert replay_module._found(values, values[2:4]) == 2
    assert replay_module._found(values, values[2:4] + 0.5) is None
    assert replay_module._found(values[:1], values[2:4]) is None


def test_rows_come_and_begin_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay_module, "PAUSE", 0.3)
    replay = Replay(SCRIPT)
    with Rows(str(replay.path)) as rows:
        until(lambda: rows.heard().number >= 2)
        until(lambda: len(rows.heard().rows) == 6)
        assert rows.heard().header == ("a", "b")
        assert rows.heard().rows[-1] == ("5", "x,5")
        until(lambda: rows.heard().begun == 2)
    replay.close()
    assert not replay.path.exists()
