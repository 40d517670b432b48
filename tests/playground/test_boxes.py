"""Objects cut out of pictures by their labelled boxes."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from playground.data import DataError, Dataset, DataSettings, SplitSettings, open_data
from playground.data.box_files import Box
from tests.playground.test_fuzz import damaged
from tests.playground.test_fuzz_pictures import COUNTS, said

RED, BLUE = (250, 0, 0), (0, 0, 250)


def opened(path: Path, **options: Any) -> Dataset:
    """Each object by itself."""
    return whole(path, task="classification", **options)


def whole(path: Path, **options: Any) -> Dataset:
    """Pictures with their boxes."""
    settings = DataSettings("boxes", {"path": str(path), **options}, SplitSettings(0.2, 0.2))
    return open_data(settings, path.parent)


def picture(path: Path) -> Path:
    """100×60 with a red object at (10, 5), 20×10, and a blue one at (50, 30), 40×20."""
    image = Image.new("RGB", (100, 60), (0, 200, 0))
    image.paste(RED, (10, 5, 30, 15))
    image.paste(BLUE, (50, 30, 90, 50))
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)
    return path


def coco(count: int = 4, **more: Any) -> dict[str, Any]:
    boxes = [(1, [10, 5, 20, 10]), (7, [50, 30, 40, 20])]
    return {
        "images": [{"id": n, "file_name": f"{n}.png"} for n in range(count)],
        "categories": [{"id": 1, "name": "red"}, {"id": 7, "name": "blue"}],
        "annotations": [
            {"image_id": n, "category_id": label, "bbox": box}
            for n in range(count)
            for label, box in boxes
        ],
        **more,
    }


@pytest.fixture
def coco_folder(tmp_path: Path) -> Path:
    for number in range(4):
        picture(tmp_path / "set" / "images" / f"{number}.png")
    (tmp_path / "set" / "boxes.json").write_text(json.dumps(coco()))
    return tmp_path / "set"


@pytest.fixture
def yolo_folder(tmp_path: Path) -> Path:
    for number in range(4):
        part = "train" if number < 3 else "val"
        picture(tmp_path / "set" / "images" / part / f"{number}.png")
        text = tmp_path / "set" / "labels" / part / f"{number}.txt"
        text.parent.mkdir(parents=True, exist_ok=True)
        text.write_text(
            f"0 {20 / 100} {10 / 60} {20 / 100} {10 / 60}\n1 0.7 {40 / 60} 0.4 {20 / 60}\n"
        )
    (tmp_path / "set" / "classes.txt").write_text("red\nblue\n")
    return tmp_path / "set"


def check_colours(data: Dataset) -> None:
    raw = data.raw(range(len(data)))
    for pixels, label in zip(raw["image"], raw["label"], strict=True):
        wanted = {"red": RED, "blue": BLUE}[data.classes[label]]
        assert abs(pixels.mean(axis=(1, 2)) - wanted).max() < 10


def test_coco(coco_folder: Path) -> None:
    data = opened(coco_folder, margin=0)
    assert data.summary == "8 objects in 4 images · 64×64 · 2 classes"
    check_colours(data)
    assert data.groups is not None
    assert data.groups.codes.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert len(opened(coco_folder / "boxes.json")) == 8


def test_yolo_with_its_own_split(yolo_folder: Path) -> None:
    data = opened(yolo_folder, margin=0)
    check_colours(data)
    assert data.splits["validation"].tolist() == [6, 7]
    assert data.classes == ("blue", "red")
    (yolo_folder / "classes.txt").unlink()
    data = opened(yolo_folder)
    assert data.classes == ("0", "1")
    assert "classes.txt" in data.notes[0]


def test_the_objects_of_a_photo_stay_on_one_side_of_the_split(tmp_path: Path) -> None:
    for number in range(20):
        picture(tmp_path / f"{number}.png")
    (tmp_path / "boxes.json").write_text(json.dumps(coco(20)))
    data = opened(tmp_path)
    photos = {name: {data.files[i] for i in part} for name, part in data.splits.items()}
    assert {name: len(part) for name, part in photos.items()} == {
        "train": 12,
        "validation": 4,
        "test": 4,
    }
    assert len(set.union(*photos.values())) == 20


def test_a_margin_shows_what_is_around(coco_folder: Path) -> None:
    tight, wide = opened(coco_folder, margin=0), opened(coco_folder, margin=1)
    assert tight.raw([0])["image"][0, 1].mean() < 5
    assert wide.raw([0])["image"][0, 1].mean() > 50
    assert wide.batch([0, 1])["image"].shape == (2, 3, 64, 64)


def test_the_edges_of_a_picture_end_a_box() -> None:
    assert Box("x", -5, 50, 20, 20).edges(60, 100, 0.5) == (0, 40, 25, 60)
    assert Box("x", 0.9, 0.9, 0.3, 0.3, shares=True).edges(60, 100) == (90, 54, 100, 60)


def test_wrong_boxes_are_skipped(coco_folder: Path) -> None:
    document = coco()
    document["images"].append({"id": 9, "file_name": "gone.png"})
    document["annotations"] += [
        {"image_id": 0, "category_id": 1, "bbox": [0, 0, 0, 5]},
        {"image_id": 0, "category_id": 1, "bbox": [500, 0, 5, 5]},
        {"image_id": 9, "category_id": 1, "bbox": [0, 0, 5, 5]},
        {"image_id": 77, "category_id": 1, "bbox": [0, 0, 5, 5]},
        {"image_id": 0, "category_id": 1, "bbox": [0, 0, 5, 5], "iscrowd": 1},
    ]
    (coco_folder / "boxes.json").write_text(json.dumps(document))
    data = opened(coco_folder)
    assert len(data) == 8
    assert [item.reason for item in data.skipped] == [
        "boxes.json, annotation 9: the box of red has no size",
        "boxes.json, annotation 12 is of a picture that is not listed",
        "boxes.json: the picture gone.png of 1 boxes is not there",
        "0.png: the box of red lies outside the picture",
    ]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "^boxes.json is no JSON"),
        ("[]", "no annotation in COCO's form"),
        ('{"images": [], "annotations": [], "categories": []}', "no labelled boxes"),
        ("[" * 100_000, "^boxes.json is no JSON"),
        (json.dumps(coco(annotations=[{"image_id": 1, "category_id": 1, "bbox": [1]}])), "COCO"),
    ],
)
def test_wrong_documents_are_explained(coco_folder: Path, content: str, words: str) -> None:
    (coco_folder / "boxes.json").write_text(content)
    with pytest.raises(DataError, match=words):
        opened(coco_folder)


def test_folders_without_boxes_are_explained(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no pictures"):
        opened(tmp_path)
    picture(tmp_path / "1.png")
    with pytest.raises(DataError, match="neither annotations"):
        opened(tmp_path)
    with pytest.raises(DataError, match="does not exist"):
        opened(tmp_path / "none.json")


def everything(data: Dataset) -> None:
    batch = data.batch(np.arange(len(data)))
    assert all(np.isfinite(values).all() for values in batch.values())


def check_boxes(data: Dataset, place: int = 0) -> None:
    """In each box of a picture there is one colour."""
    raw = data.raw([place])
    height, width = data.target.frame
    for x0, y0, x1, y1, label in raw["boxes"][0]:
        wanted = {"red": RED, "blue": BLUE}[data.target.box_classes[int(label)]]
        # without the edges, which are blurred
        rows = slice(round(y0 * height) + 1, round(y1 * height) - 1)
        columns = slice(round(x0 * width) + 1, round(x1 * width) - 1)
        pixels = raw["image"][0][:, rows, columns].reshape(3, -1)
        assert abs(pixels.mean(axis=1) - wanted).max() < 10
    assert data.target.lengths is not None
    assert data.target.lengths[place] == 2


@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
@pytest.mark.parametrize("size", [None, [64, 64], [50, 120]])
def test_boxes_lie_over_their_objects_however_pictures_are_fitted(
    coco_folder: Path, fit: str, size: list[int] | None
) -> None:
    data = whole(coco_folder, fit=fit, size=size)
    assert data.task == "detection"
    assert data.target.frame == tuple(size or (60, 100))
    check_boxes(data)
    if size is None:
        assert data.summary == "4 images · 60×100 · 8 boxes of 2 classes"
        corners = data.raw([0])["boxes"][0, 0] * [100, 60, 100, 60, 1]
        assert corners.tolist() == pytest.approx([10, 5, 30, 15, 1])
        assert data.describe(1) == "1.png"


def test_whole_pictures_with_their_own_split(yolo_folder: Path) -> None:
    (yolo_folder / "labels" / "train" / "2.txt").write_text("\n")
    data = whole(yolo_folder)
    check_boxes(data)
    assert data.splits["validation"].tolist() == [2]  # pictures with boxes come first
    assert data.target.lengths is not None
    assert sorted(data.target.lengths.tolist()) == [0, 2, 2, 2]
    assert data.notes == ("1 picture has no box: the network learns that there is nothing in it.",)


def test_what_cannot_be_used_of_whole_pictures(coco_folder: Path) -> None:
    document = coco()
    document["images"] += [
        {"id": 8, "file_name": "empty.png"},
        {"id": 9, "file_name": "gone.png"},
        {"id": 10, "file_name": "bad.png"},
        {"id": 11, "file_name": "crowd.png"},
    ]
    document["annotations"] += [
        {"image_id": 0, "category_id": 1, "bbox": [0, 0, 0, 5]},
        {"image_id": 0, "category_id": 1, "bbox": [500, 0, 5, 5]},
        {"image_id": 0, "category_id": 1, "bbox": [0, 0, 0.5, 0.5]},
        {"image_id": 9, "category_id": 1, "bbox": [0, 0, 5, 5]},
        {"image_id": 10, "category_id": 1, "bbox": [0, 0, 5, 5]},
        {"image_id": 11, "category_id": 1, "bbox": [0, 0, 5, 5], "iscrowd": 1},
    ]
    (coco_folder / "boxes.json").write_text(json.dumps(document))
    for name in ("empty", "crowd"):
        picture(coco_folder / "images" / f"{name}.png")
    (coco_folder / "images" / "bad.png").write_bytes(b"no picture")
    data = whole(coco_folder)
    assert data.captions == ("0.png", "1.png", "2.png", "3.png", "empty.png")
    assert [item.reason for item in data.skipped] == [
        "boxes.json, annotation 9: the box of red has no size",
        "boxes.json: the picture gone.png of 1 boxes is not there",
        "bad.png is not a picture, or of a kind that is not known here",
    ]
    assert data.notes == (
        "2 boxes are cut off, or smaller than a pixel at 60×100, and left out; with Add borders "
        "nothing is cut off.",
        "1 picture has no box: the network learns that there is nothing in it.",
    )
    document["annotations"] = [{"image_id": 10, "category_id": 1, "bbox": [0, 0, 5, 5]}]
    document["images"] = document["images"][-2:]
    (coco_folder / "boxes.json").write_text(json.dumps(document))
    with pytest.raises(DataError, match=r"can be read \(bad.png is not a picture"):
        whole(coco_folder)


def test_one_class_is_enough_for_boxes(coco_folder: Path) -> None:
    document = coco(categories=[{"id": 1, "name": "red"}, {"id": 7, "name": "red"}])
    (coco_folder / "boxes.json").write_text(json.dumps(document))
    assert whole(coco_folder).target.box_classes == ("red",)
    with pytest.raises(DataError, match="at least two classes"):
        opened(coco_folder)


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("kind", ["coco", "yolo"])
@pytest.mark.parametrize("task", ["detection", "classification"])
def test_damaged_boxes(kind: str, count: int, task: str, tmp_path: Path) -> None:
    for number in range(2):
        picture(tmp_path / "few" / f"{number}.png")
    path = tmp_path / "few" / ("boxes.json" if kind == "coco" else "0.txt")
    content = json.dumps(coco(2)) if kind == "coco" else "0 0.2 0.2 0.2 0.2\n1 0.7 0.7 0.4 0.3\n"
    dice = random.Random(count)
    for _ in range(count):
        path.write_bytes(damaged(content.encode(), dice))
        said(lambda: everything(whole(path.parent, task=task)))
