"""Frames that are fitted to a model when it is asked, in the thread that asks."""

from __future__ import annotations

from playground.capture import Camera
from playground.live.intake import Pictures, Sample


class AtHand:
    """The newest frame of ``camera``. Beside training this costs less than a thread that makes
    frames ready ahead: that would take the interpreter's lock from it all the time."""

    def __init__(self, pictures: Pictures, camera: Camera) -> None:
        self._pictures, self._camera = pictures, camera
        self._sample: Sample | None = None

    def start(self) -> None:
        """Nothing: the camera has the newest frame."""

    def close(self) -> None:
        """There is nothing."""

    def newest(self) -> Sample | None:
        frame = self._camera.frame()
        if frame is None:
            return None
        if self._sample is None or self._sample.number != frame.number:
            raw = self._pictures.taken(frame.pixels, frame.time)
            self._sample = Sample(frame.number, raw, frame.time, frame.pixels)
        return self._sample

    def wait(self, after: int, timeout: float) -> Sample | None:
        return None if self._camera.wait(after, timeout) is None else self.newest()
