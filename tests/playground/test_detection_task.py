"""Detection trained here: data with boxes, loss, average precision, answers, and resuming."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from models.axes import image, sequence
from models.shapes import infer
from playground.answers import Boxes
from playground.data import Column, Dataset, DataSettings, SplitSettings, open_data
from playground.data.box_columns import MOST, boxes_column
from playground.data.generated.outlines import EXTENTS, OUTLINES, coverage
from playground.detection.precision import average_precisions, matched
from playground.evaluation import evaluate
from playground.model import load
from playground.project import Project, open_example
from playground.runs import RunFolder
from playground.starter import adopt, propose, starter_graph
from playground.tasks import TASKS, TaskSettings
from playground.tasks.boxes import MeanAveragePrecision, centre_loss, decoded
from playground.tasks.detection import found
from playground.training.errors import TrainingError
from playground.training.trainer import Trainer

TASK = TASKS.get("detection")
SMALL = {"samples": 60, "size": 32, "shapes": 3}


def opened(**options: Any) -> Dataset:
    settings = DataSettings("scattered-shapes", {**SMALL, **options}, SplitSettings(10, 10))
    return open_data(settings, Path())


@pytest.fixture
def project() -> Project:
    """A detector for few, small pictures."""
    example = open_example("shapes-detector")
    data = replace(example.data, options=SMALL, split=SplitSettings(10, 10))
    example = replace(example, data=data, training=example.training.replace(epochs=3))
    return replace(example, graph=adopt(example.graph, open_data(data, Path())))


def maps(boxes: list[tuple[float, ...]], classes: int = 2, cells: int = 8) -> torch.Tensor:
    """The maps that say just these boxes (x0, y0, x1, y1, class, score), in shares."""
    result = torch.full((1, classes + 4, cells, cells), -20.0)
    for x0, y0, x1, y1, label, score in boxes:
        x, y = (x0 + x1) / 2 * cells, (y0 + y1) / 2 * cells
        cell = slice(None), slice(None), int(y), int(x)
        result[cell][0, int(label)] = math.log(score / (1 - score)) + math.log(9)
        wanted = ((x1 - x0) * cells, (y1 - y0) * cells, x - int(x), y - int(y))
        result[cell][0, classes:] = torch.tensor(wanted)
    return result


# --- data -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", range(len(OUTLINES)), ids=list(OUTLINES))
def test_the_extent_of_an_outline_is_where_it_covers_anything(number: int) -> None:
    pixel = np.arange(64, dtype=np.float32) + 0.5 - 32
    covered = coverage(
        np.asarray([number]), pixel[None, None], pixel[None, :, None], np.full((1, 1, 1), 20.0)
    )[0]
    rows, columns = np.flatnonzero(covered.max(1) > 0.5), np.flatnonzero(covered.max(0) > 0.5)
    edges = np.asarray([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]) - 32
    assert np.abs(edges - 20 * EXTENTS[number]).max() <= 1.01


def test_generated_shapes_lie_in_their_boxes() -> None:
    data = opened(noise=0, colour=False, size=64)
    raw = data.raw(range(len(data)))
    outside = np.ones((len(data), 64, 64), bool)
    for place, boxes in zip(outside, raw["boxes"], strict=True):
        for box in boxes[:, :4] * 64:  # edges are smooth over a pixel
            x0, y0 = np.floor(box[:2] - 0.5).clip(0).astype(int)
            x1, y1 = np.ceil(box[2:] + 0.5).astype(int)
            place[y0:y1, x0:x1] = False
    for pixels, beside in zip(raw["image"][:, 0], outside, strict=True):
        assert np.ptp(pixels[beside].astype(int)) <= 1
    counts = raw["boxes_lengths"]
    assert counts.min() == 0
    assert counts.max() == 3
    assert data.describe(int(counts.argmin())) == "nothing"
    assert data.describe(int(counts.argmax())).count(",") == 2


def test_the_boxes_of_a_column_are_at_most_the_largest_hundred() -> None:
    side = np.linspace(0.001, 0.5, MOST + 20, dtype=np.float32)
    many = np.stack([0 * side, 0 * side, side, side, 0 * side], 1)
    column = boxes_column([many, many[:0]], ("a",), (32, 64))
    assert column.lengths is not None
    assert column.lengths.tolist() == [MOST, 0]
    assert column.take(np.asarray([0]))[0, :, 2].min() == pytest.approx(side[20])
    again = Column.from_json(json.loads(json.dumps(column.to_json())))
    assert (again.box_classes, again.frame) == (("a",), (32, 64))
    for bad in ([1], [0, 2], "x", [1.5, 2]):
        with pytest.raises(ValueError, match="frame"):
            Column.from_json({**column.to_json(), "frame": bad})


# --- the task -------------------------------------------------------------------------------------


def test_average_precision_by_hand() -> None:
    """Two true boxes; found are, by their score: one right, one wrong, one right. Precision is 1 up
    to a recall of one half and 2/3 beyond: 1/2 · 1 + 1/2 · 2/3."""
    true = np.asarray([[[0, 0, 0.2, 0.2, 0], [0.5, 0.5, 0.9, 0.9, 0]]])
    said = np.asarray(
        [
            [
                [0, 0, 0.2, 0.2, 0, 0.9],
                [0, 0.5, 0.2, 0.9, 0, 0.8],
                [0.5, 0.5, 0.9, 0.8, 0, 0.7],
            ]
        ]
    )
    assert average_precisions(true, said, 2)[0] == pytest.approx(5 / 6)
    assert np.isnan(average_precisions(true, said, 2)[1])
    assert matched(true[0], said[0]).tolist() == [0, -1, 1]
    metric = MeanAveragePrecision(2)
    metric.update(maps([tuple(box) for box in said[0]], cells=10), torch.from_numpy(true))
    assert metric.compute() == pytest.approx(5 / 6)


def test_average_precision_on_the_device_equals_that_of_boxes_one_by_one() -> None:
    """But for the steps in which the device counts scores."""
    torch.manual_seed(0)
    outputs = torch.randn(24, 3 + 4, 8, 8)
    outputs[:, :3] = 1.5 * outputs[:, :3] + 1
    outputs[:, 3:5] = outputs[:, 3:5].abs() + 1
    column = boxes_column([], ("a", "b", "c"), (64, 64))
    said, _ = TASK.predicted(outputs.numpy(), column)
    random = np.random.default_rng(0)
    true = np.zeros((24, 5, 5), np.float32)
    for row, found_here in zip(true, said, strict=True):  # some of what was found, moved a little
        chosen = random.permutation(np.count_nonzero(found_here[:, 5]))[:4]
        row[:4] = found_here[chosen, :5]
        row[:4, :4] += random.normal(0, 0.02, (4, 4))
    metric = MeanAveragePrecision(3)
    for part in range(0, 24, 8):
        metric.update(outputs[part : part + 8], torch.from_numpy(true[part : part + 8]))
    expected = average_precisions(true, said, 3)
    assert metric.compute() == pytest.approx(expected.mean(), abs=2e-3)
    assert 0.05 < expected.mean() < 0.95


def test_the_maps_of_the_true_boxes_are_found_again_and_have_the_least_loss() -> None:
    boxes = [(0.1, 0.1, 0.4, 0.5, 0.0, 0.9), (0.55, 0.3, 0.95, 0.9, 1.0, 0.6)]
    output = maps(boxes)
    corners, scores, labels = found(output[0].numpy(), 0.3, 0.5)
    np.testing.assert_allclose(corners, [box[:4] for box in boxes], atol=1e-5)
    np.testing.assert_allclose(scores, [0.9, 0.6], atol=1e-5)
    assert labels.tolist() == [0, 1]
    target = torch.tensor([[box[:5] for box in boxes] + [[0.0] * 5]])
    least = centre_loss(output, target)
    for map_, change in ((0, -2.0), (1, 25.0), (2, 1.0), (3, -1.0), (4, 0.3), (5, -0.3)):
        worse = output.clone()
        worse[:, map_] += change
        assert centre_loss(worse, target) > least
    # without a box the cells alone are learnt from
    assert torch.isfinite(centre_loss(output, torch.zeros(1, 1, 5)))


def test_of_boxes_that_overlap_the_surest_stays() -> None:
    boxes = [(0.1, 0.1, 0.6, 0.6, 0.0, 0.9), (0.2, 0.13, 0.7, 0.63, 0.0, 0.8)]
    other = [*boxes[:1], (*boxes[1][:4], 1.0, 0.8)]
    assert len(found(maps(boxes, cells=16)[0].numpy(), 0.3, 0.5)[0]) == 1
    assert len(found(maps(boxes, cells=16)[0].numpy(), 0.3, 0.9)[0]) == 2
    assert len(found(maps(other, cells=16)[0].numpy(), 0.3, 0.5)[0]) == 2
    assert len(decoded(maps(boxes), 5)[0][0]) == 5


def test_an_answer_is_in_pixels() -> None:
    column = boxes_column([], ("mug", "key"), (40, 80))
    answer = TASK.answer(maps([(0.25, 0.5, 0.5, 1.0, 1.0, 0.8)])[0].numpy(), column)
    assert isinstance(answer, Boxes)
    (box,) = answer.boxes
    assert (box.label, answer.size) == ("key", (40, 80))
    assert box.box == pytest.approx((20, 20, 40, 40), abs=1e-3)
    assert str(answer) == "key 80.0% at 20, 20 (20×20)"


def test_the_output_may_be_as_coarse_as_it_likes() -> None:
    data = opened()
    assert TASK.output(data) == image(7, 8, 8)
    assert TASK.output(data, image(3, 16, 16)) == image(7, 16, 16)
    assert TASK.output(data, image(3, 15, 15)) == image(7, 8, 8)
    assert TASK.output(data, image(3, 8, 4)) == image(7, 8, 8)


def test_what_does_not_fit_is_said_and_set_right(project: Project, tmp_path: Path) -> None:
    data = opened(classes=5)
    (difference,) = propose(project.graph, data)
    assert difference.message.endswith("the data need image 9×8×8.")
    with pytest.raises(TrainingError, match="Conv2d layer of 9 channels at the size 8×8"):
        Trainer(project, data, RunFolder.create(tmp_path / "a"))
    fitted = adopt(project.graph, data)
    assert not propose(fitted, data)
    Trainer(replace(project, graph=fitted), data, RunFolder.create(tmp_path / "b"))
    for other in ("classification", "regression", "forecast", "segmentation", "image"):
        with pytest.raises(TrainingError, match="has nothing for the task"):
            Trainer(replace(project, task=TaskSettings(other)), data, RunFolder(tmp_path / "x"))
    digits = open_example("digits-cnn")
    with pytest.raises(TrainingError, match=r"takes image 1×28×28, but .* image 3×32×32"):
        Trainer(replace(digits, task=project.task), data, RunFolder.create(tmp_path / "c"))


@pytest.mark.parametrize("size", [32, 48, 50, 65])
def test_the_first_network_for_boxes_fits(size: int) -> None:
    data = opened(size=size)
    graph = starter_graph(data)
    assert not propose(graph, data)
    assert infer(graph).ok


def test_moving_the_picture_but_not_its_boxes_is_refused(project: Project, tmp_path: Path) -> None:
    from playground.data.augment import Applied

    data = replace(opened(), augmentation=(Applied("flip", {}),))
    with pytest.raises(TrainingError, match="would change the image but not the boxes"):
        Trainer(project, data, RunFolder.create(tmp_path / "run"))


def test_a_run_goes_on_bit_for_bit_and_is_judged_alike(project: Project, tmp_path: Path) -> None:
    data = opened()

    def losses(trainer: Trainer, stop: int | None = None) -> list[float]:
        for number, _ in enumerate(trainer.steps(), 1):
            if number == stop:
                trainer.stop()
        return trainer.curves.message().epoch_train_loss.tolist()

    whole = Trainer(project, data, RunFolder.create(tmp_path / "whole"))
    expected = losses(whole)
    run = RunFolder.create(tmp_path / "parts")
    losses(Trainer(project, data, run), stop=3)
    resumed = Trainer(project, data, run, resume=True)
    assert losses(resumed) == expected
    assert resumed.result is not None
    assert whole.result is not None
    assert resumed.result.metrics == whole.result.metrics
    found_by_run = evaluate(load(run), data, "test")
    assert found_by_run.metrics["map50"] == resumed.result.metrics["test"]["map50"]
    assert found_by_run.predicted.shape == (10, MOST, 6)


def test_the_saved_network_answers_with_boxes(project: Project, tmp_path: Path) -> None:
    data = opened()
    run = RunFolder.create(tmp_path / "run")
    for _ in Trainer(project, data, run).steps():
        pass
    model = load(run)
    (answer,) = model.predict({"image": data.raw([0])["image"]})
    assert isinstance(answer, Boxes)
    assert answer.size == (32, 32)
    assert model.dataset.target.shape == sequence("T", 5)


def test_a_flat_network_is_told_what_is_missing() -> None:
    data = opened()
    flat = open_example("digits-cnn").graph
    graph = adopt(flat, data)
    assert any("the data need image 7×8×8" in d.message for d in propose(graph, data))
