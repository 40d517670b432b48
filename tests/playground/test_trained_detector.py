"""A detector that was trained here: on photographs of any size, on a camera, exported."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from models.parameters import ParameterError
from playground.answers import Boxes
from playground.capture import Camera, CameraSettings
from playground.data import DataSettings, SplitSettings, open_data
from playground.data.generated.outlines import coverage
from playground.data.reading import ImageReading
from playground.detection.live import LiveDetection
from playground.detection.trained import Trained, in_frame
from playground.export import TARGETS, export
from playground.live.errors import LiveError
from playground.live.settings import LiveAnswer
from playground.live.what import Wanted, of_run, opened
from playground.model import load
from playground.project import open_example
from playground.runs import RunFolder
from playground.starter import starter_graph
from playground.tasks.detection import found
from playground.training.trainer import Trainer
from playground.vision import Pixels, cv2
from tests.playground.cli_kit import Shell


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A network that finds circles in small pictures."""
    options = {"samples": 600, "size": 40, "classes": 1, "shapes": 2, "colour": False, "noise": 0}
    data = DataSettings("scattered-shapes", options, SplitSettings(40, 100))
    dataset = open_data(data, Path())
    example = open_example("shapes-detector")
    training = example.training.replace(epochs=10, batch_size=16)
    project = replace(example, data=data, graph=starter_graph(dataset), training=training)
    folder = RunFolder.create(tmp_path_factory.mktemp("runs") / "circles")
    trainer = Trainer(project, dataset, folder)
    for _ in trainer.steps():
        pass
    assert trainer.result is not None
    assert trainer.result.metrics["test"]["map50"] > 0.8
    return folder


def scene(x: float, y: float, radius: float, size: tuple[int, int]) -> Pixels:
    """A light circle on black ground, which borders that are added go on with: H×W×3."""
    rows, columns = (np.arange(side, dtype=np.float32) + 0.5 for side in size)
    covered = coverage(
        np.zeros(1, np.int64),
        (columns - x)[None, None, :],
        (rows - y)[None, :, None],
        np.full((1, 1, 1), radius, np.float32),
    )[0]
    return np.repeat((200 * covered[:, :, None]).astype(np.uint8), 3, axis=2)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A circle that moves to the right: 16 frames of 320×160."""
    path = str(tmp_path_factory.mktemp("clips") / "circle.avi")
    writer = cv2.VideoWriter(path, cv2.VideoWriter.fourcc(*"MJPG"), 25, (320, 160))
    for number in range(16):
        writer.write(scene(100 + 4 * number, 80, 45, (160, 320)))
    writer.release()
    return path


def overlap(box: tuple[float, ...], x: float, y: float, radius: float) -> float:
    from playground.detection.geometry import iou

    half = 0.9 * radius
    true = np.asarray([[x - half, y - half, x + half, y + half]])
    return float(iou(np.asarray([box]), true)[0, 0])


@pytest.mark.parametrize("size", [(32, 32), (200, 200), (160, 320), (300, 150)])
def test_boxes_are_in_pixels_of_the_whole_picture(run: RunFolder, size: tuple[int, int]) -> None:
    """Pictures of other proportions are given black borders, as in training."""
    detector = Trained(load(run))
    radius = 0.14 * max(size)
    x, y = 0.6 * size[1], 0.45 * size[0]
    answer = detector.detect(scene(x, y, radius, size))
    assert answer.size == size
    assert overlap(answer.boxes[0].box, x, y, radius) > 0.6
    assert answer.boxes[0].label == "circle"
    assert detector.detect(scene(x, y, radius, size), {"score": 0.999}).boxes == ()
    assert len(detector.detect(scene(x, y, radius, size), {"score": 0.01, "most": 2}).boxes) <= 2
    with pytest.raises(ParameterError):
        detector.detect(scene(x, y, radius, size), {"score": 2})


def test_where_a_frame_was_cut_or_given_borders() -> None:
    whole = np.asarray([[0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 0.5, 0.2]])

    def found(fit: str) -> tuple[Any, Any]:
        boxes, inside = in_frame(whole, (100, 200), ImageReading(3, 50, 50, fit))
        return boxes.tolist(), inside.tolist()

    assert found("crop") == ([[50, 0, 150, 100], [50, 0, 100, 20]], [True, True])
    assert found("stretch") == ([[0, 0, 200, 100], [0, 0, 100, 20]], [True, True])
    boxes, inside = found("pad")
    assert boxes[0] == [0, 0, 200, 100]
    assert inside == [True, False]  # a box within the border is none


def test_a_trained_detector_runs_live_with_tracks(run: RunFolder, clip: str) -> None:
    what = of_run(run)
    assert (what.kind, what.medium, what.summary) == ("detector", "pictures", "circle")
    with Camera(clip, CameraSettings(loop=False)) as camera:
        live = opened(what, camera, Wanted(detection={"score": 0.2}))
        assert isinstance(live, LiveDetection)
        answers = [event for event in live.events() if isinstance(event, LiveAnswer)]
    assert len(answers) > 3
    tracks, overlaps = set(), []
    for event in answers:
        assert isinstance(event.answer, Boxes)
        box = event.answer.boxes[0]
        overlaps.append(overlap(box.box, 100 + 4 * (event.number - 1), 80, 45))
        tracks.add(box.track)
    assert np.mean(overlaps) > 0.5
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
    cv2.imwrite(str(picture), scene(200, 70, 40, (160, 320)))
    (found,) = shell.json("predict", run.path, picture, "--set", "score=0.2", "--top", "1")
    assert (found["kind"], found["size"]) == ("boxes", [160, 320])
    assert overlap(tuple(found["boxes"][0]["box"]), 200, 70, 40) > 0.5
    assert "circle" in shell("predict", run.path, picture).out
    events = shell.json("live", run.path, "--source", clip)
    boxes = [event["boxes"] for event in events if event.get("kind") == "boxes"]
    assert boxes
    assert boxes[0][0]["track"] == 1
    said = shell("predict", run.path, picture, "--set", "scor=1")
    assert "did you mean score?" in said.sentence
    (judged,) = shell.json("evaluate", run.path)
    assert judged["metrics"]["map50"] > 0.8


@pytest.mark.parametrize("target", ["python", "onnx"])
def test_exports_give_the_maps_and_say_how_boxes_are_read(
    run: RunFolder, target: str, tmp_path: Path
) -> None:
    picture = scene(120, 100, 35, (200, 200))
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
