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
from playground.data.boxes import Box, boxes_of
from tests.playground.test_fuzz import damaged
from tests.playground.test_fuzz_pictures import COUNTS, said

RED, BLUE = (250, 0, 0), (0, 0, 250)


def opened(path: Path, **options: Any) -> Dataset:
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
    assert boxes_of(data, 2) == (Box("red", 10, 5, 20, 10), Box("blue", 50, 30, 40, 20))
    assert data.groups is not None
    assert data.groups.codes.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert len(opened(coco_folder / "boxes.json")) == 8


def test_yolo_with_its_own_split(yolo_folder: Path) -> None:
    data = opened(yolo_folder, margin=0)
    check_colours(data)
    assert data.splits["validation"].tolist() == [6, 7]
    assert data.classes == ("blue", "red")
    assert boxes_of(data, 0)[0].edges(60, 100) == (10, 5, 30, 15)
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


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("kind", ["coco", "yolo"])
def test_damaged_boxes(kind: str, count: int, tmp_path: Path) -> None:
    for number in range(2):
        picture(tmp_path / "few" / f"{number}.png")
    path = tmp_path / "few" / ("boxes.json" if kind == "coco" else "0.txt")
    content = json.dumps(coco(2)) if kind == "coco" else "0 0.2 0.2 0.2 0.2\n1 0.7 0.7 0.4 0.3\n"
    dice = random.Random(count)
    for _ in range(count):
        path.write_bytes(damaged(content.encode(), dice))
        said(lambda: opened(path.parent).batch(np.arange(2)))
