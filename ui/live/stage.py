"""The live picture with the answer over it."""

from __future__ import annotations

from PySide6.QtCore import QTimer, Slot
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QStackedLayout, QVBoxLayout, QWidget

from playground.answers import Classes
from playground.capture import Camera, cameras
from playground.live.settings import LiveAnswer
from ui.data.record.devices import CLIP, DeviceRow
from ui.data.record.notice import StageNotice
from ui.data.record.preview import LivePicture, Preview
from ui.insight.answer_view import AnswerBars
from ui.live.desk import Desk
from ui.widgets import Button

TICK_MS = 33


class Stage(QWidget):
    """What the camera sees now, what the network says to it, or a sentence why there is nothing."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self._preview = Preview()
        self._build()
        self._timer = QTimer(self)
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self._tick)
        desk.answered.connect(self._answered)
        desk.status_changed.connect(self._tell)
        desk.running_changed.connect(self._tell)
        desk.chosen_changed.connect(self._chosen)
        self._camera: Camera | None = None
        self._chosen()

    def _build(self) -> None:
        self.devices = DeviceRow("Camera", cameras, (("The bundled clip", self._take_clip),))
        self.devices.address_changed.connect(self._desk.set_address)
        self.devices.listed.connect(self._listed)
        self.what = QComboBox()
        self.what.setAccessibleName("What recognises")
        self.what.activated.connect(self._choose)
        self.toggle = Button("Start live", "play")
        self.toggle.clicked.connect(self._desk.toggle)
        top = QHBoxLayout()
        for widget in (self.what, self.devices, self.toggle):
            top.addWidget(widget)
        self.picture = LivePicture()
        self.notice = StageNotice()
        self.bars = AnswerBars()
        middle = QWidget()
        layers = QStackedLayout(middle)
        layers.setStackingMode(QStackedLayout.StackingMode.StackAll)
        layers.addWidget(self.notice)
        layers.addWidget(self.picture)
        column = QVBoxLayout(self)
        column.addLayout(top)
        column.addWidget(middle, 1)
        column.addWidget(self.bars)

    @Slot()
    def _chosen(self) -> None:
        self.what.clear()
        for choice in self._desk.choices:
            self.what.addItem(choice.title, choice.id)
        self.what.setCurrentIndex(self.what.findData(self._desk.chosen.id))

    @Slot()
    def _choose(self) -> None:
        self._desk.choose(str(self.what.currentData()))

    @Slot()
    def _listed(self) -> None:
        if not self._desk.address:
            devices = self.devices.devices
            self.devices.take(devices[0].address if devices else CLIP)

    @Slot()
    def _take_clip(self) -> None:
        self.devices.take(CLIP)

    @Slot(object)
    def _answered(self, answer: LiveAnswer) -> None:
        if isinstance(answer.answer, Classes):
            self.bars.show_answers(answer.answer.answers)
        self._desk.painted(answer)

    @Slot()
    def _tell(self) -> None:
        self.toggle.setText("Stop live" if self._desk.running else "Start live")
        status = self._desk.status
        self.notice.say("" if status.state == "running" else status.message, ())

    @Slot()
    def _tick(self) -> None:
        camera = self._desk.device if isinstance(self._desk.device, Camera) else None
        if camera is not self._camera:
            self._camera = camera
            self._preview.stop()
            if camera is not None:
                self._preview.start(camera)
        self._preview.size = self.picture.pixels()
        image = self._preview.take()
        if image is not None:
            self.picture.show_image(image)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._timer.start()
        if not self.devices.known:
            self.devices.look()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._timer.stop()
        self._preview.stop()
        self._camera = None
