"""Sounds: a subfolder a class, or a table with labels, as waveforms of one length and rate."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from models.axes import sequence, vector
from models.parameters import Parameter
from playground.data import sound_files
from playground.data.dataset import Column, Dataset, Values
from playground.data.image_files import TABLES, Columns, Found, Media, find, label_parameters
from playground.data.image_values import parallel
from playground.data.images import check_classes, groups_of, leave_out, own_splits, told
from playground.data.labels import indexed, rare
from playground.data.settings import SplitSettings
from playground.data.sound_files import SUFFIXES, Info, UnreadableSound
from playground.data.sound_reading import MOST_SECONDS, SoundFiles, SoundReading
from playground.data.source import Options, Place, Progress, Source, located
from playground.data.splits import split

SOUNDS = Media("sounds", SUFFIXES)

RESIDENT = 256 << 20
"""Bytes of decoded sounds up to which all are decoded when the data open."""

USUAL_RATE = 16_000
LONGEST_GUESS = 5.0


def open_sounds(
    options: Options, place: Place, settings: SplitSettings, progress: Progress
) -> Dataset:
    """The sounds that ``options`` mean, as waveforms T×1. Files that are no sounds are skipped;
    those of large data that turn out damaged are found when they are wanted. Raises
    ``DataError``."""
    path = located(options["path"], place)
    progress(f"Looking through {path.name}", None)
    columns = Columns(*(options[f"{key}_column"] for key in ("file", "label", "group", "split")))
    found = find(path, options["labels"], columns, options["group"], SOUNDS)
    infos = _infos(found, progress)
    reading = _reading(options, infos)
    files = len(found.paths)
    starts = _windows(found, reading, infos)
    values = _values(found, reading, starts, progress)
    labels, classes = indexed(found.labels, str(found.folder))
    if reading.take == "windows" and not found.groups:
        found.groups, found.group = list(found.paths), "file"
    groups = groups_of(found)
    splits = split(
        len(values),
        settings,
        labels,
        own=own_splits(found),
        groups=groups,
        together=reading.take == "windows" and files >= 3 * len(classes),
    )
    length = f"{reading.seconds:.3g} s at {reading.rate:,} Hz"
    return Dataset(
        name=path.stem if path.is_file() else path.name,
        summary=f"{len(values):,} sounds · {length} · {len(classes)} classes",
        inputs={"sound": Column("sound", sequence(reading.steps, 1), values, reading=reading)},
        targets={"label": Column("label", vector(1), labels, classes=classes)},
        splits=splits,
        task="classification",
        notes=rare(np.bincount(labels, minlength=len(classes)), classes),
        captions=tuple(
            _caption(path, start if reading.take == "windows" else 0.0)
            for path, start in zip(found.paths, starts, strict=True)
        ),
        files=tuple(found.paths),
        groups=groups,
        skipped=tuple(found.skipped),
    )


def _caption(path: str, start: float) -> str:
    name = os.path.basename(path)
    return f"{name}, {start:.4g} s" if start else name


def _infos(found: Found, progress: Progress) -> list[Info]:
    """What the headers say; files that are no sounds are skipped."""

    def header(path: str) -> Info | str:
        try:
            return sound_files.look(Path(path))
        except UnreadableSound as error:
            return str(error)

    text, count = f"Looking through {found.folder.name}", len(found.paths)
    results = list(told(parallel(header, found.paths), count, text, progress))
    bad = {index: item for index, item in enumerate(results) if isinstance(item, str)}
    leave_out(found, bad)
    check_classes(found, "sound")
    return [item for item in results if not isinstance(item, str)]


def _reading(options: Options, infos: Sequence[Info]) -> SoundReading:
    """How sounds become arrays: as set, otherwise by the rate and the length that most have."""
    rate = options["rate"]
    if rate is None:
        rate = min(USUAL_RATE, Counter(info.rate for info in infos).most_common(1)[0][0])
    seconds = options["seconds"]
    if seconds is None:
        usual = float(np.quantile([info.seconds for info in infos], 0.95))
        seconds = min(LONGEST_GUESS, max(0.1, round(usual, 2)))
    steps = max(1, round(seconds * rate))
    stride = round((options["stride"] or seconds) * rate)
    return SoundReading(rate, steps, options["take"], max(1, stride))


def _windows(found: Found, reading: SoundReading, infos: Sequence[Info]) -> list[float]:
    """Where each sample begins in its file, in seconds; a file of several windows is found as
    often."""
    starts = [reading.starts(info) for info in infos]
    places = [index for index, many in enumerate(starts) for _ in many]
    if len(places) > len(starts):
        found.keep(places, ())
    return [start for many in starts for start in many]


def _values(found: Found, reading: SoundReading, starts: list[float], progress: Progress) -> Values:
    """Small data are decoded at once, which also finds damaged files; large ones when wanted.
    ``starts`` loses what ``found`` does."""
    clips = list(zip(found.paths, starts, strict=True))
    files = SoundFiles(str(found.folder), clips, reading)
    count = len(files)
    if count * reading.steps * 4 > RESIDENT:
        return files
    samples = np.empty((count, *files.shape), np.float32)
    results = told(files.read(np.arange(count), samples), count, "Decoding sounds", progress)
    good = leave_out(found, {i: why for i, why in enumerate(results) if why is not None})
    starts[:] = [starts[index] for index in good]
    check_classes(found, "sound")
    return samples if len(good) == count else samples[good]


SOURCE = Source(
    id="sound",
    name="Sound files",
    icon="waveform",
    summary="Recordings: in a subfolder for each class, or with a table of labels.",
    open=open_sounds,
    family="sound",
    place="either",
    suffixes=(*SUFFIXES, *TABLES),
    readings=(SoundReading,),
    parameters=(
        Parameter(
            "path",
            "Folder or table",
            "path",
            "",
            "A folder with a subfolder for each class (also within train, val and test), or with "
            "a table of file names and labels.",
        ),
        Parameter(
            "seconds",
            "Length",
            "float",
            None,
            "What the network is given of each sound. Empty: the length that nearly all have, 5 s "
            "at most.",
            minimum=0.01,
            maximum=MOST_SECONDS,
            optional=True,
            unit="s",
        ),
        Parameter(
            "rate",
            "Sample rate",
            "int",
            None,
            "All sounds are brought to it. Empty: 16,000, or less where the files have less.",
            minimum=sound_files.LEAST_RATE,
            maximum=192_000,
            optional=True,
            unit="Hz",
        ),
        Parameter(
            "take",
            "Of longer sounds",
            "choice",
            "middle",
            "Shorter ones get silence around them.",
            choices=(
                ("middle", "Take the middle"),
                ("start", "Take the start"),
                ("windows", "Take all, in windows"),
            ),
        ),
        Parameter(
            "stride",
            "From window to window",
            "float",
            None,
            "Empty: the length, so that no two overlap.",
            minimum=0.01,
            maximum=MOST_SECONDS,
            optional=True,
            unit="s",
            visible=lambda values: values.get("take") == "windows",
        ),
        *label_parameters("sounds"),
    ),
)
