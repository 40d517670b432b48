"""Threads of panels: daemons, so that a disk that does not answer cannot keep the program from
ending, and waited for when it ends, so that none is cut off in the middle of Qt or torch."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from weakref import WeakSet

_begun: WeakSet[threading.Thread] = WeakSet()
"""Touched by the main thread alone."""


def begin(name: str, work: Callable[..., object], *arguments: object) -> threading.Thread:
    """Run ``work`` in a thread of its own."""
    thread = threading.Thread(target=work, args=arguments, name=name, daemon=True)
    _begun.add(thread)
    thread.start()
    return thread


def join(seconds: float) -> list[threading.Thread]:
    """Wait for all, ``seconds`` together; those that did not end."""
    over = time.monotonic() + seconds
    for thread in list(_begun):
        thread.join(max(0.0, over - time.monotonic()))
    return [thread for thread in _begun if thread.is_alive()]
