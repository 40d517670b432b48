"""Shapes with named axes, written without the batch axis as in the literature."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import prod
from typing import Any

Size = int | str
"""A number of elements, or the symbol of a length that varies from sample to sample."""


class Kind(StrEnum):
    """What a value is, which fixes the names and the order of its axes."""

    VECTOR = "vector"
    IMAGE = "image"
    SEQUENCE = "sequence"
    VIDEO = "video"
    VOLUME = "volume"
    TOKENS = "tokens"


AXES: dict[Kind, tuple[str, ...]] = {
    Kind.VECTOR: ("F",),
    Kind.IMAGE: ("C", "H", "W"),
    Kind.SEQUENCE: ("T", "F"),
    Kind.VIDEO: ("T", "C", "H", "W"),
    Kind.VOLUME: ("C", "D", "H", "W"),
    Kind.TOKENS: ("T",),
}

LARGEST_SIZE = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Shape:
    """The axes of one sample's value: ``Shape(Kind.IMAGE, (3, 224, 224))`` is C×H×W.

    Only the axis T may be a symbol (a string): its length differs from sample to sample.
    """

    kind: Kind
    sizes: tuple[Size, ...]

    def __post_init__(self) -> None:
        axes = AXES[self.kind]
        if len(self.sizes) != len(axes):
            raise ValueError(
                f"{self.kind} has the axes {'×'.join(axes)}; got {len(self.sizes)} sizes"
            )
        for axis, size in zip(axes, self.sizes, strict=True):
            if isinstance(size, str):
                if axis != "T" or not size.isidentifier():
                    raise ValueError(f"the axis {axis} needs a number; got {size!r}")
            elif isinstance(size, bool) or not 1 <= size <= LARGEST_SIZE:
                raise ValueError(f"the axis {axis} needs a positive number; got {size!r}")

    @property
    def axes(self) -> tuple[str, ...]:
        return AXES[self.kind]

    def __getitem__(self, axis: str) -> Size:
        return self.sizes[self.axes.index(axis)]

    def number(self, axis: str) -> int:
        """The size of ``axis``; raises ``ValueError`` where it is a symbol."""
        size = self[axis]
        if isinstance(size, str):
            raise ValueError(f"the axis {axis} varies in length")
        return size

    def resized(self, **sizes: Size) -> Shape:
        """The same kind with some axes changed: ``shape.resized(C=16)``."""
        changed = list(self.sizes)
        for axis, size in sizes.items():
            changed[self.axes.index(axis)] = size
        return Shape(self.kind, tuple(changed))

    @property
    def elements(self) -> int:
        """How many numbers one sample has; an axis of varying length counts as one step."""
        return prod(size if isinstance(size, int) else 1 for size in self.sizes)

    @property
    def varies(self) -> bool:
        return any(isinstance(size, str) for size in self.sizes)

    def __str__(self) -> str:
        if self.kind in (Kind.SEQUENCE, Kind.TOKENS):
            pairs = zip(self.axes, self.sizes, strict=True)
            return " × ".join(
                axis if isinstance(size, str) else f"{axis} {size}" for axis, size in pairs
            )
        return "×".join(str(size) for size in self.sizes)

    def described(self) -> str:
        """For sentences: ``image 32×7×7``."""
        return f"{self.kind} {self}"

    def to_json(self) -> dict[str, Any]:
        return {"kind": str(self.kind), "sizes": list(self.sizes)}

    @classmethod
    def from_json(cls, data: Any) -> Shape:
        """Read ``{"kind", "sizes"}``; raises ``ValueError`` on anything else."""
        if not isinstance(data, Mapping) or not isinstance(data.get("sizes"), (list, tuple)):
            raise ValueError('a shape is written {"kind": …, "sizes": […]}')
        try:
            kind = Kind(str(data.get("kind")))
        except ValueError:
            raise ValueError(
                f"{data.get('kind')!r} is not a kind of value; known: {', '.join(Kind)}"
            ) from None
        if not all(isinstance(size, (int, str)) for size in data["sizes"]):
            raise ValueError("the sizes of a shape are whole numbers")
        return cls(kind, tuple(data["sizes"]))


def vector(features: int) -> Shape:
    return Shape(Kind.VECTOR, (features,))


def image(channels: int, height: int, width: int) -> Shape:
    return Shape(Kind.IMAGE, (channels, height, width))


def sequence(steps: Size, features: int) -> Shape:
    return Shape(Kind.SEQUENCE, (steps, features))


def video(steps: Size, channels: int, height: int, width: int) -> Shape:
    return Shape(Kind.VIDEO, (steps, channels, height, width))


def volume(channels: int, depth: int, height: int, width: int) -> Shape:
    return Shape(Kind.VOLUME, (channels, depth, height, width))


def tokens(steps: Size) -> Shape:
    return Shape(Kind.TOKENS, (steps,))
