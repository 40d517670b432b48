"""What the views drawn by pyqtgraph have in common."""

from __future__ import annotations

import pyqtgraph as pg
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QMouseEvent, QResizeEvent, QShowEvent, QWheelEvent
from PySide6.QtWidgets import QGraphicsView, QSizePolicy, QWidget


class GraphicsView(pg.GraphicsView):  # type: ignore[misc]  # pyqtgraph has no types
    """A view whose items are placed in the widget's own pixels.

    ``redraw`` calls ``_draw`` now, or when the view is next seen. pyqtgraph's own mouse, wheel and
    menu are off.
    """

    def __init__(self, name: str, least: QSize, parent: QWidget | None = None) -> None:
        super().__init__(parent, useOpenGL=False, background=None)
        self.setCentralItem(None)  # its layout would cost a hidden window
        self.setCacheMode(self.CacheModeFlag.CacheNone)
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setMinimumSize(least)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._stale = True

    def redraw(self) -> None:
        self._stale = True
        if self.isVisible():
            self._stale = False
            self._draw()

    def _draw(self) -> None:
        raise NotImplementedError

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._stale:
            self.redraw()

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        if event is not None:  # pyqtgraph itself calls this with None
            self.redraw()

    def close(self) -> bool:
        return QGraphicsView.close(self)  # pyqtgraph's would empty it, also where it is shown again

    def mousePressEvent(self, event: QMouseEvent) -> None:
        event.ignore()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        event.ignore()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        event.ignore()

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()  # what is around the view may scroll
