"""The list of keyboard shortcuts."""

from __future__ import annotations

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QDialog, QGridLayout, QVBoxLayout, QWidget

from ui.actions import Actions
from ui.widgets import label, scrolled

COLUMNS = 2
GESTURES = (
    ("Double click on the canvas", "search a layer and place it"),
    ("Double click or Enter on a group", "open it; Esc leads back"),
    ("Drag a layer onto an edge", "splice it into the edge"),
    ("Drag from port to port", "connect"),
    ("Ctrl and mouse wheel, or pinch", "zoom"),
    ("Mouse wheel", "scroll"),
    ("Tab, arrows on the canvas", "go from node to node, move it"),
    ("Alt and drag a node", "leave a copy"),
    ("Middle button, or Space and drag", "move the view"),
    ("Double click on a panel's header", "maximise or restore the panel"),
    ("Up and Down in a number", "one step; with Shift ten"),
)


class ShortcutHelp(QDialog):
    """Every shortcut and gesture; made anew each time, so that it is complete."""

    def __init__(self, window: QWidget, actions: Actions) -> None:
        super().__init__(window)
        self._actions = actions
        self.setWindowTitle("Keyboard shortcuts")
        self.setAccessibleName("Keyboard shortcuts")
        self.resize(820, 560)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(8, 8, 8, 8)

    @Slot()
    def open(self) -> None:
        while (item := self._column.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        self._column.addWidget(scrolled(self._content()))
        self.show()
        self.raise_()

    def _content(self) -> QWidget:
        content = QWidget()
        grid = QGridLayout(content)
        grid.setContentsMargins(20, 16, 20, 16)
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(8)
        entries = [(action.keys, action.text) for action in self._actions.list() if action.keys]
        entries += GESTURES
        rows = -(-len(entries) // COLUMNS)
        for index, (keys, text) in enumerate(entries):
            row, column = index % rows, 2 * (index // rows)
            name = label(keys, "title")
            name.setWordWrap(True)
            grid.addWidget(name, row, column, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(label(text, "second", wrap=True), row, column + 1)
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(3, 1)
        grid.setRowStretch(rows, 1)
        return content
