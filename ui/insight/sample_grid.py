"""Samples side by side: pictures, small lines or rows of text; a click chooses one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QRect, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import (
    QFocusEvent,
    QHelpEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QResizeEvent,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from models.axes import Kind
from playground.data.dataset import Dataset
from playground.messages import Array
from ui.insight.sample_pictures import (
    image_of,
    is_picture,
    paint_picture,
    row_text,
    sparkline,
    trimmed,
)
from ui.theme import theme

GAP = 2
CAPTION = 16
ROW_HEIGHT = 26
LEAST_SERIES = 84
LEAST_NAMED = 420
MOST_LETTERS = 400


class SampleGrid(QWidget):
    """Tiles of samples by their indices. ``chosen`` carries the index that was clicked.

    ``tile`` is the smallest side of a picture; tiles fill the width. Arrow keys move, the tooltip
    tells what a sample is. The height follows from the samples and the width.
    """

    chosen = Signal(int)

    def __init__(self, name: str, tile: int = 28, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._least = tile
        self._dataset: Dataset | None = None
        self._raw: Array = np.empty(0)
        self._indices: list[int] = []
        self._captions: list[str] = []
        self._images: list[QImage] = []
        self._current: int | None = None
        self._picture: QPixmap | None = None
        self.setAccessibleName(name)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme().changed.connect(self._restyle)

    @property
    def indices(self) -> list[int]:
        return self._indices

    def show_samples(
        self,
        dataset: Dataset | None,
        indices: Sequence[int],
        raw: Array | None = None,
        captions: Sequence[str] = (),
    ) -> None:
        """Show samples of ``dataset``; ``raw`` are their first inputs where they were read already
        (needed for data that are read from files), ``captions`` stand under them."""
        self._dataset = dataset
        self._indices = [int(index) for index in indices] if dataset is not None else []
        self._captions = list(captions)
        if dataset is not None and self._indices:
            column = next(iter(dataset.inputs.values()))
            self._raw = column.take(np.array(self._indices, np.int64)) if raw is None else raw
        else:
            self._raw = np.empty(0)
        self._images = []
        if self._kind is not None and is_picture(self._column.shape):
            self._images = [image_of(self._raw[place]) for place in range(len(self._raw))]
        self._picture = None
        self._fit_height()
        self.update()

    def set_current(self, index: int | None) -> None:
        if index != self._current:
            self._current = index
            self.update()

    # Geometry -----------------------------------------------------------------------------------

    @property
    def _column(self) -> Any:
        assert self._dataset is not None
        return next(iter(self._dataset.inputs.values()))

    @property
    def _kind(self) -> Kind | None:
        return self._column.shape.kind if self._dataset is not None else None

    def columns(self) -> int:
        if self._kind is None or self._kind in (Kind.VECTOR, Kind.TOKENS):
            return 1
        least = self._least if self._images else max(LEAST_SERIES, self._least)
        most = max(1, (self.width() + GAP) // (least + GAP))
        if self._captions:
            return most
        # a mosaic looks best with full rows
        full = [n for n in range(most, most * 2 // 3, -1) if len(self._indices) % n == 0]
        return full[0] if full else most

    def tile_size(self) -> QSize:
        """The size of a picture, without its caption."""
        columns = self.columns()
        width = max(1, (self.width() - GAP * (columns - 1)) // columns)
        if self._kind in (Kind.VECTOR, Kind.TOKENS):
            return QSize(width, ROW_HEIGHT)
        if not self._images:
            return QSize(width, max(34, width * 2 // 5))
        first = self._images[0]
        share = min(2.0, max(0.5, first.height() / max(1, first.width())))
        return QSize(width, max(1, round(width * share)))

    def tile_rect(self, place: int) -> QRect:
        size, columns = self.tile_size(), self.columns()
        row, column = divmod(place, columns)
        step = size.height() + GAP + self._caption_height()
        left = column * (self.width() + GAP) // columns
        return QRect(QPoint(left, row * step), size)

    def _caption_height(self) -> int:
        return CAPTION if self._captions and self._kind not in (Kind.VECTOR, Kind.TOKENS) else 0

    def place_at(self, point: QPoint) -> int | None:
        for place in range(len(self._indices)):
            if self.tile_rect(place).adjusted(0, 0, 0, self._caption_height()).contains(point):
                return place
        return None

    def _fit_height(self) -> None:
        if not self._indices:
            self.setFixedHeight(0)
            return
        last = self.tile_rect(len(self._indices) - 1)
        self.setFixedHeight(last.bottom() + 1 + self._caption_height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._picture = None
        if event.size().width() != event.oldSize().width():
            self._fit_height()

    # Painting -----------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self._indices:
            return
        painter = QPainter(self)
        if self._picture is None:
            ratio = self.devicePixelRatioF()
            self._picture = QPixmap(self.size() * ratio)
            self._picture.setDevicePixelRatio(ratio)
            self._picture.fill(Qt.GlobalColor.transparent)
            drawer = QPainter(self._picture)
            for place in range(len(self._indices)):
                self._paint_tile(drawer, place)
            drawer.end()
        painter.drawPixmap(0, 0, self._picture)
        if self._current in self._indices:
            current = QRectF(self.tile_rect(self._indices.index(self._current)))
            painter.setPen(QPen(theme().color("accent"), 2))
            painter.drawRect(current.adjusted(1, 1, -1, -1))

    def _paint_tile(self, painter: QPainter, place: int) -> None:
        rect = self.tile_rect(place)
        if self._images:
            paint_picture(painter, QRectF(rect), self._images[place])
        elif self._kind is Kind.SEQUENCE:
            ratio = self.devicePixelRatioF()
            raw = trimmed(self._column, self._raw[place], self._indices[place])
            painter.drawImage(rect, sparkline(raw, rect.size(), ratio))
        else:
            self._paint_row(painter, rect, place)
        if self._caption_height() and place < len(self._captions):
            painter.setFont(theme().font(11))
            painter.setPen(theme().color("text2"))
            under = QRect(rect.left(), rect.bottom() + 1, rect.width(), CAPTION)
            text = painter.fontMetrics().elidedText(
                self._captions[place], Qt.TextElideMode.ElideRight, rect.width()
            )
            painter.drawText(under, Qt.AlignmentFlag.AlignCenter, text)

    def _paint_row(self, painter: QPainter, rect: QRect, place: int) -> None:
        dataset = self._dataset
        assert dataset is not None
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme().color("raised"))
        painter.drawRoundedRect(QRectF(rect), 4, 4)
        painter.setFont(theme().font(11.5))
        elide, middle = Qt.TextElideMode.ElideRight, Qt.AlignmentFlag.AlignVCenter
        metrics = painter.fontMetrics()
        said = self._captions[place] if self._captions else self._described(place)
        said = metrics.elidedText(said, elide, rect.width() // 2)
        inner = rect.adjusted(6, 0, -6, 0)
        painter.setPen(theme().color("text"))
        painter.drawText(inner, int(Qt.AlignmentFlag.AlignRight | middle), said)
        left = inner.adjusted(0, 0, -metrics.horizontalAdvance(said) - 8, 0)
        words = self._words(place, named=rect.width() > LEAST_NAMED)
        text = metrics.elidedText(words, elide, left.width())
        painter.setPen(theme().color("text2"))
        painter.drawText(left, int(Qt.AlignmentFlag.AlignLeft | middle), text)

    # Events -------------------------------------------------------------------------------------

    @Slot()
    def _restyle(self) -> None:
        self._picture = None
        self.update()

    def _choose(self, place: int) -> None:
        self.set_current(self._indices[place])
        self.setAccessibleDescription(self._told(place))
        self.chosen.emit(self._indices[place])

    def _told(self, place: int) -> str:
        dataset, index = self._dataset, self._indices[place]
        assert dataset is not None
        said = self._described(place)
        text = f"sample {index + 1:,}" + ("" if said == str(index) else f" · {said}")
        if self._kind in (Kind.VECTOR, Kind.TOKENS):
            text += "\n" + self._words(place)[:MOST_LETTERS]
        return text

    def _described(self, place: int) -> str:
        """What the target says; a text is shown itself, so it need not be its caption too."""
        dataset = self._dataset
        assert dataset is not None
        if self._column.texts:
            dataset = replace(dataset, captions=())
        return dataset.describe(self._indices[place])

    def _words(self, place: int, *, named: bool = True) -> str:
        if self._column.texts:
            return " ".join(self._column.texts[self._indices[place]][:MOST_LETTERS].split())
        return row_text(self._column, self._raw[place], named=named)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        place = self.place_at(event.position().toPoint())
        if place is not None:
            self._choose(place)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            place = self.place_at(event.pos())
            QToolTip.showText(
                event.globalPos(), self._told(place) if place is not None else "", self
            )
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        columns = self.columns()
        moves = {
            Qt.Key.Key_Left: -1,
            Qt.Key.Key_Right: 1,
            Qt.Key.Key_Up: -columns,
            Qt.Key.Key_Down: columns,
        }
        move = moves.get(Qt.Key(event.key()))
        if move is None or not self._indices:
            super().keyPressEvent(event)
            return
        if self._current not in self._indices:
            self._choose(0)
            return
        place = self._indices.index(self._current) + move
        if 0 <= place < len(self._indices):
            self._choose(place)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()
