"""What leaves every node for one sample, as numpy arrays of a size that a window can draw."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, fx
from torch.nn.functional import adaptive_avg_pool2d

from models.axes import Kind
from models.build import Network
from models.shapes import NodeReport, Report
from playground.messages import Array, PortId

CHANNELS, SIDE = 64, 64
STEPS, FEATURES = 256, 128
FRAMES = 16
VECTOR = 1024
WHOLE = 1 << 21
"""Numbers in the largest value that is sent as it is."""


class Taps:
    """The network run once with every node's value coming out, as fast as the network itself.

    Shares its modules with ``network``; training may go on between two calls. Of the nodes inside
    groups those at the ports ``inner`` come out too.
    """

    def __init__(self, network: Network, inner: Collection[PortId] = ()) -> None:
        self._network = network
        inside = [port for port in inner if port in network.inner]
        self._ports = [*network.values, *inside]
        self._inside = frozenset(inside)
        names = {**network.values, **network.inner}
        wanted = [names[port] for port in self._ports]
        graph = fx.Graph()
        copies: dict[fx.Node, fx.Node] = {}
        by_name: dict[str, fx.Node] = {}
        for node in network.module.graph.nodes:
            if node.op != "output":
                by_name[node.name] = copies[node] = graph.node_copy(node, copies.__getitem__)
        graph.output([by_name[name] for name in wanted])
        self._module = fx.GraphModule(network.module, graph)
        self._kinds = [_entry(network, id).outputs[port].kind for id, port in self._ports]

    def values(
        self, arguments: Sequence[Tensor], wanted: Collection[PortId] | None = frozenset()
    ) -> tuple[dict[PortId, Array], frozenset[PortId]]:
        """The values of one sample, given as the network's arguments (1, …), without that axis.

        Ports in ``wanted`` (None: all) come whole where they are not too large, the others, and
        those inside groups, thinned; also returns which are whole.
        """
        training = self._network.module.training
        self._module.eval()
        try:
            with torch.no_grad():
                results = self._module(*arguments)
        finally:
            self._module.train(training)
        values: dict[PortId, Array] = {}
        whole: set[PortId] = set()
        for port, kind, result in zip(self._ports, self._kinds, results, strict=True):
            value = result[0]
            asked = wanted is None or (port in wanted and port not in self._inside)
            if asked and value.numel() <= WHOLE:
                whole.add(port)
            else:
                value = thin(value, kind)
            values[port] = _numpy(value)
        return values, frozenset(whole)


def _entry(network: Network, place: str) -> NodeReport:
    """The report of a node, in a group where its ``place`` leads through some."""
    *groups, id = place.split("/")
    report: Report = network.report
    for group in groups:
        inside = report.nodes[group].inside
        assert inside is not None
        report = inside
    return report.nodes[id]


def thin(value: Tensor, kind: Kind) -> Tensor:
    """``value`` (one sample) with its axes shortened to what a preview shows: the first channels
    or features, steps evenly spread, pictures averaged down."""
    match kind:
        case Kind.IMAGE:
            return _smaller(value[:CHANNELS])
        case Kind.SEQUENCE:
            return _spread(value, STEPS)[:, :FEATURES]
        case Kind.VIDEO:
            return _smaller(_spread(value, FRAMES)[:, :CHANNELS])
        case Kind.VOLUME:
            depth = _spread(value[:CHANNELS].transpose(0, 1), FRAMES)
            return _smaller(depth.transpose(0, 1))
        case _:
            return value[:VECTOR]


def _smaller(pictures: Tensor) -> Tensor:
    """(…, H, W) averaged to at most SIDE rows and columns."""
    height, width = pictures.shape[-2:]
    if height <= SIDE and width <= SIDE:
        return pictures
    size = (min(height, SIDE), min(width, SIDE))
    flat = pictures.reshape(-1, 1, height, width)
    return adaptive_avg_pool2d(flat, size).reshape(*pictures.shape[:-2], *size)


def _spread(value: Tensor, most: int) -> Tensor:
    if len(value) <= most:
        return value
    return value[torch.linspace(0, len(value) - 1, most, device=value.device).round().long()]


def _numpy(value: Tensor) -> npt.NDArray[np.generic]:
    if value.is_floating_point():
        value = value.float()
    # an own copy: the tensor may be reused by the next batch
    return np.array(value.cpu().numpy(), order="C")
