"""Sound files, read in part and brought to one channel and one rate.

The decoders are libsndfile's (WAV, FLAC, OGG, MP3, AIFF and others), the resampling is soxr's.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]

SUFFIXES = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".aiff", ".aif")
LEAST_RATE, MOST_RATE = 1_000, 1_000_000
MOST_CHANNELS = 64
_BLOCK = 1 << 16


class UnreadableSound(ValueError):
    """A file is no sound that can be used; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Info:
    """What a file's header says: samples a second, channels, and samples in each of them."""

    rate: int
    channels: int
    frames: int

    @property
    def seconds(self) -> float:
        return self.frames / self.rate


def look(path: Path) -> Info:
    """What a file holds, without decoding it; raises ``UnreadableSound``."""
    with _opened(path) as file:
        return Info(file.samplerate, file.channels, file.frames)


def read(path: Path, start: float = 0.0, seconds: float | None = None) -> tuple[Samples, int]:
    """The mean of the channels from ``start``, (n,) in −1…1, and its rate; no more than ``seconds``
    is decoded. A file of larger numbers is made softer as a whole. Raises ``UnreadableSound``."""
    with _opened(path) as file:
        first = min(round(start * file.samplerate), file.frames)
        count = file.frames - first
        if seconds is not None:
            count = min(count, max(1, round(seconds * file.samplerate)))
        try:
            if first:
                file.seek(first)
            samples = _mono(file, count)
        except (RuntimeError, ValueError, TypeError) as error:
            raise UnreadableSound(f"{path.name} is damaged: {_reason(error)}") from None
        rate = int(file.samplerate)
        if len(samples) < count:
            raise UnreadableSound(
                f"{path.name} breaks off: it has {(first + len(samples)) / rate:.3g} of "
                f"{file.frames / rate:.3g} s"
            )
    if not np.isfinite(samples).all():
        raise UnreadableSound(f"{path.name} has samples that are no numbers (NaN or infinite)")
    loudest = float(np.abs(samples).max(initial=0.0))
    return (samples / np.float32(loudest) if loudest > 1 else samples), rate


def write(path: Path, samples: npt.NDArray[Any], rate: int) -> None:
    """(n,) in −1…1 as a WAV of 16 bits; raises ``OSError``."""
    import soundfile

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, np.clip(samples, -1, 1), rate, format="WAV", subtype="PCM_16")
    except RuntimeError as error:
        raise OSError(f"{path.name} cannot be written: {_reason(error)}") from None


def resampled(samples: Samples, rate: int, wanted: int) -> Samples:
    """``samples`` (n,) at another rate; nothing is heard that the lower rate cannot carry."""
    if rate == wanted or not len(samples):
        return samples
    import soxr

    found: Samples = soxr.resample(samples, rate, wanted).astype(np.float32, copy=False)
    return found


def fitted(samples: Samples, steps: int, middle: bool = True) -> Samples:
    """``steps`` of ``samples``: what is too long is cut, what is too short gets silence around it
    (or, without ``middle``, behind it)."""
    spare = len(samples) - steps
    if spare >= 0:
        start = spare // 2 if middle else 0
        return samples[start : start + steps]
    before = -spare // 2 if middle else 0
    return np.pad(samples, (before, -spare - before))


def _mono(file: Any, count: int) -> Samples:
    """``count`` frames, block by block: a file of many channels is never in memory as a whole."""
    parts: list[Samples] = []
    while count > 0:
        block = file.read(min(count, _BLOCK), dtype="float32", always_2d=True)
        if not len(block):
            break
        parts.append(block[:, 0] if block.shape[1] == 1 else block.mean(axis=1))
        count -= len(block)
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    import soundfile

    try:
        found = path.stat()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UnreadableSound(f"{path.name} cannot be opened: {reason}") from None
    if not stat.S_ISREG(found.st_mode):  # a pipe would be waited for for ever
        raise UnreadableSound(f"{path.name or path} is no file")
    if not found.st_size:
        raise UnreadableSound(f"{path.name} is empty (0 bytes)")
    try:
        file = soundfile.SoundFile(path)
    except (RuntimeError, OSError, ValueError, TypeError) as error:
        if _forbidden(path):
            raise UnreadableSound(f"{path.name} cannot be opened: no permission") from None
        raise UnreadableSound(
            f"{path.name} is no sound that can be read: {_reason(error)}"
        ) from None
    with file:
        _check(path, file)
        yield file


def _check(path: Path, file: Any) -> None:
    if file.frames <= 0:
        raise UnreadableSound(f"{path.name} has no samples: it is 0 s long")
    if not LEAST_RATE <= file.samplerate <= MOST_RATE:
        raise UnreadableSound(
            f"{path.name} has a sample rate of {file.samplerate:,} Hz; sounds have "
            f"{LEAST_RATE:,} to {MOST_RATE:,} Hz"
        )
    if file.channels > MOST_CHANNELS:
        raise UnreadableSound(
            f"{path.name} has {file.channels} channels; {MOST_CHANNELS} can be read"
        )


def _forbidden(path: Path) -> bool:
    try:
        with path.open("rb"):
            return False
    except OSError:
        return True


def _reason(error: Exception) -> str:
    """libsndfile's words without the path, which may be long."""
    text = str(error).rpartition(": ")[2].strip().rstrip(".")
    return f"{text[:1].lower()}{text[1:]}" if text else "it is damaged"
