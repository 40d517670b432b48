"""Masks of classes in colours."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence

import numpy as np
from PySide6.QtGui import QImage

from playground.data.dataset import Column
from playground.messages import Array
from ui.insight.colormaps import qimage
from ui.insight.sample_pictures import image_of

NO_CLASS = (128, 128, 128)
"""Of pixels that belong to no class (255)."""

# Okabe & Ito (2008), which colour-blind people tell apart; the first class is mostly the background
_COLOURS = (
    (38, 42, 51),
    (230, 159, 0),
    (86, 180, 233),
    (0, 158, 115),
    (240, 228, 66),
    (0, 114, 178),
    (213, 94, 0),
    (204, 121, 167),
)


def class_colour(index: int) -> tuple[int, int, int]:
    """A class's red, green and blue; more than eight are spread over the hues."""
    if index < len(_COLOURS):
        return _COLOURS[index]
    red, green, blue = colorsys.hsv_to_rgb(index * 0.618034 % 1, 0.65, 0.9)
    return round(255 * red), round(255 * green), round(255 * blue)


def mask_image(indices: Array) -> QImage:
    """Class indices (H, W) or (1, H, W) in the colours of their classes."""
    table = np.asarray([*map(class_colour, range(255)), NO_CLASS], np.uint8)
    mask = np.asarray(indices, np.uint8)
    return qimage(table[mask.reshape(mask.shape[-2:])])


def column_image(column: Column, raw: Array) -> QImage:
    """A column's sample as a picture: a mask in colours, anything else as it is."""
    return mask_image(raw) if column.pixel_classes else image_of(raw)


def legend(names: Sequence[str], shares: Sequence[float] | None = None) -> str:
    """Rich text: a square of each class's colour, its name, and its share of the picture."""
    parts = []
    for index, name in enumerate(names):
        red, green, blue = class_colour(index)
        said = "" if shares is None else f" · {100 * shares[index]:.0f} %"
        safe = name.replace("&", "&amp;").replace("<", "&lt;")
        parts.append(f'<span style="color: rgb({red},{green},{blue})">■</span> {safe}{said}')
    return " &nbsp; ".join(parts)
