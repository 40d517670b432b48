"""Sound with a carried state: spectra of what is new alone, one step of the recurrent layers each,
and an answer after every hop.

A network that was trained on short clips would drift if it heard for hours. So it begins anew with
every word: a little before somebody begins to speak (``voice``), and it is not asked while nobody
does; the last word's answer is held for a while then.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from torch import Tensor

from playground.data.dataset import Column
from playground.data.sound_reading import SoundReading
from playground.live.feed import POSITION
from playground.live.framing import Framer, cut
from playground.live.intake import input_of
from playground.live.streaming import Carried, Moment, assert_equal
from playground.live.voice import Voice
from playground.messages import Array
from playground.model import Model

LEAD = 0.2
"""Seconds before a word that belong to it: its first consonant may be soft."""
LONGEST = 2.0
"""Lengths of the model's clips after which the state begins anew though nobody has paused."""
HELD = 1.0
"""Seconds for which the answer to a word stands after it."""
_PIECES = (1, 7, 160, 1601)


class SoundStreamer:
    """The outputs of a model of sound after every piece of it. Raises ``NotStreaming``."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._column: Column = input_of(model)
        part = cut(model.graph, self._column.name)
        self._framer = Framer(model, part, self._column)
        self._carried = Carried(model, part.back, part.name)
        self._name = part.name
        self.check()

    def begin(self) -> None:
        """What comes next is the beginning of a sound."""
        self._framer.begin()
        self._carried.reset()

    def hear(self, raw: Array) -> dict[str, Array] | None:
        """The outputs (1, …) after a further piece, raw (n, 1); None where it brings no step."""
        return self._after(self._framer.take(raw))

    def finish(self) -> dict[str, Array] | None:
        """The outputs at the end of the sound; None where it brings no further step."""
        return self._after(self._framer.finish())

    def states(self) -> dict[str, Array]:
        """What the recurrent layers remember now, (H,) by the node's name."""
        return self._carried.states()

    @property
    def moment(self) -> Moment | None:
        """The newest steps, to be looked into."""
        return self._carried.moment

    def check(self) -> None:
        """A whole sound in pieces must end where it does at once."""

        def streamed(_: str, sample: Array) -> dict[str, Array]:
            self.begin()
            found: dict[str, Array] = {}
            start = 0
            for piece in _PIECES:
                found = self.hear(sample[start : start + piece]) or found
                start += piece
            found = self.hear(sample[start:]) or found
            return self.finish() or found

        assert_equal(self._model, streamed, "sound")
        self.begin()

    def _after(self, steps: Tensor | None) -> dict[str, Array] | None:
        if steps is None:
            return None
        found = self._carried.step({self._name: steps})
        return {name: found[name].cpu().numpy() for name in self._model.network.outputs}


class Spoken:
    """An engine for models of words. Raises ``NotStreaming``.

    Of a sample it takes what it has not heard, and begins anew where that leaves a gap.
    """

    name = "streaming"

    def __init__(self, model: Model) -> None:
        self._streamer = SoundStreamer(model)
        self._column = input_of(model)
        reading = self._column.reading
        assert isinstance(reading, SoundReading)
        self._lead, self._held = round(LEAD * reading.rate), round(HELD * reading.rate)
        self._longest = round(LONGEST * reading.steps)
        self._voice = Voice(reading.rate)
        clip = {self._column.name: np.zeros((1, reading.steps, 1), np.float32)}
        whole = model.outputs(model.prepared(clip))
        self._nothing = {name: np.zeros_like(values) for name, values in whole.items()}
        self.words = 0
        """How many have begun so far."""
        self.reset()

    @property
    def speaks(self) -> bool:
        """Whether somebody does; otherwise the outputs are those of the last word."""
        return self._voice.speaks

    @property
    def known(self) -> bool:
        """Whether the outputs are those of a word that is being said or was said just now."""
        return self.speaks or self._position - self._ended < self._held

    def run(self, raw: dict[str, Array]) -> dict[str, Array]:
        """The outputs after sound (1, n, 1) that ends at ``POSITION``."""
        samples, end = raw[self._column.name][0], int(raw[POSITION])
        if self._position < 0 or end - self._position > len(samples):
            self._begin_at(end - len(samples))
        fresh = max(0, end - self._position)
        self._hear(samples[len(samples) - fresh :])
        return self._outputs

    def bare(self, raw: dict[str, Array]) -> Callable[[], object]:
        return lambda: self.run(raw)

    def reset(self) -> None:
        """Forget what was heard."""
        self._begin_at(-1)
        self._outputs = self._nothing

    def states(self) -> dict[str, Array]:
        """What the recurrent layers remember now, (H,) by the node's name."""
        return self._streamer.states()

    @property
    def moment(self) -> Moment | None:
        """The newest steps, to be looked into."""
        return self._streamer.moment

    def _begin_at(self, position: int) -> None:
        self._position = self._began = self._told = position
        self._ended = position - self._held
        self._recent = np.zeros((0, 1), np.float32)
        self._voice.reset(position)

    def _hear(self, fresh: Array) -> None:
        self._recent = np.concatenate((self._recent, fresh))
        self._position += len(fresh)
        for turn in self._voice.hear(fresh[:, 0]):
            if turn.speaks:
                self._word(turn.position)
            else:
                self._tell(turn.position)
                self._ended = turn.position
        if self.speaks:
            if self._position - self._began > self._longest:
                self._word(self._position)
            self._tell(self._position)
        self._recent = self._recent[-2 * (self._lead + 1) :]

    def _word(self, position: int) -> None:
        """A word begins: what was before it is forgotten."""
        self._streamer.begin()
        self._began = self._told = max(position - self._lead, self._position - len(self._recent))
        self.words += 1

    def _tell(self, end: int) -> None:
        """Let the network hear the word up to ``end``."""
        start = self._position - len(self._recent)
        found = self._streamer.hear(self._recent[self._told - start : end - start])
        self._told = end
        self._outputs = found or self._outputs
