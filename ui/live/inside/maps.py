"""Feature maps of any layer of the network that runs, and what excites a channel."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QSizePolicy, QToolTip

from playground.live.inside import InsideView
from playground.messages import Array, PortId
from ui.insight.feature_maps import CAPTION_HEIGHT, FeatureMaps, as_maps
from ui.insight.node_chooser import NodeChooser
from ui.insight.ticks import number
from ui.live.desk import Desk
from ui.live.inside.channels import ChannelView
from ui.live.inside.layers import Layers
from ui.live.inside.section import Section
from ui.live.inside.why import USUAL
from ui.theme import theme
from ui.widgets import ElidedLabel, IconButton, label

SHOWN = 32
SETTLE_S = 2.0
"""Seconds for which the order of the strongest stays, so that maps can be followed."""
LEAST, MOST = 96, 320
STRENGTH = 3


class ChannelMaps(FeatureMaps):
    """The mosaic with the strength of each channel under its map. ``opened`` carries a channel."""

    opened = Signal(int)
    caption = "Click a map to see what excites its channel most."

    def __init__(self) -> None:
        super().__init__()
        self._channels: tuple[int, ...] = ()
        self._strengths: dict[int, float] = {}
        self._current = 0
        self._size = QSize(USUAL, USUAL // 2 + CAPTION_HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    @property
    def channels(self) -> tuple[int, ...]:
        """Whose maps are shown, in their order."""
        return self._channels

    def show_channels(
        self, maps: Array, channels: Sequence[int], strengths: dict[int, float], *, fresh: bool
    ) -> None:
        self._channels, self._strengths = tuple(channels), strengths
        self._current = min(self._current, max(0, len(self._channels) - 1))
        self.show_maps(maps, fresh=fresh)

    def strength(self, index: int) -> float:
        """Of a map's channel, as a share of the strongest."""
        most = max(self._strengths.values(), default=0.0)
        found = self._strengths.get(self._channels[index], 0.0)
        return max(0.0, found / most) if most > 0 else 0.0

    def sizeHint(self) -> QSize:
        return self._size

    def resizeEvent(self, event: QResizeEvent) -> None:
        height = min(MOST, max(LEAST, self.width() // 2)) + CAPTION_HEIGHT
        if height != self._size.height():
            self._size = QSize(USUAL, height)
            self.updateGeometry()
        super().resizeEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self._channels or not len(self.maps):
            return
        painter = QPainter(self)
        painter.setPen(Qt.PenStyle.NoPen)
        bar = QColor("#FFFFFF")
        bar.setAlpha(210)
        for index in range(min(len(self._channels), len(self.maps))):
            place = self.place_of(index)
            width = place.width() * self.strength(index)
            if width >= 1:
                top = place.bottom() - STRENGTH + 1
                painter.fillRect(QRectF(place.left(), top, width, STRENGTH - 1), bar)
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(theme().color("accent"), 2))
            painter.drawRect(self.place_of(self._current).adjusted(1, 1, -1, -1))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        index = self.map_at(event.position().x(), event.position().y())
        if index is not None and index < len(self._channels):
            self._current = index
            self.opened.emit(self._channels[index])

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        index = self.map_at(event.position().x(), event.position().y())
        if index is None or index >= len(self._channels):
            QToolTip.hideText()
            return
        QToolTip.showText(event.globalPosition().toPoint(), self._described(index), self)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {
            Qt.Key.Key_Left: -1,
            Qt.Key.Key_Right: 1,
            Qt.Key.Key_Up: -self.columns,
            Qt.Key.Key_Down: self.columns,
        }
        step = steps.get(Qt.Key(event.key()))
        if step is not None and self._channels:
            self._current = min(len(self._channels) - 1, max(0, self._current + step))
            self.setAccessibleDescription(self._described(self._current))
            self.update()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            if self._channels:
                self.opened.emit(self._channels[self._current])
        else:
            event.ignore()

    def _described(self, index: int) -> str:
        channel = self._channels[index]
        mean = self._strengths.get(channel)
        return f"channel {channel + 1}" + ("" if mean is None else f" · mean {number(mean)}")


class MapsSection(Section):
    """The mosaic under a list of the layers. ``wish_changed``: other values are wanted."""

    wish_changed = Signal()

    def __init__(self, desk: Desk) -> None:
        super().__init__("maps", "Feature maps")
        self._desk = desk
        self._layers = Layers()
        self._first, self._sorted_at = 0, 0.0
        self._order: tuple[int, ...] | None = None
        self._fresh = True
        self.chooser = NodeChooser("Layer whose maps are shown")
        self.chooser.setToolTip("The layer whose maps are shown; the page Network lists them too")
        self.chooser.setMaximumWidth(200)
        policy = QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        self.chooser.setSizeAdjustPolicy(policy)
        self.chooser.setMinimumContentsLength(18)
        self.chooser.port_changed.connect(self._port_chosen)
        self.head.addWidget(self.chooser)
        self.maps = ChannelMaps()
        self.maps.opened.connect(self.open_channel)
        self.note = label("", "small", wrap=True)
        self.note.setVisible(False)
        self.count = ElidedLabel("", "small")
        self.strongest = IconButton("gauge", "The strongest channels first")
        self.strongest.setCheckable(True)
        self.strongest.setChecked(True)
        self.strongest.toggled.connect(self._turn)
        self.back = IconButton("chevron-left", "The channels before")
        self.on = IconButton("chevron-right", "The next channels")
        self.back.clicked.connect(self._page_back)
        self.on.clicked.connect(self._page_on)
        self.foot = QHBoxLayout()
        self.foot.setSpacing(2)
        self.foot.addWidget(self.count, 1)
        for button in (self.back, self.on, self.strongest):
            self.foot.addWidget(button)
        self.channel = ChannelView(desk)
        self.channel.closed.connect(self._close_channel)
        self.channel.setVisible(False)
        self.rows.setSpacing(4)
        for widget in (self.maps, self.note):
            self.rows.addWidget(widget)
        self.rows.addLayout(self.foot)
        self.rows.addWidget(self.channel)
        self._turn_to_maps(True)

    # --- what is wished -----------------------------------------------------------------------

    @property
    def port(self) -> PortId | None:
        return self.chooser.port

    @property
    def channels(self) -> tuple[int, ...] | None:
        """The channels whose maps are wanted; None for the first of them."""
        if not self.channel.isHidden():
            return (self.channel.channel,)
        if self.strongest.isChecked():
            return self._order
        return tuple(range(self._first, self._first + SHOWN))

    def show_layers(self, layers: Layers, chosen: PortId | None) -> None:
        """The layers of the network that runs, and the one that is to be shown."""
        self._layers = layers
        self._forget_channels()
        ports = [port for port, _ in layers.choices]
        self.chooser.blockSignals(True)
        self.chooser.offer(layers.choices, chosen if chosen in ports else layers.telling)
        if chosen in ports:
            self.chooser.setCurrentIndex(ports.index(chosen))
        self.chooser.blockSignals(False)

    def choose(self, port: PortId | None) -> None:
        """Show another layer, as chosen elsewhere."""
        ports = [self.chooser.itemData(index) for index in range(self.chooser.count())]
        if port in ports and port != self.chooser.port:
            self.chooser.setCurrentIndex(ports.index(port))
            self._port_chosen()

    def forget(self) -> None:
        """Another network runs."""
        self._layers = Layers()
        self.chooser.clear()
        self._forget_channels()
        self.maps.show_channels(np.zeros((0, 0, 0), np.float32), (), {}, fresh=True)
        self.count.set_text("")
        self.note.setVisible(False)
        self._turn_to_maps(True)

    @Slot()
    def _port_chosen(self) -> None:
        self._forget_channels()
        self.wish_changed.emit()

    def _forget_channels(self) -> None:
        self._order, self._first, self._fresh = None, 0, True
        self.channel.end()
        self._turn_to_maps(True)

    @Slot()
    def _turn(self) -> None:
        self._show_buttons()
        self._fresh = True
        self.wish_changed.emit()

    @Slot()
    def _page_back(self) -> None:
        self._first = max(0, self._first - SHOWN)
        self._turn()

    @Slot()
    def _page_on(self) -> None:
        self._first += SHOWN
        self._turn()

    # --- a channel ----------------------------------------------------------------------------

    @Slot(int)
    def open_channel(self, channel: int) -> None:
        """Show what excites a channel most."""
        port = self.chooser.port
        if port is not None:
            self._turn_to_maps(False)
            self.channel.open(port, channel, self._layers.name(port))
            self.wish_changed.emit()

    @Slot()
    def _close_channel(self) -> None:
        self._turn_to_maps(True)
        self._fresh = True
        self.maps.setFocus(Qt.FocusReason.OtherFocusReason)
        self.wish_changed.emit()

    def _turn_to_maps(self, maps: bool) -> None:
        self.channel.setVisible(not maps)
        self.maps.setVisible(maps)
        self.count.setVisible(maps)
        self.strongest.setVisible(maps and bool(self.maps.channels))
        self._show_buttons()

    # --- what was seen ------------------------------------------------------------------------

    def show_view(self, view: InsideView | None) -> None:
        if view is None or view.maps is None or view.port is None:
            problem = view.problem if view is not None else ""
            self.maps.setVisible(not problem and self.channel.isHidden())
            self.note.setText(problem[:1].upper() + problem[1:])
            self.note.setVisible(bool(problem))
            return
        if view.port != self.chooser.port:
            return  # of the layer that was chosen before
        self.note.setVisible(False)
        self.maps.setVisible(self.channel.isHidden())
        maps = _maps(view.maps)
        channels = view.channels or tuple(range(len(maps)))
        if not self.channel.isHidden():
            if channels[:1] == (self.channel.channel,):
                self.channel.show_map(maps[0], dict(view.strongest).get(channels[0]))
            elif self.channel.channel < len(channels) and not view.channels:
                self.channel.show_map(maps[self.channel.channel], None)
            return
        strengths = dict(view.strongest)
        self.maps.show_channels(maps[:SHOWN], channels[:SHOWN], strengths, fresh=self._fresh)
        self._fresh = False
        self._tell(view, maps, channels[:SHOWN])
        if view.channels and self.strongest.isChecked():
            self._sort(view)

    def _sort(self, view: InsideView) -> None:
        """Bring the strongest to the front, now and then."""
        now = time.monotonic()
        if self._order is None or now - self._sorted_at > SETTLE_S:
            self._sorted_at = now
            order = tuple(channel for channel, _ in view.strongest[:SHOWN])
            if order != self._order:
                self._order = order
                self.wish_changed.emit()

    def _tell(self, view: InsideView, maps: Array, channels: Sequence[int]) -> None:
        total = view.channel_count or len(maps)
        size = self._layers.size(view.port) if view.port is not None else ""
        which = f"{len(channels)} of {total}"
        if not self.strongest.isChecked() and channels and total > SHOWN:
            which = f"{channels[0] + 1}–{channels[-1] + 1} of {total}"
        self.count.set_text(" · ".join(part for part in (which, size) if part))
        self._first = self._first if self._first < total else 0
        self.strongest.setVisible(True)
        self._show_buttons(total)

    def _show_buttons(self, total: int = 0) -> None:
        paged = not self.strongest.isChecked() and self.channel.isHidden()
        for button in (self.back, self.on):
            button.setVisible(paged and (total > SHOWN or self._first > 0))
        self.back.setEnabled(self._first > 0)
        self.on.setEnabled(self._first + SHOWN < total)


def _maps(values: Array) -> Array:
    """C×H×W; of a vector, a map of one value each."""
    return np.asarray(values)[:, None, None] if values.ndim == 1 else as_maps(values)
