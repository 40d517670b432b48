"""The dotted ground of the canvas: one tile as a texture, as sharp as the zoom allows."""

from __future__ import annotations

from PySide6.QtCore import QRectF
from PySide6.QtGui import QBrush, QPainter, QPixmap, QTransform

from ui.theme import blend, theme

PITCH = 16
LEAST_PITCH = 12
"""Dots nearer than this many view pixels would be a grey veil: every other one is left out."""
DOT = 1.3


def dotted(zoom: float, ratio: float) -> QBrush:
    """A brush for the scene's background in the colours of the theme."""
    look = theme()
    pitch = PITCH
    while pitch * zoom < LEAST_PITCH:
        pitch *= 2
    pixels = max(2, round(pitch * zoom * ratio))
    tile = QPixmap(pixels, pixels)
    tile.fill(look.color("window"))
    painter = QPainter(tile)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    share = 0.12 if look.name == "dark" else 0.3
    side = max(1.0, DOT * ratio)
    painter.fillRect(
        QRectF(0, 0, side, side), blend(look.color("line"), look.color("text3"), share)
    )
    painter.end()
    brush = QBrush(tile)
    brush.setTransform(QTransform.fromScale(pitch / pixels, pitch / pixels))
    return brush
