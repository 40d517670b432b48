"""A live view of a network while it learns: newest weights, bounded delay, nothing disturbed."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from playground.answers import Classes
from playground.capture import Camera, CameraSettings
from playground.data.dataset import Dataset
from playground.data.reading import ImageReading
from playground.engine import Engine
from playground.live import share
from playground.live.errors import LiveError
from playground.mailbox import Mailbox
from playground.messages import LiveAnswered, State
from playground.run_job import RunJob
from playground.worker import Worker
from tests.playground.capture_kit import children, until, write_clip
from tests.playground.fakes import lstm, project, rows, stripes
from tests.playground.test_worker import ENDLESS, Listener

BATCH_S = 0.5


@pytest.fixture
def listener() -> Iterator[Listener]:
    before = set(threading.enumerate())
    worker = Worker()
    worker.start()
    yield Listener(worker)
    assert worker.close(timeout=20)
    until(lambda: set(threading.enumerate()) <= before, 5)


@pytest.fixture
def camera(tmp_path: Path) -> Iterator[Camera]:
    clip = write_clip(tmp_path / "numbers.avi", 30, rate=50)
    with Camera(str(clip), CameraSettings()) as found:
        yield found
    assert children() == []


def pictures() -> Dataset:
    """The stripes, which a camera's frames can be asked about."""
    data = stripes()
    column = replace(data.inputs["image"], reading=ImageReading(1, 8, 8, fit="stretch"))
    return replace(data, inputs={"image": column})


def live_answers(listener: Listener, count: int) -> list[LiveAnswered]:
    found = []
    for _ in range(count):
        message = listener.of(LiveAnswered)
        assert isinstance(message, LiveAnswered)
        assert message.problem == ""
        found.append(message)
    return found


def test_answers_come_from_the_newest_weights(
    listener: Listener, camera: Camera, tmp_path: Path
) -> None:
    listener.worker.live(camera, rate_hz=20)
    listener.worker.train(project(epochs=ENDLESS), pictures(), tmp_path)
    found = live_answers(listener, 8)
    steps = [message.step for message in found]
    assert steps == sorted(set(steps))  # a few batches lie between any two
    for message in found:
        assert message.answer is not None
        assert isinstance(message.answer.answer, Classes)
    listener.worker.stop()
    listener.state(State.FINISHED)
    after = live_answers(listener, 3)
    assert len({message.step for message in after}) == 1  # the trained network goes on answering
    listener.worker.live(None)
    camera.close()


def unhurried(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Until it is set every batch is waited before, so that a short run lasts long enough to be
    looked at on a busy machine too. Its numbers are the same."""
    enough, batch = threading.Event(), RunJob.turn

    def turn(run: RunJob) -> None:
        enough.wait(0.03)
        batch(run)

    monkeypatch.setattr(RunJob, "turn", turn)
    return enough


def test_training_is_the_same_with_a_live_view(
    listener: Listener, camera: Camera, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    enough = unhurried(monkeypatch)
    listener.worker.live(camera, rate_hz=100)
    listener.worker.train(project(epochs=40), pictures(), tmp_path / "seen")
    listener.until(lambda m: isinstance(m, LiveAnswered) and 0 < m.step < 320)
    enough.set()
    listener.state(State.FINISHED)
    answered = [message for message in listener.seen if isinstance(message, LiveAnswered)]
    assert any(0 < message.step < 320 for message in answered)
    listener.worker.live(None)
    listener.worker.train(project(epochs=40), pictures(), tmp_path / "alone")
    listener.state(State.FINISHED)
    assert rows(tmp_path / "seen/runs/001") == rows(tmp_path / "alone/runs/001")


def test_long_batches_are_answered_beside(
    listener: Listener, camera: Camera, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = RunJob.turn

    def slow(run: RunJob) -> None:
        time.sleep(BATCH_S)
        batch(run)

    monkeypatch.setattr(RunJob, "turn", slow)
    listener.worker.live(camera, rate_hz=20)
    listener.worker.train(project(epochs=ENDLESS), pictures(), tmp_path)
    until(lambda: any(t.name == "live beside" for t in threading.enumerate()))
    found = live_answers(listener, 15)
    answers = [message.answer for message in found if message.answer is not None]
    assert np.median([answer.latency for answer in answers[5:]]) < BATCH_S
    assert len({message.step for message in found}) > 1  # renewed after each batch
    assert len({message.step for message in found}) < len(found)
    monkeypatch.setattr(RunJob, "turn", batch)
    until(lambda: all(t.name != "live beside" for t in threading.enumerate()))
    live_answers(listener, 2)


def test_a_network_that_no_camera_can_feed_is_a_sentence_and_training_goes_on(
    listener: Listener, camera: Camera, tmp_path: Path
) -> None:
    listener.worker.live(camera)
    listener.worker.train(project(lstm(), epochs=3), stripes(as_rows=True), tmp_path)
    message = listener.of(LiveAnswered)
    assert isinstance(message, LiveAnswered)
    assert message.answer is None
    assert "neither a camera nor a microphone gives" in message.problem
    listener.state(State.FINISHED)


def test_what_answers_cost_bounds_how_often_they_come() -> None:
    """An inference of 50 ms may take a tenth of the time of a run, so two come a second."""

    class Slow:
        model: Any = type("M", (), {"network": "n"})
        feed = None

        def fresh(self) -> str:
            return "sample"

        def answer(self, sample: str) -> str:
            time.sleep(0.05)
            return "answer"

    posted: list[LiveAnswered] = []
    wish = share.Wish(Camera("0"), share.LiveSettings(), 30)
    view = share.Share(wish, posted.append)
    view._asking = Slow()  # type: ignore[assignment]
    view.turn(Slow.model, 1, training=True)
    wait = view.due(Slow.model)
    assert wait is not None
    assert 0.4 < wait < 0.6
    view.turn(Slow.model, 1, training=False)
    rest = view.due(Slow.model)
    assert rest is not None
    assert rest < 0.05
    assert [message.answer for message in posted] == ["answer", "answer"]


def test_answers_of_a_slow_network_leave_time_for_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also while no run goes on: each answer takes longer than it is to the next."""
    now = [100.0]

    class Slow:
        model: Any = type("M", (), {"network": "n"})

        def fresh(self) -> str:
            return "sample"

        def answer(self, sample: str) -> str:
            now[0] += 0.5
            return "answer"

    monkeypatch.setattr(share.time, "perf_counter", lambda: now[0])
    posted: list[LiveAnswered] = []
    engine = Engine(Mailbox())
    engine._model = Slow.model
    engine._live = share.Share(share.Wish(Camera("0"), share.LiveSettings(), 30), posted.append)
    engine._live._asking = Slow()  # type: ignore[assignment]
    engine.turn()
    engine._start("evaluate", 3, iter("abc"))
    for _ in range(5):
        engine.turn()
    assert not engine._jobs
    assert posted


def test_what_failed_is_tried_again_and_what_cannot_work_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Failing:
        model: Any = type("M", (), {"network": "n"})
        feed: Any = type("F", (), {"start": print, "close": print, "__init__": print})
        seen = None

        def __init__(self, *_: object) -> None:
            if errors:
                raise errors.pop()

        def fresh(self) -> None:
            raise RuntimeError("no memory")

    errors: list[Exception] = [LiveError("it takes sound"), MemoryError("too little")]
    posted: list[LiveAnswered] = []
    monkeypatch.setattr(share, "Asking", Failing)
    monkeypatch.setattr(share, "Glances", lambda *_: None)
    now = [100.0]
    monkeypatch.setattr(share.time, "perf_counter", lambda: now[0])
    view = share.Share(share.Wish(Camera("0"), share.LiveSettings(), 30), posted.append)
    view.turn(Failing.model, 0, training=True)
    assert view.due(Failing.model) == share.AGAIN
    now[0] += share.AGAIN
    assert view.due(Failing.model) == 0
    view.turn(Failing.model, 0, training=True)
    assert view.due(Failing.model) is None
    view._refused, now[0] = None, now[0] + share.AGAIN
    view.turn(Failing.model, 0, training=True)
    assert view.due(Failing.model) == share.AGAIN, "the frame could not be fitted"
    assert [m.problem for m in posted] == ["too little", "it takes sound", "no memory"]


def test_other_settings_are_no_new_beginning() -> None:
    """Objects keep their numbers: what follows them stays."""
    asked: list[share.Wish] = []
    wish = share.Wish(Camera("0"), share.LiveSettings(), 30)
    view = share.Share(wish, print)
    view._asking = type("Asked", (), {"want": staticmethod(asked.append)})()
    other = replace(wish, settings=share.LiveSettings(smoothing=1.0), detection={"score": 0.4})
    assert view.want(other)
    assert asked == [other]
    assert view.wish == other
    assert not view.want(replace(other, rate_hz=5))
    assert not view.want(replace(other, device=Camera("1")))
