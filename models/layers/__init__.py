"""The catalogue of layers, a module a family. Importing it fills ``LAYERS``, without torch."""

from models.layers.declaration import Layer
from models.registry import Registry

LAYERS: Registry[Layer] = Registry("layer")


def _fill() -> None:
    from models.layers import (
        activation,
        attention,
        convolution,
        dense,
        io,
        merge,
        normalization,
        pooling,
        recurrent,
        regularization,
        reshape,
        signal,
    )

    families = (
        io,
        convolution,
        pooling,
        recurrent,
        attention,
        dense,
        normalization,
        activation,
        regularization,
        reshape,
        merge,
        signal,
    )
    for family in families:
        for layer in family.LAYERS:
            LAYERS.add(layer, aliases=layer.aliases)


_fill()
