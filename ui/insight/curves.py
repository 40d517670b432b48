"""Curves of a run: loss, or the metric, of training and validation against the epoch."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Slot
from PySide6.QtWidgets import QWidget

from playground.messages import Array, History
from playground.tasks.task import SHARES, metric_name
from ui.insight.column import Column, Figure, PlainButton
from ui.insight.plot import Line, Plot
from ui.insight.ticks import fixed, number

UP_TO_ONE = frozenset({"accuracy", "f1", "mean_iou"})


def metric_text(name: str, value: float, unit: str = "") -> str:
    """A metric for people: shares as per cent (``95.6 %``), the others with their unit."""
    if name.lower() in SHARES:
        return f"{100 * value:.1f} %" if np.isfinite(value) else "not a number"
    shown = fixed(value)
    return f"{shown} {unit}" if unit else shown


def last(values: Array) -> float | None:
    """The newest value that is known; NaN where the newest point of a curve is not a number."""
    return float(values[-1]) if len(values) else None


def newest(values: Array) -> float | None:
    """The newest finite value (validation is not measured in every epoch)."""
    good = values[np.isfinite(values)]
    return float(good[-1]) if good.size else None


class Curves(Column):
    """The loss curves with their newest values in the header; a button switches to the metric."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Loss", parent)
        self._history: History | None = None
        self._metric = False
        self.train = Figure("Training value", "accent")
        self.validation = Figure("Validation value", "recurrent")
        self.other = PlainButton()
        self.other.clicked.connect(self._switch)
        self.other.hide()
        self.head.addWidget(self.train)
        self.head.addWidget(self.validation)
        self.head.addStretch(1)
        self.head.addWidget(self.other)
        self.plot = Plot("Loss against epoch", x_label="epoch", zero=True)
        self.plot.least_x = (0.0, 1.0)
        self.body.addWidget(self.plot, 1)

    @property
    def shows_metric(self) -> bool:
        return self._metric

    def clear(self) -> None:
        self._history = None
        self.plot.set_lines([])
        for figure in (self.train, self.validation):
            figure.show_text("")
        self.other.hide()

    def show_history(self, history: History) -> None:
        """Draw a run's curves. Values that are not finite leave gaps; the header names them."""
        self._history = history
        name = history.metric
        if not name:
            self._metric = False
        if self._metric:
            train, validation = history.train_metric, history.validation_metric
            scale = 100.0 if name in SHARES else 1.0
            lines = [
                Line("train", history.epochs, scale * train, "accent"),
                Line("validation", history.epochs, scale * validation, "recurrent"),
            ]
        else:
            train, validation = history.train_loss, history.validation_loss
            lines = [
                Line("train", history.x, train, "accent"),
                Line("validation", history.epochs, validation, "recurrent"),
            ]
        self.plot.top = 100.0 if self._metric and name in UP_TO_ONE else None
        self.plot.set_lines(lines)
        self._show_value(self.train, "train", newest(train) if self._metric else last(train))
        self._show_value(self.validation, "validation", newest(validation))
        self._show_other()

    def _show_value(self, figure: Figure, name: str, value: float | None) -> None:
        history = self._history
        if value is None or history is None:
            figure.show_text("")
        elif self._metric:
            figure.show_text(f"{name} {metric_text(history.metric, value, history.unit)}")
        else:
            figure.show_text(
                f"{name} {fixed(value)}" if np.isfinite(value) else f"{name} {number(value)}"
            )

    def _show_other(self) -> None:
        """The button names what it shows: beside the loss the metric, and the other way round."""
        history = self._history
        if history is None or not history.metric:
            self.other.hide()
            return
        metric = metric_name(history.metric)
        if self._metric:
            value = newest(history.validation_loss)
            text = f"loss {fixed(value)}" if value is not None else "loss"
            hint = "Show the loss"
        else:
            value = newest(history.validation_metric)
            shown = "" if value is None else " " + metric_text(history.metric, value, history.unit)
            text, hint = f"{metric}{shown}", f"Show the {metric}"
        if self.other.text() != text:
            self.other.setText(text)
        if self.other.toolTip() != hint:
            self.other.setToolTip(hint)
            self.other.setAccessibleName(hint)
        self.other.show()

    @Slot()
    def _switch(self) -> None:
        if self._history is None:
            return
        self._metric = not self._metric
        name = metric_name(self._history.metric) if self._metric else "loss"
        name = name[:1].upper() + name[1:]
        self.title.setText(name)
        self.plot.setAccessibleName(f"{name} against epoch")
        self.plot.zoom(None)
        self.show_history(self._history)
