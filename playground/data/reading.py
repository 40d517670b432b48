"""From a file or a row of one's own to the raw value that a trained network is asked about.

A reading belongs to an input column and is saved with a run, so that a model reads its inputs
elsewhere exactly as it did in training.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from playground.data.columns import LARGEST_CATEGORIES, PARTS, moments
from playground.data.csv_format import CsvOptions
from playground.data.csv_reading import MISSING, fields, read_table
from playground.data.errors import DataError

Array = npt.NDArray[Any]
_SUFFIXES = (".csv", ".tsv", ".txt", ".ts", ".parquet", ".arrow", ".feather")
LONGEST_SIDE = 1 << 14
_MOST = 2**31 - 1
Named = tuple[str, Array]
"""What an input is called, and its raw value without a batch axis."""


class Reading(Protocol):
    """How an input of one's own becomes a raw value."""

    kind: ClassVar[str]

    def read(self, text: str) -> list[Named]:
        """The values in ``text``, a path or the values themselves; raises ``DataError``."""
        ...

    def to_json(self) -> dict[str, Any]: ...

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Reading:
        """Raises ``ValueError``, or what a wrong type of the data raises."""
        ...


@dataclass(frozen=True, slots=True)
class ImageReading:
    """A picture file, fitted to C×H×W. ``digit`` centres a written digit as MNIST does."""

    channels: int
    height: int
    width: int
    fit: str = "crop"
    digit: bool = False
    kind: ClassVar[str] = "image"

    def read(self, text: str) -> list[Named]:
        from playground import vision

        path = Path(text)
        try:
            if self.digit:
                pixels = vision.centred_digit(vision.read_picture(path, 1)[0], self.height)
            else:
                size = (self.height, self.width)
                pixels = vision.read_picture(path, self.channels, size, self.fit)
        except vision.UnreadableImage as error:
            raise DataError(str(error)) from None
        return [(text, pixels)]

    def from_array(self, values: Array) -> Array:
        """A drawing or a camera's frame (H×W or H×W×C of 0…255) as C×H×W."""
        from playground import vision

        if self.digit:
            grey = vision.from_array(values, 1, values.shape[:2])[0]
            return vision.centred_digit(grey, self.height)
        return vision.from_array(values, self.channels, (self.height, self.width), self.fit)

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "channels": self.channels,
            "height": self.height,
            "width": self.width,
            "fit": self.fit,
            "digit": self.digit,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ImageReading:
        channels, height, width = (positive(data[key]) for key in ("channels", "height", "width"))
        if channels not in (1, 3) or max(height, width) > LONGEST_SIDE:
            raise ValueError(f"a picture has 1 or 3 channels and sides up to {LONGEST_SIDE}")
        if data["fit"] not in ("crop", "pad", "stretch", "middle"):
            raise ValueError("the fit is crop, pad, stretch or middle")
        return cls(channels, height, width, data["fit"], data.get("digit") is True)


@dataclass(frozen=True, slots=True)
class Feature:
    """A column of a table: a number, one of ``categories`` (one number each, 0 or 1; an empty name
    is one that the training rows did not have), or the ``parts`` of a date (see ``columns.PARTS``)
    that is written as ``pattern`` says."""

    name: str
    categories: tuple[str, ...] | None = None
    parts: tuple[str, ...] = ()
    pattern: str = ""

    @property
    def width(self) -> int:
        if self.parts:
            return sum(1 if part == "year" else 2 for part in self.parts)
        return 1 if self.categories is None else len(self.categories)

    def encode(self, cell: str | None) -> list[float]:
        """A cell as numbers, NaN where it is missing; raises ``DataError``."""
        if self.categories is not None:
            known = cell
            if cell is not None and cell not in self.categories:
                known = _spellings(self.categories).get(_value(cell))
            return [float(known == category) for category in self.categories]
        if cell is None:
            return [float("nan")] * self.width
        return _date_parts(cell, self) if self.parts else [number(cell, self.name)]

    def decode(self, values: Array) -> str | None:
        """A cell that is encoded as ``values``; None where it is missing."""
        if self.categories is not None:
            return self.categories[int(values.argmax())] if values.any() else None
        if np.isnan(values).any():
            return None
        return _date_of(values, self) if self.parts else f"{float(values[0]):.6g}"

    def to_json(self) -> dict[str, Any]:
        data: dict[str, Any] = {"name": self.name}
        if self.categories is not None:
            data["categories"] = list(self.categories)
        if self.parts:
            data |= {"parts": list(self.parts), "pattern": self.pattern}
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Feature:
        categories = data.get("categories")
        if categories is not None and len(categories) > LARGEST_CATEGORIES:
            raise ValueError(f"a column has at most {LARGEST_CATEGORIES:,} categories")
        parts = tuple(part for part in PARTS if part in data.get("parts", ()))
        return cls(
            str(data["name"]),
            None if categories is None else tuple(str(value) for value in categories),
            parts,
            str(data.get("pattern", "")),
        )


@dataclass(frozen=True, slots=True)
class RowReading:
    """A row of a table: a CSV file's rows, "5.1, 3.5, red", or "age=40, colour=red". ``format`` is
    how such files are written, as far as it is known."""

    features: tuple[Feature, ...]
    format: CsvOptions = field(default=CsvOptions(), compare=False)
    kind: ClassVar[str] = "row"

    def read(self, text: str) -> list[Named]:
        names = [feature.name for feature in self.features]
        if not is_file(text):
            return [(text, self.encode(_typed_row(text, names)))]
        cells = file_cells(Path(text), names, self.format)
        count = len(next(iter(cells.values())))
        rows = ({name: column[i] for name, column in cells.items()} for i in range(count))
        return [(f"{text}:{i + 1}", self.encode(row)) for i, row in enumerate(rows)]

    def encode(self, row: Mapping[str, str | None]) -> Array:
        """A row's cells as numbers, NaN where one is missing; raises ``DataError``."""
        parts: list[float] = []
        for feature in self.features:
            cell = row.get(feature.name)
            known = cell is not None and cell.strip() not in MISSING
            parts += feature.encode(cell.strip() if cell is not None and known else None)
        return np.asarray(parts, np.float32)

    def to_json(self) -> dict[str, Any]:
        features = [item.to_json() for item in self.features]
        return {"kind": self.kind, "features": features, **format_json(self.format)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> RowReading:
        features = tuple(Feature.from_json(item) for item in data["features"])
        if not features:
            raise ValueError("a row needs a column")
        return cls(features, CsvOptions.from_json(data.get("format", {})))


def reading_from_json(data: Any) -> Reading:
    """Read what ``to_json`` wrote, by the kind that a source declares; raises ``ValueError``."""
    from playground.data import SOURCES

    kind = data.get("kind") if isinstance(data, Mapping) else None
    kinds = {item.kind: item for source in SOURCES for item in source.readings}
    if not isinstance(kind, str) or kind not in kinds:
        raise ValueError(f"inputs of the kind {kind!r:.40} are not known here")
    try:
        return kinds[kind].from_json(data)
    except (KeyError, TypeError, AttributeError, OverflowError) as error:
        raise ValueError(f"how a {kind} is read cannot be understood: {error!r:.80}") from None


def is_file(text: str) -> bool:
    """Whether ``text`` is a path: of a file that is there, or plainly meant as one."""
    if not text.strip():
        return False
    try:
        return Path(text).exists() or Path(text).suffix.lower() in _SUFFIXES
    except (OSError, ValueError):
        return False


def file_cells(
    path: Path,
    names: Sequence[str],
    format: CsvOptions | None = None,
    time: str | None = None,
    group: str | None = None,
) -> dict[str, list[str | None]]:
    """A file's columns as text, by name, or by position where it has no header. The rows are in the
    order of ``time``, and ``group`` comes with them, where the file has these columns."""
    import polars as pl

    table = read_table(path, format)
    frame = table.frame
    missing = [name for name in names if name not in frame.columns]
    if missing and frame.width == len(names) and len(missing) == len(names):
        frame.columns = list(names)
    elif missing:
        raise DataError(f"{path.name} has no column {missing[0]}: it needs {', '.join(names)}")
    if time is not None and time in frame.columns:
        when = moments(table, time)
        if np.isnan(when).any():
            row = table.line(int(np.flatnonzero(np.isnan(when))[0]))
            raise DataError(f"{path.name}: row {row} has no {time}: fill it, or remove the row")
        frame = frame[np.argsort(when, kind="stable")]
    wanted = [*names, group] if group is not None and group in frame.columns else names
    return {name: frame[name].cast(pl.String).to_list() for name in wanted}


def _typed_row(text: str, names: Sequence[str]) -> dict[str, str | None]:
    cells = fields(text)
    if cells and all("=" in cell for cell in cells):
        row = {key.strip(): value for key, _, value in (cell.partition("=") for cell in cells)}
        unknown = [key for key in row if key not in names]
        if unknown:
            raise DataError(f"there is no column {unknown[0]}: known are {', '.join(names)}")
        return {name: row.get(name) for name in names}
    if len(cells) != len(names):
        raise DataError(
            f"{text!r} has {len(cells)} values, and is no file; the network needs {len(names)}: "
            f"{', '.join(names)}"
        )
    return dict(zip(names, cells, strict=True))


def _date_of(values: Array, feature: Feature) -> str:
    """The latest date before 2025 with these parts."""
    numbers, rest = {}, [float(value) for value in values]
    for part, cycle in (("year", 0), ("month", 12), ("weekday", 7), ("hour", 24)):
        if part in feature.parts:
            first = rest.pop(0)
            angle = np.arctan2(first, rest.pop(0)) if cycle else 0.0
            numbers[part] = angle / (2 * np.pi) * cycle % cycle if cycle else first
    month = min(int(numbers.get("month", 0.0) + 1e-4), 11)
    day = 1 + round((numbers.get("month", 0.0) - month) * 31)
    hours = timedelta(minutes=round(numbers.get("hour", 0.0) * 60) % 1440)
    weekday = round(numbers["weekday"]) % 7 if "weekday" in numbers else None
    years = [int(numbers["year"])] if "year" in numbers else range(2024, 1996, -1)
    days = [max(1, day)] if "month" in numbers else range(1, 8)
    for year, wanted in product(years, days):
        with suppress(ValueError):
            found = datetime(year, month + 1, wanted)
            if weekday is None or found.weekday() == weekday:
                return (found + hours).strftime(feature.pattern)
    return (datetime(years[0], month + 1, 1) + hours).strftime(feature.pattern)


def _date_parts(cell: str, feature: Feature) -> list[float]:
    import polars as pl

    from playground.data.columns import parsed_times, part_columns

    texts = pl.Series([cell])
    found = parsed_times(texts, feature.pattern) or parsed_times(texts)
    if found is None:
        raise DataError(f"{feature.name}: {cell!r} is not a date such as 2024-12-31")
    return [float(column[0]) for column in part_columns(found[0], feature.parts)]


def number(cell: str, where: str) -> float:
    try:
        value = float(cell)
    except ValueError:
        raise DataError(f"{where}: {cell!r} is not a number") from None
    if not np.isfinite(value):
        raise DataError(f"{where}: {cell!r} is not a finite number")
    return value


@lru_cache(maxsize=1024)
def _spellings(categories: tuple[str, ...]) -> dict[float | str | None, str]:
    """The categories by what they say, so that 01 and 1.0 are known as 1, and True as true."""
    found = {_value(item): item for item in reversed(categories)}
    found.pop(None, None)
    return found


def _value(cell: str) -> float | str | None:
    """What a category says, where it is a number or a truth value."""
    with suppress(ValueError):
        return float(cell)
    return cell.lower() if cell.lower() in ("true", "false") else None


def format_json(format: CsvOptions) -> dict[str, Any]:
    said = format.to_json()
    return {"format": said} if said else {}


def positive(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= _MOST:
        raise ValueError(f"a number from 1 to {_MOST:,} is needed; got {value!r:.40}")
    return value
