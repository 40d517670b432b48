"""What takes how much time beside something else: machines differ and are busy, so that tests
compare two things in one run, and never one with a clock."""

from __future__ import annotations

import time
from collections.abc import Callable


def quickest(what: Callable[[], object], rounds: int = 5) -> float:
    """The seconds of this thread's work in the fastest of some rounds, in which other programs
    disturbed it least."""
    taken = []
    for _ in range(rounds):
        start = time.thread_time()
        what()
        taken.append(time.thread_time() - start)
    return min(taken)
