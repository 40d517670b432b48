"""The child process of a device: started, listened to, started again, and killed.

Drivers and decoders block for half a minute, crash, and keep what they hold; in a process of their
own the worst of it is a sentence. Nobody here ever waits for the device.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from playground.capture.kinds import CaptureStatus, Limits, State
from playground.capture.memory import Shared

_STEADY = 5.0
"""Seconds of running after which the pauses between attempts begin anew."""

_SLOW = 5.0
_GRACE = 0.3
OVER: tuple[State, ...] = ("ended", "failed", "closed")


def command() -> list[str]:
    """This Python with the child's program; ``-P`` keeps the current folder off its path."""
    return [sys.executable, "-P", "-m", "playground.capture.child"]


def environment() -> dict[str, str]:
    """The child's: our package on its path, and no chatter of native libraries."""
    root = str(Path(__file__).resolve().parent.parent.parent)
    path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    return {**os.environ, "PYTHONPATH": path, "OPENCV_LOG_LEVEL": "SILENT"}


def spawn(shared: Shared | None = None) -> subprocess.Popen[bytes]:
    """A child that waits for its orders on standard input; raises ``OSError``."""
    return subprocess.Popen(
        command(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment(),
        pass_fds=() if shared is None else shared.inherited,
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )


class Device:
    """A camera or a microphone in a child process.

    Subclasses give ``_orders`` (what the child is to do) and take ``_news`` (what it says while it
    runs; called in the listening thread).
    """

    def __init__(self, title: str, shared_size: int, limits: Limits) -> None:
        self._title = title
        self._size = shared_size
        self._limits = limits
        self._changed = threading.Condition()
        self._state: State = "closed"
        self._message = f"{_sentence(title)} has not been started."
        self._again = 0.0
        """When it is tried again."""
        self._since = time.monotonic()
        self._heard = 0.0
        self._child: subprocess.Popen[bytes] | None = None
        self._gone = True
        self._ran = False
        """Whether it ever gave anything: what has been there may come back."""
        self._verdict: dict[str, Any] = {}
        self._thread: threading.Thread | None = None
        self._shared: Shared | None = None

    @property
    def status(self) -> CaptureStatus:
        with self._changed:
            seconds = time.monotonic() - self._since
            message = self._message
            if self._state == "opening" and seconds > _SLOW:
                message = (
                    f"{_sentence(self._title)} is still opening after {seconds:.0f} s; "
                    "some drivers take 20 s."
                )
            elif self._state == "running":
                message = self._late(seconds) or message
            elif self._state == "reconnecting":
                left = self._again - time.monotonic()
                message += f"; trying again in {left:.0f} s." if left > 1 else "; trying again."
            return CaptureStatus(self._state, message, seconds)

    def start(self) -> None:
        """Begin to open, and return at once. What is running goes on; what was closed or has ended
        stays so: make another."""
        with self._changed:
            if self._thread is not None:
                return
            self._set("opening", f"{_sentence(self._title)} is being opened.")
            try:
                self._shared = Shared(self._size)
            except OSError as error:
                self._set("failed", f"There is no memory for {self._title}: {error.strerror}.")
                return
            self._attach(self._shared)
            self._thread = threading.Thread(
                target=self._supervise, name=f"capture {self._title}", daemon=True
            )
            self._thread.start()

    def close(self, timeout: float = 2) -> bool:
        """Give the device back. Returns within ``timeout`` seconds, whatever the driver does; may
        be called at any time, again, and from any thread. Whether the device is free, and its
        process and threads have ended."""
        with self._changed:
            thread = self._thread
            self._set("closed", f"{_sentence(self._title)} is closed.")
            self._changed.notify_all()
        if thread is None:
            return True
        if thread is not threading.current_thread():
            thread.join(timeout)
        return not thread.is_alive()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- what cameras and microphones give ------------------------------------------------------

    def _attach(self, shared: Shared) -> None:
        raise NotImplementedError

    def _late(self, seconds: float) -> str:
        """What is to be said where nothing comes though it has run for ``seconds``."""
        return ""

    def _detach(self) -> None:
        """Let go of the shared memory, where it is not wanted any more."""

    def _orders(self) -> Mapping[str, Any]:
        raise NotImplementedError

    def _news(self, message: Mapping[str, Any]) -> None:
        raise NotImplementedError

    # --- the supervising thread -----------------------------------------------------------------

    def _set(self, state: State, message: str) -> None:
        if state != self._state:
            self._state, self._since = state, time.monotonic()
        self._message = message
        self._changed.notify_all()

    def _supervise(self) -> None:
        attempt = 0
        assert self._shared is not None
        try:
            while True:
                seconds = self._once(self._shared)
                attempt = 1 if seconds > _STEADY else attempt + 1
                with self._changed:
                    if self._state in OVER:
                        return
                    pause = self._limits.pauses[min(attempt, len(self._limits.pauses)) - 1]
                    self._again = time.monotonic() + pause
                    self._judge()
                    if self._changed.wait_for(lambda: self._state in OVER, pause):
                        return
        finally:
            self._shared.close()
            self._detach()

    def _judge(self) -> None:
        """After a child has ended: it was the end, it was hopeless from the beginning, or it is
        tried again: a drive may be plugged in, a folder filled."""
        verdict = self._verdict
        if "ended" in verdict:
            self._set("ended", _sentence(verdict["ended"]) + ".")
        elif verdict.get("final") and not self._ran:
            self._set("failed", _sentence(verdict["fault"]) + ".")
        else:
            self._set("reconnecting", _sentence(verdict["fault"]))

    def _once(self, shared: Shared) -> float:
        """One child from start to end; returns the seconds for which it ran."""
        began = time.monotonic()
        with self._changed:
            if self._state in OVER:
                return 0.0
            self._verdict, self._gone, self._heard = {}, False, time.monotonic()
        try:
            child = spawn(shared)
        except OSError as error:
            self._verdict = {"fault": f"no process can be started: {error.strerror}"}
            return 0.0
        self._child = child
        listener = threading.Thread(
            target=self._listen, args=(child,), name=f"listen {self._title}", daemon=True
        )
        listener.start()
        orders = {**self._orders(), "memory": shared.address, "limits": self._limits.to_json()}
        try:
            assert child.stdin is not None
            child.stdin.write(json.dumps(orders).encode() + b"\n")
            child.stdin.flush()
            self._watch()
        except OSError:
            pass  # it has ended already; what it said is known
        finally:
            code = _stop(child)
            listener.join()  # the pipe's end comes with the child's
            self._child = None
        if not self._verdict:
            self._verdict = {"fault": f"the driver of {self._title} ended unexpectedly{_by(code)}"}
        return time.monotonic() - began

    def _watch(self) -> None:
        """Until the child ends, is to be closed, or gives no sign of life."""
        with self._changed:
            while not self._gone and self._state not in OVER:
                self._changed.wait(0.5)
                if time.monotonic() - self._heard > self._limits.silence:
                    self._verdict = {"fault": f"the driver of {self._title} does not answer"}
                    return

    def _listen(self, child: subprocess.Popen[bytes]) -> None:
        assert child.stdout is not None
        try:
            for line in child.stdout:
                message = json.loads(line)
                self._heard = time.monotonic()
                if "fault" in message or "ended" in message:
                    self._verdict = message
                elif "running" in message:
                    with self._changed:
                        if self._state not in OVER:
                            self._ran = True
                            self._set("running", _closed(_sentence(message["running"])))
                else:
                    self._news(message)
        except (OSError, ValueError):
            pass  # a killed child's last line may be cut off
        finally:
            child.stdout.close()
            with self._changed:
                self._gone = True
                self._changed.notify_all()


def _stop(child: subprocess.Popen[bytes]) -> int:
    """End a child: asked first, so that the driver is told, then killed. Returns its code."""
    assert child.stdin is not None
    with contextlib.suppress(OSError):  # orders that it never read
        child.stdin.close()
    try:
        code = child.wait(_GRACE)
    except subprocess.TimeoutExpired:
        child.kill()
        code = child.wait()
    return code


def _by(code: int) -> str:
    return f" (signal {-code})" if code < 0 else f" (code {code})" if code else ""


def refusal(error: ValueError) -> str:
    """Why something cannot be used, as a whole sentence."""
    return _closed(_sentence(str(error)))


def _sentence(text: str) -> str:
    """Its first letter a capital, unless it is an address or a file's name."""
    first = text.split(" ", 1)[0]
    return text if "." in first or "/" in first else text[:1].upper() + text[1:]


def _closed(text: str) -> str:
    """A sentence with its full stop; a question has its own."""
    return text if text.endswith("?") else f"{text}."
