"""Texts and their labels from files: columns of tables, folders of classes, one text a line."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playground.data.columns import as_texts, column_type, missing_name
from playground.data.csv_format import CsvOptions
from playground.data.csv_reading import Table, read_table
from playground.data.dataset import Skipped
from playground.data.errors import DataError
from playground.data.labels import natural
from playground.data.source import Progress

if TYPE_CHECKING:
    import polars as pl

TABLES = (".csv", ".tsv", ".parquet")
TEXT_NAMES = "text sentence review comment message content title name question tweet".split()
LABEL_NAMES = (
    "label class target y category sentiment language lang locale topic rating stars".split()
)
SPLIT_FOLDERS = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
}
READING_FACTOR = 8
"""Bytes of memory that reading a byte of text may take."""


@dataclass(frozen=True, slots=True)
class TextOptions:
    """Which columns of a table to read, empty ones being guessed, and how."""

    text: str = ""
    label: str = ""
    group: str = ""
    table: CsvOptions = field(default_factory=CsvOptions)


@dataclass(slots=True)
class Texts:
    """Samples as they were found, one entry each in every list; ``own`` names the split that a
    sample's folder says, if any."""

    texts: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    own: list[str] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    column: str = "text"
    target: str = "label"
    whole: bool = False
    numeric: bool = True
    """Whether all labels are numbers that hardly come again."""

    def add(self, text: str, label: str, group: str, file: Path, own: str) -> None:
        self.texts.append(text)
        self.labels.append(label)
        self.groups.append(group)
        self.files.append(str(file))
        self.own.append(own)


def gather(path: Path, options: TextOptions, progress: Progress) -> Texts:
    """All texts of a file or folder; raises ``DataError``."""
    found = Texts()
    try:
        if not path.exists():
            raise DataError(f"{path} does not exist: choose the file or folder again")
        _check_room(path)
        if path.is_dir():
            _gather_folder(path, options, found, progress)
        elif path.suffix.lower() in TABLES or _has_tabs(path):
            _gather_table(path, options, found, "", progress)
        else:
            raise DataError(
                f"{path.name} has a text in each line but no labels: put the texts of each class "
                "into a file of its own, all in one folder, or use a table with a label column"
            )
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from None
    if not found.texts:
        first = f" (the first: {found.skipped[0].reason})" if found.skipped else ""
        raise DataError(f"{path.name} has no text with a label{first}: choose other data")
    return found


def read_text(path: Path, encoding: str = "auto") -> str:
    """A text file with the line ends of this system's own; raises ``DataError``."""
    try:
        _check_room(path)
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from None
    text = _decoded(data, encoding, path)
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise DataError(f"{path.name} has a NUL character in line {line}: it is no text file")
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def texts_of_table(path: Path, wanted: str) -> list[tuple[int, str]]:
    """The texts of a table's column ``wanted`` (or of its only one) with their row numbers."""
    table = _plain_tabs(path, CsvOptions()) or read_table(path)
    names = table.frame.columns
    if wanted not in names and len(names) > 1:
        raise missing_name(names, wanted, path)
    column = as_texts(table.frame[wanted if wanted in names else names[0]])
    return [(table.line(row), text) for row, text in enumerate(column) if text is not None]


def _gather_folder(path: Path, options: TextOptions, found: Texts, progress: Progress) -> None:
    inside = sorted((p for p in path.iterdir() if not p.name.startswith(".")), key=_by_name)
    own = {p: SPLIT_FOLDERS.get(p.name.lower(), "") for p in inside if p.is_dir()}
    if "train" in own.values() and sum(map(bool, own.values())) > 1:
        for folder, split in own.items():
            if split:
                _gather_part(folder, options, found, split, progress)
    else:
        _gather_part(path, options, found, "", progress)


def _gather_part(
    path: Path, options: TextOptions, found: Texts, own: str, progress: Progress
) -> None:
    """Tables, or folders of .txt files, or .txt files of lines: each a class."""
    inside = sorted((p for p in path.iterdir() if not p.name.startswith(".")), key=_by_name)
    tables = [p for p in inside if p.is_file() and p.suffix.lower() in TABLES]
    folders = [p for p in inside if p.is_dir()]
    lists = [p for p in inside if p.is_file() and p.suffix.lower() == ".txt"]
    if tables:
        for table in tables:
            _gather_table(table, options, found, own, progress)
    elif folders:
        found.whole, found.numeric = True, False
        for folder in folders:
            _gather_class(folder, options, found, own, progress)
    elif lists:
        found.numeric = False
        for file in lists:
            progress(f"Reading {file.name}", None)
            for line, text in enumerate(read_text(file, options.table.encoding).split("\n"), 1):
                if text.strip():
                    found.add(text, file.stem, f"{file.name}:{line}", file, own)
    else:
        raise DataError(
            f"{path} has no texts: a CSV file with a text and a label column, a folder of .txt "
            "files for each class, or a .txt file for each class with a text in each line is needed"
        )


def _gather_class(
    folder: Path, options: TextOptions, found: Texts, own: str, progress: Progress
) -> None:
    """Each .txt file of a folder is a text of its class; what cannot be read is skipped."""
    files = sorted((p for p in folder.rglob("*.txt") if p.is_file()), key=_by_name)
    for number, file in enumerate(files):
        if number % 100 == 0:
            progress(f"Reading {folder.name}", number / len(files))
        try:
            text = read_text(file, options.table.encoding)
        except DataError as error:
            found.skipped.append(Skipped(str(file), str(error)))
            continue
        if text.strip():
            found.add(text, folder.name, folder.name, file, own)
        else:
            found.skipped.append(Skipped(str(file), f"{file.name} is empty"))


def _gather_table(
    path: Path, options: TextOptions, found: Texts, own: str, progress: Progress
) -> None:
    progress(f"Reading {path.name}", None)
    table = _plain_tabs(path, options.table) or read_table(path, options.table)
    frame = table.frame
    text, label = guessed_columns(table, options)
    found.column, found.target = text, label
    found.notes += table.notes
    found.skipped += [Skipped(f"{path.name}, {row}", reason) for row, reason in table.skipped]
    labels = frame[label]
    found.numeric = found.numeric and column_type(labels) == "number" and labels.n_unique() > 20
    groups: Iterable[str | None] = [None] * frame.height
    if options.group:
        if options.group not in frame.columns:
            raise missing_name(frame.columns, options.group, path)
        groups = as_texts(frame[options.group])
    rows = zip(as_texts(frame[text]), as_texts(labels), groups, strict=True)
    for row, (content, name, group) in enumerate(rows):
        if content is None or name is None:
            what = "text" if content is None else "label"
            where = f"{path.name}, row {table.line(row)}"
            found.skipped.append(Skipped(where, f"{where} has no {what}"))
        else:
            found.add(content, name, group or "", path, own)


def _plain_tabs(path: Path, options: CsvOptions) -> Table | None:
    """A table of lines that all have the same number of tabs, as many collections of texts are:
    a quotation mark in them is one of the text. None where the file is another."""
    if options.delimiter not in ("auto", "\t") or not _has_tabs(path):
        return None
    import polars as pl

    lines = read_text(path, options.encoding).split("\n")
    places = [place for place, line in enumerate(lines, 1) if line.strip()]
    rows = [lines[place - 1].split("\t") for place in places]
    if len({len(row) for row in rows}) != 1:
        return None
    names = [cell.strip() for cell in rows[0]]
    known = {name.lower() for name in names} & {*TEXT_NAMES, *LABEL_NAMES}
    header = options.header == "yes" or (options.header == "auto" and bool(known))
    if not header:
        names = [f"column_{number}" for number in range(1, len(names) + 1)]
    if len(set(names)) < len(names) or len(rows) < 1 + header:
        return None
    columns = zip(*rows[header:], strict=True)
    frame = pl.DataFrame(
        {
            name: [_unquoted(cell) for cell in cells]
            for name, cells in zip(names, columns, strict=True)
        }
    )
    return Table(path, frame, "\t", "", header, decimal_comma=False, lines=places[header:])


def _unquoted(cell: str) -> str:
    """A cell without the quotation marks around all of it."""
    inner = cell[1:-1]
    if len(cell) > 1 and cell[0] == cell[-1] == '"' and '"' not in inner.replace('""', ""):
        return inner.replace('""', '"')
    return cell


def guessed_columns(table: Table, options: TextOptions) -> tuple[str, str]:
    """The names of the text and the label column: as chosen, else by their names, else the longest
    texts, and what repeats most. Raises ``DataError``."""
    frame, path = table.frame, table.path
    names = frame.columns
    for wanted in (options.text, options.label):
        if wanted and wanted not in names:
            raise missing_name(names, wanted, path)
    if len(names) < 2:
        raise DataError(f"{path.name} has one column: a text and a label column are needed")
    if options.text and options.text == options.label:
        raise DataError(f"{options.text} cannot be both the text and the label: change one")
    label = options.label or _called(names, LABEL_NAMES, options.text)
    free = [name for name in names if name != label]
    text = options.text or _called(free, TEXT_NAMES, "") or max(free, key=_mean_length(frame))
    if not label:
        others = [name for name in names if name != text]
        label = min(others, key=lambda name: frame[name].n_unique())
    return text, label


def _called(names: Sequence[str], known: Sequence[str], other_than: str) -> str:
    """The first name that is one of the known, in the order of those."""
    found = {name.lower(): name for name in reversed(names) if name != other_than}
    return next((found[word] for word in known if word in found), "")


def _mean_length(frame: pl.DataFrame) -> Callable[[str], float]:
    import polars as pl

    beginning = frame.head(1000)

    def mean(name: str) -> float:
        lengths = beginning[name].cast(pl.String, strict=False).str.len_chars()
        return float(lengths.fill_null(0).sum()) / max(1, beginning.height)

    return mean


def _has_tabs(path: Path) -> bool:
    """Whether a file that is not called a table is one: every line has a tab."""
    with path.open("rb") as file:
        lines = [line for line in file.read(1 << 16).splitlines()[:-1] if line.strip()]
    return bool(lines) and all(b"\t" in line for line in lines)


def _decoded(data: bytes, encoding: str, path: Path) -> str:
    if encoding == "auto":
        marked = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        tried = ["utf-16"] if marked else ["utf-8", "cp1252"]
    else:
        tried = [encoding]
    for name in tried:
        try:
            return data.decode(name)
        except UnicodeError:
            continue
    raise DataError(
        f"{path.name} is not {' or '.join(tried)}: set its encoding, or save it as UTF-8"
    )


def _check_room(path: Path) -> None:
    """Raises ``DataError`` where the texts are more than fits into memory."""
    import psutil

    files = path.rglob("*") if path.is_dir() else [path]
    size = sum(file.stat().st_size for file in files if file.is_file())
    room = int(psutil.virtual_memory().available) // READING_FACTOR
    if size > room:
        raise DataError(
            f"{path.name} has {size / 2**30:.1f} GiB of text, but {room / 2**30:.1f} GiB can be "
            "read with the memory at hand: use a part of it"
        )


def _by_name(path: Path) -> Any:
    return natural(path.name)
