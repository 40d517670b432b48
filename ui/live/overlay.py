"""The answer over the live picture: classes as bars, numbers in large letters, signs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from math import ceil

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter, QPen

from playground.answers import Classes, Mask, Series, Value
from playground.captions import NONE, Row, known, percent, rows
from playground.live.settings import LiveAnswer
from ui.insight.masks import class_colour as mask_colour
from ui.insight.ticks import number
from ui.theme import theme

SHADE = QColor(16, 18, 22, 214)
TRACK = QColor(255, 255, 255, 40)
WHITE, SECOND = QColor("#FFFFFF"), QColor("#C9CED8")
RED, WARN = QColor("#EE6A66"), QColor("#E3A53F")
WIDTH, MARGIN, PAD, RADIUS = 330, 20, 16, 10
FIRST, OTHERS = 44, 36
"""Heights of the rows."""
CHIP = 26
DIM = 0.6
MIDDLE = int(Qt.AlignmentFlag.AlignVCenter)
LEFT, RIGHT = int(Qt.AlignmentFlag.AlignLeft) | MIDDLE, int(Qt.AlignmentFlag.AlignRight) | MIDDLE


@dataclass(frozen=True)
class Words:
    """What the panel says: rows of a class, or a large number with a line under it; and a last
    line in small letters. ``dim``: how many rows are not dimmed (None: all are bright)."""

    rows: tuple[Row, ...] = ()
    head: str = ""
    line: str = ""
    dim: int | None = None
    warn: bool = False

    def __bool__(self) -> bool:
        return bool(self.rows or self.head)

    def spoken(self) -> str:
        """The same for a screen reader."""
        said = [
            name if value is None else f"{name} {percent(value)}" for name, value, _ in self.rows
        ]
        return ", ".join(part for part in (self.head, *said, self.line) if part)


def words(answer: LiveAnswer, most: int, colours: Mapping[str, QColor] | None = None) -> Words:
    """What to say of an answer; nothing where it is drawn on the picture itself. ``colours`` are
    those that classes have of their own."""
    match answer.answer:
        case Classes() as classes:
            found = rows(classes, most, answer.unknown)
            if colours:
                found = [(name, value, _own(colours, name, rgb)) for name, value, rgb in found]
            dim = 1 if answer.unknown else None
            return Words(tuple(found), "", known(classes), dim, classes.new)
        case Value(value, unit):
            return Words(head=f"{number(value, 4)} {unit}".strip())
        case Series(values, unit):
            line = f"the next of {len(values)}" if len(values) > 1 else ""
            return Words(head=f"{number(values[0], 4)} {unit}".strip(), line=line)
        case Mask() as mask:
            places = {name: place for place, name in enumerate(mask.classes)}
            shares = mask.shares()[:most]
            return Words(tuple((name, part, mask_colour(places[name])) for name, part in shares))
    return Words()


def _own(
    colours: Mapping[str, QColor], name: str, rgb: tuple[int, int, int]
) -> tuple[int, int, int]:
    found = colours.get(name)
    return rgb if found is None else (found.red(), found.green(), found.blue())


def font(px: float, weight: int, scale: float) -> QFont:
    return theme().font(max(9.0, round(px * scale)), weight)


def panel_rect(said: Words, area: QRectF, scale: float) -> tuple[QRectF, int]:
    """Where the panel is, in the lower left corner of ``area``, and how many rows it has room
    for."""
    margin = min(MARGIN * scale, area.width() * 0.04)
    width = min(WIDTH * scale, area.width() - 2 * margin)
    last = (24 if said.line else 0) * scale
    room = area.height() - 2 * margin - last - (2 * PAD - 8) * scale
    if said.head:
        height, count = 40 * scale, 0
    else:
        count = min(len(said.rows), max(0, int((room / scale - FIRST) // OTHERS) + 1))
        height = (FIRST + OTHERS * (count - 1)) * scale if count else 0
    height += last + (2 * PAD - 8) * scale
    return QRectF(area.left() + margin, area.bottom() - margin - height, width, height), count


def drawn(size: QSize, ratio: float, draw: Callable[[QPainter], None]) -> QImage:
    """What ``draw`` paints, clear around it, for a screen of ``ratio`` pixels to a point."""
    image = QImage(size * ratio, QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(ratio)
    image.fill(0)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    draw(painter)
    painter.end()
    return image


class AnswerPanel:
    """The panel of the newest answer: drawn once, copied with every frame until the next."""

    def __init__(self) -> None:
        self._key: object = None
        self._image = QImage()

    def place(self, said: Words, area: QRectF, scale: float) -> QRect:
        """Which pixels it covers."""
        return panel_rect(said, area, scale)[0].toAlignedRect() if said else QRect()

    def paint(self, painter: QPainter, said: Words, area: QRectF, scale: float) -> None:
        place, ratio = self.place(said, area, scale), painter.device().devicePixelRatioF()
        if place.isEmpty():
            return
        key = (said, area.getRect(), scale, ratio)
        if key != self._key:
            inner = area.translated(-place.left(), -place.top())
            draw = partial(paint_panel, said=said, area=inner, scale=scale)
            self._key, self._image = key, drawn(place.size(), ratio, draw)
        painter.drawImage(place.topLeft(), self._image)


def paint_panel(painter: QPainter, said: Words, area: QRectF, scale: float) -> None:
    panel, count = panel_rect(said, area, scale)
    if not said or panel.top() < area.top() or (said.rows and not count):
        return
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(SHADE)
    painter.drawRoundedRect(panel, RADIUS * scale, RADIUS * scale)
    inner = panel.adjusted(PAD * scale, (PAD - 4) * scale, -PAD * scale, 0)
    top = inner.top()
    if said.head:
        painter.setFont(font(26, 600, scale))
        painter.setPen(WHITE)
        painter.drawText(QRectF(inner.left(), top, inner.width(), 40 * scale), LEFT, said.head)
        top += 40 * scale
    for place, row in enumerate(said.rows[:count]):
        height = (FIRST if place == 0 else OTHERS) * scale
        painter.setOpacity(DIM if said.dim is not None and place >= said.dim else 1.0)
        _paint_row(painter, row, QRectF(inner.left(), top, inner.width(), height), place, scale)
        top += height
    painter.setOpacity(1.0)
    if said.line:
        line = QRectF(inner.left(), top, inner.width(), 22 * scale)
        painter.setFont(font(12, 500, scale))
        painter.setPen(WARN if said.warn else SECOND)
        painter.drawText(line, LEFT, said.line)


def _paint_row(painter: QPainter, row: Row, rect: QRectF, place: int, scale: float) -> None:
    name, value, rgb = row
    first = place == 0
    letters = font(16 if first else 13, 600 if first else 400, scale)
    metrics = QFontMetricsF(letters)
    painter.setFont(letters)
    painter.setPen(WHITE if first else SECOND)
    line = QRectF(rect.left(), rect.top(), rect.width(), (26 if first else 21) * scale)
    room = line.width()
    if value is not None:
        figure = percent(value)
        painter.drawText(line, RIGHT, figure)
        room -= metrics.horizontalAdvance(figure) + 12 * scale
    painter.drawText(line, LEFT, metrics.elidedText(name, Qt.TextElideMode.ElideRight, room))
    if value is None and name == NONE:
        return
    thick = 5.0 * scale
    bar = QRectF(rect.left(), line.bottom() + 2 * scale, rect.width(), thick)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(TRACK)
    painter.drawRoundedRect(bar, thick / 2, thick / 2)
    share = min(1.0, value) if value is not None and value > 0 else 0.0
    if share:
        bar.setWidth(max(thick, bar.width() * share))
        painter.setBrush(QColor(*rgb))
        painter.drawRoundedRect(bar, thick / 2, thick / 2)


@lru_cache(maxsize=16)
def chip_width(text: str, scale: float) -> float:
    return QFontMetricsF(font(12, 500, scale)).horizontalAdvance(text) + 22 * scale


def paint_chip(
    painter: QPainter, text: str, corner: QPointF, scale: float, *, dot: bool = False,
    from_right: bool = False, warn: bool = False, room: float = 1e5,
) -> float:  # fmt: skip
    """A sign with round ends whose upper corner is ``corner``; its width."""
    chip, width = _chip(text, scale, room, dot, warn, painter.device().devicePixelRatioF())
    left = corner.x() - (width if from_right else 0)
    painter.drawImage(QPointF(round(left), round(corner.y())), chip)
    return width


@lru_cache(maxsize=16)
def _chip(
    text: str, scale: float, room: float, dot: bool, warn: bool, ratio: float
) -> tuple[QImage, float]:
    """A sign and its width; most are the same for many frames."""
    letters = font(12, 500, scale)
    metrics = QFontMetricsF(letters)
    extra = (36 if dot else 22) * scale
    least, flags = max(0.0, room - extra), LEFT
    if warn and metrics.horizontalAdvance(text) > least:  # a warning is read to its end
        flags |= int(Qt.TextFlag.TextWordWrap)
        lines = metrics.boundingRect(QRectF(0, 0, least, 1e4), flags, text)
        chip = QRectF(0, 0, room, CHIP * scale + lines.height() - metrics.height())
    else:
        text = metrics.elidedText(text, Qt.TextElideMode.ElideRight, least)
        chip = QRectF(0, 0, metrics.horizontalAdvance(text) + extra, CHIP * scale)
    radius = CHIP * scale / 2

    def draw(painter: QPainter) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(SHADE)
        painter.drawRoundedRect(chip, radius, radius)
        inner = chip.adjusted(11 * scale, 0, -11 * scale, 0)
        if dot:
            painter.setBrush(RED)
            side = 8 * scale
            painter.drawEllipse(QRectF(inner.left(), chip.center().y() - side / 2, side, side))
            inner.setLeft(inner.left() + 14 * scale)
        painter.setPen(WARN if warn else WHITE)
        painter.setFont(letters)
        painter.drawText(inner, flags, text)

    size = QSize(ceil(chip.width()), ceil(chip.height()))
    return drawn(size, ratio, draw), chip.width()


def paint_countdown(painter: QPainter, seconds: int, area: QRectF) -> None:
    side = min(140.0, area.height() * 0.4)
    disc = QRectF(0, 0, side, side)
    disc.moveCenter(area.center())
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(SHADE)
    painter.drawEllipse(disc)
    painter.setPen(WHITE)
    painter.setFont(theme().font(round(side * 0.5), 600))
    painter.drawText(disc, Qt.AlignmentFlag.AlignCenter, str(seconds))


def paint_sight(painter: QPainter, area: QRectF, scale: float) -> None:
    """The outline of what the network sees; dark and light, to be seen on anything."""
    for colour, width in ((QColor(0, 0, 0, 140), 3.0), (QColor(255, 255, 255, 210), 1.0)):
        painter.setPen(QPen(colour, width * scale))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(area.adjusted(1.5, 1.5, -1.5, -1.5))
