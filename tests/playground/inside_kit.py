"""Samples to be looked into."""

from __future__ import annotations

import threading
import time
from typing import Any

import numpy as np

from playground.live.inside import Seen


def seen_of(raw: Any, number: int = 1, **more: Any) -> Seen:
    return Seen(number, 0.0, {"input": raw}, **more)


def noise(*shape: int) -> Any:
    return np.random.default_rng(len(shape)).integers(0, 255, shape, np.uint8)


class Still:
    """A source of one sample, as a photograph is."""

    def __init__(self) -> None:
        self.seen = seen_of(noise(1, 1, 16, 16))

    def wait(self, after: int, timeout: float) -> Seen | None:
        if after < 1:
            return self.seen
        time.sleep(0.01)
        return None


def threads() -> set[threading.Thread]:
    """Those that run, but for the one that tqdm, which torch.fx uses, never ends."""
    return {thread for thread in threading.enumerate() if thread.name != "tqdm_monitor"}
