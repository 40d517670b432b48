"""The built network: names, groups, frames, sharing, values."""

from dataclasses import replace

import pytest
import torch

from models import edits
from models.axes import image, sequence, video
from models.build import BuildError, build
from models.graph import Edge, Node
from tests.models.test_edits import network
from tests.models.test_shapes import block, grouped, shaped


def test_state_dict_keys_follow_names():
    graph, (_, conv, _) = network("input", "conv2d", "output")
    graph = edits.rename(graph, conv, "features.0")
    assert list(build(graph).module.state_dict()) == ["features.0.weight", "features.0.bias"]


def test_a_graph_with_an_error_is_not_built_and_the_node_is_named():
    graph, _ = network("input", "linear", "output")
    with pytest.raises(BuildError, match="linear: "):
        build(graph)


def test_the_right_half_of_a_wrong_graph_can_be_looked_at():
    graph, (a, conv, _, _) = network("input", "conv2d", "linear", "output")
    network_ = build(graph, partial=True)
    values = network_.capture({"input": torch.zeros(2, 1, 28, 28)})
    assert set(values) == {(a, "output"), (conv, "output")}


def test_values_of_every_port_are_captured_without_leaving_training_mode():
    graph, (a, lstm, out) = network("input", "lstm", "output")
    graph = shaped(graph, a, sequence(7, 3))
    graph = replace(graph, edges=(graph.edges[0], Edge(lstm, "last", out, "input")))
    built = build(graph)
    built.module.train()
    values = built.capture({"input": torch.randn(2, 7, 3)}, {(lstm, "sequence"), (lstm, "c")})
    assert values[lstm, "sequence"].shape[:2] == (2, 7)
    assert built.module.training


def test_a_group_has_its_path_in_front_of_its_inside():
    graph, group = grouped()
    built = build(graph)
    assert list(built.module.state_dict()) == ["block.conv.weight", "block.conv.bias"]
    x = torch.randn(2, 16, 8, 8)
    conv = built.module.get_submodule("block.conv")
    assert torch.equal(built.module(x), conv(x) + x)
    assert set(built.capture({"input": x})) >= {(group, "y")}


def test_copies_of_a_repeated_group_have_weights_of_their_own():
    graph, _ = grouped("repeat", copies=2)
    module = build(graph).module
    x = torch.randn(2, 16, 8, 8)
    for copy in ("0", "1"):
        x = module.get_submodule(f"block.{copy}.conv")(x) + x
    torch.manual_seed(0)
    assert len(module.state_dict()) == 4


def test_groups_nest():
    graph, group = grouped()
    definition = graph.definitions["d1"]
    inner, (a, out) = network("input", "output")
    inner = shaped(edits.rename(edits.rename(inner, a, "x"), out, "y"), a, image(16, 4, 4))
    inner = inner.with_nodes([Node("g", "deep", "group", {"definition": "d1"})])
    edges = (Edge(a, "output", "g", "x"), Edge("g", "y", out, "input"))
    outer = replace(block(), id="d2", graph=replace(inner, edges=edges))
    graph = replace(graph, definitions={"d1": definition, "d2": outer})
    graph = edits.set_params(graph, group, {"definition": "d2"})
    assert "block.deep.conv.weight" in build(graph).module.state_dict()


def test_a_video_runs_frame_by_frame():
    graph, ids = network("input", "conv2d", "flatten", "output")
    graph = shaped(graph, ids[0], video(4, 3, 6, 6))
    built = build(graph)
    x = torch.randn(2, 4, 3, 6, 6)
    conv = built.module.get_submodule("conv2d")
    expected = torch.stack([conv(x[:, t]).flatten(1) for t in range(4)], dim=1)
    assert torch.allclose(built.module(x), expected, atol=1e-6)


def test_shared_weights_are_one_tensor():
    graph, (_, first, second, _) = network("input", "conv2d", "conv2d", "output")
    for id in (first, second):
        graph = edits.set_params(graph, id, {"out_channels": 1})
    built = build(edits.share_weights(graph, second, first))
    assert len(list(built.module.parameters())) == 2
    x = torch.randn(1, 1, 8, 8)
    conv = built.module.get_submodule("conv2d")
    assert torch.equal(built.module(x), conv(conv(x)))


def test_two_outputs_come_by_name():
    graph, (a, conv, _) = network("input", "conv2d", "output")
    graph, second = edits.add_node(graph, "output", name="second")
    graph = edits.connect(graph, Edge(conv, "output", second, "input"))
    outputs = build(graph)({"input": torch.randn(3, 1, 28, 28)})
    assert set(outputs) == {"output", "second"}
    assert a in graph.nodes


def test_inputs_that_would_be_one_argument_are_told():
    graph, (a,) = network("input")
    graph, b = edits.add_node(graph, "input", (0, 0))
    graph, add = edits.add_node(graph, "add", (0, 0))
    graph, out = edits.add_node(graph, "output", (0, 0))
    for source, target, port in ((a, add, "inputs"), (b, add, "inputs"), (add, out, "input")):
        graph = edits.connect(graph, Edge(source, "output", target, port))
    graph = edits.rename(edits.rename(graph, a, "left.x"), b, "left_x")
    with pytest.raises(BuildError, match=r"left\.x and left_x .* rename one"):
        build(graph)
