"""The live picture with the answer over it, what it comes from, and what is done with it."""

from __future__ import annotations

import time

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtGui import QHideEvent, QKeyEvent, QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from playground.capture import Camera, cameras
from playground.console import size
from playground.live.settings import LiveAnswer
from ui.data.record.camera import CLIPS, CREDIT
from ui.data.record.devices import CLIP, DeviceRow
from ui.data.record.notice import StageNotice
from ui.data.record.preview import Preview
from ui.live.desk import Desk
from ui.live.notices import Said, State, said
from ui.live.picture import WHOLE, LiveView, Look, Shares, Signs
from ui.live.snapshot import Keeper
from ui.live.whole_screen import WholeScreen
from ui.settings import settings
from ui.widgets import IconButton

TELL_MS = 200
LOOK_S = 10.0
NO_CAMERA = "No camera was found: the bundled clip plays in its place"
MOST = 10
ROW = 40


class Stage(QWidget):
    """What the camera sees now, what the network says to it, or a sentence why there is nothing.

    Frames are made small in a thread of their own, which tells when one is there; answers are
    painted the moment they come.
    """

    _arrived = Signal()

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self.setAccessibleName("Stage")
        self.look = Look(most=_restored_most())
        self.keeper = Keeper(desk, self.look)
        self._preview = Preview(self._frame_there)
        self._camera: Camera | None = None
        self._waits = self._seen = self._clip_stands_in = False
        self._looked = time.monotonic()
        self.answer: LiveAnswer | None = None
        self._whole: WholeScreen | None = None
        self._said = Said()
        self._build()
        self._shortcuts()
        self._timer = QTimer(self)
        self._timer.setInterval(TELL_MS)
        self._timer.timeout.connect(self._tell)
        self._arrived.connect(self._frame, Qt.ConnectionType.QueuedConnection)
        desk.answered.connect(self._answered)
        for signal in (desk.status_changed, desk.settings_changed, desk.marked):
            signal.connect(self._tell)
        desk.heat_changed.connect(self._show_heat)
        desk.running_changed.connect(self._tell)
        desk.chosen_changed.connect(self._chosen)
        self.keeper.changed.connect(self._tell)
        self._chosen()

    # --- building -----------------------------------------------------------------------------

    def _build(self) -> None:
        self.view = LiveView(self.look)
        self.view.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.view.double_clicked.connect(self.toggle_whole)
        self.view.painted.connect(self._painted)
        self.notice = StageNotice()
        self.notice.chosen.connect(self._way_out)
        middle = QWidget()
        layers = QStackedLayout(middle)
        layers.setStackingMode(QStackedLayout.StackingMode.StackAll)
        layers.addWidget(self.notice)
        layers.addWidget(self.view)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 0, 8, 8)
        column.setSpacing(0)
        column.addWidget(self._row())
        column.addWidget(middle, 1)

    def _row(self) -> QWidget:
        self.devices = DeviceRow(
            "Camera",
            cameras,
            (
                ("Clip …", self._choose_clip),
                ("Folder of pictures …", self._choose_folder),
                ("Stream address …", self._choose_stream),
                ("The bundled clip", self._take_clip),
            ),
        )
        self.devices.box.setMaximumWidth(260)
        self.devices.address_changed.connect(self._desk.set_address)
        self.devices.listed.connect(self._listed)
        self.mirror = QCheckBox("Mirror")
        self.mirror.setToolTip("Show and recognise the picture as in a mirror")
        self.mirror.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.mirror.toggled.connect(self._desk.set_mirror)
        self.most = QComboBox()
        for most in range(1, MOST + 1):
            self.most.addItem(f"Top {most}", most)
        self.most.setCurrentIndex(self.look.most - 1)
        self.most.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.most.setAccessibleName("How many classes are shown")
        self.most.setToolTip("How many classes are shown over the picture")
        self.most.currentIndexChanged.connect(self._set_most)
        self.outline = IconButton("target", "Outline what the network sees")
        self.outline.setCheckable(True)
        self.outline.toggled.connect(self._set_outline)
        self.snapshot = IconButton("image", "Keep this picture (S)")
        self.snapshot.clicked.connect(self.keeper.take_picture)
        self.record = IconButton("record", "Record a film (R)")
        self.record.clicked.connect(self.keeper.toggle_film)
        self.whole = IconButton("maximise", "Full screen (F)")
        self.whole.clicked.connect(self.toggle_whole)
        bar = QWidget()
        bar.setFixedHeight(ROW)
        row = QHBoxLayout(bar)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.devices, 1)
        row.addWidget(self.mirror)
        row.addWidget(self.most)
        buttons = QHBoxLayout()
        buttons.setSpacing(2)
        for button in (self.outline, self.snapshot, self.record, self.whole):
            buttons.addWidget(button)
        row.addLayout(buttons)
        return bar

    def _shortcuts(self) -> None:
        for key, slot in (
            ("S", self.keeper.take_picture),
            ("R", self.keeper.toggle_film),
            ("F", self.toggle_whole),
        ):
            shortcut = QShortcut(QKeySequence(key), self)
            shortcut.setAutoRepeat(False)
            shortcut.activated.connect(slot)

    # --- what is chosen -----------------------------------------------------------------------

    @Slot()
    def _chosen(self) -> None:
        if self._desk.chosen.medium != "pictures":
            return
        self.devices.choose(self._desk.address)
        self.most.setVisible(self._desk.chosen.kind != "detector")
        self._show_answer(None)
        self._tell()

    @Slot()
    def _listed(self) -> None:
        """The first camera where none was chosen; where there is none, the clip until there is."""
        desk, devices = self._desk, self.devices.devices
        if self.isVisible() and devices and (self._stands_in or not desk.address):
            self._clip_stands_in = False
            self.devices.take(devices[0].address)
        elif self.isVisible() and not desk.address:
            desk.set_address(CLIP, keep=False)
            self._clip_stands_in = True
        self._tell()

    @property
    def _stands_in(self) -> bool:
        """Whether the clip plays because there is no camera."""
        return self._clip_stands_in and self._desk.address == CLIP

    @Slot()
    def _take_clip(self) -> None:
        self._clip_stands_in = False
        self.devices.take(CLIP)

    @Slot()
    def _choose_clip(self) -> None:
        name = QFileDialog.getOpenFileName(self, "A clip in place of a camera", "", CLIPS)[0]
        if name:
            self.devices.take(name)

    @Slot()
    def _choose_folder(self) -> None:
        name = QFileDialog.getExistingDirectory(self, "Pictures in place of a camera")
        if name:
            self.devices.take(name)

    @Slot()
    def _choose_stream(self) -> None:
        self.devices.ask_address(
            "Stream in place of a camera", "Address of an RTSP or HTTP (MJPEG) stream:"
        )

    @Slot(str)
    def _way_out(self, way: str) -> None:
        desk = self._desk
        if way == "clip":  # the camera is wanted again the next time
            desk.set_address(CLIP, keep=False)
            return
        {"start": desk.start, "stop": desk.stop, "download": desk.download}.get(way, desk.again)()

    @Slot(int)
    def _set_most(self, index: int) -> None:
        self.look.most = most = index + 1
        settings().setValue("live/most", most)
        self._look_changed()

    @Slot(bool)
    def _set_outline(self, outline: bool) -> None:
        self.look.outline = outline
        self._look_changed()

    def _look_changed(self) -> None:
        for view in self._views():
            view.say()

    @Slot()
    def _show_heat(self) -> None:
        """What the panel Inside lays over the picture."""
        for view in self._views():
            view.set_heat(*(self._desk.heat or (None, WHOLE)))

    # --- frames and answers -------------------------------------------------------------------

    def _views(self) -> list[LiveView]:
        return [self.view] if self._whole is None else [self.view, self._whole.view]

    @property
    def _shown(self) -> LiveView:
        """The view that a person looks at."""
        return self.view if self._whole is None else self._whole.view

    def _frame_there(self) -> None:
        """In the preview's thread: one event for the main thread, however many frames."""
        if not self._waits:
            self._waits = True
            try:
                self._arrived.emit()
            except RuntimeError:
                return  # the window was closed meanwhile

    @Slot()
    def _frame(self) -> None:
        self._waits = False
        image = self._preview.take()
        if image is not None:
            if not self._seen:
                self._seen = True
                self._tell()
            self._shown.show_image(image)

    @Slot(object)
    def _answered(self, answer: LiveAnswer) -> None:
        """Paint it now, over the newest frame that is ready."""
        if self.isVisible():
            self._frame()
            first = self.answer is None
            self._show_answer(answer)
            if first:
                self._tell()

    def _show_answer(self, answer: LiveAnswer | None) -> None:
        self.answer = answer
        self._shown.show_answer(answer)

    @Slot(object)
    def _painted(self, answer: LiveAnswer) -> None:
        """The view behind the whole screen may paint an answer of before: that is no news."""
        if answer is self.answer:
            self._desk.painted(answer)

    def _follow_device(self) -> None:
        """Look through the camera that is open now."""
        device = self._desk.device
        camera = device if isinstance(device, Camera) and self.isVisible() else None
        if camera is not self._camera:
            self._camera, self._seen = camera, False
            self._preview.stop()
            if self.keeper.filming and camera is None:
                self.keeper.stop_film()
            if camera is not None:
                self._preview.start(camera)
        self._preview.size = self._shown.pixels()

    def _part_seen(self) -> Shares | None:
        """Which part of the frame the network sees."""
        desk, camera = self._desk, self._camera
        frame = camera.frame() if camera is not None else None
        if frame is None:
            return None
        size = (frame.pixels.shape[0], frame.pixels.shape[1])
        if desk.recognition is not None and desk.recognition.answers is not None:
            return desk.recognition.answers.part_seen(size)
        dataset = desk.session.dataset
        if desk.with_training and dataset is not None:
            from playground.live.intake import live_input, part_taken

            return part_taken(live_input(dataset), size)
        return None

    # --- what is said -------------------------------------------------------------------------

    def _state(self) -> State:
        desk, device = self._desk, self._desk.device
        network = desk.recognition.status if desk.recognition is not None else None
        failed = desk.status if device is None and desk.status.state == "failed" else None
        address, loading = desk.address, desk.downloading
        return State(
            desk.running,
            address,
            self.devices.named(address),
            device.status if device is not None else None,
            network,
            desk.chosen,
            seen=self._seen,
            answered=desk.answer is not None,
            downloading=self._downloading(),
            refused=loading.problem if loading.download == desk.chosen.download else "",
            problem=failed.message if failed is not None else "",
        )

    def _downloading(self) -> str:
        downloading = self._desk.downloading
        if not downloading.running:
            return ""
        return f"Downloading: {size(downloading.there)} of {size(downloading.whole)}"

    @Slot()
    def _tell(self) -> None:
        """Say how things are, five times a second and whenever that changes."""
        if not self.isVisible() or self._desk.chosen.medium != "pictures":
            return
        self._follow_device()
        desk = self._desk
        if self.devices.address != desk.address:
            self.devices.choose(desk.address)
        if self.mirror.isChecked() != desk.mirror:
            self.mirror.blockSignals(True)
            self.mirror.setChecked(desk.mirror)
            self.mirror.blockSignals(False)
        self._said = found = said(self._state())
        marks = tuple(filter(None, (desk.mark, self.keeper.mark)))
        credit = CREDIT if desk.address == CLIP else ""
        tip = self._whole.said if self._whole is not None else ""
        tip = tip or self._told_of_none()
        signs = Signs(marks, found.hint, tip, found.note, credit, desk.countdown)
        if desk.colours != self.look.colours:
            self.look.colours = desk.colours
            self._look_changed()
        notices = [self.notice] if self._whole is None else [self.notice, self._whole.notice]
        for notice in notices:
            notice.say(found.text, found.ways) if found.text else notice.clear()
        for view in self._views():
            view.set_dimmed(found.dimmed)
            view.set_sight(self._part_seen())
            view.show_signs(signs)
        self._show_filming()

    def _told_of_none(self) -> str:
        """Where there is no camera: that it is so; one is looked for now and then, but does not
        come into the middle of a recording."""
        if not self._stands_in:
            return ""
        records = self._desk.mark or self.keeper.mark
        if time.monotonic() - self._looked > LOOK_S and not records:
            self._looked = time.monotonic()
            self.devices.look_quietly()
        return NO_CAMERA

    def _show_filming(self) -> None:
        filming = bool(self.keeper.mark)
        self.record.set_icon("record", "bad" if filming else "text2")
        text = "End the film (R)" if filming else "Record a film (R)"
        self.record.setToolTip(text)
        self.record.setAccessibleName(text)

    # --- the whole screen ---------------------------------------------------------------------

    @Slot()
    def toggle_whole(self) -> None:
        if self._whole is not None:
            self._whole.close()
            return
        self._whole = WholeScreen(self.look, self)
        self._whole.left.connect(self._whole_left)
        self._whole.pressed.connect(self._pressed)
        self._whole.notice.chosen.connect(self._way_out)
        self._desk.session.notice.connect(self._whole.hear)
        self._whole.view.painted.connect(self._painted)
        self._whole.view.show_image(self.view.image)
        self._whole.view.show_answer(self.answer)
        self._show_heat()
        self._whole.open_on(self)
        self._tell()

    @Slot()
    def _whole_left(self) -> None:
        if self._whole is not None:
            image, self._whole = self._whole.view.image, None
            self.view.show_image(image)
            self.view.show_answer(self.answer)
            self._tell()

    @Slot(int)
    def _pressed(self, key: int) -> None:
        keys = {
            Qt.Key.Key_Space: self._desk.toggle,
            Qt.Key.Key_F8: self._desk.toggle,
            Qt.Key.Key_S: self.keeper.take_picture,
            Qt.Key.Key_R: self.keeper.toggle_film,
            Qt.Key.Key_F: self.toggle_whole,
        }
        slot = keys.get(Qt.Key(key))
        if slot is not None:
            slot()

    # --- events -------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space:
            self._desk.toggle()
        else:
            super().keyPressEvent(event)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._timer.start()
        if self.devices.known:
            self._listed()
        else:
            self.devices.look()
            self._tell()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._timer.stop()
        self._preview.stop()
        self._camera = None
        self.devices.cancel()
        self.keeper.stop_film()
        if self._whole is not None:
            self._whole.close()


def _restored_most() -> int:
    """How many classes were shown the last time."""
    found = str(settings().value("live/most", "3"))
    return min(MOST, max(1, int(found))) if found.isdecimal() else 3
