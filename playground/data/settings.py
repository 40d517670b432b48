"""Where a project's data come from and how they are split, as the project file keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from models.parameters import Parameter, ParameterError, checked
from playground.data.augment.settings import Applied

SPLIT_PARAMETERS: tuple[Parameter, ...] = (
    Parameter(
        "validation",
        "Validation",
        "float",
        0.15,
        "Samples that choose the best epoch: below 1 a share of the data, from 1 on a number.",
        minimum=0,
        maximum=1e9,
    ),
    Parameter(
        "test",
        "Test",
        "float",
        0.15,
        "Samples that are kept back for the final figures: below 1 a share, from 1 on a number. "
        "Of a time series: its last steps.",
        minimum=0,
        maximum=1e9,
    ),
    Parameter(
        "method",
        "Method",
        "choice",
        "auto",
        "How samples are divided. Automatic keeps a split that comes with the data, the order in "
        "time, and the share of each class.",
        choices=(
            ("auto", "Automatic"),
            ("stratified", "Equal shares"),
            ("random", "At random"),
            ("group", "By group"),
            ("time", "In time"),
            ("folds", "In folds"),
            ("own", "As the data say"),
        ),
    ),
    Parameter(
        "folds",
        "Folds",
        "int",
        5,
        "Parts that training data are divided into; each is the validation set of one run (k-fold "
        "cross-validation).",
        minimum=2,
        maximum=100,
        visible=lambda values: values.get("method") == "folds",
    ),
    Parameter(
        "fold",
        "Fold",
        "int",
        1,
        "The part that is the validation set.",
        minimum=1,
        maximum=100,
        visible=lambda values: values.get("method") == "folds",
    ),
    Parameter(
        "seed",
        "Seed",
        "int",
        0,
        "Same seed, same split.",
        minimum=0,
        maximum=2**31 - 1,
    ),
)


@dataclass(frozen=True, slots=True)
class SplitSettings:
    """How many samples are kept back; see ``SPLIT_PARAMETERS``."""

    validation: float = 0.15
    test: float = 0.15
    method: str = "auto"
    seed: int = 0
    folds: int = 5
    fold: int = 1

    def values(self) -> dict[str, Any]:
        """Settings by id, as forms want them."""
        return {item.id: getattr(self, item.id) for item in SPLIT_PARAMETERS}

    def replace(self, **values: Any) -> SplitSettings:
        """A copy with some settings changed; raises ``ParameterError``."""
        return SplitSettings(**checked(SPLIT_PARAMETERS, self.values() | values))

    def to_json(self) -> dict[str, Any]:
        """Numbers of samples are written as whole numbers; folds where they are used."""
        return {
            key: int(value) if isinstance(value, float) and value.is_integer() else value
            for key, value in self.values().items()
            if self.method == "folds" or key not in ("folds", "fold")
        }

    @classmethod
    def from_json(cls, data: Any) -> SplitSettings:
        if not isinstance(data, Mapping):
            raise ParameterError("the split settings are an object")
        return cls(**checked(SPLIT_PARAMETERS, data))


@dataclass(frozen=True, slots=True)
class DataSettings:
    """A source by its id, its options, the split, and the augmentation. Options are checked when
    the data open, so that a project with a source or an option that is not known here opens all
    the same."""

    source: str = "digits"
    options: Mapping[str, Any] = field(default_factory=dict)
    split: SplitSettings = SplitSettings()
    augmentation: tuple[Applied, ...] = ()

    def to_json(self) -> dict[str, Any]:
        data: dict[str, Any] = {
            "source": self.source,
            "options": dict(self.options),
            "split": self.split.to_json(),
        }
        if self.augmentation:
            data["augmentation"] = [item.to_json() for item in self.augmentation]
        return data

    @classmethod
    def from_json(cls, data: Any) -> DataSettings:
        if not isinstance(data, Mapping) or not isinstance(data.get("source"), str):
            raise ParameterError("the data settings are an object with a source")
        options = data.get("options", {})
        if not isinstance(options, Mapping):
            raise ParameterError("the options of the data are an object")
        split = SplitSettings.from_json(data.get("split", {}))
        augmentation = data.get("augmentation", [])
        if not isinstance(augmentation, list):
            raise ParameterError("the augmentation of the data is a list")
        applied = tuple(Applied.from_json(item) for item in augmentation)
        return cls(data["source"], dict(options), split, applied)
