"""Learning with the last layer alone: everything before it stays as it is."""

from __future__ import annotations

from typing import Any

from torch import nn

from models.build import Network
from models.graph import OUTPUT, Graph


def freeze_all_but_head(network: Network, graph: Graph) -> None:
    """No weights but those of the last layers before the Outputs are learnt from now on.

    What is frozen answers as it does when it is asked, also while training: batch normalization
    keeps its statistics, and dropout inside of groups is off.
    """
    modules = {id: _module(network, path) for id, path in network.paths.items()}
    weighted = {
        id: module
        for id, module in modules.items()
        if module is not None and any(True for _ in module.parameters())
    }
    frozen = [module for id, module in weighted.items() if id not in _heads(graph, set(weighted))]
    for module in frozen:
        module.requires_grad_(False)

    def stay(_: nn.Module, __: Any) -> None:
        for module in frozen:
            module.eval()

    network.module.register_forward_pre_hook(stay)


def _heads(graph: Graph, weighted: set[str]) -> set[str]:
    """Of the nodes with weights, the first that are met on the way back from each Output."""
    heads: set[str] = set()
    waiting = [node.id for node in graph.of_layer(OUTPUT)]
    seen: set[str] = set()
    while waiting:
        id = waiting.pop()
        if id in seen:
            continue
        seen.add(id)
        if id in weighted:
            heads.add(id)
        else:
            waiting += [edge.source for edge in graph.into(id)]
    return heads


def _module(network: Network, path: str) -> nn.Module | None:
    """The module of a node; None of one that needs none."""
    try:
        return network.module.get_submodule(path)
    except AttributeError:
        return None
