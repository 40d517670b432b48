"""The rows of a run's own data once more, as if they came now: a CSV file that grows by itself.

It begins with what comes before the rows that were kept back from training, and adds those.
"""

from __future__ import annotations

import csv
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from playground.data import open_data
from playground.data.csv_reading import read_table
from playground.data.dataset import Column, Dataset
from playground.data.errors import DataError
from playground.data.series_reading import WindowReading
from playground.data.source import located
from playground.live.errors import LiveError
from playground.live.rows import Row
from playground.live.table import series_input
from playground.messages import Array
from playground.runs import RunFolder

WINDOW_S = 6.0
"""About how many seconds a window of rows takes."""
SLOWEST, FASTEST = 2.0, 25.0
"""Rows a second."""
BEFORE = 300
"""At most so many rows are there from the beginning."""
PAUSE = 3.0
"""Seconds at the end before it begins anew."""


@dataclass(frozen=True, slots=True)
class Script:
    """``rows`` of a table; the first ``there`` are in the file at once, the others come ``rate``
    a second."""

    header: Row
    rows: tuple[Row, ...]
    there: int
    rate: float


def script_of(run: RunFolder) -> Script:
    """What is known of a run's data, which takes a while. Raises ``ValueError`` of some kind."""
    settings, place = run.project().data, run.place()
    dataset = open_data(settings, place)
    column = series_input(dataset)
    if column is None:
        raise LiveError("these data are no series: there are no rows to replay")
    length = column.shape.sizes[0]
    rate = min(FASTEST, max(SLOWEST, length / WINDOW_S)) if isinstance(length, int) else SLOWEST
    if isinstance(column.reading, WindowReading):
        table = _table(located(str(settings.options.get("path", "")), place), column.reading)
        return _from_kept_back(*table, column, dataset, rate)
    return _cases(column, dataset, rate)


def _table(path: Path, reading: WindowReading) -> tuple[Row, tuple[Row, ...]]:
    """The columns that a model needs, as texts, in the order of the file."""
    if not path.is_file():
        raise DataError(f"{path.name} is not there any more: choose a file of your own")
    frame = read_table(path, reading.format).frame
    also = [name for name in (reading.time, reading.group) if name in frame.columns]
    header = tuple(dict.fromkeys([*also, *reading.columns]))
    missing = [name for name in header if name not in frame.columns]
    if missing:
        raise DataError(f"{path.name} has no column {missing[0]} any more")
    rows = frame.select(header).rows()
    return header, tuple(tuple("" if cell is None else str(cell) for cell in row) for row in rows)


def _from_kept_back(
    header: Row, rows: tuple[Row, ...], column: Column, dataset: Dataset, rate: float
) -> Script:
    """Begins with the window of the first forecast that was kept back, where it can be found."""
    reading = column.reading
    assert isinstance(reading, WindowReading)
    there = reading.length
    kept = np.concatenate([dataset.splits["validation"], dataset.splits["test"]])
    if len(kept) and reading.group is None:
        window = column.take(kept.min(keepdims=True))[0]
        places = [header.index(name) for name in reading.columns]
        values = np.array([[_number(row[at]) for at in places] for row in rows], np.float32)
        found = _found(values, window)
        there = found + reading.length if found is not None else there
    start = max(0, there - BEFORE)
    return Script(header, rows[start:], there - start, rate)


def _found(values: Array, window: Array) -> int | None:
    """The row at which ``window`` (T, F) begins in ``values`` (N, F)."""
    if len(values) < len(window):
        return None
    for place in np.flatnonzero((values[: len(values) - len(window) + 1] == window[0]).all(1)):
        if np.array_equal(values[place : place + len(window)], window):
            return int(place)
    return None


def _cases(column: Column, dataset: Dataset, rate: float) -> Script:
    """Whole series one after the other, of those that were kept back."""
    kept = [dataset.splits[name] for name in ("test", "validation", "train")]
    chosen = next(indices for indices in kept if len(indices))[:200]
    values = column.take(chosen)
    rows = [row for case in values.tolist() for row in case]
    width = len(rows[0])
    reading = getattr(column.reading, "columns", ())
    names = reading or [f"channel {at + 1}" for at in range(width)] if width > 1 else ["value"]
    texts = tuple(tuple(f"{cell:.7g}" for cell in row) for row in rows)
    return Script(tuple(names), texts, values.shape[1], rate)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


class Replay:
    """Writes a script into a file of its own in a thread, again and again, until it is closed; then
    the file is removed."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self._folder = tempfile.TemporaryDirectory(prefix="replay-")
        self.path = Path(self._folder.name) / "replay.csv"
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._work, name="replay", daemon=True)
        self._write(script.there)
        self._thread.start()

    def close(self) -> None:
        self._stopped.set()
        self._thread.join()
        self._folder.cleanup()

    def _write(self, count: int) -> None:
        with self.path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerows([self.script.header, *self.script.rows[:count]])

    def _work(self) -> None:
        script = self.script
        while True:
            with self.path.open("a", newline="", encoding="utf-8") as file:
                writer = csv.writer(file)
                for row in script.rows[script.there :]:
                    if self._stopped.wait(1 / script.rate):
                        return
                    writer.writerow(row)
                    file.flush()
            if self._stopped.wait(PAUSE):
                return
            self._write(script.there)
