"""Numbers on axes: round ones, short ones, and the stretch they have to cover."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from playground.messages import Array

FARTHEST = 1e300  # beyond it a stretch is no longer a number


def ticks(low: float, high: float, wanted: int, *, whole: bool = False) -> list[float]:
    """Round numbers from ``low`` to ``high``, about ``wanted`` of them; ``whole`` avoids fractions
    where the stretch is longer than 1."""
    if not (math.isfinite(low) and math.isfinite(high)) or high <= low:
        return [low] if math.isfinite(low) else []
    raw = (high - low) / max(1, wanted)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next((m * power for m in (1, 2, 3, 5, 6) if m * power >= raw * 0.999), 10 * power)
    if whole and high - low >= 1:
        step = max(1.0, float(math.ceil(step - 1e-9)))
    first, last = math.ceil(low / step - 1e-6), math.floor(high / step + 1e-6)
    if last - first > 10 * max(1, wanted):
        return [low, high]
    return [index * step for index in range(first, last + 1)]


def number(value: float, digits: int = 3) -> str:
    """A number for people: ``1,204``, ``0.142``, ``3e-05``, with a true minus sign."""
    if not math.isfinite(value):
        return "not a number" if math.isnan(value) else ("∞" if value > 0 else "−∞")
    size = abs(value)
    if size < 10.0**-12:
        text = "0"
    elif size >= 1e6 or size < 1e-3:
        mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
        mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
        text = f"{mantissa}e{int(exponent)}"
    elif size >= 1000:
        text = f"{value:,.0f}"
    else:
        text = f"{value:.{digits}g}"
    return text.replace("-", "−")


def fixed(value: float, decimals: int = 3) -> str:
    """A live number whose width does not jump: always the same decimals below 1,000."""
    if not math.isfinite(value) or abs(value) >= 1000 or (value and abs(value) < 10.0**-decimals):
        return number(value)
    return f"{value:.{decimals}f}".replace("-", "−")


def span(
    arrays: Sequence[Array],
    least: tuple[float, float] | None,
    *,
    padding: float,
    robust: bool = False,
) -> tuple[float, float]:
    """The stretch of all finite numbers, at least ``least``.

    ``robust``: single values far above the rest (the first loss of a run that starts badly) do not
    flatten everything else.
    """
    finite = [array[np.isfinite(array)] for array in arrays]
    values = np.concatenate(finite) if finite else np.empty(0)
    values = np.clip(values, -FARTHEST, FARTHEST)
    if not values.size:
        return least or (0.0, 1.0)
    low, high = float(values.min()), float(values.max())
    if robust and values.size > 20:
        some = np.sort(values[:: 1 + len(values) // 400])
        start, usual = float(some[len(some) * 3 // 100]), float(some[len(some) * 97 // 100])
        if high - low > 8 * (usual - start) > 0:
            high = min(high, usual + 2 * (usual - start))
            low = max(low, start - 2 * (usual - start))
    if least is not None:
        low, high = min(low, least[0]), max(high, least[1])
    if high <= low:
        room = abs(low) * 0.1 or 0.5
        return low - room, high + room
    room = padding * (high - low)
    return low - room, high + room
