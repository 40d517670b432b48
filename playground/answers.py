"""What a network answers, in words that do not depend on the network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar


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


Answer = Classes | Value | Series
