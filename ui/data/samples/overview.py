"""The data set in numbers: classes by split, values, lengths, columns, what was skipped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QHelpEvent, QHideEvent, QMouseEvent, QPainter, QPaintEvent, QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QLabel,
    QSizePolicy,
    QTableWidget,
    QTableWidgetItem,
    QToolTip,
    QVBoxLayout,
    QWidget,
)

from playground.data.checks.statistics import Feature, Histogram, Statistics, measure
from playground.data.dataset import Dataset, Groups
from ui.data.bars import SPLIT_COLOURS
from ui.data.samples.large import PictureView
from ui.insight.column import token_colour
from ui.insight.fetch import Fetch
from ui.insight.sample_pictures import image_of
from ui.insight.ticks import number
from ui.theme import blend, theme
from ui.widgets import label, scrolled

ROW, NAME_SHARE, COUNT_WIDTH = 22, 0.24, 76
MOST_ROWS = 200
HISTOGRAM_HEIGHT = 110


class ClassRows(QWidget):
    """A row a class: its name, its samples by split as one bar, how many. A click is ``chosen``."""

    chosen = Signal(int)

    def __init__(self, name: str) -> None:
        super().__init__()
        self._names: Sequence[str] = ()
        self._counts: dict[str, NDArray[np.int64]] = {}
        self.setAccessibleName(name)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme().changed.connect(self.update)

    def show_counts(self, names: Sequence[str], counts: dict[str, NDArray[np.int64]]) -> None:
        """``counts`` (K,) by split."""
        self._names, self._counts = names, counts
        self.setFixedHeight(ROW * min(len(names), MOST_ROWS))
        self.setAccessibleDescription(
            ", ".join(self.told(row) for row in range(min(len(names), 20)))
        )
        self.update()

    def total(self) -> NDArray[np.int64]:
        parts = list(self._counts.values())
        return np.sum(parts, axis=0) if parts else np.zeros(len(self._names), np.int64)

    def told(self, row: int) -> str:
        parts = [f"{split} {int(part[row]):,}" for split, part in self._counts.items()]
        return f"{self._names[row]}: {', '.join(parts)}"

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(theme().font(12))
        metrics = painter.fontMetrics()
        total = self.total()
        most = max(1, int(total.max(initial=0)))
        widest = max(map(metrics.horizontalAdvance, self._names[:MOST_ROWS]), default=0)
        left = min(widest + 16.0, self.width() * NAME_SHARE)
        room = max(1.0, self.width() - left - COUNT_WIDTH)
        first = max(0, event.rect().top() // ROW)
        last = min(len(self._names), MOST_ROWS, event.rect().bottom() // ROW + 1)
        for row in range(first, last):
            top = row * ROW
            painter.setPen(theme().color("text2"))
            text = metrics.elidedText(self._names[row], Qt.TextElideMode.ElideRight, int(left) - 8)
            middle = int(Qt.AlignmentFlag.AlignVCenter)
            painter.drawText(QRectF(0, top, left - 8, ROW), middle, text)
            x = left
            painter.setPen(Qt.PenStyle.NoPen)
            for split, part in self._counts.items():
                width = room * int(part[row]) / most
                if width > 0:
                    painter.setBrush(token_colour(SPLIT_COLOURS.get(split, "text3")))
                    painter.drawRect(QRectF(x, top + 6, max(1.0, width - 1), ROW - 12))
                x += width
            painter.setPen(theme().color("text"))
            painter.drawText(QRectF(x + 8, top, COUNT_WIDTH, ROW), middle, f"{int(total[row]):,}")

    def mousePressEvent(self, event: QMouseEvent) -> None:
        row = int(event.position().y()) // ROW
        if 0 <= row < min(len(self._names), MOST_ROWS):
            self.chosen.emit(row)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            row = event.pos().y() // ROW
            if 0 <= row < len(self._names):
                QToolTip.showText(event.globalPos(), self.told(row), self)
            return True
        return super().event(event)


class HistogramView(QWidget):
    """How often values occur, with the ends of the axis below."""

    def __init__(self, name: str, *, small: bool = False) -> None:
        super().__init__()
        self._histogram: Histogram | None = None
        self._small = small
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(24 if small else HISTOGRAM_HEIGHT)
        theme().changed.connect(self.update)

    def sizeHint(self) -> QSize:
        return QSize(90 if self._small else 240, self.height())

    def show_histogram(self, histogram: Histogram | None) -> None:
        self._histogram = histogram
        if histogram is not None:
            low, high = histogram.edges[0], histogram.edges[-1]
            self.setAccessibleDescription(f"from {number(low)} to {number(high)}")
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        found = self._histogram
        if found is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        foot = 2 if self._small else 20
        height = self.height() - foot - 2
        step = self.width() / len(found.counts)
        most = max(1, int(found.counts.max()))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(blend(theme().color("accent"), theme().color("panel"), 0.3))
        for place, count in enumerate(found.counts):
            if count:
                high = max(1.0, height * int(count) / most)
                gap = 1.0 if step > 3 else 0.0
                painter.drawRect(QRectF(place * step, 2 + height - high, step - gap, high))
        if self._small:
            return
        painter.setPen(theme().color("line"))
        painter.drawLine(0, self.height() - foot, self.width(), self.height() - foot)
        painter.setFont(theme().font(11.5))
        painter.setPen(theme().color("text3"))
        below = QRectF(0, self.height() - foot + 2, self.width(), foot - 2)
        low, high = float(found.edges[0]), float(found.edges[-1])
        for value, flag in (
            (low, Qt.AlignmentFlag.AlignLeft),
            ((low + high) / 2, Qt.AlignmentFlag.AlignHCenter),
            (high, Qt.AlignmentFlag.AlignRight),
        ):
            painter.drawText(below, int(flag), number(value))


class FeatureTable(QTableWidget):
    """A table's columns: what each holds, how often nothing."""

    HEADS = ("Column", "Kind", "Mean", "Std", "Least", "Greatest", "Missing", "Distribution")

    def __init__(self) -> None:
        super().__init__(0, len(self.HEADS))
        self.setAccessibleName("Columns of the table")
        self.setHorizontalHeaderLabels(self.HEADS)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setShowGrid(False)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(30)
        header = self.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(len(self.HEADS) - 1, QHeaderView.ResizeMode.Stretch)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)

    def show_features(self, features: Sequence[Feature]) -> None:
        shown = features[:MOST_ROWS]
        self.setRowCount(len(shown))
        for row, feature in enumerate(shown):
            kind = f"{len(feature.categories)} categories" if feature.categories else "number"
            numbers = (feature.mean, feature.std, feature.low, feature.high)
            texts = [feature.name, kind]
            texts += ["" if np.isnan(value) else number(value, 4) for value in numbers]
            texts.append(f"{feature.missing:,}" if feature.missing else "–")
            for place, text in enumerate(texts):
                item = QTableWidgetItem(text)
                if feature.categories:
                    item.setToolTip(", ".join(feature.categories[:40]))
                self.setItem(row, place, item)
            bars = HistogramView(f"Distribution of {feature.name}", small=True)
            bars.show_histogram(feature.histogram)
            self.setCellWidget(row, len(texts), bars)
        self.setFixedHeight(min(420, 38 + 30 * len(shown)))


class Overview(QWidget):
    """Statistics of the session's data; measured beside the window when it is first seen."""

    class_chosen = Signal(int)
    skipped_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._dataset: Dataset | None = None
        self._measured: Dataset | None = None
        self._statistics: Statistics | None = None
        self._fetch = Fetch(self)
        self._fetch.done.connect(self._show)
        self._fetch.failed.connect(self._failed)
        self.setAccessibleName("Statistics of the data")
        self._build()

    def _build(self) -> None:
        self.message = label("", "second", wrap=True)
        self.classes = ClassRows("Samples a class and split")
        self.classes.chosen.connect(self.class_chosen)
        self.legend = label("", "small")
        self.groups = ClassRows("Samples a group and split")
        self.lengths = HistogramView("Lengths")
        self.target = HistogramView("Values of the target")
        self.values = HistogramView("Values of the input")
        self.mean = PictureView("The mean picture")
        self.mean.setFixedHeight(HISTOGRAM_HEIGHT)
        self.channels = label("", "small", selectable=True)
        self.features = FeatureTable()
        content = QWidget()
        rows = QVBoxLayout(content)
        rows.setContentsMargins(16, 12, 16, 16)
        rows.setSpacing(8)
        rows.addWidget(self.message)
        self._sections: dict[str, tuple[QLabel, list[QWidget]]] = {}
        for name, widgets in (
            ("Classes by split", (self.legend, self.classes)),
            ("Groups by split", (self.groups,)),
            ("Columns", (self.features,)),
            ("Target", (self.target,)),
            ("Lengths, in steps", (self.lengths,)),
            ("Values of the input", (self.values,)),
            ("Mean picture", (self.mean, self.channels)),
        ):
            head = label(name, "title")
            rows.addSpacing(8)
            self._sections[name] = (head, [head, *widgets])
            for widget in (head, *widgets):
                rows.addWidget(widget)
                widget.hide()
        rows.addStretch(1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scrolled(content))

    @property
    def statistics(self) -> Statistics | None:
        return self._statistics

    def show_dataset(self, dataset: Dataset | None) -> None:
        self._dataset = dataset
        self._fetch.cancel()
        self._statistics = None
        for _, widgets in self._sections.values():
            for widget in widgets:
                widget.hide()
        if self.isVisible():
            self._measure()

    def showEvent(self, event: QShowEvent) -> None:
        if self._dataset is not None and self._statistics is None:
            self._measure()

    def hideEvent(self, event: QHideEvent) -> None:
        self._fetch.cancel()

    def _measure(self) -> None:
        dataset = self._dataset
        if dataset is None or not len(dataset):
            self.message.setText("There are no samples to measure.")
            return
        self.message.setText("Measuring the samples …")
        self._fetch.start(lambda: (dataset, measure(dataset)))

    @Slot(str)
    def _failed(self, text: str) -> None:
        self.message.setText(text)

    @Slot(object)
    def _show(self, found: tuple[Dataset, Statistics]) -> None:
        dataset, statistics = found
        if dataset is not self._dataset:
            return
        self._statistics = statistics
        some = statistics.measured < len(dataset)
        on = f" Values are measured on {statistics.measured:,} of them." if some else ""
        self.message.setText(f"{dataset.summary}.{on}{sizes_told(statistics.file_sizes)}")
        counts = {name: part for name, part in statistics.counts.items() if part.sum()}
        if counts:
            boxes = dataset.target.box_classes
            self.classes.show_counts(dataset.classes or boxes, counts)
            title = "Boxes by class and split" if boxes else "Classes by split"
            self._sections["Classes by split"][0].setText(title)
            self.legend.setText(
                " · ".join(f"{name} {len(dataset.splits[name]):,}" for name in counts)
            )
        groups = dataset.groups
        if groups is not None:
            self._sections["Groups by split"][0].setText(f"{groups.what.capitalize()} by split")
            self.groups.show_counts(groups.names, group_counts(dataset, groups))
        self.features.show_features(statistics.features)
        self.target.show_histogram(statistics.target)
        self.lengths.show_histogram(statistics.lengths)
        self.values.show_histogram(statistics.values)
        if statistics.mean_picture is not None:
            picture = statistics.mean_picture
            pixels = dataset.inputs[next(iter(dataset.inputs))].values.dtype == np.uint8
            self.mean.show_image(image_of(picture.astype(np.uint8) if pixels else picture))
        self.channels.setText(
            "   ".join(
                f"channel {place}: mean {number(mean, 4)}, std {number(std, 3)}"
                for place, (mean, std) in enumerate(statistics.channels)
            )
        )
        for name, there in (
            ("Classes by split", bool(counts)),
            ("Groups by split", groups is not None),
            ("Columns", bool(statistics.features)),
            ("Target", statistics.target is not None),
            ("Lengths, in steps", statistics.lengths is not None),
            ("Values of the input", statistics.values is not None),
            ("Mean picture", statistics.mean_picture is not None),
        ):
            for widget in self._sections[name][1]:
                widget.setVisible(there)


def sizes_told(sizes: Sequence[tuple[int, int]]) -> str:
    """How large the picture files are; "" where that is not known."""
    if not sizes:
        return ""
    (height, width), count = Counter(sizes).most_common(1)[0]
    if count == len(sizes):
        return f" The files are {height}×{width} pixels."
    small, large = min(sizes, key=lambda s: s[0] * s[1]), max(sizes, key=lambda s: s[0] * s[1])
    return (
        f" The files are from {small[0]}×{small[1]} to {large[0]}×{large[1]} pixels, most often "
        f"{height}×{width}."
    )


def group_counts(dataset: Dataset, groups: Groups) -> dict[str, NDArray[np.int64]]:
    """Samples a group by split."""
    return {
        name: np.bincount(groups.codes[part], minlength=len(groups.names)).astype(np.int64)
        for name, part in dataset.splits.items()
        if len(part)
    }
