"""First networks from a picture to a picture, or to maps of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models import edits
from models.axes import Shape
from models.graph import INPUT, OUTPUT, Edge, Graph
from models.layers import LAYERS
from playground.data.dataset import Column

PITCH = (190, 150)
DEEPER = 1.5
"""Rows from one size to the next."""

WIDTHS = (16, 32, 64)
"""Channels at the picture's size, at half of it and at a quarter."""


class _Drawn:
    """A graph that grows: ``at`` places the next node by column and row."""

    def __init__(self) -> None:
        self.graph = Graph()

    def add(
        self,
        layer: str,
        name: str,
        params: Mapping[str, Any],
        at: tuple[float, float],
        *before: str,
    ) -> str:
        place = (at[0] * PITCH[0], at[1] * PITCH[1])
        name = self.graph.fresh_name(name)
        self.graph, id = edits.add_node(self.graph, layer, place, name=name, params=params)
        for source in before:
            port = LAYERS.get(layer).inputs[0].name
            self.graph = edits.connect(self.graph, Edge(source, "output", id, port))
        return id

    def convolved(self, before: str, channels: int, at: tuple[float, float]) -> str:
        id = self.add("conv2d", "conv", {"out_channels": channels}, at, before)
        return self.add("relu", "relu", {}, (at[0] + 1, at[1]), id)


def picture_graph(source: Column, target: Column, output: Shape) -> Graph:
    """A small U-Net (Ronneberger et al. 2015): down to a quarter of the size to see what is around,
    and up again with what was seen on the way; plain convolutions where the picture's sides are no
    multiples of four."""
    drawn = _Drawn()
    at = drawn.add(INPUT, source.name, {"shape": source.shape.to_json()}, (0, 0))
    height, width = output.number("H"), output.number("W")
    if height % 4 or width % 4:
        for step, channels in enumerate(WIDTHS):
            at = drawn.convolved(at, channels, (1 + 2 * step, 0))
        end = 1.0 + 2 * len(WIDTHS)
    else:
        at, end = _u_shaped(drawn, at)
    head = {"out_channels": output.number("C"), "kernel_size": 1}
    at = drawn.add("conv2d", "head", head, (end, 0), at)
    drawn.add(OUTPUT, target.name, {}, (end + 1, 0), at)
    return drawn.graph


def detector_graph(source: Column, target: Column, output: Shape) -> Graph:
    """Convolutions that make the picture coarser by strides of two, then some that look far around
    (Yu & Koltun 2016), and the maps from which boxes are read."""
    drawn = _Drawn()
    at = drawn.add(INPUT, source.name, {"shape": source.shape.to_json()}, (0, 0))
    row, rows = 0, source.shape.number("H")
    convolutions: list[Mapping[str, Any]] = []
    while rows > output.number("H"):
        convolutions.append({"out_channels": min(64, 16 << len(convolutions)), "stride": 2})
        rows = -(-rows // 2)
    wide = {"out_channels": 64 if len(convolutions) > 2 else 32}
    convolutions += [wide, {**wide, "dilation": 2}, {**wide, "dilation": 2}]
    for number, params in enumerate(convolutions):
        x = 1 + 3 * (number % 2)
        row += number > 0 and x == 1
        at = drawn.add("conv2d", "conv", params, (x, row), at)
        at = drawn.add("batch-norm", "norm", {}, (x + 1, row), at)
        at = drawn.add("relu", "relu", {}, (x + 2, row), at)
    row += 1
    head = {"out_channels": output.number("C"), "kernel_size": 1}
    at = drawn.add("conv2d", "head", head, (1, row), at)
    drawn.add(OUTPUT, target.name, {}, (2, row), at)
    return drawn.graph


def _u_shaped(drawn: _Drawn, at: str) -> tuple[str, float]:
    """The way down and up, drawn as a U; returns its end and the next free column."""
    kept, x = [], 1.0
    for depth, channels in enumerate(WIDTHS):
        at = drawn.convolved(at, channels, (x, DEEPER * depth))
        if depth < len(WIDTHS) - 1:
            kept.append(at)
            at = drawn.add("max-pool2d", "pool", {}, (x + 1, DEEPER * (depth + 0.5)), at)
            x += 1
        else:
            x += 2
    for depth in reversed(range(len(kept))):
        up = drawn.add("upsample", "up", {"mode": "linear"}, (x, DEEPER * (depth + 0.5)), at)
        joined = drawn.add("concatenate", "join", {}, (x, DEEPER * depth), up, kept[depth])
        at = drawn.convolved(joined, WIDTHS[depth], (x + 1, DEEPER * depth))
        x += 2
    return at, x + 1
