"""Reading CSV and TSV files: delimiter, encoding, header and decimal comma are guessed and told."""

from __future__ import annotations

import codecs
import csv
import io
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from playground.data.errors import DataError

if TYPE_CHECKING:
    import polars as pl

MISSING = ("", "NA", "N/A", "n/a", "NaN", "nan", "null", "NULL", "?")
"""Cells that mean "no value"."""

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_NAMES = {"utf-8": "UTF-8", "utf-8-sig": "UTF-8", "utf-16": "UTF-16", "cp1252": "Windows-1252"}
_SAMPLE = 1 << 16
_TYPED_BY = 10_000
_MOST_COLUMNS = 100_000


@dataclass(frozen=True, slots=True)
class CsvOptions:
    """What a person set; "auto" is guessed from the file."""

    delimiter: str = "auto"
    encoding: str = "auto"
    header: str = "auto"


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A file as read. Row numbers in sentences are those of an editor: the first line is 1."""

    path: Path
    frame: pl.DataFrame
    delimiter: str
    encoding: str
    header: bool
    decimal_comma: bool
    notes: tuple[str, ...] = ()

    def line(self, row: int) -> int:
        return row + (2 if self.header else 1)


@dataclass(frozen=True, slots=True)
class _Format:
    delimiter: str
    header: bool
    decimal_comma: bool


def read_table(path: Path, options: CsvOptions | None = None, rows: int | None = None) -> Table:
    """Read a table, or its first ``rows``; raises ``DataError`` naming the row where it can."""
    import polars as pl

    options = options or CsvOptions()
    encoding = _checked_file(path, options.encoding, whole=rows is None)
    beginning = _beginning(path, encoding)
    kind = _sniffed(beginning, options)
    _check_width(path, beginning, kind)
    old_mac = "\r" in beginning and "\n" not in beginning
    changed = old_mac or encoding not in ("utf-8", "utf-8-sig")
    content = _decoded(path, encoding).encode() if changed else None
    read = partial(
        pl.read_csv,
        separator=kind.delimiter,
        has_header=kind.header,
        null_values=list(MISSING),
        decimal_comma=kind.decimal_comma,
        n_rows=rows,
    )
    try:
        try:
            frame = read(path if content is None else content, infer_schema_length=_TYPED_BY)
        except pl.exceptions.ComputeError:  # a later row has another type: look at all of them
            frame = read(path if content is None else content, infer_schema_length=None)
    except pl.exceptions.NoDataError:
        raise DataError(f"{path.name} is empty: choose a table with rows") from None
    except (pl.exceptions.PolarsError, OSError, MemoryError, ValueError) as error:
        reason = _reason(path, encoding, kind) or str(error).splitlines()[0][:100]
        raise DataError(f"{path.name} cannot be read as a table: {reason}") from None
    frame = _trimmed(frame)
    if frame.height == 0:
        raise DataError(f"{path.name} has a header but no rows: choose a table with rows")
    notes = _notes(path, frame, encoding, options)
    return Table(path, frame, kind.delimiter, _NAMES.get(encoding, encoding), kind.header,
                 kind.decimal_comma, notes)  # fmt: skip


def fields(text: str) -> list[str]:
    """The fields of one line of comma-separated text, as in a CSV file."""
    try:
        return [field.strip() for field in next(csv.reader([text]), [])]
    except csv.Error as error:
        raise DataError(f"{text[:40]!r} cannot be read as a row: {error}") from None


def joined(names: list[str] | tuple[str, ...]) -> str:
    """Names as one line that ``fields`` reads back."""
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(names)
    return out.getvalue()


def _checked_file(path: Path, wanted: str, *, whole: bool) -> str:
    """The encoding of a file that can be read; raises ``DataError``."""
    try:
        with path.open("rb") as file:
            first = file.read(_SAMPLE)
            encoding = _marked(first) if wanted == "auto" else wanted
            try:
                codecs.lookup(encoding or "utf-8")
            except LookupError:
                raise DataError(f"there is no encoding called {encoding!r}: use utf-8") from None
            if path.stat().st_size > _room():
                raise DataError(
                    f"{path.name} has {path.stat().st_size / 2**30:.1f} GiB, more than fits into "
                    "memory: cut it into smaller files"
                )
            if encoding not in (None, "utf-8", "utf-8-sig"):
                return encoding
            return _utf8_or_windows(path, file, first, wanted, whole=whole)
    except FileNotFoundError:
        raise DataError(f"{path} does not exist: choose the file again") from None
    except IsADirectoryError:
        raise DataError(f"{path} is a folder: choose a CSV file in it") from None
    except PermissionError:
        if path.is_dir():
            raise DataError(f"{path} is a folder: choose a CSV file in it") from None
        raise DataError(f"{path} may not be read: ask for permission, or copy it") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from None


def _utf8_or_windows(
    path: Path, file: io.BufferedReader, first: bytes, wanted: str, *, whole: bool
) -> str:
    """Go through the file for bytes that no text table has."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    chunk, line, valid = first, 1, True
    while chunk:
        if b"\0" in chunk:
            at = line + chunk[: chunk.index(b"\0")].count(b"\n")
            raise DataError(
                f"{path.name} has a NUL byte in row {at}: it is damaged, or no text table; "
                "save it again as CSV (UTF-8)"
            )
        if valid:
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError as error:
                if wanted != "auto":
                    at = line + chunk[: error.start].count(b"\n")
                    raise DataError(
                        f"{path.name} is not UTF-8 (row {at}): set its encoding, "
                        "perhaps to Windows-1252"
                    ) from None
                valid = False
        line += chunk.count(b"\n")
        chunk = file.read(1 << 20) if whole else b""
    return "utf-8" if valid else "cp1252"


def _marked(first: bytes) -> str | None:
    """The encoding that a byte-order mark tells."""
    if first.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    return None


def _decoded(path: Path, encoding: str) -> str:
    try:
        text = path.read_bytes().decode(encoding).replace("\r\n", "\n").replace("\r", "\n")
    except (UnicodeError, LookupError):
        name = _NAMES.get(encoding, encoding)
        tried = "neither UTF-8 nor Windows-1252" if encoding == "cp1252" else f"not {name}"
        raise DataError(f"{path.name} is {tried}: set its encoding, or save it as UTF-8") from None
    if "\0" in text:
        row = text[: text.index("\0")].count("\n") + 1
        raise DataError(f"{path.name} has a NUL character in row {row}: it is no text table")
    return text


def _beginning(path: Path, encoding: str) -> str:
    with path.open("rb") as file:
        data = file.read(_SAMPLE)
    return data.decode(encoding, errors="ignore").removeprefix("\ufeff")


def _sniffed(text: str, options: CsvOptions) -> _Format:
    lines = [line for line in text.splitlines()[:50] if line.strip()]
    complete = lines[:-1] if len(text) >= _SAMPLE // 4 and len(lines) > 1 else lines
    delimiter = _delimiter(complete) if options.delimiter == "auto" else options.delimiter
    rows = list(csv.reader(complete, delimiter=delimiter))
    body = [cell for row in rows[1:] for cell in row]
    decimal_comma = delimiter != "," and _has_decimal_commas(body)
    if options.header != "auto":
        return _Format(delimiter, options.header == "yes", decimal_comma)
    first = rows[0] if rows else []
    numeric_below = any(_is_number(cell) for cell in body) or not body
    numeric_first = any(_is_number(cell) for cell in first)
    return _Format(delimiter, not numeric_first or not numeric_below, decimal_comma)


def _delimiter(lines: list[str]) -> str:
    """The mark that divides every line into the same, largest number of fields."""
    best, score = ",", (0.0, 0)
    for mark in DELIMITERS:
        counts = [len(row) for row in csv.reader(lines, delimiter=mark)]
        if not counts or max(counts) == 1:
            continue
        usual = max(set(counts), key=counts.count)
        found = (counts.count(usual) / len(counts) if usual > 1 else 0.0, usual)
        if found > score:
            best, score = mark, found
    return best


def _has_decimal_commas(cells: list[str]) -> bool:
    commas = [cell for cell in cells if "," in cell]
    return bool(commas) and all(
        cell.replace(",", ".", 1).count(".") == 1 and _is_number(cell.replace(",", ".", 1))
        for cell in commas
    )


def _is_number(cell: str) -> bool:
    try:
        float(cell.strip().replace(",", "."))
    except ValueError:
        return False
    return cell.strip().lower() not in ("nan", "inf", "infinity")


def _check_width(path: Path, text: str, kind: _Format) -> None:
    first = text.split("\n", 1)[0]
    if first.count(kind.delimiter) >= _MOST_COLUMNS or len(first) >= _SAMPLE - 8:
        with path.open("rb") as file:
            columns = sum(line.count(kind.delimiter.encode()) for line in [file.readline(1 << 28)])
        if columns >= _MOST_COLUMNS:
            raise DataError(
                f"{path.name} has more than {_MOST_COLUMNS:,} columns: keep those that matter"
            )


def _reason(path: Path, encoding: str, kind: _Format) -> str:
    """Why a table cannot be read, where that is plain; otherwise empty."""
    try:
        with path.open(encoding=encoding, errors="replace", newline="") as file:
            reader = csv.reader(file, delimiter=kind.delimiter)
            width, start = len(next(reader, [])), 2
            for row in reader:
                if any("\n" in cell and '"' not in cell for cell in row) and not file.read(1):
                    return f"the quotation mark opened in row {start} is never closed"
                if len(row) > width:
                    return f"row {start} has {len(row)} values, but the first has {width}"
                start = reader.line_num + 1
    except (OSError, csv.Error):
        return ""
    return ""


def _trimmed(frame: pl.DataFrame) -> pl.DataFrame:
    """Without blanks around the columns' names, and without empty rows at the end."""
    import polars as pl

    stripped = [name.strip() for name in frame.columns]
    if len(set(stripped)) == len(stripped):
        frame.columns = stripped
    while frame.height and all(value is None for value in frame.row(-1)):
        empty = frame.select(pl.all_horizontal(pl.all().is_null())).to_series()
        frame = frame.head(frame.height - 1 if not empty.all() else 0)
    return frame


def _notes(path: Path, frame: pl.DataFrame, encoding: str, options: CsvOptions) -> tuple[str, ...]:
    notes = []
    if encoding == "cp1252" and options.encoding == "auto":
        notes.append(f"{path.name} is not UTF-8, so it was read as Windows-1252.")
    doubled = [name for name in frame.columns if "_duplicated_" in name]
    if doubled:
        original = doubled[0].rpartition("_duplicated_")[0]
        notes.append(f"Two columns are called {original}: the second is now {doubled[0]}.")
    return tuple(notes)


def _room() -> float:
    """The largest file that is read: reading takes about twice its size."""
    import psutil

    return float(psutil.virtual_memory().available) / 2.5
