"""Random numbers for augmentation: one for each sample of a batch."""

from __future__ import annotations

import torch
from torch import Generator, Tensor


def uniform(count: int, low: float, high: float, generator: Generator) -> Tensor:
    """(N,) numbers between ``low`` and ``high``, on the CPU."""
    return low + (high - low) * torch.rand(count, generator=generator)


def normal(shape: torch.Size, like: Tensor, generator: Generator) -> Tensor:
    """Standard normal numbers of ``shape`` on the device of ``like``."""
    return torch.randn(shape, generator=generator).to(like)


def chosen(count: int, probability: float, generator: Generator) -> Tensor:
    """(N,) whether each sample is changed."""
    return torch.rand(count, generator=generator) < probability


def each(values: Tensor, like: Tensor) -> Tensor:
    """(N,) numbers that broadcast over the samples of ``like`` (N, …)."""
    return values.to(like).reshape(-1, *(1,) * (like.ndim - 1))
