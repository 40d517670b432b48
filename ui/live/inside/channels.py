"""What excites one channel most: its map now, and the samples found so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import (
    QColor,
    QHelpEvent,
    QHideEvent,
    QImage,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QToolTip, QVBoxLayout, QWidget

from playground.capture import Camera
from playground.live.candidates import Candidate, Glimpses
from playground.live.searching import TRAINING_SHARE, Search
from playground.messages import Array, PortId
from ui.insight.colormaps import MAGMA, indexed, levels, qimage
from ui.insight.fetch import Fetch
from ui.insight.ticks import number
from ui.live.desk import NETWORK, Desk
from ui.live.inside.samples import Found, samples_of
from ui.theme import theme
from ui.widgets import Button, ElidedLabel, IconButton, ProgressLine, label

COLUMNS, GAP, RADIUS = 4, 6, 5
NAME = 16
TILE = 64
PATIENCE_S = 5.0
NO_SAMPLES = "There are no samples of this kind to search: record some, or open data with files."


@dataclass(frozen=True, slots=True, eq=False)
class Thumb:
    """A sample: its picture (null where it has none), its strength, and where its maximum is."""

    sample: Candidate
    strength: float
    image: QImage
    place: tuple[float, float] | None = None


class Thumbs(QWidget):
    """Samples in rows, the strongest first, each with a bar of its strength."""

    def __init__(self) -> None:
        super().__init__()
        self.thumbs: tuple[Thumb, ...] = ()
        self.setAccessibleName("Samples that excite the channel most")
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        theme().changed.connect(self.update)

    def show_thumbs(self, thumbs: Sequence[Thumb]) -> None:
        self.thumbs = tuple(thumbs)
        self.setAccessibleDescription(
            ", ".join(f"{one.sample.name} {number(one.strength)}" for one in self.thumbs)
        )
        self._fit()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(280, 120)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._fit()

    def _side(self) -> float:
        return (self.width() - GAP * (COLUMNS - 1)) / COLUMNS

    def _fit(self) -> None:
        rows = -(-len(self.thumbs) // COLUMNS)
        height = max(1, round(rows * (self._side() + NAME + GAP)))
        if height != self.height():
            self.setFixedHeight(height)

    def place_of(self, index: int) -> QRectF:
        """Where the picture of a sample is."""
        row, column = divmod(index, COLUMNS)
        side = self._side()
        return QRectF(column * (side + GAP), row * (side + NAME + GAP), side, side)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        best = max((one.strength for one in self.thumbs), default=0.0)
        for index, thumb in enumerate(self.thumbs):
            place = self.place_of(index)
            self._paint_picture(painter, place, thumb)
            share = max(0.0, thumb.strength / best) if best > 0 else 0.0
            bar = QRectF(place.left(), place.bottom() + 5, place.width(), 3)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme().color("pressed"))
            painter.drawRoundedRect(bar, 1.5, 1.5)
            painter.setBrush(theme().color("accent"))
            bar.setWidth(max(3.0, bar.width() * share))
            painter.drawRoundedRect(bar, 1.5, 1.5)

    def _paint_picture(self, painter: QPainter, place: QRectF, thumb: Thumb) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme().color("raised"))
        painter.drawRoundedRect(place, RADIUS, RADIUS)
        if thumb.image.isNull():
            painter.setPen(theme().color("text2"))
            painter.setFont(theme().font(11.5))
            text = painter.fontMetrics().elidedText(
                thumb.sample.name, Qt.TextElideMode.ElideMiddle, int(place.width()) - 8
            )
            painter.drawText(place, Qt.AlignmentFlag.AlignCenter, text)
            return
        painter.drawImage(place, thumb.image)
        if thumb.place is not None:
            centre = QPointF(
                place.left() + thumb.place[0] * place.width(),
                place.top() + thumb.place[1] * place.height(),
            )
            painter.setBrush(Qt.BrushStyle.NoBrush)
            for colour, width in (("#101216", 3.5), ("#FFFFFF", 1.5)):
                painter.setPen(QPen(QColor(colour), width))
                painter.drawEllipse(centre, 6, 6)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent):
            for index, thumb in enumerate(self.thumbs):
                if self.place_of(index).contains(event.pos()):
                    one = thumb.sample
                    text = f"{one.place} · {one.name} · {number(thumb.strength)}"
                    QToolTip.showText(event.globalPos(), text, self)
                    return True
            QToolTip.hideText()
        return super().event(event)


class MapTile(QWidget):
    """One map, as it is now."""

    def __init__(self) -> None:
        super().__init__()
        self._image = QImage()
        self.setFixedSize(TILE, TILE)
        self.setAccessibleName("The channel's map now")

    def show_map(self, values: Array) -> None:
        low, high = levels(values)
        self._image = indexed(values, min(0.0, low), max(high, 1e-6), MAGMA)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme().color("raised"))
        if not self._image.isNull():
            size = self._image.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
            place = QRectF(0, 0, max(4, size.width()), max(4, size.height()))
            place.moveCenter(QRectF(self.rect()).center())
            painter.drawImage(place, self._image)


class ChannelView(QWidget):
    """A channel's map now, and which samples excite it most, searched beside the answers."""

    closed = Signal()
    _told = Signal()

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self.channel, self._port = 0, ("", "")
        self._search: Search | None = None
        self._waits = False
        self._images: dict[Candidate, QImage] = {}
        self._seen = Glimpses()
        self._what = ""
        self._fetch = Fetch(self)
        self._fetch.done.connect(self._begin)
        self._fetch.failed.connect(self._say)
        self._told.connect(self._advance, Qt.ConnectionType.QueuedConnection)
        self._build()
        desk.answered.connect(self._glimpse)
        desk.session.closing.connect(self._close_for_good)

    def _build(self) -> None:
        self.back = IconButton("arrow-left", "Back to all maps (Escape)")
        self.back.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.back.clicked.connect(self.close_channel)
        self.title, self.now = ElidedLabel("", "title"), ElidedLabel("", "small")
        self.tile = MapTile()
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self.title, 1, Qt.AlignmentFlag.AlignBottom)
        words.addWidget(self.now, 1, Qt.AlignmentFlag.AlignTop)
        head = QHBoxLayout()
        head.setSpacing(10)
        head.addWidget(self.back, 0, Qt.AlignmentFlag.AlignVCenter)
        head.addWidget(self.tile)
        head.addLayout(words, 1)
        self.progress = ProgressLine(3)
        self.state = label("", "small", wrap=True)
        self.button = Button("Stop")
        self.button.clicked.connect(self._pressed)
        line = QHBoxLayout()
        line.addWidget(self.state, 1)
        line.addWidget(self.button, 0, Qt.AlignmentFlag.AlignTop)
        self.thumbs = Thumbs()
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("What excites a channel")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(head)
        column.addWidget(self.progress)
        column.addLayout(line)
        column.addWidget(self.thumbs)

    # --- what is searched ---------------------------------------------------------------------

    def open(self, port: PortId, channel: int, name: str) -> None:
        """Search for what excites ``channel`` at ``port`` most."""
        self._port, self.channel = port, channel
        self.title.set_text(f"Channel {channel + 1} of {name}")
        self.now.set_text("")
        self.thumbs.show_thumbs(())
        self.setFocus(Qt.FocusReason.OtherFocusReason)
        self.start()

    @Slot()
    def start(self) -> None:
        """Search, from the first sample on."""
        self.end()
        self._images.clear()
        self.state.setText("Samples are being looked for …")
        self.button.setVisible(False)
        session, chosen, seen = self._desk.session, self._desk.chosen, self._seen.all()
        folder = session.files if session.is_open else None
        files = session.dataset.files if session.dataset is not None else ()
        data = session.dataset if chosen.id == NETWORK else None
        self._fetch.start(lambda: samples_of(chosen.medium, folder, files, data, seen))

    @Slot(object)
    def _glimpse(self, answer: object) -> None:
        device = self._desk.device
        frame = device.frame() if isinstance(device, Camera) else None
        if frame is not None:
            self._seen.put(frame.pixels)

    def end(self) -> None:
        """Search no further; what was found stays."""
        self._fetch.cancel()
        search, self._search = self._search, None
        if search is not None:
            search.close(0)

    @Slot(object)
    def _begin(self, found: Found) -> None:
        desk, recognition = self._desk, self._desk.recognition
        inside = recognition.inside if recognition is not None else None
        if not (inside or desk.with_training) or not self.isVisible():
            return
        if not found.samples:
            self._say(NO_SAMPLES)
            return
        self._what = found.what
        asked = (self._port, self.channel, found.samples, self._search_told)
        if inside is not None:
            self._search = inside.search(*asked)
        else:  # as the network is now, while it learns on
            self._search = Search(desk.session.worker.copied(), *asked, TRAINING_SHARE)
        self._search.start()
        self._advance()

    def _search_told(self) -> None:
        """In the thread that searches."""
        if not self._waits:
            self._waits = True
            try:
                self._told.emit()
            except RuntimeError:
                return  # the window was closed meanwhile

    @Slot()
    def _advance(self) -> None:
        self._waits = False
        search = self._search
        if search is None:
            return
        if search.problem:
            self._say(f"{search.problem[:1].upper()}{search.problem[1:]}.")
            return
        found, raw = search.found, search.raw
        images = {}
        for one in found:
            known = self._images.get(one.key)
            images[one.key] = known if known is not None else picture(raw.get(one.key))
        self._images = images
        self.thumbs.show_thumbs([Thumb(o.key, o.strength, images[o.key], o.place) for o in found])
        self.progress.set_value(search.done / max(1, search.total))
        self.progress.setVisible(not search.finished)
        skipped = f", {search.skipped} cannot be read" if search.skipped else ""
        if search.finished:
            self.state.setText(f"The strongest of {search.total} {self._what}{skipped}.")
        else:
            self.state.setText(f"{search.done} of {search.total} {self._what}{skipped}")
        self.button.setText("Search again" if search.finished else "Stop")
        self.button.setVisible(not search.finished)

    @Slot()
    def _pressed(self) -> None:
        search = self._search
        if search is not None and not search.finished:
            self.end()
            self.progress.setVisible(False)
            self.state.setText(f"Stopped after {search.done} of {search.total} {self._what}.")
            self.button.setText("Search again")
        else:
            self.start()

    @Slot(str)
    def _say(self, text: str) -> None:
        self.progress.setVisible(False)
        self.button.setVisible(False)
        self.state.setText(text)

    # --- what is seen -------------------------------------------------------------------------

    def show_map(self, values: Array, strength: float | None) -> None:
        """The channel's map now; ``strength`` is its mean, where that is known."""
        self.tile.show_map(values)
        mean = float(np.mean(values)) if strength is None else strength
        self.now.set_text(f"mean now {number(mean)}")

    @Slot()
    def close_channel(self) -> None:
        self.end()
        self.closed.emit()

    @Slot()
    def _close_for_good(self) -> None:
        search, self._search = self._search, None
        self._fetch.cancel()
        self._seen.close(PATIENCE_S)
        if search is not None:
            search.close(PATIENCE_S)

    def hideEvent(self, event: QHideEvent) -> None:
        """Nobody looks: give the time back."""
        super().hideEvent(event)
        search = self._search
        if search is not None and not search.finished:
            self._pressed()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.close_channel()
        else:
            super().keyPressEvent(event)


def picture(raw: Array | None) -> QImage:
    """A sample as the network is given it, as a picture; null for what is none."""
    if raw is None or raw.ndim not in (3, 4):
        return QImage()
    pixels = raw[-1] if raw.ndim == 4 else raw
    if pixels.shape[0] not in (1, 3):
        return QImage()
    if pixels.dtype != np.uint8:
        low, high = levels(pixels)
        pixels = ((pixels - low) / max(high - low, 1e-6) * 255).astype(np.uint8)
    return qimage(pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0))
