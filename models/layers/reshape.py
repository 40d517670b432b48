"""The same numbers in another arrangement, and bridges between images, sequences and vectors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.axes import Kind, Shape, sequence, vector
from models.layers.common import (
    Grid,
    change,
    channels_first,
    insert,
    numbers,
    refused,
    sequence_fix,
    times,
)
from models.layers.declaration import Emitter, Inputs, Layer, Proxies, Result, ShapeError
from models.layers.pooling import DIMS, max_over_steps, mean_over_steps
from models.parameters import Parameter, Values

INTERPOLATION = {1: "linear", 2: "bilinear", 3: "trilinear"}
SIDES = ("left", "right", "top", "bottom")


def _fixed(name: str, shape: Shape, what: str = "a fixed length") -> Shape:
    if shape.varies:
        raise ShapeError(
            f"{name} needs {what}; this sequence's length varies: insert Mean over time",
            insert("mean-over-time", "Mean over time"),
        )
    return shape


def _flatten_rule(p: Values, x: Inputs) -> Result:
    shape = _fixed("Flatten", numbers("Flatten", x.one()))
    return Result({"output": vector(shape.elements)}, activations=0)


def _flatten_emit(
    e: Emitter, p: Values, x: Proxies, shapes: Inputs, out: Result
) -> Mapping[str, Any]:
    return {"output": x.one().flatten(1)}


def _reshape_rule(p: Values, x: Inputs) -> Result:
    shape, target = _fixed("Reshape", x.one()), Shape.from_json(p["shape"])
    if target.varies:
        raise ShapeError("Reshape needs numbers for every axis, the time included")
    if (shape.kind is Kind.TOKENS) != (target.kind is Kind.TOKENS):
        raise refused("Reshape", "numbers to make numbers, and tokens to make tokens", shape)
    if shape.elements != target.elements:
        raise ShapeError(
            f"Reshape to {target.described()} needs {target.elements:,} numbers; "
            f"got {shape.described()}, which are {shape.elements:,}"
        )
    return Result({"output": target}, activations=0)


def _reshape_emit(
    e: Emitter, p: Values, x: Proxies, shapes: Inputs, out: Result
) -> Mapping[str, Any]:
    return {"output": x.one().reshape(-1, *p["shape"]["sizes"])}


def _order(p: Values, shape: Shape) -> tuple[int, ...]:
    """Which input axis goes to each place; raises ``ShapeError``."""
    wanted = [axis for axis in p["order"].upper() if axis.isalpha()]
    if sorted(wanted) != sorted(shape.axes):
        reverse = " ".join((*shape.axes[:-2], *shape.axes[:-3:-1]))
        raise ShapeError(
            f"Permute needs each axis of {shape.described()} once ({', '.join(shape.axes)}); "
            f"got {p['order']!r}: set {reverse}",
            change(f"Set {reverse}", order=reverse),
        )
    return tuple(shape.axes.index(axis) for axis in wanted)


def _permute_rule(p: Values, x: Inputs) -> Result:
    shape = numbers("Permute", x.one())
    if len(shape.axes) < 2:
        raise refused("Permute", "a value with two axes or more", shape)
    order = _order(p, shape)
    if shape.varies and order[0] != 0:
        raise ShapeError("Permute cannot move a time of varying length: keep T first")
    sizes = tuple(shape.sizes[axis] for axis in order)
    return Result({"output": Shape(shape.kind, sizes)}, activations=0)


def _permute_emit(
    e: Emitter, p: Values, x: Proxies, shapes: Inputs, out: Result
) -> Mapping[str, Any]:
    order = _order(p, shapes.one())
    return {"output": x.one().permute(0, *(axis + 1 for axis in order))}


def _upsample_rule(p: Values, x: Inputs) -> Result:
    shape = numbers("Upsample", x.one())
    if shape.kind not in DIMS:
        raise refused("Upsample", "an image, a sequence or a volume", shape)
    if shape.varies:
        raise ShapeError(
            "Upsample would change the length of sequences that vary in length: give the Input a "
            "fixed length"
        )
    if p["mode"] == "bicubic" and shape.kind is not Kind.IMAGE:
        raise ShapeError(
            f"Upsample: the bicubic way needs an image; got {shape.described()}: use linear",
            change("Use linear", mode="linear"),
        )
    grid = Grid.of("Upsample", DIMS[shape.kind], shape)
    sizes = tuple(int(size) * p["scale_factor"] for size in grid.sizes)
    return Result({"output": grid.to(grid.channels, sizes)})


def _upsample_emit(
    e: Emitter, p: Values, x: Proxies, shapes: Inputs, out: Result
) -> Mapping[str, Any]:
    shape, mode = shapes.one(), p["mode"]
    if mode == "linear":
        mode = INTERPOLATION[DIMS[shape.kind]]
    options = {} if mode == "nearest" else {"mode": mode}
    if p["align_corners"] and mode != "nearest":
        options["align_corners"] = True
    module = e.module("nn.Upsample", scale_factor=p["scale_factor"], **options)
    return {"output": channels_first(module(channels_first(x.one(), shape)), shape)}


def _pad_rule(p: Values, x: Inputs) -> Result:
    shape = numbers("Pad", x.one())
    if shape.kind not in (Kind.IMAGE, Kind.SEQUENCE):
        raise refused("Pad", "an image or a sequence", shape)
    left, right, top, bottom = (p[side] for side in SIDES)
    if shape.kind is Kind.SEQUENCE:
        if shape.varies:
            raise ShapeError(
                "Pad would change the length of sequences that vary in length: give the Input a "
                "fixed length"
            )
        sides = {"T": (left, right)}
    else:
        sides = {"H": (top, bottom), "W": (left, right)}
    most = {axis: shape.number(axis) - 1 for axis in sides}
    if p["mode"] == "reflect" and any(max(s) > most[axis] for axis, s in sides.items()):
        raise ShapeError(
            f"Pad cannot mirror more than there is: at most {min(most.values())} here; "
            f"got {shape.described()}: use zeros",
            change("Use zeros", mode="constant"),
        )
    return Result(
        {"output": shape.resized(**{a: shape.number(a) + sum(s) for a, s in sides.items()})}
    )


def _pad_emit(e: Emitter, p: Values, x: Proxies, shapes: Inputs, out: Result) -> Mapping[str, Any]:
    shape = shapes.one()
    sides = tuple(p[side] for side in (SIDES if shape.kind is Kind.IMAGE else SIDES[:2]))
    options: dict[str, Any] = {} if p["mode"] == "constant" else {"mode": p["mode"]}
    if p["mode"] == "constant" and p["value"]:
        options["value"] = p["value"]
    value = e.call("nn.functional.pad", channels_first(x.one(), shape), sides, **options)
    return {"output": channels_first(value, shape)}


def _needs_image(name: str, shape: Shape) -> Shape:
    numbers(name, shape)
    if shape.kind is not Kind.IMAGE:
        raise refused(name, "an image", shape)
    return shape


def _rows_rule(p: Values, x: Inputs) -> Result:
    c, h, w = _needs_image("Rows", x.one()).sizes
    return Result({"output": sequence(h, int(c) * int(w))}, activations=0)


def _rows_emit(e: Emitter, p: Values, x: Proxies, shapes: Inputs, out: Result) -> Mapping[str, Any]:
    if shapes.one()["C"] == 1:
        return {"output": x.one().squeeze(1)}
    return {"output": x.one().permute(0, 2, 1, 3).flatten(2)}


def _columns_rule(p: Values, x: Inputs) -> Result:
    c, h, w = _needs_image("Columns", x.one()).sizes
    return Result({"output": sequence(w, int(c) * int(h))}, activations=0)


def _columns_emit(
    e: Emitter, p: Values, x: Proxies, shapes: Inputs, out: Result
) -> Mapping[str, Any]:
    return {"output": x.one().permute(0, 3, 1, 2).flatten(2)}


def _positions_rule(p: Values, x: Inputs) -> Result:
    c, h, w = _needs_image("Positions", x.one()).sizes
    return Result({"output": sequence(int(h) * int(w), int(c))}, activations=0)


def _positions_emit(
    e: Emitter, p: Values, x: Proxies, shapes: Inputs, out: Result
) -> Mapping[str, Any]:
    return {"output": x.one().flatten(2).transpose(1, 2)}


def _over_time(name: str) -> Any:
    def rule(p: Values, x: Inputs) -> Result:
        shape = numbers(name, x.one())
        if shape.kind is Kind.SEQUENCE:
            return Result({"output": vector(shape.number("F"))})
        if shape.kind is Kind.VIDEO:
            return Result({"output": Shape(Kind.IMAGE, shape.sizes[1:])})
        raise refused(name, "a sequence or a video", shape, sequence_fix(shape))

    return rule


def _last_emit(e: Emitter, p: Values, x: Proxies, shapes: Inputs, out: Result) -> Mapping[str, Any]:
    value: Any = x.one()
    lengths: Any = x.lengths.get("input")
    if lengths is None:
        return {"output": value[:, -1]}
    samples = e.call("torch.arange", value.size(0), device=value.device)
    return {"output": value[samples, lengths - 1]}


def _mean_emit(e: Emitter, p: Values, x: Proxies, shapes: Inputs, out: Result) -> Mapping[str, Any]:
    return {"output": mean_over_steps(e, x.one(), x.lengths.get("input"), shapes.one())}


def _max_emit(e: Emitter, p: Values, x: Proxies, shapes: Inputs, out: Result) -> Mapping[str, Any]:
    return {"output": max_over_steps(e, x.one(), x.lengths.get("input"), shapes.one())}


def _repeat_rule(p: Values, x: Inputs) -> Result:
    shape = numbers("Repeat", x.one())
    if shape.kind is not Kind.VECTOR:
        raise refused("Repeat", "a vector", shape, insert("flatten", "Flatten"))
    return Result({"output": sequence(p["steps"], shape.number("F"))})


def _repeat_emit(
    e: Emitter, p: Values, x: Proxies, shapes: Inputs, out: Result
) -> Mapping[str, Any]:
    return {"output": x.one().unsqueeze(1).repeat(1, p["steps"], 1)}


def _side(id: str, label: str, help: str) -> Parameter:
    return Parameter(id, label, "int", 1, help, minimum=0, maximum=4096)


def _pad_caption(p: Values) -> str:
    sides = [p[side] for side in SIDES]
    return str(sides[0]) if len(set(sides)) == 1 else " ".join(map(str, sides))


def _bridge(
    id: str, name: str, summary: str, rule: Any, emit: Any, keywords: str, **more: Any
) -> Layer:
    return Layer(
        id=id,
        name=name,
        family="reshape",
        summary=summary,
        rule=rule,
        emit=emit,
        keywords=keywords,
        **more,
    )


LAYERS = (
    _bridge(
        "flatten",
        "Flatten",
        "Lays all numbers out in one vector, for the Linear layers behind a convolution. On a "
        "video it works on every frame and gives a sequence.",
        _flatten_rule,
        _flatten_emit,
        "vector frames to sequence",
        per_frame=True,
        streaming="none",
    ),
    _bridge(
        "reshape",
        "Reshape",
        "Reads the same numbers, in their order, as another kind or size of value.",
        _reshape_rule,
        _reshape_emit,
        "view unflatten",
        parameters=(
            Parameter(
                "shape",
                "Shape",
                "shape",
                {"kind": "vector", "sizes": [64]},
                "What the numbers become; their count must stay.",
            ),
        ),
        caption=lambda p: f"to {times(p['shape']['sizes'])}",
        streaming="none",
    ),
    _bridge(
        "permute",
        "Permute",
        "Exchanges axes: writes an image with its columns as rows, or a sequence with time and "
        "features swapped.",
        _permute_rule,
        _permute_emit,
        "transpose swap axes",
        parameters=(
            Parameter(
                "order",
                "Order",
                "text",
                "C W H",
                "The axes in their new order, by letter: C W H, or F T for a sequence.",
            ),
        ),
        caption=lambda p: str(p["order"]),
        streaming="none",
    ),
    _bridge(
        "rows",
        "Rows",
        "Reads an image from top to bottom: every row of pixels becomes a step (T = H, F = C·W).",
        _rows_rule,
        _rows_emit,
        "image to sequence lines",
        streaming="none",
    ),
    _bridge(
        "columns",
        "Columns",
        "Reads an image from left to right: every column becomes a step (T = W, F = C·H). The "
        "bridge from a CNN to an RNN, for writing and spectrograms.",
        _columns_rule,
        _columns_emit,
        "image to sequence crnn",
        streaming="none",
    ),
    _bridge(
        "positions",
        "Positions",
        "Every place of an image becomes a step with its channels as features (T = H·W, F = C): "
        "the bridge from a CNN to attention.",
        _positions_rule,
        _positions_emit,
        "image to sequence patches tokens vit",
        streaming="none",
    ),
    _bridge(
        "last-step",
        "Last step",
        "Keeps the last step of a sequence alone. Behind a two-way RNN use its output last "
        "instead, which has the end of both readings.",
        _over_time("Last step"),
        _last_emit,
        "sequence to vector final",
    ),
    _bridge(
        "mean-over-time",
        "Mean over time",
        "The mean of all steps: a summary of a whole sequence that weighs each step alike.",
        _over_time("Mean over time"),
        _mean_emit,
        "sequence to vector average pooling",
        streaming="none",
    ),
    _bridge(
        "max-over-time",
        "Max over time",
        "The largest value of each feature over all steps: tells what occurred anywhere.",
        _over_time("Max over time"),
        _max_emit,
        "sequence to vector maximum pooling",
        streaming="none",
    ),
    _bridge(
        "repeat",
        "Repeat",
        "Gives the same vector at every step of a new sequence: from an encoder to a decoder.",
        _repeat_rule,
        _repeat_emit,
        "vector to sequence decoder",
        parameters=(
            Parameter(
                "steps", "Steps", "int", 10, "How often.", minimum=1, maximum=100_000, unit="steps"
            ),
        ),
        caption=lambda p: f"{p['steps']} steps",
    ),
    _bridge(
        "upsample",
        "Upsample",
        "Enlarges without learning: repeats or blends neighbours. Follow it with a convolution.",
        _upsample_rule,
        _upsample_emit,
        "resize interpolate enlarge decoder unet",
        parameters=(
            Parameter(
                "scale_factor",
                "Factor",
                "int",
                2,
                "How many times larger.",
                minimum=1,
                maximum=64,
                unit="×",
            ),
            Parameter(
                "mode",
                "Blending",
                "choice",
                "nearest",
                choices=(("nearest", "nearest"), ("linear", "linear"), ("bicubic", "bicubic")),
            ),
            Parameter(
                "align_corners",
                "Align corners",
                "bool",
                False,
                "Let the corner values stay in the corners.",
                visible=lambda p: p.get("mode", "nearest") != "nearest",
            ),
        ),
        caption=lambda p: f"×{p['scale_factor']} {p['mode']}",
        per_frame=True,
        streaming="none",
    ),
    _bridge(
        "pad",
        "Pad",
        "Adds a border to an image, or steps before and after a sequence.",
        _pad_rule,
        _pad_emit,
        "border zero mirror reflect replicate",
        parameters=(
            _side("left", "Left", "Columns left of an image; steps before a sequence."),
            _side("right", "Right", "Columns right of an image; steps after a sequence."),
            _side("top", "Top", "Rows above an image."),
            _side("bottom", "Bottom", "Rows below an image."),
            Parameter(
                "mode",
                "Fill with",
                "choice",
                "constant",
                choices=(
                    ("constant", "one value"),
                    ("reflect", "a mirror image"),
                    ("replicate", "the edge"),
                ),
            ),
            Parameter(
                "value",
                "Value",
                "float",
                0.0,
                "What the border holds.",
                minimum=-1e6,
                maximum=1e6,
                visible=lambda p: p.get("mode", "constant") == "constant",
            ),
        ),
        caption=_pad_caption,
        per_frame=True,
        streaming="none",
    ),
)
