"""Delayed recall, after the copying task (Hochreiter & Schmidhuber 1997, experiment 2; Arjovsky et
al. 2016): something is shown, nothing happens for a while, and then it must be told.

As letters: a few are shown, and after the delay a digit asks for one of them. As a series: numbers
are shown, and after the delay a signal asks for all of them at once.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from models.axes import sequence, tokens, vector
from models.parameters import Parameter, Values
from playground.data.dataset import Column, Dataset
from playground.data.generated import common
from playground.data.generated.common import FIRST
from playground.data.series_reading import WindowReading
from playground.data.settings import SplitSettings
from playground.data.source import Options, Place, Progress, Source
from playground.data.splits import split
from playground.data.text_reading import TextReading

Floats = npt.NDArray[np.float32]
Indices = npt.NDArray[np.int64]

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
BLANK = "·"
DIGITS = "123456789"


def alphabet(letters: int, shown: int) -> str:
    """What can stand in a sequence: letters, the blank, and the digits that ask."""
    return LETTERS[:letters] + BLANK + DIGITS[:shown]


def recall_letters(
    count: int, seed: int, *, letters: int, shown: int, delay: int
) -> tuple[Indices, Indices]:
    """Tokens (count, shown + delay + 1), numbered from 2 on, and the number of the
    letter that is asked for (count,)."""
    random = np.random.default_rng(seed)
    said = random.integers(0, letters, (count, shown))
    asked = random.integers(0, shown, count)
    result = np.full((count, shown + delay + 1), letters, np.int64)
    result[:, :shown] = said
    result[:, -1] = letters + 1 + asked
    return result + FIRST, said[np.arange(count), asked]


def recall_numbers(count: int, seed: int, *, shown: int, delay: int) -> tuple[Floats, Floats]:
    """Series (count, shown + delay + 1, 2) of numbers from −1 to 1 and the signal that asks, and
    the numbers again (count, shown)."""
    random = np.random.default_rng(seed)
    said = random.uniform(-1, 1, (count, shown)).astype(np.float32)
    result = np.zeros((count, shown + delay + 1, 2), np.float32)
    result[:, :shown, 0] = said
    result[:, -1, 1] = 1
    return result, said


def _open(options: Options, place: Place, settings: SplitSettings, progress: Progress) -> Dataset:
    count, seed = options["samples"], options["seed"]
    shown, delay, letters = options["shown"], options["delay"], options["letters"]
    length = shown + delay + 1
    common.check_room(count, 2 * length)
    if options["form"] == "series":
        asked = None
        series, said = recall_numbers(count, seed, shown=shown, delay=delay)
        reading = WindowReading(("number", "signal"), length)
        source = Column("series", sequence(length, 2), series, reading=reading)
        target = Column("numbers", vector(shown), said)
        what = f"{shown} number{'s' * (shown != 1)}"
    else:
        codes, asked = recall_letters(count, seed, letters=letters, shown=shown, delay=delay)
        text = TextReading("characters", tuple(alphabet(letters, shown)), lower=False,
                           longest=length)  # fmt: skip
        source = Column("letters", tokens(length), codes, reading=text)
        target = Column("letter", vector(1), asked, classes=tuple(LETTERS[:letters]))
        what = "a letter" if shown == 1 else f"1 of {shown} letters"
    return Dataset(
        name="Delayed recall",
        summary=f"{count:,} sequences · {length} steps · recall {what} after {delay} steps",
        inputs={source.name: source},
        targets={target.name: target},
        splits=split(count, settings, asked),
        task="classification" if target.classes else "regression",
    )


def _letters(values: Values) -> bool:
    return values.get("form") == "letters"


SOURCE = Source(
    id="recall",
    name="Delayed recall",
    icon="clock",
    summary="What was shown must be told after a while: a test of memory.",
    open=_open,
    family="generated",
    readings=(TextReading, WindowReading),
    parameters=(
        common.samples(5000),
        Parameter(
            "form",
            "What is shown",
            "choice",
            "letters",
            "Letters, of which one is asked for; or numbers, all of which are asked for.",
            choices=(("letters", "Letters"), ("series", "Numbers")),
        ),
        Parameter("shown", "How many", "int", 1, minimum=1, maximum=9),
        Parameter(
            "letters",
            "Different letters",
            "int",
            4,
            minimum=2,
            maximum=26,
            visible=_letters,
        ),
        Parameter(
            "delay",
            "Delay",
            "int",
            20,
            "Steps in which nothing happens. The longer, the harder.",
            minimum=0,
            maximum=5_000,
            unit="steps",
        ),
        common.SEED,
    ),
)
