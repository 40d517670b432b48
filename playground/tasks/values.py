"""Numbers as answers: regression, and forecasts of how a series goes on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from models.axes import Shape
from models.parameters import Parameter, checked
from playground.answers import Answer, Series, Value
from playground.data.dataset import Column, Dataset
from playground.preprocessing import NOTHING
from playground.tasks.task import Baseline, Better, Loss, Metric, Options

if TYPE_CHECKING:
    from torch import Tensor

Array = npt.NDArray[Any]

_LOSSES = (
    ("mse", "Squared error"),
    ("mae", "Absolute error"),
    ("huber", "Huber"),
)


def _parameters(default: str) -> tuple[Parameter, ...]:
    return (
        Parameter(
            "loss",
            "Loss",
            "choice",
            default,
            "Squared error weighs large errors most, absolute error all alike; Huber is squared "
            "near zero and absolute beyond (Huber 1964).",
            choices=_LOSSES,
        ),
        Parameter(
            "huber_delta",
            "Huber from",
            "float",
            1.0,
            "The scaled error from which on Huber's loss is absolute.",
            minimum=1e-3,
            maximum=1e3,
            visible=lambda values: values.get("loss") == "huber",
        ),
    )


class Regression:
    """One number a sample."""

    id: ClassVar[str] = "regression"
    name: ClassVar[str] = "Regression"
    summary: ClassVar[str] = "Predicts a number."
    parameters: ClassVar[tuple[Parameter, ...]] = _parameters("mse")
    main_metric: ClassVar[str] = "mae"
    better: ClassVar[Better] = "lower"

    @property
    def target_dtype(self) -> type[np.generic]:
        return np.float32

    def loss(self, options: Options) -> Loss:
        from torch.nn import functional

        values = checked(self.parameters, options)

        def loss(output: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
            output = output.reshape(target.shape)
            match values["loss"]:
                case "mae":
                    return functional.l1_loss(output, target)
                case "huber":
                    return functional.huber_loss(output, target, delta=values["huber_delta"])
            return functional.mse_loss(output, target)

        return loss

    def metrics(self, options: Options, column: Column | None = None) -> dict[str, Metric]:
        from playground.tasks.metrics import R2, Error

        own_unit, unit = _own_unit(column)
        return {
            "mae": Error("mae", own_unit, unit),
            "rmse": Error("rmse", own_unit, unit),
            "r2": R2(own_unit),
        }

    def head(self, dataset: Dataset) -> int:
        return 0 if dataset.target.box_classes else dataset.target.shape.elements

    def output(self, dataset: Dataset, given: Shape | None = None) -> Shape | None:
        return None

    def predicted(self, outputs: Array, column: Column) -> tuple[Array, Array]:
        values = outputs.reshape(len(outputs), *column.shape.sizes)
        return column.preprocessing.inverse(values), np.empty(0)

    def answer(self, output_row: Array, column: Column) -> Answer:
        values = column.preprocessing.inverse(output_row[None])[0].reshape(-1)
        if len(values) == 1:
            return Value(float(values[0]), column.unit)
        return Series(tuple(values.tolist()), column.unit)

    def baseline(self, dataset: Dataset, split: str) -> Baseline | None:
        true = dataset.target.take(dataset.splits[split]).astype(np.float64)
        if not len(true):
            return None
        mean = dataset.target.take(dataset.splits["train"]).astype(np.float64).mean(axis=0)
        return Baseline("the training mean", errors(true, np.broadcast_to(mean, true.shape)))


class Forecast(Regression):
    """The next steps of a series, all at once."""

    id: ClassVar[str] = "forecast"
    name: ClassVar[str] = "Forecast"
    summary: ClassVar[str] = "Predicts how a series goes on."

    def metrics(self, options: Options, column: Column | None = None) -> dict[str, Metric]:
        from playground.tasks.metrics import Error

        own_unit, unit = _own_unit(column)
        return {
            "mae": Error("mae", own_unit, unit),
            "rmse": Error("rmse", own_unit, unit),
            "mape": Error("mape", own_unit, unit),
        }

    def answer(self, output_row: Array, column: Column) -> Series:
        values = column.preprocessing.inverse(output_row[None])[0].reshape(-1)
        return Series(tuple(values.tolist()), column.unit)

    def baseline(self, dataset: Dataset, split: str) -> Baseline | None:
        """The seasonal-naive forecast; without a season, the last value."""
        indices = dataset.splits[split]
        true = dataset.target.take(indices).astype(np.float64)
        if not len(true):
            return None
        past = next(iter(dataset.inputs.values())).take(indices)[:, :, 0].astype(np.float64)
        season = dataset.target.season
        seasonal = 1 < season <= past.shape[1]
        name = f"seasonal naive ({season} steps)" if seasonal else "the last value"
        return Baseline(name, errors(true, seasonal_naive(past, season, true.shape[1])))


def seasonal_naive(past: Array, season: int, horizon: int) -> Array:
    """The last known value of the same season for each step ahead (Hyndman & Athanasopoulos, 5.2);
    the last value where the windows (N, T) are shorter than a season."""
    season = season if 1 <= season <= past.shape[1] else 1
    return past[:, past.shape[1] - season + np.arange(horizon) % season]


def errors(true: Array, predicted: Array) -> Mapping[str, float]:
    """The error metrics of values in their own unit."""
    difference = np.abs(true - predicted)
    figures = {
        "mae": float(difference.mean()),
        "rmse": float(np.sqrt(np.square(difference).mean())),
    }
    if (true != 0).any():
        figures["mape"] = float((difference[true != 0] / np.abs(true[true != 0])).mean())
    return figures


def _own_unit(column: Column | None) -> tuple[Any, str]:
    """The module that undoes the target's preprocessing, and its unit."""
    preprocessing = NOTHING if column is None else column.preprocessing
    return preprocessing.module(inverse=True), "" if column is None else column.unit
