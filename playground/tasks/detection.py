"""Where objects are in a picture, and of which class they are.

A detector of one stage without anchors, after ``Objects as Points`` (Zhou et al. 2019): the network
ends in maps, coarser than the picture, that say for every cell how sure it is that an object of a
class has its centre there, how large the object is, and where in the cell its centre lies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from models.axes import Kind, Shape, image
from models.parameters import Parameter, checked
from playground.answers import Boxes, Detection
from playground.data.dataset import Column, Dataset
from playground.tasks.task import Baseline, Better, Loss, Metric, Options

if TYPE_CHECKING:
    from torch import Tensor

Array = npt.NDArray[Any]
Found = tuple[Array, Array, Array]
"""Boxes (n, 4) as corners in shares of the picture, scores (n,) and classes (n,)."""

EXTRA = 4
"""Maps beside those of the classes: width and height in cells, and the centre's place in its cell
(x, y)."""
STRIDE = 4
"""Pixels of the picture to a cell, where the network does not say otherwise."""
COARSEST = 32
MOST = 100
"""Boxes of a picture, at most, as in COCO's evaluation."""
LEAST = 0.05
"""The least score of boxes that are judged."""
SURE = 0.3
"""The least score of boxes in an answer."""
OVERLAP = 0.5
"""Of boxes of a class with a larger IoU, the surest alone is kept."""
RIGHT = 0.5
"""The least IoU of a right box with the true one."""


class ObjectDetection:
    """Focal loss of the objects' centres, and absolute errors of their sizes and places."""

    id: ClassVar[str] = "detection"
    name: ClassVar[str] = "Detection"
    summary: ClassVar[str] = "Finds objects in a picture, each with a box around it."
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter(
            "size_weight",
            "Weight of sizes",
            "float",
            0.1,
            "What the error of a box's width and height, in cells, counts beside that of the "
            "centres: more makes boxes tighter.",
            minimum=0.0,
            maximum=10.0,
        ),
    )
    main_metric: ClassVar[str] = "map50"
    better: ClassVar[Better] = "higher"

    @property
    def target_dtype(self) -> type[np.generic]:
        return np.float32

    def loss(self, options: Options) -> Loss:
        from playground.tasks.boxes import centre_loss

        sizes = checked(self.parameters, options)["size_weight"]

        def loss(output: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
            return centre_loss(output, target, sizes)

        return loss

    def metrics(self, options: Options, column: Column | None = None) -> dict[str, Metric]:
        from playground.tasks.boxes import MeanAveragePrecision

        return {"map50": MeanAveragePrecision(len(column.box_classes) if column else None)}

    def head(self, dataset: Dataset) -> int:
        classes = len(dataset.target.box_classes)
        return classes + EXTRA if classes else 0

    def output(self, dataset: Dataset, given: Shape | None = None) -> Shape | None:
        """Maps as coarse as those that are ``given``, where these divide the picture evenly;
        otherwise a quarter of its size."""
        source = next(iter(dataset.inputs.values())).shape
        if not dataset.target.box_classes or source.kind is not Kind.IMAGE:
            return None
        size = source.number("H"), source.number("W")
        cells = -(-size[0] // STRIDE), -(-size[1] // STRIDE)
        if given is not None and given.kind is Kind.IMAGE:
            has = given.number("H"), given.number("W")
            stride = size[0] // has[0]
            if stride <= COARSEST and size == (stride * has[0], stride * has[1]):
                cells = has
        return image(self.head(dataset), *cells)

    def predicted(self, outputs: Array, column: Column) -> tuple[Array, Array]:
        """Boxes (N, MOST, 6): corners in shares of the picture, class and score; zeros are none."""
        result = np.zeros((len(outputs), MOST, 6), np.float32)
        for row, output in zip(result, outputs, strict=True):
            boxes, scores, labels = found(output, LEAST, OVERLAP)
            row[: len(boxes)] = np.concatenate([boxes, labels[:, None], scores[:, None]], 1)
        return result, np.empty(0)

    def answer(self, output_row: Array, column: Column) -> Boxes:
        height, width = column.frame
        boxes, scores, labels = found(output_row, SURE, OVERLAP)
        return in_words(boxes * [width, height, width, height], scores, labels, column)

    def baseline(self, dataset: Dataset, split: str) -> Baseline | None:
        """None: no guess finds anything to speak of."""
        return None


def found(output: Array, least: float, overlap: float, most: int = MOST) -> Found:
    """What the maps (K + 4, h, w) of a picture say, the surest first: of the ``most`` surest boxes
    those with a score of ``least`` or more, and of those of a class that overlap by an IoU above
    ``overlap`` the surest."""
    import torch

    from playground.detection.geometry import suppressed
    from playground.tasks.boxes import decoded

    boxes, scores, labels = (
        each[0].numpy() for each in decoded(torch.from_numpy(output[None]), most)
    )
    sure = scores >= least
    boxes, scores, labels = boxes[sure], scores[sure], labels[sure]
    kept = suppressed(boxes, scores, overlap, labels)
    return boxes[kept], scores[kept], labels[kept]


def in_words(boxes: Array, scores: Array, labels: Array, column: Column) -> Boxes:
    """Boxes in pixels as an answer."""
    from playground.detection.geometry import corners

    found = zip(boxes, labels.tolist(), scores.tolist(), strict=True)
    return Boxes(
        tuple(
            Detection(corners(box), column.box_classes[label], score) for box, label, score in found
        ),
        column.frame,
    )
