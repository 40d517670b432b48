"""The columns of a table as rows of a list: name, use, type, figures, and how the values spread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import (
    QAbstractItemModel,
    QAbstractTableModel,
    QModelIndex,
    QPersistentModelIndex,
    QRectF,
    QSize,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHeaderView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from playground.data.columns import ColumnPreview
from ui.theme import theme

Index = QModelIndex | QPersistentModelIndex
ROW_HEIGHT = 28
CELL_WIDTH = 120
_ROOT = QModelIndex()
BARS = Qt.ItemDataRole.UserRole + 1

USES = {
    "feature": "Learn from",
    "target": "Predict",
    "time": "Time",
    "group": "Group",
    "ignore": "Leave out",
}
KINDS = {"number": "Number", "category": "Category", "date": "Date", "text": "Text"}
FILLINGS = {
    "": "As all",
    "fill": "Mean",
    "median": "Median",
    "0": "0",
    "drop": "Leave rows out",
}
SCALINGS = {"": "As all", "standardize": "Mean 0", "range": "0 to 1", "none": "None"}


@dataclass(frozen=True, slots=True)
class Field:
    """A column of the list: what its heading says, how wide it is, and what can be chosen."""

    id: str
    title: str
    width: int
    choices: Mapping[str, str] | None = None
    tip: str = ""


FIELDS = (
    Field("name", "Column", 108),
    Field("role", "Use", 116, USES, "What the column is for"),
    Field("type", "Type", 104, KINDS, "What the column holds"),
    Field("missing", "Missing", 58),
    Field("different", "Different", 70),
    Field("values", "Values", 146),
    Field("bars", "Spread", 70),
    Field("filling", "If missing", 140, FILLINGS, "For numbers: what stands where one is missing"),
    Field("scaling", "Scaling", 104, SCALINGS, "For numbers: fitted on the training rows"),
)
PLACES = {field.id: place for place, field in enumerate(FIELDS)}


def figures(column: ColumnPreview) -> str:
    """What a column's values are, in a few words."""
    if column.low is not None and column.high is not None and column.mean is not None:
        if column.low == column.high:
            return f"always {column.low:.6g}"
        return f"{column.low:.4g} … {column.high:.4g}, mean {column.mean:.4g}"
    if column.first:
        return f"{column.first} … {column.last}" if column.last != column.first else column.first
    if not column.commonest:
        return "empty"
    return ", ".join(f"{text[:24]} {count:,}×" for text, count in column.commonest)


class ColumnsModel(QAbstractTableModel):
    """A row for each column of the table. ``chosen`` tells the name, the field and its value."""

    chosen = Signal(str, str, str)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.columns: Sequence[ColumnPreview] = ()
        self._set: Mapping[str, Mapping[str, str]] = {}

    def show(
        self, columns: Sequence[ColumnPreview], settings: Mapping[str, Mapping[str, str]]
    ) -> None:
        """Show ``columns`` with, for each field that is chosen, the value of each column."""
        if [column.name for column in columns] == [column.name for column in self.columns]:
            self.columns, self._set = columns, settings
            last = self.index(len(columns) - 1, len(FIELDS) - 1)
            self.dataChanged.emit(self.index(0, 0), last)
            return
        self.beginResetModel()
        self.columns, self._set = columns, settings
        self.endResetModel()

    def rowCount(self, parent: Index = _ROOT) -> int:
        return 0 if parent.isValid() else len(self.columns)

    def columnCount(self, parent: Index = _ROOT) -> int:
        return 0 if parent.isValid() else len(FIELDS)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation is not Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return FIELDS[section].title
        return FIELDS[section].tip or None if role == Qt.ItemDataRole.ToolTipRole else None

    def value(self, row: int, field: Field) -> str:
        return self._set.get(field.id, {}).get(self.columns[row].name, "")

    def flags(self, index: Index) -> Qt.ItemFlag:
        usual = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        field = FIELDS[index.column()]
        if field.choices is None or not self._applies(index.row(), field):
            return usual
        return usual | Qt.ItemFlag.ItemIsEditable

    def _applies(self, row: int, field: Field) -> bool:
        """Whether a field can be chosen: filling and scaling are for numbers that are learned."""
        if field.id not in ("filling", "scaling"):
            return True
        name = self.columns[row].name
        role, type = self._set.get("role", {}).get(name), self._set.get("type", {}).get(name)
        return role == "feature" and type in ("number", "date")

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        field, column = FIELDS[index.column()], self.columns[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(index.row(), field, column)
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"{column.name}: {figures(column)}" if field.choices is None else field.tip
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{column.name}, {field.title}: {self._text(index.row(), field, column)}"
        if role == Qt.ItemDataRole.EditRole:
            return self.value(index.row(), field)
        if role == Qt.ItemDataRole.ForegroundRole:
            return self._color(index.row(), field, column)
        if role == Qt.ItemDataRole.TextAlignmentRole and field.id in ("missing", "different"):
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return column.bars if role == BARS else None

    def _color(self, row: int, field: Field, column: ColumnPreview) -> Any:
        if field.id == "role" and self.value(row, field) == "target":
            return theme().color("accent")
        out = self._set.get("role", {}).get(column.name) == "ignore" and field.id != "role"
        return theme().color("text3" if out else "text")

    def _text(self, row: int, field: Field, column: ColumnPreview) -> str:
        if field.choices is not None:
            if not self._applies(row, field):
                return ""
            value = self.value(row, field)
            return f"{field.choices.get(value, value)}  ▾"
        return {
            "name": column.name,
            "missing": f"{column.missing:,}" if column.missing else "–",
            "different": f"{column.different:,}",
            "values": figures(column),
        }.get(field.id, "")

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        field = FIELDS[index.column()]
        if role != Qt.ItemDataRole.EditRole or value == self.value(index.row(), field):
            return False
        self.chosen.emit(self.columns[index.row()].name, field.id, str(value))
        return True


class _Choice(QStyledItemDelegate):
    """A box of the field's choices, while one is being made."""

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:
        box = QComboBox(parent)
        field = FIELDS[index.column()]
        for value, text in (field.choices or {}).items():
            box.addItem(text, value)
        box.setAccessibleName(f"{field.title} of {index.model().index(index.row(), 0).data()}")
        box.activated.connect(self._picked)
        return box

    def setEditorData(self, editor: QWidget, index: Index) -> None:
        assert isinstance(editor, QComboBox)
        value = index.data(Qt.ItemDataRole.EditRole)
        if editor.findData(value) < 0:
            editor.addItem(value, value)
        editor.setCurrentIndex(editor.findData(value))

    def setModelData(self, editor: QWidget, model: QAbstractItemModel, index: Index) -> None:
        assert isinstance(editor, QComboBox)
        model.setData(index, editor.currentData())

    @Slot()
    def _picked(self, *_: object) -> None:
        box = self.sender()
        if isinstance(box, QWidget):
            self.commitData.emit(box)
            self.closeEditor.emit(box)


class _Bars(QStyledItemDelegate):
    """A small histogram."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        super().paint(painter, option, index)
        bars = index.data(BARS) or ()
        if not bars:
            return
        area = QRectF(option.rect).adjusted(6, 5, -6, -5)
        width, most = area.width() / max(len(bars), 8), max(bars)
        color = theme().color("accent")
        color.setAlphaF(0.75)
        for place, count in enumerate(bars):
            height = max(1.0, area.height() * count / most) if count else 0.0
            left = area.left() + place * width
            painter.fillRect(QRectF(left, area.bottom() - height, width - 1, height), color)

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(FIELDS[PLACES["bars"]].width, ROW_HEIGHT)


class ColumnsView(QTableView):
    """The list. A click, Enter or F2 on a use, a type … opens its choices."""

    def __init__(self) -> None:
        super().__init__()
        self.columns = ColumnsModel(self)
        self.setModel(self.columns)
        self.setAccessibleName("Columns of the table")
        dress(self)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(
            QAbstractItemView.EditTrigger.EditKeyPressed
            | QAbstractItemView.EditTrigger.AnyKeyPressed
        )
        self._choice, self._bars = _Choice(self), _Bars(self)
        for place, field in enumerate(FIELDS):
            self.setColumnWidth(place, field.width)
            if field.choices is not None:
                self.setItemDelegateForColumn(place, self._choice)
        self.setItemDelegateForColumn(PLACES["bars"], self._bars)
        self.clicked.connect(self._open)
        self.activated.connect(self._open)
        theme().changed.connect(self.viewport().update)

    @Slot(QModelIndex)
    def _open(self, index: QModelIndex) -> None:
        if not index.flags() & Qt.ItemFlag.ItemIsEditable:
            return
        if self.state() is not QAbstractItemView.State.EditingState:
            self.edit(index)
        box = self.indexWidget(index)
        if isinstance(box, QComboBox) and not box.view().isVisible():
            box.showPopup()


def dress(view: QTableView) -> None:
    """The looks that the two lists share."""
    view.setShowGrid(False)
    view.setAlternatingRowColors(True)
    view.setWordWrap(False)
    view.verticalHeader().hide()
    view.horizontalHeader().setDefaultSectionSize(CELL_WIDTH)
    view.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
    view.verticalHeader().setDefaultSectionSize(ROW_HEIGHT)
    view.horizontalHeader().setDefaultAlignment(
        Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
    )
    view.horizontalHeader().setHighlightSections(False)
    view.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
