"""When a picture is taken, and where a sound is cut: time in, decisions out, no Qt."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]

COUNTDOWN_S = 3.0


@dataclass
class Shooting:
    """Pictures of one class: while held, one, or a burst after a countdown.

    Times are monotonic seconds; ``rate`` is in pictures a second.
    """

    rate: float = 10.0
    name: str = ""
    taken: int = 0
    _due: float = 0.0
    _left: int | None = None
    _begins: float = 0.0

    @property
    def active(self) -> bool:
        return bool(self.name)

    def hold(self, name: str, now: float) -> None:
        """Take pictures of ``name`` until ``stop``."""
        self._start(name, now, None)

    def once(self, name: str, now: float) -> None:
        self._start(name, now, 1)

    def burst(self, name: str, count: int, now: float) -> None:
        """``count`` pictures, beginning after the countdown."""
        self._start(name, now + COUNTDOWN_S, count)

    def stop(self) -> None:
        self.name = ""

    @property
    def begins(self) -> float:
        """When the first picture was, or will be, due."""
        return self._begins

    def countdown(self, now: float) -> int:
        """Whole seconds before the burst begins; 0 where none is waited for."""
        left = self._begins - now
        return int(np.ceil(left)) if self.active and left > 0 else 0

    def said(self, now: float) -> str:
        """What is going on, in a few words; "" where nothing is."""
        wait = self.countdown(now)
        if not self.active or wait:
            return f"In {wait} s …" if wait else ""
        left, since = self.left, now - self._begins
        if left is not None:
            return f"{left} to go"
        rate = min(self.rate, self.taken / since) if since > 1 else self.rate
        return f"Recording, {max(1.0, rate):.0f} a second"

    def due(self, now: float) -> bool:
        """Whether a picture is to be taken now. One that was missed is not made up for."""
        return self.active and now >= self._due

    def late(self, now: float) -> float:
        """Seconds since a picture was to be taken."""
        return now - self._due

    def took(self, now: float) -> None:
        """A picture was taken."""
        period = 1.0 / self.rate
        self._due = self._due + period if self._due + period > now else now + period
        self.taken += 1
        if self._left is not None:
            self._left -= 1
            if self._left <= 0:
                self.stop()

    @property
    def left(self) -> int | None:
        """Pictures that the burst still takes; none where it is held."""
        return self._left if self.active else None

    def _start(self, name: str, begins: float, count: int | None) -> None:
        self.name, self.taken, self._left = name, 0, count
        self._begins = self._due = begins


class Cutting:
    """A sound, as it comes in, cut to clips of ``length`` samples.

    Letting go finishes the first clip (a short press gives one whole clip) and one that is at
    least half full; less than that is left out.
    """

    def __init__(self) -> None:
        self.length = 16000
        self.name = ""
        self._parts: list[Samples] = []
        self._filled = 0
        self._clips = 0
        self._last: int | None = None

    @property
    def active(self) -> bool:
        return bool(self.name)

    @property
    def filled(self) -> float:
        """How much of the present clip there is, 0 to 1."""
        return min(1.0, self._filled / self.length) if self.active else 0.0

    @property
    def left(self) -> int | None:
        """Clips that still come, where their number was given."""
        return self._last - self._clips if self.active and self._last is not None else None

    def begin(self, name: str, clips: int | None = None) -> None:
        """Cut clips of ``name`` until ``release``, or ``clips`` of them."""
        self.name, self._parts, self._filled, self._clips = name, [], 0, 0
        self._last = clips

    def release(self) -> None:
        """End with the clip that is being filled, or without it."""
        if self.active and self._last is None:
            whole = self._clips == 0 or self._filled * 2 >= self.length
            self._last = self._clips + 1 if whole else self._clips
            if not whole:
                self.stop()

    def stop(self) -> None:
        self.name, self._parts, self._filled = "", [], 0

    def feed(self, samples: Samples) -> list[Samples]:
        """The clips that ``samples`` (n,) complete."""
        found: list[Samples] = []
        while self.active and len(samples):
            part = samples[: self.length - self._filled]
            samples = samples[len(part) :]
            self._parts.append(part)
            self._filled += len(part)
            if self._filled == self.length:
                found.append(np.concatenate(self._parts))
                self._parts, self._filled = [], 0
                self._clips += 1
                if self._last is not None and self._clips >= self._last:
                    self.stop()
        return found
