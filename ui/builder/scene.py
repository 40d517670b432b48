"""The graph as items: what changed is compared by identity, and nothing else is touched."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QPointF, QRectF, Qt, Signal
from PySide6.QtWidgets import QGraphicsItem, QGraphicsRectItem, QGraphicsScene

from models.graph import GROUP, Edge, Graph
from models.shapes import Report
from playground.messages import PortId
from ui.builder.edges import Boxes, EdgeItem, Pens, bounds
from ui.builder.faces import FIRST_PORT, PORT_PITCH, Faces
from ui.builder.nodes import NOTHING, NodeItem
from ui.theme import theme

FAR = 0.42
"""Below this zoom nodes are blocks of colour and chips are gone."""
PORT_REACH = 11.0
EDGE_REACH = 9.0
EVERYWHERE = QRectF(-1.2e7, -1.2e7, 2.4e7, 2.4e7)


@dataclass(frozen=True, slots=True)
class Hit:
    """What is at a place: a node's body, one of its ports, its fix button, an edge, or nothing."""

    kind: Literal["node", "input", "output", "fix", "edge", ""] = ""
    node: str = ""
    port: str = ""
    edge: Edge | None = None


class Scene(QGraphicsScene):
    """Items by node id and by edge."""

    edges_chosen = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setItemIndexMethod(QGraphicsScene.ItemIndexMethod.NoIndex)
        self.setSceneRect(EVERYWHERE)
        self.graph = Graph()
        self.report: Report | None = None
        self.nodes: dict[str, NodeItem] = {}
        self.edges: dict[Edge, EdgeItem] = {}
        self.faces = Faces()
        self.far = False
        self.pens = Pens(fine=True)
        self._fresh_for: tuple[object, ...] = ()
        self._values: Mapping[PortId, NDArray[Any]] = {}
        self._touching: dict[str, set[EdgeItem]] = {}
        self._selected: frozenset[str] = frozenset()
        self._chosen_edges: frozenset[Edge] = frozenset()
        self._edges_of: tuple[Edge, ...] = ()
        self._boxes: Boxes | None = None
        self._chips = _layer(self, -1.0)
        self._carrier = _layer(self, 10.0)
        self._carried_edges = _layer(self, -2.0)
        self._carried_chips = _layer(self, -1.0)
        self.carried: frozenset[str] = frozenset()
        self._loose: list[EdgeItem] = []

    # --- taking over the document -------------------------------------------------------------

    def sync(self, graph: Graph, report: Report, selection: Iterable[str]) -> None:
        """Show another state of the document; items of unchanged nodes and edges stay."""
        selected = frozenset(selection)
        if graph is self.graph and report is self.report:
            self.select(selected)
            return
        before, self.graph, self.report = self.graph, graph, report
        edges_changed = graph.edges is not before.edges
        ends = self._changed_ends(before.edges, graph.edges) if edges_changed else set()
        touched: dict[str, QRectF] = {}
        for id in [id for id in self.nodes if id not in graph.nodes]:
            item = self.nodes.pop(id)
            touched[id] = item.box
            self.removeItem(item)
            self.carried -= {id}
        reshaped = self._sync_nodes(graph, report, selected, ends, touched)
        self._selected = selected
        self._sync_edges(graph, touched, reshaped)
        if touched:
            self._boxes = None
            self._reroute(touched)

    def empty(self) -> None:
        """Take everything away: what comes next is another network, with ids of its own."""
        self.choose_edges(())
        self.show_values({})
        self.sync(Graph(), Report({}, frozenset()), ())

    def _sync_nodes(
        self,
        graph: Graph,
        report: Report,
        selected: frozenset[str],
        ends: set[str],
        touched: dict[str, QRectF],
    ) -> set[str]:
        """Update changed nodes; fills ``touched`` with the former places of those that moved or
        were resized and returns those whose report changed."""
        reshaped: set[str] = set()
        entries = report.nodes
        for id, node in graph.nodes.items():
            entry = entries.get(id, NOTHING)
            item = self.nodes.get(id)
            if item is None:
                item = NodeItem(graph, node, entry)
                self.nodes[id] = item
                self.addItem(item)
                item.select(id in selected)
                touched[id] = item.box
                reshaped.add(id)
                continue
            special = id in ends or node.layer == GROUP or node.shares_weights_with is not None
            if item.node is node and item.entry is entry and not special:
                if item.selected != (id in selected):
                    item.select(id in selected)
                continue
            if item.entry is not entry:
                reshaped.add(id)
                if item.node is node and not special and item.reshape(entry):
                    item.select(id in selected)
                    continue
            former = item.box
            item.update_from(graph, node, entry, id in selected)
            if item.box != former:
                touched[id] = former
        return reshaped

    @staticmethod
    def _changed_ends(before: tuple[Edge, ...], after: tuple[Edge, ...]) -> set[str]:
        changed = set(before) ^ set(after)
        return {edge.source for edge in changed} | {edge.target for edge in changed}

    def _sync_edges(self, graph: Graph, touched: dict[str, QRectF], reshaped: set[str]) -> None:
        fresh = self._exchange_edges(graph) if graph.edges is not self._edges_of else []
        self._edges_of = graph.edges
        for id in reshaped:
            for item in self._touching.get(id, ()):
                if item.edge.source == id:
                    self._label(item)
        if fresh and touched:
            self._boxes = None
        for item in fresh:
            self._label(item)
            self._route(item)

    def _exchange_edges(self, graph: Graph) -> list[EdgeItem]:
        """Drop the items of edges that are gone and make those of new ones."""
        wanted = dict.fromkeys(graph.edges)
        for edge in [edge for edge in self.edges if edge not in wanted]:
            self._drop_edge(edge)
        fresh = []
        for edge in wanted:
            if edge not in self.edges:
                item = EdgeItem(edge)
                item.setZValue(-2.0)
                item.setPen(self.pens.plain)
                item.chip.setParentItem(self._chips)
                self.edges[edge] = item
                self._touching.setdefault(edge.source, set()).add(item)
                self._touching.setdefault(edge.target, set()).add(item)
                self.addItem(item)
                fresh.append(item)
        self._chosen_edges &= self.edges.keys()
        return fresh

    def _label(self, item: EdgeItem) -> None:
        """Give an edge the shape of its value."""
        shape = self.nodes[item.edge.source].entry.outputs.get(item.edge.source_port)
        item.label(str(shape) if shape is not None else "")

    def _drop_edge(self, edge: Edge) -> None:
        item = self.edges.pop(edge)
        for id in (edge.source, edge.target):
            self._touching.get(id, set()).discard(item)
        self.removeItem(item.chip)
        self.removeItem(item)

    # --- routes -------------------------------------------------------------------------------

    def boxes(self) -> Boxes:
        """Every node's left, top, right and bottom, in the order of ``nodes``; carried ones are
        out of the way."""
        if self._boxes is None:
            rows = np.full((len(self.nodes), 4), np.nan)
            for row, (id, item) in enumerate(self.nodes.items()):
                if id not in self.carried:
                    x, y = item.node.position
                    rows[row] = (x, y, x + item.frame.width, y + item.frame.height)
            self._boxes = rows
        return self._boxes

    def bounds(self) -> QRectF:
        """The rectangle around all nodes."""
        boxes = self.boxes()
        return bounds(boxes[~np.isnan(boxes[:, 0])])

    def _route(self, item: EdgeItem) -> None:
        source, target = self.nodes[item.edge.source], self.nodes[item.edge.target]
        item.route(
            source.output_at(item.edge.source_port),
            target.input_at(item.edge.target_port),
            self.boxes(),
            (source.box.bottom(), target.box.bottom()),
        )

    def _reroute(self, touched: dict[str, QRectF]) -> None:
        """Lead anew the edges of ``touched`` nodes and those near where they were or are."""
        if len(touched) > 40:
            for item in self.edges.values():
                self._route(item)
            return
        stale = {item for id in touched for item in self._touching.get(id, ())}
        places = [box.adjusted(-30, -30, 30, 30) for box in touched.values()]
        places += [
            self.nodes[id].box.adjusted(-30, -30, 30, 30) for id in touched if id in self.nodes
        ]
        for item in self.edges.values():
            if item not in stale and any(item.area.intersects(place) for place in places):
                stale.add(item)
        for item in stale:
            self._route(item)

    # --- dragging -----------------------------------------------------------------------------

    def lift(self, ids: Collection[str]) -> None:
        """Take nodes in hand: they and the edges among them then move as one item."""
        self.carried = frozenset(ids)
        self._boxes = None
        for id in self.carried:
            self.nodes[id].setParentItem(self._carrier)
        self._loose = []
        for item in {item for id in ids for item in self._touching.get(id, ())}:
            if item.edge.source in self.carried and item.edge.target in self.carried:
                item.setParentItem(self._carried_edges)
                item.chip.setParentItem(self._carried_chips)
            else:
                self._loose.append(item)

    def carry(self, offset: QPointF) -> None:
        """Move what is in hand to ``offset`` from where it was."""
        for layer in (self._carrier, self._carried_edges, self._carried_chips):
            layer.setPos(offset)
        for item in self._loose:
            self._route(item)

    def put_down(self) -> None:
        """Let go: everything is where the document has it."""
        ids, self.carried = self.carried, frozenset()
        self._boxes = None
        for layer in (self._carrier, self._carried_edges, self._carried_chips):
            layer.setPos(0, 0)
        for id in ids:
            if id in self.nodes:
                self.nodes[id].setParentItem(None)  # type: ignore[arg-type]
        for item in list(self._carried_edges.childItems()):
            item.setParentItem(None)  # type: ignore[arg-type]
        for chip in list(self._carried_chips.childItems()):
            chip.setParentItem(self._chips)
        for item in self._loose:
            if item.edge in self.edges:
                self._route(item)
        self._loose = []

    # --- selection ----------------------------------------------------------------------------

    def select(self, ids: frozenset[str]) -> None:
        for id in ids ^ self._selected:
            if id in self.nodes:
                self.nodes[id].select(id in ids)
        self._selected = ids

    @property
    def chosen_edges(self) -> frozenset[Edge]:
        return self._chosen_edges

    def choose_edges(self, edges: Iterable[Edge]) -> None:
        """Select edges; nodes are selected through the session."""
        chosen = frozenset(edges) & self.edges.keys()
        for edge in (chosen ^ self._chosen_edges) & self.edges.keys():
            item = self.edges[edge]
            item.selected = edge in chosen
            item.fresh_for = None
            item.setPen(self.pens.chosen if item.selected else self.pens.plain)
            item.setZValue(-1.5 if item.selected else -2.0)
        if chosen != self._chosen_edges:
            self._chosen_edges = chosen
            self.edges_chosen.emit()

    # --- painting -----------------------------------------------------------------------------

    def set_far(self, far: bool) -> None:
        """Switch between the near and the far level of detail."""
        if far != self.far:
            self.far = far
            self._chips.setVisible(not far)
            self._carried_chips.setVisible(not far)
            self.repen()

    def repen(self) -> None:
        """Give all edges the pens of the theme and the level of detail."""
        self.pens = Pens(fine=not self.far)
        for edge, item in self.edges.items():
            item.setPen(self.pens.chosen if edge in self._chosen_edges else self.pens.plain)

    def show_values(self, values: Mapping[PortId, NDArray[Any]]) -> None:
        """Take a sample's values; nodes take theirs when they are painted."""
        self._values = values

    def visible(self, area: QRectF) -> list[NodeItem]:
        """The nodes in ``area``, and those in hand."""
        boxes = self.boxes()
        if not len(boxes):
            return []
        left, top, right, bottom = boxes.T
        inside = (
            (left < area.right())
            & (right > area.left())
            & (top < area.bottom())
            & (bottom + 120 > area.top())
        )
        items = list(self.nodes.values())
        found = [items[row] for row in np.flatnonzero(inside)]
        return found + [self.nodes[id] for id in self.carried if id in self.nodes]

    def freshen(self, area: QRectF, scale: float, ratio: float, budget: float) -> bool:
        """Paint what is stale in ``area`` for ``budget`` seconds at most; True when all is done."""
        end = perf_counter() + budget
        now = (scale, ratio, self.far, theme().name)
        if now != self._fresh_for:
            self._fresh_for = now
        now = self._fresh_for
        for item in self.visible(area):
            if not self.far:
                item.show_value(self._values)
            if item.fresh_for is not now:
                item.freshen(self.faces, scale, ratio, self.far)
                item.fresh_for = now
            if not self.far:
                for edge in self._touching.get(item.node.id, ()):
                    if edge.fresh_for is not now:
                        edge.freshen(self.faces, scale, ratio)
                        edge.fresh_for = now
            if perf_counter() > end:
                return False
        return True

    # --- hitting ------------------------------------------------------------------------------

    def hit(self, at: QPointF, zoom: float) -> Hit:
        """What a press at ``at`` means."""
        reach = PORT_REACH / min(1.0, max(zoom, 0.2))
        near = self.visible(QRectF(at.x() - reach, at.y() - reach, 2 * reach, 2 * reach))
        near.sort(key=lambda item: item.zValue(), reverse=True)
        for item in near:
            fix = item.fix_box() if not self.far else None
            if fix is not None and fix.contains(at):
                return Hit("fix", item.node.id)
        if not self.far:
            port = self.port_at(at, reach, near)
            if port.kind:
                return port
        for item in near:
            sign = item.sign_box() if not self.far else None
            if item.box.contains(at) or (sign is not None and sign.contains(at)):
                return Hit("node", item.node.id)
        edge = self.edge_at(at, EDGE_REACH / max(zoom, 0.2))
        return Hit("edge", edge=edge) if edge is not None else Hit()

    def port_at(self, at: QPointF, reach: float, near: Iterable[NodeItem] | None = None) -> Hit:
        """The nearest port within ``reach``; a place well inside a node is not its port."""
        if near is None:
            near = self.visible(QRectF(at.x() - reach, at.y() - reach, 2 * reach, 2 * reach))
        best, found = reach, Hit()
        for item in near:
            box = item.box
            for kind, names, x in (
                ("input", item.frame.inputs, box.left()),
                ("output", item.frame.outputs, box.right()),
            ):
                inward = at.x() - x if kind == "input" else x - at.x()
                if inward > 7:
                    continue
                for row, name in enumerate(names):
                    dy = at.y() - (box.top() + FIRST_PORT + PORT_PITCH * row)
                    distance = (inward * inward + dy * dy) ** 0.5
                    if distance < best:
                        best, found = distance, Hit(kind, item.node.id, name)  # type: ignore[arg-type]
        return found

    def edge_at(self, at: QPointF, reach: float, without: Collection[str] = ()) -> Edge | None:
        """The nearest edge within ``reach``, leaving out those of the nodes ``without``."""
        best, found = reach, None
        for edge, item in self.edges.items():
            if edge.source in without or edge.target in without:
                continue
            if item.area.adjusted(-reach, -reach, reach, reach).contains(at):
                distance = item.distance(at)
                if distance < best:
                    best, found = distance, edge
        return found

    def described(self, hit: Hit) -> str:
        """The tooltip of what was hit."""
        item = self.nodes.get(hit.node)
        if hit.kind == "node" and item is not None:
            return item.described()
        if hit.kind in ("input", "output"):
            return f"{hit.kind} {hit.port}: drag to wire it"
        return self.edges[hit.edge].text if hit.edge in self.edges else ""

    def within(self, area: QRectF) -> list[str]:
        """The nodes that a rubber band touches, in document order."""
        return [id for id, item in self.nodes.items() if item.box.intersects(area)]


def _layer(scene: QGraphicsScene, z: float) -> QGraphicsRectItem:
    """An item that only holds others."""
    item = QGraphicsRectItem()
    item.setFlag(QGraphicsItem.GraphicsItemFlag.ItemHasNoContents)
    item.setPen(Qt.PenStyle.NoPen)
    item.setZValue(z)
    scene.addItem(item)
    return item
