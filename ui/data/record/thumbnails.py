"""Small pictures of files, decoded in the background and kept while they are looked at."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtGui import QImage

from ui.insight.colormaps import qimage
from ui.threads import begin

SIDE = 96
KEPT = 1000
"""A thousand pictures of 96×96 take 37 MB; on a finer screen fewer are kept."""
WAITING = 400

Make = Callable[[Path, int], QImage]
"""A file and a side in pixels; raises ``ValueError`` or ``OSError`` where it cannot be read."""


def picture(path: Path, side: int) -> QImage:
    """The middle square of a picture file."""
    from playground.vision import read_picture  # OpenCV takes its time to load

    pixels = read_picture(path, 3, (side, side), "crop")
    image = qimage(np.ascontiguousarray(pixels.transpose(1, 2, 0)))
    return image.convertToFormat(QImage.Format.Format_RGB32)  # painted twice as fast


class Thumbnails(QObject):
    """The newest ``KEPT`` thumbnails. ``get`` never waits: where there is none yet it is made on a
    thread, what was asked for last first, and ``arrived`` tells that there are new ones."""

    arrived = Signal()
    _made = Signal()

    def __init__(self, make: Make = picture, ratio: float = 1.0, parent: QObject | None = None):
        super().__init__(parent)
        self._make, self.side = make, round(SIDE * ratio)
        self._most = round(KEPT / ratio**2)
        self._kept: OrderedDict[Path, QImage] = OrderedDict()
        self._wanted: OrderedDict[Path, None] = OrderedDict()
        self._ready: list[tuple[Path, QImage]] = []
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._told = False
        self._made.connect(self._take, Qt.ConnectionType.QueuedConnection)

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, path: Path) -> QImage | None:
        """The thumbnail, a null image where the file cannot be read, None while it is made."""
        image = self._kept.get(path)
        if image is not None:
            self._kept.move_to_end(path)
            return image
        with self._changed:
            self._wanted[path] = None
            self._wanted.move_to_end(path)
            if len(self._wanted) > WAITING:
                self._wanted.popitem(last=False)
            if self._thread is None:
                self._thread = begin("thumbnails", self._work)
            self._changed.notify()
        return None

    def forget(self) -> None:
        """Throw everything away: other files may have the same names."""
        with self._changed:
            self._wanted.clear()
            self._ready.clear()
        self._kept.clear()

    def close(self) -> None:
        """End the thread; it begins again with the next ``get``."""
        with self._changed:
            self._wanted.clear()
            self._thread = None
            self._changed.notify_all()

    def _work(self) -> None:
        me = threading.current_thread()
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._thread is not me or self._wanted)
                if self._thread is not me:
                    return
                path, _ = self._wanted.popitem()
            try:
                image = self._make(path, self.side)
            except (ValueError, OSError):
                image = QImage()
            with self._changed:
                self._ready.append((path, image))
                tell, self._told = not self._told, True
            if tell:
                try:
                    self._made.emit()
                except RuntimeError:
                    return  # the window was closed meanwhile

    @Slot()
    def _take(self) -> None:
        with self._changed:
            ready, self._ready, self._told = self._ready, [], False
        for path, image in ready:
            self._kept[path] = image
            self._kept.move_to_end(path)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)
        self.arrived.emit()
