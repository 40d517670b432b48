"""Decoded samples kept on disk, so that files are decoded in the first epoch alone.

A cache is one file of places of equal size. A sample's place follows from its key, a digest of the
file's path, size and time of change, so files may be added, changed and removed without decoding
the others again. Every place has a checksum: what another process or a failing disk spoilt is found
and decoded again, and no process has to wait for another.

Places are read and written at their position instead of through a memory map: a full disk then is
an error that can be told, where a map would end the process.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import threading
import zlib
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import platformdirs

Array = npt.NDArray[Any]

LARGEST = 20 << 30
"""Bytes that all caches may take together; the one unused for longest goes first."""

SPARE = 1 << 30
"""Bytes of the disk that are left free."""

_MAGIC = b"playground-cache-1\n"
_HEADER = 64
_KEY, _SUM = 16, 4
_ENTRY = _KEY + _SUM
_TRIES = 16
_SUFFIX = ".samples"


def cache_folder() -> Path:
    """Where caches are kept; PLAYGROUND_CACHE moves it."""
    moved = os.environ.get("PLAYGROUND_CACHE")
    return Path(moved) if moved else Path(platformdirs.user_cache_dir("playground", False))


def file_key(path: str) -> bytes:
    """What changes when the file does; raises ``OSError``."""
    found = os.stat(path)
    text = f"{path}\0{found.st_size}\0{found.st_mtime_ns}"
    return blake2b(text.encode("utf-8", "surrogateescape"), digest_size=_KEY).digest()


class Cache:
    """Arrays of one shape and type by key. Every method may be called from several threads, and
    none raises for what the disk does: ``problem`` then says why nothing more is kept."""

    def __init__(self, path: Path, shape: tuple[int, ...], dtype: Any, places: int) -> None:
        """Opens ``path`` or makes it with that many places; raises ``OSError``."""
        self.shape, self.dtype = shape, np.dtype(dtype)
        self.problem = ""
        self.path = path
        self._size = int(np.prod(shape)) * self.dtype.itemsize
        self._places = places
        self._first = -(-(_HEADER + places * _ENTRY) // 4096) * 4096
        self._lock = threading.Lock()
        self._file = _opened(path, self._header(), self._first + places * self._size)
        try:
            self._entries = bytearray(_read(self._file, places * _ENTRY, _HEADER))
        except OSError:
            self.close()
            raise
        os.utime(path)  # used just now: others are removed first

    @classmethod
    def of(cls, what: str, shape: tuple[int, ...], dtype: Any, count: int) -> Cache | None:
        """The cache of ``count`` samples of ``what`` (their folder and how they are read); None
        where there is no room for one, or the folder cannot be written."""
        size = max(1, int(np.prod(shape)) * np.dtype(dtype).itemsize)
        places = 1 << (count + count // 2).bit_length()
        name = blake2b(f"{what}|{shape}|{dtype}|{places}".encode(), digest_size=16).hexdigest()
        path = cache_folder() / f"{name}{_SUFFIX}"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if not _has_room(path, size * count):
                return None
            return cls(path, shape, dtype, places)
        except OSError:
            return None

    def read(self, key: bytes, into: Array) -> bool:
        """Fill ``into``, which is contiguous, with what is kept under ``key``; False where nothing
        is, or what is there is spoilt."""
        for place in self._tried(key):
            at = place * _ENTRY
            entry = self._entries[at : at + _ENTRY]
            if entry[:_KEY] != key:
                continue
            if self._file < 0:
                return False
            try:
                content = _read(self._file, self._size, self._first + place * self._size)
            except OSError as error:
                return self._failed(error)
            if zlib.crc32(content).to_bytes(_SUM, "little") != entry[_KEY:]:
                return False
            into[...] = np.frombuffer(content, self.dtype).reshape(self.shape)
            return True
        return False

    def write(self, key: bytes, values: Array) -> None:
        """Keep ``values`` under ``key``; where all its places are taken, instead of another."""
        if self.problem:
            return
        content = np.ascontiguousarray(values, self.dtype).tobytes()
        entry = key + zlib.crc32(content).to_bytes(_SUM, "little")
        with self._lock:
            place = self._free(key)
            at = place * _ENTRY
            try:
                _write(self._file, content, self._first + place * self._size)
                _write(self._file, entry, _HEADER + at)
            except OSError as error:
                self._failed(error)
                return
            self._entries[at : at + _ENTRY] = entry

    def close(self) -> None:
        file, self._file = self._file, -1
        if file >= 0:
            os.close(file)

    def __del__(self) -> None:
        if getattr(self, "_file", -1) >= 0:
            self.close()

    def _header(self) -> bytes:
        text = _MAGIC + f"{self._places} {self._size} {self.dtype.str}".encode()
        return text.ljust(_HEADER, b"\0")[:_HEADER]

    def _tried(self, key: bytes) -> Sequence[int]:
        first = int.from_bytes(key[:8], "little")
        return [(first + step) % self._places for step in range(min(_TRIES, self._places))]

    def _free(self, key: bytes) -> int:
        """Where ``key`` is or can be; its first place where others have taken all of them."""
        tried = self._tried(key)
        for place in tried:
            there = self._entries[place * _ENTRY : place * _ENTRY + _KEY]
            if there == key or not any(there):
                return place
        return tried[0]

    def _failed(self, error: OSError) -> bool:
        if not self.problem:
            why = error.strerror or str(error)
            self.problem = f"decoded samples are no longer kept on disk ({why}): files are read"
            logging.getLogger(__name__).warning("%s: %s", self.path, self.problem)
        return False


def _opened(path: Path, header: bytes, size: int) -> int:
    """A descriptor of the file; one that is not as it should be is made anew."""
    flags = os.O_RDWR | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    with contextlib.suppress(FileNotFoundError):
        file = os.open(path, flags)
        try:
            if os.fstat(file).st_size == size and _read(file, _HEADER, 0) == header:
                return file
        except OSError:
            pass
        os.close(file)
    fresh = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}.new")
    try:
        with fresh.open("xb") as made:
            made.truncate(size)  # takes no room before it is written to
            made.write(header)
        fresh.replace(path)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise
    return os.open(path, flags)


_SEEKING = threading.Lock()
"""Held where the system has no reading and writing at a position (Windows)."""


def _read(file: int, size: int, at: int) -> bytes:
    if hasattr(os, "pread"):
        return os.pread(file, size, at)
    with _SEEKING:
        os.lseek(file, at, os.SEEK_SET)
        return os.read(file, size)


def _write(file: int, content: bytes, at: int) -> None:
    done = 0
    while done < len(content):
        rest = memoryview(content)[done:]
        if hasattr(os, "pwrite"):
            done += os.pwrite(file, rest, at + done)
            continue
        with _SEEKING:
            os.lseek(file, at + done, os.SEEK_SET)
            done += os.write(file, rest)


def _has_room(path: Path, wanted: int) -> bool:
    """Whether a cache of ``wanted`` bytes fits, after older ones were removed for it."""
    if wanted > LARGEST:
        return False
    taken = {}
    for other in path.parent.glob(f"*{_SUFFIX}"):
        with contextlib.suppress(OSError):
            found = other.stat()
            taken[other] = (found.st_mtime, getattr(found, "st_blocks", 0) * 512)
    own = taken.pop(path, (0.0, 0))[1]
    rest = sum(size for _, size in taken.values())
    for other in sorted(taken, key=lambda item: taken[item][0]):
        if rest + wanted <= LARGEST:
            break
        with contextlib.suppress(OSError):
            other.unlink()
            rest -= taken[other][1]
    free = shutil.disk_usage(path.parent).free
    return rest + wanted <= LARGEST and wanted - own + SPARE <= free
