"""Activations: every value for itself, whatever the shape (Softmax: over channels or features)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from models.axes import Kind, Shape
from models.layers.common import channels_first, channels_of, given, numbers
from models.layers.declaration import Emitter, Inputs, Layer, Proxies, Result
from models.parameters import Parameter, Values


def _activation(
    id: str,
    torch_name: str,
    summary: str,
    parameters: tuple[Parameter, ...] = (),
    *,
    caption: Callable[[Values], str] = lambda p: "",
    keywords: str = "",
) -> Layer:
    def rule(p: Values, x: Inputs) -> Result:
        return Result({"output": numbers(torch_name, x.one())})

    def emit(e: Emitter, p: Values, x: Proxies, shapes: Inputs, out: Result) -> Mapping[str, Any]:
        options = {item.id: p[item.id] for item in parameters if p[item.id] != item.default}
        return {"output": e.module(f"nn.{torch_name}", **options)(x.one())}

    return Layer(
        id=id,
        name=torch_name,
        family="activation",
        summary=summary,
        rule=rule,
        emit=emit,
        parameters=parameters,
        caption=caption,
        keywords=f"activation nonlinearity {keywords}",
    )


def _slope(id: str, label: str, default: float, help: str) -> Parameter:
    return Parameter(id, label, "float", default, help, minimum=0.0, maximum=10.0)


def _softmax_rule(p: Values, x: Inputs) -> Result:
    return Result({"output": numbers("Softmax", x.one())})


def _softmax_emit(
    e: Emitter, p: Values, x: Proxies, shapes: Inputs, out: Result
) -> Mapping[str, Any]:
    dim = {Kind.VECTOR: -1, Kind.SEQUENCE: -1, Kind.VIDEO: 2}.get(shapes.one().kind, 1)
    return {"output": e.module("nn.Softmax", dim=dim)(x.one())}


def _prelu_rule(p: Values, x: Inputs) -> Result:
    shape = numbers("PReLU", x.one())
    return Result({"output": shape}, _slopes(p, shape))


def _slopes(p: Values, shape: Shape) -> int:
    return channels_of(shape) if p["slopes"] == "channel" else 1


def _prelu_emit(
    e: Emitter, p: Values, x: Proxies, shapes: Inputs, out: Result
) -> Mapping[str, Any]:
    shape, value = shapes.one(), x.one()
    options = given(
        {"num_parameters": 1, "init": 0.25}, num_parameters=_slopes(p, shape), init=p["init"]
    )
    module = e.module("nn.PReLU", **options)
    if p["slopes"] == "one":
        return {"output": module(value)}
    return {"output": channels_first(module(channels_first(value, shape)), shape)}


LAYERS = (
    _activation(
        "relu",
        "ReLU",
        "Sets negative values to zero: simple, fast, and the usual choice after a convolution.",
        keywords="rectifier",
    ),
    _activation(
        "leaky-relu",
        "LeakyReLU",
        "Like ReLU, but lets a little of the negative values through, so that no unit dies.",
        (_slope("negative_slope", "Negative slope", 0.01, "How much of a negative value stays."),),
        caption=lambda p: f"{p['negative_slope']:g}",
        keywords="rectifier",
    ),
    Layer(
        id="prelu",
        name="PReLU",
        family="activation",
        summary="Like LeakyReLU, with a slope that is learned: one for all, or one a channel.",
        rule=_prelu_rule,
        emit=_prelu_emit,
        parameters=(
            Parameter(
                "slopes",
                "Slopes",
                "choice",
                "one",
                "One slope for all values, or one for each channel (each feature of a vector or a "
                "sequence).",
                choices=(("one", "one"), ("channel", "one a channel")),
            ),
            Parameter(
                "init",
                "First slope",
                "float",
                0.25,
                "Where the slopes start.",
                minimum=0,
                maximum=1,
            ),
        ),
        caption=lambda p: "a slope a channel" if p["slopes"] == "channel" else "",
        per_frame=True,
        keywords="activation nonlinearity parametric rectifier",
    ),
    _activation(
        "relu6",
        "ReLU6",
        "ReLU that ends at 6: for small networks that will run with few bits.",
        keywords="mobile rectifier",
    ),
    _activation(
        "elu",
        "ELU",
        "Like ReLU with a smooth negative side; keeps the mean of the values near zero.",
        (_slope("alpha", "Alpha", 1.0, "The lowest value, negated."),),
        keywords="exponential",
    ),
    _activation(
        "selu",
        "SELU",
        "A scaled ELU that keeps mean and variance by itself, in plain chains of Linear layers.",
        keywords="self-normalizing",
    ),
    _activation(
        "gelu",
        "GELU",
        "A smooth ReLU; the usual choice in transformers.",
        keywords="gaussian transformer",
    ),
    _activation(
        "silu",
        "SiLU",
        "A smooth ReLU (also called Swish), common in modern image networks.",
        keywords="swish",
    ),
    _activation("mish", "Mish", "A smooth ReLU much like SiLU, common in detectors."),
    _activation(
        "softplus", "Softplus", "A smooth ReLU that is always positive: for scales and variances."
    ),
    _activation("tanh", "Tanh", "Squeezes values between -1 and 1."),
    _activation(
        "sigmoid",
        "Sigmoid",
        "Squeezes values between 0 and 1: for gates and yes-or-no answers.",
        keywords="logistic gate",
    ),
    _activation(
        "hardswish", "Hardswish", "A cheap SiLU, made for phones.", keywords="mobile swish"
    ),
    _activation(
        "hardsigmoid", "Hardsigmoid", "A cheap Sigmoid, made for phones.", keywords="mobile gate"
    ),
    Layer(
        id="softmax",
        name="Softmax",
        family="activation",
        summary="Turns the features (or channels) into shares that add up to 1. Not needed before "
        "a classification's Output: the task adds it.",
        rule=_softmax_rule,
        emit=_softmax_emit,
        keywords="activation probability distribution",
    ),
)
