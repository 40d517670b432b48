"""Bracket matching: is every bracket closed by one of its own kind, in the right order? (A Dyck
language, Chomsky & Schützenberger 1963; for networks Gers & Schmidhuber 2001.)

Matching sequences are drawn uniformly (Arnold & Sleep 1980). A sequence that does not match is one
that does with two of its brackets exchanged: it has the same brackets, so that counting them does
not help.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from models.axes import tokens, vector
from models.parameters import Parameter
from playground.data.dataset import Column, Dataset
from playground.data.errors import DataError
from playground.data.generated import common
from playground.data.generated.common import FIRST
from playground.data.settings import SplitSettings
from playground.data.source import Options, Place, Progress, Source
from playground.data.splits import split
from playground.data.text_reading import TextReading

Indices = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

BRACKETS = "()[]{}<>"
_TRIES = 8


def brackets(
    labels: Indices, seed: int, *, kinds: int, shortest: int, longest: int
) -> tuple[Indices, Indices]:
    """Tokens (N, longest), numbered from 2 on and padded with 0, and the lengths
    (N,), which are even. ``labels`` are 1 where the brackets are to match."""
    random = np.random.default_rng((seed, 1))
    count = len(labels)
    lengths = 2 * random.integers((shortest + 1) // 2, longest // 2 + 1, count)
    codes = _matching(random, lengths, kinds)
    codes = _broken(random, codes, lengths, np.flatnonzero(labels == 0))
    inside = np.arange(codes.shape[1]) < lengths[:, None]
    return np.where(inside, codes + FIRST, 0), lengths


def _matching(random: np.random.Generator, lengths: Indices, kinds: int) -> Indices:
    """Codes (N, longest): 2 · kind opens, 2 · kind + 1 closes."""
    count, longest = len(lengths), int(lengths.max())
    rows = np.arange(count)
    codes = np.zeros((count, longest), np.int64)
    depth = np.zeros(count, np.int64)
    stack = np.zeros((count, longest // 2 + 1), np.int64)
    chance = random.random((count, longest))
    fresh = random.integers(0, kinds, (count, longest))
    for step in range(longest):
        left = lengths - step
        going = left > 0
        # among the ways to come back to 0 in the steps left, the share of those that go up first
        share = (depth + 2) * (left - depth) / (2 * np.maximum(left, 1) * (depth + 1))
        opens = going & (chance[:, step] < share)
        closes = going & ~opens
        stack[rows[opens], depth[opens]] = fresh[opens, step]
        codes[opens, step] = 2 * fresh[opens, step]
        depth += opens
        depth -= closes
        codes[closes, step] = 2 * stack[rows[closes], depth[closes]] + 1
    return codes


def _broken(
    random: np.random.Generator, codes: Indices, lengths: Indices, rows: Indices
) -> Indices:
    """``codes`` with two brackets of each of ``rows`` exchanged, so that they match no more."""
    left = rows
    for attempt in range(_TRIES + 1):
        if not len(left):
            break
        first, second = (random.integers(0, lengths[left]) for _ in range(2))
        if attempt == _TRIES:  # what begins with a closing bracket never matches
            first, second = np.zeros_like(left), lengths[left] - 1
        changed = codes[left]
        places = np.arange(len(left))
        changed[places, first], changed[places, second] = (
            codes[left, second],
            codes[left, first],
        )
        good = ~matches(changed, lengths[left])
        codes[left[good]] = changed[good]
        left = left[~good]
    return codes


def matches(codes: Indices, lengths: Indices) -> Flags:
    """Whether the brackets (N, longest) of each row match, by a stack."""
    count, longest = codes.shape
    rows = np.arange(count)
    right = np.ones(count, bool)
    depth = np.zeros(count, np.int64)
    stack = np.zeros((count, longest + 1), np.int64)
    for step in range(longest):
        going = right & (step < lengths)
        kind, closing = np.divmod(codes[:, step], 2)
        opens, closes = going & (closing == 0), going & (closing == 1)
        stack[rows[opens], depth[opens]] = kind[opens]
        depth += opens
        depth -= closes
        right &= ~closes | ((depth >= 0) & (stack[rows, np.maximum(depth, 0)] == kind))
        depth = np.maximum(depth, 0)
    found: Flags = right & (depth == 0)
    return found


def _open(options: Options, place: Place, settings: SplitSettings, progress: Progress) -> Dataset:
    count, kinds = options["samples"], options["kinds"]
    shortest, longest = options["shortest"], options["longest"]
    if (shortest + 1) // 2 > longest // 2:
        raise DataError(
            f"no even length lies between {shortest} and {longest}: let the shortest be below the "
            "longest"
        )
    common.check_room(count, 3 * longest)
    labels = common.even_labels(np.random.default_rng(options["seed"]), count, 2)
    codes, lengths = brackets(
        labels, options["seed"], kinds=kinds, shortest=shortest, longest=longest
    )
    reading = TextReading("characters", tuple(BRACKETS[: 2 * kinds]), lower=False, longest=longest)
    return Dataset(
        name="Bracket matching",
        summary=f"{count:,} sequences · {lengths.min()} to {lengths.max()} brackets · "
        f"{kinds} kind{'s' * (kinds != 1)}",
        inputs={
            "brackets": Column("brackets", tokens("T"), codes, reading=reading, lengths=lengths)
        },
        targets={"match": Column("match", vector(1), labels, classes=("do not match", "match"))},
        splits=split(count, settings, labels),
        task="classification",
    )


SOURCE = Source(
    id="brackets",
    name="Bracket matching",
    icon="code",
    summary="Whether every bracket is closed by one of its kind, in sequences of many lengths.",
    open=_open,
    family="generated",
    readings=(TextReading,),
    parameters=(
        common.samples(4000),
        Parameter(
            "kinds",
            "Kinds of brackets",
            "int",
            2,
            "Of ( ), [ ], { } and < >.",
            minimum=1,
            maximum=4,
        ),
        Parameter("shortest", "Shortest", "int", 2, minimum=2, maximum=1000, unit="brackets"),
        Parameter("longest", "Longest", "int", 20, minimum=2, maximum=1000, unit="brackets"),
        common.SEED,
    ),
)
