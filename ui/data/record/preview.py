"""The live picture: the newest frame, made small away from the main thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QBrush, QColor, QImage, QPainter, QPaintEvent, QPen, QTransform
from PySide6.QtWidgets import QSizePolicy, QWidget

from ui.insight.colormaps import qimage
from ui.theme import theme
from ui.threads import begin

if TYPE_CHECKING:
    from playground.capture import Camera

PERIOD_S = 1 / 30
PATIENCE_S = 0.2
RADIUS = 8
_SHADE = QColor(10, 12, 15, 200)


class Preview:
    """Scales the newest frame of a camera to the ``size`` of a view, at most 30 times a second.
    ``told`` is called in another thread whenever there is a picture to take."""

    def __init__(self, told: Callable[[], None] | None = None) -> None:
        self._told = told
        self.size = (0, 0)
        """Height and width to fit into, in pixels of the screen."""
        self._image: QImage | None = None
        self._stop: threading.Event | None = None

    def start(self, camera: Camera) -> None:
        self.stop()
        self._stop = threading.Event()
        begin("preview", self._work, camera, self._stop)

    def stop(self) -> None:
        """Begin to end; comes back at once."""
        if self._stop is not None:
            self._stop.set()
        self._stop = self._image = None

    def take(self) -> QImage | None:
        """The newest picture that was not taken yet."""
        image, self._image = self._image, None
        return image

    def _work(self, camera: Camera, stop: threading.Event) -> None:
        from playground.vision import fitted  # OpenCV takes its time to load

        after, shown = -1, (0, 0)
        while not stop.is_set():
            began = time.monotonic()
            if self.size != shown:
                after = -1  # a still picture too is to be sharp at another size
            frame = camera.wait(after, PATIENCE_S)
            if frame is None:
                if camera.status.state in ("ended", "failed", "closed"):
                    stop.wait(PATIENCE_S)
                continue
            after, shown = frame.number, self.size
            height, width = frame.pixels.shape[:2]
            scale = min(shown[0] / height, shown[1] / width)
            if scale <= 0:
                stop.wait(PATIENCE_S)
                continue
            size = (max(1, round(height * scale)), max(1, round(width * scale)))
            image = qimage(fitted(frame.pixels, size, "stretch"))
            image = image.convertToFormat(QImage.Format.Format_RGB32)
            if not stop.is_set():
                self._image = image
                if self._told is not None:
                    self._told()
            stop.wait(max(0.0, PERIOD_S - (time.monotonic() - began)))


class LivePicture(QWidget):
    """A frame, the red mark while it is recorded, and the seconds before a burst."""

    def __init__(self) -> None:
        super().__init__()
        self._image = QImage()
        self._sign, self._countdown, self._credit = "", 0, ""
        self._dimmed = False
        self.setAccessibleName("Live picture of the camera")
        self.setMinimumSize(200, 120)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        theme().changed.connect(self.update)

    @property
    def image(self) -> QImage:
        return self._image

    def sizeHint(self) -> QSize:
        return QSize(640, 360)

    def pixels(self) -> tuple[int, int]:
        """Height and width in pixels of the screen."""
        ratio = self.devicePixelRatioF()
        return round(self.height() * ratio), round(self.width() * ratio)

    def show_image(self, image: QImage | None) -> None:
        self._image = image if image is not None else QImage()
        self.update()

    def show_sign(self, sign: str, countdown: int = 0) -> None:
        """``sign`` is the class that is recorded and its count; "" where nothing is."""
        if (sign, countdown) != (self._sign, self._countdown):
            self._sign, self._countdown = sign, countdown
            self.setAccessibleDescription(f"Recording {sign}" if sign else "")
            self.update()

    def set_credit(self, credit: str) -> None:
        """Whose picture it is, where that has to be said."""
        if credit != self._credit:
            self._credit = credit
            self.update()

    def set_dimmed(self, dimmed: bool) -> None:
        """Fade the picture: it is an old one, and a sentence lies over it."""
        if dimmed != self._dimmed:
            self._dimmed = dimmed
            self.update()

    def picture_rect(self) -> QRectF:
        """Where the picture is: in the middle, its proportions kept."""
        if self._image.isNull():
            return QRectF(self.rect())
        size = self._image.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
        left, top = (self.width() - size.width()) // 2, (self.height() - size.height()) // 2
        return QRectF(left, top, size.width(), size.height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        rect = self.picture_rect()
        if self._image.isNull():
            painter.setBrush(theme().color("raised"))
            painter.drawRoundedRect(rect, RADIUS, RADIUS)
        else:
            brush, scale = QBrush(self._image), rect.width() / self._image.width()
            brush.setTransform(QTransform.fromTranslate(rect.x(), rect.y()).scale(scale, scale))
            painter.setBrush(brush)
            painter.drawRoundedRect(rect, RADIUS, RADIUS)
        if self._sign and not self._countdown:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(theme().color("bad_fill"), 3))
            painter.drawRoundedRect(rect.adjusted(1.5, 1.5, -1.5, -1.5), RADIUS, RADIUS)
        if self._credit and not self._image.isNull():
            self._paint_credit(painter, rect)
        if self._dimmed and not self._image.isNull():
            shade = theme().color("panel")
            shade.setAlphaF(0.86)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(shade)
            painter.drawRoundedRect(rect, RADIUS, RADIUS)
        if self._sign:
            self._paint_sign(painter, rect)
        if self._countdown:
            self._paint_countdown(painter, rect)

    def _paint_sign(self, painter: QPainter, rect: QRectF) -> None:
        font = theme().font(12, 500)
        painter.setFont(font)
        width = painter.fontMetrics().horizontalAdvance(self._sign) + 36
        chip = QRectF(rect.right() - width - 12, rect.top() + 12, width, 26)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(_SHADE)
        painter.drawRoundedRect(chip, 13, 13)
        painter.setBrush(QColor("#EE6A66"))
        painter.drawEllipse(QRectF(chip.x() + 11, chip.center().y() - 4, 8, 8))
        painter.setPen(Qt.GlobalColor.white)
        inner = chip.adjusted(26, 0, -10, 0)
        painter.drawText(inner, int(Qt.AlignmentFlag.AlignVCenter), self._sign)

    def _paint_credit(self, painter: QPainter, rect: QRectF) -> None:
        painter.setFont(theme().font(11.5))
        room = int(rect.width()) - 40
        text = painter.fontMetrics().elidedText(self._credit, Qt.TextElideMode.ElideRight, room)
        width = painter.fontMetrics().horizontalAdvance(text) + 20
        chip = QRectF(rect.left() + 10, rect.bottom() - 32, width, 22)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(_SHADE)
        painter.drawRoundedRect(chip, 11, 11)
        painter.setPen(Qt.GlobalColor.white)
        painter.drawText(chip, Qt.AlignmentFlag.AlignCenter, text)

    def _paint_countdown(self, painter: QPainter, rect: QRectF) -> None:
        side = min(120.0, rect.height() * 0.5)
        disc = QRectF(0, 0, side, side)
        disc.moveCenter(rect.center())
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(_SHADE)
        painter.drawEllipse(disc)
        painter.setPen(Qt.GlobalColor.white)
        painter.setFont(theme().font(side * 0.5, 600))
        painter.drawText(disc, Qt.AlignmentFlag.AlignCenter, str(self._countdown))
