"""EfficientNet-Lite0 (Tan & Le 2019, EfficientNet; the Lite variants by Liu 2020: no squeeze-and-
excitation, ReLU6 instead of swish), as a graph whose blocks are groups that can be opened.

Without their leading underscores the names are those of the reference implementation in PyTorch,
so that its weights load.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from models.axes import image
from models.graph import GROUP, INPUT, OUTPUT, Definition, Exposed, Graph
from models.zoo.row import Row

EPSILON, MOMENTUM = 1e-3, 0.01
DROPOUT = 0.2
STEM, HEAD = 32, 1280
SIZE = 224

Weight = TypeVar("Weight")


@dataclass(frozen=True, slots=True)
class Stage:
    """Blocks of one kind: the first of them has ``stride``."""

    blocks: int
    kernel: int
    stride: int
    expansion: int
    channels: int


STAGES = (
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 6, 24),
    Stage(2, 5, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112),
    Stage(4, 5, 2, 6, 192),
    Stage(1, 3, 1, 6, 320),
)


def efficientnet_lite0(classes: int = 1000, size: int = SIZE) -> Graph:
    """The network for pictures 3×``size``×``size``; the Output has ``classes`` logits."""
    definitions = {item.id: item for item in (_block("separable"), _block("inverted"),
                   _block("residual"), _block("strided"))}  # fmt: skip
    row = Row(Graph(definitions=definitions))
    row.add(INPUT, "image", shape=image(3, size, size).to_json())
    first, second = _sides(size, 3)
    row.add("pad", "conv_stem_pad", left=first, right=second, top=first, bottom=second)
    row.add(
        "conv2d", "conv_stem", out_channels=STEM, kernel_size=3, stride=2, padding=0, bias=False
    )
    side = -(-size // 2)
    row.add("batch-norm", "bn0", eps=EPSILON, momentum=MOMENTUM)
    row.add("relu6", "relu0")
    before, number = STEM, 0
    for stage in STAGES:
        for index in range(stage.blocks):
            stride = stage.stride if index == 0 else 1
            kind = _kind(stage, stride, residual=before == stage.channels)
            values: dict[str, Any] = {"kernel": stage.kernel, "channels": stage.channels}
            if kind != "separable":
                values["expanded"] = before * stage.expansion
            if kind == "strided":
                first, second = _sides(side, stage.kernel)
                values |= {"left": first, "top": first, "right": second, "bottom": second}
                side = -(-side // 2)
            row.add(GROUP, f"blocks.{number}", definition=kind, **values)
            before, number = stage.channels, number + 1
    row.add("conv2d", "conv_head", out_channels=HEAD, kernel_size=1, bias=False)
    row.add("batch-norm", "bn1", eps=EPSILON, momentum=MOMENTUM)
    row.add("relu6", "relu1")
    row.add("global-avg-pool", "avg_pooling")
    row.add("dropout", "dropout", p=DROPOUT)
    row.add("linear", "fc", out_features=classes)
    row.add(OUTPUT, "label")
    return row.graph


def renamed(weights: Mapping[str, Weight]) -> dict[str, Weight]:
    """A state dict of the reference implementation under the graph's names."""
    return {re.sub(r"(^|\.)_", r"\1", name): value for name, value in weights.items()}


def _kind(stage: Stage, stride: int, *, residual: bool) -> str:
    if stage.expansion == 1:
        return "separable"
    if stride > 1:
        return "strided"
    return "residual" if residual else "inverted"


def _sides(size: int, kernel: int) -> tuple[int, int]:
    """The zeros before and after, so that a window that moves by 2 ends with the picture, as
    TensorFlow has it: the odd one comes after."""
    added = max(0, 2 * (-(-size // 2) - 1) + kernel - size)
    return added // 2, added - added // 2


NAMES = {
    "separable": "Separable block",
    "inverted": "Inverted block",
    "residual": "Inverted residual",
    "strided": "Inverted block, half size",
}


def _block(kind: str) -> Definition:
    """An inverted residual block (Sandler et al. 2018, MobileNetV2): widened, filtered a channel at
    a time, narrowed."""
    row = Row(Graph())
    row.add(INPUT, "input", shape=image(16, 56, 56).to_json())
    entrance = row.last
    if kind != "separable":
        row.add("conv2d", "expand_conv", out_channels=96, kernel_size=1, bias=False)
        row.add("batch-norm", "bn0", eps=EPSILON, momentum=MOMENTUM)
        row.add("relu6", "relu0")
    filtering: dict[str, Any] = {"kernel_size": 3, "bias": False}
    if kind == "strided":
        row.add("pad", "pad", left=0, right=1, top=0, bottom=1)
        filtering |= {"stride": 2, "padding": 0}
    row.add("depthwise-conv2d", "depthwise_conv", **filtering)
    row.add("batch-norm", "bn1", eps=EPSILON, momentum=MOMENTUM)
    row.add("relu6", "relu1")
    row.add("conv2d", "project_conv", out_channels=16, kernel_size=1, bias=False)
    row.add("batch-norm", "bn2", eps=EPSILON, momentum=MOMENTUM)
    if kind == "residual":
        row.add("add", "add")
        row.wire(entrance)
    row.add(OUTPUT, "output")
    graph = row.graph
    ids = {node.name: node.id for node in graph.nodes.values()}
    exposed = [
        Exposed("kernel", ids["depthwise_conv"], "kernel_size"),
        Exposed("channels", ids["project_conv"], "out_channels"),
    ]
    if "expand_conv" in ids:
        exposed.insert(0, Exposed("expanded", ids["expand_conv"], "out_channels"))
    if "pad" in ids:
        exposed += [Exposed(s, ids["pad"], s) for s in ("left", "right", "top", "bottom")]
    return Definition(kind, NAMES[kind], graph, tuple(exposed))
