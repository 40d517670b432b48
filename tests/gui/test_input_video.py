"""Asking about a clip: the strip of the frames that the network is given."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication

from models.axes import volume
from playground.data.dataset import Column
from playground.project import DataSettings
from tests.gui.insight_kit import opened, with_run
from tests.gui.test_tryout import Wait, questions, shown
from tests.playground.test_video import numbered, write
from ui.insight.input_video import GAP, FilmStrip, VideoInput
from ui.insight.sample_pictures import image_of
from ui.session import Session
from ui.theme import theme


@pytest.fixture
def clips(app: QApplication) -> Iterator[Session]:
    session = opened(DataSettings("moving-shapes", {"samples": 20, "frames": 6, "size": 16}))
    with_run(session)
    yield session
    session.close()


def test_a_sample_is_shown_as_film(clips: Session) -> None:
    panel = shown(clips)
    assert panel.clip.isVisible()
    assert panel.open.text() == "Open a clip …"
    assert len(panel.clip.strip.frames) == 6
    assert panel.clip.told.text() == "6 frames of 16×16, in their order"
    assert questions(clips)[-1].shape == (6, 1, 16, 16)
    assert panel.clip.strip.accessibleDescription() == "6 frames"


def test_a_clip_from_a_file_is_asked_about(clips: Session, tmp_path: Path, wait: Wait) -> None:
    panel = shown(clips)
    path = write(tmp_path / "own.avi", numbered(31, step=8))
    before = panel.clip.value
    panel.open_file(path)
    wait(lambda: panel.clip.value is not before)
    value = panel.clip.value
    assert value is not None
    levels = value.mean(axis=(1, 2, 3))
    np.testing.assert_allclose(levels, np.arange(6) * 6 * 8, atol=6)
    assert panel.source.whole() == "own.avi"


def test_what_is_no_clip_is_told(clips: Session, tmp_path: Path, wait: Wait) -> None:
    panel = shown(clips)
    (tmp_path / "some.mp4").write_text("no clip")
    panel.open_file(tmp_path / "some.mp4")
    wait(lambda: "some.mp4 is not a video" in panel.answer.message.text())


@pytest.mark.parametrize(("width", "rows"), [(600, 1), (240, 2), (60, 8)])
@pytest.mark.parametrize("look", ["dark", "light"])
def test_the_strip_wraps(app: QApplication, width: int, rows: int, look: str) -> None:
    before = theme().name
    theme().set_theme(look)
    strip = FilmStrip("Frames")
    frames = [np.full((1, 20, 20), 200, np.uint8)] * 8
    strip.show_frames([image_of(frame) for frame in frames])
    height = strip.heightForWidth(width)
    strip.resize(width, height)
    picture = strip.grab().toImage()
    columns, wide, high = strip._layout(width)
    assert -(-8 // columns) == rows
    assert picture.pixelColor(GAP + wide // 2, height - 12 - high // 2).red() == 200
    theme().set_theme(before)


def test_slices_of_a_volume_are_shown(app: QApplication) -> None:
    page = VideoInput()
    page.prepare(Column("scan", volume(1, 3, 8, 8), np.zeros((0,), np.uint8)))
    page.show_value(np.zeros((1, 3, 8, 8), np.uint8))
    assert len(page.strip.frames) == 3
    assert page.told.text() == "3 slices of 8×8, in their order"
    page.prepare(Column("scan", volume(1, 3, 8, 8), np.zeros((0,), np.uint8)))
    assert page.value is None
    assert not page.strip.frames
