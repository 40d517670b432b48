"""Which source opens a file or folder, by its suffix and a look into it."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from playground.data import SOURCES
from playground.data.columns import TablePreview, inspect_table
from playground.data.errors import DataError
from playground.data.source import Source

LOOKED_AT = 3000
OWN = frozenset({"pictures", "sound", "video", "tables", "text", "volumes"})
TABLES = frozenset({".csv", ".tsv", ".parquet", ".pq", ".txt", ".feather", ".arrow", ".ipc"})
BOX_LINE = re.compile(r"\d+(\s+[\d.eE+-]+){4}\s*")
"""A box as YOLO writes it: a class, its centre, width and height."""
INPUTS = frozenset({"image", "images", "img", "imgs", "input", "inputs"})
MASKS = frozenset({"mask", "masks", "label", "labels", "target", "targets", "segmentation"})
COCO = (b'"annotations"', b'"bbox"', b'"file_name"')
HEAD = 1 << 16
LONGEST_NAME = 64
WORDS = 4.0
LEAST_STEPS = 20
ROWS = 200


@dataclass(frozen=True, slots=True)
class Guess:
    """The id of the source that opens ``path``."""

    source: str
    path: Path


def guess_source(paths: Sequence[Path]) -> Guess:
    """The source for what was dropped: a file, a folder, or several files of one folder, which
    then stands for them. It looks at some thousand names and the head of a table, so it may take
    a moment. Raises ``DataError``: what to drop instead.
    """
    if not paths:
        raise DataError("nothing was given: choose a file or a folder")
    path = paths[0]
    if len(paths) > 1:
        path = Path(os.path.commonpath([one if one.is_dir() else one.parent for one in paths]))
    if not path.exists():
        raise DataError(f"{path} does not exist: choose it again")
    return _of_folder(path) if path.is_dir() else _of_file(path)


def suffix(path: Path) -> str:
    """The ending that tells what a file is: ".nii.gz" is one."""
    name = path.name.lower()
    return ".nii.gz" if name.endswith(".nii.gz") else path.suffix.lower()


def _sources(*places: str) -> list[Source]:
    return [item for item in SOURCES if item.family in OWN and item.place in places]


def _of_file(path: Path) -> Guess:
    ending = suffix(path)
    if ending in TABLES:
        return Guess(_of_table(path), path)
    single = [item for item in _sources("file", "either") if ending in item.suffixes]
    alone = [item for item in single if item.family in ("tables", "text", "volumes")]
    if alone:
        return Guess(alone[0].id, path)
    if ending == ".json" and single:
        return Guess(single[0].id, path)
    if any(ending in item.suffixes for item in _sources("folder", "either")):
        return _of_folder(path.parent)  # one picture or clip is no data set; its folder is
    raise DataError(
        f"{path.name} is of no kind that is known here: give a folder of pictures, sounds or "
        "clips, a table, or texts"
    )


def _of_folder(folder: Path) -> Guess:
    found = Counter(suffix(path) for path in _files(folder))
    if not found:
        raise DataError(f"{folder.name} has no files: choose the folder that holds the data")
    scores: dict[str, int] = {}
    for source in _sources("folder", "either"):
        kinds = [item for item in source.suffixes if item not in TABLES or source.family == "text"]
        scores[source.id] = sum(found[kind] for kind in kinds)
    best = max(scores, key=lambda id: scores[id], default="")
    tables = [path for path in _files(folder) if suffix(path) in TABLES]
    if best and scores[best] and SOURCES.get(best).family == "pictures":
        return Guess(_of_pictures(folder), folder)
    if best and scores[best] and SOURCES.get(best).family != "text":
        return Guess(best, folder)
    if len(tables) == 1:
        return _of_file(tables[0])
    if best and scores[best] and {suffix(path) for path in tables} == {".txt"}:
        return Guess(best, folder)
    if tables:
        raise DataError(f"{folder.name} holds {len(tables)} tables: choose one of them")
    raise DataError(
        f"the files in {folder.name} are of no kind that is known here "
        f"({', '.join(kind or 'no ending' for kind, _ in found.most_common(3))})"
    )


def _of_pictures(folder: Path) -> str:
    """Pictures with boxes beside them, pairs of pictures, or pictures of classes."""
    files = list(_files(folder))
    documents = [path for path in files if suffix(path) == ".json"]
    texts = [path for path in files if suffix(path) == ".txt"]
    if "boxes" in SOURCES and (
        any(mark in _head(path) for path in documents[:20] for mark in COCO)
        or any(BOX_LINE.fullmatch(_head(path).decode("utf-8", "replace").split("\n")[0])
               for path in texts[:20])
    ):  # fmt: skip
        return "boxes"
    folders = {path.parent.name.lower() for path in files}
    if "pairs" in SOURCES and folders & INPUTS and folders & MASKS:
        return "pairs"
    return "images"


def _head(path: Path) -> bytes:
    """The beginning of a file; nothing of one that cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(HEAD)
    except OSError:
        return b""


def _files(folder: Path) -> Iterator[Path]:
    """The first files in a folder and its subfolders, the nearest first."""
    waiting, seen = [folder], 0
    while waiting and seen < LOOKED_AT:
        try:
            entries = sorted(os.scandir(waiting.pop(0)), key=lambda entry: entry.name)
        except OSError:
            continue  # a folder that may not be read
        for entry in entries:
            if entry.name.startswith((".", "__MACOSX")):
                continue
            if entry.is_dir():
                waiting.append(Path(entry.path))
            else:
                seen += 1
                yield Path(entry.path)


def _of_table(path: Path) -> str:
    """Files named in a column, texts, a labelled series a row, or a table of features."""
    preview = inspect_table(path, rows=ROWS)
    if (listed := _listed_files(path, preview)) is not None:
        return listed
    if "series" in SOURCES and _is_series(preview):
        return "series"
    if "text" in SOURCES and _is_text(preview):
        return "text"
    return "table"


def _listed_files(path: Path, preview: TablePreview) -> str | None:
    """The source of the files that a column of the table names, where the first of them exist."""
    for place in range(len(preview.columns)):
        names = [row[place] for row in preview.rows[:5]]
        if not names or not all(0 < len(Path(name).suffix) <= 6 for name in names):
            continue
        if not any((path.parent / name).is_file() for name in names):
            continue
        kind = Counter(suffix(Path(name)) for name in names).most_common(1)[0][0]
        for source in _sources("folder", "either"):
            if kind in source.suffixes and kind not in TABLES and ".csv" in source.suffixes:
                return source.id
    return None


def _is_series(preview: TablePreview) -> bool:
    """The archive's form: a label, then many numbers of one kind in each row."""
    columns = preview.columns
    if len(columns) < LEAST_STEPS + 1:
        return False
    numbers = [column for column in columns[1:] if column.type == "number"]
    few = columns[0].different <= max(2, preview.count // 2)
    numbered = not preview.header or [c.name for c in columns[-2:]] == [
        f"t{len(columns) - 3}",
        f"t{len(columns) - 2}",
    ]
    return few and numbered and len(numbers) == len(columns) - 1


def _is_text(preview: TablePreview) -> bool:
    """Texts, or names, with at most a label and a group beside them."""
    if len(preview.columns) > 3:
        return False
    for place, column in enumerate(preview.columns):
        cells = [row[place] for row in preview.rows if row[place]]
        if not cells or column.type not in ("text", "category"):
            continue
        words = sum(len(cell.split()) for cell in cells) / len(cells)
        letters = sum(len(cell) for cell in cells) / len(cells)
        own = column.different > 0.8 * preview.count  # hardly a category: nearly all differ
        if own and (words >= WORDS or (place == 0 and column.type == "text" and letters >= 3)):
            return True
    return False
