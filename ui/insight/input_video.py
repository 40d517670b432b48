"""A clip or a volume to ask a network about: the frames or slices that it is given, as a strip of
film."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from models.axes import Kind
from playground.data.dataset import Column
from playground.messages import Array
from ui.insight.sample_pictures import image_of
from ui.theme import theme
from ui.widgets import label, scrolled

EDGE, GAP = 12, 6
HOLE = 5
LEAST, MOST = 44, 120
FILM, LIGHT = QColor("#14181f"), QColor(255, 255, 255, 56)


class FilmStrip(QWidget):
    """Pictures in a row between two rows of perforations, as many rows as the width needs."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._frames: list[QImage] = []
        self.setAccessibleName(name)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        theme().changed.connect(self.update)

    @property
    def frames(self) -> list[QImage]:
        return self._frames

    def show_frames(self, frames: list[QImage]) -> None:
        self._frames = frames
        count = len(frames)
        self.setAccessibleDescription(f"{count} frame{'s' * (count != 1)}" if count else "")
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(8 * (LEAST + GAP), self.heightForWidth(8 * (LEAST + GAP)))

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        columns, _, high = self._layout(width)
        rows = -(-max(1, len(self._frames)) // columns)
        return rows * (high + 2 * EDGE + GAP) - GAP

    def _layout(self, width: int) -> tuple[int, int, int]:
        """Frames in a row, and a frame's width and height."""
        count = max(1, len(self._frames))
        columns = min(count, max(1, (width - GAP) // (LEAST + GAP)))
        columns = -(-count // -(-count // columns))  # rows of about the same length
        wide = max(1, min(MOST, (width - GAP) // columns - GAP))
        first = self._frames[0] if self._frames else QImage()
        share = first.height() / first.width() if first.width() else 1.0
        return columns, wide, max(1, round(wide * min(2.0, share)))

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self._frames:
            return
        painter = QPainter(self)
        columns, wide, high = self._layout(self.width())
        for first in range(0, len(self._frames), columns):
            part = self._frames[first : first + columns]
            top = first // columns * (high + 2 * EDGE + GAP)
            strip = QRectF(0, top, len(part) * (wide + GAP) + GAP, high + 2 * EDGE)
            _paint_film(painter, strip)
            for place, frame in enumerate(part):
                target = QRectF(GAP + place * (wide + GAP), top + EDGE, wide, high)
                smooth = frame.width() > wide
                painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
                painter.drawImage(target, frame)
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.setPen(LIGHT)  # where a dark frame ends
                painter.drawRect(target.adjusted(-0.5, -0.5, 0.5, 0.5))


def _paint_film(painter: QPainter, strip: QRectF) -> None:
    """Dark in both themes, as film is."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(FILM)
    painter.drawRoundedRect(strip, 4, 4)
    painter.setBrush(LIGHT)
    for top in (strip.top() + (EDGE - HOLE) / 2, strip.bottom() - (EDGE + HOLE) / 2):
        left = strip.left() + GAP
        while left + HOLE + 2 < strip.right() - 2:
            painter.drawRoundedRect(QRectF(left, top, HOLE + 2, HOLE), 1.5, 1.5)
            left += 2 * HOLE + 4


class VideoInput(QWidget):
    """The clip or volume that the network is asked about. ``changed`` carries the raw value T×C×H×W
    or C×D×H×W, or None where there is nothing yet."""

    changed = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.strip = FilmStrip("The frames that the network is given")
        self.told = label("", "small")
        self._value: Array | None = None
        self._volume = False
        holder = QWidget()
        inner = QVBoxLayout(holder)
        inner.setContentsMargins(0, 0, 8, 0)
        inner.setSpacing(8)
        inner.addWidget(self.told)
        inner.addWidget(self.strip)
        inner.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(scrolled(holder))

    def prepare(self, column: Column) -> None:
        """Take clips or volumes of ``column``'s shape."""
        self._volume = column.shape.kind is Kind.VOLUME
        self.start_again()

    @property
    def value(self) -> Array | None:
        return self._value

    @Slot()
    def start_again(self) -> None:
        self._value = None
        self.strip.show_frames([])
        self.told.setText("")
        self.changed.emit(None)

    def show_value(self, value: Array) -> None:
        """Take a clip or volume from elsewhere: a file or a sample."""
        self._value = value
        frames = value.swapaxes(0, 1) if self._volume else value
        self.strip.show_frames([image_of(frame) for frame in frames])
        count, _, height, width = frames.shape
        word = "slice" if self._volume else "frame"
        self.told.setText(f"{count} {word}{'s' * (count != 1)} of {height}×{width}, in their order")
        self.changed.emit(value)
