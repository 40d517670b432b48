"""Starter networks fit their data; other data are taken with few changes."""

from dataclasses import replace

import pytest

from models import edits
from models.axes import image, sequence, video, volume
from models.graph import Graph
from models.shapes import infer
from playground.data import DataSettings, SplitSettings, open_data
from playground.starter import KINDS, StarterError, adopt, chain, propose, starter_graph

AIRLINE = {
    "path": "sample:series/airline_passengers.csv",
    "task": "forecast",
    "window": 12,
    "horizon": 12,
}
SETTINGS = {
    "digits": DataSettings("digits"),
    "gunpoint": DataSettings("series"),
    "airline": DataSettings("table", AIRLINE, SplitSettings(24, 24)),
    "table": DataSettings("table", {"path": "sample:series/italy_power_train.csv"}),
    "sounds": DataSettings("sound", {"path": "sample:speech", "rate": 4000}),
    "clips": DataSettings("moving-shapes", {"samples": 20, "size": 12, "speed": 1}),
}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return {name: open_data(s, tmp_path_factory.getbasetemp()) for name, s in SETTINGS.items()}


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_starter_fits_its_data(data, name, kind):
    if name == "table" and kind in ("cnn", "rnn", "hybrid"):
        with pytest.raises(StarterError, match="no order"):
            starter_graph(data[name], kind)
        return
    graph = starter_graph(data[name], kind)
    report = infer(graph)
    assert report.ok, report.sentence(graph)
    assert report.used == set(graph.nodes)
    assert propose(graph, data[name]) == []


@pytest.mark.parametrize("size", [1, 2, 5, 48, 224])
@pytest.mark.parametrize("kind", KINDS)
def test_pictures_of_any_size(data, size, kind):
    column = replace(data["digits"].inputs["image"], shape=image(3, size, size))
    graph = starter_graph(replace(data["digits"], inputs={"image": column}), kind)
    report = infer(graph)
    assert report.ok, report.sentence(graph)


@pytest.mark.parametrize(
    ("rate", "steps"), [(1_000, 1), (1_000, 30), (16_000, 160_000), (192_000, 9)]
)
@pytest.mark.parametrize("kind", KINDS)
def test_sounds_of_any_rate_and_length(data, rate, steps, kind):
    column = data["sounds"].inputs["sound"]
    reading = replace(column.reading, rate=rate, steps=steps)
    column = replace(column, shape=sequence(steps, 1), reading=reading)
    report = infer(starter_graph(replace(data["sounds"], inputs={"sound": column}), kind))
    assert report.ok, {id: node.problem for id, node in report.nodes.items() if node.problem}


@pytest.mark.parametrize("size", [1, 2, 5, 48, 224])
@pytest.mark.parametrize("kind", KINDS)
def test_clips_of_any_size(data, size, kind):
    column = replace(data["clips"].inputs["clip"], shape=video(size, 3, size, size))
    graph = starter_graph(replace(data["clips"], inputs={"clip": column}), kind)
    report = infer(graph)
    assert report.ok, report.sentence(graph)


@pytest.mark.parametrize("size", [1, 5, 48])
@pytest.mark.parametrize("kind", KINDS)
def test_volumes_of_any_size(data, size, kind):
    column = replace(data["clips"].inputs["clip"], shape=volume(1, size, 2 * size, size))
    dataset = replace(data["clips"], inputs={"clip": column})
    if kind in ("rnn", "hybrid"):
        with pytest.raises(StarterError, match="no order in time"):
            starter_graph(dataset, kind)
        return
    report = infer(starter_graph(dataset, kind))
    assert report.ok


@pytest.mark.parametrize("kind", ["rnn", "hybrid"])
def test_nodes_of_a_starter_stand_clear_of_each_other(data, kind):
    graph = starter_graph(data["digits"], kind)
    recurrent = next(n for n in graph.nodes.values() if n.layer in ("lstm", "gru"))
    x, y = recurrent.position
    right = [p[0] for p in (n.position for n in graph.nodes.values()) if p[1] == y and p[0] > x]
    assert all(other >= x + 206 + 24 for other in right)


def test_an_unknown_kind_is_explained(data):
    with pytest.raises(StarterError, match="one of auto"):
        starter_graph(data["digits"], "quantum")


def test_differences_are_named(data):
    graph = starter_graph(data["airline"])
    found = propose(graph, data["digits"])
    assert [item.what for item in found] == ["name", "shape", "name", "units"]
    assert found[1].message == (
        "The Input series takes sequence T 12 × F 1; the data are image 1×28×28."
    )
    assert found[3].message == "The Output forecast gets vector 12; the data have 10 classes."
    [missing_input, missing_output] = propose(Graph(), data["digits"])
    assert missing_input.message == "The network has no Input for image."
    assert missing_output.node is None


@pytest.mark.parametrize("before", SETTINGS)
@pytest.mark.parametrize("after", SETTINGS)
@pytest.mark.parametrize("kind", ["mlp", "auto"])
def test_other_data_are_adopted(data, before, after, kind):
    graph = starter_graph(data[before], kind)
    changed = adopt(graph, data[after])
    if before == after:
        assert changed == graph
    assert set(graph.nodes) <= set(changed.nodes)  # ids stay, so weights can be kept
    left = [item.what for item in propose(changed, data[after])]
    assert left == []
    if kind == "mlp" and before not in ("table", "sounds"):
        assert infer(changed).ok


def test_a_head_is_put_where_there_is_none(data):
    shape = {"shape": sequence(150, 1).to_json()}
    graph = chain([("input", "series", shape), ("lstm", "lstm", {}), ("output", "label", {})])
    changed = adopt(graph, data["gunpoint"])
    assert infer(changed).ok
    assert propose(changed, data["gunpoint"]) == []


def test_a_name_that_is_taken_makes_room(data):
    graph = starter_graph(data["digits"], "mlp")
    graph = edits.rename(graph, "n3", "series")
    changed = adopt(graph, data["gunpoint"])
    assert changed.named("series").layer == "input"
