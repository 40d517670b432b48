"""Tables: columns of a CSV or TSV file as features and a target, or a series cut into windows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt

from models.axes import vector
from models.parameters import Parameter, Values
from playground.data.columns import (
    MOST_CATEGORIES,
    coded,
    column_type,
    missing_name,
    numbers,
)
from playground.data.csv_reading import DELIMITERS, CsvOptions, Table, fields, read_table
from playground.data.dataset import Column, Dataset
from playground.data.errors import DataError
from playground.data.labels import ordered, rare
from playground.data.reading import Feature, RowReading, WindowReading
from playground.data.settings import SplitSettings
from playground.data.source import Options, Place, Progress, Source, located
from playground.data.splits import split
from playground.data.windows import open_windows
from playground.preprocessing import Fill, Preprocessing, Standardize, Step, standardized

Matrix = npt.NDArray[np.float32]

LARGEST_MATRIX = 4 << 30
TARGET_NAMES = ("label", "class", "target", "y", "species", "category")


def _open(options: Options, place: Place, settings: SplitSettings, progress: Progress) -> Dataset:
    path = located(options["path"], place)
    progress(f"Reading {path.name}", None)
    kind = CsvOptions(options["delimiter"], options["encoding"], options["header"])
    table = read_table(path, kind)
    types = (column_type(column) for column in table.frame.iter_columns())
    if is_forecast(options, types):
        return open_windows(table, options, settings)
    target = _target(table, options["target"])
    classes = _is_classification(table, target, options["task"])
    names, left_out = _features(table, target, options["features"])
    encoded = _encoded(table, names)
    keep, notes = _kept_rows(table, target, encoded, drop=options["missing"] == "drop")
    return _dataset(table, options, settings, target, classes, encoded, keep, left_out + notes)


@dataclass(frozen=True, slots=True)
class _Encoded:
    """Features of all rows as numbers, NaN where missing."""

    features: tuple[Feature, ...]
    matrix: Matrix


def _dataset(
    table: Table,
    options: Options,
    settings: SplitSettings,
    target: str,
    classes: bool,
    encoded: _Encoded,
    keep: npt.NDArray[np.int64],
    notes: tuple[str, ...],
) -> Dataset:
    matrix = encoded.matrix[keep]
    where = f"{table.path.name}, column {target}"
    if classes:
        codes, texts = coded(table, target)
        labels, names = ordered(codes[keep], texts, where)
        splits = split(len(keep), settings, labels)
        column = Column("label", vector(1), labels, classes=names)
        what = f"{len(names)} classes"
        notes += rare(np.bincount(labels, minlength=len(names)), names)
    else:
        values = numbers(table, target)[keep].astype(np.float32)[:, None]
        if len(values) and np.all(values == values[0]):
            raise DataError(f"{where} is {values[0, 0]:g} in every row: choose another target")
        splits = split(len(keep), settings)
        fitted = Preprocessing((standardized(values[splits["train"]], axis=-1),))
        unit = options["unit"] or ""
        column = Column("value", vector(1), values, fitted, unit=unit)
        what = f"predicts {target}"
    steps = _steps(matrix[splits["train"]], encoded.features, options["scaling"])
    count = len(encoded.features)
    return Dataset(
        name=table.path.stem,
        summary=f"{len(keep):,} rows · {count} feature{'s' * (count != 1)} · {what}",
        inputs={
            "features": Column(
                "features",
                vector(matrix.shape[1]),
                matrix,
                Preprocessing(steps),
                reading=RowReading(encoded.features),
            )
        },
        targets={column.name: column},
        splits=splits,
        task="classification" if classes else "regression",
        notes=(*table.notes, *notes),
    )


def is_forecast(options: Options, types: Iterable[str]) -> bool:
    """Whether a table with columns of these ``types`` is a series to go on: as chosen, or, where
    nothing was, a number beside dates or alone."""
    if options.get("task", "auto") != "auto" or options.get("target"):
        return options.get("task") == "forecast"
    return sorted(islice(types, 3)) in (["number"], ["date", "number"])


def _target(table: Table, wanted: str | None) -> str:
    names = table.frame.columns
    if wanted:
        if wanted not in names:
            raise missing_name(names, wanted, table.path)
        return wanted
    if len(names) < 2:
        raise DataError(
            f"{table.path.name} has one column: add features, or choose the task forecast"
        )
    return next((name for name in names if name.lower() in TARGET_NAMES), names[-1])


def _is_classification(table: Table, target: str, task: str) -> bool:
    """What was chosen, or guessed: texts and a few whole numbers are classes."""
    if task != "auto":
        return task == "classification"
    column = table.frame[target]
    if column_type(column) != "number":
        return True
    values = numbers(table, target)
    filled = values[~np.isnan(values)]
    return bool(len(filled)) and bool(np.all(filled == np.round(filled))) and (
        len(np.unique(filled)) <= min(20, max(2, len(filled) // 5))
    )  # fmt: skip


def _features(table: Table, target: str, wanted: str | None) -> tuple[list[str], tuple[str, ...]]:
    """The columns to learn from, and notes on those that were left out."""
    names = table.frame.columns
    if wanted:
        chosen = fields(wanted)
        for name in chosen:
            if name not in names:
                raise missing_name(names, name, table.path)
        if target in chosen:
            raise DataError(f"{target} is the target, so it cannot be a feature: take it out")
        if len(set(chosen)) != len(chosen):
            raise DataError(f"the features {wanted} name a column twice: take one out")
        return chosen, ()
    chosen, notes = [], []
    for name in names:
        if name == target:
            continue
        kind = column_type(table.frame[name])
        if kind in ("number", "category"):
            chosen.append(name)
        else:
            what = "dates" if kind == "date" else "texts that hardly repeat"
            notes.append(f"Column {name} holds {what}, so it was left out.")
    if not chosen:
        raise DataError(
            f"{table.path.name} has no column to learn from besides {target}: "
            "numbers or categories are needed"
        )
    return chosen, tuple(notes)


def _encoded(table: Table, names: Sequence[str]) -> _Encoded:
    """Numbers as they are, categories as 0 or 1 each (a missing one: all 0)."""
    features: list[Feature] = []
    parts: list[Matrix] = []
    rows = table.frame.height
    for name in names:
        if column_type(table.frame[name]) == "number":
            features.append(Feature(name))
            parts.append(numbers(table, name).astype(np.float32)[:, None])
        else:
            feature, part = _one_hot(table, name)
            features.append(feature)
            parts.append(part)
        if 4 * rows * sum(item.width for item in features) > LARGEST_MATRIX:
            raise DataError(
                f"{table.path.name} has too many features for its {rows:,} rows: choose fewer"
            )
    if not sum(item.width for item in features):
        raise DataError(f"the features {', '.join(names)} are empty: choose columns with values")
    return _Encoded(tuple(features), np.concatenate(parts, axis=1))


def _one_hot(table: Table, name: str) -> tuple[Feature, Matrix]:
    codes, categories = coded(table, name)
    if len(categories) > 10 * MOST_CATEGORIES:
        raise DataError(
            f"column {name} has {len(categories):,} different texts, too many to be categories: "
            "leave it out"
        )
    part = (codes[:, None] == np.arange(len(categories))).astype(np.float32)
    return Feature(name, tuple(categories)), part


def _kept_rows(
    table: Table, target: str, encoded: _Encoded, *, drop: bool
) -> tuple[npt.NDArray[np.int64], tuple[str, ...]]:
    """The rows to use; those without a target, and (if wanted) with missing features, are not."""
    notes = []
    has_target = coded(table, target)[0] >= 0
    incomplete = np.isnan(encoded.matrix).any(axis=1)
    keep = has_target & ~incomplete if drop else has_target
    without = int((~has_target).sum())
    if without:
        notes.append(f"{without:,} row{'s' * (without != 1)} without {target} left out.")
    missing = int((incomplete & has_target).sum())
    if missing:
        done = "left out" if drop else "filled with the training mean"
        notes.append(f"{missing:,} row{'s' * (missing != 1)} with missing numbers {done}.")
    if not keep.any():
        raise DataError(
            f"{table.path.name} has no row left once those with missing values are left out: "
            "fill missing values instead, or choose other columns"
        )
    return np.flatnonzero(keep), tuple(notes)


def _steps(train: Matrix, features: Sequence[Feature], scaling: str) -> tuple[Step, ...]:
    """Filling and scaling, fitted on the training rows; categories stay 0 and 1."""
    is_number = np.concatenate([np.full(item.width, item.categories is None) for item in features])
    steps: list[Step] = []
    with_values = np.where(np.isnan(train).all(axis=0), np.float32(0), train)
    fitted = standardized(with_values, axis=-1)
    if scaling == "range":
        low, high = np.nanmin(with_values, axis=0), np.nanmax(with_values, axis=0)
        width = np.where(high > low, high - low, 1.0)
        scale = Standardize(_floats(low), _floats(width))
    else:
        scale = fitted
    if np.isnan(train).any() or is_number.any():
        steps.append(Fill(_floats(np.where(is_number, fitted.mean, 0.0))))
    if scaling != "none" and is_number.any():
        mean = np.where(is_number, scale.mean, 0.0)
        std = np.where(is_number, scale.std, 1.0)
        steps.append(Standardize(_floats(mean), _floats(std)))
    return tuple(steps)


def _floats(values: npt.NDArray[np.floating]) -> tuple[float, ...]:
    return tuple(float(str(np.float32(value))) for value in values)


def _forecast(values: Values) -> bool:
    return values.get("task") == "forecast"


def _not_forecast(values: Values) -> bool:
    return not _forecast(values)


SOURCE = Source(
    id="table",
    name="Table",
    icon="table",
    summary="A CSV or TSV file: a class or a number from its columns, or a series to forecast.",
    open=_open,
    family="tables",
    place="file",
    suffixes=(".csv", ".tsv", ".txt"),
    readings=(RowReading, WindowReading),
    parameters=(
        Parameter("path", "File", "path", "", "CSV or TSV, with or without a header."),
        Parameter(
            "task",
            "Task",
            "choice",
            "auto",
            "What to predict. Automatic: a class where the target is text or a few whole numbers, "
            "how the series goes on where there is a number alone or beside dates, otherwise a "
            "number.",
            choices=(
                ("auto", "Automatic"),
                ("classification", "A class"),
                ("regression", "A number"),
                ("forecast", "How a series goes on"),
            ),
        ),
        Parameter(
            "target",
            "Target",
            "text",
            None,
            "The column to predict. Empty: one called label, class or target, otherwise the last.",
            optional=True,
        ),
        Parameter(
            "features",
            "Features",
            "text",
            None,
            "Columns to learn from, divided by commas. Empty: all numbers and categories (for a "
            "forecast: the series alone).",
            optional=True,
        ),
        Parameter("unit", "Unit", "text", None, "The target's unit, for display.", optional=True),
        Parameter(
            "missing",
            "Missing values",
            "choice",
            "fill",
            "Fill takes the mean of the training rows; a missing category is none of them.",
            choices=(("fill", "Fill"), ("drop", "Leave rows out")),
            visible=_not_forecast,
        ),
        Parameter(
            "scaling",
            "Scaling",
            "choice",
            "standardize",
            "Fitted on the training rows alone.",
            choices=(
                ("standardize", "Mean 0, deviation 1"),
                ("range", "From 0 to 1"),
                ("none", "As they are"),
            ),
            visible=_not_forecast,
        ),
        Parameter(
            "window",
            "Window",
            "int",
            24,
            "Steps that the network sees.",
            minimum=1,
            maximum=100_000,
            unit="steps",
            visible=_forecast,
        ),
        Parameter(
            "horizon",
            "Horizon",
            "int",
            1,
            "Steps ahead that it forecasts at once.",
            minimum=1,
            maximum=10_000,
            unit="steps",
            visible=_forecast,
        ),
        Parameter(
            "stride",
            "Stride",
            "int",
            1,
            "Steps from one window to the next.",
            minimum=1,
            maximum=100_000,
            unit="steps",
            visible=_forecast,
        ),
        Parameter(
            "time",
            "Time column",
            "text",
            None,
            "Rows are put in its order. Empty: the first column of dates, if there is one.",
            optional=True,
            visible=_forecast,
        ),
        Parameter(
            "season",
            "Season",
            "int",
            None,
            "Steps after which the series repeats itself, for the forecast to compare with. Empty: "
            "a year of months, a week of days, a day of hours.",
            minimum=1,
            maximum=100_000,
            optional=True,
            unit="steps",
            visible=_forecast,
        ),
        Parameter(
            "logarithm",
            "Logarithm",
            "bool",
            False,
            "For a positive series that grows by a share: its growth and its seasons become even.",
            visible=_forecast,
        ),
        Parameter(
            "delimiter",
            "Delimiter",
            "choice",
            "auto",
            choices=(("auto", "Automatic"), *DELIMITERS.items()),
        ),
        Parameter(
            "encoding",
            "Encoding",
            "choice",
            "auto",
            choices=(
                ("auto", "Automatic"),
                ("utf-8", "UTF-8"),
                ("cp1252", "Windows-1252"),
                ("latin-1", "Latin-1"),
                ("utf-16", "UTF-16"),
            ),
        ),
        Parameter(
            "header",
            "Header",
            "choice",
            "auto",
            choices=(("auto", "Automatic"), ("yes", "First row"), ("no", "None")),
        ),
    ),
)
