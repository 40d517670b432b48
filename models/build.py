"""From a graph to a network: a ``torch.fx.GraphModule`` of nested modules.

Each layer's declaration writes its part with proxies (``Layer.emit``), so one declaration gives the
running network, its exports and, printed from the same records, a Python class.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

import torch
from torch import Tensor, fx, nn

from models.axes import Kind, Shape
from models.graph import GROUP, INPUT, OUTPUT, Graph, Node
from models.groups import definition_of, inside
from models.layers import LAYERS
from models.layers.declaration import Inputs, Proxies
from models.shapes import NodeReport, Report, infer

Value = tuple[str, str]
"""A node's id and one of its output ports."""


class BuildError(ValueError):
    """The graph is not a network yet; the message names the node."""


@dataclass(frozen=True, slots=True)
class Call:
    """How a module was made: ``nn.Conv2d(1, 16, kernel_size=3)``."""

    target: str
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Network:
    """A built graph.

    ``module`` takes the inputs in document order (then, for inputs of varying length, a tensor
    ``<name>_lengths`` each) and returns the Output's tensor, or a dict of them by name.
    ``values`` tells which fx node holds what leaves a node's port; ``paths`` where its modules are.
    ``inner`` tells the same as ``values`` of the nodes inside groups, by the ids that lead there
    (``n3/n1``); of what runs several times, it is the last time.
    """

    module: fx.GraphModule
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    values: Mapping[Value, str]
    paths: Mapping[str, str]
    calls: Mapping[str, Call]
    report: Report
    inner: Mapping[Value, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # the two would hold each other, and the weights stay until cycles are looked for
        self.module.graph.owning_module = None

    @property
    def arguments(self) -> tuple[str, ...]:
        """The names of ``forward``'s arguments: those of a batch that the network reads."""
        return tuple(
            str(node.target) for node in self.module.graph.nodes if node.op == "placeholder"
        )

    def __call__(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The outputs of a batch, by name."""
        result = self.module(*(batch[name] for name in self.arguments))
        return result if isinstance(result, dict) else {self.outputs[0]: result}

    def capture(
        self, batch: Mapping[str, Tensor], wanted: Collection[Value] | None = None
    ) -> dict[Value, Tensor]:
        """What leaves each node (or the ``wanted`` ports) for a batch, in evaluation mode."""
        chosen = self.values if wanted is None else {v: self.values[v] for v in wanted}
        recorder = _Recorder(self.module, frozenset(chosen.values()))
        training = self.module.training
        self.module.eval()
        try:
            with torch.no_grad():
                recorder.run(*(batch[name] for name in self.arguments))
        finally:
            self.module.train(training)
        return {value: recorder.seen[name] for value, name in chosen.items()}


class _Recorder(fx.Interpreter):
    """Runs a graph node by node and keeps some of the values."""

    def __init__(self, module: fx.GraphModule, names: frozenset[str]) -> None:
        super().__init__(module)
        self.names = names
        self.seen: dict[str, Tensor] = {}

    def run_node(self, n: fx.Node) -> Any:
        value = super().run_node(n)
        if n.name in self.names:
            self.seen[n.name] = value
        return value


def build(
    graph: Graph,
    report: Report | None = None,
    *,
    partial: bool = False,
    seed: int | None = None,
) -> Network:
    """Build ``graph`` with freshly initialised weights, drawn from torch's global generator.

    ``seed`` sets that generator anew for each module, from the seed and the module's path: an edit
    elsewhere in the graph then leaves a module's weights as they were.

    ``partial`` builds every node whose shape is known, whether or not the rest is right, for
    looking at values; the module then returns whatever Outputs there are. Otherwise raises
    ``BuildError`` where the graph has an error; nodes that lead to no Output are left out.
    """
    report = infer(graph) if report is None else report
    if not partial and not report.ok:
        raise BuildError(report.sentence(graph))
    builder = _Builder(seed)
    top = builder.graph_into(graph, report, "", Proxies({}), partial=partial)
    outputs = {graph.nodes[id].name: proxy for id, proxy in top.outputs.items()}
    result: Any = {name: proxy.node for name, proxy in outputs.items()}
    builder.fx.output(next(iter(result.values())) if len(result) == 1 else result)
    module = fx.GraphModule(builder.root, builder.fx, class_name="Network")
    inputs = tuple(node.name for node in graph.of_layer(INPUT) if node.name in builder.placeholders)
    values = {value: proxy.node.name for value, proxy in top.values.items()}
    inner = {value: proxy.node.name for value, proxy in builder.inner.items()}
    return Network(
        module, inputs, tuple(outputs), values, builder.paths, builder.calls, report, inner
    )


@dataclass(slots=True)
class _Part:
    """What placing one graph gave: the values, and what its Outputs got."""

    values: dict[Value, fx.Proxy] = field(default_factory=dict)
    lengths: dict[Value, fx.Proxy] = field(default_factory=dict)
    outputs: dict[str, fx.Proxy] = field(default_factory=dict)


class _Builder:
    """Writes nodes into one fx graph; groups are written in place, under their node's path."""

    def __init__(self, seed: int | None = None) -> None:
        self.seed = seed
        self.root = nn.Module()
        self.fx = fx.Graph()
        self.tracer = fx.proxy.GraphAppendingTracer(self.fx)
        self.calls: dict[str, Call] = {}
        self.paths: dict[str, str] = {}
        self.placeholders: dict[str, fx.Proxy] = {}
        self.inner: dict[Value, fx.Proxy] = {}
        self._inside: tuple[str, ...] = ()

    def graph_into(
        self,
        graph: Graph,
        report: Report,
        prefix: str,
        given: Proxies,
        *,
        partial: bool = False,
    ) -> _Part:
        """Place every used node of ``graph``; ``given`` are the values of its Inputs, by name."""
        part = _Part()
        order, _ = graph.order()
        for id in sorted(order, key=lambda id: graph.nodes[id].layer != INPUT):
            found = report.nodes[id]
            if (id in report.used or partial) and found.ok:
                self._node(graph, graph.nodes[id], found, prefix, given, part)
        return part

    def _node(
        self,
        graph: Graph,
        node: Node,
        found: NodeReport,
        prefix: str,
        given: Proxies,
        part: _Part,
    ) -> None:
        path = prefix + node.name
        if not prefix:
            self.paths[node.id] = path
        if node.layer == INPUT:
            self._input(node, found, given, part, nested=bool(prefix))
            return
        ports: dict[str, tuple[fx.Proxy, ...]] = {}
        lengths: dict[str, fx.Proxy] = {}
        for edge in graph.into(node.id):
            value = (edge.source, edge.source_port)
            ports[edge.target_port] = (*ports.get(edge.target_port, ()), part.values[value])
            if value in part.lengths:
                lengths.setdefault(edge.target_port, part.lengths[value])
        if node.layer == OUTPUT:
            part.outputs[node.id] = part.values[node.id, "output"] = ports["input"][0]
            return
        proxies = Proxies(ports, lengths)
        if node.layer == GROUP:
            self._inside = (*self._inside, node.id)
            results = self._group(graph, node, found, path, proxies)
            self._inside = self._inside[:-1]
        else:
            lender = graph.nodes.get(node.shares_weights_with or "")
            emitter = _Emitter(self, prefix + lender.name if lender else path)
            results = self._layer(node, found, emitter, proxies)
        for port, proxy in results.items():
            part.values[node.id, port] = proxy
            if lengths and found.outputs[port].varies:
                part.lengths[node.id, port] = next(iter(lengths.values()))

    def _input(
        self,
        node: Node,
        found: NodeReport,
        given: Proxies,
        part: _Part,
        *,
        nested: bool,
    ) -> None:
        value = (node.id, "output")
        if nested:
            if node.name not in given.ports:
                raise BuildError(f"nothing arrives at the input {node.name}")
            part.values[value] = given.one(node.name)
            if node.name in given.lengths:
                part.lengths[value] = given.lengths[node.name]
            return
        part.values[value] = self.placeholder(node.name)
        if found.outputs["output"].varies:
            part.lengths[value] = self.placeholder(f"{node.name}_lengths")

    def placeholder(self, name: str) -> fx.Proxy:
        argument = name.replace(".", "_")
        other = next((n for n in self.placeholders if n.replace(".", "_") == argument), None)
        if other is not None:
            raise BuildError(
                f"the inputs {other} and {name} would be one argument ({argument}): rename one"
            )
        proxy = self.tracer.create_proxy("placeholder", argument, (), {})
        self.placeholders[name] = proxy
        return proxy

    def _layer(
        self, node: Node, found: NodeReport, emitter: _Emitter, proxies: Proxies
    ) -> Mapping[str, fx.Proxy]:
        layer = LAYERS.get(node.layer)
        if not found.per_frame:
            return layer.emit(emitter, found.values, proxies, found.inputs, found.result)
        time = next(iter(found.inputs.ports.values()))[0]["T"]
        folded = Proxies(
            {port: tuple(x.flatten(0, 1) for x in xs) for port, xs in proxies.ports.items()}
        )
        frames = Inputs(
            {port: tuple(map(_frame, many)) for port, many in found.inputs.ports.items()}
        )
        steps = (
            time if isinstance(time, int) else proxies.ports[next(iter(proxies.ports))][0].size(1)
        )
        results = layer.emit(emitter, found.values, folded, frames, found.result)
        return {port: value.unflatten(0, (-1, steps)) for port, value in results.items()}

    def _group(
        self, graph: Graph, node: Node, found: NodeReport, path: str, proxies: Proxies
    ) -> Mapping[str, fx.Proxy]:
        assert found.inside is not None
        inner = inside(graph, node)
        kind = found.values["kind"]
        if kind == "repeat":
            for copy in range(found.values["copies"]):
                outputs = self._body(inner, found.inside, f"{path}.{copy}.", proxies)
                again = (next(iter(outputs.values())),)
                proxies = Proxies(dict.fromkeys(proxies.ports, again), proxies.lengths)
            return outputs
        if kind == "scan":
            states = dict(definition_of(graph, node).states)
            given = {port: values[0] for port, values in proxies.ports.items()}
            return self._scan(inner, found, path, given, states)
        return self._body(inner, found.inside, f"{path}.", proxies)

    def _body(
        self, inner: Graph, report: Report, prefix: str, given: Proxies
    ) -> dict[str, fx.Proxy]:
        part = self.graph_into(inner, report, prefix, given)
        place = "/".join((*self._inside, ""))
        self.inner |= {(place + id, port): proxy for (id, port), proxy in part.values.items()}
        return {inner.nodes[id].name: proxy for id, proxy in part.outputs.items()}

    def _scan(
        self,
        inner: Graph,
        found: NodeReport,
        path: str,
        given: Mapping[str, fx.Proxy],
        states: Mapping[str, str],
    ) -> dict[str, fx.Proxy]:
        """The body once a step, unrolled; a state that nothing feeds starts at zero."""
        assert found.inside is not None
        sequences = {name: value for name, value in given.items() if name not in states}
        current = {name: value for name, value in given.items() if name in states}
        first = next(iter(sequences.values()))
        for name in states:
            node = inner.named(name)
            assert node is not None
            sizes = [int(size) for size in found.inside.nodes[node.id].outputs["output"].sizes]
            if name not in current:
                current[name] = first.new_zeros((first.size(0), *sizes))
        steps = next(
            shape["T"]
            for port, many in found.inputs.ports.items()
            if port not in states
            for shape in many
        )
        assert isinstance(steps, int)
        collected: dict[str, list[fx.Proxy]] = {}
        for step in range(steps):
            slices = {name: value.select(1, step) for name, value in sequences.items()}
            values = {name: (value,) for name, value in (slices | current).items()}
            outputs = self._body(inner, found.inside, f"{path}.", Proxies(values))
            current = {name: outputs[following] for name, following in states.items()}
            for name, proxy in outputs.items():
                collected.setdefault(name, []).append(proxy)
        stacked = {
            name: self.tracer.create_proxy("call_function", torch.stack, (proxies,), {"dim": 1})
            for name, proxies in collected.items()
        }
        return stacked | current

    def module(self, path: str, call: Call) -> Callable[..., fx.Proxy]:
        """The module at ``path``, made at its first use, as something to call with proxies."""
        if path not in self.calls:
            if self.seed is not None:
                # for the CPU alone, where modules are made: `torch.manual_seed` writes the stack
                # down for every other kind of device, which takes longer than making a network
                torch.default_generator.manual_seed(crc32(f"{self.seed} {path}".encode()))
            try:
                made = _resolve(call.target)(*call.args, **call.kwargs)
            except (RuntimeError, TypeError, ValueError) as error:
                raise BuildError(f"{path}: {call.target} cannot be made: {error}") from error
            parent, _, leaf = path.rpartition(".")
            _container(self.root, parent).add_module(leaf, made)
            self.calls[path] = call

        def use(*args: Any, **kwargs: Any) -> fx.Proxy:
            return self.tracer.create_proxy("call_module", path, args, kwargs)

        return use


class _Emitter:
    """What a layer's declaration writes with; see ``declaration.Emitter``."""

    def __init__(self, builder: _Builder, path: str) -> None:
        self._builder = builder
        self._path = path

    def module(self, target: str, *args: Any, name: str = "", **kwargs: Any) -> Any:
        path = f"{self._path}.{name}" if name else self._path
        return self._builder.module(path, Call(target, args, kwargs))

    def call(self, target: str, *args: Any, **kwargs: Any) -> Any:
        tracer = self._builder.tracer
        return tracer.create_proxy("call_function", _resolve(target), args, kwargs)


_ROOTS: dict[str, Any] = {"nn": nn, "torch": torch, "operator": operator}


def _resolve(target: str) -> Any:
    """The object that a declaration names. Declarations are code of ours or of a plug-in; nothing
    of a document reaches this."""
    root, *rest = target.split(".")
    if root == "modules":
        import models.modules as found
    else:
        found = _ROOTS[root]
    for attribute in rest:
        found = getattr(found, attribute)
    return found


def _container(root: nn.Module, path: str) -> nn.Module:
    """The module at ``path``, made of plain modules where there is none."""
    for segment in path.split(".") if path else ():
        child = getattr(root, segment, None)
        if child is None:
            child = nn.Module()
            root.add_module(segment, child)
        root = child
    return root


def _frame(shape: Shape) -> Shape:
    return Shape(Kind.IMAGE, shape.sizes[1:]) if shape.kind is Kind.VIDEO else shape
