"""What recording pictures and recording sounds have in common: classes, samples, keys, files."""

from __future__ import annotations

import time

from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QFrame,
    QHBoxLayout,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from ui.data.record.cards import CardWords
from ui.data.record.classes import ClassColumn
from ui.data.record.incoming import Incoming, Put
from ui.data.record.keys import RecordKeys
from ui.data.record.library import Library
from ui.data.record.samples import Samples
from ui.data.record.thumbnails import Make, Thumbnails
from ui.data.record.use import UseBar
from ui.session import Session
from ui.widgets import label

TICK_MS = 33
LOOK_S = 0.2
COLUMN = 300


class Bench(QWidget):
    """Classes at the left, what is recorded from in the middle, the chosen class's samples below.

    A kind of recording gives the stage, and says what holding, one and a burst do. Everything is
    given back while the bench is hidden.
    """

    source = ""
    """The data source that opens these recordings."""
    folder = ""
    """Where they are, in the project's files."""

    def __init__(
        self,
        session: Session,
        words: CardWords,
        make: Make,
        empty: tuple[str, str],
    ) -> None:
        super().__init__()
        self._session = session
        self.library = Library(session, self.folder, self)
        self.thumbnails = Thumbnails(make, self.devicePixelRatioF(), self)
        self.classes = ClassColumn(self.library, self.thumbnails, words)
        self.samples = Samples(self.library, self.thumbnails, empty)
        self.use = UseBar(session, self.library, self.source, self.folder)
        self.incoming = Incoming(self.library, self.taking_in(), self)
        self.problem = label("", "error", wrap=True)
        self.problem.hide()
        self.keys = RecordKeys(self, self.classes, self.library)
        self._looked = 0.0
        self._timer = QTimer(self)
        self._timer.setInterval(TICK_MS)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._on_tick)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def build(self, stage: QWidget) -> None:
        """Arrange everything around ``stage``."""
        self.classes.foot.addWidget(self.problem)
        self.classes.foot.addWidget(self.use)
        self.classes.setFixedWidth(COLUMN)
        edge = QFrame()
        edge.setProperty("kind", "divider")
        edge.setFixedWidth(1)
        lower = QWidget()
        below = QVBoxLayout(lower)
        below.setContentsMargins(0, 0, 0, 0)
        below.setSpacing(0)
        line = QFrame()
        line.setProperty("kind", "divider")
        line.setFixedHeight(1)
        below.addWidget(line)
        below.addWidget(self.samples)
        self.split = QSplitter(Qt.Orientation.Vertical)
        self.split.setChildrenCollapsible(False)
        self.split.addWidget(stage)
        self.split.addWidget(lower)
        self.split.setStretchFactor(0, 3)
        self.split.setStretchFactor(1, 1)
        self.split.setSizes([700, 260])
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.classes)
        row.addWidget(edge)
        row.addWidget(self.split, 1)
        for button in self.findChildren(QAbstractButton):
            # a click leaves the keys to the bench: a button that takes them and is then disabled
            # hands them to anybody
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        classes, library = self.classes, self.library
        classes.chosen_changed.connect(self._class_chosen)
        classes.held.connect(self._hold)
        classes.let_go.connect(self._let_go)
        self.keys.held.connect(self._hold)
        self.keys.let_go.connect(self._release)
        self.keys.stopped.connect(self._interrupt)
        classes.once_wanted.connect(self._once)
        classes.burst_wanted.connect(self._burst)
        classes.folder_wanted.connect(self.samples.open_folder_of)
        classes.removed.connect(self._removed)
        classes.files_dropped.connect(self.incoming.take)
        library.problem.connect(self._problem)
        library.refused.connect(self._tell)
        library.offers_over.connect(self._withdraw)
        self.incoming.told.connect(self._tell)
        self._session.project_changed.connect(self._moved)
        self._session.file_changed.connect(self._moved)
        self._session.closing.connect(self._rest)

    # --- given by the kind of recording -------------------------------------------------------

    def start(self) -> None:
        """Open the device: the bench is seen."""
        raise NotImplementedError

    def stop(self) -> None:
        """Give the device back, at once."""
        raise NotImplementedError

    def tick(self, now: float) -> None:
        """Draw what is new and take what is due; 30 times a second."""
        raise NotImplementedError

    def taking_in(self) -> Put:
        """How a dropped file becomes a sample."""
        raise NotImplementedError

    def hold(self, name: str) -> None:
        raise NotImplementedError

    def release(self) -> None:
        raise NotImplementedError

    def once(self, name: str) -> None:
        raise NotImplementedError

    def burst(self, name: str) -> None:
        raise NotImplementedError

    def interrupt(self) -> None:
        """Stop recording now."""
        raise NotImplementedError

    # --- life ---------------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.library.open()
        self._timer.start()
        self.start()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._rest()

    @Slot()
    def _rest(self) -> None:
        """Nobody looks, or the window is being closed."""
        self.keys.forget()
        self._timer.stop()
        self.interrupt()
        self.stop()
        self.incoming.stop()
        self.thumbnails.close()
        self.library.rest()

    @Slot()
    def _moved(self) -> None:
        """Another project, or another place of the same."""
        if self.isVisible() and self._session.files / self.folder != self.library.folder:
            self.interrupt()
            self.thumbnails.forget()
            self.library.open()

    @Slot()
    def _on_tick(self) -> None:
        now = time.monotonic()
        self.keys.look()
        self.tick(now)
        if now - self._looked >= LOOK_S:
            self._looked = now
            self.library.look()
            self.samples.show_slow(self.library.slow)

    @Slot()
    def _class_chosen(self) -> None:
        self.samples.show_class(self.classes.chosen)

    @Slot(str)
    def _problem(self, text: str) -> None:
        self.problem.setText(text)
        self.problem.setVisible(bool(text))
        if text:
            self.interrupt()

    def _begin(self) -> None:
        self._problem("")
        self.library.resume()

    @Slot(str)
    def _tell(self, text: str) -> None:
        self._session.tell(text, "warn" if text else "info", key=f"record {self.folder}")

    @Slot()
    def _withdraw(self) -> None:
        self._tell("")

    @Slot(str)
    def _removed(self, what: str) -> None:
        key = f"record {self.folder}"
        self._session.tell(what, "info", ("Undo", self.library.undo), key)

    @Slot(str)
    def _hold(self, name: str) -> None:
        self._begin()
        self.hold(name)

    @Slot(str)
    def _let_go(self, _name: str) -> None:
        self.release()

    @Slot()
    def _release(self) -> None:
        self.release()

    @Slot()
    def _interrupt(self) -> None:
        self.interrupt()

    @Slot(str)
    def _once(self, name: str) -> None:
        self._begin()
        self.once(name)

    @Slot(str)
    def _burst(self, name: str) -> None:
        self._begin()
        self.burst(name)
