"""A folder of pictures, a subfolder a class."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from models.axes import image, vector
from models.parameters import Parameter
from playground.data.dataset import Column, Dataset, Indices, Values
from playground.data.errors import DataError
from playground.data.labels import indexed, natural, rare
from playground.data.reading import ImageReading
from playground.data.settings import SplitSettings
from playground.data.source import Options, Place, Progress, Source, located
from playground.data.splits import split
from playground.preprocessing import Preprocessing, Scale, standardized

Pixels = npt.NDArray[np.uint8]

RESIDENT = 256 << 20
"""Bytes of decoded pictures up to which all are decoded when the data open."""

_FITTED_ON = 2000
_LISTED = 5
_IGNORED = {"thumbs.db", "desktop.ini"}


@dataclass(frozen=True, slots=True, eq=False)
class ImageFiles:
    """Pictures that are decoded when they are wanted, by a few threads."""

    paths: tuple[Path, ...]
    reading: ImageReading
    dtype: np.dtype[Any] = field(default_factory=lambda: np.dtype(np.uint8))

    def __len__(self) -> int:
        return len(self.paths)

    def take(self, indices: Indices) -> Pixels:
        paths = [self.paths[index] for index in indices]
        size = (len(paths), self.reading.channels, self.reading.height, self.reading.width)
        result = np.empty(size, np.uint8)
        for place, pixels in enumerate(_parallel(self._decoded, paths)):
            result[place] = pixels
        return result

    def _decoded(self, path: Path) -> npt.NDArray[Any]:
        return self.reading.read(str(path))[0][1]


@dataclass(slots=True)
class _Files:
    """What was found in a folder: pictures with their class, and what is no picture."""

    paths: list[Path] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    sizes: list[tuple[int, int, int]] = field(default_factory=list)
    skipped: list[tuple[Path, str]] = field(default_factory=list)


def _open(options: Options, place: Place, settings: SplitSettings, progress: Progress) -> Dataset:
    folder = located(options["path"], place)
    progress(f"Looking through {folder.name}", None)
    files = _identified(folder, _listed(folder), progress)
    _check_classes(folder, files)
    reading = _reading(options, files)
    values, decoded = _values(files, reading, progress)
    _check_classes(folder, decoded)
    labels, classes = indexed(decoded.labels, str(folder))
    splits = split(len(labels), settings, labels)
    size = f"{reading.height}×{reading.width} {'grey' if reading.channels == 1 else 'colour'}"
    return Dataset(
        name=folder.name,
        summary=f"{len(labels):,} images · {size} · {len(classes)} classes",
        inputs={
            "image": Column(
                "image",
                image(reading.channels, reading.height, reading.width),
                values,
                _preprocessing(values, splits["train"], settings.seed),
                reading=reading,
            )
        },
        targets={"label": Column("label", vector(1), labels, classes=classes)},
        splits=splits,
        task="classification",
        notes=(
            *_skipped(folder, decoded.skipped),
            *rare(np.bincount(labels, minlength=len(classes)), classes),
        ),
        captions=tuple(path.name for path in decoded.paths),
    )


def _listed(folder: Path) -> list[tuple[Path, str]]:
    """Every file in a subfolder of ``folder``, with that subfolder's name, in a fixed order."""
    try:
        entries = sorted(folder.iterdir(), key=lambda path: natural(path.name))
    except FileNotFoundError:
        raise DataError(f"{folder} does not exist: choose the folder again") from None
    except NotADirectoryError:
        raise DataError(f"{folder} is a file: choose the folder that holds the classes") from None
    except OSError as error:
        raise DataError(f"{folder} cannot be read: {error.strerror or error}") from None
    found = []
    for entry in entries:
        if not entry.is_dir() or _is_hidden(entry.name):
            continue
        for where, folders, names in os.walk(entry):
            folders[:] = sorted(name for name in folders if not _is_hidden(name))
            found += [
                (Path(where, name), entry.name)
                for name in sorted(names, key=natural)
                if not _is_hidden(name)
            ]
    if not found:
        raise DataError(
            f"{folder} has no subfolders with images: put the images of each class into a "
            "subfolder of the class's name"
        )
    return found


def _is_hidden(name: str) -> bool:
    return name.startswith((".", "__MACOSX")) or name.lower() in _IGNORED


def _identified(folder: Path, found: list[tuple[Path, str]], progress: Progress) -> _Files:
    """The files whose headers are those of pictures."""
    from playground import vision

    def look(path: Path) -> tuple[int, int, int] | str:
        try:
            return vision.picture_size(path)
        except vision.UnreadableImage as error:
            return str(error)

    files = _Files()
    text = f"Looking through {folder.name}"
    results = _told(_parallel(look, [path for path, _ in found]), len(found), text, progress)
    for (path, label), size in zip(found, results, strict=True):
        if isinstance(size, str):
            files.skipped.append((path, size))
        else:
            files.paths.append(path)
            files.labels.append(label)
            files.sizes.append(size)
    return files


def _check_classes(folder: Path, files: _Files) -> None:
    classes = sorted(set(files.labels))
    if len(classes) >= 2:
        return
    reason = f" ({files.skipped[0][1]})" if files.skipped else ""
    if not classes:
        raise DataError(f"none of the {len(files.skipped):,} files in {folder} is an image{reason}")
    raise DataError(
        f"{folder} has images of one class only ({classes[0]}): add a subfolder for each "
        "class to tell apart"
    )


def _reading(options: Options, files: _Files) -> ImageReading:
    """How pictures become arrays: as set, otherwise from the first thousand of them."""
    sample = files.sizes[:: max(1, len(files.sizes) // 1000)]
    channels = {"auto": max(size[2] for size in sample), "grey": 1, "colour": 3}
    wanted = options["size"]
    if wanted is None:
        sizes = {size[:2] for size in sample}
        only = next(iter(sizes))
        wanted = list(only) if len(sizes) == 1 and max(only) <= 128 else 64
    height, width = wanted if isinstance(wanted, list) else (wanted, wanted)
    return ImageReading(channels[options["channels"]], height, width, options["fit"])


def _values(files: _Files, reading: ImageReading, progress: Progress) -> tuple[Values, _Files]:
    """Small data are decoded at once, which also finds damaged files; large ones when wanted."""
    size = reading.channels * reading.height * reading.width
    if size * len(files.paths) > RESIDENT:
        return ImageFiles(tuple(files.paths), reading), files

    def decode(path: Path) -> npt.NDArray[Any] | str:
        try:
            return reading.read(str(path))[0][1]
        except DataError as error:
            return str(error)

    good = _Files(skipped=list(files.skipped))
    pixels = np.empty((len(files.paths), reading.channels, reading.height, reading.width), np.uint8)
    results = _told(_parallel(decode, files.paths), len(files.paths), "Decoding images", progress)
    for path, label, array in zip(files.paths, files.labels, results, strict=True):
        if isinstance(array, str):
            good.skipped.append((path, array))
        else:
            pixels[len(good.paths)] = array
            good.paths.append(path)
            good.labels.append(label)
    return pixels[: len(good.paths)], good


def _preprocessing(values: Values, train: Indices, seed: int) -> Preprocessing:
    """Scaling to 0…1, then mean 0 and deviation 1 a channel, fitted on (some of) the training
    split."""
    chosen = train
    if len(train) > _FITTED_ON:
        chosen = np.sort(np.random.default_rng(seed).choice(train, _FITTED_ON, replace=False))
    pixels = values[chosen] if isinstance(values, np.ndarray) else values.take(chosen)
    return Preprocessing((Scale(255.0), standardized(pixels / np.float32(255), axis=-3)))


def _skipped(folder: Path, skipped: Sequence[tuple[Path, str]]) -> tuple[str, ...]:
    if not skipped:
        return ()
    count = len(skipped)
    what = "1 file was" if count == 1 else f"{count:,} files were"
    listed = [str(path.relative_to(folder)) for path, _ in skipped[:_LISTED]]
    more = f" and {count - _LISTED:,} more" if count > _LISTED else ""
    first = f"{what} skipped because they cannot be read as images: {', '.join(listed)}{more}."
    return (first.replace("they cannot", "it cannot") if count == 1 else first,)


def _told(results: Iterator[Any], count: int, text: str, progress: Progress) -> Iterator[Any]:
    """``results``, telling now and then how many there were."""
    for number, result in enumerate(results):
        if number % 200 == 0:
            progress(text, number / count)
        yield result


def _parallel(work: Callable[[Path], Any], paths: Sequence[Path]) -> Iterator[Any]:
    """``map`` by a few threads, which end with it; decoders release the interpreter's lock."""
    workers = max(1, min(4, (os.cpu_count() or 2) - 1, len(paths)))
    pool = ThreadPoolExecutor(workers, thread_name_prefix="decode")
    try:
        yield from pool.map(work, paths)
    finally:
        pool.shutdown(cancel_futures=True)


SOURCE = Source(
    id="images",
    name="Image folder",
    icon="image",
    summary="Your own pictures, in a subfolder for each class.",
    open=_open,
    family="pictures",
    place="folder",
    suffixes=(".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff", ".gif"),
    readings=(ImageReading,),
    parameters=(
        Parameter("path", "Folder", "path", "", "A folder with a subfolder for each class."),
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
        ),
        Parameter(
            "channels",
            "Colour",
            "choice",
            "auto",
            choices=(("auto", "Automatic"), ("colour", "Colour"), ("grey", "Grey")),
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
        ),
    ),
)
