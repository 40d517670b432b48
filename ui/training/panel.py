"""How the network is trained: the task, the learning rate, and every other setting."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QComboBox, QGridLayout, QVBoxLayout, QWidget

from models.parameters import ParameterError
from playground.tasks import TASKS
from playground.training.settings import PARAMETERS
from ui.forms import Form
from ui.session import Session
from ui.training.rate import RatePart
from ui.widgets import divider, label, scrolled

FIRST = ("epochs", "batch_size", "optimizer")
HEAD = 36
"""Two lines of text: what is below does not move when they come."""
NEXT_RUN = "What is changed here counts for the next run; the learning rate counts at once."


class TaskPart(QWidget):
    """Which task, and its options."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._shown = ""
        self.box = QComboBox()
        self.box.setAccessibleName("Task")
        for task in TASKS:
            self.box.addItem(task.name, task.id)
        self.box.activated.connect(self._chosen)
        self.form = Form()
        self.form.edited.connect(self._edited)
        name = label("Task", "second")
        name.setMinimumHeight(36)
        name.setBuddy(self.box)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(0)
        grid.setColumnStretch(0, 42)
        grid.setColumnStretch(1, 58)
        grid.addWidget(name, 0, 0)
        grid.addWidget(self.box, 0, 1)
        grid.addWidget(self.form, 1, 0, 1, 2)
        session.settings_changed.connect(self.refresh)
        session.project_changed.connect(self.refresh)
        self.refresh()

    @Slot()
    def refresh(self) -> None:
        if not self._session.is_open:
            return
        settings = self._session.project.task
        task = TASKS.find(settings.id)
        self.box.setCurrentIndex(self.box.findData(settings.id))
        self.box.setToolTip(
            task.summary if task is not None else f"{settings.id} is not known here"
        )
        if settings.id != self._shown:
            self._shown = settings.id
            self.form.set_parameters(task.parameters if task is not None else (), settings.options)
        else:
            self.form.set_values(settings.options)

    @Slot()
    def _chosen(self, *_: object) -> None:
        self._session.set_task(id=self.box.currentData(), options={})

    @Slot(str, object)
    def _edited(self, id: str, value: Any) -> None:
        options = {**self._session.project.task.options, id: value}
        self._session.set_task(options=options)


class TrainingPanel(QWidget):
    """Everything about a run but the network and the data."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.setAccessibleName("Training")
        self.estimate = label("", "small", wrap=True)
        self.note = label(NEXT_RUN, "small", wrap=True)
        self.task = TaskPart(session)
        self.rate = RatePart(session)
        others = [p for p in PARAMETERS if p.id not in FIRST and p.id != "learning_rate"]
        self.first = Form([p for p in PARAMETERS if p.id in FIRST], {})
        self.others = Form(others, {})
        head = QWidget()
        head.setMinimumHeight(HEAD)
        lines = QVBoxLayout(head)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.addWidget(self.estimate)
        lines.addWidget(self.note)
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(14, 10, 14, 14)
        column.setSpacing(8)
        for widget in (
            head,
            self.first,
            self.rate,
            divider(),
            self.task,
            divider(),
            self.others,
        ):
            column.addWidget(widget)
        column.addStretch(1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scrolled(content))
        for form in (self.first, self.others):
            form.edited.connect(self._edited)
        session.settings_changed.connect(self._refresh)
        session.project_changed.connect(self._refresh)
        session.state_changed.connect(self._state_changed)
        self._refresh()
        self._state_changed()

    @Slot()
    def _refresh(self) -> None:
        if self._session.is_open:
            values = self._session.project.training.values()
            self.first.set_values(values)
            self.others.set_values(values)

    @Slot()
    def _state_changed(self) -> None:
        session = self._session
        estimate = session.estimate
        text = estimate.text if estimate is not None else ""
        self.estimate.setText(text[:1].upper() + text[1:])
        self.estimate.setVisible(estimate is not None)
        if estimate is not None:
            self.estimate.setProperty("kind", "small" if estimate.fits else "error")
            self.estimate.style().polish(self.estimate)
        self.note.setVisible(session.busy)

    @Slot(str, object)
    def _edited(self, id: str, value: Any) -> None:
        try:
            self._session.set_training(**{id: value})
        except ParameterError as error:
            form = self.first if id in FIRST else self.others
            form.set_errors({id: str(error)})
