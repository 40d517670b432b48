"""Packing a project into one file and unpacking one, behind the window."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal, Slot

from playground import packing
from playground.background import Newest
from playground.data.source import Progress
from playground.project import ProjectError
from ui.session import Session

STEP = 0.05
"""The share of the work after which progress is told again."""


class Packing(QObject):
    """``unpacked`` carries the path of a project file that can be opened now."""

    unpacked = Signal(object)
    _told = Signal(str, str, str)

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._session = session
        self._work = Newest("pack")
        # from the thread of the work to the window's
        self._told.connect(self._tell, Qt.ConnectionType.QueuedConnection)

    def pack(self, target: Path) -> None:
        """Write the open project to ``target``."""
        project, path = self._session.project, self._session.file

        def work(progress: Progress) -> None:
            packing.pack(project, path, target, progress)
            self._told.emit(f"Packed into {target}.", "good", "")

        self._begin(work)

    def unpack(self, packed: Path) -> None:
        """Unpack beside ``packed``, in a folder of its name; ``unpacked`` follows."""

        def work(progress: Progress) -> None:
            made = packing.unpack(packed, packing.folder_for(packed), progress)
            self._told.emit(f"Unpacked into {made.parent}.", "good", str(made))

        self._begin(work)

    def close(self) -> None:
        self._work.close(timeout=2.0)

    def _begin(self, work: Callable[[Progress], None]) -> None:
        said = -1.0

        def task(overtaken: Callable[[], bool]) -> None:
            def progress(text: str, fraction: float | None) -> None:
                nonlocal said
                if overtaken():
                    raise _Given
                if fraction is not None and (fraction >= said + STEP or fraction < said):
                    said = fraction
                    self._told.emit(f"{text} · {fraction:.0%}", "info", "")

            try:
                work(progress)
            except _Given:
                return
            except ProjectError as error:
                self._told.emit(str(error), "bad", "")

        self._work.do(task)

    @Slot(str, str, str)
    def _tell(self, text: str, level: str, made: str) -> None:
        self._session.tell(text, level, key="pack")
        if made:
            self.unpacked.emit(Path(made))


class _Given(Exception):
    """Given up: the window closes, or other work was asked for."""
