"""Live answers beside training: between its batches, from the newest weights.

The worker asks ``due`` in every turn and calls ``turn`` when it is. Where batches are long, a
second thread answers from a copy of the weights that is brought up to date after each batch.
"""

from __future__ import annotations

import copy
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from torch import Tensor

from models.parameters import ParameterError, Values
from playground.capture import Camera, Microphone
from playground.compat import usable_cores
from playground.data.video_reading import VideoReading
from playground.live.answering import Answering, stepping, words_of
from playground.live.at_hand import AtHand
from playground.live.engines import Engine, Shared
from playground.live.errors import LiveError
from playground.live.feed import Feed, feed
from playground.live.glances import Glances
from playground.live.inside import InsideWish, Seen
from playground.live.intake import Pictures, Sample, check, input_of
from playground.live.latest import Latest
from playground.live.settings import LiveAnswer, LiveSettings
from playground.messages import LiveAnswered, LookedInside
from playground.model import Model

TRAINING_SHARE = 0.1
"""Of the time, what live answers may take from a run that goes on."""
BESIDE_SHARE = 0.5
"""Of a core's time, what a second thread may take."""
LONG_BATCH = 0.1
"""Seconds from which on a batch would delay answers too much."""
AGAIN = 2.0
"""Seconds after which it is tried again to answer, where that failed: weights change, memory comes
free, the next frame is another."""
_POLL = 0.005
_PATIENCE = 0.2

Post = Callable[[LiveAnswered | LookedInside], None]


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be looked at, how, and the most times a second; ``detection`` are values for a
    detector's parameters."""

    device: Camera | Microphone
    settings: LiveSettings
    rate_hz: float = 10.0
    detection: Values = field(default_factory=dict)


class Asking:
    """A model with a feed for it. Raises ``LiveError`` or ``ParameterError``."""

    def __init__(self, model: Model, wish: Wish) -> None:
        self.model = model
        streaming, _ = stepping(model)
        self._engine: Engine = streaming or Shared(model)
        self.feed: Feed = _feed(model, wish, window=streaming is None)
        words = words_of(model, wish.settings.smoothing, wish.detection)
        self._answering = Answering(model, wish.settings, words)

    @property
    def number(self) -> int:
        """The sample that was answered last."""
        return self._answering.number

    def fresh(self) -> Sample | None:
        """The newest sample, unless it was answered already."""
        sample = self.feed.newest()
        return sample if sample is not None and sample.number > self.number else None

    @property
    def seen(self) -> Latest[Seen]:
        """The same, to be looked into."""
        return self._answering.seen

    def answer(self, sample: Sample) -> LiveAnswer:
        return self._answering.answer(sample, self._engine)

    def want(self, wish: Wish) -> None:
        """Other settings from now on, from any thread. Raises ``ParameterError``."""
        self._answering.want(wish.settings, wish.detection)


def _feed(model: Model, wish: Wish, *, window: bool) -> Feed:
    """Raises ``LiveError``."""
    column = input_of(model)
    windows = window and isinstance(column.reading, VideoReading)
    if isinstance(wish.device, Camera) and not windows:
        check(model, wish.device)
        return AtHand(Pictures(column, window=False), wish.device)
    # windows of frames: twice as often, so that no frame is old when it is asked about
    rate = 2 * wish.rate_hz
    return feed(model, wish.device, window=window, hop=wish.settings.hop, rate_hz=rate)


class Share:
    """The live view of whatever network the worker has. Everything but ``post`` happens in the
    worker's thread. ``inside`` may be replaced at any time."""

    def __init__(self, wish: Wish, post: Post, inside: InsideWish | None = None) -> None:
        self.wish, self._post, self.inside = wish, post, inside
        self._asking: Asking | None = None
        self._glances: Glances | None = None
        self._refused: object = None
        """The network that can never be asked; it was told once."""
        self._failed: tuple[object, float] = None, 0.0
        """The network that could not be asked, and when it is tried again."""
        self._said = ""
        self._beside: Beside | None = None
        self._due = self._batch = 0.0

    def want(self, wish: Wish) -> bool:
        """Other settings from now on, so that objects keep their numbers; False where a new view
        has to be begun for it."""
        kept = replace(wish, settings=self.wish.settings, detection=self.wish.detection)
        again = kept != self.wish or wish.settings.hop != self.wish.settings.hop
        if again or self._refused is not None:
            return False
        try:
            beside = None if self._beside is None else self._beside.asking
            for asking in (self._asking, beside):
                if asking is not None:
                    asking.want(wish)
        except ParameterError:
            return False
        self.wish = wish
        return True

    def due(self, model: Model | None) -> float | None:
        """Seconds until an answer is wanted: 0 for now, None for not before something changes."""
        if model is None or model.network is self._refused:
            return None
        network, again = self._failed
        if network is model.network and (rest := again - time.perf_counter()) > 0:
            return rest
        if self._asking is None or self._asking.model.network is not model.network:
            return 0.0
        if self._beside is not None:
            return None
        try:
            answer, look = self._answer_wait(self._asking), self._look_wait()
        except Exception as error:  # the newest frame is fitted here
            self._refuse(model, error)
            return AGAIN
        return answer if look is None else min(answer, look)

    def turn(self, model: Model, step: int, *, training: bool) -> None:
        """Answer the newest frame, or look at it, with the weights after ``step`` batches."""
        try:
            if self._asking is None or self._asking.model.network is not model.network:
                self._begin(model)
                return
            looks = self.inside is not None
            # answers and looks have half of the share each
            share = TRAINING_SHARE / (1 + looks) if training else 1.0
            look = self._look_wait() == 0 and self._answer_wait(self._asking) > 0
            if look and self._glances and self.inside:
                self._glances.look(self.inside, step, share)
            else:
                self._answer(self._asking, step, share)
        except Exception as error:
            self._refuse(model, error)

    def _answer_wait(self, asking: Asking) -> float:
        left = self._due - time.perf_counter()
        if left > 0:
            return left
        return 0.0 if asking.fresh() is not None else _POLL

    def _look_wait(self) -> float | None:
        return None if self._glances is None else self._glances.wait(self.inside)

    def _answer(self, asking: Asking, step: int, share: float) -> None:
        sample = asking.fresh()
        if sample is None:
            return
        started = time.perf_counter()
        answer = asking.answer(sample)
        taken = time.perf_counter() - started
        self._due = started + max(1 / self.wish.rate_hz, taken / share)
        self._said = ""
        self._post(LiveAnswered(answer, step))

    def after_batch(self, model: Model | None, seconds: float, step: int) -> None:
        """A batch took ``seconds``: begin or cease to answer beside the training, or renew the
        weights there."""
        self._batch += 0.3 * (seconds - self._batch)
        if self._asking is None or model is None or self._asking.model.network is not model.network:
            return
        try:
            if self._beside is not None and self._batch < LONG_BATCH / 2:
                self.at_rest()
            elif self._beside is not None:
                self._beside.renew(model, step)
            elif self._batch > LONG_BATCH:
                self._beside = Beside(model, self, step, self._post)
                self._beside.start()
        except Exception as error:  # training goes on, also where a copy finds no memory
            self._refuse(model, error)

    def at_rest(self) -> None:
        """No batches any more: answers come from the worker's own turns again."""
        if self._beside is not None:
            self._beside.close()
            self._beside = None

    def close(self) -> None:
        self.at_rest()
        if self._asking is not None:
            self._asking.feed.close()
            self._asking = self._glances = None

    def _begin(self, model: Model) -> None:
        self.close()
        self._asking = Asking(model, self.wish)
        self._glances = Glances(model, self._asking.seen, self._post)
        self._asking.feed.start()

    def _refuse(self, model: Model, error: Exception) -> None:
        """Give up for good what can never work: a network that takes something else."""
        if isinstance(error, (LiveError, ParameterError)):
            self._refused = model.network
        self._failed = model.network, time.perf_counter() + AGAIN
        self.close()
        self._said = _told(error, self._said, self._post)


class Beside(threading.Thread):
    """Answers in a thread of its own from a copy of a network under training."""

    def __init__(self, model: Model, view: Share, step: int, post: Post) -> None:
        super().__init__(name="live beside", daemon=True)
        module = copy.deepcopy(model.network.module)
        network = replace(model.network, module=module)
        copied = replace(model, network=network)
        self.asking = Asking(copied, view.wish)
        self._glances = Glances(copied, self.asking.seen, post)
        self._view, self._post, self._step = view, post, step
        self._share = BESIDE_SHARE if usable_cores() > 1 else TRAINING_SHARE
        self._lock = threading.Lock()
        self._fresh: tuple[dict[str, Tensor], int] | None = None
        self._closed = threading.Event()

    def renew(self, model: Model, step: int) -> None:
        """Hand over the weights after a batch; a copy, because training goes on."""
        weights = model.network.module.state_dict()
        copied = {name: value.detach().clone() for name, value in weights.items()}
        with self._lock:
            self._fresh = copied, step

    def close(self) -> None:
        self._closed.set()
        self.join()
        self.asking.feed.close()

    def run(self) -> None:
        self.asking.feed.start()
        said = ""
        while not self._closed.is_set():
            try:
                sample = self.asking.feed.wait(self.asking.number, _PATIENCE)
                if sample is not None:
                    rest, said = self._answer(sample), ""
                    self._closed.wait(rest)
            except Exception as error:
                said = _told(error, said, self._post)
                self._closed.wait(AGAIN)

    def _answer(self, sample: Sample) -> float:
        """Returns how long to rest."""
        started = time.perf_counter()
        with self._lock:
            fresh, self._fresh = self._fresh, None
        if fresh is not None:
            weights, self._step = fresh
            self.asking.model.network.module.load_state_dict(weights)
        answer = self.asking.answer(sample)
        self._post(LiveAnswered(answer, self._step))
        inside = self._view.inside
        if inside is not None and self._glances.wait(inside) == 0:
            self._glances.look(inside, self._step)
        taken = time.perf_counter() - started
        return max(0.0, max(1 / self._view.wish.rate_hz, taken / self._share) - taken)


def _told(error: Exception, said: str, post: Post) -> str:
    """Why there is no answer, as a sentence that was told, unless it was ``said`` already."""
    text = " ".join(str(error).split()) or type(error).__name__
    if text != said:
        if not isinstance(error, ValueError):
            logging.getLogger(__name__).error("a live answer failed", exc_info=error)
        post(LiveAnswered(None, problem=text))
    return text
