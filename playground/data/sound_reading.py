"""From a sound of one's own to the waveform that a network is given, and files read when wanted."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from playground.data import sound_files
from playground.data.cache import Cache, file_key
from playground.data.dataset import Indices
from playground.data.errors import DataError
from playground.data.image_values import parallel
from playground.data.sound_files import Samples, UnreadableSound

Array = npt.NDArray[Any]

TAKES = ("middle", "start", "windows")
MOST_WINDOWS = 3600
"""Windows of one file that a network is asked about."""

MOST_SECONDS = 600
"""What a network is given of a sound, at most."""

LEAST_STRIDE = 200
"""Windows a second, at most: a sound of hours has not millions of them."""

CACHED_FROM = 500
"""Clips; fewer are decoded quickly enough again."""


@dataclass(frozen=True, slots=True)
class SoundReading:
    """A sound file as (T, 1) float32 in −1…1: T = ``steps`` at ``rate`` Hz, one channel.

    ``take`` says what is kept of a longer one: its "middle", its "start", or all its "windows",
    which begin ``stride`` steps apart. A shorter one gets silence around it (behind it where the
    start is taken).
    """

    rate: int
    steps: int
    take: str = "middle"
    stride: int = 0
    kind: ClassVar[str] = "sound"

    @property
    def seconds(self) -> float:
        return self.steps / self.rate

    def read(self, text: str) -> list[tuple[str, Array]]:
        path = Path(text)
        try:
            starts = self.starts(sound_files.look(path))
            if len(starts) == 1:
                return [(text, self.at(path, starts[0]))]
            return [
                (f"{text} at {start:.4g} s", self.at(path, start))
                for start in starts[:MOST_WINDOWS]
            ]
        except UnreadableSound as error:
            raise DataError(str(error)) from None

    def starts(self, info: sound_files.Info) -> list[float]:
        """The seconds at which what is taken of a file begins."""
        spare = info.seconds - self.seconds
        if spare <= 0 or self.take == "start":
            return [0.0]
        if self.take == "middle":
            return [spare / 2]
        stride = (self.stride or self.steps) / self.rate
        return [number * stride for number in range(int(spare / stride + 1e-6) + 1)]

    def at(self, path: Path, start: float) -> Array:
        """The waveform that begins ``start`` seconds into a file, (T, 1); raises
        ``UnreadableSound``."""
        samples, rate = sound_files.read(path, start, self.seconds)
        return self.from_array(samples, rate)

    def from_array(self, samples: Array, rate: int) -> Array:
        """Sound from elsewhere, (n,) or (n, channels) at ``rate`` Hz, as (T, 1)."""
        mono = samples.mean(axis=1) if samples.ndim == 2 else samples
        heard = sound_files.resampled(np.ascontiguousarray(mono, np.float32), rate, self.rate)
        return sound_files.fitted(heard, self.steps, self.take != "start")[:, None]

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "rate": self.rate,
            "steps": self.steps,
            "take": self.take,
            "stride": self.stride,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> SoundReading:
        numbers = [data["rate"], data["steps"], data.get("stride", 0)]
        if not all(isinstance(n, int) and not isinstance(n, bool) for n in numbers):
            raise ValueError("rate, steps and stride of a sound are whole numbers")
        rate, steps, stride = numbers
        if not sound_files.LEAST_RATE <= rate <= sound_files.MOST_RATE or steps < 1 or stride < 0:
            raise ValueError("the rate or the length of a sound is impossible")
        if max(steps, stride) > MOST_SECONDS * rate:
            raise ValueError(f"a sound is at most {MOST_SECONDS} s long")
        if data.get("take") == "windows" and (stride or steps) * LEAST_STRIDE < rate:
            raise ValueError(f"windows of a sound begin at least 1/{LEAST_STRIDE} s apart")
        if data.get("take") not in TAKES:
            raise ValueError(f"what is taken of a sound is one of {', '.join(TAKES)}")
        return cls(rate, steps, data["take"], stride)


class SoundFiles:
    """Waveforms (N, T, 1) float32, read from their files by a few threads and kept decoded on
    disk. A sample is a file's path and the second at which it begins."""

    dtype: np.dtype[Any] = np.dtype(np.float32)

    def __init__(
        self, folder: str, clips: Sequence[tuple[str, float]], reading: SoundReading
    ) -> None:
        self.clips = tuple(clips)
        self.reading = reading
        self.shape = (reading.steps, 1)
        what = f"{folder}|{json.dumps(reading.to_json(), sort_keys=True)}"
        cached = len(clips) >= CACHED_FROM
        self._cache = Cache.of(what, self.shape, np.float32, len(clips)) if cached else None

    def __len__(self) -> int:
        return len(self.clips)

    def take(self, indices: Indices) -> Samples:
        result = np.empty((len(indices), *self.shape), np.float32)
        for problem in self.read(indices, result):
            if problem is not None:
                raise DataError(problem)
        return result

    def read(self, indices: Indices, into: Samples) -> Iterator[str | None]:
        """Fill ``into``; for each of ``indices`` in turn None, or why it cannot be read."""

        def clip(place: int) -> str | None:
            path, start = self.clips[indices[place]]
            key = None
            with suppress(OSError):  # the decoder says what is wrong with the file
                key = self._key(path, start) if self._cache else None
            if self._cache and key and self._cache.read(key, into[place]):
                return None
            try:
                into[place] = self.reading.at(Path(path), start)
            except UnreadableSound as error:
                return str(error)
            if self._cache and key:
                self._cache.write(key, into[place])
            return None

        return parallel(clip, range(len(indices)))

    @staticmethod
    def _key(path: str, start: float) -> bytes:
        key = bytearray(file_key(path))
        moved = np.float64(start).tobytes()  # the windows of a file differ in where they begin
        key[: len(moved)] = (a ^ b for a, b in zip(key, moved, strict=False))
        return bytes(key)
