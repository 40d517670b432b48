"""A model with everything around it, as graphs of other programs hold it: raw inputs in,
probabilities or values in their own unit out."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, fx, nn

from models.axes import Kind
from playground.data.dataset import Column
from playground.export.check import LENGTHS, raw_inputs
from playground.messages import Array
from playground.model import Model
from playground.preprocessing import NOTHING
from playground.tasks.boxes import PRIOR
from playground.tasks.detection import EXTRA

SMALLEST = 1e-26
"""Probabilities below are taken as this: float32 has no logarithm far below."""
TRACED_BATCH = 2

BOXES_OUTSIDE = (
    f"outside: of the maps (K + {EXTRA}, h, w), sigmoid(map {PRIOR:+.6f}) of the first K, one a "
    "class, is the score of an object whose centre lies in that cell; take cells that none of the "
    "eight around exceeds. The next two are its width and height in cells, the last two where in "
    "the cell the centre lies (x, y). Then non-maximum suppression, class by class"
)


class Application(nn.Module):
    """The network with everything around it: raw inputs in, answers out.

    ``network`` is ``model``'s, in the form that an exporter takes: it returns its result and a list
    of values that follow the answers.
    """

    def __init__(self, model: Model, network: fx.GraphModule) -> None:
        super().__init__()
        columns = model.dataset.inputs
        self.arguments = model.wires.arguments
        self.prepare = nn.ModuleList(
            columns[name].preprocessing.module() if name in columns else NOTHING.module()
            for name in self.arguments
        )
        self.network = network
        self.finish = nn.ModuleList(
            nn.Softmax(dim=-1) if probabilities else column.preprocessing.module(inverse=True)
            for _, column, probabilities in outputs_of(model)
        )
        self.shapes = [_sizes(column) for _, column, _ in outputs_of(model)]
        self.names = list(model.network.outputs)

    def forward(self, *raw: Tensor) -> tuple[Tensor, ...]:
        prepared = [step(value) for step, value in zip(self.prepare, raw, strict=True)]
        result, unused = self.network(*prepared)
        values = [result[name] for name in self.names] if isinstance(result, dict) else [result]
        shaped = [
            value if sizes is None else value.reshape(-1, *sizes)
            for value, sizes in zip(values, self.shapes, strict=True)
        ]
        finished = [step(value) for step, value in zip(self.finish, shaped, strict=True)]
        return (*finished, *unused)


def _sizes(column: Column) -> tuple[int, ...] | None:
    """The shape of a target's values; None where the network answers with something else."""
    if column.classes or column.pixel_classes or column.box_classes:
        return None
    return tuple(map(int, column.shape.sizes))


def bare(module: fx.GraphModule) -> fx.GraphModule:
    """The network without the values that only the live views look at, as ``Application`` takes
    it; the weights are shared."""
    found = fx.GraphModule(module, copy.deepcopy(module.graph))
    found.graph.eliminate_dead_code()
    end = found.graph.output_node()
    end.args = ((end.args[0], []),)
    found.recompile()
    return found


def outputs_of(model: Model) -> list[tuple[str, Any, bool]]:
    """Each output's name in the file, its target's column, and whether it gives probabilities."""
    many = len(model.network.outputs) > 1
    found = []
    for name in model.network.outputs:
        column = model.dataset.targets[model.wires.outputs[name]]
        what = "probabilities" if column.classes else "maps" if column.box_classes else column.name
        found.append((f"{name}_{what}" if many else what, column, bool(column.classes)))
    return found


def about(model: Model) -> dict[str, str]:
    """What a program needs to know beside the numbers."""
    columns = [column for _, column, _ in outputs_of(model)]
    run = model.run
    names = columns[0].classes or columns[0].pixel_classes or columns[0].box_classes
    known: dict[str, str] = {
        "task": model.task.id,
        "classes": json.dumps(list(names), ensure_ascii=False),
        "decoding": BOXES_OUTSIDE if columns[0].box_classes else "",
        "unit": columns[0].unit,
        "inputs": json.dumps(
            {name: _input(model, name) for name in model.wires.arguments}, ensure_ascii=False
        ),
        "preprocessing": "inside: give raw values",
        "name": run.project().name if run is not None else "",
    }
    return {key: value for key, value in known.items() if value}


def _input(model: Model, name: str) -> dict[str, Any]:
    column = model.dataset.inputs.get(name)
    if column is None:
        return {"meaning": "the number of valid steps of each sample"}
    reading = column.reading
    tokens = {"meaning": "token numbers as the reading says, padded with 0"}
    return {
        **(tokens if column.shape.kind is Kind.TOKENS else {}),
        "shape": column.shape.to_json(),
        "reading": None if reading is None else reading.to_json(),
    }


def examples(model: Model) -> tuple[Tensor, ...]:
    raw = raw_inputs(model, TRACED_BATCH, LENGTHS[0])
    return tuple(torch.from_numpy(typed(model, name, raw[name])) for name in model.wires.arguments)


def free_axes(model: Model) -> dict[str, dict[int, str]]:
    axes: dict[str, dict[int, str]] = {}
    for name in model.wires.arguments:
        axes[name] = {0: "batch"}
        column = model.dataset.inputs.get(name)
        for axis, size in enumerate(column.shape.sizes if column is not None else (), 1):
            if isinstance(size, str):
                axes[name][axis] = size
    return axes


def dynamic_shapes(model: Model) -> tuple[dict[int, Any], ...]:
    """The same as torch.export takes it for ``Application``, whose arguments are one tuple."""
    return tuple(dict.fromkeys(axes, torch.export.Dim.AUTO) for axes in free_axes(model).values())


def application(model: Model) -> Callable[[Mapping[str, Array]], Mapping[str, Array]]:
    """What the application answers: values in their own unit, and probabilities as logarithms,
    in which a network's sureness does not hide a difference."""

    def answer(raw: Mapping[str, Array]) -> Mapping[str, Array]:
        found = model.outputs(model.prepared(raw))
        result = {}
        for output, (name, column, probabilities) in zip(
            model.network.outputs, outputs_of(model), strict=True
        ):
            values = found[output]
            if probabilities:
                wide = values.astype(np.float64)
                wide -= wide.max(axis=-1, keepdims=True)
                powers = np.exp(wide)
                result[name] = _logarithms(powers / powers.sum(axis=-1, keepdims=True))
            else:
                sizes = _sizes(column)
                shaped = values if sizes is None else values.reshape(-1, *sizes)
                result[name] = column.preprocessing.inverse(shaped)
        return result

    return answer


def in_logarithms(model: Model, answers: Sequence[Array]) -> dict[str, Array]:
    """What an exported model answers, by name, as ``application`` gives it."""
    return {
        name: _logarithms(answer) if probabilities else answer
        for (name, _, probabilities), answer in zip(outputs_of(model), answers, strict=True)
    }


def _logarithms(probabilities: Array) -> Array:
    return np.log(np.maximum(probabilities.astype(np.float64), SMALLEST))


def typed(model: Model, name: str, values: Array) -> Array:
    """Tokens and lengths as int64, everything else as float32."""
    column = model.dataset.inputs.get(name)
    whole = column is None or column.shape.kind is Kind.TOKENS
    return np.ascontiguousarray(values, np.int64 if whole else np.float32)


def refusal(model: Model, target: str, error: Exception) -> str:
    """Which node it is that cannot be exported is not known; the network's layers are."""
    kinds = sorted({node.layer for node in model.graph.nodes.values()} - {"input", "output"})
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    reason = (lines[0] if lines else type(error).__name__)[:300]
    return f"this network ({', '.join(kinds)}) cannot be written as {target}: {reason}"
