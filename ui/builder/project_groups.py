"""The groups of a project as layers to choose from: each definition stands for one more use."""

from __future__ import annotations

from dataclasses import replace

from models import edits, grouping
from models.graph import GROUP, Definition, Edge, Graph, Node
from models.layers import LAYERS
from models.layers.declaration import Layer

PREFIX = f"{GROUP}:"


def group_layers(graph: Graph) -> list[Layer]:
    """A layer for each definition, by name."""
    items = sorted(graph.definitions.values(), key=lambda item: item.name.lower())
    return [_as_layer(graph, item) for item in items]


def _as_layer(graph: Graph, definition: Definition) -> Layer:
    node = Node("", GROUP, GROUP, {"definition": definition.id})
    inputs, outputs = edits.ports(graph, node)
    uses = grouping.uses(graph, definition.id)
    count = len(definition.graph.nodes) - len(inputs) - len(outputs)
    words = f"{uses} use{'s' * (uses != 1)} in this project" if uses else "not used at present"
    return replace(
        LAYERS.get(GROUP),
        id=PREFIX + definition.id,
        name=definition.name,
        summary=f"A group of {count} layer{'s' * (count != 1)}; {words}.",
        inputs=inputs,
        outputs=outputs,
        caption=lambda values: "group",
        hidden=False,
    )


def layer_kind(graph: Graph, layer: str) -> Layer | None:
    """What a chosen layer is, be it of the catalogue or a group of the project."""
    if layer.startswith(PREFIX):
        definition = graph.definitions.get(layer.removeprefix(PREFIX))
        return _as_layer(graph, definition) if definition is not None else None
    return LAYERS.find(layer)


def add_node(
    graph: Graph, layer: str, position: tuple[float, float] = (0.0, 0.0)
) -> tuple[Graph, str]:
    """A new node of a layer, or one more use of a group."""
    if layer.startswith(PREFIX):
        return grouping.add_instance(graph, layer.removeprefix(PREFIX), position)
    return edits.add_node(graph, layer, position)


def splice(
    graph: Graph, layer: str, edge: Edge, position: tuple[float, float] | None = None
) -> tuple[Graph, str]:
    """A new node in ``edge``."""
    if not layer.startswith(PREFIX):
        return edits.splice(graph, layer, edge, position)
    graph, id = add_node(graph, layer, position or (0.0, 0.0))
    return edits.splice_existing(graph, id, edge), id
