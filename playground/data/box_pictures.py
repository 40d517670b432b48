"""Whole pictures with their labelled boxes as the target: data for detection."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from models.axes import image
from playground.data.box_columns import MOST, boxes_column
from playground.data.box_files import Box, Objects
from playground.data.dataset import Column, Dataset
from playground.data.errors import DataError
from playground.data.image_files import Found
from playground.data.image_values import ImageFiles, parallel
from playground.data.images import (
    cache_note,
    chosen_reading,
    fitted_on_pixels,
    leave_out,
    own_splits,
    read_values,
    told,
)
from playground.data.labels import indexed
from playground.data.reading import ImageReading
from playground.data.settings import SplitSettings
from playground.data.source import Options, Progress
from playground.data.splits import split

SIDE = 128
"""Height and width, where nothing is set and pictures are large or differ."""
SEEN = 0.25
"""The share of a box that must lie in what the network sees."""

Size = tuple[int, int, int]
Floats = npt.NDArray[np.float32]


def pictures_with_boxes(
    path: Path,
    objects: Objects,
    notes: tuple[str, ...],
    options: Options,
    settings: SplitSettings,
    progress: Progress,
) -> Dataset:
    """Raises ``DataError`` where there is nothing to learn from."""
    known = dict(zip(objects.paths, objects.splits, strict=True)) | objects.empty
    found = Found(path if path.is_dir() else path.parent, list(known))
    parts = list(known.values())
    if all(parts) and "train" in parts and len(set(parts)) > 1:
        found.splits = parts
    sizes = _sizes(found, progress)
    reading = _reading(options, list(sizes.values()))
    files = ImageFiles(str(found.folder), found.paths, reading)
    values = read_values(found, files, progress)
    _check(found, objects)
    rows, classes, more = _rows(found.paths, sizes, objects, reading, str(path))
    splits = split(len(values), settings, own=own_splits(found))
    target = boxes_column(rows, classes, (reading.height, reading.width))
    names = tuple(os.path.basename(file) for file in found.paths)
    boxes = sum(map(len, rows))
    return Dataset(
        name=path.stem,
        summary=f"{len(values):,} images · {reading.height}×{reading.width} · {boxes:,} boxes of "
        f"{len(classes)} class{'es' * (len(classes) != 1)}",
        inputs={
            "image": Column(
                "image",
                image(reading.channels, reading.height, reading.width),
                values,
                fitted_on_pixels(values, splits["train"], settings.seed),
                reading=reading,
            )
        },
        targets={target.name: target},
        splits=splits,
        task="detection",
        notes=(*notes, *more, *cache_note(values)),
        captions=names,
        files=tuple(found.paths),
        skipped=(*objects.skipped, *found.skipped),
    )


def _sizes(found: Found, progress: Progress) -> dict[str, Size]:
    """Height, width and channels of every picture; those that are none are left out."""
    from playground import vision

    def look(path: str) -> Size | str:
        try:
            return vision.picture_size(Path(path))
        except vision.UnreadableImage as error:
            return str(error)

    count = len(found.paths)
    looked = told(
        parallel(look, found.paths), count, f"Looking through {found.folder.name}", progress
    )
    sizes = dict(zip(list(found.paths), looked, strict=True))
    bad = {i: size for i, size in enumerate(sizes.values()) if isinstance(size, str)}
    if len(bad) == count:
        raise DataError(f"none of the {count:,} pictures can be read ({next(iter(bad.values()))})")
    leave_out(found, bad)
    return {path: size for path, size in sizes.items() if not isinstance(size, str)}


def _reading(options: Options, sizes: list[Size]) -> ImageReading:
    same = len({size[:2] for size in sizes}) == 1 and max(sizes[0][:2]) <= SIDE
    return chosen_reading(
        {**options, "size": options["size"] or (None if same else [SIDE, SIDE])}, sizes
    )


def _check(found: Found, objects: Objects) -> None:
    if not set(found.paths) & set(objects.paths):
        reason = f" ({found.skipped[0].reason})" if found.skipped else ""
        raise DataError(f"no picture with a box can be read{reason}")


def _rows(
    paths: list[str],
    sizes: Mapping[str, Size],
    objects: Objects,
    reading: ImageReading,
    where: str,
) -> tuple[list[Floats], tuple[str, ...], tuple[str, ...]]:
    """Each picture's boxes (n, 5) in shares of what the network sees of it, the names of the
    classes, and notes."""
    readable = set(paths)
    boxes: dict[str, list[Box]] = defaultdict(list)
    for path, box in zip(objects.paths, objects.boxes, strict=True):
        if path in readable:
            boxes[path].append(box)
    labels, classes = indexed([box.label for path in paths for box in boxes[path]], where, least=1)
    rows, place, lost, most = [], 0, 0, 0
    for path in paths:
        here = boxes[path]
        numbers = labels[place : place + len(here)]
        place += len(here)
        corners, kept = _seen(here, sizes[path], reading)
        row = np.concatenate([corners, numbers[:, None]], 1)[kept].astype(np.float32)
        rows.append(row)
        lost, most = lost + int((~kept).sum()), max(most, len(row))
    if not any(map(len, rows)):
        raise DataError(f"{where} has no box that can be seen: set the fit to Add borders")
    return rows, classes, _notes(lost, most, sum(not len(row) for row in rows), reading)


def _seen(
    boxes: list[Box], size: Size, reading: ImageReading
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Corners (n, 4) in shares of what is seen of a picture, cut off at its edges, and which boxes
    are seen well enough."""
    from playground.vision import part_seen

    frame = (reading.height, reading.width)
    left, top, right, bottom = part_seen(size[:2], frame, reading.fit)
    shares = np.asarray([box.shares_of(size[0], size[1]) for box in boxes]).reshape(-1, 4)
    with np.errstate(over="ignore", invalid="ignore"):  # a box may be of any size
        whole = (shares - [left, top, left, top]) / ([right - left, bottom - top] * 2)
        cut = whole.clip(0, 1)
        areas = [(each[:, 2:] - each[:, :2]).prod(axis=1) for each in (whole, cut)]
    pixels = (cut[:, 2:] - cut[:, :2]) * frame[::-1]
    return cut, (areas[1] >= SEEN * areas[0]) & (pixels >= 1).all(axis=1)


def _notes(lost: int, most: int, empty: int, reading: ImageReading) -> tuple[str, ...]:
    notes = []
    if lost:
        more = "; with Add borders nothing is cut off" if reading.fit == "crop" else ""
        size = f"{reading.height}×{reading.width}"
        what = "1 box is" if lost == 1 else f"{lost:,} boxes are"
        notes.append(f"{what} cut off, or smaller than a pixel at {size}, and left out{more}.")
    if most > MOST:
        notes.append(f"Of pictures with more than {MOST} boxes, the {MOST} largest are kept.")
    if empty:
        what, them = ("1 picture has", "it") if empty == 1 else (f"{empty:,} pictures have", "them")
        notes.append(f"{what} no box: the network learns that there is nothing in {them}.")
    return tuple(notes)
