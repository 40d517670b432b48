"""What a data set is like in numbers, measured on some thousand of its samples."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from models.axes import Kind
from playground.data.dataset import Column, Dataset, Indices

Array = npt.NDArray[Any]
Progress = Callable[[str, float | None], None]

MEASURED, LOOKED_INTO = 2000, 300
CHUNK = 64
BINS = 40


@dataclass(frozen=True, eq=False)
class Histogram:
    """``counts`` (B,) between ``edges`` (B+1,) of the finite values; the others are ``missing``."""

    counts: npt.NDArray[np.int64]
    edges: npt.NDArray[np.float64]
    missing: int = 0


@dataclass(frozen=True, eq=False)
class Feature:
    """A column of a table: of a number its moments and histogram, of a category its counts."""

    name: str
    mean: float
    std: float
    low: float
    high: float
    histogram: Histogram
    categories: tuple[str, ...] = ()

    @property
    def missing(self) -> int:
        return self.histogram.missing


@dataclass(frozen=True, eq=False)
class Statistics:
    """``counts`` are samples (or boxes) a class by split; ``measured`` says on how many samples the
    rest was measured. ``mean_picture`` is C×H×W; ``channels`` are mean and deviation of each;
    ``file_sizes`` are height and width of some of the picture files, which are brought to one."""

    counts: Mapping[str, npt.NDArray[np.int64]]
    measured: int
    values: Histogram | None = None
    target: Histogram | None = None
    lengths: Histogram | None = None
    features: tuple[Feature, ...] = ()
    mean_picture: Array | None = None
    channels: tuple[tuple[float, float], ...] = ()
    file_sizes: tuple[tuple[int, int], ...] = ()


def measure(
    dataset: Dataset, progress: Progress = lambda text, fraction: None, limit: int = MEASURED
) -> Statistics:
    """Statistics of ``dataset``; of its values on ``limit`` samples chosen at random, always the
    same. ``progress`` may raise, to cancel. Raises ``DataError``."""
    counts = {name: _counts(dataset, name) for name in dataset.splits}
    column = next(iter(dataset.inputs.values()))
    chosen = np.arange(len(dataset))
    if len(chosen) > limit:
        chosen = np.sort(np.random.default_rng(0).choice(chosen, limit, replace=False))
    sums = _Sums(column)
    parts = range(0, len(chosen), CHUNK)
    for start in parts:
        progress("Measuring the samples", start / max(1, len(chosen)))
        part = chosen[start : start + CHUNK]
        for index, raw in _read(dataset, column, part):
            sums.add(index, raw)
    target = dataset.target
    answers = target.values
    return Statistics(
        counts=counts,
        measured=sums.count,
        values=sums.histogram(),
        target=histogram(answers[chosen])
        if isinstance(answers, np.ndarray)
        and answers.size
        and not (target.classes or target.box_classes)
        else None,
        lengths=None if column.lengths is None else histogram(column.lengths, whole=True),
        features=sums.features(),
        mean_picture=sums.mean_picture(),
        channels=sums.channels(),
        file_sizes=_file_sizes(dataset, chosen),
    )


def _counts(dataset: Dataset, split: str) -> Indices:
    """Samples a class of a split, or boxes a class; empty where there are no classes."""
    target = dataset.target
    if not target.box_classes:
        return dataset.counts(split)
    boxes = target.take(dataset.splits[split]).reshape(-1, 5)
    there = (boxes[:, 2:4] > boxes[:, :2]).all(axis=1)
    labels = boxes[there, 4].astype(np.int64)
    return np.bincount(labels, minlength=len(target.box_classes)).astype(np.int64)


def _file_sizes(dataset: Dataset, chosen: Indices) -> tuple[tuple[int, int], ...]:
    """Height and width of some hundred picture files, from their headers."""
    from playground.vision import UnreadableImage, picture_size

    kind = next(iter(dataset.inputs.values())).shape.kind
    if kind is not Kind.IMAGE or len(dataset.files) != len(dataset):
        return ()
    found = []
    for index in chosen[:: max(1, len(chosen) // LOOKED_INTO)].tolist():
        try:
            found.append(picture_size(Path(dataset.files[index]))[:2])
        except UnreadableImage:
            continue  # no picture, such as a table of pixels, or gone meanwhile
    return tuple(found)


def _read(dataset: Dataset, column: Column, part: Indices) -> list[tuple[int, Array]]:
    """Raw samples that can be read, one by one where one of them cannot."""
    try:
        return list(zip(part.tolist(), column.take(part), strict=True))
    except (ValueError, OSError):
        good = dataset.readable(part)
        return [(int(index), column.take(good[place : place + 1])[0]) for place, index in
                enumerate(good)]  # fmt: skip


class _Sums:
    """What is gathered of raw samples, sample by sample, in little memory."""

    def __init__(self, column: Column) -> None:
        self._column = column
        self._picture = column.shape.kind is Kind.IMAGE
        self._table = column.shape.kind is Kind.VECTOR
        self._some: list[Array] = []
        self._rows: list[Array] = []
        self._sum: Array | None = None
        self._channels: list[Array] = []
        self.count = 0

    def add(self, index: int, raw: Array) -> None:
        self.count += 1
        lengths = self._column.lengths
        if lengths is not None:
            raw = raw[: max(1, int(lengths[index]))]
        if self._table:
            self._rows.append(np.asarray(raw, np.float64).reshape(-1))
            return
        if self._column.shape.kind is Kind.TOKENS:
            return
        flat = np.asarray(raw).reshape(-1)
        self._some.append(flat[:: max(1, flat.size // 500)].astype(np.float64))
        if self._picture:
            values = np.asarray(raw, np.float64)
            self._sum = values if self._sum is None else self._sum + values
            self._channels.append(
                np.stack([values.mean(axis=(1, 2)), (values**2).mean(axis=(1, 2))])
            )

    def histogram(self) -> Histogram | None:
        return histogram(np.concatenate(self._some)) if self._some else None

    def mean_picture(self) -> Array | None:
        return None if self._sum is None else self._sum / self.count

    def channels(self) -> tuple[tuple[float, float], ...]:
        if not self._channels:
            return ()
        mean, square = np.mean(self._channels, axis=0)
        deviation = np.sqrt(np.maximum(square - mean**2, 0))
        return tuple(zip(mean.tolist(), deviation.tolist(), strict=True))

    def features(self) -> tuple[Feature, ...]:
        if not self._rows:
            return ()
        return summaries(self._column, np.stack(self._rows))


def summaries(column: Column, rows: Array) -> tuple[Feature, ...]:
    """What the columns of a table (N, F) are like, in the order of the table."""
    found, at = [], 0
    declared: Sequence[Any] = getattr(column.reading, "features", ())
    if not declared or sum(item.width for item in declared) != rows.shape[1]:
        return tuple(
            _numeric(f"{column.name} {place + 1}", values) for place, values in enumerate(rows.T)
        )
    for item in declared:
        part = rows[:, at : at + item.width]
        at += item.width
        if item.categories is None:
            found.append(_numeric(item.name, part[:, 0]))
        else:
            counts = np.nansum(part, axis=0).astype(np.int64)
            missing = len(rows) - int(counts.sum())
            bars = Histogram(counts, np.arange(len(counts) + 1.0), missing)
            nan = float("nan")
            found.append(Feature(item.name, nan, nan, nan, nan, bars, item.categories))
    return tuple(found)


def _numeric(name: str, values: Array) -> Feature:
    finite = values[np.isfinite(values)]
    some = finite if finite.size else np.array([np.nan])
    mean, std, low, high = some.mean(), some.std(), some.min(), some.max()
    return Feature(name, float(mean), float(std), float(low), float(high), histogram(values))


def histogram(values: Array, bins: int = BINS, *, whole: bool = False) -> Histogram:
    """Counts of the finite values; ``whole`` numbers get bins that are whole numbers wide."""
    flat = np.asarray(values, np.float64).reshape(-1)
    finite = flat[np.isfinite(flat)]
    missing = flat.size - finite.size
    if not finite.size:
        return Histogram(np.zeros(1, np.int64), np.array([0.0, 1.0]), missing)
    low, high = float(finite.min()), float(finite.max())
    if whole:
        width = max(1, int(np.ceil((high - low + 1) / bins)))
        edges = np.arange(low, high + width + 1, width, dtype=np.float64)
    else:
        if high <= low:
            low, high = low - 0.5, high + 0.5
        edges = np.linspace(low, high, bins + 1)
        if not np.all(np.diff(edges) > 0):  # too close together for so many bins
            edges = np.array([low, high])
    counts, edges = np.histogram(finite, edges)
    return Histogram(counts.astype(np.int64), edges, missing)
