"""How values get from the worker to the window: the newest of each kind, never a queue."""

from __future__ import annotations

import threading
from collections.abc import Hashable

from playground.messages import Message


class Mailbox:
    """Thread-safe and bounded: an unread message gives way to a newer one with the same key."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._messages: dict[Hashable, Message] = {}
        self._arrived = threading.Event()

    def post(self, message: Message) -> None:
        with self._lock:
            self._messages.pop(message.key, None)
            self._messages[message.key] = message
            self._arrived.set()

    def drain(self) -> list[Message]:
        """Every unread message, the oldest first."""
        with self._lock:
            messages = list(self._messages.values())
            self._messages.clear()
            self._arrived.clear()
        return messages

    def wait(self, timeout: float) -> bool:
        """Sleep until something is there; False after ``timeout`` seconds. For plain loops."""
        return self._arrived.wait(timeout)
