"""Capture → newest frame → inference → answer. Never a queue: what comes while the network works
is passed over for what is newest when it is done."""

from __future__ import annotations

from collections.abc import Callable, Generator

from models.parameters import Values
from playground.capture import Camera, CaptureStatus, Microphone
from playground.live.answering import Answering, stepping
from playground.live.choice import Choice
from playground.live.engines import Engine
from playground.live.feed import feed, over
from playground.live.inside import HeadOf, Inside, InsideWish
from playground.live.intake import Sample, input_of, part_taken
from playground.live.newest import Answers, Part
from playground.live.settings import EngineReport, LiveAnswer, LiveSettings
from playground.messages import Array
from playground.model import Model

_PATIENCE = 0.05
"""Seconds between two looks at whether to end."""


class Live(Answers):
    """Answers of ``model`` to what ``device`` gives.

    The model belongs to this object from now on. ``not_streaming`` says why a model of clips or of
    sound is asked about whole windows again and again. Raises ``LiveError`` where the device
    cannot feed it.
    """

    def __init__(
        self, model: Model, device: Camera | Microphone, settings: LiveSettings | None = None
    ) -> None:
        settings = settings or LiveSettings()
        super().__init__(device)
        self._model = model
        self._streaming, self.not_streaming = stepping(model, settings.engine)
        window = self._streaming is None
        self._feed = feed(model, device, window=window, hop=settings.hop)
        self._choice = Choice(model, "eager" if self._streaming else settings.engine)
        self._answering = Answering(model, settings)

    @property
    def settings(self) -> LiveSettings:
        """Smoothing and threshold may be set at any time, from any thread; the rest stays."""
        return self._answering.settings

    @settings.setter
    def settings(self, settings: LiveSettings) -> None:
        self._answering.settings = settings

    def want(self, settings: LiveSettings, detection: Values) -> None:
        self._answering.want(settings, detection)

    @property
    def engine(self) -> EngineReport:
        choice = self._choice
        name = self._engine.name
        return EngineReport(name, dict(choice.times), choice.settled, dict(choice.problems))

    def events(self) -> Generator[LiveAnswer | CaptureStatus, None, None]:
        """Every answer, and the status whenever it changes; ends when the device does."""
        self._feed.start()
        said: tuple[str, str] | None = None
        number = 0
        try:
            while not self._latest.stopped:
                status = self.status
                if (status.state, status.message) != said:
                    said = status.state, status.message
                    yield status
                sample = self._feed.wait(number, _PATIENCE)
                if sample is not None:
                    number = sample.number
                    answer = self._answer(sample)
                    yield answer
                    self._choice.turn(sample.raw, answer.inference_seconds)
                elif over(status):
                    return
        finally:
            self._feed.close()
            self._choice.close()

    def _answer(self, sample: Sample) -> LiveAnswer:
        try:
            return self._answering.answer(sample, self._engine)
        except Exception as error:  # a runtime raises nearly anything: a GPU may be lost
            if self._streaming is not None or not self._choice.fall_back(error):
                raise
        return self._answering.answer(sample, self._engine)

    def stop(self) -> None:
        super().stop()
        self._choice.stop()

    def part_seen(self, size: tuple[int, int]) -> Part | None:
        return part_taken(input_of(self._model), size)

    def look_inside(
        self, wish: InsideWish | None = None, told: Callable[[], None] | None = None
    ) -> Inside:
        return Inside(self._model, self._answering.seen.wait, wish, told, self._own_head)

    @property
    def _own_head(self) -> HeadOf | None:
        """What gives the last layer, where it is not the model's own."""
        return None

    def states(self) -> dict[str, Array]:
        return {} if self._streaming is None else self._streaming.states()

    @property
    def _engine(self) -> Engine:
        return self._streaming or self._choice.current
