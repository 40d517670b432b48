"""Where a new group is cut out of a graph: what may be cut, and which edges become its ports."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

from models.axes import Shape
from models.edits import SPACING, EditError, free_name
from models.graph import INPUT, OUTPUT, Edge, Graph, Node
from models.shapes import Report

ROW = 80.0
Source = tuple[str, str]
"""A node's id and one of its output ports."""


class Cutter:
    """Shares the edges out among the inside of a new group and what is around it."""

    def __init__(self, graph: Graph, inner: Graph, id: str, report: Report | None) -> None:
        self._graph, self._inner, self._id, self._report = graph, inner, id, report
        self._chosen = frozenset(inner.nodes)
        self._entries = dict.fromkeys(self._sources(graph, entering=True), "")
        self._exits = dict.fromkeys(self._sources(graph, entering=False), "")
        self._around: list[Edge] = []
        self._within: list[Edge] = []
        self._make_ports()

    def _sources(self, graph: Graph, *, entering: bool) -> list[Source]:
        return [
            (edge.source, edge.source_port)
            for edge in graph.edges
            if (edge.source in self._chosen) != entering
            and (edge.target in self._chosen) == entering
        ]

    def _make_ports(self) -> None:
        places = [node.position for node in self._inner.nodes.values()]
        left, right = min(x for x, _ in places), max(x for x, _ in places)
        top = min(y for _, y in places)
        for found, layer, x in (
            (self._entries, INPUT, left - SPACING),
            (self._exits, OUTPUT, right + SPACING),
        ):
            y = float("-inf")
            for source in found:
                beside = self._inner.nodes.get(source[0])
                level = beside.position[1] if layer == OUTPUT and beside is not None else top
                y = max(level, y + ROW)
                node = self._port(layer, source, len(found) == 1, (x, y))
                self._inner = self._inner.with_nodes([node])
                found[source] = node.id

    def _port(self, layer: str, source: Source, alone: bool, position: tuple[float, float]) -> Node:
        id = self._inner.fresh_id(self._graph.nodes)
        last = self._graph.nodes[source[0]].name.rpartition(".")[2]
        name = layer if alone else f"{layer}_{last}"
        params: dict[str, Any] = {}
        shape = self._shape(source)
        if layer == INPUT and shape is not None:
            params["shape"] = shape.to_json()
        return Node(id, free_name(self._inner, name), layer, params, position)

    def _shape(self, source: Source) -> Shape | None:
        found = self._report.nodes.get(source[0]) if self._report is not None else None
        return found.outputs.get(source[1]) if found is not None else None

    def take(self, edge: Edge) -> None:
        source, starts, ends = (
            (edge.source, edge.source_port),
            edge.source in self._chosen,
            edge.target in self._chosen,
        )
        if starts and ends:
            self._within.append(edge)
        elif ends:
            port = self._entries[source]
            entry = Edge(*source, self._id, self._inner.nodes[port].name)
            if entry not in self._around:
                self._around.append(entry)
            self._within.append(Edge(port, "output", edge.target, edge.target_port))
        elif starts:
            port = self._exits[source]
            exit = Edge(*source, port, "input")
            if exit not in self._within:
                self._within.append(exit)
            name = self._inner.nodes[port].name
            self._around.append(Edge(self._id, name, edge.target, edge.target_port))
        else:
            self._around.append(edge)

    def body(self) -> Graph:
        return replace(self._inner, edges=tuple(self._within))

    def outer(self) -> tuple[Edge, ...]:
        return tuple(self._around)


def check_lenders(graph: Graph, chosen: Collection[str]) -> None:
    for node in graph.nodes.values():
        lender = node.shares_weights_with
        if lender is not None and (node.id in chosen) != (lender in chosen):
            other = graph.nodes[lender].name if lender in graph.nodes else lender
            raise EditError(f"{node.name} uses the weights of {other}: select both, or neither")


def check_closed(graph: Graph, chosen: Collection[str]) -> None:
    """A way that leaves the group and comes back would make a cycle of it."""
    behind = _reached(chosen, [(edge.source, edge.target) for edge in graph.edges])
    before = _reached(chosen, [(edge.target, edge.source) for edge in graph.edges])
    for id in graph.nodes:
        if id in behind and id in before and id not in chosen:
            name = graph.nodes[id].name
            raise EditError(f"{name} lies between the selected layers: select it too")


def _reached(start: Collection[str], ways: Iterable[tuple[str, str]]) -> set[str]:
    following: dict[str, list[str]] = {}
    for source, target in ways:
        following.setdefault(source, []).append(target)
    seen, waiting = set(start), list(start)
    while waiting:
        fresh = [id for id in following.get(waiting.pop(), ()) if id not in seen]
        seen.update(fresh)
        waiting.extend(fresh)
    return seen


def common_prefix(graph: Graph, chosen: Mapping[str, Node]) -> str:
    """The longest beginning of the chosen names' paths that no other node has."""
    paths = [node.name.split(".")[:-1] for node in chosen.values()]
    common: list[str] = []
    for segments in zip(*paths, strict=False):
        if len(set(segments)) > 1:
            break
        common.append(segments[0])
    prefix = ".".join(common)
    others = (node.name for id, node in graph.nodes.items() if id not in chosen)
    return "" if any(name.startswith(f"{prefix}.") for name in others) else prefix
