"""What was answered in the last seconds, as lines over time."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from playground.answers import Answer, Boxes, Classes, Mask, Picture, Series, Value
from playground.captions import CLASS_COLOURS
from playground.messages import Array
from playground.sample_files import natural

SECONDS = 20.0
MOST = 5
"""Lines, where there are more classes than colours."""
KEPT = 10
"""Of many classes, so many of each answer are remembered."""
PAUSE_S = 3.0
"""Without an answer for longer, a line is broken."""

Kind = Literal["share", "count", "number"]


@dataclass(frozen=True)
class Point:
    """What one answer says: shares in percent, numbers of objects, or a value in ``unit``."""

    kind: Kind
    values: Mapping[str, float]
    unit: str = ""
    whole: bool = True
    """Whether these are all; otherwise the others are about 0."""


def point(answer: Answer) -> Point | None:
    """None where an answer is nothing that can be drawn as a line."""
    match answer:
        case Classes(answers):
            whole = len(answers) <= len(CLASS_COLOURS)
            few = answers if whole else answers[:KEPT]
            return Point("share", {name: 100 * value for name, value in few}, "%", whole)
        case Mask():
            return Point("share", {name: 100 * part for name, part in answer.shares()}, "%")
        case Boxes(boxes):
            counts: dict[str, float] = {}
            for box in boxes:
                counts[box.label] = counts.get(box.label, 0.0) + 1
            return Point("count", counts, "", False)
        case Value(value, unit):
            return Point("number", {"Answer": value}, unit)
        case Series(values, unit):
            return Point("number", {"Next value": values[0]} if values else {}, unit)
        case Picture():
            return None


class Course:
    """The points of the last ``SECONDS``, and which lines are worth drawing."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self.kind: Kind = "share"
        self.unit = ""
        self._whole = True
        self._points: deque[tuple[float, Mapping[str, float]]] = deque()
        self._sums: dict[str, float] = {}
        self._seen: dict[str, int] = {}
        self._places: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._points)

    def add(self, time: float, new: Point) -> None:
        """What was answered to a frame captured at ``time``, monotonic seconds."""
        if (new.kind, new.unit) != (self.kind, self.unit):
            self.clear()
        self.kind, self.unit, self._whole = new.kind, new.unit, new.whole
        if self._points and time <= self._points[-1][0]:
            return
        self._points.append((time, new.values))
        for name, value in new.values.items():
            self._sums[name] = self._sums.get(name, 0.0) + value
            self._seen[name] = self._seen.get(name, 0) + 1

    def forget(self, now: float) -> None:
        """Drop what is too old to be seen."""
        while self._points and self._points[0][0] < now - SECONDS - 1:
            for name, value in self._points.popleft()[1].items():
                self._sums[name] -= value
                self._seen[name] -= 1
                if not self._seen[name]:
                    del self._sums[name], self._seen[name]

    def names(self) -> list[str]:
        """Of a few classes all, in a person's order; of many the likeliest of these seconds."""
        names = sorted(self._seen, key=natural)
        if self._whole and len(names) <= len(CLASS_COLOURS):
            return names
        return sorted(names, key=lambda name: -self._sums[name])[:MOST]

    def places(self) -> dict[str, int]:
        """The colour of each line, which it keeps for as long as it is drawn."""
        names = self.names()
        if self._whole and len(names) <= len(CLASS_COLOURS):
            self._places = {name: place for place, name in enumerate(names)}
            return self._places
        self._places = {name: place for name, place in self._places.items() if name in names}
        free = [place for place in range(MOST) if place not in self._places.values()]
        for name in names:
            if name not in self._places:
                self._places[name] = free.pop(0)
        return {name: self._places[name] for name in names}

    def lines(self, names: list[str], now: float) -> tuple[Array, dict[str, Array]]:
        """Seconds before ``now`` (n,), and the values of each line (n,); a pause breaks it."""
        times = [time - now for time, _ in self._points]
        missing = float("nan") if self._whole else 0.0
        columns = {
            name: [values.get(name, missing) for _, values in self._points] for name in names
        }
        x = np.asarray(times, np.float64)
        gaps = np.flatnonzero(np.diff(x) > PAUSE_S) + 1
        if gaps.size:
            x = np.insert(x, gaps, x[gaps])
        found = {}
        for name, column in columns.items():
            y = np.asarray(column, np.float64)
            found[name] = np.insert(y, gaps, np.nan) if gaps.size else y
        return x, found

    def newest(self, name: str) -> float | None:
        if not self._points:
            return None
        value = self._points[-1][1].get(name, None if self._whole else 0.0)
        return None if value is None or value != value else value
