"""Writing a ready-made graph from its beginning to its end."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from models import edits
from models.graph import GROUP, Edge, Graph, Node

PITCH = 190, 150
"""Pixels from a node to the next, across and down."""
LINE = 6
"""Nodes side by side."""


class Row:
    """A graph that grows node by node, laid out like lines of text."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.last = ""
        self._count = 0

    def add(self, layer: str, name: str, *, after: str | None = None, **params: Any) -> str:
        """A node behind the last one, or behind ``after`` (an id); its id."""
        across, down = PITCH
        place = (self._count % LINE * across, self._count // LINE * down)
        self._count += 1
        before = self.last if after is None else after
        if layer == GROUP:
            self.last = f"n{len(self.graph.nodes) + 1}"
            node = Node(self.last, name, layer, params, place)
            self.graph = self.graph.with_nodes([node])
        else:
            self.graph, self.last = edits.add_node(
                self.graph, layer, place, name=name, params=params
            )
        if before:
            self.wire(before)
        return self.last

    def wire(self, source: str) -> None:
        """An edge from ``source`` to the last node."""
        ports = [
            edits.ports(self.graph, self.graph.node(id))[side][0].name
            for id, side in ((source, 1), (self.last, 0))
        ]
        edge = Edge(source, ports[0], self.last, ports[1])
        self.graph = replace(self.graph, edges=(*self.graph.edges, edge))
