"""From samples to a trained network: the data of the project, the network that suits, the run."""

from __future__ import annotations

from math import ceil
from pathlib import Path

import numpy as np
from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from models.graph import INPUT, OUTPUT
from playground.data.settings import DataSettings
from playground.messages import DataFailed, State
from playground.starter import propose
from ui.builder import commands
from ui.data.record.library import Library
from ui.session import Session
from ui.widgets import Button, ProgressLine, label

ENOUGH = 2
"""Samples a class, so that training and validation each get one."""
STEPS, MOST_EPOCHS = 150, 50
"""A new network takes so many steps of training at least, within so many epochs: with a few dozen
samples, an epoch is one or two steps."""
Marks = dict[str, tuple[int, list[Path]]]

STAYS = "Everything stays on this machine."


class UseBar(QWidget):
    """Says what is missing, and then trains on the samples: one click from recording to learning.

    The network on the canvas is kept where it fits. An empty one is replaced by a starter; where
    another does not fit, adapting it and a starter are offered.
    """

    def __init__(self, session: Session, library: Library, source: str, folder: str) -> None:
        super().__init__()
        self._session, self._library = session, library
        self._source, self._path = source, f"files:{folder}"
        self._train_next = self._wanted = False
        self._seen: Marks | None = None
        self._build()
        library.changed.connect(self.refresh)
        session.dataset_changed.connect(self._data_changed)
        session.state_changed.connect(self.refresh)
        session.graph_changed.connect(self.refresh)
        session.settings_changed.connect(self.refresh)
        session.project_changed.connect(self._forget)
        session.bridge.progress.connect(self.refresh)
        session.bridge.data.connect(self._on_data)
        self.refresh()

    def _build(self) -> None:
        self.train = Button("Train on these samples", "", "primary")
        self.use = Button("Use these samples")
        self.use.setToolTip("Make them the project's data, without training yet")
        self.stop = Button("Stop and keep what is learnt", "stop")
        self.adapt = Button("Adapt the network", "wand")
        self.starter = Button("Build a starter network", "network")
        self.see = Button("See it learn", "", "link")
        self.text = label("", "small", wrap=True)
        self.progress = ProgressLine(3)
        self.train.setMinimumHeight(34)
        last = QHBoxLayout()
        last.addWidget(self.text, 1)
        last.addWidget(self.see)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        for widget in (self.train, self.stop, self.adapt, self.starter, self.use, self.progress):
            column.addWidget(widget)
        column.addLayout(last)
        column.addWidget(label(STAYS, "section"))
        self.train.clicked.connect(self.train_now)
        self.use.clicked.connect(self.use_now)
        self.stop.clicked.connect(self._session.stop)
        self.adapt.clicked.connect(self._adapt)
        self.starter.clicked.connect(self._build_starter)
        self.see.clicked.connect(self._see)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()

    # --- what there is ------------------------------------------------------------------------

    @property
    def in_use(self) -> bool:
        """Whether the project's data are these recordings."""
        if not self._session.is_open:
            return False
        data = self._session.project.data
        return data.source == self._source and data.options.get("path") == self._path

    def missing(self) -> str:
        """What has to be recorded yet, in a sentence; "" where there is enough."""
        counts = {name: len(self._library.files(name)) for name in self._library.names}
        filled = [name for name, count in counts.items() if count]
        few = [name for name in filled if counts[name] < ENOUGH]
        if not self._library.ready:
            return "Reading the recordings …"
        if len(filled) < 2:
            return "Record two classes at least, a few seconds each."
        if few:
            return f"Record a few more of {few[0]}."
        return ""

    def is_bare(self) -> bool:
        """Whether there is no network yet but an Input and an Output."""
        layers = {node.layer for node in self._session.graph.nodes.values()}
        return layers <= {INPUT, OUTPUT}

    def fits(self) -> bool:
        session, dataset = self._session, self._session.dataset
        if dataset is None or dataset.task != session.project.task.id:
            return False
        return session.report.ok and not propose(session.graph, dataset, session.report)

    # --- what is done -------------------------------------------------------------------------

    @Slot()
    def use_now(self) -> None:
        """Make the recordings the data of the project."""
        self._train_next, self._wanted = False, True
        self._take()

    @Slot()
    def train_now(self) -> None:
        """Make them the data, put a starter where there is no network, and train."""
        self._train_next = self._wanted = True
        if self.in_use and self._session.dataset is not None and not self.stale:
            self._go_on()
        else:
            self._take()

    @property
    def stale(self) -> bool:
        """Whether samples were recorded, moved or deleted after the data were read."""
        dataset, marks = self._session.dataset, self._marks()
        whole = dataset is not None and self._library.total == len(dataset)
        if whole and (self._seen is None or _grown(self._seen, marks)):
            self._seen = marks
        return self._seen != marks

    def _marks(self) -> Marks:
        """Tells one state of the recordings from another: what is moved gets a new number."""
        return {
            name: (len(files), files[-1:]) for name, files in self._library.listing.files.items()
        }

    def _take(self) -> None:
        session = self._session
        self._seen = self._marks()
        if self.in_use:
            session.reopen_data()
        else:
            session.set_data(DataSettings(self._source, {"path": self._path}))
        self.refresh()

    @Slot()
    def _data_changed(self) -> None:
        if self.in_use and self._session.dataset is not None:
            self._go_on()
        self.refresh()

    @Slot(object)
    def _on_data(self, message: object) -> None:
        if isinstance(message, DataFailed):
            self._train_next = False

    def _go_on(self) -> None:
        """After the data are there: the network, then the run."""
        if not self._wanted:
            return
        if self.is_bare():
            self._train_enough()
            self._build_starter()
        if self._train_next and self.fits() and not self._session.busy:
            self._train_next = False
            self._session.run()
        self._wanted = self._train_next
        self.refresh()

    @Slot()
    def _build_starter(self) -> None:
        """Put a network that suits the samples on the canvas, as one step that can be undone."""
        if commands.build_starter(self._session):
            self._wanted = self._train_next
            self._go_on()

    @Slot()
    def _adapt(self) -> None:
        if commands.adapt(self._session):
            self._go_on()

    def _train_enough(self) -> None:
        """Raise the epochs of a new network where the samples are few."""
        session = self._session
        if session.dataset is None:
            return
        training = session.project.training
        steps = ceil(len(session.dataset.splits["train"]) / training.batch_size)
        wanted = min(MOST_EPOCHS, ceil(STEPS / max(1, steps)))
        if wanted > training.epochs:
            session.set_training(epochs=wanted)

    @Slot()
    def _see(self) -> None:
        self._session.reveal.emit("live" if self._session.busy else "try")

    @Slot()
    def _forget(self) -> None:
        self._train_next = self._wanted = False
        self._seen = None
        self.refresh()

    # --- what is shown ------------------------------------------------------------------------

    @Slot()
    def refresh(self) -> None:
        """Offer what can be done now, and say what cannot and why."""
        if not self.isVisible():
            return
        session = self._session
        missing = self.missing()
        learning = session.is_open and session.busy
        loading = self.in_use and session.dataset is None
        offers = self.in_use and not loading and not learning and not self.fits()
        offers = offers and not self.is_bare()
        self.train.setEnabled(not missing and not loading and not offers)
        self.stop.setVisible(learning)
        self.adapt.setVisible(offers)
        self.starter.setVisible(offers)
        current = self.in_use and not self.stale
        self.use.setVisible(not missing and not learning and not current)
        self.use.setEnabled(not loading)
        if learning and self.train.hasFocus():
            self.stop.setFocus(Qt.FocusReason.OtherFocusReason)
        self.train.setVisible(not learning)
        self.progress.setVisible(learning)
        trained = self.in_use and not offers and session.state is State.FINISHED
        self.see.setText("See it learn" if learning else "Try it")
        self.see.setVisible(learning or trained)
        self.text.setText(missing or self._words(loading, learning, offers))
        if learning:
            self._show_progress()

    def _words(self, loading: bool, learning: bool, offers: bool) -> str:
        session = self._session
        if learning:
            progress = session.progress
            if progress is None:
                return "Getting ready …"
            return f"Learning · epoch {progress.epoch} of {progress.epochs}"
        if loading:
            return session.data_message or "Reading the samples …"
        if offers and session.dataset is not None:
            found = propose(session.graph, session.dataset, session.report)
            telling = [item for item in found if item.what in ("shape", "units")] or found
            first = telling[0].message if telling else "The network is for another task."
            return f"{first} Adapt it, or build a new one."
        if self.in_use and self.stale:
            more = self._library.total - sum(count for count, _ in (self._seen or {}).values())
            what = f"{more:,} {'was' if more == 1 else 'were'} recorded"
            what = what if more > 0 else "Samples were changed"
            return f"{what} since the network last saw them."
        if self.in_use and session.state is State.FINISHED:
            return self._result()
        if self.in_use:
            return "The network learns from these samples."
        return "Enough to begin with. More samples make it better."

    def _result(self) -> str:
        """How well it does on what was kept back."""
        history = self._session.history
        values = history.validation_metric if history is not None else np.zeros(0)
        values = values[np.isfinite(values)]
        if history is None or history.metric != "accuracy" or not len(values):
            return "Trained."
        held = len(self._session.dataset.splits["validation"]) if self._session.dataset else 0
        return f"Trained: {values.max():.0%} of {held} held-back samples right."

    def _show_progress(self) -> None:
        progress = self._session.progress
        if progress is None:
            self.progress.set_value(0.0)
            return
        epoch = progress.epoch - 1 + progress.batch / max(1, progress.batches)
        self.progress.set_value(epoch / max(1, progress.epochs))


def _grown(before: Marks, after: Marks) -> bool:
    """Whether samples were only added: the last ones of a recording, which were still being written
    when it was made the data, and were read with it."""
    counts = [(before.get(name, (0, []))[0], count) for name, (count, _) in after.items()]
    grown = all(old <= new for old, new in counts) and any(old < new for old, new in counts)
    return grown and before.keys() <= after.keys()
