"""Pictures with boxes drawn on them: those that are true, and those that a network found."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from playground.answers import Boxes, Detection
from playground.captions import COLOURS, Colour, caption
from playground.data.dataset import Column
from playground.messages import Array
from ui.live.boxes import paint_boxes, placed
from ui.theme import theme
from ui.widgets import label

SIDE = 256
"""Pixels to which small pictures are enlarged before boxes are drawn, so that lines stay thin."""
LISTED = 6
DASHED = Qt.PenStyle.DashLine


Inks = Callable[[Detection], Colour]


def inks(classes: Sequence[str]) -> Inks:
    """A colour for each class, by its place among them."""
    places = {name: place for place, name in enumerate(classes)}
    return lambda box: COLOURS[places.get(box.label, len(places)) % len(COLOURS)]


def boxes_of(column: Column, rows: Array, least: float = 0.0) -> Boxes:
    """Rows of corners in shares of the picture, class and perhaps a score, as boxes in pixels of
    the column's frame; those with a smaller score are left out."""
    height, width = column.frame
    scale = np.asarray([width, height, width, height])
    found = []
    for row in np.asarray(rows, float):
        score = float(row[5]) if len(row) > 5 else 1.0
        if (row[2:4] > row[:2]).all() and score >= least:
            x0, y0, x1, y1 = (row[:4] * scale).tolist()
            found.append(Detection((x0, y0, x1, y1), column.box_classes[int(row[4])], score))
    return Boxes(tuple(found), column.frame)


def enlarged(image: QImage, side: int = SIDE) -> QImage:
    """Small pictures in crisp squares, as a whole multiple of their size."""
    times = max(1, side // max(1, image.width(), image.height()))
    return image.scaled(image.size() * times) if times > 1 else image.copy()


def with_boxes(image: QImage, found: Boxes, ink_of: Inks, *, named: bool = False) -> QImage:
    """A copy, large enough for boxes, with ``found`` drawn on it: outlines, or ``named`` boxes."""
    result = enlarged(image).convertToFormat(QImage.Format.Format_RGB32)
    painter = QPainter(result)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    area = QRectF(result.rect())
    if named:
        paint_boxes(painter, found, area, 1.1, ink_of, lambda box: box.label)
    else:
        _outlines(painter, found, area, ink_of)
    painter.end()
    return result


def _outlines(painter: QPainter, found: Boxes, area: QRectF, ink_of: Inks) -> None:
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for width, dark in ((6.0, True), (3.0, False)):  # a dark edge is seen on any ground
        for box in reversed(found.boxes):
            ink = QColor(0, 0, 0, 150) if dark else QColor(*ink_of(box))
            painter.setPen(QPen(ink, width))
            painter.drawRect(placed(box, found.size, area))


class BoxPicture(QWidget):
    """A picture as large as there is room, with what was found on it; what is true is dashed."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._image = QImage()
        self._found = Boxes((), (1, 1))
        self._true = Boxes((), (1, 1))
        self._ink_of = inks(())
        self.setAccessibleName(name)
        self.setMinimumSize(120, 120)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        theme().changed.connect(self.update)

    @property
    def found(self) -> Boxes:
        return self._found

    @property
    def true(self) -> Boxes:
        return self._true

    def sizeHint(self) -> QSize:
        return QSize(240, 240)

    def show_boxes(
        self, image: QImage, found: Boxes, true: Boxes | None, classes: Sequence[str]
    ) -> None:
        self._image, self._found, self._ink_of = image, found, inks(classes)
        self._true = true or Boxes((), found.size)
        self.setAccessibleDescription(str(found))
        self.update()

    def area(self) -> QRectF:
        """Where the picture is."""
        height, width = self._found.size
        scale = min(self.width() / max(1, width), self.height() / max(1, height))
        return QRectF(0, 0, width * scale, height * scale)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        area = self.area()
        if self._image.isNull():
            painter.fillRect(area, theme().color("raised"))
        else:
            smooth = area.width() < self._image.width()
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
            painter.drawImage(area, self._image)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for ink, style in ((QColor("#000000"), Qt.PenStyle.SolidLine), (QColor("#FFFFFF"), DASHED)):
            painter.setPen(QPen(ink, 1.5, style))
            for box in self._true.boxes:
                painter.drawRect(placed(box, self._true.size, area))
        paint_boxes(painter, self._found, area, 1.0, self._ink_of, caption)


class AnswerBoxes(QWidget):
    """The picture that was asked about with the objects that were found, and how many there are of
    each class."""

    def __init__(self) -> None:
        super().__init__()
        self.picture = BoxPicture("Objects that were found")
        self.words = label("", "second", wrap=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.picture, 1)
        column.addWidget(self.words)

    def show_answer(
        self, answer: Boxes, image: QImage, true: Boxes | None, classes: Sequence[str]
    ) -> None:
        self.picture.show_boxes(image, answer, true, classes)
        dashed = true is not None and bool(true.boxes)
        self.words.setText(counted(answer) + (" · dashed: the true boxes" if dashed else ""))
        self.setAccessibleDescription(str(answer))


def counted(found: Boxes) -> str:
    """``2 circles, 1 square``, as counts of each class."""
    counts: dict[str, int] = {}
    for box in found.boxes:
        counts[box.label] = counts.get(box.label, 0) + 1
    most = sorted(counts.items(), key=lambda item: -item[1])
    words = ", ".join(f"{count} × {name}" for name, count in most[:LISTED])
    return (words + (" …" if len(most) > LISTED else "")) or "Nothing found"
