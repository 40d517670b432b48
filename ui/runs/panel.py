"""The runs of the project: what each reached, with ways to load, continue or delete it."""

from __future__ import annotations

import shutil
from pathlib import Path

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QKeyEvent, QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QStackedWidget,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from playground.messages import Loaded
from ui.insight.fetch import Fetch
from ui.runs.listing import (
    Row,
    difference_text,
    differing,
    read_rows,
    result_text,
    time_text,
    when_text,
)
from ui.session import Session
from ui.theme import theme
from ui.widgets import Button, ElidedLabel, EmptyState

COLUMNS = ("Run", "When", "State", "Epochs", "Best result", "Time", "Differs in")
NOTHING = "Every run is kept here: what it reached, its settings and its weights."
DELETED = "deleted runs"
STATE_COLOURS = {"finished": "good", "failed": "bad", "interrupted": "warn", "running": "accent"}


class RunsPanel(QWidget):
    """A row a run, the newest first."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._rows: list[Row] = []
        self._stale, self._was_busy = True, False
        self._just_opened = True
        self._fetch = Fetch(self)
        self._fetch.done.connect(self.show_rows)
        self._fetch.failed.connect(self._not_read)
        self.setAccessibleName("Runs")
        self._build()
        self._connect()

    def _build(self) -> None:
        self.table = QTableWidget(0, len(COLUMNS))
        self.table.setAccessibleName("Runs of this project")
        self.table.setHorizontalHeaderLabels(list(COLUMNS))
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setShowGrid(False)
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(32)
        header = self.table.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(len(COLUMNS) - 1, QHeaderView.ResizeMode.Stretch)
        header.setHighlightSections(False)
        self.load = Button("Load its weights", "upload")
        self.resume = Button("Continue", "play")
        self.resume.setToolTip("Go on exactly where the run's last checkpoint is")
        self.live = Button("Live", "camera")
        self.delete = Button("Delete", "trash")
        self.told = ElidedLabel("", "small")
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        for button in (self.load, self.resume, self.live, self.delete):
            buttons.addWidget(button)
        buttons.addWidget(self.told, 1)
        filled = QWidget()
        rows = QVBoxLayout(filled)
        rows.setContentsMargins(16, 8, 16, 12)
        rows.setSpacing(8)
        rows.addWidget(self.table, 1)
        rows.addLayout(buttons)
        self.empty = EmptyState("flag", NOTHING, "Run", self._session.run)
        self._pages = QStackedWidget()
        self._pages.addWidget(self.empty)
        self._pages.addWidget(filled)
        self._filled = filled
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._pages)

    def _connect(self) -> None:
        session = self._session
        self.load.clicked.connect(self.load_weights)
        self.resume.clicked.connect(self.continue_run)
        self.live.clicked.connect(self.run_live)
        self.delete.clicked.connect(self.delete_run)
        self.table.itemSelectionChanged.connect(self._selection_changed)
        self.table.itemDoubleClicked.connect(self.load_weights)
        session.state_changed.connect(self._state_changed)
        session.project_changed.connect(self._project_changed)
        session.file_changed.connect(self._outdated)
        session.bridge.loaded.connect(self._on_loaded)
        theme().changed.connect(self._restyle)

    # Reading ------------------------------------------------------------------------------------

    @Slot()
    def _project_changed(self) -> None:
        self._just_opened = True
        self._outdated()

    @Slot()
    def _outdated(self) -> None:
        self._stale = True
        if self.isVisible():
            self.refresh()

    @Slot()
    def _state_changed(self) -> None:
        busy = self._session.busy
        if busy != self._was_busy:
            self._was_busy = busy
            self._outdated()
        self._selection_changed()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._stale:
            self.refresh()

    def refresh(self) -> None:
        """Read the run folders again, away from the main thread."""
        self._stale = False
        if not self._session.is_open:
            self.show_rows([])
            return
        files, graph = self._session.files, self._session.graph
        left_over = files / DELETED if self._just_opened else None
        self._just_opened = False

        def read() -> list[Row]:
            if left_over is not None:
                shutil.rmtree(left_over, ignore_errors=True)
            return read_rows(files, graph)

        self._fetch.start(read)

    @Slot(str)
    def _not_read(self, text: str) -> None:
        self.empty.say(text, "")
        self._pages.setCurrentWidget(self.empty)

    # Showing ------------------------------------------------------------------------------------

    @Slot(object)
    def show_rows(self, rows: list[Row]) -> None:
        chosen = self.chosen
        self._rows = rows
        ids = differing(rows)
        self.table.setRowCount(len(rows))
        present = self._session.run_folder if self._session.is_open else None
        for place, row in enumerate(rows):
            run = row.summary
            mine = present is not None and run.path.resolve() == present.resolve()
            texts = (
                f"{run.name}  ·  shown" if mine else run.name,
                when_text(run.created),
                run.state,
                f"{run.epochs:,}",
                run.problem or result_text(run),
                time_text(run.seconds) if run.seconds else "",
                difference_text(row, ids),
            )
            for column, text in enumerate(texts):
                item = QTableWidgetItem(text)
                if run.message and column == 2:
                    item.setToolTip(run.message)
                self.table.setItem(place, column, item)
            if chosen is not None and run.path == chosen.summary.path:
                self.table.selectRow(place)
        self._restyle()
        self.empty.say(NOTHING, "Run")
        self._pages.setCurrentWidget(self._filled if rows else self.empty)
        if rows and self.chosen is None:
            self.table.selectRow(0)
        self._selection_changed()

    @Slot()
    def _restyle(self) -> None:
        for place, row in enumerate(self._rows):
            item = self.table.item(place, 2)
            if item is not None:
                colour = STATE_COLOURS.get(row.summary.state, "text2")
                item.setForeground(theme().readable(theme().color(colour)))

    @property
    def chosen(self) -> Row | None:
        """The run whose row is selected."""
        places = {index.row() for index in self.table.selectedIndexes()}
        place = next(iter(places), -1)
        return self._rows[place] if 0 <= place < len(self._rows) else None

    @Slot()
    def _selection_changed(self) -> None:
        row, busy = self.chosen, self._session.busy
        self.load.setEnabled(row is not None and not busy and not row.summary.problem)
        self.resume.setEnabled(row is not None and not busy and row.summary.resumable)
        self.live.setEnabled(row is not None and not row.not_live)
        reason = row.not_live if row is not None else ""
        tip = f"Not live: {reason}" if reason else "Run it on the camera or the microphone"
        self.live.setToolTip(tip)
        self.live.setAccessibleDescription(tip)
        self.delete.setEnabled(row is not None and not (busy and self._is_running(row)))
        self.told.set_text(row.summary.message if row is not None else "")

    def _is_running(self, row: Row) -> bool:
        run = self._session.status.run
        return run is not None and run.resolve() == row.summary.path.resolve()

    # Doing --------------------------------------------------------------------------------------

    @Slot()
    def load_weights(self, *_: object) -> None:
        """Take the run's best weights for all views, the try-out and the next evaluation."""
        row = self.chosen
        if row is not None and not self._session.busy and not row.summary.problem:
            self._session.use_run(row.summary.path)

    @Slot(object)
    def _on_loaded(self, loaded: Loaded) -> None:
        self._outdated()
        self.told.set_text(loaded.text)

    @Slot()
    def continue_run(self) -> None:
        row = self.chosen
        if row is not None and row.summary.resumable:
            self._session.resume_run(row.summary.path)

    @Slot()
    def run_live(self) -> None:
        """Turn to live with this run's best weights."""
        row = self.chosen
        if row is not None and not row.not_live:
            self._session.reveal.emit(f"recognise:run:{row.summary.path}")

    @Slot()
    def delete_run(self) -> None:
        """Move the run aside; Undo brings it back until the project is opened the next time."""
        row = self.chosen
        if row is None:
            return
        path = row.summary.path
        aside = self._session.files / DELETED / path.name
        try:
            aside.parent.mkdir(parents=True, exist_ok=True)
            if aside.exists():
                shutil.rmtree(aside)
            path.rename(aside)
        except OSError as error:
            self._session.tell(
                f"The run {path.name} was not deleted: {error}", "bad", key="run-gone"
            )
            return

        def bring_back() -> None:
            self.bring_back(aside, path)

        text = f"The run {path.name} was deleted."
        self._session.tell(text, "info", ("Undo", bring_back), "run-gone")
        self.refresh()

    def bring_back(self, aside: Path, path: Path) -> None:
        """Undo a deletion."""
        try:
            aside.rename(path)
        except OSError as error:
            self._session.tell(f"The run could not be brought back: {error}", "bad", key="run-gone")
        else:
            self._session.tell("", key="run-gone")
        self.refresh()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Delete and self.delete.isEnabled():
            self.delete_run()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.load.isEnabled():
            self.load_weights()
        else:
            super().keyPressEvent(event)
