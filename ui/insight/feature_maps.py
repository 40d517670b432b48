"""Feature maps: what each filter of a convolutional node makes of the sample, as one mosaic."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from playground.messages import Array
from ui.insight.colormaps import MAGMA, indexed, levels, signed
from ui.insight.ticks import number
from ui.theme import theme

GAP = 3
MOST_MAPS = 64
SETTLING = 0.9
CAPTION = "Each tile is one learned filter looking at the sample; bright: it responds."
CAPTION_HEIGHT = 26


def as_maps(values: Array) -> Array:
    """The C×H×W maps in a node's value; of a sequence (T×F), a map of one row a feature.

    Raises ``ValueError`` for anything else.
    """
    if values.ndim == 3:
        return values
    if values.ndim == 2:
        return values.T[:, None, :]
    raise ValueError(f"a value with {values.ndim} axes has no feature maps")


def middle(values: Array, *, video: bool) -> tuple[Array, str]:
    """C×H×W from a video (T×C×H×W) or a volume (C×D×H×W): the frame or slice in the middle."""
    axis = 0 if video else 1
    index = values.shape[axis] // 2
    word = "frame" if video else "slice"
    return values.take(index, axis), f"{word} {index + 1} of {values.shape[axis]}"


def grid(count: int, width: int, height: int, aspect: float) -> tuple[int, int]:
    """Columns and rows that show ``count`` tiles (width / height = ``aspect``) the largest."""
    best, chosen = 0.0, (1, max(1, count))
    for columns in range(1, count + 1):
        rows = math.ceil(count / columns)
        tile = min(
            (width - GAP * (columns - 1)) / columns / aspect, (height - GAP * (rows - 1)) / rows
        )
        # full rows look calmer than the very largest tiles with a gap at the end
        value = tile * (1.0 - 2.0 * (rows * columns - count) / (rows * columns))
        if value > best:
            best, chosen = value, (columns, rows)
    return chosen


class FeatureMaps(QWidget):
    """The mosaic. A click on a map shows it alone; another click, or Escape, shows all again."""

    chosen_changed = Signal()
    caption = CAPTION

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._maps: Array = np.empty((0, 0, 0), np.float32)
        self._levels: tuple[float, float] | None = None
        self._chosen: int | None = None
        self._signed = False
        self._stack = QImage()
        self._map_height = 1
        self._layout = (1, 1, 1, 1)  # columns, rows, tile width, tile height
        self.setAccessibleName("Feature maps")
        self.setAccessibleDescription(self.caption)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(80, 48)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        theme().changed.connect(self._render)

    @property
    def maps(self) -> Array:
        return self._maps

    @property
    def chosen(self) -> int | None:
        """The map that is shown alone, or None for all."""
        return self._chosen

    @property
    def columns(self) -> int:
        return self._layout[0]

    def sizeHint(self) -> QSize:
        return QSize(360, 200)

    def show_maps(self, maps: Array, *, fresh: bool) -> None:
        """Show C×H×W maps. ``fresh``: of another node or sample, so earlier levels mean nothing."""
        self._maps = np.asarray(maps, np.float32)[:MOST_MAPS]
        if self._chosen is not None and self._chosen >= len(self._maps):
            self._chosen = None
        self._levels = self._new_levels(None if fresh else self._levels)
        self._render()

    def set_signed(self, signed: bool) -> None:
        """Whether negative responses are shown too, in blue."""
        self._signed = signed
        self._levels = self._new_levels(None)
        self._render()

    def choose(self, index: int | None) -> None:
        if index != self._chosen and (index is None or 0 <= index < len(self._maps)):
            self._chosen = index
            self._render()
            self.chosen_changed.emit()

    def _new_levels(self, before: tuple[float, float] | None) -> tuple[float, float]:
        """Black is no response. The upper end follows slowly, so that pictures do not flicker."""
        if not self._maps.size:
            return (0.0, 1.0)
        low, high = float(self._maps.min()), float(self._maps.max())
        if not np.isfinite(low + high):
            low, high = levels(self._maps)
        if self._signed:
            high = max(-low, high) or 1.0
        elif high > 0:
            low = 0.0
        else:
            return (low, high if high > low else low + 1.0)
        if before is not None and before[1] > 0:
            high = max(high, SETTLING * before[1])
        return (-high if self._signed else low, high)

    @Slot()
    def _render(self) -> None:
        """Turn the maps into one image, a map below the other; the painter lays them out."""
        self._stack, self._layout = QImage(), (1, 1, 1, 1)
        if self._maps.size and self._levels is not None:
            self._lay_out()
            _, _, wide, high = self._layout
            down = max(1, self._maps.shape[1] // (2 * high))
            right = max(1, self._maps.shape[2] // (2 * wide))
            maps = self._shown_maps()[:, ::down, ::right]
            table = signed(theme().name == "light") if self._signed else MAGMA
            rows = maps.reshape(-1, maps.shape[2])
            self._stack = indexed(rows, *self._levels, table)
            self._map_height = maps.shape[1]
            if maps.shape[1] > high or maps.shape[2] > wide:
                self._stack = self._stack.convertToFormat(QImage.Format.Format_RGB32)
        self.update()

    def _shown_maps(self) -> Array:
        chosen = self._chosen
        return self._maps if chosen is None else self._maps[chosen : chosen + 1]

    def _lay_out(self) -> None:
        """Columns, rows and the size of a tile in the screen's own pixels."""
        ratio = self.devicePixelRatioF()
        width = max(1, int(self.width() * ratio))
        height = max(1, int((self.height() - CAPTION_HEIGHT) * ratio))
        maps = self._shown_maps()
        aspect = min(max(maps.shape[2] / maps.shape[1], 0.2), 12.0)
        columns, rows = grid(len(maps), width, height, aspect)
        room = int(((height - GAP * (rows - 1)) // rows) * aspect)
        tile = max(1, min((width - GAP * (columns - 1)) // columns, room))
        self._layout = (columns, rows, tile, max(1, int(tile / aspect)))

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._render()

    @property
    def image(self) -> QImage:
        """The mosaic as it is drawn, without the caption; null where there is nothing."""
        if self._stack.isNull():
            return QImage()
        columns, rows, wide, high = self._layout
        size = QSize(columns * (wide + GAP) - GAP, rows * (high + GAP) - GAP)
        image = QImage(size, QImage.Format.Format_RGB32)
        painter = QPainter(image)
        self._paint_tiles(painter, size)
        painter.end()
        return image

    def _paint_tiles(self, painter: QPainter, size: QSize) -> None:
        columns, _, wide, high = self._layout
        ground = theme().color("raised" if theme().name == "dark" else "panel")
        painter.fillRect(QRect(QPoint(0, 0), size), ground)
        smooth = self._stack.format() == QImage.Format.Format_RGB32
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
        width = self._stack.width()
        for index in range(self._stack.height() // self._map_height):
            row, column = divmod(index, columns)
            place = QRect(column * (wide + GAP), row * (high + GAP), wide, high)
            source = QRect(0, index * self._map_height, width, self._map_height)
            painter.drawImage(place, self._stack, source)

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._stack.isNull():
            return
        painter = QPainter(self)
        ratio = self.devicePixelRatioF()
        columns, rows, wide, high = self._layout
        size = QSize(columns * (wide + GAP) - GAP, rows * (high + GAP) - GAP)
        painter.save()
        painter.scale(1 / ratio, 1 / ratio)
        self._paint_tiles(painter, size)
        if self.hasFocus() and self._chosen is not None:
            painter.setPen(theme().color("accent"))
            painter.drawRect(0, 0, size.width() - 1, size.height() - 1)
        painter.restore()
        painter.setFont(theme().font(11.5))
        painter.setPen(theme().color("text3"))
        elide = Qt.TextElideMode.ElideRight
        text = painter.fontMetrics().elidedText(self.caption, elide, self.width())
        painter.drawText(QPointF(0, size.height() / ratio + 16), text)

    def place_of(self, index: int) -> QRectF:
        """Where a map is on the widget, while all are shown."""
        columns, _, wide, high = self._layout
        row, column = divmod(index, columns)
        ratio = self.devicePixelRatioF()
        left, top = column * (wide + GAP) / ratio, row * (high + GAP) / ratio
        return QRectF(left, top, wide / ratio, high / ratio)

    def map_at(self, x: float, y: float) -> int | None:
        """The map under a point of the widget."""
        if not self._maps.size:
            return None
        columns, rows, wide, high = self._layout
        ratio = self.devicePixelRatioF()
        column, row = int(x * ratio / (wide + GAP)), int(y * ratio / (high + GAP))
        if not (0 <= column < columns and 0 <= row < rows) or x < 0 or y < 0:
            return None
        index = row * columns + column
        if self._chosen is not None:
            return self._chosen
        return index if index < len(self._maps) else None

    def mousePressEvent(self, event: QMouseEvent) -> None:
        index = self.map_at(event.position().x(), event.position().y())
        self.choose(None if self._chosen is not None else index)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        index = self.map_at(event.position().x(), event.position().y())
        if index is None:
            QToolTip.hideText()
            return
        values = self._maps[index]
        text = (
            f"map {index + 1} · from {number(float(values.min()))} to {number(float(values.max()))}"
        )
        QToolTip.showText(event.globalPosition().toPoint(), text, self)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()))
        if step is not None and len(self._maps):
            at = -1 if self._chosen is None and step > 0 else (self._chosen or 0)
            self.choose((at + step) % len(self._maps))
        elif event.key() == Qt.Key.Key_Escape and self._chosen is not None:
            self.choose(None)
        else:
            super().keyPressEvent(event)
