"""The document: reading, writing, names, order."""

import json

import pytest

from models.graph import Edge, Graph, GraphError, Node, check_name


def chain(count: int) -> Graph:
    nodes = {f"n{i}": Node(f"n{i}", f"relu{i}", "relu") for i in range(count)}
    edges = tuple(Edge(f"n{i}", "output", f"n{i + 1}", "input") for i in range(count - 1))
    return Graph(nodes, edges)


def test_unknown_keys_and_layers_survive():
    text = {
        "nodes": [
            {
                "id": "n1",
                "name": "later",
                "layer": "from_the_future",
                "params": {"x": [1, {"y": None}]},
                "position": [1, 2.5],
                "colour": "red",
            }
        ],
        "edges": [],
        "remarks": {"by": "someone"},
    }
    graph = Graph.from_json(text)
    assert json.dumps(graph.to_json()) == json.dumps(text)


@pytest.mark.parametrize("name", ["conv1", "features.0", "a.b_2.c", "layer1.0.conv1"])
def test_names_that_are_paths(name):
    check_name(name)


@pytest.mark.parametrize(
    "name",
    ["", "a..b", ".a", "1a", "class", "a.forward", "_x", "é", "a b", "a/b", "x" * 201, "a\n"],
)
def test_names_that_would_break_a_module(name):
    with pytest.raises(GraphError, match="cannot be a name"):
        check_name(name)


@pytest.mark.parametrize(
    ("data", "place"),
    [
        ([], "a graph is an object"),
        ({"nodes": 3}, "nodes is a list"),
        ({"nodes": [4]}, "a node is an object"),
        ({"nodes": [{"id": "../x", "name": "a", "layer": "relu"}]}, "a node's id"),
        ({"nodes": [{"id": "n1", "name": "a", "layer": ""}]}, "its layer is missing"),
        ({"nodes": [{"id": "n1", "name": "a", "layer": "relu", "params": 1}]}, "params"),
        (
            {"nodes": [{"id": "n1", "name": "a", "layer": "relu", "position": [1, "x"]}]},
            "position",
        ),
        (
            {"nodes": [{"id": "n1", "name": "a", "layer": "relu"}] * 2},
            "two nodes have the id n1",
        ),
        (
            {
                "nodes": [
                    {"id": "n1", "name": "a", "layer": "relu"},
                    {"id": "n2", "name": "a.b", "layer": "relu"},
                ]
            },
            "beginning of a.b",
        ),
        ({"nodes": [], "edges": [{"from": ["n1", "o"], "to": ["n2", "i"]}]}, "no node"),
        ({"nodes": [], "edges": [{"from": "n1"}]}, "an edge is written"),
        ({"definitions": [{"id": "d"}]}, "needs an id and a name"),
    ],
)
def test_a_malformed_document_names_the_place(data, place):
    with pytest.raises(GraphError, match=place):
        Graph.from_json(data)


def test_order_puts_sources_first_and_finds_cycles():
    graph = chain(5)
    assert graph.order() == (("n0", "n1", "n2", "n3", "n4"), ())
    looped = Graph(graph.nodes, (*graph.edges, Edge("n3", "output", "n1", "input")))
    assert looped.order() == (("n0",), ("n1", "n2", "n3", "n4"))


def test_fresh_names_and_ids_are_free():
    graph = chain(3)
    assert graph.fresh_id() == "n3"
    assert graph.fresh_name("relu1") == "relu3"
    assert graph.fresh_name("conv") == "conv"
