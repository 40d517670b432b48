"""Metrics that add up on the device: no batch waits for a number to be read."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn

Better = Literal["higher", "lower"]


def widest(like: Tensor) -> torch.dtype:
    """The widest type for sums that the device has."""
    return torch.float32 if like.device.type == "mps" else torch.float64


class Confusion:
    """Counts of (true, predicted) class pairs; the figures of classification follow from it."""

    def __init__(self, classes: int | None = None) -> None:
        self._classes = classes
        self.counts: Tensor | None = None

    def update(self, output: Tensor, target: Tensor) -> None:
        """``output``: logits (N, C); ``target``: class indices (N,)."""
        classes = self._classes or output.shape[1]
        if self.counts is None:
            self.counts = torch.zeros(classes * classes, dtype=widest(output), device=output.device)
        pairs = target * classes + output.argmax(dim=1).clamp(max=classes - 1)
        self.counts.scatter_add_(0, pairs, torch.ones_like(pairs, dtype=self.counts.dtype))

    def matrix(self) -> Tensor | None:
        """Counts (C, C): row i, column j counts samples of class i answered as j."""
        if self.counts is None:
            return None
        side = math.isqrt(self.counts.numel())
        return self.counts.reshape(side, side)

    def reset(self) -> None:
        self.counts = None


class Accuracy(Confusion):
    """The share of samples whose likeliest class is right."""

    better: Better = "higher"
    unit = ""

    def compute(self) -> float:
        matrix = self.matrix()
        return math.nan if matrix is None else float(matrix.trace() / matrix.sum())


class MacroF1(Confusion):
    """The mean over the classes that occur of 2·TP / (2·TP + FP + FN)."""

    better: Better = "higher"
    unit = ""

    def compute(self) -> float:
        matrix = self.matrix()
        if matrix is None:
            return math.nan
        right, true, said = matrix.diagonal(), matrix.sum(dim=1), matrix.sum(dim=0)
        occurs = (true + said) > 0
        return float((2 * right[occurs] / (true + said)[occurs]).mean())


class Error:
    """A mean over all errors in the target's own unit.

    ``kind``: "mae" (mean absolute), "rmse" (root of the mean square) or "mape" (mean absolute share
    of the true value; true values of 0 are left out).
    """

    better: Better = "lower"

    def __init__(
        self, kind: Literal["mae", "rmse", "mape"], own_unit: nn.Module, unit: str
    ) -> None:
        self._kind = kind
        self._own_unit = own_unit
        self.unit = "" if kind == "mape" else unit
        self._total: Tensor | None = None
        self._count: Tensor | None = None

    def update(self, output: Tensor, target: Tensor) -> None:
        """``output`` and ``target``: (N, F), as the target's preprocessing gives them."""
        output, target = _in_own_unit(self._own_unit, output, target)
        errors = (output - target).abs()
        kept = torch.ones_like(errors)
        if self._kind == "mape":
            kept = (target != 0).to(errors.dtype)
            errors = torch.where(target != 0, errors / target.abs(), 0)
        total = (errors.square() if self._kind == "rmse" else errors).sum()
        count = kept.sum()
        if self._total is None or self._count is None:
            self._total, self._count = total, count
        else:
            self._total, self._count = self._total + total, self._count + count

    def compute(self) -> float:
        if self._total is None or self._count is None:
            return math.nan
        mean = float(self._total / self._count)
        return math.sqrt(mean) if self._kind == "rmse" else mean

    def reset(self) -> None:
        self._total = self._count = None


class R2:
    """The share of the target's variance that the answers explain; 1 is perfect, 0 is the mean."""

    better: Better = "higher"
    unit = ""

    def __init__(self, own_unit: nn.Module) -> None:
        self._own_unit = own_unit
        self._sums: Tensor | None = None

    def update(self, output: Tensor, target: Tensor) -> None:
        output, target = _in_own_unit(self._own_unit, output, target)
        residual = (output - target).square().sum()
        count = torch.ones_like(target).sum()
        sums = torch.stack([residual, target.sum(), target.square().sum(), count])
        self._sums = sums if self._sums is None else self._sums + sums

    def compute(self) -> float:
        if self._sums is None:
            return math.nan
        residual, total, squares, count = self._sums.tolist()
        variation = squares - total * total / count
        return 1 - residual / variation if variation > 0 else math.nan

    def reset(self) -> None:
        self._sums = None


def _in_own_unit(own_unit: nn.Module, output: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    own_unit.to(output.device)
    shaped = output.detach().reshape(target.shape)
    wide = widest(output)
    return own_unit(shaped).to(wide), own_unit(target).to(wide)
