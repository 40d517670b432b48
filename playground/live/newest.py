"""Answers that come by themselves: a thread asks, and keeps the newest for whoever looks."""

from __future__ import annotations

import logging
import threading
from abc import ABC, abstractmethod
from collections.abc import Generator

from playground.capture import Camera, CaptureStatus, Microphone
from playground.live.latest import Latest
from playground.live.settings import LiveAnswer


class Answers(ABC):
    """What answers to a device. The device is the caller's: started, closed and perhaps shown by
    it. ``start`` answers in a thread and keeps the newest; ``events`` answers in the caller's
    thread instead."""

    def __init__(self, device: Camera | Microphone) -> None:
        self._device = device
        self._latest: Latest[LiveAnswer] = Latest()
        self._problem: CaptureStatus | None = None
        self._thread = threading.Thread(target=self._work, name="live", daemon=True)

    @abstractmethod
    def events(self) -> Generator[LiveAnswer | CaptureStatus, None, None]:
        """Every answer, and the status whenever it changes; ends when the device does."""

    @property
    def status(self) -> CaptureStatus:
        """How the device does, or why there are no answers."""
        return self._problem or self._device.status

    def start(self) -> None:
        """Begin to answer in a thread; returns at once."""
        self._thread.start()

    def close(self) -> None:
        """End after the present inference, and join."""
        self._latest.stop()
        if self._thread.is_alive():
            self._thread.join()

    def answer(self) -> LiveAnswer | None:
        """The newest answer; None before the first."""
        return self._latest.item

    def wait(self, after: int, timeout: float) -> LiveAnswer | None:
        """The newest answer to a frame numbered above ``after``; None where none came in time."""
        return self._latest.wait(after, timeout)

    def _work(self) -> None:
        try:
            for event in self.events():
                if isinstance(event, LiveAnswer):
                    self._latest.put(event)
        except Exception as error:
            if not isinstance(error, ValueError):
                logging.getLogger(__name__).exception("live recognition failed")
            text = f"The model cannot answer: {' '.join(str(error).split())}"
            self._problem = CaptureStatus("failed", text, 0.0)
