"""Groups: a node whose inside is a graph. Definitions are shared, instances set what is exposed."""

from __future__ import annotations

from dataclasses import replace

from models.graph import GROUP, INPUT, OUTPUT, Definition, Graph, GraphError, Node
from models.layers import LAYERS
from models.parameters import Parameter, Values

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
