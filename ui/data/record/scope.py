"""What the microphone hears: level, waveform and log-mel spectrogram, scrolling."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from ui.data.record.spectrogram import HOP, MELS, Floats, LogMel
from ui.insight.colormaps import MAGMA, indexed
from ui.theme import theme

SECONDS = 5.0
RANGE_DB, QUIET_DB = 70.0, -20.0
LOWEST_DBFS, CLIPPED_DBFS = -60.0, -0.2
CLIP_S, FALL_DB = 1.5, 0.6
LABEL = 18


class Scope(QWidget):
    """The last ``SECONDS`` as a waveform above a spectrogram; what is being recorded is marked."""

    def __init__(self, rate: int) -> None:
        super().__init__()
        self._columns = round(SECONDS * rate / HOP)
        self._rate = rate
        self.setAccessibleName("Waveform and log-mel spectrogram of the microphone")
        self.setMinimumSize(160, 120)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.clear()
        theme().changed.connect(self.update)

    def sizeHint(self) -> QSize:
        return QSize(640, 320)

    def clear(self) -> None:
        """Forget what was heard."""
        self._log_mel = LogMel(self._rate)
        self._mel = np.full((MELS, self._columns), -100.0, np.float32)
        self._extent = np.zeros((self._columns, 2), np.float32)
        self._marked = np.zeros(self._columns, bool)
        self._top = QUIET_DB
        self.update()

    @property
    def spectrogram(self) -> Floats:
        """Decibels (``MELS``, columns), low frequencies first, the newest column last."""
        return self._mel

    def feed(self, samples: Floats, marked: bool) -> None:
        """Add what was heard, (n,); ``marked`` while it is recorded."""
        mel, extent = self._log_mel.feed(samples)
        if not len(mel):
            return
        count = min(len(mel), self._columns)
        for old, new in ((self._mel.T, mel), (self._extent, extent)):
            old[:-count] = old[count:].copy()
            old[-count:] = new[-count:]
        self._marked = np.concatenate([self._marked[count:], np.full(count, marked)])
        self._top = max(QUIET_DB, float(self._mel.max()), self._top - 0.2)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        width, height = self.width(), self.height() - LABEL
        wave = QRectF(0, 0, width, round(height * 0.34))
        mel = QRectF(0, wave.bottom() + 6, width, height - wave.bottom() - 6)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme().color("raised"))
        painter.drawRoundedRect(wave, 6, 6)
        self._paint_wave(painter, wave)
        image = indexed(self._mel[::-1], self._top - RANGE_DB, self._top, MAGMA)
        painter.drawImage(mel, image)
        self._paint_labels(painter, mel)

    def _paint_wave(self, painter: QPainter, rect: QRectF) -> None:
        x = np.linspace(rect.left() + 2, rect.right() - 2, self._columns)
        middle, half = rect.center().y(), rect.height() / 2 - 4
        upper, lower = middle - self._extent[:, 1] * half, middle - self._extent[:, 0] * half
        for marked, token in ((False, "text2"), (True, "bad")):
            for start, end in _runs(self._marked == marked):
                end = min(end + 1, self._columns)
                points = [QPointF(*p) for p in zip(x[start:end], upper[start:end], strict=True)]
                back = zip(x[start:end][::-1], lower[start:end][::-1] + 1, strict=True)
                painter.setBrush(theme().color(token))
                painter.drawPolygon(QPolygonF(points + [QPointF(*p) for p in back]))

    def _paint_labels(self, painter: QPainter, mel: QRectF) -> None:
        painter.setFont(theme().font(11.5))
        painter.setPen(theme().color("text2"))
        row = QRectF(0, self.height() - LABEL, self.width(), LABEL)
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.drawText(row, int(Qt.AlignmentFlag.AlignLeft | middle), f"{SECONDS:.0f} s ago")
        painter.drawText(row, int(Qt.AlignmentFlag.AlignRight | middle), "now")
        painter.setPen(QColor(255, 255, 255, 190))
        inner = mel.adjusted(6, 3, -6, -3)
        painter.drawText(inner, int(Qt.AlignmentFlag.AlignTop), f"{self._rate / 2000:.3g} kHz")
        painter.drawText(inner, int(Qt.AlignmentFlag.AlignBottom), "0")


class Meter(QWidget):
    """The level in dBFS: root mean square as a bar, the peak as a line that falls slowly, and a
    light while the sound is clipped."""

    def __init__(self) -> None:
        super().__init__()
        self._rms = self._peak = -120.0
        self._clipped = 0.0
        self.setFixedWidth(64)
        self.setMinimumHeight(100)
        self.setAccessibleName("Level of the microphone")
        theme().changed.connect(self.update)

    @property
    def clipped(self) -> bool:
        return self._clipped > 0

    def show_level(self, rms: float, peak: float, now: float) -> None:
        """Levels in dBFS at ``now``, monotonic seconds."""
        self._rms, self._peak = rms, max(peak, self._peak - FALL_DB)
        if peak >= CLIPPED_DBFS:
            self._clipped = now
        elif self._clipped and now - self._clipped > CLIP_S:
            self._clipped = 0.0
        self.setAccessibleDescription("clipped" if self.clipped else f"{rms:.0f} dBFS")
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        bar = QRectF(0, 24, 12, self.height() - 24 - LABEL - 4)
        light = QRectF(0, 4, 12, 12)
        painter.setBrush(theme().color("bad" if self.clipped else "pressed"))
        painter.drawEllipse(light)
        painter.setBrush(theme().color("pressed"))
        painter.drawRoundedRect(bar, 4, 4)
        token = "bad" if self.clipped else "warn" if self._rms > -9 else "good"
        painter.setBrush(theme().color(token))
        filled = QRectF(bar)
        filled.setTop(_place(bar, self._rms))
        painter.drawRoundedRect(filled, 4, 4)
        painter.setBrush(theme().color("text"))
        painter.drawRect(QRectF(bar.left(), _place(bar, self._peak) - 1, bar.width(), 2))
        painter.setFont(theme().font(11.5))
        painter.setPen(theme().color("bad" if self.clipped else "text2"))
        middle = int(Qt.AlignmentFlag.AlignVCenter)
        painter.drawText(QRectF(18, 0, 46, 20), middle, "clip" if self.clipped else "dBFS")
        painter.setPen(theme().color("text2"))
        for level in (0, -20, -40, -60):
            painter.drawText(QRectF(18, _place(bar, level) - 9, 46, 18), middle, f"{level}")
        said = f"{self._rms:.0f}" if self._rms > -100 else "–"
        painter.setPen(theme().color("text"))
        painter.drawText(QRectF(0, self.height() - LABEL, 64, LABEL), middle, said)


def _place(bar: QRectF, level: float) -> float:
    share = (min(0.0, max(LOWEST_DBFS, level)) - LOWEST_DBFS) / -LOWEST_DBFS
    return bar.bottom() - share * bar.height()


def _runs(mask: np.ndarray) -> list[tuple[int, int]]:
    """From and to of each stretch of true values."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
