"""The examples' networks as a Keras user writes them. Keras's GRU and LSTM have one bias where
torch has two; otherwise the numbers of weights are equal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Layers = Callable[[Any], list[Any]]

LAYERS: dict[str, Layers] = {}
