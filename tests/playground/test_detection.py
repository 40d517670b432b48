"""Faces with the right boxes, boxes that exclude one another, objects that keep their number."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.parameters import ParameterError
from playground.answers import Boxes, Detection
from playground.detection.detectors import DETECTORS, Detector
from playground.detection.geometry import clipped, contained, iou, square, suppressed
from playground.detection.tracking import Tracker
from playground.resources import SAMPLES
from playground.vision import Pixels, cv2, read_picture

FACE = (180.0, 59.7, 268.8, 173.3)
"""In the astronaut's photograph, by facenet-pytorch with the same weights."""
LANDMARKS = ((205.1, 101.1), (248.0, 103.5), (224.9, 129.2), (202.1, 139.8), (245.9, 142.5))


def photo(name: str) -> Pixels:
    return np.ascontiguousarray(read_picture(SAMPLES / "images" / name, 3).transpose(1, 2, 0))


@pytest.fixture(scope="module")
def faces() -> Detector:
    return DETECTORS.get("faces").load()


def overlap(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    return float(iou(np.asarray([one]), np.asarray([other]))[0, 0])


@pytest.mark.parametrize("smallest", [20, 40, 60])
def test_the_astronauts_face_is_found(faces: Detector, smallest: int) -> None:
    answer = faces.detect(photo("astronaut.jpg"), {"smallest": smallest})
    assert answer.size == (512, 512)
    (face,) = answer.boxes
    assert face.label == "face"
    assert face.score > 0.99
    assert overlap(face.box, FACE) > 0.9
    assert np.abs(np.subtract(face.landmarks, LANDMARKS)).max() < 4


def test_a_face_is_found_in_grey_and_in_profile(faces: Detector) -> None:
    (face,) = faces.detect(photo("cameraman.png")).boxes
    assert overlap(face.box, (199.2, 118.9, 254.3, 192.3)) > 0.75


@pytest.mark.parametrize("name", ["chelsea_cat.png", "horse_silhouette.png", "brick_wall.png"])
def test_no_face_is_claimed_where_there_is_none(faces: Detector, name: str) -> None:
    for smallest in (20, 40):
        assert faces.detect(photo(name), {"smallest": smallest}).boxes == ()


def test_faces_are_found_in_another_place_and_size(faces: Detector) -> None:
    portrait = photo("astronaut.jpg")[:256, 96:352]
    scene = np.full((360, 640, 3), 90, np.uint8)
    scene[40:296, 10:266] = portrait
    scene[100:292, 400:592] = cv2.resize(portrait, (192, 192), interpolation=cv2.INTER_AREA)[
        :, ::-1
    ]
    left, right = sorted(faces.detect(scene).boxes, key=lambda box: box.box[0])
    x0, y0, x1, y1 = np.subtract(FACE, (96, 0, 96, 0))
    assert overlap(left.box, (x0 + 10, y0 + 40, x1 + 10, y1 + 40)) > 0.85
    mirrored = np.array([256 - x1, y0, 256 - x0, y1]) * 0.75 + (400, 100, 400, 100)
    assert overlap(right.box, tuple(mirrored)) > 0.85
    eyes = right.landmarks[:2]
    assert eyes[0][0] < eyes[1][0]


def test_a_face_at_the_edge_has_its_box_inside(faces: Detector) -> None:
    cut = photo("astronaut.jpg")[80:, 190:]
    for face in faces.detect(cut, {"score": 0.05}).boxes:
        x0, y0, x1, y1 = face.box
        assert 0 <= x0 < x1 <= cut.shape[1]
        assert 0 <= y0 < y1 <= cut.shape[0]


@pytest.mark.parametrize("size", [(1, 1), (5, 700), (39, 39), (40, 40), (13, 2000)])
def test_pictures_without_room_for_a_face_have_none(faces: Detector, size: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    assert faces.detect(noise).boxes == ()


def test_settings_are_checked_and_hold_for_one_call(faces: Detector) -> None:
    picture = photo("astronaut.jpg")
    assert faces.detect(picture, {"smallest": 400}).boxes == ()
    assert len(faces.detect(picture).boxes) == 1
    with pytest.raises(ParameterError, match="Least score"):
        faces.detect(picture, {"score": 2})


def test_what_is_found_in_json(faces: Detector) -> None:
    found = faces.detect(photo("astronaut.jpg"))
    data = found.to_json()
    assert data["kind"] == "boxes"
    assert data["size"] == [512, 512]
    (box,) = data["boxes"]
    assert set(box) == {"label", "score", "box", "landmarks"}
    assert str(found).startswith("face 100.0% at 1")
    assert str(Boxes((), (4, 4))) == "nothing found"
    numbered = Detection((1, 2, 3, 4), "cup", 0.5, track=7)
    assert numbered.to_json() == {"label": "cup", "score": 0.5, "box": [1, 2, 3, 4], "track": 7}


# --- boxes as numbers -----------------------------------------------------------------------------


def boxes_at_random(count: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    start = random.random((count, 2)) * 100
    boxes = np.concatenate([start, start + 5 + random.random((count, 2)) * 40], 1)
    scores = random.random(count).astype(np.float32)
    return boxes.astype(np.float32), scores, random.integers(0, 3, count)


def one_by_one(boxes: np.ndarray, scores: np.ndarray, classes: np.ndarray, most: float) -> list:
    kept: list[int] = []
    for index in np.argsort(-scores, kind="stable").tolist():
        if all(
            classes[index] != classes[other] or overlap(boxes[index], boxes[other]) <= most
            for other in kept
        ):
            kept.append(index)
    return kept


@pytest.mark.parametrize("count", [0, 1, 2, 120])
def test_suppression_is_the_greedy_one(count: int) -> None:
    boxes, scores, classes = boxes_at_random(count, count)
    expected = one_by_one(boxes, scores, np.zeros_like(classes), 0.4)
    assert suppressed(boxes, scores, 0.4).tolist() == expected
    assert suppressed(boxes, scores, 0.4, classes).tolist() == one_by_one(
        boxes, scores, classes, 0.4
    )


def test_a_box_inside_another_is_the_same_object() -> None:
    boxes = np.array([[0, 0, 100, 100], [40, 40, 60, 60], [90, 90, 130, 130]], np.float32)
    scores = np.array([0.8, 0.9, 0.7], np.float32)
    assert contained(boxes, scores, 0.7).tolist() == [1, 2]
    assert suppressed(boxes, scores, 0.7).tolist() == [1, 0, 2]


def test_overlap_squares_and_edges() -> None:
    assert overlap((0, 0, 2, 2), (1, 0, 3, 2)) == pytest.approx(1 / 3)
    assert overlap((0, 0, 2, 2), (2, 0, 3, 2)) == 0
    assert overlap((1, 1, 1, 1), (1, 1, 1, 1)) == 0
    assert square(np.array([[0, 0, 10, 4]], np.float32)).tolist() == [[0, -3, 10, 7]]
    assert clipped(np.array([[-1, 2, 30, 40]]), 20, 10).tolist() == [[0, 2, 10, 20]]


# --- from frame to frame --------------------------------------------------------------------------


def at(*places: tuple[str, float, float]) -> Boxes:
    boxes = [Detection((x, y, x + 20, y + 20), label, 0.9) for label, x, y in places]
    return Boxes(tuple(boxes), (360, 640))


def tracks(answer: Boxes) -> list[int | None]:
    return [box.track for box in answer.boxes]


def test_objects_keep_their_numbers_while_they_move_and_pass_each_other() -> None:
    tracker = Tracker()
    for step in range(60):
        right, left = ("cup", 3.0 * step, 0.0), ("cup", 180.0 - 3 * step, 12.0)
        frame = at(right, left) if step % 2 else at(left, right)
        wanted = [1, 2] if step % 2 == 0 else [2, 1]
        assert tracks(tracker.follow(frame, step / 30)) == wanted


def test_an_object_that_is_away_for_a_moment_keeps_its_number() -> None:
    tracker = Tracker()
    assert tracks(tracker.follow(at(("cup", 0, 0)), 0.0)) == [1]
    assert tracks(tracker.follow(at(), 0.5)) == []
    assert tracks(tracker.follow(at(("cup", 4, 0)), 0.9)) == [1]
    assert tracks(tracker.follow(at(("cup", 4, 0)), 2.0)) == [2]
    assert tracks(tracker.follow(at(("cup", 4, 0)), 2.1, {"patience": 0.0})) == [3]
    tracker.reset()
    assert tracks(tracker.follow(at(("cup", 4, 0)), 2.2)) == [4]


def test_a_number_stays_with_its_class_and_with_the_nearest_box() -> None:
    tracker = Tracker()
    tracker.follow(at(("cup", 0, 0), ("face", 100, 0)), 0.0)
    assert tracks(tracker.follow(at(("face", 0, 0), ("face", 106, 0), ("face", 101, 0)), 0.1)) == [
        3,
        4,
        2,
    ]
    found = at(("cup", 0, 0))
    assert replace(tracker.follow(found, 0.2), boxes=found.boxes) == found


def test_every_detector_says_what_it_is() -> None:
    for kind in DETECTORS:
        assert kind.summary.endswith(".")
        assert Path(kind.id).name == kind.id
