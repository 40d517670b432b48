"""Which series of a table is drawn, where its rows belong to several."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox

MOST = 200
WIDTH = 140


class GroupBox(QComboBox):
    """The names of the series, that of the newest row first whenever the list is opened. The one
    that is chosen stays."""

    def __init__(self, find: Callable[[], tuple[str, ...]]) -> None:
        super().__init__()
        self._find = find
        self._known: frozenset[str] = frozenset()
        self.setAccessibleName("Series of the table")
        self.setToolTip("Which series of the table is drawn")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setFixedWidth(WIDTH)
        self.hide()

    def follow(self) -> str:
        """Offer those that are there now; the one to be drawn, "" where there is but one."""
        found = self._find()[:MOST]
        if frozenset(found) != self._known:
            self._offer(found)
        self.setVisible(len(found) > 1)
        return self.currentText()

    def showPopup(self) -> None:
        self._offer(self._find()[:MOST])
        super().showPopup()

    def _offer(self, found: tuple[str, ...]) -> None:
        chosen = self.currentText()
        self._known = frozenset(found)
        self.clear()
        self.addItems(list(found))
        self.setCurrentIndex(max(0, self.findText(chosen)) if found else -1)
