"""A matrix as a picture: rows downwards, columns to the right, a readout under the mouse."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QEvent, QRectF, QSize, Slot
from PySide6.QtGui import QImage, QMouseEvent, QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from playground.messages import Array
from ui.insight.colormaps import Table, indexed
from ui.theme import theme

RADIUS = 6.0


class HeatMap(QWidget):
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
        super().__init__(parent)
        self._table, self._describe = table, describe
        self._values: Array = np.empty((0, 0), np.float32)
        self._levels = (0.0, 1.0)
        self._image = QImage()
        self.setAccessibleName(name)
        self.setMouseTracking(True)
        self.setMinimumSize(80, 48)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        theme().changed.connect(self._recolour)

    @property
    def values(self) -> Array:
        return self._values

    @property
    def image(self) -> QImage:
        """A pixel a number, before stretching."""
        return self._image

    def sizeHint(self) -> QSize:
        return QSize(320, 200)

    def show_values(self, values: Array, low: float, high: float) -> None:
        """Show rows × columns, coloured from ``low`` to ``high``."""
        self._values, self._levels = np.asarray(values), (low, high)
        self._recolour()

    @Slot()
    def _recolour(self) -> None:
        self._image = indexed(self._values, *self._levels, self._table())
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._image.isNull():
            return
        painter = QPainter(self)
        outline = QPainterPath()
        outline.addRoundedRect(QRectF(self.rect()), RADIUS, RADIUS)
        painter.setClipPath(outline)
        painter.drawImage(self.rect(), self._image)

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
        super().leaveEvent(event)
