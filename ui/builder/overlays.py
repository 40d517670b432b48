"""What floats over the canvas: the size of the network, and the canvas's round corners."""

from __future__ import annotations

import math

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from models.shapes import Report
from ui.builder.numbers import bytes_text, flops_text
from ui.theme import theme

CORNER = 8
HEIGHT, PADDING, SPACE = 26, 12, 7


class Summary(QWidget):
    """The size of the network in a line at the top left."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._shown: tuple[int, int, int, int] | None = None
        self._words = ("", "")
        self.setFixedHeight(HEIGHT)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        theme().changed.connect(self.update)

    def show_report(self, report: Report, batch: int) -> None:
        shown = (report.parameters, report.flops, report.activation_bytes(batch), batch)
        if shown == self._shown:
            return
        self._shown = shown
        parameters, flops, memory, _ = shown
        rest = ("parameters", flops_text(flops), f"{bytes_text(memory)} at batch {batch}")
        self._words = (f"{parameters:,}", "  ·  ".join(rest))
        self.setAccessibleName(f"{parameters:,} {', '.join(rest)}")
        self.setFixedWidth(math.ceil(sum(self._widths())) + 2 * PADDING + SPACE)
        self.update()

    def _widths(self) -> tuple[float, float]:
        fonts = (theme().font(13, 600), theme().font(13))
        number, rest = (
            QFontMetricsF(font).horizontalAdvance(text)
            for font, text in zip(fonts, self._words, strict=True)
        )
        return number, rest

    def paintEvent(self, event: QPaintEvent) -> None:
        look = theme()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(look.color("line"), 1))
        painter.setBrush(look.color("panel"))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 13, 13)
        number, rest = self._widths()
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.setPen(look.color("text"))
        painter.setFont(look.font(13, 600))
        painter.drawText(QRectF(PADDING, 0, number + 1, HEIGHT), middle, self._words[0])
        painter.setPen(look.color("text2"))
        painter.setFont(look.font(13))
        area = QRectF(PADDING + number + SPACE, 0, rest + 1, HEIGHT)
        painter.drawText(area, middle, self._words[1])


class Corner(QWidget):
    """Rounds a corner of the view as the panel around it is rounded."""

    def __init__(self, canvas: QWidget, index: int) -> None:
        super().__init__(canvas)
        self._canvas, self._index = canvas, index
        self.setFixedSize(CORNER, CORNER)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        theme().changed.connect(self.update)

    def place(self) -> None:
        right, bottom = self._index % 2, self._index // 2
        room = self._canvas.size()
        self.move(right * (room.width() - CORNER), bottom * (room.height() - CORNER))

    def paintEvent(self, event: QPaintEvent) -> None:
        right, bottom = self._index % 2, self._index // 2
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        frame = QRectF(-0.5, -0.5, 40, 40)
        frame.translate(right * (CORNER + 1 - 40), bottom * (CORNER + 1 - 40))
        inside, square = QPainterPath(), QPainterPath()
        inside.addRoundedRect(frame, CORNER, CORNER)
        square.addRect(QRectF(self.rect()))
        painter.fillPath(square - inside, theme().color("window"))
        painter.setPen(QPen(theme().color("line"), 1))
        painter.drawPath(inside)
