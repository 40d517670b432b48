"""Whatever a person does can be undone, saved and read again; a damaged file is told."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models import edits, grouping
from models.edits import Edit, EditError
from models.graph import Edge, Graph, GraphError
from models.groups import parameters_of
from models.layers import LAYERS
from models.shapes import ShapeInference, infer
from tests.models.test_shapes import grouped

LAYER_IDS = [layer.id for layer in LAYERS]
NAMES = st.sampled_from(["conv", "features.0", "features.1", "features", "a.b.c", "x", "class", ""])
EDITS = (
    "add splice insert connect disconnect remove set rename move share paste fix "
    "group ungroup independent use inside expose"
).split()
SLOW = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=60)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 300) | st.floats() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4)
    ),
    max_leaves=12,
)


def text(graph: Graph) -> str:
    return json.dumps(graph.to_json())


def parameter_value(data: st.DataObject, layer: str) -> dict[str, Any]:
    """A value for one of the layer's parameters, in range or not."""
    found = LAYERS.find(layer)
    if found is None or not found.parameters:
        return {"unknown": data.draw(json_values)}
    parameter = data.draw(st.sampled_from(found.parameters))
    likely = [choice for choice, _ in parameter.choices]
    if parameter.type in ("int", "ints"):
        likely = [1, 2, 3, 4, 6, 8, [2, 3]]
    values = st.sampled_from([*likely, None, parameter.default]) | json_values
    return {parameter.id: data.draw(values)}


def any_port(data: st.DataObject, graph: Graph, id: str, side: int) -> str:
    names = [port.name for port in edits.ports(graph, graph.node(id))[side]]
    return data.draw(st.sampled_from([*names, "nothing"]))


def random_edit(data: st.DataObject, graph: Graph) -> Graph:
    """One edit; raises ``EditError`` where it cannot be made."""
    ids = list(graph.nodes)
    kind = data.draw(st.sampled_from(EDITS)) if ids else "add"
    pick = st.sampled_from(ids) if ids else st.nothing()
    places = st.tuples(st.integers(-999, 999), st.floats(-1e6, 1e6))
    match kind:
        case "add":
            return edits.add_node(graph, data.draw(st.sampled_from(LAYER_IDS)), data.draw(places))[
                0
            ]
        case "splice" if graph.edges:
            edge = data.draw(st.sampled_from(graph.edges))
            return edits.splice(graph, data.draw(st.sampled_from(LAYER_IDS)), edge)[0]
        case "insert" if graph.edges:
            edge = data.draw(st.sampled_from(graph.edges))
            return edits.splice_existing(graph, data.draw(pick), edge)
        case "disconnect" if graph.edges:
            return edits.disconnect(graph, [data.draw(st.sampled_from(graph.edges))])
        case "remove":
            return edits.remove(graph, data.draw(st.lists(pick, max_size=3)))
        case "set":
            id = data.draw(pick)
            return edits.set_params(graph, id, parameter_value(data, graph.node(id).layer))
        case "rename":
            return edits.rename(graph, data.draw(pick), data.draw(NAMES))
        case "move":
            return edits.move(graph, {data.draw(pick): data.draw(places)})
        case "share":
            return edits.share_weights(graph, data.draw(pick), data.draw(st.none() | pick))
        case "paste":
            fragment = edits.copy_nodes(graph, data.draw(st.lists(pick, max_size=4)))
            return edits.paste(graph, fragment)[0]
        case "fix":
            fixes = [(id, p.fix) for id, p in infer(graph).problems() if p.fix is not None]
            return edits.apply_fix(graph, *data.draw(st.sampled_from(fixes))) if fixes else graph
        case "group":
            chosen = data.draw(st.lists(pick, min_size=1, max_size=5))
            return grouping.group(graph, chosen, data.draw(st.none() | st.just(infer(graph))))[0]
        case "ungroup" | "independent" | "use" | "inside" | "expose" if graph.of_layer("group"):
            return edited_group(data, graph, kind)
        case _:
            a, b = data.draw(pick), data.draw(pick)
            ends = any_port(data, graph, a, 1), any_port(data, graph, b, 0)
            return edits.connect(graph, Edge(a, ends[0], b, ends[1]))


def edited_group(data: st.DataObject, graph: Graph, kind: str) -> Graph:
    """An edit of a group or, as deep as is drawn, of what is inside one."""
    id = data.draw(st.sampled_from([node.id for node in graph.of_layer("group")]))
    match kind:
        case "ungroup":
            return grouping.ungroup(graph, id)[0]
        case "independent":
            return grouping.make_independent(graph, id)
        case "use":
            definition = data.draw(st.sampled_from([*graph.definitions, "nothing"]))
            return grouping.add_instance(graph, definition, (3.0, 4.0))[0]
    inner = grouping.at(graph, [id])
    if kind == "inside":
        return grouping.edit_inside(graph, [id], random_edit(data, inner))
    if not inner.nodes:
        return graph
    node = data.draw(st.sampled_from(list(inner.nodes)))
    parameters = parameters_of(inner, inner.node(node))
    if not parameters:
        return graph
    parameter = data.draw(st.sampled_from(parameters)).id
    return grouping.set_exposed(graph, [id], node, parameter, data.draw(st.booleans()))


def starting_graph(data: st.DataObject) -> Graph:
    if data.draw(st.booleans()):
        return grouped()[0]
    graph, first = edits.add_node(Graph(), "input")
    for layer in data.draw(st.lists(st.sampled_from(LAYER_IDS[1:]), max_size=4)):
        graph, id = edits.add_node(graph, layer)
        source = edits.ports(graph, graph.node(first))[1]
        target = edits.ports(graph, graph.node(id))[0]
        if source and target:
            graph = edits.connect(graph, Edge(first, source[0].name, id, target[0].name))
            first = id
    return graph


def edited(data: st.DataObject, graph: Graph) -> Graph | None:
    try:
        return random_edit(data, graph)
    except (EditError, GraphError):
        return None


@SLOW
@given(st.data())
def test_any_edits_undone_give_the_starting_document(data):
    graph = starting_graph(data)
    history: list[tuple[Edit, str]] = []
    for _ in range(data.draw(st.integers(1, 15))):
        after = edited(data, graph)
        if after is not None:
            history.append((Edit("edit", graph, after), text(graph)))
            graph = after
    last = text(graph)
    for edit, earlier in reversed(history):
        assert text(graph) == text(edit.after)
        graph = edit.before
        assert text(graph) == earlier
    for edit, _ in history:
        graph = edit.after
    assert text(graph) == last


@SLOW
@given(st.data())
def test_any_graph_survives_writing_and_reading(data):
    graph = starting_graph(data)
    for _ in range(data.draw(st.integers(1, 15))):
        graph = edited(data, graph) or graph
    written = text(graph)
    again = Graph.from_json(json.loads(written))
    assert text(again) == written
    assert str(infer(again)) == str(infer(graph))


@SLOW
@given(st.data())
def test_incremental_shapes_are_those_from_scratch(data):
    graph, inference = starting_graph(data), ShapeInference()
    for _ in range(data.draw(st.integers(1, 12))):
        assert inference.infer(graph) == infer(graph)
        graph = edited(data, graph) or graph
    assert inference.infer(graph) == infer(graph)


def positions(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of everything in a JSON value."""
    keys: Any = ()
    if isinstance(value, dict):
        keys = value
    elif isinstance(value, list):
        keys = range(len(value))
    return [path, *(p for key in keys for p in positions(value[key], (*path, key)))]


def read(document: Any) -> None:
    """Reading gives a graph, or a sentence; what can be read can be checked and written."""
    try:
        graph = Graph.from_json(document)
    except GraphError:
        return
    infer(graph)
    assert Graph.from_json(graph.to_json()) == graph or "NaN" in text(graph)


@settings(deadline=None)
@given(json_values)
def test_anything_that_is_no_graph_is_told(document):
    read(document)


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_a_damaged_document_is_read_or_told(data):
    document = copy.deepcopy(grouped()[0].to_json())
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(positions(document)))
        if not path:
            document = data.draw(json_values)
            break
        inner = document
        for key in path[:-1]:
            inner = inner[key]
        if data.draw(st.booleans()):
            inner[path[-1]] = data.draw(json_values)
        else:
            del inner[path[-1]]
    read(document)


@pytest.mark.parametrize("depth", [20, 320])
def test_definitions_inside_definitions_do_not_exhaust_the_stack(depth):
    document: dict[str, Any] = {"nodes": [], "edges": []}
    for _ in range(depth):
        inner = {"id": "d", "name": "d", "graph": document}
        document = {"nodes": [], "edges": [], "definitions": [inner]}
    read(document)
