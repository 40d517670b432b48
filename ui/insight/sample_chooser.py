"""Which sample all views look at: its number and its answer, with ways to another."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QObject, Qt, Slot
from PySide6.QtGui import QIntValidator, QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QSizePolicy, QStackedWidget, QWidget

from ui.session import Session
from ui.widgets import Button, IconButton

LONGEST_LABEL = 48


class SampleChooser(QWidget):
    """ "sample 1,204 · “3”" with previous, next and random; a click on it asks for a number."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._random = np.random.default_rng()
        self.text = Button("", kind="quiet")
        self.text.setToolTip("Go to a sample by its number")
        self.text.clicked.connect(self._ask)
        self.number = QLineEdit()
        self.number.setAccessibleName("Number of the sample")
        self.number.setValidator(QIntValidator(1, 2**31 - 1, self.number))
        self.number.setFixedWidth(96)
        self.number.returnPressed.connect(self._typed)
        self.number.editingFinished.connect(self._close)
        self.number.installEventFilter(self)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.text)
        self._stack.addWidget(self.number)
        self._stack.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.previous = IconButton("chevron-left", "Previous sample", size=24)
        self.next = IconButton("chevron-right", "Next sample", size=24)
        self.any = IconButton("shuffle", "Random sample", size=24)
        self.previous.clicked.connect(self._previous)
        self.next.clicked.connect(self._next)
        self.any.clicked.connect(self._shuffle)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        row.addWidget(self._stack)
        for button in (self.previous, self.next, self.any):
            row.addWidget(button)
        self.setAccessibleName("Sample")
        session.sample_changed.connect(self._refresh)
        session.dataset_changed.connect(self._refresh)
        self._refresh()

    @Slot()
    def _refresh(self) -> None:
        dataset = self._session.dataset
        usable = dataset is not None and len(dataset) > 0
        self.setVisible(usable)
        if dataset is None or not usable:
            return
        index = self._session.sample
        said = dataset.describe(index)
        said = said if len(said) <= LONGEST_LABEL else said[: LONGEST_LABEL - 1] + "…"
        number = f"sample {index + 1:,}"
        self.text.setText(number if said == str(index) else f"{number} · {said}")
        self.text.setAccessibleName(self.text.text())

    @Slot()
    def _previous(self) -> None:
        self._session.set_sample(self._session.sample - 1)

    @Slot()
    def _next(self) -> None:
        self._session.set_sample(self._session.sample + 1)

    @Slot()
    def _shuffle(self) -> None:
        dataset = self._session.dataset
        if dataset is not None and len(dataset):
            self._session.set_sample(int(self._random.integers(len(dataset))))

    @Slot()
    def _ask(self) -> None:
        self.number.setText(str(self._session.sample + 1))
        self.number.selectAll()
        self._stack.setCurrentWidget(self.number)
        self.number.setFocus()

    @Slot()
    def _typed(self) -> None:
        dataset = self._session.dataset
        if dataset is not None and self.number.text():
            self._session.set_sample(min(int(self.number.text()), len(dataset)) - 1)
        self._close()

    @Slot()
    def _close(self) -> None:
        self._stack.setCurrentWidget(self.text)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if (
            isinstance(event, QKeyEvent)
            and event.type() == QEvent.Type.KeyPress
            and event.key() == Qt.Key.Key_Escape
        ):
            self._close()
            self.text.setFocus()
            return True
        return super().eventFilter(watched, event)
