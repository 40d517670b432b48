"""Time series cut into windows: the steps that a network sees, and those that it forecasts.

The split is in time, within each series. A window belongs to the part in which all steps of its
forecast lie, so that no part is trained on what another is judged by; windows across a border, or
from one series into the next, are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from models.axes import sequence, vector
from playground.data.columns import as_texts, coded, moments, numbers, texts
from playground.data.csv_reading import Table
from playground.data.dataset import Column, Dataset, Groups, Indices, Skipped, Values
from playground.data.errors import DataError
from playground.data.series_reading import WindowReading
from playground.data.settings import SplitSettings
from playground.data.source import Options
from playground.data.splits import number
from playground.data.splits import split as split_samples
from playground.data.table_parameters import csv_options
from playground.data.table_roles import Roles
from playground.preprocessing import Log, Preprocessing, Standardize, Step, standardized

Matrix = npt.NDArray[np.float32]

RESIDENT = 64 << 20
_SEASONS = ((86400 / 96, 96), (3600, 24), (86400, 7), (7 * 86400, 52), (91 * 86400, 4))
_MONTH = (28 * 86400, 31 * 86400)


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """Overlapping pieces of a long series, cut when they are wanted."""

    series: Matrix
    starts: Indices
    length: int

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.series.dtype

    def __len__(self) -> int:
        return len(self.starts)

    def take(self, indices: Indices) -> Matrix:
        result: Matrix = self.series[self.starts[indices][:, None] + np.arange(self.length)]
        return result


@dataclass(frozen=True, slots=True, eq=False)
class _Times:
    """When each row is: as numbers (seconds, or the column's own), and as texts."""

    name: str
    values: npt.NDArray[np.float64]
    texts: list[str]
    dates: bool


@dataclass(frozen=True, slots=True)
class _Piece:
    """One series: the rows from ``start`` to ``end``."""

    name: str
    start: int
    end: int

    def __len__(self) -> int:
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class _Lengths:
    window: int
    horizon: int
    stride: int

    @property
    def both(self) -> int:
        return self.window + self.horizon


def open_windows(table: Table, roles: Roles, options: Options, settings: SplitSettings) -> Dataset:
    """A forecasting data set; raises ``DataError``."""
    columns = (str(roles.target), *roles.features)
    table, pieces, times, notes = _in_order(table, roles)
    series, pieces, skipped, filled = _series(table, columns, pieces)
    if options["logarithm"]:
        _check_positive(table, series, columns)
    lengths = _Lengths(options["window"], options["horizon"], options["stride"])
    cut = _cut(table, roles, pieces, lengths, settings)
    logarithm: tuple[Step, ...] = (Log(),) if options["logarithm"] else ()
    past = series[cut.past]
    fitted = standardized(np.log(past) if logarithm else past, axis=-1)
    first = cut.starts + lengths.window
    grouped = f" · {len(cut.pieces):,} series" if roles.group else ""
    unit = options["unit"] or ""
    return Dataset(
        name=table.path.stem.replace("_", " ").capitalize(),
        summary=f"{sum(map(len, cut.pieces)):,} steps of {columns[0]}{grouped} · "
        f"{len(first):,} windows · {lengths.window} → {lengths.horizon}",
        inputs={
            "series": Column(
                "series",
                sequence(lengths.window, len(columns)),
                _values(series, cut.starts, lengths.window),
                Preprocessing((*logarithm, fitted)),
                unit=unit,
                reading=WindowReading(
                    columns,
                    lengths.window,
                    roles.group,
                    roles.time,
                    table.options(csv_options(options)),
                ),
            )
        },
        targets={
            "forecast": Column(
                "forecast",
                vector(lengths.horizon),
                _values(series[:, 0], first, lengths.horizon),
                Preprocessing((*logarithm, Standardize(fitted.mean[:1], fitted.std[:1]))),
                unit=unit,
                season=options["season"] or _season(times, pieces),
            )
        },
        splits=cut.splits,
        task="forecast",
        notes=(*table.notes, *notes, *filled, *cut.notes),
        captions=_captions(times, cut, lengths),
        groups=cut.groups if roles.group else None,
        skipped=(*(Skipped(row, why) for row, why in table.skipped), *skipped, *cut.skipped),
    )


# --- the order of time ----------------------------------------------------------------------------


def _in_order(
    table: Table, roles: Roles
) -> tuple[Table, list[_Piece], _Times | None, tuple[str, ...]]:
    """The table in the order of its groups and its time, where each series lies, when each row is,
    and notes."""
    times = _times(table, roles.time) if roles.time is not None else None
    rows = table.frame.height
    if roles.group is None:
        codes, names = np.zeros(rows, np.int32), [""]
    else:
        codes, names = coded(table, roles.group)
        if (codes < 0).any():
            row = table.line(int(np.flatnonzero(codes < 0)[0]))
            raise DataError(
                f"{table.path.name}: row {row} has no {roles.group}: fill it, or remove the row"
            )
    notes: list[str] = []
    keys = (codes,) if times is None else (times.values, codes)
    order = np.lexsort(keys)
    if np.any(order[1:] < order[:-1]):
        lines = [table.line(int(row)) for row in order]
        table = replace(table, frame=table.frame[order], lines=lines)
        codes = codes[order]
        if times is not None:
            moved = [times.texts[row] for row in order]
            times = replace(times, values=times.values[order], texts=moved)
            notes.append(f"The rows were put in the order of {times.name}.")
    borders = [0, *(np.flatnonzero(np.diff(codes)) + 1).tolist(), rows]
    pieces = [_Piece(names[int(codes[start])], start, end) for start, end in pairwise(borders)]
    if times is not None:
        notes += _time_notes(times, pieces, grouped=roles.group is not None)
    return table, pieces, times, tuple(notes)


def _times(table: Table, name: str) -> _Times:
    column = table.frame[name]
    values = moments(table, name)
    missing = np.isnan(values)
    if missing.any():
        row = table.line(int(np.flatnonzero(missing)[0]))
        raise DataError(f"{table.path.name}: row {row} has no {name}: fill it, or remove the row")
    if column.dtype.is_temporal():
        words = [text.removesuffix(" 00:00:00.000000") for text in as_texts(column).to_list()]
    else:
        words = [text or "" for text in texts(table, name)]
    return _Times(name, values, words, not column.dtype.is_numeric())


def _steps(times: _Times, pieces: Sequence[_Piece]) -> npt.NDArray[np.float64]:
    """From each row to the next of its series."""
    parts = [np.diff(times.values[piece.start : piece.end]) for piece in pieces]
    return np.concatenate(parts) if parts else np.zeros(0)


def _time_notes(times: _Times, pieces: Sequence[_Piece], *, grouped: bool) -> list[str]:
    """What is odd about the steps: times that come twice, steps that are missing, uneven ones."""
    steps = _steps(times, pieces)
    notes = []
    twice = int((steps == 0).sum())
    if twice:
        hint = "" if grouped else ": is this more than one series? Then choose the group column"
        notes.append(f"Some values of {times.name} come twice ({twice:,} times){hint}.")
    steps = steps[steps > 0]
    if not len(steps):
        return notes
    usual = float(np.median(steps))
    ratio = steps / usual
    # months, quarters and years have not quite the same number of days
    slack = 0.11 if times.dates and usual >= 27 * 86400 else 0.02
    odd = np.abs(ratio - np.round(ratio)) > slack * np.maximum(ratio, 1)
    if odd.mean() > 0.01:
        notes.append(
            f"The steps of {times.name} are uneven, from {_span(steps.min(), times.dates)} to "
            f"{_span(steps.max(), times.dates)}: the network sees one row after the other, "
            "whatever time lies between them."
        )
        return notes
    gaps = np.round(ratio) > 1
    if gaps.any():
        missing = int((np.round(ratio[gaps]) - 1).sum())
        notes.append(
            f"{missing:,} step{'s are' if missing != 1 else ' is'} missing between the rows "
            f"(a step is {_span(usual, times.dates)}): the network does not see these gaps."
        )
    return notes


def _span(step: float, dates: bool) -> str:
    """A length of time in words: "2 days"."""
    if not dates:
        return f"{step:g}"
    for seconds, word in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if step >= seconds:
            count = round(float(step) / seconds, 1)
            return f"{count:g} {word}{'s' * (count != 1)}"
    return f"{step:g} s"


# --- the values -----------------------------------------------------------------------------------


def _series(
    table: Table, columns: tuple[str, ...], pieces: list[_Piece]
) -> tuple[Matrix, list[_Piece], list[Skipped], tuple[str, ...]]:
    """The columns as (steps, features), and the series that have values. A gap keeps the value
    before it, so that nothing is learned from the future."""
    matrix = np.empty((table.frame.height, len(columns)), np.float32)
    gaps, empty = 0, {}
    for place, name in enumerate(columns):
        values = numbers(table, name).copy()
        missing = np.isnan(values)
        if missing.all():
            raise DataError(f"{table.path.name}: column {name} is empty: choose another")
        for piece in pieces if missing.any() else ():
            part = slice(piece.start, piece.end)
            if missing[part].all():
                empty[piece.name] = name
            elif missing[part].any():
                gaps += int(missing[part].sum())
                values[part] = _carried(values[part], missing[part])
        matrix[:, place] = values
    target = matrix[:, 0][~np.isnan(matrix[:, 0])]
    if np.all(target == target[0]):
        raise DataError(
            f"{table.path.name}: column {columns[0]} is {target[0]:g} throughout, so there is "
            "nothing to forecast: choose another"
        )
    skipped = [Skipped(name, f"has no value of {column}") for name, column in empty.items()]
    kept = [piece for piece in pieces if piece.name not in empty]
    if not kept:
        raise DataError(f"{table.path.name}: no series has values of {', '.join(columns)}")
    note = f"{gaps:,} missing value{'s' * (gaps != 1)} filled with the one before."
    return matrix, kept, skipped, (note,) if gaps else ()


def _carried(
    values: npt.NDArray[np.float64], missing: npt.NDArray[np.bool_]
) -> npt.NDArray[np.float64]:
    """Missing values replaced by the one before, at the beginning by the first."""
    last = np.maximum.accumulate(np.where(missing, -1, np.arange(len(values))))
    result: npt.NDArray[np.float64] = values[np.where(last < 0, np.flatnonzero(~missing)[0], last)]
    return result


def _check_positive(table: Table, series: Matrix, columns: tuple[str, ...]) -> None:
    rows, places = np.nonzero(series <= 0)
    if len(rows):
        raise DataError(
            f"{table.path.name}: {columns[places[0]]} is {series[rows[0], places[0]]:g} in row "
            f"{table.line(int(rows[0]))}, which has no logarithm: switch the logarithm off"
        )


# --- windows and their parts ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class _Cut:
    """Where windows start, which belong to which part, and the rows of the training part."""

    starts: Indices
    splits: dict[str, Indices]
    past: npt.NDArray[np.bool_]
    groups: Groups
    pieces: list[_Piece]
    skipped: list[Skipped]
    notes: tuple[str, ...]


def _cut(
    table: Table,
    roles: Roles,
    pieces: list[_Piece],
    lengths: _Lengths,
    settings: SplitSettings,
) -> _Cut:
    whole = settings.method == "group" and roles.group is not None
    kept, skipped, starts, parts = [], [], [], []
    past = np.zeros(table.frame.height, np.bool_)
    for piece in pieces:
        try:
            found, part = _split(table, len(piece), lengths, settings, whole=whole)
        except DataError as error:
            if len(pieces) == 1:
                raise
            skipped.append(Skipped(piece.name, str(error).removeprefix(f"{table.path.name} ")))
            continue
        kept.append(piece)
        starts.append(piece.start + found)
        parts.append(part)
        past[piece.start : piece.start + _train_end(len(piece), settings)] = True
    if not kept:
        raise DataError(
            f"{table.path.name}: none of its {len(pieces):,} series is long enough; the first "
            f"{skipped[0].reason}"
        )
    codes = np.repeat(np.arange(len(kept)), [len(item) for item in starts])
    groups = Groups(str(roles.group), codes, tuple(piece.name for piece in kept))
    joined = np.concatenate(parts)
    if whole:
        splits = split_samples(len(codes), settings, groups=groups)
        training = set(codes[splits["train"]].tolist())
        past[:] = False
        for place, piece in enumerate(kept):
            past[piece.start : piece.end] = place in training
    else:
        splits = {name: np.flatnonzero(joined == name) for name in ("train", "validation", "test")}
    notes = []
    if skipped:
        notes.append(f"{len(skipped):,} series too short, left out: {_named(skipped)}.")
    if settings.method in ("random", "stratified", "folds"):
        notes.append("A series is always split in time, not as chosen: what comes later is kept.")
    return _Cut(np.concatenate(starts), splits, past, groups, kept, skipped, tuple(notes))


def _named(skipped: list[Skipped]) -> str:
    names = ", ".join(item.name for item in skipped[:5])
    return names + (" …" if len(skipped) > 5 else "")


def _train_end(steps: int, settings: SplitSettings) -> int:
    return steps - number(settings.test, steps) - number(settings.validation, steps)


def _split(
    table: Table, steps: int, lengths: _Lengths, settings: SplitSettings, *, whole: bool
) -> tuple[Indices, npt.NDArray[np.str_]]:
    """Where the windows of a series start, counted from its beginning, and the part of each; all
    are for training where the series stays ``whole``."""
    test = steps if whole else steps - number(settings.test, steps)
    validation = steps if whole else _train_end(steps, settings)
    window, horizon, need = lengths.window, lengths.horizon, lengths.both
    if validation < need:
        raise DataError(
            f"{table.path.name} has {steps:,} rows, {max(validation, 0):,} of them for training; "
            f"a window of {window} and a horizon of {horizon} need {need}: make them shorter, or "
            "keep fewer rows back"
        )
    for name, size in (("validation", test - validation), ("test", steps - test)):
        if 0 < size < horizon:
            raise DataError(
                f"the {name} split has {size} steps, fewer than the horizon of {horizon}: "
                f"keep back at least {horizon}, or none"
            )
    starts = np.arange(0, steps - need + 1, lengths.stride)
    first, end = starts + window, starts + need
    parts = np.select(
        [end <= validation, (first >= validation) & (end <= test), first >= test],
        ["train", "validation", "test"],
        "",
    )
    return starts[parts != ""], parts[parts != ""]


def _values(series: Matrix, starts: Indices, length: int) -> Values:
    windows = Windows(series, starts, length)
    if series[:1].nbytes * length * len(starts) <= RESIDENT:
        return windows.take(np.arange(len(starts)))
    return windows


def _season(times: _Times | None, pieces: Sequence[_Piece]) -> int:
    """Steps in the nearest natural cycle, from the time between rows; 1 where it is not known."""
    if times is None or not times.dates or len(times.values) < 3:
        return 1
    steps = _steps(times, pieces)
    step = float(np.median(steps)) if len(steps) else 0.0
    if _MONTH[0] <= step <= _MONTH[1]:
        return 12
    return next((count for seconds, count in _SEASONS if abs(step - seconds) < 0.05 * seconds), 1)


def _captions(times: _Times | None, cut: _Cut, lengths: _Lengths) -> tuple[str, ...]:
    """What a window forecasts: "1959-01 – 1959-12", and of which series."""
    firsts = (cut.starts + lengths.window).tolist()
    horizon = lengths.horizon
    if times is None:
        begins = np.asarray([piece.start for piece in cut.pieces])[cut.groups.codes].tolist()
        names = [f"{f - begin + 1:,}" for f, begin in zip(firsts, begins, strict=True)]
        ends = [f"{f - begin + horizon:,}" for f, begin in zip(firsts, begins, strict=True)]
    else:
        names = [times.texts[first] for first in firsts]
        ends = [times.texts[first + horizon - 1] for first in firsts]
    word = "" if times is not None else "step " if horizon == 1 else "steps "
    series = [cut.groups.names[code] for code in cut.groups.codes.tolist()]
    before = [f"{name} · {word}" if name else word for name in series]
    if horizon == 1:
        return tuple(start + name for start, name in zip(before, names, strict=True))
    return tuple(
        f"{start}{name} – {end}" for start, name, end in zip(before, names, ends, strict=True)
    )
