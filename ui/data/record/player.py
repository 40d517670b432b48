"""Playing a clip, in a process of its own: a sound driver that hangs holds up nobody."""

from __future__ import annotations

import sys
from pathlib import Path

from PySide6.QtCore import QObject, QProcess, QProcessEnvironment, Signal, Slot

from playground.capture.process import environment

PATIENCE_MS = 500


class Player(QObject):
    """Plays one file at a time; ``failed`` carries why it cannot be heard."""

    failed = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._process: QProcess | None = None

    @Slot(object)
    def play(self, path: Path) -> None:
        """Play ``path``; what is playing stops."""
        self.stop()
        process = QProcess(self)
        around = QProcessEnvironment()
        for name, value in environment().items():
            around.insert(name, value)
        process.setProcessEnvironment(around)
        process.finished.connect(self._finished)
        process.start(sys.executable, ["-P", "-m", "playground.capture.play", str(path)])
        self._process = process

    def stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.finished.disconnect(self._finished)
            process.kill()
            process.waitForFinished(PATIENCE_MS)
            process.deleteLater()

    @Slot(int)
    def _finished(self, code: int) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        said = bytes(process.readAllStandardOutput().data()).decode(errors="replace").strip()
        process.deleteLater()
        self.failed.emit(f"The clip cannot be played: {said or f'code {code}'}." if code else "")
