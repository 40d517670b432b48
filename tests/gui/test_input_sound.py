"""Asking about a sound: seen as a waveform and a spectrogram, heard, read from a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PySide6.QtWidgets import QApplication

from playground.project import DataSettings
from tests.gui.insight_kit import opened, with_run
from tests.gui.test_tryout import Wait, questions, shown
from ui.insight.input_sound import SoundInput
from ui.session import Session
from ui.theme import theme

RATE = 8000


def tone(hertz: float, seconds: float = 0.5, rate: int = RATE) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)


@pytest.fixture
def sounds(app: QApplication, tmp_path: Path) -> Iterator[Session]:
    for label, hertz in (("low", 300), ("high", 900)):
        (tmp_path / label).mkdir()
        for number in range(4):
            soundfile.write(tmp_path / label / f"{number}.wav", tone(hertz), RATE)
    session = opened(DataSettings("sound", {"path": str(tmp_path)}))
    with_run(session)
    yield session
    session.close()


def test_a_sample_is_seen_and_asked_about(sounds: Session, wait: Wait) -> None:
    panel = shown(sounds)
    assert panel.sound.isVisible()
    assert panel.open.text() == "Open a sound …"
    assert questions(sounds)[-1].shape == (4000, 1)
    assert panel.sound.about.text() == "0.5 s at 8,000 Hz"
    wait(lambda: not panel.sound.picture.image.isNull())


def test_the_picture_follows_the_theme(sounds: Session, wait: Wait) -> None:
    panel = shown(sounds)
    picture = panel.sound.picture
    wait(lambda: not picture.image.isNull())
    theme().toggle()
    wait(lambda: picture.image.pixelColor(2, 2) == theme().color("raised"))
    theme().toggle()


def test_a_file_of_another_rate_is_asked_about(sounds: Session, tmp_path: Path, wait: Wait) -> None:
    panel = shown(sounds)
    path = tmp_path / "own.flac"
    soundfile.write(path, np.stack([tone(600, 2.0, 44_100)] * 2, axis=1), 44_100)
    before = panel.sound.value
    panel.open_file(path)
    wait(lambda: panel.sound.value is not before)
    value = panel.sound.value
    assert value is not None
    assert value.shape == (4000, 1)
    assert np.abs(np.fft.rfft(value[:, 0])).argmax() == 300
    (tmp_path / "bad.wav").write_bytes(b"RIFF")
    panel.open_file(tmp_path / "bad.wav")
    wait(lambda: "bad.wav is no sound" in panel.answer.message.text())


def test_what_the_network_is_given_is_played(
    sounds: Session, wait: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    played: list[Path] = []
    monkeypatch.setattr("ui.data.record.player.Player.play", lambda self, path: played.append(path))
    panel = SoundInput()
    column = sounds.dataset.inputs["sound"] if sounds.dataset else None
    panel.prepare(column)
    assert not panel.play.isEnabled()
    panel.show_value(tone(440)[:, None].astype(np.float32))
    panel.play.click()
    wait(lambda: bool(played))
    samples, rate = soundfile.read(played[0])
    assert rate == RATE
    assert np.allclose(samples, tone(440), atol=1e-3)
    panel._player.failed.emit("The clip cannot be played: no loudspeaker.")
    assert "no loudspeaker" in panel.about.text()
    panel.close()
