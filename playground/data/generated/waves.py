"""Waves: sines, chirps and other periodic functions of time, to be told apart or measured.

A chirp's frequency changes evenly from its first to its last step (a linear chirp), from a half to
one and a half of the wave's frequency or the other way round: over the window it has as many
cycles as the others, so that the frequency alone does not give it away.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from models.axes import sequence, vector
from models.parameters import Parameter
from playground.data.dataset import Column, Dataset
from playground.data.errors import DataError
from playground.data.generated import common
from playground.data.series_reading import SeriesReading
from playground.data.settings import SplitSettings
from playground.data.source import Options, Place, Progress, Source
from playground.data.splits import split
from playground.preprocessing import Preprocessing, standardized

Floats = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]

WAVES = ("sine", "rising chirp", "falling chirp", "square", "triangle", "sawtooth")


def waves(
    kinds: Labels, seed: int, *, length: int, cycles: tuple[float, float], noise: float
) -> tuple[Floats, Floats]:
    """Series (N, length, 1) of the given kinds (their numbers in ``WAVES``), and their frequency
    (N, 1) in cycles a window. Amplitude (0.5 to 1), phase and frequency are random."""
    random = np.random.default_rng((seed, 1))
    count = len(kinds)
    frequency = random.uniform(*cycles, (count, 1))
    time = np.arange(length) / length
    bend = np.select([kinds == 1, kinds == 2], [0.5, -0.5], 0.0)[:, None]
    # the integral of frequency · (1 + bend · (2 · time − 1)), the momentary frequency
    turns = frequency * (time + bend * (time**2 - time)) + random.uniform(0, 1, (count, 1))
    sawtooth = 2 * (turns % 1) - 1
    forms = [np.sin(2 * np.pi * turns)] * 3
    forms += [np.sign(np.sin(2 * np.pi * turns)), 2 * np.abs(sawtooth) - 1, sawtooth]
    series = np.select([(kinds == kind)[:, None] for kind in range(len(WAVES))], forms)
    series *= random.uniform(0.5, 1.0, (count, 1))
    series += noise * random.standard_normal((count, length))
    return series.astype(np.float32)[:, :, None], frequency.astype(np.float32)


def _open(options: Options, place: Place, settings: SplitSettings, progress: Progress) -> Dataset:
    count, length = options["samples"], options["length"]
    cycles = (options["slowest"], options["fastest"])
    if cycles[0] > cycles[1] or cycles[1] * 1.5 > length / 2:
        raise DataError(
            f"waves of {cycles[0]:g} to {cycles[1]:g} cycles do not fit into {length} steps: let "
            f"the slowest be below the fastest, and the fastest at most {length / 3:g}"
        )
    measure = options["task"] == "regression"
    random = np.random.default_rng(options["seed"])
    kinds = np.zeros(count, np.int64) if measure else common.even_labels(random, count, len(WAVES))
    common.check_room(count, length * len(WAVES))
    series, frequency = waves(
        kinds, options["seed"], length=length, cycles=cycles, noise=options["noise"]
    )
    splits = split(count, settings, None if measure else kinds)
    if measure:
        scaling = Preprocessing((standardized(frequency[splits["train"]], axis=-1),))
        target = Column("frequency", vector(1), frequency, scaling, unit="cycles")
        what = "frequency from " + " to ".join(f"{value:g}" for value in cycles)
    else:
        target = Column("wave", vector(1), kinds, classes=WAVES)
        what = f"{len(WAVES)} kinds of waves"
    return Dataset(
        name="Sines" if measure else "Waves",
        summary=f"{count:,} series · {length} steps · {what}",
        inputs={
            "series": Column(
                "series",
                sequence(length, 1),
                series,
                Preprocessing((standardized(series[splits["train"]], axis=-1),)),
                reading=SeriesReading(length),
            )
        },
        targets={target.name: target},
        splits=splits,
        task=options["task"],
    )


SOURCE = Source(
    id="waves",
    name="Sines and chirps",
    icon="series",
    summary="Waves whose kind is to be told, or whose frequency is to be measured.",
    open=_open,
    family="generated",
    readings=(SeriesReading,),
    parameters=(
        common.samples(2000),
        Parameter(
            "task",
            "What is asked",
            "choice",
            "classification",
            choices=(
                ("classification", "The kind of wave"),
                ("regression", "The frequency of a sine"),
            ),
        ),
        Parameter("length", "Length", "int", 128, minimum=16, maximum=10_000, unit="steps"),
        Parameter(
            "slowest",
            "Slowest",
            "float",
            2.0,
            "Cycles in the whole length.",
            minimum=0.5,
            maximum=3000,
            unit="cycles",
        ),
        Parameter("fastest", "Fastest", "float", 8.0, minimum=0.5, maximum=3000, unit="cycles"),
        common.noise("The deviation of what is added to each step.", 0.1),
        common.SEED,
    ),
)
