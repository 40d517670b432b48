"""Values of every node: the right ones, thinned for the window, and harmless to training."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from models.axes import Kind
from models.build import build
from models.graph import Graph
from playground.messages import Snapshot
from playground.probes.look import Looker, Request, Trained
from playground.probes.values import CHANNELS, SIDE, STEPS, Taps, thin
from playground.training.learner import initial_network, same_network
from tests.playground.fakes import chain, cnn, lstm, project, stripes


@pytest.mark.parametrize("graph", [cnn(), lstm()], ids=["cnn", "lstm"])
def test_values_are_those_of_the_interpreter(graph: Graph) -> None:
    network = build(graph, seed=1)
    shape = (1, 8, 8) if graph.nodes["n2"].layer == "lstm" else (1, 1, 8, 8)
    x = torch.randn(shape)
    values, whole = Taps(network).values([x], None)
    name = network.arguments[0]
    captured = network.capture({name: x})
    assert values.keys() == captured.keys() == whole
    for port, tensor in captured.items():
        np.testing.assert_array_equal(values[port], tensor[0].numpy())


def test_tapping_leaves_training_as_it_was() -> None:
    network = initial_network(cnn(), 0)
    network.module.train()
    before = {name: value.clone() for name, value in network.module.state_dict().items()}
    generator = torch.get_rng_state()
    Taps(network).values([torch.randn(1, 1, 8, 8, generator=torch.Generator())], None)
    assert torch.equal(torch.get_rng_state(), generator)
    assert all(module.training for module in network.module.modules())
    for name, value in network.module.state_dict().items():
        assert torch.equal(value, before[name])


def test_arrays_are_copies() -> None:
    """Training may go on in the tensors that the arrays came from."""
    network = initial_network(cnn(), 0)
    x = torch.zeros(1, 1, 8, 8)
    values, _ = Taps(network).values([x], None)
    x.fill_(9)
    assert values["n1", "output"].max() == 0


@pytest.mark.parametrize(
    ("kind", "shape", "wanted"),
    [
        (Kind.VECTOR, (5000,), (1024,)),
        (Kind.VECTOR, (10,), (10,)),
        (Kind.TOKENS, (5000,), (1024,)),
        (Kind.IMAGE, (512, 224, 100), (CHANNELS, SIDE, SIDE)),
        (Kind.IMAGE, (3, 30, 100), (3, 30, SIDE)),
        (Kind.SEQUENCE, (1000, 300), (STEPS, 128)),
        (Kind.SEQUENCE, (7, 3), (7, 3)),
        (Kind.VIDEO, (40, 3, 100, 100), (16, 3, SIDE, SIDE)),
        (Kind.VOLUME, (80, 40, 100, 100), (CHANNELS, 16, SIDE, SIDE)),
    ],
)
def test_thinning(kind: Kind, shape: tuple[int, ...], wanted: tuple[int, ...]) -> None:
    value = torch.arange(float(np.prod(shape))).reshape(shape)
    small = thin(value, kind)
    assert tuple(small.shape) == wanted
    if wanted == shape:
        assert torch.equal(small, value)
    if kind is Kind.SEQUENCE and shape[0] > STEPS:
        assert small[0, 0] == value[0, 0]
        assert small[-1, 0] == value[-1, 0]


def test_thinned_pictures_keep_their_mean() -> None:
    value = torch.rand(4, 128, 256)
    torch.testing.assert_close(
        thin(value, Kind.IMAGE).mean((1, 2)), value.mean((1, 2)), rtol=1e-4, atol=1e-5
    )


def look(
    looker: Looker, graph: Graph, sample: object = 0, trained: Trained | None = None
) -> Snapshot:
    data = stripes(as_rows=graph.nodes["n2"].layer == "lstm")
    return looker.snapshot(Request(project(graph), data, sample, None), trained)


def test_initial_weights_stay_where_nothing_changed() -> None:
    """An edit elsewhere leaves a node's picture as it was."""
    looker, graph = Looker(), cnn()
    before = look(looker, graph)
    edited = replace(
        graph, nodes={**graph.nodes, "n8": replace(graph.nodes["n8"], params={"out_features": 7})}
    )
    after = look(looker, edited)
    np.testing.assert_array_equal(before.values["n5", "output"], after.values["n5", "output"])
    assert after.values["n8", "output"].shape == (7,)
    assert not after.trained


def test_problems_are_sentences_and_partial_graphs_are_shown() -> None:
    looker = Looker()
    assert "open data" in looker.snapshot(Request(project(), None, 0), None).problem
    assert "no sample 99" in looker.snapshot(Request(project(), stripes(), 9999), None).problem
    assert "image takes" in look(looker, cnn(side=10)).problem
    own = {"image": np.zeros((2, 8, 8), np.float32)}
    assert "got 2×8×8" in look(looker, cnn(), own).problem
    broken = replace(
        cnn(), nodes={**cnn().nodes, "n8": replace(cnn().nodes["n8"], layer="no-such-layer")}
    )
    found = look(looker, broken)
    assert not found.problem
    assert ("n7", "output") in found.values
    assert ("n8", "output") not in found.values
    empty = looker.snapshot(Request(project(chain()), stripes(), 0), None)
    assert not empty.values


def test_own_sample_is_preprocessed_and_has_no_index() -> None:
    picture = stripes().raw([4])["image"][0]
    mine = look(Looker(), cnn(), {"image": picture})
    its = look(Looker(), cnn(), 4)
    assert mine.sample is None
    assert its.sample == 4
    np.testing.assert_array_equal(mine.values["n9", "output"], its.values["n9", "output"])


def test_trained_weights_fit_by_id_then_by_name() -> None:
    graph, looker = cnn(), Looker()
    network = initial_network(graph, seed=5)
    trained = Trained(network, graph, 10, torch.device("cpu"))
    direct = look(looker, graph, 0, trained)
    assert direct.trained
    assert direct.step == 10
    moved = replace(
        graph,
        nodes={**graph.nodes, "n2": replace(graph.nodes["n2"], position=(90.0, 9.0))},
    )
    assert same_network(graph, moved)
    renamed = replace(
        graph, nodes={**graph.nodes, "n2": replace(graph.nodes["n2"], name="features.0")}
    )
    assert not same_network(graph, renamed)
    for other in (moved, renamed):
        found = look(looker, other, 0, trained)
        np.testing.assert_allclose(
            found.values["n9", "output"], direct.values["n9", "output"], rtol=1e-5, atol=1e-6
        )
    # weights of one run do not stay when another is looked at
    fresh = look(looker, renamed)
    assert not fresh.trained
    np.testing.assert_array_equal(
        fresh.values["n9", "output"], look(Looker(), renamed).values["n9", "output"]
    )
