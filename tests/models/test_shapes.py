"""Shape inference as a whole: errors, waiting, groups, frames, incrementality."""

from dataclasses import replace

import pytest

from models import edits
from models.axes import Shape, image, sequence, vector, video
from models.graph import Definition, Edge, Graph, Node
from models.shapes import ShapeInference, infer
from tests.models.test_edits import network


def shaped(graph: Graph, id: str, shape: Shape) -> Graph:
    return edits.set_params(graph, id, {"shape": shape.to_json()})


def test_an_error_names_what_came_and_what_is_needed_and_the_rest_waits():
    graph, (_, linear, relu, _) = network("input", "linear", "relu", "output")
    report = infer(graph)
    problem = report.nodes[linear].problem
    assert problem is not None
    assert "image 1×28×28" in problem.message
    assert problem.fix is not None
    assert problem.fix.layer == "flatten"
    assert report.nodes[relu].waiting
    assert report.sentence(graph).startswith("linear: ")


def test_a_node_without_input_is_an_error_only_where_it_is_used():
    graph, _ = network("input", "output")
    graph, stray = edits.add_node(graph, "conv2d")
    report = infer(graph)
    assert report.ok
    problem = report.nodes[stray].problem
    assert problem is not None
    assert problem.level == "note"
    graph, out = edits.add_node(graph, "output", name="second")
    graph = edits.connect(graph, Edge(stray, "output", out, "input"))
    assert not infer(graph).ok


def test_a_cycle_in_a_file_is_told():
    graph, (_, a, b, _) = network("input", "relu", "tanh", "output")
    graph = replace(graph, edges=(*graph.edges[1:], Edge(b, "output", a, "input")))
    assert "cycle" in infer(graph).sentence(graph)


def test_an_unknown_layer_is_a_placeholder():
    graph, ids = network("input", "relu", "output")
    graph = graph.with_nodes([replace(graph.nodes[ids[1]], layer="warp_drive")])
    assert "'warp_drive' is not known" in infer(graph).sentence(graph)


def test_an_output_or_input_that_is_missing_is_told():
    graph, (_, _relu) = network("input", "relu")
    assert "no Output" in infer(graph).sentence(graph)
    graph, _out = edits.add_node(Graph(), "output")
    assert "nothing at its input" in infer(graph).sentence(graph)


def test_a_cnn_on_every_frame_then_an_rnn():
    graph, ids = network("input", "conv2d", "max-pool2d", "flatten", "gru")
    graph = shaped(graph, ids[0], video(5, 3, 16, 16))
    report = infer(graph)
    conv, pool, flat, gru = (report.nodes[id] for id in ids[1:])
    assert conv.per_frame
    assert pool.outputs["output"] == video(5, 16, 8, 8)
    assert flat.outputs["output"] == sequence(5, 16 * 8 * 8)
    assert gru.outputs["sequence"]["T"] == 5
    single = infer(shaped(graph, ids[0], image(3, 16, 16))).nodes[ids[1]]
    assert conv.flops == 5 * single.flops
    assert conv.parameters == single.parameters


def block() -> Definition:
    inner, (a, conv, out) = network("input", "conv2d", "output")
    inner = edits.rename(edits.rename(edits.rename(inner, a, "x"), conv, "conv"), out, "y")
    inner, add = edits.splice(inner, "add", inner.into(out)[0])
    inner = edits.connect(inner, Edge(a, "output", add, "inputs"))
    return Definition("d1", "Residual", shaped(inner, a, image(16, 4, 4)))


def grouped(kind: str = "plain", **params: object) -> tuple[Graph, str]:
    graph, (a, out) = network("input", "output")
    graph = shaped(graph, a, image(16, 8, 8))
    node = Node("g", "block", "group", {"definition": "d1", "kind": kind, **params})
    graph = replace(graph.with_nodes([node]), definitions={"d1": block()})
    edges = (Edge(a, "output", "g", "x"), Edge("g", "y", out, "input"))
    return replace(graph, edges=edges), "g"


def test_a_group_takes_the_shape_at_its_port():
    graph, group = grouped()
    report = infer(graph)
    assert report.ok, report.sentence(graph)
    assert report.nodes[group].outputs["y"] == image(16, 8, 8)
    assert report.nodes[group].parameters == 16 * 16 * 9 + 16


def test_a_repeated_group_has_its_parameters_a_copy():
    graph, group = grouped("repeat", copies=3)
    assert infer(graph).nodes[group].parameters == 3 * (16 * 16 * 9 + 16)


def test_a_group_that_contains_itself_is_an_error():
    graph, _group = grouped()
    definition = graph.definitions["d1"]
    inner = definition.graph.with_nodes([Node("again", "again", "group", {"definition": "d1"})])
    x = inner.named("x")
    assert x is not None
    inner = replace(inner, edges=(*inner.edges, Edge(x.id, "output", "again", "x")))
    out = inner.named("y")
    assert out is not None
    inner = replace(inner, edges=(*inner.edges[:-1], Edge(x.id, "output", "again", "x")))
    graph = replace(graph, definitions={"d1": replace(definition, graph=inner)})
    assert not infer(graph).ok


def test_a_scan_runs_its_body_a_step():
    inner, (x, linear, y) = network("input", "linear", "output")
    inner = edits.rename(edits.rename(inner, x, "x"), y, "y")
    inner = edits.set_params(inner, linear, {"out_features": 6})
    inner, state = edits.add_node(inner, "input", name="state")
    inner = shaped(shaped(inner, x, vector(4)), state, vector(6))
    inner, add = edits.splice(inner, "add", inner.into(y)[0])
    inner = edits.connect(inner, Edge(state, "output", add, "inputs"))
    definition = Definition("d1", "Running sum", inner, states=(("state", "y"),))
    graph, (a, out) = network("input", "output")
    graph = shaped(graph, a, sequence(9, 4))
    node = Node("s", "scan", "group", {"definition": "d1", "kind": "scan"})
    graph = replace(graph.with_nodes([node]), definitions={"d1": definition})
    edges = (Edge(a, "output", "s", "x"), Edge("s", "state", out, "input"))
    graph = replace(graph, edges=edges)
    report = infer(graph)
    assert report.ok, report.sentence(graph)
    assert report.nodes["s"].outputs == {"y": sequence(9, 6), "state": vector(6)}
    assert report.parameters == 4 * 6 + 6


def test_exposed_parameters_are_set_by_the_instance():
    from models.graph import Exposed

    graph, group = grouped()
    definition = graph.definitions["d1"]
    conv = definition.graph.named("conv")
    assert conv is not None
    exposed = (Exposed("kernel", conv.id, "kernel_size"),)
    graph = replace(graph, definitions={"d1": replace(definition, exposed=exposed)})
    graph = edits.set_params(graph, group, {"kernel": 1})
    assert infer(graph).nodes[group].parameters == 16 * 16 + 16


def test_moving_a_node_computes_nothing_again():
    graph, ids = network("input", "conv2d", "relu", "output")
    inference = ShapeInference()
    before = inference.infer(graph)
    after = inference.infer(edits.move(graph, {ids[1]: (5.0, 7.0)}))
    assert all(after.nodes[id] is before.nodes[id] for id in ids)


def test_sharing_counts_the_weights_once():
    graph, (_, first, second, _) = network("input", "conv2d", "conv2d", "output")
    graph = edits.set_params(graph, first, {"out_channels": 1})
    graph = edits.set_params(graph, second, {"out_channels": 1})
    shared = edits.share_weights(graph, second, first)
    assert infer(shared).parameters == infer(graph).parameters // 2
    different = edits.set_params(shared, second, {"kernel_size": 5})
    assert "cannot share" in infer(different).sentence(different)


@pytest.mark.parametrize("size", [10**9, 2**31 - 1])
def test_enormous_sizes_give_numbers_or_a_sentence(size):
    graph, (_, conv, _) = network("input", "conv2d", "output")
    graph = edits.set_params(graph, conv, {"out_channels": size})
    report = infer(graph)
    assert report.ok or report.sentence(graph)
