"""What is seen live, kept: a picture, or a film, with the answer drawn on it."""

from __future__ import annotations

import itertools
import logging
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from PIL import Image

from playground.capture import Frame
from playground.drawing import drawn
from playground.live.settings import LiveAnswer
from playground.sample_files import sentence
from playground.vision import Pixels, cv2, fitted

RATE, LEAST_RATE = 25.0, 4.0
LARGEST = 2 << 30
ROOM = 256 << 20
HEIGHT, WIDTH = 1080, 1920
CODECS = ((".mp4", "mp4v"), (".avi", "MJPG"))
TRIED = 4
SHARE = 0.4
"""The part of the time that drawing and writing may take."""
CHECK_S = 1.0


@dataclass(frozen=True, slots=True)
class Seen:
    """What there is to be seen now. ``most``: how many classes are named."""

    frame: Frame | None
    answer: LiveAnswer | None
    most: int = 3

    def picture(self) -> Pixels:
        """The frame (H×W×3) with the answer on it; raises ``ValueError`` where there is none."""
        if self.frame is None:
            raise ValueError("There is no picture yet.")
        if self.answer is None:
            return self.frame.pixels
        answer = self.answer
        return drawn(self.frame.pixels, answer.answer, most=self.most, unknown=answer.unknown)

    @property
    def key(self) -> tuple[int, int]:
        """Another one where there is something else to be seen."""
        frame, answer = self.frame, self.answer
        return frame.number if frame else -1, answer.number if answer else -1


@dataclass(frozen=True, slots=True)
class FilmStatus:
    """How a film is getting on: ``seconds`` and ``bytes`` so far; ``over`` once the file is closed,
    ``problem`` (a sentence) where that was not by ``stop``."""

    path: Path
    seconds: float
    bytes: int
    over: bool
    problem: str


def take_picture(seen: Seen, folder: Path) -> Path:
    """Write what is seen into ``folder`` as a PNG file, whole or not at all. Raises ``ValueError``,
    a sentence."""
    return keep_picture(seen.picture(), folder)


def keep_picture(picture: Pixels, folder: Path) -> Path:
    """Write an H×W×3 picture (RGB) in the same way."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path = _free(folder, ".png")
        part = path.with_name(f".{path.name}.part")
        try:
            Image.fromarray(picture).save(part, "PNG", compress_level=3)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise ValueError(sentence(error, folder)) from error
    return path


class Film:
    """Writes what ``look`` gives to a file, in a thread of its own that keeps time: pictures that
    come too fast are passed over, and one that stays is repeated, so nothing ever waits."""

    def __init__(
        self, folder: Path, look: Callable[[], Seen], *, room: int = ROOM, largest: int = LARGEST
    ) -> None:
        """``look`` is called in the film's thread. The film ends where less than ``room`` bytes are
        free, or where it has ``largest``."""
        self._folder, self._look = folder, look
        self._room, self._largest = room, largest
        self._stop = threading.Event()
        self._path = folder
        self._frames, self._bytes, self._rate = 0, 0, RATE
        self._problem = ""
        self._over = False
        self._thread = threading.Thread(target=self._work, name="film", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Begin to end; comes back at once."""
        self._stop.set()

    def close(self, timeout: float | None = None) -> None:
        """End, and wait until the file is closed."""
        self.stop()
        if self._thread.is_alive():
            self._thread.join(timeout)

    @property
    def status(self) -> FilmStatus:
        seconds = self._frames / self._rate
        return FilmStatus(self._path, seconds, self._bytes, self._over, self._problem)

    def _work(self) -> None:
        try:
            self._record()
        except ValueError as error:
            self._problem = str(error)
        except OSError as error:
            self._problem = sentence(error, self._folder)
        except Exception:
            logging.getLogger(__name__).exception("a film could not be recorded")
            self._problem = "The film could not be recorded; the log says why."
        finally:
            self._over = True

    def _record(self) -> None:
        seen = self._first()
        if seen is None:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        self._check_room()
        picture = seen.picture()
        size = _size(*picture.shape[:2])
        for suffix, codec in CODECS:
            path = _free(self._folder, suffix)
            part = path.with_name(f".{path.stem}.part{suffix}")
            try:
                self._rate = _rate(part, codec, size, seen)
                writer = _writer(part, codec, self._rate, size)
                if writer is not None:
                    try:
                        self._write(writer, part, size)
                    finally:
                        writer.release()
                        self._keep(part, path)
                    return
            finally:
                part.unlink(missing_ok=True)
        raise ValueError(f"No film can be written in {self._folder}: may it be written to?")

    def _first(self) -> Seen | None:
        """What is seen as soon as there is a frame."""
        while not self._stop.is_set():
            seen = self._look()
            if seen.frame is not None:
                return seen
            self._stop.wait(0.05)
        return None

    def _keep(self, part: Path, path: Path) -> None:
        """Give the file its name, now that it is whole."""
        if self._frames and part.is_file() and part.stat().st_size:
            part.replace(path)
            self._path, self._bytes = path, path.stat().st_size

    def _write(self, writer: cv2.VideoWriter, part: Path, size: tuple[int, int]) -> None:
        """Until it is stopped; raises ``ValueError`` where it has to end before."""
        began = checked = time.monotonic()
        key: tuple[int, int] | None = None
        picture: Pixels | None = None
        while not self._stop.is_set():
            seen = self._look()
            if seen.frame is not None and seen.key != key:
                key, picture = seen.key, _as_written(seen.picture(), size)
            due = int((time.monotonic() - began) * self._rate) + 1
            while picture is not None and self._frames < due:
                writer.write(picture)
                self._frames += 1
            now = time.monotonic()
            if now - checked > CHECK_S:
                checked, self._bytes = now, part.stat().st_size
                self._check_room()
                if self._bytes > self._largest:
                    size_gb = self._largest / 1e9
                    raise ValueError(f"The film has reached {size_gb:.1f} GB, so it ended.")
            self._stop.wait(max(0.0, began + self._frames / self._rate - time.monotonic()))

    def _check_room(self) -> None:
        if shutil.disk_usage(self._folder).free < self._room:
            raise ValueError("The disk is nearly full, so the film ended: make room.")


def _rate(part: Path, codec: str, size: tuple[int, int], seen: Seen) -> float:
    """Pictures a second that this machine draws and writes with ease, measured on a few."""
    writer = _writer(part, codec, RATE, size)
    if writer is None:
        return RATE
    began = time.perf_counter()
    for _ in range(TRIED):
        writer.write(_as_written(seen.picture(), size))
    each = (time.perf_counter() - began) / TRIED
    writer.release()
    part.unlink(missing_ok=True)
    return float(round(min(RATE, max(LEAST_RATE, SHARE / each))))


def _writer(path: Path, codec: str, rate: float, size: tuple[int, int]) -> cv2.VideoWriter | None:
    height, width = size
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*codec), rate, (width, height))
    if writer.isOpened():
        return writer
    writer.release()
    return None


def _size(height: int, width: int) -> tuple[int, int]:
    """Height and width of a film of such pictures: even, at most ``HEIGHT``×``WIDTH``."""
    scale = min(1.0, HEIGHT / height, WIDTH / width)
    return max(2, round(height * scale) // 2 * 2), max(2, round(width * scale) // 2 * 2)


def _as_written(picture: Pixels, size: tuple[int, int]) -> Pixels:
    """In the film's size, also where the camera has changed its own, and OpenCV's colours."""
    if picture.shape[:2] != size:
        picture = fitted(picture, size, "pad")
    return np.ascontiguousarray(picture[:, :, ::-1])


def _free(folder: Path, suffix: str) -> Path:
    """A path named by the time, at which there is no file yet."""
    stem = datetime.now().strftime("%Y-%m-%d %H.%M.%S")
    for number in itertools.count(1):
        path = folder / f"{stem if number == 1 else f'{stem} ({number})'}{suffix}"
        if not path.exists():
            return path
    raise AssertionError
