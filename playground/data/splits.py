"""Dividing samples into training, validation and test."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from playground.data.errors import DataError
from playground.data.settings import SplitSettings

Indices = npt.NDArray[np.int64]
Splits = dict[str, Indices]


def split(
    count: int,
    settings: SplitSettings,
    labels: npt.NDArray[Any] | None = None,
    test: Indices | None = None,
) -> Splits:
    """Indices of ``count`` samples by split, each in ascending order.

    ``labels`` are class indices: each split then gets its share of every class, and a class keeps
    at least one sample for training. ``test`` is a test set that comes with the data. Raises
    ``DataError`` where nothing would be left for training.
    """
    random = np.random.default_rng(settings.seed)
    given = test if settings.method == "auto" else None
    pool = np.arange(count) if given is None else np.setdiff1d(np.arange(count), given)
    wanted = {"validation": number(settings.validation, len(pool))}
    if given is None:
        wanted["test"] = number(settings.test, len(pool))
    if sum(wanted.values()) >= len(pool):
        raise DataError(
            f"the split keeps back {sum(wanted.values()):,} of {len(pool):,} samples for "
            "validation and test, so none is left for training: lower these numbers"
        )
    if settings.method == "random" or labels is None:
        groups = [random.permutation(pool)]
    else:
        groups = [
            random.permutation(pool[labels[pool] == label]) for label in np.unique(labels[pool])
        ]
    parts: dict[str, list[Indices]] = {"train": [], "validation": [], "test": []}
    shares = {name: _shares([len(group) for group in groups], n) for name, n in wanted.items()}
    for index, group in enumerate(groups):
        start = 0
        for name in wanted:
            # the last sample of a class stays in the training split
            end = min(start + shares[name][index], max(len(group) - 1, 0))
            parts[name].append(group[start:end])
            start = end
        parts["train"].append(group[start:])
    result = {name: np.sort(np.concatenate([*some, _NONE])) for name, some in parts.items()}
    if given is not None:
        result["test"] = np.sort(given.astype(np.int64))
    return result


def number(value: float, count: int) -> int:
    """What a split setting means: below 1 a share of ``count``, from 1 on a number."""
    return round(value * count) if value < 1 else int(value)


def sizes(splits: Mapping[str, Indices]) -> str:
    """For sentences: "3,500 training · 500 validation · 1,000 test"."""
    names = {"train": "training", "validation": "validation", "test": "test"}
    return " · ".join(f"{len(splits[name]):,} {text}" for name, text in names.items())


def _shares(groups: list[int], total: int) -> list[int]:
    """``total`` divided in proportion to the groups' sizes, by the largest remainders."""
    whole = sum(groups)
    exact = [total * size / whole for size in groups]
    shares = [int(value) for value in exact]
    order = sorted(range(len(groups)), key=lambda i: (shares[i] - exact[i], i))
    for index in order[: total - sum(shares)]:
        shares[index] += 1
    return shares


_NONE = np.zeros(0, np.int64)
