"""Typing a text to ask a network about, and seeing the tokens that it is cut into."""

from __future__ import annotations

from itertools import islice

import numpy as np
from PySide6.QtCore import QMimeData, QRectF, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QPlainTextEdit, QSizePolicy, QVBoxLayout, QWidget

from playground.data.dataset import Column
from playground.data.text_reading import UNKNOWN, TextReading
from playground.messages import Array
from ui.theme import theme
from ui.widgets import label, scrolled

DELAY_MS = 120
MOST_TYPED = 20_000
MOST_SHOWN = 300
EDIT_HEIGHT = 76
CHIP, GAP, PAD = 22, 5, 7
BLANK = "␣"


class TokenView(QWidget):
    """Tokens as small boxes in lines; those that the network does not know are dashed."""

    def __init__(self) -> None:
        super().__init__()
        self._tokens: list[tuple[str, bool]] = []
        self._boxes: list[QRectF] = []
        self.setAccessibleName("Tokens")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme().changed.connect(self._lay_out)

    @property
    def tokens(self) -> list[tuple[str, bool]]:
        """What is shown, and whether it is known."""
        return self._tokens

    def sizeHint(self) -> QSize:
        bottom = self._boxes[-1].bottom() if self._boxes else 0
        return QSize(200, int(bottom) + 1)

    def show_tokens(self, tokens: list[str], known: list[bool]) -> None:
        shown = [token.replace("▁", BLANK).replace(" ", BLANK) for token in tokens[:MOST_SHOWN]]
        self._tokens = list(zip(shown, known[:MOST_SHOWN], strict=True))
        unknown = [token for token, is_known in self._tokens if not is_known]
        self.setAccessibleDescription(
            ", ".join(token for token, _ in self._tokens[:40])
            + (f"; not known: {', '.join(unknown[:10])}" if unknown else "")
        )
        self._lay_out()

    @Slot()
    def _lay_out(self) -> None:
        """Give every token its box, in as many lines as the width needs."""
        metrics = QFontMetricsF(theme().font(12))
        x = y = 0.0
        self._boxes = []
        for token, _ in self._tokens:
            wide = min(float(self.width()), max(18.0, metrics.horizontalAdvance(token) + 2.0 * PAD))
            if x and x + wide > self.width():
                x, y = 0.0, y + CHIP + GAP
            self._boxes.append(QRectF(x, y, wide, CHIP))
            x += wide + GAP
        self.setFixedHeight(max(1, self.sizeHint().height()))
        self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._lay_out()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(theme().font(12))
        metrics = painter.fontMetrics()
        for (token, known), box in zip(self._tokens, self._boxes, strict=True):
            if not box.intersects(QRectF(event.rect())):
                continue
            edge = QPen(theme().color("line" if known else "warn"), 1)
            if not known:
                edge.setStyle(Qt.PenStyle.DashLine)
            painter.setPen(edge)
            painter.setBrush(theme().color("raised") if known else Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), 5, 5)
            painter.setPen(theme().color("text" if known else "warn"))
            room = int(box.width() - 2 * PAD + 2)
            text = metrics.elidedText(token, Qt.TextElideMode.ElideRight, room)
            painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter), text)


class _Edit(QPlainTextEdit):
    """A field of plain text that takes only the beginning of what is very long."""

    def insertFromMimeData(self, source: QMimeData) -> None:
        self.insertPlainText(source.text()[:MOST_TYPED])


class TextInput(QWidget):
    """A field to type in, and the tokens of what is typed.

    ``changed`` carries the token numbers (T,), or None where there is no text; it follows the
    typing after a short rest, and ``typed`` at once.
    """

    changed = Signal(object)
    typed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._reading: TextReading | None = None
        self._value: Array | None = None
        self.edit = _Edit()
        self.edit.setAccessibleName("Text to ask the network about")
        self.edit.setPlaceholderText("Type a text …")
        self.edit.setTabChangesFocus(True)
        self.edit.setFixedHeight(EDIT_HEIGHT)
        self.edit.textChanged.connect(self._typed)
        self.tokens = TokenView()
        self.told = label("", "small")
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(DELAY_MS)
        self._rest.timeout.connect(self._read)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.edit)
        column.addWidget(self.told)
        column.addWidget(scrolled(self.tokens), 1)

    def prepare(self, column: Column) -> None:
        assert isinstance(column.reading, TextReading)
        self._reading = column.reading
        self.set_text("")
        self._take(None, [], cut=False)

    @property
    def value(self) -> Array | None:
        return self._value

    @property
    def question(self) -> Array:
        """The text itself (1,): a network that was trained on other texts has another vocabulary,
        which is not that of the data at hand."""
        return np.asarray([self.edit.toPlainText()[:MOST_TYPED]])

    def set_text(self, text: str) -> None:
        """Put a text into the field without asking about it."""
        self.edit.blockSignals(True)
        self.edit.setPlainText(text[:MOST_TYPED])
        self.edit.blockSignals(False)
        self._rest.stop()

    def show_value(self, value: Array, text: str | None = None) -> None:
        """Take tokens from elsewhere, a file or a sample, with the ``text`` they were made of."""
        assert self._reading is not None
        self.set_text(self._reading.decode(value) if text is None else text)
        tokens = self._reading.split(value) if text is None else self._split(text)
        self._take(value, tokens, cut=len(tokens) > self._reading.longest)
        self.changed.emit(value)

    def _split(self, text: str) -> list[str]:
        assert self._reading is not None
        return list(islice(self._reading.encoder.split(text), self._reading.longest + 1))

    @Slot()
    def _typed(self) -> None:
        self._rest.start()
        self.typed.emit()

    @Slot()
    def _read(self) -> None:
        reading = self._reading
        if reading is None:
            return
        tokens = self._split(self.edit.toPlainText()[:MOST_TYPED])
        numbers = reading.encoder.numbered(tokens[: reading.longest])
        value = np.asarray(numbers, np.int64) if numbers else None
        self._take(value, tokens, cut=len(tokens) > reading.longest)
        self.changed.emit(value)

    def _take(self, value: Array | None, tokens: list[str], *, cut: bool) -> None:
        self._value = value
        if self._reading is None or value is None:
            self.tokens.show_tokens([], [])
            self.told.setText("")
            return
        known = [number != UNKNOWN for number in value.tolist()]
        tokens = tokens[: len(known)]
        self.tokens.show_tokens(tokens, known[: len(tokens)])
        unit = self._reading.tokens
        what = unit if len(known) != 1 else unit[:-1]
        parts = [f"{len(known):,} {what}"]
        if not all(known):
            parts.append(f"{known.count(False):,} not in the vocabulary")
        if cut:
            parts.append("the rest is cut off")
        self.told.setText(" · ".join(parts))
