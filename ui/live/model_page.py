"""The page "Model": what runs, and how it answers."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from ui.insight.fetch import Fetch
from ui.live.choices import TRAIN, ChoiceList, Past, entries, own_words, past_runs
from ui.live.controls import Controls
from ui.live.desk import NETWORK, Desk


class ModelPage(QWidget):
    """Rows to choose from over the settings of the chosen one."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self._past: list[Past] = []
        self._stale, self._was_busy, self._to_train = True, False, False
        self._fetch = Fetch(self)
        self._fetch.done.connect(self._fetched)
        self.list = ChoiceList()
        self.controls = Controls(desk)
        self.setFocusProxy(self.list)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.list, 1)
        column.addWidget(self.controls)
        self.list.wanted.connect(self._wanted)
        session = desk.session
        desk.chosen_changed.connect(self.refresh)
        desk.downloading.changed.connect(self.refresh)
        desk.downloading.ended.connect(self.refresh)
        session.dataset_changed.connect(self.refresh)
        session.state_changed.connect(self._state_changed)
        session.project_changed.connect(self._outdated)
        session.file_changed.connect(self._outdated)
        session.bridge.progress.connect(self._progressed)
        self.refresh()

    @Slot()
    def refresh(self) -> None:
        """Show what can run now."""
        self.list.show_entries(entries(self._desk, self._past), self._desk.chosen.id)

    @Slot(str)
    def _wanted(self, id: str) -> None:
        if id == TRAIN:
            self._to_train = True
            self._desk.session.run()
            self._to_train = False
        else:
            self._desk.choose(id)
        self.refresh()

    @Slot()
    def _state_changed(self) -> None:
        busy = self._desk.session.busy
        if busy != self._was_busy:
            self._was_busy = busy
            self._outdated()
            if busy and self._to_train:
                self._desk.choose(NETWORK)
        self.refresh()

    @Slot()
    def _progressed(self) -> None:
        row = self.list.rows.get(NETWORK)
        if row is not None and self.isVisible():
            sentence = own_words(self._desk.session, self._past)
            row.line.set_text(sentence)
            if row.whole.text() != sentence:
                row.whole.setText(sentence)

    @Slot()
    def _outdated(self) -> None:
        self._stale = True
        if self.isVisible():
            self._read()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._stale:
            self._read()
        self.refresh()

    def _read(self) -> None:
        """Read the project's runs again, away from the main thread."""
        self._stale = False
        session = self._desk.session
        if session.is_open:
            files: Path = session.files
            self._fetch.start(lambda: past_runs(files))

    @Slot(object)
    def _fetched(self, past: list[Past]) -> None:
        self._past = past
        self.refresh()
