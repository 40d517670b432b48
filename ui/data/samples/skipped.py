"""The files and rows that were left out of the data, with the reason of each."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from playground.data.dataset import Dataset
from ui.widgets import Button, label

LISTED = 5000


def left_out(dataset: Dataset) -> list[tuple[str, str]]:
    """(name, reason) of what was skipped on opening, then of what could not be read since."""
    found = [(item.name, item.reason) for item in dataset.skipped]
    for index, reason in sorted(dataset.unreadable.reasons().items()):
        caption = dataset.captions[index] if index < len(dataset.captions) else ""
        found.append((caption or f"sample {index + 1:,}", reason))
    return found


def told(count: int) -> str:
    """The sentence that leads to the list; "" for none."""
    if not count:
        return ""
    return "1 file or row was skipped" if count == 1 else f"{count:,} files or rows were skipped"


class SkippedDialog(QDialog):
    """What was left out, as a list that can be copied."""

    def __init__(self, dataset: Dataset, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Skipped")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(720, 440)
        self._found = left_out(dataset)
        shown = self._found[:LISTED]
        self.table = QTableWidget(len(shown), 2)
        self.table.setAccessibleName("What was skipped")
        self.table.setHorizontalHeaderLabels(["File or row", "Why"])
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setShowGrid(False)
        self.table.verticalHeader().hide()
        header = self.table.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        header.resizeSection(0, 240)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        for row, (name, reason) in enumerate(shown):
            for place, text in enumerate((name, reason)):
                item = QTableWidgetItem(text)
                item.setToolTip(text)
                self.table.setItem(row, place, item)
        more = len(self._found) - len(shown)
        text = f"{told(len(self._found))}; the others are used."
        text += f" The first {len(shown):,} are listed." if more else ""
        copy, close = Button("Copy the list", "copy"), Button("Close")
        copy.clicked.connect(self._copy)
        close.clicked.connect(self.accept)
        close.setDefault(True)
        buttons = QHBoxLayout()
        buttons.addWidget(copy)
        buttons.addStretch(1)
        buttons.addWidget(close)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(12)
        column.addWidget(label(text, "second", wrap=True))
        column.addWidget(self.table, 1)
        column.addLayout(buttons)

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText("\n".join("\t".join(item) for item in self._found))
