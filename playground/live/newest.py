"""Answers that come by themselves: a thread asks, and keeps the newest for whoever looks."""

from __future__ import annotations

import logging
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator
from typing import Protocol

from models.parameters import Values
from playground.capture import CaptureStatus
from playground.live.inside import Inside, InsideWish
from playground.live.latest import Latest
from playground.live.settings import EngineReport, LiveAnswer, LiveSettings
from playground.messages import Array


class Source(Protocol):
    """A camera, a microphone, or rows of a table."""

    @property
    def status(self) -> CaptureStatus: ...


Part = tuple[float, float, float, float]


class Answers(ABC):
    """What answers to a device. The device is the caller's: started, closed and perhaps shown by
    it. ``start`` answers in a thread and keeps the newest; ``events`` answers in the caller's
    thread instead."""

    def __init__(self, device: Source) -> None:
        self._device = device
        self._latest: Latest[LiveAnswer] = Latest()
        self._problem: CaptureStatus | None = None
        self._thread: threading.Thread | None = None
        self.told: Callable[[], None] | None = None
        """Called in the answering thread after every answer; it must not take time."""

    @abstractmethod
    def events(self) -> Generator[LiveAnswer | CaptureStatus, None, None]:
        """Every answer, and the status whenever it changes; ends when the device does."""

    @abstractmethod
    def want(self, settings: LiveSettings, detection: Values) -> None:
        """Answer so from now on, as far as it concerns this kind: smoothing and threshold, or the
        parameters of a detector. Raises ``ParameterError``."""

    @property
    @abstractmethod
    def engine(self) -> EngineReport:
        """What runs the network."""

    def part_seen(self, size: tuple[int, int]) -> Part | None:
        """Which part of a camera's frame of ``size`` (height, width) the network sees: left, top,
        right, bottom as shares of its width and height; None where that is not known."""
        return None

    @property
    def status(self) -> CaptureStatus:
        """How the device does, or why there are no answers."""
        return self._problem or self._device.status

    def start(self) -> None:
        """Begin to answer in a thread; returns at once."""
        self._thread = threading.Thread(target=self.run, name="live", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Begin to end: after the present inference. Returns at once."""
        self._latest.stop()

    def close(self) -> None:
        """End after the present inference, and join."""
        self.stop()
        if self._thread is not None:
            self._thread.join()

    def answer(self) -> LiveAnswer | None:
        """The newest answer; None before the first."""
        return self._latest.item

    def wait(self, after: int, timeout: float) -> LiveAnswer | None:
        """The newest answer to a frame numbered above ``after``; None where none came in time."""
        return self._latest.wait(after, timeout)

    def look_inside(
        self, wish: InsideWish | None = None, told: Callable[[], None] | None = None
    ) -> Inside | None:
        """What looks into the network beside the answers, not started yet; closing it is the
        caller's. None where nothing can be looked into."""
        return None

    def states(self) -> dict[str, Array]:
        """What the recurrent layers remember now, (H,) by the node's name, where a state is carried
        from step to step."""
        return {}

    def run(self) -> None:
        """Answer in the caller's thread until the device ends or ``stop``; keeps the newest."""
        try:
            for event in self.events():
                if isinstance(event, LiveAnswer):
                    self._latest.put(event)
                    if self.told is not None:
                        self.told()
        except Exception as error:
            if not isinstance(error, ValueError):
                logging.getLogger(__name__).exception("live recognition failed")
            text = f"The model cannot answer: {' '.join(str(error).split())}"
            self._problem = CaptureStatus("failed", text, 0.0)
