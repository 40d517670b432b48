"""When somebody speaks: the energy of the sound above that of the room.

The level of every hundredth of a second is compared with the room's, which is taken as the tenth
part of the last seconds that was quietest. A word begins where the level is ``MARGIN`` above it for
three blocks, and has ended after ``QUIET`` seconds without such a block.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from playground.capture.kinds import Samples

BLOCK = 0.01
QUIET = 0.25
"""Seconds without a loud block after which a word has ended: longer than the stop in "eight"."""
MARGIN = 10.0
"""Decibels above the room's level."""
LEAST = -50.0
"""dBFS below which nothing counts as speech."""
ROOM_SECONDS = 3.0
ROOM_SHARE = 0.1
_LOUD_BLOCKS = 3
_SILENCE = 1e-12


@dataclass(frozen=True, slots=True)
class Turn:
    """At ``position`` (in samples) somebody begins, or has ceased, to speak."""

    position: int
    speaks: bool


class Voice:
    """Hears a stream of samples at ``rate`` a second."""

    def __init__(self, rate: int) -> None:
        self._block = max(1, round(rate * BLOCK))
        self.reset(0)

    def reset(self, position: int) -> None:
        """Forget the room; the next sample is at ``position``."""
        self.speaks = False
        self._position = position
        self._rest = np.zeros(0, np.float32)
        self._room: deque[float] = deque(maxlen=round(ROOM_SECONDS / BLOCK))
        self._loud = self._calm = 0

    def hear(self, samples: Samples) -> list[Turn]:
        """The turns that came with further samples (n,)."""
        heard = np.concatenate((self._rest, samples))
        count = len(heard) // self._block
        self._rest = heard[count * self._block :]
        blocks = heard[: count * self._block].reshape(count, self._block).astype(np.float64)
        powers = np.maximum(np.square(blocks).mean(axis=1), _SILENCE)
        turns = []
        for level in (10 * np.log10(powers)).tolist():
            self._position += self._block
            turn = self._turn(level)
            if turn is not None:
                turns.append(turn)
        return turns

    def _turn(self, level: float) -> Turn | None:
        self._room.append(level)
        ordered = sorted(self._room)
        room = ordered[int(ROOM_SHARE * len(ordered))]
        loud = level > max(room + MARGIN, LEAST)
        self._loud = self._loud + 1 if loud else 0
        self._calm = 0 if loud else self._calm + 1
        if not self.speaks and self._loud == _LOUD_BLOCKS:
            self.speaks = True
            return Turn(self._position - _LOUD_BLOCKS * self._block, True)
        if self.speaks and self._calm * BLOCK >= QUIET:
            self.speaks = False
            return Turn(self._position, False)
        return None
