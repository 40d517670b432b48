"""Torch modules that torch itself does not have. Each class needs nothing but torch, so that an
exported network can carry its source."""

from models.modules.encoding import LearnedEncoding, SinusoidalEncoding
from models.modules.normalization import (
    MaskedBatchNorm1d,
    MaskedBatchNorm2d,
    MaskedGroupNorm,
)

__all__ = [
    "LearnedEncoding",
    "MaskedBatchNorm1d",
    "MaskedBatchNorm2d",
    "MaskedGroupNorm",
    "SinusoidalEncoding",
]
