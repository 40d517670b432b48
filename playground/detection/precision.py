"""Average precision of found boxes, class by class."""

from __future__ import annotations

import numpy as np

from playground.detection.geometry import Array, iou

RIGHT = 0.5


def average_precisions(
    true: Array, predicted: Array, classes: int, overlap: float = RIGHT
) -> Array:
    """The average precision of each class (K,); NaN where no box of it is true.

    ``true``: boxes (N, T, 5) of corners and class, zeros are none; ``predicted``: (N, M, 6) with a
    score. The surest boxes choose first; each takes the true box of its class, of those that are
    left in its picture, that it overlaps most, and is right if that is by an IoU of ``overlap`` or
    more. The area under the curve of precision over recall, precision being the best at that recall
    or a higher one (Everingham et al. 2010).
    """
    return np.asarray([_of_class(true, predicted, number, overlap) for number in range(classes)])


def matched(true: Array, predicted: Array, overlap: float = RIGHT) -> Array:
    """For each found box (M, 6) of one picture, the surest first, the number of the true box (T, 5)
    that it takes, or -1: (M,)."""
    common = iou(predicted[:, :4], true[:, :4])
    common[predicted[:, 4, None] != true[None, :, 4]] = 0
    result = np.full(len(predicted), -1)
    for number in np.argsort(-predicted[:, 5], kind="stable").tolist() if len(true) else ():
        best = int(common[number].argmax())
        if common[number, best] >= overlap:
            result[number] = best
            common[:, best] = 0
    return result


def present(boxes: Array) -> Array:
    """The rows that are boxes at all."""
    return np.asarray(boxes[(boxes[:, 2:4] > boxes[:, :2]).all(axis=1)])


def _of_class(true: Array, predicted: Array, number: int, overlap: float) -> float:
    scores, right, count = [], [], 0
    for wanted, found in zip(true, predicted, strict=True):
        wanted, found = present(wanted), present(found)
        wanted, found = wanted[wanted[:, 4] == number], found[found[:, 4] == number]
        count += len(wanted)
        scores.append(found[:, 5])
        right.append(matched(wanted, found, overlap) >= 0)
    if not count:
        return float("nan")
    order = np.argsort(-np.concatenate(scores), kind="stable")
    hits = np.concatenate(right)[order].cumsum()
    precision = hits / np.arange(1, len(hits) + 1)
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    return float((precision * np.diff(hits, prepend=0)).sum() / count)
