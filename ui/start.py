"""What an empty window offers: examples, recent projects, and what a crash left behind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Slot
from PySide6.QtGui import QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from models.graph import Graph
from models.layers import LAYERS
from playground import project as projects
from playground.project import Example, ProjectError
from ui.settings import recent_projects
from ui.theme import theme
from ui.widgets import Button, ElidedLabel, label, scrolled

NODE_WIDTH, NODE_HEIGHT = 150.0, 52.0
PAGE_WIDTH, COLUMNS = 1200, 3
TURN = 14.0
LIVE_HEIGHT = 64
LIVE = (
    ("efficientnet-lite0", "camera", "Recognise things", "1,000 kinds of things on your camera."),
    ("teach", "target", "Teach my own objects", "Show it a few things: it knows them in a minute."),
    ("faces", "sparkles", "Find faces", "Boxes around faces, with eyes, nose and mouth."),
)
"""What can be done with a camera at once: an id of what runs, an icon, a title, a sentence."""


@dataclass(frozen=True)
class Rescue:
    """Something to take up again: a sentence, a button's text and what it does."""

    text: str
    button: str
    callback: Callable[[], object]
    dismiss: Callable[[], object] | None = None


class NetworkPicture(QWidget):
    """A small drawing of a graph: its nodes in the colours of their families, and its edges."""

    def __init__(self, graph: Graph, size: QSize) -> None:
        super().__init__()
        self._graph = graph
        self.setFixedHeight(size.height())
        self.setMinimumWidth(size.width())
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        theme().changed.connect(self.update)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        paint_network(painter, self._graph, QRectF(self.rect()).adjusted(1, 1, -1, -1))


def paint_network(painter: QPainter, graph: Graph, area: QRectF) -> None:
    """Draw ``graph`` as large as fits in the middle of ``area``."""
    places = {id: QPointF(*node.position) for id, node in graph.nodes.items()}
    if not places:
        return
    left = min(p.x() for p in places.values())
    top = min(p.y() for p in places.values())
    width = max(p.x() for p in places.values()) - left + NODE_WIDTH
    height = max(p.y() for p in places.values()) - top + NODE_HEIGHT
    scale = min((area.width() - 2 * TURN) / width, area.height() / height, 0.42)
    offset = area.center() - QPointF(left + width / 2, top + height / 2) * scale
    boxes = {
        id: QRectF(offset + place * scale, offset + place * scale).adjusted(
            0, 0, NODE_WIDTH * scale * 0.78, NODE_HEIGHT * scale
        )
        for id, place in places.items()
    }
    painter.setPen(QPen(theme().color("text3"), 1))
    for edge in graph.edges:
        start, end = boxes[edge.source], boxes[edge.target]
        painter.drawPath(_wire(start, end))
    painter.setPen(Qt.PenStyle.NoPen)
    for id, node in graph.nodes.items():
        layer = LAYERS.find(node.layer)
        painter.setBrush(theme().family(layer.family if layer else "group"))
        painter.drawRoundedRect(boxes[id], 3, 3)


def _wire(start: QRectF, end: QRectF) -> QPainterPath:
    first = QPointF(start.right(), start.center().y())
    last = QPointF(end.left(), end.center().y())
    path = QPainterPath(first)
    if last.x() >= first.x():
        bend = (last.x() - first.x()) / 2
        path.cubicTo(first + QPointF(bend, 0), last - QPointF(bend, 0), last)
        return path
    between = (start.bottom() + end.top()) / 2  # back to the next row: between the two
    for x, y, side in ((first.x(), first.y(), TURN), (last.x(), last.y(), -TURN)):
        here, there = QPointF(x, y), QPointF(x, between)
        if side < 0:
            here, there = there, here
            path.lineTo(here)
        path.cubicTo(here + QPointF(side, 0), there + QPointF(side, 0), there)
    return path


class Card(QPushButton):
    """An example: its network, its name and a sentence. ``compact`` for a narrow list."""

    def __init__(self, example: Example, *, compact: bool = False) -> None:
        super().__init__()
        self.setProperty("kind", "card")
        self.setAccessibleName(f"Open the example {example.title}")
        self.setAccessibleDescription(example.summary)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(136 if compact else 176)
        column = QVBoxLayout(self)
        margin = 10 if compact else 14
        column.setContentsMargins(margin, margin, margin, margin)
        column.setSpacing(2)
        graph = _example_graph(example)
        column.addWidget(NetworkPicture(graph, QSize(80, 34 if compact else 78)))
        column.addSpacing(6)
        title = ElidedLabel(example.title, "title")
        summary = label(example.summary, "second", wrap=True)
        summary.setFont(theme().font(12))
        summary.setAlignment(Qt.AlignmentFlag.AlignTop)
        column.addWidget(title)
        column.addWidget(summary, 1)
        for child in (title, summary):
            child.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def sizeHint(self) -> QSize:
        return QSize(180, self.height())

    def minimumSizeHint(self) -> QSize:
        return QSize(120, self.height())


class ExampleList(QWidget):
    """The examples as a narrow list, for the tab beside the layers."""

    def __init__(self, open_example: Callable[[str], object]) -> None:
        super().__init__()
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(8, 8, 8, 8)
        column.setSpacing(8)
        for example in projects.examples():
            card = Card(example, compact=True)
            card.clicked.connect(partial(_call, partial(open_example, example.id)))
            column.addWidget(card)
        column.addStretch()
        outer.addWidget(scrolled(content))


class StartPage(QWidget):
    """The page of a window without a project."""

    def __init__(
        self,
        open_example: Callable[[str], object],
        open_path: Callable[[Path], object],
        new: Callable[[], object],
        choose: Callable[[], object],
        record: Callable[[], object],
        recognise: Callable[[str], object],
    ) -> None:
        super().__init__()
        self._open_path = open_path
        self.setAccessibleName("Start page")
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        content = QWidget()
        row = QHBoxLayout(content)
        row.setContentsMargins(24, 24, 24, 24)
        page = QWidget()
        page.setMaximumWidth(PAGE_WIDTH)
        row.addStretch(1)
        row.addWidget(page, 100)
        row.addStretch(1)
        outer.addWidget(scrolled(content))
        self._column = QVBoxLayout(page)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(16)
        self._column.addStretch(1)
        self._column.addLayout(
            self._top(
                ("Open a project …", "folder", choose),
                ("New network", "file-plus", new),
                ("Record your own", "camera", record),
            )
        )
        self._rescues = QVBoxLayout()
        self._rescues.setSpacing(8)
        self._column.addLayout(self._rescues)
        self._column.addLayout(_live_cards(recognise))
        self._column.addSpacing(8)
        self._column.addWidget(label("Examples", "title"))
        self._column.addLayout(self._examples(open_example))
        self._recent_title = label("Recent projects", "title")
        self._column.addSpacing(8)
        self._column.addWidget(self._recent_title)
        self._recent = QVBoxLayout()
        self._recent.setSpacing(0)
        self._column.addLayout(self._recent)
        self._column.addStretch(3)
        self.refresh()

    def set_rescues(self, rescues: Sequence[Rescue]) -> None:
        """Offer what can be taken up again, above everything else."""
        _empty(self._rescues)
        for rescue in rescues:
            self._rescues.addWidget(_RescueRow(rescue))

    @Slot()
    def refresh(self) -> None:
        """Read the recent projects again."""
        _empty(self._recent)
        paths = recent_projects()
        self._recent_title.setVisible(bool(paths))
        for path in paths[:6]:
            self._recent.addWidget(_RecentRow(path, self._open_path))

    def _top(self, *ways: tuple[str, str, Callable[[], object]]) -> QHBoxLayout:
        row = QHBoxLayout()
        words = QVBoxLayout()
        words.setSpacing(4)
        words.addWidget(label("Build a network, feed it, watch it learn", "head"))
        words.addWidget(
            label("Open an example and press Run, or let the camera recognise things.", "second")
        )
        row.addLayout(words)
        row.addStretch()
        row.setSpacing(8)
        for text, icon, callback in ways:
            button = Button(text, icon)
            button.setFixedHeight(32)
            button.clicked.connect(partial(_call, callback))
            row.addWidget(button, 0, Qt.AlignmentFlag.AlignBottom)
        return row

    def _examples(self, open_example: Callable[[str], object]) -> QGridLayout:
        grid = QGridLayout()
        grid.setSpacing(12)
        for index, example in enumerate(projects.examples()):
            card = Card(example)
            card.clicked.connect(partial(_call, partial(open_example, example.id)))
            grid.addWidget(card, index // COLUMNS, index % COLUMNS)
        for column in range(COLUMNS):
            grid.setColumnStretch(column, 1)
        return grid


class LiveCard(QPushButton):
    """Something to do with the camera at once: an icon, what it is, and a sentence."""

    def __init__(self, icon: str, title: str, summary: str) -> None:
        super().__init__()
        self.setProperty("kind", "card")
        self.setAccessibleName(title)
        self.setAccessibleDescription(summary)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(LIVE_HEIGHT)
        self._icon = icon
        row = QHBoxLayout(self)
        row.setContentsMargins(18, 10, 14, 10)
        row.setSpacing(16)
        self._picture = label()
        row.addWidget(self._picture)
        words = QVBoxLayout()
        words.setSpacing(2)
        sentence = ElidedLabel(summary, "second")
        sentence.setFont(theme().font(12))
        words.addStretch()
        for child in (label(title, "title"), sentence):
            words.addWidget(child)
            child.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        words.addStretch()
        self._picture.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        row.addLayout(words, 1)
        theme().changed.connect(self._recolor)
        self._recolor()

    @Slot()
    def _recolor(self) -> None:
        self._picture.setPixmap(theme().pixmap(self._icon, "accent", 24))

    def sizeHint(self) -> QSize:
        return QSize(180, LIVE_HEIGHT)

    def minimumSizeHint(self) -> QSize:
        return QSize(120, LIVE_HEIGHT)


def _live_cards(recognise: Callable[[str], object]) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(12)
    for id, icon, title, summary in LIVE:
        card = LiveCard(icon, title, summary)
        card.clicked.connect(partial(_call, partial(recognise, id)))
        row.addWidget(card)
    return row


class _RecentRow(QPushButton):
    def __init__(self, path: Path, open_path: Callable[[Path], object]) -> None:
        super().__init__()
        self.setProperty("kind", "row")
        self.setAccessibleName(f"Open {path.name} in {path.parent}")
        self.setMinimumHeight(34)
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 0, 8, 0)
        row.setSpacing(10)
        picture = label()
        picture.setPixmap(theme().pixmap("file", "text2"))
        name, folder = label(path.stem), ElidedLabel(str(path.parent), "third")
        row.addWidget(picture)
        row.addWidget(name)
        row.addWidget(folder, 1)
        for child in (picture, name, folder):
            child.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.clicked.connect(partial(_call, partial(open_path, path)))


class _RescueRow(QFrame):
    def __init__(self, rescue: Rescue) -> None:
        super().__init__()
        self.setProperty("kind", "banner")
        self._rescue = rescue
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 8, 8, 8)
        row.setSpacing(12)
        picture = label()
        picture.setPixmap(theme().pixmap("refresh", "accent"))
        row.addWidget(picture)
        row.addWidget(label(rescue.text, wrap=True), 1)
        if rescue.dismiss is not None:
            leave = Button("Discard", "", "link")
            leave.clicked.connect(self._dismiss)
            row.addWidget(leave)
        take = Button(rescue.button, "", "primary")
        take.clicked.connect(partial(_call, rescue.callback))
        row.addWidget(take)

    @Slot()
    def _dismiss(self) -> None:
        if self._rescue.dismiss is not None:
            self._rescue.dismiss()
        self.hide()
        self.deleteLater()


def _call(callback: Callable[[], object], _checked: bool = False) -> None:
    callback()


def _example_graph(example: Example) -> Graph:
    try:
        return projects.load(example.path).graph
    except ProjectError:
        return Graph()


def _empty(layout: QVBoxLayout) -> None:
    while (item := layout.takeAt(0)) is not None:
        if (widget := item.widget()) is not None:
            widget.hide()
            widget.deleteLater()
