"""A graph that is named as torchvision names its layers takes torchvision's weights."""

from __future__ import annotations

from itertools import pairwise

import torch

import playground.compat  # noqa: F401  (repairs torchvision where its operators are missing)
from models.axes import image
from models.build import build
from models.graph import Edge, Graph, Node
from models.shapes import infer


def chain(*layers: tuple[str, str, dict]) -> Graph:
    """Named layers in a row: ``(name, layer, params)``."""
    nodes = [Node(f"n{i}", name, layer, params) for i, (name, layer, params) in enumerate(layers)]
    edges = tuple(Edge(a.id, "output", b.id, "input") for a, b in pairwise(nodes))
    return Graph({node.id: node for node in nodes}, edges)


def alexnet() -> Graph:
    pool = ("max-pool2d", {"kernel_size": 3, "stride": 2})
    features = [
        ("conv2d", {"out_channels": 64, "kernel_size": 11, "stride": 4, "padding": 2}),
        ("relu", {}),
        pool,
        ("conv2d", {"out_channels": 192, "kernel_size": 5}),
        ("relu", {}),
        pool,
        ("conv2d", {"out_channels": 384}),
        ("relu", {}),
        ("conv2d", {"out_channels": 256}),
        ("relu", {}),
        ("conv2d", {"out_channels": 256}),
        ("relu", {}),
        pool,
    ]
    classifier = [
        ("dropout", {}),
        ("linear", {"out_features": 4096}),
        ("relu", {}),
        ("dropout", {}),
        ("linear", {"out_features": 4096}),
        ("relu", {}),
        ("linear", {"out_features": 1000}),
    ]
    return chain(
        ("input", "input", {"shape": image(3, 224, 224).to_json()}),
        *((f"features.{i}", *item) for i, item in enumerate(features)),
        ("avgpool", "adaptive-avg-pool", {"output_size": [6, 6]}),
        ("flatten", "flatten", {}),
        *((f"classifier.{i}", *item) for i, item in enumerate(classifier)),
        ("output", "output", {}),
    )


def test_alexnet_takes_torchvisions_weights_and_gives_the_same_output():
    from torchvision.models import alexnet as reference

    graph = alexnet()
    report = infer(graph)
    assert report.parameters == 61_100_840
    with torch.device("meta"):
        names = list(build(graph, report).module.state_dict())
    theirs = reference(weights=None).eval()
    assert names == list(theirs.state_dict())
    ours = build(graph, report).module.eval()
    ours.load_state_dict(theirs.state_dict())
    x = torch.randn(2, 3, 224, 224)
    with torch.no_grad():
        assert torch.equal(ours(x), theirs(x))
