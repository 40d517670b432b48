"""Convolutions over sequences, images, volumes and videos. A sequence is T×F, so Conv1d transposes
inside; so does Conv3d for a video."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

from models.axes import Size
from models.layers.common import (
    MOST_CHANNELS,
    Grid,
    change,
    channels_first,
    compact,
    each,
    given,
    ints,
    nearest_divisor,
    steps,
    times,
    windows,
    without_padding,
    yes_no,
)
from models.layers.declaration import Emitter, Inputs, Layer, Proxies, Result, ShapeError
from models.parameters import Parameter, Values

DEFAULTS = {
    "stride": 1,
    "padding": 0,
    "output_padding": 0,
    "dilation": 1,
    "groups": 1,
    "bias": True,
}
OVER = {1: "a sequence, along time", 2: "an image", 3: "a volume or a video"}


def _padding(p: Values, dims: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The zeros on each side of each dimension, and how many more there are on the far side.

    Left empty they keep the size at stride 1, for which an even kernel needs one more on the far
    side.
    """
    none = (0,) * dims
    if p["padding"] is not None:
        return each(p["padding"], dims), none
    kernel, dilation = each(p["kernel_size"], dims), each(p["dilation"], dims)
    reach = tuple(d * (k - 1) for k, d in zip(kernel, dilation, strict=True))
    rest = tuple(r % 2 for r in reach) if max(each(p["stride"], dims)) == 1 else none
    return tuple(r // 2 for r in reach), rest


def _added(p: Values, dims: int) -> tuple[int, ...]:
    """The zeros of both sides together."""
    return tuple(2 * side + more for side, more in zip(*_padding(p, dims), strict=True))


def _check_groups(name: str, groups: int, channels: int, out_channels: int) -> None:
    if channels % groups:
        best = nearest_divisor(channels, groups)
        raise ShapeError(
            f"{name}: {groups} groups do not divide {channels} input channels: use {best}",
            change(f"Set groups {best}", groups=best),
        )
    if out_channels % groups:
        best = max(groups, round(out_channels / groups) * groups)
        raise ShapeError(
            f"{name}: {groups} groups do not divide {out_channels} output channels: use {best}",
            change(f"Set channels {best}", out_channels=best),
        )


def _cost(
    kernel: int, channels: int, out: int, groups: int, cells: int, bias: bool
) -> tuple[int, int]:
    """Parameters and FLOPs of a convolution applied ``cells`` times."""
    weights = kernel * channels * out // groups
    return weights + out * bias, 2 * weights * cells


def _in_place(
    e: Emitter, x: Proxies, shapes: Inputs, module: Any, more: tuple[int, ...] = ()
) -> Mapping[str, Any]:
    """``module`` called with channels first and ``more`` zeros on the far sides; padded steps count
    as the zeros around the value."""
    value, shape = x.one(), shapes.one()
    if "input" in x.lengths:
        value = without_padding(e, value, x.lengths["input"], shape)
    value = channels_first(value, shape)
    if any(more):
        sides = tuple(side for extra in reversed(more) for side in (0, extra))
        value = e.call("nn.functional.pad", value, sides)
    return {"output": channels_first(module(value), shape)}


def _stride_text(p: Values, dims: int) -> str:
    stride = each(p["stride"], dims)
    return f" · stride {compact_text(stride)}" if max(stride) > 1 else ""


def compact_text(values: tuple[int, ...]) -> str:
    return str(values[0]) if len(set(values)) == 1 else times(values)


def _kernel_parameters(dims: int) -> tuple[Parameter, ...]:
    return (
        ints(
            "kernel_size", "Kernel", dims, 3, "How far a window reaches: 3 looks at 3 neighbours."
        ),
        ints("stride", "Stride", dims, 1, "How far the window moves; 2 halves the size."),
        ints(
            "padding",
            "Padding",
            dims,
            None,
            "Zeros added on each side. Empty: as many as keep the size at stride 1.",
            minimum=0,
            optional=True,
        ),
        ints("dilation", "Dilation", dims, 1, "Gaps between what a window looks at."),
    )


def _out_channels(help: str = "How many features to look for.") -> Parameter:
    return Parameter("out_channels", "Channels", "int", 16, help, minimum=1, maximum=MOST_CHANNELS)


BIAS = yes_no(
    "bias", "Bias", True, "Add a learned constant a channel. Not needed before a normalization."
)
GROUPS = Parameter(
    "groups",
    "Groups",
    "int",
    1,
    "Split the channels into groups that do not see each other.",
    minimum=1,
    maximum=MOST_CHANNELS,
)


def _convolution(dims: int) -> Layer:
    name = f"Conv{dims}d"

    def rule(p: Values, x: Inputs) -> Result:
        grid = Grid.of(name, dims, x.one())
        out, groups = p["out_channels"], p["groups"]
        _check_groups(name, groups, grid.channels, out)
        sizes = windows(name, grid.sizes, p, _added(p, dims), dilation=each(p["dilation"], dims))
        shape = grid.to(out, sizes)
        kernel, cells = prod(each(p["kernel_size"], dims)), prod(map(steps, sizes))
        return Result(
            {"output": shape}, *_cost(kernel, grid.channels, out, groups, cells, p["bias"])
        )

    def emit(e: Emitter, p: Values, x: Proxies, shapes: Inputs, out: Result) -> Mapping[str, Any]:
        module = e.module(
            f"nn.{name}",
            Grid.of(name, dims, shapes.one()).channels,
            p["out_channels"],
            kernel_size=compact(each(p["kernel_size"], dims)),
            **given(
                DEFAULTS,
                stride=compact(each(p["stride"], dims)),
                padding=compact(_padding(p, dims)[0]),
                dilation=compact(each(p["dilation"], dims)),
                groups=p["groups"],
                bias=p["bias"],
            ),
        )
        return _in_place(e, x, shapes, module, _padding(p, dims)[1])

    return Layer(
        id=f"conv{dims}d",
        name=name,
        family="convolution",
        summary=f"Slides small learned filters over {OVER[dims]} and answers where each is found: "
        "the basic layer for local patterns.",
        rule=rule,
        emit=emit,
        parameters=(_out_channels(), *_kernel_parameters(dims), GROUPS, BIAS),
        caption=lambda p: (
            f"{times(each(p['kernel_size'], dims))} · {p['out_channels']}{_stride_text(p, dims)}"
        ),
        per_frame=dims == 2,
        streaming="none" if dims != 2 else "stateless",
        keywords="convolution cnn filter feature map kernel",
    )


def _grown(name: str, p: Values, axis: int, size: Size, dims: int) -> Size:
    """The size that a transposed convolution makes of ``size``; raises ``ShapeError``."""
    kernel, stride, padding, extra, dilation = (
        each(p[key], dims)[axis]
        for key in ("kernel_size", "stride", "padding", "output_padding", "dilation")
    )
    if extra >= max(stride, dilation):
        raise ShapeError(
            f"{name}: the output padding {extra} must be smaller than the stride or the "
            "dilation: set it to 0",
            change("Set output padding 0", output_padding=0),
        )
    growth = dilation * (kernel - 1) + 1 - 2 * padding + extra - stride
    if isinstance(size, str):
        if stride == 1 and growth == 0:
            return size
        raise ShapeError(
            f"{name} would change the length of sequences that vary in length: give the Input a "
            "fixed length"
        )
    if size * stride + growth < 1:
        raise ShapeError(
            f"{name}: the padding {padding} takes away all of the input's size {size}: set it to 0",
            change("Set padding 0", padding=0),
        )
    return size * stride + growth


def _transposed_parameters(dims: int) -> tuple[Parameter, ...]:
    return (
        _out_channels("How many features to draw."),
        ints("kernel_size", "Kernel", dims, 2, "How far one value is spread out."),
        ints("stride", "Stride", dims, 2, "How much larger the output is."),
        ints("padding", "Padding", dims, 0, "How much is cut off on each side.", minimum=0),
        ints(
            "output_padding",
            "Output padding",
            dims,
            0,
            "Added on the far side, where several sizes would shrink to the same.",
            minimum=0,
        ),
        ints("dilation", "Dilation", dims, 1, "Gaps between the places that a value goes to."),
        GROUPS,
        BIAS,
    )


def _transposed(dims: int) -> Layer:
    name = f"ConvTranspose{dims}d"

    def rule(p: Values, x: Inputs) -> Result:
        grid = Grid.of(name, dims, x.one())
        out, groups = p["out_channels"], p["groups"]
        _check_groups(name, groups, grid.channels, out)
        sizes = tuple(_grown(name, p, i, size, dims) for i, size in enumerate(grid.sizes))
        kernel = prod(each(p["kernel_size"], dims))
        return Result(
            {"output": grid.to(out, sizes)},
            *_cost(kernel, grid.channels, out, groups, grid.cells, p["bias"]),
        )

    def emit(e: Emitter, p: Values, x: Proxies, shapes: Inputs, out: Result) -> Mapping[str, Any]:
        per_axis = ("stride", "padding", "output_padding", "dilation")
        module = e.module(
            f"nn.{name}",
            Grid.of(name, dims, shapes.one()).channels,
            p["out_channels"],
            kernel_size=compact(each(p["kernel_size"], dims)),
            **given(
                DEFAULTS,
                **{key: compact(each(p[key], dims)) for key in per_axis},
                groups=p["groups"],
                bias=p["bias"],
            ),
        )
        return _in_place(e, x, shapes, module)

    return Layer(
        id=f"conv-transpose{dims}d",
        name=name,
        family="convolution",
        summary=f"The way back of a strided convolution over {OVER[dims]}: enlarges with learned "
        "filters, for decoders and generators.",
        rule=rule,
        emit=emit,
        parameters=_transposed_parameters(dims),
        caption=lambda p: (
            f"{times(each(p['kernel_size'], dims))} · {p['out_channels']}{_stride_text(p, dims)}"
        ),
        per_frame=dims == 2,
        streaming="none" if dims != 2 else "stateless",
        keywords="deconvolution transposed convolution upsampling decoder",
    )


def _depthwise(dims: int) -> Layer:
    name = f"Depthwise Conv{dims}d"

    def rule(p: Values, x: Inputs) -> Result:
        grid = Grid.of(name, dims, x.one())
        out = grid.channels * p["multiplier"]
        sizes = windows(name, grid.sizes, p, _added(p, dims), dilation=each(p["dilation"], dims))
        kernel, cells = prod(each(p["kernel_size"], dims)), prod(map(steps, sizes))
        cost = _cost(kernel, grid.channels, out, grid.channels, cells, p["bias"])
        return Result({"output": grid.to(out, sizes)}, *cost)

    def emit(e: Emitter, p: Values, x: Proxies, shapes: Inputs, out: Result) -> Mapping[str, Any]:
        channels = Grid.of(name, dims, shapes.one()).channels
        module = _depthwise_module(e, p, dims, channels)
        return _in_place(e, x, shapes, module, _padding(p, dims)[1])

    return Layer(
        id=f"depthwise-conv{dims}d",
        name=name,
        family="convolution",
        summary=f"A convolution over {OVER[dims]} that looks at every channel alone: far fewer "
        "weights; follow it with a 1-wide convolution to mix the channels.",
        rule=rule,
        emit=emit,
        parameters=(
            *_kernel_parameters(dims),
            Parameter(
                "multiplier",
                "Filters a channel",
                "int",
                1,
                "How many features to look for in each channel.",
                minimum=1,
                maximum=64,
            ),
            BIAS,
        ),
        caption=lambda p: f"{times(each(p['kernel_size'], dims))}{_stride_text(p, dims)}",
        per_frame=dims == 2,
        streaming="none" if dims != 2 else "stateless",
        keywords="convolution mobilenet efficient channel",
    )


def _depthwise_module(
    e: Emitter, p: Values, dims: int, channels: int, name: str = "", *, bias: bool | None = None
) -> Any:
    return e.module(
        f"nn.Conv{dims}d",
        channels,
        channels * p.get("multiplier", 1),
        name=name,
        kernel_size=compact(each(p["kernel_size"], dims)),
        **given(
            DEFAULTS,
            stride=compact(each(p["stride"], dims)),
            padding=compact(_padding(p, dims)[0]),
            dilation=compact(each(p["dilation"], dims)),
            groups=channels,
            bias=p["bias"] if bias is None else bias,
        ),
    )


def _separable_rule(p: Values, x: Inputs) -> Result:
    grid = Grid.of("Separable Conv2d", 2, x.one())
    out = p["out_channels"]
    sizes = windows(
        "Separable Conv2d", grid.sizes, p, _added(p, 2), dilation=each(p["dilation"], 2)
    )
    cells = prod(map(steps, sizes))
    channels = grid.channels
    deep = _cost(prod(each(p["kernel_size"], 2)), channels, channels, channels, cells, False)
    mixed = _cost(1, channels, out, 1, cells, p["bias"])
    shape = grid.to(out, sizes)
    return Result(
        {"output": shape}, deep[0] + mixed[0], deep[1] + mixed[1], (channels + out) * cells
    )


def _separable_emit(
    e: Emitter, p: Values, x: Proxies, shapes: Inputs, out: Result
) -> Mapping[str, Any]:
    channels = shapes.one().number("C")
    deep = _depthwise_module(e, p, 2, channels, "depthwise", bias=False)
    mix = e.module(
        "nn.Conv2d",
        channels,
        p["out_channels"],
        name="pointwise",
        kernel_size=1,
        **given(DEFAULTS, bias=p["bias"]),
    )
    return _in_place(e, x, shapes, lambda value: mix(deep(value)), _padding(p, 2)[1])


LAYERS = (
    *(_convolution(dims) for dims in (1, 2, 3)),
    *(_transposed(dims) for dims in (1, 2, 3)),
    *(_depthwise(dims) for dims in (1, 2)),
    Layer(
        id="separable-conv2d",
        name="Separable Conv2d",
        family="convolution",
        summary="Looks at every channel alone, then mixes the channels: almost what a convolution "
        "does at a fraction of its cost.",
        rule=_separable_rule,
        emit=_separable_emit,
        parameters=(_out_channels(), *_kernel_parameters(2), BIAS),
        caption=lambda p: (
            f"{times(each(p['kernel_size'], 2))} · {p['out_channels']}{_stride_text(p, 2)}"
        ),
        per_frame=True,
        keywords="depthwise pointwise mobilenet xception efficient",
    ),
)
