"""Looking inside a network that learns, one that was opened, and into one's own pictures."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from playground.capture import Camera
from playground.live.candidates import File
from playground.live.glances import Glances
from playground.live.inside import Inside, InsideView, InsideWish, Seen
from playground.live.latest import Latest
from playground.live.looking import Looking
from playground.live.recognition import Recognition
from playground.live.searching import Search
from playground.live.settings import LiveSettings
from playground.live.what import Wanted, of_run
from playground.messages import LiveAnswered, LookedInside, State
from playground.model import ModelError
from playground.run_job import RunJob
from playground.runs import RunFolder
from playground.vision import cv2
from playground.worker import Worker
from tests.playground.capture_kit import until, write_clip
from tests.playground.fakes import project, rows
from tests.playground.inside_kit import Still, noise, seen_of, threads
from tests.playground.live_kit import as_run, picture_model, shaken
from tests.playground.test_live_training import pictures, unhurried
from tests.playground.test_worker import ENDLESS, Listener


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    before = threads()
    yield
    until(lambda: threads() <= before, 3)


# --- while it learns ------------------------------------------------------------------------------


@pytest.fixture
def listener() -> Iterator[Listener]:
    worker = Worker()
    worker.start()
    yield Listener(worker)
    assert worker.close(timeout=20)


def views(listener: Listener, count: int) -> list[LookedInside]:
    found: list[LookedInside] = []
    while len(found) < count:
        message = listener.of(LookedInside)
        assert isinstance(message, LookedInside)
        assert message.problem == ""
        found.append(message)
    return found


def test_a_network_is_looked_into_while_it_learns(
    listener: Listener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From weights that change, and training gives the same numbers as alone."""
    enough = unhurried(monkeypatch)
    clip = write_clip(tmp_path / "numbers.avi", 30, rate=50)
    wish = InsideWish(("n2", "output"), "gradcam", rate_hz=50)
    with Camera(str(clip)) as camera:
        listener.worker.live(camera, rate_hz=50, inside=wish)
        listener.worker.train(project(epochs=40), pictures(), tmp_path / "seen")
        found = views(listener, 4)
        listener.worker.live(camera, rate_hz=50, inside=replace(wish, heat="occlusion"))
        views(listener, 2)
        enough.set()
        listener.state(State.FINISHED)
        answered = [m.step for m in listener.seen if isinstance(m, LiveAnswered)]
        listener.worker.live(camera, rate_hz=50, inside=replace(wish, label="b"))
        after = views(listener, 3)
        listener.worker.live(None)
    steps = [message.step for message in found]
    assert steps == sorted(steps)
    assert len(set(steps)) > 1
    assert answered
    for message in found:
        assert message.view is not None
        assert message.view.problem == ""
        assert message.view.maps is not None
        assert message.view.maps.shape == (4, 8, 8)
        assert message.view.heat is not None
    last = after[-1].view
    assert last is not None
    assert last.label == "b"
    assert last.crop == (0, 0, 1, 1)  # the whole frame, stretched
    listener.worker.train(project(epochs=40), pictures(), tmp_path / "alone")
    listener.state(State.FINISHED)
    assert rows(tmp_path / "seen/runs/001") == rows(tmp_path / "alone/runs/001")


def test_samples_are_searched_while_it_learns(listener: Listener, tmp_path: Path) -> None:
    """With a copy of the weights, so that training gives the same numbers as alone."""
    paths = [write_picture(tmp_path / f"{i}.png", np.full((16, 16), 25 * i)) for i in range(8)]
    early = listener.worker.copied()
    with pytest.raises(ModelError, match="no trained network"):
        early.result(20)
    for folder in ("alone", "searched"):
        listener.worker.train(project(epochs=6), pictures(), tmp_path / folder)
        if folder == "searched":
            listener.state(State.RUNNING)
            search = Search(listener.worker.copied(), ("n2", "output"), 0, [*map(File, paths)])
            search.start()
        listener.state(State.FINISHED)
    until(lambda: search.finished, 20)
    assert search.close(5)
    assert (len(search.found), search.problem) == (8, "")
    alone, searched = (
        RunFolder(tmp_path / folder / "runs" / "001").checkpoint("last").weights
        for folder in ("alone", "searched")
    )
    assert all(np.array_equal(alone[name], searched[name]) for name in alone)


def test_long_batches_are_looked_into_beside(
    listener: Listener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = RunJob.turn

    def slow(run: RunJob) -> None:
        time.sleep(0.3)
        batch(run)

    monkeypatch.setattr(RunJob, "turn", slow)
    clip = write_clip(tmp_path / "numbers.avi", 30, rate=50)
    with Camera(str(clip)) as camera:
        listener.worker.live(camera, rate_hz=20, inside=InsideWish(heat="gradcam", rate_hz=20))
        listener.worker.train(project(epochs=ENDLESS), pictures(), tmp_path)
        until(lambda: any(t.name == "live beside" for t in threading.enumerate()))
        found = views(listener, 8)
        assert len({message.step for message in found}) > 1  # renewed after each batch
        listener.worker.live(None)


def test_looks_and_answers_share_their_part_of_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """A look of 20 ms may take a twentieth of the time, so two and a half come a second."""
    posted: list[LookedInside] = []
    model, seen = picture_model(), Latest[Seen]()
    glances = Glances(model, seen, posted.append)
    wish = InsideWish(rate_hz=100)
    assert glances.wait(wish) is None
    seen.put(seen_of(noise(1, 1, 16, 16)))
    assert glances.wait(replace(wish, rate_hz=0)) is None
    assert glances.wait(wish) == 0

    def slow(*given: Any) -> InsideView:
        time.sleep(0.02)
        return InsideView(1, 0.0)

    monkeypatch.setattr(Looking, "look", slow)
    started = time.perf_counter()
    glances.look(wish, 3, 0.05)
    taken = time.perf_counter() - started
    assert posted[0].step == 3
    assert glances.wait(wish) is None  # seen already
    seen.put(seen_of(noise(1, 1, 16, 16), 2))
    left = glances.wait(wish)
    assert left is not None
    assert 0.3 < left <= taken / 0.05


def test_what_is_opened_can_be_looked_into(tmp_path: Path) -> None:
    run = as_run(shaken(picture_model()), tmp_path / "run")
    clip = write_clip(tmp_path / "numbers.avi", 30)
    with Camera(str(clip)) as camera:
        wanted = Wanted(LiveSettings(engine="eager"))
        recognition = Recognition(of_run(RunFolder(run)), camera, wanted)
        looked = threading.Event()
        recognition.looked = looked.set
        recognition.start()
        until(lambda: recognition.answer() is not None, 10)
        assert recognition.view() is None  # nothing was wished
        recognition.wish = InsideWish(heat="gradcam")
        assert looked.wait(5)
        view = recognition.view()
        assert view is not None
        assert view.heat is not None
        assert recognition.close(5)


# --- pictures that excite a channel ---------------------------------------------------------------


def write_picture(path: Path, pixels: Any) -> Path:
    cv2.imwrite(str(path), pixels.astype(np.uint8))
    return path


def test_ones_own_files_are_searched_beside(tmp_path: Path) -> None:
    """Broken files are passed over; what was found so far can be seen at any time."""
    model = shaken(picture_model())
    paths = [
        File(write_picture(tmp_path / f"{i}.png", np.full((16, 16), 25 * i))) for i in range(8)
    ]
    broken = File(tmp_path / "broken.png")
    broken.path.write_bytes(paths[0].path.read_bytes()[:40])
    told: list[int] = []
    inside = Inside(model, Still().wait)
    port = ("n2", "output")
    search = inside.search(port, 1, [*paths[:3], broken, *paths[3:]], lambda: told.append(1))
    search.start()
    until(lambda: search.finished, 10)
    until(lambda: len(told) == 9, 5)
    assert (search.done, search.total, search.skipped, search.problem) == (9, 9, 1, "")
    values = {
        path: float(
            model.network.capture(
                model.prepared({"input": np.full((1, 1, 16, 16), 25 * i, np.uint8)})
            )[port][0, 1].max()
        )
        for i, path in enumerate(paths)
    }
    wanted = sorted(paths, key=lambda path: -values[path])
    assert [one.key for one in search.found] == wanted
    assert search.found[0].strength == pytest.approx(values[wanted[0]], abs=1e-4)
    assert search.close()
    none = inside.search(port, 99, paths)
    none.start()
    until(lambda: none.finished, 5)
    assert "no channel 99" in none.problem
    given_up = inside.search(port, 0, paths * 1000)
    given_up.start()
    assert given_up.close(5)
    assert given_up.done < given_up.total
