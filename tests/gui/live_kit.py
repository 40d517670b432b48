"""A live view for tests: a network that answers what the test says, on any camera."""

from __future__ import annotations

from typing import Any

import numpy as np

from playground.answers import Answer, Classes
from playground.capture import CaptureStatus
from playground.live.settings import LiveAnswer
from playground.project import empty
from tests.gui.doubles import NotingWorker
from ui.insight.colormaps import qimage
from ui.live.desk import Desk
from ui.session import Session

CAT = Classes((("Cat", 0.7), ("Wall", 0.2), ("Me", 0.1)))


def live_answer(answer: Answer = CAT, number: int = 1, **changes: Any) -> LiveAnswer:
    captured = changes.pop("captured", 0.0)
    return LiveAnswer(number, answer, captured, 0.01, 0.02, 0, "eager", **changes)


def grey(height: int, width: int, value: int = 90) -> Any:
    return qimage(np.full((height, width, 3), value, np.uint8))


class QuietNetwork:
    """Stands for ``Recognition``: opens nothing and says nothing by itself."""

    now = CaptureStatus("running", "", 0.0)

    def __init__(self, what: Any, device: Any, wanted: Any, told: Any = None) -> None:
        self.answers, self.engine, self.wanted = None, None, wanted
        self.inside: Any = None

    @property
    def status(self) -> CaptureStatus:
        return self.now

    def start(self) -> None: ...

    def want(self, wanted: Any) -> None:
        self.wanted = wanted

    def answer(self) -> None:
        return None

    def close(self, timeout: float = 0.0) -> bool:
        return True


def quiet_desk(monkeypatch: Any) -> Desk:
    """A desk with a project, whose network is silent."""
    monkeypatch.setattr("ui.live.desk.Recognition", QuietNetwork)
    session = Session(NotingWorker())
    session.new(empty())
    return Desk(session)
