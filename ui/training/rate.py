"""The learning rate: a field and a slider that also work while a run is under way, and a search."""

from __future__ import annotations

import math
from typing import Any

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QHBoxLayout, QSlider, QVBoxLayout, QWidget

from playground.messages import Failure, Progress, RateCurve
from playground.training.settings import PARAMETERS
from ui.forms import Form
from ui.insight.plot import Line, Plot
from ui.insight.ticks import number
from ui.session import Session
from ui.widgets import Button, label

LOWEST, HIGHEST, STEPS_A_DECADE = -6, 0, 50
RATE = next(parameter for parameter in PARAMETERS if parameter.id == "learning_rate")


class RateSlider(QSlider):
    """A logarithmic slider from 1e-6 to 1."""

    def __init__(self) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.setAccessibleName("Learning rate")
        self.setRange(LOWEST * STEPS_A_DECADE, HIGHEST * STEPS_A_DECADE)
        self.setPageStep(STEPS_A_DECADE // 2)

    def rate(self) -> float:
        return float(f"{10.0 ** (self.value() / STEPS_A_DECADE):.2g}")

    def set_rate(self, rate: float) -> None:
        self.blockSignals(True)
        self.setValue(round(math.log10(max(rate, 1e-12)) * STEPS_A_DECADE))
        self.blockSignals(False)


class RateFinder(QWidget):
    """Loss against learning rate (Smith 2015), and the rate to begin with."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._rate: float | None = None
        self.plot = Plot("Loss against learning rate", x_label="learning rate", log_x=True)
        self.plot.setMinimumHeight(150)
        self.text = label("", "small", wrap=True)
        self.use = Button("", kind="primary")
        self.use.clicked.connect(self._use)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 4)
        column.setSpacing(6)
        column.addWidget(self.text)
        column.addWidget(self.use)
        column.addWidget(self.plot)
        session.bridge.rates.connect(self._on_rates)
        session.bridge.failure.connect(self._on_failure)
        self.hide()

    def start(self) -> None:
        """Try rates from small to large on a few batches."""
        session = self._session
        if session.dataset is None:
            return
        self.plot.set_lines([])
        self.plot.markers = ()
        self.text.setText("Trying learning rates on copies of the initial weights …")
        self.use.hide()
        self.show()
        session.worker.find_learning_rate(session.project, session.dataset)

    @Slot(object)
    def _on_rates(self, curve: RateCurve) -> None:
        self._rate = curve.suggestion
        rate = curve.suggestion
        self.plot.markers = ((rate, number(rate, 2)),) if rate is not None else ()
        self.plot.set_lines([Line("loss", curve.rates, curve.losses)])
        self.show()
        if not curve.finished:
            return
        if curve.suggestion is None:
            self.text.setText("The loss falls nowhere: choose a rate by hand, or check the data.")
            self.use.hide()
            return
        self.text.setText("The loss falls steepest at the dotted line; a good rate to begin with.")
        self.use.setText(f"Use {number(curve.suggestion, 2)}")
        self.use.show()

    @Slot(object)
    def _on_failure(self, failure: Failure) -> None:
        if "learning rate" in failure.what or "learning_rate" in failure.what:
            self.text.setText(failure.message)

    @Slot()
    def _use(self) -> None:
        if self._rate is not None:
            self._session.set_training(learning_rate=float(f"{self._rate:.2g}"))
            self.hide()


class RatePart(QWidget):
    """Field, slider and search in one."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.form = Form([RATE], {})
        self.form.edited.connect(self._edited)
        self.slider = RateSlider()
        self.slider.valueChanged.connect(self._slid)
        self.now = label("", "small")
        kept = self.now.sizePolicy()
        kept.setRetainSizeWhenHidden(True)  # what is below stays where it is
        self.now.setSizePolicy(kept)
        self.search = Button("Find one", "search")
        self.search.setToolTip("Try rates from small to large on a few batches, and propose one")
        self.finder = RateFinder(session)
        self.search.clicked.connect(self.finder.start)
        row = QHBoxLayout()
        row.setSpacing(10)
        row.addWidget(self.slider, 1)
        row.addWidget(self.search)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.form)
        column.addLayout(row)
        column.addWidget(self.now)
        column.addWidget(self.finder)
        session.settings_changed.connect(self.refresh)
        session.project_changed.connect(self.finder.hide)
        session.state_changed.connect(self._state_changed)
        session.bridge.progress.connect(self._on_progress)
        self.refresh()
        self._state_changed()

    @Slot()
    def refresh(self) -> None:
        if self._session.is_open:
            rate = self._session.project.training.learning_rate
            self.form.set_values({"learning_rate": rate})
            self.slider.set_rate(rate)

    @Slot(str, object)
    def _edited(self, id: str, value: Any) -> None:
        self._session.set_training(**{id: value})

    @Slot()
    def _slid(self) -> None:
        self._session.set_training(learning_rate=self.slider.rate())

    @Slot()
    def _state_changed(self) -> None:
        busy = self._session.busy
        self.search.setEnabled(not busy and self._session.can_run)
        self.now.setVisible(busy)
        if not busy:
            self.now.setText("")

    @Slot(object)
    def _on_progress(self, progress: Progress) -> None:
        if self.isVisible():
            self.now.setText(f"now {number(progress.learning_rate)}")
