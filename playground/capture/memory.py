"""Memory that a child process fills and this one reads, without a lock that either could hold.

It has no name in the system, so nothing is left behind when both processes are killed: memory
whose descriptor the child inherits, and under Windows a mapping that ends with its last user.
"""

from __future__ import annotations

import mmap
import os
import secrets
import sys
from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt

from playground.capture.kinds import Pixels, Samples

LARGEST = 4096 * 2304
"""Pixels of a frame; larger pictures are made smaller."""

SLOTS = 3
_HEADER = 64
_FRAME_HEADER = np.dtype(
    [("number", "<u8"), ("time", "<f8"), ("height", "<u4"), ("width", "<u4"), ("count", "<u8")]
)


class Shared:
    """``size`` bytes that are shared with one child process; untouched pages take no memory."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._descriptor: int | None = None
        self._name = ""
        if sys.platform == "win32":
            self._name = f"playground-{secrets.token_hex(16)}"
            self.map = mmap.mmap(-1, size, tagname=self._name)
            return
        self._descriptor = _in_memory() if sys.platform == "linux" else _unlinked()
        os.ftruncate(self._descriptor, size)
        self.map = mmap.mmap(self._descriptor, size)

    @property
    def address(self) -> dict[str, Any]:
        """What ``attach`` needs in the child."""
        if self._descriptor is None:
            return {"name": self._name, "size": self.size}
        return {"descriptor": self._descriptor, "size": self.size}

    @property
    def inherited(self) -> tuple[int, ...]:
        """File descriptors that the child must inherit."""
        return () if self._descriptor is None else (self._descriptor,)

    def close(self) -> None:
        """Give the descriptor back. The memory itself goes with the last array that shows it."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _in_memory() -> int:
    return os.memfd_create("playground-capture")


def _unlinked() -> int:
    """For systems without ``memfd_create``: POSIX shared memory whose name is gone at once. (A
    temporary file would be written to the disk over and over.)"""
    system: Any = import_module("_posixshmem")  # what multiprocessing.shared_memory stands on
    name = f"/pg-{secrets.token_hex(8)}"
    descriptor = int(system.shm_open(name, os.O_CREAT | os.O_EXCL | os.O_RDWR, mode=0o600))
    system.shm_unlink(name)
    return descriptor


def attach(address: dict[str, Any]) -> mmap.mmap:
    """The parent's memory, in the child."""
    if sys.platform == "win32":
        return mmap.mmap(-1, address["size"], tagname=address["name"])
    return mmap.mmap(address["descriptor"], address["size"])


class FrameSlots:
    """A few places for frames, written in turn (a sequence lock each): a reader that finds another
    number after copying than before has a torn frame, and throws it away."""

    SIZE = SLOTS * (_HEADER + LARGEST * 3)

    def __init__(self, memory: mmap.mmap) -> None:
        step = _HEADER + LARGEST * 3
        whole = np.frombuffer(memory, np.uint8)
        self._pixels = [whole[i * step + _HEADER : (i + 1) * step] for i in range(SLOTS)]
        self._headers = [
            whole[i * step : i * step + _FRAME_HEADER.itemsize].view(_FRAME_HEADER)
            for i in range(SLOTS)
        ]

    def place(self, number: int, height: int, width: int) -> Pixels:
        """Where frame ``number`` is to be written, H×W×3; its place is invalid until ``publish``.
        Numbers begin at 1."""
        slot = number % SLOTS
        self._headers[slot]["number"] = 0
        return self._pixels[slot][: height * width * 3].reshape(height, width, 3)

    def publish(self, number: int, time: float, height: int, width: int, count: int) -> None:
        """The frame is complete; ``count`` is how many were captured up to it."""
        header = self._headers[number % SLOTS]
        header["time"], header["count"] = time, count
        header["height"], header["width"] = height, width
        header["number"] = number

    def copy(self, number: int) -> tuple[Pixels, float, int] | None:
        """Frame ``number``'s pixels, time and count; None where it has been overwritten."""
        header = self._headers[number % SLOTS]
        if header["number"][0] != number:
            return None
        height, width = int(header["height"][0]), int(header["width"][0])
        time, count = float(header["time"][0]), int(header["count"][0])
        if not 0 < height * width <= LARGEST:
            return None
        pixels = self._pixels[number % SLOTS][: height * width * 3].copy()
        if header["number"][0] != number:
            return None
        pixels.flags.writeable = False
        return pixels.reshape(height, width, 3), time, count


class SoundRing:
    """The newest ``capacity`` samples of one channel, float32, and how many there ever were."""

    def __init__(self, memory: mmap.mmap) -> None:
        header = np.frombuffer(memory, np.uint64, _HEADER // 8)
        self._written, self._lost = header[0:1], header[1:2]
        self._begun = header[2:3]
        self._values: npt.NDArray[np.float32] = np.frombuffer(memory, np.float32, offset=_HEADER)

    @staticmethod
    def size(capacity: int) -> int:
        return _HEADER + 4 * capacity

    @property
    def capacity(self) -> int:
        return len(self._values)

    @property
    def position(self) -> int:
        return int(self._written[0])

    @property
    def lost(self) -> int:
        """Times that samples were lost before they came here."""
        return int(self._lost[0])

    def overflowed(self) -> None:
        self._lost += np.uint64(1)

    def write(self, samples: Samples) -> None:
        """Add samples; never waits. What is being overwritten is announced before, what is written
        after, so that readers know what to trust."""
        end = self.position + len(samples)
        samples = samples[-self.capacity :]
        start = end - len(samples)
        self._begun[0] = end
        at = start % self.capacity
        first = min(len(samples), self.capacity - at)
        self._values[at : at + first] = samples[:first]
        self._values[: len(samples) - first] = samples[first:]
        self._written[0] = end

    def read(self, start: int, end: int) -> tuple[int, Samples]:
        """Samples from ``start`` to ``end`` as far as they are still there: the position of the
        first, and copies."""
        end = min(end, self.position)
        start = min(max(start, end - self.capacity, 0), end)
        at, count = start % self.capacity, end - start
        first = min(count, self.capacity - at)
        result = np.concatenate([self._values[at : at + first], self._values[: count - first]])
        # what was overwritten while it was copied
        torn = min(max(int(self._begun[0]) - self.capacity - start, 0), count)
        return start + torn, result[torn:]
