"""Which class every pixel of a picture belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from models.axes import Shape
from models.parameters import Parameter, checked
from playground.answers import Mask
from playground.data.dataset import Column, Dataset
from playground.tasks.task import Baseline, Better, Loss, Metric, Options

if TYPE_CHECKING:
    from torch import Tensor

Array = npt.NDArray[Any]

IGNORED = 255
"""The value of a mask's pixels that belong to no class: they count neither way."""

_GUESSED_ON = 1 << 21
"""Pixels up to which a baseline is worked out: it must not be waited for."""


class Segmentation:
    """Cross entropy at every pixel that has a class, a channel a class (Long et al. 2015)."""

    id: ClassVar[str] = "segmentation"
    name: ClassVar[str] = "Segmentation"
    summary: ClassVar[str] = "Tells which class every pixel of a picture belongs to."
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter(
            "dice",
            "Overlap",
            "float",
            0.0,
            "Weight of the Dice loss, which counts the overlap of areas, beside cross entropy: for "
            "things that are small (Milletari et al. 2016).",
            minimum=0.0,
            maximum=10.0,
        ),
    )
    main_metric: ClassVar[str] = "mean_iou"
    better: ClassVar[Better] = "higher"

    @property
    def target_dtype(self) -> type[np.generic]:
        return np.int64

    def loss(self, options: Options) -> Loss:
        from torch.nn.functional import cross_entropy

        overlap = checked(self.parameters, options)["dice"]

        def loss(output: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
            classes = target[:, 0]
            total = cross_entropy(output, classes, weight, ignore_index=IGNORED, reduction="sum")
            # a batch without a known pixel teaches nothing, instead of dividing by none
            value = total / (classes != IGNORED).sum().clamp(min=1)
            return value + overlap * dice(output, classes) if overlap else value

        return loss

    def metrics(self, options: Options, column: Column | None = None) -> dict[str, Metric]:
        from playground.tasks.pictures import MeanIoU, PixelAccuracy

        classes = len(column.pixel_classes) if column is not None else None
        return {"mean_iou": MeanIoU(classes), "accuracy": PixelAccuracy(classes)}

    def head(self, dataset: Dataset) -> int:
        return len(dataset.target.pixel_classes)

    def output(self, dataset: Dataset, given: Shape | None = None) -> Shape | None:
        target = dataset.target
        return target.shape.resized(C=self.head(dataset)) if target.pixel_classes else None

    def predicted(self, outputs: Array, column: Column) -> tuple[Array, Array]:
        return outputs.argmax(axis=1)[:, None].astype(np.uint8), np.empty(0)

    def answer(self, output_row: Array, column: Column) -> Mask:
        return Mask(output_row.argmax(axis=0).astype(np.uint8), column.pixel_classes)

    def baseline(self, dataset: Dataset, split: str) -> Baseline | None:
        """What the commonest class everywhere reaches; None where masks are in files, or many."""
        target, indices = dataset.target, dataset.splits[split]
        if target.lazy or not len(indices) or target.elements * len(target.values) > _GUESSED_ON:
            return None
        counts, train = (
            np.bincount(target.take(dataset.splits[key]).reshape(-1), minlength=256)[:IGNORED]
            for key in (split, "train")
        )
        commonest = int(train.argmax())
        share = float(counts[commonest] / max(1, counts.sum()))
        occurring = np.count_nonzero(counts) + int(counts[commonest] == 0)
        figures: Mapping[str, float] = {"accuracy": share, "mean_iou": share / float(occurring)}
        return Baseline(f"“{target.pixel_classes[commonest]}” everywhere", figures)


def dice(output: Tensor, classes: Tensor) -> Tensor:
    """1 - 2·|A∩B| / (|A| + |B|) of probabilities (N, K, H, W) and classes (N, H, W), the mean over
    the classes."""
    from torch.nn.functional import one_hot

    known = (classes != IGNORED)[:, None]
    true = one_hot(classes.where(known[:, 0], 0), output.shape[1]).movedim(-1, 1) * known
    said = output.softmax(dim=1) * known
    axes = (0, 2, 3)
    overlap, sizes = (said * true).sum(axes), (said + true).sum(axes)
    return 1 - ((2 * overlap + 1) / (sizes + 1)).mean()
