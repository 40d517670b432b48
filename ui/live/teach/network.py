"""What was taught as the project's own network: its run, its place on the canvas, its data."""

from __future__ import annotations

import shutil
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QObject, Qt, Signal, Slot

from models.graph import INPUT, OUTPUT, Graph
from playground.data.settings import DataSettings
from playground.runs import RUNS, RunError, RunFolder
from playground.tasks import TaskSettings
from playground.teaching import Learned
from ui.document import Along, same_network
from ui.session import Session

if TYPE_CHECKING:
    from playground.embedding import Embedder
    from playground.teach import Head
    from playground.training.settings import TrainingSettings

SOURCE, FOLDER = "camera", "pictures"
TASK = "classification"
PATIENCE_S = 10.0
STEP = "Teach by example"
SETTINGS = ("learning_rate", "batch_size", "learns", "epochs")


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
    """A run of what was learnt, ``written`` now or there already. ``same``: of the network that was
    on the canvas; ``fresh``: that was none that was taught."""

    graph: Graph
    training: TrainingSettings
    run: Path
    data: DataSettings
    fresh: bool
    same: bool
    written: bool = True


@dataclass(frozen=True, slots=True)
class Place:
    """What the project was before or after a step: with its graph, which the undo stack keeps,
    these change."""

    graph: Graph
    run: str | None
    task: TaskSettings
    data: DataSettings
    training: TrainingSettings


class TaughtNetwork(QObject):
    """Writes what was learnt as a run of the project, away from the main thread, and makes it the
    project's network: where there is none yet, or one that was taught before. One step to undo: the
    canvas, its run, data and settings of training go and come together.

    Another network is never replaced without ``put``, and one that was undone is not put back:
    ``in_the_way`` tells of both.
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
        self._learned: dict[str, Learned] = {}
        """What the runs have learnt that were put on the canvas, also where that is undone."""
        self._at: Place | None = None
        """Where the steps of teaching were undone or done to."""
        self._undone = False
        self._newest: tuple[Embedder, Learned] | None = None
        self._next: Wish | None = None
        self._wish: Wish | None = None
        self._writing: Future[Kept | None] | None = None
        self._writer = ThreadPoolExecutor(1, "taught network")
        self._unread = self._waits = False
        self._done.connect(self._take, Qt.ConnectionType.QueuedConnection)
        session.saving.connect(self.finish)
        session.mode_changed.connect(self._turned)
        session.graph_changed.connect(self._see)
        session.state_changed.connect(self._ran)

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
        self.taken = self._at = None
        self._learned = {}
        self.in_the_way = self._unread = self._undone = self._waits = False
        self.problem = ""

    def close(self) -> None:
        """Wait for what is being written; take nothing more."""
        self.forget()
        self._writer.shutdown(wait=True, cancel_futures=True)

    def _ask(self, *, forced: bool) -> None:
        session = self._session
        if self._newest is None or self._newest[1].head is None:
            return
        if session.busy:
            self._waits = True
            return
        if self._undone and not forced:
            self.in_the_way = True
            self.changed.emit()
            return
        embedder, learned = self._newest
        wish = Wish(embedder, learned, session.files, session.graph, session.run_folder, forced)
        if self._writing is not None:
            self._next = wish
            return
        self._wish = wish
        self._writing = self._writer.submit(_write, wish)
        self._writing.add_done_callback(self._tell)

    @Slot()
    def _ran(self) -> None:
        """A run has ended: what was learnt meanwhile is kept now, where nothing is in the way."""
        if self._waits and not self._session.busy:
            self._waits = False
            self._ask(forced=False)

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
        changed = self._session.graph is not wish.graph
        if kept is not None and (kept.same or not changed):
            self._learned[_name(kept.run)] = wish.learned
        if kept is not None and changed and not kept.same:
            self._drop(kept.run)
        elif kept is not None and not changed:
            self._adopt(kept)
        self.in_the_way = error is None and kept is None
        following, self._next = self._next, None
        if following is not None or (kept is not None and changed):
            self._ask(forced=(following or wish).forced)
        self._see()
        self.changed.emit()

    def _adopt(self, kept: Kept) -> None:
        """Show the run's network on the canvas, as one step, with the recordings as its data."""
        session = self._session
        before, steps = self._place(session.graph), session.undo.index()
        self._unread = self._unread or kept.written
        self._undone = False
        if kept.same:
            self._at = before
            self._turned()
            return
        after = replace(before, graph=kept.graph, run=_name(kept.run))
        if kept.fresh:
            task = before.task if before.task.id == TASK else TaskSettings(TASK)
            training = before.training.replace(**_how(kept.training))
            after = replace(after, task=task, data=kept.data, training=training)
        self._at = before
        along = Along(partial(self._turn, after, False), partial(self._turn, before, True))
        # an equal network with other weights is a step of its own: back to those before
        merge = None if kept.graph == before.graph else STEP
        session.edit(STEP, kept.graph, merge=merge, along=along)
        if session.undo.index() == steps and before.run in self._learned:
            self._drop(session.files / str(before.run))  # no step leads back to it

    def _place(self, graph: Graph) -> Place:
        project = self._session.project
        return Place(graph, project.run, project.task, project.data, project.training)

    def _turn(self, to: Place, undone: bool) -> None:
        """A step was done or undone, and the canvas has its graph: what goes along with it, where
        nobody has changed that since."""
        session, project, at = self._session, self._session.project, self._at
        self._at, self._undone = to, undone
        self.in_the_way = undone and self._newest is not None
        if at is not None and not session.busy:
            if project.task == at.task:
                session.set_task(id=to.task.id, options=to.task.options)
            if project.data == at.data and to.data != at.data:
                session.set_data(to.data, later=True)
                self._unread = True
            if project.training == at.training:
                session.set_training(**_how(to.training))
            if project.run == at.run and to.run != at.run:
                run = session.files / to.run if to.run is not None else None
                session.note_run(run if run is not None and run.is_dir() else None)
                self._unread = True
        self._see()
        if not undone and self._newest is not None and self.taken is not self._newest[1]:
            self._ask(forced=False)
        self._turned()
        self.changed.emit()

    def _drop(self, run: Path) -> None:
        """A run that nothing needs any more."""
        self._learned.pop(_name(run), None)
        self._writer.submit(shutil.rmtree, run, ignore_errors=True)

    # --- what is done with it -----------------------------------------------------------------

    @property
    def trained(self) -> bool:
        """Whether the project's network went on learning since it was taught."""
        return self._at is not None and self._session.project.run != self._at.run

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
        session.set_mode("network")
        session.reveal.emit("training")
        session.run_on()

    @Slot()
    def _see(self) -> None:
        """Whether the canvas has the network that was taught."""
        at = None if self.in_the_way else self._at
        same = at is not None and same_network(self._session.graph, at.graph)
        taken = self._learned.get(at.run or "") if same and at is not None else None
        if taken is not self.taken:
            self.taken = taken
            self.changed.emit()


def _how(training: TrainingSettings) -> dict[str, Any]:
    """What training a taught network changes."""
    return {name: getattr(training, name) for name in SETTINGS}


def _name(run: Path) -> str:
    """How a project notes its run."""
    return f"{RUNS}/{run.name}"


def is_bare(graph: Graph) -> bool:
    """Whether there is no network yet but an Input and an Output."""
    return {node.layer for node in graph.nodes.values()} <= {INPUT, OUTPUT}


def _write(wish: Wish) -> Kept | None:
    """None where another network is on the canvas. Raises ``ValueError`` of some kind."""
    from playground.teach import graph_for, prepared_for, write_run

    head = wish.learned.head
    assert head is not None
    mine = _taught(wish.run)
    there = mine is not None and same_network(mine.project().graph, wish.graph)
    if not (there or is_bare(wish.graph) or wish.forced):
        return None
    prepared = prepared_for(wish.embedder)
    data = DataSettings(SOURCE, {"path": f"files:{FOLDER}", "prepared": prepared})
    if there and mine is not None and _knows(mine, head):
        training = mine.project().training
        return Kept(wish.graph, training, mine.path, data, fresh=False, same=True, written=False)
    # weights for the network on the canvas take the place of those before; another network gets a
    # run of its own, so that undoing leads back to a network with its weights
    same = there and same_network(graph_for(wish.embedder, head.classes)[0], wish.graph)
    accuracy = wish.learned.accuracy
    result = {} if accuracy is None else {"validation": {"accuracy": accuracy}}
    graph, training, run = write_run(
        wish.files, wish.embedder, head, data, result, replace=mine if same else None
    )
    graph = wish.graph if same else graph
    return Kept(graph, training, run.path, data, fresh=not there, same=same)


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
