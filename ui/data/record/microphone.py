"""Recording sounds: the live microphone, or a sound file in its place."""

from __future__ import annotations

import math
import time
from functools import partial
from pathlib import Path

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtGui import QImage
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from playground.capture import Microphone, microphones, refusal
from ui.data.record.bench import Bench
from ui.data.record.cards import CardWords
from ui.data.record.devices import DeviceRow
from ui.data.record.incoming import Put, sound_into
from ui.data.record.library import NOISE
from ui.data.record.notice import StageNotice
from ui.data.record.player import Player
from ui.data.record.scope import RANGE_DB, Meter, Scope
from ui.data.record.shooting import COUNTDOWN_S, Cutting
from ui.data.record.spectrogram import of_clip
from ui.insight.colormaps import MAGMA, indexed
from ui.session import Session
from ui.settings import settings
from ui.widgets import Button, ProgressLine, label

RATE = 16000
WORDS = CardWords("Hold to record", "One clip", "mic", "Five clips after a countdown of 3 s")
EMPTY = ("mic", "Hold the button of a class, or its digit key: clips appear here at once.")
NOISE_S = 20
TIP = "A class of its own for the room without you: otherwise silence is taken for a word."
LENGTHS = (0.5, 1.0, 2.0, 3.0, 5.0)
BURST = 5
WORD = "sample:speech/yes/awb_00.flac"
SOUNDS = "Sounds (*.wav *.flac *.ogg *.mp3 *.aiff *.aif *.opus);;All files (*)"


def clip_picture(path: Path, side: int) -> QImage:
    """The log-mel spectrogram of a sound file."""
    from playground.data.sound_files import read, resampled

    samples, rate = read(path, seconds=10)
    if not len(samples):
        raise ValueError(f"{path.name} is empty")
    values = of_clip(resampled(samples, rate, RATE), RATE).T[::-1]
    top = float(values.max())
    image = indexed(values, top - RANGE_DB, top, MAGMA).convertToFormat(QImage.Format.Format_RGB32)
    smooth = Qt.TransformationMode.SmoothTransformation
    return image.scaled(QSize(side, side), Qt.AspectRatioMode.IgnoreAspectRatio, smooth)


class MicrophoneBench(Bench):
    """Clips of one length from a microphone. It is open while the bench is seen."""

    source, folder = "microphone", "sounds"

    def __init__(self, session: Session) -> None:
        super().__init__(session, WORDS, clip_picture, EMPTY)
        self.microphone: Microphone | None = None
        self.cutting = Cutting()
        self._position = 0
        self._off = False
        self._waiting: tuple[str, float] | None = None
        self.player = Player(self)
        self.player.failed.connect(self._tell)
        self.samples.opened.connect(self.player.play)
        self.samples.add_action("play", "Play the chosen clip (Return)", self._play)
        self.build(self._stage())
        self._restore()

    # --- building -----------------------------------------------------------------------------

    def _stage(self) -> QWidget:
        self.devices = DeviceRow(
            "Microphone",
            microphones,
            (
                ("Sound file …", self._choose_file),
                ("The bundled word “yes”", partial(self._take, WORD)),
            ),
        )
        self.devices.address_changed.connect(self._chosen)
        self.devices.listed.connect(self._listed)
        self.length = QComboBox()
        self.length.setAccessibleName("Length of a clip")
        self.length.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        for seconds in LENGTHS:
            self.length.addItem(f"{seconds:g} s a clip", seconds)
        self.length.activated.connect(self._length_changed)
        top = QHBoxLayout()
        top.setSpacing(12)
        top.addWidget(self.devices, 1)
        top.addWidget(self.length)
        self.scope, self.meter = Scope(RATE), Meter()
        sight = QWidget()
        row = QHBoxLayout(sight)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(12)
        row.addWidget(self.scope, 1)
        row.addWidget(self.meter)
        self.notice = StageNotice()
        self.notice.chosen.connect(self._way_out)
        middle = QWidget()
        layers = QStackedLayout(middle)
        layers.setStackingMode(QStackedLayout.StackingMode.StackAll)
        layers.addWidget(self.notice)
        layers.addWidget(sight)
        self.filling = ProgressLine(6)
        self.filling.setAccessibleName("The clip that is being recorded")
        policy = self.filling.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.filling.setSizePolicy(policy)
        stage = QWidget()
        column = QVBoxLayout(stage)
        column.setContentsMargins(12, 8, 12, 8)
        column.setSpacing(8)
        column.addLayout(top)
        column.addWidget(middle, 1)
        column.addWidget(self.filling)
        column.addLayout(self._below())
        return stage

    def _below(self) -> QHBoxLayout:
        self.noise = Button(f"Record {NOISE_S} s of background noise", "record")
        self.noise.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.noise.clicked.connect(self._noise)
        row = QHBoxLayout()
        row.setSpacing(12)
        row.addWidget(self.noise)
        row.addWidget(label(TIP, "small", wrap=True), 1)
        return row

    # --- what is remembered -------------------------------------------------------------------

    def _restore(self) -> None:
        store = settings()
        self._wanted = str(store.value("record/microphone", ""))
        try:
            seconds = float(str(store.value("record/clip", 1.0)))
        except ValueError:
            seconds = 1.0
        self.length.setCurrentIndex(max(0, self.length.findData(seconds)))
        self._length_changed()

    @Slot()
    def _length_changed(self) -> None:
        seconds = float(self.length.currentData())
        self.interrupt()
        self.cutting.length = round(seconds * RATE)
        settings().setValue("record/clip", seconds)

    # --- the microphone -----------------------------------------------------------------------

    def start(self) -> None:
        self._off = False
        address = self._wanted or self.devices.address
        if address:
            self.devices.choose(address)
            self._open()
        if not self.devices.known:
            self.devices.look()

    def stop(self) -> None:
        self.devices.cancel()
        self.player.stop()
        self._close()

    def _close(self) -> None:
        microphone, self.microphone = self.microphone, None
        if microphone is not None:
            microphone.close(timeout=0)

    def _open(self) -> None:
        self._close()
        self._off = False
        self._position = 0
        self.scope.clear()
        try:
            self.microphone = Microphone(self.devices.address, RATE)
        except ValueError as error:
            self.notice.say(refusal(error), (("file", "Sound file …"),))
            return
        self.microphone.start()

    @Slot()
    def _listed(self) -> None:
        if self.isVisible() and not self.devices.address and self.devices.devices:
            self.devices.choose(self.devices.devices[0].address)
            self._open()

    @Slot(str)
    def _chosen(self, address: str) -> None:
        self._wanted = address
        settings().setValue("record/microphone", address)
        self.interrupt()
        self._open()

    def _take(self, address: str) -> None:
        self.devices.take(address)

    def _choose_file(self) -> None:
        name = QFileDialog.getOpenFileName(self, "A sound in place of a microphone", "", SOUNDS)[0]
        if name:
            self._take(name)

    @Slot(str)
    def _way_out(self, what: str) -> None:
        if what == "cancel":
            self._off = True
            self._close()
        elif what == "file":
            self._choose_file()
        elif what == "word":
            self._take(WORD)
        elif what == "look":
            self.devices.look()
        else:
            self._open()

    # --- thirty times a second ----------------------------------------------------------------

    def tick(self, now: float) -> None:
        ready = self._show_status()
        self.classes.set_ready(ready, "The microphone gives no sound.")
        self.noise.setEnabled(ready and not self.cutting.active)
        if not ready and (self.cutting.active or self._waiting):
            self.interrupt()
        if self._waiting is not None and now >= self._waiting[1]:
            name, self._waiting = self._waiting[0], None
            self.cutting.begin(name, BURST)
        if ready and self.microphone is not None:
            self._hear(self.microphone, now)
        self._show_recording(now)

    def _hear(self, microphone: Microphone, now: float) -> None:
        self._position, samples = microphone.since(self._position)
        name = self.cutting.name
        self.scope.feed(samples, bool(name))
        for clip in self.cutting.feed(samples):
            self.library.put_sound(name, clip, RATE)
        rms, peak = microphone.level()
        self.meter.show_level(rms, peak, now)

    def _show_status(self) -> bool:
        microphone, notice = self.microphone, self.notice
        if microphone is None:
            if self._off:
                notice.say(
                    "The microphone is off.", (("again", "Open it"), ("file", "Sound file …"))
                )
            elif not self.devices.known:
                notice.say("Looking for microphones …", ())
            elif not self.devices.address:
                text = "No microphone was found: plug one in, or let a sound file stand in for it."
                notice.say(text, (("look", "Look again"), ("word", "Bundled word")))
            return self._see(False)
        status = microphone.status
        if status.state == "running":
            notice.clear()
            return self._see(True)
        if status.state == "opening":
            said = f"Opening {self.devices.named(self.devices.address)} … {status.seconds:.0f} s"
            notice.say(said, (("cancel", "Cancel"),))
        elif status.state == "reconnecting":
            notice.say(status.message, (("again", "Try now"), ("cancel", "Turn off")))
        else:
            notice.say(status.message, (("again", "Try again"), ("file", "Sound file …")))
        return self._see(False)

    def _see(self, ready: bool) -> bool:
        """Show the sound only where there is one."""
        self.scope.setVisible(ready)
        self.meter.setVisible(ready)
        return ready

    def _show_recording(self, now: float) -> None:
        cutting, left = self.cutting, self.cutting.left
        name, said = cutting.name, "Recording"
        if self._waiting is not None:
            name, said = self._waiting[0], f"In {math.ceil(self._waiting[1] - now)} s …"
        elif left is not None and left > 1:
            said = f"Recording, {left} clips to go"
        for card in self.classes.cards:
            card.show_recording(said if card.name == name else "")
        self.filling.set_value(cutting.filled, "bad")
        self.filling.setVisible(cutting.active)

    # --- recording ----------------------------------------------------------------------------

    def taking_in(self) -> Put:
        return sound_into(self.library, RATE, lambda: self.cutting.length)

    def hold(self, name: str) -> None:
        self._waiting = None
        self.cutting.begin(name)

    def release(self) -> None:
        self.cutting.release()

    def once(self, name: str) -> None:
        self._waiting = None
        self.cutting.begin(name, 1)

    def burst(self, name: str) -> None:
        if self._waiting is not None or self.cutting.active:
            self.interrupt()
        else:
            self._waiting = (name, time.monotonic() + COUNTDOWN_S)

    def interrupt(self) -> None:
        self._waiting = None
        self.cutting.stop()

    @Slot()
    def _noise(self) -> None:
        """Twenty seconds of the room, cut to clips."""
        self._begin()
        self._waiting = None
        self.classes.choose_later(NOISE)
        self.cutting.begin(NOISE, max(1, round(NOISE_S * RATE / self.cutting.length)))

    @Slot()
    def _play(self) -> None:
        chosen = self.samples.grid.ordered() or list(self.samples.grid.paths[-1:])
        if chosen:
            self.player.play(chosen[0])
