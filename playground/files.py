"""Files and folders that are either the old ones or the new ones, never half of each."""

from __future__ import annotations

import os
import shutil
import stat
import uuid
from pathlib import Path

LARGEST_TEXT = 64 << 20


def write_text(path: Path, text: str) -> None:
    """Write, sync and put in place at once."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    try:
        with fresh.open("x", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError as error:
        fresh.unlink(missing_ok=True)  # half a file would only take room
        error.filename = str(path)
        raise


def read_text(path: Path) -> str:
    """A text file that is no link and not larger than a document can be; raises ``OSError`` or
    ``ValueError``."""
    own_file(path)
    if path.stat().st_size > LARGEST_TEXT:
        raise ValueError("it is too large")
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ValueError("it is no text") from None


def own_file(path: Path) -> None:
    """Raises ``OSError`` where ``path`` is no plain file: reading a pipe would wait for ever, and a
    link leads out of the folder."""
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        raise OSError("it is a link, which a run folder may not hold")
    if not stat.S_ISREG(mode):
        raise OSError("it is no plain file")


def why(error: Exception, name: str) -> str:
    """Why the file ``name`` cannot be read or written, in a few words."""
    if isinstance(error, FileNotFoundError):
        return f"{name} is missing"
    if isinstance(error, OSError) and error.strerror:
        return f"{name}: {error.strerror}"
    if isinstance(error, RecursionError):
        return f"{name} is nested too deeply"
    return f"{name}: {error}"


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


def bring(folder: Path, to: Path) -> None:
    """Let the files in ``folder``, which are never written to again, be in ``to`` as well: as links
    to the same where the disk has them, otherwise as copies. What was in ``to`` before is kept
    beside it, and hidden files are left out. Raises ``OSError``."""
    part = to.with_name(f".{to.name}-{uuid.uuid4().hex}")
    try:
        _fill(part, folder)
        if to.exists():
            to.rename(to.with_name(f"{to.name} before {part.name[-6:]}"))
        part.rename(to)
    except OSError:
        shutil.rmtree(part, ignore_errors=True)
        raise


def _fill(to: Path, folder: Path) -> None:
    """Links in ``to`` to the files below ``folder``, of which there may be tens of thousands."""
    to.mkdir(parents=True)
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                _fill(to / entry.name, Path(entry.path))
            elif entry.is_file(follow_symlinks=False):
                _link(entry.path, os.path.join(to, entry.name))


def _link(old: str, new: str) -> None:
    try:
        os.link(old, new)
        return
    except OSError:
        pass  # another disk, or one without links
    try:
        shutil.copy2(old, new)
    except OSError as error:
        raise OSError(f"{old} cannot be copied: {error.strerror or error}") from None
