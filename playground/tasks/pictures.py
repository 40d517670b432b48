"""Metrics of masks and pictures, added up on the device."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from playground.tasks.metrics import Better, Confusion, widest
from playground.tasks.segmentation import IGNORED


class PixelConfusion(Confusion):
    """Counts of (true, predicted) classes over the pixels that have a class."""

    def update(self, output: Tensor, target: Tensor) -> None:
        """``output``: logits (N, K, H, W); ``target``: classes (N, 1, H, W)."""
        classes = self._classes or output.shape[1]
        if self.counts is None:
            self.counts = torch.zeros(classes * classes, dtype=widest(output), device=output.device)
        true, said = target[:, 0].reshape(-1), output.argmax(dim=1).reshape(-1)
        # what is ignored falls into a place of its own, so that nothing has to be selected
        places = torch.where(true == IGNORED, classes * classes, true * classes + said)
        counts = torch.bincount(places, minlength=classes * classes + 1)[:-1]
        self.counts = self.counts + counts.to(self.counts.dtype)


class PixelAccuracy(PixelConfusion):
    """The share of pixels whose likeliest class is right."""

    better: Better = "higher"
    unit = ""

    def compute(self) -> float:
        matrix = self.matrix()
        if matrix is None or not float(matrix.sum()):
            return math.nan
        return float(matrix.trace() / matrix.sum())


class MeanIoU(PixelConfusion):
    """The mean over the classes that occur of intersection over union (Everingham et al. 2010)."""

    better: Better = "higher"
    unit = ""

    def compute(self) -> float:
        matrix = self.matrix()
        if matrix is None:
            return math.nan
        right = matrix.diagonal()
        union = matrix.sum(dim=1) + matrix.sum(dim=0) - right
        occurs = union > 0
        return float((right[occurs] / union[occurs]).mean()) if bool(occurs.any()) else math.nan


class PeakSignalToNoise:
    """10·log10(range² / mean squared error) in decibels, the mean over the pictures. The error of
    an equal picture counts as 1e-10 of the range squared, which is 100 dB."""

    better: Better = "higher"
    unit = "dB"

    def __init__(self, own_unit: nn.Module, span: float) -> None:
        self._own_unit, self._span = own_unit, span
        self._total: Tensor | None = None
        self._count: Tensor | None = None

    def update(self, output: Tensor, target: Tensor) -> None:
        """``output`` and ``target``: (N, C, H, W), as the target's preprocessing gives them."""
        self._own_unit.to(output.device)
        said = self._own_unit(output.detach()).clamp(0, self._span)
        error = (said - self._own_unit(target)).to(widest(output)) / self._span
        squares = error.square().flatten(1).mean(dim=1).clamp(min=1e-10)
        total, count = (-10 * squares.log10()).sum(), torch.ones_like(squares).sum()
        self._total = total if self._total is None else self._total + total
        self._count = count if self._count is None else self._count + count

    def compute(self) -> float:
        if self._total is None or self._count is None:
            return math.nan
        return float(self._total / self._count)

    def reset(self) -> None:
        self._total = self._count = None
