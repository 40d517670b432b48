"""What is shown to the camera, a class at a time, and what is learnt from it while it runs."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QGuiApplication

from playground.live.what import BACKBONE
from playground.teaching import Learned, Teacher
from ui.data.record.cards import class_colour
from ui.data.record.incoming import Incoming, picture_into
from ui.data.record.library import Library
from ui.data.record.shooting import Shooting
from ui.data.record.thumbnails import Thumbnails
from ui.live.desk import Desk
from ui.live.teach.network import FOLDER, TaughtNetwork
from ui.settings import settings
from ui.theme import theme

if TYPE_CHECKING:
    from playground.capture import Camera, Frame
    from playground.live.taught import LiveTaught, Looked

TICK_MS = 33
LOOK_S = 0.2
RATE = 12
"""Pictures a second, where no other rate was chosen for recording."""
BURST = 20
ENOUGH = 5
"""Samples of a class from which on it is learnt without being asked."""
PAUSE_S = 0.4
LATE_S = 0.15
"""Where the network has not looked at anything new by then, it looks at the picture later."""
PATIENCE_S = 5.0
KEY = f"record {FOLDER}"


class Lessons(QObject):
    """The one object that the pages of teaching share; it works while the view is seen and
    teaching is chosen (``active``).

    Pictures are those that the network has looked at: their vectors are there already. They are
    written at once into the project's recordings. ``changed`` tells that there is something new to
    say.
    """

    changed = Signal()
    active_changed = Signal()
    chosen_changed = Signal()
    _told = Signal()

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.desk, self._session = desk, desk.session
        self.library = Library(self._session, FOLDER, self)
        ratio = QGuiApplication.primaryScreen().devicePixelRatio()
        self.thumbnails = Thumbnails(ratio=ratio, parent=self)
        self.incoming = Incoming(self.library, picture_into(self.library), self)
        self.network = TaughtNetwork(self._session, self)
        self.shooting = Shooting()
        self.teacher: Teacher | None = None
        self.learned: Learned | None = None
        self.active = False
        self.frame: Frame | None = None
        """The newest, where there is one to record."""
        self.chosen = ""
        """The class whose samples are looked at."""
        self.problem = ""
        """Why recording has stopped, a sentence."""
        self._pending = self._unfollowed = False
        self._looked = self._busy = self._taken = 0.0
        self._tried: Mapping[str, int] = {}
        self._timer = QTimer(self)
        self._timer.setInterval(TICK_MS)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._told.connect(self._take, Qt.ConnectionType.QueuedConnection)
        self._connect()
        self._follow_desk()

    def _connect(self) -> None:
        session, library = self._session, self.library
        library.changed.connect(self._library_changed)
        library.problem.connect(self._stopped)
        library.refused.connect(self.tell)
        library.offers_over.connect(self._withdraw)
        self.incoming.told.connect(self.tell)
        theme().changed.connect(self._colour)
        self.network.changed.connect(self.changed)
        self.desk.chosen_changed.connect(self._follow_desk)
        self.desk.awake_changed.connect(self._follow_desk)
        session.project_changed.connect(self._project_changed)
        session.file_changed.connect(self._moved)
        session.closing.connect(self.close)

    # --- life ---------------------------------------------------------------------------------

    @Slot()
    def _follow_desk(self) -> None:
        desk = self.desk
        wanted = desk.awake and desk.chosen.kind == "teach" and self._session.is_open
        if wanted != self.active:
            self.active = wanted
            (self._begin if wanted else self._end)()
            self.active_changed.emit()

    def _begin(self) -> None:
        store = settings()
        rate = str(store.value("record/rate", RATE))
        self.shooting.rate = float(rate) if rate.isdecimal() and int(rate) else RATE
        if self.teacher is None:
            self.teacher = Teacher(BACKBONE, self._wake)
            self._unfollowed = True
        self.library.open()
        self._timer.start()

    def _end(self) -> None:
        self.interrupt()
        self._timer.stop()
        self.incoming.stop()
        self.thumbnails.close()
        self.library.look()  # what was written just now is known, also while nobody looks
        self.library.rest()
        self.desk.set_mark("")
        self.desk.set_colours({})

    @Slot()
    def _project_changed(self) -> None:
        """Other classes: what was learnt is of no more use."""
        self._forget_teacher(timeout=0.0)
        self.network.forget()
        self.thumbnails.forget()
        if self.active:
            self._end()
            self.active = False
            self.active_changed.emit()
        self._follow_desk()

    def _forget_teacher(self, timeout: float) -> None:
        teacher, self.teacher = self.teacher, None
        self.learned, self._tried, self.problem = None, {}, ""
        if teacher is not None:
            teacher.told = None
            teacher.close(timeout)

    @Slot()
    def _moved(self) -> None:
        """The project was saved elsewhere: its recordings are there now."""
        if self.active and self._session.files / FOLDER != self.library.folder:
            self.interrupt()
            self.thumbnails.forget()
            self.library.open()

    @Slot()
    def close(self) -> None:
        """End for good, and wait for the threads."""
        if self.active:
            self.active = False
            self._end()
        self.network.close()
        self._forget_teacher(PATIENCE_S)

    def choose(self, name: str) -> None:
        if name != self.chosen:
            self.chosen = name
            self.chosen_changed.emit()

    # --- recording ----------------------------------------------------------------------------

    def hold(self, name: str) -> None:
        self._resume()
        self.shooting.hold(name, time.monotonic())

    def release(self) -> None:
        if self.shooting.left is None:
            self.shooting.stop()

    def once(self, name: str) -> None:
        self._resume()
        self.shooting.once(name, time.monotonic())

    def burst(self, name: str) -> None:
        """Some pictures after a countdown; a second time ends it."""
        if self.shooting.active:
            self.shooting.stop()
        else:
            self._resume()
            self.shooting.burst(name, BURST, time.monotonic())

    def interrupt(self) -> None:
        self.shooting.stop()

    def _resume(self) -> None:
        self.problem = ""
        self.library.resume()

    @Slot(str)
    def _stopped(self, text: str) -> None:
        self.problem = text
        if text:
            self.interrupt()
        self.changed.emit()

    @Slot(str)
    def tell(self, text: str) -> None:
        self._session.tell(text, "warn" if text else "info", key=KEY)

    @Slot()
    def _withdraw(self) -> None:
        self.tell("")

    # --- thirty times a second ----------------------------------------------------------------

    @Slot()
    def _tick(self) -> None:
        now = time.monotonic()
        camera = cast("Camera | None", self.desk.device)
        running = camera is not None and camera.status.state == "running"
        self.frame = camera.frame() if camera is not None and running else None
        if self.frame is None and self.shooting.active:
            self.interrupt()
        self._record(now)
        name = self.shooting.name
        mark = f"{name} {len(self.library.files(name)):,}" if name else ""
        self.desk.set_mark(mark, self.shooting.countdown(now))
        self._hand_over()
        if now - self._looked >= LOOK_S:
            self._looked = now
            self.library.look()
            self._learn_in_time(now)

    def _record(self, now: float) -> None:
        """Take the next picture that the network looks at; where it is slow, the newest."""
        teacher, shooting, picture = self.teacher, self.shooting, self._picture(now)
        if picture is None or teacher is None or not shooting.due(now):
            return
        name, pixels = shooting.name, picture.pixels
        vector = getattr(picture, "vector", None)
        self._taken = picture.time
        self.library.put_picture(
            name, pixels, lambda path: teacher.take(name, pixels, path, vector)
        )
        shooting.took(now)

    def _picture(self, now: float) -> Looked | Frame | None:
        """What was captured since the last one was taken, and since recording began."""
        answers, after = self._answers(), max(self._taken, self.shooting.begins)
        looked = answers.looked() if answers is not None else None
        if looked is not None and looked.time > after:
            return looked
        if looked is not None and self.shooting.late(now) < LATE_S:
            return None  # it is on its way
        frame = self.frame
        return frame if frame is not None and frame.time > after else None

    def _answers(self) -> LiveTaught | None:
        recognition = self.desk.recognition
        answers = recognition.answers if recognition is not None else None
        return cast("LiveTaught | None", answers) if self.desk.chosen.kind == "teach" else None

    # --- learning -----------------------------------------------------------------------------

    @Slot()
    def learn(self) -> None:
        """Learn from everything that was shown, as soon as it was looked at."""
        if self.teacher is not None:
            self._tried = self._counts()
            self.teacher.learn()
            self.changed.emit()

    def missing(self) -> str:
        """What has to be recorded yet, in a sentence; "" where there is enough."""
        teacher = self.teacher
        if teacher is not None and teacher.status and teacher.embedder is None:
            return teacher.status  # it could not be loaded
        if not self.library.ready:
            return "Reading the recordings …"
        filled = [name for name in self.library.names if self.library.files(name)]
        if not filled:
            return "Record two classes at least: hold a button, or drop pictures on a class."
        if len(filled) == 1:
            return f"Record another class than {filled[0]}: what is there without it, for example."
        return ""

    def _learn_in_time(self, now: float) -> None:
        """Follow the files, and learn when recording pauses, where there is enough to learn."""
        teacher = self.teacher
        if teacher is None:
            return
        if self._unfollowed and not self.shooting.active and self.library.ready:
            self._unfollowed = False
            teacher.follow(self.library.listing.files)
            self._busy = now
        elif self.shooting.active or teacher.pending or teacher.learning:
            self._busy = now
        elif now - self._busy > PAUSE_S:
            counts = self._counts()
            fresh = counts != self._tried and counts != _filled(self.learned)
            if fresh and any(count >= ENOUGH for count in counts.values()):
                self.learn()

    def _counts(self) -> dict[str, int]:
        counts = self.teacher.counts() if self.teacher is not None else {}
        return {name: count for name, count in counts.items() if count}

    def _wake(self) -> None:
        """In the teacher's thread: one event for the main thread, however often it tells."""
        if not self._pending:
            self._pending = True
            try:
                self._told.emit()
            except RuntimeError:
                return  # the window was closed meanwhile

    @Slot()
    def _take(self) -> None:
        self._pending = False
        teacher = self.teacher
        if teacher is None:
            return
        if teacher.learned is not None and teacher.learned is not self.learned:
            self.learned = teacher.learned
            self._hand_over()
            if teacher.embedder is not None:
                self.network.keep(teacher.embedder, self.learned)
        self.changed.emit()

    def _hand_over(self) -> None:
        """Let what was learnt answer."""
        answers = self._answers()
        head = self.learned.answers if self.learned is not None else None
        if answers is not None and answers.head is not head:
            answers.head = head

    @Slot()
    def _library_changed(self) -> None:
        self._unfollowed = True
        self._colour()
        self.changed.emit()

    @Slot()
    def _colour(self) -> None:
        if self.active:
            names = enumerate(self.library.names)
            self.desk.set_colours({name: class_colour(index) for index, name in names})


def lessons_of(desk: Desk) -> Lessons:
    """The lessons of a desk, made when they are first asked for."""
    return desk.findChild(Lessons) or Lessons(desk)


def _filled(learned: Learned | None) -> dict[str, int]:
    counts = learned.counts if learned is not None else {}
    return {name: count for name, count in counts.items() if count}
