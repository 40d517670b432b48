"""From a file or a list of numbers of one's own to the series that a network is asked about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from playground.data.csv_format import CsvOptions
from playground.data.csv_reading import MISSING, fields, read_table
from playground.data.errors import DataError
from playground.data.reading import (
    Array,
    Named,
    file_cells,
    format_json,
    is_file,
    number,
    positive,
)


@dataclass(frozen=True, slots=True)
class SeriesReading:
    """A series of ``length`` steps (None: any) of ``channels`` numbers: each row of a CSV file,
    each case of a .ts file, each ``group`` of a table with a step a row and ``columns`` as its
    channels, in the order of ``time``, or the numbers themselves, channels divided by colons.
    Missing steps are those before."""

    length: int | None
    channels: int = 1
    columns: tuple[str, ...] = ()
    group: str | None = None
    time: str | None = field(default=None, compare=False)
    kind: ClassVar[str] = "series"

    def read(self, text: str) -> list[Named]:
        if not is_file(text):
            cells = [fields(part) for part in text.split(":")]
            if len({len(part) for part in cells}) > 1:
                raise DataError(f"{text[:40]!r} has channels of different lengths")
            rows = [[number(cell, "the series") for cell in part] for part in cells]
            return [(text, self._checked(np.asarray(rows, np.float32).T, repr(text[:40])))]
        path = Path(text)
        series = [self._checked(values, path.name) for values in self._file(path)]
        return [(f"{text}:{i + 1}", values) for i, values in enumerate(series)]

    def _file(self, path: Path) -> list[Array]:
        from playground.data import series_files

        if path.suffix.lower() == ".ts":
            found = series_files.from_ts(path, needs_labels=False)
            return _trimmed(found.values, found.lengths)
        return self._steps(path) if self.columns else self._rows(path)

    def _steps(self, path: Path) -> list[Array]:
        """From a table with a step a row; without the column of the series it is one."""
        cells = file_cells(path, self.columns, time=self.time, group=self.group)
        return [
            _filled({name: [cells[name][row] for row in rows] for name in self.columns}, path.name)
            for rows in _rows_of(cells, self.group).values()
        ]

    def _rows(self, path: Path) -> list[Array]:
        """From a table with a series a row, perhaps after its label, as in files of the archive."""
        from playground.data.series_files import LABELS

        table = read_table(path)
        frame = table.frame
        unnamed = self.length is None and not table.header
        label = next((name for name in frame.columns if name.lower() in LABELS), None)
        if label is None and (unnamed or frame.width - 1 == self.length):
            label = frame.columns[0]
        frame = frame if label is None else frame.drop(label)
        result = []
        for place, row in enumerate(frame.rows()):
            cells = ["" if cell is None else str(cell) for cell in row]
            while self.length is None and cells and cells[-1] in MISSING:
                cells.pop()
            where = f"row {table.line(place)}"
            result.append(_filled({where: cells}, path.name))
        return result

    def _checked(self, values: Array, where: str) -> Array:
        steps, channels = values.shape
        if channels != self.channels:
            raise DataError(f"{where} has {channels} channels; the network needs {self.channels}")
        if not steps or (self.length is not None and steps != self.length):
            needs = "at least one" if self.length is None else self.length
            raise DataError(f"{where} has {steps} numbers a row; the network needs {needs}")
        return values

    def to_json(self) -> dict[str, Any]:
        data: dict[str, Any] = {"kind": self.kind, "length": self.length}
        if self.channels != 1 or self.columns:
            data |= {"channels": self.channels}
        if self.columns:
            data |= {"columns": list(self.columns), "group": self.group, "time": self.time}
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> SeriesReading:
        length = data["length"]
        columns = tuple(str(name) for name in data.get("columns", ()))
        if len(set(columns)) < len(columns):
            raise ValueError("a series has each of its columns once")
        return cls(
            None if length is None else positive(length),
            positive(data.get("channels", 1)),
            columns,
            _name(data.get("group")),
            _name(data.get("time")),
        )


@dataclass(frozen=True, slots=True)
class WindowReading:
    """The last ``length`` rows of a CSV file's columns, in the order of ``time``: what a forecast
    goes on from. With a column of ``group``, one window for each series in the file that has one.
    Missing values are those before; rows without any at the end do not count."""

    columns: tuple[str, ...]
    length: int
    group: str | None = None
    time: str | None = field(default=None, compare=False)
    format: CsvOptions = field(default=CsvOptions(), compare=False)
    kind: ClassVar[str] = "window"

    def read(self, text: str) -> list[Named]:
        if not is_file(text):
            if len(self.columns) > 1:
                raise DataError(
                    f"{text!r} is no file: give a CSV file with the columns "
                    f"{', '.join(self.columns)}"
                )
            return [(text, self._window(text, {self.columns[0]: list[str | None](fields(text))}))]
        cells = file_cells(Path(text), self.columns, self.format, self.time, self.group)
        if self.group not in cells:
            return [(text, self._window(text, cells))]
        return [
            (
                f"{text}:{name}",
                self._window(
                    f"{text}, {name},",
                    {column: [cells[column][row] for row in rows] for column in self.columns},
                ),
            )
            for name, rows in _rows_of(cells, self.group).items()
        ]

    def _window(self, where: str, cells: Mapping[str, Sequence[str | None]]) -> Array:
        columns = [cells[name] for name in self.columns]
        rows = list(zip(*columns, strict=True))
        while rows and all(cell is None or cell.strip() in MISSING for cell in rows[-1]):
            rows.pop()
        if len(rows) < self.length:
            raise DataError(
                f"{where} has {len(rows)} values of {self.columns[0]}; a forecast needs the last "
                f"{self.length}"
            )
        known = dict(zip(self.columns, zip(*rows, strict=True), strict=True))
        return _filled(known, where)[-self.length :]

    def to_json(self) -> dict[str, Any]:
        data = {"kind": self.kind, "columns": list(self.columns), "length": self.length}
        data |= {key: value for key, value in (("group", self.group), ("time", self.time)) if value}
        return data | format_json(self.format)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> WindowReading:
        columns = tuple(str(name) for name in data["columns"])
        if not columns or len(set(columns)) < len(columns):
            raise ValueError("a window needs columns, each of them once")
        return cls(
            columns,
            positive(data["length"]),
            _name(data.get("group")),
            _name(data.get("time")),
            CsvOptions.from_json(data.get("format", {})),
        )


def _trimmed(values: Array, lengths: Array) -> list[Array]:
    return [values[i, :length] for i, length in enumerate(lengths.tolist())]


def _rows_of(cells: Mapping[str, Sequence[str | None]], group: str | None) -> dict[str, list[int]]:
    """The rows of each series; without the column they are one."""
    count = len(next(iter(cells.values())))
    rows: dict[str, list[int]] = {}
    for row, name in enumerate(cells.get(group or "", [""] * count)):
        rows.setdefault(name or "", []).append(row)
    return rows


def _filled(cells: Mapping[str, Sequence[str | None]], where: str) -> Array:
    """Columns of cells as steps (T, F), missing ones as those before, as in training."""
    from playground.data.series_files import carried

    series = np.full((len(next(iter(cells.values()))), len(cells)), np.nan, np.float32)
    for place, (name, column) in enumerate(cells.items()):
        for row, cell in enumerate(column):
            if cell is not None and cell.strip() not in MISSING:
                series[row, place] = number(cell, name)
        if len(column) and np.isnan(series[:, place]).all():
            raise DataError(f"{where}: {name} has no values")
    return carried(series)


def _name(value: Any) -> str | None:
    return None if value is None else str(value)
