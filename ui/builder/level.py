"""Which network is on the canvas: the whole one, or the inside of a group that was opened.

The canvas, the inspector and the outline work on a level as they would on the session: what they
edit inside becomes an edit of the whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal, Slot

from models import grouping
from models.edits import EditError
from models.graph import GROUP, INPUT, Definition, Graph, GraphError
from models.groups import definition_of, inside
from models.parameters import Parameter
from models.shapes import NodeReport, Report, ShapeInference
from playground.messages import PortId, Snapshot
from ui.session import Session

SEPARATOR = "/"
Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Crumb:
    """A step of the way to what is on the canvas. ``uses``: how many change with an edit of it."""

    text: str
    path: Path
    uses: int = 0


class Level(QObject):
    """What a part of the window sees of the session, at the level that is open.

    ``opened`` comes, before ``graph_changed``, when another level is shown; ``rearranged`` when an
    edit gave all nodes other places.
    """

    opened = Signal()
    rearranged = Signal()
    graph_changed = Signal()
    selection_changed = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.session = session
        self.path: Path = ()
        self.tell = session.tell
        self.reveal = session.reveal
        self.settings_changed = session.settings_changed
        self.project_changed = session.project_changed
        self._next: Path | None = None
        self._inner = Graph()
        self._report = Report({}, frozenset())
        self._inference = ShapeInference()
        self._selection: tuple[str, ...] = ()
        self._moving = False
        session.edited_inside.connect(self._edited_inside)
        session.graph_changed.connect(self._changed)
        session.selection_changed.connect(self._selected)
        session.project_changed.connect(self._other_project)

    # --- what is seen -------------------------------------------------------------------------

    @property
    def graph(self) -> Graph:
        return self._inner if self.path else self.session.graph

    @property
    def report(self) -> Report:
        return self._report if self.path else self.session.report

    @property
    def selection(self) -> tuple[str, ...]:
        return self._selection if self.path else self.session.selection

    @property
    def is_open(self) -> bool:
        return self.session.is_open

    @property
    def definition(self) -> Definition | None:
        """The definition that is edited here; None in the whole network."""
        if not self.path:
            return None
        host = grouping.at(self.session.graph, self.path[:-1])
        return definition_of(host, host.nodes[self.path[-1]])

    def crumbs(self) -> list[Crumb]:
        """The way from the whole network to here."""
        session = self.session
        name = session.project.name if session.is_open else ""
        found, graph = [Crumb(name or "Network", ())], session.graph
        for depth, id in enumerate(self.path, 1):
            node = graph.nodes[id]
            definition = definition_of(graph, node)
            uses = grouping.uses(session.graph, definition.id)
            text = f"{node.name} · {definition.name}"
            found.append(Crumb(text, self.path[:depth], uses))
            graph = inside(graph, node)
        return found

    def exposed(self, node: str) -> dict[str, str]:
        """The parameters of an inner node that each use sets, and what they are called there."""
        definition = self.definition
        items = definition.exposed if definition is not None else ()
        return {item.parameter: item.id for item in items if item.node == node}

    def bound(self, node: str) -> bool:
        """Whether the shape of this node is that of what arrives at the group, not its own."""
        return bool(self.path) and self.graph.nodes[node].layer == INPUT

    def hidden(self, node: str, parameters: Iterable[Parameter]) -> list[Parameter]:
        """The parameters that can be set on this level."""
        bound = self.bound(node)
        return [p for p in parameters if p.id != "definition" and not (bound and p.id == "shape")]

    def values(self, snapshot: Snapshot | None) -> Mapping[PortId, NDArray[Any]]:
        """A sample's values on this level, by the ids of its nodes."""
        if snapshot is None or not self.path:
            return snapshot.values if snapshot is not None else {}
        prefix = SEPARATOR.join((*self.path, ""))
        return {
            (id.removeprefix(prefix), port): value
            for (id, port), value in snapshot.values.items()
            if id.startswith(prefix) and SEPARATOR not in id.removeprefix(prefix)
        }

    # --- going --------------------------------------------------------------------------------

    def open(self, id: str) -> bool:
        """Go inside a group node; tells why where that cannot be."""
        return self.go((*self.path, id))

    def go(self, path: Path) -> bool:
        """Show the inside of the group at ``path``; () is the whole network."""
        try:
            grouping.at(self.session.graph, path)
        except GraphError as error:
            self.tell(f"{str(error)[:1].upper()}{str(error)[1:]}.", "warn", key="canvas")
            return False
        if path != self.path:
            left, self.path = self.path, path
            came_from = left[len(path)] if left[: len(path)] == path else ""
            self._selection = (came_from,) if came_from else ()
            self._moving = True
            self.session.select(path[:1] or self._selection)
            self._moving = False
            self._shown()
        return True

    @Slot()
    def back(self) -> bool:
        """Out of the group; False where none is open."""
        return bool(self.path) and self.go(self.path[:-1])

    def _shown(self) -> None:
        self._refresh()
        self._watch()
        self.opened.emit()
        self.graph_changed.emit()
        self.selection_changed.emit()

    def _refresh(self) -> None:
        """Take the inside of the opened group from the session; a level that is gone is left."""
        graph, report = self.session.graph, self.session.report
        found: Report | None = report
        path: Path = ()
        for id in self.path:
            node = graph.nodes.get(id)
            try:
                if node is None or node.layer != GROUP:
                    break
                entry = found.nodes.get(id, NodeReport()) if found is not None else NodeReport()
                graph, found = inside(graph, node), entry.inside
            except GraphError:
                break
            path = (*path, id)
        self.path = path
        self._inner = graph
        if path:
            self._report = found if found is not None else self._inference.infer(graph)
            self._selection = tuple(id for id in self._selection if id in graph.nodes)

    def _watch(self) -> None:
        """Ask for what leaves the nodes on the canvas, where no snapshot has it by itself."""
        ports = []
        if self.path:
            prefix = SEPARATOR.join((*self.path, ""))
            ports = [
                (prefix + id, port)
                for id, entry in self._report.nodes.items()
                for port in entry.outputs
            ]
        self.session.watch("inside", ports)

    # --- editing ------------------------------------------------------------------------------

    def edit(self, label: str, graph: Graph, merge: str | None = None) -> None:
        """Take an edited graph of this level as one undoable step."""
        if not self.path:
            self.session.edit(label, graph, merge)
            return
        try:
            whole = grouping.edit_inside(self.session.graph, self.path, graph)
        except (EditError, GraphError) as error:
            self.tell(f"{str(error)[:1].upper()}{str(error)[1:]}.", "warn", key="canvas")
            return
        merge = f"{SEPARATOR.join(self.path)} {merge}" if merge is not None else None
        self.session.edit(label, whole, merge, self.path)

    def edit_whole(self, label: str, graph: Graph) -> None:
        """Take an edited graph of the whole network, as a step of this level."""
        self.session.edit(label, graph, None, self.path)

    def select(self, ids: Iterable[str]) -> None:
        if not self.path:
            self.session.select(ids)
            return
        chosen = tuple(id for id in ids if id in self._inner.nodes)
        if chosen != self._selection:
            self._selection = chosen
            self.selection_changed.emit()

    def show(self, id: str) -> None:
        """Select a node of this level and bring it into view."""
        self.select([id])
        self.reveal.emit("node:" + SEPARATOR.join((*self.path, id)))

    # --- the session --------------------------------------------------------------------------

    @Slot(object)
    def _edited_inside(self, path: Path) -> None:
        """Show the level that is changed; another use of the same definition will do."""
        if path != self.path and self._definitions(path) != self._definitions(self.path):
            self._next = path

    def _definitions(self, path: Path) -> list[object]:
        graph, found = self.session.graph, []
        for id in path:
            node = graph.nodes.get(id)
            found.append(node.params.get("definition") if node is not None else None)
            try:
                graph = inside(graph, node) if node is not None else graph
            except GraphError:
                break
        return found

    @Slot()
    def _changed(self) -> None:
        before, self.path = self.path, self.path if self._next is None else self._next
        self._next = None
        self._refresh()
        if self.path != before:
            self._moving = True
            self._selection = ()
            self.session.select(self.path[:1] or self.session.selection)
            self._moving = False
            self._shown()
            return
        if self.path:
            self._watch()
        self.graph_changed.emit()

    @Slot()
    def _selected(self) -> None:
        """Somebody chose a node of the whole network: show that."""
        if self._moving:
            return
        if self.path and self.session.selection != self.path[:1]:
            self.path = ()
            self._shown()
        else:
            self.selection_changed.emit()

    @Slot()
    def _other_project(self) -> None:
        self.path, self._selection, self._next = (), (), None
        self._inner = Graph()
        self.session.watch("inside", ())
        self.opened.emit()


def level_of(session: Session) -> Level:
    """The one level of a session that all parts of its window share."""
    found = session.findChild(Level)
    return found if isinstance(found, Level) else Level(session)
