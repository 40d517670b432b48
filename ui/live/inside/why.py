"""Why the network answers so: heat over what it saw."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QBrush, QImage, QPainter, QPaintEvent, QResizeEvent, QTransform
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QSizePolicy, QWidget

from playground.answers import Classes
from playground.live.inside import InsideView
from ui.insight.answer_view import percent
from ui.live.desk import Desk
from ui.live.inside.heat import aspect, composed, fitted, heat_image, on_frame
from ui.live.inside.section import Section
from ui.settings import settings
from ui.theme import theme
from ui.widgets import ElidedLabel, IconButton, ProgressLine, Segmented, label

RADIUS = 6
USUAL = 292
"""As wide as a narrow window's panel has room for."""
TALLEST = 240
MOST = 8
FIRST = "The first answer"
KINDS = (("gradcam", "Grad-CAM"), ("occlusion", "Occlusion"), ("none", "Off"))
NAMES = dict(KINDS)
WAITING = "The picture comes in a moment."
OFF = "Choose a way to explain the answer: a gradient through the network, or covering parts of it."
SENTENCES = {
    "gradcam": "Bright regions pushed the answer towards {}.",
    "occlusion": "Covering bright regions makes {} less likely.",
}


class HeatPicture(QWidget):
    """What the network saw with heat over it, as high as its proportions ask."""

    def __init__(self) -> None:
        super().__init__()
        self._view: InsideView | None = None
        self._image = QImage()
        self._aspect = 16 / 9
        self._size = QSize(USUAL, round(USUAL / self._aspect))
        self.setAccessibleName("Where the network looks")
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        theme().changed.connect(self.update)

    @property
    def image(self) -> QImage:
        """What is painted; null before the first heat."""
        return self._image

    def show_view(self, view: InsideView | None) -> None:
        self._view = view
        if view is not None and aspect(view) != self._aspect:
            self._aspect = aspect(view)
            self._fit()
        self._compose()

    def sizeHint(self) -> QSize:
        return self._size

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._fit()
        self._compose()

    def _fit(self) -> None:
        """Ask for another height; until there is room for it, nothing is covered."""
        height = min(TALLEST, max(40, round(self.width() / self._aspect)))
        if height != self._size.height():
            self._size = QSize(USUAL, height)
            self.updateGeometry()

    def _compose(self) -> None:
        """Everything that costs time, so that a paint is a copy."""
        ratio = self.devicePixelRatioF()
        size = fitted(self.size() * ratio, self._aspect)
        self._image = QImage() if self._view is None else composed(self._view, size)
        self._image.setDevicePixelRatio(ratio)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        area = QRectF(self.rect())
        if self._image.isNull():
            painter.setBrush(theme().color("raised"))
            painter.drawRoundedRect(area, RADIUS, RADIUS)
            painter.setPen(theme().color("text3"))
            painter.setFont(theme().font(12))
            painter.drawText(area, Qt.AlignmentFlag.AlignCenter, WAITING)
            return
        size = self._image.deviceIndependentSize()
        place = QRectF((area.width() - size.width()) / 2, 0, size.width(), size.height())
        brush, ratio = QBrush(self._image), self.devicePixelRatioF()
        brush.setTransform(
            QTransform.fromTranslate(place.x(), place.y()).scale(1 / ratio, 1 / ratio)
        )
        painter.setBrush(brush)
        painter.drawRoundedRect(place, RADIUS, RADIUS)


class ClassChooser(QComboBox):
    """Which class is explained: the first answer, or one of those that are likely now."""

    class_changed = Signal()

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self.setAccessibleName("The class that is explained")
        self.setToolTip("The class that is explained")
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(8)
        self.activated.connect(self.class_changed)
        self.offer(None)

    @property
    def label(self) -> str | None:
        found: str | None = self.currentData()
        return found

    def offer(self, chosen: str | None) -> None:
        """The likeliest classes, with the one that is chosen."""
        answer = self._desk.answer.answer if self._desk.answer is not None else None
        names = [name for name, _ in answer.answers[:MOST]] if isinstance(answer, Classes) else []
        if chosen is not None and chosen not in names:
            names.insert(0, chosen)
        self.clear()
        self.addItem(FIRST, None)
        for name in names:
            self.addItem(name, name)
        self.setCurrentIndex(0 if chosen is None else 1 + names.index(chosen))

    def showPopup(self) -> None:
        self.offer(self.label)
        super().showPopup()


class WhySection(Section):
    """The picture, a sentence, and what is explained in which way. ``wish_changed``: another heat
    is wanted."""

    wish_changed = Signal()

    def __init__(self, desk: Desk) -> None:
        super().__init__("why", "Why this answer")
        self._desk = desk
        kept = str(settings().value("live/heat", "gradcam"))
        self.kind = Segmented(KINDS, kept if kept in NAMES else "gradcam", "Explain by")
        self.kind.chosen.connect(self._kind_chosen)
        self.large = IconButton("layers", "Lay the heat over the big picture")
        self.large.setCheckable(True)
        self.large.toggled.connect(self._lay)
        self.picture = HeatPicture()
        self.progress = ProgressLine(3)
        self.progress.setAccessibleName("How much of the picture was covered")
        self.sentence = ElidedLabel("", "small")
        self.off = label(OFF, "small", wrap=True)
        self.classes = ClassChooser(desk)
        self.classes.class_changed.connect(self._class_chosen)
        ways = QHBoxLayout()
        ways.setSpacing(8)
        ways.addWidget(self.kind)
        ways.addStretch()
        ways.addWidget(self.large)
        for widget in (self.picture, self.progress, self.sentence, self.off):
            self.rows.addWidget(widget)
        self.rows.addLayout(ways)
        self.rows.addWidget(self.classes)
        self.show_view(None)

    @property
    def heat(self) -> str:
        """What is to be looked at: a kind of heat, "none" where nobody sees it."""
        return self.kind.current() if self.open else "none"

    def forget(self) -> None:
        """Another network runs."""
        self.classes.offer(None)
        self.show_view(None)

    def show_view(self, view: InsideView | None) -> None:
        """Take over what was seen; None: nothing yet."""
        heat = view if view is not None and view.heat is not None else None
        self.picture.show_view(heat)
        share = view.heat_share if view is not None else 1.0
        self.progress.setVisible(share < 1)
        self.progress.set_value(share)
        self._word(view)
        self._lay()

    def _word(self, view: InsideView | None) -> None:
        kind = self.kind.current()
        self._show_parts(view.problem if view is not None and view.heat is None else "")
        text = ""
        if kind != "none" and view is not None and view.heat is not None:
            text = SENTENCES[kind].format(view.label)
            if not view.heat.any():
                text = f"Nothing in this picture speaks for {view.label}."
        if view is not None and view.label and kind != "none":
            self.set_title(f"Why “{_short(view.label)}”")
            self.detail.set_text(percent(view.heat_score))
        else:
            self.set_title("Why this answer")
            self.detail.set_text("")
        self.sentence.set_text(text)
        self.picture.setAccessibleDescription(text)

    @Slot()
    def _lay(self) -> None:
        """Lay the newest heat over the big picture, or take it away."""
        view = self._desk.view
        if not self.large.isChecked() or self.heat == "none" or view is None:
            self._desk.set_heat(None)
        elif view.heat is not None and view.crop is not None and not self._is_old(view):
            part, shares = on_frame(view.heat, view.crop)
            self._desk.set_heat(heat_image(part), shares)
        elif self._is_old(view):
            self._desk.set_heat(None)

    def _is_old(self, view: InsideView) -> bool:
        """Whether heat that took seconds is of something that is not in the picture any more."""
        answer = self._desk.answer.answer if self._desk.answer is not None else None
        if self.heat != "occlusion" or not isinstance(answer, Classes) or self.classes.label:
            return False
        return bool(answer.answers) and answer.answers[0][0] != view.label

    @Slot(str)
    def _kind_chosen(self, kind: str) -> None:
        settings().setValue("live/heat", kind)
        self.show_view(None)
        self.wish_changed.emit()

    def _show_parts(self, problem: str) -> None:
        """The picture, or a sentence why there is none."""
        off = OFF if self.kind.current() == "none" else problem[:1].upper() + problem[1:]
        if off != self.off.text():
            self.off.setText(off)
        self.off.setVisible(bool(off))
        for widget in (self.picture, self.sentence, self.large):
            widget.setVisible(not off)
        chosen = self.kind.current() != "none" and self.classes.label is not None
        self.classes.setVisible(not off or chosen)  # one that is gone can be given up

    @Slot()
    def _class_chosen(self) -> None:
        self.wish_changed.emit()


def _short(name: str) -> str:
    return name if len(name) <= 24 else f"{name[:23]}…"
