"""What each edit does to the document."""

from dataclasses import replace

import pytest

from models import edits
from models.edits import EditError
from models.graph import GROUP, Definition, Edge, Graph, Node
from models.layers.declaration import Fix
from models.shapes import infer


def network(*layers: str) -> tuple[Graph, list[str]]:
    """The layers in a row, by their first outputs."""
    graph, ids = Graph(), []
    for layer in layers:
        graph, id = edits.add_node(graph, layer)
        if ids:
            output = edits.ports(graph, graph.nodes[ids[-1]])[1][0].name
            graph = edits.connect(graph, Edge(ids[-1], output, id, "input"))
        ids.append(id)
    return graph, ids


def test_splicing_keeps_the_place_of_the_edge():
    graph, (a, b) = network("input", "output")
    graph, c = edits.splice(graph, "relu", graph.edges[0])
    assert graph.edges == (Edge(a, "output", c, "input"), Edge(c, "output", b, "input"))


def test_splicing_into_one_of_several_inputs_keeps_their_order():
    graph, (a, b) = network("input", "relu")
    graph, join = edits.add_node(graph, "concatenate")
    graph = edits.connect(graph, Edge(a, "output", join, "inputs"))
    graph = edits.connect(graph, Edge(b, "output", join, "inputs"))
    first = Edge(a, "output", join, "inputs")
    graph, new = edits.splice(graph, "relu", first)
    assert [edge.source for edge in graph.into(join)] == [new, b]


def test_removing_heals_the_chain():
    graph, (a, b, c) = network("input", "relu", "output")
    healed = edits.remove(graph, [b])
    assert healed.edges == (Edge(a, "output", c, "input"),)
    assert edits.remove(graph, [a, b, c]).edges == ()


def test_removing_several_in_a_row_heals_over_all_of_them():
    graph, ids = network("input", "relu", "tanh", "sigmoid", "output")
    healed = edits.remove(graph, ids[1:4])
    assert healed.edges == (Edge(ids[0], "output", ids[4], "input"),)


def test_an_input_of_one_value_changes_its_source():
    graph, (a, _b, c) = network("input", "relu", "output")
    graph = edits.connect(graph, Edge(a, "output", c, "input"))
    assert graph.into(c) == (Edge(a, "output", c, "input"),)


def test_a_cycle_cannot_be_wired():
    graph, (_, b, c, _) = network("input", "relu", "tanh", "output")
    with pytest.raises(EditError, match="cycle"):
        edits.connect(graph, Edge(c, "output", b, "input"))
    with pytest.raises(EditError, match="cycle"):
        edits.connect(graph, Edge(b, "output", b, "input"))


def test_pasting_gives_new_ids_and_free_names():
    graph, ids = network("input", "relu", "tanh", "output")
    fragment = edits.copy_nodes(graph, ids[1:3])
    pasted, new = edits.paste(graph, fragment)
    assert len(pasted.nodes) == 6
    assert {pasted.nodes[id].name for id in new} == {"relu2", "tanh2"}
    assert pasted.edges[-1] == Edge(new[0], "output", new[1], "input")


def test_a_name_cannot_continue_another():
    graph, (a, b) = network("input", "relu")
    graph = edits.rename(graph, a, "features")
    with pytest.raises(EditError, match="continues"):
        edits.rename(graph, b, "features.0")
    with pytest.raises(EditError, match="already"):
        edits.rename(graph, b, "features")


def test_a_fix_is_carried_out():
    graph, (image, linear, out) = network("input", "linear", "output")
    problem = infer(graph).nodes[linear].problem
    assert problem is not None
    assert problem.fix is not None
    mended = edits.apply_fix(graph, linear, problem.fix)
    assert infer(mended).ok
    assert edits.apply_fix(graph, linear, Fix("Remove", "remove")).edges == (
        Edge(image, "output", out, "input"),
    )


def test_weights_are_shared_within_a_layer_only():
    graph, (_, relu, tanh, _) = network("input", "relu", "tanh", "output")
    with pytest.raises(EditError, match="same layer"):
        edits.share_weights(graph, relu, tanh)
    graph, other = edits.add_node(graph, "relu")
    graph = edits.share_weights(graph, other, relu)
    assert edits.remove(graph, [relu]).nodes[other].shares_weights_with is None


def test_parameters_return_to_their_default():
    graph, (_, linear) = network("input", "linear")
    changed = edits.set_params(graph, linear, {"out_features": 7})
    assert changed.nodes[linear].params["out_features"] == 7
    assert not edits.set_params(changed, linear, {"out_features": None}).nodes[linear].params


def test_copies_take_nested_definitions_along():
    graph, (a, _, _) = network("input", "relu", "output")
    inner = Definition("inner", "Inner", graph)
    call = Node("g1", "inside", GROUP, {"definition": "inner"})
    outer = Definition("outer", "Outer", Graph({"g1": call}))
    used = Node("g2", "group", GROUP, {"definition": "outer"})
    unused = Definition("unused", "Unused", graph)
    definitions = {item.id: item for item in (inner, outer, unused)}
    whole = replace(graph.with_nodes([used]), definitions=definitions)
    assert set(edits.copy_nodes(whole, ["g2"]).definitions) == {"inner", "outer"}
    assert not edits.copy_nodes(whole, [a]).definitions
