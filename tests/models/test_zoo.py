"""Ready-made networks: sizes as published, and blocks that can be opened."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file

from models.axes import image, vector
from models.build import build
from models.graph import GROUP, Graph
from models.shapes import infer
from models.zoo import mtcnn
from models.zoo.efficientnet import efficientnet_lite0, renamed

FACES = Path(__file__).parents[2] / "resources" / "samples" / "faces"


def test_efficientnet_lite0_is_as_published() -> None:
    graph = efficientnet_lite0()
    report = infer(graph)
    assert report.ok
    assert report.parameters == 4_652_008
    assert 0.75e9 < report.flops < 0.8e9  # 0.39 G multiplications and additions
    blocks = graph.of_layer(GROUP)
    assert len(blocks) == 16
    last = report.nodes[blocks[-1].id].outputs["output"]
    assert last == image(320, 7, 7)
    assert Graph.from_json(graph.to_json()) == graph


def test_efficientnet_lite0_of_other_sizes_answers() -> None:
    graph = efficientnet_lite0(classes=3, size=97)
    network = build(graph, infer(graph))
    network.module.eval()
    with torch.no_grad():
        assert network.module(torch.zeros(2, 3, 97, 97)).shape == (2, 3)
    head = next(node for node in graph.nodes.values() if node.name == "fc")
    assert infer(graph).nodes[head.id].outputs["output"] == vector(3)


def test_names_are_those_of_the_reference() -> None:
    network = build(efficientnet_lite0(), seed=0)
    names = set(network.module.state_dict())
    reference = {
        "_conv_stem.weight", "_bn0.running_mean", "_blocks.0._depthwise_conv.weight",
        "_blocks.1._expand_conv.weight", "_blocks.15._bn2.bias", "_conv_head.weight", "_fc.bias",
    }  # fmt: skip
    assert set(renamed(dict.fromkeys(reference, 0))) <= names
    assert len(names) == 296


def test_mtcnn_is_as_published_and_looks_at_pictures_of_any_size() -> None:
    graphs = {"p": mtcnn.pnet(90, 121), "r": mtcnn.rnet(), "o": mtcnn.onet()}
    outputs = {"box": 4, "probability": 2}
    for (letter, graph), parameters in zip(graphs.items(), (6632, 100_178, 389_040), strict=True):
        report = infer(graph)
        assert report.ok
        assert report.parameters == parameters
        network = build(graph, report, seed=0)
        network.module.load_state_dict(load_file(FACES / f"mtcnn_{letter}net.safetensors"))
        extra = {"landmarks": 10} if letter == "o" else {}
        found = {
            node.name: report.nodes[node.id].outputs["output"].sizes[0]
            for node in graph.of_layer("output")
        }
        assert found == outputs | extra
    whole = build(graphs["p"])
    cell = build(mtcnn.pnet())
    cell.module.load_state_dict(whole.module.state_dict())
    picture = torch.randn(1, 3, 90, 121)
    with torch.no_grad():
        answer = whole.module(picture)
        assert answer["probability"].shape[2:] == (40, 56)
        assert torch.equal(cell.module(picture)["box"], answer["box"])
        # a place answers for the cell that begins STRIDE times as far from the corner
        part = picture[..., 2 * 7 : 2 * 7 + mtcnn.CELL, 2 * 9 : 2 * 9 + mtcnn.CELL]
        assert torch.allclose(
            cell.module(part)["box"][..., 0, 0], answer["box"][..., 7, 9], atol=1e-5
        )
