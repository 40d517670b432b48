"""Clips of one's own by class, as a few frames each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from models.axes import vector, video
from models.parameters import Parameter
from playground.compat import usable_cores
from playground.data.dataset import Column, Dataset
from playground.data.errors import DataError
from playground.data.image_files import Columns, Media, find
from playground.data.image_values import PixelFiles
from playground.data.images import (
    fitted_on_pixels,
    groups_of,
    own_splits,
    read_values,
)
from playground.data.labels import indexed, rare
from playground.data.settings import SplitSettings
from playground.data.source import Options, Place, Progress, Source, located
from playground.data.splits import split
from playground.data.video_decoder import Decoders
from playground.data.video_reading import MOST_FRAMES, MOST_STRIDE, SUFFIXES, VideoReading

Pixels = npt.NDArray[np.uint8]

MEDIA = Media("clips", SUFFIXES)


class Clips(PixelFiles):
    """Clips (N, T, C, H, W) uint8, decoded in processes of their own."""

    def __init__(self, folder: str, paths: Sequence[str], reading: VideoReading) -> None:
        shape = (reading.frames, reading.channels, reading.height, reading.width)
        super().__init__(folder, paths, reading, shape, cached=True)
        self.reading = reading
        self.decoders = Decoders(min(usable_cores(), max(1, len(paths))))

    def decoded(self, index: int) -> Pixels:
        return self.decoders.read(Path(self.paths[index]), self.reading)


def _open(options: Options, place: Place, settings: SplitSettings, progress: Progress) -> Dataset:
    path = located(options["path"], place)
    progress(f"Looking through {path.name}", None)
    files = find(path, "auto", Columns(), "auto", MEDIA)
    reading = _reading(options)
    clips = Clips(str(files.folder), files.paths, reading)
    with clips.decoders:
        values = read_values(files, clips, progress, "clips")
    if not len(values):
        raise DataError(
            f"none of the {len(files.skipped):,} files in {files.folder} is a clip "
            f"({files.skipped[0].reason})"
        )
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
                fitted_on_pixels(values, splits["train"], settings.seed),
                reading=reading,
            )
        },
        targets={"label": Column("label", vector(1), labels, classes=classes)},
        splits=splits,
        task="classification",
        notes=rare(np.bincount(labels, minlength=len(classes)), classes),
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
            maximum=MOST_STRIDE,
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
