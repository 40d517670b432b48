"""How pictures must be given to networks that were trained elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

from models.registry import Registry
from playground.data.reading import ImageReading
from playground.preprocessing import Preprocessing, Standardize

FITTED = "fitted"
"""Instead of an entry: the size as set, and the brightness fitted on the training split."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is cut out of a picture and at which size, and what is done to its values."""

    id: str
    name: str
    reading: ImageReading
    preprocessing: Preprocessing


PREPARED: Registry[Prepared] = Registry("preparation")

PREPARED.add(
    Prepared(
        "efficientnet-lite0",
        "EfficientNet-Lite0 (224×224)",
        ImageReading(3, 224, 224, "middle"),
        Preprocessing((Standardize((127.0,) * 3, (128.0,) * 3, axis=-3),)),
    )
)
