"""Ctrl+C while the command line is still being imported, or when it is done: one line, exit 130.

Python would show a traceback there. In between ``KeyboardInterrupt`` is raised as always, so that
files are closed and checkpoints written.
"""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

INTERRUPTED = 130


def watch() -> None:
    """Take Ctrl+C, where this process is the command ``playground`` and nobody ignores it."""
    script = os.path.splitext(os.path.basename(sys.argv[0] if sys.argv else ""))[0]
    module = script == "-m" and "playground" in sys.orig_argv
    if script == "playground" or module:
        _exchange(signal.default_int_handler, _end)


@contextmanager
def raised() -> Iterator[None]:
    """Ctrl+C is ``KeyboardInterrupt`` again, where it was taken."""
    taken = _exchange(_end, signal.default_int_handler)
    try:
        yield
    finally:
        if taken:
            _exchange(signal.default_int_handler, _end)


def _exchange(before: object, after: Callable[..., object]) -> bool:
    if signal.getsignal(signal.SIGINT) is not before:
        return False
    signal.signal(signal.SIGINT, after)
    return True


def _end(*_: object) -> None:
    os.write(2, b"error: interrupted\n")
    os._exit(INTERRUPTED)


watch()
