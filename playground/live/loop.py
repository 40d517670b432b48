"""Capture → newest frame → inference → answer. Never a queue: what comes while the network works
is passed over for what is newest when it is done."""

from __future__ import annotations

import logging
import threading
from collections.abc import Generator
from dataclasses import dataclass

from playground.capture import Camera, CaptureStatus, Microphone
from playground.live.answering import Answering, stepping
from playground.live.choice import Choice
from playground.live.engines import Engine
from playground.live.feed import feed, over
from playground.live.settings import LiveAnswer, LiveSettings
from playground.model import Model

_PATIENCE = 0.2


@dataclass(frozen=True, slots=True)
class EngineReport:
    """Which engine answers, and the seconds of an inference of each that was measured."""

    engine: str
    seconds: dict[str, float]
    settled: bool
    problems: dict[str, str]


class Live:
    """Answers of ``model`` to what ``device`` gives.

    The device is the caller's: started, closed and perhaps shown by it. ``start`` answers in a
    thread and keeps the newest; ``events`` answers in the caller's thread instead. The model
    belongs to this object from now on. ``not_streaming`` says why a model of clips is asked about
    whole windows again and again. Raises ``LiveError`` where the device cannot feed it.
    """

    def __init__(
        self, model: Model, device: Camera | Microphone, settings: LiveSettings | None = None
    ) -> None:
        self.settings = settings or LiveSettings()
        self._model, self._device = model, device
        self._streaming, self.not_streaming = stepping(model)
        window = self._streaming is None
        self._feed = feed(model, device, window=window, hop=self.settings.hop)
        self._choice = Choice(model, "eager" if self._streaming else self.settings.engine)
        self._answering = Answering(model, self.settings)
        self._changed = threading.Condition()
        self._answer: LiveAnswer | None = None
        self._problem: CaptureStatus | None = None
        self._stopped = False
        self._thread = threading.Thread(target=self._work, name="live", daemon=True)

    @property
    def status(self) -> CaptureStatus:
        """How the device does, or why there are no answers."""
        return self._problem or self._device.status

    @property
    def engine(self) -> EngineReport:
        choice = self._choice
        name = self._engine.name
        return EngineReport(name, dict(choice.times), choice.settled, dict(choice.problems))

    def start(self) -> None:
        """Begin to answer in a thread; returns at once."""
        self._thread.start()

    def close(self) -> None:
        """End after the present inference, and join."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join()

    def answer(self) -> LiveAnswer | None:
        """The newest answer; None before the first."""
        return self._answer

    def wait(self, after: int, timeout: float) -> LiveAnswer | None:
        """The newest answer to a frame numbered above ``after``; None where none came in time."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopped or self._newer(after), timeout)
            return self._answer if self._newer(after) else None

    def events(self) -> Generator[LiveAnswer | CaptureStatus, None, None]:
        """Every answer, and the status whenever it changes; ends when the device does."""
        self._feed.start()
        self._choice.start()
        said: tuple[str, str] | None = None
        number = 0
        try:
            while not self._stopped:
                status = self.status
                if (status.state, status.message) != said:
                    said = status.state, status.message
                    yield status
                sample = self._feed.wait(number, _PATIENCE)
                if sample is not None:
                    number = sample.number
                    answer = self._answering.answer(sample, self._engine)
                    yield answer
                    self._choice.turn(sample.raw, answer.inference_seconds)
                elif over(status):
                    return
        finally:
            self._feed.close()
            self._choice.close()

    @property
    def _engine(self) -> Engine:
        return self._streaming or self._choice.current

    def _newer(self, after: int) -> bool:
        return self._answer is not None and self._answer.number > after

    def _work(self) -> None:
        try:
            for event in self.events():
                if isinstance(event, LiveAnswer):
                    with self._changed:
                        self._answer = event
                        self._changed.notify_all()
        except Exception as error:
            if not isinstance(error, ValueError):
                logging.getLogger(__name__).exception("live recognition failed")
            text = f"The model cannot answer: {' '.join(str(error).split())}"
            self._problem = CaptureStatus("failed", text, 0.0)
