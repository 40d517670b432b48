"""What may excite a channel: files, samples of data that are open, frames that were seen live."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

import numpy as np

from playground.background import Newest
from playground.data.dataset import Column
from playground.data.errors import DataError
from playground.live.intake import Pictures
from playground.messages import Array
from playground.vision import Pixels, cv2

KEPT = 200
EVERY = 1.0
"""Seconds between two frames that are kept."""
SIDE = 256
"""Pixels of their shorter side, at most: enough for a network that takes 224."""
ALIKE = 4.0
"""A frame is not kept where its pixels differ by less, on average, from the one before."""
_GRAIN = (16, 16)


class Candidate(Protocol):
    """A sample, known again by itself."""

    @property
    def name(self) -> str:
        """What it is called, in short."""
        ...

    @property
    def place(self) -> str:
        """Where it is from."""
        ...

    def raw(self, column: Column) -> Array:
        """Its raw value for an input, without the batch axis; raises ``DataError``."""
        ...

    def __hash__(self) -> int: ...


@dataclass(frozen=True, slots=True, eq=False)
class File:
    path: Path

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def place(self) -> str:
        return self.path.parent.name

    def raw(self, column: Column) -> Array:
        assert column.reading is not None
        ((_, raw), *_) = column.reading.read(str(self.path))
        return raw


@dataclass(frozen=True, slots=True, eq=False)
class Stored:
    """The sample ``index`` of data that are open."""

    column: Column
    index: int
    place: str = "data"

    @property
    def name(self) -> str:
        return f"sample {self.index + 1:,}"

    def raw(self, column: Column) -> Array:
        if column.shape != self.column.shape:
            raise DataError(f"{self.name} is {self.column.shape.described()}")
        return np.asarray(self.column.take(np.asarray([self.index]))[0])


@dataclass(frozen=True, slots=True, eq=False)
class Glimpse:
    """A frame that was seen at ``time``, as a JPEG."""

    time: datetime
    jpeg: bytes
    place: str = "seen live"

    @property
    def name(self) -> str:
        return f"{self.time:%H:%M:%S}"

    def raw(self, column: Column) -> Array:
        found = cv2.imdecode(np.frombuffer(self.jpeg, np.uint8), cv2.IMREAD_COLOR)
        pixels = np.ascontiguousarray(np.asarray(found, np.uint8)[..., ::-1])
        (raw,) = Pictures(column, window=True).taken(pixels, 0.0).values()
        return np.asarray(raw[0])


class Glimpses:
    """The last frames that were seen, in memory alone: one a second at most, ``most`` in all, and
    of a scene that stays the same the first."""

    def __init__(self, most: int = KEPT) -> None:
        self._kept: deque[Glimpse] = deque(maxlen=most)
        self._newest = Newest("glimpses")
        self._last = 0.0
        self._grain = np.full(_GRAIN, np.inf)

    def put(self, pixels: Pixels, now: float | None = None) -> None:
        """A frame (H×W×3, RGB) at ``time.monotonic()``; returns at once."""
        now = time.monotonic() if now is None else now
        if now - self._last >= EVERY:
            self._last = now
            self._newest.do(lambda overtaken: self._keep(pixels))

    def all(self) -> tuple[Glimpse, ...]:
        """The newest last."""
        return tuple(self._kept)

    def close(self, timeout: float) -> None:
        self._newest.close(timeout)

    def _keep(self, pixels: Pixels) -> None:
        grain = cv2.resize(pixels, _GRAIN, interpolation=cv2.INTER_AREA).mean(2)
        if np.abs(grain - self._grain).mean() < ALIKE:
            return
        scale = min(1.0, SIDE / min(pixels.shape[:2]))
        small = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        there, jpeg = cv2.imencode(".jpg", small[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])
        if there:
            self._grain = grain
            self._kept.append(Glimpse(datetime.now(), jpeg.tobytes()))
