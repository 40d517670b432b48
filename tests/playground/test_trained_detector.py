"""A detector that was trained here: on photographs of any size, on a camera, exported."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from models.parameters import ParameterError, checked
from playground.answers import Boxes, Detection
from playground.capture import Camera
from playground.data import DataSettings, SplitSettings, open_data
from playground.data.reading import ImageReading
from playground.detection.geometry import iou
from playground.detection.parameters import TRAINED
from playground.detection.trained import Trained, on_frame, worded
from playground.export import TARGETS, export
from playground.live.answering import Answering, words_of
from playground.live.engines import Shared
from playground.live.errors import LiveError
from playground.live.intake import Pictures, Sample, input_of
from playground.live.settings import LiveAnswer, LiveSettings
from playground.live.what import Wanted, of_run, opened
from playground.model import load
from playground.project import open_example
from playground.runs import RunFolder
from playground.starter import chain
from playground.tasks.detection import found
from playground.training.settings import TrainingSettings
from playground.training.trainer import Trainer
from playground.vision import Pixels, cv2
from tests.playground.cli_kit import Shell

SIDE = 40
"""Pixels of what the network sees, in cells of four."""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A network that finds light spots of one size, the way it is known to: its weights are set
    by hand after a moment of training."""
    options = {"samples": 20, "size": SIDE, "classes": 1, "colour": False}
    data = DataSettings("scattered-shapes", options, SplitSettings(5, 5))
    dataset = open_data(data, Path())
    graph = chain(
        [
            ("input", "image", {"shape": dataset.inputs["image"].shape.to_json()}),
            ("avg-pool2d", "mean", {"kernel_size": 4}),
            ("conv2d", "head", {"out_channels": 5, "kernel_size": 1}),
            ("output", "boxes", {}),
        ]
    )
    example = open_example("shapes-detector")
    project = replace(example, data=data, graph=graph, training=TrainingSettings(epochs=1))
    folder = RunFolder.create(tmp_path_factory.mktemp("runs") / "spots")
    for _ in Trainer(project, dataset, folder).steps():
        pass
    light = dataset.inputs["image"].preprocessing.numpy(np.float32([0, 255]).reshape(2, 1, 1, 1))
    dark, slope = float(light[0].item()), 10 / float(np.ptp(light))
    weight, bias = torch.zeros(5, 1, 1, 1), torch.tensor([0, 4.0, 4.0, 0.5, 0.5])
    weight[0], bias[0] = slope, -slope * dark - 4  # sure where it is lighter than two thirds
    save_file(
        {"head.weight": weight, "head.bias": bias}, folder.path / "best" / "weights.safetensors"
    )
    return folder


def scene(x: float, y: float, size: tuple[int, int]) -> Pixels:
    """A light spot on black ground, which borders that are added go on with: H×W×3. Its box is 0.4
    of the longer side."""
    rows, columns = (np.arange(side) + 0.5 for side in size)
    distance = np.square(columns - x)[None] + np.square(rows - y)[:, None]
    light = 250 * np.exp(-distance / (2 * (0.1 * max(size)) ** 2))
    return np.repeat(light[:, :, None].astype(np.uint8), 3, axis=2)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A spot that moves to the right: 16 frames of 320×160."""
    path = str(tmp_path_factory.mktemp("clips") / "spot.avi")
    writer = cv2.VideoWriter(path, cv2.VideoWriter.fourcc(*"MJPG"), 25, (320, 160))
    for number in range(16):
        writer.write(scene(100 + 4 * number, 80, (160, 320)))
    writer.release()
    return path


def overlap(box: tuple[float, ...], x: float, y: float, size: tuple[int, int]) -> float:
    half = 0.2 * max(size)
    true = np.asarray([[x - half, y - half, x + half, y + half]]).clip(0)
    true[:, 2:] = np.minimum(true[:, 2:], size[::-1])
    return float(iou(np.asarray([box]), true)[0, 0])


@pytest.mark.parametrize("size", [(32, 32), (200, 200), (160, 320), (300, 150)])
def test_boxes_are_in_pixels_of_the_whole_picture(run: RunFolder, size: tuple[int, int]) -> None:
    """Pictures of other proportions are given black borders, as in training."""
    detector = Trained(load(run))
    x, y = 0.6 * size[1], 0.45 * size[0]
    picture = scene(x, y, size)
    answer = detector.detect(picture)
    assert answer.size == size
    assert len(answer.boxes) == 1
    assert overlap(answer.boxes[0].box, x, y, size) > 0.55
    assert answer.boxes[0].label == "circle"
    assert detector.detect(picture, {"score": 0.999}).boxes == ()
    everything = detector.detect(picture, {"score": 0.01, "overlap": 1.0})
    assert len(everything.boxes) > 0
    assert detector.detect(picture, {"score": 0.01, "most": 1}).boxes == everything.boxes[:1]
    with pytest.raises(ParameterError):
        detector.detect(picture, {"score": 2})


@pytest.mark.parametrize("most", [90, 130, 1000])
def test_as_many_objects_as_are_wished_for(run: RunFolder, most: int) -> None:
    maps = np.full((5, 24, 24), 0.5, np.float32)
    maps[0] = -10
    maps[0, ::2, ::2] = 10  # 144 objects
    column = load(run).dataset.target
    answer = worded(maps, column, checked(TRAINED, {"most": most}))
    assert len(answer.boxes) == min(most, 144)


def test_where_a_frame_was_cut_or_given_borders() -> None:
    whole = Detection((0, 0, 50, 50), "a", 0.9)
    part = Detection((0, 0, 25, 10), "a", 0.8)

    def found(fit: str) -> list[tuple[float, ...]]:
        boxes = Boxes((whole, part), (50, 50))
        answer = on_frame(boxes, (100, 200), ImageReading(3, 50, 50, fit))
        assert answer.size == (100, 200)
        return [box.box for box in answer.boxes]

    assert found("crop") == [(50, 0, 150, 100), (50, 0, 100, 20)]
    assert found("stretch") == [(0, 0, 200, 100), (0, 0, 100, 20)]
    assert found("pad") == [(0, 0, 200, 100)]  # what lies in the border is no object


def test_boxes_of_a_network_under_training_lie_on_the_frame(run: RunFolder) -> None:
    """As the worker answers beside a run: with the model itself."""
    model = load(run)
    frame = scene(200, 80, (160, 320))
    raw = {"image": Pictures(input_of(model), window=False).taken(frame, 0.0)["image"]}
    answering = Answering(model, LiveSettings(smoothing=1.0))
    wanted = Trained(model).detect(frame)
    for number in (1, 2):  # every object keeps its number
        answer = answering.answer(Sample(number, raw, 0.04 * number, frame), Shared(model)).answer
        assert isinstance(answer, Boxes)
        assert answer.size == (160, 320)
        tracked = [replace(box, track=place + 1) for place, box in enumerate(wanted.boxes)]
        assert answer.boxes == tuple(tracked)
    least = Answering(model, LiveSettings(), words_of(model, 0.0, {"score": 0.999}))
    assert least.answer(Sample(1, raw, 0.0, frame), Shared(model)).answer == Boxes((), (160, 320))


def test_a_trained_detector_runs_live_with_tracks(
    run: RunFolder, clip: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its engines are compared by the maps, and its settings change meanwhile."""
    monkeypatch.setenv("PLAYGROUND_CACHE", str(tmp_path))
    what = of_run(run)
    assert (what.kind, what.medium, what.summary) == ("detector", "pictures", "circle")
    settings, answers = LiveSettings(engine="channels-last"), []
    with Camera(clip) as camera:
        live = opened(what, camera, Wanted(settings, {"score": 0.2}))
        with closing(live.events()) as events:
            for event in islice(events, 500):
                if isinstance(event, LiveAnswer):
                    answers.append(event)
                    if len(answers) > 3 and event.engine == "channels-last":
                        break
    assert live.engine.engine == answers[-1].engine == "channels-last"
    with pytest.raises(ParameterError):
        live.want(settings, {"score": 2})
    tracks = set()
    for event in answers:
        assert isinstance(event.answer, Boxes)
        box = event.answer.boxes[0]
        assert overlap(box.box, 100 + 4 * ((event.number - 1) % 16), 80, (160, 320)) > 0.5
        tracks.add(box.track)
    assert len(tracks) == 1


def test_a_run_of_another_task_is_no_detector(tmp_path: Path) -> None:
    from playground.model import untrained

    project = open_example("digits-cnn")
    model = untrained(project, open_data(project.data, tmp_path))
    with pytest.raises(LiveError, match="finds no objects"):
        Trained(model)


def test_on_the_command_line(
    run: RunFolder, clip: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shell = Shell(capsys)
    picture = tmp_path / "scene.png"
    cv2.imwrite(str(picture), scene(200, 70, (160, 320)))
    (found,) = shell.json("predict", run.path, picture, "--set", "score=0.2", "--top", "1")
    assert (found["kind"], found["size"]) == ("boxes", [160, 320])
    assert overlap(tuple(found["boxes"][0]["box"]), 200, 70, (160, 320)) > 0.5
    assert "circle" in shell("predict", run.path, picture).out
    events = shell.json("live", run.path, "--source", clip)
    boxes = [event["boxes"] for event in events if event.get("kind") == "boxes"]
    assert boxes
    assert boxes[0][0]["track"] == 1
    said = shell("predict", run.path, picture, "--set", "scor=1")
    assert "did you mean score?" in said.sentence
    (judged,) = shell.json("evaluate", run.path)
    assert 0 <= judged["metrics"]["map50"] <= 1


@pytest.mark.parametrize("target", ["python", "onnx"])
def test_exports_give_the_maps_and_say_how_boxes_are_read(
    run: RunFolder, target: str, tmp_path: Path
) -> None:
    picture = scene(120, 100, (200, 200))
    model = load(run)
    expected = Trained(model).detect(picture, {"score": 0.05}).boxes[0]
    raw = np.float32(ImageReading(1, 40, 40, "pad").from_array(picture)[None])
    path = tmp_path / f"made{TARGETS[target]}"
    export(run.path, target, path)
    if target == "onnx":
        import onnxruntime

        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        about = session.get_modelmeta().custom_metadata_map
        assert json.loads(about["classes"]) == ["circle"]
        assert "non-maximum suppression" in about["decoding"]
        (maps,) = session.run(["maps"], {"image": raw})
        boxes, scores, _ = found(maps[0], 0.05, 0.5)
    else:
        source: dict[str, Any] = {"__name__": "made"}
        exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), source)
        network = source["load"](str(path.with_suffix(".safetensors")))
        given = torch.from_numpy(raw)
        with torch.no_grad():
            boxes, scores, _ = (x[0].numpy() for x in source["decoded"](network(given), 5))
    assert scores[0] == pytest.approx(expected.score, abs=1e-4)
    np.testing.assert_allclose(boxes[0] * 200, expected.box, atol=0.05)
