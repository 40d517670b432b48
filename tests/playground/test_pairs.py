"""Pairs of pictures: found, read alike, learnt as masks and as pictures."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from playground import model as models
from playground import vision
from playground.answers import Mask, Picture
from playground.data import DataError, Dataset, DataSettings, SplitSettings, open_data
from playground.data.augment import Applied
from playground.data.dataset import Dataset as Fitted
from playground.data.pairs import IGNORED, MaskReading
from playground.evaluation import evaluate
from playground.project import open_example
from playground.runs import new_run
from playground.starter import StarterError, adopt, propose, starter_graph
from playground.tasks import TASKS, TaskSettings
from playground.tasks.pictures import MeanIoU, PeakSignalToNoise, PixelAccuracy
from playground.training.errors import TrainingError
from playground.training.feed import open_feed
from playground.training.trainer import Trainer
from tests.playground.test_fuzz import damaged
from tests.playground.test_fuzz_pictures import COUNTS, said

Array = np.ndarray[Any, Any]


def opened(path: Path, **options: Any) -> Dataset:
    settings = DataSettings("pairs", {"path": str(path), **options}, SplitSettings(0.2, 0.2))
    return open_data(settings, path.parent)


def save(path: Path, values: Array, **options: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path, **options)
    return path


def scene(number: int, side: int = 16) -> tuple[Array, Array]:
    """A dark noisy picture with a bright square, and its mask of 0 and 1."""
    dice = np.random.default_rng(number)
    picture = dice.integers(0, 60, (side, side, 3)).astype(np.uint8)
    mask = np.zeros((side, side), np.uint8)
    top, left = dice.integers(1, side - 8, 2)
    mask[top : top + 7, left : left + 7] = 1
    picture[mask == 1] += 150
    return picture, mask


@pytest.fixture
def masks(tmp_path: Path) -> Path:
    for number in range(20):
        picture, mask = scene(number)
        save(tmp_path / "set" / "images" / f"{number}.png", picture)
        save(tmp_path / "set" / "masks" / f"{number}.png", mask)
    return tmp_path / "set"


def check(data: Dataset) -> None:
    """Every mask is that of its picture."""
    raw = data.raw(range(len(data)))
    for picture, mask in zip(raw["image"], raw["mask"], strict=True):
        bright = picture.max(axis=0) > 120
        np.testing.assert_array_equal(bright, mask[0] == 1)


def test_two_folders(masks: Path) -> None:
    data = opened(masks)
    assert data.summary == "20 pairs of images · 16×16 · 2 classes of pixels"
    assert data.task == "segmentation"
    assert data.target.pixel_classes == ("background", "object")
    assert data.describe(0) == "0.png"
    check(data)
    batch = data.batch([0, 1])
    assert (batch["mask"].dtype, batch["mask"].shape) == (np.int64, (2, 1, 16, 16))


@pytest.mark.parametrize("names", [("{}.png", "{}_mask.png"), ("{}_img.png", "{}-seg.png")])
def test_endings_of_names(tmp_path: Path, names: tuple[str, str]) -> None:
    for number in range(4):
        for name, values in zip(names, scene(number), strict=True):
            save(tmp_path / "set" / name.format(number), values)
    check(opened(tmp_path / "set"))


def test_splits_and_other_suffixes(tmp_path: Path) -> None:
    for number in range(6):
        part = ("train", "train", "val")[number % 3]
        picture, mask = scene(number)
        save(tmp_path / "set" / "images" / part / f"{number}.bmp", picture)
        save(tmp_path / "set" / "labels" / part / f"{number}.png", mask)
    data = opened(tmp_path / "set")
    check(data)
    assert all("val" in data.files[index] for index in data.splits["validation"])
    assert len(data.splits["validation"]) == 2


def test_another_folder_and_a_table(masks: Path, tmp_path: Path) -> None:
    check(opened(masks / "images", target_path=str(masks / "masks")))
    lines = [f"images/{number}.png,masks/{number}.png" for number in range(20)]
    (masks / "pairs.csv").write_text("\n".join(["input,target", *lines]))
    data = opened(masks / "pairs.csv")
    assert len(data) == 20
    check(data)


@pytest.mark.parametrize("kind", ["palette", "bilevel", "255", "rgb", "deep"])
def test_every_kind_of_mask(tmp_path: Path, kind: str) -> None:
    for number in range(4):
        picture, mask = scene(number)
        save(tmp_path / "set" / "images" / f"{number}.png", picture)
        made = {
            "palette": lambda m=mask: Image.fromarray(m, "L").convert("P"),
            "bilevel": lambda m=mask: Image.fromarray(m * 255).convert("1"),
            "255": lambda m=mask: Image.fromarray(m * 255),
            "rgb": lambda m=mask: Image.fromarray(np.repeat((m * 200)[..., None], 3, 2)),
            "deep": lambda m=mask: Image.fromarray(m.astype(np.uint16) * 1000),
        }[kind]()
        (tmp_path / "set" / "masks").mkdir(exist_ok=True)
        made.save(tmp_path / "set" / "masks" / f"{number}.png")
    data = opened(tmp_path / "set")
    assert data.target.pixel_classes == ("background", "object")
    check(data)


def test_what_is_no_class_is_ignored(masks: Path) -> None:
    for number in range(20):
        mask = scene(number)[1] * 2
        mask[0] = IGNORED
        save(masks / "masks" / f"{number}.png", mask)
    data = opened(masks, classes="ground, thing", size=[16, 24], fit="pad")
    assert data.target.pixel_classes == ("ground", "thing")
    mask = data.raw([0])["mask"][0, 0]
    assert set(np.unique(mask)) == {0, 1, IGNORED}
    assert (mask[:, :4] == IGNORED).all()  # the borders are no class either
    with pytest.raises(DataError, match="3 names of classes, but the masks have the values 0, 2"):
        opened(masks, classes="a,b,c")


def test_masks_keep_their_values_when_resized(tmp_path: Path) -> None:
    path = save(tmp_path / "x.png", np.repeat(np.arange(0, 40, 10, dtype=np.uint8), 16)[None])
    reading = MaskReading(4, 8, "stretch", (0, 10, 30))
    assert reading.read(str(path))[0][1][0, 0].tolist() == [0, 0, 1, 1, 255, 255, 2, 2]
    assert MaskReading.from_json(reading.to_json()) == reading
    with pytest.raises(ValueError, match="whole numbers"):
        MaskReading.from_json(reading.to_json() | {"values": ["a"]})


def test_pairs_that_cannot_be_read_are_skipped(masks: Path) -> None:
    (masks / "masks" / "3.png").write_bytes(b"")
    (masks / "masks" / "4.png").unlink()
    save(masks / "masks" / "5.png", scene(5)[0])
    data = opened(masks)
    assert len(data) == 17
    check(data)
    reasons = " ".join(item.reason for item in data.skipped)
    for words in ("4.png has no picture that belongs", "5.png is coloured", "3.png"):
        assert words in reasons


def test_folders_without_pairs_are_explained(tmp_path: Path, masks: Path) -> None:
    with pytest.raises(DataError, match="no pairs of pictures"):
        opened(masks / "images")
    with pytest.raises(DataError, match="is no folder"):
        opened(masks, target_path="none")
    with pytest.raises(DataError, match="different values"):
        opened(masks / "images", target_path=str(masks / "images"), task="segmentation") and None


def trained(data: Dataset, folder: Path, epochs: int = 6) -> models.Model:
    project = open_example("digits-cnn")
    project = replace(
        project,
        graph=starter_graph(data),
        task=TaskSettings(data.task),
        training=project.training.replace(epochs=epochs, batch_size=4),
    )
    run = new_run(folder)
    for _ in Trainer(project, data, run).steps():
        pass
    return models.load(run)


def test_a_mask_is_learnt(masks: Path, tmp_path: Path) -> None:
    data = opened(masks)
    model = trained(data, tmp_path / "run")
    found = evaluate(model, data, "test")
    assert found.metrics["mean_iou"] > 0.9
    assert found.predicted.shape == found.true.shape == (4, 1, 16, 16)
    guess = TASKS.get("segmentation").baseline(data, "test")
    assert guess is not None
    assert guess.metrics["mean_iou"] < 0.5 < guess.metrics["accuracy"] < 0.9
    answer = model.predict({"image": data.raw([0])["image"]})[0]
    assert isinstance(answer, Mask)
    assert json.loads(json.dumps(answer.to_json()))["size"] == [16, 16]
    assert dict(answer.shares())["object"] == pytest.approx(49 / 256, abs=0.1)
    again = Fitted.from_json(data.to_json())
    assert again.target.pixel_classes == data.target.pixel_classes


def test_a_picture_is_learnt(masks: Path, tmp_path: Path) -> None:
    for number in range(20):
        picture = scene(number)[0]
        save(masks / "masks" / f"{number}.png", 255 - picture)
    data = opened(masks)
    assert data.task == "image"
    model = trained(data, tmp_path / "run", 12)
    guess = TASKS.get("image").baseline(data, "test")
    assert guess is not None
    found = evaluate(model, data, "test")
    assert found.metrics["psnr"] > guess.metrics["psnr"] + 6
    answer = model.predict({"image": data.raw([0])["image"]})[0]
    assert isinstance(answer, Picture)
    assert answer.values.shape == (3, 16, 16)
    assert answer.to_json()["shape"] == [3, 16, 16]


def test_networks_for_pictures(masks: Path) -> None:
    data = opened(masks)
    graph = starter_graph(data)
    assert not propose(graph, data)
    assert "concatenate" in {node.layer for node in graph.nodes.values()}
    three = replace(data.target, pixel_classes=("a", "b", "c"))
    other = replace(data, targets={"mask": three})
    assert "3×16×16" in propose(graph, other)[0].message
    assert not propose(adopt(graph, other), other)
    odd = opened(masks, size=[15, 15])
    assert not propose(starter_graph(odd), odd)
    with pytest.raises(StarterError, match="build a CNN"):
        starter_graph(data, "rnn")
    project = replace(open_example("digits-cnn"), task=TaskSettings("segmentation"))
    with pytest.raises(TrainingError, match="takes image"):
        models.untrained(project, data)
    project = replace(project, graph=graph)
    with pytest.raises(TrainingError, match="Conv2d layer of 3 channels"):
        models.untrained(project, other)


def test_metrics_of_masks_by_hand() -> None:
    target = torch.tensor([[[[0, 0, 1, 1, IGNORED]]]])
    said = torch.tensor([0, 1, 1, 1, 0])
    output = torch.nn.functional.one_hot(said, 2).T[None, :, None].float()
    accuracy, overlap = PixelAccuracy(2), MeanIoU(2)
    for metric in (accuracy, overlap):
        metric.update(output, target)
        metric.update(output, target)
    assert accuracy.compute() == pytest.approx(3 / 4)
    assert overlap.compute() == pytest.approx((1 / 2 + 2 / 3) / 2)
    loss = TASKS.get("segmentation").loss({})
    ignored = torch.full_like(target, IGNORED)
    assert float(loss(output, ignored)) == 0
    assert float(loss(output, target)) == pytest.approx(
        float(torch.nn.functional.cross_entropy(output, target[:, 0], ignore_index=IGNORED))
    )
    right = torch.nn.functional.one_hot(target[:, 0].clamp(max=1), 2).movedim(-1, 1).float()
    overlapping = TASKS.get("segmentation").loss({"dice": 1.0})
    assert float(overlapping(50 * right, target)) == pytest.approx(0, abs=1e-6)
    assert float(overlapping(output, target)) > float(loss(output, target))


def test_signal_to_noise_by_hand() -> None:
    metric = PeakSignalToNoise(torch.nn.Identity(), 255.0)
    target = torch.full((2, 1, 2, 2), 100.0)
    metric.update(target + torch.tensor([10.0, 20.0]).reshape(2, 1, 1, 1), target)
    wanted = np.mean([10 * np.log10(255**2 / square) for square in (100, 400)])
    assert metric.compute() == pytest.approx(wanted)
    metric.reset()
    metric.update(target, target)
    assert metric.compute() == pytest.approx(100)


@pytest.mark.parametrize("count", COUNTS)
def test_damaged_masks(count: int, masks: Path) -> None:
    path = masks / "masks" / "0.png"
    content, dice = path.read_bytes(), random.Random(count)
    reading = MaskReading(16, 16, "crop", (0, 1))
    for number in range(count):
        path.write_bytes(damaged(content, dice))
        said(lambda: vision.read_values(path))
        said(lambda: reading.read(str(path)))
        if number % 10 == 0:
            said(lambda: opened(masks))


def test_tasks_and_augmentations_that_do_not_fit(masks: Path) -> None:
    data, digits = opened(masks), open_data(DataSettings("digits"), masks)
    project = open_example("digits-cnn")
    for task in ("segmentation", "image"):
        with pytest.raises(TrainingError, match=f"the task {TASKS.get(task).name.lower()}"):
            models.untrained(replace(project, task=TaskSettings(task)), digits)
    project = replace(project, graph=starter_graph(data))
    with pytest.raises(TrainingError, match="nothing for the task classification"):
        models.untrained(project, data)
    cpu, train = torch.device("cpu"), data.splits["train"]
    noisy = replace(data, augmentation=(Applied("noise", {}),))
    open_feed(noisy, train, cpu, 1 << 30, seed=0)
    flipped = replace(data, augmentation=(Applied("flip", {}),))
    with pytest.raises(TrainingError, match="Flip would change the image but not the mask"):
        open_feed(flipped, train, cpu, 1 << 30, seed=0)
