"""Recurrent networks step by step: the state is carried from one to the next.

The network is written once more with one step, and with its recurrent layers' states (and the
largest values so far, where it takes a maximum over time) as further Inputs and Outputs. It shares
the weights of the model that it was made from.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from models.axes import Kind, Shape, sequence
from models.build import BuildError, Network, build
from models.graph import INPUT, OUTPUT, Edge, Graph, Node
from models.layers import LAYERS
from models.shapes import Report, infer
from playground.messages import Array
from playground.model import Model
from playground.training.learner import isolated

SAME = 1e-4
"""How far a streamed answer may be from the whole one, as a share of the outputs' deviation."""
_TRIALS = 4
_TIMED = (Kind.SEQUENCE, Kind.VIDEO)
_MAXIMA = ("max-over-time", "global-max-pool")


class NotStreaming(ValueError):
    """This network needs a whole sequence at a time; the message names the layer."""


@dataclass(frozen=True, slots=True)
class State:
    """What is carried from step to step: from the Output ``after`` to the Input ``before``, from
    ``initial`` on; ``name`` is the node's, with a `` c`` behind it for the cell of an LSTM."""

    name: str
    before: str
    after: str
    initial: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """A step that was done: the network of one step, the very values (1, …) that it was given, and
    what it carries on (1, …) by the node's name."""

    network: Network
    given: Mapping[str, Tensor]
    states: Mapping[str, Tensor]


class Carried:
    """A network that is given a sequence piece by piece at its Input ``name``, and what it carries
    along. ``graph`` is part of the model's or all of it; its weights are the model's. Raises
    ``NotStreaming``."""

    def __init__(self, model: Model, graph: Graph, name: str) -> None:
        graph, self._states = stepping(graph, name)
        self._network = built(graph)
        shapes = {node.name: node.params["shape"] for node in graph.of_layer(INPUT)}
        self._sizes = {state.before: shapes[state.before]["sizes"] for state in self._states}
        self._device = model.device
        self._carried: dict[str, Tensor] = {}
        self.moment: Moment | None = None
        """The newest step."""
        share_weights(model, self._network)

    def step(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The outputs (1, …) after what is new, (1, steps, …)."""
        module = self._network.module
        module.eval()
        given = {**batch, **(self._carried or self._initial())}
        with torch.no_grad():
            found = self._network(given)
        self._carried = {state.before: found[state.after] for state in self._states}
        states = {state.name: found[state.after] for state in self._states}
        self.moment = Moment(self._network, given, states)
        return found

    def reset(self) -> None:
        """Forget what was given: what comes next is the beginning."""
        self._carried = {}

    def states(self) -> dict[str, Array]:
        """What is carried now, (H,) by the node's name; nothing before the first step."""
        carried = self._carried
        return {
            state.name: carried[state.before][0].cpu().numpy().reshape(-1)
            for state in self._states
            if state.before in carried
        }

    def _initial(self) -> dict[str, Tensor]:
        return {
            state.before: torch.full(
                (1, *self._sizes[state.before]), state.initial, device=self._device
            )
            for state in self._states
        }


class Streamer:
    """Answers a model of clips or series from one step at a time. Raises ``NotStreaming``.

    Training on clips of ``length`` steps alone does not teach a network to forget what lies
    further back: a state that is carried on for ever follows late. With ``length`` there are two
    of them. Each begins anew after so many steps, the one in the middle of the other, and the one
    that has seen more answers.
    """

    def __init__(self, model: Model, length: int | None = None) -> None:
        self.model = model
        names = list(model.dataset.inputs)
        if len(names) != 1:
            raise NotStreaming("it has several inputs")
        self._carried = Carried(model, model.graph, names[0])
        self._next: Carried | None = None
        self._length, self._seen = 0, 0
        self._assert_equal()
        if length is not None:
            self._next, self._length = Carried(model, model.graph, names[0]), length

    def step(self, raw: dict[str, Array]) -> dict[str, Array]:
        """The outputs (1, …) after one more step, raw (1, 1, …)."""
        (name,) = raw
        column = self.model.dataset.inputs[name]
        values = np.ascontiguousarray(column.prepared(raw[name]))
        batch = {name: torch.from_numpy(values).to(self.model.device)}
        if self._next is not None:
            self._take_turns(self._next, batch)
        found = self._carried.step(batch)
        return {name: found[name].cpu().numpy() for name in self.model.network.outputs}

    def reset(self) -> None:
        """Forget what was seen: the next step is the first."""
        self._carried.reset()
        if self._next is not None:
            self._next.reset()
        self._seen = 0

    def _take_turns(self, following: Carried, batch: Mapping[str, Tensor]) -> None:
        """Before a step: lead the state that follows to where it answers."""
        half = self._length // 2
        if self._seen == self._length:
            self._carried, self._next = following, self._carried
            following = self._next
            following.reset()
            self._seen = half
        if self._seen >= self._length - half:
            following.step(batch)
        self._seen += 1

    def states(self) -> dict[str, Array]:
        """What the recurrent layers remember now, (H,) by the node's name."""
        return self._carried.states()

    @property
    def moment(self) -> Moment | None:
        """The newest step, to be looked into."""
        return self._carried.moment

    def _assert_equal(self) -> None:
        """Steps one after the other must end where the whole sequence does."""

        def streamed(name: str, sample: Array) -> dict[str, Array]:
            self.reset()
            for step in sample:
                found = self.step({name: step[None, None]})
            return found

        assert_equal(self.model, streamed, "clip")
        self.reset()


def assert_equal(
    model: Model, streamed: Callable[[str, Array], dict[str, Array]], what: str
) -> None:
    """Raises ``NotStreaming`` where ``streamed`` (the outputs after all of a raw sample) does not
    end where the model does that is given the whole."""
    from playground.export.check import raw_inputs

    raw = raw_inputs(model, _TRIALS)
    (name,) = raw
    whole = model.outputs(model.prepared(raw))
    found = [streamed(name, sample) for sample in raw[name]]
    for output, wanted in whole.items():
        got = np.concatenate([values[output] for values in found])
        spread = float(np.std(wanted, axis=0).max())
        if float(np.abs(got - wanted).max()) > SAME * max(spread, 1e-6):
            raise NotStreaming(f"its answers step by step are not those to the whole {what}")


def share_weights(model: Model, network: Network) -> None:
    """Give ``network``, which is part of the model's, the model's own weights."""
    module = network.module
    weights = model.network.module.state_dict(keep_vars=True)
    own = {name: weights[name] for name in module.state_dict() if name in weights}
    try:
        module.load_state_dict(own, assign=True)
    except RuntimeError:
        raise NotStreaming("its weights depend on the number of steps") from None


def stepping(graph: Graph, name: str) -> tuple[Graph, list[State]]:
    """``graph`` for one step of its Input ``name``, and the states for which it has Inputs and
    Outputs then. Raises ``NotStreaming``."""
    report = infer(graph)
    source = graph.named(name)
    if source is None or not report.ok:
        raise NotStreaming("the network has another input")
    for id in report.used:
        _check(graph, graph.nodes[id], report)
    shape = Shape.from_json(source.params["shape"]).resized(T=1)
    params = {**source.params, "shape": shape.to_json()}
    graph = graph.with_nodes([replace(source, params=params)])
    states: list[State] = []
    for id in (id for id in graph.order()[0] if id in report.used):
        if steps(graph.nodes[id]):
            graph = _with_states(graph, graph.nodes[id], report, states)
        elif _over_time(graph.nodes[id], report):
            graph = _with_maximum(graph, graph.nodes[id], report, states)
    return graph, states


def steps(node: Node) -> bool:
    """Whether a node carries a state from step to step."""
    layer = LAYERS.find(node.layer)
    return layer is not None and layer.streaming == "step"


def _over_time(node: Node, report: Report) -> bool:
    """Whether a node takes the maximum over the steps of a sequence."""
    shapes = report.nodes[node.id].inputs.ports.get("input", ())
    return node.layer in _MAXIMA and all(shape.kind is Kind.SEQUENCE for shape in shapes)


def _with_states(graph: Graph, node: Node, report: Report, states: list[State]) -> Graph:
    """An Input for each initial state of a recurrent node, and an Output for each final one."""
    for port in ("h", "c"):
        shape = report.nodes[node.id].outputs.get(port)
        if shape is None:
            continue
        graph, before, after = _carrying(graph, shape)
        edges = (
            Edge(before.id, "output", node.id, port),
            Edge(node.id, port, after.id, "input"),
        )
        graph = replace(graph, edges=(*graph.edges, *edges))
        name = node.name if port == "h" else f"{node.name} {port}"
        states.append(State(name, before.name, after.name))
    return graph


def _with_maximum(graph: Graph, node: Node, report: Report, states: list[State]) -> Graph:
    """The largest so far stands before the steps that a maximum is taken of."""
    (shape,) = report.nodes[node.id].outputs.values()
    graph, before, after = _carrying(graph, shape)
    params: dict[str, Any] = {"shape": sequence(1, shape.elements).to_json()}
    row = Node(graph.fresh_id(), graph.fresh_name("largest"), "reshape", params)
    graph = graph.with_nodes([row])
    joined = Node(graph.fresh_id(), graph.fresh_name("joined"), "concatenate", {"axis": "T"})
    graph = graph.with_nodes([joined])
    edges = [
        replace(edge, target=joined.id, target_port="inputs") if edge.target == node.id else edge
        for edge in graph.edges
    ]
    edges += [
        Edge(before.id, "output", row.id, "input"),
        Edge(row.id, "output", joined.id, "inputs"),
        Edge(joined.id, "output", node.id, "input"),
        Edge(node.id, "output", after.id, "input"),
    ]
    states.append(State(node.name, before.name, after.name, -math.inf))
    return replace(graph, edges=tuple(edges))


def _carrying(graph: Graph, shape: Shape) -> tuple[Graph, Node, Node]:
    """``graph`` with a further Input and Output of ``shape``."""
    params = {"shape": shape.to_json()}
    before = Node(graph.fresh_id(), graph.fresh_name("before"), INPUT, params)
    graph = graph.with_nodes([before])
    after = Node(graph.fresh_id(), graph.fresh_name("after"), OUTPUT)
    return graph.with_nodes([after]), before, after


def built(graph: Graph) -> Network:
    """The network of a part of a model's graph; raises ``NotStreaming``."""
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
    timed = any(kind in _TIMED for kind in takes)
    if layer.streaming == "none" and timed and not _over_time(node, report):
        raise NotStreaming(f"{node.name} needs the whole sequence")
    if layer.streaming == "step":
        if found.values["bidirectional"]:
            raise NotStreaming(f"{node.name} reads both ways")
        if any(found.inputs.ports.get(port) for port in ("h", "c")):
            raise NotStreaming(f"{node.name} is given its initial state")
