"""Colours for numbers, and numbers as pictures: arrays in, ``QImage`` out.

Feature maps are drawn in magma (S. van der Walt and N. Smith, matplotlib 1.5, CC0). What has a
sign (states, weights, gradients) goes from blue over a neutral near the panel's own colour to
orange.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QImage

from playground.messages import Array

Table = NDArray[np.uint8]

LAST, GREY_INDEX = 254, 255


def _table(colours: str) -> Table:
    """256 colours, linear between evenly spaced ``colours`` (hexadecimal, divided by blanks)."""
    anchors = np.array([list(bytes.fromhex(item)) for item in colours.split()], float)
    at = np.linspace(0, len(anchors) - 1, 256)
    channels = [np.interp(at, np.arange(len(anchors)), anchors[:, c]) for c in range(3)]
    table = np.stack(channels, axis=1).round().astype(np.uint8)
    table.setflags(write=False)
    return table


MAGMA = _table(
    "000004 0a0822 1d1147 36106b 51127c 6a1c81 832681 9c2e7f b73779 cf4070 e55064 f4695c fb8761 "
    "fea571 fec287 fde0a1 fcfdbf"
)
GREY = _table("000000 ffffff")
SIGNED = _table("5b8cff 4b72cd 354f8a 1b1f26 83543a bc7445 f0924f")
SIGNED_LIGHT = _table("2457e0 3f74f2 9db8f7 f4f6f8 f7bd8f ee8a3c dd6610")


def signed(light: bool) -> Table:
    """The table for signed values whose neutral suits the theme."""
    return SIGNED_LIGHT if light else SIGNED


def coloured(values: Array, low: float, high: float, table: Table) -> Table:
    """``values`` (any shape) as colours (shape × 3); what is not a number is a middle grey."""
    values = np.asarray(values, np.float32)
    span = high - low
    scale = 255.0 / span if span > 0 and np.isfinite(span) else 0.0
    with np.errstate(invalid="ignore", over="ignore"):
        index = (values - np.float32(low)) * np.float32(scale)
        bad = np.isnan(index)
        some_bad = bool(bad.any())
        if some_bad:
            index = np.where(bad, 0, index)
        picture: Table = table[np.clip(index, 0, 255).astype(np.uint8)]
    if some_bad:
        picture[bad] = 128
    return picture


def indexed(values: Array, low: float, high: float, table: Table) -> QImage:
    """Rows × columns as an image of 8 bits a pixel: a small one costs few steps, which matters
    while another thread wants the interpreter. What is not a number is a middle grey."""
    values = np.asarray(values, np.float32)
    if not values.size:
        return QImage()
    span = high - low
    scale = LAST / span if span > 0 and np.isfinite(span) else 0.0
    with np.errstate(invalid="ignore", over="ignore"):
        index = values * np.float32(scale) - np.float32(low * scale)
        bad = np.isnan(index) if not np.isfinite(index.sum()) else None
        np.clip(index, 0, LAST, out=index)
        if bad is not None:
            index[bad] = GREY_INDEX
        pixels = index.astype(np.uint8, order="C")
    height, width = pixels.shape
    image = QImage(pixels.data, width, height, width, QImage.Format.Format_Indexed8).copy()
    image.setColorTable(_colours(table.tobytes()))
    return image


@lru_cache(maxsize=16)
def _colours(table: bytes) -> list[int]:
    """256 colours as Qt wants them; the last one is the grey of what is not a number."""
    rows = np.frombuffer(table, np.uint8).reshape(256, 3)[np.linspace(0, 255, 255).astype(int)]
    found = [0xFF000000 | red << 16 | green << 8 | blue for red, green, blue in rows.tolist()]
    return [*found, 0xFF808080]


def levels(values: Array) -> tuple[float, float]:
    """The least and the greatest finite value; (0, 1) where there is none."""
    values = np.asarray(values)
    finite = values[np.isfinite(values)]
    if not finite.size:
        return 0.0, 1.0
    return float(finite.min()), float(finite.max())


def qimage(picture: Array) -> QImage:
    """An image of its own memory from H×W×3 (colour) or H×W (grey) bytes."""
    picture = np.ascontiguousarray(picture, np.uint8)
    height, width = picture.shape[:2]
    if not height or not width:
        return QImage()
    grey = picture.ndim == 2
    kind = QImage.Format.Format_Grayscale8 if grey else QImage.Format.Format_RGB888
    return QImage(picture.data, width, height, picture.strides[0], kind).copy()
