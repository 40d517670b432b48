"""Whether an exported model gives the application's answers.

"The same answer" means: no output differs by more than 1e-4 of the standard deviation that the
application's outputs have across inputs. An absolute limit would prove nothing: networks that are
hardly trained answer alike to everything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.axes import Kind, Shape
from playground.data.dataset import Column
from playground.messages import Array
from playground.model import Model

LIMIT = 1e-4
BATCHES = (1, 3)
INPUTS = 16
LENGTHS = (9, 14)
"""Steps that are tried where the length of a sequence is free."""

Answerer = Callable[[Mapping[str, Array]], Mapping[str, Array]]


@dataclass(frozen=True, slots=True)
class Checked:
    """``difference`` is None where the exported model could not be run here."""

    difference: float | None
    text: str

    def to_json(self) -> dict[str, Any]:
        return {"difference": self.difference, "text": self.text}


class Differs(ValueError):
    """The exported model does not answer as the application does."""


def compare(model: Model, application: Answerer, exported: Answerer) -> Checked:
    """Ask both about the same raw inputs at two batch sizes and, where T is free, two lengths.

    Raises ``Differs``.
    """
    worst, exact = 0.0, True
    for length in LENGTHS if _varies(model) else (0,):
        reference = application(raw_inputs(model, INPUTS, length))
        spread = {name: float(np.std(values, axis=0).max()) for name, values in reference.items()}
        if not all(value > 0 for value in spread.values()):
            raise Differs(
                "the model gives the same answer to every input, so its export cannot be checked: "
                "train it first"
            )
        for batch in BATCHES:
            raw = raw_inputs(model, batch, length)
            wanted, got = application(raw), exported(raw)
            for name, values in wanted.items():
                if got[name].shape != values.shape:
                    raise Differs(
                        f"the exported model gives {name} in the shape {got[name].shape} instead "
                        f"of {values.shape} for {batch} samples"
                    )
                difference = float(np.abs(got[name] - values).max()) / spread[name]
                worst = max(worst, difference)
                exact = exact and np.array_equal(got[name], values)
    if not worst <= LIMIT:
        raise Differs(
            f"the exported model's answers differ by {worst:.1e} of their spread from the "
            f"application's (at most {LIMIT:g} is the same)"
        )
    sizes = " and ".join(map(str, BATCHES))
    if exact:
        return Checked(0.0, f"its answers equal the application's bit for bit (batches of {sizes})")
    text = (
        f"its answers are the application's: the largest difference is {worst:.1e} of their spread "
        f"(batches of {sizes})"
    )
    return Checked(worst, text)


def raw_inputs(model: Model, count: int, length: int = 0) -> dict[str, Array]:
    """Plausible raw inputs: what the preprocessing makes of them is normally distributed."""
    random = np.random.default_rng(count)
    raw: dict[str, Array] = {}
    for name in model.wires.arguments:
        column = model.dataset.inputs.get(name)
        if column is None:  # the numbers of valid steps, one a sample
            raw[name] = random.integers(max(1, length // 2), length + 1, count)
            continue
        raw[name] = _values(column, count, length, random)
    return raw


def _values(column: Column, count: int, length: int, random: np.random.Generator) -> Array:
    sizes = [length if isinstance(size, str) else size for size in column.shape.sizes]
    if column.shape.kind is Kind.TOKENS:
        return random.integers(0, column.vocabulary or 2, (count, *sizes))
    normal = random.standard_normal((count, *sizes)).astype(np.float32)
    return column.preprocessing.inverse(normal)


def _varies(model: Model) -> bool:
    return any(shape.varies for shape in _shapes(model))


def _shapes(model: Model) -> list[Shape]:
    return [column.shape for column in model.dataset.inputs.values()]
