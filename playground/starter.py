"""A first network for given data, and what to change in a network for other data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from models import edits
from models.axes import Kind, Shape
from models.graph import INPUT, OUTPUT, Edge, Graph, Node
from models.layers import LAYERS
from models.parameters import checked
from models.shapes import Report, infer
from playground.data.dataset import Column, Dataset
from playground.starter_pictures import detector_graph, picture_graph
from playground.tasks import TASKS

KINDS = ("auto", "mlp", "cnn", "rnn", "hybrid")
PITCH = (190, 150)
WIDER = 56
"""Recurrent nodes are wider by this: their ports are named."""
ACROSS = 5

Step = tuple[str, Mapping[str, Any]]


class StarterError(ValueError):
    """There is no such starter network for these data; the message says what there is."""


def starter_graph(dataset: Dataset, kind: str = "auto") -> Graph:
    """A network that learns from the first input to the first target: a plain one ("mlp"), a CNN,
    an RNN, a hybrid of the two, or what suits the data ("auto"). Raises ``StarterError``."""
    if kind not in KINDS:
        raise StarterError(f"a starter network is one of {', '.join(KINDS)}; got {kind!r}")
    source = next(iter(dataset.inputs.values()))
    units, output = TASKS.get(dataset.task).head(dataset), TASKS.get(dataset.task).output(dataset)
    if output is not None:
        if kind not in ("auto", "cnn"):
            raise StarterError("from a picture to a picture or to boxes: build a CNN")
        build = detector_graph if dataset.target.box_classes else picture_graph
        return build(source, dataset.target, output)
    if kind == "auto":
        kind = _suited(source.shape.kind, dataset.task)
    shape = source.shape
    rate = getattr(source.reading, "rate", None)
    if shape.kind is Kind.TOKENS:
        steps = _for_tokens(kind)
    else:
        steps = _body(shape, kind) if rate is None else _for_sounds(shape, int(rate), kind)
    return chain(
        [
            (INPUT, source.name, {"shape": source.shape.to_json()}),
            *((layer, _name(layer), params) for layer, params in [*_embedded(source), *steps]),
            ("linear", "head", {"out_features": units}),
            (OUTPUT, dataset.target.name, {}),
        ]
    )


def chain(steps: list[tuple[str, str, Mapping[str, Any]]]) -> Graph:
    """Layers in a row, from (layer, name, parameters), laid out like lines of text. A recurrent
    layer goes on by its last step, or by its sequence where another sequence layer follows."""
    graph = Graph()
    before, x = "", 0
    for number, (layer, name, params) in enumerate(steps):
        family = LAYERS.get(layer).family
        x = 0 if number % ACROSS == 0 else x
        place = (x, number // ACROSS * PITCH[1])
        x += PITCH[0] + WIDER * (family == "recurrent")
        name = graph.fresh_name(name)
        graph, id = edits.add_node(graph, layer, place, name=name, params=params)
        if before:
            whole = family == "recurrent" or layer.endswith("-over-time")
            port = _leaving(graph.node(before), whole)
            graph = edits.connect(graph, Edge(before, port, id, "input"))
        before = id
    return graph


def _leaving(node: Node, sequence: bool) -> str:
    ports = [port.name for port in LAYERS.get(node.layer).outputs]
    if "last" in ports:
        return "sequence" if sequence else "last"
    return ports[0]


def _suited(kind: Kind, task: str) -> str:
    if kind is Kind.SEQUENCE:
        return "rnn" if task == "forecast" else "cnn"
    if kind is Kind.TOKENS:
        return "rnn"
    if kind is Kind.VIDEO:
        return "hybrid"
    return "cnn" if kind in (Kind.IMAGE, Kind.VOLUME) else "mlp"


def _embedded(column: Column) -> list[Step]:
    """A vector for each token, where there are tokens."""
    if column.shape.kind is not Kind.TOKENS:
        return []
    return [("embedding", {**_vocabulary(column), "embedding_dim": 32, "padding_idx": 0})]


def _vocabulary(column: Column) -> dict[str, Any]:
    return {} if column.vocabulary is None else {"num_embeddings": column.vocabulary}


def _for_tokens(kind: str) -> list[Step]:
    """What follows the embedding: its mean, as in a bag of words; convolutions over neighbours,
    the strongest answer of each anywhere (Kim 2014); or a two-way GRU."""
    dropout: Step = ("dropout", {"p": 0.3})
    if kind == "mlp":
        return [("mean-over-time", {}), ("linear", {"out_features": 32}), ("relu", {}), dropout]
    convolution: list[Step] = [("conv1d", {"out_channels": 64, "kernel_size": 3}), ("relu", {})]
    if kind == "cnn":
        return [*convolution, ("max-over-time", {}), dropout]
    reader: list[Step] = [
        ("gru", {"hidden_size": 32, "bidirectional": True}),
        ("max-over-time", {}),
        dropout,
    ]
    return [*convolution, *reader] if kind == "hybrid" else reader


def _for_sounds(shape: Shape, rate: int, kind: str) -> list[Step]:
    """Over a spectrogram of the waveform, or the coefficients of one for an RNN. Windows of 25 ms,
    about half of which lies between two, as is usual for speech."""
    window = max(8, min(4096, round(0.025 * rate)))
    n_fft = 1 << (window - 1).bit_length()
    front = {"rate": rate, "n_fft": n_fft, "win_length": window, "hop_length": n_fft // 2}
    dropout: Step = ("dropout", {"p": 0.3})
    if kind == "rnn":
        coefficients: list[Step] = [("mfcc", {"n_mfcc": 20, **front}), ("batch-norm", {})]
        reader: Step = ("gru", {"hidden_size": 64, "bidirectional": True})
        return [*coefficients, reader, ("max-over-time", {}), dropout]
    bands: list[Step] = [("log-mel", front), ("batch-norm", {})]
    if kind == "mlp":
        return [*bands, ("flatten", {}), ("linear", {"out_features": 64}), ("relu", {}), dropout]
    steps: list[Step] = [*bands, ("as-image", {})]
    for channels in (16, 32) if kind == "hybrid" else (16, 32, 64):
        convolution: Step = ("conv2d", {"out_channels": channels, "stride": 2})
        steps += [convolution, ("batch-norm", {}), ("relu", {})]
    if kind == "hybrid":
        return [*steps, ("columns", {}), ("gru", {"hidden_size": 64, "bidirectional": True})]
    return [*steps, ("adaptive-avg-pool", {"output_size": 5}), ("flatten", {}), dropout]


def _body(shape: Shape, kind: str) -> list[Step]:
    """What stands between the input and the head."""
    if kind == "mlp":
        # of a video, the first Flatten makes a vector of each frame
        flattened = {Kind.VECTOR: 0, Kind.VIDEO: 2}.get(shape.kind, 1)
        flat: list[Step] = [("flatten", {})] * flattened
        return [
            *flat,
            ("linear", {"out_features": 64}),
            ("relu", {}),
            ("dropout", {"p": 0.2}),
            ("linear", {"out_features": 32}),
            ("relu", {}),
        ]
    if shape.kind is Kind.IMAGE:
        return _for_images(shape, kind)
    if shape.kind is Kind.SEQUENCE:
        return _for_sequences(shape, kind)
    if shape.kind is Kind.VIDEO:
        return _for_videos(shape, kind)
    if shape.kind is Kind.VOLUME and kind == "cnn":
        return _in_space(min(shape.number(axis) for axis in "DHW"))
    if shape.kind is Kind.VOLUME:
        raise StarterError("a volume has no order in time: build a CNN, or a plain network (mlp)")
    raise StarterError(
        f"these data are {shape.described()}: there is no order in them that a CNN or an RNN could "
        "use; build a plain network (mlp)"
    )


def _for_images(shape: Shape, kind: str) -> list[Step]:
    if kind == "rnn":
        return [("rows", {}), ("lstm", {"hidden_size": 128})]
    side = min(shape.number("H"), shape.number("W"))
    blocks = 2 if side <= 32 else 3 if side <= 64 else 4
    steps: list[Step] = []
    for block in range(blocks):
        steps += [("conv2d", {"out_channels": 16 * 2**block}), ("relu", {})]
        if side >= 4:
            steps.append(("max-pool2d", {}))
            side //= 2
    if kind == "hybrid":
        bridge: list[Step] = [("columns", {}), ("gru", {"hidden_size": 64, "bidirectional": True})]
        return [*steps, *bridge]
    ending = "flatten" if blocks == 2 else "global-avg-pool"
    return [*steps, (ending, {}), ("dropout", {"p": 0.25})]


def _for_videos(shape: Shape, kind: str) -> list[Step]:
    """An LSTM over what a CNN sees in each frame (Donahue et al. 2015), or over the frames
    themselves, or convolutions over space and time (Tran et al. 2015)."""
    side = min(shape.number("H"), shape.number("W"))
    if kind == "rnn":
        return [("flatten", {}), ("lstm", {"hidden_size": 128})]
    if kind == "cnn":
        return [*_in_space(min(side, 2 * shape.number("T"))), ("mean-over-time", {})]
    steps: list[Step] = []
    for block in range(2 if side <= 32 else 3 if side <= 64 else 4 if side <= 128 else 5):
        steps += [("conv2d", {"out_channels": min(64, 8 * 2**block)}), ("relu", {})]
        if side >= 4:
            steps.append(("max-pool2d", {}))
            side //= 2
    return [*steps, ("flatten", {}), ("lstm", {"hidden_size": 64})]


def _in_space(side: int) -> list[Step]:
    """3-D convolutions, and then each filter's mean answer."""
    steps: list[Step] = []
    for block in range(3):
        steps += [("conv3d", {"out_channels": 16 * 2**block}), ("relu", {})]
        if side >= 4:
            steps.append(("max-pool3d", {}))
            side //= 2
    return [*steps, ("global-avg-pool", {})]


def _for_sequences(shape: Shape, kind: str) -> list[Step]:
    if kind == "rnn":
        return [("lstm", {"hidden_size": 64})]
    steps: list[Step] = [("conv1d", {"out_channels": 32, "kernel_size": 7}), ("relu", {})]
    long = not shape.varies and shape.number("T") >= 16
    if long:
        steps.append(("max-pool1d", {}))
    steps += [("conv1d", {"out_channels": 64, "kernel_size": 5}), ("relu", {})]
    if kind == "hybrid":
        return [*steps, ("gru", {"hidden_size": 64, "bidirectional": True})]
    return [*steps, ("mean-over-time", {}), ("dropout", {"p": 0.2})]


def _name(layer: str) -> str:
    """A node's name: "max-pool2d" gives "pool"."""
    if layer.startswith(("conv", "max-pool")):
        return "pool" if "pool" in layer else "conv"
    return layer.replace("-", "_")


# --- other data -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Difference:
    """What the network and the data disagree in, as a sentence; ``node`` is an id, if it is one
    node's matter."""

    what: Literal["missing", "name", "shape", "units", "vocabulary"]
    message: str
    node: str | None = None


def propose(graph: Graph, dataset: Dataset, report: Report | None = None) -> list[Difference]:
    """What would have to change for ``graph`` to learn from ``dataset``; empty where it fits."""
    report = infer(graph) if report is None else report
    found: list[Difference] = []
    for layer, columns in ((INPUT, dataset.inputs), (OUTPUT, dataset.targets)):
        nodes = graph.of_layer(layer)
        word = layer.capitalize()
        if len(nodes) < len(columns) if layer == OUTPUT else not nodes:
            missing = ", ".join(list(columns)[len(nodes) :])
            found.append(Difference("missing", f"The network has no {word} for {missing}."))
        for node, name in _paired(nodes, columns):
            if name is None:
                message = f"The data have nothing for the {word} {node.name}."
                found.append(Difference("missing", message, node.id))
                continue
            if node.name != name:
                message = f"The {word} {node.name} is called {name} in the data."
                found.append(Difference("name", message, node.id))
            if layer == INPUT:
                found += _shape_difference(node, dataset.inputs[name].shape, report)
                found += _vocabulary_differences(graph, node, dataset.inputs[name])
            else:
                found += _units_difference(node, dataset, report)
    return found


def adopt(graph: Graph, dataset: Dataset) -> Graph:
    """``graph`` with its Inputs and Outputs named and sized as the data are, Embeddings given the
    vocabulary, and the layer before the Output the units that the task needs. Ids stay, so weights
    that fit are kept."""
    for node, name in _paired(graph.of_layer(INPUT), dataset.inputs):
        if name is None:
            continue
        graph = _renamed(graph, node.id, name)
        shape = dataset.inputs[name].shape.to_json()
        if graph.node(node.id).params.get("shape") != shape:
            graph = edits.set_params(graph, node.id, {"shape": shape})
        for difference in _vocabulary_differences(graph, node, dataset.inputs[name]):
            if difference.node is not None:
                vocabulary = _vocabulary(dataset.inputs[name])
                graph = edits.set_params(graph, difference.node, vocabulary)
    for node, name in _paired(graph.of_layer(OUTPUT), dataset.targets):
        if name is not None:
            graph = _renamed(graph, node.id, name)
            if _units_difference(graph.node(node.id), dataset, infer(graph)):
                task = TASKS.get(dataset.task)
                wanted = task.output(dataset, _given(graph, node.id))
                graph = (
                    _with_head(graph, node.id, task.head(dataset))
                    if wanted is None
                    else _with_picture_head(graph, node.id, wanted)
                )
    return graph


def _paired(nodes: tuple[Node, ...], columns: Mapping[str, Any]) -> list[tuple[Node, str | None]]:
    """Each node with a column: of its name, otherwise the next that no node has."""
    names = {node.name for node in nodes}
    free = [name for name in columns if name not in names]
    return [
        (node, node.name if node.name in columns else free.pop(0) if free else None)
        for node in nodes
    ]


def _shape_difference(node: Node, shape: Shape, report: Report) -> list[Difference]:
    now = report.nodes[node.id].outputs.get("output")
    if now is None or now == shape:
        return []
    message = f"The Input {node.name} takes {now.described()}; the data are {shape.described()}."
    return [Difference("shape", message, node.id)]


def _vocabulary_differences(graph: Graph, node: Node, column: Column) -> list[Difference]:
    """The Embeddings behind an Input that know more or fewer tokens than there are."""
    found = []
    for edge in graph.out_of(node.id):
        behind = graph.node(edge.target)
        if column.vocabulary is None or behind.layer != "embedding":
            continue
        knows = checked(LAYERS.get("embedding").parameters, behind.params)["num_embeddings"]
        if knows != column.vocabulary:
            message = (
                f"The Embedding {behind.name} knows {knows:,} tokens; the data have "
                f"{column.vocabulary:,}."
            )
            found.append(Difference("vocabulary", message, behind.id))
    return found


def _units_difference(node: Node, dataset: Dataset, report: Report) -> list[Difference]:
    given = report.nodes[node.id].outputs.get("output")
    task = TASKS.get(dataset.task)
    units, wanted = task.head(dataset), task.output(dataset, given)
    if wanted is not None:
        if given is None or given == wanted:
            return []
        message = (
            f"The Output {node.name} gets {given.described()}; the data need {wanted.described()}."
        )
        return [Difference("units", message, node.id)]
    if given is None or (given.kind is Kind.VECTOR and given.number("F") == units):
        return []
    needs = f"{units} classes" if dataset.classes else f"{units} value{'s' * (units != 1)}"
    message = f"The Output {node.name} gets {given.described()}; the data have {needs}."
    return [Difference("units", message, node.id)]


def _given(graph: Graph, id: str) -> Shape | None:
    return infer(graph).nodes[id].outputs.get("output")


def _renamed(graph: Graph, id: str, name: str) -> Graph:
    """``graph`` with a node renamed; one that has the name already makes room."""
    taken = graph.named(name)
    if taken is not None and taken.id != id:
        graph = graph.with_nodes([replace(taken, name=graph.fresh_name(name))])
    return edits.rename(graph, id, name)


def _with_head(graph: Graph, output: str, units: int) -> Graph:
    """Set the units of the last Linear before ``output``, or put one there."""
    edge = next(iter(graph.into(output)), None)
    if edge is None:
        return graph
    shape = infer(graph).nodes[edge.source].outputs.get(edge.source_port)
    bridge = _BRIDGES.get(shape.kind) if shape is not None else None
    if bridge is not None:
        graph, added = edits.splice(graph, bridge, edge)
        edge = graph.out_of(added)[0]
    id = edge.source
    while graph.node(id).layer in _KEEPING and graph.into(id):
        id = graph.into(id)[0].source
    if graph.node(id).layer != "linear":
        graph, id = edits.splice(graph, "linear", edge)
    return edits.set_params(graph, id, {"out_features": units})


def _with_picture_head(graph: Graph, output: str, wanted: Shape) -> Graph:
    """Set the channels of the Conv2d before ``output``, or put one there. What is no picture of
    that size by then stays: it takes more than a head to make one."""
    edge = next(iter(graph.into(output)), None)
    if edge is None:
        return graph
    shape = infer(graph).nodes[edge.source].outputs.get(edge.source_port)
    if shape is None or shape.kind is not Kind.IMAGE or shape.sizes[1:] != wanted.sizes[1:]:
        return graph
    id = edge.source
    if graph.node(id).layer != "conv2d":
        graph, id = edits.splice(graph, "conv2d", edge)
        graph = edits.set_params(graph, id, {"kernel_size": 1})
    return edits.set_params(graph, id, {"out_channels": wanted.number("C")})


_KEEPING = frozenset("dropout relu gelu tanh sigmoid softmax softplus last-step".split())
_BRIDGES = {Kind.IMAGE: "flatten", Kind.SEQUENCE: "last-step", Kind.VIDEO: "mean-over-time"}
