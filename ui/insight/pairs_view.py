"""Masks and pictures that a network made, each beside its input and the true one."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import numpy as np
from PySide6.QtCore import QRect, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import (
    QFocusEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from playground.answers import Detection
from playground.data.dataset import Dataset
from playground.messages import Array, Evaluation
from playground.tasks.detection import SURE
from ui.insight.box_pictures import boxes_of, inks, with_boxes
from ui.insight.column import steady
from ui.insight.fetch import Fetch
from ui.insight.masks import column_image, legend
from ui.insight.sample_pictures import image_of, paint_picture
from ui.session import Session
from ui.theme import theme
from ui.widgets import ElidedLabel, label, scrolled

MOST = 60
SIDE, INNER, GAP, CAPTION = 96, 3, 20, 22
IGNORED = 255


Images = tuple[QImage, QImage, QImage]


@dataclass(frozen=True, slots=True)
class Triple:
    """The data's index, its input, truth and answer, and how good the answer is."""

    index: int
    images: Images
    caption: str


def goodness(evaluation: Evaluation) -> tuple[Array, list[str]]:
    """How good each answer is (N,), and in words: the share of pixels whose class is right, the
    PSNR in decibels, or how many objects were found."""
    if evaluation.task == "detection":
        return _objects(evaluation)
    count = len(evaluation.true)
    true = evaluation.true.reshape(count, -1)
    said = evaluation.predicted.reshape(count, -1)
    if evaluation.task == "segmentation":
        known = true != IGNORED
        right = ((true == said) & known).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
        return right, [f"{100 * share:.1f} % of pixels" for share in right]
    squares = np.array(
        [np.square(a.astype(float) - b).mean() for a, b in zip(true, said, strict=True)]
    )
    decibels = 10 * np.log10(255**2 / np.maximum(squares, 255**2 * 1e-10))
    return decibels, [f"PSNR {value:.1f} dB" for value in decibels]


def _objects(evaluation: Evaluation) -> tuple[Array, list[str]]:
    """What is found of each picture (the F1 of its boxes; 1 where there is and was nothing)."""
    from playground.detection.precision import matched, present

    good, words = [], []
    for true, said in zip(evaluation.true, evaluation.predicted, strict=True):
        wanted, found = present(true), present(said)
        found = found[found[:, 5] >= SURE]
        right = int((matched(wanted, found) >= 0).sum())
        wrong = len(found) - right
        good.append(2 * right / (len(wanted) + len(found)) if len(wanted) + len(found) else 1.0)
        parts = [f"{right} of {len(wanted)} found"] if len(wanted) else []
        parts += [f"{wrong} wrong"] if wrong else []
        words.append(", ".join(parts) or "nothing, rightly")
    return np.asarray(good), words


def precision_words(dataset: Dataset, evaluation: Evaluation) -> str:
    """The average precision of each class, as rich text in the colours of the classes' boxes."""
    from playground.detection.precision import average_precisions

    names = dataset.target.box_classes
    ink_of, parts = inks(names), []
    for name, value in zip(
        names, average_precisions(evaluation.true, evaluation.predicted, len(names)), strict=True
    ):
        ink = "rgb({},{},{})".format(*ink_of(Detection((0, 0, 0, 0), name, 1.0)))
        figure = f"AP {100 * value:.1f} %" if np.isfinite(value) else "none to find"
        parts.append(f'<span style="color: {ink}">■</span> {escape(name)} · {figure}')
    return " &nbsp; ".join(parts)


def _images(dataset: Dataset, raw: Array, true: Array, said: Array) -> Images:
    target, image = dataset.target, image_of(raw)
    if not target.box_classes:
        return image, column_image(target, true), column_image(target, said)
    return (
        image,
        with_boxes(image, boxes_of(target, true), inks(target.box_classes)),
        with_boxes(image, boxes_of(target, said, SURE), inks(target.box_classes)),
    )


def triples(dataset: Dataset, evaluation: Evaluation) -> list[Triple]:
    """The worst answers of an evaluation first; reads the inputs."""
    good, words = goodness(evaluation)
    order = np.argsort(good, kind="stable")[:MOST].tolist()
    column = next(iter(dataset.inputs.values()))
    raw = column.take(np.asarray(evaluation.indices, np.int64)[order])
    made = []
    for place, value in zip(order, raw, strict=True):
        index = int(evaluation.indices[place])
        images = _images(dataset, value, evaluation.true[place], evaluation.predicted[place])
        name = dataset.captions[index] if index < len(dataset.captions) else str(index + 1)
        made.append(Triple(index, images, f"{name} · {words[place]}"))
    return made


class TripleTiles(QWidget):
    """Input, truth and answer side by side, with a line below. ``chosen`` carries the index that
    was clicked or chosen with the arrow keys."""

    chosen = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self._triples: list[Triple] = []
        self._current = -1
        self.setAccessibleName("Input, truth and answer of samples")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        policy = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setSizePolicy(policy)
        theme().changed.connect(self.update)

    @property
    def triples(self) -> list[Triple]:
        return self._triples

    def show_triples(self, triples: list[Triple]) -> None:
        self._triples, self._current = triples, -1
        self._sized()
        self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._sized()

    def sizeHint(self) -> QSize:
        return QSize(600, self.height())

    def _sized(self) -> None:
        rows = -(-len(self._triples) // self._across())
        self.setFixedHeight(max(1, rows * (SIDE + CAPTION + GAP)))

    def _across(self) -> int:
        return max(1, (self.width() + GAP) // (3 * SIDE + 2 * INNER + GAP))

    def place(self, number: int) -> QRect:
        """Where a triple is, with its caption."""
        row, column = divmod(number, self._across())
        wide = 3 * SIDE + 2 * INNER
        return QRect(column * (wide + GAP), row * (SIDE + CAPTION + GAP), wide, SIDE + CAPTION)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setFont(theme().font(12))
        for number, triple in enumerate(self._triples):
            place = self.place(number)
            if not place.intersects(event.rect()):
                continue
            for at, image in enumerate(triple.images):
                left = place.left() + at * (SIDE + INNER)
                paint_picture(painter, QRectF(left, place.top(), SIDE, SIDE), image)
            painter.setPen(theme().color("text2"))
            line = QRectF(place.left(), place.top() + SIDE + 4, place.width(), CAPTION - 4)
            metrics = painter.fontMetrics()
            text = metrics.elidedText(triple.caption, Qt.TextElideMode.ElideMiddle, place.width())
            painter.drawText(line, int(Qt.AlignmentFlag.AlignLeft), text)
            if number == self._current:
                painter.setPen(QPen(theme().color("accent"), 2))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRect(QRectF(place.left(), place.top(), place.width(), SIDE))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        for number in range(len(self._triples)):
            if self.place(number).contains(event.position().toPoint()):
                self._choose(number)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {
            Qt.Key.Key_Left: -1,
            Qt.Key.Key_Right: 1,
            Qt.Key.Key_Up: -self._across(),
            Qt.Key.Key_Down: self._across(),
        }
        step = steps.get(Qt.Key(event.key()))
        if step is None:
            super().keyPressEvent(event)
        elif 0 <= max(self._current, 0) + step < len(self._triples):
            self._choose(max(self._current, 0) + step)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if (
            self._current < 0
            and self._triples
            and event.reason() != Qt.FocusReason.MouseFocusReason
        ):
            self._choose(0)

    def _choose(self, number: int) -> None:
        self._current = number
        self.setAccessibleDescription(self._triples[number].caption)
        self.update()
        self.chosen.emit(self._triples[number].index)


class PairsView(QWidget):
    """The worst answers first; a click makes one the sample of all views."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.heading = ElidedLabel("", "title")
        self.legend = label("", "small", wrap=True)
        self.legend.setTextFormat(Qt.TextFormat.RichText)
        self.tiles = TripleTiles()
        self.tiles.chosen.connect(session.set_sample)
        self._fetch = Fetch(self)
        self._fetch.done.connect(self._made)
        self._fetch.failed.connect(self.heading.set_text)
        content = QWidget()
        rows = QVBoxLayout(content)
        rows.setContentsMargins(0, 0, 4, 0)
        rows.addWidget(self.tiles)
        rows.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.heading)
        column.addWidget(self.legend)
        column.addWidget(steady(scrolled(content)), 1)

    def show_evaluation(self, evaluation: Evaluation) -> None:
        dataset = self._session.dataset
        if dataset is None or evaluation.indices.max(initial=0) >= len(dataset):
            self.tiles.show_triples([])
            return
        self.heading.set_text("Input, truth and answer · the worst first")
        names = dataset.target.pixel_classes
        boxes = bool(dataset.target.box_classes)
        if not boxes:
            self.legend.setText(legend(names))
        self.legend.setVisible(bool(names) or boxes)

        def work() -> tuple[list[Triple], str]:
            words = precision_words(dataset, evaluation) if boxes else ""
            return triples(dataset, evaluation), words

        self._fetch.start(work)

    @Slot(object)
    def _made(self, made: tuple[list[Triple], str]) -> None:
        found, words = made
        self.tiles.show_triples(found)
        if words:
            self.legend.setText(words)
