"""Pooling: smaller grids, or one value a channel. Costs count products of matrices alone, so
pooling is free."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.axes import Kind, Shape, Size, vector
from models.layers.common import (
    Grid,
    change,
    channels_first,
    compact,
    each,
    given,
    ints,
    numbers,
    refused,
    times,
    windows,
    without_padding,
    yes_no,
)
from models.layers.declaration import Emitter, Inputs, Layer, Proxies, Result, ShapeError
from models.parameters import Parameter, Values

OVER = {1: "a sequence", 2: "an image", 3: "a volume or a video"}
DIMS = {Kind.SEQUENCE: 1, Kind.IMAGE: 2, Kind.VOLUME: 3}


def _fixed_length(name: str, shape: Shape) -> None:
    if shape.varies:
        raise ShapeError(
            f"{name} would change the length of sequences that vary in length: use Global average "
            "or Global max pooling, or give the Input a fixed length"
        )


def _with_stride(p: Values) -> dict[str, Any]:
    """The parameters with the stride that an empty field stands for: the kernel."""
    return {**p, "stride": p["kernel_size"] if p["stride"] is None else p["stride"]}


def _pool_parameters(dims: int) -> tuple[Parameter, ...]:
    return (
        ints("kernel_size", "Kernel", dims, 2, "The size of a window."),
        ints(
            "stride",
            "Stride",
            dims,
            None,
            "How far the window moves. Empty: by its own size.",
            optional=True,
        ),
        ints("padding", "Padding", dims, 0, "What is added on each side.", minimum=0),
        yes_no("ceil_mode", "Keep the rest", False, "Let a last window reach over the edge."),
    )


def _pool(dims: int, torch_name: str, title: str, what: str) -> Layer:
    name = f"{torch_name}{dims}d"

    def rule(p: Values, x: Inputs) -> Result:
        grid = Grid.of(name, dims, x.one())
        _fixed_length(name, x.one())
        padding, kernel = each(p["padding"], dims), each(p["kernel_size"], dims)
        if any(side > k // 2 for side, k in zip(padding, kernel, strict=True)):
            most = min(k // 2 for k in kernel)
            raise ShapeError(
                f"{name}: the padding {times(padding)} is more than half of the kernel "
                f"{times(kernel)}: set {most}",
                change(f"Set padding {most}", padding=most),
            )
        sizes = windows(
            name,
            grid.sizes,
            _with_stride(p),
            tuple(2 * side for side in padding),
            ceil=p["ceil_mode"],
        )
        return Result({"output": grid.to(grid.channels, sizes)})

    def emit(e: Emitter, p: Values, x: Proxies, shapes: Inputs, out: Result) -> Mapping[str, Any]:
        kernel = compact(each(p["kernel_size"], dims))
        stride = compact(each(_with_stride(p)["stride"], dims))
        options = given(
            {"stride": kernel, "padding": 0, "ceil_mode": False},
            stride=stride,
            padding=compact(each(p["padding"], dims)),
            ceil_mode=p["ceil_mode"],
        )
        module = e.module(f"nn.{name}", kernel, **options)
        shape = shapes.one()
        return {"output": channels_first(module(channels_first(x.one(), shape)), shape)}

    def caption(p: Values) -> str:
        kernel, stride = each(p["kernel_size"], dims), each(_with_stride(p)["stride"], dims)
        return times(kernel) + (f" · stride {compact(stride)}" if stride != kernel else "")

    return Layer(
        id=f"{title}-pool{dims}d",
        name=name,
        family="pooling",
        summary=f"{what} of every window over {OVER[dims]}: makes it smaller.",
        rule=rule,
        emit=emit,
        parameters=_pool_parameters(dims),
        caption=caption,
        per_frame=dims == 2,
        streaming="stateless" if dims == 2 else "none",
        keywords=f"pooling {title} subsampling downsample",
    )


def _grid(name: str, shape: Shape) -> Grid:
    """The grid of a sequence, image or volume; raises ``ShapeError`` on other kinds."""
    numbers(name, shape)
    if shape.kind not in DIMS:
        raise refused(name, "an image, a sequence or a volume", shape)
    return Grid.of(name, DIMS[shape.kind], shape)


def _adaptive(torch_name: str, title: str, label: str, what: str) -> Layer:
    name = f"Adaptive {label}"

    def target(p: Values, dims: int) -> tuple[int, ...]:
        sizes = each(p["output_size"], dims)
        if len(sizes) != dims:
            raise ShapeError(
                f"{name} needs one size here; got {times(sizes)}: set {sizes[0]}",
                change(f"Set size {sizes[0]}", output_size=sizes[0]),
            )
        return sizes

    def rule(p: Values, x: Inputs) -> Result:
        grid = _grid(name, x.one())
        _fixed_length(name, x.one())
        sizes: tuple[Size, ...] = target(p, len(grid.sizes))
        return Result({"output": grid.to(grid.channels, sizes)})

    def emit(e: Emitter, p: Values, x: Proxies, shapes: Inputs, out: Result) -> Mapping[str, Any]:
        shape = shapes.one()
        dims = DIMS[shape.kind]
        module = e.module(f"nn.{torch_name}{dims}d", compact(target(p, dims)))
        return {"output": channels_first(module(channels_first(x.one(), shape)), shape)}

    return Layer(
        id=f"adaptive-{title}-pool",
        name=name,
        family="pooling",
        summary=f"{what} of windows chosen so that the output always has the size you ask for, "
        "whatever comes in.",
        rule=rule,
        emit=emit,
        parameters=(
            Parameter(
                "output_size",
                "Output size",
                "ints",
                1,
                "The size that leaves: one number, or H×W for an image.",
                minimum=1,
                maximum=4096,
            ),
        ),
        caption=lambda p: f"to {times(each(p['output_size'], 2))}",
        per_frame=True,
        streaming="none",
        keywords=f"pooling {title} adaptive resize",
    )


def _global_rule(name: str) -> Any:
    def rule(p: Values, x: Inputs) -> Result:
        return Result({"output": vector(_grid(name, x.one()).channels)})

    return rule


def mean_over_steps(e: Emitter, x: Any, lengths: Any, shape: Shape) -> Any:
    """The mean of the valid steps of (batch, T, …)."""
    if lengths is None:
        return x.mean(dim=1)
    total = without_padding(e, x, lengths, shape).sum(dim=1)
    for _ in shape.sizes[1:]:
        lengths = lengths.unsqueeze(-1)
    return total / lengths


def max_over_steps(e: Emitter, x: Any, lengths: Any, shape: Shape) -> Any:
    """The maximum of the valid steps of (batch, T, …)."""
    if lengths is None:
        return x.amax(dim=1)
    return without_padding(e, x, lengths, shape, float("-inf")).amax(dim=1)


def _global_average(
    e: Emitter, p: Values, x: Proxies, shapes: Inputs, out: Result
) -> Mapping[str, Any]:
    shape, value = shapes.one(), x.one()
    if shape.kind is Kind.SEQUENCE:
        return {"output": mean_over_steps(e, value, x.lengths.get("input"), shape)}
    return {"output": value.mean(dim=tuple(range(2, len(shape.sizes) + 1)))}


def _global_max(
    e: Emitter, p: Values, x: Proxies, shapes: Inputs, out: Result
) -> Mapping[str, Any]:
    shape, value = shapes.one(), x.one()
    if shape.kind is Kind.SEQUENCE:
        return {"output": max_over_steps(e, value, x.lengths.get("input"), shape)}
    return {"output": value.amax(dim=tuple(range(2, len(shape.sizes) + 1)))}


LAYERS = (
    *(_pool(dims, "MaxPool", "max", "The largest value") for dims in (1, 2, 3)),
    *(_pool(dims, "AvgPool", "avg", "The mean") for dims in (1, 2, 3)),
    _adaptive("AdaptiveAvgPool", "avg", "average pooling", "The mean"),
    _adaptive("AdaptiveMaxPool", "max", "max pooling", "The largest value"),
    Layer(
        id="global-avg-pool",
        name="Global average pooling",
        family="pooling",
        summary="The mean of every channel over the whole image or sequence: one vector, whatever "
        "the size. The usual step before the last Linear layer.",
        rule=_global_rule("Global average pooling"),
        emit=_global_average,
        per_frame=True,
        streaming="none",
        keywords="gap mean squeeze head",
    ),
    Layer(
        id="global-max-pool",
        name="Global max pooling",
        family="pooling",
        summary="The largest value of every channel over the whole image or sequence: one vector "
        "that tells what was found anywhere.",
        rule=_global_rule("Global max pooling"),
        emit=_global_max,
        per_frame=True,
        streaming="none",
        keywords="maximum head",
    ),
)
