"""Small bars about data: samples a class, and how the samples are split."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from ui.insight.column import token_colour
from ui.theme import blend, theme

LABEL = 17
LEAST_LABELLED = 13
SPLIT_COLOURS = {"train": "accent", "validation": "recurrent", "test": "reshape"}


class ClassBars(QWidget):
    """A bar a class, as high as it has samples. A click on one (again: on none) is ``chosen``."""

    chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._counts: NDArray[np.int64] = np.zeros(0, np.int64)
        self._classes: tuple[str, ...] = ()
        self._current: int | None = None
        self.setAccessibleName("Samples a class")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(40 + LABEL)
        theme().changed.connect(self.update)

    @property
    def current(self) -> int | None:
        """The chosen class, or None for all."""
        return self._current

    def sizeHint(self) -> QSize:
        return QSize(200, 40 + LABEL)

    def show_counts(self, counts: NDArray[np.int64], classes: Sequence[str]) -> None:
        self._counts, self._classes = np.asarray(counts), tuple(classes)
        self._current = None
        self.setAccessibleDescription(
            ", ".join(f"{name}: {count:,}" for name, count in zip(classes, counts, strict=True))
            if len(classes) <= 20
            else f"{len(classes)} classes"
        )
        self.update()

    def bar_rect(self, index: int) -> QRectF:
        count = max(1, len(self._counts))
        step = self.width() / count
        gap = 2.0 if step >= 6 else (1.0 if step >= 3 else 0.0)
        height = self.height() - LABEL
        share = self._counts[index] / max(1, self._counts.max())
        high = max(1.0 if self._counts[index] else 0.0, share * height)
        return QRectF(index * step, height - high, max(1.0, step - gap), high)

    def class_at(self, x: float) -> int | None:
        if not len(self._counts) or not 0 <= x < self.width():
            return None
        return min(len(self._counts) - 1, int(x * len(self._counts) / self.width()))

    def paintEvent(self, event: QPaintEvent) -> None:
        if not len(self._counts):
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        accent = theme().color("accent_fill" if theme().name == "dark" else "accent")
        calm = blend(accent, theme().color("panel"), 0.25 if theme().name == "dark" else 0.45)
        for index in range(len(self._counts)):
            strong = self._current == index
            painter.setBrush(theme().color("accent") if strong else calm)
            painter.drawRoundedRect(self.bar_rect(index), 2, 2)
        self._paint_labels(painter)
        if self.hasFocus():
            painter.setPen(theme().color("accent"))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))

    def _paint_labels(self, painter: QPainter) -> None:
        step = self.width() / len(self._counts)
        painter.setFont(theme().font(11))
        metrics = painter.fontMetrics()
        painter.setPen(theme().color("text3"))
        top = self.height() - LABEL + 2
        if step < LEAST_LABELLED:
            text = f"{len(self._counts):,} classes"
            painter.drawText(QPointF(0, self.height() - 3), text)
            return
        for index, name in enumerate(self._classes):
            text = metrics.elidedText(name, Qt.TextElideMode.ElideRight, int(step) - 1)
            place = QRectF(index * step, top, step - 2, LABEL)
            painter.drawText(place, Qt.AlignmentFlag.AlignHCenter, text)

    def _choose(self, index: int | None) -> None:
        self._current = None if index == self._current else index
        self.update()
        self.chosen.emit(self._current)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        index = self.class_at(event.position().x())
        if index is not None:
            self._choose(index)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            index = self.class_at(event.pos().x())
            if index is not None:
                text = f"{self._classes[index]}: {self._counts[index]:,} samples"
                QToolTip.showText(event.globalPos(), text, self)
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()))
        if step is not None and len(self._counts):
            start = -1 if self._current is None and step > 0 else (self._current or 0)
            self._choose((start + step) % len(self._counts))
        elif event.key() == Qt.Key.Key_Escape and self._current is not None:
            self._choose(self._current)
        else:
            super().keyPressEvent(event)


class SplitBar(QWidget):
    """How many samples train the network, choose its best epoch, and test it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._sizes: dict[str, int] = {}
        self.setAccessibleName("Split")
        self.setFixedHeight(28)
        theme().changed.connect(self.update)

    @property
    def sizes(self) -> dict[str, int]:
        return self._sizes

    def show_sizes(self, sizes: dict[str, int]) -> None:
        self._sizes = sizes
        told = ", ".join(f"{name} {size:,}" for name, size in sizes.items())
        self.setAccessibleDescription(told)
        self.setToolTip(told)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        total = sum(self._sizes.values())
        if not total:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        shown = [(name, size) for name, size in self._sizes.items() if size]
        room, left = self.width() - 2 * (len(shown) - 1), 0.0
        for name, size in shown:
            width = max(3.0, room * size / total)
            painter.setBrush(token_colour(SPLIT_COLOURS.get(name, "text3")))
            painter.drawRoundedRect(QRectF(left, 0, width, 6), 2, 2)
            left += width + 2
        painter.setFont(theme().font(11.5))
        metrics = painter.fontMetrics()
        texts = [f"{name} {size:,}" for name, size in self._sizes.items()]
        if sum(map(metrics.horizontalAdvance, texts)) + 12 > self.width():
            texts = [f"{name[:5].rstrip('i')} {size:,}" for name, size in self._sizes.items()]
        painter.setPen(theme().color("text3"))
        flags = (
            Qt.AlignmentFlag.AlignLeft,
            Qt.AlignmentFlag.AlignHCenter,
            Qt.AlignmentFlag.AlignRight,
        )
        for text, flag in zip(texts, flags, strict=False):
            painter.drawText(QRectF(0, 11, self.width(), 17), flag, text)
