"""Which process wrote something, and whether it is still there."""

from __future__ import annotations

from typing import Any

import psutil


def identity(pid: int) -> list[Any] | None:
    """A process by its number and its start, because numbers are used again; None if it ended."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return [pid, round(process.create_time(), 1)]
    except (psutil.Error, ValueError, OverflowError):
        return None


def alive(process: Any) -> bool:
    """Whether what ``identity`` said of a process, as read from a file, still holds."""
    if not isinstance(process, list) or len(process) != 2 or not isinstance(process[0], int):
        return False
    return identity(process[0]) == process
