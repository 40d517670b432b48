"""A folder of pictures: a subfolder a class, or a table with their labels."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from models.axes import image, vector
from models.parameters import Parameter
from playground.data.dataset import Column, Dataset, Groups, Indices, Skipped, Values
from playground.data.errors import DataError
from playground.data.image_files import SUFFIXES, TABLES, Columns, Found, find, label_parameters
from playground.data.image_values import ImageFiles, PixelFiles, parallel
from playground.data.labels import indexed, natural, rare
from playground.data.prepared import FITTED, PREPARED
from playground.data.reading import ImageReading
from playground.data.settings import SplitSettings
from playground.data.source import Options, Place, Progress, Source, located
from playground.data.splits import split
from playground.preprocessing import Preprocessing, Scale, standardized, standardized_counts

RESIDENT = 256 << 20
RESIDENT_FILES = 5_000
"""Bytes and number of pictures up to which all are decoded when the data open."""

_FITTED_ON = 2_000
_FITTED_ON_FILES = 256
"""Pictures that the mean is taken from: of those in memory, and of those in files."""

_PORTION = 32 << 20
"""Bytes of pixels that are decoded at a time to look at them."""

_HEADERS = 300
"""Files of a large folder whose size and colour are looked at."""

_ODD = 1_000
"""Files of another name than a picture's that are looked into."""


def open_images(
    options: Options, place: Place, settings: SplitSettings, progress: Progress
) -> Dataset:
    """The pictures that ``options`` mean; damaged files of small data are found at once, those of
    large data when they are wanted. Raises ``DataError``."""
    path = located(options["path"], place)
    progress(f"Looking through {path.name}", None)
    columns = Columns(*(options[f"{key}_column"] for key in ("file", "label", "group", "split")))
    found = find(path, options["labels"], columns, options["group"])
    numbers = _are_numbers(found.labels, options["target"], found.table)
    reading = chosen_reading(options, _sizes(found, progress))
    check_classes(found, "image", 1 if numbers else 2)
    values = _values(found, reading, progress)
    check_classes(found, "image", 1 if numbers else 2)
    size = f"{reading.height}×{reading.width} {'grey' if reading.channels == 1 else 'colour'}"
    prepared = PREPARED.find(options["prepared"])
    target, what, notes = _target(found, numbers)
    labels = None if numbers else np.asarray(target.values)
    groups = groups_of(found)
    splits = split(len(values), settings, labels, groups=groups, own=own_splits(found))
    if numbers:
        target = _scaled(target, splits["train"])
    return Dataset(
        name=path.stem if path.is_file() else path.name,
        summary=f"{len(values):,} images · {size} · {what}",
        inputs={
            "image": Column(
                "image",
                image(reading.channels, reading.height, reading.width),
                values,
                prepared.preprocessing
                if prepared
                else fitted_on_pixels(values, splits["train"], settings.seed),
                reading=reading,
            )
        },
        targets={target.name: target},
        splits=splits,
        task="regression" if numbers else "classification",
        notes=(*notes, *cache_note(values)),
        captions=tuple(os.path.basename(path) for path in found.paths),
        files=tuple(found.paths),
        groups=groups,
        skipped=tuple(found.skipped),
    )


def _sizes(found: Found, progress: Progress) -> list[tuple[int, int, int]]:
    """Height, width and channels from the headers of all files of a small folder, or of some of a
    large one. Files that are no pictures are skipped where they are looked at."""
    from playground import vision

    text = f"Looking through {found.folder.name}"
    odd = [i for i, path in enumerate(found.paths) if not path.lower().endswith(SUFFIXES)]
    count = len(found.paths)
    looked = range(count) if count <= 2_000 else range(0, count, max(1, count // _HEADERS))
    wanted = sorted({*looked, *odd[:_ODD]})

    def look(index: int) -> tuple[int, int, int] | str:
        try:
            return vision.picture_size(Path(found.paths[index]))
        except vision.UnreadableImage as error:
            return str(error)

    sizes, bad = [], dict.fromkeys(odd[_ODD:], "its name does not end as a picture's does")
    for index, size in zip(
        wanted, told(parallel(look, wanted), len(wanted), text, progress), strict=True
    ):
        if isinstance(size, str):
            bad[index] = size
        else:
            sizes.append(size)
    if not sizes:
        reason = f" ({next(iter(bad.values()))})" if bad else ""
        raise DataError(f"none of the {count:,} files in {found.folder} is an image{reason}")
    leave_out(found, bad)
    return sizes


def leave_out(found: Found, bad: dict[int, str]) -> list[int]:
    """Skip the files numbered in ``bad``, with why; returns the numbers of the others."""
    good = [index for index in range(len(found.paths)) if index not in bad]
    skipped = [Skipped(found.name(found.paths[i]), reason) for i, reason in sorted(bad.items())]
    if skipped:
        found.keep(good, skipped)
    return good


def check_classes(found: Found, word: str, least: int = 2) -> None:
    """Raises ``DataError`` where there are fewer classes; ``word`` is what a file is ("image")."""
    classes = sorted(set(found.labels))
    if len(classes) >= least:
        return
    reason = f" ({found.skipped[0].reason})" if found.skipped else ""
    if not classes:
        raise DataError(
            f"none of the {len(found.skipped):,} files in {found.folder} is "
            f"{'an' if word[0] in 'aeiou' else 'a'} {word}{reason}"
        )
    what = f"a label in {found.table}" if found.table else "a subfolder"
    raise DataError(
        f"{found.folder} has {word}s of one class only ({classes[0]}): add {what} for each "
        "class to tell apart"
    )


def chosen_reading(options: Options, sizes: Sequence[tuple[int, int, int]]) -> ImageReading:
    """How pictures become arrays: as set, otherwise from those that were looked at."""
    prepared = PREPARED.find(options.get("prepared", ""))
    if prepared is not None:
        return prepared.reading
    channels = {"auto": max(size[2] for size in sizes), "grey": 1, "colour": 3}
    wanted = options["size"]
    if wanted is None:
        seen = {size[:2] for size in sizes}
        only = next(iter(seen))
        wanted = list(only) if len(seen) == 1 and max(only) <= 128 else 64
    height, width = wanted if isinstance(wanted, list) else (wanted, wanted)
    return ImageReading(channels[options["channels"]], height, width, options["fit"])


def _values(found: Found, reading: ImageReading, progress: Progress) -> Values:
    return read_values(found, ImageFiles(str(found.folder), found.paths, reading), progress)


def read_values(
    found: Found, files: PixelFiles, progress: Progress, word: str = "images"
) -> Values:
    """Small data are decoded at once, which also finds damaged files; large ones when wanted. What
    cannot be read leaves ``found``."""
    size = int(np.prod(files.shape))
    count = len(files)
    if count > RESIDENT_FILES or size * count > RESIDENT:
        return _probed(found, files)
    pixels = np.empty((count, *files.shape), np.uint8)
    results = told(files.read(np.arange(count), pixels), count, f"Decoding {word}", progress)
    good = leave_out(found, {i: why for i, why in enumerate(results) if why is not None})
    return pixels if len(good) == count else pixels[good]


def _probed(found: Found, files: PixelFiles) -> PixelFiles:
    """``files`` without those of a few that cannot be read; the others are found when wanted."""
    bad: dict[int, str] = {}
    chosen = np.arange(0, len(files), max(1, len(files) // _FITTED_ON_FILES))
    for part in portions(chosen, files.shape):
        results = files.read(part, np.empty((len(part), *files.shape), np.uint8))
        bad |= {i: why for i, why in zip(part.tolist(), results, strict=True) if why is not None}
    return files.only(leave_out(found, bad))


def portions(indices: Indices, shape: tuple[int, ...]) -> list[Indices]:
    """``indices`` in parts, the pixels of each of which take little memory."""
    size = max(1, _PORTION // int(np.prod(shape)))
    return [indices[start : start + size] for start in range(0, len(indices), size)]


def fitted_on_pixels(values: Values, train: Indices, seed: int) -> Preprocessing:
    """Scaling to 0…1, then mean 0 and deviation 1 a channel, fitted on (some of) the training
    split."""
    resident = isinstance(values, np.ndarray)
    most = _FITTED_ON if resident else _FITTED_ON_FILES
    chosen = train
    if len(train) > most:
        chosen = np.sort(np.random.default_rng(seed).choice(train, most, replace=False))
    # how often each channel has each of the 256 values: quick, and in little memory
    counts: npt.NDArray[np.int64] = np.zeros((0, 256), np.int64)
    for sample in _readable(values, chosen):
        channels = np.moveaxis(sample, -3, 0).reshape(sample.shape[-3], -1)
        found = np.stack([np.bincount(channel, minlength=256) for channel in channels])
        counts = counts + found if len(counts) else found
    if not len(counts):
        raise DataError("none of the training pictures that were tried can be read")
    levels = np.arange(256, dtype=np.float32) / np.float32(255)
    return Preprocessing((Scale(255.0), standardized_counts(levels, counts, axis=-3)))


def _readable(values: Values, chosen: Indices) -> Iterator[npt.NDArray[np.uint8]]:
    """The samples of ``chosen`` that can be read, one by one."""
    if isinstance(values, np.ndarray):
        yield from (values[index] for index in chosen)
    elif isinstance(values, PixelFiles):
        for part in portions(chosen, values.shape):
            pixels = np.empty((len(part), *values.shape), np.uint8)
            good = [why is None for why in values.read(part, pixels)]
            yield from pixels[good]
    else:
        yield from values.take(chosen)


# --- targets, groups and splits -------------------------------------------------------------------


def _are_numbers(labels: Sequence[str], wanted: str, table: str) -> bool:
    """Whether labels are numbers to predict: as set, otherwise where a table has fractions."""
    if wanted == "auto":
        return bool(table) and any("." in text for text in labels) and all(map(_finite, labels))
    if wanted == "number" and not all(map(_finite, labels)):
        odd = next(text for text in labels if not _finite(text))
        raise DataError(f"the label {odd!r} is no number: predict classes instead")
    return wanted == "number"


def _finite(text: str) -> bool:
    try:
        return bool(np.isfinite(float(text)))
    except ValueError:
        return False


def _target(found: Found, numbers: bool) -> tuple[Column, str, tuple[str, ...]]:
    if numbers:
        values = np.asarray([float(text) for text in found.labels], np.float32)[:, None]
        if np.all(values == values[0]):
            raise DataError(f"{found.table} gives every picture the number {values[0, 0]:g}")
        return Column("value", vector(1), values), "predicts a number", ()
    labels, classes = indexed(found.labels, str(found.folder))
    column = Column("label", vector(1), labels, classes=classes)
    counts = np.bincount(labels, minlength=len(classes))
    return column, f"{len(classes)} classes", rare(counts, classes)


def _scaled(column: Column, train: Indices) -> Column:
    from dataclasses import replace

    values = column.take(train)
    return replace(column, preprocessing=Preprocessing((standardized(values, axis=-1),)))


def groups_of(found: Found) -> Groups | None:
    names = tuple(sorted(set(found.groups), key=natural))
    if len(names) < 2:
        return None
    number = {name: index for index, name in enumerate(names)}
    return Groups(found.group, np.asarray([number[g] for g in found.groups], np.int64), names)


def own_splits(found: Found) -> dict[str, Indices] | None:
    if not found.splits:
        return None
    names: npt.NDArray[Any] = np.asarray(found.splits)
    return {key: np.flatnonzero(names == key) for key in ("train", "validation", "test")}


def cache_note(values: Values) -> tuple[str, ...]:
    """Where large data cannot be kept decoded, that they cannot."""
    if not isinstance(values, PixelFiles) or not values.without_room:
        return ()
    return (
        "There is too little room on the disk to keep what was decoded: every epoch reads the "
        "files again.",
    )


def told(results: Iterator[Any], count: int, text: str, progress: Progress) -> Iterator[Any]:
    """``results``, telling now and then how many there were."""
    for number, result in enumerate(results):
        if number % 200 == 0:
            progress(text, number / count)
        yield result


def _fitted_here(values: Options) -> bool:
    return bool(values.get("prepared", FITTED) == FITTED)


PREPARED_PARAMETER = Parameter(
    "prepared",
    "Prepare for",
    "choice",
    FITTED,
    "A network that was trained elsewhere needs pictures as it knows them: their size, what is cut "
    "out, and how bright they are.",
    choices=((FITTED, "A network of your own"), *((item.id, item.name) for item in PREPARED)),
)
SIZE_PARAMETERS = (
    Parameter(
        "size",
        "Size",
        "ints",
        None,
        "Height and width that pictures are brought to. Empty: their own where all are equal "
        "and small, otherwise 64.",
        minimum=4,
        maximum=4096,
        optional=True,
        unit="px",
        visible=_fitted_here,
    ),
    Parameter(
        "channels",
        "Colour",
        "choice",
        "auto",
        choices=(("auto", "Automatic"), ("colour", "Colour"), ("grey", "Grey")),
        visible=_fitted_here,
    ),
    Parameter(
        "fit",
        "Fit",
        "choice",
        "crop",
        "What happens to pictures of other proportions.",
        choices=(
            ("crop", "Cut out the middle"),
            ("pad", "Add borders"),
            ("stretch", "Stretch"),
        ),
        visible=_fitted_here,
    ),
)


SOURCE = Source(
    id="images",
    name="Image folder",
    icon="image",
    summary="Your own pictures: in a subfolder for each class, or with a table of labels.",
    open=open_images,
    family="pictures",
    place="either",
    suffixes=(*SUFFIXES, *TABLES, ".txt"),
    readings=(ImageReading,),
    parameters=(
        Parameter(
            "path",
            "Folder",
            "path",
            "",
            "A folder with a subfolder for each class (also within train, val and test), with a "
            "table of file names and labels, or a list of files.",
        ),
        PREPARED_PARAMETER,
        *SIZE_PARAMETERS,
        Parameter(
            "target",
            "Predict",
            "choice",
            "auto",
            "Automatic predicts a number where the table's labels are fractions.",
            choices=(("auto", "Automatic"), ("class", "A class"), ("number", "A number")),
        ),
        *label_parameters("pictures"),
    ),
)
