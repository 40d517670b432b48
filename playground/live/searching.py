"""Which of one's own pictures excite a channel most, found beside what else goes on."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from playground.data.errors import DataError
from playground.messages import Array, PortId

if TYPE_CHECKING:
    from playground.model import Model
    from playground.probes.channels import Excited


class Search:
    """Asks about the files ``paths`` one after the other, in a thread of its own and for at most
    half of its time. ``told`` is called in the thread after each; it must not take time."""

    def __init__(
        self,
        model: Model,
        port: PortId,
        channel: int,
        paths: Sequence[Path],
        told: Callable[[], None] | None = None,
    ) -> None:
        self._model, self._port, self._channel = model, port, channel
        self._paths, self._told = tuple(paths), told
        self.found: tuple[Excited[Path], ...] = ()
        """The best so far, the strongest first."""
        self.raw: dict[Path, Array] = {}
        """Their raw values, as the network is given them."""
        self.done, self.total, self.skipped = 0, len(self._paths), 0
        self.problem = ""
        self._newest: dict[Path, Array] = {}
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
            started = time.perf_counter()
            for best in exciting(self._model, self._port, self._channel, self._pictures()):
                raw = {**self.raw, **self._newest}
                self.raw = {one.key: raw[one.key] for one in best}
                self.found = tuple(best)
                self._tell()
                if self._closed.wait(time.perf_counter() - started):
                    return
                started = time.perf_counter()
        except Exception as error:
            if not isinstance(error, ValueError):
                logging.getLogger(__name__).exception("pictures could not be searched")
            self.problem = " ".join(str(error).split()) or type(error).__name__
        self._tell()

    def _pictures(self) -> Iterator[tuple[Path, Array]]:
        (column,) = self._model.dataset.inputs.values()
        assert column.reading is not None
        for path in self._paths:
            if self._closed.is_set():
                return
            try:
                ((_, raw), *_) = column.reading.read(str(path))
            except DataError:
                self.skipped += 1
            else:
                self._newest = {path: raw}
                yield path, raw
            self.done += 1

    def _tell(self) -> None:
        if self._told is not None:
            self._told()
