"""Looking inside what runs live: only what is seen is asked for, and what comes back is shown."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from playground.live.inside import InsideView
from playground.messages import LookedInside
from tests.gui.live_kit import quiet_desk
from ui.live.desk import Desk


@pytest.fixture
def desk(app: QApplication, monkeypatch: pytest.MonkeyPatch) -> Any:
    desk = quiet_desk(monkeypatch)
    yield desk
    desk.close()
    desk.session.close()


def test_a_wish_reaches_what_runs_and_is_forgotten_with_it(desk: Desk) -> None:
    changes: list[str] = []
    desk.wish_changed.connect(lambda: changes.append("wish"))
    desk.set_address("sample:clip/bigbuckbunny.mp4")
    desk.start()
    assert desk.recognition is not None
    assert desk.recognition.wish.rate_hz == 0
    desk.set_wish(rate_hz=5.0, port=("n2", "output"))
    desk.set_wish(rate_hz=5.0)
    assert changes == ["wish"]
    assert desk.recognition.wish.port == ("n2", "output")
    desk.choose("faces")
    assert desk.wish.port is None
    assert desk.wish.rate_hz == 5.0
    assert desk.recognition.wish == desk.wish


def test_what_the_worker_sees_is_shown_while_it_learns(desk: Desk) -> None:
    views: list[InsideView] = []
    desk.inside_changed.connect(views.append)
    message = LookedInside(InsideView(3, 0.0), 7)
    desk._worker_looked(message)
    assert not views, "the network on show is not under training"
    desk.with_training = True
    desk._worker_looked(message)
    desk._worker_looked(LookedInside(None, 8, "it is gone"))
    assert [view.number for view in views] == [3, 0]
    assert desk.view is not None
    assert desk.view.problem == "it is gone"
    desk.with_training = False


def test_heat_on_the_big_picture_goes_with_the_network(desk: Desk) -> None:
    desk.set_heat(QImage(4, 4, QImage.Format.Format_ARGB32_Premultiplied), (0, 0, 0.5, 1))
    assert desk.heat is not None
    desk.choose("faces")
    assert desk.heat is None
