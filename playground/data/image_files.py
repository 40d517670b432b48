"""Finding pictures and sounds: in class folders, in a table beside them, in a list; with groups
and splits."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from models.parameters import Parameter
from playground.data.dataset import Skipped
from playground.data.errors import DataError
from playground.data.labels import natural

if TYPE_CHECKING:
    import polars as pl

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff", ".gif")
TABLES = (".csv", ".tsv")
SPLITS = {
    "train": ("train", "training", "trn"),
    "validation": ("validation", "val", "valid", "dev"),
    "test": ("test", "testing", "tst"),
}
_SPLIT_OF = {word: name for name, words in SPLITS.items() for word in words}
_IGNORED = {"thumbs.db", "desktop.ini"}
_FILE = (
    "file filename file_name filepath file_path image image_name image_path image_id img path "
    "audio sound clip"
)
_LABEL = "label labels class class_name classname category target species word"
_GROUP = (
    "group group_id subject subject_id patient patient_id person user source voice speaker "
    "speaker_id"
)
_SPLIT = "split set subset partition dataset"
_PROBED = 50
"""File names of a table that are looked for, to tell whether it is about pictures."""


@dataclass(frozen=True, slots=True)
class Media:
    """What is looked for: its word in sentences, and how the names of its files end."""

    word: str
    suffixes: tuple[str, ...]


IMAGES = Media("images", SUFFIXES)


@dataclass(slots=True)
class Found:
    """Files with what is known of each; no file was opened for it.

    ``labels`` are classes, or numbers as text; ``groups`` and ``splits`` are empty where there are
    none. ``group`` says what the groups are, ``table`` which file told the labels.
    """

    folder: Path
    paths: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    splits: list[str] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    group: str = ""
    table: str = ""

    def name(self, path: str) -> str:
        """A path as a person reads it: within the folder."""
        root = f"{self.folder}{os.sep}"
        return _text(path.removeprefix(root))

    def keep(self, good: Sequence[int], skipped: Sequence[Skipped]) -> None:
        """Only the files numbered ``good``; the others are ``skipped``."""
        for values in (self.paths, self.labels, self.groups, self.splits):
            if values:
                values[:] = [values[index] for index in good]
        self.skipped += skipped


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns of a table say what; empty ones are guessed."""

    file: str = ""
    label: str = ""
    group: str = ""
    split: str = ""


def find(path: Path, labels: str, columns: Columns, group: str, media: Media = IMAGES) -> Found:
    """The files that ``path`` means: a folder, a table of files, or a list of them (a file a
    line). ``labels`` is "auto", "folders" or "table"; ``group`` "auto", "folder" or "prefix".
    Raises ``DataError``."""
    if path.is_file():
        found = _listed(path, columns, media)
    else:
        entries = _entries(path)
        table = _table_beside(path, entries, columns, media) if labels != "folders" else None
        if labels == "table" and table is None:
            raise DataError(
                f"{path} has no table (CSV) that names its {media.word}: put one there with a "
                "column of file names and a column of labels"
            )
        found = (
            _by_table(path, table, columns, media) if table else _by_folders(path, entries, media)
        )
    if group in ("folder", "prefix"):
        found.group = "folder" if group == "folder" else "file name"
        found.groups = [_group(found, file, group) for file in found.paths]
    return found


# --- folders --------------------------------------------------------------------------------------


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            seen = [entry for entry in entries if not _is_hidden(entry.name)]
    except FileNotFoundError:
        raise DataError(f"{folder} does not exist: choose the folder again") from None
    except NotADirectoryError:
        raise DataError(f"{folder} is no folder: choose the folder with the files") from None
    except OSError as error:
        raise DataError(f"{folder} cannot be read: {error.strerror or error}") from None
    return sorted(seen, key=lambda entry: natural(entry.name))


def _by_folders(folder: Path, entries: list[os.DirEntry[str]], media: Media) -> Found:
    found = Found(folder)
    folders = [entry for entry in entries if entry.is_dir()]
    named = {entry.name: _SPLIT_OF.get(entry.name.lower(), "") for entry in folders}
    if len(folders) > 1 and all(named.values()) and "train" in named.values():
        for entry in folders:
            inner = _entries(Path(entry.path))
            for child in inner:
                if child.is_dir():
                    count = _add(found, child.path, child.name)
                    found.splits += [named[entry.name]] * count
                else:
                    name = found.name(child.path)
                    found.skipped.append(Skipped(name, f"{name} is in no folder of a class"))
    else:
        for entry in folders:
            _add(found, entry.path, entry.name)
    if not found.paths and not found.skipped:
        raise DataError(
            f"{folder} has no subfolders with {media.word}: put the {media.word} of each class "
            "into a subfolder of the class's name, or a table (CSV) with file names and labels "
            "beside them"
        )
    return found


def _add(found: Found, folder: str, label: str) -> int:
    """Everything in ``folder`` and below, in a fixed order; returns how many files."""
    before = len(found.paths)
    for where, names in _walk(found, folder):
        found.paths += [f"{where}{os.sep}{name}" for name in names]
    count = len(found.paths) - before
    found.labels += [_text(label)] * count
    return count


def _walk(found: Found, folder: str) -> Iterator[tuple[str, list[str]]]:
    """Each folder with its files' names. What cannot be read is skipped; links to folders are not
    followed, so that none is walked for ever."""
    try:
        with os.scandir(folder) as entries:
            files, folders = [], []
            for entry in entries:
                if _is_hidden(entry.name):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.name)
                elif entry.is_file():  # a pipe would be waited for for ever
                    files.append(entry.name)
    except OSError as error:
        name = found.name(folder)
        found.skipped.append(Skipped(name, f"{name} cannot be read: {error.strerror or error}"))
        return
    yield folder, _in_order(files)
    for name in _in_order(folders):
        yield from _walk(found, f"{folder}{os.sep}{name}")


def _text(name: str) -> str:
    """A name as text that can be written: some file systems allow names that are none."""
    return name if name.isascii() else name.encode("utf-8", "replace").decode()


def every_file(folder: Path, suffixes: tuple[str, ...] = SUFFIXES) -> list[str]:
    """All files below ``folder`` whose names end so, in a fixed order."""
    return [
        f"{where}{os.sep}{name}"
        for where, names in _walk(Found(folder), str(folder))
        for name in names
        if name.lower().endswith(suffixes)
    ]


def split_in(path: str) -> str:
    """The split that a part of a path names ("images/val/1.jpg"); empty where none does."""
    parts = re.split(r"[/\\]", path.lower())
    return next((_SPLIT_OF[part] for part in reversed(parts) if part in _SPLIT_OF), "")


def _in_order(names: list[str]) -> list[str]:
    """As a person sorts them; names that are numbered with leading zeros need no reading."""
    names.sort()
    shapes = {_DIGITS.sub("0", name) for name in names}
    return names if len(shapes) <= 1 else sorted(names, key=natural)


_DIGITS = re.compile(r"\d")


def _is_hidden(name: str) -> bool:
    return name.startswith((".", "__MACOSX")) or name.lower() in _IGNORED


def _group(found: Found, file: str, kind: str) -> str:
    path = Path(found.name(file))
    return str(path.parent) if kind == "folder" else re.split(r"[_\- ]", path.stem, maxsplit=1)[0]


# --- tables and lists -----------------------------------------------------------------------------


def _listed(path: Path, columns: Columns, media: Media) -> Found:
    """A table of files, or a text with a path a line and, where there is one, its class."""
    if path.suffix.lower() in TABLES:
        return _by_table(path.parent, path, columns, media)
    if path.suffix.lower() != ".txt":
        raise DataError(
            f"{path.name} is no folder, table or list of {media.word}: choose the folder that "
            "holds the classes"
        )
    found = Found(path.parent, table=path.name)
    try:
        lines = path.read_text(encoding="utf-8-sig", errors="replace").splitlines()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from None
    where = str(path.parent)
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text:
            continue
        file, label = _absolute(where, text), ""
        if " " in text or "\t" in text:
            start, _, end = text.replace("\t", " ").rpartition(" ")
            if not os.path.isfile(file):
                file, label = _absolute(where, start.strip()), end
        if "\0" in file:
            found.skipped.append(Skipped(f"{path.name}, line {number}", "it is no file name"))
            continue
        found.paths.append(file)
        found.labels.append(label or os.path.basename(os.path.dirname(file)))
    return found


def _absolute(where: str, name: str) -> str:
    return os.path.normpath(os.path.join(where, os.path.expanduser(name)))


def _table_beside(
    folder: Path, entries: list[os.DirEntry[str]], columns: Columns, media: Media
) -> Path | None:
    """The first table in ``folder`` that names files of it."""
    for entry in entries:
        if entry.name.lower().endswith(TABLES) and entry.is_file():
            try:
                frame = _frame(Path(entry.path), _PROBED)
                if _chosen(frame, _Locator(folder, media), columns).file:
                    return Path(entry.path)
            except DataError:
                continue
    return None


def _by_table(folder: Path, path: Path, columns: Columns, media: Media) -> Found:
    frame = _frame(path)
    locate = _Locator(folder, media)
    chosen = _chosen(frame, locate, columns)
    if not chosen.file or not chosen.label:
        what = f"file names of {media.word} in its folder" if not chosen.file else "labels"
        raise DataError(
            f"{path.name} has no column of {what}: it has {', '.join(frame.columns[:8])}; "
            "choose the column"
        )
    found = Found(folder, table=path.name, group=chosen.group)
    cells = {
        key: frame[getattr(chosen, key)].to_list()
        for key in ("file", "label", "group", "split")
        if getattr(chosen, key)
    }
    own = [_SPLIT_OF.get(str(cell).strip().lower(), "") for cell in cells.get("split", ())]
    for row, name in enumerate(cells["file"]):
        label, where = cells["label"][row], f"{path.name}, row {row + 1}"
        if not name or "\0" in name:
            found.skipped.append(Skipped(where, f"{where} names no file"))
        elif label is None or not label.strip():
            found.skipped.append(Skipped(where, f"{where} ({name}) has no label"))
        elif (file := locate(name)) is None:
            found.skipped.append(Skipped(where, f"{where}: there is no file {name}"))
        else:
            found.paths.append(file)
            found.labels.append(label.strip())
            if chosen.group:
                found.groups.append(str(cells["group"][row] or ""))
            if all(own) and own:
                found.splits.append(own[row])
    if not found.paths:
        reason = f" ({found.skipped[0].reason})" if found.skipped else ""
        raise DataError(f"{path.name} names none of the {media.word} that are there{reason}")
    return found


def _frame(path: Path, rows: int | None = None) -> pl.DataFrame:
    import polars as pl

    from playground.data.csv_reading import read_table

    return read_table(path, rows=rows).frame.cast(pl.String)


def _chosen(frame: pl.DataFrame, locate: _Locator, wanted: Columns) -> Columns:
    """The columns of a table: those that are set, otherwise by their names and contents."""
    lower = {name.strip().lower(): name for name in reversed(frame.columns)}
    for name in (wanted.file, wanted.label, wanted.group, wanted.split):
        if name and name not in frame.columns:
            known = ", ".join(frame.columns[:8])
            raise DataError(f"the table has no column {name}: it has {known}")

    def called(words: str) -> str:
        return next((lower[word] for word in words.split() if word in lower), "")

    file = wanted.file
    if not file:
        named = called(_FILE)
        if named and _names_files(frame, named, locate):
            file = named
        else:
            others = (name for name in frame.columns if _names_files(frame, name, locate, True))
            file = next(others, "")
    group, split = wanted.group or called(_GROUP), wanted.split or called(_SPLIT)
    rest = [name for name in frame.columns if name not in (file, group, split)]
    label = wanted.label or called(_LABEL) or (rest[0] if rest else "")
    return Columns(file, label, group, split)


def _names_files(
    frame: pl.DataFrame, column: str, locate: _Locator, with_suffix: bool = False
) -> bool:
    """Whether at least half of a column's first cells are files that are there. Classes that are
    numbers may be names of files by chance, but hardly ``with_suffix``."""
    cells = frame[column].head(_PROBED).drop_nulls().to_list()
    names = [cell for cell in cells if not with_suffix or "." in cell]
    return bool(cells) and 2 * sum(locate(name) is not None for name in names) >= len(cells)


class _Locator:
    """From what a table calls a file to its path: by a path, or a name with or without suffix
    anywhere in the folder."""

    def __init__(self, folder: Path, media: Media) -> None:
        self._folder = folder
        self._suffixes = media.suffixes
        self._names: dict[str, str] | None = None

    def __call__(self, name: str) -> str | None:
        text = name.strip().replace("\\", os.sep)
        if self._names is None:
            self._names = {}
            everything = Found(self._folder)
            for where, names in _walk(everything, str(self._folder)):
                for file in names:
                    stem, suffix = os.path.splitext(file)
                    if suffix.lower() in self._suffixes:
                        path = f"{where}{os.sep}{file}"
                        # a column of "007" is read as numbers
                        bare = (stem.lstrip("0") or "0") if stem.isdigit() else stem
                        for key in (file, stem, everything.name(path), bare):
                            self._names.setdefault(key, path)
        known = self._names.get(text) or self._names.get(text.removeprefix(f".{os.sep}"))
        if known:
            return known
        path = _absolute(str(self._folder), text)
        named = path.lower().endswith(self._suffixes)
        return path if named and "\0" not in path and os.path.isfile(path) else None


# --- settings -----------------------------------------------------------------------------------


def label_parameters(word: str) -> tuple[Parameter, ...]:
    """The settings of where labels, groups and splits of ``word`` ("pictures") come from."""
    return (
        Parameter(
            "labels",
            "Labels from",
            "choice",
            "auto",
            "Where classes are told. Automatic takes a table in the folder that names its "
            f"{word}, otherwise the subfolders.",
            choices=(
                ("auto", "Automatic"),
                ("folders", "Subfolders"),
                ("table", "A table (CSV)"),
            ),
        ),
        Parameter(
            "group",
            "Groups",
            "choice",
            "auto",
            f"What {word} have in common that must not be torn apart between training and test: "
            "the same person, patient or recording.",
            choices=(
                ("auto", "The table's column"),
                ("folder", "The folder that they are in"),
                ("prefix", "Their names up to the first _ or -"),
            ),
        ),
        _column("file", "Column of files", "of file names"),
        _column("label", "Column of labels", "that is predicted"),
        _column("group", "Column of groups", "of groups"),
        _column("split", "Column of splits", "that says train, validation or test"),
    )


def _column(key: str, label: str, what: str) -> Parameter:
    return Parameter(
        f"{key}_column",
        label,
        "text",
        "",
        f"The table's column {what}. Empty: guessed from its name.",
        visible=lambda values: values.get("labels") != "folders",
    )
