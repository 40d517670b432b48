"""In the child: what is said to the parent, and why capturing stops."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Mapping
from typing import Any, BinaryIO


class Fault(Exception):
    """Why capturing stopped, a sentence; ``final`` where trying again cannot help."""

    def __init__(self, sentence: str, final: bool = False) -> None:
        super().__init__(sentence)
        self.final = final


class Outlet:
    """Says what happens without ever making the device wait: a thread writes, and of frames it
    says the newest alone. It is also the watchdog of calls into drivers that never return."""

    def __init__(self, stream: BinaryIO) -> None:
        self.remark = ""
        """What is added to sentences about the source."""
        self._stream = stream
        self._changed = threading.Condition()
        self._messages: list[Mapping[str, Any]] = []
        self._frame = 0
        self._deadline: tuple[float, str] | None = None
        self._parent = os.getppid()
        self._over = False
        self._thread = threading.Thread(target=self._write, name="outlet", daemon=True)
        self._thread.start()

    def tell(self, **message: Any) -> None:
        with self._changed:
            self._messages.append(message)
            self._changed.notify()

    def frame(self, number: int) -> None:
        with self._changed:
            self._frame = number
            self._changed.notify()

    def within(self, seconds: float, sentence: str) -> None:
        """Unless this is called again within ``seconds``, the process ends with ``sentence``."""
        self._deadline = (time.monotonic() + seconds, sentence)

    def close(self, **last: Any) -> None:
        """Write what is left and ``last``, waiting a second at most for a reader."""
        self._deadline = None
        with self._changed:
            self._messages.append(last)
            self._over = True
            self._changed.notify()
        self._thread.join(1)

    def _write(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(
                    lambda: bool(self._messages) or self._frame > 0 or self._over, 0.5
                )
                messages, self._messages = self._messages, []
                frame, self._frame = self._frame, 0
                over = self._over
            if os.getppid() != self._parent:
                os._exit(0)
            if self._deadline is not None and time.monotonic() > self._deadline[0]:
                self._put({"fault": self._deadline[1]})
                os._exit(1)
            for message in messages:
                self._put(message)
            if frame:
                self._put({"frame": frame})
            if over:
                return
            if not messages and not frame:
                self._put({"alive": True})

    def _put(self, message: Mapping[str, Any]) -> None:
        try:
            self._stream.write(json.dumps(message).encode() + b"\n")
            self._stream.flush()
        except OSError:  # nobody is there any more
            os._exit(0)
