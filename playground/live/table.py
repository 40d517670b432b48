"""From rows of text to the window of a series that a model is asked about."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from playground.data.csv_reading import MISSING
from playground.data.dataset import Column, Dataset
from playground.data.series_files import carried
from playground.data.series_reading import SeriesReading, WindowReading
from playground.live.errors import LiveError
from playground.live.rows import Heard, Row
from playground.messages import Array

MOST = 1000
"""Rows that a model of series of any length is asked about."""
_SHOWN = 30


@dataclass(frozen=True, slots=True, eq=False)
class Recent:
    """The last rows as numbers (n, F), missing ones as those before, by the names of ``columns``;
    ``times`` are the texts of the column of time, where there is one; ``number`` is that of the
    newest row. Of a table with several series, ``group`` is the one that they belong to,
    ``numbers`` (n,) are those of its rows, and ``known`` is how many of it are remembered."""

    columns: tuple[str, ...]
    times: tuple[str, ...]
    values: Array
    number: int
    group: str = ""
    numbers: tuple[int, ...] = ()
    known: int = 0


def series_input(dataset: Dataset) -> Column | None:
    """The one input of data of series; None for other data."""
    columns = list(dataset.inputs.values())
    if len(columns) == 1 and isinstance(columns[0].reading, (SeriesReading, WindowReading)):
        return columns[0]
    return None


class Intake:
    """Windows of ``column`` from rows; ``tell`` is called with a sentence about a bad one."""

    def __init__(self, column: Column, name: str, tell: Callable[[str], None]) -> None:
        reading = column.reading
        assert isinstance(reading, (SeriesReading, WindowReading))
        self.column, self._reading, self._name, self._tell = column, reading, name, tell
        self.length = reading.length or MOST
        self._told = 0
        """The newest row about which something was said."""

    def groups(self, heard: Heard) -> tuple[str, ...]:
        """The series that the rows belong to, the newest first; nothing of a table with one."""
        place = self._group(heard)
        rows = () if place is None else reversed(heard.rows)
        return tuple(dict.fromkeys(row[place or 0] for row in rows))

    def recent(self, heard: Heard, most: int, group: str = "") -> Recent:
        """At most the last ``most`` rows of the series ``group`` (otherwise: of that which the
        newest row belongs to). Raises ``LiveError`` where the table has other columns."""
        reading, header = self._reading, heard.header
        places = self._places(heard)
        columns = tuple(header[place] for place in places)
        numbered = list(enumerate(heard.rows, heard.number - len(heard.rows) + 1))
        at_group = self._group(heard)
        if at_group is not None and numbered:
            group = group or heard.rows[-1][at_group]
            numbered = [(number, row) for number, row in numbered if row[at_group] == group]
        first = max(0, len(numbered) - most)
        while first and any(_value(numbered[first][1][place]) is None for place in places):
            first -= 1  # the values before stand in
        rows = [row for _, row in numbered[first:]]
        values = np.full((len(rows), len(places)), np.nan, np.float32)
        for index, row in enumerate(rows):
            for feature, place in enumerate(places):
                values[index, feature] = self._number(row[place], columns[feature], heard, row)
        unfit = self._unfit(values)
        if unfit[-1:].any() and rows[-1] is heard.rows[-1]:
            odd = int(unfit[-1].argmax())
            why = self.column.preprocessing.refused(values[-1, odd])
            self._bad(rows[-1][places[odd]], columns[odd], heard, why)
        values[unfit] = np.nan
        self._told = heard.number
        known = ~np.isnan(values).all(axis=0)
        if len(rows) and not known.all():
            missing = columns[int(np.flatnonzero(~known)[0])]
            raise LiveError(
                f"{self._name} has no value of {_brief([missing])} yet; waiting for one"
            )
        values, rows = carried(values)[-most:], rows[-most:]
        at = header.index(reading.time) if reading.time in header else None
        times = () if at is None else tuple(row[at] for row in rows)
        if at_group is None:
            return Recent(columns, times, values, heard.number)
        numbers = tuple(number for number, _ in numbered[-most:])
        return Recent(columns, times, values, heard.number, group, numbers, len(numbered))

    def _group(self, heard: Heard) -> int | None:
        """Where the column of groups is; None where there is none."""
        name = self._reading.group
        return heard.header.index(name) if name is not None and name in heard.header else None

    def window(self, heard: Heard) -> dict[str, Array]:
        """The raw batch of one; raises ``LiveError`` while there are not enough rows."""
        found = self.recent(heard, self.length)
        have, need = len(found.values), self._reading.length or 1
        if have < need:
            of = f" of {found.group}" if found.group else ""
            raise LiveError(
                f"{self._name} has {have} row{'s' * (have != 1)}{of} so far; the network needs "
                f"{need:,}; waiting for more"
            )
        return self.column.batched([found.values])

    def _places(self, heard: Heard) -> list[int]:
        """Where the columns of the model are; raises ``LiveError``."""
        names, header = self._reading.columns, list(heard.header)
        missing = [name for name in names if name not in header]
        if names and not missing:
            return [header.index(name) for name in names]
        features = len(names) or self.column.shape.number("F")
        if len(header) == features and (not names or len(missing) == len(names)):
            return list(range(features))  # a table without the names has them in their order
        if missing:
            raise LiveError(
                f"{self._name} has no column {missing[0]}: it needs {', '.join(names)}, and has "
                f"{_brief(header)}"
            )
        newest = heard.rows[-1] if heard.rows else ()
        numeric = [place for place, cell in enumerate(newest) if _value(cell) is not None]
        if len(numeric) == features:
            return numeric
        raise LiveError(
            f"{self._name} has {len(numeric)} columns of numbers; the network needs {features}"
        )

    def _number(self, cell: str, column: str, heard: Heard, row: Row) -> float:
        """NaN for a missing one, and, with a sentence, for what is no number."""
        value = _value(cell)
        if value is not None:
            return value
        if cell not in MISSING and row is heard.rows[-1]:
            self._bad(cell, column, heard, "is no number")
        return float("nan")

    def _unfit(self, values: Array) -> Array:
        """Which of the values (n, F) cannot be given to the network: those without a logarithm
        where it takes them, and what is beyond float32 in its scale."""
        with np.errstate(all="ignore"):
            prepared = self.column.prepared(values[None])[0]
        return np.asarray(~np.isfinite(prepared) & ~np.isnan(values))

    def _bad(self, cell: str, column: str, heard: Heard, why: str) -> None:
        """Tell of a value in the newest row, once."""
        if heard.number > self._told:
            self._tell(
                f"{self._name}: {column} is {cell[:_SHOWN]!r} in row {heard.number:,}, which {why};"
                " the value before it stands in."
            )


def _value(cell: str) -> float | None:
    if "," in cell and "." not in cell:
        cell = cell.replace(",", ".")
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if np.isfinite(value) and abs(value) < 3e38 else None


def _brief(names: Sequence[str]) -> str:
    text = "".join(c if c.isprintable() else "·" for c in ", ".join(names))
    return text if len(text) <= 100 else text[:100] + " …"
