"""The answer in large letters beside its bars, over a stage that has no picture to paint it on."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from playground.captions import Row, percent
from playground.live.settings import LiveAnswer
from ui.theme import theme

HEIGHT, GAP = 118, 24
LARGE, SMALLEST = 44, 20
BARS = 0.42
"""Of the width, where there are bars."""
ROW, THICK = 34, 5
DIM = 0.6
MIDDLE = int(Qt.AlignmentFlag.AlignVCenter)
LEFT, RIGHT = int(Qt.AlignmentFlag.AlignLeft) | MIDDLE, int(Qt.AlignmentFlag.AlignRight) | MIDDLE


@dataclass(frozen=True)
class Large:
    """``text`` in large letters with a ``figure`` behind it, a ``line`` under it, and rows of bars.
    ``dim``: it is not of now."""

    text: str = ""
    figure: str = ""
    line: str = ""
    rows: tuple[Row, ...] = ()
    dim: bool = False

    def spoken(self) -> str:
        """The same for a screen reader."""
        others = [f"{name} {percent(value)}" for name, value, _ in self.rows[1:] if value]
        return ", ".join(
            part for part in (f"{self.text} {self.figure}", self.line, *others) if part
        )


class AnswerHead(QWidget):
    """``painted`` carries the answer whenever one has been drawn."""

    painted = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.said = Large()
        self._answer: LiveAnswer | None = None
        self.set_scale(1.0)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Answer")
        theme().changed.connect(self.update)

    def sizeHint(self) -> QSize:
        return QSize(480, self.height())

    def set_scale(self, scale: float) -> None:
        """How much larger than in the window everything is."""
        self._scale = scale
        self.setFixedHeight(round(HEIGHT * scale))

    def show_answer(self, said: Large, answer: LiveAnswer | None) -> None:
        """Drawn at once: it is on the screen when this returns, where it is seen."""
        self.say(said)
        if answer is not self._answer:
            self._answer = answer
            self.repaint()

    def say(self, said: Large) -> None:
        if said != self.said:
            self.said = said
            self.setAccessibleDescription(said.spoken())
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.scale(self._scale, self._scale)
        said, width = self.said, self.width() / self._scale
        whole = QRectF(0, 0, width, HEIGHT).adjusted(4, 4, -4, -10)
        bars = whole.width() * BARS if said.rows else 0.0
        self._paint_words(painter, whole.adjusted(0, 0, -bars - GAP * bool(bars), 0))
        painter.setOpacity(DIM if said.dim else 1.0)
        if said.rows:
            area = QRectF(whole.right() - bars, whole.top(), bars, whole.height())
            for place, row in enumerate(said.rows[: int(area.height() // ROW)]):
                line = QRectF(area.left(), area.top() + place * ROW, bars, ROW)
                _paint_bar(painter, row, line, first=place == 0)
        painter.end()
        if self._answer is not None:
            self.painted.emit(self._answer)

    def _paint_words(self, painter: QPainter, area: QRectF) -> None:
        """The word as large as there is room for it and its figure."""
        said = self.said
        gap = 14.0 if said.figure else 0.0
        size = LARGE
        while size > SMALLEST and self._width(size) + gap > area.width():
            size -= 2
        word, light = theme().font(size, 600), theme().font(size, 400)
        figure = QFontMetricsF(light).horizontalAdvance(said.figure)
        metrics = QFontMetricsF(word)
        room = area.width() - figure - gap
        text = metrics.elidedText(said.text, Qt.TextElideMode.ElideRight, room)
        line = QRectF(area.left(), area.top(), area.width(), 66)
        painter.setFont(word)
        painter.setPen(theme().color("text2" if said.dim else "text"))
        painter.drawText(line, LEFT, text)
        line.setLeft(line.left() + metrics.horizontalAdvance(text) + gap)
        painter.setFont(light)
        painter.setPen(theme().color("text2"))
        painter.drawText(line, LEFT, said.figure)
        painter.setFont(theme().font(13))
        under = QRectF(area.left(), area.top() + 70, area.width(), 24)
        caption = painter.fontMetrics().elidedText(
            said.line, Qt.TextElideMode.ElideRight, int(area.width())
        )
        painter.drawText(under, LEFT, caption)

    def _width(self, size: int) -> float:
        word = QFontMetricsF(theme().font(size, 600)).horizontalAdvance(self.said.text)
        return word + QFontMetricsF(theme().font(size, 400)).horizontalAdvance(self.said.figure)


def _paint_bar(painter: QPainter, row: Row, rect: QRectF, *, first: bool) -> None:
    name, value, rgb = row
    painter.setFont(theme().font(13, 600 if first else 400))
    painter.setPen(theme().color("text" if first else "text2"))
    line = QRectF(rect.left(), rect.top(), rect.width(), 22)
    room = rect.width()
    if value is not None:
        figure = percent(value)
        painter.drawText(line, RIGHT, figure)
        room -= painter.fontMetrics().horizontalAdvance(figure) + 12
    text = painter.fontMetrics().elidedText(name, Qt.TextElideMode.ElideRight, int(room))
    painter.drawText(line, LEFT, text)
    if value is None:
        return
    track = QRectF(rect.left(), rect.top() + 23, rect.width(), THICK)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme().color("pressed"))
    painter.drawRoundedRect(track, THICK / 2, THICK / 2)
    share = min(1.0, value) if value > 0 else 0.0
    if share:
        track.setWidth(max(float(THICK), track.width() * share))
        painter.setBrush(QColor(*rgb))
        painter.drawRoundedRect(track, THICK / 2, THICK / 2)
