"""Pictures with labelled boxes, as for detection: COCO's JSON, or YOLO's text files.

What is trained on them here is a classifier of the boxes: each object is cut out of its picture.
Finding the boxes themselves (training a detector) is a task of its own and is not done here; the
boxes are kept so that they can be drawn.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from models.axes import image, vector
from models.parameters import Parameter
from playground.data.dataset import Column, Dataset, Groups, Indices, Skipped
from playground.data.errors import DataError
from playground.data.image_files import SUFFIXES, every_file, split_in
from playground.data.image_values import ImageFiles
from playground.data.images import SIZE_PARAMETERS, fitted_on_pixels, portions, told
from playground.data.labels import indexed, rare
from playground.data.reading import ImageReading
from playground.data.settings import SplitSettings
from playground.data.source import Options, Place, Progress, Source, located
from playground.data.splits import split

LARGEST_JSON = 1 << 30
"""Bytes of annotations; COCO's own are 470 MB."""

CHECKED = 2_000
"""Boxes up to which all are cut out when the data open, which finds the wrong ones."""

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


@dataclass(slots=True)
class _Objects:
    """Boxes with the pictures that they are in, and what could not be used."""

    paths: list[str] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)
    splits: list[str] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)

    def add(self, path: str, box: Box, part: str, where: str) -> None:
        numbers = (box.left, box.top, box.width, box.height)
        if not all(map(math.isfinite, numbers)) or box.width <= 0 or box.height <= 0:
            self.skipped.append(Skipped(where, f"{where}: the box of {box.label} has no size"))
        else:
            self.paths.append(path)
            self.boxes.append(box)
            self.splits.append(part)


class Cuttings(ImageFiles):
    """Objects (N, C, H, W) uint8, cut out of their pictures when they are wanted."""

    def __init__(
        self,
        folder: str,
        paths: list[str],
        boxes: list[Box],
        reading: ImageReading,
        margin: float,
    ) -> None:
        super().__init__(folder, paths, reading)
        self.boxes = tuple(boxes)
        self.margin = margin

    def decoded(self, index: int) -> npt.NDArray[np.uint8]:
        from playground import vision

        try:
            pixels = vision.read_picture(Path(self.paths[index]), self.reading.channels)
        except vision.UnreadableImage as error:
            raise DataError(str(error)) from None
        box = self.boxes[index]
        left, top, right, bottom = box.edges(pixels.shape[1], pixels.shape[2], self.margin)
        if right <= left or bottom <= top:
            name = os.path.basename(self.paths[index])
            raise DataError(f"{name}: the box of {box.label} lies outside the picture")
        cut = pixels[:, top:bottom, left:right].transpose(1, 2, 0)
        size = (self.reading.height, self.reading.width)
        return vision.fitted(np.ascontiguousarray(cut), size, self.reading.fit).transpose(2, 0, 1)

    def key(self, index: int) -> bytes:
        text = f"{self.boxes[index]}|{self.margin}"
        return blake2b(super().key(index) + text.encode(), digest_size=16).digest()

    def without(self, bad: Mapping[int, str]) -> list[int]:
        """Leave samples out; returns the numbers of those that stay."""
        good = [index for index in range(len(self)) if index not in bad]
        self.boxes = tuple(self.boxes[index] for index in good)
        self.only(good)
        return good


def boxes_of(dataset: Dataset, index: int) -> tuple[Box, ...]:
    """All boxes of the picture that a sample was cut from; none where the data have no boxes."""
    values = next(iter(dataset.inputs.values())).values
    if not isinstance(values, Cuttings):
        return ()
    path = values.paths[index]
    return tuple(
        box for box, other in zip(values.boxes, values.paths, strict=True) if other == path
    )


def _open(options: Options, place: Place, settings: SplitSettings, progress: Progress) -> Dataset:
    path = located(options["path"], place)
    progress(f"Looking through {path.name}", None)
    found, notes = _objects(path, progress)
    if not found.paths:
        reason = f" ({found.skipped[0].reason})" if found.skipped else ""
        raise DataError(f"{path} has no labelled boxes that can be used{reason}")
    size = options["size"] or 64
    height, width = size if isinstance(size, list) else (size, size)
    channels = 1 if options["channels"] == "grey" else 3
    reading = ImageReading(channels, height, width, options["fit"])
    values = Cuttings(str(path), found.paths, found.boxes, reading, options["margin"])
    good = _check(values, found, progress)
    splits_of = [found.splits[index] for index in good]
    labels, classes = indexed([box.label for box in values.boxes], str(path))
    own: dict[str, Indices] | None = None
    if all(splits_of) and "train" in splits_of and len(set(splits_of)) > 1:
        parts = np.asarray(splits_of)
        own = {key: np.flatnonzero(parts == key) for key in ("train", "validation", "test")}
    pictures = list(dict.fromkeys(values.paths))
    number = {name: place for place, name in enumerate(pictures)}
    codes = np.asarray([number[name] for name in values.paths], np.int64)
    names = tuple(os.path.basename(name) for name in pictures)
    groups = Groups("picture", codes, names)
    splits = split(len(values), settings, labels, own=own, groups=groups, together=True)
    counts = np.bincount(labels, minlength=len(classes))
    return Dataset(
        name=path.stem,
        summary=f"{len(values):,} objects in {len(pictures):,} images · {height}×{width} · "
        f"{len(classes)} classes",
        inputs={
            "image": Column(
                "image",
                image(channels, height, width),
                values,
                fitted_on_pixels(values, splits["train"], settings.seed),
                reading=reading,
            )
        },
        targets={"label": Column("label", vector(1), labels, classes=classes)},
        splits=splits,
        task="classification",
        notes=(*notes, *rare(counts, classes)),
        captions=tuple(names[code] for code in codes),
        files=values.paths,
        groups=groups,
        skipped=tuple(found.skipped),
    )


def _check(values: Cuttings, found: _Objects, progress: Progress) -> list[int]:
    """Cut out all of few boxes or some of many; returns the numbers of the samples that stay."""
    step = max(1, len(values) // CHECKED)
    chosen = np.arange(0, len(values), step)
    parts = portions(chosen, values.shape)
    cut = (
        why
        for part in parts
        for why in values.read(part, np.empty((len(part), *values.shape), np.uint8))
    )
    results = told(cut, len(chosen), "Cutting out objects", progress)
    bad = {
        number: why for number, why in zip(chosen.tolist(), results, strict=True) if why is not None
    }
    for index, why in bad.items():
        found.skipped.append(Skipped(os.path.basename(values.paths[index]), why))
    if len(bad) == len(values):
        raise DataError(f"no labelled box can be cut out ({next(iter(bad.values()))})")
    return values.without(bad)


def _objects(path: Path, progress: Progress) -> tuple[_Objects, tuple[str, ...]]:
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


def _coco(documents: list[Path], folder: Path) -> _Objects:
    found = _Objects()
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


def _read_coco(path: Path, document: Any, files: Callable[[str], str], found: _Objects) -> None:
    classes = {item["id"]: str(item["name"]) for item in document["categories"]}
    pictures = {item["id"]: str(item["file_name"]) for item in document["images"]}
    part = next(
        (known for word in re.split(r"[\W_\d]+", path.stem.lower()) if (known := split_in(word))),
        "",
    )
    missing: dict[str, int] = defaultdict(int)
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


def _yolo(folder: Path, progress: Progress) -> tuple[_Objects, tuple[str, ...]]:
    """A text file a picture, of the same name beside it or in "labels" instead of "images": a line
    a box with the number of its class, its centre, width and height in shares of the picture."""
    texts = every_file(folder, (".txt",))
    names, notes = _class_names(folder, texts)
    by_stem = {os.path.splitext(name)[0]: name for name in texts}
    found = _Objects()
    pictures = every_file(folder)
    for file in told(iter(pictures), len(pictures), f"Looking through {folder.name}", progress):
        stem = os.path.splitext(file)[0]
        start, _, end = stem.rpartition(f"{os.sep}images{os.sep}")
        text = by_stem.get(stem) or by_stem.get(f"{start}{os.sep}labels{os.sep}{end}")
        if text is None:
            continue  # a picture without objects has no file
        part = split_in(os.path.relpath(file, folder))
        for number, line in enumerate(_lines(text, found), 1):
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
    if not found.paths and not found.skipped:
        raise DataError(
            f"{folder} has neither annotations in COCO's form (.json) nor a text file with boxes "
            "for each picture (YOLO)"
        )
    return found, notes


def _lines(text: str, found: _Objects) -> list[str]:
    try:
        return Path(text).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        name = os.path.basename(text)
        found.skipped.append(Skipped(name, f"{name} cannot be read: {error.strerror or error}"))
        return []


def _class_names(folder: Path, texts: list[str]) -> tuple[dict[int, str], tuple[str, ...]]:
    """The names of classes from a file with one a line; the file is taken from ``texts``."""
    for file in [*texts, *every_file(folder, (".names",))]:
        if os.path.basename(file).lower() in _CLASS_FILES or file.endswith(".names"):
            if file in texts:
                texts.remove(file)
            lines = _lines(file, _Objects())
            return dict(enumerate(line.strip() for line in lines if line.strip())), ()
    return {}, (
        "The classes have no names: put a classes.txt with one a line beside the pictures.",
    )


SOURCE = Source(
    id="boxes",
    name="Images with boxes",
    icon="image",
    summary="Labelled boxes in COCO's or YOLO's form: each object is cut out and classified.",
    open=_open,
    family="pictures",
    place="either",
    suffixes=(".json", *SUFFIXES, ".txt"),
    readings=(ImageReading,),
    parameters=(
        Parameter(
            "path",
            "Folder",
            "path",
            "",
            "A folder of pictures with annotations: a COCO file (.json), or a text file for each "
            "picture (YOLO) and a classes.txt. Or the COCO file itself.",
        ),
        Parameter(
            "margin",
            "Margin",
            "float",
            0.1,
            "What is kept around each object on every side, as a share of its box.",
            minimum=0.0,
            maximum=2.0,
        ),
        *SIZE_PARAMETERS,
    ),
)
