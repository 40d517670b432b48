"""A sound to ask the network about: its waveform over its spectrogram, to be seen and heard."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PySide6.QtCore import QSize, QTimer, Signal, Slot
from PySide6.QtGui import QHideEvent, QImage, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from playground.data.cache import cache_folder
from playground.data.dataset import Column
from playground.data.sound_files import write
from playground.messages import Array
from ui.data.record.player import Player
from ui.data.samples.pictures import Look, sound_image
from ui.insight.fetch import Fetch
from ui.theme import theme
from ui.widgets import Button, ElidedLabel

SETTLED_MS = 60


class SoundPicture(QWidget):
    """A waveform (the whole of what the network is given) over its log-mel spectrogram, drawn
    beside the window."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Waveform and log-mel spectrogram of the sound")
        self.setMinimumSize(160, 96)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._column: Column | None = None
        self._value: Array | None = None
        self._image = QImage()
        self._fetch = Fetch(self)
        self._fetch.done.connect(self._drawn)
        self._later = QTimer(self)  # while the panel is being resized
        self._later.setSingleShot(True)
        self._later.setInterval(SETTLED_MS)
        self._later.timeout.connect(self._draw)
        theme().changed.connect(self._draw)

    @property
    def image(self) -> QImage:
        return self._image

    def sizeHint(self) -> QSize:
        return QSize(420, 200)

    def show_sound(self, column: Column | None, value: Array | None) -> None:
        self._column, self._value = column, value
        self._draw()

    @Slot()
    def _draw(self) -> None:
        column, value = self._column, self._value
        if column is None or value is None:
            self._fetch.cancel()
            self._drawn(QImage())
            return
        look = Look(self.size(), self.devicePixelRatioF(), theme().name, (-1.0, 1.0))
        self._fetch.start(lambda: sound_image(column, value, look))

    @Slot(object)
    def _drawn(self, image: QImage) -> None:
        self._image = image
        self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._later.start()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        if self._image.isNull():
            painter.fillRect(self.rect(), theme().color("raised"))
        else:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(self.rect(), self._image)


class SoundInput(QWidget):
    """``changed`` carries the raw waveform T×1, or None where there is nothing yet."""

    changed = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._column: Column | None = None
        self._value: Array | None = None
        self.picture = SoundPicture()
        self.play = Button("Play", "play")
        self.play.setToolTip("Hear what the network is given")
        self.play.clicked.connect(self._play)
        self.about = ElidedLabel("", "small")
        self._player = Player(self)
        self._player.failed.connect(self.about.set_text)
        self._fetch = Fetch(self)
        self._fetch.done.connect(self._player.play)
        self._fetch.failed.connect(self.about.set_text)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.play)
        row.addWidget(self.about, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.picture, 1)
        column.addLayout(row)
        self.prepare(None)

    def prepare(self, column: Column | None) -> None:
        """Take sounds as ``column`` has them."""
        self._column = column
        self._take(None)

    @property
    def value(self) -> Array | None:
        return self._value

    def show_value(self, value: Array) -> None:
        self._take(value)
        self.changed.emit(value)

    @property
    def _rate(self) -> int:
        return int(getattr(self._column.reading, "rate", 16000)) if self._column else 16000

    def _take(self, value: Array | None) -> None:
        self._value = value
        self._player.stop()
        self.play.setEnabled(value is not None)
        self.picture.show_sound(self._column, value)
        self.about.set_text(
            "" if value is None else f"{len(value) / self._rate:.3g} s at {self._rate:,} Hz"
        )

    @Slot()
    def _play(self) -> None:
        value, rate = self._value, self._rate
        if value is None:
            return

        def saved() -> Path:
            path = cache_folder() / "heard.wav"
            write(path, np.reshape(value, -1), rate)
            return path

        self._fetch.start(saved)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._player.stop()
