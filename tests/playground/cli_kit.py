"""Small projects and a way to run the command line as a person does."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from playground.cli import main
from playground.data import DataSettings, SplitSettings, open_data
from playground.project import Project, save
from playground.starter import starter_graph
from playground.tasks import TaskSettings

SMALL = DataSettings("digits", {}, SplitSettings(validation=4000, test=500))
"""500 training samples: an epoch takes a fraction of a second."""


@dataclass(frozen=True)
class Said:
    """What a command said."""

    code: int
    out: str
    err: str

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def sentence(self) -> str:
        """The one line that an error is."""
        lines = self.err.splitlines()
        assert len(lines) == 1, self.err
        assert lines[0].startswith("error: ")
        return lines[0].removeprefix("error: ")


class Shell:
    """Runs commands in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *words: str | Path) -> Said:
        self._capsys.readouterr()
        code = main([str(word) for word in words])
        captured = self._capsys.readouterr()
        return Said(code, captured.out, captured.err)

    def json(self, *words: str | Path) -> list[dict[str, Any]]:
        """The JSON lines of a command that must do."""
        said = self(*words, "--json")
        assert said.code == 0, said.err
        return said.events


def digits_project(path: Path, kind: str = "cnn", **training: Any) -> Path:
    """A starter network on a part of the digits."""
    return project_on(path, SMALL, kind, **{"epochs": 1, **training})


def project_on(path: Path, data: DataSettings, kind: str = "auto", **training: Any) -> Path:
    """A starter network for data."""
    dataset = open_data(data, path.parent)
    project = Project(path.stem, starter_graph(dataset, kind), data, TaskSettings(dataset.task))
    save(replace(project, training=project.training.replace(**training)), path)
    return path


def write_table(path: Path, rows: Sequence[Sequence[object]], header: str) -> Path:
    path.write_text("\n".join([header, *(",".join(map(str, row)) for row in rows)]) + "\n")
    return path
