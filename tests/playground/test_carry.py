"""Weights find their layers again after layers were grouped, taken out of groups or renamed."""

from __future__ import annotations

import torch

from models import edits, grouping
from models.build import build
from models.graph import Graph
from models.zoo.efficientnet import efficientnet_lite0
from playground.training.carry import fit


def picture() -> torch.Tensor:
    return torch.linspace(0, 1, 3 * 64 * 64).reshape(1, 3, 64, 64)


def answers_alike(old: Graph, new: Graph) -> tuple[list[str], list[str]]:
    """Whether ``new`` answers as ``old`` did once it has its weights."""
    source, target = build(old, seed=1), build(new, seed=2)
    kept, fresh = fit(source.module.state_dict(), old, target, new)
    with torch.no_grad():
        one, two = (network.module.eval()(picture()) for network in (source, target))
    assert torch.equal(one, two) is (not fresh)
    return kept, fresh


def test_grouping_and_ungrouping_keep_every_weight():
    graph = efficientnet_lite0(10, 64)
    head = [graph.named(name).id for name in ("conv_head", "bn1", "relu1")]
    grouped, group = grouping.group(graph, head)
    kept, fresh = answers_alike(graph, grouped)
    assert "group.conv_head" in kept
    assert not fresh
    apart, _ = grouping.ungroup(grouped, group)
    assert not answers_alike(grouped, apart)[1]
    blocks = [node.id for node in graph.of_layer("group")]
    for id in blocks[:3]:
        graph, _ = grouping.ungroup(graph, id)
    assert not answers_alike(efficientnet_lite0(10, 64), graph)[1]


def test_blocks_put_into_a_group_keep_their_weights():
    graph = efficientnet_lite0(10, 64)
    grouped, group = grouping.group(graph, [n.id for n in graph.of_layer("group")])
    assert grouped.node(group).name == "blocks"
    assert not answers_alike(graph, grouped)[1]
    named = edits.rename(grouped, group, "trunk")
    assert not answers_alike(graph, named)[1]


def test_what_changed_inside_begins_anew_and_the_rest_is_kept():
    graph = efficientnet_lite0(10, 64)
    block = next(n.id for n in graph.of_layer("group") if n.params["definition"] == "residual")
    inner = grouping.at(graph, [block])
    changed = edits.set_params(inner, inner.named("depthwise_conv").id, {"bias": True})
    kept, fresh = answers_alike(graph, grouping.edit_inside(graph, [block], changed))
    assert len(fresh) == 9
    assert all(path.endswith(".depthwise_conv") for path in fresh)
    assert "blocks.2.expand_conv" in kept


def test_copies_of_a_repeated_group_keep_their_own_weights():
    graph = efficientnet_lite0(10, 64)
    block = next(n.id for n in graph.of_layer("group") if n.params["definition"] == "residual")
    graph = edits.set_params(graph, block, {"kind": "repeat", "copies": 2})
    kept, fresh = answers_alike(graph, edits.rename(graph, block, "twice"))
    assert {"twice.0.expand_conv", "twice.1.expand_conv"} <= set(kept)
    assert not fresh
