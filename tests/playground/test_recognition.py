"""A network that is opened and answers by itself, and is looked into on wish."""

from __future__ import annotations

import threading
import time

import pytest

from playground.answers import Classes
from playground.capture import Camera
from playground.live.inside import InsideWish
from playground.live.recognition import Recognition
from playground.live.what import Wanted, bundled
from tests.playground.capture_kit import until

CLIP = "sample:clip/bigbuckbunny.mp4"


def test_the_bundled_network_is_looked_into_while_it_answers() -> None:
    what = next(what for what in bundled() if what.id == "efficientnet-lite0")
    looked = threading.Event()
    with Camera(CLIP) as camera:
        recognition = Recognition(what, camera, Wanted())
        recognition.looked = looked.set
        recognition.start()
        until(lambda: recognition.answer() is not None, 60)
        assert recognition.inside is not None
        assert recognition.inside.report.ok
        assert recognition.view() is None, "nobody wished to see anything"
        nodes = recognition.inside.graph.nodes
        group = next(id for id, node in nodes.items() if node.layer == "group")
        recognition.wish = InsideWish((group, "output"), "gradcam", channels=(3, 5), rate_hz=10)
        assert looked.wait(30)
        view = recognition.view()
        assert view is not None
        assert view.problem == ""
        assert view.maps is not None
        assert view.channels == (3, 5)
        assert view.heat is not None
        answer = recognition.answer()
        assert answer is not None
        assert isinstance(answer.answer, Classes)
        assert view.label in dict(answer.answer.answers)
        assert view.crop is not None
        assert view.frame is not None
        assert recognition.close(10)


def test_of_many_that_were_closed_at_once_few_are_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    what = next(what for what in bundled() if what.id == "efficientnet-lite0")
    loaded, may_load = [], threading.Event()

    def opened(*_: object) -> object:
        loaded.append(time.monotonic())
        may_load.wait(10)
        raise ValueError("it is broken")

    monkeypatch.setattr("playground.live.recognition.opened", opened)
    many = [Recognition(what, Camera(CLIP), Wanted()) for _ in range(30)]
    for recognition in many:
        recognition.start()
    for recognition in many[:-1]:
        recognition.close()
    until(lambda: len(loaded) == 2)
    may_load.set()
    assert all(recognition.close(10) for recognition in many[:-1])
    until(lambda: many[-1].status.state == "failed")
    assert len(loaded) <= 3
