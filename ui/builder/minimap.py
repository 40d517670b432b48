"""The whole network in a corner: where the window onto it is, and a way to go elsewhere."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, QTimer, Slot
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QPen, QPixmap, QTransform
from PySide6.QtWidgets import QWidget

from models.layers import LAYERS
from ui.builder.view import View
from ui.theme import theme

WIDTH, HEIGHT = 144, 96
INNER = 7
REDRAW_MS = 120


class Minimap(QWidget):
    """Draws the nodes once after a change, then only the frame of what is visible."""

    def __init__(self, view: View, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view = view
        self._picture = QPixmap()
        self._area = QRectF(0, 0, 1, 1)
        self.setFixedSize(WIDTH, HEIGHT)
        self.setCursor(Qt.CursorShape.ArrowCursor)
        self.setAccessibleName("Overview of the network")
        self.setToolTip("Overview: click or drag to go there")
        self._redraw = QTimer(self)
        self._redraw.setSingleShot(True)
        self._redraw.setInterval(REDRAW_MS)
        self._redraw.timeout.connect(self.redraw)
        view.zoomed.connect(self._follow)
        theme().changed.connect(self.redraw)

    def sizeHint(self) -> QSize:
        return QSize(WIDTH, HEIGHT)

    @Slot()
    def changed(self) -> None:
        """The graph changed: draw it again shortly, however many changes come."""
        self._redraw.start()

    @Slot()
    def redraw(self) -> None:
        """Draw the nodes' blocks."""
        self._area = self._wanted_area()
        ratio = self.devicePixelRatioF()
        picture = QPixmap(round(WIDTH * ratio), round(HEIGHT * ratio))
        picture.setDevicePixelRatio(ratio)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        look, way = theme(), self._way()
        boxes = self._view.board.boxes()
        for item, box in zip(self._view.board.nodes.values(), boxes.tolist(), strict=True):
            layer = LAYERS.find(item.node.layer)
            if item.entry.problem is not None and item.entry.problem.level == "error":
                colour = look.color("bad")
            else:
                colour = look.family(layer.family if layer is not None else "")
            colour.setAlphaF(0.85)
            corner = way.map(QPointF(box[0], box[1])) if box[0] == box[0] else None
            if corner is not None:
                width = max(2.0, (box[2] - box[0]) * way.m11())
                height = max(1.5, (box[3] - box[1]) * way.m11())
                painter.setBrush(colour)
                painter.drawRoundedRect(QRectF(corner.x(), corner.y(), width, height), 1.5, 1.5)
        painter.end()
        self._picture = picture
        self.update()

    def _wanted_area(self) -> QRectF:
        """All nodes and what is visible, as long as the latter is near."""
        nodes = self._view.board.bounds()
        seen = self._view.visible_area()
        if nodes.isEmpty():
            return seen
        near = nodes.adjusted(
            -nodes.width(), -nodes.height() - 400, nodes.width(), nodes.height() + 400
        )
        return nodes.united(seen.intersected(near)).adjusted(-20, -20, 20, 20)

    def _way(self) -> QTransform:
        """From the scene to this widget."""
        area = self._area
        room = QRectF(0, 0, WIDTH, HEIGHT).adjusted(INNER, INNER, -INNER, -INNER)
        scale = min(room.width() / area.width(), room.height() / area.height())
        way = QTransform()
        way.translate(room.center().x(), room.center().y())
        way.scale(scale, scale)
        way.translate(-area.center().x(), -area.center().y())
        return way

    @Slot()
    def _follow(self) -> None:
        if self._wanted_area() != self._area:
            self._redraw.start()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        look = theme()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(look.color("line"), 1))
        painter.setBrush(look.color("panel"))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 8, 8)
        painter.drawPixmap(0, 0, self._picture)
        seen = self._way().mapRect(self._view.visible_area())
        seen = seen.intersected(QRectF(self.rect()).adjusted(4.5, 4.5, -4.5, -4.5))
        painter.setPen(QPen(look.color("accent"), 1.2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(seen, 3, 3)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._go(event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._go(event.position())

    def _go(self, at: QPointF) -> None:
        self._view.centre_on(self._way().inverted()[0].map(at))
