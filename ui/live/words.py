"""Words on the picture of what a microphone hears: where each begins and ends, and what it was."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent

from playground.answers import Classes
from playground.captions import NONE, percent
from playground.live.settings import LiveAnswer
from playground.live.voice import QUIET, Voice
from ui.data.record.scope import LABEL, SECONDS, Scope
from ui.data.record.spectrogram import HOP, Floats
from ui.theme import theme

LATE_S = 1.0
"""For so long after a word's end its answer may still come."""


@dataclass
class Word:
    """From sample ``begin`` to ``end`` (None while it is being said)."""

    begin: int
    end: int | None = None
    text: str = ""


class WordScope(Scope):
    """The rolling picture with a bracket over each word. What a word is, and where it begins, is
    found as the network's own listening finds it: there its state begins anew."""

    def __init__(self, rate: int) -> None:
        super().__init__(rate)
        self.marks = False
        """Whether the network listens word by word."""
        self.setAccessibleName("Waveform, words and log-mel spectrogram of what is heard")

    def set_rate(self, rate: int) -> None:
        if rate != self._rate:
            self._rate, self._columns = rate, round(SECONDS * rate / HOP)
            self.clear()

    def clear(self) -> None:
        self.words: deque[Word] = deque(maxlen=32)
        self._voice = Voice(self._rate)
        self._heard = 0
        super().clear()

    def feed(self, samples: Floats, marked: bool = False) -> None:
        self._heard += len(samples)
        for turn in self._voice.hear(samples):
            if turn.speaks:
                self.words.append(Word(turn.position))
            elif self.words:
                self.words[-1].end = turn.position - round(QUIET * self._rate)
        super().feed(samples, marked)

    @property
    def speaks(self) -> bool:
        return self._voice.speaks

    def answered(self, answer: LiveAnswer) -> None:
        """Note what the newest word is taken for."""
        self.marks = answer.quiet is not None
        found = answer.answer
        if not self.words or not isinstance(found, Classes) or not found.answers:
            return
        word = self.words[-1]
        late = word.end is not None and self._heard - word.end > LATE_S * self._rate
        if late or (answer.quiet and (word.end is None or answer.unknown)):
            return
        label, share = found.answers[0]
        word.text = NONE if answer.unknown else f"{label} {percent(share)}"

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self.marks:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        wave = QRectF(0, 0, self.width(), round((self.height() - LABEL) * 0.34))
        free = float(self.width())
        for word in reversed(self.words):
            if self._x(word.end or self._heard) < 0:
                break
            free = self._paint_word(painter, word, wave, free)
        painter.end()

    def _paint_word(self, painter: QPainter, word: Word, wave: QRectF, free: float) -> float:
        """Where the next word's text must end."""
        left = max(0.0, self._x(word.begin))
        right = self.width() if word.end is None else self._x(word.end)
        band = QRectF(left, wave.top(), max(3.0, right - left), wave.height())
        shade = QColor(theme().color("accent"))
        shade.setAlpha(38)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(shade)
        painter.drawRect(band)
        painter.setBrush(theme().color("accent"))
        painter.drawRect(QRectF(band.left(), band.top(), band.width(), 2))
        painter.setBrush(QColor(255, 255, 255, 110))
        bottom = self.height() - LABEL
        for at in (band.left(), *(() if word.end is None else (band.right(),))):
            painter.drawRect(QRectF(at, wave.bottom() + 6, 1, bottom - wave.bottom() - 6))
        painter.setFont(theme().font(12, 600))
        width = painter.fontMetrics().horizontalAdvance(word.text)
        start = min(band.left() + 6, self.width() - width - 6.0)
        if word.text and start + width <= free:
            ground = QColor(theme().color("panel"))
            ground.setAlpha(190)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(ground)
            painter.drawRoundedRect(QRectF(start - 4, wave.top() + 4, width + 8, 19), 4, 4)
            painter.setPen(theme().color("text"))
            painter.drawText(QRectF(start, wave.top() + 5, width + 4, 18), 0, word.text)
        return start - 6

    def _x(self, position: int) -> float:
        """Where a sample is in the widget's pixels."""
        ago = (self._heard - position) / self._rate
        return self.width() * (1 - ago / SECONDS)
