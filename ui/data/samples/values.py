"""The numbers of a tensor: a table of one of its planes, of which only what is seen is written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal, Slot
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QFrame,
    QGridLayout,
    QHeaderView,
    QSlider,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from models.axes import Kind
from playground.messages import Array
from ui.insight.colormaps import levels
from ui.insight.column import token_colour
from ui.insight.ticks import number
from ui.theme import blend, theme
from ui.widgets import label

LEADING = {
    Kind.IMAGE: ("channel",),
    Kind.VIDEO: ("frame", "channel"),
    Kind.VOLUME: ("channel", "slice"),
}
"""The axes of which one index is chosen; the last two (or one) are the table's."""
BETWEEN = ("frame", "slice")
"""Axes that are entered in the middle, where there is most to see."""
CELL_WIDTH, CELL_HEIGHT = 66, 22
STRONGEST = 0.38

Index = QModelIndex | QPersistentModelIndex
_NOWHERE = QModelIndex()


def leading_axes(kind: Kind, array: Array) -> tuple[str, ...]:
    """The axes that the table shows one index of, outermost first."""
    names = LEADING.get(kind, ())
    extra = max(0, array.ndim - 2)
    return names if len(names) == extra else tuple(f"axis {i + 1}" for i in range(extra))


def written(value: Any) -> str:
    """A cell's text: whole numbers as they are, others with four decimals or digits."""
    if isinstance(value, (np.integer, int)):
        return f"{int(value)}".replace("-", "−")
    if value == 0 or 1e-3 <= abs(value) < 100:
        return f"{float(value):.4f}".replace("-", "−")
    return number(float(value), 4)


class PlaneModel(QAbstractTableModel):
    """Rows × columns of numbers, shaded by their size up to ``largest`` (None: not, as numbers that
    are names have no size): blue below zero, orange above."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._plane: Array = np.empty((0, 0))
        self._largest: float | None = 1.0
        self._rows: Sequence[str] = ()
        self._columns: Sequence[str] = ()

    @property
    def plane(self) -> Array:
        return self._plane

    def show(
        self,
        plane: Array,
        largest: float | None,
        rows: Sequence[str] = (),
        columns: Sequence[str] = (),
    ) -> None:
        self.beginResetModel()
        self._plane, self._largest = plane, largest
        self._rows, self._columns = rows, columns
        self.endResetModel()

    def rowCount(self, parent: Index = _NOWHERE) -> int:
        return 0 if parent.isValid() else int(self._plane.shape[0])

    def columnCount(self, parent: Index = _NOWHERE) -> int:
        return 0 if parent.isValid() else int(self._plane.shape[1])

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        value = self._plane[index.row(), index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return written(value)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        if role == Qt.ItemDataRole.BackgroundRole:
            return self._shade(float(value))
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"{self._name(self._rows, index.row())}, " + (
                f"{self._name(self._columns, index.column())}: {float(value)!r}"
            )
        return None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        across = orientation == Qt.Orientation.Horizontal
        return self._name(self._columns if across else self._rows, section)

    @staticmethod
    def _name(names: Sequence[str], place: int) -> str:
        return names[place] if place < len(names) else str(place)

    def _shade(self, value: float) -> QColor | None:
        if not np.isfinite(value):
            return blend(theme().color("panel"), theme().color("warn"), STRONGEST)
        if self._largest is None:
            return None
        share = min(1.0, abs(value) / self._largest) * STRONGEST
        strong = token_colour("accent" if value < 0 else "recurrent")
        return blend(theme().color("panel"), strong, share)


class ValuesView(QWidget):
    """A tensor's shape, statistics, and numbers; sliders choose the channel, frame or slice.
    ``moved`` follows them."""

    moved = Signal()

    def __init__(self, name: str) -> None:
        super().__init__()
        self._array: Array = np.empty((0,))
        self._names: tuple[Sequence[str], Sequence[str]] = ((), ())
        self._axes: tuple[str, ...] = ()
        self._named = False
        self.setAccessibleName(name)
        self.shape = label("", "small", selectable=True)
        self.statistics = label("", "small", wrap=True, selectable=True)
        for text in (self.shape, self.statistics):
            text.setFont(theme().mono(11))
        self.sliders = [QSlider(Qt.Orientation.Horizontal) for _ in range(2)]
        self._titles = [label("", "small"), label("", "small")]
        self.model = PlaneModel(self)
        self.table = QTableView()
        self._dress_table(name)
        choosers = QGridLayout()
        choosers.setHorizontalSpacing(10)
        choosers.setVerticalSpacing(4)
        for row, (title, slider) in enumerate(zip(self._titles, self.sliders, strict=True)):
            slider.valueChanged.connect(self._show_plane)
            slider.valueChanged.connect(self.moved)
            title.setMinimumWidth(84)
            title.hide()
            slider.hide()
            choosers.addWidget(title, row, 0)
            choosers.addWidget(slider, row, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(self.shape)
        column.addWidget(self.statistics)
        column.addLayout(choosers)
        column.addWidget(self.table, 1)
        theme().changed.connect(self._restyle)

    def _dress_table(self, name: str) -> None:
        table = self.table
        table.setModel(self.model)
        table.setAccessibleName(f"Numbers: {name}")
        corner = table.findChild(QAbstractButton)
        if corner is not None:
            corner.setAccessibleName("Select all numbers")
        table.setFont(theme().mono(11))
        table.setShowGrid(False)
        table.setFrameShape(QFrame.Shape.NoFrame)
        table.setWordWrap(False)
        table.setMinimumHeight(8 * CELL_HEIGHT + 30)
        table.setSelectionMode(QAbstractItemView.SelectionMode.ContiguousSelection)
        table.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        for header, size in (
            (table.horizontalHeader(), CELL_WIDTH),
            (table.verticalHeader(), CELL_HEIGHT),
        ):
            header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
            header.setDefaultSectionSize(size)
            header.setMinimumSectionSize(CELL_HEIGHT)
            header.setHighlightSections(False)
            header.setFont(theme().mono(10.5))
        table.horizontalHeader().setFixedHeight(24)
        table.setStyleSheet(
            "QTableView::item { padding: 0 4px; } QHeaderView::section { padding: 2px 4px;"
            " border: none; font-weight: 400; }"
        )

    @property
    def array(self) -> Array:
        return self._array

    def show_tensor(
        self, kind: Kind, array: Array, rows: Sequence[str] = (), columns: Sequence[str] = ()
    ) -> None:
        """Show a sample's value without a batch axis; ``rows`` and ``columns`` name the table's."""
        self._array, self._names = np.asarray(array), (rows, columns)
        self._named = kind is Kind.TOKENS or self._array.dtype == np.int64
        self.shape.setText(f"{'×'.join(map(str, self._array.shape)) or '1'} · {self._array.dtype}")
        self.statistics.setText(statistics(self._array))
        self._axes = leading_axes(kind, self._array)[:2]
        for place, slider in enumerate(self.sliders):
            size = self._array.shape[place] if place < len(self._axes) else 1
            self._titles[place].setVisible(size > 1)
            slider.setVisible(size > 1)
            slider.blockSignals(True)
            if slider.maximum() != size - 1:
                slider.setRange(0, max(0, size - 1))
                between = place < len(self._axes) and self._axes[place] in BETWEEN
                slider.setValue(size // 2 if between else 0)
            slider.blockSignals(False)
            if place < len(self._axes):
                slider.setAccessibleName(self._axes[place].capitalize())
        self._show_plane()

    def place(self, axis: str) -> int | None:
        """Which frame or slice the table is of; None where there is no such axis."""
        return self.sliders[self._axes.index(axis)].value() if axis in self._axes else None

    @Slot()
    def _show_plane(self, *_: object) -> None:
        plane = self._array
        extra = max(0, plane.ndim - 2)
        for axis, title, slider in zip(self._axes, self._titles, self.sliders, strict=False):
            title.setText(f"{axis.capitalize()} {slider.value()}")
        for slider in self.sliders[:extra]:
            plane = plane[slider.value()] if len(plane) else plane[:0].reshape(0, 0)
        if plane.ndim < 2:
            plane = plane.reshape(-1, 1)
        low, high = levels(self._array)
        largest = max(abs(low), abs(high)) or 1.0
        self.model.show(plane, None if self._named else largest, *self._names)

    @Slot()
    def _restyle(self) -> None:
        self.model.layoutChanged.emit()


def statistics(array: Array) -> str:
    """Least, mean, greatest and standard deviation of the finite values, and how many are not."""
    values = np.asarray(array, np.float64)
    finite = values[np.isfinite(values)]
    if not finite.size:
        return "no finite values"
    parts = [
        f"{name} {number(float(value))}"
        for name, value in (
            ("min", finite.min()),
            ("mean", finite.mean()),
            ("max", finite.max()),
            ("std", finite.std()),
        )
    ]
    missing = values.size - finite.size
    return "  ".join(parts) + (f"  · {missing:,} not finite" if missing else "")
