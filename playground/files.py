"""Files and folders that are either the old ones or the new ones, never half of each."""

from __future__ import annotations

import os
from pathlib import Path

LARGEST_TEXT = 64 << 20


def write_text(path: Path, text: str) -> None:
    """Write, sync and put in place at once."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    with fresh.open("x", encoding="utf-8", newline="") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def read_text(path: Path) -> str:
    """A text file that is no link and not larger than a document can be; raises ``OSError`` or
    ``ValueError``."""
    if path.is_symlink():
        raise OSError("it is a link, which a run folder may not hold")
    if path.stat().st_size > LARGEST_TEXT:
        raise ValueError("it is too large")
    return path.read_text(encoding="utf-8")


def sync(folder: Path) -> None:
    """Make renames in ``folder`` last through a power cut, where the system can."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def place(folder: Path) -> Path:
    """Where the checkpoint is: a kill between the two renames leaves it beside its place."""
    old = folder.with_name(f"{folder.name}.old")
    return old if old.is_dir() and not folder.is_dir() else folder
