"""The one object that the panels share: what is open, its data, the sample, the run."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from models.graph import Graph
from playground.messages import (
    DataFailed,
    DataProgress,
    DataReady,
    Estimate,
    Failure,
    History,
    PortId,
    Progress,
    Snapshot,
    State,
    Status,
)
from playground.project import Project
from playground.runs import RunError, RunFolder
from ui import threads
from ui.bridge import Bridge
from ui.document import Document, Notice, same_network, untitled_folder

if TYPE_CHECKING:
    from playground.data.dataset import Dataset
    from playground.project import DataSettings
    from playground.worker import Worker

__all__ = ["Notice", "Session", "same_network", "untitled_folder"]

LOOK_DELAY_MS = 50
ESTIMATE_DELAY_MS = 700
AUTOSAVE_MS = 4000
PATIENCE_S = 3.0
"""For threads that read files when the window is closed."""
PREVIEW_HZ = 10.0
UNREAD = "The data were not read yet."
Mode = Literal["network", "data", "live"]


class Session(Document):
    """A document with data and a worker. Lives in the main thread; errors become ``notice``."""

    dataset_changed = Signal()
    sample_changed = Signal()
    state_changed = Signal()
    snapshot_wanted_changed = Signal()
    mode_changed = Signal()
    closing = Signal()
    """The program ends: give devices back and join threads."""

    def __init__(self, worker: Worker, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.worker = worker
        self.bridge = Bridge(worker.mailbox, self)
        self.dataset: Dataset | None = None
        self.data_message = ""
        self.reading = False
        self.sample = 0
        self.mode: Mode = "network"
        self._wanted: dict[str, frozenset[PortId]] = {}
        self.running_graph: Graph | None = None
        self.status = Status(State.IDLE)
        self._then: Callable[[], None] | None = None
        self._when_read: Callable[[], None] | None = None
        self._forget_run()
        self._look_timer = self._timer(LOOK_DELAY_MS, self._look)
        self._estimate_timer = self._timer(ESTIMATE_DELAY_MS, self._estimate)
        self._autosave_timer = self._timer(AUTOSAVE_MS, self.autosave, repeated=True)
        for signal in (self.graph_changed, self.settings_changed):
            signal.connect(self._look_soon)
        self._connect_bridge()

    def start(self) -> None:
        """Start the worker and the timers: after the window's first paint."""
        self.worker.start()
        self.bridge.start()
        self._autosave_timer.start()

    def close(self, timeout: float = 10.0) -> None:
        """Stop the run (it keeps its checkpoint) and join the worker; nothing runs after it."""
        self.closing.emit()
        for timer in (self._look_timer, self._estimate_timer, self._autosave_timer):
            timer.stop()
        self.bridge.stop()
        self.worker.close(timeout)
        threads.join(PATIENCE_S)
        super().close()

    def new(self, project: Project, path: Path | None = None, *, dirty: bool = False) -> None:
        self.worker.forget(self.bridge.forget())
        self._forget_run()
        self.dataset = None
        sample = project.view.get("sample", 0)
        self.sample = sample if isinstance(sample, int) and sample >= 0 else 0
        super().new(project, path, dirty=dirty)
        self.state_changed.emit()
        self._open_data()
        if self.run_folder is not None and self.run_folder.is_dir():
            self.worker.load_run(self.run_folder)

    # --- what the window is turned to ---------------------------------------------------------

    def set_mode(self, mode: Mode) -> None:
        """Turn the window to the network, to the data or to what runs live."""
        if mode != self.mode:
            self.mode = mode
            self.mode_changed.emit()

    # --- data and samples ---------------------------------------------------------------------

    def set_data(self, settings: DataSettings, *, later: bool = False) -> None:
        """Take other data settings and open the data; ``later``, not before ``reopen_data``.
        Augmentation changes no sample, so data that are open stay so."""
        before = self.project.data
        if settings == before:
            return
        self._when_read = None
        self._change(data=settings)
        if self.dataset is not None and replace(before, augmentation=()) == replace(
            settings, augmentation=()
        ):
            self.dataset = replace(self.dataset, augmentation=settings.augmentation)
            self.dataset_changed.emit()
        elif later:
            self.worker.cancel_data()
            self.dataset, self.reading = None, False
            self.data_message = UNREAD
            self.dataset_changed.emit()
        else:
            self._open_data()

    @Slot()
    def reopen_data(self) -> None:
        """Read the data again: files came, went or can be reached once more."""
        if self.is_open:
            self._open_data()

    @Slot()
    def cancel_data(self) -> None:
        """Give up reading data."""
        if self.reading:
            self.worker.cancel_data()
            self.reading, self._when_read = False, None
            self.tell("", key="run")
            self.data_message = "Reading the data was cancelled: try again, or choose other data."
            self.dataset_changed.emit()

    def set_sample(self, index: int) -> None:
        """Choose the sample that all views look at; past the last comes the first."""
        if self.dataset is None or len(self.dataset) == 0:
            return
        index %= len(self.dataset)
        if index != self.sample:
            self.sample = index
            self.keep("sample", index)
            self._look_timer.start()
            self.sample_changed.emit()

    def watch(self, panel: str, wanted: Iterable[PortId]) -> None:
        """Say which ports' values ``panel`` shows in full; none when it is hidden."""
        ports = frozenset(wanted)
        if self._wanted.get(panel, frozenset()) != ports:
            self._wanted[panel] = ports
            self._look_timer.start()
            self.snapshot_wanted_changed.emit()

    @property
    def wanted(self) -> frozenset[PortId]:
        """The ports that any panel shows in full."""
        return frozenset().union(*self._wanted.values())

    # --- the run ------------------------------------------------------------------------------

    @property
    def state(self) -> State:
        return self.status.state

    @property
    def busy(self) -> bool:
        return self.status.state.busy

    @property
    def can_run(self) -> bool:
        return self.is_open and not self.busy and self.dataset is not None and self.report.ok

    @property
    def run_differs(self) -> bool:
        """Whether the canvas is no longer the network that is being trained."""
        running = self.running_graph
        return running is not None and self.busy and not same_network(running, self.graph)

    def set_training(self, **values: Any) -> None:
        """Change training settings; the learning rate also reaches a run under way."""
        training = self.project.training.replace(**values)
        if training == self.project.training:
            return
        self._change(training=training)
        if "learning_rate" in values and self.busy:
            self.worker.set_learning_rate(training.learning_rate)

    @Slot()
    def run(self) -> None:
        """Start a run with fresh weights, or go on where it is paused."""
        if self.state is State.PAUSED:
            self.worker.resume()
        elif not self.busy and self._ready(self.run):
            self._train()

    @Slot()
    def run_on(self) -> None:
        """Train the graph on the canvas, from the weights of the last run that fit it."""
        if not self._ready(self.run_on):
            return
        if self.busy:
            self._then = self._continue
            self.worker.stop()
        else:
            self._continue()

    def resume_run(self, run: Path) -> None:
        """Go on with an unfinished run exactly where its last checkpoint is: with the network it
        began with, also where the canvas was edited since."""
        if self.busy or not self._ready(partial(self.resume_run, run)):
            return
        try:
            graph = RunFolder(run).project().graph
        except RunError as error:
            self.tell(f"The run cannot go on: {error}", "bad", key="run")
            return
        self._train(None if same_network(graph, self.graph) else graph, resume=run)

    def use_run(self, run: Path) -> None:
        """Show an earlier run's weights in all views; not while another is under way."""
        if not self.busy:
            self.note_run(run)
            self.worker.load_run(run)

    @Slot()
    def pause(self) -> None:
        if self.state is State.RUNNING:
            self.worker.pause()

    @Slot()
    def toggle(self) -> None:
        """Run, pause or go on: what the one button says."""
        if self.state is State.RUNNING:
            self.worker.pause()
        else:
            self.run()

    @Slot()
    def step(self) -> None:
        """One batch, then pause."""
        if self.state is State.RUNNING:
            self.worker.pause()
        elif self.state is State.PAUSED:
            self.worker.step()
        elif not self.busy and self._ready(self.step):
            self._train()
            self.worker.step()

    @Slot()
    def stop(self) -> None:
        """End the run and keep what it has learnt."""
        if self.busy:
            self.worker.stop()

    def _ready(self, again: Callable[[], None]) -> bool:
        """Whether a run could start; tells what is missing. Where that is only the reading of the
        data, ``again`` is called when they are read."""
        errors = [(id, p) for id, p in self.report.problems() if p.level == "error"]
        if errors:
            id, problem = errors[0]
            text = f"{self.graph.nodes[id].name}: {problem.message}"
            self.tell(text, "warn", ("Show", lambda: self.show(id)), "run")
        elif not self.report.ok:
            text = "There is no whole network yet: lead an Input through layers to an Output."
            self.tell(text, "warn", key="run")
        elif self.dataset is None and (self.reading or self.data_message == UNREAD):
            if not self.reading:
                self._open_data()
            self._when_read = again
            self.tell("The data are being read: it starts by itself then.", "info", key="run")
        elif self.dataset is None:
            text = self.data_message or "Choose the data to learn from first."
            self.tell(text, "warn", ("Data", lambda: self.reveal.emit("data")), "run")
        else:
            return True
        return False

    def _train(
        self,
        graph: Graph | None = None,
        resume: Path | None = None,
        weights_from: Path | None = None,
    ) -> None:
        """Train ``graph``: that on the canvas, if none is given."""
        assert self.dataset is not None
        self.tell("", key="run")
        self._forget_run()
        project = self.project if graph is None else replace(self.project, graph=graph)
        self.running_graph = project.graph
        self.status = replace(self.status, state=State.PREPARING)
        self.worker.train(
            project, self.dataset, self.files, resume=resume, weights_from=weights_from
        )
        self.state_changed.emit()

    def _continue(self) -> None:
        self._train(weights_from=self.run_folder)

    def _forget_run(self) -> None:
        self._then = self._when_read = None
        self.running_graph = None
        self.status = Status(State.IDLE)
        self.progress: Progress | None = None
        self.history: History | None = None
        self.snapshot: Snapshot | None = None
        self.estimate: Estimate | None = None

    # --- work for the worker ------------------------------------------------------------------

    def _timer(self, delay: int, slot: Callable[[], object], *, repeated: bool = False) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(not repeated)
        timer.setInterval(delay)
        timer.timeout.connect(slot)
        return timer

    def _open_data(self) -> None:
        self.dataset, self.reading = None, True
        self.data_message = "Reading the data …"
        self.worker.open_data(self.project.data, self.place)
        self.dataset_changed.emit()

    @Slot()
    def _look_soon(self) -> None:
        self._look_timer.start()
        self._estimate_timer.start()

    @Slot()
    def _look(self) -> None:
        if self.is_open and self.dataset is not None and len(self.dataset):
            self.worker.look(self.project, self.dataset, self.sample, self.wanted, PREVIEW_HZ)

    @Slot()
    def _estimate(self) -> None:
        """Ask how long an epoch takes; not where the data panel offers to adapt the network."""
        from playground.starter import propose

        if not self.can_run or self.dataset is None or self.dataset.task != self.project.task.id:
            return
        if not propose(self.graph, self.dataset, self.report):
            self.worker.estimate(self.project, self.dataset)

    # --- what the worker says -----------------------------------------------------------------

    def _connect_bridge(self) -> None:
        bridge = self.bridge
        bridge.status.connect(self._on_status)
        bridge.progress.connect(self._on_progress)
        bridge.history.connect(self._on_history)
        bridge.snapshot.connect(self._on_snapshot)
        bridge.data.connect(self._on_data)
        bridge.data_progress.connect(self._on_data_progress)
        bridge.estimate.connect(self._on_estimate)
        bridge.failure.connect(self._on_failure)
        bridge.loaded.connect(self._look_soon)

    @Slot(object)
    def _on_status(self, status: Status) -> None:
        if status.state is State.IDLE and self.state is State.PREPARING:
            return  # it was said before the worker was told to train
        before, self.status = self.status, status
        if status.run is not None and self.is_open:
            self.note_run(status.run)
        if status.state is State.FAILED and before.state is not State.FAILED:
            self._tell_of_node(status.message, status.node, "run")
        self.state_changed.emit()
        if not status.state.busy:
            self._bring_run_here()
            self._look_soon()
            then, self._then = self._then, None
            if then is not None:
                then()

    def _bring_run_here(self) -> None:
        try:
            self._bring_run()
        except (OSError, ValueError) as error:
            self.tell(f"The run could not be copied beside the project: {error}", "bad", key="save")

    def _tell_of_node(self, text: str, node: str | None, key: str) -> None:
        action = None
        if node is not None and node in self.graph.nodes:
            action = ("Show", lambda: self.show(node))
        self.tell(text, "bad", action, key)

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
        if not self.is_open or message.settings not in (None, self.project.data):
            return
        self.reading = False
        then, self._when_read = self._when_read, None
        if isinstance(message, DataFailed):
            if then is not None:
                self.tell("", key="run")
            self.dataset, self.data_message = None, message.message
            self.tell(message.message, "bad", ("Data", lambda: self.reveal.emit("data")), "data")
        else:
            self.dataset, self.data_message = message.dataset, ""
            self.tell("", key="data")
            self.sample = min(self.sample, max(0, len(self.dataset) - 1))
            self._look_soon()
        self.dataset_changed.emit()
        self.state_changed.emit()
        if then is not None and self.dataset is not None:
            then()

    @Slot(object)
    def _on_data_progress(self, progress: DataProgress) -> None:
        if self.reading:
            self.data_message = progress.text
            self.dataset_changed.emit()

    @Slot(object)
    def _on_estimate(self, estimate: Estimate) -> None:
        self.estimate = estimate
        if not estimate.fits:
            training = ("Training", lambda: self.reveal.emit("training"))
            self.tell(estimate.text, "warn", training, "memory")
        else:
            self.tell("", key="memory")
        self.state_changed.emit()

    @Slot(object)
    def _on_failure(self, failure: Failure) -> None:
        if failure.what.startswith("evaluat"):
            return  # the panel that asked says so in its place
        self._tell_of_node(failure.message, failure.node, f"failure {failure.what}")
