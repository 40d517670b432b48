"""Groups: a node whose inside is a graph. Definitions are shared, instances set what is exposed."""

from __future__ import annotations

from dataclasses import replace

from models.graph import INPUT, OUTPUT, Definition, Graph, GraphError, Node
from models.parameters import Values

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


def input_names(inner: Graph) -> tuple[str, ...]:
    return tuple(node.name for node in inner.of_layer(INPUT))


def output_names(inner: Graph) -> tuple[str, ...]:
    return tuple(node.name for node in inner.of_layer(OUTPUT))
