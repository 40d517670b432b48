"""Answers drawn on pictures, for snapshots and recordings."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from PIL import ImageFont

from playground.answers import Answer, Boxes, Classes, Detection
from playground.captions import Colour, Row, caption, colour, known, percent, rows
from playground.resources import RESOURCES
from playground.vision import Pixels, cv2

__all__ = ["caption", "colour", "drawn"]

GROUND: Colour = (24, 26, 31)
TRACK: Colour = (62, 66, 74)
WHITE: Colour = (255, 255, 255)
SECOND: Colour = (200, 205, 214)
COVER = 0.86
"""How much of the picture the ground of the answer covers."""
FONT = RESOURCES / "fonts" / "Inter-Medium.otf"
LINES = 3
"""How many classes are named."""


def drawn(pixels: Pixels, answer: Answer, *, most: int = LINES, unknown: bool = False) -> Pixels:
    """A copy of an H×W×3 picture (RGB) with the answer on it: boxes with labels, bars of at most
    ``most`` classes, other answers as a line, in the lower left corner. ``unknown``: no class is
    likely enough."""
    picture = np.array(pixels, np.uint8, order="C")
    unit = min(picture.shape[:2]) / 360
    size = max(10, round(15 * unit))
    if isinstance(answer, Boxes):
        for box in reversed(answer.boxes):  # the surest is drawn last, over the others
            _box(picture, box, size, max(1, round(2 * unit)))
    elif isinstance(answer, Classes):
        _bars(picture, rows(answer, most, unknown), known(answer), size)
    else:
        _plate(picture, str(answer), size, picture.shape[0] - 5 * size // 2, size, GROUND)
    return picture


def _bars(picture: Pixels, found: list[Row], words: str, size: int) -> None:
    """A row with a bar for each class, the first one larger, over a dark ground."""
    small = max(8, round(0.8 * size))
    heights = [round(2.1 * (small if place else size)) for place in range(len(found))]
    left = size
    width = min(17 * size, picture.shape[1] - 2 * left)
    height = sum(heights) + (2 * small if words else small // 2) + small // 2
    top = picture.shape[0] - size - height
    if not found or width < 6 * size or top < 0:
        return
    ground = picture[top : top + height, left : left + width]
    ground[:] = cv2.addWeighted(ground, 1 - COVER, np.full_like(ground, GROUND), COVER, 0)
    left, right = left + size, left + width - size
    top += small // 2
    for place, (name, value, shade) in enumerate(found):
        letters = small if place else size
        ink = WHITE if place == 0 else SECOND
        figure = "" if value is None else percent(value)
        end = right - _ink(picture, figure, right, top, letters, ink, from_right=True)
        _ink(picture, _shortened(name, letters, end - left), left, top, letters, ink)
        if value is not None:
            bar, thick = top + round(1.5 * letters), max(2, letters // 4)
            filled = left + round((right - left) * min(1.0, max(0.0, value)))
            cv2.rectangle(picture, (left, bar), (right, bar + thick), TRACK, cv2.FILLED)
            cv2.rectangle(picture, (left, bar), (filled, bar + thick), shade, cv2.FILLED)
        top += heights[place]
    _ink(picture, words, left, top, small, SECOND)


def _ink(
    picture: Pixels,
    text: str,
    left: int,
    top: int,
    size: int,
    ink: Colour,
    from_right: bool = False,
) -> int:
    """Text over what is there, beginning or ending at ``left``; its width."""
    if not text:
        return 0
    mask = _mask(text, size)
    width = mask.shape[1]
    margin = size // 3  # of the mask: letters begin where they are asked to
    left = left - width + margin if from_right else left - margin
    place = picture[top : top + mask.shape[0], max(0, left) : left + width]
    cover = mask[: place.shape[0], : place.shape[1], None]
    place[:] = (cover * np.asarray(ink, np.float32) + (1 - cover) * place).astype(np.uint8)
    return int(width)


@lru_cache(128)
def _shortened(text: str, size: int, room: int) -> str:
    font = _font(size)
    if font.getlength(text) <= room:
        return text
    while text and font.getlength(text + "…") > room:
        text = text[:-1]
    return text + "…"


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
