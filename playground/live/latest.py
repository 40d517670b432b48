"""The newest of what a thread makes, for whoever looks or waits."""

from __future__ import annotations

import threading
from typing import Generic, Protocol, TypeVar


class Numbered(Protocol):
    @property
    def number(self) -> int: ...


Item = TypeVar("Item", bound=Numbered)


class Latest(Generic[Item]):
    """Keeps one item; older ones are forgotten. ``stop`` wakes everybody who waits."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self.item: Item | None = None
        self.stopped = False

    def put(self, item: Item) -> None:
        with self._changed:
            self.item = item
            self._changed.notify_all()

    def stop(self) -> None:
        with self._changed:
            self.stopped = True
            self._changed.notify_all()

    def wait(self, after: int, timeout: float) -> Item | None:
        """The newest item numbered above ``after``; None where none came in time."""
        with self._changed:
            self._changed.wait_for(lambda: self.stopped or self._newer(after), timeout)
            return self.item if self._newer(after) else None

    def rest(self, seconds: float) -> None:
        """Wait, unless it is stopped meanwhile."""
        if seconds > 0:
            with self._changed:
                self._changed.wait_for(lambda: self.stopped, seconds)

    def _newer(self, after: int) -> bool:
        return self.item is not None and self.item.number > after
