"""Opening a project that no file holds: a network that runs live, with its weights."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Slot

from playground.project import Project
from playground.runs import new_run
from ui.insight.fetch import Fetch
from ui.session import Session


@dataclass(frozen=True, slots=True)
class Wanted:
    """A project to be opened, and the run whose weights it takes along."""

    project: Project
    run: Path | None = None


class Opening(QObject):
    """Opens what panels want opened, where the present project may be left. The weights are copied
    in the background; the canvas is there at once."""

    def __init__(self, session: Session, may_leave: Callable[[], bool]) -> None:
        super().__init__(session)
        self._session, self._may_leave = session, may_leave
        self._files: Path | None = None
        self._fetch = Fetch(self)
        self._fetch.done.connect(self._copied)
        self._fetch.failed.connect(self._failed)
        session.project_wanted.connect(self.open)

    @Slot(object)
    def open(self, wanted: Wanted) -> None:
        session = self._session
        if not self._may_leave():
            return
        session.set_mode("network")
        session.new(wanted.project, dirty=True)
        self._files = files = session.files
        if wanted.run is not None:
            run = wanted.run
            self._fetch.start(lambda: _copy(run, files))

    @Slot(object)
    def _copied(self, run: Path) -> None:
        session = self._session
        if session.is_open and session.files == self._files and not session.busy:
            session.use_run(run)

    @Slot(str)
    def _failed(self, problem: str) -> None:
        self._session.tell(f"The weights were not taken along: {problem}", "warn", key="open")


def _copy(run: Path, files: Path) -> Path:
    """``run`` as the first one under ``files``. Raises ``ValueError`` or ``OSError``."""
    made = new_run(files).path
    shutil.copytree(run, made, dirs_exist_ok=True)
    return made
