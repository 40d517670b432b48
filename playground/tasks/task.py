"""What a task is: a loss, metrics, a head, and how outputs become answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

import numpy as np
import numpy.typing as npt

from models.axes import Shape
from models.parameters import Parameter, ParameterError
from playground.answers import Answer
from playground.data.dataset import Column, Dataset

if TYPE_CHECKING:
    from torch import Tensor

Array = npt.NDArray[Any]
Options = Mapping[str, Any]
Better = Literal["higher", "lower"]

METRIC_NAMES = {
    "mae": "MAE",
    "rmse": "RMSE",
    "mape": "MAPE",
    "f1": "F1",
    "r2": "R²",
    "mean_iou": "mean IoU",
    "psnr": "PSNR",
    "map50": "mAP 50",
}
SHARES = frozenset({"accuracy", "f1", "mape", "mean_iou", "map50"})
"""Metrics that are told as per cent."""


def metric_name(id: str) -> str:
    """A metric as the field writes it: ``MAE``, ``accuracy``."""
    return METRIC_NAMES.get(id, id.replace("_", " "))


class Loss(Protocol):
    """The loss of a batch: a scalar tensor. ``weight`` is one number a class."""

    def __call__(self, output: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor: ...


class Metric(Protocol):
    """A figure over many batches. ``update`` stays on the device; ``compute`` reads it."""

    @property
    def better(self) -> Better: ...
    @property
    def unit(self) -> str: ...
    def update(self, output: Tensor, target: Tensor) -> None: ...
    def compute(self) -> float: ...
    def reset(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Baseline:
    """What a guess without a network reaches: a model should beat it."""

    name: str
    metrics: Mapping[str, float]


class Task(Protocol):
    """A task. Outputs of the network are logits, or values as the target's preprocessing gives
    them; metrics and answers are in the target's own unit."""

    id: ClassVar[str]
    name: ClassVar[str]
    summary: ClassVar[str]
    parameters: ClassVar[tuple[Parameter, ...]]
    main_metric: ClassVar[str]
    better: ClassVar[Better]

    @property
    def target_dtype(self) -> type[np.generic]: ...

    def loss(self, options: Options) -> Loss: ...

    def metrics(self, options: Options, column: Column | None = None) -> dict[str, Metric]:
        """Fresh metrics; ``column`` is the target, for its classes and its unit."""
        ...

    def head(self, dataset: Dataset) -> int:
        """How many units the last layer needs."""
        ...

    def output(self, dataset: Dataset, given: Shape | None = None) -> Shape | None:
        """The shape that the Output must have, where that is a picture; None for a vector of
        ``head`` values. ``given`` is what it has, where the task leaves something open."""
        ...

    def predicted(self, outputs: Array, column: Column) -> tuple[Array, Array]:
        """What a batch of outputs (N, F) says: class indices (N,) and their probability (N,), or
        values in the target's unit (N, F) and nothing; of a mask (N, K, H, W), the class of every
        pixel (N, 1, H, W); of boxes, rows of corners, class and score (N, most, 6)."""
        ...

    def answer(self, output_row: Array, column: Column) -> Answer:
        """The answer to one sample, from its output (F,)."""
        ...

    def baseline(self, dataset: Dataset, split: str) -> Baseline | None:
        """What guessing reaches on a split; None where it has no samples."""
        ...


@dataclass(frozen=True, slots=True)
class TaskSettings:
    """A task by its id, and its options, as the project file keeps them."""

    id: str = "classification"
    options: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {"id": self.id, "options": dict(self.options)}

    @classmethod
    def from_json(cls, data: Any) -> TaskSettings:
        if not isinstance(data, Mapping) or not isinstance(data.get("id"), str):
            raise ParameterError("the task settings are an object with an id")
        options = data.get("options", {})
        if not isinstance(options, Mapping):
            raise ParameterError("the options of the task are an object")
        return cls(data["id"], dict(options))
