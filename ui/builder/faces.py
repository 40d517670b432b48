"""How a node, a shape chip and an error look: painted once into a pixmap, then only copied.

Python paints nothing while the canvas scrolls, zooms or drags. Equal faces share one pixmap.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import lru_cache

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QImage,
    QPainter,
    QPainterPath,
    QPen,
    QPixmap,
)

from ui.theme import blend, theme

WIDTH, HEIGHT = 150.0, 52.0
WIDE = 206.0
FIRST_PORT, PORT_PITCH = 26.0, 22.0
PORT_RADIUS = 4.0
RADIUS = 7.0
MARGIN = 10.0
TEXT_LEFT = 14.0
PICTURE = 36.0
LABEL_WIDTH = 6.4
"""Width of a character of a port's label in scene pixels."""

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Frame:
    """The size of a node and where its ports and its picture are, from its top left corner."""

    width: float
    height: float
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    picture: Box
    labelled: tuple[str, ...] = ()

    def input(self, port: str) -> QPointF:
        return QPointF(0.0, self._row(self.inputs, port))

    def output(self, port: str) -> QPointF:
        return QPointF(self.width, self._row(self.outputs, port))

    @staticmethod
    def _row(ports: tuple[str, ...], port: str) -> float:
        return FIRST_PORT + PORT_PITCH * (ports.index(port) if port in ports else 0)


@lru_cache(maxsize=256)
def frame(
    inputs: tuple[str, ...], outputs: tuple[str, ...], labelled: tuple[str, ...] = ()
) -> Frame:
    """A node is as tall as its ports need, and wider where outputs are named.

    ``labelled`` are the inputs below the first whose names are shown.
    """
    rows = max(len(inputs), len(outputs), 1)
    if rows == 1:
        box = (WIDTH - 8 - PICTURE, 8.0, PICTURE, PICTURE)
        return Frame(WIDTH, HEIGHT, inputs, outputs, box)
    width = WIDE if len(outputs) > 1 else WIDTH
    height = 22.0 + PORT_PITCH * rows
    left = TEXT_LEFT + _label_room(labelled)
    right = width - 10 - (_label_room(outputs) if len(outputs) > 1 else 0.0)
    box = (left, 47.0, max(24.0, right - left), height - 47.0 - 8.0)
    return Frame(width, height, inputs, outputs, box, labelled)


def _label_room(ports: tuple[str, ...]) -> float:
    return max((len(port) for port in ports), default=0) * LABEL_WIDTH + (8.0 if ports else 0.0)


@dataclass(frozen=True, slots=True)
class Face:
    """All that a node's pixmap shows. ``state`` is "", error, note, waiting or unknown."""

    frame: Frame
    title: str
    caption: str
    family: str
    state: str = ""
    selected: bool = False
    badge: str = ""
    optional: frozenset[str] = frozenset()
    picture: bool = False
    stacked: bool = False

    def block(self) -> Face:
        """The face from afar: colours alone."""
        ends = self.frame.inputs[:1], self.frame.outputs[:1]
        size = Frame(self.frame.width, self.frame.height, *ends, (0.0, 0.0, 0.0, 0.0))
        state = self.state if self.state == "error" else ""
        return Face(size, "", "", self.family, state, self.selected)


@dataclass(frozen=True, slots=True)
class Sign:
    """An error chip: the sentence, the words on its button, and whether it is only a note."""

    text: str
    button: str = ""
    note: bool = False


class Faces:
    """Paints and remembers pixmaps for one scale and theme."""

    def __init__(self, most: int = 800) -> None:
        self._most = most
        self._known: OrderedDict[Hashable, QPixmap] = OrderedDict()

    def clear(self) -> None:
        self._known.clear()

    def node(self, face: Face, scale: float, ratio: float) -> QPixmap:
        """The node with ``MARGIN`` around it, at ``scale`` view pixels a scene pixel."""
        size = (face.frame.width + 2 * MARGIN, face.frame.height + 2 * MARGIN)
        draw = _draw_node if face.title else _draw_block
        return self._get((face, scale, ratio), size, scale, ratio, lambda p: draw(p, face))

    def chip(self, text: str, scale: float, ratio: float, token: str = "text2") -> QPixmap:
        """A small round-ended sign in mono: a shape on an edge, a badge."""
        size = chip_size(text)
        key = (text, token, scale, ratio)
        return self._get(key, size, scale, ratio, lambda p: _draw_chip(p, text, size, token))

    def sign(self, sign: Sign, scale: float, ratio: float) -> QPixmap:
        layout = sign_layout(sign)
        size = (layout.width, layout.height)
        return self._get(
            (sign, scale, ratio), size, scale, ratio, lambda p: _draw_sign(p, sign, layout)
        )

    def _get(
        self,
        key: Hashable,
        size: tuple[float, float],
        scale: float,
        ratio: float,
        draw: Callable[[QPainter], None],
    ) -> QPixmap:
        found = self._known.get(key)
        if found is not None:
            self._known.move_to_end(key)
            return found
        pixels = scale * ratio
        pixmap = QPixmap(math.ceil(size[0] * pixels), math.ceil(size[1] * pixels))
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        painter.setRenderHints(
            QPainter.RenderHint.Antialiasing | QPainter.RenderHint.TextAntialiasing
        )
        painter.scale(pixels, pixels)
        draw(painter)
        painter.end()
        pixmap.setDevicePixelRatio(ratio)
        self._known[key] = pixmap
        while len(self._known) > self._most:
            self._known.popitem(last=False)
        return pixmap


def rounded(image: QImage, ratio: float, radius: float) -> QPixmap:
    """A node's picture with round corners."""
    pixmap = QPixmap(image.size())
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    path = QPainterPath()
    path.addRoundedRect(QRectF(image.rect()), radius * ratio, radius * ratio)
    painter.setClipPath(path)
    painter.drawImage(0, 0, image)
    painter.end()
    pixmap.setDevicePixelRatio(ratio)
    return pixmap


@dataclass(frozen=True, slots=True)
class SignLayout:
    width: float
    height: float
    text: Box
    button: Box | None


@lru_cache(maxsize=256)
def sign_layout(sign: Sign) -> SignLayout:
    """The sentence in lines of at most 250 pixels, the button under it."""
    metrics = QFontMetricsF(theme().font(11.5, 500))
    room = QRectF(0, 0, 250, 400)
    bounds = metrics.boundingRect(room, int(Qt.TextFlag.TextWordWrap), sign.text)
    width, height = math.ceil(bounds.width()) + 1.0, math.ceil(bounds.height())
    if not sign.button:
        return SignLayout(width + 20, height + 12.0, (10, 6, width, height), None)
    button = math.ceil(metrics.horizontalAdvance(sign.button)) + 18.0
    box = (9.0, height + 12.0, button, 22.0)
    whole = max(width, button)
    return SignLayout(whole + 20, height + 42.0, (10, 6, width, height), box)


@lru_cache(maxsize=1024)
def chip_size(text: str) -> tuple[float, float]:
    metrics = QFontMetricsF(theme().mono(10.5))
    return math.ceil(metrics.horizontalAdvance(text)) + 14.0, 18.0


def _draw_node(painter: QPainter, face: Face) -> None:
    look = theme()
    shape = face.frame
    painter.translate(MARGIN, MARGIN)
    body = QRectF(0.5, 0.5, shape.width - 1, shape.height - 1)
    _draw_shadow(painter, face, body)
    _draw_ports(painter, face)
    _draw_body(painter, face, body)
    _draw_labels(painter, face)
    faint = face.state in ("waiting", "unknown")
    beside = face.picture and shape.height == HEIGHT
    room = (shape.picture[0] - 2 if beside else shape.width - 8) - TEXT_LEFT
    title = _tightened(look.font(12.5, 600), face.title, room)
    painter.setPen(look.color("text2" if faint else "text"))
    alone = not face.caption and not face.badge and shape.height == HEIGHT
    _line(
        painter,
        title,
        _fitted(title, face.title, room),
        QRectF(TEXT_LEFT, 17 if alone else 8, room, 18),
    )
    mono = look.mono(10.5)
    painter.setPen(look.color("text2"))
    if face.badge:
        width = QFontMetricsF(mono).horizontalAdvance(face.badge)
        painter.setFont(mono)
        painter.drawText(QRectF(TEXT_LEFT, 28, width + 1, 16), face.badge)
    used = (QFontMetricsF(mono).horizontalAdvance(face.badge) + 6) if face.badge else 0.0
    _line(painter, mono, face.caption, QRectF(TEXT_LEFT + used, 28, room - used, 16))


def _draw_shadow(painter: QPainter, face: Face, body: QRectF) -> None:
    """A soft shadow, or the ring of a selected node."""
    look = theme()
    shadow = QColor(0, 0, 0, 40 if look.name == "dark" else 10)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(shadow)
    for spread in (1.0, 2.0, 3.0):
        area = body.adjusted(-spread, -spread + 2, spread, spread + 2)
        painter.drawRoundedRect(area, RADIUS + spread, RADIUS + spread)
    if face.selected:
        ring = look.color("accent")
        ring.setAlphaF(0.32)
        painter.setBrush(ring)
        painter.drawRoundedRect(body.adjusted(-4, -4, 4, 4), RADIUS + 4, RADIUS + 4)


def _draw_body(painter: QPainter, face: Face, body: QRectF) -> None:
    look = theme()
    border = look.color("line")
    if face.state == "error":
        border = look.color("bad")
    if face.selected:
        border = look.color("accent")
    if face.stacked:
        painter.setBrush(look.color("raised"))
        painter.setPen(QPen(border, 1))
        painter.drawRoundedRect(body.adjusted(4, 4, 4, 4), RADIUS, RADIUS)
    pen = QPen(border, 1.6 if face.selected else 1.0)
    if face.state == "unknown":
        pen = QPen(look.color("text3"), 1.0, Qt.PenStyle.DashLine)
    clip = QPainterPath()
    clip.addRoundedRect(body, RADIUS, RADIUS)
    painter.fillPath(clip, look.color("raised"))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(pen)
    painter.drawPath(clip)
    strip = QPainterPath()
    strip.addRect(QRectF(0, 0, 4, body.height() + 2))
    painter.fillPath(strip & clip, look.family(face.family))


def _draw_ports(painter: QPainter, face: Face) -> None:
    look = theme()
    shape = face.frame
    rim = look.color("accent") if face.selected else wire_color()
    for ports, x in ((shape.inputs, 0.0), (shape.outputs, shape.width)):
        for row, port in enumerate(ports):
            at = QPointF(x, FIRST_PORT + PORT_PITCH * row)
            small = x == 0.0 and port in face.optional
            painter.setPen(QPen(rim, 1.3))
            painter.setBrush(look.color("window"))
            painter.drawEllipse(at, *([PORT_RADIUS - (1.0 if small else 0.0)] * 2))


def _draw_labels(painter: QPainter, face: Face) -> None:
    """The names of ports where there are several."""
    look, shape = theme(), face.frame
    mono = look.mono(10.5)
    painter.setPen(look.color("text2"))
    if len(shape.outputs) > 1:
        for row, port in enumerate(shape.outputs):
            y = FIRST_PORT + PORT_PITCH * row - (13 if row == 0 else 9)
            area = QRectF(shape.width - 10 - 110, y, 110, 18)
            painter.setFont(mono)
            painter.drawText(
                area, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, port
            )
    for port in shape.labelled:
        row = shape.inputs.index(port)
        y = FIRST_PORT + PORT_PITCH * row - 8
        _line(painter, mono, port, QRectF(TEXT_LEFT - 3, y, 110, 18))


def _draw_block(painter: QPainter, face: Face) -> None:
    look = theme()
    painter.translate(MARGIN, MARGIN)
    body = QRectF(0, 0, face.frame.width, face.frame.height)
    colour = blend(look.family(face.family), look.color("raised"), 0.25)
    painter.setPen(Qt.PenStyle.NoPen)
    if face.selected or face.state == "error":
        painter.setBrush(look.color("accent" if face.selected else "bad"))
        painter.drawRoundedRect(body.adjusted(-8, -8, 8, 8), 14, 14)
        painter.setBrush(look.color("window"))
        painter.drawRoundedRect(body.adjusted(-3, -3, 3, 3), 10, 10)
    painter.setBrush(colour)
    painter.drawRoundedRect(body, RADIUS, RADIUS)


def _draw_chip(painter: QPainter, text: str, size: tuple[float, float], token: str) -> None:
    look = theme()
    area = QRectF(0.5, 0.5, size[0] - 1, size[1] - 1)
    painter.setPen(QPen(look.color("line"), 1))
    painter.setBrush(look.color("window"))
    painter.drawRoundedRect(area, area.height() / 2, area.height() / 2)
    painter.setFont(look.mono(10.5))
    painter.setPen(look.color(token))
    painter.drawText(area, Qt.AlignmentFlag.AlignCenter, text)


def _draw_sign(painter: QPainter, sign: Sign, layout: SignLayout) -> None:
    look = theme()
    area = QRectF(0.5, 0.5, layout.width - 1, layout.height - 1)
    ground = look.color("raised" if sign.note else "bad_fill")
    painter.setPen(QPen(look.color("warn"), 1) if sign.note else Qt.PenStyle.NoPen)
    painter.setBrush(ground)
    painter.drawRoundedRect(area, 8, 8)
    ink = look.color("text") if sign.note else QColor("#FFFFFF")
    painter.setPen(ink)
    painter.setFont(look.font(11.5, 500))
    painter.drawText(QRectF(*layout.text), int(Qt.TextFlag.TextWordWrap), sign.text)
    if layout.button is not None:
        button = QRectF(*layout.button)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(look.color("pressed") if sign.note else QColor("#FFFFFF"))
        painter.drawRoundedRect(button, 6, 6)
        painter.setPen(ink if sign.note else look.color("bad_fill"))
        painter.setFont(look.font(11.5, 600))
        painter.drawText(button, Qt.AlignmentFlag.AlignCenter, sign.button)


def _tightened(font: QFont, title: str, room: float) -> QFont:
    """The font, its letters half a pixel closer for a title that is a little too long."""
    if QFontMetricsF(font).horizontalAdvance(title) > room:
        font = QFont(font)
        font.setLetterSpacing(QFont.SpacingType.AbsoluteSpacing, -0.5)
    return font


def _fitted(font: QFont, title: str, room: float) -> str:
    """As many whole words of a title as there is room for; at least the first."""
    metrics = QFontMetricsF(font)
    words = title.split(" ")
    while len(words) > 1 and metrics.horizontalAdvance(" ".join(words)) > room:
        words.pop()
    return " ".join(words)


def wire_color() -> QColor:
    """The colour of edges and ports: between the third text colour and the ground."""
    return blend(theme().color("text3"), theme().color("window"), 0.2)


def _line(painter: QPainter, font: QFont, text: str, area: QRectF) -> None:
    """One line of text, shortened at its end where there is too little room."""
    painter.setFont(font)
    shown = QFontMetricsF(font).elidedText(text, Qt.TextElideMode.ElideRight, area.width())
    painter.drawText(area, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, shown)
