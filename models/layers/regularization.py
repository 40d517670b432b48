"""Layers of this family."""

from __future__ import annotations

from models.layers.declaration import Layer

LAYERS: tuple[Layer, ...] = ()
