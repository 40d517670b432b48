"""What is known of an answer beside what the network says: whether anything like the picture was
among the examples, and how far off a forecast may be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from playground.answers import Answer, Classes
from playground.console import Console
from playground.data.dataset import Dataset, Indices

if TYPE_CHECKING:
    from playground.model import Model

Finish = Callable[[Any, Answer], Answer]
"""From a raw value and its answer to the answer with all that is known of it."""
LOOKING = "looking at the examples"


def finishing(model: Model, console: Console) -> Finish:
    """What is to be done with the answers of a run; ``console`` is told why something is missing,
    and shows how many of the examples were looked at where that is done anew."""
    from playground.bands import NoBand, band_of, is_forecast
    from playground.familiar import NoExamples, familiarity

    try:
        with looking(console) as progress:
            known = familiarity(model, progress)
    except NoExamples as why:
        console.note(str(why))
        known = None
    if known is not None:
        return lambda value, answer: (
            replace(answer, seen=known(value)) if isinstance(answer, Classes) else answer
        )
    if model.run is not None and is_forecast(model):
        try:
            band = band_of(model)
        except NoBand as missing:
            console.note(str(missing))
        else:
            return lambda value, answer: band.around(answer, model)
    return lambda value, answer: answer


def share_known(model: Model, dataset: Dataset, indices: Indices, console: Console) -> float | None:
    """The share of samples that are like the examples, where the run was taught by some."""
    from playground import familiar

    try:
        with looking(console) as progress:
            return familiar.share_known(model, dataset, indices, progress)
    except familiar.NoExamples as why:
        console.note(str(why))
        return None


@contextmanager
def looking(console: Console) -> Iterator[Callable[[int, int], None]]:
    """What is told how many of how many pictures were looked at."""
    with console.progress(LOOKING) as bar:
        yield lambda done, total: bar(done, total, LOOKING)
