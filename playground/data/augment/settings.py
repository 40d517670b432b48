"""Which augmentations are applied, as the project file keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from models.parameters import ParameterError


@dataclass(frozen=True, slots=True)
class Applied:
    """An augmentation by its id, with its options. They are checked when training begins."""

    id: str
    options: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {"id": self.id, "options": dict(self.options)}

    @classmethod
    def from_json(cls, data: Any) -> Applied:
        """Raises ``ParameterError``."""
        options = data.get("options", {}) if isinstance(data, Mapping) else None
        if options is None or not isinstance(data.get("id"), str):
            raise ParameterError("an augmentation is an object with an id")
        if not isinstance(options, Mapping):
            raise ParameterError("the options of an augmentation are an object")
        return cls(data["id"], dict(options))
