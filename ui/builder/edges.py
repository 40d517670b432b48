"""An edge on the canvas: a stock path with the shape of its value as a chip."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainterPath, QPen
from PySide6.QtWidgets import QGraphicsPathItem, QGraphicsPixmapItem

from models.graph import Edge
from ui.builder.faces import Faces, chip_size, wire_color
from ui.theme import theme

STUB = 22.0
CLEARANCE = 20.0
CHIP_GAP = 14.0
Boxes = NDArray[np.float64]
"""One row a node: left, top, right, bottom."""


class EdgeItem(QGraphicsPathItem):
    """Shows one edge. ``chip`` is a neighbour in the scene, so that it lies above every edge."""

    def __init__(self, edge: Edge) -> None:
        super().__init__()
        self.edge = edge
        self.text = ""
        self.selected = False
        self.chip = QGraphicsPixmapItem()
        self.chip.setTransformationMode(Qt.TransformationMode.SmoothTransformation)
        self.area = QRectF()
        self._middle = QPointF()
        self._below: tuple[float, float, float, float] | None = None
        self.fresh_for: object = None
        self._points: NDArray[np.float64] | None = None
        self._painted: tuple[object, ...] = ()

    def route(
        self, start: QPointF, end: QPointF, boxes: Boxes, bottoms: tuple[float, float]
    ) -> None:
        """Lead the edge from port to port. ``bottoms`` are the lower edges of its two nodes: in a
        short gap the chip goes below them, for the line to be seen."""
        lane = detour(start, end, boxes)
        path, self._middle = wire(start, end, lane)
        wraps = end.x() < start.x() + STUB
        if not wraps and lane is None and abs(end.y() - start.y()) < 200:
            lowest = max(start.y(), end.y())
            self._below = (end.x() - start.x(), min(bottoms), max(bottoms), lowest)
        else:
            self._below = None
        self._points = None
        self.area = path.controlPointRect().adjusted(-1, -1, 1, 1)
        self.setPath(path)
        self._place()

    def label(self, text: str) -> None:
        """Take another shape."""
        if text != self.text:
            self.text = text
            self.fresh_for = None
            self._place()

    def freshen(self, faces: Faces, scale: float, ratio: float) -> None:
        """Bring the chip's pixmap up to date."""
        key = (self.text, self.selected, scale, ratio, theme().name)
        if key != self._painted:
            self._painted = key
            if self.text:
                token = "text" if self.selected else "text2"
                self.chip.setPixmap(faces.chip(self.text, scale, ratio, token))
                self.chip.setScale(1.0 / scale)
            self.chip.setVisible(bool(self.text))

    def _place(self) -> None:
        """Put the chip on the line, or below it where the gap is short."""
        width, height = chip_size(self.text)
        x, y = self._middle.x(), self._middle.y()
        if self._below is not None:
            gap, higher, lower, lowest = self._below
            if width > gap - 30:
                y = max(lower if width > gap - 4 else higher, lowest) + CHIP_GAP
        self.chip.setPos(round(x - width / 2), round(y - height / 2))

    def distance(self, point: QPointF) -> float:
        """How far ``point`` is from the line, in scene pixels."""
        if self._points is None:
            steps = [self.path().pointAtPercent(i / 40) for i in range(41)]
            self._points = np.array([(p.x(), p.y()) for p in steps])
        points = self._points
        start, along = points[:-1], np.diff(points, axis=0)
        offset = np.array([point.x(), point.y()]) - start
        lengths = np.maximum((along**2).sum(axis=1), 1e-9)
        share = np.clip((offset * along).sum(axis=1) / lengths, 0.0, 1.0)
        gaps = offset - along * share[:, None]
        return float(np.sqrt((gaps**2).sum(axis=1).min()))


class Pens:
    """The pens of all edges, for one theme and level of detail."""

    def __init__(self, fine: bool) -> None:
        self.plain = self._pen(wire_color(), 1.6, fine)
        self.chosen = self._pen(theme().color("accent"), 2.4, fine)
        self.target = self._pen(theme().color("accent"), 4.0, fine)

    @staticmethod
    def _pen(color: QColor, width: float, fine: bool) -> QPen:
        """From afar a line of one pixel: wide ones cost ten times as much."""
        pen = QPen(color, width if fine else 1.0)
        pen.setCosmetic(not fine)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap if fine else Qt.PenCapStyle.FlatCap)
        return pen


def wire(start: QPointF, end: QPointF, lane: float | None = None) -> tuple[QPainterPath, QPointF]:
    """The curve from an output to an input and the place of its chip.

    To the right it is one S; to the left it leaves to the right, runs back between the rows and
    comes in from the left. ``lane``: the height at which it passes what stands in between.
    """
    path = QPainterPath(start)
    x1, y1, x2, y2 = start.x(), start.y(), end.x(), end.y()
    if x2 < x1 + STUB:
        middle = lane if lane is not None else (y1 + y2) / 2
        if lane is None and abs(y2 - y1) < 60:
            middle = max(y1, y2) + 70
        path.cubicTo(x1 + 50, y1, x1 + 50, middle, x1 - 30, middle)
        path.lineTo(x2 + 30, middle)
        path.cubicTo(x2 - 50, middle, x2 - 50, y2, x2, y2)
        return path, QPointF((x1 + x2) / 2, middle)
    if lane is not None:
        bend = min(60.0, (x2 - x1) / 4)
        path.cubicTo(x1 + bend * 0.6, y1, x1 + bend * 0.4, lane, x1 + bend, lane)
        path.lineTo(x2 - bend, lane)
        path.cubicTo(x2 - bend * 0.4, lane, x2 - bend * 0.6, y2, x2, y2)
        return path, QPointF((x1 + x2) / 2, lane)
    if y1 == y2:
        path.lineTo(end)
    else:
        reach = max(24.0, min(120.0, (x2 - x1) / 2))
        path.cubicTo(x1 + reach, y1, x2 - reach, y2, x2, y2)
    return path, QPointF((x1 + x2) / 2, (y1 + y2) / 2)


def detour(start: QPointF, end: QPointF, boxes: Boxes) -> float | None:
    """The height of a free lane where nodes stand between the ports; None where none does."""
    x1, y1, x2, y2 = start.x(), start.y(), end.x(), end.y()
    if not len(boxes):
        return None
    if x2 < x1 + STUB:
        return _between_rows(x1, y1, x2, y2, boxes)
    left, top, right, bottom = boxes.T
    within = (left > x1 - 1) & (right < x2 + 1)
    if not within.any():
        return None
    slope = (y2 - y1) / (x2 - x1)
    heights = y1 + slope * ((left + right) / 2 - x1)
    crossed = within & (top - 6 < heights) & (bottom + 6 > heights)
    if not crossed.any():
        return None
    low, high = min(y1, y2, float(top[crossed].min())), max(y1, y2, float(bottom[crossed].max()))
    for _ in range(6):
        above, below = low - CLEARANCE, high + CLEARANCE + 8
        hit_above = within & (top - 4 < above) & (bottom + 4 > above)
        hit_below = within & (top - 4 < below) & (bottom + 4 > below)
        near_above = abs(above - y1) + abs(above - y2) <= abs(below - y1) + abs(below - y2)
        if not hit_above.any() and (near_above or hit_below.any()):
            return above
        if not hit_below.any():
            return below
        low, high = float(top[hit_above].min()), float(bottom[hit_below].max())
    return low - CLEARANCE


def _between_rows(x1: float, y1: float, x2: float, y2: float, boxes: Boxes) -> float | None:
    """The middle of the widest free band between the two heights, for an edge that runs back."""
    left, top, right, bottom = boxes.T
    low, high = sorted((y1, y2))
    met = (right > x2) & (left < x1) & (bottom > low) & (top < high)
    if high - low < 60 or not met.any():
        return None
    spans = sorted(zip(top[met].tolist(), bottom[met].tolist(), strict=True))
    best, middle, reached = 16.0, None, low
    for first, last in [*spans, (high, high)]:
        if first - reached > best:
            best, middle = first - reached, (first + reached) / 2
        reached = max(reached, last)
    return middle


def bounds(boxes: Boxes) -> QRectF:
    """The rectangle around all boxes; empty where there is none."""
    if not len(boxes):
        return QRectF()
    left, top = boxes[:, :2].min(axis=0)
    right, bottom = boxes[:, 2:].max(axis=0)
    return QRectF(float(left), float(top), float(right - left), float(bottom - top))
