"""A finding: how grave, a sentence, the samples concerned, and what can be done."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPoint, QRect, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QHelpEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QToolTip, QVBoxLayout, QWidget

from playground.data.checks import Finding
from ui.data.bars import SPLIT_COLOURS
from ui.data.samples.catalogue import Catalogue
from ui.data.samples.pictures import Look, Pictures, first_input, is_rows
from ui.insight.column import token_colour
from ui.insight.sample_pictures import is_picture, paint_picture
from ui.theme import theme
from ui.widgets import Button, Dot, label

SIDE, GAP, BETWEEN, CAPTION, ROW = 64, 4, 16, 18, 24
MOST_TILES, MOST_ROWS = 24, 6
LEVELS = {"bad": "bad", "warn": "warn", "info": "accent", "good": "good"}
WORDS = {"bad": "Problem", "warn": "Warning", "info": "Worth a look", "good": "Fine"}


class SampleStrip(QWidget):
    """The first samples of a finding side by side (texts and rows: below each other), clusters
    apart. A click on one is ``chosen``. Thumbnails come from ``pictures``."""

    chosen = Signal(int)

    def __init__(
        self, catalogue: Catalogue, clusters: Sequence[Sequence[int]], pictures: Pictures
    ) -> None:
        super().__init__()
        self._catalogue, self._pictures = catalogue, pictures
        column = first_input(catalogue.dataset)
        self._rows = is_rows(column)
        wide = SIDE if is_picture(column.shape) else SIDE * 7 // 4
        self._tile = QSize(wide, SIDE)
        self._clusters = [list(part) for part in clusters]
        self._places: list[tuple[int, QRect]] = []
        self.setAccessibleName("Samples concerned")
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._lay_out()
        pictures.ready.connect(self._made)
        theme().changed.connect(self.update)

    @property
    def samples(self) -> list[int]:
        """The samples that there is room for."""
        return [index for index, _ in self._places]

    def look(self) -> Look:
        if self._rows:
            return Look()
        return Look(self._tile, self.devicePixelRatioF(), theme().name)

    @Slot(object)
    def _made(self, made: list[int]) -> None:
        if not set(made).isdisjoint(self.samples):
            self.update()

    def _lay_out(self) -> None:
        self._places = []
        x = y = 0
        for part in self._clusters:
            for index in part:
                if self._rows:
                    if len(self._places) == MOST_ROWS:
                        break
                    self._places.append((index, QRect(0, y, self.width(), ROW)))
                    y += ROW + 2
                    continue
                fits = x + self._tile.width() <= self.width()
                if not fits or len(self._places) == MOST_TILES:
                    break
                self._places.append((index, QRect(QPoint(x, 0), self._tile)))
                x += self._tile.width() + GAP
            x += BETWEEN - GAP if len(part) > 1 else 0
            y += 6 if len(part) > 1 else 0
        self.setFixedHeight(max(ROW, y) if self._rows else SIDE + CAPTION)

    def resizeEvent(self, event: object) -> None:
        self._lay_out()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for index, place in self._places:
            made = self._pictures.get(index)
            if self._rows:
                text = "" if made is None else made.broken or made.text
                if self._catalogue.text:
                    text = self._catalogue.caption(index)
                self._paint_row(painter, place, index, text)
                continue
            if made is not None and made.image is not None:
                paint_picture(painter, QRectF(place), made.image)
            else:
                painter.fillRect(place, theme().color("raised"))
            self._paint_caption(painter, place, index)

    def _dot(self, painter: QPainter, x: float, y: float, index: int) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        shade = SPLIT_COLOURS.get(self._catalogue.split(index), "line")
        painter.setBrush(token_colour(shade))
        painter.drawEllipse(QRectF(x - 3, y - 3, 6, 6))

    def _paint_caption(self, painter: QPainter, place: QRect, index: int) -> None:
        middle = place.bottom() + 1 + CAPTION / 2
        self._dot(painter, place.left() + 3.0, middle, index)
        painter.setFont(theme().font(11))
        painter.setPen(theme().color("text2"))
        room = QRect(place.left() + 10, place.bottom() + 1, place.width() - 10, CAPTION)
        said = self._catalogue.label(index) or f"{index + 1:,}"
        text = painter.fontMetrics().elidedText(said, Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, int(Qt.AlignmentFlag.AlignVCenter), text)

    def _paint_row(self, painter: QPainter, place: QRect, index: int, text: str) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme().color("raised"))
        painter.drawRoundedRect(QRectF(place), 4, 4)
        self._dot(painter, place.left() + 11.0, place.center().y() + 1.0, index)
        painter.setFont(theme().font(12))
        said = self._catalogue.label(index)
        metrics, middle = painter.fontMetrics(), int(Qt.AlignmentFlag.AlignVCenter)
        width = min(180, metrics.horizontalAdvance(said) + 2)
        last = QRect(place.right() - 8 - width, place.top(), width, ROW)
        painter.setPen(theme().color("text"))
        elide = Qt.TextElideMode.ElideRight
        painter.drawText(last, middle, metrics.elidedText(said, elide, width))
        room = place.adjusted(22, 0, -24 - width, 0)
        painter.setPen(theme().color("text2"))
        line = metrics.elidedText(" ".join(text.split())[:1000], elide, room.width())
        painter.drawText(room, middle, line)

    def _at(self, point: QPoint) -> int | None:
        return next((index for index, place in self._places if place.contains(point)), None)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        index = self._at(event.position().toPoint())
        if index is not None:
            self.chosen.emit(index)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            index = self._at(event.pos())
            text = "" if index is None else self._catalogue.told(index)
            QToolTip.showText(event.globalPos(), text, self)
            return True
        return super().event(event)


class FindingCard(QFrame):
    """A finding that needs attention. ``show_wanted`` carries its samples, ``chosen`` one that was
    clicked, ``action_wanted`` the remedy."""

    show_wanted = Signal(object)
    chosen = Signal(int)
    action_wanted = Signal(str)

    def __init__(self, finding: Finding, catalogue: Catalogue, pictures: Pictures) -> None:
        super().__init__()
        self.finding = finding
        self.setProperty("kind", "banner")
        self.setAccessibleName(f"{WORDS[finding.level]}: {finding.sentence}")
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 10, 14, 12)
        column.setSpacing(6)
        head = QHBoxLayout()
        head.setSpacing(8)
        dot = Dot(LEVELS[finding.level])
        dot.setToolTip(WORDS[finding.level])
        beside = QVBoxLayout()
        beside.setContentsMargins(0, 5, 0, 0)
        beside.addWidget(dot)
        beside.addStretch(1)
        head.addLayout(beside)
        sentence = label(finding.sentence, "title", wrap=True, selectable=True)
        head.addWidget(sentence, 1)
        column.addLayout(head)
        if finding.advice:
            advice = label(finding.advice, "second", wrap=True)
            advice.setContentsMargins(16, 0, 0, 0)
            column.addWidget(advice)
        self.strip: SampleStrip | None = None
        if finding.clusters:
            shown = finding.clusters[:MOST_TILES]
            if finding.check == "groups":  # an example of each
                shown = tuple(part[:1] for part in shown)
            self.strip = SampleStrip(catalogue, shown, pictures)
            self.strip.chosen.connect(self.chosen)
            holder = QHBoxLayout()
            holder.setContentsMargins(16, 2, 0, 0)
            holder.addWidget(self.strip)
            column.addLayout(holder)
            column.addLayout(self._buttons())

    def _buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setContentsMargins(16, 2, 0, 0)
        row.setSpacing(8)
        count = len(self.finding.samples)
        show = Button("Show it in Samples" if count == 1 else f"Show all {count:,} in Samples")
        show.clicked.connect(self._show)
        row.addWidget(show)
        if self.finding.action == "group":
            split = Button("Split by group", "shuffle")
            split.clicked.connect(self._act)
            row.addWidget(split)
        row.addStretch(1)
        return row

    @Slot()
    def _show(self) -> None:
        self.show_wanted.emit(self.finding)

    @Slot()
    def _act(self) -> None:
        self.action_wanted.emit(self.finding.action)
