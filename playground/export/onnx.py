"""ONNX: raw inputs in, probabilities or values in their own unit out; any batch size, and any
length where T is free."""

from __future__ import annotations

import operator
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import fx, nn

from playground.export.application import (
    Application,
    about,
    application,
    bare,
    dynamic_shapes,
    examples,
    free_axes,
    in_logarithms,
    outputs_of,
    refusal,
    typed,
)
from playground.export.check import Checked, Differs, compare
from playground.messages import Array
from playground.model import Model


class OnnxError(ValueError):
    """The model cannot be written as ONNX; the message says what stands in the way."""


def _network(model: Model) -> fx.GraphModule:
    """The sequences that leave packed recurrent layers unused follow the answers: the exporter
    fails on a layer of which the final state alone is read."""
    network = bare(model.network.module)
    graph = network.graph
    pad = nn.utils.rnn.pad_packed_sequence
    end: Any = graph.output_node()
    unused: list[fx.Node] = []
    with graph.inserting_before(end):
        for node in graph.nodes:
            packed = node.op == "call_module" and any(
                isinstance(value, fx.Node) and value.target is nn.utils.rnn.pack_padded_sequence
                for value in node.args
            )
            if packed and not any(user.args[1:] == (0,) for user in node.users):
                sequence = graph.call_function(operator.getitem, (node, 0))
                padded = graph.call_function(pad, (sequence,), {"batch_first": True})
                unused.append(graph.call_function(operator.getitem, (padded, 0)))
    end.args = ((end.args[0][0], unused),)
    network.recompile()
    return network


def write(model: Model, path: Path) -> Checked:
    """Write and check; raises ``OnnxError`` or ``Differs``."""
    reasons = []
    for exporter in (_traced, _captured):
        try:
            with warnings.catch_warnings():
                # the exporters warn of their own age, and of choices that the check below covers
                warnings.simplefilter("ignore")
                exporter(model, path)
            _describe(model, path)
            return _checked(model, path)
        except (Differs, OSError):
            raise
        except Exception as error:  # the exporters raise nearly anything
            reasons.append(error)
    raise OnnxError(refusal(model, "ONNX", reasons[0]))


def _traced(model: Model, path: Path) -> None:
    """torch's TorchScript exporter: it keeps LSTM and GRU as the one ONNX operator that they are,
    and T free, where the newer exporter unrolls every step."""
    names = list(model.wires.arguments)
    outputs = [name for name, _, _ in outputs_of(model)]
    torch.onnx.export(
        Application(model, _network(model)).eval(),
        examples(model),
        str(path),
        dynamo=False,
        input_names=names,
        output_names=outputs,
        dynamic_axes={**free_axes(model), **{name: {0: "batch"} for name in outputs}},
    )


def _captured(model: Model, path: Path) -> None:
    """torch's newer exporter, for what cannot be traced."""
    torch.onnx.export(
        Application(model, _network(model)).eval(),
        examples(model),
        str(path),
        dynamo=True,
        external_data=False,
        input_names=list(model.wires.arguments),
        output_names=[name for name, _, _ in outputs_of(model)],
        dynamic_shapes=(dynamic_shapes(model),),
        verbose=False,
    )


def _describe(model: Model, path: Path) -> None:
    """What a program needs to know beside the numbers, as metadata properties."""
    import onnx

    document = onnx.load(str(path))
    del document.graph.output[len(outputs_of(model)) :]
    document.producer_name = "playground"
    onnx.helper.set_model_props(document, about(model))
    onnx.checker.check_model(document)
    onnx.save(document, str(path))


def _checked(model: Model, path: Path) -> Checked:
    try:
        import onnxruntime
    except ImportError:
        return Checked(None, "not checked, because onnxruntime is not installed")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def exported(raw: Mapping[str, Array]) -> Mapping[str, Array]:
        answers = session.run(None, {name: typed(model, name, raw[name]) for name in raw})
        return in_logarithms(model, answers)

    return compare(model, application(model), exported)
