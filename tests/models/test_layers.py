"""Every layer's rule against the module that its declaration builds."""

from __future__ import annotations

import inspect
from dataclasses import replace

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from models.axes import Kind, Shape, image, sequence, tokens, vector, video, volume
from models.build import build
from models.edits import apply_fix
from models.graph import Definition, Edge, Graph, Node
from models.layers import LAYERS
from models.shapes import infer
from tests.models.catalogue import CASES, Case, T, batch, case

VARYING = [item for item in CASES if item.over_time and not item.fixed]


def sizes(shape: Shape, steps: int) -> tuple[int, ...]:
    return tuple(steps if isinstance(size, str) else size for size in shape.sizes)


def check(item: Case, steps: int | str, lengths: tuple[int, ...]) -> None:
    """The rule's shapes, parameters and products against the built module's."""
    report = infer(item.graph(steps))
    assert report.ok, report.sentence(item.graph(steps))
    network = build(item.graph(steps), report)
    module = network.module.eval()
    found = report.nodes["layer"]
    assert sum(p.numel() for p in module.parameters()) == found.parameters
    for length in lengths:
        for size in (2, 3):
            values = batch(item, length, size, valid=length if steps == T else 0)
            result = network(values)
            for port, shape in found.outputs.items():
                assert tuple(result[f"out_{port}" if len(result) > 1 else "out_output"].shape) == (
                    size,
                    *sizes(shape, length),
                )


@pytest.mark.parametrize("item", CASES, ids=str)
def test_rule_and_module_agree(item):
    for steps in (7, 9) if item.over_time else (7,):
        check(item, steps, (steps,))
    if item.over_time and not item.fixed:
        check(item, T, (7, 9))


def test_every_layer_is_checked():
    used = {item.layer for item in CASES}
    assert used == {layer.id for layer in LAYERS} - {"input", "output", "group"}


@pytest.mark.parametrize("item", [i for i in CASES if i.fixed], ids=str)
def test_a_varying_length_is_refused_in_a_sentence(item):
    problem = infer(item.graph(T)).nodes["layer"].problem
    assert problem is not None
    assert "var" in problem.message
    assert "cannot be computed" not in problem.message


@pytest.mark.parametrize("item", VARYING, ids=str)
def test_padded_steps_change_nothing(item):
    network = build(item.graph(T))
    module = network.module.eval()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.uniform_(-0.5, 0.5)
    short, long = batch(item, 5, 1, valid=5), batch(item, 8, 1, valid=8)
    both = {}
    for name, value in long.items():
        if name.endswith("_lengths"):
            both[name] = torch.tensor([5, 8])
        else:
            padded = value.clone()
            if value.shape != short[name].shape:
                padded[:, :5] = short[name]
                padded[:, 5:] = padded[:, 5:] % 10 if padded.dtype == torch.int64 else 1e4
            else:
                padded = short[name]
            both[name] = torch.cat((padded, value))
    outputs = infer(item.graph(T)).nodes["layer"].outputs
    with torch.no_grad():
        alone, full, together = network(short), network(long), network(both)
    for port, shape in outputs.items():
        name = f"out_{port}" if len(outputs) > 1 else "out_output"
        first = together[name][:1, :5] if shape.varies else together[name][:1]
        torch.testing.assert_close(first, alone[name], rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(together[name][1:], full[name], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("item", CASES, ids=str)
def test_training_gives_finite_gradients(item):
    steps = T if item in VARYING else 7
    network = build(item.graph(steps))
    values = batch(item, 7, 3, valid=6 if steps == T else 0)
    for value in values.values():
        if value.is_floating_point():
            value.requires_grad_()
    network.module.train()
    loss = sum(value[:, :6].square().mean() for value in network(values).values())
    if loss.requires_grad:
        loss.backward()
    gradients = [p.grad for p in (*network.module.parameters(), *values.values())]
    assert all(g is None or g.isfinite().all() for g in gradients)
    assert all(p.grad is not None for p in network.module.parameters())


def test_batch_statistics_leave_padded_steps_out():
    item = case("batch-norm", sequence(T, 6))
    masked, plain = build(item.graph(T)), torch.nn.BatchNorm1d(6)
    x = torch.randn(2, 8, 6)
    lengths = torch.tensor([5, 8])
    x[0, 5:] = 1e4
    result = masked({"in0": x, "in0_lengths": lengths})["out_output"]
    expected = plain(torch.cat((x[0, :5], x[1])))
    torch.testing.assert_close(result[0, :5], expected[:5])
    torch.testing.assert_close(result[1], expected[5:])
    torch.testing.assert_close(masked.module.layer.running_var, plain.running_var)


@pytest.mark.parametrize(
    "item",
    [i for i in CASES if i.layer not in ("rnn", "lstm", "gru")],
    ids=str,
)
def test_flops_are_those_that_torch_counts(item):
    steps = 7
    report = infer(item.graph(steps))
    network = build(item.graph(steps), report)
    values = batch(item, steps, 1)
    network.module.eval()
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        network(values)
    assert counter.get_total_flops() == report.flops


@pytest.mark.parametrize(
    ("item", "flops"),
    [
        (case("conv2d", image(3, 224, 224), out_channels=64, kernel_size=7, stride=2), 236_027_904),
        (case("linear", vector(4096), out_features=1000), 2 * 4096 * 1000),
        (case("lstm", sequence(10, 32), hidden_size=64), 10 * 2 * 4 * 64 * (32 + 64)),
        (
            case("gru", sequence(10, 32), hidden_size=64, num_layers=2, bidirectional=True),
            10 * 2 * 2 * 3 * 64 * ((32 + 64) + (128 + 64)),
        ),
    ],
    ids=str,
)
def test_flops_of_known_layers(item, flops):
    assert infer(item.graph()).flops == flops


def test_last_of_a_two_way_network_is_last_forward_and_first_backward():
    item = case("lstm", sequence(T, 6), hidden_size=5, bidirectional=True)
    network = build(item.graph(T))
    values = {"in0": torch.randn(2, 8, 6), "in0_lengths": torch.tensor([5, 8])}
    result = network(values)
    steps, last = result["out_sequence"], result["out_last"]
    assert torch.equal(last[0], torch.cat((steps[0, 4, :5], steps[0, 0, 5:])))
    assert torch.equal(last[1], torch.cat((steps[1, 7, :5], steps[1, 0, 5:])))


def test_states_that_leave_can_be_fed_in_again():
    """Two halves, the second begun with the first's states, give what the whole gives."""
    item = case("lstm", sequence(8, 6), hidden_size=5, num_layers=2)
    lstm = torch.nn.LSTM(6, 5, 2, batch_first=True)
    whole = build(item.graph())
    shapes = {"input": (sequence(4, 6),), "h": (vector(10),), "c": (vector(10),)}
    half = build(Case("lstm", shapes, item.params).graph())
    for network in (whole, half):
        network.module.layer.load_state_dict(lstm.state_dict())
    x = torch.randn(3, 8, 6)
    zeros = torch.zeros(3, 10)
    first = half({"in0": x[:, :4], "in1": zeros, "in2": zeros})
    second = half({"in0": x[:, 4:], "in1": first["out_h"], "in2": first["out_c"]})
    expected = whole({"in0": x})
    torch.testing.assert_close(second["out_sequence"], expected["out_sequence"][:, 4:])
    torch.testing.assert_close(second["out_c"], expected["out_c"])
    torch.testing.assert_close(expected["out_sequence"], lstm(x)[0])


@pytest.mark.parametrize(
    ("item", "words", "repaired"),
    [
        (case("linear", image(32, 7, 7)), "Linear needs a vector; got image 32×7×7: insert Fl", 1),
        (case("linear", tokens(9)), "Linear needs numbers; got tokens T 9: insert Embedding", 1),
        (case("conv2d", sequence(128, 1)), "Conv2d needs an image; got sequence T 128 × F 1", 1),
        (case("conv2d", vector(9)), "insert Reshape to 9×1×1", 1),
        (case("conv2d", image(1, 3, 3), kernel_size=5, padding=0), "set a kernel of 3×3", 1),
        (case("conv2d", image(9, 8, 8), out_channels=12, groups=4), "9 input channels: use 3", 1),
        (case("conv2d", image(8, 8, 8), out_channels=10, groups=4), "10 output channels: use 8", 1),
        (case("conv1d", image(1, 8, 8)), "Conv1d needs a sequence; got image 1×8×8: ins", 1),
        (case("conv3d", image(3, 8, 8)), "needs a volume or a video", 1),
        (case("conv-transpose2d", image(3, 8, 8), output_padding=2), "output padding 2", 1),
        (case("conv-transpose2d", image(3, 1, 1), padding=1), "takes away all", 1),
        (case("max-pool2d", image(3, 1, 8)), "the kernel 2×2 of MaxPool2d is larger", 1),
        (case("max-pool2d", image(3, 8, 8), padding=2), "more than half of the kernel", 1),
        (case("adaptive-avg-pool", sequence(9, 4), output_size=[2, 3]), "one size here", 1),
        (case("lstm", image(1, 28, 28)), "LSTM needs a sequence; got image 1×28×28: ins", 1),
        (case("gru", video(5, 3, 8, 8)), "insert Flatten", 1),
        (case("lstm", vector(30)), "insert Reshape", 1),
        (case("self-attention", sequence(9, 10)), "4 heads do not divide 10 features: use 5", 1),
        (case("transformer-encoder", tokens(9)), "insert Embedding", 1),
        (
            case("positional-encoding", sequence(T, 8), encoding="learned"),
            "cannot learn a vector for each step",
            1,
        ),
        (
            case("positional-encoding", sequence(9, 8), encoding="learned", max_length=4),
            "has vectors for 4 steps; got sequence T 9 × F 8: set the largest length 9",
            1,
        ),
        (case("group-norm", image(6, 4, 4)), "4 groups do not divide 6 channels: use 3", 1),
        (case("group-norm", vector(4)), "a group of one feature", 1),
        (case("instance-norm", image(6, 1, 1)), "more than one value a channel", 0),
        (case("embedding", sequence(4, 3)), "Embedding needs tokens", 0),
        (case("flatten", sequence(T, 3)), "insert Mean over time", 1),
        (case("reshape", vector(60)), "needs 64 numbers; got vector 60, which are 60", 0),
        (case("permute", sequence(4, 3)), "needs each axis of sequence T 4 × F 3", 1),
        (case("permute", image(4, 3, 2), order="H W"), "set C W H", 1),
        (case("upsample", sequence(4, 3), mode="bicubic"), "use linear", 1),
        (case("pad", image(3, 4, 4), left=4, mode="reflect"), "mirror more than there is", 1),
        (case("add", image(3, 4, 4), image(3, 4, 5)), "same shape; got image 3×4×4 and im", 0),
        (case("multiply", image(3, 4, 4), vector(4)), "a factor for each of its channels", 0),
        (case("concatenate", image(3, 4, 4), vector(4)), "values of one kind", 0),
        (case("concatenate", image(3, 4, 4), image(3, 4, 5)), "every axis but the channels", 0),
        (case("concatenate", vector(4), axis="T"), "vector 4 has no time", 0),
        (case("rows", volume(1, 2, 3, 4)), "Rows needs an image; got volume 1×2×3×4", 0),
        (case("repeat", image(3, 4, 4)), "Repeat needs a vector", 1),
        (
            Case("lstm", {"input": (sequence(4, 3),), "h": (vector(9),)}),
            "needs a vector 64 (layers × directions × units) at its input h; got vector 9",
            1,
        ),
    ],
    ids=str,
)
def test_a_wrong_input_is_told_in_a_sentence_and_its_fix_works(item, words, repaired):
    graph = item.graph()
    problem = infer(graph).nodes["layer"].problem
    assert problem is not None
    assert words in problem.message
    assert (problem.fix is not None) == bool(repaired)
    if problem.fix is not None:
        after = infer(apply_fix(graph, "layer", problem.fix)).nodes["layer"]
        assert after.ok, after.problem


@pytest.mark.parametrize("layer", [layer for layer in LAYERS if layer.family != "input"])
def test_every_kind_of_value_is_taken_or_refused_in_a_sentence(layer):
    shapes = (
        vector(8),
        image(4, 6, 6),
        image(1, 1, 1),
        sequence(5, 8),
        sequence(T, 8),
        video(4, 3, 6, 6),
        video(T, 3, 6, 6),
        volume(2, 4, 4, 4),
        tokens(6),
        tokens(T),
    )
    if layer.id == "group":
        return
    for shape in shapes:
        problem = infer(case(layer.id, shape).graph()).nodes["layer"].problem
        if problem is not None:
            assert "cannot be computed" not in problem.message
            assert layer.name.lower().split(" ")[0] in problem.message.lower() or (
                "vary in length" in problem.message
            )
        else:
            build(case(layer.id, shape).graph())


@pytest.mark.parametrize("layer", list(LAYERS), ids=lambda layer: layer.id)
def test_declarations_are_complete(layer):
    values = {parameter.id: parameter.check(parameter.default) for parameter in layer.parameters}
    assert layer.summary.endswith(".")
    assert len(layer.caption(values)) <= 28
    for parameter in layer.parameters:
        assert parameter.label[0].isupper()


def test_modules_of_ours_need_nothing_but_torch():
    import models.modules

    for name in models.modules.__all__:
        source = inspect.getsource(getattr(models.modules, name))
        assert "models." not in source


def test_two_nodes_share_their_weights():
    item = case("linear", vector(12), out_features=12)
    graph = item.graph()
    twin = Node("twin", "twin", "linear", item.params, shares_weights_with="layer")
    edges = (graph.edges[0], Edge("layer", "output", "twin", "input"))
    graph = replace(
        graph.with_nodes([twin]), edges=(*edges, Edge("twin", "output", "out_output", "input"))
    )
    network = build(graph)
    layer = network.module.layer
    x = torch.randn(2, 12)
    assert infer(graph).parameters == 12 * 12 + 12
    assert torch.equal(network.module(x), layer(layer(x)))


def test_an_image_layer_on_a_video_runs_on_each_frame():
    item = case("conv2d", video(4, 3, 6, 6))
    network = build(item.graph())
    assert infer(item.graph()).nodes["layer"].per_frame
    x = torch.randn(2, 4, 3, 6, 6)
    frames = torch.stack([network.module.layer(x[:, step]) for step in range(4)], dim=1)
    torch.testing.assert_close(network.module(x), frames)


def test_tokens_and_lengths_keep_their_kind():
    outputs = infer(case("embedding", tokens(T)).graph()).nodes["layer"].outputs
    assert outputs["output"] == sequence(T, 64)
    assert outputs["output"].kind is Kind.SEQUENCE


def test_padded_steps_change_nothing_inside_a_group():
    inside = case("lstm", sequence(T, 6), hidden_size=5, bidirectional=True).graph()
    group = Node("g", "block", "group", {"definition": "d"})
    nodes = [Node("in0", "in0", "input", {"shape": sequence(T, 6).to_json()}), group]
    nodes.append(Node("out", "out", "output"))
    edges = (Edge("in0", "output", "g", "in0"), Edge("g", "out_last", "out", "input"))
    definitions = {"d": Definition("d", "block", inside)}
    network = build(Graph({node.id: node for node in nodes}, edges, definitions))
    x = torch.randn(2, 8, 6)
    lengths = torch.tensor([5, 8])
    first = network({"in0": x, "in0_lengths": lengths})["out"]
    x[0, 5:] = 1e4
    assert torch.equal(network({"in0": x, "in0_lengths": lengths})["out"], first)
