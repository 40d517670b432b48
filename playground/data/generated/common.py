"""What generated data have in common."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from models.parameters import Parameter
from playground.data.dataset import Indices, Values
from playground.data.errors import DataError
from playground.preprocessing import Preprocessing, Scale, standardized

Array = npt.NDArray[Any]
Pixels = npt.NDArray[np.uint8]

RESIDENT = 256 << 20
"""Bytes of samples up to which all are drawn when the data open."""

FIRST = 2
"""The number of the first symbol: 0 is padding, 1 is what is not known."""

LARGEST = 2 << 30
"""Bytes that series, which are all drawn at once, may take while they are."""

_FITTED_ON = 500

SEED = Parameter(
    "seed",
    "Seed of the samples",
    "int",
    0,
    "Same seed, same samples.",
    minimum=0,
    maximum=2**31 - 1,
)


def samples(default: int) -> Parameter:
    return Parameter(
        "samples",
        "Samples",
        "int",
        default,
        "How many are drawn, for all splits together.",
        minimum=10,
        maximum=1_000_000,
    )


def noise(help: str, default: float = 0.0) -> Parameter:
    return Parameter("noise", "Noise", "float", default, help, minimum=0, maximum=1)


def size(default: int) -> Parameter:
    return Parameter(
        "size",
        "Size",
        "int",
        default,
        "Height and width of a picture.",
        minimum=12,
        maximum=256,
        unit="px",
    )


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """Samples that are drawn anew whenever they are wanted."""

    count: int
    draw: Callable[[Indices], Array]
    dtype: np.dtype[Any]

    def __len__(self) -> int:
        return self.count

    def take(self, indices: Indices) -> Array:
        return self.draw(indices)


def check_room(count: int, numbers: int) -> None:
    """Raises ``DataError`` where ``count`` series of so many numbers would not fit into memory."""
    size = count * numbers * 8
    if size > LARGEST:
        raise DataError(
            f"{count:,} samples of {numbers:,} numbers would take {size / 2**30:.1f} GiB: draw "
            "fewer, or shorter ones"
        )


def values(count: int, draw: Callable[[Indices], Array], dtype: type[np.generic]) -> Values:
    """All samples where they are small, otherwise samples that are drawn when wanted."""
    first = draw(np.zeros(1, np.int64))
    if first.nbytes * count > RESIDENT:
        return Drawn(count, draw, np.dtype(dtype))
    return draw(np.arange(count))


def scaled_pixels(values: Values, train: Indices) -> Preprocessing:
    """Pixels to 0…1, then mean 0 and deviation 1 a channel, fitted on some training samples."""
    chosen = train[:_FITTED_ON]
    pixels = values[chosen] if isinstance(values, np.ndarray) else values.take(chosen)
    return Preprocessing((Scale(255.0), standardized(pixels / np.float32(255), axis=-3)))


def even_labels(random: np.random.Generator, count: int, classes: int) -> Indices:
    """Class indices (count,) in random order, every class as often as the others."""
    return random.permutation(np.arange(count, dtype=np.int64) % classes)


def grain(seed: int, indices: Indices, shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
    """Normal noise (len(indices), *shape). A sample's noise is its own, whatever it is drawn
    with."""
    result = np.empty((len(indices), *shape), np.float32)
    for place, index in enumerate(indices):
        np.random.default_rng((seed, int(index))).standard_normal(
            dtype=np.float32, out=result[place]
        )
    return result
