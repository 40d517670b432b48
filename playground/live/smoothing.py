"""Answers that follow the newest ones calmly, and "none of these"."""

from __future__ import annotations

import math

import numpy as np

from playground.answers import Answer, Classes
from playground.messages import Array
from playground.model import Model

_LEAST = 1e-30
"""Probabilities below are taken as this before their logarithm."""


class Mean:
    """An exponential mean over time, not over frames: it does not depend on the frame rate."""

    def __init__(self) -> None:
        self._value: Array | None = None
        self._time = 0.0

    def follow(self, values: Array, time: float, seconds: float) -> Array:
        """The mean after ``values`` at ``time``, with the time constant ``seconds``."""
        if self._value is None or self._value.shape != values.shape or not seconds:
            self._value = values
        else:
            share = 1 - math.exp(-max(0.0, time - self._time) / seconds)
            self._value = np.asarray(self._value + share * (values - self._value))
        self._time = time
        return self._value

    def reset(self) -> None:
        self._value = None


class Smoother:
    """Answers of a model, averaged over time."""

    def __init__(self, model: Model, seconds: float) -> None:
        self.seconds = seconds
        output, column = next(iter(model.wires.outputs.items()))
        self._output, self._task = output, model.task
        self._column = model.dataset.targets[column]
        self._mean = Mean()

    def answer(self, outputs: dict[str, Array], time: float) -> Answer:
        """The answer to the outputs (1, …) of one sample that was captured at ``time``."""
        row = outputs[self._output][0]
        if not self.seconds:
            self.reset()
            return self._task.answer(row, self._column)
        return self._task.answer(self._smoothed(row, time), self._column)

    def reset(self) -> None:
        self._mean.reset()

    def _smoothed(self, row: Array, time: float) -> Array:
        """Classes are averaged as probabilities, everything else as it is."""
        if not self._column.classes:
            return self._mean.follow(row, time, self.seconds)
        mean = self._mean.follow(_probabilities(row), time, self.seconds)
        return np.asarray(np.log(np.maximum(mean, _LEAST)))


def is_unknown(answer: Answer, threshold: float) -> bool:
    """Whether no class reaches ``threshold``, or nothing like it was among the examples."""
    if not isinstance(answer, Classes) or not answer.answers:
        return False
    return answer.answers[0][1] < threshold or answer.new


def _probabilities(row: Array) -> Array:
    powers = np.exp(row - row.max())
    return np.asarray(powers / powers.sum())
