"""The confusion matrix: a row a true class, a column an answer, a click asks for samples."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QFontMetricsF,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from playground.messages import Array
from ui.insight.colormaps import qimage
from ui.theme import theme

LONGEST_LABEL = 110
BELOW = 40
LEAST_CELL_WITH_TEXT = 22
LEAST_CELL_WITH_LABEL = 11


def row_shares(counts: Array) -> Array:
    """Each row divided by its sum; rows without a sample are zero."""
    counts = np.asarray(counts, float)
    totals = counts.sum(axis=1, keepdims=True)
    shares: Array = np.divide(counts, totals, out=np.zeros_like(counts), where=totals > 0)
    return shares


class ConfusionMatrix(QWidget):
    """Right answers in the accent, mistakes in orange, stronger where there are more.

    Arrow keys move over the cells; ``cell_chosen`` carries (true, answer).
    """

    cell_chosen = Signal(int, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._counts: Array = np.zeros((0, 0), np.int64)
        self._shares: Array = np.zeros((0, 0))
        self._classes: tuple[str, ...] = ()
        self._relative = False
        self._current: tuple[int, int] | None = None
        self._image = QImage()
        self.setAccessibleName("Confusion matrix")
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(160, 120)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        theme().changed.connect(self._recolour)

    @property
    def counts(self) -> Array:
        return self._counts

    @property
    def current(self) -> tuple[int, int] | None:
        return self._current

    def sizeHint(self) -> QSize:
        return QSize(420, 300)

    def show_counts(self, counts: Array, classes: tuple[str, ...]) -> None:
        """Show N×N counts (row: true class, column: answer) and the N classes' names."""
        self._counts = np.asarray(counts)
        self._classes = classes
        self._shares = row_shares(self._counts)
        if self._current is not None and max(self._current) >= len(classes):
            self._current = None
        self._recolour()

    def set_relative(self, relative: bool) -> None:
        """Show each row as per cent of its true class instead of counts."""
        self._relative = relative
        self.update()

    def cell_text(self, row: int, column: int) -> str:
        if self._relative:
            share = 100 * self._shares[row, column]
            return f"{share:.0f}" if share >= 0.5 or not share else "<1"
        return f"{self._counts[row, column]:,}"

    @Slot()
    def _recolour(self) -> None:
        size = len(self._shares)
        if not size:
            self._image = QImage()
            self.update()
            return
        strength = np.sqrt(self._shares)[..., None]
        ground = _rgb(theme().color("raised"))
        right, wrong = _rgb(theme().color("accent_fill")), _rgb(theme().family("recurrent"))
        ink = np.where(np.eye(size, dtype=bool)[..., None], right, wrong)
        self._image = qimage((ground + strength * (ink - ground)).round())
        self.update()

    # Geometry -----------------------------------------------------------------------------------

    def _label_room(self) -> float:
        metrics = QFontMetricsF(theme().font(11.5))
        longest = max((metrics.horizontalAdvance(name) for name in self._classes[:100]), default=0)
        return min(LONGEST_LABEL, longest) + 10 + 18

    def width_for(self, height: int) -> float:
        """The width that a square of ``height`` needs with its labels."""
        return height - BELOW + self._label_room()

    def area(self) -> QRectF:
        """The square of the cells."""
        size = max(1, len(self._classes))
        left = self._label_room()
        side = max(10.0, min(self.width() - left - 4, self.height() - BELOW - 4))
        cell = side / size
        if cell > 3:
            side = int(cell) * size
        return QRectF(left, 2, side, side)

    def cell_rect(self, row: int, column: int) -> QRectF:
        area = self.area()
        cell = area.width() / max(1, len(self._classes))
        return QRectF(area.left() + column * cell, area.top() + row * cell, cell, cell)

    def cell_at(self, point: QPointF) -> tuple[int, int] | None:
        area, size = self.area(), len(self._classes)
        if not size or not area.contains(point):
            return None
        cell = area.width() / size
        row, column = int((point.y() - area.top()) / cell), int((point.x() - area.left()) / cell)
        return min(row, size - 1), min(column, size - 1)

    # Painting -----------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._image.isNull():
            return
        painter = QPainter(self)
        area, size = self.area(), len(self._classes)
        cell = area.width() / size
        painter.drawImage(area, self._image)
        if cell >= 8:
            painter.setPen(QPen(theme().color("panel"), 2 if cell >= 20 else 1))
            for index in range(1, size):
                at = area.left() + index * cell
                painter.drawLine(QPointF(at, area.top()), QPointF(at, area.bottom()))
                at = area.top() + index * cell
                painter.drawLine(QPointF(area.left(), at), QPointF(area.right(), at))
        if cell >= LEAST_CELL_WITH_TEXT:
            self._paint_numbers(painter)
        self._paint_labels(painter, area, cell)
        if self._current is not None:
            colour = theme().color("accent" if self.hasFocus() else "text")
            painter.setPen(QPen(colour, 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(self.cell_rect(*self._current).adjusted(1, 1, -1, -1))

    def _paint_numbers(self, painter: QPainter) -> None:
        painter.setFont(theme().font(11.5))
        light, dark = theme().color("text"), theme().color("text2")
        size = len(self._classes)
        for row in range(size):
            for column in range(size):
                if not self._counts[row, column]:
                    continue
                share = self._shares[row, column]
                if share > 0.3:
                    painter.setPen(QColor("#FFFFFF") if row == column else QColor("#191D24"))
                else:
                    painter.setPen(light if share > 0.02 else dark)
                text = self.cell_text(row, column)
                painter.drawText(self.cell_rect(row, column), Qt.AlignmentFlag.AlignCenter, text)

    def _paint_labels(self, painter: QPainter, area: QRectF, cell: float) -> None:
        font = theme().font(11.5)
        painter.setFont(font)
        metrics = QFontMetricsF(font)
        painter.setPen(theme().color("text2"))
        every = max(1, int(np.ceil(LEAST_CELL_WITH_LABEL / cell)))
        elide, right = Qt.TextElideMode.ElideMiddle, Qt.AlignmentFlag.AlignRight
        room = area.left() - 28
        for index in range(0, len(self._classes), every):
            name = self._classes[index]
            at = index * cell
            place = QRectF(18, area.top() + at + cell / 2 - 9, room + 4, 18)
            text = metrics.elidedText(name, elide, room)
            painter.drawText(place, right | Qt.AlignmentFlag.AlignVCenter, text)
        widest = max((metrics.horizontalAdvance(name) for name in self._classes[:100]), default=1)
        step = every
        while step * cell < min(widest, 46) + 6 and step < len(self._classes):
            step += 1
        for index in range(0, len(self._classes), step):
            place = QRectF(
                area.left() + (index + 0.5) * cell - step * cell / 2,
                area.bottom() + 4,
                step * cell,
                16,
            )
            text = metrics.elidedText(self._classes[index], elide, max(14.0, step * cell - 4))
            painter.drawText(place, Qt.AlignmentFlag.AlignHCenter, text)
        painter.setPen(theme().color("text3"))
        painter.drawText(QRectF(area.left(), area.bottom() + 21, area.width(), 16), right, "answer")
        painter.translate(0, area.center().y())
        painter.rotate(-90)
        painter.drawText(QRectF(-40, 0, 80, 16), Qt.AlignmentFlag.AlignCenter, "true")
        painter.resetTransform()

    # Events -------------------------------------------------------------------------------------

    def describe(self, row: int, column: int) -> str:
        count, share = self._counts[row, column], 100 * self._shares[row, column]
        true, answer = self._classes[row], self._classes[column]
        what = f"“{true}” recognised" if row == column else f"“{true}” taken for “{answer}”"
        return f"{what}: {count:,} ({share:.1f} % of “{true}”)"

    def choose(self, row: int, column: int) -> None:
        self._current = (row, column)
        self.setAccessibleDescription(self.describe(row, column))
        self.update()
        self.cell_chosen.emit(row, column)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        cell = self.cell_at(event.position())
        if cell is not None:
            self.choose(*cell)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        cell = self.cell_at(event.position())
        text = self.describe(*cell) if cell is not None else ""
        QToolTip.showText(event.globalPosition().toPoint(), text, self)

    def leaveEvent(self, event: QEvent) -> None:
        QToolTip.hideText()
        super().leaveEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        moves = {
            Qt.Key.Key_Left: (0, -1),
            Qt.Key.Key_Right: (0, 1),
            Qt.Key.Key_Up: (-1, 0),
            Qt.Key.Key_Down: (1, 0),
        }
        move, size = moves.get(Qt.Key(event.key())), len(self._classes)
        if move is None or not size:
            super().keyPressEvent(event)
            return
        row, column = self._current or (0, 0)
        if self._current is not None:
            row, column = (row + move[0]) % size, (column + move[1]) % size
        self.choose(row, column)

    def focusInEvent(self, event: QFocusEvent) -> None:
        self.update()
        super().focusInEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self.update()
        super().focusOutEvent(event)


def _rgb(colour: QColor) -> Array:
    return np.array([colour.red(), colour.green(), colour.blue()], float)
