"""What the columns of a table hold, and their cells as numbers or texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from playground.data.csv_format import CsvOptions
from playground.data.csv_reading import HEAD, MISSING, Table, check_for_nul, read_table
from playground.data.errors import DataError

if TYPE_CHECKING:
    import polars as pl

Type = Literal["number", "category", "date", "text"]

MOST_CATEGORIES = 100
LARGEST_CATEGORIES = 1_000
"""Where a person chose that a column is of categories."""
PARTS = ("year", "month", "weekday", "hour")
"""What a date is to a network: the year as a number, the others as sine and cosine."""

_CYCLES = {"month": 12.0, "weekday": 7.0, "hour": 24.0}
_LARGEST = 3e38
_SHOWN_ROWS = 50
_BARS = 16
_DATES = ("%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%Y/%m/%d")
_TIMES = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S",
          "%m/%d/%Y %H:%M", "%d/%m/%Y %H:%M")  # fmt: skip


@dataclass(frozen=True, slots=True)
class ColumnPreview:
    """A column of a table: what it holds, how many cells are missing, how many values differ.

    ``low``, ``high`` and ``mean`` are of numbers, ``first`` and ``last`` of dates; ``commonest``
    are values and how often they come; ``bars`` count the values in equal steps from the lowest to
    the highest, or of the commonest.
    """

    name: str
    type: Type
    missing: int
    different: int
    low: float | None = None
    high: float | None = None
    mean: float | None = None
    first: str = ""
    last: str = ""
    commonest: tuple[tuple[str, int], ...] = ()
    bars: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class TablePreview:
    """The beginning of a table, as texts, and what was guessed of its format. The columns' figures
    are those of ``count`` rows, which are all where it is ``complete``."""

    columns: tuple[ColumnPreview, ...]
    rows: tuple[tuple[str, ...], ...]
    delimiter: str
    encoding: str
    header: bool
    decimal_comma: bool
    complete: bool
    notes: tuple[str, ...] = ()
    count: int = 0


def inspect_table(
    path: Path, options: CsvOptions | None = None, rows: int | None = HEAD
) -> TablePreview:
    """Look at the first rows of a table, or (with None) at all; raises ``DataError``."""
    import polars as pl

    table = read_table(path, options, rows=rows)
    frame = table.frame
    previews = tuple(_preview(column) for column in frame.iter_columns())
    shown = frame.head(_SHOWN_ROWS).select(pl.all().cast(pl.String).fill_null("")).rows()
    return TablePreview(
        previews,
        tuple(shown),
        table.delimiter,
        table.encoding,
        table.header,
        table.decimal_comma,
        complete=rows is None or frame.height < rows,
        notes=table.notes,
        count=frame.height,
    )


def _preview(column: pl.Series) -> ColumnPreview:
    kind = column_type(column)
    if kind == "number":
        values = column if column.dtype.is_numeric() else _as_numbers(as_texts(column))
        return _number_preview(column, values)
    if kind == "date":
        texts = as_texts(column)
        found = times_of(column)
        known = None if found is None else found[0].drop_nulls()
        if known is None or not known.len():
            return ColumnPreview(column.name, kind, texts.null_count(), texts.n_unique())
        days = known.cast(int).cast(float)
        return ColumnPreview(
            column.name, kind, texts.null_count(), known.n_unique(), first=_moment(known.min()),
            last=_moment(known.max()), bars=_histogram(days.to_numpy()),
        )  # fmt: skip
    texts = as_texts(column)
    counts = texts.drop_nulls().value_counts(sort=True)
    commonest = tuple((str(text), int(times)) for text, times in counts.head(_BARS).rows())
    return ColumnPreview(
        column.name, kind, texts.null_count(), counts.height, commonest=commonest[:3],
        bars=tuple(times for _, times in commonest) if kind == "category" else (),
    )  # fmt: skip


def _number_preview(column: pl.Series, values: pl.Series) -> ColumnPreview:
    known = values.cast(float).drop_nans().drop_nulls().to_numpy()
    finite = known[np.isfinite(known)]
    if not len(finite):
        return ColumnPreview(column.name, "number", values.len(), 0)
    low, high, mean = float(finite.min()), float(finite.max()), float(finite.mean())
    missing = values.len() - len(known)
    different = values.drop_nulls().n_unique()
    return ColumnPreview(
        column.name, "number", missing, different, low, high, mean, bars=_histogram(finite)
    )


def _histogram(values: npt.NDArray[np.float64]) -> tuple[int, ...]:
    low, high = float(values.min()), float(values.max())
    if not low < high or not np.isfinite(high - low):
        return (len(values),)
    return tuple(np.histogram(values, _BARS, (low, high))[0].tolist())


def _moment(time: Any) -> str:
    text = str(time)
    return text.removesuffix(" 00:00:00")


def column_type(column: pl.Series) -> Type:
    """Numbers; dates; categories (few texts that come again); otherwise texts. Told by the first
    rows, so that the beginning of a table and its whole are judged alike."""
    if column.dtype.is_numeric():
        return "number"
    if column.dtype.is_temporal():
        return "date"
    begin = column.head(HEAD)
    if begin.null_count() == begin.len():
        begin = column.drop_nulls().head(HEAD)
    counts = begin.drop_nulls().value_counts()
    filled, times = as_texts(counts.to_series(0)), counts.to_series(1)
    known = filled.is_not_null()
    total = int(times.filter(known).sum())
    if not total:
        return "text"
    if int(times.filter(known & _as_numbers(filled).is_null()).sum()) <= total / 2:
        return "number"  # a few cells are not: told when the column is used
    if as_times(filled.drop_nulls()) is not None:
        return "date"
    different = int(known.sum())
    few = different <= MOST_CATEGORIES and (different <= 20 or different <= total / 2)
    return "category" if few else "text"


def numbers(table: Table, name: str) -> npt.NDArray[np.float64]:
    """A column as float64, NaN where a cell is missing. Raises ``DataError`` naming the first cell
    that is not a finite number."""
    column = number_column(table, name, wide=True)
    return column.fill_null(float("nan")).to_numpy().astype(np.float64, copy=False)


def number_column(table: Table, name: str, *, wide: bool = False) -> pl.Series:
    """The same as float32 (or float64), null where a cell is missing."""
    import polars as pl

    column = table.frame[name]
    if column.dtype.is_numeric() or column.dtype == pl.Boolean:
        values = column.cast(pl.UInt8) if column.dtype == pl.Boolean else column
    elif column.dtype.is_temporal():
        raise DataError(
            f"{table.path.name}: column {name} holds dates, no numbers: set its type to date"
        )
    else:
        texts = as_texts(column)
        values = _as_numbers(texts)
        wrong = (values.is_null() & texts.is_not_null()).arg_true()
        if wrong.len():
            row = int(wrong[0])
            raise DataError(
                f"{table.path.name}: row {table.line(row)} of column {name} is "
                f"{str(column[row])[:40]!r}, which is no number: correct it, or leave "
                "the column out"
            )
    ends = (values.min(), values.max())  # these pass over NaN
    if any(end is not None and abs(float(end)) > _LARGEST for end in ends):  # type: ignore[arg-type]
        row = int((values.abs().fill_nan(None) > _LARGEST).arg_true()[0])
        raise DataError(
            f"{table.path.name}: row {table.line(row)} of column {name} is infinite "
            "or too large: correct it"
        )
    if values.dtype.is_float() and np.isnan(float(values.sum())):  # quicker than to look at each
        values = values.fill_nan(None)
    return values.cast(pl.Float64 if wide else pl.Float32)


def texts(table: Table, name: str) -> list[str | None]:
    """A column as texts without blanks around them, None where a cell is missing."""
    return list[str | None](as_texts(table.frame[name]).to_list())


def coded(table: Table, name: str) -> tuple[npt.NDArray[np.int32], list[str]]:
    """A column's different texts, and for each row the number of its text, −1 where missing."""
    import polars as pl

    column = table.frame[name]
    raw = column.unique()
    if raw.dtype == pl.String and raw.str.contains("\0", literal=True).any():
        check_for_nul(table, column)
    clean = as_texts(raw).to_list()
    names = sorted({text for text in clean if text is not None})
    number = {text: index for index, text in enumerate(names)}
    codes = pl.Series([-1 if text is None else number[text] for text in clean], dtype=pl.Int32)
    if raw.dtype == pl.String:  # the quickest way for texts
        known = raw.drop_nulls()
        places = np.append(codes.filter(raw.is_not_null()).to_numpy(), np.int32(-1))
        found = column.cast(pl.Enum(known)).to_physical().cast(pl.Int32)
        return places[found.fill_null(known.len()).to_numpy()], names
    return column.replace_strict(raw, codes, return_dtype=pl.Int32).to_numpy(), names


def as_texts(column: pl.Series) -> pl.Series:
    import polars as pl

    stripped = column.cast(pl.String).str.strip_chars()
    return stripped.set(stripped.is_in(list(MISSING)), None)


def as_times(texts: pl.Series) -> pl.Series | None:
    """Texts as points in time; None where they are not (all) dates."""
    found = parsed_times(texts)
    return None if found is None else found[0]


def times_of(column: pl.Series) -> tuple[pl.Series, str] | None:
    """A column's points in time and the pattern in which they are written; None for other texts."""
    import polars as pl

    if column.dtype.is_temporal():
        moments = column.cast(pl.Datetime) if column.dtype == pl.Date else column
        return moments.dt.replace_time_zone(None).dt.cast_time_unit("us"), _TIMES[0]
    return parsed_times(as_texts(column))


def moments(table: Table, name: str) -> npt.NDArray[np.float64]:
    """When each row is: a column of numbers as they are, of dates in seconds; NaN where a cell is
    missing. Raises ``DataError``."""
    column = table.frame[name]
    if column.dtype.is_numeric():
        return numbers(table, name)
    found = times_of(column)
    if found is None:
        raise DataError(
            f"{table.path.name}: column {name} holds no dates that are understood: write them like "
            "2024-12-31, or choose another time column"
        )
    return found[0].cast(int).cast(float).fill_null(float("nan")).to_numpy() / 1e6


def parsed_times(texts: pl.Series, pattern: str | None = None) -> tuple[pl.Series, str] | None:
    """Texts as points in time, with the pattern that fits all, or in a given one."""
    import polars as pl

    if texts.len() > 100 and parsed_times(texts.head(100), pattern) is None:
        return None
    padded = texts.str.replace(r"^(\d{4})[-/](\d{1,2})$", "${1}-${2}-01")
    for wanted in _DATES if pattern is None else {pattern} & {*_DATES}:
        times = padded.str.to_date(wanted, strict=False)
        if times.null_count() == texts.null_count():
            return times.cast(pl.Datetime("us")), wanted
    for wanted in _TIMES if pattern is None else {pattern} & {*_TIMES}:
        plain = padded.str.replace("T", " ").str.replace(r"(\.\d+)?(Z|[+-]\d\d:?\d\d)?$", "")
        times = plain.str.to_datetime(wanted, strict=False, time_unit="us")
        if times.null_count() == texts.null_count():
            return times, wanted
    return None


def useful_parts(times: pl.Series) -> tuple[str, ...]:
    """The parts of dates that differ between rows; at least one."""
    import polars as pl

    read = {"year": times.dt.year(), "month": times.dt.month(), "weekday": times.dt.weekday(),
            "hour": times.dt.hour()}  # fmt: skip
    found = tuple(name for name in PARTS if pl.Series(read[name]).drop_nulls().n_unique() > 1)
    return found or ("year",)


def part_columns(times: pl.Series, parts: Sequence[str]) -> list[pl.Series]:
    """Parts of dates as float32: the year, and two columns, sine and cosine, for each other."""
    import polars as pl

    columns = []
    for part in parts:
        if part == "year":
            columns.append(times.dt.year().cast(pl.Float32))
            continue
        value = {
            "month": times.dt.month() - 1 + (times.dt.day() - 1) / 31.0,
            "weekday": times.dt.weekday() - 1,
            "hour": times.dt.hour() + times.dt.minute() / 60.0,
        }[part]
        angle = value.cast(pl.Float64) * (2 * np.pi / _CYCLES[part])
        columns += [angle.sin().cast(pl.Float32), angle.cos().cast(pl.Float32)]
    return columns


def _as_numbers(texts: pl.Series) -> pl.Series:
    import polars as pl

    return texts.cast(pl.Float64, strict=False)


def missing_name(names: list[str], wanted: str, path: Path) -> DataError:
    """The error for a column that is not there, with the nearest that is."""
    from difflib import get_close_matches

    near = get_close_matches(wanted, names, n=1)
    hint = f"; did you mean {near[0]}?" if near else f": it has {', '.join(names[:8])}"
    more = " …" if not near and len(names) > 8 else ""
    return DataError(f"{path.name} has no column {wanted!r}{hint}{more}")
