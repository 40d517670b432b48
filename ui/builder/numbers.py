"""Numbers with their units, as short as is honest."""

from __future__ import annotations

_STEPS = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def flops_text(count: float) -> str:
    """``7.5 MFLOPs``: floating-point operations of one sample's forward pass."""
    return scaled(count, "FLOPs")


def scaled(count: float, unit: str) -> str:
    for size, prefix in _STEPS:
        if count >= size:
            return f"{_three(count / size)} {prefix}{unit}"
    return f"{count:.0f} {unit}"


def bytes_text(count: float) -> str:
    """``31 MB``, in steps of a thousand."""
    for size, prefix in _STEPS:
        if count >= size:
            return f"{_three(count / size)} {prefix}B"
    return f"{count:.0f} B"


def _three(value: float) -> str:
    """Two or three figures: 7.5, 31, 203."""
    return f"{value:.1f}" if value < 10 else f"{value:.0f}"
