"""Pictures that are decoded when they are wanted, and kept decoded on disk."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from playground.compat import usable_cores
from playground.data.cache import Cache, file_key
from playground.data.dataset import Indices
from playground.data.errors import DataError
from playground.data.reading import ImageReading, Reading

Pixels = npt.NDArray[np.uint8]

CACHED_FROM = 500
"""Pictures; fewer are decoded quickly enough again."""


class PixelFiles:
    """Pictures, clips or volumes (N, *shape) uint8, read from their files by a few threads."""

    dtype: np.dtype[Any] = np.dtype(np.uint8)

    def __init__(
        self, folder: str, paths: Sequence[str], how: Reading, shape: tuple[int, ...], cached: bool
    ) -> None:
        self.paths = tuple(paths)
        self.shape = shape
        what = f"{folder}|{json.dumps(how.to_json(), sort_keys=True)}"
        self.cache = Cache.of(what, shape, np.uint8, len(paths)) if cached else None
        self.without_room = cached and self.cache is None

    def __len__(self) -> int:
        return len(self.paths)

    def only(self, good: Sequence[int]) -> Self:
        """The same without the files that turned out to be none."""
        if len(good) < len(self.paths):
            self.paths = tuple(self.paths[index] for index in good)
        return self

    def take(self, indices: Indices) -> Pixels:
        result = np.empty((len(indices), *self.shape), np.uint8)
        for problem in self.read(indices, result):
            if problem is not None:
                raise DataError(problem)
        return result

    def read(self, indices: Indices, into: Pixels) -> Iterator[str | None]:
        """Fill ``into`` with the pictures of ``indices``; for each in turn None, or why it cannot
        be read."""
        numbers = np.asarray(indices).tolist()
        keys = [self._known(number) for number in numbers]
        missing = [place for place, key in enumerate(keys) if not self._kept(key, into[place])]

        def decode(place: int) -> str | None:
            try:
                into[place] = self.decoded(numbers[place])
            except DataError as error:
                return str(error)
            if self.cache and (key := keys[place]):
                self.cache.write(key, into[place])
            return None

        decoded = parallel(decode, missing)
        wanted = set(missing)
        for place in range(len(numbers)):
            yield next(decoded) if place in wanted else None

    def decoded(self, index: int) -> Pixels:
        """One sample from its file; raises ``DataError``."""
        raise NotImplementedError

    def key(self, index: int) -> bytes:
        """What the sample is kept under; raises ``OSError``."""
        return file_key(self.paths[index])

    def _known(self, index: int) -> bytes | None:
        with suppress(OSError):  # the decoder says what is wrong with the file
            return self.key(index) if self.cache else None
        return None

    def _kept(self, key: bytes | None, into: Pixels) -> bool:
        return self.cache is not None and key is not None and self.cache.read(key, into)


class ImageFiles(PixelFiles):
    """Pictures (N, C, H, W) uint8."""

    def __init__(self, folder: str, paths: Sequence[str], reading: ImageReading) -> None:
        shape = (reading.channels, reading.height, reading.width)
        super().__init__(folder, paths, reading, shape, len(paths) >= CACHED_FROM)
        self.reading = reading

    def decoded(self, index: int) -> Pixels:
        return self.reading.read(self.paths[index])[0][1]


def parallel(work: Callable[[Any], Any], items: Sequence[Any]) -> Iterator[Any]:
    """``map`` by a thread a core, which end with it; decoders release the interpreter's lock."""
    threads = min(usable_cores(), len(items))
    if threads <= 1:
        yield from map(work, items)
        return
    pool = ThreadPoolExecutor(threads, thread_name_prefix="decode")
    try:
        yield from pool.map(work, items)
    finally:
        pool.shutdown(cancel_futures=True)
