"""A detector on a camera: the newest frame, settings that change meanwhile, tracks."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from models.parameters import ParameterError, Values
from playground.answers import Boxes
from playground.capture import Camera, CameraSettings
from playground.detection.detectors import DETECTORS, Detector
from playground.detection.live import LiveDetection
from playground.live.settings import LiveAnswer
from playground.resources import SAMPLES
from playground.vision import Pixels, cv2, read_picture
from tests.playground.capture_kit import children, until
from tests.playground.cli_kit import Shell

SHIFT = 3
"""Pixels that the face moves from frame to frame."""


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert children() == []
    until(lambda: set(threading.enumerate()) <= before, 3)


@pytest.fixture(scope="module")
def faces() -> Detector:
    return DETECTORS.get("faces").load()


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A face that moves to the right: 24 frames of 320×240."""
    photo = read_picture(SAMPLES / "images" / "astronaut.jpg", 3).transpose(1, 2, 0)
    portrait = cv2.resize(photo[:256, 96:352], (200, 200), interpolation=cv2.INTER_AREA)
    path = str(tmp_path_factory.mktemp("clips") / "face.avi")
    writer = cv2.VideoWriter(path, cv2.VideoWriter.fourcc(*"MJPG"), 25, (320, 240))
    for number in range(24):
        frame = np.full((240, 320, 3), 70, np.uint8)
        frame[20:220, 10 + SHIFT * number : 210 + SHIFT * number] = portrait[..., ::-1]
        writer.write(frame)
    writer.release()
    return path


def test_a_face_is_followed_through_a_clip(faces: Detector, clip: str) -> None:
    with Camera(clip, CameraSettings(loop=False)) as camera:
        live = LiveDetection(faces, camera)
        answers = [event for event in live.events() if isinstance(event, LiveAnswer)]
        assert live.status.state == "ended"
    numbers = [answer.number for answer in answers]
    assert numbers == sorted(set(numbers))
    last = answers[-1]
    assert last.dropped == last.number - answers[0].number + 1 - len(answers)
    lefts = []
    for answer in answers:
        assert isinstance(answer.answer, Boxes)
        (face,) = answer.answer.boxes
        assert face.track == 1
        lefts.append(face.box[0] - SHIFT * (answer.number - 1))
        assert answer.latency >= answer.inference_seconds > 0
    assert max(lefts) - min(lefts) < 15
    data = last.to_json()
    assert data["kind"] == "boxes"
    assert data["boxes"][0]["track"] == 1


def test_settings_change_while_it_runs(faces: Detector, clip: str) -> None:
    with Camera(clip) as camera:
        live = LiveDetection(faces, camera)
        live.start()
        try:
            first = live.wait(0, 10)
            assert first is not None
            assert first.answer.boxes  # type: ignore[union-attr]
            with pytest.raises(ParameterError, match="Overlap"):
                live.settings = {"overlap": 3}
            live.settings = {"smallest": 230}
            until(lambda: (now := live.answer()) is not None and str(now.answer) == "nothing found")
            live.settings = {}
            until(lambda: (now := live.answer()) is not None and "face" in str(now.answer))
        finally:
            live.close()


class Broken:
    parameters = ()

    def detect(self, pixels: Pixels, settings: Values | None = None) -> Boxes:
        raise ValueError("it has no weights")


def test_a_detector_that_fails_is_told(clip: str) -> None:
    with Camera(clip) as camera:
        live = LiveDetection(Broken(), camera)
        live.start()
        try:
            until(lambda: live.status.state == "failed")
            assert "it has no weights" in live.status.message
        finally:
            live.close()


def test_on_the_command_line(capsys: pytest.CaptureFixture[str], clip: str, tmp_path: Path) -> None:
    run = Shell(capsys)
    events = run.json("live", "faces", "--source", clip, "--frames", "5", "--set", "score=0.7")
    boxes = [event["boxes"] for event in events if event.get("kind") == "boxes"]
    assert len(boxes) == 5
    assert all(box[0]["label"] == "face" for box in boxes)
    assert events[-1]["event"] == "finished"
    assert events[-1]["frames"] == 5
    assert "are for classes" in run("live", "faces", "--source", clip, "--smooth", "1").sentence
    missing = run("live", "faces", "--source", tmp_path / "none.mp4")
    assert missing.code == 1
    assert "none.mp4" in missing.sentence
