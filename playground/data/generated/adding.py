"""The adding problem (Hochreiter & Schmidhuber 1997, experiment 4), as in Le et al. 2015: numbers
from 0 to 1, two of them marked; the answer is the sum of the two. Always answering 1 has a mean
squared error of 1/6; to do better a network must remember a number over many steps."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from models.axes import sequence, vector
from models.parameters import Parameter
from playground.data.dataset import Column, Dataset
from playground.data.generated import common
from playground.data.series_reading import WindowReading
from playground.data.settings import SplitSettings
from playground.data.source import Options, Place, Progress, Source
from playground.data.splits import split

Floats = npt.NDArray[np.float32]


def adding(count: int, seed: int, *, length: int) -> tuple[Floats, Floats]:
    """Series (count, length, 2) of numbers and marks, and the sums (count, 1). One mark is in the
    first half, one in the second."""
    random = np.random.default_rng(seed)
    numbers = random.random((count, length), np.float32)
    marks = np.zeros((count, length), np.float32)
    rows = np.arange(count)
    marks[rows, random.integers(0, length // 2, count)] = 1
    marks[rows, random.integers(length // 2, length, count)] = 1
    sums = (numbers * marks).sum(axis=1, keepdims=True, dtype=np.float32)
    return np.stack([numbers, marks], axis=2), sums


def _open(options: Options, place: Place, settings: SplitSettings, progress: Progress) -> Dataset:
    count, length = options["samples"], options["length"]
    common.check_room(count, 2 * length)
    series, sums = adding(count, options["seed"], length=length)
    return Dataset(
        name="Adding problem",
        summary=f"{count:,} series · {length} steps of a number and a mark · the sum of two",
        inputs={
            "series": Column(
                "series",
                sequence(length, 2),
                series,
                reading=WindowReading(("number", "mark"), length),
            )
        },
        targets={"sum": Column("sum", vector(1), sums)},
        splits=split(count, settings),
        task="regression",
    )


SOURCE = Source(
    id="adding",
    name="Adding problem",
    icon="sigma",
    summary="Add the two numbers that are marked in a long series: a test of memory.",
    open=_open,
    family="generated",
    readings=(WindowReading,),
    parameters=(
        common.samples(5000),
        Parameter(
            "length",
            "Length",
            "int",
            50,
            "The longer, the harder.",
            minimum=2,
            maximum=5_000,
            unit="steps",
        ),
        common.SEED,
    ),
)
