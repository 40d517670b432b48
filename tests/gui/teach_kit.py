"""A clip in place of a camera that shows three things, one after the other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from playground.resources import SAMPLES
from playground.vision import cv2, read_picture

Pixels = npt.NDArray[np.uint8]
THINGS = {"Cat": "chelsea_cat.png", "Me": "astronaut.jpg", "Wall": "brick_wall.png"}
SIZE = (240, 320)
RATE, SECONDS = 15, 6


def photograph(name: str) -> Pixels:
    """H×W×3, a little larger than a frame."""
    height, width = (round(1.25 * side) for side in SIZE)
    pixels = read_picture(SAMPLES / "images" / THINGS[name], 3, (height, width), "crop")
    return np.ascontiguousarray(pixels.transpose(1, 2, 0))


def views(name: str, count: int) -> list[Pixels]:
    """A photograph as a camera in a hand sees it: it sways, comes nearer, and the light changes."""
    whole, (height, width) = photograph(name), SIZE
    found = []
    for number in range(count):
        turn = 2 * np.pi * number / max(1, count)
        zoom = 1.1 + 0.1 * np.sin(turn)
        high, wide = round(height * zoom), round(width * zoom)
        top = round((whole.shape[0] - high) * (0.5 + 0.5 * np.sin(3 * turn)))
        left = round((whole.shape[1] - wide) * (0.5 + 0.5 * np.cos(2 * turn)))
        cut = cv2.resize(whole[top : top + high, left : left + wide], (width, height))
        light = 1 + 0.12 * np.cos(5 * turn)
        found.append(np.clip(cut * light, 0, 255).astype(np.uint8))
    return found


def write_clip(path: Path, seconds: float = SECONDS) -> Path:
    """The three things, ``seconds`` each."""
    height, width = SIZE
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), RATE, (width, height))
    for name in THINGS:
        for frame in views(name, round(RATE * seconds)):
            writer.write(np.ascontiguousarray(frame[:, :, ::-1]))
    writer.release()
    return path


class Telling:
    """Tells which of the things a frame of the clip shows: the one with the view most like it.
    Their mean colours would not do, the light changes them by more than they differ."""

    def __init__(self, seconds: float = SECONDS) -> None:
        count = round(RATE * seconds)
        self._views = {name: np.stack(list(map(_small, views(name, count)))) for name in THINGS}

    def name(self, pixels: Pixels) -> str:
        small = _small(pixels)
        both = small, small[:, ::-1]  # a camera's picture is mirrored where a person wishes so
        return min(self._views, key=lambda name: min(self._unlike(name, one) for one in both))

    def _unlike(self, name: str, small: npt.NDArray[np.int16]) -> int:
        return int(np.abs(self._views[name] - small).sum(axis=(1, 2, 3)).min())


def _small(pixels: Pixels) -> npt.NDArray[np.int16]:
    return cv2.resize(pixels, (16, 12), interpolation=cv2.INTER_AREA).astype(np.int16)
