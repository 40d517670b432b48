"""Keys that record: a digit for each class, Space for the chosen one."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QLineEdit, QWidget

from ui.data.record.cards import KEYS
from ui.data.record.classes import ClassColumn
from ui.data.record.library import Library


class RecordKeys(QObject):
    """The keys of ``area`` and all that is in it, before the window's own shortcuts.

    ``held`` carries the class that a key records for as long as it is down; ``let_go`` when it is
    not any more, or when the keys go elsewhere; ``stopped`` is Escape. F2 renames the chosen class,
    and Ctrl Z takes the last change of the samples back.
    """

    held = Signal(str)
    let_go = Signal()
    stopped = Signal()

    def __init__(self, area: QWidget, classes: ClassColumn, library: Library) -> None:
        super().__init__(classes)
        self._area, self._classes, self._library = area, classes, library
        self._key: int | None = None
        self.enabled = True
        area.installEventFilter(self)

    def look(self) -> None:
        """Let go where the focus went elsewhere with the key down: call it while recording."""
        if self._key is not None and not self._has_focus():
            self.release()

    def forget(self) -> None:
        """Nothing is held any more, and nobody need be told."""
        self._key = None

    def release(self) -> None:
        if self._key is not None:
            self._key = None
            self.let_go.emit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if kind == QEvent.Type.WindowDeactivate:
            self.release()
        elif not self.enabled or not isinstance(event, QKeyEvent):
            return False
        elif kind == QEvent.Type.ShortcutOverride:
            if _undo(event) or self._class_of(event):
                event.accept()
                return True
        elif kind == QEvent.Type.KeyPress:
            return self._pressed(event)
        elif kind == QEvent.Type.KeyRelease and event.key() == self._key:
            if not event.isAutoRepeat():
                self.release()
            return True
        return False

    def _pressed(self, event: QKeyEvent) -> bool:
        name = self._class_of(event)
        if undo := _undo(event):
            (self._library.undo if undo == "undo" else self._library.redo)()
        elif event.key() == Qt.Key.Key_F2:
            card = self._classes.card(self._classes.chosen)
            if card is not None:
                card.edit_name()
        elif event.key() == Qt.Key.Key_Escape:
            self.stopped.emit()
            return False  # it may also end something else
        elif name and not event.isAutoRepeat():
            card = self._classes.card(name)
            if self._key is None and card is not None and card.hold.isEnabled():
                self._key = event.key()
                self._classes.choose(name)
                self.held.emit(name)
        elif not name:
            return False
        return True

    def _has_focus(self) -> bool:
        widget = self._area.window().focusWidget()
        return widget is self._area or (widget is not None and self._area.isAncestorOf(widget))

    def _class_of(self, event: QKeyEvent) -> str:
        """The class that a key records: that of a digit, or for Space the chosen one."""
        keypad = Qt.KeyboardModifier.KeypadModifier
        if event.modifiers() & ~keypad or isinstance(self._area.window().focusWidget(), QLineEdit):
            return ""
        if event.key() == Qt.Key.Key_Space:
            return self._classes.chosen
        index = KEYS.find(event.text()) if event.text() else _digit(event.key())
        names = [card.name for card in self._classes.cards]
        return names[index] if 0 <= index < len(names) else ""


def _digit(key: int) -> int:
    return KEYS.find(chr(key)) if Qt.Key.Key_0 <= key <= Qt.Key.Key_9 else -1


def _undo(event: QKeyEvent) -> str:
    if event.matches(QKeySequence.StandardKey.Undo):
        return "undo"
    control = Qt.KeyboardModifier.ControlModifier
    again = event.key() == Qt.Key.Key_Y and event.modifiers() == control
    return "redo" if again or event.matches(QKeySequence.StandardKey.Redo) else ""
