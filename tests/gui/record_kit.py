"""A camera and a microphone that give what the test says, and the page around them."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from playground import project as projects
from playground.capture import CaptureStatus, DeviceInfo, Frame
from tests.gui.doubles import NotingWorker
from ui.data.record import camera as camera_module
from ui.data.record import microphone as microphone_module
from ui.data.record.page import RecordPage
from ui.session import Session

Wait = Callable[..., None]


class FakeCamera:
    """Fifty frames a second, each of another grey, while ``state`` is "running"."""

    made: ClassVar[list[FakeCamera]] = []
    state = "running"
    message = "The camera runs."

    def __init__(self, address: str, settings: Any = None) -> None:
        if "\0" in address:
            raise ValueError("an address with a NUL character cannot be opened: choose it again")
        self.address, self.settings = address, settings
        self.started = self.closed = False
        self._began = time.monotonic()
        FakeCamera.made.append(self)

    def start(self) -> None:
        self.started = True

    def close(self, timeout: float = 2) -> None:
        self.closed = True

    @property
    def status(self) -> CaptureStatus:
        state: Any = "closed" if self.closed else FakeCamera.state
        return CaptureStatus(state, FakeCamera.message, time.monotonic() - self._began)

    def frame(self) -> Frame | None:
        if FakeCamera.state != "running" or self.closed:
            return None
        number = int((time.monotonic() - self._began) * 50)
        pixels = np.full((60, 80, 3), 20 + number % 200, np.uint8)
        pixels.flags.writeable = False
        return Frame(pixels, number, time.monotonic(), 0)

    def wait(self, after: int, timeout: float) -> Frame | None:
        frame = self.frame()
        if frame is not None and frame.number > after:
            return frame
        time.sleep(min(timeout, 0.01))
        return None


class FakeMicrophone:
    """A tone that is always there, as many samples as seconds went by."""

    made: ClassVar[list[FakeMicrophone]] = []
    state = "running"
    loudness = 0.5

    def __init__(self, address: str, rate: int = 16000) -> None:
        self.address, self.rate, self.closed = address, rate, False
        self._began = time.monotonic()
        FakeMicrophone.made.append(self)

    def start(self) -> None:
        self._began = time.monotonic()

    def close(self, timeout: float = 2) -> None:
        self.closed = True

    @property
    def status(self) -> CaptureStatus:
        state: Any = "closed" if self.closed else FakeMicrophone.state
        return CaptureStatus(state, "The microphone is gone.", 1.0)

    def since(self, position: int) -> tuple[int, np.ndarray]:
        # four times as fast as the clock, so that tests need not wait
        now = int((time.monotonic() - self._began) * self.rate * 4)
        steps = np.arange(position, max(position, now))
        tone = np.sin(steps * (2 * np.pi * 440 / self.rate)) * FakeMicrophone.loudness
        return now, tone.astype(np.float32)

    def level(self) -> tuple[float, float]:
        peak = 20 * np.log10(FakeMicrophone.loudness)
        return peak - 3, peak


def faked(monkeypatch: Any, devices: tuple[str, ...] = ("Desk camera",)) -> None:
    """Let the page find ``devices`` and open fakes."""
    FakeCamera.made, FakeMicrophone.made = [], []
    FakeCamera.state = FakeMicrophone.state = "running"
    FakeMicrophone.loudness = 0.5
    found = [DeviceInfo(str(index), name) for index, name in enumerate(devices)]
    monkeypatch.setattr(camera_module, "Camera", FakeCamera)
    monkeypatch.setattr(microphone_module, "Microphone", FakeMicrophone)
    monkeypatch.setattr(camera_module, "cameras", lambda: found)
    monkeypatch.setattr(microphone_module, "microphones", lambda: found)


def new_session(path: Path | None = None) -> Session:
    session = Session(NotingWorker())
    session.new(projects.empty(), path)
    return session


def shown(session: Session, wait: Wait, kind: str = "camera") -> RecordPage:
    page = RecordPage(session)
    page.resize(1100, 700)
    page.show_kind(kind)
    page.show()
    wait(lambda: page.bench.library.ready)
    return page


def pictures(folder: Path, counts: dict[str, int]) -> None:
    """Small recorded pictures, as a recorder leaves them."""
    from PIL import Image

    for index, (name, count) in enumerate(counts.items()):
        (folder / name).mkdir(parents=True)
        for number in range(1, count + 1):
            grey = (40 * index + number) % 256
            Image.new("RGB", (32, 24), (grey, 80, 120)).save(folder / name / f"{number:06}.jpg")
