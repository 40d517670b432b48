"""Errors that nobody caught: a sentence in the window, the details in a log file."""

from __future__ import annotations

import logging
import sys
import threading
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType

from platformdirs import user_log_path
from PySide6.QtCore import QMessageLogContext, QObject, QtMsgType, Signal, qInstallMessageHandler

LOG_BYTES = 1_000_000
log = logging.getLogger("ui")


class Failures(QObject):
    """Takes the place of Python's hooks for uncaught errors and of Qt's messages on stderr.

    ``occurred`` carries a sentence, in the main thread.
    """

    occurred = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.path = user_log_path("playground", appauthor=False) / "window.log"
        self._handler: logging.Handler | None = None
        self._hooks = sys.excepthook, threading.excepthook
        sys.excepthook = self._uncaught
        threading.excepthook = self._uncaught_in_thread
        qInstallMessageHandler(self._from_qt)

    def restore(self) -> None:
        sys.excepthook, threading.excepthook = self._hooks
        qInstallMessageHandler(None)
        if self._handler is not None:
            log.removeHandler(self._handler)
            self._handler.close()

    def _uncaught(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        if issubclass(kind, KeyboardInterrupt):
            self._hooks[0](kind, error, trace)
            return
        self._write(logging.ERROR, "uncaught", (kind, error, trace))
        said = " ".join(str(error).split()) or "no details"
        self.occurred.emit(
            f"Something went wrong in the program itself ({kind.__name__}: {said}). Your work is "
            f"kept; the details are in {self.path}."
        )

    def _uncaught_in_thread(self, details: threading.ExceptHookArgs) -> None:
        if details.exc_value is not None:
            self._uncaught(details.exc_type, details.exc_value, details.exc_traceback)

    def _from_qt(self, kind: QtMsgType, context: QMessageLogContext, text: str) -> None:
        grave = kind in (QtMsgType.QtCriticalMsg, QtMsgType.QtFatalMsg)
        if grave:
            self._write(logging.ERROR, f"Qt: {text}")

    def _write(self, level: int, text: str, error: object = None) -> None:
        if self._handler is None:
            self._handler = _log_file(self.path)
            log.addHandler(self._handler)
            log.propagate = False
        log.log(level, text, exc_info=error)  # type: ignore[arg-type]


def _log_file(path: Path) -> logging.Handler:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler: logging.Handler = RotatingFileHandler(path, maxBytes=LOG_BYTES, backupCount=1)
    except OSError:
        return logging.NullHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    return handler
