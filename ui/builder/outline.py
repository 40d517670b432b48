"""The network as a list: every node along the way of the values, by name."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import (
    QAbstractListModel,
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QRectF,
    QSize,
    Qt,
    Slot,
)
from PySide6.QtGui import QPainter, QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from models.graph import Graph, Node
from models.layers import LAYERS
from models.shapes import NodeReport, Report
from ui.builder import commands
from ui.builder.level import level_of
from ui.session import Session
from ui.theme import theme
from ui.widgets import SearchField, label

ROW = 40
_Index = QModelIndex | QPersistentModelIndex


class OutlineModel(QAbstractListModel):
    """Nodes in the order of the values' way; asks for words only where a row is seen."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._graph, self._report = Graph(), Report({}, frozenset())
        self._text = ""
        self.ids: list[str] = []

    def show(self, graph: Graph, report: Report, text: str) -> None:
        """Show the nodes whose name or layer has every word of ``text``."""
        known = self._graph
        same = known.nodes.keys() == graph.nodes.keys() and known.edges is graph.edges
        self._graph, self._report = graph, report
        if same and text == self._text and not text:
            if self.ids:
                self.dataChanged.emit(self.index(0), self.index(len(self.ids) - 1))
            return
        self.beginResetModel()
        self._text = text
        ahead, looped = graph.order()
        words = text.lower().split()
        self.ids = [id for id in (*ahead, *looped) if _fits(graph.nodes[id], words)]
        self.endResetModel()

    def node(self, index: _Index) -> tuple[Node, NodeReport]:
        id = self.ids[index.row()]
        return self._graph.nodes[id], self._report.nodes[id]

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.ids)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        node, entry = self.node(index)
        if role == Qt.ItemDataRole.DisplayRole:
            return node.name
        if role in (Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole):
            return f"{node.name}, {second_line(node, entry)}"
        return None


class OutlineDelegate(QStyledItemDelegate):
    """Strip, name, and under it the layer with its shape or what is wrong."""

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        return QSize(80, ROW)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        model, look = index.model(), theme()
        if not isinstance(model, OutlineModel):
            return
        node, entry = model.node(index)
        layer = LAYERS.find(node.layer)
        area = QRectF(option.rect)
        state = option.state
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        if state & (QStyle.StateFlag.State_Selected | QStyle.StateFlag.State_MouseOver):
            chosen = state & QStyle.StateFlag.State_Selected
            painter.setBrush(look.color("pressed" if chosen else "raised"))
            painter.drawRoundedRect(area.adjusted(0, 1, 0, -1), 6, 6)
        painter.setBrush(look.family(layer.family if layer is not None else ""))
        painter.drawRoundedRect(QRectF(area.left() + 8, area.top() + 8, 3, ROW - 16), 1.5, 1.5)
        room = area.adjusted(20, 3, -8, -3)
        error = entry.problem is not None and entry.problem.level == "error"
        painter.setPen(look.color("text"))
        painter.setFont(look.font(13, 500))
        _draw(painter, node.name, room, Qt.AlignmentFlag.AlignTop)
        painter.setPen(look.color("bad" if error else "text2"))
        painter.setFont(look.font(12) if error else look.mono(10.5))
        _draw(painter, second_line(node, entry), room, Qt.AlignmentFlag.AlignBottom)
        painter.restore()


class Outline(QWidget):
    """Search and list; choosing a row selects the node and brings it into view."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._level = level_of(session)
        self.setAccessibleName("Outline")
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 10, 10, 4)
        column.setSpacing(4)
        self.field = SearchField("Find a node")
        self.model = OutlineModel(self)
        self.list = QListView()
        self.list.setModel(self.model)
        self.list.setItemDelegate(OutlineDelegate(self.list))
        self.list.setUniformItemSizes(True)
        self.list.setMouseTracking(True)
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setAccessibleName("Nodes")
        self.nothing = label("There are no nodes yet.", "second", wrap=True)
        self.nothing.setContentsMargins(8, 8, 8, 8)
        for widget in (self.field, self.nothing):
            column.addWidget(widget)
        column.addWidget(self.list, 1)
        self._following = False
        self.field.textChanged.connect(self.refresh)
        self.list.selectionModel().selectionChanged.connect(self._chosen)
        self.list.activated.connect(self._activated)
        self._level.graph_changed.connect(self.refresh)
        self._level.selection_changed.connect(self._follow)
        theme().changed.connect(self.list.viewport().update)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()

    @Slot()
    def refresh(self) -> None:
        """Show the network that is on the canvas, while somebody looks."""
        if not self.isVisible():
            return
        self._following = True
        self.model.show(self._level.graph, self._level.report, self.field.text())
        self._following = False
        empty = not self.model.ids
        searched = bool(self._level.graph.nodes)
        self.nothing.setText("No node fits." if searched else "There are no nodes yet.")
        self.nothing.setVisible(empty)
        self._follow()

    @Slot()
    def _follow(self) -> None:
        """Take over the selection."""
        if not self.isVisible():
            return
        self._following = True
        chosen = set(self._level.selection)
        selection = QItemSelection()
        rows = [row for row, id in enumerate(self.model.ids) if id in chosen]
        for first, last in _runs(rows):
            selection.select(self.model.index(first), self.model.index(last))
        self.list.selectionModel().select(
            selection, QItemSelectionModel.SelectionFlag.ClearAndSelect
        )
        if rows and not self.list.hasFocus():
            self.list.scrollTo(self.model.index(rows[0]))
        self._following = False

    @Slot()
    def _chosen(self) -> None:
        if self._following:
            return
        rows = sorted(index.row() for index in self.list.selectionModel().selectedIndexes())
        ids = [self.model.ids[row] for row in rows]
        self._level.select(ids)
        if len(ids) == 1:
            self._level.show(ids[0])

    @Slot(QModelIndex)
    def _activated(self, index: QModelIndex) -> None:
        self._level.show(self.model.ids[index.row()])

    def keyPressEvent(self, event: object) -> None:
        if getattr(event, "key", int)() == Qt.Key.Key_Delete:
            commands.delete(self._level, self._level.selection)


def second_line(node: Node, entry: NodeReport) -> str:
    """The layer and what leaves it, or what is wrong."""
    if entry.problem is not None and entry.problem.level == "error":
        return entry.problem.message[:1].upper() + entry.problem.message[1:]
    layer = LAYERS.find(node.layer)
    name = layer.name if layer is not None else f"unknown layer {node.layer}"
    shape = next(iter(entry.outputs.values()), None)
    return f"{name} · {shape}" if shape is not None else name


def _fits(node: Node, words: Sequence[str]) -> bool:
    layer = LAYERS.find(node.layer)
    text = f"{node.name} {node.layer} {layer.name if layer is not None else ''}".lower()
    return all(word in text for word in words)


def _runs(rows: Sequence[int]) -> list[tuple[int, int]]:
    """Consecutive rows as (first, last)."""
    runs: list[tuple[int, int]] = []
    for row in rows:
        if runs and runs[-1][1] == row - 1:
            runs[-1] = (runs[-1][0], row)
        else:
            runs.append((row, row))
    return runs


def _draw(painter: QPainter, text: str, room: QRectF, vertical: Qt.AlignmentFlag) -> None:
    elided = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, int(room.width()))
    painter.drawText(room, vertical | Qt.AlignmentFlag.AlignLeft, elided)
