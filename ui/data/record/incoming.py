"""Files from the desktop dropped on a class: read on a thread and copied in."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal, Slot

from playground.vision import UnreadableImage, read_picture
from ui.data.record.library import Library
from ui.data.record.samples import file_names

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
        threading.Thread(
            target=self._work, args=(name, paths, self._stop), name="incoming", daemon=True
        ).start()

    def stop(self) -> None:
        """Leave out what was not begun."""
        if self._stop is not None:
            self._stop.set()
            self._stop = None

    def _work(self, name: str, paths: list[Path], stop: threading.Event) -> None:
        taken, refused, reason = 0, [], ""
        for path in _files(paths):
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
            self.told.emit("")
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
        try:
            pixels = read_picture(path, 3).transpose(1, 2, 0)
        except UnreadableImage as error:
            raise ValueError(str(error)) from None
        library.put_patiently(lambda recorder: recorder.put_picture(name, pixels))

    return put
