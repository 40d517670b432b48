"""Heat as a picture: warm colours that are clear where there is none."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter

from playground.live.inside import InsideView
from playground.messages import Array
from ui.insight.colormaps import MAGMA, indexed, levels, qimage
from ui.live.inside.insight import WHOLE, Shares

FAINT, FULL = 0.2, 0.8
"""Below the one there is nothing to be seen of heat, from the other on it is whole."""
DARKEST = 90
"""Of magma's 256 colours, the first that is warm."""
SMALL = 0.85
COARSE = 28
"""Cells of a side, about, that heat is drawn from."""


_EDGE = QColor(255, 255, 255, 110)


def _table() -> Array:
    """256 colours of 32 bits, their colours multiplied by how much they cover."""
    heat = np.linspace(0, 1, 256)
    alpha = np.clip((heat - FAINT) / (FULL - FAINT), 0, 1)
    alpha = alpha * alpha * (3 - 2 * alpha)
    place = np.round(DARKEST + heat * (255 - DARKEST)).astype(int)
    colours = np.round(MAGMA[place] * alpha[:, None]).astype(np.uint32)
    covers = np.round(255 * alpha).astype(np.uint32)
    found: Array = covers << 24 | colours[:, 0] << 16 | colours[:, 1] << 8 | colours[:, 2]
    return found


_TABLE = _table()


def heat_image(heat: Array) -> QImage:
    """Heat (H, W) in 0…1 as a small picture of colours with a transparency."""
    pixels = np.ascontiguousarray(_TABLE[(np.clip(softened(heat), 0, 1) * 255).astype(np.uint8)])
    height, width = pixels.shape
    kind = QImage.Format.Format_ARGB32_Premultiplied
    return QImage(pixels.data, width, height, 4 * width, kind).copy()


def softened(heat: Array) -> Array:
    """Heat on fewer cells, its patches run into each other: on the screen it is made large."""
    high, wide = (max(1, side // COARSE) for side in heat.shape)
    rows, columns = heat.shape[0] // high, heat.shape[1] // wide
    whole = heat[: rows * high, : columns * wide]
    cells = whole.reshape(rows, high, columns, wide).mean((1, 3))
    for _ in range(2 if high > 1 else 0):
        padded = np.pad(cells, ((1, 1), (0, 0)), "edge")
        cells = ((padded[:-2] + 2 * padded[1:-1] + padded[2:]) / 4).T
    found: Array = cells
    return found


def on_frame(heat: Array, crop: Shares) -> tuple[Array, Shares]:
    """The part of heat that lies on the camera's frame and not on its borders, and where."""
    rows, columns = heat.shape
    left, top, right, bottom = crop
    x0, x1 = _inside(left, right, columns)
    y0, y1 = _inside(top, bottom, rows)
    shares = (
        left + x0 / columns * (right - left),
        top + y0 / rows * (bottom - top),
        left + x1 / columns * (right - left),
        top + y1 / rows * (bottom - top),
    )
    return heat[y0:y1, x0:x1], shares


def _inside(start: float, end: float, count: int) -> tuple[int, int]:
    """The first and the last of ``count`` cells from ``start`` to ``end`` that are in 0…1."""
    cell = (end - start) / count
    first = max(0, round(-start / cell))
    return first, max(first + 1, min(count, round((1 - start) / cell)))


def ground(view: InsideView) -> tuple[QImage, Shares]:
    """What heat lies on, and over which part of it: the camera's frame, the picture that the
    network was given, or a spectrogram; nothing where there is none."""
    if view.frame is not None and view.crop is not None:
        return qimage(view.frame), view.crop
    picture = view.picture
    if picture is None or not picture.size:
        return QImage(), WHOLE
    if picture.ndim == 2:
        return indexed(picture, *levels(picture), MAGMA), WHOLE
    if picture.shape[2] not in (1, 3):
        return QImage(), WHOLE
    return qimage(picture[..., 0] if picture.shape[2] == 1 else picture), WHOLE


def composed(view: InsideView, size: QSize) -> QImage:
    """The ground of ``view`` in the size of the screen's pixels, with its heat over it."""
    image, crop = ground(view)
    if image.isNull() or size.isEmpty():
        return QImage()
    found = QImage(size, QImage.Format.Format_RGB32)
    painter = QPainter(found)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Source)
    painter.drawImage(QRectF(0, 0, size.width(), size.height()), image)
    if view.heat is not None:
        part, (x0, y0, x1, y1) = on_frame(view.heat, crop)
        width, height = size.width(), size.height()
        place = QRectF(x0 * width, y0 * height, (x1 - x0) * width, (y1 - y0) * height)
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceOver)
        painter.setOpacity(SMALL)
        painter.drawImage(place, heat_image(part))
        if place.width() < width - 1 or place.height() < height - 1:
            painter.setPen(_EDGE)  # beyond it the network sees nothing
            painter.drawRect(place.adjusted(0.5, 0.5, -0.5, -0.5))
    painter.end()
    return found


def aspect(view: InsideView) -> float:
    """Width / height of what heat lies on."""
    image, _ = ground(view)
    return 16 / 9 if image.isNull() else image.width() / image.height()


def fitted(room: QSize, shape: float) -> QSize:
    """The largest size of that aspect in a room."""
    return QSize(round(1000 * shape), 1000).scaled(room, Qt.AspectRatioMode.KeepAspectRatio)
