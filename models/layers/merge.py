"""Several values become one."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from typing import Any

from models.axes import AXES, Kind, Shape, Size
from models.layers.common import numbers
from models.layers.declaration import (
    Emitter,
    Inputs,
    Layer,
    Port,
    Proxies,
    Result,
    ShapeError,
)
from models.parameters import Parameter, Values

INPUTS = (Port("inputs", variadic=True),)
LABELS = {
    "C": "channels",
    "F": "features",
    "T": "time",
    "D": "depth",
    "H": "height",
    "W": "width",
}


def _listed(shapes: tuple[Shape, ...]) -> str:
    return " and ".join(shape.described() for shape in dict.fromkeys(shapes))


def _add_rule(p: Values, x: Inputs) -> Result:
    shapes = tuple(numbers("Add", shape, "inputs") for shape in x.many())
    if len(set(shapes)) > 1:
        raise ShapeError(f"Add needs values of the same shape; got {_listed(shapes)}")
    return Result({"output": shapes[0]})


def _add_emit(e: Emitter, p: Values, x: Proxies, shapes: Inputs, out: Result) -> Mapping[str, Any]:
    return {"output": reduce(lambda a, b: a + b, x.many())}


def _gates(shape: Shape, other: Shape) -> bool:
    """Whether ``shape`` is a factor for each channel of ``other``."""
    return (
        shape.kind is Kind.VECTOR
        and other.kind in (Kind.IMAGE, Kind.VOLUME)
        and shape["F"] == other["C"]
    )


def _multiply_rule(p: Values, x: Inputs) -> Result:
    shapes = tuple(numbers("Multiply", shape, "inputs") for shape in x.many())
    whole = next((shape for shape in shapes if shape.kind is not Kind.VECTOR), shapes[0])
    if not all(shape == whole or _gates(shape, whole) for shape in shapes):
        raise ShapeError(
            "Multiply needs values of the same shape, or an image and a vector with a factor for "
            f"each of its channels; got {_listed(shapes)}"
        )
    return Result({"output": whole})


def _multiply_emit(
    e: Emitter, p: Values, x: Proxies, shapes: Inputs, out: Result
) -> Mapping[str, Any]:
    whole = out.outputs["output"]
    values = []
    for value, shape in zip(x.many(), shapes.many(), strict=True):
        if shape != whole:
            for _ in whole.sizes[1:]:
                value = value.unsqueeze(-1)
        values.append(value)
    return {"output": reduce(lambda a, b: a * b, values)}


def _axis(p: Values, kind: Kind) -> str:
    """The axis chosen, or by default that of the channels or features."""
    if p["axis"] != "auto":
        return str(p["axis"])
    return "C" if "C" in AXES[kind] else AXES[kind][-1]


def _concatenate_rule(p: Values, x: Inputs) -> Result:
    shapes = x.many()
    first = shapes[0]
    if any(shape.kind is not first.kind for shape in shapes):
        raise ShapeError(f"Concatenate needs values of one kind; got {_listed(shapes)}")
    axis = _axis(p, first.kind)
    if axis not in first.axes:
        allowed = ", ".join(LABELS[a] for a in first.axes)
        raise ShapeError(
            f"Concatenate: {first.described()} has no {LABELS[axis]}: choose one of {allowed}"
        )
    total = 0
    for shape in shapes:
        size: Size = shape[axis]
        if isinstance(size, str):
            raise ShapeError("Concatenate cannot join sequences of varying length along time")
        if shape.resized(**{axis: 1}) != first.resized(**{axis: 1}):
            raise ShapeError(
                f"Concatenate needs the same size on every axis but the {LABELS[axis]}; "
                f"got {_listed(shapes)}"
            )
        total += size
    return Result({"output": first.resized(**{axis: total})})


def _concatenate_emit(
    e: Emitter, p: Values, x: Proxies, shapes: Inputs, out: Result
) -> Mapping[str, Any]:
    first = shapes.many()[0]
    dim = 1 + first.axes.index(_axis(p, first.kind))
    return {"output": e.call("torch.cat", tuple(x.many()), dim=dim)}


LAYERS = (
    Layer(
        id="add",
        name="Add",
        family="merge",
        summary="Adds values of the same shape: the shortcut of a residual network.",
        rule=_add_rule,
        emit=_add_emit,
        inputs=INPUTS,
        keywords="sum residual skip shortcut plus",
    ),
    Layer(
        id="concatenate",
        name="Concatenate",
        family="merge",
        summary="Puts values side by side along one axis, so that the next layer sees them all.",
        rule=_concatenate_rule,
        emit=_concatenate_emit,
        inputs=INPUTS,
        parameters=(
            Parameter(
                "axis",
                "Along",
                "choice",
                "auto",
                "Where they are joined.",
                choices=(("auto", "channels or features"), *LABELS.items()),
            ),
        ),
        caption=lambda p: "" if p["axis"] == "auto" else LABELS[p["axis"]],
        keywords="concat join stack skip dense",
    ),
    Layer(
        id="multiply",
        name="Multiply",
        family="merge",
        summary="Multiplies values of the same shape, or the channels of an image by a vector of "
        "factors: gates and squeeze-and-excitation.",
        rule=_multiply_rule,
        emit=_multiply_emit,
        inputs=INPUTS,
        keywords="product gate scale attention squeeze excitation",
    ),
)
