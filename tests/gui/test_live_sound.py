"""The stage of sound: what is heard, word by word, what it is taken for, and what is in the way."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from playground.answers import Classes
from playground.capture import CaptureStatus, DeviceInfo
from playground.live.what import Runnable
from tests.gui.live_kit import QuietNetwork, live_answer, quiet_desk
from ui.live.answer_head import HEIGHT, AnswerHead, Large
from ui.live.desk import Desk
from ui.live.notices import OFF
from ui.live.sound import LISTENING, NOTHING, SoundStage
from ui.live.words import WordScope

WORDS = Classes((("seven", 0.94), ("six", 0.05), ("two", 0.01)))
RATE = 8000
KNOWS_WORDS = Runnable("run:words", "Words", "seven, six, two", "run", "sound", RATE)


def spoken(path: Path) -> Path:
    """Half a second of a tone between a second and a half of quiet."""
    wave = np.sin(np.arange(RATE // 2) * (2 * np.pi * 500 / RATE)) / 2
    quiet = np.zeros(RATE * 3 // 4)
    soundfile.write(path, np.concatenate([quiet, wave, quiet]).astype(np.float32), RATE)
    return path


@pytest.fixture
def found() -> list[DeviceInfo]:
    return []


@pytest.fixture
def desk(
    app: QApplication, monkeypatch: pytest.MonkeyPatch, found: list[DeviceInfo]
) -> Iterator[Desk]:
    monkeypatch.setattr("ui.live.sound.microphones", lambda: list(found))
    desk = quiet_desk(monkeypatch)
    desk._change_to(KNOWS_WORDS)
    yield desk
    desk.session.close()


def shown(desk: Desk) -> SoundStage:
    stage = SoundStage(desk)
    stage.resize(760, 480)
    stage.show()
    return stage


def test_a_file_in_place_of_a_microphone_and_the_words_in_it(
    desk: Desk, wait: Callable[..., None], tmp_path: Path
) -> None:
    desk.set_address(str(spoken(tmp_path / "word.wav")))
    stage = shown(desk)
    wait(lambda: stage.notice.said == OFF)
    assert stage.sight.isHidden()
    QTest.keyClick(stage, Qt.Key.Key_Space)
    assert desk.running
    wait(lambda: not stage.sight.isHidden())
    wait(lambda: bool(stage.scope.words))
    desk._show(live_answer(WORDS, quiet=False))
    assert stage.head.said == Large("seven", "94 %", "being said now", stage.head.said.rows)
    assert [name for name, *_ in stage.head.said.rows] == ["seven", "six", "two"]
    assert desk._tally._painted == 1, "latency is counted from what was painted"
    wait(lambda: stage.scope.words[0].end is not None)
    word = stage.scope.words[0]
    assert word.text == "seven 94 %"
    assert word.end is not None
    assert word.end - word.begin == pytest.approx(RATE // 2, abs=RATE // 20)
    desk._show(live_answer(WORDS, 2, quiet=True))
    assert stage.head.said.dim
    assert stage.head.said.text == "seven", "held"
    stage._spoke -= 2
    desk._show(live_answer(WORDS, 3, quiet=True, unknown=True))
    assert stage.head.said.text == LISTENING
    assert stage.head.said.line == "the last word: seven 94 %"
    assert stage.scope.marks
    stage.hide()


def test_what_is_heard_is_kept_and_fills_the_screen(
    desk: Desk, wait: Callable[..., None], tmp_path: Path
) -> None:
    told: list[Any] = []
    desk.session.notice.connect(told.append)
    desk.set_address(str(spoken(tmp_path / "word.wav")))
    stage = shown(desk)
    stage.snapshot.click()
    assert "no picture to keep" in told.pop().text
    desk.start()
    wait(lambda: not stage.sight.isHidden())
    desk._show(live_answer(WORDS, quiet=False))
    QTest.keyClick(stage, Qt.Key.Key_S)
    wait(lambda: bool(told))
    (picture,) = (desk.session.files / "snapshots").glob("*.png")
    assert QImage(str(picture)).size() == stage.sight.size() * 2
    assert not stage.record.isEnabled()
    assert "S keeps" in stage.record.toolTip()
    QTest.keyClick(stage, Qt.Key.Key_F)
    whole = stage._whole
    assert whole is not None
    assert whole.isFullScreen()
    assert stage.sight.window() is whole
    stage._desk.session.tell("Kept as 1.png.", "good")
    assert whole._words.text() == "Kept as 1.png.", "the window, which tells it, is behind"
    assert stage.head.height() > HEIGHT
    QTest.keyClick(whole, Qt.Key.Key_Space)
    assert not desk.running
    assert not stage.sight.isHidden(), "what was heard last stays"
    assert (stage.head.said.text, stage.head.said.line, stage.head.said.dim) == ("seven", OFF, True)
    QTest.keyClick(whole, Qt.Key.Key_Escape)
    assert stage._whole is None
    assert stage.sight.window() is stage
    assert stage.head.height() == HEIGHT
    stage.toggle_whole()
    stage.hide()
    assert stage._whole is None


def test_a_word_that_is_none_of_the_classes(desk: Desk) -> None:
    stage = shown(desk)
    desk._show(live_answer(WORDS, quiet=False, unknown=True))
    assert (stage.head.said.text, stage.head.said.figure) == ("None of these", "")
    desk._show(live_answer(WORDS, 2, quiet=True, unknown=True))
    assert stage.head.said.text == "None of these", "held for a moment"
    desk._show(live_answer(WORDS, 3))
    assert stage.head.said.line == "in the last sound", "a network that hears windows"
    assert not stage.scope.marks
    stage.hide()


def test_no_microphone_and_one_that_is_plugged_in_later(
    desk: Desk, wait: Callable[..., None], found: list[DeviceInfo], tmp_path: Path
) -> None:
    desk.start()
    stage = shown(desk)
    wait(lambda: stage.notice.said == NOTHING.text)
    assert [b.text() for b in stage.notice.buttons] == ["Look again", "Use the bundled words"]
    found.append(DeviceInfo(str(spoken(tmp_path / "mic.wav")), "Desk microphone"))
    QTest.mouseClick(stage.notice.buttons[0], Qt.MouseButton.LeftButton)
    wait(lambda: not stage.sight.isHidden())
    assert stage.devices.box.currentText() == "Desk microphone"
    stage.hide()


def test_the_bundled_words_are_offered(desk: Desk, wait: Callable[..., None]) -> None:
    desk.start()
    stage = shown(desk)
    wait(lambda: stage.notice.said == NOTHING.text)
    QTest.mouseClick(stage.notice.buttons[1], Qt.MouseButton.LeftButton)
    wait(lambda: not stage.sight.isHidden())
    assert stage.devices.box.currentText() == "Bundled words"
    stage.hide()


class PulledMicrophone:
    """A microphone whose status the test sets."""

    now = CaptureStatus("running", "8,000 samples a second from Desk.", 1.0)

    def __init__(self, address: str, rate: int) -> None:
        self.position, self._began = 1, time.monotonic()

    @property
    def status(self) -> CaptureStatus:
        return self.now

    def start(self) -> None: ...

    def close(self, timeout: float = 2) -> None: ...

    def since(self, position: int) -> tuple[int, Any]:
        now = int((time.monotonic() - self._began) * RATE)
        return now, np.zeros(max(0, now - position), np.float32)

    def level(self) -> tuple[float, float]:
        return -60.0, -50.0


@pytest.mark.parametrize(
    ("state", "message", "ways"),
    [
        (
            "reconnecting",
            "No sound comes from Desk.",
            ["Try now", "Use the bundled words"],
        ),
        ("failed", "Desk may not be used: allow it.", ["Try again", "Use the bundled words"]),
        ("opening", "Desk is being opened.", ["Cancel", ""]),
    ],
)
def test_a_microphone_that_goes_away_comes_back(
    desk: Desk,
    wait: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    state: Any,
    message: str,
    ways: list[str],
) -> None:
    monkeypatch.setattr("ui.live.desk.Microphone", PulledMicrophone)
    desk.set_address("Desk")
    desk.start()
    stage = shown(desk)
    wait(lambda: not stage.sight.isHidden())
    before = PulledMicrophone.now
    monkeypatch.setattr(PulledMicrophone, "now", CaptureStatus(state, message, 1.0))
    wait(lambda: stage.notice.said == message)
    assert [b.text() for b in stage.notice.buttons] == ways
    assert stage.sight.isHidden()
    monkeypatch.setattr(PulledMicrophone, "now", before)
    wait(lambda: not stage.sight.isHidden())
    assert not stage.notice.said
    silent = "Only silence comes from Desk: switch it on."
    monkeypatch.setattr(PulledMicrophone, "now", CaptureStatus("running", silent, 1.0))
    wait(lambda: stage.head.said.line == silent)
    stage.hide()


def test_a_network_that_cannot_be_opened(
    desk: Desk, wait: Callable[..., None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = CaptureStatus("failed", "Its weights are damaged.", 0.0)
    monkeypatch.setattr(QuietNetwork, "now", broken)
    desk.set_address(str(spoken(tmp_path / "word.wav")))
    desk.start()
    stage = shown(desk)
    wait(lambda: stage.notice.said == broken.message)
    stage.hide()


def test_large_letters_are_made_smaller_to_fit(app: QApplication) -> None:
    head = AnswerHead()
    head.resize(300, head.height())
    head.say(Large("a class with a very long name indeed", ">99 %", "", (("a", 0.5, (9, 9, 9)),)))
    head.grab()
    assert head.accessibleDescription().startswith("a class with")


def test_words_leave_the_rolling_picture(app: QApplication) -> None:
    scope = WordScope(RATE)
    scope.resize(400, 200)
    noise = np.random.default_rng(0).normal(0, 0.3, RATE // 2).astype(np.float32)
    for _ in range(3):
        scope.feed(np.zeros(RATE, np.float32))
        scope.feed(noise)
    scope.feed(np.zeros(RATE, np.float32))
    assert len(scope.words) == 3
    scope.answered(live_answer(WORDS, quiet=True))
    assert [word.text for word in scope.words] == ["", "", "seven 94 %"]
    for _ in range(8):
        scope.feed(np.zeros(RATE, np.float32))
    scope.answered(live_answer(Classes((("two", 1.0),)), quiet=True))
    assert scope.words[-1].text == "seven 94 %", "too late"
    scope.grab()
    scope.set_rate(16_000)
    assert not scope.words
