"""All samples of a class as a grid of thumbnails; only those in view cost anything."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QMimeData, QPoint, QRect, QRectF, Qt, Signal, Slot
from PySide6.QtGui import (
    QBrush,
    QContextMenuEvent,
    QDrag,
    QFocusEvent,
    QHideEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QResizeEvent,
    QTransform,
)
from PySide6.QtWidgets import QAbstractScrollArea, QApplication, QFrame

from ui.data.record.thumbnails import Thumbnails
from ui.theme import theme

MIME = "application/x-playground-samples"
GAP, MARGIN, RADIUS = 6, 12, 6
TILE = 88


class Grid(QAbstractScrollArea):
    """Tiles of the files in ``paths``, oldest first. Several can be chosen as in a file manager:
    click, Ctrl and Shift, dragging over empty ground, arrow keys, Ctrl A; ``chosen`` stays when
    files are added. Chosen files can be dragged away.

    ``opened`` carries the file that was double-clicked, or chosen when Return was pressed.
    """

    chosen_changed = Signal()
    opened = Signal(object)
    menu_wanted = Signal(QPoint)
    delete_wanted = Signal()

    def __init__(self, name: str, thumbnails: Thumbnails) -> None:
        super().__init__()
        self._thumbnails = thumbnails
        self._paths: Sequence[Path] = ()
        self.chosen: set[Path] = set()
        self._current = self._anchor = -1
        self._pressed: QPoint | None = None
        self._band: QRect | None = None
        self._before: set[Path] = set()
        self.setAccessibleName(name)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.viewport().setAutoFillBackground(False)
        self.setMinimumHeight(TILE + 2 * MARGIN)
        thumbnails.arrived.connect(self._arrived)
        theme().changed.connect(self._arrived)

    @property
    def paths(self) -> Sequence[Path]:
        return self._paths

    def show_paths(self, paths: Sequence[Path], *, fresh: bool = False) -> None:
        """Show other files; ``fresh`` where they are another class's."""
        at_end = self._at_end()
        self._paths = paths
        if fresh:
            self._current = self._anchor = -1
        self._current = min(self._current, len(paths) - 1)
        if self.chosen:
            self._choose(set() if fresh else self.chosen.intersection(paths))
        self._resized()
        if fresh or at_end:
            bar = self.verticalScrollBar()
            bar.setValue(bar.maximum())
        self.setAccessibleDescription(f"{len(paths):,} samples, {len(self.chosen):,} chosen")
        self.viewport().update()

    def ordered(self) -> list[Path]:
        """The chosen files in their order."""
        return [path for path in self._paths if path in self.chosen]

    # --- geometry -----------------------------------------------------------------------------

    def columns(self) -> int:
        return max(1, (self.viewport().width() - 2 * MARGIN + GAP) // (TILE + GAP))

    def tile_rect(self, index: int) -> QRect:
        """Where a tile is in the viewport."""
        row, column = divmod(index, self.columns())
        top = MARGIN + row * (TILE + GAP) - self.verticalScrollBar().value()
        return QRect(MARGIN + column * (TILE + GAP), top, TILE, TILE)

    def index_at(self, place: QPoint) -> int:
        """The tile at a place of the viewport; -1 between them."""
        y = place.y() + self.verticalScrollBar().value() - MARGIN
        row, inside_y = divmod(y, TILE + GAP)
        column, inside_x = divmod(place.x() - MARGIN, TILE + GAP)
        index = row * self.columns() + column
        inside = inside_y < TILE and inside_x < TILE and 0 <= column < self.columns()
        return index if inside and row >= 0 and index < len(self._paths) else -1

    def visible(self) -> range:
        """The tiles that are in view, in part at least."""
        top = self.verticalScrollBar().value() - MARGIN
        columns, step = self.columns(), TILE + GAP
        first = max(0, top // step) * columns
        last = ((top + self.viewport().height()) // step + 1) * columns
        return range(min(first, len(self._paths)), min(last, len(self._paths)))

    def _at_end(self) -> bool:
        bar = self.verticalScrollBar()
        return bar.value() >= bar.maximum() - 2

    def _resized(self) -> None:
        rows = -(-len(self._paths) // self.columns())
        height = rows * (TILE + GAP) - GAP + 2 * MARGIN if rows else 0
        bar = self.verticalScrollBar()
        bar.setRange(0, max(0, height - self.viewport().height()))
        bar.setPageStep(self.viewport().height())
        bar.setSingleStep((TILE + GAP) // 2)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._resized()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._pressed = self._band = None

    # --- painting -----------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for index in reversed(self.visible()):  # what is asked for last is made first
            image = self._thumbnails.get(self._paths[index])
            self._paint_tile(painter, index, image)
        if self._band is not None:
            painter.setPen(QPen(theme().color("accent"), 1))
            fill = theme().color("accent")
            fill.setAlphaF(0.15)
            painter.setBrush(fill)
            painter.drawRect(self._band.normalized())

    def _paint_tile(self, painter: QPainter, index: int, image: QImage | None) -> None:
        rect = QRectF(self.tile_rect(index))
        path = self._paths[index]
        paint_thumbnail(painter, rect, image)
        if path in self.chosen:
            ring = rect.adjusted(1, 1, -1, -1)
            fill = theme().color("accent")
            fill.setAlphaF(0.22)
            painter.setBrush(fill)
            painter.setPen(QPen(theme().color("accent"), 2))
            painter.drawRoundedRect(ring, RADIUS, RADIUS)
        if index == self._current and self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(theme().color("text"), 1, Qt.PenStyle.DotLine))
            painter.drawRoundedRect(rect.adjusted(3.5, 3.5, -3.5, -3.5), 4, 4)

    @Slot()
    def _arrived(self) -> None:
        self.viewport().update()

    # --- choosing -----------------------------------------------------------------------------

    def choose_all(self) -> None:
        self._choose(set(self._paths))

    def _choose(self, paths: set[Path]) -> None:
        if paths != self.chosen:
            self.chosen = paths
            self.setAccessibleDescription(f"{len(self._paths):,} samples, {len(paths):,} chosen")
            self.viewport().update()
            self.chosen_changed.emit()

    def _go(self, index: int, modifiers: Qt.KeyboardModifier) -> None:
        """Choose a tile as a click or an arrow key with ``modifiers`` does."""
        path = self._paths[index]
        if modifiers & Qt.KeyboardModifier.ShiftModifier and self._anchor >= 0:
            low, high = sorted((self._anchor, index))
            chosen = set(self._paths[low : high + 1])
            if modifiers & Qt.KeyboardModifier.ControlModifier:
                chosen |= self.chosen
            self._choose(chosen)
        else:
            self._anchor = index
            toggles = modifiers & Qt.KeyboardModifier.ControlModifier
            self._choose(self.chosen ^ {path} if toggles else {path})
        self._current = index
        self._reach(index)
        self.viewport().update()

    def _reach(self, index: int) -> None:
        rect, bar = self.tile_rect(index), self.verticalScrollBar()
        if rect.top() < MARGIN:
            bar.setValue(bar.value() + rect.top() - MARGIN)
        elif rect.bottom() > self.viewport().height() - MARGIN:
            bar.setValue(bar.value() + rect.bottom() - self.viewport().height() + MARGIN)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        place = event.position().toPoint()
        index = self.index_at(place)
        if event.button() == Qt.MouseButton.RightButton and index >= 0:
            if self._paths[index] not in self.chosen:
                self._go(index, Qt.KeyboardModifier.NoModifier)
            return
        if event.button() != Qt.MouseButton.LeftButton:
            return
        self._pressed, self._before = place, set()
        plain = event.modifiers() == Qt.KeyboardModifier.NoModifier
        if index < 0:
            self._before = set() if plain else set(self.chosen)
            self._choose(set(self._before))
        elif not (plain and self._paths[index] in self.chosen):
            self._go(index, event.modifiers())  # chosen ones may be about to be dragged

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._pressed is None:
            return
        place = event.position().toPoint()
        far = (place - self._pressed).manhattanLength() >= QApplication.startDragDistance()
        if self._band is not None or (far and self.index_at(self._pressed) < 0):
            self._band = QRect(self._pressed, place)
            self._choose(self._before | self._within(self._band.normalized()))
            self.viewport().update()
        elif far and self.chosen:
            self._pressed = None
            self._drag()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            return
        index = self.index_at(event.position().toPoint())
        banded, self._band = self._band is not None, None
        pressed, self._pressed = self._pressed, None
        plain = event.modifiers() == Qt.KeyboardModifier.NoModifier
        if not banded and pressed is not None and index >= 0 and plain:
            self._go(index, event.modifiers())
        self.viewport().update()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        index = self.index_at(event.position().toPoint())
        if index >= 0:
            self.opened.emit(self._paths[index])

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if self.chosen:
            self.menu_wanted.emit(event.globalPos())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        control = event.modifiers() & Qt.KeyboardModifier.ControlModifier
        if key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace) and self.chosen:
            self.delete_wanted.emit()
        elif key == Qt.Key.Key_A and control:
            self.choose_all()
        elif key == Qt.Key.Key_Escape and self.chosen:
            self._choose(set())
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._current >= 0:
            self.opened.emit(self._paths[self._current])
        elif (target := self._target(key)) is not None:
            self._go(target, event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier)
        else:
            event.ignore()

    def _target(self, key: Qt.Key) -> int | None:
        """The tile that a key leads to; None where it leads nowhere."""
        if not self._paths:
            return None
        columns, last = self.columns(), len(self._paths) - 1
        page = max(1, self.viewport().height() // (TILE + GAP)) * columns
        moves = {
            Qt.Key.Key_Left: -1,
            Qt.Key.Key_Right: 1,
            Qt.Key.Key_Up: -columns,
            Qt.Key.Key_Down: columns,
            Qt.Key.Key_PageUp: -page,
            Qt.Key.Key_PageDown: page,
            Qt.Key.Key_Home: -last,
            Qt.Key.Key_End: last,
        }
        if key not in moves:
            return None
        if self._current < 0:
            return last
        return min(last, max(0, self._current + moves[key]))

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.viewport().update()

    def _within(self, band: QRect) -> set[Path]:
        return {self._paths[i] for i in self.visible() if band.intersects(self.tile_rect(i))}

    # --- dragging -----------------------------------------------------------------------------

    def _drag(self) -> None:
        drag = QDrag(self)
        drag.setMimeData(packed(self.ordered()))
        drag.setPixmap(self._pile())
        drag.exec(Qt.DropAction.MoveAction)

    def _pile(self) -> QPixmap:
        """A small picture of what is dragged."""
        image = next((i for p in self.chosen if (i := self._thumbnails.get(p))), None)
        side = 56
        pixmap = QPixmap(side, side)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        paint_thumbnail(painter, QRectF(0, 0, side, side), image)
        badge = QRectF(side - 30, side - 18, 28, 16)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme().color("accent_fill"))
        painter.drawRoundedRect(badge, 8, 8)
        painter.setPen(Qt.GlobalColor.white)
        painter.setFont(theme().font(11, 600))
        painter.drawText(badge, Qt.AlignmentFlag.AlignCenter, f"{len(self.chosen)}")
        painter.end()
        return pixmap


def packed(paths: Sequence[Path]) -> QMimeData:
    """Files as they are dragged within the page."""
    data = QMimeData()
    data.setData(MIME, json.dumps([str(path) for path in paths]).encode())
    return data


def unpacked(data: QMimeData) -> list[Path]:
    """What ``packed`` put in; nothing where it was something else."""
    if not data.hasFormat(MIME):
        return []
    return [Path(text) for text in json.loads(bytes(data.data(MIME).data()))]


def paint_thumbnail(painter: QPainter, rect: QRectF, image: QImage | None) -> None:
    """A rounded thumbnail; a plain tile while it is made, a cross where it cannot be read."""
    painter.setPen(Qt.PenStyle.NoPen)
    if image is None or image.isNull():
        painter.setBrush(theme().color("raised"))
        painter.drawRoundedRect(rect, RADIUS, RADIUS)
        if image is not None:
            icon = theme().pixmap("error", "bad", 20)
            painter.drawPixmap(rect.center().toPoint() - QPoint(10, 10), icon)
        return
    brush = QBrush(image)
    scale = max(rect.width() / image.width(), rect.height() / image.height())
    brush.setTransform(QTransform.fromTranslate(rect.x(), rect.y()).scale(scale, scale))
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.setBrush(brush)
    painter.drawRoundedRect(rect, RADIUS, RADIUS)
