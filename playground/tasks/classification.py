"""Which class a sample belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from models.axes import Shape
from models.parameters import Parameter, checked
from playground.answers import Classes, Ranking
from playground.data.dataset import Column, Dataset
from playground.tasks.task import Baseline, Better, Loss, Metric, Options

if TYPE_CHECKING:
    from torch import Tensor

Array = npt.NDArray[Any]


class Classification:
    """Cross entropy over one output a class."""

    id: ClassVar[str] = "classification"
    name: ClassVar[str] = "Classification"
    summary: ClassVar[str] = "Tells which of several classes a sample belongs to."
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter(
            "label_smoothing",
            "Label smoothing",
            "float",
            0.0,
            "Gives this share of the target to the other classes, so that the network does not "
            "become too sure (Szegedy et al. 2016).",
            minimum=0.0,
            maximum=0.9,
        ),
    )
    main_metric: ClassVar[str] = "accuracy"
    better: ClassVar[Better] = "higher"

    @property
    def target_dtype(self) -> type[np.generic]:
        return np.int64

    def loss(self, options: Options) -> Loss:
        from torch.nn.functional import cross_entropy

        smoothing = checked(self.parameters, options)["label_smoothing"]

        def loss(output: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
            return cross_entropy(output, target, weight=weight, label_smoothing=smoothing)

        return loss

    def metrics(self, options: Options, column: Column | None = None) -> dict[str, Metric]:
        from playground.tasks.metrics import Accuracy, MacroF1

        classes = len(column.classes) if column is not None and column.classes else None
        return {"accuracy": Accuracy(classes), "f1": MacroF1(classes)}

    def head(self, dataset: Dataset) -> int:
        return len(dataset.classes)

    def output(self, dataset: Dataset, given: Shape | None = None) -> Shape | None:
        return None

    def predicted(self, outputs: Array, column: Column) -> tuple[Array, Array]:
        probabilities = softmax(outputs)
        best = probabilities.argmax(axis=1)
        return best, probabilities[np.arange(len(best)), best]

    def answer(self, output_row: Array, column: Column) -> Classes:
        probabilities = softmax(output_row[None])[0]
        names = column.classes or tuple(map(str, range(len(probabilities))))
        return Classes(Ranking(names, probabilities[: len(names)]))

    def baseline(self, dataset: Dataset, split: str) -> Baseline | None:
        counts = dataset.counts(split)
        if not counts.sum():
            return None
        commonest = int(dataset.counts("train").argmax())
        name = f"always “{dataset.classes[commonest]}”"
        return Baseline(name, {"accuracy": float(counts[commonest] / counts.sum())})


def softmax(outputs: Array) -> Array:
    """Probabilities (N, C) from logits (N, C)."""
    wide = outputs.astype(np.float64)
    powers = np.exp(wide - wide.max(axis=1, keepdims=True))
    result: Array = powers / powers.sum(axis=1, keepdims=True)
    return result
