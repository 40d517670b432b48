"""From a sample to its answer, with the timings."""

from __future__ import annotations

import time
from typing import Protocol

from playground.answers import Answer
from playground.data.video_reading import VideoReading
from playground.live.engines import Engine, Stepping
from playground.live.intake import GAP, Sample, input_of
from playground.live.settings import LiveAnswer, LiveSettings
from playground.live.smoothing import Smoother, is_unknown
from playground.live.streaming import NotStreaming, Streamer
from playground.messages import Array
from playground.model import Model


class Words(Protocol):
    """What makes answers of outputs, averaged over ``seconds``."""

    seconds: float

    def answer(self, outputs: dict[str, Array], time: float) -> Answer:
        """The answer to the outputs (1, …) of one sample that was captured at ``time``."""
        ...

    def reset(self) -> None:
        """Forget what came before."""
        ...


class Answering:
    """Answers samples of one source in turn, and counts those that were passed over. ``words``:
    where answers are made otherwise than the model's task says."""

    def __init__(self, model: Model, settings: LiveSettings, words: Words | None = None) -> None:
        self.settings = settings
        self._smoother = words or Smoother(model, settings.smoothing)
        self._answered, self._first, self._time = 0, 0, 0.0
        self.number = 0
        """The sample that was answered last."""

    def answer(self, sample: Sample, engine: Engine) -> LiveAnswer:
        """Raises ``ModelError``. After a gap, what came before is forgotten."""
        if sample.time - self._time > GAP:
            self._smoother.reset()
            engine.reset()
        self.number, self._time = sample.number, sample.time
        settings = self.settings
        self._smoother.seconds = settings.smoothing
        started = time.perf_counter()
        outputs = engine.run(sample.raw)
        seconds = time.perf_counter() - started
        answer = self._smoother.answer(outputs, sample.time)
        self._answered += 1
        self._first = self._first or sample.number
        return LiveAnswer(
            sample.number,
            answer,
            sample.time,
            seconds,
            time.monotonic() - sample.time,
            sample.number - self._first + 1 - self._answered,
            engine.name,
            is_unknown(answer, settings.threshold),
        )


def stepping(model: Model) -> tuple[Stepping | None, str]:
    """An engine that carries the state of a model of clips from frame to frame; or None, and why
    there is none (nothing for models of single pictures)."""
    if not isinstance(input_of(model).reading, VideoReading):
        return None, ""
    try:
        return Stepping(Streamer(model)), ""
    except NotStreaming as why:
        return None, str(why)
