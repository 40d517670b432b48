"""The one way from the worker to the window: a timer drains the mailbox and emits what is new."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter
from typing import Protocol

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

from playground import messages

RATE_HZ = 30
PERIOD_MS = 1000 // RATE_HZ
WINDOW_TICKS = 4 * RATE_HZ
PICTURES = (messages.Snapshot, messages.History, messages.Evaluation)
DATA = (messages.DataReady, messages.DataFailed, messages.DataProgress)


class Mailbox(Protocol):
    def drain(self) -> Sequence[object]: ...


class Bridge(QObject):
    """Emits each message of the worker in the main thread, at most 30 times a second and type.

    What is drawn (snapshots, curves, evaluations) comes one at a time, so that no turn is long.

    ``lateness`` is how far behind its schedule the main thread has been, in milliseconds: the
    worst of the last few seconds.
    """

    status = Signal(object)
    progress = Signal(object)
    history = Signal(object)
    snapshot = Signal(object)
    data = Signal(object)
    data_progress = Signal(object)
    evaluation = Signal(object)
    answered = Signal(object)
    live_answered = Signal(object)
    looked_inside = Signal(object)
    estimate = Signal(object)
    rates = Signal(object)
    exported = Signal(object)
    loaded = Signal(object)
    failure = Signal(object)

    def __init__(self, mailbox: Mailbox, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._mailbox = mailbox
        self._signals = {
            messages.Status: self.status,
            messages.Progress: self.progress,
            messages.History: self.history,
            messages.Snapshot: self.snapshot,
            messages.DataReady: self.data,
            messages.DataFailed: self.data,
            messages.DataProgress: self.data_progress,
            messages.Evaluation: self.evaluation,
            messages.Answered: self.answered,
            messages.LiveAnswered: self.live_answered,
            messages.LookedInside: self.looked_inside,
            messages.Estimate: self.estimate,
            messages.RateCurve: self.rates,
            messages.Exported: self.exported,
            messages.Loaded: self.loaded,
            messages.Failure: self.failure,
        }
        self._pictures: dict[type, object] = {}
        self._forgets = self._forgotten = 0
        self._due = 0.0
        self._late: list[float] = []
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(PERIOD_MS)
        self._timer.timeout.connect(self._tick)

    def start(self) -> None:
        self._due = perf_counter() + PERIOD_MS / 1000
        self._timer.start()

    def stop(self) -> None:
        self._timer.stop()

    @property
    def lateness(self) -> float:
        return max(self._late, default=0.0)

    def forget(self) -> int:
        """The worker is to be told to forget its run, with the number returned: what it says of
        the run before it has done so is not heard."""
        self._mailbox.drain()
        self._pictures.clear()
        self._forgets += 1
        return self._forgets

    def drain(self) -> None:
        """Emit everything that waits, now."""
        self._take()
        while self._pictures:
            self._show_one()

    def _take(self) -> None:
        """Emit what is cheap to show, and keep the newest of what is drawn."""
        for message in self._mailbox.drain():
            if isinstance(message, messages.Forgotten):
                self._forgotten = message.number
            elif self._forgotten < self._forgets and not isinstance(message, DATA):
                continue
            elif isinstance(message, PICTURES):
                self._pictures[type(message)] = message
            else:
                self._emit(message)

    def _show_one(self) -> None:
        if self._pictures:
            self._emit(self._pictures.pop(next(iter(self._pictures))))

    def _emit(self, message: object) -> None:
        signal = self._signals.get(type(message))
        if signal is not None:
            signal.emit(message)

    @Slot()
    def _tick(self) -> None:
        """Only one picture a tick: two drawn at once would keep the window waiting."""
        now = perf_counter()
        self._late.append(max(0.0, (now - self._due) * 1000))
        del self._late[:-WINDOW_TICKS]
        self._due = now + PERIOD_MS / 1000
        self._take()
        self._show_one()
