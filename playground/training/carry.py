"""Starting with weights that were learnt elsewhere: by node, wherever they fit."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from models.build import Network
from models.graph import Graph
from models.groups import Leaf, leaves
from playground.data.dataset import Column, Dataset
from playground.runs import RunFolder
from playground.training.errors import TrainingError
from playground.training.learner import fed_by, match_inputs

if TYPE_CHECKING:
    from playground.project import Project

MOST_NAMED = 8
TAUGHT, TUNED = "taught", "tuned"
"""In ``run.json``: a run that was taught by example, and one that was trained on from there."""


def fit(
    weights: Mapping[str, Tensor],
    old: Graph,
    network: Network,
    new: Graph,
    without: Collection[str] = (),
) -> tuple[list[str], list[str]]:
    """Copy ``weights`` of ``old`` into ``network``, built from ``new``.

    Layers are the same by the ids that lead to them, else by the names, else where one of the same
    id and name was put into a group or out of one. A layer takes all of its weights over or none,
    and those at the paths ``without`` none.
    Returns the paths of the layers that did and of those that keep their initial weights.
    """
    own = network.module.state_dict()
    sources = _Sources(old)
    kept, fresh = [], []
    for leaf in leaves(new):
        prefix = f"{leaf.path}."
        wanted = [key for key in own if key.startswith(prefix)]
        if not wanted:
            continue
        source = None if leaf.path in without else sources.of(leaf)
        found = {
            key: weights.get(f"{source.path}.{key.removeprefix(prefix)}") if source else None
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
            kept.append(leaf.path)
        else:
            fresh.append(leaf.path)
    return kept, fresh


class _Sources:
    """The layers of the network that has learnt."""

    def __init__(self, graph: Graph) -> None:
        self._by_ids: dict[tuple[str, ...], Leaf] = {}
        self._by_path: dict[str, Leaf] = {}
        self._moved: dict[_Place, Leaf | None] = {}
        for leaf in leaves(graph):
            self._by_ids[leaf.ids] = self._by_path[leaf.path] = leaf
            for place in _places(leaf):
                self._moved[place] = leaf if place not in self._moved else None

    def of(self, leaf: Leaf) -> Leaf | None:
        """The layer that ``leaf`` was."""
        moved = (self._moved.get(place) for place in _places(leaf))
        found = (self._by_ids.get(leaf.ids), self._by_path.get(leaf.path), *moved)
        same = (f for f in found if f is not None and f.node.layer == leaf.node.layer)
        return next(same, None)


_Place = tuple[tuple[str, ...], str]


def _places(leaf: Leaf) -> list[_Place]:
    """The ends of the way to a layer, the longest first, with its name."""
    name = leaf.path.rpartition(".")[2]
    return [(leaf.ids[start:], name) for start in range(len(leaf.ids))]


def carry(run: RunFolder, network: Network, graph: Graph, dataset: Dataset) -> str:
    """Start ``network`` with the last weights of ``run`` that fit; says what was kept. An Embedding
    begins anew where the words of ``dataset`` are not those of the run: its rows are words.

    Raises ``RunError`` where the run holds none.
    """
    weights = run.checkpoint("last" if run.has("last") else "best").weights
    others = _of_other_words(run, network, dataset)
    kept, fresh = fit(weights, run.project().graph, network, graph, others)
    text = f"{len(kept)} of {len(kept) + len(fresh)} layers keep the weights of run {run.name}"
    more = f" and {len(fresh) - MOST_NAMED} more" if len(fresh) > MOST_NAMED else ""
    text = f"{text}; new: {', '.join(fresh[:MOST_NAMED])}{more}" if fresh else text
    return f"{text}; the data have another vocabulary" if others else text


def by_example(run: RunFolder) -> bool:
    """Whether ``run`` was taught by example, also where it was trained on since."""
    info = run.info()
    return info.get(TAUGHT) is True or info.get(TUNED) is True


def _of_other_words(run: RunFolder, network: Network, dataset: Dataset) -> set[str]:
    """The paths of the layers that are given tokens whose numbers meant something else in
    ``run``."""
    words = {name: _vocabulary(column) for name, column in dataset.inputs.items()}
    if not any(words.values()):
        return set()
    before = {name: _vocabulary(column) for name, column in run.fitted().inputs.items()}
    known = next(filter(None, before.values()), ())  # the one text may be called otherwise now
    given = zip(network.arguments, match_inputs(network, dataset), strict=True)
    return {
        path
        for argument, name in given
        if words.get(name) and words[name] != before.get(name, known)
        for path in fed_by(network, argument)
    }


def _vocabulary(column: Column) -> tuple[str, ...]:
    found: tuple[str, ...] = getattr(column.reading, "vocabulary", ())
    return found


def last_run(project: Project, run: RunFolder) -> RunFolder:
    """The last run of ``project``, among whose runs ``run`` is new; raises ``TrainingError`` where
    there is none, as what is frozen must have been learnt before."""
    files = run.place().files.resolve()
    found = (files / (project.run or "")).resolve()
    if project.run is None or not found.is_relative_to(files) or not found.is_dir():
        raise TrainingError(
            "the last layer alone learns from what the others know already: start with the "
            "weights of another run, or let all layers learn (training.learns)"
        )
    return RunFolder(found)
