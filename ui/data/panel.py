"""The data that a network learns from: samples, classes, the split, and whether they fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from PySide6.QtCore import Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMenu, QStackedWidget, QVBoxLayout, QWidget

from models.axes import Kind
from playground.data import SOURCES
from playground.data.dataset import Dataset
from playground.messages import Array, DataProgress
from playground.project import DataSettings
from playground.starter import propose
from playground.tasks import TASKS
from ui.builder import commands
from ui.data.bars import ClassBars, SplitBar
from ui.data.dialog import choose
from ui.data.families import FAMILIES, known_icon, offered
from ui.data.samples.skipped import SkippedDialog
from ui.insight.column import steady
from ui.insight.fetch import Fetch
from ui.insight.sample_grid import SampleGrid
from ui.session import Session
from ui.theme import theme
from ui.widgets import (
    Button,
    ElidedLabel,
    EmptyState,
    IconButton,
    ProgressLine,
    label,
    scrolled,
)

TILES = {Kind.IMAGE: 24, Kind.SEQUENCE: 8, Kind.VECTOR: 8}
STARTERS = (
    ("auto", "What suits the data"),
    ("mlp", "Plain"),
    ("cnn", "CNN"),
    ("rnn", "RNN"),
    ("hybrid", "Hybrid: CNN, then RNN"),
)
METHODS = {
    "stratified": "equal shares",
    "random": "at random",
    "group": "by group",
    "time": "in time",
    "own": "as the data say",
}
RECORDERS = (("camera", "camera", "Record pictures"), ("microphone", "mic", "Record sounds"))
NOTHING = "Choose what the network learns from."


class Banner(QFrame):
    """A sentence about data that do not fit the network, with the button that adapts it."""

    def __init__(self, callback: Callable[[], object]) -> None:
        super().__init__()
        self.setProperty("kind", "banner")
        self.text = label("", "small", wrap=True)
        self.button = Button("Adapt the network", "wand")
        self.button.clicked.connect(callback)
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 8, 10, 10)
        column.setSpacing(8)
        column.addWidget(self.text)
        column.addWidget(self.button)
        self.hide()


class DataPanel(QWidget):
    """What the data are. ``sources`` are the buttons that belong into the header around it."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._random = np.random.default_rng(0)
        self._shown: Dataset | None = None
        self._last_good: DataSettings | None = None
        self._indices: list[int] = []
        self._fetch = Fetch(self)
        self._fetch.done.connect(self._fetched)
        self._fetch.failed.connect(self._not_read)
        self.setAccessibleName("Data")
        self.sources = self._source_buttons()
        self._build()
        self._connect()
        self._refresh()

    def _source_buttons(self) -> list[IconButton]:
        """One for the camera, the microphone and each common family, and one for all others."""
        found = []
        for source, icon, text in RECORDERS:
            if source in SOURCES:
                button = IconButton(icon, text, size=26)
                button.setProperty("recorder", source)
                button.clicked.connect(self._record)
                found.append(button)
        families = dict(offered())
        for id, look in FAMILIES.items():
            if look.direct and id in families:
                button = IconButton(look.icon, look.name, size=26)
                button.setToolTip(f"{look.name}: {look.summary.lower()}")
                button.setProperty("family", id)
                button.clicked.connect(self._family_clicked)
                found.append(button)
        more = IconButton("more", "All sources of data", size=26)
        more.setPopupMode(IconButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self)
        menu.aboutToShow.connect(self._fill_sources)
        menu.triggered.connect(self._source_chosen)
        more.setMenu(menu)
        return [*found, more]

    @Slot()
    def _fill_sources(self) -> None:
        menu = self.sender()
        if isinstance(menu, QMenu):
            menu.clear()
            for id, sources in offered():
                menu.addAction(FAMILIES[id].name).setEnabled(False)
                for source in sources:
                    icon = theme().icon(known_icon(source.icon))
                    menu.addAction(icon, source.name).setData(source.id)

    @Slot(object)
    def _source_chosen(self, action: QAction) -> None:
        choose(self._session, self, str(action.data()))

    @Slot()
    def _record(self) -> None:
        button = self.sender()
        if isinstance(button, IconButton):
            self._session.reveal.emit(f"record:{button.property('recorder')}")

    def _build(self) -> None:
        self.title = ElidedLabel("", "title")
        self.summary = label("", "small", wrap=True)
        self.banner = Banner(self.adapt)
        self.grid = SampleGrid("Samples of the data", 22)
        self.bars = ClassBars()
        self.split_method = label("", "second")
        self.split = SplitBar()
        self.notes = label("", "small", wrap=True)
        self.choose = Button("Choose data …", "folder")
        self.starter = IconButton("wand", "Build a starter network for these data")
        self.starter.setPopupMode(IconButton.ToolButtonPopupMode.InstantPopup)
        self.starter.setMenu(self._starter_menu())
        self.shuffle = IconButton("shuffle", "Show other samples", size=24)
        head = QHBoxLayout()
        head.setSpacing(4)
        head.addWidget(self.title, 1)
        head.addWidget(self.shuffle)
        split_head = QHBoxLayout()
        split_head.addWidget(label("Split"))
        split_head.addStretch(1)
        split_head.addWidget(self.split_method)
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(12, 8, 2, 12)
        column.setSpacing(10)
        titles = QVBoxLayout()
        titles.setSpacing(0)
        titles.addLayout(head)
        titles.addWidget(self.summary)
        column.addLayout(titles)
        self.skipped = Button("Show what was skipped", "warning", "link", "warn")
        self.skipped.clicked.connect(self._show_skipped)
        for widget in (self.banner, self.grid, self.bars):
            column.addWidget(widget)
        column.addLayout(split_head)
        column.addWidget(self.split)
        column.addWidget(self.notes)
        column.addWidget(self.skipped)
        column.addStretch(1)
        self._pages = QStackedWidget()
        self._pages.addWidget(scrolled(self._build_empty()))
        self._pages.addWidget(self._above_buttons(steady(scrolled(content))))
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self._pages)

    def _above_buttons(self, area: QWidget) -> QWidget:
        """What scrolls, and below it the ways on, which are always in reach."""
        buttons = QHBoxLayout()
        buttons.setContentsMargins(12, 0, 12, 0)
        buttons.setSpacing(6)
        buttons.addWidget(self.choose, 1)
        buttons.addWidget(self.starter)
        page = QWidget()
        rows = QVBoxLayout(page)
        rows.setContentsMargins(0, 0, 0, 12)
        rows.setSpacing(8)
        rows.addWidget(area, 1)
        rows.addLayout(buttons)
        return page

    def _build_empty(self) -> QWidget:
        """What is shown while there are no data: why, and the ways on."""
        self.empty = EmptyState("image", NOTHING, "Choose data …", self.choose_data)
        self.earlier = Button("Use the earlier data", "undo", "link", "accent")
        self.earlier.clicked.connect(self._use_earlier)
        self.progress = ProgressLine()
        self.cancel = Button("Cancel", "close", "link", "accent")
        self.cancel.clicked.connect(self._session.cancel_data)
        self.retry = Button("Try again", "refresh", "link", "accent")
        self.retry.clicked.connect(self._try_again)
        nothing = QWidget()
        rows = QVBoxLayout(nothing)
        rows.setContentsMargins(12, 8, 12, 16)
        rows.addWidget(self.empty, 1)
        rows.addWidget(self.progress)
        rows.addWidget(self.cancel)
        rows.addWidget(self.retry)
        rows.addWidget(self.earlier)
        return nothing

    def _starter_menu(self) -> QMenu:
        menu = QMenu(self)
        menu.addAction("Build a starter network").setEnabled(False)
        for id, text in STARTERS:
            menu.addAction(text).setData(id)
        menu.triggered.connect(self._starter_chosen)
        return menu

    def _connect(self) -> None:
        session = self._session
        self.choose.clicked.connect(self.choose_data)
        self.shuffle.clicked.connect(self._shuffle)
        self.grid.chosen.connect(session.set_sample)
        self.bars.chosen.connect(self._class_chosen)
        session.dataset_changed.connect(self._refresh)
        session.sample_changed.connect(self._mark_sample)
        session.graph_changed.connect(self._compare)
        session.settings_changed.connect(self._compare)
        session.project_changed.connect(self._project_changed)
        session.bridge.data_progress.connect(self._on_progress)

    # Showing ------------------------------------------------------------------------------------

    @Slot()
    def _project_changed(self) -> None:
        self._last_good = None
        self._refresh()

    @Slot(object)
    def _on_progress(self, progress: DataProgress) -> None:
        self.progress.set_value(progress.fraction or 0.0)
        self.progress.setVisible(self._session.reading and progress.fraction is not None)

    @Slot()
    def _refresh(self) -> None:
        session, dataset = self._session, self._session.dataset
        if dataset is None:
            self._shown = None
            reading = session.reading
            button = "" if reading else "Choose data …"
            self.empty.say(session.data_message or NOTHING, button)
            self.cancel.setVisible(reading)
            self.progress.setVisible(reading and self.progress.isVisible())
            failed = session.is_open and not reading and bool(session.data_message)
            self.retry.setVisible(failed)
            self.earlier.setVisible(failed and self._last_good is not None)
            self._pages.setCurrentIndex(0)
            return
        self._pages.setCurrentIndex(1)
        if dataset is self._shown:
            return
        self._shown = dataset
        self._last_good = session.project.data
        self.title.set_text(dataset.name)
        self.summary.setText(dataset.summary)
        self.bars.setVisible(bool(dataset.classes))
        if dataset.classes:
            self.bars.show_counts(dataset.counts(), dataset.classes)
        self.split.show_sizes({name: len(part) for name, part in dataset.splits.items()})
        self.split_method.setText(self._method(dataset))
        self.notes.setText("\n".join(dataset.notes))
        self.notes.setVisible(bool(dataset.notes))
        self.skipped.setVisible(bool(dataset.skipped))
        self._random = np.random.default_rng(0)
        self._show_samples()
        self._compare()

    def _method(self, dataset: Dataset) -> str:
        settings = self._session.project.data
        if settings.options.get("test_path"):
            return "own test set"
        method = settings.split.method
        if dataset.task == "forecast":
            return "in time"
        return METHODS.get(method, "equal shares" if dataset.classes else "at random")

    def _show_samples(self) -> None:
        """A few samples at random; of the chosen class alone where one is chosen."""
        dataset = self._shown
        if dataset is None or not len(dataset):
            self.grid.show_samples(None, [])
            return
        candidates = np.arange(len(dataset))
        if self.bars.current is not None:
            labels = dataset.target.take(candidates)
            candidates = np.flatnonzero(labels == self.bars.current)
        column = next(iter(dataset.inputs.values()))
        count = min(len(candidates), TILES.get(column.shape.kind, 8))
        chosen = self._random.choice(candidates, count, replace=False) if count else candidates[:0]
        self._indices = [int(index) for index in chosen]
        if column.lazy and count:
            self._fetch.start(lambda: column.take(chosen))
        else:
            self._fetched(column.take(chosen))

    @Slot(object)
    def _fetched(self, raw: Array) -> None:
        self.grid.show_samples(self._shown, self._indices, raw)
        self._mark_sample()

    @Slot(str)
    def _not_read(self, text: str) -> None:
        self.notes.setText(text)
        self.notes.show()

    @Slot()
    def _mark_sample(self) -> None:
        self.grid.set_current(self._session.sample)

    @Slot()
    def _shuffle(self) -> None:
        self._show_samples()

    @Slot(object)
    def _class_chosen(self, _index: int | None) -> None:
        self._show_samples()

    # Data and network ---------------------------------------------------------------------------

    def differences(self) -> list[str]:
        """What the network and the data disagree in, a sentence each."""
        session, dataset = self._session, self._session.dataset
        if dataset is None or not session.graph.nodes:
            return []
        found = [item.message for item in propose(session.graph, dataset, session.report)]
        task = session.project.task.id
        if dataset.task != task:
            named = [TASKS.find(id) for id in (dataset.task, task)]
            wanted, present = (item.name.lower() if item else "another task" for item in named)
            found.append(f"The data are for {wanted}; the task is {present}.")
        return found

    @Slot()
    def _compare(self) -> None:
        found = self.differences()
        self.banner.setVisible(bool(found))
        more = f" And {len(found) - 2} more." if len(found) > 2 else ""
        self.banner.text.setText(" ".join(found[:2]) + more)

    @Slot()
    def adapt(self) -> None:
        """Change the network and the task to what the data need, as one undoable step."""
        commands.adapt(self._session)

    @Slot(object)
    def _starter_chosen(self, action: Any) -> None:
        self.build_starter(action.data())

    def build_starter(self, kind: str = "auto") -> None:
        """Replace the network by a starter for these data; Undo brings the present one back."""
        if commands.build_starter(self._session, kind):
            self._session.reveal.emit("canvas")

    # Choosing data ------------------------------------------------------------------------------

    @Slot()
    def choose_data(self) -> None:
        choose(self._session, self)

    @Slot()
    def _family_clicked(self) -> None:
        button = self.sender()
        if isinstance(button, IconButton):
            choose(self._session, self, family=str(button.property("family")))

    @Slot()
    def _show_skipped(self) -> None:
        if self._shown is not None:
            SkippedDialog(self._shown, self).open()

    @Slot()
    def _use_earlier(self) -> None:
        if self._last_good is not None:
            self._session.set_data(self._last_good)

    @Slot()
    def _try_again(self) -> None:
        session = self._session
        session.reopen_data()
