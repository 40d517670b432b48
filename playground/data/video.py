"""Clips of one's own by class, as a few frames each."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from models.axes import vector, video
from models.parameters import Parameter
from playground.data.cache import Cache, file_key
from playground.data.dataset import Column, Dataset, Indices, Skipped, Values
from playground.data.errors import DataError
from playground.data.image_files import Columns, Found, Media, find
from playground.data.images import groups_of, own_splits, skipped_note
from playground.data.labels import indexed, rare
from playground.data.settings import SplitSettings
from playground.data.source import Options, Place, Progress, Source, located
from playground.data.splits import split
from playground.data.video_decoder import Decoders
from playground.data.video_reading import MOST_FRAMES, SUFFIXES, VideoReading
from playground.preprocessing import Preprocessing, Scale, standardized

Pixels = npt.NDArray[np.uint8]

RESIDENT = 256 << 20
"""Bytes of frames up to which all clips are decoded when the data open."""

MEDIA = Media("clips", SUFFIXES)
_FITTED_ON = 100


@dataclass(frozen=True, slots=True, eq=False)
class Clips:
    """Clips that are decoded when they are wanted, and kept on disk once they were."""

    paths: tuple[Path, ...]
    reading: VideoReading
    decoders: Decoders
    cache: Cache | None
    dtype: np.dtype[Any] = field(default_factory=lambda: np.dtype(np.uint8))

    def __len__(self) -> int:
        return len(self.paths)

    def take(self, indices: Indices) -> Pixels:
        return np.stack(list(self.each(indices.tolist(), self.one)))

    def one(self, index: int) -> Pixels:
        """The frames T×C×H×W of a clip; raises ``DataError``."""
        path, reading = self.paths[index], self.reading
        if self.cache is None:
            return self.decoders.read(path, reading)
        try:
            key = file_key(str(path))
        except OSError:
            raise DataError(f"{path} does not exist any more") from None
        frames = np.empty((reading.frames, reading.channels, reading.height, reading.width), "u1")
        if not self.cache.read(key, frames):
            frames = self.decoders.read(path, reading)
            self.cache.write(key, frames)
        return frames

    def or_reason(self, index: int) -> Pixels | str:
        try:
            return self.one(index)
        except DataError as error:
            return str(error)

    def each(self, indices: list[int], work: Any) -> Iterator[Any]:
        """``work`` of each index in order, by as many threads as there are decoders."""
        pool = ThreadPoolExecutor(self.decoders.count, thread_name_prefix="clips")
        try:
            yield from pool.map(work, indices)
        finally:
            pool.shutdown(cancel_futures=True)


def _open(options: Options, place: Place, settings: SplitSettings, progress: Progress) -> Dataset:
    path = located(options["path"], place)
    progress(f"Looking through {path.name}", None)
    files = find(path, "auto", Columns(), "auto", MEDIA)
    reading = _reading(options)
    values = _values(files, reading, progress)
    labels, classes = indexed(files.labels, str(path))
    groups = groups_of(files)
    splits = split(len(labels), settings, labels, groups=groups, own=own_splits(files))
    size = f"{reading.height}×{reading.width} {'grey' if reading.channels == 1 else 'colour'}"
    return Dataset(
        name=path.stem,
        summary=f"{len(labels):,} clips · {reading.frames} frames of {size} · "
        f"{len(classes)} classes",
        inputs={
            "clip": Column(
                "clip",
                video(reading.frames, reading.channels, reading.height, reading.width),
                values,
                _preprocessing(values, splits["train"], settings.seed),
                reading=reading,
            )
        },
        targets={"label": Column("label", vector(1), labels, classes=classes)},
        splits=splits,
        task="classification",
        notes=(
            *skipped_note(files.skipped, "clips"),
            *rare(np.bincount(labels, minlength=len(classes)), classes),
        ),
        captions=tuple(Path(path).name for path in files.paths),
        files=tuple(files.paths),
        groups=groups,
        skipped=tuple(files.skipped),
    )


def _reading(options: Options) -> VideoReading:
    size = options["size"]
    height, width = size if isinstance(size, list) else (size, size)
    channels = 3 if options["colour"] else 1
    return VideoReading(
        options["frames"],
        channels,
        height,
        width,
        options["fit"],
        options["sampling"],
        options["stride"],
    )


def _values(files: Found, reading: VideoReading, progress: Progress) -> Values:
    """Small data are decoded at once, which also finds damaged clips; large ones when wanted."""
    paths = tuple(Path(path) for path in files.paths)
    shape = (reading.frames, reading.channels, reading.height, reading.width)
    cache = Cache.of(json.dumps(reading.to_json()), shape, np.uint8, len(paths))
    count = max(1, min(4, (os.cpu_count() or 2) - 1, len(paths)))
    clips = Clips(paths, reading, Decoders(count), cache)
    if len(paths) * int(np.prod(shape)) > RESIDENT:
        return clips
    result = np.empty((len(paths), *shape), np.uint8)
    good, skipped = [], []
    with clips.decoders:
        found = clips.each(list(range(len(paths))), clips.or_reason)
        for index, frames in enumerate(found):
            progress("Decoding the clips", index / len(paths))
            if isinstance(frames, str):
                skipped.append(Skipped(files.name(files.paths[index]), frames))
            else:
                result[len(good)] = frames
                good.append(index)
    if not good:
        reason = f" ({skipped[0].reason})" if skipped else ""
        raise DataError(f"none of the {len(paths):,} files in {files.folder} is a clip{reason}")
    files.keep(good, skipped)
    return result[: len(good)]


def _preprocessing(values: Values, train: Indices, seed: int) -> Preprocessing:
    """Scaling to 0…1, then mean 0 and deviation 1 a channel, fitted on (some of) the training
    split."""
    chosen = np.random.default_rng(seed).permutation(train)[:_FITTED_ON]
    if isinstance(values, np.ndarray):
        pixels = values[np.sort(chosen)]
    else:
        assert isinstance(values, Clips)
        found = (values.or_reason(int(index)) for index in np.sort(chosen))
        readable = [frames for frames in found if not isinstance(frames, str)]
        if not readable:
            raise DataError("none of the first clips can be read: look at them in a player")
        pixels = np.stack(readable)
    return Preprocessing((Scale(255.0), standardized(pixels / np.float32(255), axis=-3)))


SOURCE = Source(
    id="video",
    name="Video clips",
    icon="film",
    summary="Your own clips, in a subfolder for each class or listed in a CSV file.",
    open=_open,
    family="video",
    place="either",
    suffixes=(*SUFFIXES, ".csv", ".tsv"),
    readings=(VideoReading,),
    parameters=(
        Parameter(
            "path",
            "Folder or list",
            "path",
            "",
            "A folder with a subfolder for each class, or a CSV file with the columns file and "
            "label (and group: whole groups can be kept in one split).",
        ),
        Parameter(
            "frames",
            "Frames",
            "int",
            8,
            "How many frames of each clip the network sees.",
            minimum=1,
            maximum=MOST_FRAMES,
        ),
        Parameter(
            "sampling",
            "Which frames",
            "choice",
            "evenly",
            choices=(
                ("evenly", "Evenly, from first to last"),
                ("start", "One after the other, from the start"),
                ("middle", "One after the other, in the middle"),
            ),
        ),
        Parameter(
            "stride",
            "Stride",
            "int",
            1,
            "Take every frame (1), every second (2) …",
            minimum=1,
            maximum=1000,
            visible=lambda values: values.get("sampling") != "evenly",
        ),
        Parameter(
            "size",
            "Size",
            "ints",
            64,
            "Height and width that frames are brought to.",
            minimum=4,
            maximum=1024,
            unit="px",
        ),
        Parameter("colour", "Colour", "bool", True, "Off: grey, which is a third of the data."),
        Parameter(
            "fit",
            "Fit",
            "choice",
            "crop",
            "What happens to frames of other proportions.",
            choices=(
                ("crop", "Cut out the middle"),
                ("pad", "Add borders"),
                ("stretch", "Stretch"),
            ),
        ),
    ),
)
