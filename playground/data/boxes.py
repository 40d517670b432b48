"""Pictures with labelled boxes: COCO's JSON, or YOLO's text files.

A network learns to find the boxes in whole pictures; or to tell the objects apart, each cut out of
its picture.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path

import numpy as np
import numpy.typing as npt

from models.axes import image, vector
from models.parameters import Parameter
from playground.data.box_files import Box, Objects, read_boxes
from playground.data.box_pictures import SIDE, pictures_with_boxes
from playground.data.dataset import Column, Dataset, Groups, Indices, Skipped
from playground.data.errors import DataError
from playground.data.image_files import SUFFIXES
from playground.data.image_values import ImageFiles
from playground.data.images import SIZE_PARAMETERS, fitted_on_pixels, portions, told
from playground.data.labels import indexed, rare
from playground.data.reading import ImageReading
from playground.data.settings import SplitSettings
from playground.data.source import Options, Place, Progress, Source, located
from playground.data.splits import split

CHECKED = 2_000
"""Boxes up to which all are cut out when the data open, which finds the wrong ones."""


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


def _open(options: Options, place: Place, settings: SplitSettings, progress: Progress) -> Dataset:
    path = located(options["path"], place)
    progress(f"Looking through {path.name}", None)
    found, notes = read_boxes(path, progress)
    if options["task"] == "detection" and found.paths:
        return pictures_with_boxes(path, found, notes, options, settings, progress)
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


def _check(values: Cuttings, found: Objects, progress: Progress) -> list[int]:
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


SOURCE = Source(
    id="boxes",
    name="Images with boxes",
    icon="image",
    summary="Labelled boxes in COCO's or YOLO's form: to find objects, or to tell them apart.",
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
            "task",
            "Predict",
            "choice",
            "detection",
            "Whole pictures, in which the network finds the boxes; or each object cut out of its "
            "picture, to be classified.",
            choices=(("detection", "The boxes"), ("classification", "Each object's class")),
        ),
        Parameter(
            "margin",
            "Margin",
            "float",
            0.1,
            "What is kept around each object on every side, as a share of its box.",
            minimum=0.0,
            maximum=2.0,
            visible=lambda values: values.get("task") == "classification",
        ),
        replace(
            SIZE_PARAMETERS[0],
            help="Height and width that pictures are brought to. Empty: 64 for single objects; for "
            f"whole pictures their own where all are equal and small, otherwise {SIDE}.",
        ),
        *SIZE_PARAMETERS[1:],
    ),
)
