"""The classes that are taught: a card each with the button that records, and what was learnt."""

from __future__ import annotations

import time

from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QAbstractButton, QVBoxLayout, QWidget

from playground.teaching import Learned
from ui.data.record.cards import CardWords
from ui.data.record.classes import ClassColumn
from ui.data.record.keys import RecordKeys
from ui.data.record.samples import open_folder
from ui.insight.answer_view import percent
from ui.live.desk import Desk
from ui.live.teach.lessons import ENOUGH, KEY, lessons_of
from ui.widgets import Button, ProgressLine, label

WORDS = CardWords("Hold to record", "One picture", "image", "Burst after a countdown of 3 s")
LOOK_MS = 100
NO_PICTURE = "The camera gives no picture."


class ClassesPage(QWidget):
    """Holding a button, or a digit key anywhere in the window, shows the network what the camera
    sees; it is learnt when that pauses, and at the press of a button."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.setAccessibleName("Classes")
        self._session = desk.session
        self.lessons = lessons = lessons_of(desk)
        self.classes = ClassColumn(lessons.library, lessons.thumbnails, WORDS)
        self.corner = self.classes.without_head()
        self._build()
        self._keys: RecordKeys | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_MS)
        self._timer.timeout.connect(self._look)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._connect()
        self._refresh()

    def _build(self) -> None:
        self.problem = label("", "error", wrap=True)
        self.learn = Button("Learn these classes", "", "primary")
        self.learn.setMinimumHeight(34)
        self.progress = ProgressLine(3)
        self.text = label("", "small", wrap=True)
        self.text.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.keep = Button("Make it the project's network", "network")
        for widget in (self.problem, self.learn, self.progress, self.text, self.keep):
            self.classes.foot.addWidget(widget)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.classes)
        for button in self.findChildren(QAbstractButton):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves the keys to the page

    def _connect(self) -> None:
        classes, lessons = self.classes, self.lessons
        classes.chosen_changed.connect(self._chosen)
        classes.held.connect(lessons.hold)
        classes.let_go.connect(self._release)
        classes.once_wanted.connect(lessons.once)
        classes.burst_wanted.connect(lessons.burst)
        classes.folder_wanted.connect(self._open_folder)
        classes.removed.connect(self._removed)
        classes.files_dropped.connect(lessons.incoming.take)
        lessons.changed.connect(self._refresh)
        self._session.state_changed.connect(self._refresh)
        lessons.active_changed.connect(self._follow)
        self.learn.clicked.connect(lessons.learn)
        self.keep.clicked.connect(lessons.network.put)

    # --- life ---------------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._follow()
        self._refresh()
        self.setFocus(Qt.FocusReason.OtherFocusReason)  # keys record at once

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._follow()

    @Slot()
    def _follow(self) -> None:
        """Take keys from the whole window while there is teaching, whichever page is shown."""
        active = self.lessons.active
        if self._keys is None and active and self.isVisible():
            self._keys = RecordKeys(self.window(), self.classes, self.lessons.library)
            self._keys.held.connect(self.lessons.hold)
            self._keys.let_go.connect(self._release)
            self._keys.stopped.connect(self.lessons.interrupt)
        if self._keys is not None:
            self._keys.enabled = active
            if not active:
                self._keys.forget()
        (self._timer.start if active else self._timer.stop)()

    @Slot()
    def _look(self) -> None:
        lessons, shooting = self.lessons, self.lessons.shooting
        if self._keys is not None:
            self._keys.look()
        self.classes.set_ready(lessons.frame is not None, NO_PICTURE)
        said = shooting.said(time.monotonic())
        for card in self.classes.cards:
            card.show_recording(said if card.name == shooting.name else "")

    @Slot()
    def _chosen(self) -> None:
        self.lessons.choose(self.classes.chosen)

    @Slot()
    def _release(self) -> None:
        self.lessons.release()

    @Slot(str)
    def _open_folder(self, name: str) -> None:
        open_folder(self.lessons.library, name)

    @Slot(str)
    def _removed(self, what: str) -> None:
        self._session.tell(what, "info", ("Undo", self.lessons.library.undo), KEY)

    # --- what is said -------------------------------------------------------------------------

    @Slot()
    def _refresh(self) -> None:
        lessons, network = self.lessons, self.lessons.network
        teacher = lessons.teacher
        problem = lessons.problem or network.problem
        self.problem.setText(problem)
        self.problem.setVisible(bool(problem))
        missing = lessons.missing()
        pending = teacher.pending if teacher is not None else 0
        learning = teacher is not None and teacher.learning
        self.learn.setEnabled(not missing and not learning)
        self.learn.setText("Learning …" if learning and not pending else "Learn these classes")
        done, total = teacher.progress if teacher is not None and pending else (0, 0)
        self.progress.setVisible(bool(pending and total))
        self.progress.set_value(done / total if total else 0.0)
        words = missing
        if pending and (lessons.library.total or not missing):
            words = f"{pending:,} {'picture is' if pending == 1 else 'pictures are'} looked at …"
        self.keep.setVisible(network.in_the_way and not missing)
        self.keep.setEnabled(not self._session.busy)
        self.text.setText(words or self._result())

    def _result(self) -> str:
        learned = self.lessons.learned
        if learned is None or learned.head is None:
            return "Enough to begin with. More samples make it better."
        if self.lessons.network.in_the_way:
            return f"{told(learned).rstrip('.')}. The canvas stays as it is."
        return told(learned)


def told(learned: Learned) -> str:
    """How long learning took, and how well it did, in a sentence."""
    took = learned.seconds
    time = f"{took:.1f} s" if took >= 0.095 else f"{1000 * took:.0f} ms"
    if learned.accuracy is None:
        return f"Last time: {time}. With {ENOUGH} samples each it is known how well it does."
    right = f"{percent(learned.accuracy)} of {learned.held_back:,} held-back right"
    return f"Last time: {time}, {right}"
