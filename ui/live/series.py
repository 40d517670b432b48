"""Rows that come to a table live: the last window, the forecast ahead or the class of it."""

from __future__ import annotations

import html
import re
import time
from collections import deque
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QVBoxLayout

from playground.answers import Classes, Series
from playground.captions import NONE, percent, rows
from playground.live.replay import Replay, Script, script_of
from playground.live.rows import Rows
from playground.live.settings import LiveAnswer
from playground.live.table import Recent
from playground.messages import Array
from playground.runs import RunFolder
from ui.insight.column import token_colour
from ui.insight.fetch import Fetch
from ui.live.answer_head import Large
from ui.live.desk import Desk
from ui.live.forecast_plot import AHEAD, COLOURS, ForecastAhead, Shown, decimals_of, fixed_to
from ui.live.forecasts import Forecasts, Score
from ui.live.groups import GroupBox
from ui.live.notices import OFF, Manner, Said, State, said
from ui.live.overlay import words
from ui.live.showing import Showing
from ui.theme import theme
from ui.widgets import Button, ElidedLabel, label

TELL_MS = 200
RATE_S = 5.0
MOST, LEAST_ROWS, MOST_ROWS = 3, 48, 400
SCORED = 500
TABLES = "Tables (*.csv *.tsv *.txt);;All files (*)"
PLAIN = re.compile(r"Following .*\.|Reading rows from standard input\.")
MANNER = Manner("Choose a CSV file that grows.", ("replay", "Replay its own rows"), plain=PLAIN)
NOTHING = Said(
    "Choose a CSV file that grows: every row that is appended is answered at once. Or try it "
    "without a file of your own: rows that the network has not learnt from come by themselves.",
    (("file", "Choose a file …"), MANNER.stand_in),
)
REPLAYED = "Replay of its own rows"


class SeriesStage(Showing):
    """The answer in large letters over the last rows and what was forecast, or a sentence why there
    is none."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._forecasts: dict[str, Forecasts] = {}
        self._answers: dict[str, LiveAnswer] = {}
        """Of each series of the table: what was forecast, and the newest answer."""
        self._replay: Replay | None = None
        self._rows: Rows | None = None
        self._begun = self._drawn = 0
        self._came: deque[tuple[float, int]] = deque()
        self._fetch = Fetch(self)
        self._fetch.done.connect(self._scripted)
        self._fetch.failed.connect(self._not_scripted)
        self._build()
        self._timer = QTimer(self)
        self._timer.setInterval(TELL_MS)
        self._timer.timeout.connect(self._tell)
        desk.answered.connect(self._answered)
        for signal in (desk.status_changed, desk.settings_changed, desk.running_changed):
            signal.connect(self._tell)
        desk.chosen_changed.connect(self._chosen)
        desk.session.closing.connect(self._end_replay)
        self.destroyed.connect(self._fetch.cancel)
        self._chosen()

    # --- building -----------------------------------------------------------------------------

    def _build(self) -> None:
        self.file, self.group = ElidedLabel("", "second"), GroupBox(self._groups)
        self.group.activated.connect(self._group_chosen)
        self.figures = label("", "small")
        self.choose, self.again = Button("Choose a file …", "folder"), Button("Replay", "refresh")
        self.again.setToolTip("Rows of the run's own data, as if they came now")
        self.choose.clicked.connect(self._choose_file)
        self.again.clicked.connect(self.replay)
        row = QHBoxLayout()
        row.setContentsMargins(4, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.file, 1)
        row.addWidget(self.figures)
        row.addWidget(self.group)
        for button in (self.choose, self.again):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            row.addWidget(button)
        self.plot = ForecastAhead()
        self.legend = label("", "small")
        self.legend.setTextFormat(Qt.TextFormat.RichText)
        self.hint = ElidedLabel("", "second")
        under = QHBoxLayout()
        under.setSpacing(16)
        under.addWidget(self.legend)
        under.addWidget(self.hint, 1)
        inner = QVBoxLayout(self.sight)
        inner.setContentsMargins(4, 0, 0, 0)
        inner.setSpacing(4)
        inner.addWidget(self.head)
        inner.addWidget(self.plot, 1)
        inner.addLayout(under)
        self.notice.chosen.connect(self._way_out)
        self._assemble(row)
        theme().changed.connect(self._word_legend)

    # --- what is chosen -----------------------------------------------------------------------

    @Slot()
    def _chosen(self) -> None:
        self._fetch.cancel()
        if self._replay is not None:
            self._end_replay()
            self._desk.forget_address("series")
        self._forget()
        self._tell()

    def _forget(self) -> None:
        self._forecasts.clear()
        self._answers.clear()
        self._came.clear()
        self._drawn = 0
        self.plot.clear()
        self.head.show_answer(Large(), None)

    @Slot()
    def _choose_file(self) -> None:
        name = QFileDialog.getOpenFileName(self, "A CSV file that grows", "", TABLES)[0]
        if name:
            self.take(name)

    def take(self, address: str) -> None:
        """Follow a file."""
        self._end_replay()
        self._forget()
        self._desk.set_address(address)
        self._tell()

    @Slot()
    def replay(self) -> None:
        """Let rows of the run's own data come, from the beginning."""
        path = self._desk.chosen.path
        if path is None:
            self._desk.session.tell("Its rows can be replayed once it is trained.", key="live")
            return
        run = RunFolder(path)
        self.again.setEnabled(False)
        self._fetch.start(lambda: script_of(run))

    @Slot(object)
    def _scripted(self, script: Script) -> None:
        self.again.setEnabled(True)
        try:
            replay = Replay(script)
        except OSError as error:
            self._not_scripted(error.strerror or str(error))
            return
        self._end_replay()
        self._replay = replay
        self._desk.set_address(str(replay.path), keep=False)
        self._desk.start()
        self._tell()

    @Slot(str)
    def _not_scripted(self, why: str) -> None:
        self.again.setEnabled(True)
        self._desk.session.tell(f"The run's rows cannot be replayed: {why}.", "warn", key="live")

    @Slot()
    def _end_replay(self) -> None:
        replay, self._replay = self._replay, None
        if replay is not None:
            replay.close()

    @Slot(str)
    def _way_out(self, way: str) -> None:
        desk = self._desk
        ways = {"file": self._choose_file, "replay": self.replay, "start": desk.start}
        {**ways, "stop": desk.stop}.get(way, desk.again)()

    # --- rows and answers ---------------------------------------------------------------------

    @Slot(object)
    def _answered(self, answer: LiveAnswer) -> None:
        if not self.isVisible() or self._desk.chosen.medium != "series":
            return
        self._follow_rows()
        group = answer.group
        self._answers[group] = answer
        if isinstance(answer.answer, Series):
            self._forecasts.setdefault(group, Forecasts()).add(answer.number, answer.answer)
        self._draw()
        if group == self.group.currentText():
            self.head.show_answer(self._worded(answer), answer)

    @property
    def forecasts(self) -> Forecasts:
        """Of the series that is drawn."""
        return self._forecasts.get(self.group.currentText()) or Forecasts()

    @Slot()
    def _group_chosen(self) -> None:
        self._draw()
        answer = self._answers.get(self.group.currentText())
        self.head.show_answer(Large() if answer is None else self._worded(answer), answer)

    def _groups(self) -> tuple[str, ...]:
        recognition = self._desk.recognition
        groups = getattr(recognition.answers if recognition is not None else None, "groups", None)
        found: tuple[str, ...] = groups() if groups is not None else ()
        return found

    def _follow_rows(self) -> None:
        """Of a file that was begun anew, or another, nothing is known any more."""
        device = self._desk.device
        device = device if isinstance(device, Rows) else None
        heard = device.heard() if device is not None else None
        begun = heard.begun if heard is not None else 0
        if device is not None and (device is not self._rows or begun != self._begun):
            self._rows, self._begun = device, begun
            self._forget()
        if heard is not None and (not self._came or self._came[-1][1] != heard.number):
            self._came.append((heard.time, heard.number))

    def _recent(self) -> Recent | None:
        recognition = self._desk.recognition
        recent = getattr(recognition.answers if recognition is not None else None, "recent", None)
        if recent is None:
            return None
        found: Recent | None = recent(SCORED, self.group.currentText())
        return found

    def _draw(self) -> None:
        """The last rows, of one series of the table, with the newest forecast."""
        self.group.follow()
        recent = self._recent()
        if recent is None or not len(recent.values):
            return
        last = recent.known if recent.group else recent.number
        start = last - len(recent.values) + 1
        forecasts = self.forecasts
        if recent.group:
            forecasts = forecasts.placed(recent.numbers, start)
        newest = forecasts.newest
        steps = len(newest.values) if newest is not None else 0
        seen = self._window()
        wanted = max(LEAST_ROWS, seen + max(2 * steps, seen // 2))
        count = min(len(recent.values), MOST_ROWS, wanted)
        first = last - count + 1
        values = recent.values[-count:]
        columns = recent.columns
        if newest is not None:  # the first is the one that is forecast
            values, columns = values[:, :1], columns[:1]
        self._drawn = recent.number
        self.plot.show_rows(
            Shown(
                columns,
                values,
                first,
                recent.times[-count:],
                min(seen, count),
                newest if newest is not None and newest.origin == last else None,
                forecasts.before(first),
                self._unit(),
                self._decimals(values),
            )
        )
        self._word_legend(forecasts.score(recent.values[:, 0], start))

    def _decimals(self, values: Array) -> int:
        """As many as before, where that is not far off."""
        places, before = decimals_of(values), self.plot.shown
        if before is not None and abs(before.decimals - places) < 2:
            return before.decimals
        return places

    def _window(self) -> int:
        recognition = self._desk.recognition
        intake = getattr(recognition.answers if recognition is not None else None, "intake", None)
        length = getattr(intake, "length", 0)
        return length if length < MOST_ROWS else 0

    def _unit(self) -> str:
        answer = self._desk.answer.answer if self._desk.answer is not None else None
        return answer.unit if isinstance(answer, Series) else ""

    def _worded(self, answer: LiveAnswer) -> Large:
        found = answer.answer
        if isinstance(found, Classes) and found.answers:
            label, share = found.answers[0]
            text, figure = (NONE, "") if answer.unknown else (label, percent(share))
            line = f"of the last {self._window():,} rows" if self._window() else "of the last rows"
            return Large(text, figure, line, tuple(rows(found, MOST)), answer.unknown)
        if not isinstance(found, Series) or not found.values:
            plain = words(answer, MOST)
            return Large(plain.head, "", plain.line)
        shown = self.plot.shown
        places = shown.decimals if shown is not None else 2
        line = "the next row"
        if found.low is not None and found.high is not None:
            ends = f"{fixed_to(found.low[0], places)} to {fixed_to(found.high[0], places)}"
            line = f"the next row · 80 % of such forecasts end within {ends}"
        elif problem := self._no_band():
            line = f"the next row · {problem}"
        return Large(fixed_to(found.values[0], places), found.unit, line)

    def _no_band(self) -> str:
        recognition = self._desk.recognition
        answers = recognition.answers if recognition is not None else None
        return str(getattr(answers, "no_band", ""))

    def _word_legend(self, score: Score | None = None) -> None:
        shown = self.plot.shown
        if shown is None:
            self.legend.setText("")
            return
        named = zip(shown.columns[: len(COLOURS)], COLOURS, strict=False)
        of = f" · {group}" if (group := self.group.currentText()) else ""
        parts = [_swatch(colour, name + of) for name, colour in named]
        if self.forecasts.newest is not None:
            parts += [_swatch(AHEAD, "forecast")]
        if score is not None:
            off = f"{fixed_to(score.mae, shown.decimals)} {shown.unit}".strip()
            text = f"off by {off}" + (" on average so far" if score.count > 1 else " so far")
            parts.append(" · ".join(part for part in (text, score.band_words()) if part))
        self.legend.setText(" &nbsp; ".join(parts))

    # --- what is said -------------------------------------------------------------------------

    def _state(self) -> State:
        desk, device = self._desk, self._desk.device
        failed = desk.status if device is None and desk.status.state == "failed" else None
        return State(
            desk.running,
            desk.address,
            self.device_name(),
            device.status if device is not None else None,
            desk.recognition.status if desk.recognition is not None else None,
            desk.chosen,
            seen=bool(self._drawn) or (device is not None and device.status.state == "running"),
            answered=desk.answer is not None,
            problem=failed.message if failed is not None else "",
            manner=MANNER,
        )

    def device_name(self) -> str:
        """What people call where the rows come from."""
        if self._replay is not None:
            return REPLAYED
        address = self._desk.address
        return "standard input" if address == "-" else Path(address).name

    @Slot()
    def _tell(self) -> None:
        """Say how things are, five times a second and whenever that changes."""
        if not self.isVisible() or self._desk.chosen.medium != "series":
            return
        self._follow_rows()
        address = self._desk.address
        self.file.set_text(self.device_name() or "No file is chosen")
        self.file.tip = address
        found = said(self._state()) if address else NOTHING
        if not self._desk.running and self.plot.shown is not None:
            found = Said(hint=OFF)  # what came last stays
            self.head.say(replace(self.head.said, dim=True))
        self.figures.setText(self._rate() if not found.text else "")
        if found.text:
            self.notice.say(found.text, found.ways)
        else:
            self.notice.clear()
        self.sight.setVisible(not found.text)
        waits = self._waits()
        hint = found.hint or waits
        self.hint.set_text(hint)
        self.legend.setVisible(not hint)  # the sentence needs the room
        if self._desk.answer is None:
            self.head.show_answer(Large("", "", hint or found.note), None)
        if self._rows is not None and self._rows.heard().number != self._drawn:
            self._draw()

    def _waits(self) -> str:
        """What keeps the rows from being answered."""
        recognition = self._desk.recognition
        status = recognition.status if recognition is not None else None
        return status.message if status is not None and status.state == "reconnecting" else ""

    def _rate(self) -> str:
        """How many rows come; a number that takes the same room always."""
        now = time.monotonic()
        while len(self._came) > 1 and self._came[0][0] < now - RATE_S:
            self._came.popleft()
        if not self._came:
            return ""
        (start, first), (newest, last) = self._came[0], self._came[-1]
        gap = (newest - start) / max(1, last - first)
        end = max(newest, now - 2 * gap)  # where no more come it falls
        rate = (last - first) / (end - start) if end > start else 0.0
        return f"{rate:.1f} rows/s · {last:,} rows"

    # --- events -------------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._timer.start()
        self._tell()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._timer.stop()
        self._fetch.cancel()
        self.again.setEnabled(True)
        self._leave_whole()


def _swatch(colour: str, text: str) -> str:
    return f'<span style="color:{token_colour(colour).name()}">■</span> {html.escape(text)}'
