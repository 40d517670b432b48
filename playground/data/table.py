"""Tables: columns of a file as features and a target, or a series cut into windows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.axes import vector
from playground.data.columns import coded, column_type, moments, numbers
from playground.data.csv_reading import HEAD, Table, read_table
from playground.data.dataset import Column, Dataset, Groups, Skipped
from playground.data.errors import DataError
from playground.data.labels import ordered, rare
from playground.data.parquet import SUFFIXES
from playground.data.reading import RowReading
from playground.data.series_reading import WindowReading
from playground.data.settings import SplitSettings
from playground.data.source import Options, Place, Progress, Source, located
from playground.data.splits import Splits, split
from playground.data.table_encoding import Encoded, Mask, Rules, encode, steps
from playground.data.table_parameters import PARAMETERS, csv_options
from playground.data.table_roles import Roles, check, left_out, proposed
from playground.data.windows import open_windows
from playground.preprocessing import Preprocessing, standardized


def _open(options: Options, place: Place, settings: SplitSettings, progress: Progress) -> Dataset:
    path = located(options["path"], place)
    progress(f"Reading {path.name}", None)
    kind = csv_options(options)
    head = read_table(path, kind, rows=HEAD)
    types = {column.name: column_type(column) for column in head.frame.iter_columns()}
    roles = proposed(types, {**options, "features": options["features"] or None})
    check(roles, path)
    named = (roles.target, roles.time, roles.group)
    short = [n for n in roles.features if roles.types[n] == "number" and n not in named]
    table = read_table(path, kind, head=head, columns=roles.used, short=short)
    if roles.forecast:
        return open_windows(table, roles, options, settings)
    progress("Encoding the columns", None)
    encoded = encode(table, roles)
    rules = Rules.of(options, roles.features)
    classes = _is_classification(table, roles, options["task"])
    target = coded(table, str(roles.target)) if classes else None
    keep, notes = _kept_rows(table, roles, encoded, rules, target)
    work = _Work(table, roles, options, encoded, rules, keep, target)
    empty = [column.name for column in head.frame if column.null_count() == column.len()]
    return _dataset(work, settings, (*left_out(roles, options, empty), *notes))


Codes = tuple[npt.NDArray[np.int32], list[str]]


@dataclass(frozen=True, slots=True)
class _Work:
    table: Table
    roles: Roles
    options: Options
    encoded: Encoded
    rules: Rules
    keep: Mask
    target: Codes | None
    """The target's classes, where it has some."""


def _dataset(work: _Work, settings: SplitSettings, notes: tuple[str, ...]) -> Dataset:
    table, keep, options = work.table, work.keep, work.options
    target = str(work.roles.target)
    where = f"{table.path.name}, column {target}"
    groups, order = _groups(work), _order(work)
    count = int(keep.sum())
    if work.target is not None:
        codes, texts = work.target
        labels, names = ordered(codes[keep].astype(np.int64), texts, where)
        splits = split(count, settings, labels, groups=groups, order=order)
        column = Column("label", vector(1), labels, classes=names)
        what = f"{len(names)} classes"
        notes += rare(np.bincount(labels, minlength=len(names)), names)
    else:
        values = numbers(table, target)[keep].astype(np.float32)[:, None]
        if np.all(values == values[0]):
            raise DataError(f"{where} is {values[0, 0]:g} in every row: choose another target")
        splits = split(count, settings, groups=groups, order=order)
        fitted = Preprocessing((standardized(values[splits["train"]], axis=-1),))
        column = Column("value", vector(1), values, fitted, unit=options["unit"] or "")
        what = f"predicts {target}"
    train = _train_rows(keep, splits)
    encoded = work.encoded.known(train)
    fitted = Preprocessing(steps(encoded, train, work.rules))
    features = encoded.features
    matrix = encoded.matrix(keep)
    reading = RowReading(features, table.options(csv_options(options)))
    return Dataset(
        name=table.path.stem,
        summary=f"{count:,} rows · {len(features)} feature{'s' * (len(features) != 1)} · {what}",
        inputs={
            "features": Column("features", vector(matrix.shape[1]), matrix, fitted, reading=reading)
        },
        targets={column.name: column},
        splits=splits,
        task="regression" if work.target is None else "classification",
        notes=(*table.notes, *notes),
        groups=groups,
        skipped=tuple(Skipped(row, reason) for row, reason in table.skipped),
    )


def _train_rows(keep: Mask, splits: Splits) -> Mask:
    """The training rows, among all that were read."""
    train = np.zeros(len(keep), np.bool_)
    train[np.flatnonzero(keep)[splits["train"]]] = True
    return train


def _is_classification(table: Table, roles: Roles, task: str) -> bool:
    """What was chosen, or guessed: texts and a few whole numbers are classes."""
    target = str(roles.target)
    if task != "auto":
        return task == "classification"
    if roles.types[target] != "number":
        return True
    column = table.frame[target]
    if column.dtype.is_float() and not (column.drop_nans().drop_nulls() % 1 == 0).all():
        return False
    values = column.drop_nulls().n_unique()
    if values > 20 and column.dtype.is_numeric():
        return False
    found = numbers(table, target)
    filled = found[~np.isnan(found)]
    return bool(len(filled)) and bool(np.all(filled == np.round(filled))) and (
        len(np.unique(filled)) <= min(20, max(2, len(filled) // 5))
    )  # fmt: skip


def _groups(work: _Work) -> Groups | None:
    """The rows' groups; rows without one are a group of their own each."""
    name = work.roles.group
    if name is None:
        return None
    codes, names = coded(work.table, name)
    found = codes.astype(np.int64)
    alone = np.flatnonzero(found < 0)
    found[alone] = len(names) + np.arange(len(alone))
    labels = [*names, *(f"row {work.table.line(int(row))}" for row in alone)]
    used, kept = np.unique(found[work.keep], return_inverse=True)
    return Groups(name, kept.astype(np.int64), tuple(labels[code] for code in used))


def _order(work: _Work) -> npt.NDArray[np.float64] | None:
    """The rows' times, which a split in time goes by."""
    name = work.roles.time
    if name is None:
        return None
    times = moments(work.table, name)
    without = np.flatnonzero(np.isnan(times) & work.keep)
    if len(without):
        row = work.table.line(int(without[0]))
        raise DataError(
            f"{work.table.path.name}: row {row} has no {name}: fill it, or remove the row"
        )
    return times[work.keep]


def _kept_rows(
    table: Table, roles: Roles, encoded: Encoded, rules: Rules, codes: Codes | None
) -> tuple[Mask, tuple[str, ...]]:
    """The rows to use; those without a target, and (if wanted) with missing features, are not."""
    notes = []
    target = str(roles.target)
    has_target = ~np.isnan(numbers(table, target)) if codes is None else codes[0] >= 0
    drops = [name for name in encoded.names if rules.dropped(name)]
    keep = has_target & encoded.complete(drops) if drops else has_target
    without = int((~has_target).sum())
    if without == len(has_target):
        raise DataError(
            f"{table.path.name}: column {target} is empty, so there is nothing to predict: "
            "choose another target"
        )
    if without:
        notes.append(f"{without:,} row{'s' * (without != 1)} without {target} left out.")
    missing = has_target & ~encoded.complete()
    for rows, done in ((missing & ~keep, "left out"), (missing & keep, rules.words)):
        if count := int(rows.sum()):
            notes.append(f"{count:,} row{'s' * (count != 1)} with missing numbers {done}.")
    if not keep.any():
        raise DataError(
            f"{table.path.name} has no row left once those with missing values are left out: "
            "fill missing values instead, or choose other columns"
        )
    return keep, (*notes, *_constant_notes(encoded))


def _constant_notes(encoded: Encoded) -> tuple[str, ...]:
    """A sentence on features that tell nothing, because they are the same in every row."""
    flat = encoded.constant()
    if not flat:
        return ()
    names = ", ".join(flat[:5]) + (" …" if len(flat) > 5 else "")
    one = len(flat) == 1
    return (
        f"{'Feature' if one else 'Features'} {names} {'is' if one else 'are'} the same in every "
        "row, so nothing can be learned from "
        f"{'it' if one else 'them'}: leave {'it' if one else 'them'} out.",
    )


SOURCE = Source(
    id="table",
    name="Table",
    icon="table",
    summary="A CSV, TSV, Parquet or Arrow file: a class or a number from its columns, or a series "
    "to forecast.",
    open=_open,
    family="tables",
    place="file",
    suffixes=(".csv", ".tsv", ".txt", *SUFFIXES),
    readings=(RowReading, WindowReading),
    parameters=PARAMETERS,
)
