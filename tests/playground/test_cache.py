"""Decoded samples on disk: kept, found again, never wrong."""

from __future__ import annotations

import errno
import multiprocessing
import os
from concurrent.futures import ThreadPoolExecutor
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from playground.data import cache as caches
from playground.data.cache import Cache, file_key

SHAPE = (3, 8, 8)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PLAYGROUND_CACHE", str(tmp_path))
    return tmp_path


def key(number: int) -> bytes:
    return blake2b(str(number).encode(), digest_size=16).digest()


def value(number: int) -> np.ndarray[Any, Any]:
    return np.full(SHAPE, number % 251, np.uint8)


def made(count: int = 100, what: str = "pets") -> Cache:
    cache = Cache.of(what, SHAPE, np.uint8, count)
    assert cache is not None
    return cache


def right(cache: Cache, count: int) -> int:
    """How many are found; none may be another's."""
    found, into = 0, np.empty(SHAPE, np.uint8)
    for number in range(count):
        if cache.read(key(number), into):
            assert (into == value(number)).all()
            found += 1
    return found


def test_what_is_written_is_found_again() -> None:
    cache = made()
    assert right(cache, 100) == 0
    for number in range(100):
        cache.write(key(number), value(number))
    assert right(cache, 100) == 100
    cache.close()
    again = made()
    assert right(again, 200) == 100
    assert right(made(what="others"), 100) == 0


def test_more_than_there_are_places_replace_each_other() -> None:
    cache = made(4)
    for number in range(200):
        cache.write(key(number), value(number))
    assert 4 <= right(cache, 200) <= 8


def test_a_spoilt_place_is_not_read(home: Path) -> None:
    cache = made()
    for number in range(100):
        cache.write(key(number), value(number))
    cache.close()
    content = bytearray(cache.path.read_bytes())
    random = np.random.default_rng(0)
    for place in random.integers(100, len(content), 3000):
        content[place] ^= 0xFF
    cache.path.write_bytes(content)
    assert right(made(), 100) < 100


@pytest.mark.parametrize("content", [b"", b"x" * 5000, None])
def test_a_file_that_is_no_cache_is_made_anew(content: bytes | None) -> None:
    cache = made()
    cache.write(key(1), value(1))
    cache.close()
    whole = cache.path.read_bytes()
    cache.path.write_bytes(whole[: len(whole) // 2] if content is None else content)
    fresh = made()
    assert right(fresh, 100) == 0
    fresh.write(key(1), value(1))
    assert right(fresh, 100) == 1


def test_a_full_disk_is_told_and_reading_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    cache = made()
    cache.write(key(1), value(1))

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    cache.write(key(2), value(2))
    assert "No space left on device" in cache.problem
    assert right(cache, 3) == 1


def test_no_cache_where_none_can_be(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caches, "SPARE", 1 << 60)
    assert Cache.of("pets", SHAPE, np.uint8, 10) is None
    (home / "file").write_text("")
    monkeypatch.setenv("PLAYGROUND_CACHE", str(home / "file"))
    monkeypatch.setattr(caches, "SPARE", 0)
    assert Cache.of("pets", SHAPE, np.uint8, 10) is None


def test_the_oldest_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = made(100, "old"), made(100, "new")
    for number in range(100):
        old.write(key(number), value(number))
        new.write(key(number), value(number))
    os.utime(old.path, (1, 1))
    room = new.path.stat().st_blocks * 512 + 100 * 192
    monkeypatch.setattr(caches, "LARGEST", room)
    third = made(100, "third")
    assert not old.path.exists()
    assert new.path.exists()
    assert right(old, 100) == 100  # whoever still uses it can go on
    third.write(key(1), value(1))
    monkeypatch.setattr(caches, "LARGEST", 100)
    assert Cache.of("large", SHAPE, np.uint8, 100) is None
    assert new.path.exists()


def test_threads_share_one() -> None:
    cache = made(400)

    def work(number: int) -> None:
        cache.write(key(number % 400), value(number % 400))
        into = np.empty(SHAPE, np.uint8)
        assert cache.read(key(number % 400), into)
        assert (into == value(number % 400)).all()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(2000)))
    assert right(cache, 400) == 400


def fill(folder: str, start: int) -> None:
    os.environ["PLAYGROUND_CACHE"] = folder
    cache = made(50)  # too small for both, so that they take each other's places
    for turn in range(300):
        number = (start + turn) % 200
        cache.write(key(number), value(number))
        right(cache, 20)


def test_processes_do_not_wait_and_never_read_each_others(home: Path) -> None:
    context = multiprocessing.get_context("spawn")
    children = [context.Process(target=fill, args=(str(home), 100 * n)) for n in range(2)]
    for child in children:
        child.start()
    for child in children:
        child.join()
        assert child.exitcode == 0
    assert right(made(50), 200) > 0


def test_the_key_follows_the_file(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"1")
    first = file_key(str(path))
    assert file_key(str(path)) == first
    path.write_bytes(b"22")
    assert file_key(str(path)) != first
    with pytest.raises(FileNotFoundError):
        file_key(str(tmp_path / "none"))
