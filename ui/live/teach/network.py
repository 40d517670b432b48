"""What was taught as the project's own network: its run, its place on the canvas, its data."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, Qt, Signal, Slot

from models.graph import INPUT, OUTPUT, Graph
from playground.data.settings import DataSettings
from playground.runs import RunError, RunFolder
from playground.teaching import Learned
from ui.document import same_network
from ui.session import Session

if TYPE_CHECKING:
    from playground.embedding import Embedder
    from playground.teach import Head
    from playground.training.settings import TrainingSettings

SOURCE, FOLDER = "camera", "pictures"
TASK = "classification"
PATIENCE_S = 10.0
STEP = "Teach by example"


@dataclass(frozen=True, slots=True, eq=False)
class Wish:
    """What is to become the project's network, and what the project was when that was asked."""

    embedder: Embedder
    learned: Learned
    files: Path
    graph: Graph
    run: Path | None
    forced: bool


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """A run of what was learnt, ``written`` now or there already; ``fresh`` where the project had
    another network before."""

    graph: Graph
    training: TrainingSettings
    run: Path
    data: DataSettings
    fresh: bool
    written: bool = True


class TaughtNetwork(QObject):
    """Writes what was learnt as a run of the project, away from the main thread, and makes it the
    project's network: where there is none yet, or one that was taught before.

    Another network is never replaced without ``put``: ``in_the_way`` tells of one.
    """

    changed = Signal()
    _done = Signal(object)

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.in_the_way = False
        self.problem = ""
        """Why it could not be written, a sentence."""
        self.taken: Learned | None = None
        """What the project's network has learnt; None where it is another."""
        self._learned: Learned | None = None
        """What the network has learnt that was put on the canvas last, also where it is undone."""
        self._graph = Graph()
        self._newest: tuple[Embedder, Learned] | None = None
        self._next: Wish | None = None
        self._wish: Wish | None = None
        self._writing: Future[Kept | None] | None = None
        self._writer = ThreadPoolExecutor(1, "taught network")
        self._unread = self._then_tune = False
        self._done.connect(self._take, Qt.ConnectionType.QueuedConnection)
        session.saving.connect(self.finish)
        session.mode_changed.connect(self._turned)
        session.graph_changed.connect(self._graph_changed)
        session.dataset_changed.connect(self._data_changed)

    # --- from what was learnt to a run --------------------------------------------------------

    def keep(self, embedder: Embedder, learned: Learned) -> None:
        """Make it the project's network, where no other is in the way."""
        self._newest = embedder, learned
        self._ask(forced=False)

    @Slot()
    def put(self) -> None:
        """Make it the project's network in the place of another; that can be undone."""
        self._ask(forced=True)

    @Slot()
    def finish(self) -> None:
        """Wait for what is being written, and take it."""
        while (writing := self._writing) is not None:
            try:
                writing.exception(PATIENCE_S)
            except TimeoutError:
                return
            self._take(writing)

    def forget(self) -> None:
        """Another project is open."""
        self._newest = self._next = self._wish = self._writing = None
        self.taken = self._learned = None
        self.in_the_way = self._unread = self._then_tune = False
        self.problem = ""

    def close(self) -> None:
        """Wait for what is being written; take nothing more."""
        self.forget()
        self._writer.shutdown(wait=True, cancel_futures=True)

    def _ask(self, *, forced: bool) -> None:
        session = self._session
        if self._newest is None or self._newest[1].head is None or session.busy:
            return
        embedder, learned = self._newest
        wish = Wish(embedder, learned, session.files, session.graph, session.run_folder, forced)
        if self._writing is not None:
            self._next = wish
            return
        self._wish = wish
        self._writing = self._writer.submit(_write, wish)
        self._writing.add_done_callback(self._tell)

    def _tell(self, writing: Future[Kept | None]) -> None:
        try:
            self._done.emit(writing)
        except RuntimeError:
            return  # the window was closed meanwhile

    @Slot(object)
    def _take(self, writing: Future[Kept | None]) -> None:
        if writing is not self._writing or self._wish is None or writing.cancelled():
            return  # of another project, or taken already
        wish, self._wish, self._writing = self._wish, None, None
        error = writing.exception()
        self.problem = "" if error is None else f"The network could not be kept: {error}."
        kept = writing.result() if error is None else None
        if kept is not None and self._session.graph is wish.graph:
            self.taken = self._learned = None
            self._adopt(kept)
            self.taken = self._learned = wish.learned
        self.in_the_way = error is None and kept is None
        following, self._next = self._next, None
        if following is not None or (kept is not None and self._session.graph is not wish.graph):
            self._ask(forced=(following or wish).forced)
        self.changed.emit()

    def _adopt(self, kept: Kept) -> None:
        """Show the run's network on the canvas, as one step, with the recordings as its data."""
        session = self._session
        if session.project.task.id != TASK:
            session.set_task(id=TASK, options={})
        if session.project.data.source != SOURCE or kept.fresh:
            session.set_data(kept.data, later=True)
        if kept.fresh:
            training = kept.training
            session.set_training(
                learning_rate=training.learning_rate,
                batch_size=training.batch_size,
                learns=training.learns,
                epochs=training.epochs,
            )
        session.edit(STEP, kept.graph, merge=STEP)
        session.note_run(kept.run)
        self._graph = session.graph
        self._unread = self._unread or kept.written
        self._turned()

    # --- what is done with it -----------------------------------------------------------------

    @Slot()
    def _turned(self) -> None:
        """Read the recordings as the network's data, and show its weights, once that is seen: it
        would take time from what runs live."""
        session = self._session
        if self._unread and session.mode != "live" and session.is_open and not session.busy:
            self._unread = False
            session.reopen_data()
            if session.run_folder is not None:
                session.use_run(session.run_folder)

    @Slot()
    def open_on_canvas(self) -> None:
        self._session.set_mode("network")

    @Slot()
    def fine_tune(self) -> None:
        """Train all layers, from the weights that were taught."""
        session = self._session
        if session.busy or self.taken is None:
            return
        session.set_training(learns="all")
        self._then_tune = True
        session.set_mode("network")
        session.reveal.emit("training")
        self._data_changed()

    @Slot()
    def _data_changed(self) -> None:
        session = self._session
        if self._then_tune and not session.reading:
            self._then_tune = False
            if session.dataset is not None:
                session.run_on()

    @Slot()
    def _graph_changed(self) -> None:
        """Whether the canvas still has the network that was taught."""
        if self._learned is not None:
            same = same_network(self._session.graph, self._graph)
            taken = self._learned if same else None
            if taken is not self.taken:
                self.taken = taken
                self.changed.emit()


def is_bare(graph: Graph) -> bool:
    """Whether there is no network yet but an Input and an Output."""
    return {node.layer for node in graph.nodes.values()} <= {INPUT, OUTPUT}


def _write(wish: Wish) -> Kept | None:
    """None where another network is on the canvas. Raises ``ValueError`` of some kind."""
    from playground.teach import prepared_for, write_run

    head = wish.learned.head
    assert head is not None
    mine = _taught(wish.run)
    same = mine is not None and same_network(mine.project().graph, wish.graph)
    if not (same or is_bare(wish.graph) or wish.forced):
        return None
    prepared = prepared_for(wish.embedder)
    data = DataSettings(SOURCE, {"path": f"files:{FOLDER}", "prepared": prepared})
    if same and mine is not None and _knows(mine, head):
        project = mine.project()
        return Kept(wish.graph, project.training, mine.path, data, fresh=False, written=False)
    accuracy = wish.learned.accuracy
    result = {} if accuracy is None else {"validation": {"accuracy": accuracy}}
    graph, training, run = write_run(wish.files, wish.embedder, head, data, result, replace=mine)
    return Kept(graph, training, run.path, data, fresh=not same)


def _taught(run: Path | None) -> RunFolder | None:
    """The run, where it was taught by example."""
    if run is None:
        return None
    try:
        return RunFolder(run) if RunFolder(run).info().get("taught") else None
    except RunError:
        return None


def _knows(run: RunFolder, head: Head) -> bool:
    """Whether a run has learnt from the same examples."""
    from playground.teach import taught_by

    try:
        known = taught_by(run)
    except RunError:
        return False
    shown = head.examples
    if known is None or shown is None or tuple(run.fitted().classes) != head.classes:
        return False
    examples = tuple(known.examples.values())
    labels = [head.classes.index(example.name) for example in examples]
    vectors = shown.vectors
    return (
        np.array_equal(labels, shown.labels)
        and len(examples) == len(vectors)
        and all(map(np.array_equal, (example.vector for example in examples), vectors))
    )
