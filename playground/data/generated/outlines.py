"""Shapes by their signed distance functions (Hart 1996): below 0 inside, in pixels."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Outline = Callable[[Floats, Floats, Floats], Floats]
"""The distance of the points at (x, y) from the centre of a shape of radius r."""


def circle(x: Floats, y: Floats, r: Floats) -> Floats:
    return np.asarray(np.hypot(x, y) - 0.9 * r)


def square(x: Floats, y: Floats, r: Floats) -> Floats:
    return np.asarray(np.maximum(np.abs(x), np.abs(y)) - 0.8 * r)


def triangle(x: Floats, y: Floats, r: Floats) -> Floats:
    """Equilateral, pointing up (y grows downwards), its corners at the distance 1.2 r."""
    return np.asarray(np.maximum(y, np.float32(np.sqrt(0.75)) * np.abs(x) - 0.5 * y) - 0.6 * r)


def cross(x: Floats, y: Floats, r: Floats) -> Floats:
    wide, high = np.abs(x), np.abs(y)
    return np.asarray(np.maximum(np.maximum(wide, high) - r, np.minimum(wide, high) - 0.3 * r))


def ring(x: Floats, y: Floats, r: Floats) -> Floats:
    return np.asarray(np.abs(np.hypot(x, y) - 0.75 * r) - 0.25 * r)


OUTLINES: dict[str, Outline] = {
    "circle": circle,
    "square": square,
    "triangle": triangle,
    "cross": cross,
    "ring": ring,
}


EXTENTS: npt.NDArray[np.float32] = np.asarray(
    [
        (-0.9, -0.9, 0.9, 0.9),
        (-0.8, -0.8, 0.8, 0.8),
        (-np.sqrt(1.08), -1.2, np.sqrt(1.08), 0.6),
        (-1, -1, 1, 1),
        (-1, -1, 1, 1),
    ],
    np.float32,
)
"""The box around each of ``OUTLINES`` of radius 1: left, top, right, bottom from its centre."""


def coverage(kinds: npt.NDArray[np.int64], x: Floats, y: Floats, r: Floats) -> Floats:
    """How much of each pixel a shape covers, 0…1 with smooth edges.

    ``kinds`` (N,) count in ``OUTLINES``; ``x``, ``y`` and ``r`` are (N, …) and broadcast.
    """
    shape = np.broadcast_shapes(x.shape, y.shape, r.shape)
    result = np.empty(shape, np.float32)
    for number, outline in enumerate(OUTLINES.values()):
        chosen = kinds == number
        if chosen.any():
            distance = outline(x[chosen], y[chosen], r[chosen])
            result[chosen] = np.clip(np.float32(0.5) - distance, 0, 1)
    return result
