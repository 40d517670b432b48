"""Checks."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout, QWidget

from ui.session import Session
from ui.widgets import label


class ChecksPage(QWidget):
    """Checks."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.addWidget(label("Checks"))
