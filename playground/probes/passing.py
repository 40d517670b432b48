"""One pass through a network in two parts: what lies before a value, and what it leads to.

The first part needs no gradients, the second begins where they are wanted. Both share the weights
of the network, and have flags of their own: nobody else's evaluation mode or gradients change.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx, nn

from models.axes import Kind, Shape
from models.build import Network
from models.shapes import Report
from playground.messages import PortId

NOT_HERE = "this layer is not part of the network that runs"


@dataclass(frozen=True, slots=True, eq=False)
class Passed:
    """``values`` (N, …) of the ports that were asked for; ``source`` (N, …) is where gradients
    begin, and ``end`` (N, C) what they come from."""

    values: Mapping[PortId, Tensor]
    source: Tensor | None = None
    end: Tensor | None = None


class Passage:
    """``network`` as far as the ``wanted`` ports need it; with a ``source``, on from there to
    ``end`` as well. The latter two go together. Raises ``ValueError`` where ``source`` does not
    lead to ``end``."""

    def __init__(
        self,
        network: Network,
        wanted: Collection[PortId],
        source: PortId | None = None,
        end: fx.Node | None = None,
    ) -> None:
        self._wanted = tuple(dict.fromkeys(wanted))
        places = {port: node_of(network, port) for port in self._wanted}
        start = None if source is None else node_of(network, source)
        behind = _behind(start)
        if end is not None and end not in behind:
            raise ValueError("this layer's values do not lead to the answer")
        late = [node for node in places.values() if node in behind]
        goals = [*late, *([end] if end else [])]
        needed = _needed(goals)
        crossing = [
            node
            for node in network.module.graph.nodes
            if node not in behind
            and (node is start or any(user in behind and user in needed for user in node.users))
        ]
        early = [node for node in places.values() if node not in behind]
        self._early, self._late = early, late
        self._places = places
        self._crossing = crossing if start is not None else []
        self._start = self._crossing.index(start) if start is not None else -1
        self._front = _part(network, (), [*early, *self._crossing])
        self._back = _part(network, self._crossing, goals) if end is not None else None

    def run(self, arguments: Sequence[Tensor]) -> Passed:
        """The values for a batch, given as the network's arguments; gradients can be taken of
        ``end`` with regard to ``source``, and of nothing else."""
        values, crossing = self._first(arguments)
        if self._back is None:
            return Passed(self._named(values))
        source = crossing[self._start].detach().requires_grad_()
        with torch.enable_grad():
            *more, end = self._back(*_with(crossing, self._start, source))
        values |= {node: value.detach() for node, value in zip(self._late, more, strict=True)}
        return Passed(self._named(values), source, end)

    def begin(self, arguments: Sequence[Tensor]) -> tuple[Tensor, list[Any]]:
        """The source's value (1, …), and what else ``end`` needs."""
        _, crossing = self._first(arguments)
        return crossing[self._start], crossing

    def go_on(self, source: Tensor, crossing: Sequence[Any]) -> Tensor:
        """What ``end`` is (N, C) with other values (N, …) of the source; without gradients."""
        assert self._back is not None
        count = len(source)
        wide = [
            value.expand(count, *value.shape[1:])
            if isinstance(value, Tensor) and len(value) == 1
            else value
            for value in crossing
        ]
        with torch.no_grad():
            end: Tensor = self._back(*_with(wide, self._start, source))[-1]
        return end

    def _first(self, arguments: Sequence[Tensor]) -> tuple[dict[fx.Node, Tensor], list[Any]]:
        with torch.no_grad():
            found = self._front(*arguments)
        early = dict(zip(self._early, found, strict=False))
        return early, list(found[len(self._early) :])

    def _named(self, values: Mapping[fx.Node, Tensor]) -> dict[PortId, Tensor]:
        return {port: values[node] for port, node in self._places.items()}


def node_of(network: Network, port: PortId) -> fx.Node:
    """The fx node whose value leaves ``port``, in a group where the id leads through some; raises
    ``ValueError``."""
    name = network.values.get(port) or network.inner.get(port)
    for node in network.module.graph.nodes:
        if node.name == name:
            found: fx.Node = node
            return found
    raise ValueError(NOT_HERE)


def output_node(network: Network, output: str) -> fx.Node:
    """The fx node whose value is the Output of that name."""
    result = network.module.graph.output_node().args[0]
    found = result[output] if isinstance(result, Mapping) else result
    assert isinstance(found, fx.Node)
    return found


def shape_of(network: Network, port: PortId) -> Shape:
    """Of what leaves ``port``; raises ``ValueError``."""
    place, name = port
    *groups, id = place.split("/")
    report: Report | None = network.report
    for group in groups:
        report = report.nodes[group].inside if report and group in report.nodes else None
    if report is None or id not in report.nodes or name not in report.nodes[id].outputs:
        raise ValueError(NOT_HERE)
    return report.nodes[id].outputs[name]


def newest(value: Tensor, kind: Kind) -> tuple[Tensor, Kind]:
    """Of one sample's value: the last frame of a clip, the middle of a volume, all of the rest."""
    if kind is Kind.VIDEO:
        return value[-1], Kind.IMAGE
    if kind is Kind.VOLUME:
        return value[:, value.shape[1] // 2], Kind.IMAGE
    return value, kind


def sharing(module: fx.GraphModule) -> fx.GraphModule:
    """The module in evaluation mode, with flags of its own; the weights are the very same."""
    same = {id(tensor): tensor for tensor in (*module.parameters(), *module.buffers())}
    copied: fx.GraphModule = copy.deepcopy(module, same)
    copied.eval()
    for layer in copied.modules():
        if isinstance(layer, nn.RNNBase):
            # cuDNN gives gradients of recurrent layers in training mode alone, where without
            # dropout they compute the same
            layer.dropout = 0.0
            layer.train()
    return copied


def _behind(start: fx.Node | None) -> set[fx.Node]:
    """All nodes that depend on ``start``."""
    found: set[fx.Node] = set()
    waiting = [] if start is None else list(start.users)
    while waiting:
        node = waiting.pop()
        if node not in found:
            found.add(node)
            waiting += node.users
    return found


def _needed(goals: Iterable[fx.Node], given: Iterable[fx.Node] = ()) -> set[fx.Node]:
    """All nodes that ``goals`` are computed from where ``given`` are known, with themselves."""
    found = set(given)
    waiting = list(goals)
    while waiting:
        node = waiting.pop()
        if node not in found:
            found.add(node)
            waiting += node.all_input_nodes
    return found


def _part(network: Network, given: Sequence[fx.Node], goals: Sequence[fx.Node]) -> fx.GraphModule:
    """A module from the values ``given`` to those of ``goals``, a tuple; it takes the network's
    own arguments where nothing is given."""
    whole, graph = network.module.graph, fx.Graph()
    copies: dict[fx.Node, fx.Node] = {}
    for number, node in enumerate(given):
        copies[node] = graph.placeholder(f"given_{number}")
    needed = _needed(goals, given)
    for node in whole.nodes:
        if node in copies or node.op == "output":
            continue
        if node in needed or (not given and node.op == "placeholder"):
            copies[node] = graph.node_copy(node, copies.__getitem__)
    graph.output(tuple(copies[node] for node in goals))
    part = sharing(fx.GraphModule(network.module, graph))
    for made in (graph, part.graph):  # each would hold the weights, as in ``Network``
        made.owning_module = None
    return part


def _with(values: Sequence[Any], place: int, value: Tensor) -> list[Any]:
    return [value if number == place else given for number, given in enumerate(values)]
