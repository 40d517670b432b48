"""Files from the desktop dropped on a class: read on a thread and copied in."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject, Qt, Signal, Slot

from playground.recordings import Recorder
from ui.data.record.library import Library
from ui.data.record.samples import file_names
from ui.threads import begin

LONGEST_S = 3600.0

Put = Callable[[Path, str], None]
"""A file and a class; raises ``ValueError`` or ``OSError`` where it cannot be read."""


class Incoming(QObject):
    """Takes files and whole folders into a class, one after the other. ``told`` says what was left
    out and why."""

    told = Signal(str)
    _finished = Signal(str, int, object, str)

    def __init__(self, library: Library, put: Put, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._library, self._put = library, put
        self._stop: threading.Event | None = None
        self._finished.connect(self._tell, Qt.ConnectionType.QueuedConnection)

    @Slot(str, object)
    def take(self, name: str, paths: object) -> None:
        """Copy ``paths`` into the class ``name``."""
        if not isinstance(paths, list) or not self._library.prepare():
            return
        self._stop = self._stop or threading.Event()
        begin("incoming", self._work, name, paths, self._stop)

    def stop(self) -> None:
        """Leave out what was not begun."""
        if self._stop is not None:
            self._stop.set()
            self._stop = None

    def _work(self, name: str, paths: list[Path], stop: threading.Event) -> None:
        taken, refused, reason = 0, [], ""
        try:
            files = _files(paths)
        except OSError as error:
            files, refused, reason = [], paths, error.strerror or str(error)
        for path in files:
            if stop.is_set():
                return
            try:
                self._put(path, name)
                taken += 1
            except (ValueError, OSError) as error:
                refused.append(path)
                reason = reason or str(error)
        try:
            self._finished.emit(name, taken, refused, reason)
        except RuntimeError:
            return  # the window was closed meanwhile

    @Slot(str, int, object, str)
    def _tell(self, name: str, taken: int, refused: list[Path], reason: str) -> None:
        if not refused:
            nothing = f"Nothing was copied into {name}: there are no files in the folder itself."
            self.told.emit("" if taken else nothing)
            return
        first = f"{taken:,} of {taken + len(refused):,} files were copied into {name}."
        self.told.emit(f"{first} Left out: {file_names(refused)} ({reason}).")


def _files(paths: list[Path]) -> list[Path]:
    """The files, and those directly in the folders."""
    found: list[Path] = []
    for path in paths:
        inner = sorted(path.iterdir()) if path.is_dir() else [path]
        found += [item for item in inner if item.is_file() and not item.name.startswith(".")]
    return found


def picture_into(library: Library) -> Put:
    """Pictures of any kind, upright, as the recorder writes them."""

    def put(path: Path, name: str) -> None:
        from playground.vision import read_picture  # OpenCV takes its time to load

        pixels = read_picture(path, 3).transpose(1, 2, 0)
        library.put_patiently(lambda recorder: recorder.put_picture(name, pixels))

    return put


def sound_into(library: Library, rate: int, length: Callable[[], int]) -> Put:
    """Sounds of any kind, cut to clips; the last one is filled with silence where half of it is
    there, or where it is the only one."""

    def put(path: Path, name: str) -> None:
        from playground.data.sound_files import fitted, read, resampled

        samples, own_rate = read(path, seconds=LONGEST_S)
        samples, size = resampled(samples, own_rate, rate), length()
        for start in range(0, max(1, len(samples)), size):
            clip = samples[start : start + size]
            if start == 0 or 2 * len(clip) >= size:
                library.put_patiently(partial(_put_sound, name, fitted(clip, size), rate))

    return put


def _put_sound(name: str, clip: npt.NDArray[np.float32], rate: int, recorder: Recorder) -> bool:
    return recorder.put_sound(name, clip, rate)
