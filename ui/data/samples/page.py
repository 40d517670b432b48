"""Every sample of the data: a grid to look through and filter, an overview, and one in detail."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeGuard

import numpy as np
from PySide6.QtCore import QPoint, QSize, Qt, QTimer, QUrl, Slot
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QMenu,
    QSizePolicy,
    QSlider,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from playground.data.dataset import Dataset, Indices
from ui.data.samples.catalogue import SPLIT_WORDS, SPLITS, Catalogue, Filter
from ui.data.samples.detail import SampleDetail
from ui.data.samples.grid import LARGEST, SMALLEST, SampleTiles
from ui.data.samples.overview import Overview
from ui.data.samples.skipped import SkippedDialog, left_out, told
from ui.insight.fetch import Fetch
from ui.session import Session
from ui.settings import settings
from ui.theme import theme
from ui.widgets import Button, Chip, EmptyState, SearchField, Segmented, label

FILTER_MS = 120
COUNT_MS = 1000
DETAIL_WIDTH = 352
ALL = -1
VIEWS = (("grid", "Samples"), ("overview", "Overview"))
PROMISE = "Your data never leave this machine."


class SamplesPage(QWidget):
    """The samples of the session's data."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._dataset: Dataset | None = None
        self._catalogue: Catalogue | None = None
        self._only: frozenset[int] | None = None
        self._fetch = Fetch(self)
        self._fetch.done.connect(self._matched)
        self._filter_timer = QTimer(self)
        self._filter_timer.setSingleShot(True)
        self._filter_timer.setInterval(FILTER_MS)
        self._filter_timer.timeout.connect(self._match)
        self.setAccessibleName("Samples")
        self._build()
        self._connect()
        self._refresh()

    # Parts --------------------------------------------------------------------------------------

    def _build(self) -> None:
        self.grid = SampleTiles("All samples")
        self.overview = Overview()
        self.detail = SampleDetail(self._session)
        self.detail.setMinimumWidth(280)
        self.grid.set_tile(int(str(settings().value("samples/tile", 96))))
        self._views = QStackedWidget()
        self._views.addWidget(self.grid)
        self._views.addWidget(self.overview)
        left = QWidget()
        left.setMinimumWidth(360)
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(self._tools())
        column.addWidget(self._views, 1)
        column.addWidget(self._foot())
        line = QFrame()
        line.setProperty("kind", "divider")
        line.setFixedWidth(1)
        right = QWidget()
        beside = QHBoxLayout(right)
        beside.setContentsMargins(0, 0, 0, 0)
        beside.setSpacing(0)
        beside.addWidget(line)
        beside.addWidget(self.detail, 1)
        self._split = QSplitter(Qt.Orientation.Horizontal)
        self._split.setChildrenCollapsible(False)
        self._split.setHandleWidth(4)
        self._split.addWidget(left)
        self._split.addWidget(right)
        self._split.setStretchFactor(0, 1)
        self._split.setStretchFactor(1, 0)
        self._split.setSizes([800, DETAIL_WIDTH])
        self.empty = EmptyState("image", "", "Choose data …", self._choose_data)
        self._pages = QStackedWidget()
        self._pages.addWidget(self.empty)
        self._pages.addWidget(self._split)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self._pages)

    def _tools(self) -> QHBoxLayout:
        self.view = Segmented(VIEWS, "grid", "View")
        self.search = SearchField("Find in captions")
        self.search.setMinimumWidth(90)
        self.search.setMaximumWidth(240)
        self.label = QComboBox()
        self.label.setAccessibleName("Class")
        self.split = QComboBox()
        self.split.setAccessibleName("Split")
        for box in (self.label, self.split):
            box.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
            box.setMinimumWidth(104)
            box.setMaximumWidth(190)
            box.setSizeAdjustPolicy(
                QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
            )
            box.setMinimumContentsLength(10)
        self.only = Chip("", "close", "Show all samples again")
        self.only.hide()
        self.zoom = QSlider(Qt.Orientation.Horizontal)
        self.zoom.setAccessibleName("Size of the samples")
        self.zoom.setToolTip("Size of the samples (Ctrl and the wheel)")
        self.zoom.setRange(SMALLEST, LARGEST)
        self.zoom.setSingleStep(8)
        self.zoom.setPageStep(32)
        self.zoom.setValue(self.grid.tile)
        self.zoom.setFixedWidth(88)
        row = QHBoxLayout()
        row.setContentsMargins(12, 8, 12, 8)
        row.setSpacing(8)
        row.addWidget(self.view)
        self._filters = (self.search, self.label, self.split, self.only, self.zoom)
        row.addWidget(self.search, 2)
        row.addWidget(self.label, 1)
        row.addWidget(self.split, 1)
        row.addWidget(self.only)
        row.addStretch(1)
        row.addWidget(self.zoom)
        return row

    def _foot(self) -> QFrame:
        foot = QFrame()
        foot.setProperty("kind", "content")
        foot.setFixedHeight(32)
        self.count = label("", "small")
        self.skipped = Button("", "warning", "link", "warn")
        self.skipped.hide()
        self._lock = QLabel()
        row = QHBoxLayout(foot)
        row.setContentsMargins(12, 0, 12, 0)
        row.setSpacing(8)
        row.addWidget(self.count)
        row.addWidget(self.skipped)
        row.addStretch(1)
        row.addWidget(self._lock)
        row.addWidget(label(PROMISE, "small"))
        theme().changed.connect(self._recolour)
        self._recolour()
        return foot

    def _connect(self) -> None:
        session = self._session
        session.dataset_changed.connect(self._refresh)
        session.sample_changed.connect(self._mark)
        self.grid.chosen.connect(session.set_sample)
        self.grid.selection_changed.connect(self._tell)
        self.grid.menu_wanted.connect(self._menu)
        self.grid.zoomed.connect(self.zoom.setValue)
        self.zoom.valueChanged.connect(self._resized)
        self.view.chosen.connect(self._view_chosen)
        self.search.textChanged.connect(self._filter_timer.start)
        self.label.activated.connect(self._match)
        self.split.activated.connect(self._match)
        self.only.clicked.connect(self.show_all)
        self.skipped.clicked.connect(self._show_skipped)
        self.overview.class_chosen.connect(self.show_class)
        self._count_timer = QTimer(self)
        self._count_timer.setInterval(COUNT_MS)
        self._count_timer.timeout.connect(self._tell_skipped)

    # Data ---------------------------------------------------------------------------------------

    @Slot()
    def _refresh(self) -> None:
        dataset = self._session.dataset
        if dataset is None or not len(dataset):
            self.empty.say(self._session.data_message or "Choose what the network learns from.")
            self._pages.setCurrentIndex(0)
            if dataset is None and self._dataset is not None and self._session.is_open:
                return  # it is being read again: what was shown is taken up if it is the same
        self._pages.setCurrentIndex(1 if dataset is not None and len(dataset) else 0)
        if dataset is self._dataset:
            return
        if self._same_samples(dataset):  # only the augmentation is another
            self._dataset = dataset
            self.detail.show_dataset(Catalogue(dataset))
            return
        self._dataset = dataset
        self._catalogue = Catalogue(dataset) if dataset is not None else None
        self._only = None
        self.only.hide()
        self._fetch.cancel()
        self.grid.show_dataset(self._catalogue)
        self.overview.show_dataset(dataset)
        self.detail.show_dataset(self._catalogue)
        self._fill_filters()
        self._mark()
        self._tell()
        self._tell_skipped()

    def _same_samples(self, dataset: Dataset | None) -> TypeGuard[Dataset]:
        before = self._dataset
        if dataset is None or before is None:
            return False
        return dataset.inputs is before.inputs and dataset.splits is before.splits

    def _fill_filters(self) -> None:
        dataset, catalogue = self._dataset, self._catalogue
        self.search.blockSignals(True)
        self.search.clear()
        self.search.blockSignals(False)
        self.label.clear()
        self.split.clear()
        if dataset is None or catalogue is None:
            return
        self.label.setVisible(catalogue.labels is not None)
        if catalogue.labels is not None:
            self.label.addItem("All classes", ALL)
            counts = dataset.counts()
            for code, name in enumerate(dataset.classes):
                self.label.addItem(f"{name}  ({counts[code]:,})", code)
        self.split.addItem("All splits", "")
        for name in SPLITS:
            count = len(dataset.splits.get(name, ()))
            if count:
                self.split.addItem(f"{SPLIT_WORDS[name].capitalize()}  ({count:,})", name)

    @property
    def filter(self) -> Filter:
        """What the tools above the grid say."""
        code = self.label.currentData()
        return Filter(
            None if code is None or code == ALL else int(code),
            str(self.split.currentData() or ""),
            self.search.text().strip(),
            self._only,
        )

    @Slot()
    def _match(self, *_: object) -> None:
        catalogue, wanted = self._catalogue, self.filter
        if catalogue is not None:
            self._fetch.start(lambda: (catalogue, catalogue.matching(wanted)))

    @Slot(object)
    def _matched(self, found: tuple[Catalogue, Indices]) -> None:
        if found[0] is self._catalogue:
            self.grid.show_indices(found[1])
            self._tell()

    # Ways in from other pages -------------------------------------------------------------------

    @Slot(int)
    def show_class(self, code: int) -> None:
        """Show the samples of one class, or the pictures with a box of it."""
        self.view.set_current("grid")
        self._view_chosen("grid")
        target = None if self._catalogue is None else self._catalogue.dataset.target
        if target is not None and target.box_classes:
            boxes = target.take(np.arange(len(target.values)))
            there = (boxes[..., 2:4] > boxes[..., :2]).all(axis=-1) & (boxes[..., 4] == code)
            self.show_only(np.flatnonzero(there.any(axis=1)).tolist(), target.box_classes[code])
            return
        self.label.setCurrentIndex(self.label.findData(code))
        self._match()

    def show_only(self, indices: Sequence[int], title: str) -> None:
        """Show these samples alone, until the chip with ``title`` is pressed."""
        self._only = frozenset(int(index) for index in indices)
        self.only.setText(title)
        self.only.show()
        self.label.setCurrentIndex(0)
        self.split.setCurrentIndex(0)
        self.search.clear()
        self.view.set_current("grid")
        self._view_chosen("grid")
        self._match()
        if self._only:
            self._session.set_sample(min(self._only))

    @Slot()
    def show_all(self) -> None:
        self._only = None
        self.only.hide()
        self._match()

    # Events -------------------------------------------------------------------------------------

    @Slot()
    def _mark(self) -> None:
        if self._dataset is not None:
            self.grid.set_current(self._session.sample)

    @Slot()
    def _tell(self) -> None:
        dataset = self._dataset
        if dataset is None:
            self.count.setText("")
            return
        shown, total, marked = len(self.grid.indices), len(dataset), len(self.grid.selected)
        text = f"{total:,} samples" if shown == total else f"{shown:,} of {total:,} samples"
        if marked > 1:
            text += f" · {marked:,} selected"
        self.count.setText(text)

    @Slot()
    def _tell_skipped(self) -> None:
        """Samples may turn out unreadable while a network trains on them."""
        dataset = self._dataset
        text = told(len(dataset.skipped) + len(dataset.unreadable)) if dataset is not None else ""
        if text != self.skipped.text():
            self.skipped.setText(text)
            self.skipped.setVisible(bool(text))

    @Slot()
    def _show_skipped(self) -> None:
        if self._dataset is not None and left_out(self._dataset):
            SkippedDialog(self._dataset, self).open()

    @Slot(str)
    def _view_chosen(self, view: str) -> None:
        self._views.setCurrentWidget(self.grid if view == "grid" else self.overview)
        for widget in self._filters:
            shown = view == "grid"
            if widget is self.only:
                shown = shown and self._only is not None
            elif widget is self.label:
                shown = shown and self._catalogue is not None and self._catalogue.labels is not None
            widget.setVisible(shown)

    @Slot(int)
    def _resized(self, size: int) -> None:
        self.grid.set_tile(size)
        settings().setValue("samples/tile", size)

    @Slot(QPoint)
    def _menu(self, place: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        catalogue, marked = self._catalogue, self.grid.selected
        files = [catalogue.file(index) for index in marked] if catalogue is not None else []
        paths = [path for path in files if path is not None]
        several = len(marked) > 1
        if paths:
            menu.addAction("Show in its folder", lambda: _open_folder(str(paths[0].parent)))
            what = f"Copy {len(paths):,} paths" if several else "Copy the path"
            text = "\n".join(map(str, paths))
            menu.addAction(what, lambda: QGuiApplication.clipboard().setText(text))
        if several:
            title = f"{len(marked):,} selected"
            menu.addAction(
                f"Show only these {len(marked):,}", lambda: self.show_only(marked, title)
            )
        menu.addAction("Select all", self.grid.select_all)
        menu.popup(place)

    @Slot()
    def _choose_data(self) -> None:
        self._session.reveal.emit("data")

    @Slot()
    def _recolour(self) -> None:
        self._lock.setPixmap(theme().pixmap("lock", "text2", 14))

    def showEvent(self, event: object) -> None:
        self._count_timer.start()
        self._tell_skipped()

    def hideEvent(self, event: object) -> None:
        self._count_timer.stop()

    def sizeHint(self) -> QSize:
        return QSize(1100, 700)


def _open_folder(folder: str) -> None:
    QDesktopServices.openUrl(QUrl.fromLocalFile(folder))
