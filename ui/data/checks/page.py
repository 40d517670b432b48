"""Checks: what may be wrong with the data, found beside the window."""

from __future__ import annotations

import threading
from dataclasses import replace

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from playground.data.checks import Finding, Report, check
from playground.data.dataset import Dataset
from ui.data.checks.cards import FindingCard
from ui.data.samples.catalogue import Catalogue
from ui.data.samples.pictures import Pictures
from ui.insight.column import steady
from ui.session import Session
from ui.theme import theme
from ui.threads import begin
from ui.widgets import Button, Dot, EmptyState, ProgressLine, label, scrolled

TOLD_MS = 80
AT_ONCE = 20_000
TITLES = {
    "broken": "broken samples",
    "duplicates": "copies",
    "leakage": "shared between splits",
    "near": "near copies",
    "groups": "groups in several splits",
    "balance": "classes",
    "outliers": "outliers",
}


class _Cancelled(Exception):
    """Nobody waits for these checks any more."""


class Checker(QObject):
    """Checks a data set on a thread of its own. ``done`` carries the report and its data set,
    ``failed`` a sentence; neither follows after ``cancel``."""

    done = Signal(object, object)
    failed = Signal(str)
    _finished = Signal(int, object, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._number = 0
        self._stopped = threading.Event()
        self.running = False
        self.text, self.fraction = "", 0.0
        self._finished.connect(self._arrived, Qt.ConnectionType.QueuedConnection)

    def start(self, dataset: Dataset) -> None:
        self.cancel()
        self.running, self.text, self.fraction = True, "Looking at the samples", 0.0
        self._stopped = threading.Event()
        self.destroyed.connect(self._stopped.set)  # nothing may go on when the page is gone
        begin("checks", self._run, self._number, dataset, self._stopped)

    def cancel(self) -> None:
        self._number += 1
        self._stopped.set()
        self.running = False

    def _run(self, number: int, dataset: Dataset, stopped: threading.Event) -> None:
        def progress(text: str, fraction: float | None) -> None:
            if stopped.is_set():
                raise _Cancelled
            self.text, self.fraction = text, fraction or 0.0

        result: Report | str
        try:
            result = check(dataset, progress)
        except _Cancelled:
            return
        except Exception as error:  # a source's reader may raise anything at a damaged file
            result = f"The samples cannot be checked: {str(error) or type(error).__name__}"
        try:
            self._finished.emit(number, dataset, result)
        except RuntimeError:
            return  # the page was closed meanwhile

    @Slot(int, object, object)
    def _arrived(self, number: int, dataset: Dataset, result: Report | str) -> None:
        if number != self._number:
            return
        self.running = False
        if isinstance(result, str):
            self.failed.emit(result)
        else:
            self.done.emit(dataset, result)


class ChecksPage(QWidget):
    """The findings of the session's data. ``samples_wanted`` carries indices and a title for the
    page of samples."""

    samples_wanted = Signal(object, str)

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._dataset: Dataset | None = None
        self.report: Report | None = None
        self.cards: list[FindingCard] = []
        self.checker = Checker(self)
        self.checker.done.connect(self._show)
        self.checker.failed.connect(self._failed)
        self.pictures = Pictures(self)
        self._timer = QTimer(self)
        self._timer.setInterval(TOLD_MS)
        self._timer.timeout.connect(self._tell)
        self.setAccessibleName("Checks")
        self._build()
        session.dataset_changed.connect(self._refresh)
        session.closing.connect(self.stop)
        theme().changed.connect(self._want)
        self._refresh()

    def _build(self) -> None:
        self.title = label("Checks", "title")
        self.told = label("", "small", wrap=True)
        self.again = Button("Check again", "refresh")
        self.again.clicked.connect(self.start)
        self.cancel = Button("Cancel", "close")
        self.cancel.clicked.connect(self.stop)
        self.progress = ProgressLine()
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self.title)
        words.addWidget(self.told)
        head = QHBoxLayout()
        head.setContentsMargins(0, 0, 10, 0)
        head.addLayout(words, 1)
        head.addWidget(self.cancel)
        head.addWidget(self.again)
        content = QWidget()
        self._list = QVBoxLayout(content)
        self._list.setContentsMargins(0, 0, 2, 12)
        self._list.setSpacing(8)
        self._list.addStretch(1)
        whole = QWidget()
        column = QVBoxLayout(whole)
        column.setContentsMargins(16, 10, 2, 0)
        column.setSpacing(10)
        column.addLayout(head)
        column.addWidget(self.progress)
        column.addWidget(steady(scrolled(content)), 1)
        self.empty = EmptyState("check", "", "Check these data", self.start)
        self._pages = QStackedWidget()
        self._pages.addWidget(self.empty)
        self._pages.addWidget(whole)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self._pages)

    # Running ------------------------------------------------------------------------------------

    @Slot()
    def _refresh(self) -> None:
        dataset, before = self._session.dataset, self._dataset
        if dataset is not None and before is not None and (
            dataset.inputs is before.inputs and dataset.splits is before.splits
        ):  # fmt: skip
            return  # only the augmentation is another
        self.checker.cancel()
        self._dataset, self.report = dataset, None
        self.pictures.show(dataset)
        self._clear()
        if dataset is None or not len(dataset):
            self.empty.say(self._session.data_message or "Choose data to check first.", "")
            self._pages.setCurrentIndex(0)
            return
        self.empty.say(
            "Copies, samples shared between splits, broken and odd samples, uneven classes: "
            f"all {len(dataset):,} samples are looked at.",
            "Check these data",
        )
        self._pages.setCurrentIndex(0)
        self._start_small()

    def _start_small(self) -> None:
        """Begin at once where it takes a few seconds at most."""
        dataset = self._dataset
        if dataset is None or self.report is not None or self.checker.running:
            return
        if self.isVisible() and len(dataset) <= AT_ONCE and not dataset.lazy:
            self.start()

    @Slot()
    def start(self) -> None:
        if self._dataset is None or not len(self._dataset):
            return
        self._clear()
        self.report = None
        self.checker.start(self._dataset)
        self._pages.setCurrentIndex(1)
        self._timer.start()
        self._tell()

    @Slot()
    def stop(self) -> None:
        self.checker.cancel()
        self._tell()

    @Slot()
    def _tell(self) -> None:
        running = self.checker.running
        self.progress.setVisible(running)
        self.cancel.setVisible(running)
        self.again.setVisible(not running)
        if running:
            self.progress.set_value(self.checker.fraction)
            self.told.setText(f"{self.checker.text} …")
            return
        self._timer.stop()
        if self.report is None and not self.told.text().startswith("The samples cannot"):
            self.told.setText("Cancelled. Nothing was changed.")

    @Slot(str)
    def _failed(self, text: str) -> None:
        self.told.setText(text)
        self._tell()

    # Showing ------------------------------------------------------------------------------------

    def _clear(self) -> None:
        while self._list.count() > 1:
            item = self._list.takeAt(0)
            widget = item.widget() if item is not None else None
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        self.cards = []

    @Slot(object, object)
    def _show(self, dataset: Dataset, report: Report) -> None:
        if dataset is not self._dataset:
            return
        self.report = report
        catalogue = Catalogue(dataset)
        some = report.looked_at < report.total
        number = f"{report.looked_at:,} of {report.total:,}" if some else f"{report.total:,}"
        grave = [finding for finding in report.findings if finding.level != "good"]
        found = f"{len(grave)} findings" if len(grave) != 1 else "1 finding"
        self.told.setText(f"{number} samples looked at: {found if grave else 'all is well'}.")
        for finding in grave:
            card = FindingCard(finding, catalogue, self.pictures)
            card.show_wanted.connect(self._show_samples)
            card.chosen.connect(self._session.set_sample)
            card.action_wanted.connect(self._act)
            self.cards.append(card)
            self._list.insertWidget(self._list.count() - 1, card)
        for finding in report.findings:
            if finding.level == "good":
                self._list.insertWidget(self._list.count() - 1, _good(finding))
        self._tell()
        QTimer.singleShot(0, self, self._want)

    @Slot()
    def _want(self) -> None:
        strips = [card.strip for card in self.cards if card.strip is not None]
        if strips and self.isVisible():
            wanted = [index for strip in strips for index in strip.samples]
            self.pictures.want(list(dict.fromkeys(wanted)), strips[0].look())

    @Slot(object)
    def _show_samples(self, finding: Finding) -> None:
        self.samples_wanted.emit(finding.samples, TITLES[finding.check])

    @Slot(str)
    def _act(self, action: str) -> None:
        if action == "group":
            data = self._session.project.data
            self._session.set_data(replace(data, split=data.split.replace(method="group")))

    def showEvent(self, event: QShowEvent) -> None:
        self._start_small()
        if self.checker.running:
            self._timer.start()
        QTimer.singleShot(0, self, self._want)

    def hideEvent(self, event: QHideEvent) -> None:
        self._timer.stop()

    def resizeEvent(self, event: object) -> None:
        QTimer.singleShot(0, self, self._want)


def _good(finding: Finding) -> QWidget:
    """A line for what was looked for and not found."""
    row = QWidget()
    line = QHBoxLayout(row)
    line.setContentsMargins(14, 2, 14, 2)
    line.setSpacing(8)
    line.addWidget(Dot("good"))
    line.addWidget(label(finding.sentence, "second", wrap=True), 1)
    return row
