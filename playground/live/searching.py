"""Which samples excite a channel most, found beside what else goes on."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import TYPE_CHECKING

from playground.data.errors import DataError
from playground.messages import Array, PortId

if TYPE_CHECKING:
    from playground.live.candidates import Candidate
    from playground.model import Model
    from playground.probes.channels import Excited


SHARE = 0.5
"""Of its time, what a search takes."""
TRAINING_SHARE = 0.1
"""The same beside a training."""
_PATIENCE = 0.2


class Search:
    """Asks about ``samples`` one after the other, in a thread of its own and for at most ``share``
    of its time. The model may come later (``Worker.copied``). ``told`` is called in the thread
    after each; it must not take time."""

    def __init__(
        self,
        model: Model | Future[Model],
        port: PortId,
        channel: int,
        samples: Sequence[Candidate],
        told: Callable[[], None] | None = None,
        share: float = SHARE,
    ) -> None:
        self._model, self._port, self._channel = model, port, channel
        self._samples, self._told, self._share = tuple(samples), told, share
        self.found: tuple[Excited[Candidate], ...] = ()
        """The best so far, the strongest first."""
        self.raw: dict[Candidate, Array] = {}
        """Their raw values, as the network is given them."""
        self.done, self.total, self.skipped = 0, len(self._samples), 0
        self.problem = ""
        self._newest: dict[Candidate, Array] = {}
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._work, name="search", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self, timeout: float | None = None) -> bool:
        """Give up; waits for the present picture, at most ``timeout`` seconds. Whether it ended."""
        self._closed.set()
        if self._thread.is_alive():
            self._thread.join(timeout)
        return not self._thread.is_alive()

    @property
    def finished(self) -> bool:
        """Whether all were asked about, or there is a problem."""
        return self.done == self.total or bool(self.problem)

    def _work(self) -> None:
        from playground.probes.channels import exciting

        try:
            model = self._there()
            if model is None:
                return
            started = time.perf_counter()
            for best in exciting(model, self._port, self._channel, self._values(model)):
                raw = {**self.raw, **self._newest}
                self.raw = {one.key: raw[one.key] for one in best}
                self.found = tuple(best)
                self._tell()
                taken = time.perf_counter() - started
                if self._closed.wait(taken * (1 / self._share - 1)):
                    return
                started = time.perf_counter()
        except Exception as error:
            if not isinstance(error, ValueError):
                logging.getLogger(__name__).exception("samples could not be searched")
            self.problem = " ".join(str(error).split()) or type(error).__name__
        self._tell()

    def _there(self) -> Model | None:
        """The model, once it has come; None where nobody waits for it any more."""
        while isinstance(self._model, Future):
            with suppress(TimeoutError):
                return self._model.result(_PATIENCE)
            if self._closed.is_set():
                return None
        return self._model

    def _values(self, model: Model) -> Iterator[tuple[Candidate, Array]]:
        (column,) = model.dataset.inputs.values()
        for sample in self._samples:
            if self._closed.is_set():
                return
            try:
                raw = sample.raw(column)
            except DataError:
                self.skipped += 1
            else:
                self._newest = {sample: raw}
                yield sample, raw
            self.done += 1

    def _tell(self) -> None:
        if self._told is not None:
            self._told()
