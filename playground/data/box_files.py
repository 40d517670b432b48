"""Files of labelled boxes: COCO's JSON, or YOLO's text files."""

from __future__ import annotations

import json
import math
import os
import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playground.data.dataset import Skipped
from playground.data.errors import DataError
from playground.data.image_files import SUFFIXES, every_file, split_in
from playground.data.images import told
from playground.data.source import Progress

LARGEST_JSON = 1 << 30
"""Bytes of annotations; COCO's own are 470 MB."""

_CLASS_FILES = ("classes.txt", "obj.names", "names.txt")


@dataclass(frozen=True, slots=True)
class Box:
    """An object in an upright picture: its corner and size in pixels, or in ``shares`` of it."""

    label: str
    left: float
    top: float
    width: float
    height: float
    shares: bool = False

    def edges(self, height: int, width: int, margin: float = 0.0) -> tuple[int, int, int, int]:
        """Left, top, right and bottom in a picture of that size, in pixels within it; ``margin``
        is added on each side, in shares of the box."""
        x, y = (width, height) if self.shares else (1, 1)
        left, top = (self.left - margin * self.width) * x, (self.top - margin * self.height) * y
        right = (self.left + (1 + margin) * self.width) * x
        bottom = (self.top + (1 + margin) * self.height) * y
        return (
            round(min(max(left, 0), width)),
            round(min(max(top, 0), height)),
            round(min(max(right, 0), width)),
            round(min(max(bottom, 0), height)),
        )

    def shares_of(self, height: int, width: int) -> tuple[float, float, float, float]:
        """Left, top, right and bottom in shares of a picture of that size."""
        x, y = (1, 1) if self.shares else (width, height)
        right, bottom = self.left + self.width, self.top + self.height
        return self.left / x, self.top / y, right / x, bottom / y


@dataclass(slots=True)
class Objects:
    """Boxes with the pictures that they are in, pictures that are said to have none, each with its
    split, and what could not be used."""

    paths: list[str] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)
    splits: list[str] = field(default_factory=list)
    empty: dict[str, str] = field(default_factory=dict)
    skipped: list[Skipped] = field(default_factory=list)

    def add(self, path: str, box: Box, part: str, where: str) -> None:
        numbers = (box.left, box.top, box.width, box.height)
        if not all(map(math.isfinite, numbers)) or box.width <= 0 or box.height <= 0:
            self.skipped.append(Skipped(where, f"{where}: the box of {box.label} has no size"))
        else:
            self.paths.append(path)
            self.boxes.append(box)
            self.splits.append(part)


def read_boxes(path: Path, progress: Progress) -> tuple[Objects, tuple[str, ...]]:
    """The boxes of a JSON file, or of the JSON or text files in a folder."""
    if path.suffix.lower() == ".json":
        if not path.is_file():
            raise DataError(f"{path} does not exist: choose the file again")
        return _coco([path], path.parent), ()
    if not path.is_dir():
        raise DataError(f"{path} is no folder: choose the folder of pictures with their boxes")
    documents = [Path(name) for name in every_file(path, (".json",))]
    if documents:
        return _coco(documents, path), ()
    return _yolo(path, progress)


# --- COCO (Lin et al. 2014) -----------------------------------------------------------------------


def _coco(documents: list[Path], folder: Path) -> Objects:
    found = Objects()
    files = _by_name(folder)
    for path in documents:
        document = _document(path)
        try:
            _read_coco(path, document, files, found)
        except (KeyError, TypeError, AttributeError, ValueError, OverflowError) as error:
            raise DataError(
                f"{path.name} is no annotation in COCO's form: {error!r}; it needs images, "
                "annotations and categories"
            ) from None
    return found


def _document(path: Path) -> Any:
    try:
        if path.stat().st_size > LARGEST_JSON:
            raise DataError(f"{path.name} is larger than 1 GB: divide it")
        return json.loads(path.read_bytes())
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path.name} is no JSON: {error}") from None


def _read_coco(path: Path, document: Any, files: Callable[[str], str], found: Objects) -> None:
    classes = {item["id"]: str(item["name"]) for item in document["categories"]}
    pictures = {item["id"]: str(item["file_name"]) for item in document["images"]}
    part = next(
        (known for word in re.split(r"[\W_\d]+", path.stem.lower()) if (known := split_in(word))),
        "",
    )
    missing: dict[str, int] = defaultdict(int)
    for empty in _unmentioned(document, pictures):
        if file := files(empty):
            found.empty[file] = part or split_in(empty)
    for number, item in enumerate(document["annotations"], 1):
        where = f"{path.name}, annotation {number}"
        name, label = pictures.get(item["image_id"]), classes.get(item["category_id"])
        if name is None or label is None:
            what = "picture" if name is None else "category"
            found.skipped.append(Skipped(where, f"{where} is of a {what} that is not listed"))
        elif not item.get("iscrowd"):  # a crowd is no single object
            if not (file := files(name)):
                missing[name] += 1
                continue
            left, top, width, height = (float(value) for value in item["bbox"])
            found.add(file, Box(label, left, top, width, height), part or split_in(name), where)
    for name, count in missing.items():
        reason = f"{path.name}: the picture {name} of {count:,} boxes is not there"
        found.skipped.append(Skipped(name, reason))


def _unmentioned(document: Any, pictures: dict[Any, str]) -> list[str]:
    """The pictures that no annotation is of: there is nothing in them."""
    mentioned = {item["image_id"] for item in document["annotations"]}
    return [name for id, name in pictures.items() if id not in mentioned]


def _by_name(folder: Path) -> Callable[[str], str]:
    """From what an annotation calls a picture to its file, "" where there is none."""
    files = every_file(folder)
    names = {os.path.basename(file): file for file in reversed(files)}
    paths = {os.path.relpath(file, folder).replace(os.sep, "/"): file for file in files}

    def find(name: str) -> str:
        name = name.replace("\\", "/")
        return paths.get(name) or names.get(name.rsplit("/", 1)[-1], "")

    return find


# --- YOLO -----------------------------------------------------------------------------------------


def _yolo(folder: Path, progress: Progress) -> tuple[Objects, tuple[str, ...]]:
    """A text file a picture, of the same name beside it or in "labels" instead of "images": a line
    a box with the number of its class, its centre, width and height in shares of the picture."""
    texts = every_file(folder, (".txt",))
    names, notes = _class_names(folder, texts)
    by_stem = {os.path.splitext(name)[0]: name for name in texts}
    found = Objects()
    pictures = every_file(folder)
    for file in told(iter(pictures), len(pictures), f"Looking through {folder.name}", progress):
        stem = os.path.splitext(file)[0]
        start, _, end = stem.rpartition(f"{os.sep}images{os.sep}")
        text = by_stem.get(stem) or by_stem.get(f"{start}{os.sep}labels{os.sep}{end}")
        if text is None:
            continue  # of which nothing is known
        part, lines = split_in(os.path.relpath(file, folder)), _lines(text, found)
        if lines is None:
            continue
        if not any(map(str.strip, lines)):
            found.empty[file] = part
        for number, line in enumerate(lines, 1):
            where = f"{os.path.basename(text)}, line {number}"
            if not line.strip():
                continue
            try:
                code, x, y, width, height = (float(word) for word in line.split()[:5])
                label = names.get(int(code), str(int(code)))
            except (ValueError, OverflowError):
                found.skipped.append(
                    Skipped(where, f"{where} is no box: it needs a class and four numbers")
                )
                continue
            box = Box(label, x - width / 2, y - height / 2, width, height, shares=True)
            found.add(file, box, part, where)
    if not pictures:
        raise DataError(f"{folder} has no pictures ({', '.join(SUFFIXES)})")
    if not found.paths and not found.empty and not found.skipped:
        raise DataError(
            f"{folder} has neither annotations in COCO's form (.json) nor a text file with boxes "
            "for each picture (YOLO)"
        )
    return found, notes


def _lines(text: str, found: Objects) -> list[str] | None:
    try:
        return Path(text).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        name = os.path.basename(text)
        found.skipped.append(Skipped(name, f"{name} cannot be read: {error.strerror or error}"))
        return None


def _class_names(folder: Path, texts: list[str]) -> tuple[dict[int, str], tuple[str, ...]]:
    """The names of classes from a file with one a line; the file is taken from ``texts``."""
    for file in [*texts, *every_file(folder, (".names",))]:
        if os.path.basename(file).lower() in _CLASS_FILES or file.endswith(".names"):
            if file in texts:
                texts.remove(file)
            lines = _lines(file, Objects()) or []
            return dict(enumerate(line.strip() for line in lines if line.strip())), ()
    return {}, (
        "The classes have no names: put a classes.txt with one a line beside the pictures.",
    )
