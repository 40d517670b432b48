"""Generated Python: the same answers to the last bit, in a process without this project."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import Tensor

from models import edits
from models.axes import image, sequence, vector, video, volume
from models.build import Network, build
from models.edits import EditError
from models.graph import Edge, Graph, Node
from models.layers import LAYERS
from models.shapes import infer
from playground.data import open_data
from playground.export.python import python_source
from playground.preprocessing import Fill, Log, Preprocessing, Scale, Standardize
from playground.project import examples, open_example
from tests.models.catalogue import CASES, T, batch, case
from tests.models.test_shapes import grouped
from tests.models.test_zoo_names import alexnet, chain

CHILD = """
import importlib, json, sys, torch
assert not any(name in sys.modules for name in ("models", "playground"))
sys.path.insert(0, sys.argv[1])
wrong = {}
for number in range(int(sys.argv[2])):
    given = torch.load(f"{sys.argv[1]}/case{number}.pt")
    module = importlib.import_module(f"case{number}")
    for training, expected in zip((False, True), given["expected"]):
        network = module.load(f"{sys.argv[1]}/case{number}.safetensors")
        network.train(training)
        torch.manual_seed(7)
        with torch.no_grad():
            found = network(*given["inputs"])
        found = found if isinstance(found, dict) else {"": found}
        if not (found.keys() == expected.keys() and all(
            found[key].dtype == expected[key].dtype and torch.equal(found[key], expected[key])
            for key in found
        )):
            wrong[number] = "differs in training" if training else "differs"
assert not any(name in sys.modules for name in ("models", "playground"))
print(json.dumps(wrong))
"""


def answers(network: Network, inputs: dict[str, Tensor]) -> list[dict[str, Tensor]]:
    """What the network answers in evaluation and in training, from the same weights."""
    state = {key: value.clone() for key, value in network.module.state_dict().items()}
    found = []
    for training in (False, True):
        network.module.load_state_dict(state)
        network.module.train(training)
        torch.manual_seed(7)
        with torch.no_grad():
            result = network.module(*(inputs[name] for name in network.arguments))
        found.append(result if isinstance(result, dict) else {"": result})
    network.module.load_state_dict(state)
    return found


def check(folder: Path, graphs: list[tuple[Graph, dict[str, Tensor]]]) -> None:
    """Export every graph, run all of them in one child process, and compare bit for bit."""
    for number, (graph, inputs) in enumerate(graphs):
        report = infer(graph)
        source = python_source(graph, report)
        (folder / f"case{number}.py").write_text(source, encoding="utf-8")
        network = build(graph, report)
        given = {
            "inputs": [inputs[name] for name in network.arguments],
            "expected": answers(network, inputs),
        }
        torch.save(given, folder / f"case{number}.pt")
        save_file(network.module.state_dict(), folder / f"case{number}.safetensors")
    assert run(folder, CHILD, str(len(graphs))) == {}


def run(folder: Path, code: str, *args: str) -> object:
    """The JSON that ``code`` prints in a process that cannot see this project."""
    # the number of threads decides how sums are split, so it must be that of this process
    environment = {**os.environ, "OMP_NUM_THREADS": str(torch.get_num_threads())}
    environment.pop("PYTHONPATH", None)
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, str(folder), *args],
        capture_output=True,
        text=True,
        cwd=folder,
        env=environment,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_every_layer_answers_the_same_without_this_project(tmp_path):
    graphs = []
    for item in CASES:
        steps = T if item.over_time and not item.fixed else 7
        graphs.append((item.graph(steps), batch(item, 7, 3, valid=6 if steps == T else 0)))
        if item.over_time and steps == T:
            graphs.append((item.graph(7), batch(item, 7, 3)))
    check(tmp_path, graphs)


def hybrid() -> Graph:
    """Two branches, a shortcut, shared weights, dropout on both sides of a merge."""
    nodes = [
        Node("in", "input", "input", {"shape": image(2, 8, 8).to_json()}),
        Node("a", "stem.conv", "conv2d", {"out_channels": 4}),
        Node("b", "stem.norm", "batch-norm"),
        Node("c", "sum", "conv2d", {"out_channels": 4}),
        Node("d", "drop1", "dropout", {"p": 0.3}),
        Node("e", "twin", "conv2d", {"out_channels": 4}, shares_weights_with="c"),
        Node("f", "drop2", "spatial-dropout"),
        Node("g", "merge", "add"),
        Node("h", "columns", "columns"),
        Node("i", "gru", "gru", {"hidden_size": 6, "bidirectional": True}),
        Node("j", "attention", "self-attention", {"dropout": 0.2, "causal": True}),
        Node("k", "pool", "mean-over-time"),
        Node("l", "join", "concatenate"),
        Node("m", "items.keys", "linear", {"out_features": 5}),
        Node("n", "items.0", "tanh"),
        Node("o", "0", "linear", {"out_features": 3}),
        Node("p", "steps", "output"),
        Node("q", "answer", "output"),
    ]
    wires = "in>a a>b b>c b>e c>d e>f d>g f>g b>g g>h h>i k>l i.last>l i.h>l l>m m>n n>o o>q j>p"
    edges = [Edge("i", "sequence", "j", "input"), Edge("j", "output", "k", "input")]
    for wire in wires.split():
        source, target = wire.split(">")
        source, _, port = source.partition(".")
        edges.append(
            Edge(source, port or "output", target, "inputs" if target in "gl" else "input")
        )
    nodes[10] = replace(nodes[10], params={**nodes[10].params, "num_heads": 3})
    return Graph({node.id: node for node in nodes}, tuple(edges))


def test_networks_of_many_layers_answer_the_same(tmp_path):
    x = torch.randn(2, 16, 8, 8)
    small = chain(
        ("input", "input", {"shape": image(1, 8, 8).to_json()}),
        ("features.0", "conv2d", {}),
        ("features.1", "dropout", {}),
        ("features.3", "relu", {}),
        ("flatten", "flatten", {}),
        ("classifier.0", "linear", {"out_features": 10}),
        ("classifier.1", "relu", {}),
        ("output", "output", {}),
    )
    graphs = [
        (hybrid(), {"input": torch.randn(3, 2, 8, 8)}),
        (small, {"input": torch.randn(3, 1, 8, 8)}),
        *((grouped(kind)[0], {"input": x}) for kind in ("plain", "repeat")),
    ]
    for graph, _ in graphs:
        assert infer(graph).ok, infer(graph).sentence(graph)
    check(tmp_path, graphs)


def test_alexnet_is_written_as_torchvision_writes_it():
    source = python_source(alexnet(), class_name="AlexNet")
    assert "self.features = nn.Sequential(\n            nn.Conv2d(3, 64, kernel_size=11" in source
    assert (
        "        x = self.features(x)\n"
        "        x = self.avgpool(x).flatten(1)\n"
        "        return self.classifier(x)\n"
    ) in source


def test_recurrent_networks_are_unpacked_as_a_person_does():
    graph = chain(
        ("series", "input", {"shape": sequence(24, 1).to_json()}),
        ("lstm", "lstm", {"hidden_size": 32}),
        ("dropout", "dropout", {}),
        ("head", "linear", {"out_features": 12}),
        ("forecast", "output", {}),
    )
    edges = tuple(
        replace(e, source_port="last") if graph.nodes[e.source].layer == "lstm" else e
        for e in graph.edges
    )
    source = python_source(replace(graph, edges=edges))
    assert (
        "    def forward(self, series: Tensor) -> Tensor:\n"
        "        _, (h, _) = self.lstm(series)\n"
        "        x = self.dropout(h[-1])\n"
        "        return self.head(x)\n"
    ) in source


STEPS = Preprocessing((Scale(255.0), Standardize((0.1, 0.2), (0.3, 0.4), axis=-3)))
ROWS = Preprocessing((Fill((1.5, 2.5, 3.5)), Log(), Standardize((0.25,), (2.0,))))
TARGET = Preprocessing((Log(), Standardize((4.5,), (0.75,))))

RAW = """
import json, sys, torch
sys.path.insert(0, sys.argv[1])
import exported
inputs = torch.load(sys.argv[1] + "/inputs.pt")
network = exported.load(sys.argv[1] + "/weights.safetensors")
with torch.no_grad():
    found = network(*inputs)
torch.save(found, sys.argv[1] + "/found.pt")
print(json.dumps(list(exported.CLASSES)))
"""


def test_preprocessing_goes_inside_and_answers_come_out_in_their_own_unit(tmp_path):
    nodes = [
        Node("a", "picture", "input", {"shape": image(2, 5, 4).to_json()}),
        Node("b", "row", "input", {"shape": vector(3).to_json()}),
        Node("c", "flatten", "flatten"),
        Node("d", "join", "concatenate"),
        Node("e", "picture_mean", "linear", {"out_features": 2}),
        Node("f", "price", "output"),
    ]
    edges = (
        Edge("a", "output", "c", "input"),
        Edge("c", "output", "d", "inputs"),
        Edge("b", "output", "d", "inputs"),
        Edge("d", "output", "e", "input"),
        Edge("e", "output", "f", "input"),
    )
    graph = Graph({node.id: node for node in nodes}, edges)
    classes = ('a "quoted" name', "back\\slash", "naïve 😀", "line\nbreak", "plain")
    source = python_source(
        graph,
        title='Ends """ early\nimport os \\',
        preprocessing={"picture": STEPS, "row": ROWS},
        postprocessing={"price": TARGET},
        classes=classes,
    )
    (tmp_path / "exported.py").write_text(source, encoding="utf-8")
    network = build(graph)
    save_file(network.module.state_dict(), tmp_path / "weights.safetensors")
    pictures = np.random.default_rng(1).integers(0, 256, (4, 2, 5, 4)).astype(np.uint8)
    rows = np.random.default_rng(2).random((4, 3)).astype(np.float32) * 300
    rows[1, 2] = np.nan
    torch.save([torch.from_numpy(pictures), torch.from_numpy(rows)], tmp_path / "inputs.pt")
    assert run(tmp_path, RAW) == list(classes)
    with torch.no_grad():
        output = network.module.eval()(
            torch.from_numpy(STEPS.numpy(pictures)), torch.from_numpy(ROWS.numpy(rows))
        )
    expected = TARGET.inverse(output.numpy())
    np.testing.assert_array_equal(torch.load(tmp_path / "found.pt").numpy(), expected)


@pytest.mark.parametrize("name", ["x y", "1a", ""])
def test_a_class_name_that_python_does_not_take_is_told(name):
    with pytest.raises(ValueError, match="cannot be the name of a class"):
        python_source(grouped()[0], class_name=name)


@pytest.mark.parametrize("name", ["class", "None", "Tensor", "SinusoidalEncoding"])
def test_a_class_name_that_is_taken_is_made_another(name):
    graph = case("positional-encoding", sequence(9, 6)).graph()
    source = python_source(graph, class_name=name)
    assert f"class {name}Network(nn.Module):" in source


def test_axes_are_not_exchanged_forth_and_back():
    graph = chain(
        ("series", "input", {"shape": sequence(24, 1).to_json()}),
        ("conv1", "conv1d", {}),
        ("norm1", "batch-norm", {}),
        ("relu1", "relu", {}),
        ("conv2", "conv1d", {}),
        ("pool", "global-avg-pool", {}),
        ("output", "output", {}),
    )
    assert (
        "        x = self.conv1(series.transpose(1, 2))\n"
        "        x = self.norm1(x)\n"
        "        x = self.relu1(x)\n"
        "        return self.conv2(x).transpose(1, 2).mean(dim=1)\n"
    ) in python_source(graph)


def test_the_examples_answer_the_same_from_raw_values(tmp_path):
    """Of all kinds of data, with the preprocessing that was fitted."""
    numbers = {}
    for number, example in enumerate(examples()):
        project = open_example(example.id)
        dataset = open_data(project.data, example.path.parent)
        network = build(project.graph)
        column, target = next(iter(dataset.inputs.values())), dataset.target
        source = python_source(
            project.graph,
            title=example.title,
            preprocessing={network.inputs[0]: column.preprocessing},
            postprocessing={network.outputs[0]: target.preprocessing},
            classes=dataset.classes,
        )
        (tmp_path / f"case{number}.py").write_text(source, encoding="utf-8")
        save_file(network.module.state_dict(), tmp_path / f"case{number}.safetensors")
        raw = dataset.raw(range(5))
        values = raw[column.name].astype(np.int64) if column.texts else raw[column.name]
        rest = [torch.from_numpy(raw[f"{column.name}_lengths"])] if column.shape.varies else []
        with torch.no_grad():
            output = network.module.eval()(torch.from_numpy(column.prepared(values)), *rest)
        expected = torch.from_numpy(target.preprocessing.inverse(output.numpy()))
        given = {"inputs": [torch.from_numpy(values), *rest], "expected": [{"": expected}]}
        torch.save(given, tmp_path / f"case{number}.pt")
        numbers[example.id] = number
    assert len(numbers) == len(examples())
    assert run(tmp_path, CHILD, str(len(numbers))) == {}


def test_nothing_random_is_drawn_and_the_source_is_always_the_same():
    graph = case("lstm", sequence(T, 6)).graph()
    before = torch.get_rng_state()
    assert python_source(graph) == python_source(graph)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("item", CASES, ids=str)
def test_lines_are_not_too_long(item):
    source = python_source(item.graph(7))
    ast.parse(source)
    assert max(map(len, source.splitlines())) <= 100


FIRST = [image(2, 6, 6), sequence(6, 4), vector(8), video(3, 2, 4, 4), volume(1, 4, 4, 4)]
IDS = [layer.id for layer in LAYERS if layer.family not in ("input", "group")]
NAMES = ["a", "b.0", "b.1", "b.2", "c.x", "c.keys", "sum", "x", "y", "0", "h", "future", "d.0.e"]


@st.composite
def networks(draw: st.DrawFn) -> Graph:
    """A random graph without errors: layers on earlier values, merged and shared at random."""
    graph = Graph()
    for _ in range(draw(st.integers(1, 2))):
        shape = draw(st.sampled_from(FIRST))
        name = draw(st.sampled_from(["input", "x", "sum"]).filter(partial(free, graph)))
        graph, _ = edits.add_node(graph, "input", name=name, params={"shape": shape.to_json()})
    for _ in range(draw(st.integers(1, 9))):
        layer = draw(st.sampled_from(IDS))
        names = [name for name in NAMES if free(graph, name)]
        wider, id = edits.add_node(graph, layer, name=draw(st.sampled_from([*names, None])))
        values = [(node, port) for node, r in infer(graph).nodes.items() for port in r.outputs]
        for port in LAYERS.get(layer).inputs:
            taken = draw(st.lists(st.sampled_from(values), min_size=1, max_size=3, unique=True))
            for node, source in taken if port.variadic else taken[: 1 - port.optional]:
                wider = edits.connect(wider, Edge(node, source, id, port.name))
        lenders = graph.of_layer(layer)
        alike = [node.id for node in lenders if node.shares_weights_with is None]
        if alike and draw(st.booleans()):
            wider = edits.share_weights(wider, id, draw(st.sampled_from(alike)))
        if infer(wider).nodes[id].ok:
            graph = wider
    ends = [
        (id, port)
        for id, report in infer(graph).nodes.items()
        for port in report.outputs
        if graph.nodes[id].layer != "input"
    ]
    for id, port in draw(st.lists(st.sampled_from(ends), max_size=3)) if ends else ():
        graph, out = edits.add_node(graph, "output")
        graph = edits.connect(graph, Edge(id, port, out, "input"))
    return graph


def free(graph: Graph, name: str) -> bool:
    try:
        edits.add_node(graph, "relu", name=name)
    except EditError:
        return False
    return True


@settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
@given(networks())
def test_any_network_answers_the_same(graph):
    report = infer(graph)
    assume(report.ok and report.parameters < 1_000_000)
    namespace: dict[str, object] = {"__name__": "exported"}
    source = python_source(graph, report)
    exec(compile(source, "exported", "exec"), namespace)
    network = build(graph, report)
    inputs = {}
    for node in graph.of_layer("input"):
        sizes = report.nodes[node.id].outputs["output"].sizes
        inputs[node.name] = torch.randn(3, *sizes)
    for training in (False, True):
        made = namespace["Network"]()
        made.load_state_dict(network.module.state_dict())
        found = []
        for module in (network.module, made):
            module.train(training)
            torch.manual_seed(3)
            with torch.no_grad():
                found.append(module(*(inputs[name] for name in network.arguments)))
        pairs = (
            [found]
            if isinstance(found[0], Tensor)
            else [(found[0][key], found[1][key]) for key in found[0] | found[1]]
        )
        for expected, got in pairs:
            assert torch.equal(expected.nan_to_num(), got.nan_to_num()), source
        made.load_state_dict(network.module.state_dict())
