"""What a microphone hears live, word by word, and what the network takes it for."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from typing import cast

from PySide6.QtCore import QTimer, Slot
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QVBoxLayout

from playground.answers import Classes
from playground.captions import NONE, percent, rows
from playground.capture import Camera, Microphone, microphones
from playground.live.rows import Rows
from playground.live.settings import LiveAnswer
from ui.data.record.devices import SPOKEN, DeviceRow
from ui.data.record.microphone import SOUNDS
from ui.data.record.scope import Meter
from ui.live.answer_head import Large
from ui.live.desk import Desk
from ui.live.notices import OFF, Manner, Said, State, said
from ui.live.overlay import words
from ui.live.showing import Showing
from ui.live.words import LATE_S, WordScope

TICK_MS, TELL_EVERY = 33, 6
LOOK_S = 3.0
"""Seconds between two looks for a microphone, where there is none."""
MOST = 3
RATE = 16_000
PLAIN = re.compile(r"[\d,]+ samples a second from .*|.* in place of a microphone\.")
MANNER = Manner("Looking for microphones …", ("words", "Use the bundled words"), plain=PLAIN)
NOTHING = Said(
    "No microphone was found: plug one in, or let the bundled words stand in for it.",
    (("look", "Look again"), MANNER.stand_in),
)
LISTENING = "Listening …"


class SoundStage(Showing):
    """The answer in large letters over the last seconds of sound, or a sentence why there are
    none. The sound is shown as it comes; answers are painted the moment they come."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._microphone: Microphone | None = None
        self._position = self._ticks = 0
        self._said = Said()
        self._looked = self._spoke = 0.0
        self._unknown = False
        """Whether the last word was none of the classes."""
        self._build()
        self._timer = QTimer(self)
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self._tick)
        desk.answered.connect(self._answered)
        for signal in (desk.status_changed, desk.settings_changed, desk.running_changed):
            signal.connect(self._tell)
        desk.chosen_changed.connect(self._chosen)
        self._chosen()

    # --- building -----------------------------------------------------------------------------

    def _build(self) -> None:
        self.devices = DeviceRow(
            "Microphone",
            microphones,
            (
                ("Sound file …", self._choose_file),
                ("Folder of sounds …", self._choose_folder),
                ("The bundled words", self._take_words),
            ),
        )
        self.devices.address_changed.connect(self._desk.set_address)
        self.devices.listed.connect(self._listed)
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.devices)
        self.scope, self.meter = WordScope(RATE), Meter()
        beside = QHBoxLayout()
        beside.setSpacing(12)
        beside.addWidget(self.scope, 1)
        beside.addWidget(self.meter)
        inner = QVBoxLayout(self.sight)
        inner.setContentsMargins(4, 0, 0, 0)
        inner.setSpacing(0)
        inner.addWidget(self.head)
        inner.addLayout(beside, 1)
        self.notice.chosen.connect(self._way_out)
        self._assemble(row)

    # --- what is chosen -----------------------------------------------------------------------

    @Slot()
    def _chosen(self) -> None:
        if self._desk.chosen.medium != "sound":
            return
        self.scope.set_rate(self._desk.chosen.rate or RATE)
        self.scope.marks = False
        self._spoke = 0.0
        self.head.show_answer(Large(), None)
        self.devices.choose(self._desk.address)
        self._tell()

    @Slot()
    def _listed(self) -> None:
        """The first microphone where none was chosen."""
        if self.isVisible() and not self._desk.address and self.devices.devices:
            self.devices.take(self.devices.devices[0].address)
        self._tell()

    @Slot()
    def _choose_file(self) -> None:
        name = QFileDialog.getOpenFileName(self, "A sound in place of a microphone", "", SOUNDS)[0]
        if name:
            self.devices.take(name)

    @Slot()
    def _choose_folder(self) -> None:
        name = QFileDialog.getExistingDirectory(self, "Sounds in place of a microphone")
        if name:
            self.devices.take(name)

    @Slot()
    def _take_words(self) -> None:
        self.devices.take(SPOKEN)

    @Slot(str)
    def _way_out(self, way: str) -> None:
        desk = self._desk
        ways = {"words": self._take_words, "look": self._look, "start": desk.start}
        {**ways, "stop": desk.stop}.get(way, desk.again)()

    @Slot()
    def _look(self) -> None:
        self._looked = time.monotonic()
        self.devices.look()

    # --- sound and answers --------------------------------------------------------------------

    @Slot()
    def _tick(self) -> None:
        """Thirty times a second: what was heard meanwhile."""
        self._ticks += 1
        if self._ticks % TELL_EVERY == 0:
            self._tell()
        microphone = self._microphone
        if microphone is None or self.sight.isHidden():
            return
        self._position, samples = microphone.since(self._position)
        self.scope.feed(samples)
        rms, peak = microphone.level()
        self.meter.show_level(rms, peak, time.monotonic())

    @Slot(object)
    def _answered(self, answer: LiveAnswer) -> None:
        if not self.isVisible():
            return
        if answer.quiet is False:
            self._spoke, self._unknown = time.monotonic(), answer.unknown
        self.scope.answered(answer)
        self.head.show_answer(self._worded(answer), answer)

    def _worded(self, answer: LiveAnswer) -> Large:
        """What to say of an answer: of a word, or of the last seconds."""
        found = answer.answer
        if not isinstance(found, Classes) or not found.answers:
            plain = words(answer, MOST)
            return Large(plain.head, "", plain.line)
        bars = tuple(rows(found, MOST))
        label, share = found.answers[0]
        if answer.quiet is None:
            text = NONE if answer.unknown else label
            figure = "" if answer.unknown else percent(share)
            return Large(text, figure, "in the last sound", bars, answer.unknown)
        ago = time.monotonic() - self._spoke
        unknown = self._unknown if answer.quiet and ago < LATE_S else answer.unknown
        if answer.quiet and (not self._spoke or (answer.unknown and not unknown)):
            return Large(LISTENING, "", self._last_word(), (), True)
        if answer.quiet and answer.unknown and ago >= LATE_S:
            return Large(LISTENING, "", self._last_word(), (), True)
        line = "the word that was said" if answer.quiet else "being said now"
        text, figure = (NONE, "") if unknown else (label, percent(share))
        return Large(text, figure, line, bars, answer.quiet or unknown)

    def _last_word(self) -> str:
        said = next((word.text for word in reversed(self.scope.words) if word.text), "")
        return f"the last word: {said}" if said else "say one of its words"

    def _follow_device(self) -> None:
        """Listen to the microphone that is open now."""
        device = self._desk.device
        gone = isinstance(device, (Camera, Rows)) or not self.isVisible()
        microphone = cast("Microphone | None", None if gone else device)
        if microphone is not self._microphone:
            self._microphone, self._position = microphone, 0
            if microphone is not None:
                self.scope.clear()

    # --- what is said -------------------------------------------------------------------------

    def _state(self) -> State:
        desk, device = self._desk, self._desk.device
        failed = desk.status if device is None and desk.status.state == "failed" else None
        heard = self._microphone is not None and self._microphone.position > 0
        return State(
            desk.running,
            desk.address,
            self.devices.named(desk.address),
            device.status if device is not None else None,
            desk.recognition.status if desk.recognition is not None else None,
            desk.chosen,
            seen=heard,
            answered=desk.answer is not None,
            problem=failed.message if failed is not None else "",
            manner=MANNER,
        )

    @Slot()
    def _tell(self) -> None:
        """Say how things are, five times a second and whenever that changes."""
        if not self.isVisible() or self._desk.chosen.medium != "sound":
            return
        self._follow_device()
        if self.devices.address != self._desk.address:
            self.devices.choose(self._desk.address)
        found = said(self._state())
        if self.devices.known and not self.devices.devices and not self._desk.address:
            found = NOTHING
            if time.monotonic() - self._looked > LOOK_S:
                self._look()
        if not self._desk.running and self._desk.answer is not None:  # what was heard last stays
            found = Said()
            self.head.say(replace(self.head.said, line=OFF, dim=True))
        self._said = found
        if found.text:
            self.notice.say(found.text, found.ways)
        else:
            self.notice.clear()
        self.sight.setVisible(not found.text)
        if self._desk.answer is None:
            self.head.show_answer(Large("", "", found.hint or found.note), None)
        elif found.hint:
            self.head.say(Large(LISTENING, "", found.hint, (), True))

    # --- events -------------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._timer.start()
        if not self.devices.known:
            self._look()
        self._tell()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._timer.stop()
        self._microphone = None
        self.devices.cancel()
        self._leave_whole()
