"""What a network answers, in words that do not depend on the network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Classes:
    """Every class with its probability, the likeliest first."""

    answers: tuple[tuple[str, float], ...]
    kind: ClassVar[str] = "classes"

    def to_json(self) -> dict[str, Any]:
        answers = [{"label": label, "probability": value} for label, value in self.answers]
        return {"kind": self.kind, "answers": answers}

    def __str__(self) -> str:
        return ", ".join(f"{label} {value:.1%}" for label, value in self.answers[:3])


@dataclass(frozen=True, slots=True)
class Value:
    """A number in its own unit."""

    value: float
    unit: str = ""
    kind: ClassVar[str] = "value"

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "value": self.value, "unit": self.unit}

    def __str__(self) -> str:
        return f"{self.value:.6g} {self.unit}".rstrip()


@dataclass(frozen=True, slots=True)
class Series:
    """How a series goes on, step by step."""

    values: tuple[float, ...]
    unit: str = ""
    kind: ClassVar[str] = "series"

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "values": list(self.values), "unit": self.unit}

    def __str__(self) -> str:
        return f"{', '.join(f'{value:.6g}' for value in self.values)} {self.unit}".rstrip()


@dataclass(frozen=True, slots=True, eq=False)
class Mask:
    """The class of every pixel: indices (H, W) into ``classes``."""

    pixels: npt.NDArray[np.uint8]
    classes: tuple[str, ...]
    kind: ClassVar[str] = "mask"

    def shares(self) -> tuple[tuple[str, float], ...]:
        """What part of the picture each class takes, the largest first."""
        counts = np.bincount(self.pixels.reshape(-1), minlength=len(self.classes))
        parts = zip(self.classes, (counts / max(1, self.pixels.size)).tolist(), strict=False)
        return tuple(sorted(parts, key=lambda part: -part[1]))

    def to_json(self) -> dict[str, Any]:
        shares = [{"label": label, "share": share} for label, share in self.shares()]
        return {"kind": self.kind, "size": list(self.pixels.shape), "shares": shares}

    def __str__(self) -> str:
        named = [f"{label} {share:.1%}" for label, share in self.shares()[:3] if share > 0]
        return f"{self.pixels.shape[0]}×{self.pixels.shape[1]}: {', '.join(named)}"


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A picture in its own unit, mostly 0…255: values (C, H, W)."""

    values: npt.NDArray[np.float32]
    kind: ClassVar[str] = "picture"

    def to_json(self) -> dict[str, Any]:
        low, high = self._range()
        return {"kind": self.kind, "shape": list(self.values.shape), "range": [low, high]}

    def _range(self) -> tuple[float, float]:
        return float(self.values.min()), float(self.values.max())

    def __str__(self) -> str:
        low, high = self._range()
        return f"{'×'.join(map(str, self.values.shape))} picture, {low:.4g} to {high:.4g}"


Answer = Classes | Value | Series | Mask | Picture
