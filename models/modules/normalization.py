"""Normalizations that leave padded steps out of their statistics."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class MaskedBatchNorm1d(nn.BatchNorm1d):
    """Batch normalization of sequences of different lengths: padded steps are left as zeros and
    count in no statistic.

    ``x`` is (batch, T, F), ``lengths`` (batch,) the numbers of valid steps.
    """

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:  # type: ignore[override]
        if not self.training:
            return super().forward(x.flatten(0, 1)).view_as(x)
        valid = torch.arange(x.size(1), device=x.device) < lengths.unsqueeze(1)
        normalized = super().forward(x[valid])
        return torch.zeros_like(x, dtype=normalized.dtype).masked_scatter(
            valid.unsqueeze(2), normalized
        )


class MaskedBatchNorm2d(nn.BatchNorm2d):
    """Batch normalization of videos of different lengths: padded frames are left as zeros and
    count in no statistic.

    ``x`` is (batch, T, C, H, W), ``lengths`` (batch,) the numbers of valid frames.
    """

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:  # type: ignore[override]
        if not self.training:
            return super().forward(x.flatten(0, 1)).view_as(x)
        valid = torch.arange(x.size(1), device=x.device) < lengths.unsqueeze(1)
        normalized = super().forward(x[valid])
        return torch.zeros_like(x, dtype=normalized.dtype).masked_scatter(
            valid[:, :, None, None, None], normalized
        )


class MaskedGroupNorm(nn.GroupNorm):
    """Group normalization of sequences of different lengths: padded steps count in no statistic
    and become zeros.

    ``x`` is (batch, T, F), ``lengths`` (batch,) the numbers of valid steps. As many groups as
    features make it an instance normalization.
    """

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:  # type: ignore[override]
        valid = torch.arange(x.size(1), device=x.device) < lengths.unsqueeze(1)
        valid = valid[:, :, None, None]
        count = lengths[:, None, None, None] * (x.size(2) // self.num_groups)
        grouped = x.reshape(*x.shape[:2], self.num_groups, -1).masked_fill(~valid, 0.0)
        mean = grouped.sum((1, 3), keepdim=True) / count
        centred = (grouped - mean).masked_fill(~valid, 0.0)
        variance = centred.square().sum((1, 3), keepdim=True) / count
        y = (centred * torch.rsqrt(variance + self.eps)).flatten(2)
        if self.affine:
            y = y * self.weight + self.bias
        return y.masked_fill(~valid.squeeze(3), 0.0)
