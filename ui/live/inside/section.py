"""A part of the page "Inside" that can be folded away; what is folded is not looked at."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from ui.settings import settings
from ui.widgets import Button, ElidedLabel


class Section(QWidget):
    """A title that folds, room at its right, and a body under it."""

    folded_changed = Signal()

    def __init__(self, id: str, title: str) -> None:
        super().__init__()
        self._key = f"live/folded/{id}"
        self.title = Button(title, "chevron-down", "fold")
        self.title.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.title.setToolTip("Fold away, or show again")
        self.title.clicked.connect(self._toggle)
        self.detail = ElidedLabel("", "small")
        self.detail.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.head = QHBoxLayout()
        self.head.setSpacing(8)
        self.head.addWidget(self.title)
        self.head.addWidget(self.detail, 1)
        self.body = QWidget()
        self.rows = QVBoxLayout(self.body)
        self.rows.setContentsMargins(0, 0, 0, 0)
        self.rows.setSpacing(8)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(self.head)
        column.addWidget(self.body)
        self._fold(str(settings().value(self._key, "")) == "folded")

    @property
    def open(self) -> bool:
        """Whether its body can be seen, as far as it is up to the section."""
        return not self.isHidden() and not self.body.isHidden()

    def set_title(self, title: str) -> None:
        if title != self.title.text():
            self.title.setText(title)
            self.title.setAccessibleName(title)

    @Slot()
    def _toggle(self) -> None:
        folded = not self.body.isHidden()
        settings().setValue(self._key, "folded" if folded else "")
        self._fold(folded)
        self.folded_changed.emit()

    def _fold(self, folded: bool) -> None:
        self.body.setVisible(not folded)
        self.detail.setVisible(not folded)
        self.title.set_icon("chevron-right" if folded else "chevron-down", "text3")
        self.title.setAccessibleDescription("folded" if folded else "shown")
