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
from ui.data.samples.catalogue import Catalogue
from ui.data.samples.painting import CAPTION, RADIUS, ROW_HEIGHT, TEXT_LINE, Frame, TilePainter
from ui.data.samples.pictures import Look, Pictures, first_input, is_rows
from ui.insight.sample_pictures import is_picture
from ui.theme import theme

GAP, MARGIN = 6, 12
LEAST_CAPTIONED = 56
SMALLEST, LARGEST = 32, 256
AHEAD = 1
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
        self._frame = Frame(1, QSize(96, 96), 96.0, 96, 0)
        self._place: int | None = None
        self._anchor: int | None = None
        self._selected: set[int] = set()
        self.pictures = Pictures(self)
        self.pictures.ready.connect(self._made)
        self.setAccessibleName(name)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        # an opaque viewport can be scrolled by moving its pixels
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
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
        place = (middle - MARGIN) // self._frame.step * self._frame.columns
        self._tile = size
        self._fit()
        top = place // self._frame.columns * self._frame.step + MARGIN
        bar.setValue(top - self.viewport().height() // 2)

    # Geometry -----------------------------------------------------------------------------------

    @property
    def _rows(self) -> bool:
        return self._frame.rows

    def _measure(self) -> None:
        """Where tiles are follows from the width, the size that was asked for and the data."""
        width = max(1, self.viewport().width() - 2 * MARGIN)
        column = first_input(self._dataset) if self._dataset is not None else None
        if column is not None and is_rows(column):
            lines = max(1, (self._tile - 40) // 32)
            height = ROW_HEIGHT + (lines - 1) * TEXT_LINE
            self._frame = Frame(1, QSize(width, height), width, height + 2, 0, True)
            return
        pictured = column is None or is_picture(column.shape)
        least = self._tile if pictured else self._tile * 3 // 2
        columns = max(1, (width + GAP) // (least + GAP))
        wide = (width - GAP * (columns - 1)) // columns  # tiles fill the width
        high = wide if pictured else max(32, wide // 2)
        caption = CAPTION if self._tile >= LEAST_CAPTIONED else 0
        across = (width + GAP) / columns
        self._frame = Frame(columns, QSize(wide, high), across, high + GAP + caption, caption)

    def tile_rect(self, place: int) -> QRect:
        """Where a tile is on the viewport at present, with its caption."""
        frame = self._frame
        line, column = divmod(place, frame.columns)
        return QRect(
            MARGIN + round(column * frame.across),
            MARGIN + line * frame.step - self.verticalScrollBar().value(),
            frame.size.width(),
            frame.size.height() + frame.caption,
        )

    def place_at(self, point: QPoint) -> int | None:
        """The tile under a point of the viewport."""
        frame = self._frame
        line = (point.y() + self.verticalScrollBar().value() - MARGIN) // frame.step
        column = int((point.x() - MARGIN) // frame.across)
        place = line * frame.columns + column
        if not (0 <= column < frame.columns and 0 <= place < len(self._indices)):
            return None
        return place if self.tile_rect(place).contains(point) else None

    def _places(self, top: int, bottom: int) -> range:
        """The tiles between two heights of the viewport."""
        offset = self.verticalScrollBar().value() - MARGIN
        step, columns = self._frame.step, self._frame.columns
        first, last = max(0, (top + offset) // step), max(0, (bottom + offset) // step)
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
        self._measure()
        bar, page = self.verticalScrollBar(), self.viewport().height()
        lines = -(-len(self._indices) // self._frame.columns)
        total = lines * self._frame.step + 2 * MARGIN - GAP
        bar.setRange(0, max(0, total - page))
        bar.setPageStep(page)
        bar.setSingleStep(max(24, min(self._frame.step // 2, 60)))
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
        return Look(self._frame.size, self.devicePixelRatioF(), theme().name)

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

    @Slot(object)
    def _made(self, made: list[int]) -> None:
        shown = self._places(0, self.viewport().height() - 1)
        seen = set(self._indices[shown.start : shown.stop].tolist())
        for index in made:
            if index in seen and (place := self._place_of(index)) is not None:
                self.viewport().update(self.tile_rect(place))

    @Slot()
    def _restyle(self) -> None:
        self.viewport().update()
        self._wish.start()

    def showEvent(self, event: QEvent) -> None:
        self._fit()

    # Painting -----------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        painter.fillRect(event.rect(), theme().color("panel"))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._catalogue is None:
            return
        brush = TilePainter(painter, self._catalogue, self._frame)
        for place, rect in self._exposed(event.region()):
            index = int(self._indices[place])
            brush.paint(rect, index, self.pictures.get(index))
            self._paint_mark(painter, rect, place)

    def _exposed(self, region: QRegion) -> Iterator[tuple[int, QRect]]:
        area = region.boundingRect()
        for place in self._places(area.top() - GAP, area.bottom() + GAP):
            rect = self.tile_rect(place)
            if region.intersects(rect.adjusted(-3, -3, 3, 3)):
                yield place, rect

    def _paint_mark(self, painter: QPainter, rect: QRect, place: int) -> None:
        index = int(self._indices[place])
        current = place == self._place
        if not current and index not in self._selected:
            return
        frame = QRectF(rect)
        if self._frame.caption:
            frame.adjust(0, 0, 0, -CAPTION)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        colour = theme().color("accent")
        if current and not self.hasFocus() and len(self._selected) > 1:
            colour = theme().color("text2")
        painter.setPen(QPen(colour, 2 if current else 1.5))
        painter.drawRoundedRect(frame.adjusted(-1.5, -1.5, 1.5, 1.5), RADIUS + 1.5, RADIUS + 1.5)

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
        columns = self._frame.columns
        page = max(1, self.viewport().height() // self._frame.step) * columns
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
