"""What a person does to a graph: each function returns the edited graph, or raises ``EditError``.

``Edit`` is one undoable step. Because graphs are immutable, undoing is taking the earlier value.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from secrets import token_hex
from types import MappingProxyType
from typing import Any

from models.graph import GROUP, Definition, Edge, Graph, GraphError, Node, check_name
from models.layers import LAYERS
from models.layers.declaration import Fix, Layer, Port
from models.registry import UnknownEntry

SPACING = 190.0


class EditError(ValueError):
    """The edit cannot be made; the message says why."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One step of the undo history. Neighbours with the same ``merge`` key become one.

    ``path`` leads to the group inside which it was made.
    """

    label: str
    before: Graph
    after: Graph
    merge: str | None = None
    path: tuple[str, ...] = ()


def add_node(
    graph: Graph,
    layer: str,
    position: tuple[float, float] = (0.0, 0.0),
    *,
    name: str | None = None,
    params: Mapping[str, Any] | None = None,
) -> tuple[Graph, str]:
    """A new node with the layer's defaults; returns the graph and the node's id."""
    id = graph.fresh_id()
    if name is None:
        name = free_name(graph, layer.replace("-", "_"))
    _check_free(graph, name)
    node = Node(id, name, layer, _frozen(params or {}), position)
    return graph.with_nodes([node]), id


def splice(
    graph: Graph, layer: str, edge: Edge, position: tuple[float, float] | None = None
) -> tuple[Graph, str]:
    """Put a new node into ``edge``, by its first input and first output."""
    if edge not in graph.edges:
        raise EditError("that edge is not there any more")
    kind = _layer(layer)
    if not kind.inputs or not kind.outputs:
        raise EditError(f"{kind.name} has no {'input' if not kind.inputs else 'output'} to splice")
    if position is None:
        (x1, y1), (x2, y2) = graph.node(edge.source).position, graph.node(edge.target).position
        position = ((x1 + x2) / 2, (y1 + y2) / 2)
    graph, id = add_node(graph, layer, position)
    return _spliced(graph, id, kind.inputs[0].name, kind.outputs[0].name, edge), id


def splice_existing(graph: Graph, id: str, edge: Edge) -> Graph:
    """Put an unconnected node that is there already into ``edge`` (a node dropped on an edge)."""
    if graph.into(id) or graph.out_of(id) or id in (edge.source, edge.target):
        raise EditError("only a node without connections can be spliced into an edge")
    inputs, outputs = ports(graph, graph.node(id))
    if not inputs or not outputs:
        raise EditError("that node has no input or no output")
    return _spliced(graph, id, inputs[0].name, outputs[0].name, edge)


def connect(graph: Graph, edge: Edge) -> Graph:
    """Wire an output to an input; an input that takes one value loses its earlier edge."""
    source, target = graph.node(edge.source), graph.node(edge.target)
    if edge in graph.edges:
        raise EditError("these two are connected already")
    outputs = [port.name for port in ports(graph, source)[1]]
    if edge.source_port not in outputs:
        raise EditError(f"{source.name} has no output {edge.source_port}")
    port = next((p for p in ports(graph, target)[0] if p.name == edge.target_port), None)
    if port is None:
        raise EditError(f"{target.name} has no input {edge.target_port}")
    if graph.reaches(edge.target, edge.source):
        raise EditError(f"this would make a cycle: {target.name} already leads to {source.name}")
    edges = graph.edges
    if not port.variadic:
        edges = tuple(
            e for e in edges if (e.target, e.target_port) != (edge.target, edge.target_port)
        )
    return replace(graph, edges=(*edges, edge))


def disconnect(graph: Graph, edges: Iterable[Edge]) -> Graph:
    gone = set(edges)
    return replace(graph, edges=tuple(edge for edge in graph.edges if edge not in gone))


def remove(graph: Graph, ids: Iterable[str]) -> Graph:
    """Delete nodes and heal the chain: what fed a removed node feeds what it fed."""
    gone = [id for id in dict.fromkeys(ids) if id in graph.nodes]
    edges = list(graph.edges)
    for id in gone:
        edges = _healed(graph, edges, id)
    nodes = {id: node for id, node in graph.nodes.items() if id not in gone}
    for id, node in nodes.items():
        if node.shares_weights_with in gone:
            nodes[id] = replace(node, shares_weights_with=None)
    return replace(graph, nodes=nodes, edges=tuple(edges))


def set_params(graph: Graph, id: str, values: Mapping[str, Any]) -> Graph:
    """Change parameters; a value of None takes the default again. Unset keys stay."""
    node = graph.node(id)
    params = {**node.params, **values}
    params = {key: value for key, value in params.items() if value is not None}
    return graph.with_nodes([replace(node, params=_frozen(params))])


def rename(graph: Graph, id: str, name: str) -> Graph:
    node = graph.node(id)
    if name == node.name:
        return graph
    try:
        check_name(name)
    except GraphError as error:
        raise EditError(str(error)) from None
    others = replace(graph, nodes={key: n for key, n in graph.nodes.items() if key != id})
    _check_free(others, name)
    return graph.with_nodes([replace(node, name=name)])


def move(graph: Graph, positions: Mapping[str, tuple[float, float]]) -> Graph:
    return graph.with_nodes(
        replace(graph.node(id), position=position) for id, position in positions.items()
    )


def share_weights(graph: Graph, id: str, other: str | None) -> Graph:
    """Let a node use the weights of another of the same layer (None: its own again)."""
    node = graph.node(id)
    if other is not None:
        partner = graph.node(other)
        if partner.layer != node.layer or other == id:
            raise EditError("weights can be shared between two nodes of the same layer")
        if partner.shares_weights_with is not None:
            raise EditError(f"{partner.name} itself borrows its weights; share with the lender")
        if any(n.shares_weights_with == id for n in graph.nodes.values()):
            raise EditError(f"{node.name} lends its weights to others, so it cannot borrow")
    return graph.with_nodes([replace(node, shares_weights_with=other)])


def copy_nodes(graph: Graph, ids: Iterable[str]) -> Graph:
    """The chosen nodes and the edges among them, to be pasted."""
    chosen = set(ids)
    nodes = {id: node for id, node in graph.nodes.items() if id in chosen}
    edges = tuple(e for e in graph.edges if e.source in chosen and e.target in chosen)
    return Graph(nodes, edges, _definitions(graph, nodes.values()))


def _definitions(graph: Graph, nodes: Iterable[Node]) -> dict[str, Definition]:
    """What ``nodes`` are instances of, and what is used inside of that."""
    found: dict[str, Definition] = {}
    waiting = list(nodes)
    while waiting:
        node = waiting.pop()
        id = node.params.get("definition")
        definition = graph.definitions.get(id) if isinstance(id, str) else None
        if node.layer == GROUP and definition is not None and definition.id not in found:
            found[definition.id] = definition
            waiting += definition.graph.nodes.values()
    return found


def paste(
    graph: Graph, fragment: Graph, offset: tuple[float, float] = (32.0, 32.0)
) -> tuple[Graph, tuple[str, ...]]:
    """Add a copied fragment under new ids and free names; returns the new ids."""
    fragment = _told_apart(graph, fragment)
    ids: dict[str, str] = {}
    result = graph
    for node in fragment.nodes.values():
        ids[node.id] = result.fresh_id()
        position = (node.position[0] + offset[0], node.position[1] + offset[1])
        name = free_name(result, node.name)
        result = result.with_nodes([replace(node, id=ids[node.id], name=name, position=position)])
    for id in ids.values():
        lender = result.nodes[id].shares_weights_with
        if lender is not None:
            partner = ids.get(lender, lender if lender in graph.nodes else None)
            result = result.with_nodes([replace(result.nodes[id], shares_weights_with=partner)])
    edges = tuple(
        replace(edge, source=ids[edge.source], target=ids[edge.target]) for edge in fragment.edges
    )
    definitions: dict[str, Definition] = {**fragment.definitions, **result.definitions}
    result = replace(result, edges=(*result.edges, *edges), definitions=definitions)
    return result, tuple(ids.values())


def _told_apart(graph: Graph, fragment: Graph) -> Graph:
    """``fragment`` with other ids for definitions that are not those of ``graph``: an id and a name
    in common mean that it was copied from there, whatever was edited since."""
    ids = {
        id: fresh_definition(graph)
        for id, item in fragment.definitions.items()
        if id in graph.definitions and graph.definitions[id].name != item.name
    }
    if not ids:
        return fragment

    def told(part: Graph) -> Graph:
        changed = [
            replace(node, params={**node.params, "definition": ids[used]})
            for node in part.of_layer(GROUP)
            if (used := str(node.params.get("definition"))) in ids
        ]
        return part.with_nodes(changed) if changed else part

    definitions = {
        ids.get(id, id): replace(item, id=ids.get(id, id), graph=told(item.graph))
        for id, item in fragment.definitions.items()
    }
    return replace(told(fragment), definitions=definitions)


def fresh_definition(graph: Graph) -> str:
    """An id for a definition, by chance: it stays the same in whatever project it is pasted to."""
    while (id := f"d{token_hex(5)}") in graph.definitions:
        pass
    return id


def apply_fix(graph: Graph, id: str, fix: Fix) -> Graph:
    """Carry out the remedy that a shape error offers for node ``id``."""
    if fix.action == "set":
        return set_params(graph, id, fix.params)
    if fix.action == "remove":
        return remove(graph, [id])
    edge = next((e for e in graph.into(id) if e.target_port == (fix.port or e.target_port)), None)
    if edge is None:
        raise EditError("there is no edge to insert it into any more")
    graph, new = splice(graph, fix.layer, edge)
    return set_params(graph, new, fix.params) if fix.params else graph


def ports(graph: Graph, node: Node) -> tuple[tuple[Port, ...], tuple[Port, ...]]:
    """A node's input and output ports. A group's are its inner Input and Output nodes; a layer
    that is not known here has those that its edges use."""
    if node.layer == GROUP:
        definition = graph.definitions.get(str(node.params.get("definition")))
        if definition is not None:
            return (
                tuple(Port(inner.name) for inner in definition.graph.of_layer("input")),
                tuple(Port(inner.name) for inner in definition.graph.of_layer("output")),
            )
    layer = LAYERS.find(node.layer)
    if layer is not None and node.layer != GROUP:
        return layer.inputs, layer.outputs
    inputs = dict.fromkeys(edge.target_port for edge in graph.into(node.id))
    outputs = dict.fromkeys(edge.source_port for edge in graph.out_of(node.id))
    return (
        tuple(Port(name, variadic=True) for name in inputs),
        tuple(Port(name) for name in outputs),
    )


def _spliced(graph: Graph, id: str, input: str, output: str, edge: Edge) -> Graph:
    """Replace ``edge`` in its place by the way through node ``id``."""
    at = graph.edges.index(edge)
    way = (
        Edge(edge.source, edge.source_port, id, input),
        Edge(id, output, edge.target, edge.target_port),
    )
    return replace(graph, edges=(*graph.edges[:at], *way, *graph.edges[at + 1 :]))


def _healed(graph: Graph, edges: list[Edge], id: str) -> list[Edge]:
    """``edges`` without node ``id``; its first input's source takes over what it fed."""
    feeding = next((edge for edge in edges if edge.target == id), None)
    first_output = next(iter(ports(graph, graph.nodes[id])[1]), None)
    healed: list[Edge] = []
    for edge in edges:
        if edge.target == id:
            continue
        if edge.source != id:
            healed.append(edge)
        elif feeding is not None and first_output and edge.source_port == first_output.name:
            bridge = replace(edge, source=feeding.source, source_port=feeding.source_port)
            if bridge not in edges and bridge not in healed:
                healed.append(bridge)
    return healed


def _layer(id: str) -> Layer:
    try:
        return LAYERS.get(id)
    except UnknownEntry as error:
        raise EditError(str(error)) from None


def free_name(graph: Graph, wanted: str) -> str:
    """A name that neither exists nor begins, nor continues, another's path."""
    names = {node.name for node in graph.nodes.values()}
    prefixes = {
        ".".join(name.split(".")[:end]) for name in names for end in range(1, name.count(".") + 1)
    }
    return graph.fresh_name(wanted, prefixes)


def _check_free(graph: Graph, name: str) -> None:
    for node in graph.nodes.values():
        if node.name == name:
            raise EditError(f"there is already a node called {name}")
        if node.name.startswith(name + ".") or name.startswith(node.name + "."):
            raise EditError(f"{name} and {node.name} cannot both be names: one continues the other")


def _frozen(params: Mapping[str, Any]) -> Mapping[str, Any]:
    return MappingProxyType(copy.deepcopy(dict(params)))
