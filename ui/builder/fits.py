"""Whether a layer could take a value: asked of its own shape rule, on a network of two nodes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.axes import Shape
from models.graph import GROUP, INPUT, Edge, Graph, Node
from models.layers import LAYERS
from models.shapes import infer


def takes(layer: str, params: Mapping[str, Any], port: str, shape: Shape) -> bool:
    """Whether ``layer`` computes something from ``shape`` at its input ``port``.

    True where that cannot be said: the layer is a group or unknown, or needs other inputs too.
    """
    kind = LAYERS.find(layer)
    if kind is None or layer == GROUP:
        return True
    if any(not other.optional and other.name != port for other in kind.inputs):
        return True
    if any(other.name == port and other.optional for other in kind.inputs):
        return True
    source = Node("a", "source", INPUT, {"shape": shape.to_json()})
    node = Node("b", "node", layer, params)
    graph = Graph({"a": source, "b": node}, (Edge("a", "output", "b", port),))
    return infer(graph).nodes["b"].ok
