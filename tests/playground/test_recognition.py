"""A network that is opened and answers by itself, and is looked into on wish."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from torch import nn

from playground.answers import Classes
from playground.capture import Camera
from playground.live.inside import InsideWish
from playground.live.recognition import Recognition
from playground.live.what import Runnable, Wanted, bundled
from tests.playground.capture_kit import until

CLIP = "sample:clip/bigbuckbunny.mp4"


@pytest.fixture
def _no_collector() -> Iterator[None]:
    """As in the window, where cycles are looked for now and then."""
    gc.disable()
    yield
    gc.enable()


def weights() -> int:
    return sum(type(one) is nn.Parameter for one in gc.get_objects())


@pytest.mark.usefixtures("_no_collector")
def test_the_bundled_network_is_looked_into_while_it_answers() -> None:
    before = weights()
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
        assert weights() > before
        assert recognition.close(10)
    assert weights() == before, "they are gone at once"


def test_a_run_that_is_gone_is_named(tmp_path: Path) -> None:
    with Camera(CLIP) as camera:
        gone = Runnable("network", "Mugs", "", "run", path=tmp_path / "001")
        recognition = Recognition(gone, camera, Wanted())
        recognition.start()
        until(lambda: recognition.status.state == "failed")
        message = recognition.status.message
        assert message.startswith(f"Mugs cannot be run: {tmp_path / '001'} was moved or deleted")
        assert message.endswith("choose another run.")
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
