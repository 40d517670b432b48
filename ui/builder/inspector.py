"""What is selected, in full: a node's settings and shapes, several nodes, or the whole network."""

from __future__ import annotations

from collections import Counter

from PySide6.QtCore import QEvent, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QGridLayout,
    QLineEdit,
    QSizePolicy,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from models.graph import Graph, Node
from models.groups import parameters_of
from models.layers import LAYERS
from models.parameters import Parameter
from models.shapes import NodeReport
from ui.builder import commands
from ui.builder.inspector_groups import DefinitionBox, ExposeBox
from ui.builder.inspector_parts import Facts, Head, ProblemBox
from ui.builder.level import Level, level_of
from ui.builder.numbers import bytes_text, flops_text, scaled
from ui.forms import Form
from ui.session import Session
from ui.widgets import Button, ElidedLabel, divider, label, scrolled

MOST_PROBLEMS = 20
OWN_WEIGHTS = "its own"


class Inspector(QWidget):
    """Follows the selection. While hidden it rests."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._level = level = level_of(session)
        self.setAccessibleName("Inspector")
        self.node_page = NodePage(level)
        self.several_page = SeveralPage(level)
        self.graph_page = GraphPage(level)
        self._stack = QStackedLayout(self)
        self._stack.setContentsMargins(0, 0, 0, 0)
        self._areas = {}
        for page in (self.node_page, self.several_page, self.graph_page):
            area = scrolled(page)
            self._areas[page] = area
            self._stack.addWidget(area)
        level.graph_changed.connect(self.refresh)
        level.selection_changed.connect(self.refresh)
        session.settings_changed.connect(self.refresh)
        self.refresh()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()

    @Slot()
    def refresh(self) -> None:
        if not self.isVisible():
            return
        chosen = [id for id in self._level.selection if id in self._level.graph.nodes]
        page: NodePage | SeveralPage | GraphPage = self.graph_page
        if len(chosen) == 1:
            page = self.node_page
        elif chosen:
            page = self.several_page
        page.show_nodes(chosen)
        if self._stack.currentWidget() is not self._areas[page]:
            self._stack.setCurrentWidget(self._areas[page])


class _Page(QWidget):
    """A column of rows."""

    def __init__(self, level: Level) -> None:
        super().__init__()
        self.level = level
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(14, 12, 14, 12)
        self.column.setSpacing(8)

    def show_nodes(self, ids: list[str]) -> None:
        raise NotImplementedError


class NodePage(_Page):
    """One node: what it is, its settings, its name, its shapes and cost."""

    def __init__(self, level: Level) -> None:
        super().__init__(level)
        self._id = ""
        self.head = Head()
        self.problem = ProblemBox(level)
        self.editor = ParameterForm(level)
        self.expose = ExposeBox(level)
        self.definition = DefinitionBox(level)
        self.identity = QGridLayout()
        self.identity.setHorizontalSpacing(12)
        self.identity.setVerticalSpacing(8)
        self.identity.setColumnStretch(0, 42)
        self.identity.setColumnStretch(1, 58)
        self.name = QLineEdit()
        self.name.setAccessibleName("Name")
        self.name.setMinimumWidth(40)
        self.name.setToolTip("The node's name: its path in the network and in saved weights.")
        self.lender = QComboBox()
        self.lender.setAccessibleName("Shares weights with")
        self.lender.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._lender_label = label("Weights", "second")
        self.identity.addWidget(label("Name", "second"), 0, 0)
        self.identity.addWidget(self.name, 0, 1)
        self.identity.addWidget(self._lender_label, 1, 0)
        self.identity.addWidget(self.lender, 1, 1)
        self.facts = Facts()
        for widget in (self.head, self.problem, self.definition, self.editor, self.expose):
            self.column.addWidget(widget)
        self.column.addLayout(self.identity)
        self.column.addWidget(divider())
        self.column.addWidget(self.facts)
        self.column.addStretch()
        self.name.editingFinished.connect(self._rename)
        self.lender.activated.connect(self._share)

    def event(self, event: QEvent) -> bool:
        done = super().event(event)
        if event.type() in (QEvent.Type.Resize, QEvent.Type.LayoutRequest):
            self._align()
        return done

    def _align(self) -> None:
        """Let the name begin where the fields of the form above do."""
        fields = [field for field in self.editor.form.fields.values() if field.isVisible()]
        if fields:
            gap = self.identity.horizontalSpacing()
            self.identity.setColumnMinimumWidth(0, fields[0].x() - gap)
            self.identity.setColumnStretch(0, 0)

    def show_nodes(self, ids: list[str]) -> None:
        graph = self.level.graph
        node = graph.nodes[ids[0]]
        entry = self.level.report.nodes.get(node.id, NodeReport())
        self._id = node.id
        layer = LAYERS.find(node.layer)
        self.head.show_layer(layer, node)
        self.problem.show_problem(node.id, entry.problem)
        self.editor.show_nodes([node])
        self.expose.show_node(node)
        self.definition.show_node(node)
        if not self.name.hasFocus() or not self.name.isModified():
            self.name.setText(node.name)
        self._show_lenders(graph, node)
        self.facts.show_rows(_facts(entry))

    def _show_lenders(self, graph: Graph, node: Node) -> None:
        others = [
            other
            for other in graph.of_layer(node.layer)
            if other.id != node.id and other.shares_weights_with is None
        ]
        reports = self.level.report.nodes
        shown = any(reports[other.id].parameters for other in others)
        shown = shown or node.shares_weights_with is not None
        self.lender.setVisible(shown)
        self._lender_label.setVisible(shown)
        if not shown:
            return
        wanted = [(OWN_WEIGHTS, None), *((f"those of {o.name}", o.id) for o in others)]
        if wanted != [
            (self.lender.itemText(i), self.lender.itemData(i)) for i in range(len(wanted))
        ]:
            self.lender.clear()
            for text, id in wanted:
                self.lender.addItem(text, id)
        while self.lender.count() > len(wanted):
            self.lender.removeItem(self.lender.count() - 1)
        self.lender.setCurrentIndex(max(0, self.lender.findData(node.shares_weights_with)))

    @Slot()
    def _rename(self) -> None:
        node = self.level.graph.nodes.get(self._id)
        name = self.name.text().strip()
        self.name.setModified(False)
        if node is None or name == node.name:
            return
        if not commands.rename(self.level, self._id, name):
            self.name.setText(node.name)

    @Slot(int)
    def _share(self, index: int) -> None:
        if self._id in self.level.graph.nodes:
            commands.share_weights(self.level, self._id, self.lender.itemData(index))
            self.show_nodes([self._id])


class SeveralPage(_Page):
    """Several nodes: how many of what, what can be done with all, and their common settings."""

    def __init__(self, level: Level) -> None:
        super().__init__(level)
        self.title = label("", "title")
        self.kinds = label("", "small", wrap=True)
        self.editor = ParameterForm(level)
        self.note = label("", "small", wrap=True)
        self.facts = Facts()
        row = QGridLayout()
        row.setSpacing(8)
        for place, (text, icon, slot) in enumerate(
            (
                ("Arrange", "grid", self._arrange),
                ("Duplicate", "copy", self._duplicate),
                ("Copy", "copy", self._copy),
                ("Delete", "trash", self._delete),
            )
        ):
            button = Button(text, icon)
            button.clicked.connect(slot)
            row.addWidget(button, place // 2, place % 2)
        for widget in (self.title, self.kinds, self.editor, self.note):
            self.column.addWidget(widget)
        self.column.addLayout(row)
        self.column.addWidget(divider())
        self.column.addWidget(self.facts)
        self.column.addStretch()

    def show_nodes(self, ids: list[str]) -> None:
        nodes = [self.level.graph.nodes[id] for id in ids]
        layers = Counter(node.layer for node in nodes)
        self.title.setText(f"{len(nodes)} nodes")
        named = [(LAYERS.find(layer), layer, count) for layer, count in layers.most_common()]
        words = [f"{count} × {kind.name if kind else layer}" for kind, layer, count in named]
        self.kinds.setText(", ".join(words[:8]) + (" …" if len(words) > 8 else ""))
        same = LAYERS.find(nodes[0].layer) if len(layers) == 1 else None
        self.editor.show_nodes(nodes if same is not None else [])
        self.note.setText(f"Changes apply to all {len(nodes)}." if same is not None else "")
        self.note.setVisible(same is not None and bool(self.editor.form.fields))
        reports = [self.level.report.nodes[id] for id in ids]
        self.facts.show_rows(
            (
                ("Parameters", f"{sum(entry.parameters for entry in reports):,}"),
                ("FLOPs", scaled(sum(entry.flops for entry in reports), "").strip()),
            )
        )

    @Slot()
    def _arrange(self) -> None:
        commands.tidy(self.level)

    @Slot()
    def _duplicate(self) -> None:
        commands.duplicate(self.level)

    @Slot()
    def _copy(self) -> None:
        commands.copy(self.level)

    @Slot()
    def _delete(self) -> None:
        commands.delete(self.level, self.level.selection)


class GraphPage(_Page):
    """The whole network: its size, and what is wrong with it."""

    def __init__(self, level: Level) -> None:
        super().__init__(level)
        self.title = ElidedLabel("", "title")
        self.summary = label("", "small", wrap=True)
        self.facts = Facts()
        self.state = label("", "small", wrap=True)
        self.problems = QVBoxLayout()
        self.problems.setSpacing(8)
        self._boxes: list[ProblemBox] = []
        self.definition = DefinitionBox(level)
        for widget in (self.title, self.summary, self.definition, divider(), self.facts,
                       divider(), self.state):  # fmt: skip
            self.column.addWidget(widget)
        self.column.addLayout(self.problems)
        self.column.addStretch()

    def show_nodes(self, ids: list[str]) -> None:
        level, report = self.level, self.level.report
        project = level.session.project if level.is_open else None
        self.title.set_text(level.session.title if project is not None else "No network")
        text = project.summary if project is not None else ""
        self.summary.setText(text or "Select a node to see its settings here.")
        if level.path:
            self.title.set_text(f"Inside {level.crumbs()[-1].text}")
            self.summary.setText("Select a node to see its settings here. Esc leads back out.")
        self.definition.show_inside()
        batch = project.training.batch_size if project is not None else 1
        self.facts.show_rows(
            (
                ("Nodes", f"{len(level.graph.nodes):,}"),
                ("Connections", f"{len(level.graph.edges):,}"),
                ("Parameters", f"{report.parameters:,}"),
                ("Forward pass", flops_text(report.flops)),
                (f"Values at batch {batch}", bytes_text(report.activation_bytes(batch))),
            )
        )
        self._show_problems()

    def _show_problems(self) -> None:
        report = self.level.report
        found = report.problems()
        if report.missing and self.level.graph.nodes:
            words = report.missing[:1].upper() + report.missing[1:] + "."
        elif not found:
            words = "No errors." if self.level.graph.nodes else ""
        else:
            errors = sum(problem.level == "error" for _, problem in found)
            words = f"{errors} error{'s' * (errors != 1)}" if errors else "No errors"
            notes = len(found) - errors
            words += f", {notes} note{'s' * (notes != 1)}." if notes else "."
        more = len(found) - MOST_PROBLEMS
        self.state.setText(f"{words} The first {MOST_PROBLEMS}:" if more > 0 else words)
        shown = found[:MOST_PROBLEMS]
        while len(self._boxes) < len(shown):
            box = ProblemBox(self.level, named=True)
            self._boxes.append(box)
            self.problems.addWidget(box)
        for index, box in enumerate(self._boxes):
            box.show_problem(*(shown[index] if index < len(shown) else ("", None)))


class ParameterForm(QWidget):
    """The settings of a node, or of several of one layer. Typing is one step of the history."""

    def __init__(self, level: Level) -> None:
        super().__init__()
        self._level = level
        self._ids: tuple[str, ...] = ()
        self._place: tuple[object, ...] = ()
        self._shown: list[Parameter] = []
        self._spell = 0
        self.form = Form()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.form)
        self.form.edited.connect(self._edited)
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        application.focusChanged.connect(self._focus_changed)

    def show_nodes(self, nodes: list[Node]) -> None:
        place = (self._level.path, *(node.id for node in nodes))
        parameters = self._parameters(nodes)
        values = nodes[0].params if nodes else {}
        if place != self._place or parameters != self._shown:
            self._place, self._shown = place, parameters
            self._ids = tuple(node.id for node in nodes)
            self._spell += 1
            self.form.set_parameters(parameters, values)
        else:
            self.form.set_values(values)
        self.setVisible(bool(self.form.fields))

    def _parameters(self, nodes: list[Node]) -> list[Parameter]:
        """What can be set of all ``nodes``: of groups, what their common definition exposes."""
        if not nodes or len({str(node.params.get("definition")) for node in nodes}) > 1:
            return []
        node = nodes[0]
        return self._level.hidden(node.id, parameters_of(self._level.graph, node))

    @Slot(str, object)
    def _edited(self, key: str, value: object) -> None:
        ids = [id for id in self._ids if id in self._level.graph.nodes]
        merge = f"set {key} {' '.join(ids)} {self._spell}"
        commands.set_parameter(self._level, ids, key, value, merge)

    @Slot("QWidget*", "QWidget*")
    def _focus_changed(self, old: QWidget | None, new: QWidget | None) -> None:
        """What is typed after leaving a field and coming back is another step."""
        self._spell += 1


def _facts(entry: NodeReport) -> list[tuple[str, str]]:
    """A node's shapes and costs, with their units."""
    rows = []
    for port, shapes in entry.inputs.ports.items():
        name = "In" if len(entry.inputs.ports) == 1 else f"In · {port}"
        rows.append((name, ", ".join(map(str, shapes))))
    for port, shape in entry.outputs.items():
        name = "Out" if len(entry.outputs) == 1 else f"Out · {port}"
        rows.append((name, str(shape)))
    if entry.per_frame:
        rows.append(("Runs on", "every frame"))
    if entry.ok and entry.outputs:
        rows.append(("Parameters", f"{entry.parameters:,}"))
        rows.append(("FLOPs", scaled(entry.flops, "").strip()))
    elif entry.waiting:
        rows.append(("Out", "waits for a node before it"))
    return rows
