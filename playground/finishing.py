"""What is known of an answer beside what the network says: whether anything like the picture was
among the examples, and how far off a forecast may be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from playground.answers import Answer, Classes

if TYPE_CHECKING:
    from playground.model import Model

Finish = Callable[[Any, Answer], Answer]
"""From a raw value and its answer to the answer with all that is known of it."""


def finishing(model: Model, note: Callable[[str], None]) -> Finish:
    """What is to be done with the answers of a run; ``note`` is told why something is missing."""
    from playground.bands import NoBand, band_of, is_forecast

    if model.run is not None and model.run.info().get("taught"):
        from playground.teach import familiarity

        known = familiarity(model)
        if known is not None:
            return lambda value, answer: (
                replace(answer, seen=known(value)) if isinstance(answer, Classes) else answer
            )
    if model.run is not None and is_forecast(model):
        try:
            band = band_of(model)
        except NoBand as why:
            note(str(why))
        else:
            return lambda value, answer: band.around(answer, model)
    return lambda value, answer: answer
