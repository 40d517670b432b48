"""Small pictures of files, for lists that are scrolled."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]

LARGEST = 64 << 20
"""Bytes of thumbnails that are kept."""


class Thumbnails:
    """The thumbnails used last, up to ``most`` bytes. May be used from several threads: a file is
    then perhaps read twice, but nobody waits for another's decoding."""

    def __init__(self, most: int = LARGEST) -> None:
        self._most, self.taken = most, 0
        self._kept: OrderedDict[Any, Pixels] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, path: str, size: int) -> Pixels:
        """The whole picture within ``size`` × ``size``, upright: H×W×3 uint8 RGB, read-only. A
        changed file is read again. Raises ``vision.UnreadableImage``."""
        key = (path, size, _changed(path))
        with self._lock:
            known = self._kept.get(key)
            if known is not None:
                self._kept.move_to_end(key)
                return known
        pixels = _read(path, size)
        with self._lock:
            if key not in self._kept:
                self._kept[key] = pixels
                self.taken += pixels.nbytes
            while self.taken > self._most and len(self._kept) > 1:
                self.taken -= self._kept.popitem(last=False)[1].nbytes
        return pixels


def thumbnail(path: str | Path, size: int) -> Pixels:
    """``Thumbnails.get`` of a store that all share."""
    return _SHARED.get(str(path), size)


_SHARED = Thumbnails()


def _changed(path: str) -> tuple[int, int]:
    try:
        found = os.stat(path)
    except OSError:
        return (0, 0)
    return (found.st_size, found.st_mtime_ns)


def _read(path: str, size: int) -> Pixels:
    from playground import vision

    pixels = vision.read_picture(Path(path), 3, (size, size), "within").transpose(1, 2, 0)
    pixels = np.ascontiguousarray(pixels)
    pixels.setflags(write=False)
    return pixels
