"""Files and folders from the desktop, let go over a part of the window."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEvent, QMimeData, QObject, Slot
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent
from PySide6.QtWidgets import QWidget

from playground.data.guess import Guess, guess_source
from ui.insight.fetch import Fetch
from ui.session import Session


def dropped_paths(data: QMimeData) -> list[Path]:
    """The files on this machine among what is dragged."""
    return [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]


class FileDrops(QObject):
    """Lets ``widget`` take files; the source that opens them is found beside the window, and
    ``offer`` is called with it, or ``refuse`` with the sentence why there is none."""

    def __init__(
        self,
        widget: QWidget,
        offer: Callable[[Guess], object],
        refuse: Callable[[str], object],
    ) -> None:
        super().__init__(widget)
        self._offer, self._refuse = offer, refuse
        self._fetch = Fetch(self)
        self._fetch.done.connect(self._found)
        self._fetch.failed.connect(self._failed)
        widget.setAcceptDrops(True)
        widget.installEventFilter(self)

    def take(self, paths: list[Path]) -> None:
        """Find the source of files that were let go."""
        self._fetch.start(lambda: guess_source(paths))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QDropEvent) and dropped_paths(event.mimeData()):
            event.acceptProposedAction()
            if event.type() == QEvent.Type.Drop:
                self.take(dropped_paths(event.mimeData()))
            return isinstance(event, QDragEnterEvent | QDragMoveEvent) or (
                event.type() == QEvent.Type.Drop
            )
        return False

    @Slot(object)
    def _found(self, guess: Guess) -> None:
        self._offer(guess)

    @Slot(str)
    def _failed(self, text: str) -> None:
        self._refuse(text)


def data_drops(widget: QWidget, session: Session) -> FileDrops:
    """Let files dropped on ``widget`` open the dialog that chooses data, filled in."""

    def offer(guess: Guess) -> None:
        from ui.data.dialog import choose

        choose(session, widget, guess.source, str(guess.path))

    return FileDrops(widget, offer, lambda text: session.tell(text, "warn", key="drop"))
