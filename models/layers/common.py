"""What the families share: sentences about wrong shapes, sizes of sliding windows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

from models.axes import Kind, Shape, Size
from models.layers.declaration import Emitter, Fix, ShapeError
from models.parameters import Parameter, Values

MOST_CHANNELS = 65536
GRIDS: dict[int, tuple[Kind, ...]] = {
    1: (Kind.SEQUENCE,),
    2: (Kind.IMAGE,),
    3: (Kind.VOLUME, Kind.VIDEO),
}
"""The kinds that a layer with windows of 1, 2 or 3 dimensions slides over."""


def insert(layer: str, name: str, port: str = "input", /, **params: Any) -> Fix:
    """The remedy "put this layer before the input"."""
    return Fix(f"Insert {name}", "insert", layer, params, port)


def change(label: str, **params: Any) -> Fix:
    """The remedy "set these parameters"; None takes the default again."""
    return Fix(label, "set", params=params)


def refused(name: str, needs: str, shape: Shape, fix: Fix | None = None) -> ShapeError:
    """``Linear needs a vector; got image 32×7×7: insert Flatten``."""
    sentence = f"{name} needs {needs}; got {shape.described()}"
    if fix is not None:
        sentence += f": {fix.label[0].lower()}{fix.label[1:]}"
    return ShapeError(sentence, fix)


def numbers(name: str, shape: Shape, port: str = "input") -> Shape:
    """``shape`` if it holds real numbers; raises ``ShapeError`` on tokens."""
    if shape.kind is Kind.TOKENS:
        raise refused(name, "numbers", shape, embedding(port))
    return shape


def channels_of(shape: Shape) -> int:
    """How many channels an image, a video or a volume has; how many features another value."""
    return shape.number("F" if shape.kind in (Kind.VECTOR, Kind.SEQUENCE) else "C")


def embedding(port: str = "input") -> Fix:
    return insert("embedding", "Embedding", port)


def sequence_fix(shape: Shape) -> Fix | None:
    """What turns ``shape`` into a sequence, where that is plain."""
    match shape.kind:
        case Kind.IMAGE:
            return insert("rows", "Rows")
        case Kind.VIDEO:
            return insert("flatten", "Flatten")
        case Kind.TOKENS:
            return embedding()
        case Kind.VECTOR:
            return insert(
                "reshape",
                "Reshape",
                shape={"kind": "sequence", "sizes": [shape.number("F"), 1]},
            )
    return None


def needs_sequence(name: str, shape: Shape) -> tuple[Size, int]:
    """The length and the features of a sequence; raises ``ShapeError`` on another kind."""
    if shape.kind is not Kind.SEQUENCE:
        raise refused(name, "a sequence", shape, sequence_fix(shape))
    return shape["T"], shape.number("F")


def steps(size: Size) -> int:
    """How many steps to count in costs: one where the length varies."""
    return size if isinstance(size, int) else 1


def nearest_divisor(number: int, wanted: int) -> int:
    """The divisor of ``number`` closest to ``wanted``, the larger of two."""
    low = next(n for n in range(min(wanted, number), 0, -1) if number % n == 0)
    high = next((n for n in range(wanted, min(number, 2 * wanted) + 1) if number % n == 0), low)
    return high if high - wanted <= wanted - low else low


def each(value: Any, dims: int) -> tuple[int, ...]:
    """One number for every dimension: a kernel of 3 is 3×3."""
    return (value,) * dims if isinstance(value, int) else tuple(value)


def compact(values: tuple[int, ...]) -> Any:
    """The shorter way to write it: 3 for (3, 3)."""
    return values[0] if len(set(values)) == 1 else values


def given(defaults: Mapping[str, Any], **values: Any) -> dict[str, Any]:
    """The keyword arguments that differ from torch's defaults."""
    return {key: value for key, value in values.items() if value != defaults[key]}


def times(values: Any) -> str:
    return "×".join(map(str, values))


def ints(
    id: str, label: str, dims: int, default: Any, help: str, minimum: int = 1, **more: Any
) -> Parameter:
    """A number for every dimension of a window."""
    kind: Any = "int" if dims == 1 else "ints"
    return Parameter(
        id, label, kind, default, help, minimum=minimum, maximum=4096, length=dims, **more
    )


def yes_no(id: str, label: str, default: bool, help: str) -> Parameter:
    return Parameter(id, label, "bool", default, help)


@dataclass(frozen=True, slots=True)
class Grid:
    """A value as channels over a grid: T of a sequence, H×W, D×H×W, or T×H×W of a video."""

    shape: Shape
    channels: int
    sizes: tuple[Size, ...]

    @classmethod
    def of(cls, name: str, dims: int, shape: Shape) -> Grid:
        """Raises ``ShapeError`` where ``shape`` has no grid of ``dims`` dimensions."""
        if shape.kind not in GRIDS[dims]:
            raise _no_grid(name, dims, shape)
        channel = "F" if shape.kind is Kind.SEQUENCE else "C"
        sizes = tuple(s for a, s in zip(shape.axes, shape.sizes, strict=True) if a != channel)
        return cls(shape, shape.number(channel), sizes)

    def to(self, channels: int, sizes: tuple[Size, ...]) -> Shape:
        """The same kind with other channels and sizes."""
        kind = self.shape.kind
        if kind in (Kind.SEQUENCE, Kind.VIDEO):
            return Shape(kind, (sizes[0], channels, *sizes[1:]))
        return Shape(kind, (channels, *sizes))

    @property
    def cells(self) -> int:
        return prod(map(steps, self.sizes))


def _no_grid(name: str, dims: int, shape: Shape) -> ShapeError:
    needs = {1: "a sequence", 2: "an image", 3: "a volume or a video"}[dims]
    if shape.kind is Kind.TOKENS:
        return refused(name, needs, shape, embedding())
    if dims == 1:
        return refused(name, needs, shape, sequence_fix(shape))
    if shape.varies:
        return refused(name, needs, shape)
    match dims, shape.kind:
        case 2, Kind.SEQUENCE:
            fix = _reshape("image", 1, *shape.sizes)
        case 2, Kind.VECTOR:
            fix = _reshape("image", shape["F"], 1, 1)
        case 3, Kind.IMAGE:
            fix = _reshape("volume", shape["C"], 1, shape["H"], shape["W"])
        case 3, Kind.SEQUENCE:
            fix = _reshape("volume", 1, 1, *shape.sizes)
        case _:
            return refused(name, needs, shape)
    return refused(name, needs, shape, fix)


def _reshape(kind: str, *sizes: Size) -> Fix:
    text = times(sizes)
    fix = insert("reshape", "Reshape", shape={"kind": kind, "sizes": list(sizes)})
    return Fix(f"Insert Reshape to {text}", "insert", "reshape", fix.params, fix.port)


def channels_first(x: Any, shape: Shape) -> Any:
    """The proxy with channels before the grid, as torch wants it; also the way back."""
    return x.transpose(1, 2) if shape.kind in (Kind.SEQUENCE, Kind.VIDEO) else x


def steps_from(e: Emitter, x: Any) -> Any:
    return e.call("torch.arange", x.size(1), device=x.device)


def padding_mask(e: Emitter, x: Any, lengths: Any) -> Any:
    """True at the padded steps: (batch, T)."""
    return steps_from(e, x) >= lengths.unsqueeze(1)


def without_padding(e: Emitter, x: Any, lengths: Any, shape: Shape, fill: float = 0.0) -> Any:
    """``x`` with ``fill`` in the padded steps."""
    mask = padding_mask(e, x, lengths)
    for _ in shape.sizes[1:]:
        mask = mask.unsqueeze(-1)
    return x.masked_fill(mask, fill)


def window(
    size: Size, kernel: int, stride: int, padding: int, dilation: int, *, ceil: bool = False
) -> Size:
    """How often a window fits; ``padding`` is what is added in all. A varying length stays as it is
    where the window keeps it, else raises ``ShapeError``."""
    reach = dilation * (kernel - 1)
    if isinstance(size, str):
        if stride == 1 and padding == reach:
            return size
        raise ShapeError(
            "this would change the length of sequences that vary in length: keep the length "
            "(stride 1, automatic padding), or give the Input a fixed length"
        )
    room = size + padding - reach - 1
    if room < 0:
        return 0
    count = (room + stride - 1 if ceil else room) // stride + 1
    # As torch does: with ceil, the last window must begin inside the value or its left padding.
    if ceil and (count - 1) * stride >= size + padding // 2:
        count -= 1
    return count


def windows(
    name: str,
    sizes: tuple[Size, ...],
    p: Values,
    padding: tuple[int, ...],
    *,
    dilation: tuple[int, ...] | None = None,
    ceil: bool = False,
) -> tuple[Size, ...]:
    """``window`` in every dimension; raises ``ShapeError`` where the kernel is too large."""
    dims = len(sizes)
    kernel, stride = each(p["kernel_size"], dims), each(p["stride"], dims)
    spread = dilation or (1,) * dims
    out = tuple(
        window(n, k, s, pad, d, ceil=ceil)
        for n, k, s, pad, d in zip(sizes, kernel, stride, padding, spread, strict=True)
    )
    if 0 in out:
        padded = tuple(
            n + pad if isinstance(n, int) else n for n, pad in zip(sizes, padding, strict=True)
        )
        most = tuple(
            k if isinstance(n, str) else min(k, 1 + (n - 1) // d)
            for n, k, d in zip(padded, kernel, spread, strict=True)
        )
        spreads = f" (spread by {times(spread)})" if max(spread) > 1 else ""
        what = "padded input" if any(padding) else "input"
        raise ShapeError(
            f"the kernel {times(kernel)}{spreads} of {name} is larger than the {what} "
            f"{times(padded)}: set a kernel of {times(most)} at most",
            change(f"Set kernel {times(most)}", kernel_size=list(most) if dims > 1 else most[0]),
        )
    return out
