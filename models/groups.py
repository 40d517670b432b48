"""Groups: a node whose inside is a graph. Definitions are shared, instances set what is exposed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from models.graph import GROUP, INPUT, OUTPUT, Definition, Graph, GraphError, Node
from models.layers import LAYERS
from models.parameters import Parameter, ParameterError, Values, checked

DEEPEST = 16
"""How far groups may nest; also what stops a definition that contains itself."""


def definition_of(graph: Graph, node: Node) -> Definition:
    """The definition that a group node uses; raises ``GraphError``."""
    id = node.params.get("definition")
    definition = graph.definitions.get(id) if isinstance(id, str) else None
    if definition is None:
        raise GraphError(f"{node.name} is a group without a definition ({id!r} is not there)")
    return definition


def inside(graph: Graph, node: Node) -> Graph:
    """The graph inside a group node, with the instance's values for the exposed parameters."""
    definition = definition_of(graph, node)
    inner = replace(definition.graph, definitions=graph.definitions)
    changed: dict[str, Node] = {}
    for exposed in definition.exposed:
        if exposed.id in node.params and exposed.node in inner.nodes:
            target = changed.get(exposed.node, inner.nodes[exposed.node])
            params: Values = {**target.params, exposed.parameter: node.params[exposed.id]}
            changed[exposed.node] = replace(target, params=params)
    return inner.with_nodes(changed.values()) if changed else inner


@dataclass(frozen=True, slots=True)
class Leaf:
    """A node that is no group: the ids that lead to it, its modules' path, and itself."""

    ids: tuple[str, ...]
    path: str
    node: Node


def leaves(graph: Graph, ids: tuple[str, ...] = (), prefix: str = "") -> Iterator[Leaf]:
    """Every node of the network, those inside groups once for each use and copy; groups that have
    an error are left out."""
    for node in graph.nodes.values():
        path = prefix + node.name
        if node.layer != GROUP:
            yield Leaf((*ids, node.id), path, node)
            continue
        try:
            inner = inside(graph, node)
            values = checked(LAYERS.get(GROUP).parameters, node.params)
        except (GraphError, ParameterError):
            continue
        place = (*ids, node.id)
        if len(place) > DEEPEST:
            continue
        copies = range(values["copies"]) if values["kind"] == "repeat" else (None,)
        for copy in copies:
            part = f"{path}." if copy is None else f"{path}.{copy}."
            yield from leaves(inner, place if copy is None else (*place, str(copy)), part)


def input_names(inner: Graph) -> tuple[str, ...]:
    return tuple(node.name for node in inner.of_layer(INPUT))


def output_names(inner: Graph) -> tuple[str, ...]:
    return tuple(node.name for node in inner.of_layer(OUTPUT))


def exposed_parameters(graph: Graph, node: Node, depth: int = 0) -> tuple[Parameter, ...]:
    """What a use of a group can set, each with the definition's own value as its default.

    Raises ``GraphError`` where the definition is missing.
    """
    definition = definition_of(graph, node)
    found = []
    for item in definition.exposed:
        inner = definition.graph.nodes.get(item.node)
        if inner is None:
            continue
        declared = next(
            (p for p in parameters_of(graph, inner, depth + 1) if p.id == item.parameter), None
        )
        if declared is not None:
            found.append(
                replace(
                    declared,
                    id=item.id,
                    label=item.id.replace("_", " ").capitalize(),
                    default=inner.params.get(item.parameter, declared.default),
                    visible=None,
                )
            )
    return tuple(found)


def parameters_of(graph: Graph, node: Node, depth: int = 0) -> tuple[Parameter, ...]:
    """The settings of a node: its layer's, and of a group also those that it exposes."""
    layer = LAYERS.find(node.layer)
    own = layer.parameters if layer is not None else ()
    if node.layer != GROUP or depth > DEEPEST:
        return own
    try:
        return (*own, *exposed_parameters(graph, node, depth))
    except GraphError:
        return own
