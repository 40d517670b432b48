"""Where a step stands in its sequence, as numbers added to its features."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class SinusoidalEncoding(nn.Module):
    """Adds sines and cosines of each step's position, from short waves to long ones.

    Vaswani et al. 2017, "Attention is all you need", section 3.5; for ``x`` (batch, T, F).
    """

    frequencies: Tensor

    def __init__(self, features: int) -> None:
        super().__init__()
        exponents = torch.arange(0, features, 2) / features
        self.register_buffer("frequencies", 10000.0**-exponents, persistent=False)
        self.features = features

    def forward(self, x: Tensor) -> Tensor:
        positions = torch.arange(x.size(1), device=x.device)
        angles = positions.unsqueeze(1) * self.frequencies
        waves = torch.stack((angles.sin(), angles.cos()), dim=2).flatten(1)
        return x + waves[:, : self.features].to(x.dtype)


class LearnedEncoding(nn.Module):
    """Adds a learned vector for each position, up to ``length`` steps, to ``x`` (batch, T, F)."""

    def __init__(self, length: int, features: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(length, features) * 0.02)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.weight[: x.size(1)]
