"""One augmentation to switch on, set and put into its place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QCheckBox, QFrame, QHBoxLayout, QVBoxLayout

from playground.data.augment import Augmentation
from ui.forms import Form
from ui.widgets import IconButton, label


class Card(QFrame):
    """An augmentation's switch, what it does, and its parameters while it is on.

    ``switched(id, on)``, ``edited(id, parameter, value)``, ``moved(id, steps)``.
    """

    switched = Signal(str, bool)
    edited = Signal(str, str, object)
    moved = Signal(str, int)

    def __init__(self, augmentation: Augmentation) -> None:
        super().__init__()
        self.augmentation = augmentation
        self.setProperty("kind", "banner")
        self.setAccessibleName(augmentation.name)
        self.switch = QCheckBox(augmentation.name)
        self.switch.setAccessibleDescription(augmentation.summary)
        self.switch.toggled.connect(self._switched)
        self.up = IconButton("chevron-up", f"{augmentation.name} earlier", size=24)
        self.down = IconButton("chevron-down", f"{augmentation.name} later", size=24)
        self.up.clicked.connect(self._earlier)
        self.down.clicked.connect(self._later)
        self.form = Form(augmentation.parameters)
        self.form.edited.connect(self._edited)
        head = QHBoxLayout()
        head.setSpacing(2)
        head.addWidget(self.switch, 1)
        head.addWidget(self.up)
        head.addWidget(self.down)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 8, 8, 8)
        column.setSpacing(4)
        column.addLayout(head)
        column.addWidget(label(augmentation.summary, "small", wrap=True))
        column.addWidget(self.form)

    def show_state(self, options: Mapping[str, Any] | None, first: bool, last: bool) -> None:
        """``options`` where it is on, else None; whether it is the first or last that is on."""
        on = options is not None
        self.switch.blockSignals(True)
        self.switch.setChecked(on)
        self.switch.blockSignals(False)
        self.form.setVisible(on and bool(self.augmentation.parameters))
        if options is not None:
            self.form.set_values(options)
        for button, end in ((self.up, first), (self.down, last)):
            button.setVisible(on and not (first and last))
            button.setEnabled(not end)

    @Slot(bool)
    def _switched(self, on: bool) -> None:
        self.switched.emit(self.augmentation.id, on)

    @Slot(str, object)
    def _edited(self, parameter: str, value: Any) -> None:
        self.edited.emit(self.augmentation.id, parameter, value)

    @Slot()
    def _earlier(self) -> None:
        self.moved.emit(self.augmentation.id, -1)

    @Slot()
    def _later(self) -> None:
        self.moved.emit(self.augmentation.id, 1)
