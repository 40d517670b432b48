"""A small plot: lines or dots over an x axis, with a readout under the mouse.

Drawn by hand because the live views redraw it up to 30 times a second beside training: the grid and
its numbers are kept as a pixmap, lines are thinned to the pixels there are and drawn with pens of
width 1 (a wider pen costs ten times as much in Qt's raster engine).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import shiboken6
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Slot
from PySide6.QtGui import (
    QColor,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QPolygonF,
    QResizeEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from ui.insight.column import token_colour
from ui.insight.ticks import number, span, ticks
from ui.theme import theme

Array = NDArray[np.float64]
LEFT, RIGHT, TOP, BOTTOM = 38, 10, 10, 24
LABEL = 16


@dataclass(frozen=True)
class Line:
    """One series. ``colour`` is a token of the theme ("accent") or a layer family ("recurrent").

    Points that are not finite leave a gap. ``y`` is 1-D, as long as ``x``.
    """

    name: str
    x: NDArray[Any]
    y: NDArray[Any]
    colour: str = "accent"
    style: Literal["line", "dash", "dots"] = "line"


class Plot(QWidget):
    """Lines over a common x axis.

    ``zero``: the y axis starts at 0 where no value is below. ``log_x``: powers of ten on the x
    axis. ``top``: the y axis reaches it at least (1 for an accuracy).
    Dragging zooms into a stretch of x, a double click or Escape shows everything again.
    """

    def __init__(
        self,
        name: str,
        *,
        x_label: str = "",
        zero: bool = False,
        log_x: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.x_label, self.y_label, self.zero, self.log_x = x_label, "", zero, log_x
        self.top: float | None = None
        self.least_x: tuple[float, float] | None = None
        self.diagonal = False
        self.markers: tuple[tuple[float, str], ...] = ()
        self._lines: tuple[Line, ...] = ()
        self._points: list[tuple[Array, Array]] = []
        self._x: tuple[float, float] = (0.0, 1.0)
        self._y: tuple[float, float] = (0.0, 1.0)
        self._zoom: tuple[float, float] | None = None
        self._drag: float | None = None
        self._mouse: QPointF | None = None
        self._grid: QPixmap | None = None
        self._grid_key: object = None
        self.setAccessibleName(name)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(120, 80)
        theme().changed.connect(self._restyle)

    @property
    def lines(self) -> tuple[Line, ...]:
        return self._lines

    @property
    def x_range(self) -> tuple[float, float]:
        """The ends of the x axis as they are drawn (powers of ten where ``log_x``)."""
        return self._zoom or self._x

    @property
    def y_range(self) -> tuple[float, float]:
        return self._y

    def sizeHint(self) -> QSize:
        return QSize(320, 220)

    def set_lines(self, lines: Iterable[Line]) -> None:
        self._lines = tuple(lines)
        self._points = []
        for line in self._lines:
            x = np.asarray(line.x, np.float64)
            if self.log_x:
                with np.errstate(divide="ignore", invalid="ignore"):
                    x = np.log10(x)
            self._points.append((x, np.asarray(line.y, np.float64)))
        self._fit()
        self.update()

    def _fit(self) -> None:
        self._x = span([x for x, _ in self._points], self.least_x, padding=0.0)
        shown = self._points
        if self._zoom is not None:
            low, high = self._zoom
            shown = [(x[m], y[m]) for x, y in shown for m in [(x >= low) & (x <= high)]]
        least = (0.0, self.top) if self.top is not None else None
        low, high = span(
            [y for _, y in shown], least, padding=0.0 if self.zero else 0.04, robust=True
        )
        if self.zero and least is None and low >= -0.05 * (high - low):
            low = 0.0
        if self.diagonal:
            low, high = min(low, self._x[0]), max(high, self._x[1])
            self._x = (low, high)
        marks = ticks(low, high, self._y_marks())
        if len(marks) > 1 and self.zero:
            step = marks[1] - marks[0]
            high = max(high, np.ceil(round(high / step, 6)) * step)
        self._y = (low, high)

    # Geometry -----------------------------------------------------------------------------------

    def _area(self) -> QRectF:
        top = TOP + (LABEL if self.y_label else 0)
        bottom = BOTTOM + (LABEL if self.x_label else 0)
        width, height = self.width() - LEFT - RIGHT, self.height() - top - bottom
        return QRectF(LEFT, top, max(1, width), max(1, height))

    def _y_marks(self) -> int:
        return max(3, int(self._area().height() // 44))

    def position(self, x: float, y: float) -> QPointF:
        """Where a point of the data is drawn, in the widget's own pixels."""
        px, py = self.pixels(np.array([np.log10(x) if self.log_x else x]), np.array([y]))
        return QPointF(float(px[0]), float(py[0]))

    def pixels(self, x: Array, y: Array) -> tuple[Array, Array]:
        """Where points of the plot (logarithms where ``log_x``) are drawn."""
        area, (x0, x1), (y0, y1) = self._area(), self.x_range, self._y
        px = area.left() + (x - x0) * (area.width() / ((x1 - x0) or 1.0))
        py = area.bottom() - (y - y0) * (area.height() / ((y1 - y0) or 1.0))
        return px, np.clip(py, -4000, 4000)

    def _value_at(self, pixel: float) -> float:
        area, (x0, x1) = self._area(), self.x_range
        return x0 + (pixel - area.left()) / area.width() * (x1 - x0)

    # Painting -----------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.drawPixmap(0, 0, self._grid_pixmap())
        area = self._area()
        painter.setClipRect(area.adjusted(-1, -2, 3, 2))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for line, (x, y) in zip(self._lines, self._points, strict=True):
            if line.style == "dots":
                self._paint_dots(painter, line, x, y)
            else:
                self._paint_line(painter, line, x, y)
        self._paint_markers(painter, area)
        painter.setClipping(False)
        if self._drag is not None and self._mouse is not None:
            shade = token_colour("accent")
            shade.setAlpha(40)
            painter.fillRect(
                QRectF(QPointF(self._drag, area.top()), QPointF(self._mouse.x(), area.bottom())),
                shade,
            )
        elif self._mouse is not None and area.contains(self._mouse):
            self._paint_readout(painter, area, self._mouse)

    def _paint_line(self, painter: QPainter, line: Line, x: Array, y: Array) -> None:
        pen = QPen(token_colour(line.colour), 1)
        pen.setCosmetic(True)
        if line.style == "dash":
            pen.setDashPattern([4, 3])
        painter.setPen(pen)
        low, high = self.x_range
        inside = np.flatnonzero((x >= low) & (x <= high))
        if not inside.size:
            return
        part = slice(max(0, inside[0] - 1), inside[-1] + 2)
        px, py = self.pixels(x[part], y[part])
        px, py = thinned(px, py, int(self._area().width()))
        good = np.isfinite(px) & np.isfinite(py)
        ends = np.flatnonzero(np.diff(np.concatenate(([False], good, [False])).astype(np.int8)))
        for start, stop in ends.reshape(-1, 2):
            if stop - start == 1:
                painter.drawEllipse(QPointF(px[start], py[start]), 1.0, 1.0)
                continue
            points = polygon(px[start:stop], py[start:stop])
            painter.drawPolyline(points)
            if line.style == "line":
                painter.translate(0.0, 0.5)
                painter.drawPolyline(points)
                painter.translate(0.0, -0.5)

    def _paint_dots(self, painter: QPainter, line: Line, x: Array, y: Array) -> None:
        good = np.isfinite(x) & np.isfinite(y)
        px, py = self.pixels(x[good], y[good])
        shade = token_colour(line.colour)
        shade.setAlpha(255 if px.size < 50 else 150)
        pen = QPen(shade, 4.0 if px.size < 2000 else 2.0)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        painter.drawPoints(polygon(px, py))

    def _paint_markers(self, painter: QPainter, area: QRectF) -> None:
        painter.setFont(theme().font(11))
        for at, text in self.markers:
            px = self.position(at, 0.0).x()
            pen = QPen(token_colour("text3"), 1)
            pen.setDashPattern([2, 3])
            painter.setPen(pen)
            painter.drawLine(QPointF(px, area.top()), QPointF(px, area.bottom()))
            painter.setPen(token_colour("text2"))
            width = painter.fontMetrics().horizontalAdvance(text)
            left = px + 5 if px + 5 + width < area.right() else px - 5 - width
            painter.drawText(QPointF(left, area.top() + 11), text)

    def _grid_pixmap(self) -> QPixmap:
        ratio = self.devicePixelRatioF()
        key = (
            self.size(),
            ratio,
            self.x_range,
            self._y,
            self.x_label,
            self.y_label,
            theme().name,
            self.diagonal,
        )
        if self._grid is None or key != self._grid_key:
            self._grid = QPixmap((self.size() * ratio).expandedTo(QSize(1, 1)))
            self._grid.setDevicePixelRatio(ratio)
            self._grid.fill(Qt.GlobalColor.transparent)
            painter = QPainter(self._grid)
            self._paint_grid(painter)
            painter.end()
            self._grid_key = key
        return self._grid

    def _paint_grid(self, painter: QPainter) -> None:
        area, line, text = self._area(), token_colour("line"), token_colour("text3")
        painter.setFont(theme().font(11))
        for value in ticks(*self._y, self._y_marks()):
            y = round(self.pixels(np.zeros(1), np.array([value]))[1][0]) + 0.5
            painter.setPen(QPen(line, 1))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            painter.setPen(text)
            place = QRectF(0, y - 9, LEFT - 7, 18)
            flags = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(place, flags, number(value))
        painter.setPen(text)
        for value in self._x_ticks(area):
            x = self.pixels(np.array([value]), np.zeros(1))[0][0]
            place = QRectF(x - 30, area.bottom() + 6, 60, 16)
            shown = number(10.0**value) if self.log_x else number(value)
            painter.drawText(place, Qt.AlignmentFlag.AlignHCenter, shown)
        if self.y_label:
            painter.drawText(QPointF(0, TOP + 4), self.y_label)
        if self.x_label:
            place = QRectF(area.left(), area.bottom() + 22, area.width() + 3, 16)
            painter.drawText(place, Qt.AlignmentFlag.AlignRight, self.x_label)
        if self.diagonal:
            pen = QPen(token_colour("text3"), 1)
            pen.setDashPattern([3, 3])
            painter.setPen(pen)
            low, high = self._y
            px, py = self.pixels(np.array([low, high]), np.array([low, high]))
            painter.drawLine(QPointF(px[0], py[0]), QPointF(px[1], py[1]))

    def _x_ticks(self, area: QRectF) -> list[float]:
        low, high = self.x_range
        if self.log_x:
            return [
                float(v) for v in range(int(np.ceil(low - 1e-9)), int(np.floor(high + 1e-9)) + 1)
            ]
        return ticks(low, high, max(2, int(area.width() // 48)), whole=True)

    def _paint_readout(self, painter: QPainter, area: QRectF, mouse: QPointF) -> None:
        """The values of every line nearest to the mouse."""
        at = self._value_at(mouse.x())
        rows: list[tuple[QColor, str]] = []
        nearest: float | None = None
        for line, (x, y) in zip(self._lines, self._points, strict=True):
            good = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
            if not good.size or line.style == "dots":
                continue
            index = good[np.abs(x[good] - at).argmin()]
            rows.append((token_colour(line.colour), f"{line.name} {number(float(y[index]), 4)}"))
            if nearest is None or abs(x[index] - at) < abs(nearest - at):
                nearest = float(x[index])
        if nearest is None:
            return
        px = self.pixels(np.array([nearest]), np.zeros(1))[0][0]
        painter.setPen(QPen(token_colour("text3"), 1))
        painter.drawLine(QPointF(px, area.top()), QPointF(px, area.bottom()))
        head = number(10.0**nearest if self.log_x else nearest, 4)
        rows.insert(0, (token_colour("text2"), f"{self.x_label} {head}".strip()))
        painter.setFont(theme().font(11.5))
        metrics = painter.fontMetrics()
        width = max(metrics.horizontalAdvance(text) for _, text in rows) + 16
        height = 17 * len(rows) + 8
        left = px + 10 if px + 10 + width < self.width() else px - 10 - width
        box = QRectF(max(0.0, left), area.top() + 4, width, height)
        painter.setPen(QPen(token_colour("line"), 1))
        painter.setBrush(token_colour("raised"))
        painter.drawRoundedRect(box, 6, 6)
        for row, (shade, text) in enumerate(rows):
            painter.setPen(shade)
            painter.drawText(QPointF(box.left() + 8, box.top() + 17 * (row + 1)), text)

    # Events -------------------------------------------------------------------------------------

    @Slot()
    def _restyle(self) -> None:
        self._grid = None
        self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._fit()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self._area().contains(event.position()):
            self._drag = event.position().x()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._mouse = event.position()
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        start, self._drag = self._drag, None
        if start is not None and abs(event.position().x() - start) > 8 and not self.diagonal:
            ends = sorted((self._value_at(start), self._value_at(event.position().x())))
            self.zoom((ends[0], ends[1]))
        self.update()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.zoom(None)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self._zoom is not None:
            self.zoom(None)
        else:
            super().keyPressEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        self._mouse = None
        self.update()

    def zoom(self, ends: tuple[float, float] | None) -> None:
        """Show a stretch of the x axis, or everything (None)."""
        if ends is not None:
            ends = (max(ends[0], self._x[0]), min(ends[1], self._x[1]))
            ends = ends if ends[1] > ends[0] else None
        self._zoom = ends
        self._fit()
        self.update()


def thinned(x: Array, y: Array, pixels: int) -> tuple[Array, Array]:
    """At most four points a pixel column that look as all of them do: its least and greatest."""
    if len(x) <= 4 * max(1, pixels):
        return x, y
    per = int(np.ceil(len(x) / (2 * max(1, pixels))))
    starts = np.arange(0, len(x), per)
    low, high = np.fmin.reduceat(y, starts), np.fmax.reduceat(y, starts)
    return np.repeat(x[starts], 2), np.stack([low, high], axis=1).ravel()


def polygon(x: Array, y: Array) -> QPolygonF:
    """Points as Qt takes them, copied in one go instead of one call a point."""
    points = QPolygonF()
    points.resize(len(x))
    if len(x):
        memory: Any = shiboken6.VoidPtr(points.data(), len(x) * 16, True)  # type: ignore[call-arg,arg-type]
        target = np.frombuffer(memory, np.float64).reshape(-1, 2)
        target[:, 0], target[:, 1] = x, y
    return points
