"""Torch modules that torch itself does not have. Each class needs nothing but torch, so that an
exported network can carry its source."""

from models.modules.encoding import LearnedEncoding, SinusoidalEncoding
from models.modules.normalization import (
    MaskedBatchNorm1d,
    MaskedBatchNorm2d,
    MaskedGroupNorm,
)
from models.modules.signal import CosineTransform, Decibels, MelBank, SpecAugment, Spectrogram

__all__ = [
    "CosineTransform",
    "Decibels",
    "LearnedEncoding",
    "MaskedBatchNorm1d",
    "MaskedBatchNorm2d",
    "MaskedGroupNorm",
    "MelBank",
    "SinusoidalEncoding",
    "SpecAugment",
    "Spectrogram",
]
