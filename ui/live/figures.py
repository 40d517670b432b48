"""The figures of a live view: rate, latency to the screen, inference, frames passed over."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from playground.capture import Camera, Microphone
from playground.live.rows import Rows
from playground.live.settings import LiveAnswer

RATE_S, SPREAD_S, MINUTE_S = 2.0, 5.0, 60.0


@dataclass(frozen=True, slots=True)
class Figures:
    """``rate`` in answers a second; ``latency_ms`` from capture to the screen and ``inference_ms``
    are medians; ``dropped`` frames in the last minute; ``size`` (height, width) of a frame."""

    rate: float = 0.0
    latency_ms: float | None = None
    latest_ms: float | None = None
    inference_ms: float | None = None
    dropped: int = 0
    size: tuple[int, int] | None = None
    engine: str = ""


class Tally:
    """Keeps what the figures are made of."""

    def __init__(self) -> None:
        self._answers: deque[tuple[float, float]] = deque()
        self._late: deque[tuple[float, float]] = deque()
        self._dropped: deque[tuple[float, int]] = deque()
        self._last: LiveAnswer | None = None
        self._painted = -1

    def add(self, answer: LiveAnswer, now: float) -> None:
        before = self._last.dropped if self._last is not None else answer.dropped
        self._last = answer
        self._answers.append((now, answer.inference_seconds))
        self._dropped.append((now, max(0, answer.dropped - before)))  # who answers may change

    def painted(self, answer: LiveAnswer, now: float) -> None:
        """``answer`` is on the screen; drawn again, it is no news."""
        if answer.number != self._painted:
            self._painted = answer.number
            self._late.append((now, now - answer.captured))

    def figures(
        self, now: float, device: Camera | Microphone | Rows | None, engine: str
    ) -> Figures:
        _forget(self._answers, now - SPREAD_S)
        _forget(self._late, now - SPREAD_S)
        _forget(self._dropped, now - MINUTE_S)
        recent = [at for at, _ in self._answers if at > now - RATE_S]
        taken = [1e3 * seconds for _, seconds in self._answers]
        late = [1e3 * seconds for _, seconds in self._late]
        frame = device.frame() if isinstance(device, Camera) else None
        size = (frame.pixels.shape[0], frame.pixels.shape[1]) if frame is not None else None
        worker = self._last.engine if self._last is not None else ""
        return Figures(
            len(recent) / RATE_S,
            float(np.median(late)) if late else None,
            float(np.percentile(late, 95)) if late else None,
            float(np.median(taken)) if taken else None,
            sum(count for _, count in self._dropped),
            size,
            engine or worker,
        )


def _forget(values: deque[tuple[float, float]] | deque[tuple[float, int]], before: float) -> None:
    while values and values[0][0] < before:
        values.popleft()
