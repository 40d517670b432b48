"""Answers that follow the newest ones calmly, and "none of these"."""

from __future__ import annotations

import math

import numpy as np

from playground.answers import Answer, Classes
from playground.messages import Array
from playground.model import Model

_LEAST = 1e-30
"""Probabilities below are taken as this before their logarithm."""


class Smoother:
    """An exponential mean over time, not over frames: it does not depend on the frame rate."""

    def __init__(self, model: Model, seconds: float) -> None:
        self.seconds = seconds
        output, column = next(iter(model.wires.outputs.items()))
        self._output, self._task = output, model.task
        self._column = model.dataset.targets[column]
        self._mean: Array | None = None
        self._time = 0.0

    def answer(self, outputs: dict[str, Array], time: float) -> Answer:
        """The answer to the outputs (1, …) of one sample that was captured at ``time``."""
        row = outputs[self._output][0]
        if not self.seconds:
            self.reset()
            return self._task.answer(row, self._column)
        return self._task.answer(self._smoothed(row, time), self._column)

    def reset(self) -> None:
        self._mean = None

    def _smoothed(self, row: Array, time: float) -> Array:
        """Classes are averaged as probabilities, everything else as it is."""
        values = _probabilities(row) if self._column.classes else row
        if self._mean is None or self._mean.shape != values.shape:
            self._mean = values
        else:
            share = 1 - math.exp(-max(0.0, time - self._time) / self.seconds)
            self._mean = self._mean + share * (values - self._mean)
        self._time = time
        return np.log(np.maximum(self._mean, _LEAST)) if self._column.classes else self._mean


def is_unknown(answer: Answer, threshold: float) -> bool:
    """Whether no class reaches ``threshold``."""
    return isinstance(answer, Classes) and bool(answer.answers) and answer.answers[0][1] < threshold


def _probabilities(row: Array) -> Array:
    powers = np.exp(row - row.max())
    return np.asarray(powers / powers.sum())
