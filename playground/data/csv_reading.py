"""Reading CSV and TSV files: delimiter, encoding, header and decimal comma are guessed and told."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playground.data.csv_format import SAMPLE, CsvOptions, Format, encoding_of, sniffed
from playground.data.errors import DataError

if TYPE_CHECKING:
    import polars as pl

MISSING = ("", "NA", "N/A", "n/a", "NaN", "nan", "null", "NULL", "?")
"""Cells that mean "no value"."""

HEAD = 5_000
"""The first rows, by which types and roles are guessed."""

_NAMES = {"utf-8": "UTF-8", "utf-8-sig": "UTF-8", "utf-16": "UTF-16", "utf-16-le": "UTF-16",
          "utf-16-be": "UTF-16", "cp1252": "Windows-1252", "latin-1": "Latin-1"}  # fmt: skip
_PREFIX = 4 << 20
_BLANK = b' \t\r,;|"'
_MOST_COLUMNS = 100_000
_UNEVEN = "correct it, or choose what is done with uneven rows"


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A file as read. Row numbers in sentences are those of an editor: the first line is 1.

    ``skipped`` are (row, reason) of rows that were left out. ``delimiter`` is empty and
    ``encoding`` the format's name where the file is no text.
    """

    path: Path
    frame: pl.DataFrame
    delimiter: str
    encoding: str
    header: bool
    decimal_comma: bool
    notes: tuple[str, ...] = ()
    skipped: tuple[tuple[str, str], ...] = ()
    lines: Sequence[int] | None = field(default=None, repr=False)
    schema: tuple[tuple[str, Any], ...] = field(default=(), repr=False)

    def options(self, options: CsvOptions) -> CsvOptions:
        """How tables like this one are to be read again: as was set, with its decimal mark, which
        a single row may not show."""
        return replace(options, decimal="comma") if self.decimal_comma else options

    def line(self, row: int) -> int:
        if self.lines is not None:
            return self.lines[row]
        return row + (2 if self.header else 1)


def read_table(
    path: Path,
    options: CsvOptions | None = None,
    rows: int | None = None,
    *,
    head: Table | None = None,
    columns: Sequence[str] | None = None,
    short: Sequence[str] = (),
) -> Table:
    """Read a table (CSV, TSV, Parquet, Arrow), or its first ``rows``; raises ``DataError`` naming
    the row where it can.

    With the ``head`` that was read before, its guesses are taken over, only ``columns`` are read,
    and numbers in the columns ``short`` become float32. That takes half the memory.
    """
    from playground.data import parquet

    options = options or CsvOptions()
    first = first_bytes(path)
    if parquet.is_meant(path, first):
        table = parquet.read(path, rows, columns)
        return table if head is None else replace(table, notes=head.notes)
    kind = _format(path, first, options)
    content, lines, skipped = _content(path, kind, options)
    try:
        frame = _frame(path, content, kind, options, rows, head, columns, short)
    except _NotUtf8:  # not to be seen in its beginning
        if options.encoding != "auto":
            raise _not_utf8(path) from None
        kind = replace(kind, encoding="cp1252")
        content = _decoded(path, "cp1252").encode()
        frame = _frame(path, content, kind, options, rows, head, columns, short)
    schema = tuple(frame.schema.items()) if head is None else head.schema
    renamed = dict(zip((name for name, _ in schema), _stripped(schema), strict=True))
    named = frame.rename(renamed, strict=False)  # of a whole, only some columns are read
    frame = _trimmed(named, path if content is None else content)
    if frame.height == 0:
        reason = _reason(path, kind) or "choose a table with rows"
        raise DataError(f"{path.name} has a header but no rows: {reason}")
    name = _NAMES.get(kind.encoding, kind.encoding)
    table = Table(path, frame, kind.delimiter, name, kind.header, kind.decimal_comma,
                  (), skipped, lines, schema)  # fmt: skip
    if head is None:  # of a whole, each column is looked at when it is used
        for column in frame.iter_columns():
            check_for_nul(table, column)
    return replace(table, notes=_notes(table, kind, options, head))


def fields(text: str) -> list[str]:
    """The fields of one line of comma-separated text, as in a CSV file."""
    try:
        return [field.strip() for field in next(csv.reader([text]), [])]
    except csv.Error as error:
        raise DataError(f"{text[:40]!r} cannot be read as a row: {error}") from None


def joined(names: Sequence[str]) -> str:
    """Names as one line that ``fields`` reads back."""
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(names)
    return out.getvalue()


def pairs(text: str | None) -> dict[str, str]:
    """What a setting of single columns says: "age=category, born=date". Raises ``DataError``."""
    found = {}
    for item in fields(text or ""):
        name, mark, value = item.rpartition("=")
        if not mark or not name.strip():
            raise DataError(f"{item!r} is not understood: write the column, =, and its setting")
        found[name.strip()] = value.strip()
    return found


# --- the file -------------------------------------------------------------------------------------


def first_bytes(path: Path) -> bytes:
    """The beginning of a file that can be read; raises ``DataError``."""
    try:
        with path.open("rb") as file:
            first = file.read(SAMPLE)
            size = path.stat().st_size
    except FileNotFoundError:
        raise DataError(f"{path} does not exist: choose the file again") from None
    except (IsADirectoryError, PermissionError) as error:
        if path.is_dir():
            raise DataError(f"{path} is a folder: choose a table in it") from None
        if isinstance(error, IsADirectoryError):
            raise
        raise DataError(f"{path} may not be read: ask for permission, or copy it") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from None
    if size > _room():
        raise DataError(
            f"{path.name} has {size / 2**30:.1f} GiB, more than fits into memory: "
            "cut it into smaller files"
        )
    return first


def _format(path: Path, first: bytes, options: CsvOptions) -> Format:
    """What was set, and for the rest a guess from the beginning of the file."""
    for mark, what in ((b"PK\3\4", "an Excel workbook or a zip"), (b"\x1f\x8b", "compressed")):
        if first.startswith(mark):
            raise DataError(f"{path.name} is {what}, no text table: save it as CSV (UTF-8)")
    encoding = encoding_of(first) if options.encoding == "auto" else options.encoding
    try:
        codecs.lookup(encoding)
    except LookupError:
        raise DataError(f"there is no encoding called {encoding!r}: use utf-8") from None
    if not encoding.startswith("utf-16") and b"\0" in first:
        raise _nul(path, first[: first.index(b"\0")].count(b"\n") + 1)
    text = first.decode(encoding, errors="ignore").removeprefix("\ufeff")
    kind = sniffed(text, encoding, options)
    _check_width(path, text, kind)
    return kind


def _content(
    path: Path, kind: Format, options: CsvOptions
) -> tuple[bytes | None, list[int] | None, tuple[tuple[str, str], ...]]:
    """The text as UTF-8 where the file itself cannot be parsed as it is, the lines of its rows, and
    rows that were left out."""
    plain = kind.encoding in ("utf-8", "utf-8-sig")
    if options.uneven != "skip":
        if plain and not _ends_in_returns(path):
            return None, None, ()
        return _decoded(path, kind.encoding).encode(), None, ()
    text = _decoded(path, kind.encoding)
    out, lines, skipped = io.StringIO(), [], []
    writer = csv.writer(out, delimiter=kind.delimiter, lineterminator="\n")
    reader = csv.reader(io.StringIO(text), delimiter=kind.delimiter)
    width, start = 0, 1
    try:
        for row in reader:
            width = width or len(row)
            if len(row) == width:
                lines.append(start)
                writer.writerow(row)
            elif row:
                skipped.append((f"row {start}", f"{_values(len(row))} instead of {width}"))
            start = reader.line_num + 1
    except csv.Error as error:
        raise DataError(f"{path.name}: row {start} cannot be read: {error}") from None
    return out.getvalue().encode(), lines[kind.header :], tuple(skipped)


def _ends_in_returns(path: Path) -> bool:
    """Whether lines end as they did on old Macs."""
    with path.open("rb") as file:
        first = file.read(SAMPLE)
    return b"\r" in first and b"\n" not in first


def _decoded(path: Path, encoding: str) -> str:
    try:
        text = path.read_bytes().decode(encoding).replace("\r\n", "\n").replace("\r", "\n")
    except (UnicodeError, LookupError):
        name = _NAMES.get(encoding, encoding)
        tried = "neither UTF-8 nor Windows-1252" if encoding == "cp1252" else f"not {name}"
        raise DataError(f"{path.name} is {tried}: set its encoding, or save it as UTF-8") from None
    if "\0" in text:
        raise _nul(path, text[: text.index("\0")].count("\n") + 1)
    return text.removeprefix("\ufeff")


# --- parsing --------------------------------------------------------------------------------------


class _NotUtf8(Exception):
    """A byte beyond the first ones is not UTF-8."""


def _parsed(
    path: Path, source: Path | bytes, kind: Format, options: CsvOptions, **more: Any
) -> pl.DataFrame:
    """The frame, its types being those of the first rows, or of all where these do not hold."""
    import polars as pl

    settings = {
        "separator": kind.delimiter,
        "has_header": kind.header,
        "decimal_comma": kind.decimal_comma,
        "truncate_ragged_lines": options.uneven != "refuse",
        "null_values": list(MISSING),
    }
    if "schema_overrides" in more:  # words for "missing" cost time, and mostly there are none
        with suppress(pl.exceptions.ComputeError):
            return pl.read_csv(source, **{**settings, **more, "null_values": None})
    try:
        try:
            return pl.read_csv(source, infer_schema_length=HEAD, **{**settings, **more})
        except pl.exceptions.ComputeError:  # a later row has another type: look at all of them
            more = {key: value for key, value in more.items() if key in ("n_rows", "columns")}
            return pl.read_csv(source, infer_schema_length=None, **{**settings, **more})
    except pl.exceptions.NoDataError:
        raise DataError(f"{path.name} is empty: choose a table with rows") from None
    except (pl.exceptions.PolarsError, OSError, MemoryError, ValueError) as error:
        if isinstance(source, Path) and "utf-8" in str(error):
            raise _NotUtf8 from None
        reason = _reason(path, kind) or str(error).splitlines()[0][:100]
        raise DataError(f"{path.name} cannot be read as a table: {reason}") from None
    except pl.exceptions.PanicException:
        raise DataError(f"{path.name} cannot be read as a table: it is damaged") from None


def _frame(
    path: Path,
    content: bytes | None,
    kind: Format,
    options: CsvOptions,
    rows: int | None,
    head: Table | None,
    columns: Sequence[str] | None,
    short: Sequence[str],
) -> pl.DataFrame:
    """The first rows, or the whole with the types of its head."""
    import polars as pl

    source = path if content is None else content
    if head is None:
        found = None if rows is None or content is not None else _beginning(path, kind, rows)
        return _parsed(path, source, kind, options, n_rows=rows) if found is None else found
    names = _stripped(head.schema)
    wanted, small = frozenset(names if columns is None else columns), frozenset(short)
    places = [i for i, name in enumerate(names) if name in wanted]
    types = {
        raw: pl.Float32 if type.is_numeric() and name in small else type
        for (raw, type), name in zip(head.schema, names, strict=True)
    }
    return _parsed(path, source, kind, options, columns=places, schema_overrides=types)


def _beginning(path: Path, kind: Format, rows: int) -> pl.DataFrame | None:
    """The first rows, parsed from the first bytes of a large file alone; None where that fails."""
    import polars as pl

    with path.open("rb") as file:
        first = file.read(_PREFIX)
    if len(first) < _PREFIX:
        return None
    with suppress(pl.exceptions.PolarsError):
        found = pl.read_csv(
            first[: first.rfind(b"\n") + 1],
            separator=kind.delimiter,
            has_header=kind.header,
            decimal_comma=kind.decimal_comma,
            null_values=list(MISSING),
            infer_schema_length=HEAD,
            n_rows=rows,
        )
        return found if found.height == rows else None
    return None


def _check_width(path: Path, text: str, kind: Format) -> None:
    first = text.split("\n", 1)[0]
    if first.count(kind.delimiter) >= _MOST_COLUMNS or len(first) >= SAMPLE - 8:
        with path.open("rb") as file:
            columns = file.readline(1 << 28).count(kind.delimiter.encode())
        if columns >= _MOST_COLUMNS:
            raise DataError(
                f"{path.name} has {columns + 1:,} columns, more than {_MOST_COLUMNS:,}: keep "
                "those that matter, or turn it, if its rows are columns"
            )


def _reason(path: Path, kind: Format) -> str:
    """Why a table cannot be read, where that is plain; otherwise empty."""
    try:
        with path.open(encoding=kind.encoding, errors="replace", newline="") as file:
            reader = csv.reader(file, delimiter=kind.delimiter)
            width, start = 0, 1
            for row in reader:
                width = width or len(row)
                if any("\n" in cell and '"' not in cell for cell in row) and not file.read(1):
                    return (
                        f"the quotation mark opened in row {start} is never closed: close it, or "
                        "write two where one is meant"
                    )
                if len(row) > width:
                    return (
                        f"row {start} has {_values(len(row))}, but the first has {width}: {_UNEVEN}"
                    )
                start = reader.line_num + 1
    except csv.Error:
        return f"row {start} has a field that never ends: is a quotation mark not closed?"
    except (OSError, LookupError):
        return ""
    return ""


def _values(count: int) -> str:
    return f"{count:,} value{'s' * (count != 1)}"


def _nul(path: Path, row: int) -> DataError:
    return DataError(
        f"{path.name} has a NUL byte in row {row}: it is damaged, or no text table; "
        "save it again as CSV (UTF-8)"
    )


def _not_utf8(path: Path) -> DataError:
    with path.open("rb") as file:
        for row, line in enumerate(file, 1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError:
                return DataError(
                    f"{path.name} is not UTF-8 (row {row}): set its encoding, "
                    "perhaps to Windows-1252"
                )
    return DataError(f"{path.name} is not UTF-8: set its encoding")


def check_for_nul(table: Table, column: pl.Series) -> None:
    """Numbers cannot hold one; in texts the parser lets it pass."""
    import polars as pl

    if column.dtype == pl.String:
        found = column.str.contains("\0", literal=True).arg_true()
        if found.len():
            raise _nul(table.path, table.line(int(found[0])))


def _stripped(schema: Sequence[tuple[str, Any]]) -> list[str]:
    """Columns' names without blanks around them, if they differ then."""
    stripped = [name.strip() for name, _ in schema]
    return stripped if len(set(stripped)) == len(stripped) else [name for name, _ in schema]


def _trimmed(frame: pl.DataFrame, source: Path | bytes) -> pl.DataFrame:
    """Without the rows that stand for empty lines at the end."""
    if not frame.height or any(value is not None for value in frame.row(-1)):
        return frame
    if isinstance(source, bytes):
        last = source[-SAMPLE:]
    else:
        with source.open("rb") as file:
            file.seek(max(0, source.stat().st_size - SAMPLE))
            last = file.read()
    lines = last.removesuffix(b"\n").split(b"\n")
    filled = next((i for i, line in enumerate(reversed(lines)) if line.strip(_BLANK)), len(lines))
    empty = 0
    while empty < min(filled, frame.height) and not any(
        value is not None for value in frame.row(-1 - empty)
    ):
        empty += 1
    return frame.head(frame.height - empty)


def _notes(table: Table, kind: Format, options: CsvOptions, head: Table | None) -> tuple[str, ...]:
    notes = []
    if kind.encoding == "cp1252" and options.encoding == "auto":
        notes.append(f"{table.path.name} is not UTF-8, so it was read as Windows-1252.")
    doubled = [name for name, _ in table.schema if "_duplicated_" in name]
    if doubled:
        original = doubled[0].rpartition("_duplicated_")[0]
        which = f"are called {original}" if original else "have no name"
        notes.append(f"Two columns {which}: the second is now {doubled[0]}.")
    if table.skipped:
        row, reason = table.skipped[0]
        count = len(table.skipped)
        notes.append(f"{count:,} row{'s' * (count != 1)} left out: {row} has {reason}.")
    short = _short_row(table, kind) if head is None and not table.skipped else ""
    told = () if head is None or table.skipped else head.notes
    return tuple(dict.fromkeys(note for note in (*told, *notes, short) if note))


def _short_row(table: Table, kind: Format) -> str:
    """A sentence about the first row that ends early: its last values count as missing."""
    if kind.encoding not in ("utf-8", "utf-8-sig") or table.lines is not None:
        return ""
    ends = table.frame.to_series(-1).is_null().arg_true()
    if table.frame.width < 2 or not ends.len():
        return ""
    wanted = table.line(int(ends[0]))
    with table.path.open(encoding="utf-8", errors="replace", newline="") as file:
        for line, row in enumerate(csv.reader(file, delimiter=kind.delimiter), 1):
            if line == wanted and 0 < len(row) < table.frame.width:
                return (
                    f"Row {wanted} has {_values(len(row))} instead of {table.frame.width}: what is "
                    "not there counts as missing."
                )
            if line >= wanted:
                break
    return ""


def _room() -> float:
    """The largest file that is read: reading takes about twice its size."""
    import psutil

    return float(psutil.virtual_memory().available) / 2.5
