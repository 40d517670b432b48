"""Boxes as arrays (N, 4) of corners x0, y0, x1, y1: overlap, and one of several that overlap."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from playground.vision import cv2

Array = npt.NDArray[Any]
Numbers = npt.NDArray[np.float32]
Indices = npt.NDArray[np.int64]


def areas(boxes: Array) -> Numbers:
    """(N,); 0 for a box whose corners are the wrong way round."""
    sides = np.maximum(boxes[:, 2:4] - boxes[:, :2], 0)
    return np.asarray(sides[:, 0] * sides[:, 1], np.float32)


def shared(one: Array, other: Array) -> Numbers:
    """The area that each of ``one`` (N) shares with each of ``other`` (M): (N, M)."""
    start = np.maximum(one[:, None, :2], other[None, :, :2])
    end = np.minimum(one[:, None, 2:4], other[None, :, 2:4])
    sides = np.maximum(end - start, 0)
    return np.asarray(sides[..., 0] * sides[..., 1], np.float32)


def iou(one: Array, other: Array) -> Numbers:
    """Intersection over union (N, M), 0…1; 0 where both boxes are empty."""
    common = shared(one, other)
    union = areas(one)[:, None] + areas(other)[None, :] - common
    ratio = np.divide(common, union, out=np.zeros_like(common), where=union > 0)
    return np.asarray(ratio, np.float32)


def suppressed(
    boxes: Array, scores: Array, overlap: float, classes: Array | None = None
) -> Indices:
    """Non-maximum suppression: the indices of the boxes to keep, the surest first. A box is left
    out where it overlaps a surer one (of its class) by an IoU above ``overlap``; so are scores that
    are not above 0."""
    if not len(boxes):
        return np.zeros(0, np.int64)
    corner_and_size = np.concatenate([boxes[:, :2], boxes[:, 2:4] - boxes[:, :2]], 1)
    # sequences of numbers for OpenCV's type hints, arrays for its speed
    rectangles: Any = np.ascontiguousarray(corner_and_size, np.float64)
    values: Any = np.ascontiguousarray(scores, np.float32)
    if classes is None:
        kept = cv2.dnn.NMSBoxes(rectangles, values, 0.0, overlap)
    else:
        kept = cv2.dnn.NMSBoxesBatched(rectangles, values, classes.tolist(), 0.0, overlap)
    found = np.asarray(kept, np.int64).reshape(-1)
    return found[np.argsort(-values[found], kind="stable")]


def contained(boxes: Array, scores: Array, overlap: float) -> Indices:
    """As ``suppressed``, by the share of the smaller box that lies in the surer one: of two boxes
    inside one another, one is kept."""
    order = np.argsort(-scores, kind="stable")
    size = np.maximum(areas(boxes), 1e-9)
    inside = shared(boxes, boxes) / np.minimum(size[:, None], size[None, :])
    kept: list[int] = []
    for index in order.tolist():
        if not (inside[index, kept] > overlap).any():
            kept.append(index)
    return np.asarray(kept, np.int64)


def square(boxes: Array) -> Numbers:
    """The same centres, with the longer side both ways."""
    middle = (boxes[:, :2] + boxes[:, 2:4]) / 2
    half = (boxes[:, 2:4] - boxes[:, :2]).max(axis=1, initial=0, keepdims=True) / 2
    return np.concatenate([middle - half, middle + half], 1).astype(np.float32)


def clipped(boxes: Array, height: int, width: int) -> Numbers:
    """The parts that lie in a picture of that size."""
    return np.clip(boxes, 0, np.asarray([width, height, width, height])).astype(np.float32)


def corners(box: Array) -> tuple[float, float, float, float]:
    x0, y0, x1, y1 = (float(value) for value in box)
    return x0, y0, x1, y1
