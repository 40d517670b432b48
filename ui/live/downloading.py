"""A file that is fetched while the window lives on: its progress, its end, its problem."""

from __future__ import annotations

import threading

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

from playground.downloads import Download, DownloadError, Stopped, fetch

LOOK_MS = 100


class Downloading(QObject):
    """One download at a time, in a thread of its own. ``changed`` tells of progress ten times a
    second at most; ``ended`` that the file is there, or ``problem`` why it is not."""

    changed = Signal()
    ended = Signal()
    _done = Signal(object, str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.download: Download | None = None
        """What is fetched, or was the last time."""
        self.there = self.whole = 0
        """Bytes; ``whole`` is 0 while the server has not said."""
        self.problem = ""
        self.running = False
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_MS)
        self._timer.timeout.connect(self.changed)
        self._done.connect(self._take, Qt.ConnectionType.QueuedConnection)

    def start(self, download: Download) -> None:
        """Fetch it, or go on where it broke off."""
        if self.running:
            return
        self.download, self.running, self.problem = download, True, ""
        self.there, self.whole = 0, download.bytes
        self._stop = stop = threading.Event()
        self._thread = threading.Thread(
            target=self._work, args=(download, stop), name="download", daemon=True
        )
        self._thread.start()
        self._timer.start()
        self.changed.emit()

    @Slot()
    def cancel(self) -> None:
        """Stop soon; what is there is kept for the next time."""
        self._stop.set()

    def close(self, timeout: float) -> None:
        """Stop for good, and wait ``timeout`` seconds for the thread."""
        self._timer.stop()
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout)

    def _work(self, download: Download, stop: threading.Event) -> None:
        problem = ""
        try:
            fetch(download, self._note, stop)
        except Stopped:
            pass
        except DownloadError as error:
            problem = str(error)
        try:
            self._done.emit(download, problem)
        except RuntimeError:
            return  # the window was closed meanwhile

    def _note(self, there: int, whole: int) -> None:
        self.there = there
        if whole:
            self.whole = whole

    @Slot(object, str)
    def _take(self, _download: object, problem: str) -> None:
        self.running, self.problem = False, problem
        self._timer.stop()
        self.ended.emit()
