"""Groups made, opened, edited and taken apart: the network stays the same, and all of it undone."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models import edits, grouping
from models.axes import image
from models.build import build
from models.edits import EditError
from models.graph import Edge, Graph, Node
from models.groups import exposed_parameters
from models.shapes import infer
from models.zoo.efficientnet import efficientnet_lite0

SLOW = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=40)
LAYERS = ["conv2d", "relu", "batch-norm", "depthwise-conv2d", "add", "concatenate"]


def text(graph: Graph) -> str:
    return json.dumps(graph.to_json())


def network(layers: list[str], skips: list[tuple[int, int]], names: list[str]) -> Graph:
    """A picture through ``layers`` in a row; ``skips`` lead values ahead to joining layers."""
    graph, first = edits.add_node(
        Graph(), "input", params={"shape": image(4, 6, 6).to_json()}, name="picture"
    )
    row = [first]
    for number, layer in enumerate([*layers, "output"]):
        params = {"out_channels": 4, "kernel_size": 1} if layer == "conv2d" else {}
        name = names[number] if number < len(names) else None
        graph, id = edits.add_node(graph, layer, (200.0 * number, 0.0), params=params, name=name)
        port = edits.ports(graph, graph.node(id))[0][0].name
        graph = edits.connect(graph, Edge(row[-1], "output", id, port))
        row.append(id)
    for start, end in skips:
        source, target = row[start % len(row[:-1])], row[end % len(row)]
        ports = edits.ports(graph, graph.node(target))[0]
        edge = Edge(source, "output", target, ports[0].name if ports else "")
        if ports and ports[0].variadic:
            try:
                graph = edits.connect(graph, edge)
            except EditError:
                continue
    return graph


def drawn(data: st.DataObject) -> tuple[Graph, list[str]]:
    """A network and some of its nodes."""
    layers = data.draw(st.lists(st.sampled_from(LAYERS), min_size=1, max_size=7))
    ends = st.integers(0, 8)
    skips = data.draw(st.lists(st.tuples(ends, ends), max_size=4))
    prefix = data.draw(st.sampled_from(["", "features.", "group.", "a.b."]))
    named = data.draw(st.integers(0, len(layers)))
    graph = network(layers, skips, [f"{prefix}{i}" for i in range(named)] if prefix else [])
    return graph, data.draw(st.lists(st.sampled_from(list(graph.nodes)), min_size=1, max_size=8))


def weights(graph: Graph, prefix: str = "") -> dict[str, str]:
    """The path of every node that is no group, by its id and its last name."""
    found: dict[str, str] = {}
    for node in graph.nodes.values():
        if node.layer == "group":
            inner = grouping.at(graph, [node.id])
            found |= weights(inner, f"{prefix}{node.name}.")
        elif node.layer not in ("input", "output"):
            found[node.id] = prefix + node.name
    return found


def answer(graph: Graph, state: dict[str, torch.Tensor], moved: dict[str, str]) -> torch.Tensor:
    """The network's answer with weights that were learnt under other paths."""
    module = build(graph, seed=0).module.eval()
    values = {}
    for key in module.state_dict():
        owner = max((p for p in moved if key.startswith(f"{p}.")), key=len)
        values[key] = state[moved[owner] + key.removeprefix(owner)]
    module.load_state_dict(values)
    with torch.no_grad():
        return module(torch.linspace(-1, 1, 4 * 36).reshape(1, 4, 6, 6))


@SLOW
@given(st.data())
def test_grouping_and_ungrouping_leave_the_network_as_it_is(data):
    graph, ids = drawn(data)
    before, whole = text(graph), infer(graph)
    try:
        grouped, group = grouping.group(graph, ids, whole)
    except EditError:
        assert text(graph) == before
        return
    apart, back = grouping.ungroup(grouped, group)
    assert text(graph) == before
    assert len(back) == len(set(ids) - _ends(graph))
    for other in (grouped, apart):
        report = infer(Graph.from_json(json.loads(text(other))))
        assert (report.parameters, report.flops) == (whole.parameters, whole.flops)
        assert report.ok == whole.ok
    assert weights(apart).keys() == weights(graph).keys()
    if not whole.ok:
        return
    state = build(graph, seed=1).module.state_dict()
    places = weights(graph)
    expected = answer(graph, state, {path: path for path in places.values()})
    for other in (grouped, apart):
        moved = {path: places[id] for id, path in weights(other).items()}
        assert torch.equal(answer(other, state, moved), expected)


def _ends(graph: Graph) -> set[str]:
    return {n.id for n in graph.nodes.values() if n.layer in ("input", "output")}


def test_names_with_a_common_beginning_keep_the_paths_of_the_weights():
    graph = network(["conv2d", "relu", "conv2d"], [], ["features.0", "features.1", "head"])
    ids = [n.id for n in graph.nodes.values() if n.name.startswith("features")]
    grouped, group = grouping.group(graph, ids)
    assert grouped.node(group).name == "features"
    assert build(grouped, seed=0).module.state_dict().keys() == (
        build(graph, seed=0).module.state_dict().keys()
    )
    apart, _ = grouping.ungroup(grouped, group)
    assert weights(apart) == weights(graph)


def test_a_group_may_not_leave_out_what_lies_between():
    graph = network(["conv2d", "relu", "conv2d"], [], ["a", "b", "c"])
    ends = [graph.named("a").id, graph.named("c").id]
    with pytest.raises(EditError, match="b lies between"):
        grouping.group(graph, ends)
    with pytest.raises(EditError, match="select the layers"):
        grouping.group(graph, _ends(graph))


def test_weights_shared_across_the_border_are_refused():
    graph = network(["conv2d", "conv2d"], [], ["a", "b"])
    graph = edits.share_weights(graph, graph.named("b").id, graph.named("a").id)
    with pytest.raises(EditError, match="uses the weights of a"):
        grouping.group(graph, [graph.named("b").id])
    grouped, group = grouping.group(graph, [graph.named("a").id, graph.named("b").id])
    apart, _ = grouping.ungroup(grouped, group)
    assert infer(apart).parameters == infer(grouped).parameters == infer(graph).parameters


# --- inside -----------------------------------------------------------------------------------


def lite() -> tuple[Graph, str, str]:
    """EfficientNet-Lite0, one of its residual blocks, and the id of that block's filter."""
    graph = efficientnet_lite0(10, 64)
    block = next(n.id for n in graph.nodes.values() if n.params.get("definition") == "residual")
    return graph, block, grouping.at(graph, [block]).named("depthwise_conv").id


def test_an_edit_inside_changes_every_use():
    graph, block, filtering = lite()
    assert grouping.uses(graph, "residual") == 9
    inner = grouping.at(graph, [block])
    after = grouping.edit_inside(graph, [block], edits.set_params(inner, filtering, {"bias": True}))
    for node in after.of_layer("group"):
        if node.params["definition"] == "residual":
            inside = grouping.at(after, [node.id])
            assert inside.node(filtering).params["bias"] is True
    assert after.node(block).params == graph.node(block).params
    assert infer(after).parameters > infer(graph).parameters


def test_an_exposed_value_inside_belongs_to_the_one_use():
    graph, block, filtering = lite()
    inner = grouping.at(graph, [block])
    changed = edits.set_params(inner, filtering, {"kernel_size": 7})
    after = grouping.edit_inside(graph, [block], changed)
    assert after.definitions == graph.definitions
    assert after.node(block).params["kernel"] == 7
    assert grouping.at(after, [block]) == changed
    others = [n for n in after.of_layer("group") if n.id != block]
    assert all(n is graph.nodes[n.id] for n in others)


def test_opening_and_closing_changes_nothing():
    graph, block, _ = lite()
    after = grouping.edit_inside(graph, [block], grouping.at(graph, [block]))
    assert text(after) == text(graph)


def test_groups_in_groups_are_edited_through_their_path():
    graph, block, filtering = lite()
    graph, outer = grouping.group(graph, [block])
    changed = edits.set_params(grouping.at(graph, [outer, block]), filtering, {"kernel_size": 7})
    after = grouping.edit_inside(graph, [outer, block], changed)
    assert grouping.at(after, [outer, block]).node(filtering).params["kernel_size"] == 7
    assert grouping.at(after, [outer]).node(block).params["kernel"] == 7


def test_edges_follow_the_ports_inside():
    graph, block, _ = lite()
    inner = grouping.at(graph, [block])
    out = inner.named("output").id
    after = grouping.edit_inside(graph, [block], edits.rename(inner, out, "narrow"))
    assert infer(after).ok
    assert {e.source_port for e in after.out_of(block)} == {"narrow"}
    gone = grouping.edit_inside(graph, [block], edits.remove(inner, [out]))
    assert not gone.out_of(block)
    assert not infer(gone).ok


def test_a_group_cannot_be_put_into_itself():
    graph, block, _ = lite()
    inner, _ = grouping.add_instance(grouping.at(graph, [block]), "residual")
    with pytest.raises(EditError, match="cannot contain itself"):
        grouping.edit_inside(graph, [block], inner)


def test_parameters_are_exposed_and_hidden_again():
    graph, block, filtering = lite()
    bn = grouping.at(graph, [block]).named("bn0").id
    exposed = grouping.set_exposed(graph, [block], bn, "momentum", True)
    names = [p.id for p in exposed_parameters(exposed, exposed.node(block))]
    assert names == ["expanded", "kernel", "channels", "momentum"]
    again = grouping.set_exposed(exposed, [block], bn, "momentum", False)
    assert text(again) == text(graph)
    fixed = grouping.set_exposed(graph, [block], filtering, "kernel_size", False)
    value = graph.node(block).params["kernel"]
    for node in fixed.of_layer("group"):
        if node.params["definition"] == "residual":
            assert "kernel" not in node.params
            assert grouping.at(fixed, [node.id]).node(filtering).params["kernel_size"] == value


def test_an_independent_copy_is_not_changed_with_the_others():
    graph, block, filtering = lite()
    apart = grouping.make_independent(graph, block)
    assert grouping.uses(apart, "residual") == 8
    inner = edits.set_params(grouping.at(apart, [block]), filtering, {"bias": True})
    after = grouping.edit_inside(apart, [block], inner)
    assert after.definitions["residual"] is graph.definitions["residual"]
    assert infer(apart).parameters == infer(graph).parameters


def test_definitions_are_renamed_used_again_and_dropped():
    graph, block, _ = lite()
    graph = grouping.rename_definition(graph, "residual", "  Bottle  neck ")
    assert graph.definitions["residual"].name == "Bottle neck"
    graph, more = grouping.add_instance(graph, "residual", (5.0, 5.0))
    assert graph.node(more).layer == "group"
    with pytest.raises(EditError, match="is used"):
        grouping.drop_definition(graph, "residual")
    with pytest.raises(EditError, match="1 to"):
        grouping.rename_definition(graph, "residual", " ")
    spare = grouping.make_independent(graph, block)
    unused = edits.remove(spare, [block])
    name = spare.node(block).params["definition"]
    assert name not in grouping.drop_definition(unused, name).definitions


def test_pasted_groups_share_their_definition_or_bring_their_own():
    graph, block, _ = lite()
    copied = edits.copy_nodes(graph, [block])
    pasted, (new,) = edits.paste(graph, copied)
    assert pasted.definitions == graph.definitions
    assert grouping.uses(pasted, "residual") == 10
    other = grouping.rename_definition(graph, "residual", "Another thing")
    pasted, (new,) = edits.paste(other, copied)
    brought = pasted.node(new).params["definition"]
    assert brought != "residual"
    assert pasted.definitions[brought].name == "Inverted residual"
    assert grouping.uses(pasted, "residual") == 9
    assert infer(pasted).nodes.keys() >= infer(graph).nodes.keys()


def test_taking_a_block_apart_keeps_the_answer_and_the_paths():
    graph, block, _ = lite()
    apart, ids = grouping.ungroup(graph, block)
    assert len(ids) == 9
    one, two = (build(g, seed=3).module.eval() for g in (graph, apart))
    assert one.state_dict().keys() == two.state_dict().keys()
    picture = torch.linspace(0, 1, 3 * 64 * 64).reshape(1, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(one(picture), two(picture))


def test_what_runs_more_than_once_stays_a_group():
    graph, block, _ = lite()
    graph = edits.set_params(graph, block, {"kind": "repeat"})
    with pytest.raises(EditError, match="more than once"):
        grouping.ungroup(graph, block)


def test_an_error_inside_is_told_at_the_group_and_inside():
    graph, block, filtering = lite()
    inner = edits.set_params(grouping.at(graph, [block]), filtering, {"stride": 7})
    report = infer(grouping.edit_inside(graph, [block], inner))
    assert "add: Add needs" in report.nodes[block].problem.message
    add = inner.named("add").id
    assert report.nodes[block].inside.nodes[add].problem is not None


def test_paths_that_lead_nowhere_are_told():
    graph, block, _ = lite()
    head = graph.named("conv_head").id
    with pytest.raises(ValueError, match="is no group"):
        grouping.at(graph, [head])
    broken = replace(graph, definitions={})
    assert exposed_names(broken, broken.node(block)) == []


def exposed_names(graph: Graph, node: Node) -> list[str]:
    try:
        return [p.id for p in exposed_parameters(graph, node)]
    except ValueError:
        return []
