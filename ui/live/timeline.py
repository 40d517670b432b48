"""How the answers of the last seconds went: a line for each class, object or value."""

from __future__ import annotations

import time
from dataclasses import replace

from PySide6.QtCore import QRectF, QSize, Qt, QTimer, Slot
from PySide6.QtGui import (
    QColor,
    QFontMetrics,
    QHideEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QShowEvent,
)
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QSlider, QStackedLayout, QWidget

from playground.captions import object_place, percent
from playground.live.settings import LiveAnswer
from ui.data.record.cards import COLOURS, class_colour
from ui.insight.column import token_colour
from ui.insight.plot import Line, Plot
from ui.insight.ticks import number
from ui.live.course import SECONDS, Course, point
from ui.live.desk import Desk
from ui.theme import theme
from ui.widgets import EmptyState, label

TICK_MS = 200
SMOOTHEST_S, SMOOTHING_STEP_S, HIGHEST = 3.0, 0.05, 95
LEGEND, LEGEND_MOST, ROW = 168, 264, 22
EMPTY = "What is answered is drawn here, second by second, once live runs."
WAITING = "What is answered is drawn here, second by second, from the first answer on."
UNTAUGHT = "What is answered is drawn here, second by second, once two classes are learnt."


class Timeline(QWidget):
    """Lines that begin ``SECONDS`` ago and end now, with what they are at their right end.
    ``corner`` has smoothing and threshold."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self.setAccessibleName("Answers of the last 20 seconds")
        self.course = Course()
        self._held: dict[str, float] = {}
        """Of several series of a table, the newest value of each."""
        self._stale = False
        self.plot, self.legend = LastSeconds(), Legend()
        self.corner = Corner(desk)
        drawn = QWidget()
        row = QHBoxLayout(drawn)
        row.setContentsMargins(8, 4, 8, 4)
        row.setSpacing(8)
        row.addWidget(self.plot, 1)
        row.addWidget(self.legend)
        self._pages = QStackedLayout(self)
        self.empty = EmptyState("series", EMPTY)
        self._pages.addWidget(self.empty)
        self._pages.addWidget(drawn)
        self._timer = QTimer(self)
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self._tick)
        desk.answered.connect(self._answered)
        desk.chosen_changed.connect(self._chosen)
        desk.running_changed.connect(self._draw)
        theme().changed.connect(self._draw)

    @Slot(object)
    def _answered(self, answer: LiveAnswer) -> None:
        new = point(answer.answer)
        if new is not None and answer.group and new.kind == "number":
            for value in new.values.values():
                self._held[answer.group] = value
            new = replace(new, values=dict(self._held))
        if new is not None and (new.values or len(self.course)):
            self.course.add(answer.captured, new)
            self._stale = True

    @Slot()
    def _chosen(self) -> None:
        self.course.clear()
        self._held.clear()
        self._stale = True
        self.corner.show_settings()
        self._tick()

    @Slot()
    def _tick(self) -> None:
        if self._stale or (self._desk.running and len(self.course)):
            self._stale = False
            self._draw()

    @Slot()
    def _draw(self) -> None:
        course, now = self.course, time.monotonic()
        course.forget(now)
        self._pages.setCurrentIndex(1 if len(course) else 0)
        teaches = self._desk.chosen.kind == "teach"
        self.empty.say((UNTAUGHT if teaches else WAITING) if self._desk.running else EMPTY)
        if not self.isVisible() or not len(course):
            return
        places = {name: self._place(name, at) for name, at in course.places().items()}
        x, values = course.lines(list(places), now)
        self.plot.show_course(
            [Line(name, x, y, COLOURS[places[name]]) for name, y in values.items()],
            course.kind,
            course.unit,
        )
        self.legend.show_rows(
            [(name, self._worded(course.newest(name)), COLOURS[at]) for name, at in places.items()]
        )

    def _place(self, name: str, otherwise: int) -> int:
        """The colour that the class has elsewhere, where it has one: on its card, or its boxes."""
        if self.course.kind == "count":
            return object_place(name)
        colour = self._desk.colours.get(name)
        if colour is None:
            return otherwise
        return next((at for at in range(len(COLOURS)) if class_colour(at) == colour), otherwise)

    def _worded(self, value: float | None) -> str:
        course = self.course
        if value is None:
            return "–"
        if course.kind == "share":
            return percent(value / 100) if value else "<1 %"
        return f"{number(value, 4)} {course.unit}".strip()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._stale = True
        self._timer.start()
        self.corner.show_settings()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._timer.stop()


class LastSeconds(Plot):
    """A plot whose x axis are the seconds before now. It cannot be zoomed: it moves on."""

    def __init__(self) -> None:
        super().__init__("Answers over time")
        self.least_x = (-SECONDS, 0.0)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def show_course(self, lines: list[Line], kind: str, unit: str) -> None:
        """Shares reach from 0 to 100 %, numbers of objects from 0."""
        self.zero = kind != "number"
        self.top = {"share": 100.0, "count": 3.0}.get(kind)
        self.y_label = {"count": "objects"}.get(kind, unit)
        self.set_lines(lines)

    def _fit(self) -> None:
        super()._fit()
        self._x = (-SECONDS, 0.0)

    def _area(self) -> QRectF:
        return super()._area().adjusted(0, 0, -10, 0)

    def _x_ticks(self) -> list[float]:
        return [-SECONDS, 0.0]

    def _x_text(self, value: float) -> str:
        return f"{SECONDS:.0f} s ago" if value < 0 else "now"

    def _values_near(self, at: float) -> tuple[float, list[tuple[str, str]]] | None:
        found = super()._values_near(at)
        if found is None:
            return None
        nearest, (_, *rows) = found
        return nearest, [("text2", f"{-nearest:.1f} s ago"), *rows]

    def mousePressEvent(self, event: QMouseEvent) -> None:
        event.ignore()


class Legend(QWidget):
    """The lines' names in their colours with what they are now."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[tuple[str, str, str]] = []
        self.setFixedWidth(LEGEND)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Answers now")

    def sizeHint(self) -> QSize:
        return QSize(LEGEND, 4 * ROW)

    def show_rows(self, rows: list[tuple[str, str, str]]) -> None:
        """Name, value in words, and colour (a token or a layer family) of each."""
        if rows != self.rows:
            if [name for name, *_ in rows] != [name for name, *_ in self.rows]:
                self.setFixedWidth(LEGEND)
            self.rows = rows
            self._widen()
            self.setAccessibleDescription(", ".join(f"{name} {value}" for name, value, _ in rows))
            self.update()

    def _widen(self) -> None:
        """Room for names and values. It never takes it back for the same names, so that nothing
        moves with the number of digits."""
        metrics = QFontMetrics(theme().font(12))
        needed = max(
            (metrics.horizontalAdvance(name) + metrics.horizontalAdvance(value) + 24
             for name, value, _ in self.rows),
            default=0,
        )  # fmt: skip
        if needed > self.width():
            self.setFixedWidth(min(LEGEND_MOST, needed))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(theme().font(12))
        middle = Qt.AlignmentFlag.AlignVCenter
        room = max(1, (self.height() - 8) // ROW)
        for place, (name, value, colour) in enumerate(self.rows[:room]):
            line = QRectF(0, 8 + place * ROW, self.width(), ROW)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(token_colour(colour))
            painter.drawRoundedRect(QRectF(0, line.center().y() - 5, 3, 10), 1.5, 1.5)
            painter.setPen(theme().color("text"))
            painter.drawText(line, int(Qt.AlignmentFlag.AlignRight | middle), value)
            width = painter.fontMetrics().horizontalAdvance(value)
            text = painter.fontMetrics().elidedText(
                name, Qt.TextElideMode.ElideRight, int(line.width()) - width - 22
            )
            painter.setPen(QColor(theme().color("text2")))
            inner = line.adjusted(11, 0, 0, 0)
            painter.drawText(inner, int(Qt.AlignmentFlag.AlignLeft | middle), text)


class Corner(QWidget):
    """Smoothing and "none of these", small enough for a panel's header."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self.smoothing = self._slider("Smoothing", round(SMOOTHEST_S / SMOOTHING_STEP_S))
        self.threshold = self._slider("None of these below", HIGHEST)
        self.smoothing.setToolTip("Over how many seconds answers are averaged")
        self.threshold.setToolTip('Where no class is as probable, the answer is "None of these"')
        self.seconds, self.share = label("", "small"), label("", "small")
        self.seconds.setMinimumWidth(94)
        self.share.setMinimumWidth(136)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        for text, slider in ((self.seconds, self.smoothing), (self.share, self.threshold)):
            text.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            row.addWidget(text)
            row.addWidget(slider)
        row.addSpacing(4)
        self.smoothing.valueChanged.connect(self._smooth)
        self.threshold.valueChanged.connect(self._limit)
        desk.settings_changed.connect(self.show_settings)
        self.show_settings()

    def _slider(self, name: str, most: int) -> QSlider:
        slider = QSlider(Qt.Orientation.Horizontal)
        slider.setRange(0, most)
        slider.setFixedWidth(64)
        slider.setAccessibleName(name)
        return slider

    @Slot()
    def show_settings(self) -> None:
        wanted = self._desk.settings
        steps, share = round(wanted.smoothing / SMOOTHING_STEP_S), round(100 * wanted.threshold)
        for slider, value in ((self.smoothing, steps), (self.threshold, share)):
            slider.blockSignals(True)
            slider.setValue(value)
            slider.blockSignals(False)
        self.seconds.setText(f"smoothing {wanted.smoothing:.2f} s" if steps else "smoothing: off")
        self.share.setText(f"none of these below {share} %" if share else "none of these: off")
        settable = self._desk.settable
        for words, slider in ((self.seconds, self.smoothing), (self.share, self.threshold)):
            shown = ("smoothing" if slider is self.smoothing else "threshold") in settable
            words.setVisible(shown)
            slider.setVisible(shown)
            slider.setAccessibleDescription(words.text())

    @Slot(int)
    def _smooth(self, steps: int) -> None:
        self._desk.set_settings(smoothing=round(steps * SMOOTHING_STEP_S, 2))

    @Slot(int)
    def _limit(self, share: int) -> None:
        self._desk.set_settings(threshold=share / 100)
