"""Boxes as the target of pictures: the column that detection learns from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from models.axes import sequence
from playground.data.dataset import Column

Floats = npt.NDArray[np.float32]

MOST = 100
"""Boxes of a picture that are kept, as in COCO's evaluation (Lin et al. 2014)."""


def boxes_column(
    boxes: Sequence[Floats], classes: tuple[str, ...], frame: tuple[int, int]
) -> Column:
    """A column from each picture's boxes (n, 5): corners in shares of the picture, and the class
    index. Of more than ``MOST``, the largest stay."""
    kept = [_largest(each) for each in boxes]
    counts = np.asarray([len(each) for each in kept], np.int64)
    values = np.zeros((len(kept), max(1, int(counts.max(initial=1))), 5), np.float32)
    for row, each in zip(values, kept, strict=True):
        row[: len(each)] = each
    return Column(
        "boxes", sequence("T", 5), values, lengths=counts, box_classes=classes, frame=frame
    )


def _largest(boxes: Floats) -> Floats:
    if len(boxes) <= MOST:
        return boxes
    sizes = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    return boxes[np.sort(np.argsort(-sizes, kind="stable")[:MOST])]
