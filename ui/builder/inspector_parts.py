"""Pieces of the inspector: a layer's head, a problem with its fix, rows of facts."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QEvent, Qt, Slot
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from models.graph import Node
from models.layers.declaration import FAMILIES, Layer
from models.shapes import Problem
from ui.builder import commands
from ui.builder.level import SEPARATOR, Level
from ui.theme import theme
from ui.widgets import Button, ElidedLabel, Strip, label


class Head(QWidget):
    """The strip of the family, the layer's name and id, and what it does."""

    def __init__(self) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        row = QHBoxLayout()
        row.setSpacing(8)
        self._shown: tuple[Layer | None, str] | None = None
        self._strip = Strip(theme().family(""), 3, 18)
        self._title = label("", "title")
        self._id = ElidedLabel("", "third")
        self._summary = label("", "small", wrap=True)
        row.addWidget(self._strip)
        row.addWidget(self._title)
        row.addWidget(self._id, 1)
        column.addLayout(row)
        column.addWidget(self._summary)
        self._refont()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            self._refont()

    def _refont(self) -> None:
        self._title.setFont(theme().font(14, 600))
        self._id.setFont(theme().mono(11))

    def show_layer(self, layer: Layer | None, node: Node) -> None:
        if (layer, node.layer) == self._shown:
            return
        self._shown = (layer, node.layer)
        family = layer.family if layer is not None else ""
        self._strip.set_color(theme().family(family))
        self._strip.setToolTip(FAMILIES.get(family, ""))
        name = layer.name if layer is not None else "Unknown layer"
        self._title.setText(name)
        self._id.set_text(node.layer)
        self._summary.setText(
            layer.summary
            if layer is not None
            else "This version does not know the layer. It is kept as it is in the document."
        )


class ProblemBox(QFrame):
    """What is wrong at a node, with the button that mends it. ``named``: and the way there."""

    def __init__(self, level: Level, *, named: bool = False) -> None:
        super().__init__()
        self._level, self._id = level, ""
        self._problem: Problem | None = None
        self.setProperty("kind", "banner")
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 8, 10, 8)
        column.setSpacing(6)
        self.node = Button("", kind="link")
        self.node.setVisible(named)
        self.text = label("", "error", wrap=True)
        self.fix, self.enter = Button(""), Button("Show inside")
        for widget in (self.node, self.text):
            column.addWidget(widget)
        for button in (self.fix, self.enter):
            column.addWidget(button, 0, Qt.AlignmentFlag.AlignLeft)
        self.enter.clicked.connect(self._enter)
        self.node.clicked.connect(self._show_node)
        self.fix.clicked.connect(self._mend)

    def show_problem(self, id: str, problem: Problem | None) -> None:
        self.setVisible(problem is not None)
        self._id = id
        self.enter.setVisible(problem is not None and bool(self._inside()))
        if problem is None or (problem is self._problem and not self.node.isVisibleTo(self)):
            self._problem = problem
            return
        self._problem = problem
        self.node.setText(self._level.graph.nodes[id].name)
        self.text.setText(problem.message[:1].upper() + problem.message[1:] + ".")
        kind = "error" if problem.level == "error" else "small"
        if self.text.property("kind") != kind:
            self.text.setProperty("kind", kind)
            self.text.style().polish(self.text)
        self.fix.setVisible(problem.fix is not None)
        self.fix.setText(problem.fix.label if problem.fix is not None else "")

    @Slot()
    def _show_node(self) -> None:
        self._level.show(self._id)

    def _inside(self) -> list[str]:
        """The way from the node to the innermost one that has the error."""
        entry, way = self._level.report.nodes.get(self._id), []
        while entry is not None and entry.inside is not None and entry.problem is not None:
            found = [id for id, p in entry.inside.problems() if p.level == "error"]
            if not found:
                break
            way.append(found[0])
            entry = entry.inside.nodes[found[0]]
        return way

    @Slot()
    def _enter(self) -> None:
        self._level.reveal.emit(
            "node:" + SEPARATOR.join((*self._level.path, self._id, *self._inside()))
        )

    @Slot()
    def _mend(self) -> None:
        commands.fix(self._level, self._id, self._problem)


class Facts(QWidget):
    """Rows of a label and a value in mono; values can be copied."""

    def __init__(self) -> None:
        super().__init__()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(12)
        self._grid.setVerticalSpacing(5)
        self._grid.setColumnStretch(1, 1)
        self._rows: list[tuple[QLabel, QLabel]] = []

    def show_rows(self, rows: Iterable[tuple[str, str]]) -> None:
        wanted = list(rows)
        while len(self._rows) < len(wanted):
            name, value = label("", "second"), label("", selectable=True, wrap=True)
            value.setFont(theme().mono(11))
            value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            row = len(self._rows)
            self._grid.addWidget(name, row, 0, Qt.AlignmentFlag.AlignTop)
            self._grid.addWidget(value, row, 1)
            self._rows.append((name, value))
        for index, (name, value) in enumerate(self._rows):
            shown = index < len(wanted)
            name.setVisible(shown)
            value.setVisible(shown)
            if shown and (name.text(), value.text()) != wanted[index]:
                name.setText(wanted[index][0])
                value.setText(wanted[index][1])
                value.setAccessibleName(f"{wanted[index][0]}: {wanted[index][1]}")

    def text(self) -> dict[str, str]:
        """What is shown, by label."""
        return {n.text(): v.text() for n, v in self._rows if n.isVisibleTo(self)}
