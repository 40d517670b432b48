"""How wide the band of a forecast has to be, by what then came."""

from __future__ import annotations

import math
from collections import deque

from playground.answers import Answer, Series
from playground.bands import SHARE
from playground.messages import Array

RATE = 0.2
"""How fast the width follows: the logarithm of it rises by this where all forecasts of a row were
wrong, times the share that should have been right."""
WIDEST = 100.0


class Adapting:
    """``width`` is what the band of the validation windows is multiplied by.

    After each new row, its logarithm grows with the share of the forecasts of this row that missed
    it, less the share that may miss: adaptive conformal inference (Gibbs & Candès 2021), with the
    width itself as what adapts (Angelopoulos et al. 2023). In the long run as many rows lie in the
    band as it promises, also where the series is no longer what the network learnt. All steps ahead
    have one width, because rows are few.
    """

    def __init__(self) -> None:
        self.width = 1.0
        self._begun = self._row = 0
        self._ahead: deque[tuple[int, tuple[float, ...], tuple[float, ...]]] = deque()

    def came(self, begun: int, row: int, values: Array) -> None:
        """Rows came, the newest numbered ``row``; ``values`` are the last ones. ``begun`` counts
        how often the rows were begun anew."""
        if begun != self._begun:
            self._begun, self._row = begun, 0
            self._ahead.clear()
        for number in range(max(self._row, row - len(values)) + 1, row + 1):
            self._judge(number, float(values[number - row - 1]))
        self._row = row

    def said(self, answer: Answer) -> None:
        """What is forecast after the newest row."""
        while self._ahead and self._ahead[0][0] + len(self._ahead[0][1]) <= self._row:
            self._ahead.popleft()
        if isinstance(answer, Series) and answer.low is not None and answer.high is not None:
            self._ahead.append((self._row, answer.low, answer.high))

    def _judge(self, row: int, value: float) -> None:
        missed = [
            not low[row - at - 1] <= value <= high[row - at - 1]
            for at, low, high in self._ahead
            if row - at <= len(low)
        ]
        if missed:
            step = RATE * (sum(missed) / len(missed) - (1 - SHARE))
            self.width = min(WIDEST, self.width * math.exp(step))
