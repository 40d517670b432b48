"""Samples that are equal, or nearly so, in clusters."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence

import numpy as np
import numpy.typing as npt

from playground.data.dataset import Indices

Progress = Callable[[str, float | None], None]
Cluster = tuple[int, ...]

BLOCK = 1024
MOST_PAIRS = 200_000
MOST_COMPARED = 20_000


def equal(indices: Indices, keys: Sequence[Hashable]) -> list[Cluster]:
    """Clusters of the samples ``indices`` (M,) whose keys are the same, the largest first."""
    found: dict[Hashable, list[int]] = defaultdict(list)
    for index, key in zip(indices.tolist(), keys, strict=True):
        found[key].append(index)
    return _ordered(tuple(part) for part in found.values() if len(part) > 1)


def alike(
    indices: Indices, vectors: npt.NDArray[np.float32], least: float, progress: Progress
) -> list[Cluster] | None:
    """Clusters of samples whose ``vectors`` (M, D; of length 1) correlate by ``least`` or more;
    chains of such pairs are one cluster. None where so many are alike that it says nothing.

    Every pair is compared, so that time grows with the square of M; ``progress`` may raise.
    """
    parent = np.arange(len(indices))

    def root(place: int) -> int:
        while parent[place] != place:
            parent[place] = parent[parent[place]]
            place = int(parent[place])
        return place

    pairs = 0
    for start in range(0, len(indices), BLOCK):
        progress("Comparing the samples", start / len(indices))
        part = vectors[start : start + BLOCK]
        rows, columns = np.nonzero(part @ vectors[start:].T >= least)
        above = columns > rows
        pairs += int(above.sum())
        if pairs > MOST_PAIRS:
            return None
        for row, column in zip(rows[above].tolist(), columns[above].tolist(), strict=True):
            parent[root(start + column)] = root(start + row)
    found: dict[int, list[int]] = defaultdict(list)
    for place, index in enumerate(indices.tolist()):
        found[root(place)].append(index)
    return _ordered(tuple(part) for part in found.values() if len(part) > 1)


def _ordered(clusters: Iterable[Cluster]) -> list[Cluster]:
    return sorted(clusters, key=lambda part: (-len(part), part[0]))


def across(clusters: Iterable[Cluster], split_of: npt.NDArray[np.int8]) -> list[Cluster]:
    """The clusters with a sample for training (0) and one to validate or test (1, 2)."""
    found = []
    for part in clusters:
        codes = {int(split_of[index]) for index in part}
        if 0 in codes and codes & {1, 2}:
            found.append(part)
    return found
