"""What a detector finds in the newest frame, again and again, with a number for each object."""

from __future__ import annotations

import time
from collections.abc import Generator

from models.parameters import Parameter, Values, checked
from playground.capture import Camera, CaptureStatus, Frame
from playground.detection.detectors import Detector
from playground.detection.tracking import Tracker
from playground.live.feed import over
from playground.live.newest import Answers
from playground.live.settings import EngineReport, LiveAnswer, LiveSettings

ENGINE = "eager"
_PATIENCE = 0.2


class LiveDetection(Answers):
    """Boxes of ``detector`` in what ``camera`` gives; never a queue: frames that come while it
    works are passed over for the newest. The detector belongs to this object from now on."""

    def __init__(self, detector: Detector, camera: Camera, settings: Values | None = None) -> None:
        """Raises ``ParameterError``."""
        super().__init__(camera)
        self._camera, self._detector = camera, detector
        self._tracker = Tracker()
        self._answered = self._first = 0
        self.settings = settings or {}

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """What can be set about the detector."""
        return self._detector.parameters

    @property
    def settings(self) -> Values:
        """Values for the detector's parameters; others may be set at any time, from any thread."""
        return self._settings

    @settings.setter
    def settings(self, values: Values) -> None:
        self._settings = checked(self._detector.parameters, values)

    def want(self, settings: LiveSettings, detection: Values) -> None:
        self.settings = detection

    @property
    def engine(self) -> EngineReport:
        return EngineReport(ENGINE)

    def events(self) -> Generator[LiveAnswer | CaptureStatus, None, None]:
        """Every answer, and the status whenever it changes; ends when the camera does."""
        said: tuple[str, str] | None = None
        number = 0
        while not self._latest.stopped:
            status = self.status
            if (status.state, status.message) != said:
                said = status.state, status.message
                yield status
            frame = self._camera.wait(number, _PATIENCE)
            if frame is not None:
                number = frame.number
                yield self._answer_to(frame)
            elif over(status):
                return

    def _answer_to(self, frame: Frame) -> LiveAnswer:
        started = time.perf_counter()
        found = self._detector.detect(frame.pixels, self._settings)
        seconds = time.perf_counter() - started
        answer = self._tracker.follow(found, frame.time)
        self._answered += 1
        self._first = self._first or frame.number
        return LiveAnswer(
            frame.number,
            answer,
            frame.time,
            seconds,
            time.monotonic() - frame.time,
            frame.number - self._first + 1 - self._answered,
            ENGINE,
        )
