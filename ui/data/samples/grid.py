"""All samples as tiles or rows. Only what is seen is painted and made, so a million scroll."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QRect, QRectF, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QRegion,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QToolTip, QWidget

from playground.data.dataset import Dataset, Indices
from ui.data.bars import SPLIT_COLOURS
from ui.data.samples.catalogue import Catalogue
from ui.data.samples.pictures import Look, Pictures, Thumbnail, first_input, is_rows
from ui.insight.column import token_colour
from ui.insight.sample_pictures import is_picture, paint_picture
from ui.theme import theme

GAP, MARGIN = 6, 12
CAPTION = 20
LEAST_CAPTIONED = 56
ROW_HEIGHT, TEXT_LINE = 28, 17
NUMBER_WIDTH, LABEL_SHARE = 64, 0.28
SMALLEST, LARGEST = 32, 256
AHEAD = 1
RADIUS = 4.0
NONE: Indices = np.zeros(0, np.int64)


class SampleTiles(QAbstractScrollArea):
    """Samples of a data set by their indices.

    ``chosen`` carries the sample that a person goes to; ``selection_changed`` follows when another
    set is marked (Ctrl and Shift as in a file manager). ``menu_wanted`` carries where.
    """

    chosen = Signal(int)
    selection_changed = Signal()
    menu_wanted = Signal(QPoint)
    zoomed = Signal(int)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._dataset: Dataset | None = None
        self._catalogue: Catalogue | None = None
        self._indices = NONE
        self._tile = 96
        self._place: int | None = None
        self._anchor: int | None = None
        self._selected: set[int] = set()
        self._marks: dict[int, str] = {}
        self.pictures = Pictures(self)
        self.pictures.ready.connect(self._made)
        self.setAccessibleName(name)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.viewport().setAutoFillBackground(False)
        self._wish = QTimer(self)
        self._wish.setSingleShot(True)
        self._wish.setInterval(0)
        self._wish.timeout.connect(self._want)
        theme().changed.connect(self._restyle)

    # What is shown ------------------------------------------------------------------------------

    @property
    def indices(self) -> Indices:
        """The samples shown, in order."""
        return self._indices

    @property
    def current(self) -> int | None:
        """The sample where the keyboard is."""
        return None if self._place is None else int(self._indices[self._place])

    @property
    def selected(self) -> list[int]:
        """The marked samples in the order of the data."""
        return sorted(self._selected)

    def show_dataset(self, catalogue: Catalogue | None) -> None:
        self._catalogue = catalogue
        self._dataset = catalogue.dataset if catalogue is not None else None
        self.pictures.show(self._dataset)
        self._marks = {}
        self.show_indices(NONE if self._dataset is None else np.arange(len(self._dataset)))
        self.verticalScrollBar().setValue(0)

    def show_indices(self, indices: Indices) -> None:
        """Show these samples alone; the current one stays so where it is among them."""
        current = self.current
        self._indices = np.asarray(indices, np.int64)
        self._place = self._place_of(current)
        self._anchor = self._place
        marked = self._selected & set(self._indices.tolist()) if self._selected else set()
        if marked != self._selected:
            self._selected = marked
            self.selection_changed.emit()
        self._fit()

    def set_current(self, index: int | None) -> None:
        """Mark a sample from outside, and bring it into view."""
        place = self._place_of(index)
        if place == self._place:
            return
        self._place = place
        if place is not None:
            self._selected, self._anchor = {int(self._indices[place])}, place
            self.selection_changed.emit()
            self._reveal(place)
        self.viewport().update()

    def set_marks(self, marks: dict[int, str]) -> None:
        """A word on some tiles, in the colour of a warning."""
        self._marks = marks
        self.viewport().update()

    def select_all(self) -> None:
        self._selected = set(self._indices.tolist())
        self.selection_changed.emit()
        self.viewport().update()

    @property
    def tile(self) -> int:
        return self._tile

    def set_tile(self, size: int) -> None:
        """The side of a tile in pixels; the sample in the middle of the view stays there."""
        size = min(LARGEST, max(SMALLEST, size))
        if size == self._tile:
            return
        bar = self.verticalScrollBar()
        middle = bar.value() + self.viewport().height() // 2
        place = (middle - MARGIN) // self._step() * self._columns()
        self._tile = size
        self._fit()
        top = place // self._columns() * self._step() + MARGIN
        bar.setValue(top - self.viewport().height() // 2)

    # Geometry -----------------------------------------------------------------------------------

    @property
    def _rows(self) -> bool:
        return self._dataset is not None and is_rows(first_input(self._dataset))

    def _columns(self) -> int:
        if self._rows:
            return 1
        return max(1, (self._width() + GAP) // (self._least_width() + GAP))

    def _least_width(self) -> int:
        return self._tile if self._pictured() else self._tile * 3 // 2

    def _pictured(self) -> bool:
        return self._dataset is not None and is_picture(first_input(self._dataset).shape)

    def _width(self) -> int:
        return max(1, self.viewport().width() - 2 * MARGIN)

    def _tile_size(self) -> QSize:
        if self._rows:
            lines = max(1, (self._tile - 40) // 32)
            return QSize(self._width(), ROW_HEIGHT + (lines - 1) * TEXT_LINE)
        columns = self._columns()  # which fill the width
        width = (self._width() - GAP * (columns - 1)) // columns
        return QSize(width, width if self._pictured() else max(32, width // 2))

    def _captioned(self) -> bool:
        return not self._rows and self._tile >= LEAST_CAPTIONED

    def _step(self) -> int:
        gap = 2 if self._rows else GAP
        return self._tile_size().height() + gap + (CAPTION if self._captioned() else 0)

    def _lines(self) -> int:
        return -(-len(self._indices) // self._columns())

    def tile_rect(self, place: int) -> QRect:
        """Where a tile is on the viewport at present, with its caption."""
        columns, size = self._columns(), self._tile_size()
        line, column = divmod(place, columns)
        step = (self._width() + GAP) / columns
        left = MARGIN + round(column * step)
        top = MARGIN + line * self._step() - self.verticalScrollBar().value()
        width = size.width() if not self._rows else self._width()
        return QRect(left, top, width, size.height() + (CAPTION if self._captioned() else 0))

    def place_at(self, point: QPoint) -> int | None:
        """The tile under a point of the viewport."""
        line = (point.y() + self.verticalScrollBar().value() - MARGIN) // self._step()
        columns = self._columns()
        step = (self._width() + GAP) / columns
        column = int((point.x() - MARGIN) // step)
        place = line * columns + column
        if not (0 <= column < columns and 0 <= place < len(self._indices)):
            return None
        return place if self.tile_rect(place).contains(point) else None

    def _places(self, top: int, bottom: int) -> range:
        """The tiles between two heights of the viewport."""
        offset = self.verticalScrollBar().value() - MARGIN
        first = max(0, (top + offset) // self._step())
        last = max(0, (bottom + offset) // self._step())
        columns = self._columns()
        return range(
            min(len(self._indices), first * columns), min(len(self._indices), (last + 1) * columns)
        )

    def visible(self) -> list[int]:
        """The samples that are seen at present."""
        places = self._places(0, self.viewport().height() - 1)
        return [int(index) for index in self._indices[places.start : places.stop]]

    def _place_of(self, index: int | None) -> int | None:
        if index is None or not len(self._indices):
            return None
        place = int(np.searchsorted(self._indices, index))  # the indices ascend
        there = place < len(self._indices) and self._indices[place] == index
        return place if there else None

    def _fit(self) -> None:
        bar, page = self.verticalScrollBar(), self.viewport().height()
        total = self._lines() * self._step() + 2 * MARGIN - GAP
        bar.setRange(0, max(0, total - page))
        bar.setPageStep(page)
        bar.setSingleStep(max(24, min(self._step() // 2, 60)))
        bar.setEnabled(bar.maximum() > 0)
        self.viewport().update()
        self._wish.start()

    def _reveal(self, place: int) -> None:
        rect, bar = self.tile_rect(place), self.verticalScrollBar()
        if rect.top() < MARGIN:
            bar.setValue(bar.value() + rect.top() - MARGIN)
        elif rect.bottom() > self.viewport().height() - MARGIN:
            bar.setValue(bar.value() + rect.bottom() - self.viewport().height() + MARGIN)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()
        if self._place is not None and event.oldSize().width() != event.size().width():
            self._reveal(self._place)

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        self.viewport().scroll(0, dy)  # what stays in view is moved, not painted again
        self._wish.start()

    # Pictures -----------------------------------------------------------------------------------

    def look(self) -> Look:
        if self._rows:
            return Look()
        return Look(self._tile_size(), self.devicePixelRatioF(), theme().name)

    @Slot()
    def _want(self) -> None:
        """Ask for what is seen, then for a little more below and above."""
        if self._dataset is None or not self.isVisible():
            return
        height = self.viewport().height()
        places = list(self._places(0, height - 1))
        below = self._places(height, height + AHEAD * height)
        above = self._places(-height // 2, -1)
        wanted = self._indices[[*places, *below, *above]] if places else NONE
        self.pictures.want(list(dict.fromkeys(wanted.tolist())), self.look())

    @Slot()
    def _made(self) -> None:
        self.viewport().update()

    @Slot()
    def _restyle(self) -> None:
        self.viewport().update()
        self._wish.start()

    def showEvent(self, event: QEvent) -> None:
        self._fit()

    # Painting -----------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for place, rect in self._exposed(event.region()):
            index = int(self._indices[place])
            made = self.pictures.get(index)
            if self._rows:
                self._paint_row(painter, rect, index, made)
            else:
                self._paint_tile(painter, rect, index, made)
            self._paint_frame(painter, rect, place)

    def _exposed(self, region: QRegion) -> Iterator[tuple[int, QRect]]:
        area = region.boundingRect()
        for place in self._places(area.top() - GAP, area.bottom() + GAP):
            rect = self.tile_rect(place)
            if region.intersects(rect.adjusted(-3, -3, 3, 3)):
                yield place, rect

    def _paint_frame(self, painter: QPainter, rect: QRect, place: int) -> None:
        index = int(self._indices[place])
        current = place == self._place
        if not current and index not in self._selected:
            return
        frame = QRectF(rect)
        if self._captioned():
            frame.adjust(0, 0, 0, -CAPTION)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        colour = theme().color("accent")
        if current and not self.hasFocus() and len(self._selected) > 1:
            colour = theme().color("text2")
        painter.setPen(QPen(colour, 2 if current else 1.5))
        painter.drawRoundedRect(frame.adjusted(-1.5, -1.5, 1.5, 1.5), RADIUS + 1.5, RADIUS + 1.5)

    def _paint_tile(
        self, painter: QPainter, rect: QRect, index: int, made: Thumbnail | None
    ) -> None:
        picture = QRectF(rect)
        if self._captioned():
            picture.setHeight(rect.height() - CAPTION)
        if made is not None and made.image is not None:
            paint_picture(painter, picture, made.image)
        else:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme().color("raised"))
            painter.drawRoundedRect(picture, RADIUS, RADIUS)
            if made is not None:
                sign = theme().pixmap("warning", "warn", 16)
                painter.drawPixmap(picture.center().toPoint() - QPoint(8, 8), sign)
        if self._captioned():
            self._paint_caption(painter, rect, index)
        else:
            strip = QRectF(picture.left(), picture.bottom() - 3, picture.width(), 3)
            painter.fillRect(strip, self._split_colour(index))

    def _paint_caption(self, painter: QPainter, rect: QRect, index: int) -> None:
        assert self._catalogue is not None
        top = rect.bottom() + 1 - CAPTION
        self._dot(painter, rect.left() + 4.0, top + CAPTION / 2, index)
        mark = self._marks.get(index, "")
        text = mark or self._catalogue.label(index) or self._catalogue.caption(index)
        painter.setFont(theme().font(11.5))
        painter.setPen(theme().readable(theme().color("warn")) if mark else theme().color("text2"))
        place = QRect(rect.left() + 12, top, rect.width() - 12, CAPTION)
        text = painter.fontMetrics().elidedText(
            text or f"{index + 1:,}", Qt.TextElideMode.ElideRight, place.width()
        )
        painter.drawText(place, int(Qt.AlignmentFlag.AlignVCenter), text)

    def _paint_row(
        self, painter: QPainter, rect: QRect, index: int, made: Thumbnail | None
    ) -> None:
        assert self._catalogue is not None
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme().color("raised"))
        painter.drawRoundedRect(QRectF(rect), RADIUS, RADIUS)
        middle = int(Qt.AlignmentFlag.AlignVCenter)
        elide = Qt.TextElideMode.ElideRight
        first = QRect(rect.left() + 10, rect.top(), NUMBER_WIDTH - 12, ROW_HEIGHT)
        painter.setFont(theme().font(11.5))
        painter.setPen(theme().color("text3"))
        painter.drawText(first, middle, f"{index + 1:,}")
        width = min(220, int(rect.width() * LABEL_SHARE))
        last = QRect(rect.right() - width, rect.top(), width - 10, ROW_HEIGHT)
        self._dot(painter, last.left() + 4.0, last.center().y() + 1.0, index)
        painter.setFont(theme().font(12))
        metrics = painter.fontMetrics()
        mark = self._marks.get(index, "")
        said = mark or self._catalogue.label(index) or self._catalogue.caption(index)
        painter.setPen(theme().readable(theme().color("warn")) if mark else theme().color("text"))
        last.adjust(14, 0, 0, 0)
        painter.drawText(last, middle, metrics.elidedText(said, elide, last.width()))
        inner = QRect(rect)
        inner.setLeft(first.right() + 6)
        inner.setRight(last.left() - 24)
        bad = made is not None and made.broken
        text = "" if made is None else made.broken or made.text
        if self._catalogue.text and not bad:
            text = self._catalogue.caption(index)
        painter.setPen(theme().color("warn" if bad else "text2"))
        if rect.height() < ROW_HEIGHT + TEXT_LINE:
            line = " ".join(text.split())[:2000]
            painter.drawText(inner, middle, metrics.elidedText(line, elide, inner.width()))
        else:
            flags = int(Qt.AlignmentFlag.AlignTop) | int(Qt.TextFlag.TextWordWrap)
            painter.drawText(inner.adjusted(0, 6, 0, -4), flags, text[:2000])

    def _split_colour(self, index: int) -> object:
        assert self._catalogue is not None
        return token_colour(SPLIT_COLOURS.get(self._catalogue.split(index), "line"))

    def _dot(self, painter: QPainter, x: float, y: float, index: int) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._split_colour(index))
        painter.drawEllipse(QRectF(x - 3, y - 3, 6, 6))

    # Events -------------------------------------------------------------------------------------

    def _go(self, place: int, modifiers: Qt.KeyboardModifier) -> None:
        """Make a tile the current one and mark what the modifiers say."""
        index = int(self._indices[place])
        self._place = place
        if modifiers & Qt.KeyboardModifier.ShiftModifier and self._anchor is not None:
            low, high = sorted((self._anchor, place))
            self._selected = set(self._indices[low : high + 1].tolist())
        elif modifiers & Qt.KeyboardModifier.ControlModifier:
            self._selected ^= {index}
            self._anchor = place
        else:
            self._selected, self._anchor = {index}, place
        self._reveal(place)
        if self._catalogue is not None:
            self.setAccessibleDescription(self._catalogue.told(index))
        self.viewport().update()
        self.selection_changed.emit()
        self.chosen.emit(index)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        place = self.place_at(event.position().toPoint())
        if place is not None and event.button() == Qt.MouseButton.LeftButton:
            self._go(place, event.modifiers())

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        place = self.place_at(event.pos())
        if place is not None and int(self._indices[place]) not in self._selected:
            self._go(place, Qt.KeyboardModifier.NoModifier)
        if self._selected:
            self.menu_wanted.emit(event.globalPos())

    def wheelEvent(self, event: QWheelEvent) -> None:
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.zoomed.emit(self._tile + (16 if event.angleDelta().y() > 0 else -16))
            return
        super().wheelEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_A and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.select_all()
            return
        columns = self._columns()
        page = max(1, self.viewport().height() // self._step()) * columns
        last = len(self._indices) - 1
        here = self._place if self._place is not None else -1
        moves = {
            Qt.Key.Key_Left: here - 1,
            Qt.Key.Key_Right: here + 1,
            Qt.Key.Key_Up: here - columns,
            Qt.Key.Key_Down: here + columns,
            Qt.Key.Key_PageUp: max(0, here - page),
            Qt.Key.Key_PageDown: min(last, here + page),
            Qt.Key.Key_Home: 0,
            Qt.Key.Key_End: last,
        }
        target = moves.get(Qt.Key(event.key()))
        if target is None:
            super().keyPressEvent(event)
        elif self._place is None and last >= 0:
            self._go(0, Qt.KeyboardModifier.NoModifier)
        elif 0 <= target <= last:
            self._go(target, event.modifiers() & Qt.KeyboardModifier.ShiftModifier)

    def viewportEvent(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            place = self.place_at(event.pos())
            text = ""
            if place is not None and self._catalogue is not None:
                index = int(self._indices[place])
                made = self.pictures.get(index)
                text = self._catalogue.told(index)
                text += f"\n{made.broken}" if made is not None and made.broken else ""
            QToolTip.showText(event.globalPos(), text, self)
            return True
        return super().viewportEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.viewport().update()
