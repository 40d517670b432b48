"""Augmentation of series T×F (Um et al. 2017, Data augmentation of wearable sensor data)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from models.parameters import Parameter
from playground.data.augment import Augmentation

if TYPE_CHECKING:
    from torch import Generator, Tensor

Options = Mapping[str, Any]


def _jitter(batch: Tensor, options: Options, generator: Generator) -> Tensor:
    from playground.data.augment.draws import each, normal, uniform

    spread = batch.std(dim=1, keepdim=True, correction=0)
    amount = each(uniform(len(batch), 0, options["amount"], generator), batch)
    return batch + amount * spread * normal(batch.shape, batch, generator)


def _scale(batch: Tensor, options: Options, generator: Generator) -> Tensor:
    from playground.data.augment.draws import each, uniform

    most = options["most"]
    return batch * each(uniform(len(batch), 1 - most, 1 + most, generator), batch)


def _crop(batch: Tensor, options: Options, generator: Generator) -> Tensor:
    """A stretch of each series, drawn out to the whole length by linear interpolation."""
    import torch

    from playground.data.augment.draws import uniform

    steps = batch.shape[1]
    keep = uniform(len(batch), options["least"], 1, generator) * (steps - 1)
    start = uniform(len(batch), 0, 1, generator) * (steps - 1 - keep)
    at = start[:, None] + keep[:, None] * torch.linspace(0, 1, steps)
    left = at.floor().long().clamp(max=max(steps - 2, 0))
    right = (left + 1).clamp(max=steps - 1)
    part = (at - left)[..., None].to(batch)
    rows = torch.arange(len(batch))[:, None]
    return batch[rows, left] * (1 - part) + batch[rows, right] * part


AUGMENTATIONS = (
    Augmentation(
        "series-jitter",
        "Jitter",
        ("series",),
        "Adds noise to every step: sensors never measure the same twice.",
        _jitter,
        (
            Parameter(
                "amount",
                "Amount",
                "float",
                0.1,
                "At most this share of the series' own deviation.",
                minimum=0,
                maximum=2,
            ),
        ),
        any_length=True,
    ),
    Augmentation(
        "series-scale",
        "Scale",
        ("series",),
        "Makes the whole series larger or smaller: sensors differ in their gain.",
        _scale,
        (
            Parameter(
                "most",
                "At most",
                "float",
                0.1,
                "0.1 multiplies by 0.9 to 1.1.",
                minimum=0,
                maximum=0.9,
            ),
        ),
        any_length=True,
        moves=True,
    ),
    Augmentation(
        "series-crop",
        "Crop",
        ("series",),
        "Takes a stretch of the series and draws it out to the whole length: what matters comes "
        "earlier or later, faster or slower.",
        _crop,
        (
            Parameter(
                "least",
                "At least",
                "float",
                0.8,
                "The shortest share of the series that is kept.",
                minimum=0.1,
                maximum=1,
            ),
        ),
        moves=True,
    ),
)
