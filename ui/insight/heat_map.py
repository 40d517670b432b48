"""A matrix as a picture: rows downwards, columns to the right, a readout under the mouse."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QRectF, QSize, Slot
from PySide6.QtGui import QImage, QMouseEvent, QPainterPath
from PySide6.QtWidgets import QGraphicsItem, QGraphicsPathItem, QToolTip, QWidget

from playground.messages import Array
from ui.insight.colormaps import Table
from ui.insight.graphics import GraphicsView
from ui.theme import theme

RADIUS = 6.0
NOT_A_NUMBER = "#808080"


class HeatMap(GraphicsView):
    """Shows the last matrix given to ``show_values``, stretched to the widget.

    ``describe(row, column, value)`` gives the readout under the mouse.
    """

    def __init__(
        self,
        name: str,
        table: Callable[[], Table],
        describe: Callable[[int, int, float], str],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(name, QSize(80, 48), parent)
        self._table, self._describe = table, describe
        self._values: Array = np.empty((0, 0), np.float32)
        self._levels = (0.0, 1.0)
        self._frame = QGraphicsPathItem()  # its round corners; seen where a value is no number
        self._frame.setFlag(QGraphicsItem.GraphicsItemFlag.ItemClipsChildrenToShape)
        self._frame.setPen(pg.mkPen(None))
        self._frame.setBrush(pg.mkBrush(NOT_A_NUMBER))
        self._item = pg.ImageItem(axisOrder="row-major")
        self._item.setParentItem(self._frame)
        self.scene().addItem(self._frame)
        self._frame.hide()
        theme().changed.connect(self._recolour)

    @property
    def values(self) -> Array:
        return self._values

    @property
    def image(self) -> QImage:
        """A pixel a number, before stretching; transparent where a value is no number."""
        self._draw()
        self._item.render()
        return self._item.qimage or QImage()

    def sizeHint(self) -> QSize:
        return QSize(320, 200)

    def show_values(self, values: Array, low: float, high: float) -> None:
        """Show rows × columns, coloured from ``low`` to ``high``."""
        self._values, self._levels = np.asarray(values), (low, high)
        self._recolour()

    @Slot()
    def _recolour(self) -> None:
        self.redraw()

    def _draw(self) -> None:
        self._frame.setVisible(bool(self._values.size))
        if not self._values.size:
            return
        area, outline = QRectF(self.rect()), QPainterPath()
        outline.addRoundedRect(area, RADIUS, RADIUS)
        self._frame.setPath(outline)
        low, high = self._levels
        values = np.clip(self._values, low, high)
        self._item.setImage(values, levels=self._levels, lut=self._table())
        self._item.setRect(area)

    def cell_at(self, x: float, y: float) -> tuple[int, int] | None:
        """Row and column under a point of the widget."""
        rows, columns = self._values.shape
        if not (rows and columns and 0 <= x < self.width() and 0 <= y < self.height()):
            return None
        return int(y * rows / self.height()), int(x * columns / self.width())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        cell = self.cell_at(event.position().x(), event.position().y())
        if cell is None:
            QToolTip.hideText()
            return
        text = self._describe(*cell, float(self._values[cell]))
        QToolTip.showText(event.globalPosition().toPoint(), text, self)

    def leaveEvent(self, event: QEvent) -> None:
        QToolTip.hideText()
