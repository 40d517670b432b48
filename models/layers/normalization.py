"""Normalizations; the variant follows from the shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.axes import Kind, Shape
from models.layers.common import (
    change,
    channels_first,
    channels_of,
    given,
    nearest_divisor,
    numbers,
    refused,
    yes_no,
)
from models.layers.declaration import Emitter, Inputs, Layer, Proxies, Result, ShapeError
from models.parameters import Parameter, Values

EPSILON = Parameter(
    "eps",
    "Epsilon",
    "float",
    1e-5,
    "Added to the variance, against division by zero.",
    minimum=1e-12,
    maximum=1.0,
    logarithmic=True,
)
DIMS = {Kind.VECTOR: 1, Kind.SEQUENCE: 1, Kind.IMAGE: 2, Kind.VIDEO: 2, Kind.VOLUME: 3}


def _batch_rule(p: Values, x: Inputs) -> Result:
    shape = numbers("Batch normalization", x.one())
    return Result({"output": shape}, 2 * channels_of(shape) * p["affine"])


def _batch_emit(
    e: Emitter, p: Values, x: Proxies, shapes: Inputs, out: Result
) -> Mapping[str, Any]:
    """A video's frames count as more samples; padded steps do not count."""
    shape, value, lengths = shapes.one(), x.one(), x.lengths.get("input")
    name = f"BatchNorm{DIMS[shape.kind]}d"
    options = given(
        {"eps": 1e-5, "momentum": 0.1, "affine": True},
        eps=p["eps"],
        momentum=p["momentum"],
        affine=p["affine"],
    )
    if lengths is not None:
        module = e.module(f"modules.Masked{name}", channels_of(shape), **options)
        return {"output": module(value, lengths)}
    module = e.module(f"nn.{name}", channels_of(shape), **options)
    if shape.kind is Kind.VIDEO:
        return {"output": module(value.flatten(0, 1)).unflatten(0, (-1, shape["T"]))}
    return {"output": channels_first(module(channels_first(value, shape)), shape)}


def _layer_rule(p: Values, x: Inputs) -> Result:
    shape = numbers("Layer normalization", x.one())
    size = shape.number("F") if shape.kind is Kind.SEQUENCE else shape.elements
    return Result({"output": shape}, size * (1 + p["bias"]) * p["elementwise_affine"])


def _layer_emit(
    e: Emitter, p: Values, x: Proxies, shapes: Inputs, out: Result
) -> Mapping[str, Any]:
    shape = shapes.one()
    sizes = shape.sizes[1:] if shape.kind is Kind.SEQUENCE else shape.sizes
    options = given(
        {"eps": 1e-5, "elementwise_affine": True, "bias": True},
        eps=p["eps"],
        elementwise_affine=p["elementwise_affine"],
        bias=p["bias"] or not p["elementwise_affine"],
    )
    normalized = sizes[0] if len(sizes) == 1 else sizes
    return {"output": e.module("nn.LayerNorm", normalized, **options)(x.one())}


def _group_rule(p: Values, x: Inputs) -> Result:
    shape = numbers("Group normalization", x.one())
    channels, groups = channels_of(shape), p["num_groups"]
    if channels % groups:
        best = nearest_divisor(channels, groups)
        raise ShapeError(
            f"Group normalization: {groups} groups do not divide {channels} channels: use {best}",
            change(f"Set groups {best}", num_groups=best),
        )
    _check_more_than_one(shape, channels // groups)
    return Result({"output": shape}, 2 * channels * p["affine"])


def _check_more_than_one(shape: Shape, together: int) -> None:
    """A value that is normalized by itself alone would always become zero."""
    if together == 1 and shape.kind is Kind.VECTOR:
        raise ShapeError(
            "Group normalization: a group of one feature always becomes zero: use fewer groups",
            change("Set groups 1", num_groups=1),
        )


def _group_emit(
    e: Emitter, p: Values, x: Proxies, shapes: Inputs, out: Result
) -> Mapping[str, Any]:
    shape = shapes.one()
    options = given({"eps": 1e-5, "affine": True}, eps=p["eps"], affine=p["affine"])
    if "input" in x.lengths:
        module = e.module("modules.MaskedGroupNorm", p["num_groups"], channels_of(shape), **options)
        return {"output": module(x.one(), x.lengths["input"])}
    module = e.module("nn.GroupNorm", p["num_groups"], channels_of(shape), **options)
    return {"output": channels_first(module(channels_first(x.one(), shape)), shape)}


def _instance_rule(p: Values, x: Inputs) -> Result:
    shape = numbers("Instance normalization", x.one())
    if shape.kind is Kind.VECTOR:
        raise refused("Instance normalization", "an image, a sequence or a volume", shape)
    channels = channels_of(shape)
    if not shape.varies and shape.elements == channels:
        raise ShapeError(
            "Instance normalization needs more than one value a channel; "
            f"got {shape.described()}: use Layer normalization"
        )
    return Result({"output": shape}, 2 * channels * p["affine"])


def _instance_emit(
    e: Emitter, p: Values, x: Proxies, shapes: Inputs, out: Result
) -> Mapping[str, Any]:
    shape = shapes.one()
    channels = channels_of(shape)
    if "input" in x.lengths:
        options = given({"eps": 1e-5, "affine": True}, eps=p["eps"], affine=p["affine"])
        module = e.module("modules.MaskedGroupNorm", channels, channels, **options)
        return {"output": module(x.one(), x.lengths["input"])}
    options = given({"eps": 1e-5, "affine": False}, eps=p["eps"], affine=p["affine"])
    module = e.module(f"nn.InstanceNorm{DIMS[shape.kind]}d", channels, **options)
    return {"output": channels_first(module(channels_first(x.one(), shape)), shape)}


def _affine(default: bool, id: str = "affine") -> Parameter:
    return yes_no(id, "Learned scale", default, "Learn a scale and a shift afterwards.")


LAYERS = (
    Layer(
        id="batch-norm",
        name="Batch normalization",
        family="normalization",
        summary="Brings every channel to mean 0 and variance 1 over the batch: deeper networks "
        "learn faster. Usually between a convolution and its activation.",
        rule=_batch_rule,
        emit=_batch_emit,
        parameters=(
            Parameter(
                "momentum",
                "Momentum",
                "float",
                0.1,
                "How fast the remembered mean and variance follow the batches.",
                minimum=0.0,
                maximum=1.0,
            ),
            EPSILON,
            _affine(True),
        ),
        keywords="batchnorm bn batchnorm1d batchnorm2d normalisation",
    ),
    Layer(
        id="layer-norm",
        name="Layer normalization",
        family="normalization",
        summary="Brings each sample (each step of a sequence) to mean 0 and variance 1 by itself: "
        "for transformers and recurrent networks.",
        rule=_layer_rule,
        emit=_layer_emit,
        parameters=(
            EPSILON,
            _affine(True, "elementwise_affine"),
            Parameter(
                "bias",
                "Shift",
                "bool",
                True,
                "Learn a shift beside the scale.",
                visible=lambda p: bool(p.get("elementwise_affine", True)),
            ),
        ),
        per_frame=True,
        keywords="layernorm ln normalisation transformer",
    ),
    Layer(
        id="group-norm",
        name="Group normalization",
        family="normalization",
        summary="Normalizes groups of channels of each sample: instead of batch normalization "
        "where batches are small.",
        rule=_group_rule,
        emit=_group_emit,
        parameters=(
            Parameter(
                "num_groups",
                "Groups",
                "int",
                4,
                "How many groups the channels are split into.",
                minimum=1,
                maximum=65536,
            ),
            EPSILON,
            _affine(True),
        ),
        caption=lambda p: f"{p['num_groups']} groups",
        per_frame=True,
        streaming="none",
        keywords="groupnorm gn normalisation",
    ),
    Layer(
        id="instance-norm",
        name="Instance normalization",
        family="normalization",
        summary="Normalizes every channel of every sample by itself: takes contrast and style out "
        "of images.",
        rule=_instance_rule,
        emit=_instance_emit,
        parameters=(EPSILON, _affine(False)),
        per_frame=True,
        streaming="none",
        keywords="instancenorm style normalisation",
    ),
)
