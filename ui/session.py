"""The one object that the panels share: the project, its graph and report, the data, the run."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from platformdirs import user_data_path
from PySide6.QtCore import QObject, QTimer, Signal, Slot
from PySide6.QtGui import QUndoCommand, QUndoStack

from models.edits import Edit
from models.graph import Graph
from models.shapes import Report, ShapeInference
from playground import project as projects
from playground.messages import (
    DataFailed,
    DataProgress,
    DataReady,
    Estimate,
    Failure,
    History,
    Loaded,
    PortId,
    Progress,
    Snapshot,
    State,
    Status,
)
from playground.project import Project, ProjectError
from ui.bridge import Bridge
from ui.settings import remember_project

if TYPE_CHECKING:
    from playground.data.dataset import Dataset
    from playground.project import DataSettings
    from playground.worker import Worker

LOOK_DELAY_MS = 50
ESTIMATE_DELAY_MS = 700
AUTOSAVE_MS = 4000
PREVIEW_HZ = 10.0
UNDO_STEP = 1


@dataclass(frozen=True)
class Notice:
    """A sentence for the person, with a way out: ``action`` is a button's text and what it does.

    Notices with the same ``key`` replace each other; an empty ``text`` takes the notice away.
    """

    text: str
    level: str = "info"
    action: tuple[str, Callable[[], object]] | None = None
    key: str = ""


class _Step(QUndoCommand):
    """One edit of the graph on Qt's undo stack."""

    def __init__(self, session: Session, edit: Edit) -> None:
        super().__init__(edit.label)
        self._session, self.edit = session, edit

    def redo(self) -> None:
        self._session._take(self.edit.after)

    def undo(self) -> None:
        self._session._take(self.edit.before)

    def id(self) -> int:
        return UNDO_STEP if self.edit.merge is not None else -1

    def mergeWith(self, other: QUndoCommand) -> bool:
        if not isinstance(other, _Step) or other.edit.merge != self.edit.merge:
            return False
        self.edit = replace(self.edit, after=other.edit.after)
        self.setObsolete(self.edit.before == self.edit.after)
        return True


class Session(QObject):
    """What is open, and what can be done with it. Lives in the main thread.

    Every change goes through a method here and is announced by the signal named after it;
    ``project_changed`` comes first when another project is opened. Errors become ``notice``.
    """

    project_changed = Signal()
    graph_changed = Signal()
    selection_changed = Signal()
    settings_changed = Signal()
    dataset_changed = Signal()
    sample_changed = Signal()
    file_changed = Signal()
    state_changed = Signal()
    snapshot_wanted_changed = Signal()
    saving = Signal()
    notice = Signal(object)
    reveal = Signal(str)

    def __init__(self, worker: Worker, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.worker = worker
        self.bridge = Bridge(worker.mailbox, self)
        self.undo = QUndoStack(self)
        self._project: Project | None = None
        self.graph = Graph()
        self._inference = ShapeInference()
        self.report: Report = self._inference.infer(self.graph)
        self.dataset: Dataset | None = None
        self.data_message = ""
        self.sample = 0
        self.selection: tuple[str, ...] = ()
        self.path: Path | None = None
        self.status = Status(State.IDLE)
        self.progress: Progress | None = None
        self.history: History | None = None
        self.snapshot: Snapshot | None = None
        self.estimate: Estimate | None = None
        self.running_graph: Graph | None = None
        self._settings_dirty = False
        self._untitled = ""
        self._wanted: dict[str, frozenset[PortId]] = {}
        self._saver = ThreadPoolExecutor(1, "autosave")
        self._autosaved: Project | None = None
        self._look_timer = self._timer(LOOK_DELAY_MS, self._look)
        self._estimate_timer = self._timer(ESTIMATE_DELAY_MS, self._estimate)
        self._autosave_timer = QTimer(self)
        self._autosave_timer.setInterval(AUTOSAVE_MS)
        self._autosave_timer.timeout.connect(self.autosave)
        self.undo.cleanChanged.connect(self._clean_changed)
        self._connect()

    # --- life ---------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the worker and the timers: after the window's first paint."""
        self.worker.start()
        self.bridge.start()
        self._autosave_timer.start()

    def close(self, timeout: float = 10.0) -> None:
        """Stop the run (it keeps its checkpoint), join the worker; nothing is running after it."""
        for timer in (self._look_timer, self._estimate_timer, self._autosave_timer):
            timer.stop()
        self.bridge.stop()
        self.worker.close(timeout)
        self._saver.shutdown(wait=True)

    def tell(
        self,
        text: str,
        level: str = "info",
        action: tuple[str, Callable[[], object]] | None = None,
        key: str = "",
    ) -> None:
        """Show a sentence in the window. ``level`` is info, good, warn or bad."""
        self.notice.emit(Notice(text, level, action, key))

    # --- the project --------------------------------------------------------------------------

    @property
    def project(self) -> Project:
        """The project as it is now; raises ``RuntimeError`` where none is open."""
        if self._project is None:
            raise RuntimeError("no project is open")
        return self._project

    @property
    def is_open(self) -> bool:
        return self._project is not None

    @property
    def dirty(self) -> bool:
        """Whether something would be lost on closing without saving."""
        return self.is_open and (self._settings_dirty or not self.undo.isClean())

    @property
    def files(self) -> Path:
        """The folder of the runs and recordings: beside the file, or the application's own."""
        if self.path is not None:
            return projects.files_folder(self.path)
        return untitled_folder() / f"{self._untitled}.files"

    @property
    def run_folder(self) -> Path | None:
        """The folder of the last run, if there is one."""
        if self._project is None or not self._project.run:
            return None
        return self.files / self._project.run

    def new(self, project: Project, path: Path | None = None, *, dirty: bool = False) -> None:
        """Show ``project``; without a ``path`` it is untitled."""
        self._stop_for_another()
        self.path = path.resolve() if path is not None else None
        self._untitled = str(project.extra.get("untitled") or uuid4().hex)
        self._project = project
        self._settings_dirty = dirty
        self._autosaved = project
        self.dataset, self.estimate, self.snapshot = None, None, None
        self.progress, self.history = None, None
        self.running_graph = None
        self.status = Status(State.IDLE)
        self.selection = ()
        self.sample = int(project.view.get("sample", 0))
        self.undo.clear()
        self.graph = project.graph
        self.report = self._inference.infer(self.graph)
        for signal in (
            self.project_changed,
            self.graph_changed,
            self.selection_changed,
            self.settings_changed,
            self.file_changed,
            self.state_changed,
        ):
            signal.emit()
        self._open_data()
        if self.run_folder is not None and self.run_folder.is_dir():
            self.worker.load_run(self.run_folder)

    def open(self, path: Path) -> bool:
        """Open a project file; tells why where it cannot be."""
        try:
            project = projects.load(path)
        except ProjectError as error:
            self.tell(str(error), "bad", key="open")
            return False
        self.new(project, path)
        remember_project(path)
        return True

    def open_example(self, id: str) -> bool:
        """Open a bundled example as an untitled project."""
        try:
            project = projects.open_example(id)
        except ProjectError as error:
            self.tell(str(error), "bad", key="open")
            return False
        self.new(project)
        return True

    def save(self, path: Path | None = None) -> bool:
        """Save to ``path`` or to the file at hand; tells why where it cannot be."""
        target = path or self.path
        if target is None:
            return False
        self.saving.emit()
        files_before, self.path = self.files, target.resolve()
        try:
            if files_before != self.files and not self.status.state.busy:
                self._bring_run(files_before)
            self._project = replace(self.project, name=self.project.name or self.path.stem)
            projects.save(self.project, self.path)
        except (ProjectError, OSError) as error:
            self.tell(f"The project was not saved: {error}", "bad", key="save")
            return False
        self._settings_dirty = False
        self.undo.setClean()
        remember_project(self.path)
        self.file_changed.emit()
        return True

    @Slot()
    def autosave(self) -> None:
        """Keep a copy for recovery, in the background, where something changed since the last."""
        project = self._project
        if project is None or not self.dirty or project is self._autosaved:
            return
        self._autosaved = project
        self._saver.submit(projects.autosave, project, self.path)

    def keep(self, key: str, value: Any) -> None:
        """Note a piece of the window's state (a sample, a tab) to be saved with the project."""
        view = {**self.project.view, key: value}
        self._project = replace(self.project, view=view)

    # --- edits --------------------------------------------------------------------------------

    def edit(self, label: str, graph: Graph, merge: str | None = None) -> None:
        """Take an edited graph as one undoable step; equal ``merge`` keys make one step."""
        if graph is not self.graph and graph != self.graph:
            self.undo.push(_Step(self, Edit(label, self.graph, graph, merge)))

    def select(self, ids: Iterable[str]) -> None:
        chosen = tuple(id for id in ids if id in self.graph.nodes)
        if chosen != self.selection:
            self.selection = chosen
            self.selection_changed.emit()

    def set_training(self, **values: Any) -> None:
        """Change training settings; the learning rate also reaches a run under way."""
        training = self.project.training.replace(**values)
        if training == self.project.training:
            return
        self._change(training=training)
        if "learning_rate" in values and self.status.state.busy:
            self.worker.set_learning_rate(training.learning_rate)

    def set_task(self, **changes: Any) -> None:
        """Change the task's ``id`` or ``options``."""
        self._change(task=replace(self.project.task, **changes))

    def set_data(self, settings: DataSettings) -> None:
        """Take other data settings and open the data."""
        if settings != self.project.data:
            self._change(data=settings)
            self._open_data()

    def set_name(self, name: str) -> None:
        self._change(name=name)
        self.file_changed.emit()

    def set_sample(self, index: int) -> None:
        """Choose the sample that all views look at; out of range counts round."""
        if self.dataset is None or len(self.dataset) == 0:
            return
        index %= len(self.dataset)
        if index != self.sample:
            self.sample = index
            self.keep("sample", index)
            self._look_timer.start()
            self.sample_changed.emit()

    def watch(self, panel: str, wanted: Iterable[PortId]) -> None:
        """Say which ports' values ``panel`` shows in full; an empty set when it is hidden."""
        ports = frozenset(wanted)
        if self._wanted.get(panel, frozenset()) != ports:
            self._wanted[panel] = ports
            self._look_timer.start()
            self.snapshot_wanted_changed.emit()

    @property
    def wanted(self) -> frozenset[PortId]:
        return frozenset().union(*self._wanted.values())

    # --- the run ------------------------------------------------------------------------------

    @property
    def state(self) -> State:
        return self.status.state

    @property
    def can_run(self) -> bool:
        return self.is_open and not self.state.busy and self.dataset is not None and self.report.ok

    @property
    def run_differs(self) -> bool:
        """Whether the canvas is no longer the network that is being trained."""
        running = self.running_graph
        return running is not None and self.state.busy and not same_network(running, self.graph)

    @Slot()
    def run(self) -> None:
        """Start a run with fresh weights, or go on where it is paused."""
        if self.state is State.PAUSED:
            self.worker.resume()
        elif not self.state.busy and self._ready():
            self._train()

    def run_on(self) -> None:
        """Train the graph as it is on the canvas now, from the weights of the last run that fit."""
        if not self._ready():
            return
        if self.state.busy:
            self._then = self._continue
            self.worker.stop()
        else:
            self._continue()

    def resume_run(self, run: Path) -> None:
        """Go on with an unfinished run exactly where its last checkpoint is."""
        if not self.state.busy and self._ready():
            self._train(resume=run)

    @Slot()
    def pause(self) -> None:
        if self.state is State.RUNNING:
            self.worker.pause()

    @Slot()
    def toggle(self) -> None:
        """Run, pause or go on: what the one button says."""
        (self.pause if self.state is State.RUNNING else self.run)()

    @Slot()
    def step(self) -> None:
        """One batch, then pause."""
        if self.state is State.RUNNING:
            self.worker.pause()
        elif self.state is State.PAUSED:
            self.worker.step()
        elif not self.state.busy and self._ready():
            self._train()
            self.worker.step()

    @Slot()
    def stop(self) -> None:
        """End the run and keep what it has learnt."""
        if self.state.busy:
            self.worker.stop()

    # --- inside -------------------------------------------------------------------------------

    _then: Callable[[], None] | None = None

    def _timer(self, delay: int, slot: Callable[[], None]) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(delay)
        timer.timeout.connect(slot)
        return timer

    def _connect(self) -> None:
        bridge = self.bridge
        bridge.status.connect(self._on_status)
        bridge.progress.connect(self._on_progress)
        bridge.history.connect(self._on_history)
        bridge.snapshot.connect(self._on_snapshot)
        bridge.data.connect(self._on_data)
        bridge.data_progress.connect(self._on_data_progress)
        bridge.estimate.connect(self._on_estimate)
        bridge.failure.connect(self._on_failure)
        bridge.loaded.connect(self._on_loaded)

    def _take(self, graph: Graph) -> None:
        self.graph = graph
        self._project = replace(self.project, graph=graph)
        self.report = self._inference.infer(graph)
        self.graph_changed.emit()
        self.select(self.selection)
        self._look_timer.start()
        self._estimate_timer.start()

    def _change(self, **changes: Any) -> None:
        project = replace(self.project, **changes)
        if project == self.project:
            return
        was_dirty, self._project, self._settings_dirty = self.dirty, project, True
        self.settings_changed.emit()
        if not was_dirty:
            self.file_changed.emit()
        self._look_timer.start()
        self._estimate_timer.start()

    def _ready(self) -> bool:
        """Whether a run could start; tells what is missing."""
        problems = [(id, p) for id, p in self.report.problems() if p.level == "error"]
        if problems:
            id, problem = problems[0]
            name = self.graph.nodes[id].name
            self.tell(f"{name}: {problem.message}", "warn", ("Show", lambda: self.show(id)), "run")
            return False
        if not self.report.ok:
            text = "There is no whole network yet: connect an Input to an Output."
            self.tell(text, "warn", key="run")
            return False
        if self.dataset is None:
            text = self.data_message or "Choose the data to learn from first."
            self.tell(text, "warn", ("Data", lambda: self.reveal.emit("data")), "run")
            return False
        return True

    def show(self, id: str) -> None:
        """Select a node and bring it into view."""
        self.select([id])
        self.reveal.emit(f"node:{id}")

    def _train(self, resume: Path | None = None, weights_from: Path | None = None) -> None:
        assert self.dataset is not None
        self.tell("", key="run")
        self.running_graph = self.graph
        self.progress, self.history = None, None
        self.status = Status(State.PREPARING, "Preparing")
        self.worker.train(
            self.project, self.dataset, self.files, resume=resume, weights_from=weights_from
        )
        self.state_changed.emit()

    def _continue(self) -> None:
        self._train(weights_from=self.run_folder)

    def _stop_for_another(self) -> None:
        self._then = None
        if self.state.busy:
            self.worker.stop()

    def _open_data(self) -> None:
        base = self.path.parent if self.path is not None else Path.cwd()
        self.dataset = None
        self.data_message = "Reading the data …"
        self.worker.open_data(self.project.data, base)
        self.dataset_changed.emit()

    def _bring_run(self, files_before: Path) -> None:
        """Copy the last run beside the project's new file, so that its weights stay with it."""
        run = self.project.run
        if run and (files_before / run).is_dir() and not (self.files / run).exists():
            shutil.copytree(files_before / run, self.files / run)

    @Slot()
    def _look(self) -> None:
        if self._project is not None and self.dataset is not None and len(self.dataset):
            self.worker.look(self.project, self.dataset, self.sample, self.wanted, PREVIEW_HZ)

    @Slot()
    def _estimate(self) -> None:
        if self.can_run:
            self.worker.estimate(self.project, self.dataset)

    @Slot(bool)
    def _clean_changed(self, _clean: bool) -> None:
        self.file_changed.emit()

    @Slot(object)
    def _on_status(self, status: Status) -> None:
        before, self.status = self.status, status
        if status.run is not None and self._project is not None:
            self._note_run(status.run)
        if status.state is State.FAILED and before.state is not State.FAILED:
            node = status.node
            action = ("Show", lambda: self.show(node)) if node in self.graph.nodes else None
            self.tell(status.message, "bad", action, "run")
        self.state_changed.emit()
        if not status.state.busy:
            self._look_timer.start()
            then, self._then = self._then, None
            if then is not None:
                then()

    def _note_run(self, run: Path) -> None:
        try:
            relative = run.resolve().relative_to(self.files.resolve()).as_posix()
        except ValueError:
            return
        if relative != self.project.run:
            self._change(run=relative)

    @Slot(object)
    def _on_progress(self, progress: Progress) -> None:
        self.progress = progress

    @Slot(object)
    def _on_history(self, history: History) -> None:
        self.history = history

    @Slot(object)
    def _on_snapshot(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot

    @Slot(object)
    def _on_data(self, message: DataReady | DataFailed) -> None:
        if self._project is None or message.settings not in (None, self.project.data):
            return
        if isinstance(message, DataFailed):
            self.dataset, self.data_message = None, message.message
            self.tell(message.message, "bad", ("Data", lambda: self.reveal.emit("data")), "data")
        else:
            self.dataset, self.data_message = message.dataset, ""
            self.tell("", key="data")
            self.sample = min(self.sample, max(0, len(self.dataset) - 1))
            self._look_timer.start()
            self._estimate_timer.start()
        self.dataset_changed.emit()
        self.state_changed.emit()

    @Slot(object)
    def _on_data_progress(self, progress: DataProgress) -> None:
        if self.dataset is None:
            self.data_message = progress.text
            self.dataset_changed.emit()

    @Slot(object)
    def _on_estimate(self, estimate: Estimate) -> None:
        self.estimate = estimate
        self.state_changed.emit()

    @Slot(object)
    def _on_loaded(self, loaded: Loaded) -> None:
        self._look_timer.start()

    @Slot(object)
    def _on_failure(self, failure: Failure) -> None:
        node = failure.node
        action = ("Show", lambda: self.show(node)) if node in self.graph.nodes else None
        self.tell(failure.message, "bad", action, f"failure {failure.what}")


def untitled_folder() -> Path:
    """Where the runs of projects without a file are kept."""
    return user_data_path("playground", appauthor=False) / "untitled"


def same_network(first: Graph, second: Graph) -> bool:
    """Whether two documents are the same network: everything but the places on the canvas."""
    if first.edges != second.edges or first.definitions != second.definitions:
        return False
    return _placeless(first) == _placeless(second)


def _placeless(graph: Graph) -> Mapping[str, Any]:
    return {id: replace(node, position=(0.0, 0.0)) for id, node in graph.nodes.items()}
