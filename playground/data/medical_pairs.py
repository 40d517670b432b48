"""Scans and their masks: which class every pixel of a slice belongs to."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from models.axes import image
from playground.data.dataset import Column, Skipped
from playground.data.errors import DataError
from playground.data.image_files import Found, every_file
from playground.data.image_values import parallel
from playground.data.images import leave_out, told
from playground.data.medical_files import DICOM, NIFTI, read_scan
from playground.data.medical_reading import OUTSIDE, MedicalReading
from playground.data.medical_samples import Sample
from playground.data.source import Progress

Pixels = npt.NDArray[np.uint8]

IGNORED = 255
"""The class of pixels that count neither way."""

LARGEST = 2 << 30
"""Bytes of slices and masks, which are all kept in memory."""

MOST_CLASSES = 64


def mask_files(folder: Path, masks: Path) -> Found:
    """The scans in ``folder`` whose mask of the same name lies in ``masks``; the mask's path
    stands in the place of a label. Raises ``DataError``."""
    for place in (folder, masks):
        if not place.is_dir():
            raise DataError(f"{place} is no folder: choose the folders of scans and of masks")
    suffixes = (*NIFTI, *DICOM)
    known = {_stem(path): path for path in every_file(masks, suffixes)}
    found = Found(folder)
    for path in every_file(folder, suffixes):
        mask = known.get(_stem(path))
        if mask == path:  # the masks lie in the folder of the scans
            continue
        if mask is None:
            name = found.name(path)
            found.skipped.append(Skipped(name, f"{name} has no mask of its name in {masks.name}"))
        else:
            found.paths.append(path)
            found.labels.append(mask)
    if not found.paths:
        raise DataError(
            f"no scan in {folder} has a mask of the same name in {masks}: name them alike"
        )
    return found


def _stem(path: str) -> str:
    """A file's name without its suffix, and without the channel that nnU-Net numbers."""
    name = os.path.basename(path).lower()
    for suffix in sorted((*NIFTI, *DICOM), key=len, reverse=True):
        name = name.removesuffix(suffix)
    return re.sub(r"_0000$", "", name)


def read_masks(
    samples: Sequence[Sample], found: Found, reading: MedicalReading, progress: Progress
) -> tuple[Pixels, Column]:
    """The slices (N, 1, H, W) and the column of their masks; what cannot be read leaves ``found``.
    Raises ``DataError``."""
    size = len(samples) * reading.height * reading.breadth
    if 5 * size > LARGEST:
        raise DataError(
            f"{len(samples):,} slices and masks would take {5 * size / 2**30:.1f} GiB: make them "
            "smaller, or take fewer of each volume"
        )
    slices = np.empty((len(samples), *reading.shape), np.uint8)
    masks = np.empty((len(samples), *reading.shape), np.int32)

    def read(index: int) -> str | None:
        sample = samples[index]
        try:
            scan = read_scan([Path(path) for path in sample.paths])
            mask = read_scan([Path(found.labels[index])])
            if scan.values.shape != mask.values.shape:
                return f"{found.name(sample.paths[0])} and its mask are of different sizes"
            slices[index] = reading.prepared(scan, sample.place)
            masks[index] = reading.mask(mask, sample.place)
        except DataError as error:
            return str(error)
        return None

    count = len(samples)
    results = told(parallel(read, range(count)), count, "Decoding scans", progress)
    good = leave_out(found, {i: why for i, why in enumerate(results) if why is not None})
    if not good:
        raise DataError(f"no pair in {found.folder} can be read ({found.skipped[0].reason})")
    slices, masks = slices[good], masks[good]
    outside = masks == OUTSIDE
    numbers = np.unique(masks[~outside])
    if not 2 <= len(numbers) <= MOST_CLASSES:
        raise DataError(
            f"the masks hold {len(numbers):,} different numbers: a mask has a number a class, "
            f"from 2 to {MOST_CLASSES} of them"
        )
    names = tuple("background" if number == 0 else f"label {number}" for number in numbers)
    indices = np.searchsorted(numbers, masks).astype(np.uint8)
    indices[outside] = IGNORED
    shape = image(1, reading.height, reading.breadth)
    return slices, Column("mask", shape, indices, pixel_classes=names)
