"""Cameras and microphones for tests: the real capture processes, with drivers that do as told."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_SOUND = """
import os, threading, time
from types import SimpleNamespace as Made
import numpy as np

HOW = os.environ["FAKE_SOUND"]

class PortAudioError(Exception): ...

default = Made(device=[1, 1], hostapi=0)

def query_hostapis():
    return [{"name": "ALSA"}]

def query_devices():
    if HOW == "none":
        return []
    made = dict(hostapi=0, default_samplerate=48000.0)
    return [
        {"index": 0, "name": "Speaker", "max_input_channels": 0, **made},
        {"index": 1, "name": "Desk microphone", "max_input_channels": 2, **made},
        {"index": 2, "name": "Headset", "max_input_channels": 1, **made},
    ]

class InputStream:
    def __init__(self, samplerate, device, channels, dtype, latency, callback):
        if HOW == "busy":
            raise PortAudioError("Error opening: Device unavailable [PaErrorCode -9985]")
        if HOW == "forbidden":
            raise PortAudioError("Error opening: Permission denied [PaErrorCode -9999]")
        if HOW == "slow":
            time.sleep(600)
        if HOW == "stubborn" and (samplerate, channels) != (48000, 2):
            raise PortAudioError("Invalid sample rate [PaErrorCode -9997]")
        self.active, self.rate, self.channels, self.call = True, samplerate, channels, callback

    def start(self):
        threading.Thread(target=self._run, daemon=True).start()

    def abort(self):
        self.active = False

    def _run(self):
        count = self.rate // 50
        for number in range(10**9):
            if HOW == "unplugged" and number == 10:
                return
            times = (number * count + np.arange(count)) / self.rate
            wave = 0.5 * np.sin(2 * np.pi * 1000 * times) * (HOW != "mute")
            block = np.repeat(wave[:, None], self.channels, 1).astype(np.float32)
            self.call(block, count, None, Made(input_overflow=HOW == "late" and number % 5 == 0))
            time.sleep(0.02)
"""


def fake_sound(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Microphones that do as ``FAKE_SOUND`` in the environment says when they are opened."""
    (folder / "sounddevice.py").write_text(_SOUND)
    _before_all(folder, monkeypatch)
    monkeypatch.setenv("FAKE_SOUND", "well")


_CAMERA = """
import os, time
from pathlib import Path
import numpy as np
from playground.capture import reasons, sources

MODE = Path(os.environ["FAKE_CAMERA"])
COLOURS = {"black": (2, 1, 3), "green": (0, 135, 0), "white": (255, 255, 255)}
SIZES = {"small": (60, 80), "large": (240, 320)}

class VideoCapture:
    def __init__(self, *_):
        self.number = 0

    def isOpened(self):
        return MODE.read_text() != "taken"

    def set(self, *_):
        return True

    def grab(self):
        time.sleep(0.04)
        while MODE.exists() and MODE.read_text() == "stalled":
            time.sleep(0.01)
        self.number += 1
        return MODE.exists() and MODE.read_text() != "taken"

    def retrieve(self):
        mode = MODE.read_text() if MODE.exists() else ""
        shape = (*SIZES.get(mode, (120, 160)), 3)
        if mode in COLOURS:
            return True, np.full(shape, COLOURS[mode], np.uint8)
        return True, np.random.default_rng(self.number).integers(0, 256, shape, np.uint8)

    def release(self):
        pass

def no_camera(index):
    return "" if MODE.exists() else f"there is no camera {index}: plug it in, or choose another"

sources.cv2.VideoCapture = VideoCapture
reasons.no_camera = no_camera
reasons._holder = lambda device: "meeting"
"""


class FakeCamera:
    """Camera 0, that is taken by another program ("taken"), "stalled", gives pictures of one colour
    ("black", "green", "white") or of another size ("small", "large"), or works ("well")."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._mode = folder / "mode"
        # Python imports this by itself when it starts
        (folder / "sitecustomize.py").write_text(_CAMERA)
        _before_all(folder, monkeypatch)
        monkeypatch.setenv("FAKE_CAMERA", str(self._mode))
        self.does("well")

    def does(self, what: str) -> None:
        fresh = self._mode.with_suffix(".new")
        fresh.write_text(what)
        fresh.replace(self._mode)

    def unplug(self) -> None:
        self._mode.unlink()


def _before_all(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put ``folder`` before all that Python in a child process imports from."""
    path = os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")]))
    monkeypatch.setenv("PYTHONPATH", path)
