"""Run folders: what a training run leaves behind, and how it is read back.

A run folder may come from a stranger: everything in it is data that is checked, links are not
followed, and nothing is written outside it.
"""

from __future__ import annotations

import csv
import io
import json
import math
import os
import platform
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from playground import processes
from playground.files import place, read_text, why, write_text

if TYPE_CHECKING:
    from playground.data.dataset import Dataset
    from playground.data.source import Place
    from playground.model import Model
    from playground.project import Project
    from playground.training.checkpoints import Checkpoint

RUNS = "runs"
PROJECT, INFO, METRICS = "project.json", "run.json", "metrics.csv"
FORMAT = 1
Which = Literal["best", "last"]
Row = dict[str, float]


class RunError(ValueError):
    """A run folder cannot be used; the message names it and says why."""


@dataclass(frozen=True, slots=True)
class RunSummary:
    """A line of the list of runs. ``state`` is that of ``messages.State`` or "interrupted";
    ``result`` holds the best epoch's metrics by split; ``problem`` is a sentence where the run
    cannot be read."""

    path: Path
    name: str
    state: str = "interrupted"
    created: str = ""
    epochs: int = 0
    best_epoch: int | None = None
    result: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    metric: str = ""
    seconds: float = 0.0
    device: str = ""
    message: str = ""
    problem: str = ""
    resumable: bool = False


class RunFolder:
    """One run on disk: ``project.json``, ``run.json``, ``metrics.csv``, ``last/`` and ``best/``."""

    def __init__(self, path: Path) -> None:
        self.path = Path(path)

    def __repr__(self) -> str:
        return f"RunFolder({str(self.path)!r})"

    @property
    def name(self) -> str:
        return self.path.name

    @classmethod
    def create(cls, path: Path, place: Place | None = None) -> RunFolder:
        """Make an empty run at ``path``; ``place`` is where the paths of its data begin.
        Raises ``RunError`` where the folder is taken."""
        try:
            path.mkdir(parents=True, exist_ok=True)
            if any(path.iterdir()):
                raise RunError(
                    f"{path} is not empty: choose a new folder for the run, or resume it"
                )
            run = cls(path)
            folder, files = (place.folder, place.files) if place else (path.parent, path.parent)
            info = {"format": FORMAT, "created": _now(), "state": "preparing"}
            run._write_info(
                info | {"base": _relative(folder, path), "files": _relative(files, path)}
            )
        except OSError as error:
            raise RunError(f"{path} cannot be written: {error.strerror or error}") from None
        return run

    def discard(self) -> None:
        """Remove a run that came to nothing: one without a checkpoint."""
        if not self.has("last") and (self.path / INFO).is_file():
            shutil.rmtree(self.path, ignore_errors=True)

    # what is in it

    def project(self) -> Project:
        """The frozen copy; raises ``RunError``."""
        from playground.project import loads

        try:
            return loads(read_text(self.path / PROJECT))
        except (OSError, ValueError) as error:
            raise RunError(
                f"{self.path} is no run that can be read: {why(error, PROJECT)}"
            ) from None

    def freeze(self, project: Project) -> None:
        """Keep a copy of the project as it is trained."""
        from playground.project import dumps

        write_text(self.path / PROJECT, dumps(project))

    def info(self) -> dict[str, Any]:
        """``run.json``; raises ``RunError``."""
        try:
            info = json.loads(read_text(self.path / INFO))
        except (OSError, ValueError, RecursionError) as error:
            raise RunError(f"{self.path} is no run that can be read: {why(error, INFO)}") from None
        if not isinstance(info, dict) or info.get("format") != FORMAT:
            raise RunError(f"{self.path} was written by another version or is no run")
        return info

    def place(self) -> Place:
        """Where the paths of the project's data settings begin; raises ``RunError``."""
        from playground.data.source import Place

        info = self.info()
        base = self._folder(info.get("base"), self.path.parent)
        return Place(base, self._folder(info.get("files"), base))

    def _folder(self, relative: Any, otherwise: Path) -> Path:
        try:
            return (self.path / relative).resolve() if isinstance(relative, str) else otherwise
        except (OSError, ValueError):
            raise RunError(
                f"{self.path / INFO} names a folder that cannot be: {relative!r:.80}"
            ) from None

    def fitted(self) -> Dataset:
        """What was fitted on the data, without samples; raises ``RunError``."""
        from playground.data.dataset import Dataset

        data = self.info().get("data")
        try:
            return Dataset.from_json(data)
        except ValueError as error:
            raise RunError(f"{self.path / INFO} does not describe its data: {error}") from None

    def update(self, **values: Any) -> None:
        """Change entries of ``run.json``."""
        self._write_info(self.info() | values)

    def _write_info(self, info: Mapping[str, Any]) -> None:
        write_text(self.path / INFO, json.dumps(info, indent=1, ensure_ascii=False) + "\n")

    # checkpoints

    def has(self, which: Which) -> bool:
        return (place(self.path / which) / "weights.safetensors").is_file()

    def save(self, which: Which, checkpoint: Checkpoint) -> None:
        from playground.training import checkpoints

        checkpoints.write(self.path / which, checkpoint)

    def checkpoint(self, which: Which) -> Checkpoint:
        """Raises ``RunError``."""
        from playground.training import checkpoints

        if not self.has(which):
            raise RunError(f"{self.path} holds no {which} weights: it ended before its first epoch")
        try:
            return checkpoints.read(self.path / which)
        except checkpoints.CheckpointError as error:
            raise RunError(str(error)) from None

    # metrics.csv

    def metrics(self) -> list[Row]:
        """The rows, one an epoch; a torn last line is left out. Raises ``RunError``."""
        try:
            text = read_text(self.path / METRICS)
        except FileNotFoundError:
            return []
        except (OSError, ValueError) as error:
            raise RunError(
                f"{self.path} is no run that can be read: {why(error, METRICS)}"
            ) from None
        whole = text[: text.rfind("\n") + 1]
        rows = []
        for values in csv.DictReader(io.StringIO(whole)):
            try:
                row = {str(key): float(value) for key, value in values.items()}
            except (TypeError, ValueError):  # too short a line, or no numbers
                continue
            if row.get("epoch", 0) >= 1:
                rows.append(row)
        return rows

    def add_metrics(self, rows: Sequence[Row]) -> None:
        """Append epochs; floats are written so that they are read back to the last bit."""
        path = self.path / METRICS
        fresh = not path.exists()
        # the file was written anew when the run started, so it is no link
        with path.open("a", encoding="utf-8", newline="") as file:
            file.write(_lines(rows, heading=fresh))
            file.flush()
            os.fsync(file.fileno())

    def keep_metrics(self, epochs: int) -> None:
        """Drop what came after ``epochs``: the run goes on from there."""
        rows = [row for row in self.metrics() if row["epoch"] <= epochs]
        (self.path / METRICS).unlink(missing_ok=True)
        if rows:
            write_text(self.path / METRICS, _lines(rows, heading=True))

    # who is writing it

    def claim(self) -> None:
        """Say that this process trains here; raises ``RunError`` where another one does."""
        if self.taken():
            raise RunError(
                f"{self.path} is being trained by another process: wait for it, or stop it"
            )
        self.update(process=processes.identity(os.getpid()))

    def taken(self) -> bool:
        """Whether another process that is still alive trains here."""
        process = self.info().get("process")
        return processes.alive(process) and process != processes.identity(os.getpid())


def new_run(files: Path) -> RunFolder:
    """A new numbered run under ``files`` (``NAME.files``), whose project lies beside it."""
    from playground.data.source import Place

    runs = files / RUNS
    try:
        runs.mkdir(parents=True, exist_ok=True)
        taken = [int(path.name) for path in runs.iterdir() if path.name.isdecimal()]
        number = max(taken, default=0) + 1
        while True:  # another process may take the same number
            try:
                (runs / f"{number:03d}").mkdir()
                break
            except FileExistsError:
                number += 1
    except OSError as error:
        raise RunError(f"{runs} cannot be written: {error.strerror or error}") from None
    return RunFolder.create(runs / f"{number:03d}", Place(files.parent, files))


def rewrite_run(run: RunFolder, files: Path, write: Callable[[RunFolder], None]) -> RunFolder:
    """Put what ``write`` writes in the place of ``run``, which stays as it is where that fails;
    raises ``RunError``."""
    from playground.data.source import Place

    path = run.path
    try:
        with tempfile.TemporaryDirectory(
            prefix=".run-", dir=files, ignore_cleanup_errors=True
        ) as folder:
            # as deep as the run itself, so that relative paths are the same
            fresh = RunFolder.create(Path(folder) / run.name, Place(files.parent, files))
            write(fresh)
            before = Path(folder) / "before"
            path.rename(before)
            try:
                fresh.path.rename(path)
            except OSError:
                before.rename(path)
                raise
    except OSError as error:
        raise RunError(f"{path} cannot be written anew: {error.strerror or error}") from None
    return run


def list_runs(files: Path) -> list[RunSummary]:
    """The runs under ``files``, the newest first; damaged ones say what is wrong."""
    runs = files / RUNS
    if not runs.is_dir():
        return []
    folders = [path for path in runs.iterdir() if path.is_dir() and not path.is_symlink()]
    folders.sort(
        key=lambda path: [int(p) if p.isdecimal() else p for p in re.split(r"(\d+)", path.name)]
    )
    return [summary(RunFolder(path)) for path in reversed(folders)]


def summary(run: RunFolder) -> RunSummary:
    """What the list of runs shows of ``run``."""
    try:
        info = run.info()
    except RunError as error:
        return RunSummary(run.path, run.name, state="failed", problem=str(error))
    state = str(info.get("state", ""))
    if state in ("preparing", "running", "paused", "stopping") and not (run.taken() or _own(info)):
        state = "interrupted"
    result = info.get("result")
    best = info.get("best_epoch")
    return RunSummary(
        run.path,
        run.name,
        state,
        str(info.get("created", "")),
        int(_number(info.get("epochs"))),
        best if isinstance(best, int) else None,
        _results(result),
        str(info.get("metric", "")),
        _number(info.get("seconds")),
        str(info.get("device", "")),
        str(info.get("message", "")),
        resumable=state != "finished" and run.has("last"),
    )


def load_model(run: RunFolder | Path, which: Which = "best") -> Model:
    """The trained network of a run with all that it needs to answer; raises ``RunError``."""
    from playground.model import load

    return load(run if isinstance(run, RunFolder) else RunFolder(run), which)


def versions() -> dict[str, str]:
    """What a run depends on beside the project."""
    import numpy
    import torch

    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": numpy.__version__,
        "system": platform.platform(),
    }


def _results(data: Any) -> dict[str, dict[str, float]]:
    if not isinstance(data, dict):
        return {}
    return {
        str(split): {str(k): float(v) for k, v in values.items() if isinstance(v, (int, float))}
        for split, values in data.items()
        if isinstance(values, dict)
    }


def _number(value: Any) -> float:
    return value if isinstance(value, (int, float)) and math.isfinite(value) else 0


def _own(info: Mapping[str, Any]) -> bool:
    return bool(info.get("process") == processes.identity(os.getpid()))


def _lines(rows: Sequence[Row], *, heading: bool) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    if heading:
        writer.writeheader()
    for row in rows:
        writer.writerow({key: _written(value) for key, value in row.items()})
    return text.getvalue()


def _written(value: float) -> str:
    return (
        str(int(value)) if float(value).is_integer() and abs(value) < 2**53 else repr(float(value))
    )


def _relative(path: Path, start: Path) -> str:
    try:
        return Path(os.path.relpath(path.resolve(), start.resolve())).as_posix()
    except ValueError:  # another drive on Windows
        return path.resolve().as_posix()


def _now() -> str:
    return datetime.now(UTC).astimezone().isoformat(timespec="seconds")
