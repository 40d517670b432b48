"""Everything that can be done, as a registry: menus, buttons, shortcuts and the command search come
from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QObject, Qt, Slot
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QAbstractButton, QMenu, QWidget

from models.registry import Registry
from ui.theme import theme


@dataclass(frozen=True)
class Action:
    """Something to do.

    ``shortcut`` is written as Qt writes it ("Ctrl+S"; several divided by "; "). It works in the
    whole window, or with the focus in ``scope``. ``menu`` names the menu that has it, "" for none.
    ``checked`` makes it a switch. ``keywords`` are found by the command search beside the text.
    """

    id: str
    text: str
    callback: Callable[[], object]
    shortcut: str = ""
    icon: str = ""
    menu: str = ""
    enabled: Callable[[], bool] | None = None
    checked: Callable[[], bool] | None = None
    scope: QWidget | None = None
    keywords: str = ""
    shown: str = ""
    """The key that a view itself listens for, to be shown beside the action."""

    @property
    def is_enabled(self) -> bool:
        return self.enabled is None or self.enabled()

    @property
    def keys(self) -> str:
        """The first shortcut as this system writes it."""
        keys = QKeySequence.listFromString(self.shortcut or self.shown)
        return keys[0].toString(QKeySequence.SequenceFormat.NativeText) if keys else ""


class Actions(QObject):
    """The actions of a window. ``refresh`` is called after anything they depend on changed."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._registry: Registry[Action] = Registry("action")
        self._qactions: dict[str, QAction] = {}
        self._buttons: list[tuple[str, QAbstractButton]] = []
        theme().changed.connect(self._recolor)

    def add(self, actions: Iterable[Action]) -> None:
        for action in actions:
            self._registry.add(action)
            self._qactions[action.id] = self._qaction(action)

    def get(self, id: str) -> Action:
        """Raises ``UnknownEntry``."""
        return self._registry.get(id)

    def list(self) -> tuple[Action, ...]:
        return self._registry.list()

    def qaction(self, id: str) -> QAction:
        return self._qactions[self.get(id).id]

    def trigger(self, id: str) -> None:
        """Do it, if it can be done at present."""
        action = self.get(id)
        if action.is_enabled:
            action.callback()

    def bind(self, button: QAbstractButton, id: str) -> None:
        """Let a button do the action, be enabled with it and name its shortcut."""
        action = self.get(id)
        button.clicked.connect(self._qactions[id].trigger)
        tip = f"{action.text}  {action.keys}" if action.keys else action.text
        button.setToolTip(tip)
        button.setAccessibleName(action.text)
        self._buttons.append((id, button))

    def menu(self, names: Sequence[str], submenus: Sequence[str], parent: QWidget) -> QMenu:
        """A menu with the actions of the menus ``names``, divided by lines, and ``submenus`` after
        the first of them.

        It is filled each time it opens, so that actions added later are in it.
        """
        menu = QMenu(parent)

        def fill() -> None:
            menu.clear()
            self.refresh()
            for index, name in enumerate(names):
                if index:
                    menu.addSeparator()
                if index == 1:
                    for title in submenus:
                        self._fill(menu.addMenu(title), title)
                    menu.addSeparator()
                self._fill(menu, name)

        menu.aboutToShow.connect(fill)
        return menu

    def _fill(self, menu: QMenu, name: str) -> None:
        menu.addActions([self._qactions[a.id] for a in self.list() if a.menu == name])

    @Slot()
    def refresh(self) -> None:
        """Enable, disable and tick the actions as things are now."""
        for action in self.list():
            qaction, enabled = self._qactions[action.id], action.is_enabled
            if qaction.isEnabled() != enabled:
                qaction.setEnabled(enabled)
            if action.checked is not None:
                qaction.setChecked(action.checked())
        for id, button in self._buttons:
            button.setEnabled(self._qactions[id].isEnabled())

    def _qaction(self, action: Action) -> QAction:
        text = f"{action.text}\t{action.shown}" if action.shown else action.text
        result = QAction(text, self)
        result.setObjectName(action.id)
        if action.icon:
            result.setIcon(theme().icon(action.icon))
        if action.checked is not None:
            result.setCheckable(True)
        if action.shortcut:
            result.setShortcuts(QKeySequence.listFromString(action.shortcut))
        if action.scope is not None:
            result.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        (action.scope or self._window).addAction(result)
        result.triggered.connect(self._triggered)
        return result

    @Slot()
    def _triggered(self) -> None:
        sender = self.sender()
        if isinstance(sender, QAction):
            self.trigger(sender.objectName())

    @Slot()
    def _recolor(self) -> None:
        for action in self.list():
            if action.icon:
                self._qactions[action.id].setIcon(theme().icon(action.icon))
