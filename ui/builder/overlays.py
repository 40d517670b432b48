"""What floats over the canvas: the size of the network, and the canvas's round corners."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt, Slot
from PySide6.QtGui import QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QWidget

from models.shapes import Report
from ui.builder.numbers import bytes_text, flops_text
from ui.theme import theme

CORNER = 8


class Summary(QFrame):
    """The size of the network in a line at the top left."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._text = QLabel()
        self._text.setTextFormat(Qt.TextFormat.RichText)
        self._shown: tuple[int, int, int, int] | None = None
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 0, 12, 0)
        row.addWidget(self._text)
        self.setFixedHeight(26)
        theme().changed.connect(self._write)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def show_report(self, report: Report, batch: int) -> None:
        shown = (report.parameters, report.flops, report.activation_bytes(batch), batch)
        if shown != self._shown:
            self._shown = shown
            self._write()

    @Slot()
    def _write(self) -> None:
        if self._shown is None:
            return
        parameters, flops, memory, batch = self._shown
        tokens = theme().tokens
        dot = f"<span style='color:{tokens.text3}'> &nbsp;·&nbsp; </span>"
        parts = ["&nbsp;parameters", flops_text(flops), f"{bytes_text(memory)} at batch {batch}"]
        self._text.setText(
            f"<span style='color:{tokens.text};font-weight:600'>{parameters:,}</span> "
            f"<span style='color:{tokens.text2}'>{dot.join(parts)}</span>"
        )
        self.setAccessibleName(
            f"{parameters:,} parameters, {flops_text(flops)}, {bytes_text(memory)} at batch {batch}"
        )
        self.adjustSize()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme().color("line"), 1))
        painter.setBrush(theme().color("panel"))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 13, 13)


class Corner(QWidget):
    """Rounds a corner of the view as the panel around it is rounded."""

    def __init__(self, canvas: QWidget, index: int) -> None:
        super().__init__(canvas)
        self._canvas, self._index = canvas, index
        self.setFixedSize(CORNER, CORNER)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        theme().changed.connect(self.update)

    def place(self) -> None:
        right, bottom = self._index % 2, self._index // 2
        room = self._canvas.size()
        self.move(right * (room.width() - CORNER), bottom * (room.height() - CORNER))

    def paintEvent(self, event: QPaintEvent) -> None:
        right, bottom = self._index % 2, self._index // 2
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        frame = QRectF(-0.5, -0.5, 40, 40)
        frame.translate(right * (CORNER + 1 - 40), bottom * (CORNER + 1 - 40))
        inside, square = QPainterPath(), QPainterPath()
        inside.addRoundedRect(frame, CORNER, CORNER)
        square.addRect(QRectF(self.rect()))
        painter.fillPath(square - inside, theme().color("window"))
        painter.setPen(QPen(theme().color("line"), 1))
        painter.drawPath(inside)
