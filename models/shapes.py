"""Every node's output shapes, cost, or error, after every edit, without torch.

``ShapeInference`` remembers what it found: a node whose parameters and input shapes are as before
is not looked at again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from models.axes import Kind, Shape, image, sequence, vector, video
from models.graph import GROUP, INPUT, OUTPUT, Edge, Graph, GraphError, Node
from models.groups import DEEPEST, definition_of, input_names, inside, output_names
from models.layers import LAYERS
from models.layers.declaration import Fix, Inputs, Layer, Port, Result, ShapeError
from models.parameters import ParameterError, Values, checked

NOTHING = Inputs({})


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong at a node, as a sentence. A ``note`` does not keep the network from running."""

    message: str
    fix: Fix | None = None
    level: Literal["error", "note"] = "error"


@dataclass(frozen=True, slots=True)
class NodeReport:
    """What is known of one node. ``waiting``: a node before it has the error."""

    inputs: Inputs = NOTHING
    outputs: Mapping[str, Shape] = field(default_factory=dict)
    parameters: int = 0
    flops: int = 0
    activations: int = 0
    problem: Problem | None = None
    waiting: bool = False
    per_frame: bool = False
    values: Values = field(default_factory=dict)
    inside: Report | None = None

    @property
    def ok(self) -> bool:
        return self.problem is None and not self.waiting

    @property
    def result(self) -> Result:
        return Result(self.outputs, self.parameters, self.flops, self.activations)


@dataclass(frozen=True, slots=True)
class Report:
    """The network as a whole. ``used`` are the nodes that lead to an Output."""

    nodes: Mapping[str, NodeReport]
    used: frozenset[str]
    missing: str = ""

    @property
    def ok(self) -> bool:
        return not self.missing and not any(
            report.problem is not None and report.problem.level == "error"
            for report in self.nodes.values()
        )

    @property
    def parameters(self) -> int:
        return sum(report.parameters for report in self.nodes.values())

    @property
    def flops(self) -> int:
        """Floating-point operations of one sample's forward pass; a multiply-add counts as two."""
        return sum(report.flops for report in self.nodes.values())

    def activation_bytes(self, batch: int) -> int:
        """Float32 bytes of the values that training keeps for the backward pass."""
        return 4 * batch * sum(report.activations for report in self.nodes.values())

    def problems(self) -> list[tuple[str, Problem]]:
        return [(id, r.problem) for id, r in self.nodes.items() if r.problem is not None]

    def sentence(self, graph: Graph) -> str:
        """The first error, naming its node; empty where there is none."""
        for id, problem in self.problems():
            if problem.level == "error":
                return f"{graph.nodes[id].name}: {problem.message}"
        return self.missing


@dataclass(frozen=True, slots=True)
class _Known:
    node: Node
    definitions: Mapping[str, Any]
    inputs: Mapping[str, tuple[Shape, ...]]
    report: NodeReport


class ShapeInference:
    """Infers reports of one document as it is edited, redoing only what an edit touched."""

    def __init__(self, depth: int = 0) -> None:
        self._depth = depth
        self._known: dict[str, _Known] = {}
        self._insides: dict[str, ShapeInference] = {}

    def infer(self, graph: Graph) -> Report:
        order, cyclic = graph.order()
        arriving: dict[str, list[Edge]] = {}
        for edge in graph.edges:
            arriving.setdefault(edge.target, []).append(edge)
        used = _leading_to_outputs(graph, arriving)
        reports: dict[str, NodeReport] = {}
        for id in order:
            node = graph.nodes[id]
            reports[id] = self._node(graph, node, arriving.get(id, []), reports, id in used)
        loop = Problem("is part of a cycle, or behind one: remove an edge of the cycle")
        reports |= {id: NodeReport(problem=loop) for id in cyclic}
        for node in graph.nodes.values():
            if node.shares_weights_with is not None and reports[node.id].ok:
                reports[node.id] = _borrowed(graph, node, reports)
        for id in self._known.keys() - graph.nodes.keys():
            del self._known[id]
            self._insides.pop(id, None)
        return Report({id: reports[id] for id in graph.nodes}, used, _missing(graph, used))

    def _node(
        self,
        graph: Graph,
        node: Node,
        edges: list[Edge],
        reports: Mapping[str, NodeReport],
        used: bool,
    ) -> NodeReport:
        shapes: dict[str, tuple[Shape, ...]] = {}
        waiting = False
        for edge in edges:
            source = reports[edge.source]
            shape = source.outputs.get(edge.source_port)
            if shape is None:
                if source.ok:
                    return NodeReport(
                        problem=Problem(
                            f"{graph.nodes[edge.source].name} has no output {edge.source_port}"
                        )
                    )
                waiting = True
            else:
                shapes[edge.target_port] = (*shapes.get(edge.target_port, ()), shape)
        if waiting:
            return NodeReport(Inputs(shapes), waiting=True)
        known = self._known.get(node.id)
        if (
            known is not None
            and known.node.params is node.params
            and known.node.layer == node.layer
            and known.inputs == shapes
            and (
                node.layer != GROUP
                or (known.definitions is graph.definitions and known.node.name == node.name)
            )
        ):
            return _noted(known.report, used)
        report = self._fresh(graph, node, Inputs(shapes))
        self._known[node.id] = _Known(node, graph.definitions, shapes, report)
        return _noted(report, used)

    def _fresh(self, graph: Graph, node: Node, inputs: Inputs) -> NodeReport:
        try:
            if node.layer == GROUP:
                return self._group(graph, node, inputs)
            layer = LAYERS.find(node.layer)
            if layer is None:
                raise ShapeError(
                    f"the layer {node.layer!r} is not known here: remove the node, or install "
                    "what provides it",
                    Fix("Remove", "remove"),
                )
            values = checked(layer.parameters, node.params)
            _check_ports(layer.name, layer.inputs, inputs)
            per_frame = layer.per_frame and _has_video(inputs)
            if per_frame:
                result = _per_frame(layer, values, inputs)
            else:
                _check_kinds(layer, inputs)
                result = layer.rule(values, inputs)
        except (ShapeError, ParameterError, GraphError) as error:
            return NodeReport(inputs, problem=Problem(str(error), getattr(error, "fix", None)))
        except (ValueError, OverflowError, ZeroDivisionError) as error:
            return NodeReport(inputs, problem=Problem(f"cannot be computed: {error}"))
        return NodeReport(
            inputs,
            result.outputs,
            result.parameters,
            result.flops,
            _kept(result),
            per_frame=per_frame,
            values=values,
        )

    def _group(self, graph: Graph, node: Node, inputs: Inputs) -> NodeReport:
        """A group's inside is inferred with the shapes at its ports in place of its Inputs'."""
        if self._depth >= DEEPEST:
            raise ShapeError(f"groups nest deeper than {DEEPEST}, or one contains itself")
        values = checked(LAYERS.get(GROUP).parameters, node.params)
        inner = inside(graph, node)
        kind, copies = values["kind"], values["copies"] if values["kind"] == "repeat" else 1
        states = dict(definition_of(graph, node).states) if kind == "scan" else {}
        names = input_names(inner)
        ports = tuple(Port(name, optional=name in states) for name in names)
        _check_ports(node.name, ports, inputs)
        if kind == "repeat" and (len(names) != 1 or len(output_names(inner)) != 1):
            raise ShapeError("a repeated group needs one input and one output")
        outer = {name: inputs.get(name) for name in names}
        given: Mapping[str, Shape | None] = outer
        steps: int | str = 1
        if kind == "scan":
            given, steps = _one_step(outer, states)
        inference = self._insides.setdefault(node.id, ShapeInference(self._depth + 1))
        report = inference.infer(bound(inner, given))
        if not report.ok:
            problem = Problem(f"inside {node.name}: {report.sentence(inner)}")
            return NodeReport(inputs, problem=problem, values=values, inside=report)
        outputs = inner_outputs(inner, report)
        if kind == "repeat" and next(iter(outputs.values())) != given[names[0]]:
            raise ShapeError("a repeated group needs an output of the same shape as its input")
        if kind == "scan":
            outputs = _over_steps(inner, report, outputs, states, steps)
        times = copies * (steps if isinstance(steps, int) else 1)
        return NodeReport(
            inputs,
            outputs,
            report.parameters * copies,
            report.flops * times,
            sum(item.activations for item in report.nodes.values()) * times,
            values=values,
            inside=report,
        )


def bound(inner: Graph, shapes: Mapping[str, Shape | None]) -> Graph:
    """``inner`` with its Input nodes set to the shapes that arrive at the group's ports."""
    changed = []
    for node in inner.of_layer(INPUT):
        shape = shapes.get(node.name)
        if shape is not None and node.params.get("shape") != shape.to_json():
            changed.append(replace(node, params={**node.params, "shape": shape.to_json()}))
    return inner.with_nodes(changed) if changed else inner


def inner_outputs(inner: Graph, report: Report) -> dict[str, Shape]:
    return {
        node.name: report.nodes[node.id].outputs["output"]
        for node in inner.of_layer(OUTPUT)
        if "output" in report.nodes[node.id].outputs
    }


def infer(graph: Graph) -> Report:
    """A report from scratch."""
    return ShapeInference().infer(graph)


def framed(shape: Shape) -> Shape:
    """One frame of a video: the image."""
    if shape.kind is not Kind.VIDEO:
        return shape
    return image(shape.number("C"), shape.number("H"), shape.number("W"))


def _per_frame(layer: Layer, values: Values, inputs: Inputs) -> Result:
    """An image layer on every frame: the rule sees one frame, the outputs get the time back."""
    steps = {shape["T"] for many in inputs.ports.values() for shape in many if _is_video(shape)}
    if len(steps) != 1 or not all(
        _is_video(shape) for many in inputs.ports.values() for shape in many
    ):
        raise ShapeError(f"{layer.name} needs videos of the same number of frames at every input")
    frames = Inputs({port: tuple(map(framed, many)) for port, many in inputs.ports.items()})
    _check_kinds(layer, frames)
    result = layer.rule(values, frames)
    time = steps.pop()
    times = time if isinstance(time, int) else 1
    return Result(
        {port: _with_time(shape, time) for port, shape in result.outputs.items()},
        result.parameters,
        result.flops * times,
        None if result.activations is None else result.activations * times,
    )


def _with_time(shape: Shape, time: int | str) -> Shape:
    if shape.kind is Kind.IMAGE:
        return video(time, shape.number("C"), shape.number("H"), shape.number("W"))
    if shape.kind is Kind.VECTOR:
        return sequence(time, shape.number("F"))
    raise ShapeError(f"a frame of a video cannot become a {shape.kind}")


def _is_video(shape: Shape) -> bool:
    return shape.kind is Kind.VIDEO


def _has_video(inputs: Inputs) -> bool:
    return any(_is_video(shape) for many in inputs.ports.values() for shape in many)


def _one_step(
    outer: Mapping[str, Shape | None], states: Mapping[str, str]
) -> tuple[dict[str, Shape | None], int | str]:
    """What the body of a scan sees at one step, and the number of steps."""
    given: dict[str, Shape | None] = {}
    steps: set[int | str] = set()
    for name, shape in outer.items():
        if shape is None or name in states:
            given[name] = shape
        elif shape.kind is Kind.SEQUENCE:
            steps.add(shape["T"])
            given[name] = vector(shape.number("F"))
        elif shape.kind is Kind.VIDEO:
            steps.add(shape["T"])
            given[name] = framed(shape)
        else:
            raise ShapeError(f"a scan needs a sequence or a video; {name} got {shape.described()}")
    if len(steps) != 1:
        raise ShapeError("a scan needs sequences of the same length at its inputs")
    count = steps.pop()
    if isinstance(count, str):
        raise ShapeError("a scan needs a fixed number of steps; this sequence's length varies")
    return given, count


def _over_steps(
    inner: Graph,
    report: Report,
    outputs: Mapping[str, Shape],
    states: Mapping[str, str],
    steps: int | str,
) -> dict[str, Shape]:
    """A scan's outputs: each of the body's over all steps, and each state's last value by the
    name of its Input."""
    result = {name: _with_time(shape, steps) for name, shape in outputs.items()}
    for state, following in states.items():
        node = inner.named(state)
        if node is None or following not in outputs:
            raise ShapeError(f"the state {state} has no Input or no Output of its name inside")
        if report.nodes[node.id].outputs["output"] != outputs[following]:
            raise ShapeError(f"the state {state} changes its shape from step to step")
        result[state] = outputs[following]
    return result


def _check_ports(name: str, ports: tuple[Port, ...], inputs: Inputs) -> None:
    known = {port.name: port for port in ports}
    for port_name, shapes in inputs.ports.items():
        port = known.get(port_name)
        if port is None:
            raise ShapeError(f"{name} has no input {port_name}")
        if len(shapes) > 1 and not port.variadic:
            raise ShapeError(f"the input {port_name} takes one value; got {len(shapes)}")
    for port in ports:
        if not port.optional and not inputs.ports.get(port.name):
            alone = len(ports) == 1 or port.name == "input"
            which = "its input" if alone else f"its input {port.name}"
            raise _Unconnected(f"{name} has nothing at {which}: connect a layer before it")


class _Unconnected(ShapeError):
    pass


def _check_kinds(layer: Layer, inputs: Inputs) -> None:
    for port in layer.inputs:
        for shape in inputs.ports.get(port.name, ()):
            if port.kinds and shape.kind not in port.kinds:
                needs = " or ".join(f"a {kind}" for kind in port.kinds).replace("a i", "an i")
                raise ShapeError(f"{layer.name} needs {needs}; got {shape.described()}")


def _kept(result: Result) -> int:
    if result.activations is not None:
        return result.activations
    return sum(shape.elements for shape in result.outputs.values())


def _noted(report: NodeReport, used: bool) -> NodeReport:
    """A node that nothing needs yet is not an error for having no input."""
    problem = report.problem
    if problem is None or used or report.inputs.ports:
        return report
    return replace(report, problem=replace(problem, level="note"))


def _borrowed(graph: Graph, node: Node, reports: Mapping[str, NodeReport]) -> NodeReport:
    """The report of a node that uses another's weights: nothing of its own to learn."""
    report = reports[node.id]
    lender = graph.nodes.get(node.shares_weights_with or "")
    if lender is None or lender.layer != node.layer or lender.shares_weights_with is not None:
        message = "shares the weights of a node that is not there, or of another layer"
        return replace(report, problem=Problem(message))
    other = reports[lender.id]
    if not other.ok:
        return replace(report, waiting=True)
    if other.parameters != report.parameters or other.values != report.values:
        message = f"cannot share the weights of {lender.name}: the two differ in size or settings"
        return replace(report, problem=Problem(message))
    return replace(report, parameters=0)


def _leading_to_outputs(graph: Graph, arriving: Mapping[str, list[Edge]]) -> frozenset[str]:
    stack = [node.id for node in graph.nodes.values() if node.layer == OUTPUT]
    used = set(stack)
    while stack:
        for edge in arriving.get(stack.pop(), ()):
            if edge.source not in used:
                used.add(edge.source)
                stack.append(edge.source)
    return frozenset(used)


def _missing(graph: Graph, used: frozenset[str]) -> str:
    if not any(node.layer == OUTPUT for node in graph.nodes.values()):
        return "the network has no Output: add one behind the last layer"
    if not any(graph.nodes[id].layer == INPUT for id in used):
        return "no Input leads to the Output: connect them"
    return ""
