"""What augmentation makes of some samples, as arrays, for people to look at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from playground.data.augment import augmented
from playground.data.augment.settings import Applied
from playground.data.dataset import Dataset

Array = npt.NDArray[Any]


def preview(
    dataset: Dataset, applied: Sequence[Applied], indices: Sequence[int], seed: int
) -> dict[str, Array]:
    """The raw inputs of ``indices`` (an index may come several times: a draw each) with ``applied``
    done to them, (N, …) float32 by the input's name, as training would give them to preprocessing.

    Same seed, same draws. Raises ``DataError`` and ``ParameterError``.
    """
    import torch

    generator = torch.Generator().manual_seed(seed)
    raw = dataset.raw(indices)
    found: dict[str, Array] = {}
    for name, column in dataset.inputs.items():
        batch = torch.from_numpy(np.ascontiguousarray(raw[name]))
        found[name] = augmented(applied, column, batch, generator).numpy()
    return found
