"""What the columns of a table hold, and their cells as numbers or texts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from playground.data.csv_reading import MISSING, CsvOptions, Table, read_table
from playground.data.errors import DataError

if TYPE_CHECKING:
    import polars as pl

Type = Literal["number", "category", "date", "text"]

MOST_CATEGORIES = 100
_PREVIEW_ROWS = 1000
_SHOWN_ROWS = 50


@dataclass(frozen=True, slots=True)
class ColumnPreview:
    """A column of a table: what it holds, how many cells are missing, how many values differ."""

    name: str
    type: Type
    missing: int
    different: int


@dataclass(frozen=True, slots=True)
class TablePreview:
    """The beginning of a table, as texts, and what was guessed of its format."""

    columns: tuple[ColumnPreview, ...]
    rows: tuple[tuple[str, ...], ...]
    delimiter: str
    encoding: str
    header: bool
    decimal_comma: bool
    complete: bool
    notes: tuple[str, ...] = ()


def inspect_table(path: Path, options: CsvOptions | None = None) -> TablePreview:
    """Look at the first rows of a table; raises ``DataError``."""
    import polars as pl

    table = read_table(path, options, rows=_PREVIEW_ROWS)
    frame = table.frame
    previews = []
    for name in frame.columns:
        column = frame[name]
        previews.append(
            ColumnPreview(name, column_type(column), column.null_count(), column.n_unique())
        )
    shown = frame.head(_SHOWN_ROWS).select(pl.all().cast(pl.String).fill_null("")).rows()
    return TablePreview(
        tuple(previews),
        tuple(shown),
        table.delimiter,
        table.encoding,
        table.header,
        table.decimal_comma,
        complete=frame.height < _PREVIEW_ROWS,
        notes=table.notes,
    )


def column_type(column: pl.Series) -> Type:
    """Numbers; dates; categories (few texts that come again); otherwise texts."""
    if column.dtype.is_numeric():
        return "number"
    if column.dtype.is_temporal():
        return "date"
    counts = column.drop_nulls().value_counts()
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
    import polars as pl

    column = table.frame[name]
    if column.dtype.is_numeric() or column.dtype == pl.Boolean:
        values = column.cast(pl.Float64)
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
    result = values.fill_null(float("nan")).to_numpy().astype(np.float64)
    infinite = np.flatnonzero(np.isinf(result) | (np.abs(np.nan_to_num(result)) > 3e38))
    if len(infinite):
        raise DataError(
            f"{table.path.name}: row {table.line(int(infinite[0]))} of column {name} is infinite "
            "or too large: correct it"
        )
    return result


def texts(table: Table, name: str) -> list[str | None]:
    """A column as texts without blanks around them, None where a cell is missing."""
    return list[str | None](as_texts(table.frame[name]).to_list())


def coded(table: Table, name: str) -> tuple[npt.NDArray[np.int64], list[str]]:
    """A column's different texts, and for each row the number of its text, −1 where missing."""
    import polars as pl

    column = table.frame[name]
    raw = column.unique()
    clean = as_texts(raw).to_list()
    names = sorted({text for text in clean if text is not None})
    number = {text: index for index, text in enumerate(names)}
    codes = pl.Series([-1 if text is None else number[text] for text in clean], dtype=pl.Int64)
    return column.replace_strict(raw, codes, return_dtype=pl.Int64).to_numpy(), names


def as_texts(column: pl.Series) -> pl.Series:
    import polars as pl

    stripped = column.cast(pl.String).str.strip_chars()
    return stripped.set(stripped.is_in(list(MISSING)), None)


def as_times(texts: pl.Series) -> pl.Series | None:
    """Texts as points in time; None where they are not (all) dates."""
    import polars as pl

    if texts.len() > 100 and as_times(texts.head(100)) is None:
        return None
    padded = texts.str.replace(r"^(\d{4})[-/](\d{1,2})$", "${1}-${2}-01")
    for pattern in ("%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%Y/%m/%d"):
        times = padded.str.to_date(pattern, strict=False)
        if times.null_count() == texts.null_count():
            return times.cast(pl.Datetime)
    for pattern in ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%d.%m.%Y %H:%M"):
        plain = padded.str.replace("T", " ").str.replace(r"(\.\d+)?(Z|[+-]\d\d:?\d\d)?$", "")
        times = plain.str.to_datetime(pattern, strict=False)
        if times.null_count() == texts.null_count():
            return times
    return None


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
