"""Starting with weights that were learnt elsewhere: by node, wherever they fit."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from models.build import Network
from models.graph import Graph
from playground.runs import RunFolder


def fit(
    weights: Mapping[str, Tensor], old: Graph, network: Network, new: Graph
) -> tuple[list[str], list[str]]:
    """Copy ``weights`` of ``old`` into ``network``, built from ``new``.

    Nodes are the same by id, else by name; a node takes all of its weights over or none. Returns
    the names of the nodes that did and of those that keep their initial weights.
    """
    own = network.module.state_dict()
    kept, fresh = [], []
    for id, path in network.paths.items():
        prefix = f"{path}."
        wanted = [key for key in own if key.startswith(prefix)]
        if not wanted:
            continue
        node = new.nodes[id]
        source = old.nodes.get(id)
        if source is None or source.layer != node.layer:
            source = old.named(node.name)
        found = {
            key: weights.get(f"{source.name}.{key.removeprefix(prefix)}") if source else None
            for key in wanted
        }
        if all(
            t is not None and t.shape == own[key].shape and t.dtype == own[key].dtype
            for key, t in found.items()
        ):
            with torch.no_grad():
                for key, tensor in found.items():
                    assert tensor is not None
                    own[key].copy_(tensor)
            kept.append(node.name)
        else:
            fresh.append(node.name)
    return kept, fresh


def carry(run: RunFolder, network: Network, graph: Graph) -> str:
    """Start ``network`` with the last weights of ``run`` that fit; says what was kept.

    Raises ``RunError`` where the run holds none.
    """
    weights = run.checkpoint("last" if run.has("last") else "best").weights
    kept, fresh = fit(weights, run.project().graph, network, graph)
    text = f"{len(kept)} of {len(kept) + len(fresh)} layers keep the weights of run {run.name}"
    return f"{text}; new: {', '.join(fresh)}" if fresh else text
