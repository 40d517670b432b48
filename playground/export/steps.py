"""Preprocessing steps as statements, with their constants as buffers where they are many."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Collection, Sequence

from playground.export.members import WIDTH
from playground.preprocessing import Fill, Log, Preprocessing, Scale, Standardize, Step


class Constants:
    """Gives each constant that is not one number a buffer of the generated class. The buffers are
    not persistent, so the state-dict keys stay those of the network."""

    def __init__(self, taken: Collection[str]) -> None:
        self._taken = set(taken)
        self._lines: list[str] = []

    def lines(self) -> list[str]:
        """The statements of ``__init__`` that make the buffers."""
        return self._lines

    def applied(self, steps: Preprocessing, variable: str, owner: str) -> list[str]:
        """The new values of ``variable``, one after the other, for its steps."""
        texts = [self._apply(step, variable, owner) for step in steps.steps]
        texts[0] = texts[0].replace(variable, f"{variable}.float()", 1)
        return texts

    def undone(self, steps: Preprocessing, variable: str, owner: str) -> list[str]:
        """The new values of ``variable`` that undo its steps, the last one first."""
        texts = (self._undo(step, variable, owner) for step in reversed(steps.steps))
        return [text for text in texts if text != variable]

    def _apply(self, step: Step, x: str, owner: str) -> str:
        match step:
            case Scale():
                return f"{x} / {step.by!r}"
            case Standardize():
                centred = _sum(x, "-", self._constant(step.mean, step.axis, owner, "mean"))
                return f"({centred}) / {self._constant(step.std, step.axis, owner, 'std')}"
            case Fill():
                filled = self._constant(step.values, step.axis, owner, "fill")
                return f"{x}.where(~{x}.isnan(), {filled})"
            case Log():
                return f"{x}.double().log().float()"
        raise ValueError(f"the preprocessing step {step.op!r} cannot be written as Python")

    def _undo(self, step: Step, x: str, owner: str) -> str:
        match step:
            case Scale():
                return f"{x} * {step.by!r}"
            case Standardize():
                mean = self._constant(step.mean, step.axis, owner, "mean")
                wide = f"{x} * {self._constant(step.std, step.axis, owner, 'std')}"
                return _sum(wide, "+", mean)
            case Fill():
                return x
            case Log():
                return f"{x}.double().exp().float()"
        raise ValueError(f"the preprocessing step {step.op!r} cannot be written as Python")

    def _constant(self, values: Sequence[float], axis: int, owner: str, what: str) -> str:
        """A number as it is, or the name of a buffer that broadcasts along ``axis``."""
        if len(values) == 1:
            return repr(values[0])
        stem = f"{re.sub('[^a-zA-Z0-9]', '_', owner)}_{what}"
        name, extra = stem, 2
        while name in self._taken:
            name, extra = f"{stem}{extra}", extra + 1
        self._taken.add(name)
        shape = "" if axis == -1 else f".reshape({', '.join(['-1', *['1'] * (-axis - 1)])})"
        numbers = ", ".join(map(repr, values))
        made = [f"{name} = torch.tensor([{numbers}]){shape}"]
        if len(made[0]) > WIDTH - 8:
            made = [
                f"{name} = torch.tensor([",
                *textwrap.wrap(
                    numbers, WIDTH - 12, initial_indent="    ", subsequent_indent="    "
                ),
                f"]){shape}",
            ]
        self._lines += [*made, f'self.register_buffer("{name}", {name}, persistent=False)']
        return f"self.{name}"


def _sum(left: str, sign: str, right: str) -> str:
    """``x - -0.5`` is written ``x + 0.5``, which is the same to the last bit."""
    if right.startswith("-"):
        return f"{left} {'+' if sign == '-' else '-'} {right[1:]}"
    return f"{left} {sign} {right}"
