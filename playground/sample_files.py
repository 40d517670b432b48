"""Folders of samples: which names classes may have, what is in them, and renaming that never writes
over anything."""

from __future__ import annotations

import errno
import os
import re
import unicodedata
from pathlib import Path
from typing import Any

SUFFIXES = frozenset(
    ".jpg .jpeg .png .bmp .webp .tif .tiff .gif .wav .flac .ogg .mp3 .aif .aiff .opus".split()
)
"""Files that count as samples; others are left alone."""

_LONGEST = 80
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.IGNORECASE)
_RECORDED = re.compile(r"[0-9]{6}\.[a-z]+")
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}
_UNSEEN = {"Cc", "Cs", "Zl", "Zp"}
"""Unicode's controls, halves of pairs, and breaks."""


class RecordingError(Exception):
    """Recordings cannot be written or changed; the message is a sentence with the way out."""


def class_name(text: str) -> str:
    """``text`` as a class can be called on every system; raises ``RecordingError``."""
    name = unicodedata.normalize("NFC", text).strip()
    if not name:
        raise RecordingError("A class needs a name.")
    if len(name) > _LONGEST or len(name.encode(errors="replace")) > 240:
        raise RecordingError(f"A class's name has at most {_LONGEST} letters.")
    bad = next((c for c in name if c in '/\\:*?"<>|' or unicodedata.category(c) in _UNSEEN), None)
    if bad is not None:
        shown = f"“{bad}”" if bad.isprintable() else "a character that cannot be seen"
        raise RecordingError(f"A class's name cannot hold {shown}: it is also a folder's name.")
    if name[0] in ".~" or name[-1] == "." or _RESERVED.fullmatch(name) or name == "__MACOSX":
        raise RecordingError(f"“{name}” cannot be a folder's name: choose another.")
    return name


def entries(folder: Path) -> list[os.DirEntry[str]]:
    """What is in a folder; nothing where there is none."""
    try:
        with os.scandir(folder) as found:
            return list(found)
    except (FileNotFoundError, NotADirectoryError):
        return []


def is_class(item: os.DirEntry[str]) -> bool:
    return is_plain(item.name) and item.is_dir(follow_symlinks=False)


def is_sample(item: os.DirEntry[str]) -> bool:
    name = item.name
    suffix = name[name.rfind(".") :].lower()
    return suffix in SUFFIXES and is_plain(name) and item.is_file(follow_symlinks=False)


def is_plain(name: str) -> bool:
    """Whether a name is text, and stays inside its folder."""
    if not name or name.startswith(".") or "/" in name or "\\" in name or "\0" in name:
        return False
    return name.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in name)


def key(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def natural(name: str) -> list[Any]:
    parts = re.split(r"([0-9]+)", name.casefold())
    return [int(part) if index % 2 else part for index, part in enumerate(parts)] + [name]


def in_order(names: list[str]) -> list[str]:
    """Sorted as a person reads numbers. Names of recordings are of one length, and need no look at
    each."""
    if all(_RECORDED.fullmatch(name) for name in names):
        return sorted(names)
    return sorted(names, key=natural)


def highest(folder: Path) -> int:
    """The highest number that a file in ``folder`` has for a name."""
    stems = (item.name.partition(".")[0] for item in entries(folder))
    return max((int(stem) for stem in stems if stem.isascii() and stem.isdecimal()), default=0)


def rename_new(old: Path, new: Path) -> None:
    """Rename, and never over something: raises ``FileExistsError``."""
    if os.name == "nt":
        old.rename(new)  # refuses by itself
        return
    try:
        os.link(old, new, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        with new.open("xb"):  # a file system without links: take the name first
            pass
        old.replace(new)
        return
    old.unlink()


def sentence(error: OSError, folder: Path) -> str:
    code = error.errno
    if code in (errno.ENOSPC, errno.EDQUOT):
        return "The disk is full: make room, then go on. What was saved before is there."
    if code == errno.EROFS:
        return f"{folder} is read-only: move the project to another place."
    if isinstance(error, PermissionError):
        return f"{folder} may not be written: permission denied."
    if isinstance(error, FileNotFoundError):
        return f"{folder} is gone: it was moved or deleted."
    if isinstance(error, FileExistsError | NotADirectoryError):
        return f"{folder} is a file where a folder is needed: move it away."
    return f"{folder} cannot be used: {error.strerror or error}."
