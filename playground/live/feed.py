"""The newest sample that a device gives, ready to be asked about."""

from __future__ import annotations

import threading
import time
from typing import Protocol

import numpy as np

from playground.capture import Camera, CaptureStatus, Microphone
from playground.capture.process import OVER
from playground.data.sound_reading import SoundReading
from playground.live.intake import Pictures, Sample, check, input_of
from playground.live.latest import Latest
from playground.model import Model

POSITION = "position"
"""Where, in samples since the beginning, the sound of a sample ends."""
HISTORY = 2.0
"""Seconds of sound in a sample for a carried state, which takes from it what it has not heard."""
_PATIENCE = 0.05
"""Seconds between two looks at whether to end."""


class Feed(Protocol):
    """The newest sample; a device that is being opened or reconnected simply gives none."""

    def start(self) -> None: ...
    def close(self) -> None: ...
    def newest(self) -> Sample | None: ...
    def wait(self, after: int, timeout: float) -> Sample | None:
        """The newest sample numbered above ``after``; None where there is none in time."""
        ...


def feed(
    model: Model,
    device: Camera | Microphone,
    *,
    window: bool = True,
    hop: float = 0.1,
    rate_hz: float | None = None,
) -> Feed:
    """What ``device`` gives for ``model``; starting and closing the device stays the caller's.
    ``window``: whether clips and sounds are asked about whole; ``rate_hz``: the most frames a
    second that are made ready. Raises ``LiveError``."""
    check(model, device)
    column = input_of(model)
    if isinstance(device, Microphone):
        assert isinstance(column.reading, SoundReading)
        kind = SoundFeed if window else SpokenFeed
        return kind(column.name, column.reading, device, hop)
    return CameraFeed(Pictures(column, window=window), device, rate_hz)


class CameraFeed:
    """Fits frames to the model in a thread of its own, so that inference need not wait for it."""

    def __init__(self, pictures: Pictures, camera: Camera, rate_hz: float | None = None) -> None:
        self._pictures, self._camera = pictures, camera
        self._gap = 0.0 if rate_hz is None else 1 / rate_hz
        self._latest: Latest[Sample] = Latest()
        self._thread = threading.Thread(target=self._work, name="live frames", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._latest.stop()
        if self._thread.is_alive():
            self._thread.join()

    def newest(self) -> Sample | None:
        return self._latest.item

    def wait(self, after: int, timeout: float) -> Sample | None:
        found = self._latest.wait(after, timeout)
        if found is None and self._camera.status.state in OVER and self._thread.is_alive():
            self._thread.join()  # it is making the last frame ready
            found = self._latest.wait(after, 0)
        return found

    def _work(self) -> None:
        number = 0
        while not self._latest.stopped:
            frame = self._camera.wait(number, _PATIENCE)
            if frame is None:
                if self._camera.status.state in OVER:
                    return
                continue
            number, started = frame.number, time.monotonic()
            raw = self._pictures.taken(frame.pixels, frame.time)
            self._latest.put(Sample(frame.number, raw, frame.time, frame.pixels))
            self._latest.rest(started + self._gap - time.monotonic())


class SoundFeed:
    """A window of the last seconds, every ``hop`` seconds anew."""

    def __init__(
        self, name: str, reading: SoundReading, microphone: Microphone, hop: float
    ) -> None:
        self._name, self._reading, self._microphone = name, reading, microphone
        self._hop = max(1, round(hop * reading.rate))
        self._stopped = threading.Event()

    def start(self) -> None:
        """Nothing: the ring of the microphone holds all."""

    def close(self) -> None:
        self._stopped.set()

    def newest(self) -> Sample | None:
        """The window that ends now; None before the first sound."""
        number = self._microphone.position // self._hop
        if number == 0:
            return None
        samples = self._microphone.latest(self._reading.steps)
        return Sample(number, {self._name: samples[None, :, None]}, time.monotonic())

    def wait(self, after: int, timeout: float) -> Sample | None:
        end = time.monotonic() + timeout
        while self._microphone.position // self._hop <= after:
            left = end - time.monotonic()
            over = self._microphone.status.state in OVER
            if left <= 0 or over or self._stopped.wait(min(left, 0.005)):
                return None
        return self.newest()


class SpokenFeed(SoundFeed):
    """The last seconds of a microphone and where they end, every ``hop`` seconds."""

    def newest(self) -> Sample | None:
        """None before the first sound."""
        number = self._microphone.position // self._hop
        if number == 0:
            return None
        last = round(HISTORY * self._microphone.rate)
        end, samples = self._microphone.since(max(0, self._microphone.position - last))
        raw = {self._name: samples[None, :, None], POSITION: np.asarray(end)}
        return Sample(number, raw, time.monotonic())


def over(status: CaptureStatus) -> bool:
    """Whether nothing more will come."""
    return status.state in OVER
