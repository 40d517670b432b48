"""An answer of a network: bars of probabilities, a number, or how a series goes on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QStackedLayout, QVBoxLayout, QWidget

from playground.answers import Answer, Boxes, Classes, Mask, Picture, Series, Value
from playground.data.dataset import Column
from playground.messages import Array
from ui.insight.box_pictures import AnswerBoxes, boxes_of
from ui.insight.inputs import Preview
from ui.insight.masks import legend, mask_image
from ui.insight.sample_pictures import image_of
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
        self._answers: Sequence[tuple[str, float]] = ()
        self.setAccessibleName("Answer")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        theme().changed.connect(self.update)

    @property
    def answers(self) -> Sequence[tuple[str, float]]:
        return self._answers

    def sizeHint(self) -> QSize:
        return QSize(220, ROW * self._most)

    def minimumSizeHint(self) -> QSize:
        return QSize(120, ROW * 2)

    def show_answers(self, answers: Sequence[tuple[str, float]]) -> None:
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


class AnswerPicture(QWidget):
    """A mask or picture that was made, beside the true one where that is known."""

    def __init__(self) -> None:
        super().__init__()
        self.made, self.true = Preview("Answer"), Preview("True picture")
        self.legend = label("", "small", wrap=True)
        self.legend.setTextFormat(Qt.TextFormat.RichText)
        self._truth = QWidget()
        pictures = QHBoxLayout()
        pictures.setSpacing(16)
        for box, text, picture in (
            (QWidget(), "Answer", self.made),
            (self._truth, "True", self.true),
        ):
            column = QVBoxLayout(box)
            column.setContentsMargins(0, 0, 0, 0)
            column.addWidget(label(text, "small"))
            column.addWidget(picture, 1)
            pictures.addWidget(box, 1)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(8)
        rows.addLayout(pictures, 1)
        rows.addWidget(self.legend)

    def show_answer(self, answer: Mask | Picture, true: Array | None) -> None:
        mask = isinstance(answer, Mask)
        if isinstance(answer, Mask):
            shares = dict(answer.shares())
            self.legend.setText(legend(answer.classes, [shares[n] for n in answer.classes]))
            self.made.show_image(mask_image(answer.pixels))
        else:
            self.made.show_image(image_of(answer.values.round().astype(np.uint8)))
        self.legend.setVisible(mask)
        self.setAccessibleDescription(str(answer))
        self._truth.setVisible(true is not None)
        if true is not None:
            self.true.show_image(mask_image(true) if mask else image_of(true))


class AnswerView(QWidget):
    """Shows any answer, or a sentence where there is none."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.bars = AnswerBars()
        self.value = label("", "head")
        self.plot = ForecastPlot()
        self.picture = AnswerPicture()
        self.boxes = AnswerBoxes()
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
            "picture": self.picture,
            "boxes": self.boxes,
        }
        self._stack = QStackedLayout(self)
        self._stack.setContentsMargins(0, 0, 0, 0)
        for page in (self.message, *self._pages.values()):
            self._stack.addWidget(page)

    def say(self, text: str) -> None:
        self.message.setText(text)
        self._stack.setCurrentWidget(self.message)

    def show_answer(
        self,
        answer: Answer,
        asked: Array | None = None,
        true: Array | None = None,
        target: Column | None = None,
    ) -> None:
        """``asked`` is what a forecast goes on from (T,), or the picture in which objects were
        found; ``true`` how it went on, the true mask or picture, or the true boxes of the column
        ``target``, if known."""
        match answer:
            case Classes():
                self.bars.show_answers(answer.answers)
            case Value():
                self.value.setText(f"{number(answer.value, 4)} {answer.unit}".strip())
            case Series():
                seen = asked if asked is not None else np.empty(0)
                self.plot.show_window(np.asarray(seen, float), np.asarray(answer.values), true)
            case Mask() | Picture():
                self.picture.show_answer(answer, true)
            case Boxes():
                image = QImage() if asked is None else image_of(asked)
                known = None if true is None or target is None else boxes_of(target, true)
                classes = () if target is None else target.box_classes
                self.boxes.show_answer(answer, image, known, classes)
        page = "picture" if answer.kind == "mask" else answer.kind
        self._stack.setCurrentWidget(self._pages[page])
