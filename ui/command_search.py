"""Ctrl+K: every action by a few letters of its name."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPoint, QSize, Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from ui.actions import Action, Actions
from ui.theme import theme
from ui.widgets import SearchField, label

WIDTH, ROW_HEIGHT, MOST_ROWS = 560, 34, 10


class CommandSearch(QFrame):
    """A field over the window: the actions that fit what is typed; Enter does the chosen one."""

    closed = Signal()

    def __init__(self, window: QWidget, actions: Actions) -> None:
        super().__init__(window)
        self._window, self._actions = window, actions
        self.setProperty("kind", "float")
        self.setAccessibleName("Search actions")
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.setSpacing(6)
        self.field = SearchField("What do you want to do?")
        self.rows = QListWidget()
        self.rows.setAccessibleName("Actions found")
        self.rows.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.rows.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.nothing = label("No action fits.", "second")
        column.addWidget(self.field)
        column.addWidget(self.rows)
        column.addWidget(self.nothing)
        self.field.textChanged.connect(self._find)
        self.field.installEventFilter(self)
        self.rows.itemClicked.connect(self._do)
        self.hide()

    @Slot()
    def open(self) -> None:
        """Show the field, empty, in the middle of the window's upper part."""
        self._actions.refresh()
        self.field.clear()
        self._find("")
        self._place()
        self.show()
        self.raise_()
        self.field.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            match event.key():
                case Qt.Key.Key_Escape:
                    self._close()
                    return True
                case Qt.Key.Key_Down | Qt.Key.Key_Up:
                    down = event.key() == Qt.Key.Key_Down
                    count = max(1, self.rows.count())
                    self.rows.setCurrentRow((self.rows.currentRow() + (1 if down else -1)) % count)
                    return True
                case Qt.Key.Key_Return | Qt.Key.Key_Enter:
                    if self.rows.currentItem() is not None:
                        self._do(self.rows.currentItem())
                    return True
        if event.type() == QEvent.Type.FocusOut and self.isVisible():
            self._close()
        return super().eventFilter(watched, event)

    def _place(self) -> None:
        shown = min(MOST_ROWS, self.rows.count())
        self.rows.setFixedHeight(shown * ROW_HEIGHT + (2 if shown else 0))
        self.rows.setVisible(shown > 0)
        self.nothing.setVisible(shown == 0)
        width = min(WIDTH, self._window.width() - 32)
        self.setFixedWidth(width)
        self.adjustSize()
        self.move(QPoint((self._window.width() - width) // 2, 60))

    def _close(self) -> None:
        self.hide()
        self.closed.emit()

    @Slot(str)
    def _find(self, text: str) -> None:
        self.rows.clear()
        for action in found(text, self._actions.list()):
            item = QListWidgetItem(self.rows)
            item.setData(Qt.ItemDataRole.UserRole, action.id)
            item.setData(Qt.ItemDataRole.AccessibleTextRole, action.text)
            item.setSizeHint(QSize(0, ROW_HEIGHT))
            self.rows.setItemWidget(item, _Row(action))
        self.rows.setCurrentRow(0)
        self._place()

    @Slot(QListWidgetItem)
    def _do(self, item: QListWidgetItem) -> None:
        id = item.data(Qt.ItemDataRole.UserRole)
        self._close()
        self._actions.trigger(id)


class _Row(QWidget):
    def __init__(self, action: Action) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 0, 10, 0)
        row.setSpacing(10)
        picture = label()
        picture.setFixedWidth(16)
        if action.icon:
            picture.setPixmap(theme().pixmap(action.icon))
        row.addWidget(picture)
        row.addWidget(label(action.text))
        row.addStretch()
        if action.menu:
            row.addWidget(label(action.menu, "third"))
        if action.keys:
            row.addWidget(label(action.keys, "second"))


def found(text: str, actions: tuple[Action, ...]) -> list[Action]:
    """The enabled actions that fit ``text``, the best first."""
    words = text.lower().split()
    ranked = []
    for place, action in enumerate(actions):
        if not action.is_enabled:
            continue
        ranks = [_rank(word, action) for word in words]
        if None not in ranks:
            ranked.append((sum(r for r in ranks if r is not None), place, action))
    return [action for _, _, action in sorted(ranked, key=lambda entry: entry[:2])]


def _rank(word: str, action: Action) -> int | None:
    """0 where a word of the text begins with it, up to 3 for scattered letters; None for no."""
    text = action.text.lower()
    if any(part.startswith(word) for part in text.split()):
        return 0
    if word in text:
        return 1
    if word in f"{action.keywords} {action.menu}".lower():
        return 2
    letters = iter(text)
    return 3 if all(letter in letters for letter in word) else None
