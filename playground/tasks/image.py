"""From a picture to a picture: colouring, sharpening, removing noise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from models.axes import Kind, Shape
from models.parameters import Parameter, checked
from playground.answers import Picture
from playground.data.dataset import Column, Dataset
from playground.tasks.task import Baseline, Better, Loss, Metric, Options

if TYPE_CHECKING:
    from torch import Tensor

Array = npt.NDArray[Any]

RANGE = 255.0
"""From black to white."""

_GUESSED_ON = 1 << 21
"""Pixels up to which a baseline is worked out: it must not be waited for."""


class ImageToImage:
    """Absolute or squared error at every pixel."""

    id: ClassVar[str] = "image"
    name: ClassVar[str] = "Image to image"
    summary: ClassVar[str] = "Makes a picture from a picture."
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter(
            "loss",
            "Loss",
            "choice",
            "l1",
            "The absolute error gives sharper pictures, the squared error a higher PSNR "
            "(Zhao et al. 2017).",
            choices=(("l1", "Absolute error"), ("l2", "Squared error")),
        ),
    )
    main_metric: ClassVar[str] = "psnr"
    better: ClassVar[Better] = "higher"

    @property
    def target_dtype(self) -> type[np.generic]:
        return np.float32

    def loss(self, options: Options) -> Loss:
        from torch.nn.functional import l1_loss, mse_loss

        absolute = checked(self.parameters, options)["loss"] == "l1"

        def loss(output: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
            return l1_loss(output, target) if absolute else mse_loss(output, target)

        return loss

    def metrics(self, options: Options, column: Column | None = None) -> dict[str, Metric]:
        from playground.preprocessing import NOTHING
        from playground.tasks.metrics import Error
        from playground.tasks.pictures import PeakSignalToNoise

        preprocessing = NOTHING if column is None else column.preprocessing
        own_unit = preprocessing.module(inverse=True)
        return {"psnr": PeakSignalToNoise(own_unit, RANGE), "mae": Error("mae", own_unit, "")}

    def head(self, dataset: Dataset) -> int:
        return dataset.target.shape.elements if self.output(dataset) else 0

    def output(self, dataset: Dataset, given: Shape | None = None) -> Shape | None:
        target = dataset.target
        picture = target.shape.kind is Kind.IMAGE and not target.pixel_classes
        return target.shape if picture else None

    def predicted(self, outputs: Array, column: Column) -> tuple[Array, Array]:
        values = column.preprocessing.inverse(outputs)
        return values.round().clip(0, RANGE).astype(np.uint8), np.empty(0)

    def answer(self, output_row: Array, column: Column) -> Picture:
        values = column.preprocessing.inverse(output_row[None])[0]
        return Picture(values.clip(0, RANGE).astype(np.float32))

    def baseline(self, dataset: Dataset, split: str) -> Baseline | None:
        """What the input itself reaches; None where pictures are in files, many, or of another
        shape."""
        target, source = dataset.target, next(iter(dataset.inputs.values()))
        indices = dataset.splits[split]
        many = target.elements * len(indices) > _GUESSED_ON
        if target.lazy or source.lazy or many or target.shape != source.shape or not len(indices):
            return None
        error = target.take(indices).astype(np.float32) - source.take(indices)
        squares = np.square(error).mean(axis=(1, 2, 3)).clip(min=1e-10 * RANGE**2)
        psnr = float((10 * np.log10(RANGE**2 / squares)).mean())
        return Baseline("the input itself", {"psnr": psnr, "mae": float(np.abs(error).mean())})
