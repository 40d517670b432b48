"""What one can ask a network about: a drawing or a picture, a row of a table, a series.

Each input has ``prepare(column)``, ``show_value(raw)``, ``value`` and ``changed``, which carries
the raw value without a batch axis, or None where there is nothing yet.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from models.parameters import Parameter
from playground.data.dataset import Column
from playground.data.errors import DataError
from playground.data.reading import ImageReading, RowReading
from playground.messages import Array
from ui.forms import Form
from ui.insight.pad import DrawingPad
from ui.insight.plot import Line, Plot
from ui.insight.sample_pictures import SERIES_COLOURS, image_of
from ui.theme import theme
from ui.widgets import Button, label, scrolled

LARGEST_PAD = 64


class Preview(QWidget):
    """A picture in crisp squares: what the network is given."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._image = QImage()
        self.setAccessibleName(name)
        self.setMinimumSize(84, 84)
        self.setMaximumSize(240, 240)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        theme().changed.connect(self.update)

    @property
    def image(self) -> QImage:
        return self._image

    def sizeHint(self) -> QSize:
        return QSize(140, 140)

    def show_image(self, image: QImage) -> None:
        self._image = image
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        side = min(self.width(), self.height())
        if self._image.isNull():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme().color("raised"))
            painter.drawRoundedRect(QRectF(0, 0, side, side), 6, 6)
            return
        size = self._image.size().scaled(side, side, Qt.AspectRatioMode.KeepAspectRatio)
        smooth = size.width() < self._image.width()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
        painter.drawImage(QRectF(0, 0, size.width(), size.height()), self._image)


class PictureInput(QWidget):
    """A pad to draw on (for small grey pictures), and a preview of what the network sees.

    ``changed`` carries the raw value C×H×W, or None where there is nothing yet.
    """

    changed = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.pad = DrawingPad()
        self.pad.changed.connect(self._drawn)
        self.seen = Preview("What the network sees")
        self._value: Array | None = None
        self._size = (1, 28, 28)
        self.clear = Button("Clear", "eraser")
        self.clear.clicked.connect(self.start_again)
        small = label("What the network sees", "small")
        side = QVBoxLayout()
        side.setSpacing(6)
        side.addWidget(small)
        side.addWidget(self.seen)
        side.addWidget(self.clear)
        side.addStretch(1)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(16)
        row.addWidget(self.pad, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(side)
        row.addStretch(1)

    def prepare(self, column: Column) -> None:
        """Take pictures of ``column``'s size; the pad is for small grey ones."""
        channels, height, width = (int(size) for size in column.shape.sizes)
        self._size = (channels, height, width)
        reading = column.reading
        digit = isinstance(reading, ImageReading) and reading.digit
        self.pad.setVisible(channels == 1 and (digit or max(height, width) <= LARGEST_PAD))
        self.start_again()

    @property
    def value(self) -> Array | None:
        return self._value

    def show_value(self, value: Array) -> None:
        """Take a picture from elsewhere: a file or a sample."""
        self.pad.blockSignals(True)
        self.pad.clear()
        self.pad.blockSignals(False)
        self._take(value)

    @Slot()
    def start_again(self) -> None:
        self.pad.blockSignals(True)
        self.pad.clear()
        self.pad.blockSignals(False)
        self._take(None)

    @Slot()
    def _drawn(self) -> None:
        _, height, width = self._size
        self._take(None if self.pad.is_empty() else self.pad.array(height, width)[None])

    def _take(self, value: Array | None) -> None:
        self._value = value
        self.seen.show_image(image_of(value) if value is not None else QImage())
        self.changed.emit(value)


class RowInput(QWidget):
    """A field for each feature of a table's row."""

    changed = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._reading: RowReading | None = None
        self._cells: dict[str, str | None] = {}
        self.form = Form()
        self.form.edited.connect(self._edited)
        holder = QWidget()
        inner = QVBoxLayout(holder)
        inner.setContentsMargins(0, 0, 8, 0)
        inner.addWidget(self.form)
        inner.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(scrolled(holder))

    def prepare(self, column: Column) -> None:
        assert isinstance(column.reading, RowReading)
        self._reading = column.reading
        self.form.set_parameters([_field(feature) for feature in self._reading.features], {})

    def show_value(self, value: Array) -> None:
        """Fill the fields with a raw row."""
        assert self._reading is not None
        values: dict[str, Any] = {}
        at = 0
        for feature in self._reading.features:
            part = value[at : at + feature.width]
            at += feature.width
            cell = feature.decode(part)
            number = feature.categories is None and not feature.parts
            values[feature.name] = float(cell) if number and cell is not None else cell
        self._cells = {name: _cell(item) for name, item in values.items()}
        self.form.set_values(values)
        self.changed.emit(self.value)

    @property
    def value(self) -> Array | None:
        """The row; None while a cell is half written."""
        try:
            return self._reading.encode(self._cells) if self._reading is not None else None
        except DataError:
            return None

    @Slot(str, object)
    def _edited(self, name: str, value: Any) -> None:
        self._cells[name] = _cell(value)
        self.changed.emit(self.value)


def _cell(value: Any) -> str | None:
    return None if value is None else str(value)


def _field(feature: Any) -> Parameter:
    if feature.parts:
        return Parameter(feature.name, feature.name, "text", None, "A date.", optional=True)
    if feature.categories is None:
        return Parameter(feature.name, feature.name, "float", None, optional=True)
    choices = tuple((item, item) for item in feature.categories if item)
    first = choices[0][0] if choices else None
    return Parameter(
        feature.name, feature.name, "choice", first, choices=((None, "–"), *choices), optional=True
    )


class SeriesInput(QWidget):
    """The series that the network is asked about, as lines."""

    changed = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.plot = Plot("The series that the network sees", x_label="step")
        self._names: tuple[str, ...] = ()
        self._value: Array | None = None
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.plot)

    def prepare(self, column: Column) -> None:
        self._names = tuple(getattr(column.reading, "columns", ()) or (column.name,))
        self._value = None
        self.plot.set_lines([])

    @property
    def value(self) -> Array | None:
        return self._value

    def show_value(self, value: Array) -> None:
        self._value = value
        steps = np.arange(1, len(value) + 1)
        features = np.reshape(value, (len(value), -1)).T
        self.plot.set_lines(
            Line(self._names[i] if i < len(self._names) else f"feature {i + 1}", steps, y, shade)
            for i, (y, shade) in enumerate(zip(features, SERIES_COLOURS, strict=False))
        )
        self.changed.emit(value)
