"""Pieces of the inspector for groups: the definition that is shared, and what each use sets."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QGridLayout, QLineEdit, QMenu, QVBoxLayout, QWidget

from models import grouping
from models.graph import GROUP, Definition, GraphError, Node
from models.groups import definition_of, parameters_of
from ui.builder import group_commands
from ui.builder.level import Level
from ui.widgets import Button, label


class DefinitionBox(QWidget):
    """The name of a group's definition, how many uses share it, and what can be done with it."""

    def __init__(self, level: Level) -> None:
        super().__init__()
        self._level = level
        self._node, self._definition = "", ""
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        row = QGridLayout()
        row.setHorizontalSpacing(12)
        row.setColumnStretch(0, 42)
        row.setColumnStretch(1, 58)
        self.name = QLineEdit()
        self.name.setAccessibleName("Name of the group")
        self.name.setMinimumWidth(40)
        self.name.setToolTip("What this kind of group is called in the project.")
        row.addWidget(label("Group", "second"), 0, 0)
        row.addWidget(self.name, 0, 1)
        column.addLayout(row)
        self.uses = label("", "small", wrap=True)
        column.addWidget(self.uses)
        self.open, self.apart = Button("Open", "group"), Button("Ungroup")
        self.independent = Button("Make independent")
        self.independent.setToolTip("Give this use a group of its own: the others stay as they are")
        buttons = QGridLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self.open, 0, 0)
        buttons.addWidget(self.apart, 0, 1)
        buttons.addWidget(self.independent, 1, 0, 1, 2)
        column.addLayout(buttons)
        self.name.editingFinished.connect(self._rename)
        self.open.clicked.connect(self._open)
        self.apart.clicked.connect(self._ungroup)
        self.independent.clicked.connect(self._make_independent)

    def show_node(self, node: Node) -> None:
        """Show what ``node`` is a use of, if it is a group."""
        definition = None
        if node.layer == GROUP:
            try:
                definition = definition_of(self._level.graph, node)
            except GraphError:
                definition = None
        self._show(node.id, definition)

    def show_inside(self) -> None:
        """Show the group that is open."""
        self._show("", self._level.definition)

    def _show(self, node: str, definition: Definition | None) -> None:
        self.setVisible(definition is not None)
        self._node, self._definition = node, definition.id if definition is not None else ""
        if definition is None:
            return
        if not self.name.hasFocus() or not self.name.isModified():
            self.name.setText(definition.name)
            self.name.setCursorPosition(0)
        uses = grouping.uses(self._level.session.graph, definition.id)
        for button in (self.open, self.apart):
            button.setVisible(bool(node))
        self.independent.setVisible(bool(node) and uses > 1)
        shared = f"All {uses} uses share what is inside" if uses > 1 else "Used once"
        self.uses.setText(f"{shared}.")

    @Slot()
    def _rename(self) -> None:
        known = self._level.session.graph.definitions.get(self._definition)
        name = self.name.text().strip()
        self.name.setModified(False)
        if known is None or name == known.name:
            return
        if not group_commands.rename_definition(self._level, known.id, name):
            self.name.setText(known.name)

    @Slot()
    def _open(self) -> None:
        self._level.open(self._node)

    @Slot()
    def _ungroup(self) -> None:
        group_commands.ungroup(self._level, [self._node])

    @Slot()
    def _make_independent(self) -> None:
        group_commands.make_independent(self._level, self._node)


class ExposeBox(QWidget):
    """Inside a group: which settings of a node each use has for itself."""

    def __init__(self, level: Level) -> None:
        super().__init__()
        self._level = level
        self._node = ""
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        self.text = label("", "small", wrap=True)
        self.button = Button("Expose …")
        self.button.setToolTip("Choose which settings each use of the group has for itself")
        self.button.clicked.connect(self._choose)
        column.addWidget(self.text)
        column.addWidget(self.button)

    def show_node(self, node: Node) -> None:
        self._node = node.id
        choices = self.choices() if self._level.path else []
        self.setVisible(bool(choices))
        if not choices:
            return
        own = [text for _, text, exposed in choices if exposed]
        uses = self._level.crumbs()[-1].uses
        if own:
            words = f"This use's own: {', '.join(own)}."
        else:
            words = "Every use of the group has these settings." if uses > 1 else ""
        self.text.setText(words)
        self.text.setVisible(bool(words))

    def choices(self) -> list[tuple[str, str, bool]]:
        """The settings of the node that can be exposed: id, label, and whether they are."""
        graph = self._level.graph
        node = graph.nodes.get(self._node)
        if node is None:
            return []
        exposed = self._level.exposed(node.id)
        own = self._level.hidden(node.id, parameters_of(graph, node))
        return [(p.id, p.label, p.id in exposed) for p in own]

    @Slot()
    def _choose(self) -> None:
        menu = self.menu()
        menu.popup(self.button.mapToGlobal(QPoint(0, self.button.height())))

    def menu(self) -> QMenu:
        """A tick a setting."""
        menu = QMenu(self)
        menu.setAccessibleName("Settings that each use has for itself")
        menu.aboutToHide.connect(menu.deleteLater)
        for id, text, exposed in self.choices():
            action = menu.addAction(text)
            action.setCheckable(True)
            action.setChecked(exposed)
            action.setData(id)
        menu.triggered.connect(self._chosen)
        return menu

    @Slot(QAction)
    def _chosen(self, action: QAction) -> None:
        group_commands.set_exposed(self._level, self._node, str(action.data()), action.isChecked())
