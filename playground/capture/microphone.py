"""A microphone, or a sound file that stands in for one: the last minute of samples."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from playground.capture.kinds import SAMPLE, SOUNDS, Limits, Samples, located
from playground.capture.memory import Shared, SoundRing
from playground.capture.process import Device

SECONDS = 60
SILENCE = -120.0
"""dBFS that digital silence is given as."""

_LEVEL_SECONDS = 0.1


class Microphone(Device):
    """Samples (one channel, float32, −1…1, ``rate`` a second) of a device, by its name or number or
    "default", or of a sound file, or the sound files of a folder in turn, played again and again in
    real time."""

    def __init__(
        self, address: str = "default", rate: int = 16000, limits: Limits | None = None
    ) -> None:
        if not 1000 <= rate <= 192_000:
            raise ValueError("a microphone gives 1,000 to 192,000 samples a second")
        if not address.strip() or "\0" in address:
            raise ValueError("no microphone is chosen yet: choose one, or a sound file")
        self.address, self.rate = address, rate
        self._file = _file(address.strip())
        name = self._file.name if self._file else _title(address.strip())
        super().__init__(name, SoundRing.size(SECONDS * rate), limits or Limits())
        self._ring: SoundRing | None = None

    @property
    def position(self) -> int:
        """How many samples there were so far."""
        return 0 if self._ring is None else self._ring.position

    @property
    def overflows(self) -> int:
        """How many times the system lost samples because nobody took them in time."""
        return 0 if self._ring is None else self._ring.lost

    def latest(self, n: int) -> Samples:
        """The newest ``n`` samples (n,), with zeros before the first ones; at most a minute."""
        result = np.zeros(n, np.float32)
        if self._ring is not None and n > 0:
            end = self._ring.position
            _, samples = self._ring.read(end - n, end)
            if len(samples):
                result[-len(samples) :] = samples
        return result

    def since(self, position: int) -> tuple[int, Samples]:
        """What came after ``position``, and the position to ask from next. What is older than a
        minute is gone."""
        if self._ring is None:
            return position, np.zeros(0, np.float32)
        start, samples = self._ring.read(position, self._ring.position)
        return start + len(samples), samples

    def level(self) -> tuple[float, float]:
        """Root mean square and peak of the last tenth of a second, in dBFS (0 is full scale)."""
        samples = self.latest(round(self.rate * _LEVEL_SECONDS))
        return _decibels(float(np.sqrt(np.mean(samples**2)))), _decibels(
            float(np.abs(samples).max())
        )

    def _attach(self, shared: Shared) -> None:
        self._ring = SoundRing(shared.map)

    def _orders(self) -> Mapping[str, Any]:
        return {
            "what": "microphone",
            "kind": "device" if self._file is None else "file",
            "where": self.address.strip() if self._file is None else str(self._file),
            "title": self._title,
            "rate": self.rate,
        }

    def _news(self, message: Mapping[str, Any]) -> None:
        """Sound comes by the shared memory."""


def _file(address: str) -> Path | None:
    """The sound file, or folder of some, that an address means; None for a device."""
    if address.startswith(SAMPLE):
        return located(address)
    path = located(address)
    is_file = path.suffix.lower() in SOUNDS or path.is_file()
    in_folder = "/" in address or os.sep in address  # a device may be called like a folder here
    return path if is_file or (in_folder and path.is_dir()) else None


def _title(address: str) -> str:
    if address == "default":
        return "the system's microphone"
    return f"microphone {address}" if address.isdecimal() else address


def _decibels(value: float) -> float:
    return max(SILENCE, 20 * float(np.log10(max(value, 1e-12))))
