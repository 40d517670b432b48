"""At which zoom the whole network is seen, clear of what floats over the canvas."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF

from ui.builder.edges import Boxes

LARGEST = 1.0
SIDE, END = 28.0, 24.0
NEAR = 8.0


def best_fit(
    area: QRectF, room: QRectF, boxes: Boxes, floating: Sequence[QRectF]
) -> tuple[float, QPointF]:
    """The largest zoom at which ``area`` (scene) fits into ``room`` (view) with no node of
    ``boxes`` under ``floating`` (view), and where in the view its middle then is.

    Where no place is clear of all that floats, the zoom alone counts.
    """
    fits = []
    for space in _spaces(room, floating):
        zoom = min(space.width() / area.width(), space.height() / area.height(), LARGEST)
        fits.append((_hidden(area, zoom, space.center(), boxes, floating), -zoom, space))
    hidden, zoom, space = min(fits, key=lambda fit: fit[:2])
    if hidden:
        _, zoom, space = fits[0]
    return -zoom, space.center()


def _spaces(room: QRectF, floating: Sequence[QRectF]) -> list[QRectF]:
    """The room itself, and what is left of it beside, above or below what floats."""
    whole = room.adjusted(SIDE, END, -SIDE, -END)
    spaces = [whole]
    for part in floating:
        grown = part.adjusted(-NEAR, -NEAR, NEAR, NEAR)
        for space in list(spaces):
            if part.center().y() > room.center().y():
                spaces.append(QRectF(space.topLeft(), QPointF(space.right(), grown.top())))
            else:
                spaces.append(QRectF(QPointF(space.left(), grown.bottom()), space.bottomRight()))
            if part.center().x() > room.center().x():
                spaces.append(QRectF(space.topLeft(), QPointF(grown.left(), space.bottom())))
    return [space for space in spaces if space.width() > 80 and space.height() > 60] or [whole]


def _hidden(
    area: QRectF, zoom: float, at: QPointF, boxes: Boxes, floating: Sequence[QRectF]
) -> int:
    """How many nodes would be under what floats."""
    corner = np.array([area.center().x(), area.center().y()])
    seen = (boxes.reshape(-1, 2, 2) - corner) * zoom + (at.x(), at.y())
    left, top, right, bottom = seen.reshape(-1, 4).T
    hidden = 0
    for part in floating:
        under = (left < part.right()) & (right > part.left())
        under &= (top < part.bottom()) & (bottom > part.top())
        hidden += int(under.sum())
    return hidden
