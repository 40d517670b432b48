"""From a sample to its answer, with the timings."""

from __future__ import annotations

import time
from typing import Any, Protocol

from models.parameters import Values, checked
from playground.answers import Answer, Boxes, Classes
from playground.data.sound_reading import SoundReading
from playground.data.video_reading import VideoReading
from playground.detection.parameters import TRAINED
from playground.detection.tracking import Tracker
from playground.detection.trained import on_frame, worded
from playground.live.engines import Engine, Stepping
from playground.live.inside import Seen
from playground.live.intake import GAP, Sample, input_of
from playground.live.latest import Latest
from playground.live.settings import EngineName, LiveAnswer, LiveSettings
from playground.live.smoothing import Smoother, is_unknown
from playground.live.spoken import Spoken
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


class Objects:
    """What a network of the task Detection finds, with ``settings`` for ``TRAINED``. Objects move:
    their maps have no mean. Raises ``ParameterError``."""

    def __init__(self, model: Model, settings: Values) -> None:
        self.seconds = 0.0
        self._output, target = next(iter(model.wires.outputs.items()))
        self._column = model.dataset.targets[target]
        self.want(settings)

    def want(self, settings: Values) -> None:
        """Others from now on, from any thread. Raises ``ParameterError``."""
        self._values = checked(TRAINED, settings)

    def answer(self, outputs: dict[str, Array], time: float) -> Boxes:
        return worded(outputs[self._output][0], self._column, self._values)

    def reset(self) -> None:
        """There is nothing."""


def words_of(model: Model, seconds: float, detection: Values | None = None) -> Words:
    """Answers as the model's task says, averaged over ``seconds``; of a detector by the values
    ``detection`` for its parameters. Raises ``ParameterError``."""
    if model.task.id == "detection":
        return Objects(model, detection or {})
    return Smoother(model, seconds)


class Answering:
    """Answers samples of one source in turn, and counts those that were passed over. ``words``:
    where answers are made otherwise than ``words_of`` has it."""

    def __init__(self, model: Model, settings: LiveSettings, words: Words | None = None) -> None:
        self.settings = settings
        self._smoother = words or words_of(model, settings.smoothing)
        self._tracker = Tracker()
        self._reading: Any = next(iter(model.dataset.inputs.values())).reading
        self._answered, self._first, self._time = 0, 0, 0.0
        self._words = 0
        self.number = 0
        """The sample that was answered last."""
        self.seen: Latest[Seen] = Latest()
        """The same, for who looks inside meanwhile."""

    def want(self, settings: LiveSettings, detection: Values) -> None:
        """Answer so from now on, from any thread. Raises ``ParameterError``."""
        self.settings = settings
        if isinstance(self._smoother, Objects):
            self._smoother.want(detection)

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
        spoken = engine if isinstance(engine, Spoken) else None
        if spoken is not None and spoken.words != self._words:  # a word has begun
            self._words = spoken.words
            self._smoother.reset()
        answer = self._smoother.answer(outputs, sample.time)
        if isinstance(answer, Boxes) and sample.pixels is not None:
            answer = on_frame(answer, sample.pixels.shape[:2], self._reading)
            answer = self._tracker.follow(answer, sample.time)
        if spoken is None or spoken.moment is not None:  # before the first word there is nothing
            self.seen.put(_seen(sample, engine, answer))
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
            is_unknown(answer, settings.threshold) or (spoken is not None and not spoken.known),
            None if spoken is None else not spoken.speaks,
        )


def _seen(sample: Sample, engine: Engine, answer: Answer) -> Seen:
    first = answer.answers[0][0] if isinstance(answer, Classes) and answer.answers else None
    size = None if sample.pixels is None else sample.pixels.shape[:2]
    moment = getattr(engine, "moment", None)  # where it carries a state
    return Seen(sample.number, sample.time, sample.raw, size, first, moment, sample.pixels)


def stepping(model: Model, wanted: EngineName = "auto") -> tuple[Stepping | Spoken | None, str]:
    """An engine that carries the state of a model of clips from frame to frame, or of a model of
    sound through a word; or None, and why there is none (nothing for models of single pictures, or
    where windows are ``wanted`` by naming another engine)."""
    reading = input_of(model).reading
    try:
        if wanted != "auto":
            return None, ""
        if isinstance(reading, VideoReading):
            return Stepping(Streamer(model, reading.frames)), ""
        if isinstance(reading, SoundReading):
            return Spoken(model), ""
    except NotStreaming as why:
        return None, str(why)
    return None, ""
