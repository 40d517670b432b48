"""Answers drawn on pictures, for snapshots and recordings."""

from __future__ import annotations

from functools import lru_cache
from zlib import crc32

import numpy as np
import numpy.typing as npt
from PIL import ImageFont

from playground.answers import Answer, Boxes, Classes, Detection
from playground.resources import RESOURCES
from playground.vision import Pixels, cv2

Colour = tuple[int, int, int]

COLOURS: tuple[Colour, ...] = (
    (230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (213, 94, 0), (204, 121, 167),
    (0, 114, 178),
)  # fmt: skip
"""Told apart by people of any colour vision (Okabe & Ito 2008)."""
GROUND: Colour = (24, 26, 31)
FONT = RESOURCES / "fonts" / "Inter-Medium.otf"
LINES = 3
"""How many classes are named."""


def drawn(pixels: Pixels, answer: Answer) -> Pixels:
    """A copy of an H×W×3 picture (RGB) with the answer on it: boxes with labels, other answers as
    lines in the upper left corner."""
    picture = np.array(pixels, np.uint8, order="C")
    unit = min(picture.shape[:2]) / 360
    size = max(10, round(15 * unit))
    if isinstance(answer, Boxes):
        for box in reversed(answer.boxes):  # the surest is drawn last, over the others
            _box(picture, box, size, max(1, round(2 * unit)))
        return picture
    if isinstance(answer, Classes):
        lines = [f"{label} {value:.1%}" for label, value in answer.answers[:LINES]]
    else:
        lines = [str(answer)]
    top = size // 2
    for line in lines:
        top += _plate(picture, line, size // 2, top, size, GROUND)
    return picture


def colour(box: Detection) -> Colour:
    """The colour of an object: its track's, or its class's."""
    key = crc32(box.label.encode()) if box.track is None else box.track
    return COLOURS[key % len(COLOURS)]


def caption(box: Detection) -> str:
    """``face 98%``, ``#3 face 98%``."""
    number = "" if box.track is None else f"#{box.track} "
    return f"{number}{box.label} {box.score:.0%}"


def _box(picture: Pixels, box: Detection, size: int, thickness: int) -> None:
    x0, y0, x1, y1 = (round(value) for value in box.box)
    ink = colour(box)
    cv2.rectangle(picture, (x0, y0), (x1, y1), ink, thickness, cv2.LINE_AA)
    for x, y in box.landmarks:
        cv2.circle(picture, (round(x), round(y)), thickness + 1, ink, cv2.FILLED, cv2.LINE_AA)
    height = _height(size)
    above = y0 - height if y0 >= height else y0
    _plate(picture, caption(box), x0 - thickness // 2, above, size, ink)


def _plate(picture: Pixels, text: str, left: int, top: int, size: int, ground: Colour) -> int:
    """Text on a filled rectangle that lies in the picture as far as it can; its height."""
    mask = _mask(text, size)
    height, width = mask.shape
    left = max(0, min(left, picture.shape[1] - width))
    top = max(0, min(top, picture.shape[0] - height))
    place = picture[top : top + height, left : left + width]
    cover = mask[: place.shape[0], : place.shape[1], None]
    bright = np.dot(ground, (0.299, 0.587, 0.114)) > 140
    ink = np.full(3, 0 if bright else 255, np.float32)
    place[:] = (cover * ink + (1 - cover) * np.asarray(ground, np.float32)).astype(np.uint8)
    return int(height)


def _height(size: int) -> int:
    return round(1.5 * size)


@lru_cache(4)
def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(FONT, size)


@lru_cache(128)
def _mask(text: str, size: int) -> npt.NDArray[np.float32]:
    """A line of text with room around it: how much of each pixel is ink, 0…1."""
    font = _font(size)
    text = " ".join(text.split())[:200]
    core, (dx, dy) = font.getmask2(text, "L", anchor="ls")
    width, height = core.size
    letters = np.asarray(core, np.uint8).reshape(height, width)
    margin = size // 3
    mask = np.zeros((_height(size), width + max(0, dx) + 2 * margin), np.float32)
    top = round(1.1 * size) + dy
    first = max(0, -top)
    shown = letters[first : first + len(mask) - max(0, top)]
    mask[max(0, top) : max(0, top) + len(shown), margin + dx : margin + dx + width] = shown / 255
    return mask
