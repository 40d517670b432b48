"""A pad to draw a digit on, which hands it out as the samples of MNIST were made."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import (
    QColor,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from playground.messages import Array
from ui.theme import theme

Stroke = list[tuple[float, float]]

OVERSAMPLING = 4
LARGEST_ZOOM = 3.0
STROKE_SHARE = 2.6 / 28
BOX_SHARE = 20 / 28


def rendered(strokes: list[Stroke], height: int = 28, width: int = 28) -> NDArray[np.uint8]:
    """Strokes (points from 0 to 1) as white ink on black, H×W bytes.

    As MNIST (LeCun et al. 1998): the drawing fills a box of 20/28 of the picture, keeps its
    aspect, has grey levels from anti-aliasing, and its centre of mass is the picture's centre.
    The stroke has the thickness of the data however small the drawing was.
    """
    points = [point for stroke in strokes for point in stroke]
    if not points:
        return np.zeros((height, width), np.uint8)
    side = min(height, width)
    xs, ys = np.array(points, float).T
    extent = max(float(np.ptp(xs)), float(np.ptp(ys)))
    stroke_width = STROKE_SHARE * side
    room = BOX_SHARE * side - stroke_width
    scale = min(room / extent, LARGEST_ZOOM * side) if extent > 0 else side
    # room for the whole drawing wherever its centre of mass may be
    canvas = 2 * side
    middle = ((xs.min() + xs.max()) / 2, (ys.min() + ys.max()) / 2)
    image = QImage(canvas * OVERSAMPLING, canvas * OVERSAMPLING, QImage.Format.Format_Grayscale8)
    image.fill(0)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    pen = QPen(QColor("#FFFFFF"), stroke_width * OVERSAMPLING)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)
    at, grow = canvas / 2 * OVERSAMPLING, scale * OVERSAMPLING
    for stroke in strokes:
        points = [(at + (x - middle[0]) * grow, at + (y - middle[1]) * grow) for x, y in stroke]
        _paint_stroke(painter, points)
    painter.end()
    bits = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1)
    cells = bits[:, : image.width()].reshape(canvas, OVERSAMPLING, canvas, OVERSAMPLING)
    ink = cells.mean(axis=(1, 3))
    return centred(ink, height, width).round().astype(np.uint8)


def centred(ink: Array, height: int, width: int) -> Array:
    """The H×W part of ``ink`` around its centre of mass (zeros outside)."""
    total = ink.sum()
    rows, columns = np.arange(ink.shape[0]), np.arange(ink.shape[1])
    y = float((ink.sum(axis=1) * rows).sum() / total) if total else ink.shape[0] / 2
    x = float((ink.sum(axis=0) * columns).sum() / total) if total else ink.shape[1] / 2
    top, left = round(y - (height - 1) / 2), round(x - (width - 1) / 2)
    padded = np.pad(ink, ((height, height), (width, width)))
    return padded[top + height : top + 2 * height, left + width : left + 2 * width]


def _paint_stroke(painter: QPainter, points: Stroke) -> None:
    """A line through ``points``; a dot where they are all one, of which Qt would draw nothing."""
    if all(point == points[0] for point in points):
        painter.drawPoint(QPointF(*points[0]))
    else:
        painter.drawPolyline(QPolygonF([QPointF(*point) for point in points]))


class DrawingPad(QWidget):
    """A black square to draw on. ``changed`` after every movement; Delete clears, Ctrl Z takes the
    last stroke back."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._strokes: list[Stroke] = []
        self._drawing = False
        self.setAccessibleName("Drawing pad")
        self.setAccessibleDescription("Draw with the mouse. Delete clears.")
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(140, 140)
        self.setMaximumSize(360, 360)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        theme().changed.connect(self._restyle)

    @property
    def strokes(self) -> list[Stroke]:
        return self._strokes

    def is_empty(self) -> bool:
        return not self._strokes

    def array(self, height: int = 28, width: int = 28) -> NDArray[np.uint8]:
        """The drawing as an H×W picture; see ``rendered``."""
        return rendered(self._strokes, height, width)

    def clear(self) -> None:
        if self._strokes:
            self._strokes = []
            self.update()
            self.changed.emit()

    def undo(self) -> None:
        if self._strokes:
            self._strokes.pop()
            self.update()
            self.changed.emit()

    def sizeHint(self) -> QSize:
        return QSize(240, 240)

    def square(self) -> QRectF:
        """The part that can be drawn on."""
        side = min(self.width(), self.height())
        return QRectF(0, 0, side, side)

    @Slot()
    def _restyle(self) -> None:
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        square = self.square()
        edge = theme().color("accent" if self.hasFocus() else "line")
        painter.setPen(QPen(edge, 1))
        painter.setBrush(QColor("#000000"))
        painter.drawRoundedRect(square.adjusted(0.5, 0.5, -0.5, -0.5), 8, 8)
        if not self._strokes:
            painter.setFont(theme().font(12))
            painter.setPen(QColor("#9BA4B4"))
            painter.drawText(square, Qt.AlignmentFlag.AlignCenter, "Draw here")
            return
        pen = QPen(QColor("#FFFFFF"), square.width() * STROKE_SHARE)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        painter.setPen(pen)
        painter.setClipRect(square)
        for stroke in self._strokes:
            _paint_stroke(painter, [(x * square.width(), y * square.height()) for x, y in stroke])

    def _point(self, event: QMouseEvent) -> tuple[float, float]:
        side = self.square().width()
        x, y = event.position().x() / side, event.position().y() / side
        return min(max(x, 0.0), 1.0), min(max(y, 0.0), 1.0)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.square().contains(event.position()):
            self._drawing = True
            self._strokes.append([self._point(event)])
            self._moved()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._drawing:
            self._strokes[-1].append(self._point(event))
            self._moved()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._drawing = False

    def _moved(self) -> None:
        self.update()
        self.changed.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.clear()
        elif (
            event.key() == Qt.Key.Key_Z and event.modifiers() & Qt.KeyboardModifier.ControlModifier
        ):
            self.undo()
        else:
            super().keyPressEvent(event)
