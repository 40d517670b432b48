"""The desk of the live view: a clip as the camera, the network that was chosen, its figures."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
from PySide6.QtWidgets import QApplication

from playground.answers import Boxes, Classes
from playground.project import empty
from playground.worker import Worker
from tests.playground.capture_kit import children
from ui.data.record.devices import CLIP
from ui.live.desk import Desk
from ui.live.kept import kept_settings
from ui.session import Session


@pytest.fixture
def session(app: QApplication) -> Iterator[Session]:
    session = Session(Worker())
    session.start()
    session.new(empty())
    yield session
    session.close()


def test_the_bundled_recogniser_answers_to_a_clip(
    session: Session, wait: Callable[..., None]
) -> None:
    desk = Desk(session)
    desk.set_address(CLIP)
    assert not desk.running
    assert desk.device is None
    desk.start()
    wait(lambda: desk.answer is not None and desk.figures.size is not None, 60)
    assert desk.answer is not None
    assert isinstance(desk.answer.answer, Classes)
    assert len(desk.answer.answer.answers) == 1000
    wait(lambda: desk.status.state == "running")
    assert desk.figures.size == (720, 1280)
    desk.stop()
    assert desk.device is None
    assert desk.answer is not None, "the last answer stays"


def test_another_choice_takes_over_while_it_runs(
    session: Session, wait: Callable[..., None]
) -> None:
    desk = Desk(session)
    desk.set_address(CLIP)
    desk.start()
    desk.choose("faces")
    wait(lambda: desk.answer is not None, 60)
    assert desk.answer is not None
    assert isinstance(desk.answer.answer, Boxes)


def test_the_device_is_given_back_while_nobody_looks(
    session: Session, wait: Callable[..., None]
) -> None:
    desk = Desk(session)
    desk.set_address(CLIP)
    desk.start()
    first = desk.device
    assert first is not None
    desk.rest()
    assert desk.device is None
    wait(lambda: first.status.state == "closed", 10)
    desk.wake()
    assert desk.device is not None
    assert desk.device is not first


def test_closing_waits_for_devices_that_were_changed_a_moment_ago(
    session: Session, wait: Callable[..., None]
) -> None:
    desk = Desk(session)
    desk.set_address(CLIP)
    desk.start()
    device = desk.device
    assert device is not None
    wait(lambda: device.status.state == "running", 30)
    for _ in range(6):
        desk.set_mirror(not desk.mirror)
    session.close()
    names = [thread.name for thread in threading.enumerate()]
    assert not [name for name in names if name.startswith(("capture", "listen", "live"))]
    assert children() == []
    desk.wake()
    assert desk.device is None, "what has ended opens nothing any more"


def test_an_address_that_means_nothing_is_refused_in_a_sentence(
    session: Session, wait: Callable[..., None]
) -> None:
    desk = Desk(session)
    desk.set_address("sample:none.mp4")
    desk.start()
    wait(lambda: desk.status.state == "failed")
    assert desk.status.message == "There is no bundled sample 'none.mp4'."


def test_what_needs_a_download_says_so(session: Session, wait: Callable[..., None]) -> None:
    desk = Desk(session)
    desk.set_address(CLIP)
    desk.choose("ssdlite")
    desk.start()
    wait(lambda: desk.status.state == "failed", 60)
    assert "not on this machine yet" in desk.status.message


def test_settings_reach_what_runs_and_are_remembered(
    session: Session, wait: Callable[..., None]
) -> None:
    desk = Desk(session)
    desk.set_address(CLIP)
    desk.start()
    desk.set_settings(threshold=1.0, smoothing=0.0)
    wait(lambda: desk.answer is not None and desk.answer.unknown, 60)
    wait(lambda: kept_settings().threshold == 1.0, 10)
    desk.set_settings(threshold=0.5)
    assert kept_settings().threshold == 1.0, "not at every step of a slider"
    desk.close()
    again = Desk(session)
    assert again.settings.threshold == 0.5
    assert again.address == CLIP
