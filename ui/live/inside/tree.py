"""The layers of networks as a tree: groups open, every row with its shape and parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from PySide6.QtCore import (
    QAbstractItemModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeView,
)

from playground.messages import PortId
from ui.builder.numbers import scaled
from ui.live.inside.layers import Layers, Row
from ui.theme import theme

ROW, INDENT = 38, 14
NOWHERE = -1
_Index = QModelIndex | QPersistentModelIndex


@dataclass(slots=True)
class _Item:
    """A row with where it stands; ``network`` is the one that it belongs to."""

    row: Row
    network: int
    parent: int
    place: int
    children: list[int] = field(default_factory=list)


class LayerModel(QAbstractItemModel):
    """The rows of some networks; several stand under their titles."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._items: list[_Item] = []
        self._tops: list[int] = []

    def show_networks(self, networks: Sequence[Layers]) -> None:
        self.beginResetModel()
        self._items, self._tops = [], []
        for number, network in enumerate(networks):
            if len(networks) == 1:
                self._tops = self._add(network.rows, number, NOWHERE)
                continue
            title = Row("", network.title, "Network", "group", "", network.parameters, None)
            (top,) = self._add([title], number, NOWHERE, len(self._tops))
            self._tops.append(top)
            self._items[top].children = self._add(network.rows, number, top)
        self.endResetModel()

    def _add(self, rows: Sequence[Row], network: int, parent: int, first: int = 0) -> list[int]:
        numbers = []
        for place, row in enumerate(rows, start=first):
            number = len(self._items)
            numbers.append(number)
            self._items.append(_Item(row, network, parent, place))
            self._items[number].children = self._add(row.rows, network, number)
        return numbers

    def row_at(self, index: _Index) -> Row | None:
        return self._items[index.internalId()].row if index.isValid() else None

    def network_at(self, index: _Index) -> int:
        """Of which of the networks a row is."""
        return self._items[index.internalId()].network if index.isValid() else 0

    def find(self, port: PortId | None) -> QModelIndex:
        """The row of a layer; an invalid index where there is none."""
        for number, item in enumerate(self._items):
            if port is not None and item.row.port is not None and item.row.place == port[0]:
                return self.createIndex(item.place, 0, number)
        return QModelIndex()

    def index(self, row: int, column: int, parent: _Index = QModelIndex()) -> QModelIndex:  # noqa: B008
        numbers = self._numbers(parent)
        if column == 0 and 0 <= row < len(numbers):
            return self.createIndex(row, 0, numbers[row])
        return QModelIndex()

    def parent(self, index: _Index = QModelIndex()) -> QModelIndex:  # type: ignore[override]  # noqa: B008
        number = self._items[index.internalId()].parent if index.isValid() else NOWHERE
        if number == NOWHERE:
            return QModelIndex()
        return self.createIndex(self._items[number].place, 0, number)

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        return len(self._numbers(parent))

    def columnCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        return 1

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        row = self.row_at(index)
        if row is None:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return row.name
        if role in (Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole):
            parts = (row.name, row.layer, row.shape, parameters_text(row.parameters))
            return ", ".join(part for part in parts if part)
        return None

    def _numbers(self, parent: _Index) -> list[int]:
        return self._items[parent.internalId()].children if parent.isValid() else self._tops


def parameters_text(count: int) -> str:
    """``1.2 k parameters``; nothing for none."""
    return f"{scaled(count, '').strip()} parameters" if count else ""


class LayerDelegate(QStyledItemDelegate):
    """Strip, name and parameters, and under them the layer with its shape."""

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        return QSize(80, ROW)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        model, look = index.model(), theme()
        row = model.row_at(index) if isinstance(model, LayerModel) else None
        if row is None:
            return
        area, state = QRectF(option.rect), option.state
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        if state & (QStyle.StateFlag.State_Selected | QStyle.StateFlag.State_MouseOver):
            chosen = state & QStyle.StateFlag.State_Selected
            painter.setBrush(look.color("pressed" if chosen else "raised"))
            painter.drawRoundedRect(area.adjusted(0, 1, 0, -1), 6, 6)
        painter.setBrush(look.family(row.family))
        painter.drawRoundedRect(QRectF(area.left() + 6, area.top() + 8, 3, ROW - 16), 1.5, 1.5)
        room = area.adjusted(17, 3, -8, -3)
        right, left = Qt.AlignmentFlag.AlignRight, Qt.AlignmentFlag.AlignLeft
        top, bottom = Qt.AlignmentFlag.AlignTop, Qt.AlignmentFlag.AlignBottom
        count = scaled(row.parameters, "").strip() if row.parameters else ""
        painter.setFont(look.font(12))
        painter.setPen(look.color("text2"))
        painter.drawText(room, top | right, count)
        wide = painter.fontMetrics().horizontalAdvance(count) + 8 if count else 0
        painter.setFont(look.font(13, 500))
        painter.setPen(look.color("text"))
        _draw(painter, row.name, room.adjusted(0, 0, -wide, 0), top | left)
        painter.setFont(look.mono(10.5))
        painter.setPen(look.color("text2"))
        line = f"{row.layer} · {row.shape}" if row.shape else row.layer
        _draw(painter, line, room, bottom | left)
        painter.restore()


class LayerTree(QTreeView):
    """``chosen`` carries the port of the layer that a person turned to, ``opened`` that of the one
    that was double-clicked."""

    chosen = Signal(object)
    opened = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.layers = LayerModel(self)
        self.setModel(self.layers)
        self.setItemDelegate(LayerDelegate(self))
        self.setAccessibleName("Layers of the network")
        self.setHeaderHidden(True)
        self.setUniformRowHeights(True)
        self.setMouseTracking(True)
        self.setIndentation(INDENT)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._following = False
        self.selectionModel().currentChanged.connect(self._current_changed)
        self.activated.connect(self._activated)
        theme().changed.connect(self.viewport().update)

    def show_networks(self, networks: Sequence[Layers]) -> None:
        self._following = True
        self.layers.show_networks(networks)
        if len(networks) > 1:
            self.expandToDepth(0)
        self._following = False

    def follow(self, port: PortId | None) -> None:
        """Turn to the layer that is chosen elsewhere."""
        index = self.layers.find(port)
        if index.isValid() and index != self.currentIndex():
            self._following = True
            self.setCurrentIndex(index)
            self.scrollTo(index)
            self._following = False

    def drawBranches(self, painter: QPainter, rect: QRect, index: _Index) -> None:
        if self.layers.rowCount(index):
            icon = "chevron-down" if self.isExpanded(index) else "chevron-right"
            pixmap = theme().pixmap(icon, "text3", 12)
            top = rect.center().y() - 5
            painter.drawPixmap(rect.right() - 12, top, pixmap)

    @Slot(QModelIndex, QModelIndex)
    def _current_changed(self, index: QModelIndex, _before: QModelIndex) -> None:
        row = self.layers.row_at(index)
        if row is not None and not self._following:
            self.chosen.emit(row.port)

    @Slot(QModelIndex)
    def _activated(self, index: QModelIndex) -> None:
        row = self.layers.row_at(index)
        if row is not None and row.port is not None and not row.rows:
            self.opened.emit(row.port)


def _draw(painter: QPainter, text: str, room: QRectF, how: Qt.AlignmentFlag) -> None:
    elided = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, int(room.width()))
    painter.drawText(room, how, elided)
