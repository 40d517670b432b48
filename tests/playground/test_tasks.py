"""Tasks: losses, metrics against their definitions, answers, and guesses to beat."""

import json
import math

import numpy as np
import pytest
import torch

from models.axes import image, vector
from models.parameters import ParameterError
from playground.answers import Classes, Series, Value
from playground.data import Column, DataSettings, SplitSettings, open_data
from playground.data.box_columns import boxes_column
from playground.preprocessing import Log, Preprocessing, Standardize
from playground.tasks import TASKS, TaskSettings, seasonal_naive

CLASSIFICATION, REGRESSION, FORECAST = (
    TASKS.get(id) for id in ("classification", "regression", "forecast")
)
LABELS = Column("label", vector(1), np.zeros(0, np.int64), classes=("a", "b", "c"))
PRICE = Column(
    "value",
    vector(2),
    np.zeros((0, 2), np.float32),
    Preprocessing((Log(), Standardize((3.0,), (2.0,)))),
    unit="€",
)


def in_batches(metric, output, target):
    for part, true in zip(output.split(4), target.split(4), strict=True):
        metric.update(part, true)
    return metric.compute()


def test_classification_metrics():
    torch.manual_seed(0)
    output, target = torch.randn(30, 3), torch.randint(0, 3, (30,))
    found = {
        name: in_batches(metric, output, target)
        for name, metric in CLASSIFICATION.metrics({}, LABELS).items()
    }
    said = output.argmax(1)
    assert found["accuracy"] == pytest.approx(float((said == target).double().mean()))
    scores = []
    for index in range(3):
        right = int(((said == index) & (target == index)).sum())
        scores.append(2 * right / int((said == index).sum() + (target == index).sum()))
    assert found["f1"] == pytest.approx(sum(scores) / 3)


def test_value_metrics_are_in_the_targets_own_unit():
    torch.manual_seed(0)
    output, target = torch.randn(30, 2) * 0.3, torch.randn(30, 2) * 0.3
    said, true = (np.exp(x.numpy().astype(np.float64) * 2 + 3) for x in (output, target))
    expected = {
        "mae": np.abs(said - true).mean(),
        "rmse": np.sqrt(np.square(said - true).mean()),
        "r2": 1 - np.square(said - true).sum() / np.square(true - true.mean()).sum(),
        "mape": (np.abs(said - true) / true).mean(),
    }
    metrics = REGRESSION.metrics({}, PRICE) | FORECAST.metrics({}, PRICE)
    assert set(metrics) == set(expected)
    for name, metric in metrics.items():
        assert in_batches(metric, output, target) == pytest.approx(expected[name], rel=1e-4)
    assert metrics["mae"].unit == "€"
    assert metrics["mape"].unit == ""


def batch_of(task):
    """A column with three samples' outputs and targets."""
    if task is CLASSIFICATION:
        return LABELS, torch.randn(3, 3), torch.tensor([0, 1, 2])
    if task.id == "segmentation":
        mask = Column("mask", image(1, 2, 2), np.zeros(0), pixel_classes=("a", "b"))
        return mask, torch.randn(3, 2, 2, 2), torch.randint(0, 2, (3, 1, 2, 2))
    if task.id == "image":
        picture = Column("picture", image(1, 2, 2), np.zeros(0))
        return picture, torch.randn(3, 1, 2, 2), torch.rand(3, 1, 2, 2) * 255
    if task.id == "detection":
        boxes = boxes_column([], ("a", "b"), (8, 8))
        return boxes, torch.randn(3, 6, 2, 2), torch.tensor([[[0.1, 0.1, 0.5, 0.5, 1.0]]] * 3)
    return PRICE, torch.randn(3, 2), torch.randn(3, 2)


@pytest.mark.parametrize("task", list(TASKS), ids=lambda task: task.id)
def test_metrics_begin_anew(task):
    column, output, target = batch_of(task)
    for metric in task.metrics({}, column).values():
        assert math.isnan(metric.compute())
        metric.update(output, target)
        assert math.isfinite(metric.compute())
        metric.reset()
        assert math.isnan(metric.compute())
    assert task.main_metric in task.metrics({}, column)
    assert task.metrics({}, column)[task.main_metric].better == task.better


def test_metrics_keep_no_graph():
    output = torch.randn(4, 2, requires_grad=True)
    metric = REGRESSION.metrics({}, PRICE)["mae"]
    metric.update(output * 2, torch.randn(4, 2))
    assert not metric._total.requires_grad


def test_losses():
    output, target = torch.tensor([[2.0, 0.0, 0.0]]), torch.tensor([1])
    plain = CLASSIFICATION.loss({})(output, target)
    assert float(plain) == pytest.approx(math.log(math.e**2 + 2))
    smooth = CLASSIFICATION.loss({"label_smoothing": 0.3})(output, target)
    assert smooth < plain
    weight = torch.tensor([1.0, 5.0, 1.0])
    both = torch.tensor([[2.0, 0.0, 0.0], [2.0, 0.0, 0.0]]), torch.tensor([0, 1])
    assert CLASSIFICATION.loss({})(*both, weight) > CLASSIFICATION.loss({})(*both)
    output, target = torch.tensor([[3.0], [0.5]]), torch.tensor([[0.0], [0.0]])
    assert float(REGRESSION.loss({})(output, target)) == pytest.approx(4.625)
    assert float(REGRESSION.loss({"loss": "mae"})(output, target)) == pytest.approx(1.75)
    huber = REGRESSION.loss({"loss": "huber", "huber_delta": 1.0})(output, target)
    assert float(huber) == pytest.approx((2.5 + 0.125) / 2)
    with pytest.raises(ParameterError, match="Loss is one of"):
        REGRESSION.loss({"loss": "guess"})


def test_answers():
    answer = CLASSIFICATION.answer(np.float32([0.0, 2.0, 1.0]), LABELS)
    assert isinstance(answer, Classes)
    assert answer.answers[0][0] == "b"  # before the others are sorted
    assert [label for label, _ in answer.answers] == ["b", "c", "a"]
    assert answer.answers[:2] == tuple(answer.answers)[:2]
    assert answer == Classes(tuple(answer.answers))
    assert sum(probability for _, probability in answer.answers) == pytest.approx(1)
    assert answer.to_json()["answers"][0]["label"] == "b"
    assert str(answer).startswith("b 66.5%")
    one = Column("value", vector(1), np.zeros(0), PRICE.preprocessing, unit="€")
    value = REGRESSION.answer(np.float32([0.5]), one)
    assert isinstance(value, Value)
    assert value.value == pytest.approx(math.exp(4), rel=1e-5)
    assert str(value) == "54.5981 €"
    series = FORECAST.answer(np.float32([0.0, 0.5]), PRICE)
    assert isinstance(series, Series)
    assert len(series.values) == 2
    for each in (answer, value, series):
        assert json.loads(json.dumps(each.to_json()))["kind"] == each.kind


def test_predicted():
    classes, sure = CLASSIFICATION.predicted(np.float32([[0, 3, 1], [5, 0, 0]]), LABELS)
    np.testing.assert_array_equal(classes, [1, 0])
    assert (sure > 0.8).all()
    values, nothing = REGRESSION.predicted(np.zeros((3, 2), np.float32), PRICE)
    np.testing.assert_allclose(values, np.exp(3), rtol=1e-5)
    assert nothing.size == 0


def test_large_logits_do_not_overflow():
    _, sure = CLASSIFICATION.predicted(np.float32([[1e4, -1e4, 0]]), LABELS)
    assert sure[0] == 1


def test_what_guessing_reaches(tmp_path):
    digits = open_data(DataSettings("digits", {}, SplitSettings(500, 1000)), tmp_path)
    assert CLASSIFICATION.head(digits) == 10
    assert CLASSIFICATION.baseline(digits, "test").metrics["accuracy"] == pytest.approx(0.1)
    options = {
        "path": "sample:series/airline_passengers.csv",
        "task": "forecast",
        "window": 12,
        "horizon": 12,
    }
    airline = open_data(DataSettings("table", options, SplitSettings(24, 24)), tmp_path)
    assert FORECAST.head(airline) == 12
    naive = FORECAST.baseline(airline, "test")
    assert naive.name == "seasonal naive (12 steps)"
    raw = airline.raw(airline.splits["test"])
    error = np.abs(raw["forecast"] - raw["series"][:, :, 0]).mean()
    assert naive.metrics["mae"] == pytest.approx(error)
    rows = "x,y\n" + "".join(f"{i},{i * 1.5}\n" for i in range(40))
    (tmp_path / "t.csv").write_text(rows)
    table = open_data(DataSettings("table", {"path": "t.csv"}, SplitSettings(0, 10)), tmp_path)
    mean = table.target.take(table.splits["train"]).mean()
    guess = REGRESSION.baseline(table, "test").metrics["mae"]
    assert guess == pytest.approx(np.abs(table.raw(table.splits["test"])["value"] - mean).mean())
    assert REGRESSION.baseline(table, "validation") is None


def test_settings_are_read_and_refused():
    settings = TaskSettings("forecast", {"loss": "mae"})
    assert TaskSettings.from_json(settings.to_json()) == settings
    for bad in (None, {}, {"id": 3}, {"id": "x", "options": []}):
        with pytest.raises(ParameterError):
            TaskSettings.from_json(bad)


def test_naive_forecasts_repeat_the_season() -> None:
    past = np.arange(8.0)[None]
    assert seasonal_naive(past, 4, 6).tolist() == [[4, 5, 6, 7, 4, 5]]
    assert seasonal_naive(past, 12, 2).tolist() == [[7, 7]]
