"""The live picture with what is painted over it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QImage,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QTransform,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from playground.answers import Boxes, Mask
from playground.live.settings import LiveAnswer
from ui.insight.masks import mask_image
from ui.live.boxes import paint_boxes
from ui.live.overlay import (
    CHIP,
    AnswerPanel,
    Words,
    chip_width,
    paint_chip,
    paint_countdown,
    paint_sight,
    panel_rect,
    words,
)
from ui.theme import theme

Shares = tuple[float, float, float, float]
WHOLE: Shares = (0.0, 0.0, 1.0, 1.0)
RADIUS, GAP = 8, 12
LARGE_HEIGHT = 380.0
"""The height, of a picture on a whole screen, at which letters have their usual size."""
HEAT, MASK, SHADE = 0.55, 0.45, 0.9


@dataclass(frozen=True)
class Signs:
    """What is said over the picture besides the answer. ``marks`` are what is being recorded,
    ``hint`` something about the device, ``tip`` how to go on; ``note`` stands where the answer
    will."""

    marks: tuple[str, ...] = ()
    hint: str = ""
    tip: str = ""
    note: str = ""
    credit: str = ""
    countdown: int = 0


@dataclass
class Look:
    """How answers are shown; shared by the stage and the whole screen."""

    most: int = 3
    outline: bool = False
    colours: Mapping[str, QColor] = field(default_factory=dict)


class LiveView(QWidget):
    """The newest frame in the middle, its proportions kept, with the newest answer over it.

    A paint is little more than a copy of the picture, which comes in the size of the screen's
    pixels. ``painted`` carries the answer whenever one has been drawn. ``large``: letters grow with
    the screen, to be read across a room.
    """

    painted = Signal(object)
    double_clicked = Signal()

    def __init__(self, look: Look, *, large: bool = False) -> None:
        super().__init__()
        self._look, self._large = look, large
        self._image = QImage()
        self.answer: LiveAnswer | None = None
        self.said = Words()
        self.signs = Signs()
        self.dimmed = False
        self.sight: Shares | None = None
        self._heat: tuple[QImage, Shares] | None = None
        self._scaled: tuple[tuple[int, QSize], QImage] | None = None
        self._mask = QImage()
        self._panel = AnswerPanel()
        self.setAccessibleName("Live picture")
        self.setMinimumSize(200, 120)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        theme().changed.connect(self.update)

    def sizeHint(self) -> QSize:
        return QSize(640, 360)

    # --- what is shown ------------------------------------------------------------------------

    @property
    def image(self) -> QImage:
        return self._image

    def pixels(self) -> tuple[int, int]:
        """Height and width to make pictures for, in pixels of the screen."""
        ratio = self.devicePixelRatioF()
        return round(self.height() * ratio), round(self.width() * ratio)

    def show_image(self, image: QImage) -> None:
        self._image = image
        self.update()

    def show_answer(self, answer: LiveAnswer | None) -> None:
        """Drawn at once: it is on the screen when this returns, where the view is seen."""
        if answer is not self.answer:
            before = self._answer_rect()
            self.answer = answer
            found = answer.answer if answer is not None else None
            self._mask = mask_image(found.pixels) if isinstance(found, Mask) else QImage()
            self._word()
            after = self._answer_rect()
            changed = self.rect() if before.isEmpty() or after.isEmpty() else before | after
            self.repaint(changed)

    def say(self) -> None:
        """Word the answer anew: how it is looked at has changed."""
        self._word()
        self.update()

    def _word(self) -> None:
        answer, look = self.answer, self._look
        self.said = Words() if answer is None else words(answer, look.most, look.colours)
        found = answer.answer if answer is not None else None
        self.setAccessibleDescription(
            str(found) if isinstance(found, Boxes) else self.said.spoken()
        )

    def show_signs(self, signs: Signs) -> None:
        if signs != self.signs:
            self.signs = signs
            self.update()

    def set_dimmed(self, dimmed: bool) -> None:
        """The picture is an old one; a sentence lies over it."""
        if dimmed != self.dimmed:
            self.dimmed = dimmed
            self.update()

    def set_sight(self, shares: Shares | None) -> None:
        """Which part of the frame the network sees: x0, y0, x1, y1 as shares of it."""
        if shares != self.sight:
            self.sight = shares
            self.update()

    def set_heat(self, image: QImage | None, shares: Shares = WHOLE) -> None:
        """A map of colours over a part of the frame."""
        self._heat = None if image is None or image.isNull() else (image, shares)
        self.update()

    # --- geometry -----------------------------------------------------------------------------

    def picture_rect(self) -> QRectF:
        """Where the picture is, on whole pixels."""
        if self._image.isNull():
            return QRectF(self.rect())
        size = self._image.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
        left, top = (self.width() - size.width()) // 2, (self.height() - size.height()) // 2
        return QRectF(left, top, size.width(), size.height())

    def part(self, shares: Shares) -> QRectF:
        """Where a part of the frame is."""
        area = self.picture_rect()
        x0, y0, x1, y1 = shares
        return QRectF(
            area.left() + x0 * area.width(),
            area.top() + y0 * area.height(),
            (x1 - x0) * area.width(),
            (y1 - y0) * area.height(),
        )

    def _answer_rect(self) -> QRect:
        """Where the answer is drawn; empty where that may be anywhere on the picture."""
        found = self.answer.answer if self.answer is not None else None
        if isinstance(found, (Boxes, Mask)):
            return QRect()
        return self._panel.place(self.said, self.picture_rect(), self.scale)

    @property
    def scale(self) -> float:
        """How large letters and lines are."""
        height = self.picture_rect().height()
        if self._large:
            return max(1.0, height / LARGE_HEIGHT)
        return min(1.5, max(0.93, height / 560))

    # --- painting -----------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        black = self._large and not self.dimmed and not self._image.isNull()
        ground = QColor("#000000") if black else theme().color("panel")
        area = self.picture_rect()
        self._paint_ground(painter, area, ground)
        drawn = False
        if not self._image.isNull():
            painter.drawImage(area, self._image)
            if self.dimmed:
                shade = QColor(ground)
                shade.setAlphaF(SHADE)
                painter.fillRect(area, shade)
            else:
                drawn = self._paint_answer(painter, area)
        elif not self._large:
            painter.fillRect(area, theme().color("raised"))
        if not self._large:
            _round_corners(painter, area, ground)
        self._paint_signs(painter, area)
        painter.end()
        if drawn:
            self.painted.emit(self.answer)

    def _paint_ground(self, painter: QPainter, area: QRectF, ground: QColor) -> None:
        """What is beside the picture; under it nothing has to be painted."""
        inner = area.toRect()
        whole = self.rect()
        for x, y, width, height in (
            (0, 0, whole.width(), inner.top()),
            (0, inner.bottom() + 1, whole.width(), whole.bottom() - inner.bottom()),
            (0, inner.top(), inner.left(), inner.height()),
            (inner.right() + 1, inner.top(), whole.right() - inner.right(), inner.height()),
        ):
            if width > 0 and height > 0:
                painter.fillRect(QRect(x, y, width, height), ground)

    def _paint_answer(self, painter: QPainter, area: QRectF) -> bool:
        """Whether there was one to draw."""
        scale = self.scale
        painter.setClipRect(area)
        if not self._mask.isNull():
            painter.setOpacity(MASK)
            painter.drawImage(self.part(self.sight or WHOLE), self._mask)
            painter.setOpacity(1.0)
        if self._heat is not None:
            self._paint_heat(painter, *self._heat)
        if self._look.outline and self.sight is not None:
            paint_sight(painter, self.part(self.sight), scale)
        painter.setClipping(False)
        if self.answer is None:
            return False
        if isinstance(self.answer.answer, Boxes):
            paint_boxes(painter, self.answer.answer, area, scale)
        self._panel.paint(painter, self.said, area, scale)
        return True

    def _paint_heat(self, painter: QPainter, image: QImage, shares: Shares) -> None:
        """Made large once, not at every paint."""
        target = self.part(shares).toRect()
        key = (image.cacheKey(), target.size())
        if self._scaled is None or self._scaled[0] != key:
            smooth = Qt.TransformationMode.SmoothTransformation
            large = image.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied).scaled(
                target.size(), Qt.AspectRatioMode.IgnoreAspectRatio, smooth
            )
            self._scaled = (key, large)
        painter.setOpacity(1.0 if image.hasAlphaChannel() else HEAT)
        painter.drawImage(target, self._scaled[1])
        painter.setOpacity(1.0)

    def _paint_signs(self, painter: QPainter, area: QRectF) -> None:
        signs, scale = self.signs, self.scale
        gap = GAP * scale
        right, top = area.right() - gap, area.top() + gap
        for mark in signs.marks:
            width = paint_chip(painter, mark, QPointF(right, top), scale, dot=True, from_right=True)
            right -= width + gap / 2
        if self.dimmed or self._image.isNull():
            return
        if signs.countdown:
            paint_countdown(painter, signs.countdown, area)
        room = right - area.left() - 2 * gap
        if signs.hint or signs.tip:
            corner = QPointF(area.left() + gap, top)
            text, warn = signs.hint or signs.tip, bool(signs.hint)
            paint_chip(painter, text, corner, scale, warn=warn, room=room)
        bottom = area.bottom() - gap - CHIP * scale
        if signs.note and not self.said:
            paint_chip(painter, signs.note, QPointF(area.left() + gap, bottom), scale, room=room)
        if signs.credit:
            self._paint_credit(painter, area, scale, room)

    def _paint_credit(self, painter: QPainter, area: QRectF, scale: float, above: float) -> None:
        """In the lower right corner; where the answer leaves too little room, in that ``above``."""
        small, gap = 0.93 * (min(scale, 2.0) if self._large else 1.0), GAP * scale
        panel = area.left()
        if self.said:
            panel = panel_rect(self.said, area, scale)[0].right()
        elif self.signs.note:
            panel += gap + chip_width(self.signs.note, scale)
        room, wanted = area.right() - panel - 2 * gap, chip_width(self.signs.credit, small)
        top = area.bottom() - gap - CHIP * small
        if wanted <= room or self.signs.hint:
            corner = QPointF(area.right() - gap, top)
            paint_chip(painter, self.signs.credit, corner, small, from_right=True, room=room)
        else:
            under = CHIP * scale + gap / 2 if self.signs.tip else 0.0
            corner = QPointF(area.left() + gap, area.top() + gap + under)
            paint_chip(painter, self.signs.credit, corner, small, room=above)

    # --- events -------------------------------------------------------------------------------

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.double_clicked.emit()


def _round_corners(painter: QPainter, area: QRectF, ground: QColor) -> None:
    """Paint over the corners of the picture, which costs less than a picture with round ones."""
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(ground)
    painter.drawPath(_corners(area.left(), area.top(), area.right(), area.bottom()))


@lru_cache(maxsize=4)
def _corners(left: float, top: float, right: float, bottom: float) -> QPainterPath:
    """What is outside of round corners."""
    corner = QPainterPath(QPointF(-1, -1))
    corner.lineTo(RADIUS, -1)
    corner.lineTo(RADIUS, 0)
    corner.arcTo(QRectF(0, 0, 2 * RADIUS, 2 * RADIUS), 90, 90)
    corner.lineTo(-1, RADIUS)
    corner.closeSubpath()
    path = QPainterPath()
    for x, y, turn in ((left, top, 0), (right, top, 90), (right, bottom, 180), (left, bottom, 270)):
        path.addPath(QTransform.fromTranslate(x, y).rotate(turn).map(corner))
    return path
