"""A sample as a person sees it: its picture, a small line for a series, a text for a row."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QImage, QPainter, QPen, QPolygonF

from models.axes import Kind, Shape
from playground.data.dataset import Column
from playground.messages import Array
from ui.insight.colormaps import GREY, coloured, levels, qimage
from ui.insight.column import token_colour
from ui.insight.ticks import number
from ui.theme import theme

MOST_POINTS = 400
MOST_FEATURES = 12
SERIES_COLOURS = ("accent", "recurrent", "dense", "attention")
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
WEEKDAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()


def is_picture(shape: Shape) -> bool:
    return shape.kind in (Kind.IMAGE, Kind.VIDEO, Kind.VOLUME)


def trimmed(column: Column, raw: Array, index: int) -> Array:
    """One raw sample without the padding after its own length."""
    lengths = getattr(column, "lengths", None)
    return raw if lengths is None else raw[: max(1, int(lengths[index]))]


def image_of(raw: Array) -> QImage:
    """C×H×W as a colour or grey picture: bytes as they are, other numbers from least to greatest.

    Of a video or volume (one axis more) the middle frame or slice.
    """
    array = np.asarray(raw)
    if array.ndim == 4:
        frames = array.shape[0] if array.shape[1] in (1, 3) else None
        array = array[frames // 2] if frames else array[:, array.shape[1] // 2]
    if array.ndim == 2:
        array = array[None]
    if array.dtype != np.uint8:
        low, high = levels(array)
        array = coloured(array, low, high, GREY)[..., 0]
    if array.shape[0] >= 3:
        return qimage(array[:3].transpose(1, 2, 0))
    return qimage(array[0])


def sparkline(
    raw: Array, size: QSize, ratio: float = 1.0, ends: tuple[float, float] | None = None
) -> QImage:
    """A series T×F as small lines on the raised colour, from its least to its greatest value or
    between ``ends``."""
    image = QImage(size * ratio, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(ratio)
    image.fill(theme().color("raised"))
    series = np.asarray(raw, float).reshape(len(raw), -1)
    low, high = ends or levels(series)
    if len(series) > MOST_POINTS:  # the extremes of each part, so that a short peak is seen
        count = MOST_POINTS // 2
        parts = series[: len(series) // count * count].reshape(count, -1, series.shape[1])
        series = np.stack([parts.min(axis=1), parts.max(axis=1)], axis=1).reshape(2 * count, -1)
    x = np.linspace(4, size.width() - 4, max(2, len(series)))[: len(series)]
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for feature, shade in zip(series.T, SERIES_COLOURS, strict=False):
        y = size.height() - 5 - (feature - low) / ((high - low) or 1) * (size.height() - 10)
        painter.setPen(QPen(token_colour(shade), 1))
        good = np.isfinite(y)
        points = [QPointF(a, b) for a, b in zip(x[good], y[good], strict=True)]
        painter.drawPolyline(QPolygonF(points))
    painter.end()
    return image


def row_text(column: Column, raw: Array, *, named: bool = True) -> str:
    """A row of a table in words: ``sepal 5.1 · colour red``, or ``5.1 · red``; tokens as text."""
    decode = getattr(column.reading, "decode", None)
    if decode is not None:
        return str(decode(raw))
    values = np.asarray(raw, float).reshape(-1)
    features = getattr(column.reading, "features", None)
    if features is None:
        numbers = [number(float(value)) for value in values[:MOST_FEATURES]]
        return " · ".join(numbers) + (" …" if values.size > MOST_FEATURES else "")
    parts, at = [], 0
    for feature in features[:MOST_FEATURES]:
        part = values[at : at + feature.width]
        at += feature.width
        if feature.categories is not None:
            shown = feature.categories[int(part.argmax())] if part.any() else "–"
        elif np.isnan(part[0]):
            shown = "–"
        else:
            shown = date_text(part, feature.parts) if feature.parts else number(float(part[0]))
        parts.append(f"{feature.name} {shown}" if named else shown)
    return " · ".join(parts) + (" …" if len(features) > MOST_FEATURES else "")


def date_text(values: Array, parts: Sequence[str]) -> str:
    """As much of a date as its ``parts`` (see ``columns.PARTS``) tell: ``5 Mar 2024 14:30``."""
    rest = iter(float(value) for value in values)
    found = {}
    for part in parts:
        first = next(rest)
        turn = 0.0 if part == "year" else np.arctan2(first, next(rest)) / (2 * np.pi) % 1
        found[part] = first if part == "year" else turn
    said = []
    if "month" in found:
        month = found["month"] * 12 + 1e-4
        said.append(f"{1 + int((month % 1) * 31)} {MONTHS[int(month) % 12]}")
    if "year" in found:
        said.append(f"{found['year']:.0f}")
    if "weekday" in found and "month" not in found:
        said.append(WEEKDAYS[round(found["weekday"] * 7) % 7])
    if "hour" in found:
        minutes = round(found["hour"] * 24 * 60) % (24 * 60)
        said.append(f"{minutes // 60:02}:{minutes % 60:02}")
    return " ".join(said)


def paint_picture(painter: QPainter, place: QRectF, image: QImage) -> None:
    """``image`` in the middle of ``place``, cut to its proportions; small ones stay crisp."""
    if image.isNull():
        return
    wide, high = image.width(), image.height()
    scale = max(place.width() / wide, place.height() / high)
    source = QRectF(0, 0, place.width() / scale, place.height() / scale)
    source.moveCenter(QPointF(wide / 2, high / 2))
    hint = QPainter.RenderHint.SmoothPixmapTransform
    painter.setRenderHint(hint, scale < 1)
    if scale < 0.5:  # the painter takes four neighbours only; this averages
        size = QSize(max(1, round(wide * scale)), max(1, round(high * scale)))
        image = image.scaled(
            size, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation
        )
        source = QRectF(source.topLeft() * scale, source.size() * scale)
    painter.drawImage(place, image, source)
