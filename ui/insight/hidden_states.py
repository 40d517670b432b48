"""Hidden states of a recurrent node over time: a heat map of units × steps, or lines."""

from __future__ import annotations

import numpy as np
from PySide6.QtWidgets import QHBoxLayout, QStackedLayout, QVBoxLayout, QWidget

from playground.messages import Array
from ui.insight.colormaps import Table, signed
from ui.insight.heat_map import HeatMap
from ui.insight.plot import Line, Plot
from ui.insight.ticks import number
from ui.theme import theme
from ui.widgets import label

MOST_LINES = 8
LINE_COLOURS = (
    "convolution",
    "recurrent",
    "dense",
    "attention",
    "activation",
    "merge",
    "pooling",
    "normalization",
)


def _table() -> Table:
    return signed(theme().name == "light")


def liveliest(states: Array, most: int = MOST_LINES) -> Array:
    """The units (columns of T×H) that change the most over time, in their own order."""
    finite = np.where(np.isfinite(states), states, 0.0)
    spread = finite.std(axis=0) if len(states) else np.zeros(states.shape[1])
    return np.sort(np.argsort(-spread, kind="stable")[:most])


class HiddenStates(QWidget):
    """States T×H, blue −1 to orange +1 (or to the largest of them where it is greater)."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._states: Array = np.empty((0, 0), np.float32)
        self._reach = 1.0
        self.map = HeatMap("Hidden states over time", _table, self._readout)
        self.plot = Plot("Hidden states over time, as lines", x_label="step")
        self.first, self.scale, self.last = (label("", "small") for _ in range(3))
        foot = QHBoxLayout()
        for part in (self.first, self.scale, self.last):
            foot.addWidget(part)
        foot.insertStretch(1, 1)
        foot.insertStretch(3, 1)
        heat = QWidget()
        rows = QVBoxLayout(heat)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.addWidget(self.map, 1)
        rows.addLayout(foot)
        self._stack = QStackedLayout(self)
        self._stack.setContentsMargins(0, 0, 0, 0)
        self._stack.addWidget(heat)
        self._stack.addWidget(self.plot)

    @property
    def states(self) -> Array:
        return self._states

    @property
    def as_lines(self) -> bool:
        return self._stack.currentWidget() is self.plot

    def set_as_lines(self, lines: bool) -> None:
        self._stack.setCurrentIndex(int(lines))
        self._draw()

    def show_states(self, states: Array, *, fresh: bool) -> None:
        """Show T×H states. ``fresh``: of another node or sample, so the earlier scale is void."""
        self._states = np.asarray(states, np.float32)
        finite = self._states[np.isfinite(self._states)]
        reach = float(np.abs(finite).max()) if finite.size else 0.0
        self._reach = max(1.0 if fresh else self._reach, reach)
        self._draw()

    def _draw(self) -> None:
        states = self._states
        if not states.size:
            return
        if self.as_lines:
            steps = np.arange(1, len(states) + 1)
            units = liveliest(states)
            self.plot.set_lines(
                Line(f"unit {unit + 1}", steps, states[:, unit], LINE_COLOURS[index])
                for index, unit in enumerate(units)
            )
            return
        self.map.show_values(states.T, -self._reach, self._reach)
        shown = number(self._reach)
        self.first.setText("step 1")
        self.scale.setText(f"blue −{shown} · orange +{shown}")
        self.last.setText(str(len(states)))

    def _readout(self, row: int, column: int, value: float) -> str:
        return f"unit {row + 1}, step {column + 1}: {number(value)}"
