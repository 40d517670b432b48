"""Recording pictures: the live camera, and what stands in for one."""

from __future__ import annotations

import time
from functools import partial

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QSizePolicy,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from playground.capture import Camera, CameraSettings, cameras, refusal
from ui.data.record.bench import Bench
from ui.data.record.cards import CardWords
from ui.data.record.devices import CLIP, DeviceRow
from ui.data.record.incoming import Put, picture_into
from ui.data.record.notice import StageNotice
from ui.data.record.preview import LivePicture, Preview
from ui.data.record.shooting import Shooting
from ui.data.record.thumbnails import picture
from ui.session import Session
from ui.settings import settings
from ui.widgets import ElidedLabel, label

WORDS = CardWords("Hold to record", "One picture", "image", "Burst after a countdown of 3 s")
EMPTY = ("camera", "Hold the button of a class, or its digit key: pictures appear here at once.")
CREDIT = "Big Buck Bunny © 2008 Blender Foundation · www.bigbuckbunny.org · CC BY 3.0"
CLIPS = "Clips (*.mp4 *.avi *.mov *.mkv *.webm *.m4v *.gif);;All files (*)"
SIZES = ((None, "Best size"), ((320, 240), "320 × 240"), ((640, 480), "640 × 480"),
         ((1280, 720), "1280 × 720"), ((1920, 1080), "1920 × 1080"))  # fmt: skip
RATES = (1, 2, 5, 10, 15, 30)
BURSTS = (5, 10, 20, 50, 100)
RATE_S = 1.0


class CameraBench(Bench):
    """Pictures of a camera. It is open while the bench is seen, and at no other time."""

    source, folder = "camera", "pictures"

    def __init__(self, session: Session) -> None:
        super().__init__(session, WORDS, picture, EMPTY)
        self.camera: Camera | None = None
        self.shooting = Shooting()
        self._preview = Preview()
        self._taken = -1
        self._shown_rate: tuple[float, int, str] = (0.0, 0, "")
        self._cancelled = False
        self.samples.opened.connect(self.samples.open_file)
        self.build(self._stage())
        self._restore()

    # --- building -----------------------------------------------------------------------------

    def _stage(self) -> QWidget:
        self.devices = DeviceRow(
            "Camera",
            cameras,
            (
                ("Clip …", self._choose_clip),
                ("Folder of pictures …", self._choose_folder),
                ("Stream address …", self._choose_stream),
                ("The bundled clip", partial(self._take, CLIP)),
            ),
        )
        self.devices.address_changed.connect(self._chosen)
        self.devices.listed.connect(self._listed)
        self.mirror, self.square = QCheckBox("Mirror"), QCheckBox("Square")
        self.mirror.setToolTip("As in a mirror; samples are saved as they are seen")
        self.square.setToolTip("Only the middle square is seen and saved")
        self.size_box = QComboBox()
        self.size_box.setAccessibleName("Resolution")
        for size, text in SIZES:
            self.size_box.addItem(text, size)
        for box in (self.mirror, self.square):
            box.toggled.connect(self._settings_changed)
        self.size_box.activated.connect(self._settings_changed)
        top = QHBoxLayout()
        top.setSpacing(12)
        top.addWidget(self.devices, 1)
        top.addStretch(0)
        for widget in (self.mirror, self.square, self.size_box):
            widget.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            top.addWidget(widget)
        self.live = LivePicture()
        self.notice = StageNotice()
        self.notice.chosen.connect(self._way_out)
        middle = QWidget()
        layers = QStackedLayout(middle)
        layers.setStackingMode(QStackedLayout.StackingMode.StackAll)
        layers.addWidget(self.notice)
        layers.addWidget(self.live)
        layers.setCurrentWidget(self.notice)
        middle.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        stage = QWidget()
        column = QVBoxLayout(stage)
        column.setContentsMargins(12, 8, 12, 8)
        column.setSpacing(8)
        column.addLayout(top)
        column.addWidget(middle, 1)
        column.addLayout(self._below())
        return stage

    def _below(self) -> QHBoxLayout:
        self.told = ElidedLabel("", "small")
        self.rate = self._choice("Pictures a second", [(n, f"{n} a second") for n in RATES])
        self.burst_size = self._choice("Pictures of a burst", [(n, f"{n} a burst") for n in BURSTS])
        self.rate.activated.connect(self._pace_changed)
        self.burst_size.activated.connect(self._pace_changed)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.told, 1)
        row.addWidget(label("Record", "small"))
        row.addWidget(self.rate)
        row.addWidget(self.burst_size)
        return row

    def _choice(self, name: str, choices: list[tuple[int, str]]) -> QComboBox:
        box = QComboBox()
        box.setAccessibleName(name)
        box.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        for value, text in choices:
            box.addItem(text, value)
        return box

    # --- what is remembered -------------------------------------------------------------------

    def _restore(self) -> None:
        store = settings()
        self._wanted = str(store.value("record/camera", ""))
        for box, key, first in (
            (self.rate, "record/rate", 10),
            (self.burst_size, "record/burst", 20),
        ):
            value = str(store.value(key, first))
            index = box.findData(int(value) if value.isdecimal() else first)
            box.setCurrentIndex(max(0, index))
        self.shooting.rate = float(self.rate.currentData())
        for check, key in ((self.mirror, "record/mirror"), (self.square, "record/square")):
            check.blockSignals(True)
            check.setChecked(str(store.value(key, "false")) == "true")
            check.blockSignals(False)

    @Slot()
    def _pace_changed(self) -> None:
        store = settings()
        store.setValue("record/rate", self.rate.currentData())
        store.setValue("record/burst", self.burst_size.currentData())
        self.shooting.rate = float(self.rate.currentData())

    # --- the camera ---------------------------------------------------------------------------

    def start(self) -> None:
        self._cancelled = False
        address = self._wanted or self.devices.address
        if address:
            self.devices.choose(address)
            self._open()
        if not self.devices.known:
            self.devices.look()

    def stop(self) -> None:
        self.devices.cancel()
        self._close()

    def _close(self) -> None:
        camera, self.camera = self.camera, None
        self._preview.stop()
        if camera is not None:
            camera.close(timeout=0)

    def _open(self) -> None:
        """Open what is chosen, with the settings as they are."""
        self._close()
        self._cancelled = False
        self._taken, self._shown_rate = -1, (0.0, 0, "")
        self.live.show_image(None)
        self.live.set_credit(CREDIT if self.devices.address == CLIP else "")
        width, height = self.size_box.currentData() or (None, None)
        wanted = CameraSettings(
            width=width,
            height=height,
            mirror=self.mirror.isChecked(),
            crop="square" if self.square.isChecked() else "none",
        )
        try:
            self.camera = Camera(self.devices.address, wanted)
        except ValueError as error:
            self.notice.say(refusal(error), (("clip", "Use the bundled clip"),))
            return
        self.camera.start()
        self._preview.start(self.camera)

    @Slot()
    def _listed(self) -> None:
        """The first camera where none was chosen; where there is none, the clip."""
        if not self.isVisible() or self.devices.address:
            return
        devices = self.devices.devices
        self.devices.choose(devices[0].address if devices else CLIP)
        self._open()

    @Slot(str)
    def _chosen(self, address: str) -> None:
        self._wanted = address
        if "@" not in address:  # a password is nobody's business but the camera's
            settings().setValue("record/camera", address)
        self.interrupt()
        self._open()

    @Slot()
    def _settings_changed(self) -> None:
        store = settings()
        store.setValue("record/mirror", "true" if self.mirror.isChecked() else "false")
        store.setValue("record/square", "true" if self.square.isChecked() else "false")
        if self.camera is not None:
            self._open()

    def _take(self, address: str) -> None:
        self.devices.take(address)

    def _choose_clip(self) -> None:
        name = QFileDialog.getOpenFileName(self, "A clip in place of a camera", "", CLIPS)[0]
        if name:
            self._take(name)

    def _choose_folder(self) -> None:
        name = QFileDialog.getExistingDirectory(self, "Pictures in place of a camera")
        if name:
            self._take(name)

    def _choose_stream(self) -> None:
        self.devices.ask_address(
            "Stream in place of a camera", "Address of an RTSP or HTTP (MJPEG) stream:"
        )

    @Slot(str)
    def _way_out(self, what: str) -> None:
        if what == "cancel":
            self._cancelled = True
            self._close()
        elif what == "clip":
            self._take(CLIP)
        else:
            self._open()

    # --- thirty times a second ----------------------------------------------------------------

    def tick(self, now: float) -> None:
        self._preview.size = self.live.pixels()
        image = self._preview.take()
        if image is not None:
            self.live.show_image(image)
        ready = self._show_status()
        self.live.set_dimmed(not ready)
        self.classes.set_ready(ready, "The camera gives no picture.")
        if not ready and self.shooting.active:
            self.interrupt()
        self._record(now)
        self._show_recording(now)

    def _show_status(self) -> bool:
        """Say how the camera does; whether it gives pictures."""
        camera, notice = self.camera, self.notice
        if camera is None:
            if self._cancelled:
                notice.say("The camera is off.", (("again", "Open it"), ("clip", "Bundled clip")))
            elif not self.devices.address:
                notice.say("Looking for cameras …", ())
            self.told.set_text("")
            return False
        status = camera.status
        if status.state == "running" and camera.frame() is not None:
            notice.clear()
            self._tell_rate(camera)
            return True
        self.told.set_text("")
        if status.state in ("opening", "running"):
            said = f"Opening {self.devices.named(self.devices.address)} … {status.seconds:.0f} s"
            slow = " · some drivers take 20 s" if status.seconds > 2 else ""
            notice.say(said + slow, (("cancel", "Cancel"),))
        elif status.state == "reconnecting":
            notice.say(status.message, (("again", "Try now"), ("cancel", "Turn off")))
        elif status.state == "ended":
            notice.say(status.message, (("again", "From the start"), ("clip", "Bundled clip")))
        else:
            notice.say(status.message, (("again", "Try again"), ("clip", "Use the bundled clip")))
        return False

    def _tell_rate(self, camera: Camera) -> None:
        frame = camera.frame()
        assert frame is not None
        since, number, text = self._shown_rate
        if frame.time - since >= RATE_S or not text:
            height, width = frame.pixels.shape[:2]
            text = f"{width} × {height}"
            if since and frame.time > since:
                text += f" · {(frame.number - number) / (frame.time - since):.0f} pictures a second"
            self._shown_rate = (frame.time, frame.number, text)
            self.told.set_text(text)

    def _record(self, now: float) -> None:
        frame = self.camera.frame() if self.camera is not None else None
        if frame is not None and frame.number != self._taken and self.shooting.due(now):
            self._taken = frame.number
            self.library.put_picture(self.shooting.name, frame.pixels)
            self.shooting.took(now)

    def _show_recording(self, now: float) -> None:
        shooting = self.shooting
        name, wait = shooting.name, shooting.countdown(now)
        said = shooting.said(now)
        for card in self.classes.cards:
            card.show_recording(said if card.name == name else "")
        sign = f"{name} {len(self.library.files(name)):,}" if name else ""
        self.live.show_sign(sign, wait)

    # --- recording ----------------------------------------------------------------------------

    def taking_in(self) -> Put:
        return picture_into(self.library)

    def hold(self, name: str) -> None:
        self.shooting.hold(name, time.monotonic())

    def release(self) -> None:
        if self.shooting.left is None:
            self.shooting.stop()

    def once(self, name: str) -> None:
        self.shooting.once(name, time.monotonic())

    def burst(self, name: str) -> None:
        if self.shooting.active:
            self.shooting.stop()
        else:
            self.shooting.burst(name, int(self.burst_size.currentData()), time.monotonic())

    def interrupt(self) -> None:
        self.shooting.stop()
