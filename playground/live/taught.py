"""Live answers of a network that is taught by example, also while it is being taught."""

from __future__ import annotations

import logging
import threading
from collections.abc import Generator
from dataclasses import dataclass, replace

import numpy as np

from playground.answers import Classes
from playground.capture import Camera, CaptureStatus, Microphone, refusal
from playground.embedding import Embedder
from playground.familiar import NoExamples, examples_of, head_of
from playground.live.answering import Answering
from playground.live.engines import CUDA_HALF
from playground.live.inside import HeadOf
from playground.live.intake import Sample
from playground.live.loop import Live
from playground.live.settings import LiveAnswer, LiveSettings
from playground.live.smoothing import Mean
from playground.messages import Array
from playground.model import Model
from playground.teach import Head


@dataclass(frozen=True, slots=True, eq=False)
class Looked:
    """A frame that was looked at: its pixels (H×W×3), and its vector (F,); None where that was
    computed in half precision, which does to answer but not to learn from."""

    number: int
    pixels: Array
    vector: Array | None
    time: float


class LiveTaught(Live):
    """Answers of a backbone with a ``head`` that may be replaced at any time, from any thread.

    Without a head the answers are empty, and everything else goes on: engines are measured, vectors
    are there to be taught. Every frame is looked at once: who records what is seen takes its vector
    from ``looked``.
    """

    def __init__(
        self,
        backbone: Embedder | Model,
        device: Camera | Microphone,
        settings: LiveSettings | None = None,
        head: Head | None = None,
    ) -> None:
        """``backbone`` is a network with the head that it came with, which is not asked. Raises
        ``EmbeddingError`` or ``LiveError``."""
        embedder = backbone if isinstance(backbone, Embedder) else Embedder(backbone, cached=False)
        super().__init__(embedder.backbone, device, settings)
        self._looked: Looked | None = None
        self._words = _Words(self.settings.smoothing, head)
        self._answering = Answering(embedder.backbone, self.settings, self._words)

    @property
    def head(self) -> Head | None:
        """What answers; one of a single class tells how well that class is known."""
        return self._words.head

    @head.setter
    def head(self, head: Head | None) -> None:
        self._words.head = head

    @property
    def _own_head(self) -> HeadOf:
        return lambda: self.head

    def looked(self) -> Looked | None:
        """The frame that was answered last; None before the first."""
        return self._looked

    def _answer(self, sample: Sample) -> LiveAnswer:
        answer = super()._answer(sample)
        if sample.pixels is not None:
            vector = None if answer.engine == CUDA_HALF else self._words.vector
            self._looked = Looked(sample.number, sample.pixels, vector, sample.time)
        return answer


def live_for(
    model: Model, device: Camera | Microphone, settings: LiveSettings | None = None
) -> Live:
    """What answers for ``model``: where its run was taught by example, it also tells how well a
    picture is known. Raises ``LiveError`` or ``RunError``."""
    head = head_of(model)
    if head is None:
        return Live(model, device, settings)
    if head.examples is None:
        return LiveTuned(model, device, settings, head)
    return LiveTaught(model, device, settings, head)


class LiveTuned(LiveTaught):
    """Answers of a taught run that was trained on. They begin at once; meanwhile its examples are
    looked at anew, in a thread, and from then on it is told what was seen before."""

    def __init__(
        self,
        model: Model,
        device: Camera | Microphone,
        settings: LiveSettings | None,
        head: Head,
    ) -> None:
        super().__init__(model, device, settings, head)
        self._whole, self._note = model, ""

    @property
    def status(self) -> CaptureStatus:
        """While the device is well: how far the examples are, or why they are not known."""
        found = super().status
        if not self._note or found.state != "running":
            return found
        return replace(found, message=self._note)

    def events(self) -> Generator[LiveAnswer | CaptureStatus, None, None]:
        thread = threading.Thread(target=self._remember, name="examples", daemon=True)
        thread.start()
        try:
            yield from super().events()
        finally:
            self._latest.stop()
            thread.join()

    def _remember(self) -> None:
        try:
            examples = examples_of(self._whole, self._progress)
        except _GivenUp:
            return
        except Exception as error:
            if not isinstance(error, ValueError):
                logging.getLogger(__name__).exception("examples could not be looked at")
            why = error if isinstance(error, NoExamples) else NoExamples(str(error).rstrip("."))
            self._note = refusal(why)
            return
        self._note = ""
        if self.head is not None:
            self.head = replace(self.head, examples=examples)

    def _progress(self, done: int, total: int) -> None:
        if self._latest.stopped:
            raise _GivenUp
        self._note = f"The examples are looked at anew: {done:,} of {total:,} …"


class _GivenUp(Exception):
    """Nobody waits for the examples any more."""


class _Words:
    """Answers of whatever head there is, from vectors, averaged over ``seconds``."""

    def __init__(self, seconds: float, head: Head | None) -> None:
        self.seconds, self.head = seconds, head
        self.vector: Array = np.zeros(0, np.float32)
        """The newest."""
        self._mean = Mean()
        self._classes: tuple[str, ...] = ()

    def answer(self, outputs: dict[str, Array], time: float) -> Classes:
        ((self.vector,),) = outputs.values()
        head = self.head  # another thread may replace it meanwhile
        if head is None:
            self.reset()
            return Classes(())
        if head.classes != self._classes:
            self._classes = head.classes
            self.reset()
        vectors = self.vector[None]
        values = head.probabilities(vectors)[0]
        if head.examples is None:
            return head.worded(self._mean.follow(values, time, self.seconds), None)
        values = np.concatenate([values, head.examples.seen(vectors)])
        *probabilities, seen = self._mean.follow(values, time, self.seconds)
        return head.worded(np.asarray(probabilities), float(seen))

    def reset(self) -> None:
        self._mean.reset()
