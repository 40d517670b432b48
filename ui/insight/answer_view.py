"""An answer of a network: bars of probabilities, a number, or how a series goes on."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QStackedLayout, QVBoxLayout, QWidget

from playground.answers import Answer, Classes, Series, Value
from playground.messages import Array
from ui.insight.scatter import ForecastPlot
from ui.insight.ticks import number
from ui.theme import theme
from ui.widgets import label

ROW = 36
MOST_BARS = 10


def percent(probability: float) -> str:
    if not np.isfinite(probability):
        return "?"
    shown = 100 * probability
    if 0 < shown < 1:
        return "<1 %"
    return ">99 %" if 99 < shown < 100 else f"{shown:.0f} %"


class AnswerBars(QWidget):
    """Classes with their probability, the likeliest first and strongest."""

    def __init__(self, most: int = 5, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._most = most
        self._answers: tuple[tuple[str, float], ...] = ()
        self.setAccessibleName("Answer")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        theme().changed.connect(self.update)

    @property
    def answers(self) -> tuple[tuple[str, float], ...]:
        return self._answers

    def sizeHint(self) -> QSize:
        return QSize(220, ROW * self._most)

    def minimumSizeHint(self) -> QSize:
        return QSize(120, ROW * 2)

    def show_answers(self, answers: tuple[tuple[str, float], ...]) -> None:
        self._answers = answers[: self._most]
        self.setAccessibleDescription(
            ", ".join(f"{name} {percent(value)}" for name, value in self._answers)
        )
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        right, middle = Qt.AlignmentFlag.AlignRight, Qt.AlignmentFlag.AlignVCenter
        for row, (name, probability) in enumerate(self._answers):
            top, first = row * ROW, row == 0
            if top + ROW > self.height() + 4:
                break
            painter.setFont(theme().font(13, 600 if first else 400))
            painter.setPen(theme().color("text" if first else "text2"))
            line = QRectF(0, top, self.width(), 22)
            figure = percent(probability)
            painter.drawText(line, int(right | middle), figure)
            room = self.width() - painter.fontMetrics().horizontalAdvance(figure) - 12
            text = painter.fontMetrics().elidedText(name, Qt.TextElideMode.ElideRight, int(room))
            painter.drawText(line, int(Qt.AlignmentFlag.AlignLeft | middle), text)
            painter.setPen(Qt.PenStyle.NoPen)
            track = QRectF(0, top + 23, self.width(), 5)
            painter.setBrush(theme().color("pressed"))
            painter.drawRoundedRect(track, 2.5, 2.5)
            if np.isfinite(probability) and probability > 0:
                track.setWidth(max(5.0, track.width() * min(1.0, probability)))
                painter.setBrush(theme().color("accent" if first else "text3"))
                painter.drawRoundedRect(track, 2.5, 2.5)


class AnswerView(QWidget):
    """Shows any answer, or a sentence where there is none."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.bars = AnswerBars()
        self.value = label("", "head")
        self.plot = ForecastPlot()
        self.message = label("", "second", wrap=True)
        self.message.setAlignment(Qt.AlignmentFlag.AlignTop)
        number_page = QWidget()
        rows = QVBoxLayout(number_page)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.addWidget(self.value)
        rows.addStretch(1)
        self._pages: dict[str, QWidget] = {
            "classes": self.bars,
            "value": number_page,
            "series": self.plot,
        }
        self._stack = QStackedLayout(self)
        self._stack.setContentsMargins(0, 0, 0, 0)
        for page in (self.message, *self._pages.values()):
            self._stack.addWidget(page)

    def say(self, text: str) -> None:
        self.message.setText(text)
        self._stack.setCurrentWidget(self.message)

    def show_answer(
        self, answer: Answer, past: Array | None = None, true: Array | None = None
    ) -> None:
        """``past`` is what a forecast goes on from (T,), ``true`` how it went on, if known."""
        match answer:
            case Classes():
                self.bars.show_answers(answer.answers)
            case Value():
                self.value.setText(f"{number(answer.value, 4)} {answer.unit}".strip())
            case Series():
                seen = past if past is not None else np.empty(0)
                self.plot.show_window(np.asarray(seen, float), np.asarray(answer.values), true)
        self._stack.setCurrentWidget(self._pages[answer.kind])
