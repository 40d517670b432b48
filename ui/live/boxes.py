"""Objects in the live picture: boxes with class, score, number and landmarks."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen

from playground.answers import Boxes, Detection
from playground.captions import Colour, caption, colour
from ui.live.overlay import LEFT, font

LINE, DOT, PLATE = 2.0, 2.5, 20.0


def placed(box: Detection, size: tuple[int, int], area: QRectF) -> QRectF:
    """Where a box of a picture of ``size`` (height, width) is when that is shown in ``area``."""
    x0, y0, x1, y1 = box.box
    return QRectF(_point(x0, y0, size, area), _point(x1, y1, size, area))


def _point(x: float, y: float, size: tuple[int, int], area: QRectF) -> QPointF:
    height, width = size
    return QPointF(
        area.left() + x * area.width() / max(1, width),
        area.top() + y * area.height() / max(1, height),
    )


def paint_boxes(
    painter: QPainter,
    found: Boxes,
    area: QRectF,
    scale: float,
    ink_of: Callable[[Detection], Colour] = colour,
    words: Callable[[Detection], str] = caption,
) -> None:
    """The surest last, over the others."""
    letters = font(12.5, 600, scale)
    metrics = QFontMetricsF(letters)
    painter.setFont(letters)
    painter.save()
    painter.setClipRect(area)
    for box in reversed(found.boxes):
        ink = QColor(*ink_of(box))
        rect = placed(box, found.size, area)
        painter.setPen(QPen(ink, LINE * scale))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(rect, 3 * scale, 3 * scale)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ink)
        for x, y in box.landmarks:
            painter.drawEllipse(_point(x, y, found.size, area), DOT * scale, DOT * scale)
        _paint_plate(painter, words(box), rect, area, ink, metrics, scale)
    painter.restore()


def _paint_plate(
    painter: QPainter,
    text: str,
    rect: QRectF,
    area: QRectF,
    ink: QColor,
    metrics: QFontMetricsF,
    scale: float,
) -> None:
    """The caption over the box, or inside where there is no room above; within the picture."""
    text = metrics.elidedText(text, Qt.TextElideMode.ElideRight, area.width() - 12 * scale)
    width, height = metrics.horizontalAdvance(text) + 12 * scale, PLATE * scale
    top = rect.top() - height if rect.top() - height >= area.top() else rect.top()
    left = max(area.left(), min(rect.left() - LINE * scale / 2, area.right() - width))
    top = max(area.top(), min(top, area.bottom() - height))
    plate = QRectF(left, top, width, height)
    painter.setBrush(ink)
    painter.drawRoundedRect(plate, 3 * scale, 3 * scale)
    bright = 0.299 * ink.red() + 0.587 * ink.green() + 0.114 * ink.blue() > 140
    painter.setPen(QColor("#000000" if bright else "#FFFFFF"))
    painter.drawText(plate.adjusted(6 * scale, 0, 0, 0), LEFT, text)
    painter.setPen(Qt.PenStyle.NoPen)
