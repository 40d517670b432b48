"""A network that is opened and answers live, in a thread of its own from beginning to end."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from playground.capture import Camera, CaptureStatus, Microphone
from playground.compat import give_back_memory
from playground.live.inside import Inside, InsideView, InsideWish
from playground.live.rows import Rows
from playground.live.settings import EngineReport, LiveAnswer
from playground.live.what import Runnable, Wanted, opened

if TYPE_CHECKING:
    from playground.live.newest import Answers

LOADING = "The network is being loaded …"
_OPENING = threading.Semaphore(2)
"""Who changes quickly between networks waits for two at most that are not wanted any more."""


class Recognition:
    """Opens ``what`` and answers to ``device``, which stays the caller's. Every method returns at
    once; ``told`` is called in another thread whenever there is a new answer."""

    def __init__(
        self,
        what: Runnable,
        device: Camera | Microphone | Rows,
        wanted: Wanted,
        told: Callable[[], None] | None = None,
    ) -> None:
        self.what = what
        self.answers: Answers | None = None
        """What answers, once it is loaded and until it is closed."""
        self.inside: Inside | None = None
        """What looks into it, where that is possible."""
        self.looked: Callable[[], None] | None = None
        """Called in another thread whenever something new was seen inside; set it before start."""
        self._wish = InsideWish(rate_hz=0)
        self._device, self._wanted, self._told = device, wanted, told
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._problem = ""
        self._since = time.monotonic()
        self._thread = threading.Thread(target=self._work, name="live", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self, timeout: float = 0.0) -> bool:
        """End after the present inference, and forget the network; waits ``timeout`` seconds for
        it. Whether it ended."""
        with self._lock:
            self._closed.set()
            if self.answers is not None:
                self.answers.stop()
            if self.inside is not None:
                self.inside.stop()
        if self._thread.is_alive():
            self._thread.join(timeout)
        return not self._thread.is_alive()

    @property
    def status(self) -> CaptureStatus:
        """How the network and the device do, in a sentence."""
        seconds = time.monotonic() - self._since
        if self._problem:
            return CaptureStatus("failed", self._problem, seconds)
        answers = self.answers
        return CaptureStatus("opening", LOADING, seconds) if answers is None else answers.status

    @property
    def engine(self) -> EngineReport | None:
        """What runs the network; None until it is loaded."""
        answers = self.answers
        return answers.engine if answers is not None else None

    def answer(self) -> LiveAnswer | None:
        """The newest answer; None before the first."""
        answers = self.answers
        return answers.answer() if answers is not None else None

    def want(self, wanted: Wanted) -> None:
        """Answer so from now on. Raises ``ParameterError``."""
        with self._lock:
            self._wanted = wanted
            if self.answers is not None:
                self.answers.want(wanted.settings, wanted.detection)

    @property
    def wish(self) -> InsideWish:
        """What is to be seen inside; may be set at any time. Nothing at first."""
        return self._wish

    @wish.setter
    def wish(self, wish: InsideWish) -> None:
        with self._lock:
            self._wish = wish
            if self.inside is not None:
                self.inside.wish = wish

    def view(self) -> InsideView | None:
        """What was seen inside last; None before the first look."""
        inside = self.inside
        return inside.view() if inside is not None else None

    def _work(self) -> None:
        self._run()
        if self._closed.is_set():
            with self._lock:
                self.answers = self.inside = None
            give_back_memory()

    def _run(self) -> None:
        try:
            answers = self._opened()
        except Exception as error:
            if not isinstance(error, (ValueError, LookupError, RuntimeError, OSError)):
                logging.getLogger(__name__).exception("%s could not be opened", self.what.id)
            text = " ".join(str(error).split()) or type(error).__name__
            self._problem = f"{self.what.title} cannot be run: {text.rstrip('.')}."
            return
        if answers is None:
            return
        answers.told = self._told
        with self._lock:
            if self._closed.is_set():
                return
            answers.want(self._wanted.settings, self._wanted.detection)
            self.answers = answers
            self.inside = answers.look_inside(self._wish, self.looked)
            if self.inside is not None:
                self.inside.start()
        answers.run()
        self._closed.wait()  # the last answer of a device that has ended can be seen
        if self.inside is not None:
            self.inside.close()

    def _opened(self) -> Answers | None:
        """None where it was closed meanwhile."""
        with _OPENING:
            if self._closed.is_set():
                return None
            from playground.devices import choose
            from playground.preload import preload_torch

            preload_torch()
            if self._closed.is_set():
                return None
            choose("cpu").use()
            return opened(self.what, self._device, self._wanted)
