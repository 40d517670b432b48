"""What a gesture shows while it lasts: the rubber band, the wire in hand, ports that would fit."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QPainterPath, QPen
from PySide6.QtWidgets import (
    QGraphicsEllipseItem,
    QGraphicsItem,
    QGraphicsPathItem,
    QGraphicsPixmapItem,
    QGraphicsRectItem,
)

from models.graph import Edge
from ui.builder.edges import wire
from ui.builder.faces import Faces, Sign
from ui.builder.scene import Scene
from ui.theme import theme

ABOVE = 20.0


class Marks:
    """Stock items above the graph, made when first needed."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._band: QGraphicsRectItem | None = None
        self._wire: QGraphicsPathItem | None = None
        self._hint: QGraphicsPixmapItem | None = None
        self._rings: list[QGraphicsEllipseItem] = []
        self._lit: Edge | None = None
        self._faces = Faces(64)

    def clear(self) -> None:
        """Take everything away."""
        for item in (self._band, self._wire, self._hint, *self._rings):
            if item is not None:
                self._scene.removeItem(item)
        self._band = self._wire = self._hint = None
        self._rings = []
        self.light(None)
        self._faces.clear()

    def band(self, area: QRectF) -> None:
        """The rubber band."""
        if self._band is None:
            colour = theme().color("accent")
            self._band = QGraphicsRectItem()
            self._band.setPen(_cosmetic("accent", 1.0))
            colour.setAlphaF(0.12)
            self._band.setBrush(QBrush(colour))
            self._put(self._band)
        self._band.setRect(area)

    def wire(self, start: QPointF, end: QPointF, token: str) -> None:
        """The wire in hand, from an output to an input, in the colour of its fate."""
        if self._wire is None:
            self._wire = QGraphicsPathItem()
            self._put(self._wire)
        pen = QPen(theme().color(token), 2.0)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        if token == "text3":
            pen.setStyle(Qt.PenStyle.DashLine)
        self._wire.setPen(pen)
        path = QPainterPath(start)
        if end.x() < start.x():
            path.cubicTo(start.x() + 60, start.y(), end.x() - 60, end.y(), end.x(), end.y())
        else:
            path = wire(start, end)[0]
        self._wire.setPath(path)

    def rings(self, places: Iterable[QPointF], token: str = "accent") -> None:
        """Rings around the ports that a wire may go to."""
        colour = theme().color(token)
        fill = theme().color(token)
        fill.setAlphaF(0.3)
        for place in places:
            ring = QGraphicsEllipseItem(place.x() - 7, place.y() - 7, 14, 14)
            ring.setPen(QPen(colour, 1.5))
            ring.setBrush(QBrush(fill))
            self._rings.append(ring)
            self._put(ring)

    def hint(self, text: str, at: QPointF, zoom: float, ratio: float, *, bad: bool = False) -> None:
        """A few words beside the pointer; none takes them away."""
        if not text:
            if self._hint is not None:
                self._hint.setVisible(False)
            return
        if self._hint is None:
            self._hint = QGraphicsPixmapItem()
            self._put(self._hint)
        if bad:
            self._hint.setPixmap(self._faces.sign(Sign(text), 1.0, ratio))
        else:
            self._hint.setPixmap(self._faces.chip(text, 1.0, ratio, "text"))
        self._hint.setVisible(True)
        self._hint.setScale(1.0 / zoom)
        self._hint.setPos(at + QPointF(14, 14) / zoom)

    def light(self, edge: Edge | None) -> None:
        """Show an edge as the one that would take the node."""
        if edge == self._lit:
            return
        scene = self._scene
        if self._lit in scene.edges:
            chosen = self._lit in scene.chosen_edges
            scene.edges[self._lit].setPen(scene.pens.chosen if chosen else scene.pens.plain)
        self._lit = edge
        if edge is not None and edge in scene.edges:
            scene.edges[edge].setPen(scene.pens.target)

    def _put(self, item: QGraphicsItem) -> None:
        item.setZValue(ABOVE)
        self._scene.addItem(item)


def _cosmetic(token: str, width: float) -> QPen:
    pen = QPen(theme().color(token), width)
    pen.setCosmetic(True)
    return pen
