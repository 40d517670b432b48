"""Answers that come by themselves: a thread asks, and keeps the newest for whoever looks."""

from __future__ import annotations

import logging
import threading
from abc import ABC, abstractmethod
from collections.abc import Generator

from playground.capture import Camera, CaptureStatus, Microphone
from playground.live.settings import LiveAnswer


class Answers(ABC):
    """What answers to a device. The device is the caller's: started, closed and perhaps shown by
    it. ``start`` answers in a thread and keeps the newest; ``events`` answers in the caller's
    thread instead."""

    def __init__(self, device: Camera | Microphone) -> None:
        self._device = device
        self._changed = threading.Condition()
        self._answer: LiveAnswer | None = None
        self._problem: CaptureStatus | None = None
        self._stopped = False
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
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join()

    def answer(self) -> LiveAnswer | None:
        """The newest answer; None before the first."""
        return self._answer

    def wait(self, after: int, timeout: float) -> LiveAnswer | None:
        """The newest answer to a frame numbered above ``after``; None where none came in time."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopped or self._newer(after), timeout)
            return self._answer if self._newer(after) else None

    def _newer(self, after: int) -> bool:
        return self._answer is not None and self._answer.number > after

    def _work(self) -> None:
        try:
            for event in self.events():
                if isinstance(event, LiveAnswer):
                    with self._changed:
                        self._answer = event
                        self._changed.notify_all()
        except Exception as error:
            if not isinstance(error, ValueError):
                logging.getLogger(__name__).exception("live recognition failed")
            text = f"The model cannot answer: {' '.join(str(error).split())}"
            self._problem = CaptureStatus("failed", text, 0.0)
