"""What leaves a node for one sample, as a picture of a few dozen pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QColor, QImage

from models.axes import Kind
from ui.insight.colormaps import GREY, MAGMA, coloured, qimage, signed
from ui.theme import theme

Array = NDArray[np.float32]
MOST_TRACES = 3


def picture(
    value: NDArray[Any], kind: Kind | None, size: tuple[int, int], *, raw: bool = False
) -> QImage:
    """``value`` (without the batch axis) at ``size`` device pixels (width, height).

    Images and maps show how strongly each place responds, over all channels, in magma; ``raw``
    images (a network's inputs) show themselves. Sequences are heat maps, time to the right;
    vectors and tokens are bars. An empty image where there is nothing to show.
    """
    array = np.asarray(value, dtype=np.float32)
    if array.size == 0:
        return QImage()
    array = np.nan_to_num(array, copy=False, posinf=0.0, neginf=0.0)
    match kind:
        case Kind.IMAGE | Kind.VIDEO | Kind.VOLUME if array.ndim in (3, 4):
            if array.ndim == 4:
                middle = array.shape[0 if kind is Kind.VIDEO else 1] // 2
                array = array[middle] if kind is Kind.VIDEO else array[:, middle]
            pixels = _raw(array) if raw else _response(array)
            return _scaled(pixels, size, square=True)
        case Kind.SEQUENCE if array.ndim == 2:
            if array.shape[1] <= MOST_TRACES:
                return _traces(array, size)
            return _scaled(_heat(array.T), size, square=False)
        case _:
            return _bars(array.reshape(-1), size)


def _response(maps: Array) -> NDArray[np.uint8]:
    """How far C×H×W is from each channel's usual value, over all channels, in magma."""
    usual = np.median(maps.reshape(maps.shape[0], -1), axis=1)
    strength = np.abs(maps - usual[:, None, None]).mean(axis=0)
    return coloured(strength, 0.0, float(strength.max()), MAGMA)


def _raw(image: Array) -> NDArray[np.uint8]:
    """C×H×W as a person would see it: colour from three channels, else the first in grey."""
    low, high = float(image.min()), float(image.max())
    if image.shape[0] != 3:
        return coloured(image[0], low, high, GREY)
    scale = 255.0 / (high - low) if high > low else 0.0
    return ((image - low) * scale).transpose(1, 2, 0).astype(np.uint8)


def _heat(rows: Array) -> NDArray[np.uint8]:
    """F×T: signed values in blue and orange, others in magma."""
    largest = float(np.abs(rows).max())
    if rows.min() >= 0.0:
        return coloured(rows, 0.0, largest, MAGMA)
    return coloured(rows, -largest, largest, signed(theme().name == "light"))


def _scaled(pixels: NDArray[np.uint8], size: tuple[int, int], square: bool) -> QImage:
    """The H×W×3 pixels at ``size``: large ones averaged, small ones in crisp squares.

    With ``square`` pixels the middle of a long picture is shown, else it is stretched.
    """
    width, height = size
    if square:
        pixels = _cropped(pixels, width / height)
    rows = _sampled(pixels.shape[0], height)
    columns = _sampled(pixels.shape[1], width)
    pixels = _means(_means(pixels, rows, height, 0), columns, width, 1)
    return qimage(pixels)


def _cropped(pixels: NDArray[np.uint8], aspect: float) -> NDArray[np.uint8]:
    height, width = pixels.shape[:2]
    if width > height * aspect:
        keep = max(1, round(height * aspect))
        start = (width - keep) // 2
        return pixels[:, start : start + keep]
    keep = max(1, round(width / aspect))
    start = (height - keep) // 2
    return pixels[start : start + keep]


def _sampled(count: int, wanted: int) -> NDArray[np.intp]:
    return np.arange(wanted) * count // wanted


def _means(
    pixels: NDArray[np.uint8], index: NDArray[np.intp], wanted: int, axis: int
) -> NDArray[np.uint8]:
    """Repeat or average along an axis until it has ``wanted`` entries."""
    count = pixels.shape[axis]
    if count <= wanted:
        return pixels.take(index, axis)
    starts = np.arange(wanted) * count // wanted
    sums = np.add.reduceat(pixels, starts, axis, dtype=np.uint32)
    shape = [1, 1, 1]
    shape[axis] = wanted
    lengths = np.diff(np.append(starts, count)).reshape(shape)
    return (sums // lengths).astype(np.uint8)


def _traces(steps: Array, size: tuple[int, int]) -> QImage:
    """T×F with few features as curves over time, each with its highs and lows."""
    width, height = size
    tokens = theme().tokens
    low, high = float(steps.min()), float(steps.max())
    span = (high - low) or 1.0
    canvas = np.empty((height, width, 3), np.uint8)
    canvas[:] = _rgb(tokens.pressed)
    thick = max(1, round(height / 24))
    inner = height - 6 - thick
    rows = np.arange(height)[:, None]
    for values, colour in zip(steps.T, (tokens.accent, tokens.warn, tokens.good), strict=False):
        count = max(width * 4, values.size)
        fine = np.interp(np.linspace(0, values.size - 1, count), np.arange(values.size), values)
        starts = np.arange(width) * count // width
        places = 3 + inner * (high - fine) / span
        ends = np.append(starts[1:], count - 1)
        top = np.minimum(np.minimum.reduceat(places, starts), places[ends]).round()
        bottom = np.maximum(np.maximum.reduceat(places, starts), places[ends]).round()
        canvas[(rows >= top) & (rows < bottom + thick)] = _rgb(colour)
    return qimage(canvas)


def _bars(values: Array, size: tuple[int, int]) -> QImage:
    """Up to a bar every third pixel from a zero line, drawn on the picture's own dark or light."""
    width, height = size
    most = max(1, width // 3)
    if values.size > most:
        starts = np.arange(most) * values.size // most
        high, low = np.maximum.reduceat(values, starts), np.minimum.reduceat(values, starts)
        values = np.where(high >= -low, high, low)
    top, bottom = max(float(values.max()), 0.0), min(float(values.min()), 0.0)
    span = (top - bottom) or 1.0
    tokens = theme().tokens
    canvas = np.empty((height, width, 3), np.uint8)
    canvas[:] = _rgb(tokens.pressed)
    inner = height - 4
    zero = 2 + round(inner * top / span)
    edges = np.linspace(2, width - 2, values.size + 1).round().astype(int)
    gap = 1 if width >= 4 * values.size else 0
    light = theme().name == "light"
    table = signed(light)
    colours = (table[200], table[55])
    for value, left, right in zip(values.tolist(), edges[:-1], edges[1:], strict=True):
        end = zero - round(inner * value / span)
        start, stop = min(zero, end), max(zero, end)
        if start == stop and value:
            stop += 1
        canvas[start:stop, left : max(left + 1, right - gap)] = colours[value < 0]
    return qimage(canvas)


def _rgb(colour: str) -> tuple[int, int, int]:
    value = QColor(colour)
    return value.red(), value.green(), value.blue()
