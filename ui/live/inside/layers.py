"""The layers of a network, as they are offered to be looked into."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from models.axes import Kind, Shape
from models.graph import GROUP, INPUT, OUTPUT, Graph, GraphError, Node
from models.groups import definition_of, inside
from models.layers import LAYERS
from models.shapes import NodeReport, Report, infer
from playground.live.inside import inside_ports
from playground.messages import PortId

TELLING = 20
"""Pixels of a map's side, at least, on which something can be recognised."""


@dataclass(frozen=True, slots=True)
class Row:
    """A layer as a list shows it; ``place`` leads to it through its groups (``n3/n1``)."""

    place: str
    name: str
    layer: str
    family: str
    shape: str
    parameters: int
    port: PortId | None = None
    rows: tuple[Row, ...] = ()


@dataclass(frozen=True, slots=True)
class Layers:
    """A network: its rows, and the ports whose values can be shown with their titles."""

    title: str = ""
    rows: tuple[Row, ...] = ()
    choices: tuple[tuple[PortId, str], ...] = ()
    shapes: dict[PortId, Shape] = field(default_factory=dict)
    parameters: int = 0
    flops: int = 0

    @property
    def telling(self) -> PortId | None:
        """The deepest layer whose maps can still be recognised; groups count as one layer."""
        best: tuple[bool, int, PortId] | None = None
        for port, _ in self.choices:
            shape = self.shapes[port]
            if "/" in port[0] or shape.kind not in (Kind.IMAGE, Kind.VIDEO):
                continue
            side = int(min(shape.sizes[-2:]))
            found = (side >= TELLING, min(side, TELLING), port)
            if best is None or found[:2] >= best[:2]:
                best = found
        if best is not None:
            return best[2]
        return self.choices[-1][0] if self.choices else None

    def name(self, port: PortId) -> str:
        """What a port is called in the list."""
        return dict(self.choices).get(port, port[0])

    def size(self, port: PortId) -> str:
        """How large the maps at a port are."""
        shape = self.shapes.get(port)
        if shape is None or shape.kind not in (Kind.IMAGE, Kind.VIDEO, Kind.VOLUME):
            return ""
        return "×".join(str(side) for side in shape.sizes[-2:])


def layers_of(graph: Graph, title: str = "") -> Layers:
    """Everything that is shown of a network. Takes tens of milliseconds for a large one."""
    report = infer(graph)
    shapes: dict[PortId, Shape] = {}
    rows = tuple(_rows(graph, report, "", shapes))
    choices = tuple((port, name) for port, name, _ in inside_ports(graph, report) if port in shapes)
    return Layers(title, rows, choices, shapes, report.parameters, report.flops)


def _rows(graph: Graph, report: Report, place: str, shapes: dict[PortId, Shape]) -> list[Row]:
    found = []
    ahead, looped = graph.order()
    for id in (*ahead, *looped):
        node, entry = graph.nodes[id], report.nodes.get(id)
        if entry is None or (place and node.layer in (INPUT, OUTPUT)):
            continue
        here = f"{place}{id}"
        inner: list[Row] = []
        what = ""
        if node.layer == GROUP and entry.inside is not None:
            try:
                inner = _rows(inside(graph, node), entry.inside, f"{here}/", shapes)
                what = definition_of(graph, node).name
            except GraphError:
                inner = []
        for port, shape in entry.outputs.items():
            shapes[here, port] = shape
        found.append(_row(here, node, entry, tuple(inner), what))
    return found


def _row(place: str, node: Node, entry: NodeReport, rows: Sequence[Row], what: str) -> Row:
    """``what`` is the name of a group's definition."""
    layer = LAYERS.find(node.layer)
    port, shape = next(iter(entry.outputs.items()), ("", None))
    wanted = node.layer != OUTPUT and shape is not None and shape.kind is not Kind.TOKENS
    return Row(
        place,
        node.name,
        what or (layer.name if layer is not None else node.layer),
        layer.family if layer is not None else "",
        str(shape) if shape is not None else "",
        entry.parameters,
        (place, port) if wanted else None,
        tuple(rows),
    )
