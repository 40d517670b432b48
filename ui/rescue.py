"""What a window that ended without being closed left behind: unsaved work, an unfinished run."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

from PySide6.QtCore import QObject, Slot

from playground import project as projects
from playground.project import ProjectError, Recovery
from playground.runs import RunSummary, list_runs
from ui.session import Session
from ui.start import Rescue

INTERRUPTED = "interrupted"


class Guard(QObject):
    """Offers recovered projects on the start page, and to resume a run that was cut off."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._session = session
        self._offered = True
        session.project_changed.connect(self._another)
        session.dataset_changed.connect(self._offer_resume)

    def rescues(self, opened: Callable[[Callable[[], object]], object]) -> list[Rescue]:
        """What can be recovered. ``opened`` is called with what opens it, and may refuse."""
        found = []
        for recovery in projects.recoverable():
            take = partial(opened, partial(self._open, recovery))
            found.append(Rescue(described(recovery), "Recover", take, recovery.discard))
        return found

    def _open(self, recovery: Recovery) -> None:
        try:
            project = recovery.load()
        except ProjectError as error:
            self._session.tell(f"It cannot be recovered: {error}", "bad", key="open")
            return
        path = recovery.path if recovery.path is not None and recovery.path.exists() else None
        self._session.new(project, path, dirty=True)
        projects.autosave(project, path)
        recovery.discard()

    @Slot()
    def _another(self) -> None:
        self._offered = False

    @Slot()
    def _offer_resume(self) -> None:
        session = self._session
        if self._offered or not session.can_run:
            return
        self._offered = True
        last = next(iter(list_runs(session.files)), None)
        if last is not None and last.state == INTERRUPTED and last.resumable:
            resume = partial(session.resume_run, last.path)
            session.tell(unfinished(last), "warn", ("Resume the run", resume), "resume")


def described(recovery: Recovery) -> str:
    """One sentence on unsaved work."""
    saved = datetime.fromtimestamp(recovery.saved)
    when = f"{saved:%H:%M}" if saved.date() == datetime.now().date() else f"{saved:%d %B %H:%M}"
    where = f" ({recovery.path.name})" if recovery.path is not None else ""
    return f"Unsaved work on “{recovery.name}”{where} from {when} was kept when the program ended."


def unfinished(run: RunSummary) -> str:
    """One sentence on a run that was cut off."""
    epochs = f" after {run.epochs} epoch{'s' if run.epochs != 1 else ''}" if run.epochs else ""
    return f"Run {run.name} was cut off{epochs}; it can go on as if nothing had happened."
