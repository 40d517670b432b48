"""What a network answers, in words that do not depend on the network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, overload

import numpy as np
import numpy.typing as npt

Likely = tuple[str, float]
"""A class with its probability."""


class Ranking(Sequence[Likely]):
    """Classes with their probabilities (C,), the likeliest first. Sorted when somebody asks for
    more than the first: of a thousand classes, thirty times a second, that would cost a live view
    more than all else beside the network."""

    def __init__(self, names: Sequence[str], probabilities: npt.NDArray[np.floating]) -> None:
        self._names, self._probabilities = names, probabilities

    @cached_property
    def _order(self) -> npt.NDArray[np.intp]:
        return np.argsort(-self._probabilities, kind="stable")

    def __len__(self) -> int:
        return len(self._probabilities)

    @overload
    def __getitem__(self, at: int) -> Likely: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[Likely, ...]: ...
    def __getitem__(self, at: int | slice) -> Likely | tuple[Likely, ...]:
        if isinstance(at, slice):
            order = self._order[at]
            values = self._probabilities[order].tolist()
            return tuple(zip(map(self._names.__getitem__, order.tolist()), values, strict=True))
        place = int(self._order[at] if at or not len(self) else self._probabilities.argmax())
        return self._names[place], float(self._probabilities[place])

    def __iter__(self) -> Iterator[Likely]:
        return iter(self[:])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, (Ranking, tuple)) and self[:] == other[:]

    def __hash__(self) -> int:
        return hash(self[:])


@dataclass(frozen=True, slots=True)
class Classes:
    """Every class with its probability, the likeliest first. ``seen`` says how likely (0…1)
    anything like the sample was among the examples, where the network was taught by example."""

    answers: Sequence[Likely]
    seen: float | None = None
    kind: ClassVar[str] = "classes"

    @property
    def new(self) -> bool:
        """Whether nothing like the sample was among the examples."""
        return self.seen is not None and self.seen < 0.5

    def to_json(self) -> dict[str, Any]:
        answers = [{"label": label, "probability": value} for label, value in self.answers]
        known = {} if self.seen is None else {"seen": self.seen}
        return {"kind": self.kind, "answers": answers, **known}

    def __str__(self) -> str:
        return self.words(3)

    def words(self, most: int) -> str:
        """At most so many classes, and whether the sample is like none of the examples."""
        likeliest = ", ".join(f"{label} {value:.1%}" for label, value in self.answers[:most])
        return f"{likeliest}; not seen before ({self.seen:.0%} known)" if self.new else likeliest


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
    """How a series goes on, step by step; ``low`` and ``high`` are the band in which 80 % of such
    forecasts end, where it is known."""

    values: tuple[float, ...]
    unit: str = ""
    low: tuple[float, ...] | None = None
    high: tuple[float, ...] | None = None
    kind: ClassVar[str] = "series"

    def to_json(self) -> dict[str, Any]:
        data: dict[str, Any] = {"kind": self.kind, "values": list(self.values), "unit": self.unit}
        if self.low is not None and self.high is not None:
            data |= {"low": list(self.low), "high": list(self.high)}
        return data

    def __str__(self) -> str:
        steps = [f"{value:.6g}" for value in self.values]
        if self.low is not None and self.high is not None:
            bands = zip(steps, self.low, self.high, strict=True)
            steps = [f"{step} ({low:.4g}–{high:.4g})" for step, low, high in bands]
        return f"{', '.join(steps)} {self.unit}".rstrip()


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


@dataclass(frozen=True, slots=True)
class Detection:
    """One object in a picture: its corners ``x0, y0, x1, y1`` in pixels, from the picture's upper
    left corner. ``landmarks`` are points (x, y); ``track`` is the number that the object keeps from
    frame to frame."""

    box: tuple[float, float, float, float]
    label: str
    score: float
    landmarks: tuple[tuple[float, float], ...] = ()
    track: int | None = None

    def to_json(self) -> dict[str, Any]:
        data: dict[str, Any] = {"label": self.label, "score": round(self.score, 6)}
        data["box"] = [round(value, 2) for value in self.box]
        if self.landmarks:
            data["landmarks"] = [[round(x, 2), round(y, 2)] for x, y in self.landmarks]
        if self.track is not None:
            data["track"] = self.track
        return data

    def __str__(self) -> str:
        x0, y0, x1, y1 = (round(value) for value in self.box)
        return f"{self.label} {self.score:.1%} at {x0}, {y0} ({x1 - x0}×{y1 - y0})"


@dataclass(frozen=True, slots=True)
class Boxes:
    """The objects in a picture of ``size`` (height, width), the surest first."""

    boxes: tuple[Detection, ...]
    size: tuple[int, int]
    kind: ClassVar[str] = "boxes"

    def to_json(self) -> dict[str, Any]:
        boxes = [box.to_json() for box in self.boxes]
        return {"kind": self.kind, "size": list(self.size), "boxes": boxes}

    def __str__(self) -> str:
        return "; ".join(map(str, self.boxes)) or "nothing found"


Answer = Classes | Value | Series | Mask | Picture | Boxes
