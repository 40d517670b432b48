"""Whether anything like the picture was among the examples."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt, Slot
from PySide6.QtGui import QColor, QLinearGradient, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from playground.answers import Classes
from playground.live.settings import LiveAnswer
from ui.insight.answer_view import percent
from ui.live.inside.section import Section
from ui.theme import theme
from ui.widgets import label

HEIGHT, BAR = 16, 6
MARK = 3


class SeenBar(QWidget):
    """A bar from "like the samples" to "none of these" with a mark where the picture is."""

    def __init__(self) -> None:
        super().__init__()
        self._seen = 1.0
        self.setAccessibleName("Seen before?")
        self.setFixedHeight(HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme().changed.connect(self.update)

    def show_seen(self, seen: float) -> None:
        """``seen`` from 0 (nothing like it was among the examples) to 1."""
        seen = min(1.0, max(0.0, seen))
        if seen != self._seen:
            self._seen = seen
            self.setAccessibleDescription(f"{seen:.0%} like the samples")
            self.update()

    def mark(self) -> float:
        """Where the mark is, from the left."""
        return (1 - self._seen) * (self.width() - MARK)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        colours = QLinearGradient(0, 0, self.width(), 0)
        for place, token in ((0.0, "good"), (0.5, "warn"), (1.0, "bad")):
            colours.setColorAt(place, theme().color(token))
        painter.setBrush(colours)
        top = (HEIGHT - BAR) / 2
        painter.drawRoundedRect(QRectF(0, top, self.width(), BAR), BAR / 2, BAR / 2)
        painter.setBrush(theme().color("panel"))
        painter.drawRect(QRectF(self.mark() - 1, 1, MARK + 2, HEIGHT - 2))
        painter.setBrush(theme().color("text") if theme().name == "light" else QColor("#FFFFFF"))
        painter.drawRoundedRect(QRectF(self.mark(), 1, MARK, HEIGHT - 2), 1, 1)


class SeenSection(Section):
    """The bar with its words; there is one for answers that tell."""

    def __init__(self) -> None:
        super().__init__("seen", "Seen before?")
        self.bar = SeenBar()
        foot = QHBoxLayout()
        foot.addWidget(label("like the samples", "small"))
        foot.addStretch()
        foot.addWidget(label("none of these", "small"))
        self.rows.setSpacing(2)
        self.rows.addWidget(self.bar)
        self.rows.addLayout(foot)
        self.setVisible(False)

    @Slot(object)
    def show_answer(self, answer: LiveAnswer | None) -> None:
        found = answer.answer if answer is not None else None
        seen = found.seen if isinstance(found, Classes) else None
        self.setVisible(seen is not None)
        if seen is not None:
            self.bar.show_seen(seen)
            self.detail.set_text(f"{percent(seen)} known")
