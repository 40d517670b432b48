"""Labelled series: files of the UCR and UEA archives, or of one's own."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from models.axes import sequence, vector
from models.parameters import Parameter, Values
from playground.data.csv_reading import fields, read_table
from playground.data.dataset import Column, Dataset, Indices
from playground.data.errors import DataError
from playground.data.labels import indexed
from playground.data.parquet import SUFFIXES
from playground.data.series_files import (
    Matrix,
    SeriesSet,
    from_rows,
    from_steps,
    from_ts,
    series_column,
)
from playground.data.series_reading import SeriesReading
from playground.data.settings import SplitSettings
from playground.data.source import Options, Place, Progress, Source, located
from playground.data.splits import split
from playground.preprocessing import Preprocessing, Standardize, standardized

NAMES = {
    "gunpoint_train.csv": "GunPoint",
    "italy_power_train.csv": "Italian power demand",
}


def _open(options: Options, place: Place, settings: SplitSettings, progress: Progress) -> Dataset:
    files = [located(options["path"], place)]
    if options["test_path"]:
        files.append(located(options["test_path"], place))
    sets = []
    for path in files:
        progress(f"Reading {path.name}", None)
        sets.append(_read(path, options))
    values, lengths = _joined(sets, files)
    labels = [label for found in sets for label in found.labels]
    origin = np.repeat(np.arange(len(sets)), [len(found.labels) for found in sets])
    test = np.flatnonzero(origin == 1) if len(sets) == 2 else None
    target, splits, what = _target(sets[0], labels, files[0], settings, test)
    varies = bool(np.any(lengths != lengths[0]))
    channels = values.shape[2]
    length = "T" if varies else values.shape[1]
    steps = f"{lengths.min():,}–{lengths.max():,}" if varies else f"{values.shape[1]:,}"
    return Dataset(
        name=NAMES.get(files[0].name, files[0].stem),
        summary=f"{len(values):,} series · {steps} steps"
        f"{f' · {channels} channels' if channels > 1 else ''} · {what}",
        inputs={
            "series": Column(
                "series",
                sequence(length, channels),
                values,
                Preprocessing((_standardized(values, lengths, splits["train"]),)),
                reading=SeriesReading(
                    None if varies else values.shape[1],
                    channels,
                    sets[0].channels,
                    sets[0].group,
                    sets[0].time,
                ),
                lengths=lengths if varies else None,
            )
        },
        targets={target.name: target},
        splits=splits,
        task="classification" if target.classes else "regression",
        notes=tuple(dict.fromkeys(note for found in sets for note in (*found.notes,)))
        + _beside(files, options),
        captions=tuple(name for found in sets for name in found.names),
        skipped=tuple(item for found in sets for item in found.skipped),
    )


def _read(path: Path, options: Options) -> SeriesSet:
    if path.suffix.lower() == ".ts":
        return from_ts(path)
    table = read_table(path)
    group = series_column(table, options["group"])
    if group is None:
        return from_rows(table)
    channels = fields(options["features"] or "")
    return from_steps(table, group, options["target"], options["time"], channels)


def _joined(sets: list[SeriesSet], files: list[Path]) -> tuple[Matrix, Indices]:
    """The series of all files, padded to the longest of them."""
    channels = sets[0].values.shape[2]
    for found, path in zip(sets[1:], files[1:], strict=True):
        if found.values.shape[2] != channels or found.channels != sets[0].channels:
            raise DataError(
                f"{path.name} has {found.values.shape[2]} channels, but {files[0].name} has "
                f"{channels}: use files of the same channels"
            )
    lengths = np.concatenate([found.lengths for found in sets])
    values = np.zeros((len(lengths), int(lengths.max()), channels), np.float32)
    start = 0
    for found in sets:
        count, longest, _ = found.values.shape
        values[start : start + count, :longest] = found.values
        start += count
    return values, lengths


def _target(
    first: SeriesSet,
    labels: list[str],
    path: Path,
    settings: SplitSettings,
    test: Indices | None,
) -> tuple[Column, dict[str, Indices], str]:
    """Classes, or numbers where the file says so."""
    if not first.numeric:
        codes, classes = indexed(labels, path.name)
        splits = split(len(codes), settings, codes, test)
        return Column("label", vector(1), codes, classes=classes), splits, f"{len(classes)} classes"
    try:
        values = np.asarray(labels, np.float32)[:, None]
    except ValueError:
        raise DataError(f"{path.name} has a target that is no number: correct it") from None
    if not np.isfinite(values).all():
        raise DataError(f"{path.name} has a target that is no finite number: correct it")
    splits = split(len(values), settings, None, test)
    fitted = Preprocessing((standardized(values[splits["train"]], axis=-1),))
    return Column("value", vector(1), values, fitted), splits, "predicts a number"


def _standardized(values: Matrix, lengths: Indices, train: Indices) -> Standardize:
    """Fitted on the steps of the training series alone, without padding."""
    known = values[train]
    valid = np.arange(values.shape[1]) < lengths[train][:, None]
    return standardized(known[valid], axis=-1)


def _beside(files: list[Path], options: Options) -> tuple[str, ...]:
    """A hint at the archive's own test set, where it was not chosen."""
    name = files[0].name
    other = files[0].with_name(name.replace("TRAIN", "TEST").replace("train", "test"))
    if options["test_path"] or other.name == name or not other.exists():
        return ()
    return (f"{other.name} lies beside it: choose it as the test file to be judged by it.",)


def _table(values: Values) -> bool:
    return not str(values.get("path", "")).lower().endswith(".ts")


SOURCE = Source(
    id="series",
    name="Labelled series",
    icon="series",
    summary="Series of measurements with a class each: files of the UCR and UEA archives, or "
    "tables of your own with one series or one step a row.",
    open=_open,
    family="tables",
    place="file",
    suffixes=(".ts", ".csv", ".tsv", ".txt", *SUFFIXES),
    readings=(SeriesReading,),
    parameters=(
        Parameter(
            "path",
            "File",
            "path",
            "sample:series/gunpoint_train.csv",
            "A table with the class and then the steps of a series in each row; one with a step in "
            "each row; or a .ts file.",
        ),
        Parameter(
            "test_path",
            "Test file",
            "path",
            None,
            "A test set that comes with the data. Empty: taken from the file above.",
            optional=True,
        ),
        Parameter(
            "group",
            "Series column",
            "text",
            None,
            "For a step in each row: the column that tells which series it belongs to. Empty: one "
            "called series, id, case or sample.",
            optional=True,
            visible=_table,
        ),
        Parameter(
            "target",
            "Class column",
            "text",
            None,
            "For a step in each row. Empty: one called label, class or target.",
            optional=True,
            visible=_table,
        ),
        Parameter(
            "time",
            "Time column",
            "text",
            None,
            "For a step in each row: puts the steps in order. Empty: one called time or step, or "
            "of dates.",
            optional=True,
            visible=_table,
        ),
        Parameter(
            "features",
            "Channels",
            "text",
            None,
            "For a step in each row: the columns of measurements, divided by commas. Empty: all "
            "others that hold numbers.",
            optional=True,
            visible=_table,
        ),
    ),
)
