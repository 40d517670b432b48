"""Labelled series, one a row: the files of the UCR archive, or of one's own."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from models.axes import sequence, vector
from models.parameters import Parameter
from playground.data.columns import numbers
from playground.data.csv_reading import Table, read_table
from playground.data.dataset import Column, Dataset
from playground.data.errors import DataError
from playground.data.labels import indexed
from playground.data.reading import SeriesReading
from playground.data.settings import SplitSettings
from playground.data.source import Options, Place, Progress, Source, located
from playground.data.splits import split
from playground.preprocessing import Preprocessing, standardized

NAMES = {
    "gunpoint_train.csv": "GunPoint",
    "italy_power_train.csv": "Italian power demand",
}


def _open(options: Options, place: Place, settings: SplitSettings, progress: Progress) -> Dataset:
    files = [located(options["path"], place)]
    if options["test_path"]:
        files.append(located(options["test_path"], place))
    tables = [read_table(path) for path in files]
    series, labels, origin = _joined(tables)
    values, classes = indexed(labels, files[0].name)
    test = np.flatnonzero(origin == 1) if len(tables) == 2 else None
    splits = split(len(values), settings, values, test)
    length = series.shape[1]
    raw = series[:, :, None]
    name = NAMES.get(files[0].name, files[0].stem)
    return Dataset(
        name=name,
        summary=f"{len(values):,} series · {length:,} steps · {len(classes)} classes",
        inputs={
            "series": Column(
                "series",
                sequence(length, 1),
                raw,
                Preprocessing((standardized(raw[splits["train"]], axis=-1),)),
                reading=SeriesReading(length),
            )
        },
        targets={"label": Column("label", vector(1), values, classes=classes)},
        splits=splits,
        task="classification",
        notes=tuple(note for table in tables for note in table.notes),
    )


def _joined(tables: list[Table]) -> tuple[npt.NDArray[Any], list[str], npt.NDArray[Any]]:
    """All series (N, T), their labels, and which table each is from."""
    series: list[npt.NDArray[Any]] = []
    labels: list[str] = []
    origin = []
    for index, table in enumerate(tables):
        label = _label_column(table)
        values = table.frame.drop(label)
        if index and values.width != series[0].shape[1]:
            raise DataError(
                f"{table.path.name} has series of {values.width} steps, but {tables[0].path.name} "
                f"of {series[0].shape[1]}: use files of one length"
            )
        matrix = np.stack([numbers(table, name) for name in values.columns], axis=1)
        _check_complete(table, matrix, values.columns)
        series.append(matrix.astype(np.float32))
        labels += _labels(table, label)
        origin.append(np.full(len(matrix), index))
    return np.concatenate(series), labels, np.concatenate(origin)


def _label_column(table: Table) -> str:
    """The column called label, class or target, otherwise the first."""
    names = table.frame.columns
    if len(names) < 3:
        raise DataError(
            f"{table.path.name} has {len(names)} columns: a file of labelled series has a label "
            "and then the steps of one series in each row"
        )
    return next((n for n in names if n.lower() in ("label", "class", "target")), names[0])


def _labels(table: Table, name: str) -> list[str]:
    """The class of each row; raises ``DataError`` where one has none."""
    labels = ["" if cell is None else str(cell) for cell in table.frame[name]]
    missing = next((row for row, label in enumerate(labels) if not label.strip()), None)
    if missing is not None:
        raise DataError(f"{table.path.name}: row {table.line(missing)} has no label: add it")
    return labels


def _check_complete(table: Table, matrix: npt.NDArray[Any], names: list[str]) -> None:
    rows, columns = np.nonzero(np.isnan(matrix))
    if len(rows):
        raise DataError(
            f"{table.path.name}: row {table.line(int(rows[0]))} has no value in column "
            f"{names[columns[0]]}: fill it, or cut all series to one length"
        )


SOURCE = Source(
    id="series",
    name="Labelled series",
    icon="series",
    summary="A series of measurements in each row, with its class: UCR archive files or your own.",
    open=_open,
    family="tables",
    place="file",
    suffixes=(".csv", ".tsv", ".txt"),
    readings=(SeriesReading,),
    parameters=(
        Parameter(
            "path",
            "File",
            "path",
            "sample:series/gunpoint_train.csv",
            "CSV or TSV: the class, then the steps of the series.",
        ),
        Parameter(
            "test_path",
            "Test file",
            "path",
            None,
            "A test set that comes with the data. Empty: taken from the file above.",
            optional=True,
        ),
    ),
)
