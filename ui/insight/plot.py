"""A small plot: lines or dots over an x axis, with a readout under the mouse.

Drawn by pyqtgraph. The live views change it many times a second beside training, so lines have pens
of width 1 (a wider pen costs ten times as much in Qt's raster engine), long ones are thinned to the
pixels there are and drawn without smoothing, and a hidden plot waits until it is seen.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Slot
from PySide6.QtGui import QKeyEvent, QMouseEvent, QResizeEvent
from PySide6.QtWidgets import (
    QGraphicsLineItem,
    QGraphicsRectItem,
    QGraphicsSimpleTextItem,
    QWidget,
)

from ui.insight.column import token_colour
from ui.insight.graphics import GraphicsView
from ui.insight.plot_parts import Array, Axis, Curve, Line, Readout, alone, looks, pen
from ui.insight.ticks import number, span, ticks
from ui.theme import theme

__all__ = ["Line", "Plot"]

LEFT, RIGHT, TOP, BOTTOM = 48, 10, 10, 24
LABEL = 16
BLEED = 3  # room around the area in which lines along its edge are not cut


class Plot(GraphicsView):
    """Lines over a common x axis.

    ``zero``: the y axis starts at 0 where no value is below. ``log_x``: powers of ten on the x
    axis. ``top``: the y axis reaches it at least (1 for an accuracy). ``curves``: what pyqtgraph
    draws of the lines.
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
        super().__init__(name, QSize(120, 80), parent)
        self.x_label, self.y_label, self.zero, self.log_x = x_label, "", zero, log_x
        self.top: float | None = None
        self.least_x: tuple[float, float] | None = None
        self.diagonal = False
        self.curves: list[Curve] = []
        self._markers: tuple[tuple[float, str], ...] = ()
        self._lines: tuple[Line, ...] = ()
        self._points: list[tuple[Array, Array]] = []
        self._x: tuple[float, float] = (0.0, 1.0)
        self._y: tuple[float, float] = (0.0, 1.0)
        self._zoom: tuple[float, float] | None = None
        self._drag: float | None = None
        self._mouse: QPointF | None = None
        self._make_items()
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        theme().changed.connect(self._restyle)
        self._style_items()

    def _make_items(self) -> None:
        self._box = pg.ViewBox(enableMouse=False, enableMenu=False, defaultPadding=0)
        self._box.disableAutoRange()
        self._rows = Axis("left", self._y_ticks, number, 7)
        self._columns = Axis("bottom", self._x_ticks, self._x_text, 6)
        self._rows.setGrid(255)
        for axis in (self._rows, self._columns):
            axis.linkToView(self._box)
            axis.setZValue(self._box.zValue() - 1)  # the grid lies under the lines
        self._lone = pg.ScatterPlotItem(pen=None, size=3)
        self._equal = pg.PlotCurveItem(antialias=True)
        for item in (self._equal, self._lone):
            self._box.addItem(item, ignoreBounds=True)
        self._marks: list[tuple[pg.InfiniteLine, QGraphicsSimpleTextItem]] = []
        self._shade, self._hair = QGraphicsRectItem(), QGraphicsLineItem()
        self._captions = (QGraphicsSimpleTextItem(), QGraphicsSimpleTextItem())
        for item in (
            self._rows, self._columns, self._box, self._shade, self._hair, *self._captions
        ):  # fmt: skip
            self.scene().addItem(item)
        self._shade.hide()
        self._hair.hide()
        self._readout = Readout(self.viewport())

    @property
    def lines(self) -> tuple[Line, ...]:
        return self._lines

    @property
    def markers(self) -> tuple[tuple[float, str], ...]:
        """Places on the x axis with a word each."""
        return self._markers

    @markers.setter
    def markers(self, markers: tuple[tuple[float, str], ...]) -> None:
        if markers != self._markers:
            self._markers = markers
            self._make_markers()

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
        self.redraw()

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
            high = max(high, float(np.ceil(round(high / step, 6)) * step))
        self._y = (low, high)

    # Geometry -----------------------------------------------------------------------------------

    def _area(self) -> QRectF:
        top = TOP + (LABEL if self.y_label else 0)
        bottom = BOTTOM + (LABEL if self.x_label else 0)
        width, height = self.width() - LEFT - RIGHT, self.height() - top - bottom
        return QRectF(LEFT, top, max(1, width), max(1, height))

    def position(self, x: float, y: float) -> QPointF:
        """Where a point of the data is drawn, in the widget's own pixels."""
        px, py = self.pixels(np.array([np.log10(x) if self.log_x else x]), np.array([y]))
        return QPointF(float(px[0]), float(py[0]))

    def pixels(self, x: Array, y: Array) -> tuple[Array, Array]:
        """Where points of the plot (logarithms where ``log_x``) are drawn."""
        area, (x0, x1), (y0, y1) = self._area(), self.x_range, self._y
        px = area.left() + (x - x0) * (area.width() / ((x1 - x0) or 1.0))
        return px, area.bottom() - (y - y0) * (area.height() / ((y1 - y0) or 1.0))

    def _value_at(self, pixel: float) -> float:
        area, (x0, x1) = self._area(), self.x_range
        return x0 + (pixel - area.left()) / area.width() * (x1 - x0)

    def _y_marks(self) -> int:
        return max(3, int(self._area().height() // 44))

    def _y_ticks(self) -> list[float]:
        return ticks(*self._y, self._y_marks())

    def _x_ticks(self) -> list[float]:
        low, high = self.x_range
        if self.log_x:
            first, last = int(np.ceil(low - 1e-9)), int(np.floor(high + 1e-9))
            return [float(power) for power in range(first, last + 1)]
        return ticks(low, high, max(2, int(self._area().width() // 48)), whole=True)

    def _x_text(self, value: float) -> str:
        return number(10.0**value if self.log_x else value)

    # Drawing ------------------------------------------------------------------------------------

    def _draw(self) -> None:
        """Bring what pyqtgraph shows up to date."""
        area, (x0, x1), (y0, y1) = self._area(), self.x_range, self._y
        self._place(area)
        more_x = BLEED * (x1 - x0) / area.width()
        more_y = BLEED * (y1 - y0) / area.height()
        self._box.setRange(
            xRange=(x0 - more_x, x1 + more_x),
            yRange=(y0 - more_y, y1 + more_y),
            padding=0,
            disableAutoRange=False,
        )
        self._draw_lines()
        self._equal.setVisible(self.diagonal)
        if self.diagonal:
            self._equal.setData([y0, y1], [y0, y1])
        self._place_markers()
        self._show_readout()

    def _place(self, area: QRectF) -> None:
        box = area.adjusted(-BLEED, -BLEED, BLEED, BLEED)
        if box != self._box.geometry():
            self._box.setGeometry(box)
            self._rows.setGeometry(QRectF(0, box.top(), LEFT, box.height()))
            self._columns.setGeometry(QRectF(box.left(), area.bottom(), box.width(), 20))
        x_caption, y_caption = self._captions
        for caption, text in ((x_caption, self.x_label), (y_caption, self.y_label)):
            if caption.text() != text:
                caption.setText(text)
        x_caption.setPos(area.right() + 3 - x_caption.boundingRect().width(), area.bottom() + 22)
        y_caption.setPos(0, TOP - 7)

    def _draw_lines(self) -> None:
        while len(self.curves) > len(self._lines):
            self._box.removeItem(self.curves.pop())
        lone: list[dict[str, Any]] = []
        for index, (line, (x, y)) in enumerate(zip(self._lines, self._points, strict=True)):
            if index == len(self.curves):
                self.curves.append(Curve(connect="finite"))
                self._box.addItem(self.curves[index], ignoreBounds=True)
            rising = line.style != "dots" and bool((x[1:] >= x[:-1]).all())
            curve = self.curves[index]
            curve.opts.update(clipToView=rising, autoDownsample=rising, downsampleMethod="peak")
            curve.setData(x, y, **looks(line))
            if line.style != "dots":
                brush = pg.mkBrush(token_colour(line.colour))
                lone += [{"pos": (x[at], y[at]), "brush": brush} for at in alone(x, y)]
        self._lone.setVisible(bool(lone))
        if lone:
            self._lone.setData(lone)

    def _make_markers(self) -> None:
        for mark, text in self._marks:
            self._box.removeItem(mark)
            self.scene().removeItem(text)
        self._marks = []
        for at, word in self._markers:
            place = np.log10(at) if self.log_x else at
            mark = pg.InfiniteLine(place, pen=pen("text3", (2, 3)))
            text = QGraphicsSimpleTextItem(word)
            text.setFont(theme().font(11))
            text.setBrush(token_colour("text2"))
            self._box.addItem(mark, ignoreBounds=True)
            self.scene().addItem(text)
            self._marks.append((mark, text))
        self._place_markers()

    def _place_markers(self) -> None:
        area = self._area()
        for (at, _), (_, text) in zip(self._markers, self._marks, strict=True):
            px, width = self.position(at, 0.0).x(), text.boundingRect().width()
            text.setPos(px + 5 if px + 5 + width < area.right() else px - 5 - width, area.top())
            text.setVisible(area.left() <= px <= area.right())

    def _show_readout(self) -> None:
        """The values of every line nearest to the mouse."""
        area, mouse = self._area(), self._mouse
        shading = self._drag is not None and mouse is not None
        self._shade.setVisible(shading)
        if self._drag is not None and mouse is not None:
            ends = QPointF(self._drag, area.top()), QPointF(mouse.x(), area.bottom())
            self._shade.setRect(QRectF(*ends).normalized() & area)
        inside = mouse is not None and not shading and area.contains(mouse)
        rows = self._values_near(self._value_at(mouse.x())) if inside and mouse else None
        self._hair.setVisible(rows is not None)
        if rows is None:
            self._readout.hide()
            return
        nearest, texts = rows
        px = float(self.pixels(np.array([nearest]), np.zeros(1))[0][0])
        self._hair.setLine(px, area.top(), px, area.bottom())
        self._readout.show_rows(texts)
        width = self._readout.width()
        left = px + 10 if px + 10 + width < self.width() else px - 10 - width
        self._readout.move(round(max(0.0, left)), round(area.top()) + 4)

    def _values_near(self, at: float) -> tuple[float, list[tuple[str, str]]] | None:
        """The x nearest to ``at``, and what the lines are there, each with its colour."""
        rows: list[tuple[str, str]] = []
        nearest: float | None = None
        for line, (x, y) in zip(self._lines, self._points, strict=True):
            good = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
            if not good.size or line.style == "dots":
                continue
            index = good[np.abs(x[good] - at).argmin()]
            rows.append((line.colour, f"{line.name} {number(float(y[index]), 4)}"))
            if nearest is None or abs(x[index] - at) < abs(nearest - at):
                nearest = float(x[index])
        if nearest is None:
            return None
        head = number(10.0**nearest if self.log_x else nearest, 4)
        return nearest, [("text2", f"{self.x_label} {head}".strip()), *rows]

    # Looks --------------------------------------------------------------------------------------

    @Slot()
    def _restyle(self) -> None:
        self._style_items()
        self.redraw()

    def _style_items(self) -> None:
        small, faint = theme().font(11), token_colour("text3")
        for axis, line in ((self._rows, pen("line")), (self._columns, None)):
            axis.setPen(None)
            axis.setTickPen(line)
            axis.setTextPen(faint)
            axis.setTickFont(small)
        for caption in self._captions:
            caption.setFont(small)
            caption.setBrush(faint)
        self._equal.setPen(pen("text3", (3, 3)))
        self._hair.setPen(pen("text3"))
        shade = token_colour("accent")
        shade.setAlpha(40)
        self._shade.setPen(pg.mkPen(None))
        self._shade.setBrush(shade)
        self._readout.restyle()
        self._make_markers()

    # Events -------------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        if event is not None:
            self._fit()
        super().resizeEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self._area().contains(event.position()):
            self._drag = event.position().x()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._mouse = event.position()
        self._show_readout()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        start, self._drag = self._drag, None
        if start is not None and abs(event.position().x() - start) > 8 and not self.diagonal:
            ends = sorted((self._value_at(start), self._value_at(event.position().x())))
            self.zoom((ends[0], ends[1]))
        self._show_readout()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.zoom(None)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self._zoom is not None:
            self.zoom(None)
        else:
            event.ignore()

    def leaveEvent(self, event: QEvent) -> None:
        self._mouse = None
        self._show_readout()

    def zoom(self, ends: tuple[float, float] | None) -> None:
        """Show a stretch of the x axis, or everything (None)."""
        if ends is not None:
            ends = (max(ends[0], self._x[0]), min(ends[1], self._x[1]))
            ends = ends if ends[1] > ends[0] else None
        self._zoom = ends
        self._fit()
        self.redraw()
