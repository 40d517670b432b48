"""Looks into a network that is answered from, within a share of somebody else's time."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from playground.live.inside import InsideWish, Seen
from playground.live.latest import Latest
from playground.live.looking import Looking
from playground.messages import LookedInside
from playground.model import Model


class Glances:
    """Looks at what was answered last. Not for several threads at once."""

    def __init__(
        self, model: Model, seen: Latest[Seen], post: Callable[[LookedInside], None]
    ) -> None:
        self._looking, self._seen, self._post = Looking(model), seen, post
        self._wish: InsideWish | None = None
        self._number, self._due = 0, 0.0

    def wait(self, wish: InsideWish | None) -> float | None:
        """Seconds until a look is due; None where there is nothing to be seen."""
        if wish is None or wish.rate_hz <= 0:
            return None
        seen = self._seen.item
        known = seen is None or seen.number <= self._number
        if seen is None or (known and wish == self._wish and not self._looking.unfinished):
            return None
        return max(0.0, self._due - time.perf_counter())

    def look(self, wish: InsideWish, step: int, share: float = 1.0) -> None:
        """Post what is seen with the weights after ``step`` batches; looking takes at most
        ``share`` of the time."""
        seen = self._seen.item
        if seen is None:
            return
        started = time.perf_counter()
        self._number, self._wish = seen.number, wish
        try:
            self._post(LookedInside(self._looking.look(seen, wish), step))
        except Exception as error:
            logging.getLogger(__name__).exception("looking inside failed")
            self._post(LookedInside(None, step, " ".join(str(error).split())))
        taken = time.perf_counter() - started
        self._due = started + max(1 / wish.rate_hz, taken / share)
