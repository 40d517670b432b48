"""The examples' networks as a Keras user writes them. Keras gives an LSTM one bias where torch has
two; otherwise the weights are as many."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Layers = Callable[[Any], list[Any]]
"""From ``keras.layers`` to the layers behind the input, which is 1×28×28."""


def digits_cnn(k: Any) -> list[Any]:
    return [*_features(k), k.Flatten(), k.Dropout(0.5), k.Dense(10)]


def digits_lstm(k: Any) -> list[Any]:
    return [k.Reshape((28, 28)), k.LSTM(128), k.Dropout(0.3), k.Dense(10)]


def digits_hybrid(k: Any) -> list[Any]:
    columns = [k.Permute((3, 1, 2)), k.Reshape((7, 224))]
    return [*_features(k), *columns, k.Bidirectional(k.GRU(64)), k.Dropout(0.2), k.Dense(10)]


def _features(k: Any) -> list[Any]:
    return [
        k.Conv2D(16, 3, padding="same", activation="relu"),
        k.MaxPooling2D(),
        k.Conv2D(32, 3, padding="same", activation="relu"),
        k.MaxPooling2D(),
    ]


LAYERS: dict[str, Layers] = {
    "digits-cnn": digits_cnn,
    "digits-lstm": digits_lstm,
    "digits-hybrid": digits_hybrid,
}
