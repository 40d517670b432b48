"""The recordings of a project in the window, read and written away from the main thread."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QCoreApplication, QObject, Qt, Signal, Slot

from playground.recordings import Recorder, RecordingError, Recordings
from ui.session import Session

Files = Mapping[str, list[Path]]
FIRST = ("Class 1", "Class 2")
"""What an empty project begins with; written when the first sample is."""
NOISE = "Background noise"
"""Comes last, so that the other classes keep their keys."""
PATIENCE_S = 0.05
SLOW_S = 0.5


@dataclass(frozen=True)
class Listing:
    """Classes in their order with their files, oldest first."""

    files: Files = field(default_factory=dict)
    can_undo: bool = False
    can_redo: bool = False


class Library(QObject):
    """The classes and samples in the folder ``name`` of the project's files.

    All work on files happens in one thread, in the order in which it was asked for; ``changed``
    tells that there are other classes or samples, ``problem`` carries why recording has stopped
    ("": over), ``refused`` why a change was not made.
    """

    changed = Signal()
    problem = Signal(str)
    refused = Signal(str)
    offers_over = Signal()
    """What was the last change is not any more, or cannot be taken back now."""
    _done = Signal(object, object, object, str)

    def __init__(self, session: Session, name: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session, self._name = session, name
        self._kept = f"classes of {name}"
        self.folder: Path | None = None
        self.listing = Listing()
        self._places: list[str] = []
        """The classes as they stand below each other, those that are removed among them."""
        self._recordings: Recordings | None = None
        self._recorder: Recorder | None = None
        self._worker: ThreadPoolExecutor | None = None
        self._pending = 0
        self._asked = 0.0
        self._begun = False
        self._recent: list[Path] = []
        """Written since the last listing was asked for."""
        self._told = ""
        self._done.connect(self._take, Qt.ConnectionType.QueuedConnection)
        application = QCoreApplication.instance()
        if application is not None:
            application.aboutToQuit.connect(self.close)

    # --- what there is ------------------------------------------------------------------------

    @property
    def names(self) -> list[str]:
        """The classes, those of an empty project among them."""
        return list(self.listing.files) or list(FIRST)

    @property
    def ready(self) -> bool:
        """Whether the folder was read."""
        return self._recordings is not None

    @property
    def slow(self) -> bool:
        """Whether a change takes longer than an eye takes to see it."""
        return self._pending > 0 and time.monotonic() - self._asked > SLOW_S

    @property
    def total(self) -> int:
        return sum(map(len, self.listing.files.values()))

    def files(self, name: str) -> list[Path]:
        return self.listing.files.get(name, [])

    # --- opening and closing ------------------------------------------------------------------

    def open(self) -> None:
        """Read the project's folder, or what has changed in it since ``rest``."""
        if not self._session.is_open:
            return
        folder = self._session.files / self._name
        if folder != self.folder:
            self.close()
            self.folder, self.listing, self._begun = folder, Listing(), False
            kept = self._session.project.view.get(self._kept)
            self._places = [str(one) for one in kept] if isinstance(kept, list) else []
            self.changed.emit()
        if self._worker is None:
            self._worker = ThreadPoolExecutor(1, f"recordings {self._name}")
            self._pending = 0
        if self._recordings is None:
            self._submit(lambda: Recordings(folder))
        else:
            self._ask()

    def rest(self) -> None:
        """Begin to end the threads: what waits is still written, and changes can be undone when
        the folder is opened again."""
        recorder, worker = self._recorder, self._worker
        self._recorder = self._worker = None
        self.offers_over.emit()
        if worker is not None:
            if recorder is not None:
                worker.submit(recorder.close)
            worker.shutdown(wait=False)

    @Slot()
    def close(self) -> None:
        """Begin to end for good."""
        recordings, worker = self._recordings, self._worker
        if recordings is not None and worker is not None:
            if self._recorder is not None:
                worker.submit(self._recorder.close)
            worker.submit(recordings.close)
        elif recordings is not None:
            recordings.close()
        self._recordings = self._recorder = None
        self.rest()

    # --- changes ------------------------------------------------------------------------------

    def add(self, name: str) -> None:
        self._change(lambda recordings: recordings.add_class(name))

    def rename(self, name: str, to: str) -> None:
        self._change(lambda recordings: recordings.rename_class(name, to))

    def remove(self, name: str) -> None:
        self._change(lambda recordings: recordings.remove_class(name))

    def move(self, paths: list[Path], to: str) -> None:
        self._change(lambda recordings: recordings.move(paths, to))

    def delete(self, paths: list[Path]) -> None:
        self._change(lambda recordings: recordings.delete(paths))

    @Slot()
    def undo(self) -> None:
        self._change(lambda recordings: recordings.undo())

    @Slot()
    def redo(self) -> None:
        self._change(lambda recordings: recordings.redo())

    # --- recording ----------------------------------------------------------------------------

    def put_picture(
        self,
        name: str,
        pixels: npt.NDArray[np.uint8],
        told: Callable[[Path], object] | None = None,
    ) -> None:
        """Write a picture H×W×3; comes back at once. ``told`` is called in the writing thread with
        its file."""
        if self.prepare() and self._recorder is not None:
            self._recorder.put_picture(name, pixels, told)

    def put_sound(self, name: str, samples: npt.NDArray[np.float32], rate: int) -> None:
        """Write a sound (n,); comes back at once."""
        if self.prepare() and self._recorder is not None:
            self._recorder.put_sound(name, samples, rate)

    def put_patiently(self, put: Callable[[Recorder], bool]) -> None:
        """On any other thread than the main one: wait while the disk is behind. Raises
        ``OSError`` where nothing can be written any more."""
        while (recorder := self._recorder) is not None and not put(recorder):
            if recorder.problem:
                raise OSError(recorder.problem)
            time.sleep(PATIENCE_S)
        if recorder is None:
            raise OSError("the page was left before all was copied")

    def prepare(self) -> bool:
        """Have a recorder, where the folder is known."""
        if self._recordings is None or self._worker is None:
            return False
        if self._recorder is None:
            self._write_first()
            self._recorder = Recorder(self._recordings)
            self._told = ""
            self._session.note_recordings()
        return True

    def resume(self) -> None:
        """Try again after a problem."""
        if self._recorder is not None and self._recorder.problem:
            self._recorder.resume()
        self._told = ""

    def look(self) -> None:
        """See what the recorder has done meanwhile: call it a few times a second."""
        recorder = self._recorder
        if recorder is None:
            return
        if recorder.problem != self._told:
            self._told = recorder.problem
            self.problem.emit(recorder.problem)
            self._ask()  # the folder may be gone
        if written := recorder.written():
            if self._pending:
                self._recent += written
            if self._add(written):
                self.changed.emit()
            elif not self._pending:
                self._ask()  # a class that is new here

    def _add(self, paths: list[Path]) -> bool:
        """Put newly written files at the end of their classes; False where a class is not known."""
        known = True
        for path in paths:
            files = self.listing.files.get(path.parent.name)
            if files is None:
                known = False
            elif path not in files[-len(paths) - len(self._recent) :]:
                files.append(path)
        return known

    # --- the thread ---------------------------------------------------------------------------

    def _change(self, change: Callable[[Recordings], object]) -> None:
        recordings = self._recordings
        if recordings is not None:
            self.offers_over.emit()
            self._session.note_recordings()
            self._write_first()
            self._submit(lambda: change(recordings))

    def _write_first(self) -> None:
        """The classes that an empty project begins with become folders with the first change."""
        recordings = self._recordings
        if recordings is not None and not self.listing.files and not self._begun:
            self._begun = True
            self._submit(lambda: _ensure(recordings))

    def _ask(self) -> None:
        """Read the classes and files anew."""
        self._submit(lambda: None)

    def _submit(self, work: Callable[[], Any]) -> None:
        if self._worker is not None:
            self._pending += 1
            self._asked = time.monotonic()
            self._worker.submit(self._run, self._recordings, work)

    def _run(self, recordings: Recordings | None, work: Callable[[], Any]) -> None:
        problem, listing = "", Listing()
        try:
            result = work()
            recordings = result if isinstance(result, Recordings) else recordings
            if recordings is not None:
                listing = _listing(recordings)
        except (RecordingError, OSError) as error:
            problem = str(error)
        except Exception as error:  # the page must not wait for an answer that never comes
            logging.getLogger(__name__).exception("the recordings could not be changed")
            problem = f"The recordings could not be changed ({type(error).__name__})."
        try:
            self._done.emit(self.folder, recordings, listing, problem)
        except RuntimeError:
            return  # the window was closed meanwhile

    @Slot(object, object, object, str)
    def _take(
        self, folder: Path, recordings: Recordings | None, listing: Listing, problem: str
    ) -> None:
        if folder != self.folder or self._worker is None:
            return
        self._pending -= 1
        fresh = self._recordings is None and recordings is not None
        if problem:
            self.refused.emit(problem)
            if not self._pending and recordings is not None:
                self._recordings = recordings
            self.changed.emit()
            return
        self._recordings = recordings
        if fresh or listing != self.listing:
            self.listing = self._placed(listing)
            self._add(self._recent)
            self.changed.emit()
        if not self._pending:
            self._recent = []

    def _placed(self, listing: Listing) -> Listing:
        """Classes keep their places, and so their keys and colours: also one that has another name
        now, or is brought back; new ones come last."""
        places, before, now = self._places, self.listing.files, listing.files
        gone = [name for name in before if name not in now]
        come = [name for name in now if name not in before]
        if len(gone) == len(come) == 1:
            places[:] = [name for name in places if name not in come]
            places[places.index(gone[0])] = come[0]
        places += [name for name in come if name not in places]
        if self.folder == self._session.files / self._name:
            self._session.keep(self._kept, list(places))
        names = sorted((name for name in places if name in now), key=lambda name: name == NOISE)
        return replace(listing, files={name: now[name] for name in names})


def _ensure(recordings: Recordings) -> None:
    for name in FIRST:
        recordings.ensure_class(name)


def _listing(recordings: Recordings) -> Listing:
    files = {name: recordings.files(name) for name in recordings.classes()}
    return Listing(files, recordings.can_undo, recordings.can_redo)
