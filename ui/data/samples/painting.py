"""How a sample is painted in the grid: its picture over class and split, or as a line of text."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QPainter

from ui.data.bars import SPLIT_COLOURS
from ui.data.samples.catalogue import SPLITS, Catalogue
from ui.data.samples.pictures import Thumbnail
from ui.insight.column import token_colour
from ui.insight.sample_pictures import paint_picture
from ui.theme import theme

CAPTION = 20
ROW_HEIGHT, TEXT_LINE = 28, 17
NUMBER_WIDTH, LABEL_SHARE, MOST_LABEL = 64, 0.28, 220
RADIUS = 4.0
DOT = 6
LONGEST = 2000

MIDDLE = int(Qt.AlignmentFlag.AlignVCenter)
ELIDE = Qt.TextElideMode.ElideRight


@dataclass(frozen=True)
class Frame:
    """How tiles lie: ``columns`` of ``size``, ``across`` and ``step`` from one to the next, with
    ``caption`` below; or ``rows`` of text."""

    columns: int
    size: QSize
    across: float
    step: int
    caption: int
    rows: bool = False


class TilePainter:
    """Paints samples with ``painter``. Colours and fonts are looked up once for all tiles."""

    def __init__(self, painter: QPainter, catalogue: Catalogue, frame: Frame) -> None:
        self._painter, self._catalogue, self._frame = painter, catalogue, frame
        look = theme()
        self._raised, self._text, self._text2 = map(look.color, ("raised", "text", "text2"))
        self._text3, self._warn = look.color("text3"), look.readable(look.color("warn"))
        self._splits = {name: token_colour(SPLIT_COLOURS[name]) for name in SPLITS}
        self._splits[""] = look.color("line")
        self._small, self._font = look.font(11.5), look.font(12)

    def paint(self, rect: QRect, index: int, made: Thumbnail | None) -> None:
        if self._frame.rows:
            self._paint_row(rect, index, made)
        else:
            self._paint_tile(rect, index, made)

    def _said(self, index: int) -> str:
        return self._catalogue.label(index) or self._catalogue.caption(index)

    def _paint_tile(self, rect: QRect, index: int, made: Thumbnail | None) -> None:
        painter, size = self._painter, self._frame.size
        place = QRectF(rect.left(), rect.top(), size.width(), size.height())
        if made is not None and made.image is not None:
            if made.image.size() == size:
                painter.drawImage(rect.topLeft(), made.image)
            else:
                paint_picture(painter, place, made.image)
        else:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._raised)
            painter.drawRoundedRect(place, RADIUS, RADIUS)
            if made is not None:
                sign = theme().pixmap("warning", "warn", 16)
                painter.drawPixmap(place.center().toPoint() - QPoint(8, 8), sign)
        if self._frame.caption:
            self._paint_caption(rect, index)
        else:
            colour = self._splits[self._catalogue.split(index)]
            painter.fillRect(QRectF(place.left(), place.bottom() - 3, place.width(), 3), colour)

    def _paint_caption(self, rect: QRect, index: int) -> None:
        painter, top = self._painter, rect.bottom() + 1 - CAPTION
        self._dot(rect.left() + 4.0, top + CAPTION / 2, index)
        painter.setFont(self._small)
        painter.setPen(self._text2)
        place = QRect(rect.left() + 12, top, rect.width() - 12, CAPTION)
        text = self._said(index) or f"{index + 1:,}"
        painter.drawText(
            place, MIDDLE, painter.fontMetrics().elidedText(text, ELIDE, place.width())
        )

    def _paint_row(self, rect: QRect, index: int, made: Thumbnail | None) -> None:
        painter = self._painter
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._raised)
        painter.drawRoundedRect(QRectF(rect), RADIUS, RADIUS)
        first = QRect(rect.left() + 10, rect.top(), NUMBER_WIDTH - 12, ROW_HEIGHT)
        painter.setFont(self._small)
        painter.setPen(self._text3)
        painter.drawText(first, MIDDLE, f"{index + 1:,}")
        width = min(MOST_LABEL, int(rect.width() * LABEL_SHARE))
        last = QRect(rect.right() - width, rect.top(), width - 10, ROW_HEIGHT)
        self._dot(last.left() + 4.0, last.center().y() + 1.0, index)
        painter.setFont(self._font)
        painter.setPen(self._text)
        last.adjust(14, 0, 0, 0)
        said = painter.fontMetrics().elidedText(self._said(index), ELIDE, last.width())
        painter.drawText(last, MIDDLE, said)
        inner = QRect(rect)
        inner.setLeft(first.right() + 6)
        inner.setRight(last.left() - 24)
        self._paint_text(inner, index, made)

    def _paint_text(self, place: QRect, index: int, made: Thumbnail | None) -> None:
        painter = self._painter
        broken = "" if made is None else made.broken
        text = broken or ("" if made is None else made.text)
        if self._catalogue.text and not broken:
            text = self._catalogue.caption(index)
        painter.setPen(self._warn if broken else self._text2)
        if place.height() < ROW_HEIGHT + TEXT_LINE:
            line = " ".join(text[:LONGEST].split())
            metrics = painter.fontMetrics()
            painter.drawText(place, MIDDLE, metrics.elidedText(line, ELIDE, place.width()))
        else:
            flags = int(Qt.AlignmentFlag.AlignTop) | int(Qt.TextFlag.TextWordWrap)
            painter.drawText(place.adjusted(0, 6, 0, -4), flags, text[:LONGEST])

    def _dot(self, x: float, y: float, index: int) -> None:
        self._painter.setPen(Qt.PenStyle.NoPen)
        self._painter.setBrush(self._splits[self._catalogue.split(index)])
        self._painter.drawEllipse(QRectF(x - DOT / 2, y - DOT / 2, DOT, DOT))
