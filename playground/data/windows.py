"""A time series cut into windows: the steps that a network sees, and those that it forecasts.

The split is in time. A window belongs to the part in which all steps of its forecast lie, so that
no part is trained on what another is judged by; windows across a border are left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from models.axes import sequence, vector
from playground.data.columns import (
    as_texts,
    as_times,
    column_type,
    missing_name,
    numbers,
    texts,
)
from playground.data.csv_reading import Table, fields
from playground.data.dataset import Column, Dataset, Indices, Values
from playground.data.errors import DataError
from playground.data.reading import WindowReading
from playground.data.settings import SplitSettings
from playground.data.source import Options
from playground.data.splits import number
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


def open_windows(table: Table, options: Options, settings: SplitSettings) -> Dataset:
    """A forecasting data set; raises ``DataError``."""
    names = table.frame.columns
    time = _time_column(table, options["time"])
    target = options["target"] or _last_number(table, time)
    if target not in names:
        raise missing_name(names, target, table.path)
    others = [name for name in fields(options["features"] or "") if name != target]
    for name in others:
        if name not in names:
            raise missing_name(names, name, table.path)
    table, moments, notes = _in_order(table, time)
    columns = (target, *others)
    series, filled = _series(table, columns)
    if options["logarithm"]:
        _check_positive(table, series, columns)
    window, horizon = options["window"], options["horizon"]
    starts, splits = _split(table, len(series), window, horizon, options["stride"], settings)
    past = series[: _train_end(len(series), settings)]
    logarithm: tuple[Step, ...] = (Log(),) if options["logarithm"] else ()
    fitted = standardized(np.log(past) if logarithm else past, axis=-1)
    season = options["season"] or _season(moments)
    captions = _captions(moments, starts + window, horizon)
    return Dataset(
        name=table.path.stem.replace("_", " ").capitalize(),
        summary=f"{len(series):,} steps of {target} · {len(starts):,} windows · "
        f"{window} → {horizon}",
        inputs={
            "series": Column(
                "series",
                sequence(window, len(columns)),
                _values(series, starts, window),
                Preprocessing((*logarithm, fitted)),
                unit=options["unit"] or "",
                reading=WindowReading(columns, window),
            )
        },
        targets={
            "forecast": Column(
                "forecast",
                vector(horizon),
                _values(series[:, 0], starts + window, horizon),
                Preprocessing((*logarithm, Standardize(fitted.mean[:1], fitted.std[:1]))),
                unit=options["unit"] or "",
                season=season,
            )
        },
        splits=splits,
        task="forecast",
        notes=(*table.notes, *notes, *filled),
        captions=captions,
    )


def _time_column(table: Table, wanted: str | None) -> str | None:
    names = table.frame.columns
    if wanted:
        if wanted not in names:
            raise missing_name(names, wanted, table.path)
        return wanted
    dates = [name for name in names if column_type(table.frame[name]) == "date"]
    named = [name for name in names if name.lower() in ("date", "time", "year", "month", "day")]
    return next(iter(dates + named), None)


def _last_number(table: Table, time: str | None) -> str:
    for name in reversed(table.frame.columns):
        if name != time and column_type(table.frame[name]) == "number":
            return name
    raise DataError(f"{table.path.name} has no column of numbers to forecast: choose another file")


def _in_order(table: Table, time: str | None) -> tuple[Table, list[str] | None, tuple[str, ...]]:
    """The table in the order of its time column, that column's texts, and notes."""
    from dataclasses import replace

    if time is None:
        return table, None, ()
    column = table.frame[time]
    moments = column if column.dtype.is_numeric() else as_times(as_texts(column))
    if moments is None:
        raise DataError(
            f"{table.path.name}: column {time} holds no dates that are understood: "
            "write them like 2024-12-31, or choose no time column"
        )
    if moments.null_count():
        row = int(moments.is_null().arg_true()[0])
        raise DataError(
            f"{table.path.name}: row {table.line(row)} has no {time}: fill it, or remove the row"
        )
    notes = []
    if not moments.is_sorted():
        table = replace(table, frame=table.frame[moments.arg_sort()])
        notes.append(f"The rows were put in the order of {time}.")
    if moments.n_unique() < len(moments):
        notes.append(f"Some values of {time} come twice: is this more than one series?")
    return table, [text or "" for text in texts(table, time)], tuple(notes)


def _series(table: Table, columns: tuple[str, ...]) -> tuple[Matrix, tuple[str, ...]]:
    """The columns as (steps, features). A gap keeps the value before it, so that nothing is
    learned from the future."""
    parts, gaps = [], 0
    for name in columns:
        values = numbers(table, name)
        missing = np.isnan(values)
        if missing.all():
            raise DataError(f"{table.path.name}: column {name} is empty: choose another")
        if missing.any():
            gaps += int(missing.sum())
            last = np.maximum.accumulate(np.where(missing, -1, np.arange(len(values))))
            values = values[np.where(last < 0, np.flatnonzero(~missing)[0], last)]
        parts.append(values)
    series = np.stack(parts, axis=1).astype(np.float32)
    if np.all(series[:, 0] == series[0, 0]):
        raise DataError(
            f"{table.path.name}: column {columns[0]} is {series[0, 0]:g} throughout, so there is "
            "nothing to forecast: choose another"
        )
    if not gaps:
        return series, ()
    return series, (f"{gaps:,} missing value{'s' * (gaps != 1)} filled with the one before.",)


def _check_positive(table: Table, series: Matrix, columns: tuple[str, ...]) -> None:
    rows, places = np.nonzero(series <= 0)
    if len(rows):
        raise DataError(
            f"{table.path.name}: {columns[places[0]]} is {series[rows[0], places[0]]:g} in row "
            f"{table.line(int(rows[0]))}, which has no logarithm: switch the logarithm off"
        )


def _train_end(steps: int, settings: SplitSettings) -> int:
    return steps - number(settings.test, steps) - number(settings.validation, steps)


def _split(
    table: Table, steps: int, window: int, horizon: int, stride: int, settings: SplitSettings
) -> tuple[Indices, dict[str, Indices]]:
    """Where windows start, and which belong to which part of the time."""
    test = steps - number(settings.test, steps)
    validation = _train_end(steps, settings)
    need = window + horizon
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
    starts = np.arange(0, steps - need + 1, stride)
    first, end = starts + window, starts + need
    chosen = {
        "train": end <= validation,
        "validation": (first >= validation) & (end <= test),
        "test": first >= test,
    }
    kept = np.logical_or.reduce(list(chosen.values()))
    place = np.cumsum(kept) - 1
    return starts[kept], {name: place[np.flatnonzero(mask)] for name, mask in chosen.items()}


def _values(series: Matrix, starts: Indices, length: int) -> Values:
    windows = Windows(series, starts, length)
    if series[:1].nbytes * length * len(starts) <= RESIDENT:
        return windows.take(np.arange(len(starts)))
    return windows


def _season(moments: list[str] | None) -> int:
    """Steps in the nearest natural cycle, from the time between rows; 1 where it is not known."""
    if moments is None or len(moments) < 3:
        return 1
    import polars as pl

    times = as_times(pl.Series(moments))
    if times is None:
        return 1
    step = float(np.median(np.diff(times.to_numpy()).astype("timedelta64[s]").astype(float)))
    if _MONTH[0] <= step <= _MONTH[1]:
        return 12
    return next((count for seconds, count in _SEASONS if abs(step - seconds) < 0.05 * seconds), 1)


def _captions(moments: list[str] | None, first: Indices, horizon: int) -> tuple[str, ...]:
    """What a window forecasts: "1959-01 – 1959-12"."""
    firsts = first.tolist()
    if moments is None:
        names = [f"{start + 1:,}" for start in firsts]
        ends = [f"{start + horizon:,}" for start in firsts]
    else:
        names = [moments[start] for start in firsts]
        ends = [moments[start + horizon - 1] for start in firsts]
    word = "" if moments is not None else "step " if horizon == 1 else "steps "
    if horizon == 1:
        return tuple(word + name for name in names)
    return tuple(f"{word}{name} – {end}" for name, end in zip(names, ends, strict=True))
