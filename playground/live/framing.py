"""The part of a network before its first recurrent layer, on what is new of a stream alone.

A layer is local in time when its step ``i`` sees the inputs from ``i · stride + start`` up to (and
without) ``i · stride + end``: spectra, convolutions and pooling over time, and everything that
works on each step by itself. What such layers make of a piece of a stream equals what they make of
the whole, but for the steps whose inputs reach beyond the piece; those are not taken.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from models.axes import Kind
from models.graph import INPUT, OUTPUT, Edge, Graph, Node
from models.layers import LAYERS
from models.layers.common import each
from models.parameters import Values
from models.shapes import NodeReport, Report, infer
from playground.data.dataset import Column
from playground.live.streaming import NotStreaming, built, share_weights, steps
from playground.messages import Array
from playground.model import Model

FRAMES = "frames"


@dataclass(frozen=True, slots=True)
class View:
    """Step ``i`` is made of the inputs from ``i · stride + start`` to ``i · stride + end``."""

    stride: int = 1
    start: int = 0
    end: int = 1

    def over(self, before: View) -> View:
        """What this view of another's steps sees of its inputs."""
        return View(
            self.stride * before.stride,
            self.start * before.stride + before.start,
            (self.end - 1) * before.stride + before.end,
        )


@dataclass(frozen=True, slots=True)
class Cut:
    """A graph in two: ``front`` makes steps of the raw input, ``back`` goes on from them, given at
    its Input ``name``."""

    front: Graph
    back: Graph
    name: str
    view: View


def cut(graph: Graph, source: str) -> Cut:
    """``graph`` before its first recurrent layers, and from there on. Raises ``NotStreaming``."""
    report = infer(graph)
    given = graph.named(source)
    if given is None or not report.ok:
        raise NotStreaming("the network has another input")
    start, port = _border(graph, report)
    before = {id for id in report.used if graph.reaches(id, start)}
    for edge in graph.edges:
        leaves = edge.source in before and edge.target in report.used - before
        if leaves and (edge.source, edge.source_port) != (start, port):
            raise NotStreaming(f"{graph.nodes[edge.target].name} is not behind the recurrent layer")
    view = _views(graph, report, before, given.id)[start]
    shape = report.nodes[start].outputs[port]
    name = graph.fresh_name(FRAMES)
    end = Node(graph.fresh_id(), name, OUTPUT)
    front = _part(graph, before, end, Edge(start, port, end.id, "input"))
    begin = Node(end.id, name, INPUT, {"shape": shape.to_json()})
    back = _part(graph, report.used - before, begin)
    moved = [
        replace(edge, source=begin.id, source_port="output")
        for edge in graph.edges
        if edge.source == start and edge.target in report.used - before
    ]
    return Cut(front, replace(back, edges=(*moved, *back.edges)), name, view)


def _border(graph: Graph, report: Report) -> tuple[str, str]:
    """The port from which the first recurrent layers are given their steps."""
    recurrent = [id for id in report.used if steps(graph.nodes[id])]
    first = [id for id in recurrent if not any(o != id and graph.reaches(o, id) for o in recurrent)]
    ports = {
        (edge.source, edge.source_port)
        for id in first
        for edge in graph.into(id)
        if edge.target_port == "input"
    }
    if not ports:
        raise NotStreaming("it has no recurrent layer")
    if len(ports) > 1:
        raise NotStreaming("its recurrent layers begin at different places")
    return ports.pop()


def _part(graph: Graph, ids: set[str] | frozenset[str], node: Node, *edges: Edge) -> Graph:
    kept = {id: found for id, found in graph.nodes.items() if id in ids}
    between = [edge for edge in graph.edges if edge.source in kept and edge.target in kept]
    return replace(graph, nodes={**kept, node.id: node}, edges=(*between, *edges))


# --- what a step sees -----------------------------------------------------------------------------


def _views(graph: Graph, report: Report, ids: set[str], source: str) -> dict[str, View]:
    """What each node's steps see of the input; raises ``NotStreaming``."""
    views: dict[str, View] = {}
    for id in (id for id in graph.order()[0] if id in ids):
        node, found = graph.nodes[id], report.nodes[id]
        if id == source:
            views[id] = View()
            continue
        own = _view(node, found)
        seen = {own.over(views[edge.source]) for edge in graph.into(id)}
        if len({view.stride for view in seen}) != 1:
            raise NotStreaming(f"{node.name} joins steps of different lengths")
        views[id] = View(
            next(iter(seen)).stride, min(v.start for v in seen), max(v.end for v in seen)
        )
    return views


def _view(node: Node, found: NodeReport) -> View:
    """Raises ``NotStreaming`` for a layer that is not local in time."""
    if any(shape.kind is not Kind.SEQUENCE for shape in found.outputs.values()):
        raise NotStreaming(f"{node.name} makes something else of the sound than a sequence")
    values = found.values
    match node.layer:
        case "log-mel" | "mfcc" | "spectrogram":
            return _spectrum(node, values)
        case "conv1d":
            return _sliding(values, values["padding"], values["stride"], values["dilation"])
        case "max-pool1d" | "avg-pool1d":
            stride = values["kernel_size"] if values["stride"] is None else values["stride"]
            return _sliding(values, values["padding"], stride, 1)
    if LAYERS.get(node.layer).streaming != "stateless":
        raise NotStreaming(f"{node.name} needs the whole sound")
    return View()


def _spectrum(node: Node, values: Values) -> View:
    """As ``models.modules.signal.Spectrogram`` lays its windows."""
    if values.get("scale", "db") == "db" and values["top_db"] is not None:
        raise NotStreaming(
            f"{node.name} measures every moment against the loudest of the whole sound: empty its "
            "Range and train again"
        )
    length = values["win_length"] or values["n_fft"]
    start = (values["n_fft"] - length) // 2 - values["n_fft"] // 2
    return View(values["hop_length"], start, start + length)


def _sliding(values: Values, padding: object, stride: object, dilation: object) -> View:
    (kernel,), (wide,) = each(values["kernel_size"], 1), each(dilation, 1)
    reach = wide * (kernel - 1)
    # an empty padding keeps the size; an odd one has its larger part on the far side
    left = reach // 2 if padding is None else each(padding, 1)[0]
    return View(each(stride, 1)[0], -left, reach + 1 - left)


# --- the stream -----------------------------------------------------------------------------------


class Framer:
    """Steps of a stream from its raw values, which come in pieces of any length."""

    def __init__(self, model: Model, part: Cut, column: Column) -> None:
        self._network = built(part.front)
        share_weights(model, self._network)
        self._network.module.eval()
        self._column, self._view, self._name = column, part.view, part.name
        self._device = model.device
        self._kept = np.zeros((0, column.shape.number("F")), np.float32)
        self._first = self._done = 0

    def begin(self) -> None:
        """What comes next is the beginning of a stream."""
        self._kept = self._kept[:0]
        self._first = self._done = 0

    def take(self, raw: Array) -> Tensor | None:
        """The steps (1, n, F) that are complete with a further piece (T, …); None for none."""
        self._kept = np.concatenate((self._kept, raw))
        view, total = self._view, self._first + len(self._kept)
        count = (total - view.end) // view.stride + 1
        if count <= self._done:
            return None
        steps = self._made(self._done, (count - 1) * view.stride + view.end, count)
        self._forget()
        return steps

    def finish(self) -> Tensor | None:
        """The last steps (1, n, F), for which the whole network sees the end of its input."""
        # from a step that is known: layers refuse pieces that give none
        steps = self._made(self._done - 1, self._first + len(self._kept), None)
        return steps if steps.shape[1] else None

    def _made(self, first: int, end: int, count: int | None) -> Tensor:
        """The steps after ``_done`` up to ``count`` (None: all), of a piece that gives those from
        ``first`` on as they are in the whole, and ends before the input ``end``."""
        begin = self._before(first)
        part = self._kept[begin * self._view.stride - self._first : end - self._first]
        values = np.ascontiguousarray(self._column.prepared(part[None]))
        with torch.no_grad():
            found = self._network({self._column.name: torch.from_numpy(values).to(self._device)})
        steps = found[self._name][:, self._done - begin : None if count is None else count - begin]
        self._done += steps.shape[1]
        return steps

    def _before(self, step: int) -> int:
        """The step with which a piece begins in which ``step`` sees all of its inputs."""
        return max(0, step + self._view.start // self._view.stride)

    def _forget(self) -> None:
        """Inputs that no further step sees."""
        first = self._before(self._done - 1) * self._view.stride
        if first > self._first:
            self._kept = self._kept[first - self._first :]
            self._first = first
