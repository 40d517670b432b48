"""Live recognition: the newest frame, timings, sentences, engines, and sources that misbehave."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from models.axes import image
from playground.answers import Classes
from playground.capture import Camera, CameraSettings, CaptureStatus, Frame, Microphone
from playground.data.dataset import Column
from playground.data.reading import ImageReading
from playground.export import ExportError
from playground.live import choice
from playground.live.choice import Choice, digest
from playground.live.engines import Onnx, Torch, same
from playground.live.errors import LiveError
from playground.live.feed import CameraFeed
from playground.live.intake import Pictures, device_for
from playground.live.loop import Live
from playground.live.settings import LiveAnswer, LiveSettings
from playground.live.smoothing import Smoother, is_unknown
from playground.live.streaming import NotStreaming, Streamer
from playground.messages import Array
from playground.preprocessing import Preprocessing
from playground.vision import from_array
from tests.playground.capture_kit import QUICK, MjpegServer, children, number_of, until, write_clip
from tests.playground.cli_kit import Shell
from tests.playground.live_kit import (
    as_run,
    clip_model,
    picture_model,
    series_model,
    shaken,
    sound_model,
)

EAGER = LiveSettings(engine="eager")


@pytest.fixture(autouse=True)
def _nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("PLAYGROUND_CACHE", str(tmp_path / "cache"))
    before = set(threading.enumerate())
    yield
    assert children() == []
    until(lambda: set(threading.enumerate()) <= before, 3)


@pytest.fixture
def clip(tmp_path: Path) -> str:
    return str(write_clip(tmp_path / "numbers.avi", 30))


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(capsys)


def answers(live: Live, count: int) -> list[LiveAnswer]:
    """The first ``count`` answers, in this thread."""
    found: list[LiveAnswer] = []
    events = live.events()
    for event in events:
        if isinstance(event, LiveAnswer):
            found.append(event)
        if len(found) == count:
            events.close()
    return found


# --- the loop -------------------------------------------------------------------------------


def test_the_answer_to_a_frame_is_what_predict_says_of_it(clip: str) -> None:
    model = shaken(picture_model())
    pixels: dict[int, Any] = {}
    with Camera(clip, CameraSettings(rate=5)) as camera:
        live = Live(model, camera, EAGER)
        events = live.events()
        found = []
        for event in events:
            frame = camera.frame()
            if isinstance(event, LiveAnswer) and frame is not None:
                pixels[frame.number] = frame.pixels
                found.append(event)
            if len(found) == 4:
                events.close()
    for answer in found:
        frame = pixels.get(answer.number)
        assert frame is not None
        raw = from_array(frame, 1, (16, 16), "stretch")[None]
        wanted = model.predict({"input": raw})[0]
        assert isinstance(wanted, Classes)
        assert isinstance(answer.answer, Classes)
        assert dict(answer.answer.answers) == pytest.approx(dict(wanted.answers), abs=1e-5)
        assert 0 < answer.inference_seconds <= answer.latency
        assert answer.engine == "eager"


def test_frames_for_networks_for_imagenet_are_fitted_as_photographs_are() -> None:
    reading = ImageReading(3, 224, 224, "middle")
    column = Column("image", image(3, 224, 224), np.zeros(0), Preprocessing(), reading=reading)
    pixels = np.random.default_rng(0).integers(0, 256, (480, 640, 3)).astype(np.uint8)
    raw = Pictures(column, window=False).taken(pixels, 0.0)["image"][0]
    off = np.abs(raw.astype(int) - reading.from_array(pixels))
    assert off.max() <= 1
    assert off.mean() < 0.01


def test_a_slow_model_gets_the_newest_frame_and_never_a_queue(clip: str) -> None:
    """At several times the rate that the network can do, answers stay fresh."""

    class Slow(Torch):
        def run(self, raw: Any) -> Any:
            time.sleep(0.12)
            return super().run(raw)

    model = picture_model()
    with Camera(clip) as camera:
        live = Live(model, camera, EAGER)
        live._choice.current = Slow(model)
        found = answers(live, 12)
    assert found[-1].dropped == found[-1].number - found[0].number - 11
    assert found[-1].dropped > 15
    ages = [answer.latency - answer.inference_seconds for answer in found]
    assert max(ages[6:]) < 0.12  # the frame was at most about one interval old when it was taken


def test_in_a_thread_with_the_newest_answer(clip: str) -> None:
    with Camera(clip) as camera:
        live = Live(picture_model(), camera, EAGER)
        live.start()
        first = live.wait(0, 20)
        assert first is not None
        second = live.wait(first.number, 5)
        assert second is not None
        assert second.number > first.number
        assert live.answer() is not None
        assert live.status.state == "running"
        live.stop()
        assert live._choice.stopped, "all of it begins to end at once, not one after the other"
        live.close()
        assert live.wait(10**9, 5) is None


def test_a_model_that_fails_is_a_sentence(clip: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(engine: Torch, raw: Any) -> Any:
        raise ValueError("the picture\nis odd")

    monkeypatch.setattr(Torch, "run", broken)
    with Camera(clip) as camera:
        live = Live(picture_model(), camera, EAGER)
        live.start()
        until(lambda: live.status.state == "failed")
        assert live.status.message == "The model cannot answer: the picture is odd"
        live.close()
        assert camera.status.state == "running"


# --- sources that misbehave -----------------------------------------------------------------


def test_a_stream_that_stalls_and_is_pulled_away_is_answered_again() -> None:
    with MjpegServer() as server, Camera(server.url, limits=QUICK) as camera:
        live = Live(picture_model(), camera, EAGER)
        live.start()
        first = live.wait(0, 20)
        assert first is not None
        server.stalled = True
        until(lambda: live.status.state == "reconnecting")
        assert "no picture has come from" in live.status.message.lower()
        last = live.answer()
        assert last is not None
        server.stalled = False
        after = live.wait(last.number, 20)
        assert after is not None
        server.pull()
        until(lambda: live.status.state == "reconnecting")
        last = live.answer()
        assert last is not None
        server.give()
        again = live.wait(last.number, 20)
        assert again is not None
        assert again.captured > last.captured
        live.close()


def test_a_stream_that_doubles_its_rate_stays_fresh() -> None:
    with MjpegServer(rate=20) as server, Camera(server.url, limits=QUICK) as camera:
        live = Live(picture_model(), camera, EAGER)
        live.start()
        assert live.wait(0, 20) is not None
        for rate in (40, 80):
            server.rate = rate
            time.sleep(0.7)
            for _ in range(5):
                newest = live.answer()
                assert newest is not None
                answer = live.wait(newest.number, 5)
                assert answer is not None
                frame = camera.frame()
                assert frame is not None
                assert server.sent - number_of(frame.pixels) <= rate // 4
                assert frame.number - answer.number <= rate // 4
        live.close()


# --- clips, step by step --------------------------------------------------------------------


@pytest.mark.parametrize("recurrent", ["lstm", "gru", "rnn"])
@pytest.mark.parametrize("layers", [1, 2])
def test_a_state_that_is_carried_ends_where_the_whole_clip_does(
    recurrent: str, layers: int
) -> None:
    model = shaken(clip_model(5, recurrent=recurrent, num_layers=layers))
    frames = np.random.default_rng(1).integers(0, 256, (1, 5, 1, 8, 8)).astype(np.uint8)
    streamer = Streamer(model)
    for step in range(5):
        found = streamer.step({"input": frames[:, step : step + 1]})
    wanted = model.outputs(model.prepared({"input": frames}))
    np.testing.assert_allclose(found["label"], wanted["label"], atol=1e-5)
    longer = streamer.step({"input": frames[:, :1]})
    assert not np.allclose(longer["label"], wanted["label"], atol=1e-5)
    streamer.reset()
    alone = streamer.step({"input": frames[:, :1]})
    assert not np.allclose(longer["label"], alone["label"], atol=1e-5)


@pytest.mark.parametrize("length", [1, 2, 5, 6])
def test_a_state_never_sees_more_than_the_clips_that_were_learnt_from(length: int) -> None:
    model = shaken(clip_model(length))
    frames = np.random.default_rng(2).integers(0, 256, (4 * length, 1, 1, 1, 8, 8)).astype(np.uint8)
    streamer, alone = Streamer(model, length), Streamer(model)

    def after(steps: Iterable[Any]) -> Any:
        alone.reset()
        for frame in steps:
            found = alone.step({"input": frame})
        return found["label"]

    for _ in range(2):
        seen = 0
        for place, frame in enumerate(frames):
            seen = seen + 1 if seen < length else length // 2 + 1
            wanted = after(frames[place + 1 - seen : place + 1])
            np.testing.assert_allclose(streamer.step({"input": frame})["label"], wanted, atol=1e-5)
        streamer.reset()


def test_a_state_uses_the_weights_that_training_goes_on_changing() -> None:
    model = shaken(clip_model())
    streamer = Streamer(model)
    frame = {"input": np.full((1, 1, 1, 8, 8), 90, np.uint8)}
    before = streamer.step(frame)["label"]
    shaken(model, seed=5)
    streamer.reset()
    assert not np.allclose(streamer.step(frame)["label"], before)


def test_a_two_way_network_needs_the_whole_window(clip: str) -> None:
    model = clip_model(bidirectional=True)
    with pytest.raises(NotStreaming, match="memory reads both ways"):
        Streamer(model)
    with Camera(clip) as camera:
        live = Live(model, camera)
        assert live.not_streaming == "memory reads both ways"
        assert {answer.engine for answer in answers(live, 3)} == {"eager"}


def test_a_model_of_clips_is_answered_frame_by_frame(clip: str) -> None:
    with Camera(clip) as camera:
        found = answers(Live(shaken(clip_model()), camera), 8)
    assert {answer.engine for answer in found} == {"streaming"}
    with Camera(clip) as camera:  # who names an engine has the last frames looked at as a whole
        found = answers(Live(shaken(clip_model()), camera, EAGER), 3)
    assert {answer.engine for answer in found} == {"eager"}


def test_sound_in_windows(tmp_path: Path) -> None:
    path = tmp_path / "tone.wav"
    soundfile.write(path, np.sin(np.arange(8000) / 5).astype(np.float32), 8000)
    model = shaken(sound_model())
    with device_for(model, str(path)) as microphone:
        assert isinstance(microphone, Microphone)
        found = answers(Live(model, microphone, LiveSettings(hop=0.05, engine="eager")), 6)
    numbers = [answer.number for answer in found]
    assert numbers == sorted(set(numbers))
    assert 0 < found[-1].latency < 5


# --- what cannot be -------------------------------------------------------------------------


def test_models_and_sources_that_do_not_go_together(clip: str) -> None:
    with pytest.raises(LiveError, match=r"takes input \(sequence .*neither a camera nor a micro"):
        device_for(series_model(), clip)
    with pytest.raises(LiveError, match="takes sound, which a camera does not give"):
        Live(sound_model(), Camera(clip))
    with pytest.raises(LiveError, match="takes pictures, which a microphone does not give"):
        Live(picture_model(), Microphone("default"))
    with pytest.raises(LiveError, match="at 8,000 samples a second"):
        Live(sound_model(), Microphone("default", 16000))


@pytest.mark.parametrize(
    "values", [{"smoothing": -1}, {"threshold": 2}, {"hop": 0}, {"engine": "fast"}]
)
def test_settings_that_mean_nothing(values: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        LiveSettings(**values)


# --- smoothing ------------------------------------------------------------------------------


def test_smoothing_is_over_time_and_not_over_frames() -> None:
    model = picture_model()
    one, other = (np.log(np.array([[p, 1 - p - 0.1, 0.1]])) for p in (0.8, 0.2))

    def after_a_second(frames: int) -> float:
        smoother = Smoother(model, 0.5)
        smoother.answer({"label": one}, 0.0)
        for frame in range(1, frames + 1):
            answer = smoother.answer({"label": other}, frame / frames)
        assert isinstance(answer, Classes)
        return dict(answer.answers)["dark"]

    assert after_a_second(5) == pytest.approx(after_a_second(60))
    assert after_a_second(60) == pytest.approx(0.2 + 0.6 * np.exp(-2))


def test_none_of_these() -> None:
    assert is_unknown(Classes((("a", 0.4), ("b", 0.3))), 0.5)
    assert not is_unknown(Classes((("a", 0.6), ("b", 0.3))), 0.5)


# --- engines --------------------------------------------------------------------------------


def test_engines_answer_alike_and_the_fastest_is_remembered(
    clip: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = shaken(picture_model())
    with Camera(clip) as camera:
        live = Live(model, camera)
        live.start()
        first = live.wait(0, 20)
        assert first is not None
        assert first.engine == "eager"  # at once, before anything was measured
        until(lambda: live.engine.settled, 60)
        live.close()
    measured = live.engine
    assert measured.problems == {}
    assert set(measured.seconds) == {"eager", "channels-last", "onnxruntime"}
    fastest = min(measured.seconds, key=lambda name: measured.seconds[name])
    assert measured.engine in (fastest, "eager")

    again = Choice(model)
    again.start()
    until(lambda: again.settled, 20)
    assert again.current.name == measured.engine
    assert again.times == measured.seconds
    again.close()

    path = next((tmp_path / "cache/engines").glob("*.onnx"))
    assert path.stem == digest(model)
    assert same(model, Torch(model), Onnx(model, path))
    good = path.read_bytes()
    path.write_bytes(b"no network")  # spoilt: it is written anew
    monkeypatch.setattr(choice, "export", lambda run, to, path, **_: path.write_bytes(good))
    named = Choice(model, "onnxruntime")
    named.start()
    until(
        lambda: named.turn({"input": np.zeros((1, 1, 16, 16), np.uint8)}, 1.0) or named.settled, 20
    )
    named.close()
    assert (named.current.name, named.problems) == ("onnxruntime", {})
    assert not same(shaken(model, seed=9), Torch(model), Onnx(model, path))
    assert digest(model) != path.stem


def test_an_engine_that_cannot_be_made_leaves_the_first(
    clip: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: Any, **__: Any) -> None:
        raise ExportError("there is no way")

    monkeypatch.setattr(choice, "export", refused)
    with Camera(clip) as camera:
        live = Live(shaken(picture_model()), camera, LiveSettings(engine="onnxruntime"))
        live.start()
        until(lambda: live.engine.settled, 30)
        live.close()
    assert live.engine.engine == "eager"
    assert live.engine.problems == {"onnxruntime": "there is no way"}


# --- the command ----------------------------------------------------------------------------


def test_the_command_prints_an_answer_a_frame(clip: str, tmp_path: Path, shell: Shell) -> None:
    run = as_run(shaken(picture_model()), tmp_path / "run")
    lines = shell.json("live", run, "--source", clip, "--frames", "40", "--engine", "eager")
    frames = [line for line in lines if "frame" in line]
    assert len(frames) == 40
    for line in frames:
        assert sum(answer["probability"] for answer in line["answers"]) == pytest.approx(1)
        assert 0 < line["inference_ms"] <= line["latency_ms"]
    assert next(line["state"] for line in lines if line.get("event") == "status") == "opening"
    last = lines[-1]
    assert last["event"] == "finished"
    assert last["frames"] == 40
    assert last["rate"] == pytest.approx(25, rel=0.3)
    assert last["latency_ms"]["p50"] <= last["latency_ms"]["p95"]
    assert last["engine"] == "eager"


def test_a_clip_is_played_once_where_no_number_is_given(
    clip: str, tmp_path: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = as_run(shaken(picture_model()), tmp_path / "run")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)  # as where it is not installed
    said = shell(
        "live", run, "--source", clip, "--top", "1", "--threshold", "1", "--engine", "onnxruntime"
    )
    assert said.code == 0
    assert "numbers.avi has ended." in said.out
    assert "none of these (" in said.out
    answers, why = said.out.splitlines()[-2:]
    assert "answers, " in answers
    assert why.startswith("note: onnxruntime takes no part: ")


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("none.avi", "does not exist: choose the clip again."),
        ("ftp://example.org/x", "not with ftp://"),
        ("damaged.avi", "cannot be played: it is damaged"),
    ],
)
def test_sources_that_fail_end_the_command_with_a_sentence(
    source: str, says: str, tmp_path: Path, shell: Shell
) -> None:
    (tmp_path / "damaged.avi").write_bytes(b"no clip\n" * 200)
    run = as_run(picture_model(), tmp_path / "run")
    address = source if "://" in source else str(tmp_path / source)
    said = shell("live", run, "--source", address)
    assert said.code == 1
    assert says in said.sentence


def test_a_model_that_no_camera_can_feed(clip: str, tmp_path: Path, shell: Shell) -> None:
    run = as_run(series_model(), tmp_path / "run")
    said = shell("live", run, "--source", clip)
    assert said.code == 1
    assert "neither a camera nor a microphone gives" in said.sentence


def test_the_last_frame_is_waited_for_while_it_is_made_ready() -> None:
    """However long that takes: the camera has ended before."""
    asked = threading.Event()

    class Ended(Camera):
        def wait(self, after: int, timeout: float) -> Frame | None:
            frame = Frame(np.zeros((8, 8, 3), np.uint8), 1, time.monotonic(), 0)
            return frame if after < 1 else None

        @property
        def status(self) -> CaptureStatus:
            asked.set()
            return CaptureStatus("ended", "It has ended.", 0.0)

    class Slow(Pictures):
        def taken(self, pixels: Array, time: float) -> dict[str, Array]:
            asked.wait()
            return super().taken(pixels, time)

    column = picture_model().dataset.inputs["input"]
    frames = CameraFeed(Slow(column, window=False), Ended("0"))
    frames.start()
    sample = frames.wait(0, 0.0)
    assert sample is not None
    assert sample.number == 1
    assert frames.wait(1, 0.0) is None
    frames.close()
