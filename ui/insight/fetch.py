"""Reading files away from the main thread: only the newest wish is answered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal, Slot

from ui.threads import begin


class Fetch(QObject):
    """Runs a function on a thread of its own and hands over what it returned.

    ``done`` carries the result, ``failed`` the sentence of a ``ValueError`` or ``OSError``. A wish
    that was followed by another is not answered any more.
    """

    done = Signal(object)
    failed = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._newest = 0
        self._teller = _Teller()
        self._teller.finished.connect(self._arrived, Qt.ConnectionType.QueuedConnection)

    def start(self, work: Callable[[], Any]) -> None:
        self._newest += 1
        number = self._newest
        begin("fetch", _run, self._teller, number, work)

    def cancel(self) -> None:
        self._newest += 1

    @Slot(int, object, str)
    def _arrived(self, number: int, result: object, problem: str) -> None:
        if number != self._newest:
            return
        if problem:
            self.failed.emit(problem)
        else:
            self.done.emit(result)


class _Teller(QObject):
    """Belongs to the threads too: the panel may be closed in the very moment in which one emits,
    and Qt then drops what was emitted."""

    finished = Signal(int, object, str)


def _run(teller: _Teller, number: int, work: Callable[[], Any]) -> None:
    result, problem = None, ""
    try:
        result = work()
    except (ValueError, OSError) as error:
        problem = str(error) or type(error).__name__
    teller.finished.emit(number, result, problem)
