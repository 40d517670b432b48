"""Series live: every new row of a table is answered, a forecast with the band of its errors."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace

import numpy as np

from models.parameters import Values
from playground.answers import Answer
from playground.bands import Band, NoBand, band_of, is_forecast
from playground.capture import CaptureStatus
from playground.data.csv_format import CsvOptions
from playground.data.series_reading import WindowReading
from playground.live.adapting import Adapting
from playground.live.answering import Answering
from playground.live.engines import Engine, Torch
from playground.live.errors import LiveError
from playground.live.feed import over
from playground.live.inside import Inside, InsideWish
from playground.live.intake import Sample
from playground.live.newest import Answers
from playground.live.rows import Heard, Rows
from playground.live.settings import EngineReport, LiveAnswer, LiveSettings
from playground.live.smoothing import Smoother
from playground.live.streaming import Moment, Streamer
from playground.live.table import Intake, Recent, series_input
from playground.messages import Array
from playground.model import Model

_PATIENCE = 0.2


class LiveSeries(Answers):
    """Answers of ``model`` to rows: the caller's ``Rows``, or the address of some.

    ``no_band`` says why a forecast comes without one. The state of a recurrent network is carried
    from row to row where its forecasts of the validation rows were no worse for it (see
    ``bands``); otherwise the last window is looked at as a whole. Raises ``LiveError``.
    """

    def __init__(
        self, model: Model, source: Rows | str, settings: LiveSettings | None = None
    ) -> None:
        column = series_input(model.dataset)
        if column is None:
            raise LiveError("this model takes no series, so rows cannot be led to it")
        if not isinstance(source, Rows):
            source = rows_for(model, source)
        super().__init__(source)
        self.rows = source
        self.intake = Intake(column, source.name, source.notice)
        self.band, self.no_band = _band(model)
        self._model = model
        self._engine: Engine = Torch(model)
        if self.band is not None and self.band.carried:
            self._engine = Rolling(model)
        self._words = Banded(model, self.band, Smoother(model, 0.0))
        self._answering = Answering(model, settings or LiveSettings(), self._words)
        self._short = ""

    @property
    def settings(self) -> LiveSettings:
        """Smoothing and threshold may be set at any time, from any thread."""
        return self._answering.settings

    @settings.setter
    def settings(self, settings: LiveSettings) -> None:
        self._answering.settings = settings

    def want(self, settings: LiveSettings, detection: Values) -> None:
        self.settings = settings

    @property
    def engine(self) -> EngineReport:
        return EngineReport(self._engine.name)

    @property
    def status(self) -> CaptureStatus:
        """How the rows do, or what keeps them from being answered."""
        found = super().status
        if self._short and found.state == "running":
            return CaptureStatus("reconnecting", self._short, found.seconds)
        if self._short and found.state == "ended":
            why = self._short.partition("; waiting")[0].rstrip(".")
            text = f"{why[:1].upper()}{why[1:]}. {found.message}"
            return CaptureStatus("ended", text, found.seconds)
        return found

    def states(self) -> dict[str, Array]:
        return self._engine.states() if isinstance(self._engine, Rolling) else {}

    def look_inside(
        self, wish: InsideWish | None = None, told: Callable[[], None] | None = None
    ) -> Inside:
        return Inside(self._model, self._answering.seen.wait, wish, told)

    def groups(self) -> tuple[str, ...]:
        """The series of the table, that of the newest row first; nothing where there is one."""
        return self.intake.groups(self.rows.heard())

    def recent(self, most: int = 200, group: str = "") -> Recent | None:
        """The last rows (of a series of the table), to be shown before the forecast; None where
        there are none."""
        heard = self.rows.heard()
        try:
            return self.intake.recent(heard, most, group) if heard.rows else None
        except LiveError:
            return None

    def events(self) -> Generator[LiveAnswer | CaptureStatus, None, None]:
        """An answer to the newest row whenever there is one, and the status whenever it changes;
        ends when the rows do."""
        said: tuple[str, str] | None = None
        number = 0
        while not self._latest.stopped:
            status = self.status
            if (status.state, status.message) != said:
                said = status.state, status.message
                yield status
            heard = self.rows.wait(number, _PATIENCE)
            if heard is None:
                if over(status):
                    return
                continue
            number = heard.number
            sample = self._sample(heard)
            if sample is not None:
                answer = self._answering.answer(sample, self._engine)
                yield replace(answer, group=next(iter(self.intake.groups(heard)), ""))

    def _sample(self, heard: Heard) -> Sample | None:
        try:
            raw = self.intake.window(heard)
        except LiveError as why:
            self._short = f"{why}."
            return None
        self._short = ""
        # the rows of several series say little about each other
        if self.band is not None and not self.intake.groups(heard):
            values = raw[self.intake.column.name][0, :, 0]
            self._words.adapting.came(heard.begun, heard.number, values)
        return Sample(heard.number, raw, heard.time)


class Banded:
    """Answers with the band of their errors, as wide as what then came shows it has to be. The mean
    over time that ``Smoother`` takes is that of forecasts for the same number of steps ahead."""

    def __init__(self, model: Model, band: Band | None, smoother: Smoother) -> None:
        self._model, self._band, self._smoother = model, band, smoother
        self.seconds = 0.0
        self.adapting = Adapting()

    def answer(self, outputs: dict[str, Array], time: float) -> Answer:
        self._smoother.seconds = self.seconds
        answer = self._smoother.answer(outputs, time)
        if self._band is None:
            return answer
        answer = self._band.around(answer, self._model, self.adapting.width)
        self.adapting.said(answer)
        return answer

    def reset(self) -> None:
        self._smoother.reset()


class Rolling:
    """torch, one row after the other, the state carried along. It begins with a whole window, and
    again with one that does not go on from the last: rows were missed, the file was begun anew, or
    the newest row belongs to another series of the table. Raises ``NotStreaming``."""

    name = "streaming"

    def __init__(self, model: Model) -> None:
        self._streamer = Streamer(model)
        (self._name,) = model.dataset.inputs
        self._window: Array | None = None

    def run(self, raw: dict[str, Array]) -> dict[str, Array]:
        """The outputs after all rows up to the end of the window (1, T, F)."""
        window, length = raw[self._name], raw[self._name].shape[1]
        fresh = length if self._window is None else _fresh(self._window, window)
        if fresh == length:
            self._streamer.reset()
        self._window = window
        for step in range(length - fresh, length):
            found = self._streamer.step({self._name: window[:, step : step + 1]})
        return found

    def bare(self, raw: dict[str, Array]) -> Callable[[], object]:
        step = {self._name: raw[self._name][:, -1:]}
        return lambda: self._streamer.step(step)

    def reset(self) -> None:
        """Rows may be far apart: nothing is forgotten for that."""

    def states(self) -> dict[str, Array]:
        """What the recurrent layers remember now, (H,) by the node's name."""
        return self._streamer.states()

    @property
    def moment(self) -> Moment | None:
        """The newest step, to be looked into."""
        return self._streamer.moment


def _fresh(before: Array, window: Array) -> int:
    """How many rows of a window (1, T, F) follow those of the one before; T where it is another."""
    length = int(window.shape[1])
    for fresh in range(1, length):
        if np.array_equal(before[:, fresh:], window[:, : length - fresh]):
            return fresh
    return length


def rows_for(model: Model, address: str) -> Rows:
    """The rows at an address, read as the model's own data were; raises ``LiveError``."""
    column = series_input(model.dataset)
    reading = None if column is None else column.reading
    if not address.strip():
        raise LiveError("rows are needed: name a CSV file that grows, or - for standard input")
    return Rows(address, reading.format if isinstance(reading, WindowReading) else CsvOptions())


def _band(model: Model) -> tuple[Band | None, str]:
    if not is_forecast(model):
        return None, ""
    try:
        return band_of(model), ""
    except NoBand as why:
        return None, str(why)
