"""What has just learnt is offered to be run live."""

from __future__ import annotations

from PySide6.QtCore import QObject, Slot

from playground.live.what import Runnable, of_run
from playground.messages import State
from playground.runs import RunFolder, RunSummary, summary
from ui.insight.fetch import Fetch
from ui.live.desk import NETWORK
from ui.live.workspace import STAGES
from ui.runs.listing import result_text
from ui.session import Session


class Finished(QObject):
    """Offers what has just learnt to be run live, where it can be."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._session = session
        self._was_busy = self._offered = False
        self._fetch = Fetch(self)
        self._fetch.done.connect(self._offer)
        session.state_changed.connect(self._follow)
        session.mode_changed.connect(self._turned)
        session.project_changed.connect(self._fetch.cancel)

    @Slot()
    def _turned(self) -> None:
        """Who went there needs no offer any more."""
        if self._session.mode == "live":
            self._withdraw()

    def _withdraw(self) -> None:
        if self._offered:
            self._offered = False
            self._session.tell("", key="trained")

    @Slot()
    def _follow(self) -> None:
        session = self._session
        ended = self._was_busy and not session.busy
        self._was_busy = session.busy
        if session.busy:
            self._withdraw()
        folder = session.run_folder if ended and session.state is State.FINISHED else None
        if folder is not None and session.mode != "live":
            run = RunFolder(folder)
            self._fetch.start(lambda: (of_run(run), told(summary(run))))

    @Slot(object)
    def _offer(self, found: tuple[Runnable, str]) -> None:
        session, (what, text) = self._session, found
        if what.medium not in STAGES or session.mode == "live":
            return
        self._offered = True
        run_it = ("Run it live", lambda: session.reveal.emit(f"recognise:{NETWORK}"))
        session.tell(text, "good", run_it, "trained")


def told(run: RunSummary) -> str:
    """How a run ended, and what it reached."""
    ended = "Stopped" if run.state == "stopped" else "Trained"
    return f"{ended}: {result_text(run) or 'what it has learnt is kept'}."
