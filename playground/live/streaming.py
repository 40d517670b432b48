"""Recurrent networks frame by frame: the state is carried from step to step.

The network is written once more with one step, and with its recurrent layers' states as further
Inputs and Outputs. It shares the weights of the model that it was made from.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from models.axes import Kind, Shape
from models.build import BuildError, Network, build
from models.graph import INPUT, OUTPUT, Edge, Graph, Node
from models.layers import LAYERS
from models.shapes import Report, infer
from playground.live.intake import input_of
from playground.messages import Array
from playground.model import Model
from playground.training.learner import isolated

SAME = 1e-4
"""How far a streamed answer may be from the whole one, as a share of the outputs' deviation."""
_TRIALS = 4
_TIMED = (Kind.SEQUENCE, Kind.VIDEO)


class NotStreaming(ValueError):
    """This network needs a whole sequence at a time; the message names the layer."""


class Streamer:
    """Answers a model of clips from one frame at a time. Raises ``NotStreaming``."""

    def __init__(self, model: Model) -> None:
        self.model = model
        column = input_of(model)
        self._graph, self._states = stepping(model.graph, column.name)
        self._network = _built(self._graph)
        self._share_weights()
        self._carried: dict[str, Tensor] = {}
        self._assert_equal()

    def step(self, raw: dict[str, Array]) -> dict[str, Array]:
        """The outputs (1, …) after one more frame, raw (1, 1, C, H, W)."""
        (name,) = raw
        column = self.model.dataset.inputs[name]
        values = np.ascontiguousarray(column.prepared(raw[name]))
        batch = {name: torch.from_numpy(values).to(self.model.device), **self._state()}
        module = self._network.module
        module.eval()
        with torch.no_grad():
            found = self._network(batch)
        self._carried = {given: found[final] for given, final in self._states.items()}
        return {name: found[name].cpu().numpy() for name in self.model.network.outputs}

    def reset(self) -> None:
        """Forget what was seen: the next frame is the first."""
        self._carried = {}

    def _state(self) -> dict[str, Tensor]:
        if not self._carried:
            shapes = {node.name: node.params["shape"] for node in self._graph.of_layer(INPUT)}
            self._carried = {
                name: torch.zeros(1, *shapes[name]["sizes"], device=self.model.device)
                for name in self._states
            }
        return self._carried

    def _share_weights(self) -> None:
        weights = self.model.network.module.state_dict(keep_vars=True)
        try:
            self._network.module.load_state_dict(weights, assign=True)
        except RuntimeError:
            raise NotStreaming("its weights depend on the number of steps") from None

    def _assert_equal(self) -> None:
        """Steps one after the other must end where the whole sequence does."""
        from playground.export.check import raw_inputs

        raw = raw_inputs(self.model, _TRIALS)
        (name,) = raw
        whole = self.model.outputs(self.model.prepared(raw))
        for output, wanted in whole.items():
            got = []
            for sample in raw[name]:
                self.reset()
                for frame in sample:
                    found = self.step({name: frame[None, None]})
                got.append(found[output])
            spread = float(np.std(wanted, axis=0).max())
            if float(np.abs(np.concatenate(got) - wanted).max()) > SAME * max(spread, 1e-6):
                raise NotStreaming("its answers step by step are not those to the whole clip")
        self.reset()


def stepping(graph: Graph, name: str) -> tuple[Graph, dict[str, str]]:
    """``graph`` for one step of its Input ``name``, and the Output that holds the final state for
    each Input that takes an initial one. Raises ``NotStreaming``."""
    report = infer(graph)
    source = graph.named(name)
    if source is None or not report.ok:
        raise NotStreaming("the network has another input")
    for id in report.used:
        _check(graph, graph.nodes[id], report)
    shape = Shape.from_json(source.params["shape"]).resized(T=1)
    params = {**source.params, "shape": shape.to_json()}
    graph = graph.with_nodes([replace(source, params=params)])
    states: dict[str, str] = {}
    for id in report.used:
        if _steps(graph.nodes[id]):
            graph = _with_states(graph, graph.nodes[id], report, states)
    return graph, states


def _steps(node: Node) -> bool:
    layer = LAYERS.find(node.layer)
    return layer is not None and layer.streaming == "step"


def _with_states(graph: Graph, node: Node, report: Report, states: dict[str, str]) -> Graph:
    """An Input for each initial state of a recurrent node, and an Output for each final one."""
    for port in ("h", "c"):
        shape = report.nodes[node.id].outputs.get(port)
        if shape is None:
            continue
        params = {"shape": shape.to_json()}
        before = Node(graph.fresh_id(), graph.fresh_name("before"), INPUT, params)
        graph = graph.with_nodes([before])
        after = Node(graph.fresh_id(), graph.fresh_name("after"), OUTPUT)
        graph = graph.with_nodes([after])
        edges = (
            Edge(before.id, "output", node.id, port),
            Edge(node.id, port, after.id, "input"),
        )
        graph = replace(graph, edges=(*graph.edges, *edges))
        states[before.name] = after.name
    return graph


def _built(graph: Graph) -> Network:
    report = infer(graph)
    try:
        with isolated(0):
            return build(graph, report)
    except BuildError as error:
        raise NotStreaming(str(error)) from None


def _check(graph: Graph, node: Node, report: Report) -> None:
    found = report.nodes[node.id]
    if node.layer == OUTPUT and any(shape.kind in _TIMED for shape in found.outputs.values()):
        raise NotStreaming("it answers with a whole sequence")
    if node.layer in (INPUT, OUTPUT) or found.per_frame:
        return
    layer = LAYERS.get(node.layer)
    takes = [shape.kind for shapes in found.inputs.ports.values() for shape in shapes]
    # a single picture or vector behind the recurrence has no steps to wait for
    if layer.streaming == "none" and any(kind in _TIMED for kind in takes):
        raise NotStreaming(f"{node.name} needs the whole sequence")
    if layer.streaming == "step":
        if found.values["bidirectional"]:
            raise NotStreaming(f"{node.name} reads both ways")
        if any(found.inputs.ports.get(port) for port in ("h", "c")):
            raise NotStreaming(f"{node.name} is given its initial state")
