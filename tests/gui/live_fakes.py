"""A recognition that answers what the test says, for a desk without cameras and networks."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, ClassVar

from playground.answers import Answer, Classes
from playground.capture import CaptureStatus, DeviceInfo
from playground.live.settings import EngineReport, LiveAnswer
from playground.live.what import Runnable, Wanted
from tests.gui.record_kit import FakeCamera, FakeMicrophone
from ui.live import desk as desk_module
from ui.live import figures as figures_module
from ui.live import stage as stage_module

CUP = Classes((("cup", 0.9), ("spoon", 0.1)))


class FakeRecognition:
    """Stands for ``Recognition``: ``made`` are all, the newest last; ``give`` is a new answer."""

    made: ClassVar[list[FakeRecognition]] = []
    report: ClassVar[EngineReport | None] = EngineReport("eager", settled=False)

    def __init__(
        self, what: Runnable, device: Any, wanted: Wanted, told: Callable[[], None] | None = None
    ) -> None:
        self.what, self.device, self.wanted, self.told = what, device, wanted, told
        self.wishes = [wanted]
        self.closed = self.started = False
        self.answers: Any = None
        self.inside: Any = None
        self._answer: LiveAnswer | None = None
        FakeRecognition.made.append(self)

    def start(self) -> None:
        self.started = True

    def close(self, timeout: float = 0.0) -> bool:
        self.closed = True
        return True

    @property
    def status(self) -> CaptureStatus:
        return CaptureStatus("running", "It runs.", 1.0)

    @property
    def engine(self) -> EngineReport | None:
        return FakeRecognition.report

    def answer(self) -> LiveAnswer | None:
        return self._answer

    def want(self, wanted: Wanted) -> None:
        self.wishes.append(wanted)

    def give(self, answer: Answer = CUP, *, inference: float = 0.019) -> None:
        number = self._answer.number + 1 if self._answer is not None else 1
        now = time.monotonic()
        self._answer = LiveAnswer(number, answer, now - 0.03, inference, 0.02, 0, "onnxruntime")
        if self.told is not None:
            self.told()


def fake_live(monkeypatch: Any) -> None:
    """Let every desk open fakes in place of devices and networks."""
    FakeCamera.made, FakeMicrophone.made, FakeRecognition.made = [], [], []
    FakeCamera.state = FakeMicrophone.state = "running"
    FakeRecognition.report = EngineReport("eager", settled=False)
    monkeypatch.setattr(desk_module, "Camera", FakeCamera)
    monkeypatch.setattr(desk_module, "Microphone", FakeMicrophone)
    monkeypatch.setattr(desk_module, "Recognition", FakeRecognition)
    monkeypatch.setattr(figures_module, "Camera", FakeCamera)
    monkeypatch.setattr(stage_module, "cameras", lambda: [DeviceInfo("0", "Desk camera")])
