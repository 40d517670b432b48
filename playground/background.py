"""A thread for work that needs no device: reading data, exporting."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

Task = Callable[[Callable[[], bool]], None]
"""Called with a function that tells whether a newer task waits, so that this one may give up."""


class Newest:
    """Does the newest task it was given; those that a newer one overtook are never begun.

    The thread is a daemon: a file system that does not answer cannot keep the program from ending.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._changed = threading.Condition()
        self._task: Task | None = None
        self._number = 0
        self._closed = False
        self._thread: threading.Thread | None = None

    def do(self, task: Task) -> None:
        with self._changed:
            if self._closed:
                return
            self._task, self._number = task, self._number + 1
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
                self._thread.start()
            self._changed.notify()

    def close(self, timeout: float) -> None:
        """Begin nothing more and wait for the present task for ``timeout`` seconds."""
        with self._changed:
            self._closed = True
            self._number += 1
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(timeout)

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._task is not None)
                if self._closed:
                    return
                task, number, self._task = self._task, self._number, None
            assert task is not None
            try:
                task(lambda number=number: self._number != number)  # type: ignore[misc]
            except Exception:
                logging.getLogger(__name__).exception("a task of %s failed", self._name)
