"""One pass over the samples: a digest, a small picture of each in numbers, and simple features."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import numpy as np
import numpy.typing as npt

from models.axes import Kind
from playground.data.dataset import Column, Dataset, Indices

Array = npt.NDArray[Any]
Progress = Callable[[str, float | None], None]

MOST = 50_000
CHUNK = 64
SIDE, CELLS = 16, 8
SIZE = SIDE * SIDE
FRAME = 256


@dataclass(frozen=True, eq=False)
class Measured:
    """What was found of the samples ``indices`` (M,), in their order.

    ``digests`` are equal for equal raw values, ``keys`` for values that are equal but for what
    does not matter (digits that hardly differ, the case of letters). ``vectors`` (M, 256) have
    mean 0 and length 1, so that their products are correlations; rows of zeros where a sample is
    constant; None where samples are rows or texts. ``features`` (M,) by name are for outliers.
    """

    indices: Indices
    digests: tuple[bytes, ...] = field(repr=False)
    keys: tuple[bytes, ...] = field(repr=False)
    vectors: npt.NDArray[np.float32] | None = field(repr=False)
    features: Mapping[str, npt.NDArray[np.float64]] = field(repr=False)
    unreadable: Mapping[int, str] = field(repr=False)
    not_finite: Indices = field(repr=False)
    constant: Indices = field(repr=False)


def measure(
    dataset: Dataset, progress: Progress = lambda text, fraction: None, most: int = MOST
) -> Measured:
    """Read the samples (``most`` of them at random where there are more) and measure each.
    ``progress`` may raise, to cancel."""
    column = next(iter(dataset.inputs.values()))
    chosen = np.arange(len(dataset))
    if len(chosen) > most:
        chosen = np.sort(np.random.default_rng(0).choice(chosen, most, replace=False))
    good: list[int] = []
    digests: list[bytes] = []
    keys: list[bytes] = []
    vectors: list[Array] = []
    features: list[dict[str, float]] = []
    bad: dict[str, list[int]] = {"not_finite": [], "constant": []}
    for index, raw in samples(dataset, column, chosen, progress):
        good.append(index)
        digests.append(_digest(dataset, column, index, raw))
        keys.append(_key(dataset, column, index, raw))
        vector = embedding(column, raw)
        if vector is not None:
            vectors.append(vector)
        features.append(described(column, raw))
        if raw.dtype.kind == "f" and not np.isfinite(raw).all():
            bad["not_finite"].append(index)
        if raw.size > 1 and column.shape.kind is not Kind.TOKENS and (raw == raw.flat[0]).all():
            bad["constant"].append(index)
    reasons, unread = dataset.unreadable.reasons(), set(chosen.tolist()) - set(good)
    names = features[0] if features else {}
    return Measured(
        np.asarray(good, np.int64),
        tuple(digests),
        tuple(keys),
        np.stack(vectors) if vectors else None,
        {name: np.array([item[name] for item in features]) for name in names},
        {i: reason for i, reason in reasons.items() if i in unread},
        np.asarray(bad["not_finite"], np.int64),
        np.asarray(bad["constant"], np.int64),
    )


def samples(
    dataset: Dataset, column: Column, chosen: Indices, progress: Progress
) -> Iterator[tuple[int, Array]]:
    """Raw samples of their own length; those that cannot be read are noted in ``unreadable``."""
    for start in range(0, len(chosen), CHUNK):
        progress("Looking at the samples", start / len(chosen))
        part = chosen[start : start + CHUNK]
        try:
            raws = column.take(part)
        except (ValueError, OSError):
            part = dataset.readable(part)
            if not len(part):
                continue
            raws = column.take(part)
        for index, raw in zip(part.tolist(), raws, strict=True):
            if column.lengths is not None:
                raw = raw[: max(1, int(column.lengths[index]))]
            yield index, raw


def digest(raw: Array) -> bytes:
    """Equal for equal values of equal shape."""
    found = blake2b(repr(raw.shape).encode(), digest_size=16)
    found.update(np.ascontiguousarray(raw).tobytes())
    return found.digest()


def _digest(dataset: Dataset, column: Column, index: int, raw: Array) -> bytes:
    """Texts also by their captions: words that are not in the vocabulary are one token."""
    found = digest(raw)
    if column.shape.kind is Kind.TOKENS and index < len(dataset.captions):
        found += blake2b(dataset.captions[index].encode(), digest_size=16).digest()
    return found


def _key(dataset: Dataset, column: Column, index: int, raw: Array) -> bytes:
    """Rows by three digits of each number, texts by their letters; otherwise the digest."""
    if column.shape.kind is Kind.VECTOR:
        values = np.asarray(raw, np.float64).reshape(-1)
        with np.errstate(divide="ignore", invalid="ignore"):
            scale = 10.0 ** (2 - np.floor(np.log10(np.abs(values))))
            rounded = np.where(np.isfinite(scale), np.round(values * scale), values)
        return digest(np.stack([rounded, np.where(np.isfinite(scale), scale, 0)]))
    if column.shape.kind is Kind.TOKENS and index < len(dataset.captions):
        letters = "".join(c for c in dataset.captions[index].lower() if c.isalnum())
        # a long text's caption is only its beginning
        rest = raw if dataset.captions[index].endswith("…") else raw[:0]
        return blake2b(letters.encode(), digest_size=16).digest() + digest(rest)
    return digest(raw)


def embedding(column: Column, raw: Array) -> npt.NDArray[np.float32] | None:
    """A sample as 256 numbers of mean 0 and length 1: a picture's greys at 16×16, four frames or
    slices at 8×8, a sound's energy by 16 bands and 16 stretches of time, a series' course."""
    if raw.dtype.kind == "f":
        raw = np.nan_to_num(raw, posinf=0, neginf=0)
    match column.shape.kind:
        case Kind.IMAGE:
            values = _small(raw.mean(axis=0), SIDE)
        case Kind.VIDEO:
            values = _planes(raw.mean(axis=1))
        case Kind.VOLUME:
            values = _planes(raw.mean(axis=0))
        case Kind.SEQUENCE if getattr(column.reading, "kind", "") == "sound":
            values = bands(raw)
        case Kind.SEQUENCE:
            values = _course(raw)
        case _:
            return None
    flat = np.asarray(values, np.float32).reshape(-1)
    flat = np.pad(flat, (0, max(0, SIZE - flat.size)))[:SIZE]
    flat -= flat.mean()
    length = float(np.linalg.norm(flat))
    if length < 1e-6:
        return np.zeros(SIZE, np.float32)
    return np.asarray(flat / np.float32(length), np.float32)


def _small(plane: Array, side: int) -> Array:
    """H×W averaged to ``side`` × ``side``."""
    from playground.vision import cv2

    source = np.ascontiguousarray(plane, np.float32)
    return np.asarray(cv2.resize(source, (side, side), interpolation=cv2.INTER_AREA))


def _planes(stack: Array) -> Array:
    """Four planes of N×H×W, evenly chosen, at 8×8."""
    places = np.linspace(0, len(stack) - 1, 4).round().astype(int)
    return np.stack([_small(stack[place], CELLS) for place in places])


def _course(raw: Array) -> Array:
    """A series T×F at as many points of each feature as fit; each feature about its own mean."""
    series = np.asarray(raw, np.float64).reshape(len(raw), -1)[:, :SIDE]
    points = SIZE // series.shape[1]
    at = np.linspace(0, len(series) - 1, points)
    steps = np.arange(len(series))
    return np.stack([np.interp(at, steps, feature - feature.mean()) for feature in series.T])


def bands(raw: Array) -> Array:
    """Log energy of a waveform in 16 bands of equal ratio and 16 stretches of time."""
    wave = np.asarray(raw, np.float32).reshape(-1)
    wave = np.pad(wave, (0, max(0, SIDE * FRAME - wave.size)))
    starts = np.linspace(0, wave.size - FRAME, SIDE * 4).astype(int)
    frames = wave[starts[:, None] + np.arange(FRAME)] * np.hanning(FRAME).astype(np.float32)
    energy = np.abs(np.fft.rfft(frames, axis=1)) ** 2
    edges = np.unique(np.geomspace(2, energy.shape[1], SIDE + 1).round().astype(int))
    energy = np.add.reduceat(energy, edges[:-1], axis=1)
    energy = energy.reshape(SIDE, 4, -1).mean(axis=1)
    return np.asarray(np.log(energy + 1e-4 * float(energy.max()) + 1e-8))


def described(column: Column, raw: Array) -> dict[str, float]:
    """Simple features of a sample, named for sentences ("much greater in …")."""
    kind = column.shape.kind
    if kind is Kind.TOKENS:
        return {"length": float(len(raw))}
    values = np.asarray(raw, np.float64)
    known = values[np.isfinite(values)]
    mean, spread = (float(known.mean()), float(known.std())) if known.size else (0.0, 0.0)
    if kind in (Kind.IMAGE, Kind.VIDEO, Kind.VOLUME):
        return {"brightness": mean, "contrast": spread}
    if kind is Kind.SEQUENCE and getattr(column.reading, "kind", "") == "sound":
        found = {"loudness": float(10 * np.log10(spread**2 + 1e-10))}
    elif kind is Kind.SEQUENCE:
        found = {"mean": mean, "spread": spread}
    else:
        return {f"column {place}": float(value) for place, value in enumerate(values.reshape(-1))}
    return found | ({"length": float(len(raw))} if column.lengths is not None else {})
