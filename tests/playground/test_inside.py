"""Looking inside a running network: the right values, where they lie, and nobody kept waiting."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from models.zoo.efficientnet import efficientnet_lite0
from playground.answers import Classes
from playground.capture import Camera
from playground.embedding import backbone
from playground.live.inside import Inside, InsideView, InsideWish, Seen, inside_ports
from playground.live.looking import Looking
from playground.live.loop import Live
from playground.live.settings import LiveSettings
from playground.live.streaming import Streamer
from playground.live.taught import LiveTaught
from playground.probes.attribution import gradcam, occlusion
from playground.probes.passing import Passage
from playground.teach import Examples, Head
from playground.training.learner import initial_network
from playground.vision import fitted, part_seen
from tests.playground.capture_kit import until, write_clip
from tests.playground.inside_kit import Still, noise, seen_of, threads
from tests.playground.live_kit import clip_model, picture_model, shaken, sound_model

FITS = ("crop", "middle", "pad", "stretch")


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    before = threads()
    yield
    until(lambda: threads() <= before, 3)


# --- where the network looks ----------------------------------------------------------------------


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("frame", [(480, 640), (720, 1280), (640, 360), (101, 77), (224, 224)])
@pytest.mark.parametrize("size", [(224, 224), (64, 96)])
def test_heat_can_be_laid_over_the_frame(
    fit: str, frame: tuple[int, int], size: tuple[int, int]
) -> None:
    """A frame whose colours are its own coordinates shows what was looked at."""
    rows, columns = frame
    y, x = np.mgrid[:rows, :columns]
    own = np.stack([255 * (x + 0.5) / columns, 255 * (y + 0.5) / rows, 255 + 0 * x], axis=2)
    seen = fitted(own.round().astype(np.uint8), size, fit).astype(float)
    left, top, right, bottom = part_seen(frame, size, fit)
    across = left + (np.arange(size[1]) + 0.5) / size[1] * (right - left)
    down = top + (np.arange(size[0]) + 0.5) / size[0] * (bottom - top)
    picture = seen[..., 2] > 250  # not the borders
    inside = (across > 0) & (across < 1), (down > 0) & (down < 1)
    assert abs(picture.mean() - np.outer(*inside).mean()) < 0.03
    wanted_x, wanted_y = np.broadcast_to(across, size), np.broadcast_to(down[:, None], size)
    core = picture & (seen[..., 0] > 8) & (seen[..., 0] < 247)
    assert np.abs(seen[..., 0] / 255 - wanted_x)[core].max() < 0.015
    core = picture & (seen[..., 1] > 8) & (seen[..., 1] < 247)
    assert np.abs(seen[..., 1] / 255 - wanted_y)[core].max() < 0.015
    if fit == "pad":
        assert min(left, top) <= 0
        assert max(right, bottom) >= 1
    else:
        assert 0 <= left < right <= 1
        assert 0 <= top < bottom <= 1


# --- what can be looked at ------------------------------------------------------------------------


def test_ports_are_those_of_the_network_also_inside_groups() -> None:
    graph = efficientnet_lite0(10)
    ports = inside_ports(graph)
    network = initial_network(graph, 0)
    known = {**network.values, **network.inner}
    assert {port for port, _, _ in ports} <= known.keys()
    assert {port for port, _, _ in ports} >= network.values.keys() - {
        (node.id, "output") for node in graph.of_layer("output")
    }
    titles = {title: (port, kind) for port, title, kind in ports}
    assert titles["blocks.5"] == (("n11", "output"), "maps")
    assert titles["blocks.5 / project_conv"][1] == "maps"
    assert titles["blocks.5 / project_conv"][0] in network.inner
    assert titles["avg_pooling"][1] == "states"
    memory = {title: kind for _, title, kind in inside_ports(clip_model().graph)}
    assert memory["memory · sequence"] == "states"
    assert memory["conv1"] == "maps"


def test_a_window_needs_no_torch_to_wish() -> None:
    script = (
        "import sys; from playground.live.inside import InsideWish, inside_ports; InsideWish();"
        "assert not {'torch', 'cv2'} & set(sys.modules), 'loaded'"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


# --- one look -------------------------------------------------------------------------------------


def test_maps_strongest_channels_and_heat_are_those_of_one_pass() -> None:
    model = shaken(picture_model())
    raw = noise(1, 1, 16, 16)
    wish = InsideWish(("n2", "output"), "gradcam", "light", channels=(3, 1, 99))
    view = Looking(model).look(seen_of(raw, 7, size=(48, 64), label="dark"), wish)
    assert view.problem == ""
    assert (view.number, view.port, view.channels, view.channel_count) == (7, wish.port, (3, 1), 4)
    batch = model.prepared({"input": raw})
    values = model.network.capture(batch)["n2", "output"][0].numpy()
    assert view.maps is not None
    np.testing.assert_allclose(view.maps, values[[3, 1]], atol=1e-5)
    means = values.mean((1, 2))
    assert [channel for channel, _ in view.strongest] == np.argsort(-means).tolist()
    assert view.strongest[0][1] == pytest.approx(means.max(), abs=1e-5)
    assert view.heat is not None
    np.testing.assert_allclose(view.heat, gradcam(model, {"input": raw}, 2), atol=1e-6)
    answers = model.predict({"input": raw})[0]
    assert isinstance(answers, Classes)
    assert view.heat_score == pytest.approx(dict(answers.answers)["light"], abs=1e-5)
    assert (view.label, view.heat_number, view.crop) == ("light", 7, (0, 0, 1, 1))
    assert view.picture is not None
    np.testing.assert_array_equal(view.picture[..., 0], raw[0, 0])


def test_heat_comes_with_the_frame_made_small() -> None:
    looking = Looking(shaken(picture_model()))
    pixels = np.full((720, 1280, 3), 90, np.uint8)
    seen = seen_of(noise(1, 1, 16, 16), size=(720, 1280), pixels=pixels)
    view = looking.look(seen, InsideWish(heat="gradcam"))
    assert view.frame is not None
    assert view.frame.shape == (270, 480, 3)
    assert looking.look(seen, InsideWish()).frame is None
    view = looking.look(seen, InsideWish(heat="occlusion"))
    assert view.frame is None
    assert 0 < view.heat_share < 1
    while looking.unfinished:
        view = looking.look(seen, InsideWish(heat="occlusion"))
    assert view.frame is not None
    assert view.heat_share == 1


def test_the_first_answer_is_explained_where_no_class_is_chosen() -> None:
    model = shaken(picture_model())
    raw = noise(1, 1, 16, 16)
    view = Looking(model).look(seen_of(raw, label="middle"), InsideWish(heat="gradcam"))
    assert view.label == "middle"
    assert view.port == ("n4", "output")  # the last that is a picture
    likeliest = Looking(model).look(seen_of(raw), InsideWish(heat="gradcam"))
    answer = model.predict({"input": raw})[0]
    assert isinstance(answer, Classes)
    assert likeliest.label == answer.answers[0][0]


def test_windows_show_the_states_of_all_their_steps() -> None:
    model = shaken(clip_model(bidirectional=True))
    raw = noise(1, 4, 1, 8, 8)
    view = Looking(model).look(seen_of(raw), InsideWish(("n2", "output")))
    values = model.network.capture(model.prepared({"input": raw}))
    np.testing.assert_allclose(view.states["memory"], values["n5", "sequence"][0], atol=1e-6)
    assert view.maps is not None
    np.testing.assert_allclose(view.maps, values["n2", "output"][0, -1], atol=1e-5)
    assert view.picture is not None
    np.testing.assert_array_equal(view.picture[..., 0], raw[0, -1, 0])
    assert not Looking(model).look(seen_of(raw), InsideWish(states=False)).states


@pytest.mark.parametrize("recurrent", ["lstm", "gru"])
def test_a_carried_state_is_looked_into_as_it_was_answered(recurrent: str) -> None:
    """After the frames of a clip one by one, what is seen is what the whole clip gives."""
    model = shaken(clip_model(recurrent=recurrent))
    raw, streamer = noise(1, 4, 1, 8, 8), Streamer(model)
    streamer.reset()
    looking, wish = Looking(model), InsideWish(("n2", "output"), "gradcam", "dark")
    for step in range(4):
        frame = raw[:, step : step + 1]
        streamer.step({"input": frame})
        view = looking.look(seen_of(frame, moment=streamer.moment), wish)
    values = model.network.capture(model.prepared({"input": raw}))
    names = {"memory": "h", "memory c": "c"} if recurrent == "lstm" else {"memory": "h"}
    assert view.states.keys() == names.keys()
    for name, port in names.items():
        np.testing.assert_allclose(view.states[name], values["n5", port][0], atol=1e-5)
    assert view.maps is not None
    np.testing.assert_allclose(view.maps, values["n2", "output"][0, -1], atol=1e-5)
    # the newest frame of the whole clip is explained alike: only its own step leads from it on
    assert view.heat is not None
    np.testing.assert_allclose(view.heat, gradcam(model, {"input": raw}, 0), atol=1e-4)


def test_occlusion_fills_over_several_looks() -> None:
    model = shaken(picture_model())
    raw, looking = noise(1, 1, 16, 16), Looking(model)
    wish = InsideWish(heat="occlusion", label="light")
    view = looking.look(seen_of(raw), wish)
    assert view.heat is None
    assert view.maps is not None
    number = 1
    coarse = []
    while looking.unfinished:
        number += 1
        view = looking.look(seen_of(noise(1, 1, 16, 16)[:, :, ::-1], number), wish)
        if view.heat is not None and looking.unfinished:
            coarse.append((number, view))
    *_, whole = occlusion(model, {"input": raw}, 2)
    assert view.heat is not None
    np.testing.assert_allclose(view.heat, whole.values, atol=1e-4)
    assert number > 5
    assert view.number == number
    assert view.heat_number == 1  # of the sample that it was begun with, with its picture
    assert view.picture is not None
    np.testing.assert_array_equal(view.picture[..., 0], raw[0, 0])
    soon, first = coarse[0]  # after those places that lie beside each other
    assert soon <= number // 3
    assert first.heat_number == 1
    assert 0 < first.heat_share < 0.5
    looking.look(seen_of(raw, 99), wish)
    assert looking.look(seen_of(raw, 99), wish).heat is view.heat, "there is a fine one"


def test_what_cannot_be_shown_is_a_sentence_and_the_rest_is_shown() -> None:
    looking = Looking(shaken(picture_model()))
    raw = noise(1, 1, 16, 16)
    assert looking.look(seen_of(raw), InsideWish(maps=False)).maps is None
    view = looking.look(seen_of(raw), InsideWish(heat="gradcam", label="cat"))
    assert "no class cat" in view.problem
    assert view.heat is None
    assert view.maps is not None
    view = looking.look(seen_of(raw), InsideWish(("n99", "output")))
    assert "not part of the network" in view.problem
    wrong = looking.look(seen_of(noise(1, 1, 9, 9)), InsideWish())
    assert "16×16" in wrong.problem
    fine = looking.look(seen_of(raw), InsideWish(heat="gradcam"))
    assert fine.problem == ""
    assert fine.heat is not None
    heard = Looking(sound_model()).look(
        seen_of(np.zeros((1, 800, 1), np.float32)), InsideWish(heat="gradcam")
    )
    assert "takes no picture" in heard.problem
    assert heard.states["memory"].shape == (100, 4)


def test_heat_that_fails_half_way_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    looking, wish = Looking(shaken(picture_model())), InsideWish(heat="occlusion")
    seen = seen_of(noise(1, 1, 16, 16))
    assert looking.look(seen, wish).problem == ""

    def full(*given: object) -> None:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory\nat …")

    with monkeypatch.context() as patch:
        patch.setattr(Passage, "go_on", full)
        assert looking.look(seen, wish).problem == "DefaultCPUAllocator: can't allocate memory"
    assert looking.look(seen, wish).problem == ""
    assert looking.unfinished


def test_ones_own_last_layer_is_explained_as_soon_as_there_is_one() -> None:
    plain = shaken(picture_model())
    heads: list[Head | None] = [None]
    looking = Looking(backbone(plain), lambda: heads[0])
    raw = noise(1, 1, 16, 16)
    view = looking.look(seen_of(raw), InsideWish(heat="gradcam"))
    assert "nothing is taught yet" in view.problem
    assert view.maps is not None
    fc = plain.network.module.get_submodule("fc")
    weight = fc.get_parameter("weight").detach().numpy()
    bias = fc.get_parameter("bias").detach().numpy()
    heads[0] = Head(("mug", "keys", "chair"), weight, bias, Examples(weight, np.arange(3)))
    view = looking.look(seen_of(raw, label="keys"), InsideWish(heat="gradcam"))
    assert (view.label, view.problem) == ("keys", "")
    assert view.heat is not None
    np.testing.assert_allclose(view.heat, gradcam(plain, {"input": raw}, 1), atol=1e-5)


# --- the thread -----------------------------------------------------------------------------------


def test_a_camera_is_looked_at_beside_its_answers(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "numbers.avi", 30)
    told = threading.Event()
    with Camera(str(clip)) as camera:
        live = Live(shaken(picture_model()), camera, LiveSettings(engine="eager"))
        live.start()
        inside = live.look_inside(InsideWish(heat="gradcam", rate_hz=50), told.set)
        inside.start()
        assert told.wait(10)
        first = inside.view()
        assert first is not None
        until(lambda: (view := inside.view()) is not None and view.number > first.number, 5)
        view, frame = inside.view(), camera.frame()
        assert view is not None
        assert frame is not None
        assert view.problem == ""
        assert view.heat is not None
        assert view.heat.shape == (16, 16)
        assert frame.number - view.number < 15  # the newest, never a queue
        assert live.answer() is not None
        inside.close()
        live.close()


def test_a_streamed_clip_shows_what_is_remembered(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "numbers.avi", 30)
    with Camera(str(clip)) as camera:
        live = Live(shaken(clip_model()), camera)
        live.start()
        inside = live.look_inside(InsideWish(heat="gradcam", rate_hz=50))
        inside.start()
        until(lambda: (view := inside.view()) is not None and bool(view.states), 10)
        view = inside.view()
        assert view is not None
        assert view.problem == ""
        assert {name: state.shape for name, state in view.states.items()} == {
            "memory": (6,),
            "memory c": (6,),
        }
        inside.close()
        live.close()


def test_what_is_taught_meanwhile_is_explained(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "numbers.avi", 30)
    with Camera(str(clip)) as camera:
        live = LiveTaught(shaken(picture_model()), camera, LiveSettings(engine="eager"))
        live.start()
        inside = live.look_inside(InsideWish(heat="gradcam", rate_hz=50))
        inside.start()
        until(lambda: (view := inside.view()) is not None and "taught" in view.problem, 10)
        looked = live.looked()
        assert looked is not None
        assert looked.vector is not None
        vectors = np.stack([looked.vector, -looked.vector])
        live.head = Head(
            ("mug", "keys"), vectors, np.zeros(2, np.float32), Examples(vectors, np.arange(2))
        )
        until(lambda: (view := inside.view()) is not None and view.label == "mug", 10)
        view = inside.view()
        assert view is not None
        assert view.heat is not None
        inside.close()
        live.close()


def test_another_wish_is_fulfilled_also_where_nothing_moves() -> None:
    inside = Inside(shaken(picture_model()), Still().wait, InsideWish(rate_hz=0))
    inside.start()
    try:
        assert inside.view() is None
        inside.wish = InsideWish(("n2", "output"), rate_hz=20)
        until(lambda: (view := inside.view()) is not None and view.port == ("n2", "output"), 5)
        inside.wish = InsideWish(("n3", "output"), "occlusion", "dark", rate_hz=200)
        until(lambda: (view := inside.view()) is not None and view.heat is not None, 10)
    finally:
        inside.close()


def test_looking_takes_at_most_half_of_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[float] = []

    def slow(self: Looking, seen: Seen, wish: InsideWish, filling: float = 0) -> InsideView:
        looks.append(time.monotonic())
        time.sleep(0.1)
        return InsideView(seen.number, seen.time)

    monkeypatch.setattr(Looking, "look", slow)
    numbers = iter(range(1, 10_000))
    inside = Inside(
        picture_model(),
        lambda after, timeout: replace(Still().seen, number=next(numbers)),
        InsideWish(rate_hz=100),
    )
    inside.start()
    until(lambda: len(looks) >= 5, 5)
    inside.close()
    assert min(b - a for a, b in pairwise(looks)) >= 0.19


def test_a_look_that_fails_is_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(self: Looking, seen: Seen, wish: InsideWish, filling: float = 0) -> InsideView:
        raise OSError("the driver is gone")

    monkeypatch.setattr(Looking, "look", broken)
    inside = Inside(picture_model(), Still().wait)
    inside.start()
    until(lambda: inside.problem != "", 5)
    assert "the driver is gone" in inside.problem
    assert "looking inside failed" in caplog.text
    inside.close()
