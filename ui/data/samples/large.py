"""One sample seen large: a picture, a clip, slices, lines, a spectrogram, a text or a row."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QRectF, QSize, Qt, QTimer, Slot
from PySide6.QtGui import QEnterEvent, QImage, QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QPlainTextEdit,
    QSizePolicy,
    QSlider,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from models.axes import Kind
from playground.data.dataset import Column
from playground.messages import Array
from ui.data.samples.pictures import as_text, envelope, is_sound, mel_image
from ui.insight.plot import Line, Plot
from ui.insight.sample_pictures import SERIES_COLOURS, image_of
from ui.theme import theme
from ui.widgets import label

HEIGHT, LEAST_HEIGHT, TEXT_HEIGHT = 220, 150, 112
FRAME_MS = 100
RADIUS = 6.0


class PictureView(QWidget):
    """A picture, as large as fits; small ones in crisp squares. ``stretched`` fills the widget."""

    def __init__(self, name: str, *, stretched: bool = False) -> None:
        super().__init__()
        self._image = QImage()
        self.stretched = stretched
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        theme().changed.connect(self.update)

    @property
    def image(self) -> QImage:
        return self._image

    def sizeHint(self) -> QSize:
        return QSize(200, 120)

    def minimumSizeHint(self) -> QSize:
        return QSize(48, 40)

    def show_image(self, image: QImage) -> None:
        self._image = image
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect())
        if self._image.isNull():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme().color("raised"))
            painter.drawRoundedRect(area, RADIUS, RADIUS)
            return
        if not self.stretched:
            size = self._image.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
            place = QRectF(0, 0, size.width(), size.height())
            place.moveTop((area.height() - place.height()) / 2)
            area = place
        clip = QPainterPath()
        clip.addRoundedRect(area, RADIUS, RADIUS)
        painter.setClipPath(clip)
        smooth = area.width() < self._image.width() or self.stretched
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
        painter.drawImage(area, self._image)


class FramesView(QWidget):
    """Frames or slices with a slider; ``plays`` while the mouse or the keyboard is on it."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._frames: Array = np.empty((0, 1, 1, 1), np.uint8)
        self._what, self._plays = "frame", False
        self.picture = PictureView(name)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setAccessibleName("Frame")
        self.slider.valueChanged.connect(self._show_frame)
        self.text = label("", "small")
        self._timer = QTimer(self)
        self._timer.setInterval(FRAME_MS)
        self._timer.timeout.connect(self._advance)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.slider, 1)
        row.addWidget(self.text)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.picture, 1)
        column.addLayout(row)

    def show_frames(self, frames: Array, what: str, *, plays: bool) -> None:
        """Show N×C×H×W, beginning in the middle. ``what`` is one of them ("frame", "slice")."""
        self._frames, self._what, self._plays = frames, what, plays
        self.slider.setAccessibleName(what.capitalize())
        self.slider.setRange(0, max(0, len(frames) - 1))
        self.slider.setValue(len(frames) // 2)
        self._show_frame()

    @Slot()
    def _show_frame(self, *_: object) -> None:
        place = self.slider.value()
        if place < len(self._frames):
            self.picture.show_image(image_of(self._frames[place]))
            self.text.setText(f"{self._what} {place + 1} of {len(self._frames)}")

    @Slot()
    def _advance(self) -> None:
        self.slider.setValue((self.slider.value() + 1) % max(1, len(self._frames)))

    def enterEvent(self, event: QEnterEvent) -> None:
        if self._plays and not self.slider.isSliderDown():
            self._timer.start()

    def leaveEvent(self, event: QEvent) -> None:
        self._timer.stop()

    def hideEvent(self, event: QEvent) -> None:
        self._timer.stop()


class LargeView(QStackedWidget):
    """A raw sample of any kind."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setFixedHeight(HEIGHT)
        self.picture = PictureView(name)
        self.frames = FramesView(name)
        self.plot = Plot(name, x_label="step")
        self.wave = Plot(f"{name}, waveform", x_label="seconds")
        self.spectrum = PictureView(f"{name}, log-mel spectrogram", stretched=True)
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setAccessibleName(name)
        self.text.setFrameShape(QPlainTextEdit.Shape.NoFrame)
        sound = QWidget()
        rows = QVBoxLayout(sound)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(6)
        rows.addWidget(self.wave, 1)
        rows.addWidget(self.spectrum, 1)
        for page in (self.picture, self.frames, self.plot, sound, self.text):
            self.addWidget(page)
        self._sound = sound
        self._room = HEIGHT
        self.currentChanged.connect(self._fit)

    def set_room(self, height: int) -> None:
        """Take ``height`` pixels, or less where the sample is a text or a row."""
        self._room = height
        self._fit()

    @Slot()
    def _fit(self, *_: object) -> None:
        text = self.currentWidget() is self.text
        self.setFixedHeight(min(TEXT_HEIGHT, self._room) if text else self._room)

    def clear(self) -> None:
        self.picture.show_image(QImage())
        self.setCurrentWidget(self.picture)

    def show_sample(self, column: Column, raw: Array) -> None:
        """Show one raw value of ``column`` without a batch axis."""
        kind = column.shape.kind
        if kind is Kind.IMAGE:
            self.picture.show_image(image_of(raw))
            self.setCurrentWidget(self.picture)
        elif kind is Kind.VIDEO:
            self.frames.show_frames(raw, "frame", plays=True)
            self.setCurrentWidget(self.frames)
        elif kind is Kind.VOLUME:
            self.frames.show_frames(np.swapaxes(raw, 0, 1), "slice", plays=False)
            self.setCurrentWidget(self.frames)
        elif is_sound(column):
            self._show_sound(raw, int(getattr(column.reading, "rate", 16000)))
        elif kind is Kind.SEQUENCE:
            self.plot.set_lines(series_lines(column, raw))
            self.setCurrentWidget(self.plot)
        else:
            self.text.setPlainText(as_text(column, raw).replace(" · ", "\n"))
            self.setCurrentWidget(self.text)

    def _show_sound(self, raw: Array, rate: int) -> None:
        shape = envelope(raw, 400).reshape(-1)
        seconds = np.linspace(0, len(raw) / rate, len(shape))
        self.wave.set_lines([Line("amplitude", seconds, shape)])
        self.spectrum.show_image(mel_image(raw, rate))
        self.setCurrentWidget(self._sound)


def series_lines(column: Column, raw: Array) -> list[Line]:
    """A series T×F as lines, the first few features."""
    names = tuple(getattr(column.reading, "columns", ()) or (column.name,))
    steps = np.arange(1, len(raw) + 1)
    features = np.reshape(raw, (len(raw), -1)).T
    return [
        Line(names[i] if i < len(names) else f"feature {i + 1}", steps, values, shade)
        for i, (values, shade) in enumerate(zip(features, SERIES_COLOURS, strict=False))
    ]
