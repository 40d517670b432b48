"""A camera, or what stands in for one: the newest frame, never a queue."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from playground.capture.kinds import CameraSettings, Frame, Limits, kind_of, located, title
from playground.capture.memory import FrameSlots, Shared
from playground.capture.process import OVER, Device


class Camera(Device):
    """Frames of a device ("0"), a clip, a folder of pictures, or a stream (rtsp://, http://).

    Raises ``ValueError``, a sentence, for an address that can mean nothing; all else is told by
    ``status``.
    """

    def __init__(
        self,
        address: str,
        settings: CameraSettings | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.address = address
        self.settings = settings or CameraSettings()
        self._kind = kind_of(address)
        text = address.strip()
        self._where = text if self._kind in ("device", "stream") else str(located(text))
        super().__init__(title(address), FrameSlots.SIZE, limits or Limits())
        self._slots: FrameSlots | None = None
        self._frame: Frame | None = None
        self._before = 0
        """Frames that earlier children captured."""
        self._arrived = 0

    def frame(self) -> Frame | None:
        """The newest frame; None before the first."""
        return self._frame

    def wait(self, after: int, timeout: float) -> Frame | None:
        """The newest frame with a number above ``after``, waiting for it up to ``timeout`` seconds;
        None where there is none by then, or the camera is at its end."""
        with self._changed:
            self._changed.wait_for(lambda: self._newer(after) or self._state in OVER, timeout)
            return self._frame if self._newer(after) else None

    def _newer(self, after: int) -> bool:
        return self._frame is not None and self._frame.number > after

    def _late(self, seconds: float) -> str:
        if self._kind not in ("device", "stream") or self._frame is None:
            return ""
        since = min(seconds, time.monotonic() - self._frame.time)
        if since < self._limits.late + 1 / (self.settings.rate or 1000):
            return ""
        return f"No new picture has come from {self._title} for {since:.0f} s."

    def _attach(self, shared: Shared) -> None:
        self._slots = FrameSlots(shared.map)

    def _detach(self) -> None:
        self._slots = self._shared = None

    def _orders(self) -> Mapping[str, Any]:
        self._before = self._frame.number if self._frame else 0
        return {
            "what": "camera",
            "kind": self._kind,
            "where": self._where,
            "title": self._title,
            "settings": asdict(self.settings),
        }

    def _news(self, message: Mapping[str, Any]) -> None:
        if "frame" not in message or self._slots is None:
            return
        found = self._slots.copy(message["frame"])
        if found is None:
            return  # overtaken while it was copied: the next one is on its way
        pixels, time, count = found
        self._arrived += 1
        number = self._before + count
        frame = Frame(pixels, number, time, number - self._arrived)
        with self._changed:
            if self._state != "closed":
                self._frame = frame
                self._changed.notify_all()
