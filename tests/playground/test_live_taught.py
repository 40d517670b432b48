"""Live answers of a head that is replaced meanwhile, on vectors of the fastest engine."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from playground.answers import Classes
from playground.capture import Camera, CameraSettings
from playground.data import DataSettings
from playground.embedding import Embedder
from playground.familiar import head_of
from playground.live.choice import Choice
from playground.live.engines import CHANNELS_LAST, ONNX
from playground.live.loop import Live
from playground.live.settings import LiveAnswer, LiveSettings
from playground.live.taught import LiveTaught, LiveTuned, live_for
from playground.live.what import Wanted, of_run, opened
from playground.messages import Array
from playground.recordings import Recordings
from playground.runs import RunError, RunFolder, load_model
from playground.teach import LABELS, VECTORS, Head, fit, write_run
from tests.playground.capture_kit import children, numbered, until, write_clip
from tests.playground.cli_kit import Shell
from tests.playground.live_kit import as_run, picture_model, shaken

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
def embedder() -> Embedder:
    return Embedder(shaken(picture_model()), cached=False)


def stripes(embedder: Embedder) -> Array:
    """Vectors of what the clip shows."""
    return np.stack([embedder.frame(numbered(number)) for number in range(30)])


def noise(embedder: Embedder) -> Array:
    """Vectors of what it does not show."""
    random = np.random.default_rng(0)
    frames = random.integers(0, 256, (8, 120, 160, 3)).astype(np.uint8)
    return np.stack([embedder.frame(frame) for frame in frames])


def head(*classes: tuple[str, Array]) -> Head:
    labels = np.repeat(np.arange(len(classes)), [len(vectors) for _, vectors in classes])
    return fit(np.concatenate([v for _, v in classes]), labels, [name for name, _ in classes])


def answered(live: LiveTaught, labels: set[str]) -> LiveAnswer:
    """The first answer with these classes."""

    def there() -> bool:
        found = live.answer()
        return (
            found is not None
            and isinstance(found.answer, Classes)
            and {label for label, _ in found.answer.answers} == labels
        )

    until(there, 20)
    found = live.answer()
    assert found is not None
    return found


def test_every_engine_gives_the_embedders_vectors(embedder: Embedder) -> None:
    choice = Choice(embedder.backbone)
    choice.start()
    until(choice._ready.is_set, 60)
    assert [engine.name for engine in choice._rivals] == [CHANNELS_LAST, ONNX]
    pictures = [embedder.reading.from_array(numbered(number)) for number in range(4)]
    wanted = embedder.embed(pictures)
    for engine in (choice.current, *choice._rivals):
        (found,) = engine.run({embedder.column.name: np.stack(pictures)}).values()
        assert float(np.abs(found - wanted).max()) <= 1e-4 * float(np.std(wanted, axis=0).max())
    choice.close()


def test_a_head_is_replaced_while_frames_are_answered(clip: str, embedder: Embedder) -> None:
    shown, other = stripes(embedder), noise(embedder)
    with Camera(clip) as camera:
        live = LiveTaught(embedder, camera, EAGER)
        live.start()
        nothing = answered(live, set())
        assert not nothing.unknown
        assert nothing.inference_seconds > 0
        live.head = head(("stripes", shown))
        alone = answered(live, {"stripes"})
        assert isinstance(alone.answer, Classes)
        assert alone.answer.answers[0][1] == 1
        assert alone.answer.seen is not None
        assert alone.answer.seen > 0.9
        assert not alone.unknown
        live.head = head(("noise", other), ("stripes", shown))
        both = answered(live, {"noise", "stripes"})
        assert isinstance(both.answer, Classes)
        assert both.answer.answers[0][0] == "stripes"
        live.head = head(("one", -shown[:15]), ("two", -shown[15:]))  # as far away as can be
        strange = answered(live, {"one", "two"})
        assert strange.unknown
        assert strange.to_json()["seen"] < 0.5
        live.head = None
        answered(live, set())
        live.close()


def test_what_was_looked_at_is_there_with_its_pixels(clip: str, embedder: Embedder) -> None:
    with Camera(clip, CameraSettings(rate=10)) as camera:
        live = LiveTaught(embedder, camera, EAGER)
        assert live.looked() is None
        live.start()
        answer = live.wait(3, 20)
        looked = live.looked()
        live.close()
    assert answer is not None
    assert looked is not None
    assert looked.number >= answer.number
    assert looked.vector is not None
    np.testing.assert_allclose(looked.vector, embedder.frame(looked.pixels), atol=1e-4)


def test_how_well_a_picture_is_known_is_smoothed_too(embedder: Embedder) -> None:
    live = LiveTaught(embedder, Camera("0"), LiveSettings(smoothing=0.5, engine="eager"))
    shown, other = stripes(embedder), noise(embedder)
    live.head = head(("noise", other[:4]), ("stripes", shown))
    words = live._words
    strange = -shown[0]
    first = words.answer({"": shown[:1]}, 0.0)
    after = words.answer({"": strange[None]}, 0.25)
    words.reset()
    at_once = words.answer({"": strange[None]}, 0.25)
    assert first.seen is not None
    assert after.seen is not None
    assert at_once.seen is not None
    share = 1 - np.exp(-0.25 / 0.5)
    assert after.seen == pytest.approx(first.seen + share * (at_once.seen - first.seen))
    # other classes have nothing to do with what came before
    live.head = head(("a", other), ("b", shown))
    assert words.answer({"": strange[None]}, 0.5).seen == pytest.approx(at_once.seen, abs=0.2)


# --- runs that were taught ------------------------------------------------------------------------


@pytest.fixture
def taught(tmp_path: Path, embedder: Embedder) -> RunFolder:
    both = head(("noise", noise(embedder)), ("stripes", stripes(embedder)))
    _, _, run = write_run(tmp_path / "mine.files", embedder, both, DataSettings())
    return run


def test_a_taught_run_is_answered_with_its_own_head(taught: RunFolder, clip: str) -> None:
    model = load_model(taught)
    found = head_of(model)
    assert found is not None
    raw = np.random.default_rng(3).integers(0, 256, (4, 1, 16, 16)).astype(np.uint8)
    (logits,) = model.outputs(model.prepared({"input": raw})).values()
    vectors = Embedder(model, cached=False).embed(list(raw))
    np.testing.assert_allclose(vectors @ found.weight.T + found.bias, logits, atol=1e-3)
    with Camera(clip) as camera:
        live = opened(of_run(taught), camera, Wanted(EAGER))
        assert isinstance(live, LiveTaught)
        live.start()
        answer = live.wait(0, 20)
        live.close()
    assert answer is not None
    assert isinstance(answer.answer, Classes)
    assert answer.answer.answers[0][0] == "stripes"
    assert answer.answer.seen is not None


def test_a_trained_run_is_answered_as_before(tmp_path: Path) -> None:
    model = load_model(as_run(shaken(picture_model()), tmp_path / "run"))
    assert head_of(model) is None
    live = live_for(model, Camera("0"), EAGER)
    assert type(live) is Live


def test_the_command_tells_what_was_not_seen_before(
    taught: RunFolder,
    tmp_path: Path,
    embedder: Embedder,
    clip: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shell = Shell(capsys)
    words = ("--source", clip, "--engine", "eager", "--frames", "5")
    lines = [line for line in shell.json("live", taught.path, *words) if "frame" in line]
    assert all(line["answers"][0]["label"] == "stripes" for line in lines)
    assert all(line["seen"] > 0.9 and not line["unknown"] for line in lines)
    shown = stripes(embedder)
    far = head(("one", -shown[:15]), ("two", -shown[15:]))
    _, _, run = write_run(tmp_path / "far.files", embedder, far, DataSettings())
    said = shell("live", run.path, *words)
    assert "none of these (" in said.out
    assert "; 0% known)" in said.out


@pytest.mark.parametrize(
    ("vectors", "labels", "says"),
    [
        (np.full((2, 256), np.nan, np.float32), [0, 1], "a value that is no number"),
        (np.ones((2, 3), np.float32), [0, 1], "teach it anew"),
        (np.ones((2, 256), np.float32), [0, 1, 0], None),
        (np.ones((2, 256), np.float32), [7, -1], None),
        (np.ones((0, 256), np.float32), [], None),
    ],
)
def test_examples_that_are_damaged(
    taught: RunFolder,
    clip: str,
    capsys: pytest.CaptureFixture[str],
    vectors: Array,
    labels: list[int],
    says: str | None,
) -> None:
    found = taught.checkpoint("best")
    tensors = {
        VECTORS: torch.from_numpy(vectors),
        LABELS: torch.from_numpy(np.asarray(labels, np.int64)),
    }
    taught.save("best", replace(found, tensors=tensors))
    words = ("live", taught.path, "--source", clip, "--engine", "eager", "--frames", "2")
    said = Shell(capsys)(*words)
    assert said.code == (says is not None)
    assert says is None or says in said.sentence


def test_a_run_that_was_trained_on_looks_at_its_examples_again(
    taught: RunFolder,
    tmp_path: Path,
    embedder: Embedder,
    clip: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def damaged(*_: object) -> None:
        raise RunError("run.json is damaged")

    recordings = Recordings(tmp_path / "mine.files" / "pictures")
    for name in ("stripes", "noise"):
        recordings.add_class(name)
    for number in range(8):
        recordings.save_picture("stripes", numbered(number))
        recordings.save_picture("noise", np.full((120, 160, 3), 10 * number, np.uint8))
    data = DataSettings("camera", {"path": "files:pictures"})
    taught.freeze(replace(taught.project(), data=data))
    taught.update(taught=False, tuned=True)
    with Camera(clip, CameraSettings(loop=True)) as camera:
        live = opened(of_run(taught), camera, Wanted(EAGER))
        assert isinstance(live, LiveTuned)
        live.start()
        until(lambda: (found := live.answer()) is not None and is_seen(found), 20)
        assert live.status.message == camera.status.message
        live.close()
        assert isinstance(live_for(load_model(taught), camera), LiveTaught)  # they were kept
        shutil.rmtree(taught.path / "examples")
        shutil.rmtree(recordings.folder)
        live = opened(of_run(taught), camera, Wanted(EAGER))
        live.start()
        until(lambda: "the examples are gone (" in live.status.message, 20)
        assert live.status.message.startswith("It cannot be told what was seen before: ")
        after = live.wait(0, 20)
        live.close()
        monkeypatch.setattr("playground.live.taught.examples_of", damaged)
        live = opened(of_run(taught), camera, Wanted(EAGER))
        live.start()
        until(lambda: live.status.message.endswith("before: run.json is damaged."), 20)
        live.close()
    assert after is not None
    assert isinstance(after.answer, Classes)
    assert after.answer.seen is None


def is_seen(answer: LiveAnswer) -> bool:
    return isinstance(answer.answer, Classes) and (answer.answer.seen or 0) > 0.5
