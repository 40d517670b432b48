"""Pictures and films of the live view: taken in the background, told about when they are there."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, QPoint, QTimer, QUrl, Signal, Slot
from PySide6.QtGui import QDesktopServices, QGuiApplication, QImage, QRegion
from PySide6.QtWidgets import QWidget

from playground.capture import Camera
from playground.console import duration, size
from ui.insight.fetch import Fetch
from ui.live.desk import Desk
from ui.live.picture import Look
from ui.theme import theme

if TYPE_CHECKING:
    from playground.live.filming import Film, Seen

FOLDER = "snapshots"
TICK_MS, PATIENCE_S = 250, 5.0
KEY = "live-kept"
NO_FILM = "Films are recorded of a camera's pictures alone; S keeps what is seen here."


class Keeping(QObject):
    """Writes pictures into the project's files, and tells where they are."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._desk = desk
        self._fetch = Fetch(self)
        self._fetch.done.connect(self._taken)
        self._fetch.failed.connect(self._not_taken)

    @property
    def folder(self) -> Path:
        return self._desk.session.files / FOLDER

    def _keep(self, write: Callable[[], Path]) -> None:
        """Write a picture in the background, and copy it."""

        def work() -> tuple[Path, QImage]:
            path = write()
            return path, QImage(str(path))

        self._fetch.start(work)

    def _nothing_yet(self) -> None:
        self._desk.session.tell("There is no picture to keep yet.", "warn", key=KEY)

    @Slot(object)
    def _taken(self, found: tuple[Path, QImage]) -> None:
        path, image = found
        QGuiApplication.clipboard().setImage(image)
        self._tell(f"Kept as {path.name}, and copied to the clipboard.", path.parent)

    @Slot(str)
    def _not_taken(self, problem: str) -> None:
        self._desk.session.tell(problem, "bad", key=KEY)

    def _tell(self, text: str, folder: Path, level: str = "good") -> None:
        action = ("Open folder", partial(_open, folder))
        self._desk.session.tell(text, level, action, KEY)


class WidgetKeeper(Keeping):
    """Of what is no picture of a camera: as it is drawn in the window."""

    def __init__(self, desk: Desk, sight: QWidget) -> None:
        super().__init__(desk)
        self._sight = sight

    @Slot()
    def take_picture(self) -> None:
        """Write what is drawn now, and copy it."""
        sight, folder = self._sight, self.folder
        if sight.isHidden() or self._desk.answer is None:
            self._nothing_yet()
            return
        image = QImage(sight.size() * 2, QImage.Format.Format_RGB888)
        image.setDevicePixelRatio(2)  # to be read where it is shown larger
        image.fill(theme().color("panel"))
        sight.render(image, QPoint(), QRegion(), QWidget.RenderFlag.DrawChildren)

        def write() -> Path:
            from playground.live.filming import keep_picture

            rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1)
            pixels = rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3)
            return keep_picture(pixels, folder)

        self._keep(write)

    @Slot()
    def toggle_film(self) -> None:
        self._desk.session.tell(NO_FILM, key=KEY)


class Keeper(Keeping):
    """Of a camera's pictures with the answers on them. ``changed``: a film began, goes on or
    ended."""

    changed = Signal()

    def __init__(self, desk: Desk, look: Look) -> None:
        super().__init__(desk)
        self._look = look
        self._film: Film | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self._follow)
        desk.session.closing.connect(self.close)

    @Slot()
    def take_picture(self) -> None:
        """Write the newest frame with its answer, in full size, and copy it."""
        from playground.capture import Frame

        device = self._desk.device
        frame: Frame | None = device.frame() if isinstance(device, Camera) else None
        if frame is None:
            self._nothing_yet()
            return
        answer, most = self._desk.answer, self._look.most
        folder = self.folder

        def write() -> Path:
            from playground.live.filming import Seen, take_picture

            return take_picture(Seen(frame, answer, most), folder)

        self._keep(write)

    # --- films --------------------------------------------------------------------------------

    @property
    def filming(self) -> bool:
        return self._film is not None and not self._film.status.over

    @property
    def mark(self) -> str:
        """``Filming 0:12`` while a film is recorded."""
        if self._film is None:
            return ""
        seconds = int(self._film.status.seconds)
        return f"Filming {seconds // 60}:{seconds % 60:02d}"

    @Slot()
    def toggle_film(self) -> None:
        if self._film is not None:
            self.stop_film()
        else:
            self.start_film()

    def start_film(self) -> None:
        from playground.live.filming import Film

        if self._desk.device is None:
            self._desk.session.tell(
                "Start live first: there is nothing to film yet.", "warn", key=KEY
            )
            return
        self._film = Film(self.folder, self._seen)
        self._film.start()
        self._timer.start()
        self.changed.emit()

    @Slot()
    def stop_film(self) -> None:
        """End the film; its file is there a moment later."""
        if self._film is not None:
            self._film.stop()
            self._timer.start(30)

    @Slot()
    def close(self) -> None:
        """End for good, and wait until the file is closed."""
        self._timer.stop()
        film, self._film = self._film, None
        if film is not None:
            film.close(PATIENCE_S)

    def _seen(self) -> Seen:
        """Asked in the film's thread."""
        from playground.live.filming import Seen

        device = self._desk.device
        frame = device.frame() if isinstance(device, Camera) else None
        return Seen(frame, self._desk.answer, self._look.most)

    @Slot()
    def _follow(self) -> None:
        film = self._film
        if film is not None and film.status.over:
            self._film = None
            self._timer.stop()
            self._timer.setInterval(TICK_MS)
            self._tell_end(film)
        self.changed.emit()

    def _tell_end(self, film: Film) -> None:
        status = film.status
        folder = self.folder
        if status.problem:
            text = status.problem
            if status.path != folder and status.path.is_file():
                text += f" What there is of it is {status.path.name}."
            self._tell(text, folder, "warn")
        elif status.path.is_file():
            text = f"Kept {duration(status.seconds)} as {status.path.name} ({size(status.bytes)})."
            self._tell(text, folder)


def _open(folder: Path) -> None:
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))
