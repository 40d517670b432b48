"""Class names from the labels of samples."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from playground.data.errors import DataError

MOST_CLASSES = 10_000


Classes = tuple[npt.NDArray[np.int64], tuple[str, ...]]


def indexed(labels: Sequence[str], where: str, least: int = 2) -> Classes:
    """Class indices and the class names, in the order in which a person would put them. Raises
    ``DataError`` where there are not at least so many classes."""
    names = list(dict.fromkeys(labels))
    number = {name: index for index, name in enumerate(names)}
    codes = np.asarray([number[label] for label in labels], np.int64)
    return ordered(codes, names, where, least)


def ordered(
    codes: npt.NDArray[np.int64], names: Sequence[str], where: str, least: int = 2
) -> Classes:
    """The same from the number of each sample's name; names that no sample has are left out."""
    used = [names[code] for code in np.flatnonzero(np.bincount(codes)).tolist()]
    classes = tuple(sorted(used, key=natural))
    if len(classes) < least:
        only = f"one class only ({classes[0]})" if classes else "no samples"
        raise DataError(f"{where} has {only}: a network needs at least two classes to tell apart")
    if len(classes) > MOST_CLASSES:
        raise DataError(
            f"{where} has {len(classes):,} different labels: choose another target, "
            "or predict a number instead"
        )
    place = {name: index for index, name in enumerate(classes)}
    places = np.asarray([place.get(name, -1) for name in names], np.int64)
    return places[codes], classes


def rare(counts: npt.NDArray[np.int64], classes: Sequence[str]) -> tuple[str, ...]:
    """Notes on classes with too few samples to be tested."""
    single = [name for name, count in zip(classes, counts, strict=True) if count == 1]
    if not single:
        return ()
    names = ", ".join(single[:5]) + (" …" if len(single) > 5 else "")
    return (
        f"{'Classes' if len(single) > 1 else 'The class'} {names} "
        f"{'have' if len(single) > 1 else 'has'} one sample only: it is used for training, and "
        "nothing is left to test it.",
    )


def natural(text: str) -> list[tuple[int, Any]]:
    """A key that sorts numbers in names by value: "class 2" before "class 10"."""
    parts = re.split(r"(\d+(?:\.\d+)?)", text)
    return [(0, float(part)) if i % 2 else (1, part.lower()) for i, part in enumerate(parts)]
