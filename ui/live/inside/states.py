"""What recurrent layers remember, rolling by as frames or sound arrive."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

import numpy as np
from PySide6.QtCore import QRectF, Qt, Signal, Slot
from PySide6.QtGui import QBrush, QImage, QPainter, QPaintEvent, QTransform
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from playground.live.inside import InsideView
from playground.live.settings import LiveAnswer
from playground.messages import Array
from ui.insight.colormaps import indexed, signed
from ui.insight.node_chooser import NodeChooser
from ui.insight.ticks import number
from ui.live.desk import Desk
from ui.live.inside.section import Section
from ui.theme import theme
from ui.widgets import label

SECONDS, STEPS_A_SECOND = 20, 10
STEPS = SECONDS * STEPS_A_SECOND
HEIGHT, RADIUS = 112, 6
MOST_UNITS = 256
PERIOD = 1 / 15
"""Seconds from one drawing to the next, at least."""


class Roll:
    """The states (H,) of one layer over the last 20 seconds."""

    def __init__(self) -> None:
        self._times: deque[float] = deque()
        self._states: deque[Array] = deque()

    def __len__(self) -> int:
        return len(self._times)

    def add(self, time: float, state: Array) -> None:
        if self._states and self._states[-1].shape != state.shape:
            self.clear()
        if self._times and time <= self._times[-1]:
            return
        self._times.append(time)
        self._states.append(state)
        while self._times[0] < time - SECONDS - 1:
            self._times.popleft()
            self._states.popleft()

    def clear(self) -> None:
        self._times.clear()
        self._states.clear()

    def steps(self) -> Array:
        """The states (T, H) at even steps up to the newest; T is as long as something is known."""
        times = np.asarray(self._times)
        ends = times[-1] - np.arange(STEPS - 1, -1, -1) / STEPS_A_SECOND
        known = np.searchsorted(times, ends, "right") - 1
        found: Array = np.asarray(self._states)[known[known >= 0]]
        return found


class StateMap(QWidget):
    """States (T, H) as colours: a row a unit, the newest at the right."""

    def __init__(self) -> None:
        super().__init__()
        self._image, self._share = QImage(), 1.0
        self._reach = 1.0
        self.setAccessibleName("Hidden state over time")
        self.setFixedHeight(HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    @property
    def image(self) -> QImage:
        """A pixel a number."""
        return self._image

    @property
    def reach(self) -> float:
        """The state that has the full colour."""
        return self._reach

    def show_states(self, states: Array, most: int) -> None:
        """``most`` steps fill the width; where there are fewer they stand at the right."""
        states = states[:, :MOST_UNITS]
        self._reach = max(1.0, float(np.abs(states).max())) if np.isfinite(states).all() else 1.0
        table = signed(theme().name == "light")
        self._image = indexed(states.T, -self._reach, self._reach, table)
        self._share = min(1.0, len(states) / most)
        self.update()

    def clear(self) -> None:
        self._image = QImage()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        area = QRectF(self.rect())
        painter.setBrush(theme().color("raised"))
        painter.drawRoundedRect(area, RADIUS, RADIUS)
        if self._image.isNull():
            return
        width = area.width() * self._share
        brush = QBrush(self._image)
        move = QTransform.fromTranslate(area.width() - width, 0)
        brush.setTransform(move.scale(width / self._image.width(), HEIGHT / self._image.height()))
        painter.setBrush(brush)
        if self._share >= 1:
            painter.drawRoundedRect(area, RADIUS, RADIUS)
        else:
            painter.setClipRect(area.adjusted(area.width() - width, 0, 0, 0))
            painter.drawRoundedRect(area, RADIUS, RADIUS)


class StatesSection(Section):
    """One layer's state: carried along and rolling by, or of all steps of a window."""

    seen = Signal()

    def __init__(self, desk: Desk) -> None:
        super().__init__("states", "Hidden state")
        self._desk = desk
        self._rolls: dict[str, Roll] = {}
        self._drawn = 0.0
        self.chooser = NodeChooser("Hidden state of")
        self.chooser.setToolTip("The layer whose state is shown; c is the cell of an LSTM")
        self.chooser.port_changed.connect(self._draw)
        self.head.addWidget(self.chooser)
        self.map = StateMap()
        self.first, self.scale, self.last = (label("", "small") for _ in range(3))
        foot = QHBoxLayout()
        for part in (self.first, self.scale, self.last):
            foot.addWidget(part)
        foot.insertStretch(1, 1)
        foot.insertStretch(3, 1)
        self.rows.setSpacing(4)
        self.rows.addWidget(self.map)
        self.rows.addLayout(foot)
        self.setVisible(False)
        theme().changed.connect(self._draw)

    def forget(self) -> None:
        """Another network runs."""
        self._rolls.clear()
        self.chooser.clear()
        self.map.clear()
        self.setVisible(False)

    def show_answer(self, answer: LiveAnswer) -> None:
        """What is carried along after an answer; cheap, so it is not left to the looks."""
        recognition = self._desk.recognition
        answers = recognition.answers if recognition is not None else None
        if answers is not None:
            self._take(answers.states(), answer.captured)

    def show_view(self, view: InsideView) -> None:
        """States that came with a look: of a window, or while the network learns."""
        whole = {name: state for name, state in view.states.items() if state.ndim == 2}
        if whole:
            self._offer(list(whole))
            state = whole.get(self.chooser.currentText())
            if state is not None and self.open:
                self._show(state, len(state), "first step", "last step")
        elif self._desk.with_training:
            self._take(view.states, view.time)

    def _take(self, states: Mapping[str, Array], time: float) -> None:
        states = {name: state for name, state in states.items() if np.isfinite(state).all()}
        if not states:
            return
        for name, state in states.items():
            self._rolls.setdefault(name, Roll()).add(time, state)
        self._offer(list(states))
        if time - self._drawn >= PERIOD or time < self._drawn:
            self._drawn = time
            self._draw()

    def _offer(self, names: list[str]) -> None:
        self.chooser.offer([((name, ""), name) for name in names], None)
        if self.isHidden():
            self.setVisible(True)
            self.seen.emit()

    @Slot()
    def _draw(self) -> None:
        roll = self._rolls.get(self.chooser.currentText())
        if roll and self.open:
            self._show(roll.steps(), STEPS, f"{SECONDS} s ago", "now")

    def _show(self, states: Array, most: int, first: str, last: str) -> None:
        self.map.show_states(states, most)
        reach = number(self.map.reach)
        units = f"{states.shape[1]} units"
        for one, text in (
            (self.first, first),
            (self.scale, f"blue −{reach} · orange +{reach}"),
            (self.last, last),
        ):
            if one.text() != text:
                one.setText(text)
        if self.detail.whole() != units:
            self.detail.set_text(units)
        self.map.setAccessibleDescription(f"{self.chooser.currentText()}, {units}")
