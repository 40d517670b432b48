"""Numbers that a network predicted: against the true ones, and along a series."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QWidget

from playground.messages import Array
from ui.insight.plot import Line, Plot

REACH = 8.0


class PredictedAgainstTrue(Plot):
    """A dot a sample; on the dashed line a prediction is right. ``chosen`` carries the place of a
    clicked dot in the arrays."""

    chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Predicted against true values", x_label="true", parent=parent)
        self.diagonal = True
        self._owners: Array = np.empty(0, np.int64)
        self._dots = Line("predicted", np.empty(0), np.empty(0), "accent", "dots")
        self._mark: int | None = None

    def show_values(self, true: Array, predicted: Array, unit: str = "") -> None:
        """``true`` and ``predicted``: (N,) or (N, …), a dot a number."""
        count = len(true)
        steps = np.size(true) // count if count else 1
        self._owners = np.repeat(np.arange(count), steps)
        self.x_label = f"true ({unit})" if unit else "true"
        self.y_label = f"predicted ({unit})" if unit else "predicted"
        self._mark = None
        self._dots = Line("predicted", np.ravel(true), np.ravel(predicted), "accent", "dots")
        self.set_lines([self._dots])

    def mark(self, place: int | None) -> None:
        """Show the dots of one sample in orange."""
        self._mark = place
        lines = [self._dots]
        if place is not None:
            own = self._owners == place
            lines.append(Line("chosen", self._dots.x[own], self._dots.y[own], "recurrent", "dots"))
        self.set_lines(lines)

    def place_at(self, x: float, y: float) -> int | None:
        """The sample whose dot is nearest to a point of the widget, within a few pixels."""
        if not len(self._owners):
            return None
        px, py = self.pixels(self._dots.x, self._dots.y)
        distance = np.hypot(px - x, py - y)
        distance[~np.isfinite(distance)] = np.inf
        nearest = int(distance.argmin())
        return int(self._owners[nearest]) if distance[nearest] <= REACH else None

    def mousePressEvent(self, event: QMouseEvent) -> None:
        place = self.place_at(event.position().x(), event.position().y())
        if place is not None:
            self.mark(place)
            self.chosen.emit(place)
        else:
            super().mousePressEvent(event)


class ForecastPlot(Plot):
    """True values, the network's forecast, and what the seasonal naive forecast would have said."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Forecast", x_label="step", parent=parent)

    def show_split(self, true: Array, predicted: Array, naive: Array, stride: int = 1) -> None:
        """All windows of a split as one line: (N, horizon) each, windows ``stride`` steps apart.

        Windows overlap where the horizon is longer than the stride; then every so many of them are
        drawn, so that each step is forecast once.
        """
        every = max(1, true.shape[1] // max(1, stride))
        steps = np.arange(len(true))[:, None] * stride + np.arange(true.shape[1]) + 1
        x = steps[::every].ravel()
        self.set_lines(
            [
                Line("seasonal naive", x, naive[::every].ravel(), "text3", "dash"),
                Line("true", x, true[::every].ravel(), "accent"),
                Line("forecast", x, predicted[::every].ravel(), "recurrent"),
            ]
        )
        self.markers = ()

    def show_window(
        self,
        past: Array,
        predicted: Array,
        true: Array | None = None,
        naive: Array | None = None,
    ) -> None:
        """One window: what the network saw (T,), its forecast (horizon,), and the truth."""
        start = len(past)
        ahead = np.arange(start, start + len(predicted)) + 1.0
        joined = np.concatenate([np.full(min(start, 1), float(start)), ahead])
        lines = [Line("seen", np.arange(1.0, start + 1), past, "text2")] if start else []
        for name, values, colour, style in (
            ("seasonal naive", naive, "text3", "dash"),
            ("true", true, "accent", "line"),
            ("forecast", predicted, "recurrent", "line"),
        ):
            if values is not None:
                y = np.concatenate([past[-1:], values])
                lines.append(Line(name, joined, y, colour, style))  # type: ignore[arg-type]
        self.markers = ((float(start), "now"),) if start else ()
        self.set_lines(lines)
