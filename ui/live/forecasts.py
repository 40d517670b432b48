"""What was forecast as rows came, and how good it was once the values were there."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from playground.answers import Series
from playground.messages import Array
from ui.live.forecast_plot import Ahead

KEPT = 120
THIN = 3
"""Earlier forecasts that are drawn."""
FEW = 20
"""Of fewer values a share would say more than is known."""


@dataclass(frozen=True)
class Score:
    """Of ``count`` values that came: how far off their forecasts were on average, and how many of
    the ``banded`` ones, which had a band, were in it."""

    count: int
    mae: float
    inside: int
    banded: int

    def band_words(self) -> str:
        """``4 of 5 in the band``, of many ``81 % in the band``; "" without a band."""
        if not self.banded:
            return ""
        of_few = f"{self.inside} of {self.banded}"
        shown = of_few if self.banded < FEW else f"{100 * self.inside / self.banded:.0f} %"
        return f"{shown} in the band"


class Forecasts:
    """The forecasts after the last rows, each with the number of the row that it came after."""

    def __init__(self) -> None:
        self._all: deque[Ahead] = deque(maxlen=KEPT)

    def clear(self) -> None:
        self._all.clear()

    @property
    def newest(self) -> Ahead | None:
        return self._all[-1] if self._all else None

    def add(self, origin: int, answer: Series) -> None:
        """A row that was answered twice counts once."""
        if self._all and self._all[-1].origin >= origin:
            return
        ends = [None if part is None else np.asarray(part) for part in (answer.low, answer.high)]
        self._all.append(Ahead(origin, np.asarray(answer.values), *ends))

    def placed(self, numbers: Sequence[int], first: int) -> Forecasts:
        """The same, of rows that are drawn as ``first`` … and have these ``numbers``."""
        places = {number: place for place, number in enumerate(numbers, first)}
        found = Forecasts()
        found._all.extend(
            replace(one, origin=places[one.origin]) for one in self._all if one.origin in places
        )
        return found

    def before(self, first: int) -> tuple[Ahead, ...]:
        """The last few before the newest that end after row ``first``: always half their length
        apart, so that they stay while rows go by. Of forecasts of one step, all as one line."""
        newest = self.newest
        if newest is None:
            return ()
        steps = len(newest.values)
        earlier = [one for one in self._all if one is not newest and one.origin + steps > first]
        if steps == 1:
            values = np.array([one.values[0] for one in earlier])
            return _lines(np.array([one.origin for one in earlier], int), values)
        apart = max(1, steps // 2)
        chosen: dict[int, Ahead] = {}
        for one in earlier:
            chosen.setdefault(one.origin // apart, one)
        chosen.pop(newest.origin // apart, None)
        return tuple(chosen.values())[-THIN:]

    def score(self, values: Array, first: int) -> Score | None:
        """How good they were, by the values (n,) of rows ``first`` …; None before any came."""
        errors, hits, banded = [], 0, 0
        last = first + len(values) - 1
        for one in self._all:
            start, end = one.origin + 1, min(last, one.origin + len(one.values))
            if start < first or end < start:
                continue
            came = values[start - first : end - first + 1]
            errors.append(np.abs(one.values[: len(came)] - came))
            if one.low is not None and one.high is not None:
                low, high = one.low[: len(came)], one.high[: len(came)]
                hits += int(((came >= low) & (came <= high)).sum())
                banded += len(came)
        if not errors:
            return None
        whole = np.concatenate(errors)
        return Score(len(whole), float(whole.mean()), hits, banded)


def _lines(origins: Array, values: Array) -> tuple[Ahead, ...]:
    """Stretches without a gap, each as one line."""
    ends = np.flatnonzero(np.diff(origins) > 1) + 1
    parts = zip(np.split(origins, ends), np.split(values, ends), strict=True)
    return tuple(Ahead(int(at[0]), line) for at, line in parts if len(at))
