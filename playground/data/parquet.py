"""Reading tables of the formats Parquet and Arrow (Feather)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from playground.data.errors import DataError

if TYPE_CHECKING:
    import polars as pl

    from playground.data.csv_reading import Table

SUFFIXES = (".parquet", ".pq", ".arrow", ".feather", ".ipc")
_MARKS = {b"PAR1": "Parquet", b"ARROW1": "Arrow"}
_CELL = 16
"""Bytes that a cell takes in memory, at most in the usual."""


def is_meant(path: Path, first: bytes) -> bool:
    """Whether this is no text table: by how it begins, or by its name."""
    return first.startswith(tuple(_MARKS)) or path.suffix.lower() in SUFFIXES


def read(path: Path, rows: int | None, columns: Sequence[str] | None) -> Table:
    """Read a table, its first ``rows``, or some ``columns`` of it; raises ``DataError``."""
    import polars as pl

    from playground.data.csv_reading import Table

    format = _format(path)
    try:
        lazy = pl.scan_parquet(path) if format == "Parquet" else pl.scan_ipc(path)
        schema = lazy.collect_schema()
        count = int(lazy.select(pl.len()).collect().item())
        _check_size(path, min(count, rows or count), len(schema))
        if columns is not None:
            lazy = lazy.select([name for name in schema if name in columns])
        frame = (lazy if rows is None else lazy.head(rows)).collect()
    except (pl.exceptions.PolarsError, OSError, ValueError, OverflowError) as error:
        reason = (str(error).splitlines() or ["it is damaged"])[0][:100]
        raise _unreadable(path, format, reason) from None
    except pl.exceptions.PanicException:
        raise _unreadable(path, format, "it is damaged") from None
    frame, notes = _plain(frame)
    if frame.height == 0 or frame.width == 0:
        raise DataError(f"{path.name} has no rows: choose a table with rows")
    return Table(path, frame, "", format, False, False, notes, (), None, tuple(schema.items()))


def _format(path: Path) -> str:
    with path.open("rb") as file:
        first = file.read(8)
    for mark, name in _MARKS.items():
        if first.startswith(mark):
            return name
    if not first:
        raise DataError(f"{path.name} is empty: choose a table with rows")
    raise DataError(
        f"{path.name} is no {'Parquet' if path.suffix.lower() in SUFFIXES[:2] else 'Arrow'} file, "
        "though its name says so: give it the ending of what it is (.csv)"
    )


def _unreadable(path: Path, format: str, reason: str) -> DataError:
    return DataError(
        f"{path.name} cannot be read as a {format} file: {reason}; write it again, or "
        "save it as CSV"
    )


def _check_size(path: Path, rows: int, columns: int) -> None:
    import psutil

    if rows * columns * _CELL > psutil.virtual_memory().available:
        raise DataError(
            f"{path.name} has {rows:,} rows of {columns:,} columns, more than fit into memory: "
            "cut it into smaller files"
        )


def _plain(frame: pl.DataFrame) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Numbers, texts, dates and truth values; other columns are left out with a note."""
    import polars as pl

    kept: list[pl.Series] = []
    notes = []
    for column in frame.iter_columns():
        type = column.dtype
        if type == pl.Duration:
            kept.append(column.dt.total_microseconds() / 1e6)
        elif type in (pl.Categorical, pl.Enum, pl.Time):
            kept.append(column.cast(pl.String))
        elif type.is_numeric() or type in (pl.String, pl.Boolean, pl.Date, pl.Datetime):
            kept.append(column)
        elif type == pl.Null:
            kept.append(column.cast(pl.String))
        else:
            what = "lists or records" if type.is_nested() else "bytes"
            notes.append(f"Column {column.name} holds {what}, so it was left out.")
    return pl.DataFrame(kept), tuple(notes)
