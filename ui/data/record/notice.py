"""A sentence in place of the picture, with the ways out as buttons."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from ui.widgets import Button, label, restyle

Ways = Sequence[tuple[str, str]]
"""An id and a button's text each."""

MOST = 2


class StageNotice(QWidget):
    """Lies over the stage; hidden while there is nothing to say. ``chosen`` carries a way's id."""

    chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._said: tuple[str, tuple[tuple[str, str], ...]] = ("", ())
        self.text = label("", "second", wrap=True)
        self.text.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.buttons = [Button("") for _ in range(MOST)]
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addStretch(1)
        for button in self.buttons:
            button.clicked.connect(self._clicked)
            button.hide()
            row.addWidget(button)
        row.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(32, 16, 32, 16)
        column.setSpacing(16)
        column.addStretch(1)
        column.addWidget(self.text)
        column.addLayout(row)
        column.addStretch(1)
        self.clear()

    @property
    def said(self) -> str:
        return self._said[0]

    def say(self, text: str, ways: Ways) -> None:
        said = (text, tuple(ways))
        if said == self._said:
            return
        before, self._said = self._said, said
        self.text.setText(text)
        self.setAccessibleName(text)
        if before[1] != said[1]:
            for index, button in enumerate(self.buttons):
                id, words = said[1][index] if index < len(said[1]) else ("", "")
                button.setText(words)
                button.setProperty("way", id)
                button.setVisible(bool(id))
                restyle(button)
        self.show()

    def clear(self) -> None:
        if self._said[0] or not self.isHidden():
            self._said = ("", self._said[1])  # the buttons are as they were
            self.hide()

    @Slot()
    def _clicked(self) -> None:
        button = self.sender()
        if isinstance(button, Button):
            self.chosen.emit(str(button.property("way")))
