"""Pairs of pictures: an input with the picture, or the mask of classes, that belongs to it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from models.axes import image
from models.parameters import Parameter
from playground.data.dataset import Column, Dataset, Skipped, Values
from playground.data.errors import DataError
from playground.data.image_files import (
    SUFFIXES,
    TABLES,
    Columns,
    Found,
    every_file,
    find,
    split_in,
)
from playground.data.image_values import CACHED_FROM, ImageFiles, PixelFiles, parallel
from playground.data.images import (
    RESIDENT,
    RESIDENT_FILES,
    SIZE_PARAMETERS,
    chosen_reading,
    fitted_on_pixels,
    leave_out,
    own_splits,
    told,
)
from playground.data.reading import LONGEST_SIDE, ImageReading, Named, positive
from playground.data.settings import SplitSettings
from playground.data.source import Options, Place, Progress, Source, located
from playground.data.splits import split

IGNORED = 255
"""The index of pixels that belong to no class."""

_INPUTS = frozenset("image images img imgs input inputs photo photos x a source".split())
_TARGETS = frozenset(
    "mask masks label labels target targets annotation annotations segmentation segmentations "
    "gt groundtruth ground_truth y b output outputs".split()
)
_ENDING = re.compile(
    r"[_\-. ](mask|label|labels|target|seg|segmentation|gt|out|output|input|image|img)$", re.I
)
_TARGET_ENDINGS = frozenset("mask label labels target seg segmentation gt out output".split())
_LOOKED = 60
"""Masks whose values are looked at, to tell the classes of a large folder."""

_MOST_CLASSES = 64


@dataclass(frozen=True, slots=True)
class MaskReading:
    """A mask of class indices 1×H×W: the place of each pixel's value in ``values``; all other
    values become 255."""

    height: int
    width: int
    fit: str
    values: tuple[int, ...]
    kind: ClassVar[str] = "mask"

    def read(self, text: str) -> list[Named]:
        from playground import vision

        try:
            found = vision.read_values(Path(text))
        except vision.UnreadableImage as error:
            raise DataError(str(error)) from None
        indices = np.full(found.shape, IGNORED, np.uint8)
        for index, value in enumerate(self.values):
            indices[found == value] = index
        size = (self.height, self.width)
        pixels = vision.fitted(indices[:, :, None], size, self.fit, nearest=True)
        return [(text, pixels.transpose(2, 0, 1))]

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "height": self.height,
            "width": self.width,
            "fit": self.fit,
            "values": list(self.values),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> MaskReading:
        height, width = (positive(data[key]) for key in ("height", "width"))
        values = tuple(data["values"])
        if max(height, width) > LONGEST_SIDE or len(values) > _MOST_CLASSES:
            raise ValueError(
                f"a mask has sides up to {LONGEST_SIDE} and at most {_MOST_CLASSES} values"
            )
        if not all(isinstance(item, int) and 0 <= item < 1 << 32 for item in values):
            raise ValueError("the values of a mask are whole numbers")
        if data["fit"] not in ("crop", "pad", "stretch"):
            raise ValueError("the fit is crop, pad or stretch")
        return cls(height, width, data["fit"], values)


class MaskFiles(PixelFiles):
    """Masks (N, 1, H, W) of class indices."""

    def __init__(self, folder: str, paths: Sequence[str], reading: MaskReading) -> None:
        shape = (1, reading.height, reading.width)
        super().__init__(folder, paths, reading, shape, len(paths) >= CACHED_FROM)
        self.reading = reading

    def decoded(self, index: int) -> npt.NDArray[np.uint8]:
        return np.asarray(self.reading.read(self.paths[index])[0][1], np.uint8)


def _open(options: Options, place: Place, settings: SplitSettings, progress: Progress) -> Dataset:
    path = located(options["path"], place)
    other = located(options["target_path"], place) if options["target_path"] else None
    progress(f"Looking through {path.name}", None)
    found, targets = _paired(path, other)
    sizes = _sizes(found, targets, progress)
    masks = _are_masks(options["task"], targets)
    reading = chosen_reading(options, [size for size, _ in sizes])
    files: tuple[PixelFiles, PixelFiles]
    names: tuple[str, ...] = ()
    if masks:
        values, names = _classes(targets, options["classes"], progress)
        mask = MaskReading(reading.height, reading.width, reading.fit, values)
        files = (_pictures(found, found.paths, reading), MaskFiles("masks", targets, mask))
    else:
        channels = 1 if all(size[2] == 1 for _, size in sizes) else 3
        result = ImageReading(channels, reading.height, reading.width, reading.fit)
        files = (_pictures(found, found.paths, reading), _pictures(found, targets, result))
    inputs, outputs = _values(found, files, progress)
    splits = split(len(inputs), settings, own=own_splits(found))
    shape = (reading.height, reading.width)
    name = "mask" if masks else "picture"
    target = Column(
        name,
        image(files[1].shape[0], *shape),
        outputs,
        pixel_classes=names,
        **({} if masks else {"preprocessing": _fitted(outputs, splits, settings)}),
    )
    what = f"{len(names)} classes of pixels" if masks else "image to image"
    return Dataset(
        name=path.stem if path.is_file() else path.name,
        summary=f"{len(inputs):,} pairs of images · {shape[0]}×{shape[1]} · {what}",
        inputs={
            "image": Column(
                "image",
                image(reading.channels, *shape),
                inputs,
                _fitted(inputs, splits, settings),
                reading=reading,
            )
        },
        targets={name: target},
        splits=splits,
        task="segmentation" if masks else "image",
        captions=tuple(os.path.basename(file) for file in found.paths),
        files=tuple(found.paths),
        skipped=tuple(found.skipped),
    )


def _pictures(found: Found, paths: Sequence[str], reading: ImageReading) -> ImageFiles:
    return ImageFiles(str(found.folder), paths, reading)


def _fitted(values: Values, splits: Mapping[str, Any], settings: SplitSettings) -> Any:
    return fitted_on_pixels(values, splits["train"], settings.seed)


# --- which belong together ------------------------------------------------------------------------


def _paired(path: Path, other: Path | None) -> tuple[Found, list[str]]:
    """Inputs with their targets, in the same order; raises ``DataError`` where there are none."""
    if path.suffix.lower() in TABLES and path.is_file():
        found = find(path, "auto", Columns(), "auto")
        return found, [_beside(path.parent, text) for text in found.labels]
    for folder in (path, other):
        if folder is not None and not folder.is_dir():
            raise DataError(f"{folder} is no folder: choose the folder of pictures")
    sides: tuple[dict[str, str], dict[str, str]] = ({}, {})
    if other is not None:
        for side, folder in zip(sides, (path, other), strict=True):
            for file in every_file(folder):
                side.setdefault(_key(file, folder)[0], file)
    else:
        for file in every_file(path):
            key, target = _key(file, path)
            sides[target].setdefault(key, file)
    inputs, targets = sides
    found = Found(path)
    for key, file in inputs.items():
        if key not in targets:
            name = found.name(file)
            found.skipped.append(Skipped(name, f"{name} has no picture that belongs to it"))
            continue
        found.paths.append(file)
        found.splits.append(split_in(os.path.relpath(file, path)))
    if not found.paths:
        raise DataError(
            f"{path} has no pairs of pictures: put them into two folders (images and masks) with "
            "equal names, or end the names of the masks with _mask"
        )
    if not all(found.splits) or len(set(found.splits)) < 2:
        found.splits = []
    return found, [targets[key] for key, file in inputs.items() if key in targets]


def _key(file: str, folder: Path) -> tuple[str, bool]:
    """What a picture shares with its partner, and whether it is a target: by a folder's name, or
    by the end of its own."""
    relative = os.path.splitext(os.path.relpath(file, folder))[0]
    *folders, name = Path(relative).parts
    ending = _ENDING.search(name)
    bare = name[: ending.start()] if ending else name
    target = ending is not None and ending[1].lower() in _TARGET_ENDINGS
    kept = []
    for part in folders:
        if part.lower() in _TARGETS:
            target = True
        elif part.lower() not in _INPUTS:
            kept.append(part)
    return "/".join([*kept, bare]), target


def _beside(folder: Path, name: str) -> str:
    return os.path.normpath(folder / name.replace("\\", os.sep))


# --- what they are --------------------------------------------------------------------------------

Size = tuple[int, int, int]


def _sizes(found: Found, targets: list[str], progress: Progress) -> list[tuple[Size, Size]]:
    """Height, width and channels of (some of) the pairs; those that cannot be read are left out of
    ``found`` and ``targets``."""
    from playground import vision

    count = len(found.paths)
    chosen = list(range(0, count, max(1, count // 300)))

    def look(index: int) -> tuple[Size, Size] | str:
        try:
            return (
                vision.picture_size(Path(found.paths[index])),
                vision.picture_size(Path(targets[index])),
            )
        except vision.UnreadableImage as error:
            return str(error)

    sizes, bad = [], {}
    text = f"Looking through {found.folder.name}"
    for index, size in zip(
        chosen, told(parallel(look, chosen), len(chosen), text, progress), strict=True
    ):
        if isinstance(size, str):
            bad[index] = size
        else:
            sizes.append(size)
    if not sizes:
        raise DataError(f"no pair in {found.folder} can be read ({next(iter(bad.values()))})")
    _leave_out(found, targets, bad)
    return sizes


def _leave_out(found: Found, targets: list[str], bad: dict[int, str]) -> list[int]:
    good = leave_out(found, bad)
    targets[:] = [targets[index] for index in good]
    return good


def _are_masks(wanted: str, targets: Sequence[str]) -> bool:
    """As set; otherwise whether most of the first targets are grey or have a palette, with few
    values."""
    if wanted != "auto":
        return wanted == "segmentation"
    from playground import vision

    few = 0
    for path in targets[:_LOOKED]:
        with suppress(vision.UnreadableImage):
            few += len(np.unique(vision.read_values(Path(path)))) <= _MOST_CLASSES // 2
    return 2 * few > len(targets[:_LOOKED])


def _classes(
    targets: Sequence[str], names: str, progress: Progress
) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """The values that masks have, ascending, with the names of their classes."""
    from playground import vision

    chosen = targets[:: max(1, len(targets) // _LOOKED)]
    seen: set[int] = set()

    def look(path: str) -> set[int]:
        try:
            return set(np.unique(vision.read_values(Path(path))).tolist())
        except vision.UnreadableImage:
            return set()  # told when it is decoded

    for found in told(parallel(look, chosen), len(chosen), "Looking at masks", progress):
        seen |= found
    if len(seen) > 2:
        seen.discard(IGNORED)  # beside only one other value it is the object
    if not 2 <= len(seen) <= _MOST_CLASSES or min(seen) < 0:
        raise DataError(
            f"the masks have {len(seen)} different values: segmentation needs 2 to "
            f"{_MOST_CLASSES}, one for each class; otherwise predict a picture"
        )
    values = tuple(sorted(seen))
    given = [name.strip() for name in names.split(",") if name.strip()]
    if given and len(given) != len(values):
        raise DataError(
            f"there are {len(given)} names of classes, but the masks have the values "
            f"{', '.join(map(str, values))}: give a name for each"
        )
    binary = len(values) == 2 and values[0] == 0
    usual = ("background", "object") if binary else tuple(map(str, values))
    return values, tuple(given) or usual


def _values(
    found: Found, files: tuple[PixelFiles, PixelFiles], progress: Progress
) -> tuple[Values, Values]:
    """Both sides: of small data decoded at once, without the pairs that cannot be read."""
    count = len(found.paths)
    size = sum(int(np.prod(side.shape)) for side in files)
    if count > RESIDENT_FILES or count * size > RESIDENT:
        return files
    bad: dict[int, str] = {}
    arrays = [np.empty((count, *side.shape), np.uint8) for side in files]
    for side, pixels in zip(files, arrays, strict=True):
        results = told(side.read(np.arange(count), pixels), count, "Decoding images", progress)
        bad |= {index: why for index, why in enumerate(results) if why is not None}
    if len(bad) == count:
        raise DataError(f"no pair in {found.folder} can be read ({bad[0]})")
    good = leave_out(found, bad)
    return arrays[0][good], arrays[1][good]


SOURCE = Source(
    id="pairs",
    name="Pairs of images",
    icon="image",
    summary="Each image with its mask of classes, or with the image that is to be made of it.",
    open=_open,
    family="pictures",
    place="either",
    suffixes=(*SUFFIXES, *TABLES),
    readings=(ImageReading,),
    parameters=(
        Parameter(
            "path",
            "Folder",
            "path",
            "",
            "A folder with images and masks in two folders of it, or with names that end in _mask; "
            "or a table (CSV) with two columns of file names.",
        ),
        Parameter(
            "target_path",
            "Targets",
            "path",
            "",
            "The folder of masks or pictures, where it is another one.",
        ),
        Parameter(
            "task",
            "Predict",
            "choice",
            "auto",
            "Automatic predicts classes where the targets are grey or indexed with few values.",
            choices=(
                ("auto", "Automatic"),
                ("segmentation", "The class of every pixel"),
                ("image", "A picture"),
            ),
        ),
        Parameter(
            "classes",
            "Names of classes",
            "text",
            "",
            "With commas, in the order of the masks' values. Of several values, 255 is no class.",
            visible=lambda values: values.get("task") != "image",
        ),
        *SIZE_PARAMETERS,
    ),
)
