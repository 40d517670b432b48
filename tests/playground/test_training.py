"""The trainer: it learns, goes on bit for bit, and ends a hopeless run with one sentence."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from models.axes import image, sequence, vector
from models.graph import Edge, Graph, Node
from playground.data.dataset import Column, Dataset
from playground.data.errors import DataError
from playground.data.settings import SplitSettings
from playground.data.splits import split
from playground.devices import Device, DeviceError, choose
from playground.preprocessing import Preprocessing, standardized
from playground.project import Project
from playground.runs import RunError, RunFolder, load_model
from playground.training import feed, trainer
from playground.training.errors import TrainingError
from playground.training.feed import open_feed, read_good, split_batches
from playground.training.history import Points
from playground.training.learner import class_weights
from playground.training.schedules import factor
from playground.training.settings import PARAMETERS, ParameterError, TrainingSettings
from playground.training.trainer import Trainer
from tests.playground.fakes import chain, cnn, lstm, project, rows, stripes


def run(document: Project, data: Dataset, path: Path, **how: Any) -> Trainer:
    """A whole run."""
    made = Trainer(document, data, RunFolder.create(path), **how)
    for _ in made.steps():
        pass
    return made


# --- learning ---


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw", "rmsprop"])
@pytest.mark.parametrize("graph", [cnn(), lstm()], ids=["cnn", "lstm"])
def test_learns(optimizer: str, graph: Graph, tmp_path: Path) -> None:
    data = stripes(as_rows=graph.nodes["n2"].layer == "lstm")
    rate = 0.1 if optimizer == "sgd" else 0.02
    document = project(graph, epochs=12, optimizer=optimizer, learning_rate=rate)
    result = run(document, data, tmp_path / "r").result
    assert result is not None
    assert result.reason == "finished"
    assert result.metrics["test"]["accuracy"] >= 0.9
    assert result.metrics["train"]["loss"] < 0.5
    assert result.samples_per_second > 0


def test_what_a_run_leaves(tmp_path: Path) -> None:
    made = run(project(), stripes(), tmp_path / "r")
    lines = rows(tmp_path / "r")
    assert lines[0] == (
        "epoch,step,learning_rate,train_loss,train_accuracy,train_f1,"
        "validation_loss,validation_accuracy,validation_f1"
    )
    assert len(lines) == 4
    info = made.run.info()
    assert info["state"] == "finished"
    assert info["threads"] == 1
    assert info["samples"] == {"train": 60, "validation": 15, "test": 15}
    assert info["process"] is None
    assert set(info["versions"]) >= {"python", "torch", "numpy"}
    assert made.run.project() == project()


def test_same_seed_same_run(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        run(project(seed=seed), stripes(), tmp_path / name)
    assert rows(tmp_path / "a") == rows(tmp_path / "b")
    assert rows(tmp_path / "a") != rows(tmp_path / "c")


def test_memory_layout_and_residence_do_not_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Streamed batches are those of resident data."""
    run(project(), stripes(), tmp_path / "resident")
    monkeypatch.setattr(feed, "RESIDENT_BYTES", 0)
    made = run(project(), stripes(), tmp_path / "streamed")
    assert isinstance(made.feeds["train"], feed.Streamed)
    assert rows(tmp_path / "resident") == rows(tmp_path / "streamed")


def test_first_loss_is_that_of_the_plain_loop(tmp_path: Path) -> None:
    """Losses are those that torch computes: same weights, same order, same numbers."""
    graph = chain(
        ("image", "input", {"shape": image(1, 8, 8).to_json()}),
        ("flatten", "flatten", {}),
        ("fc", "linear", {"out_features": 3}),
        ("label", "output", {}),
    )
    data = stripes()
    made = Trainer(
        project(graph, optimizer="sgd", momentum=0.5, weight_decay=0.01, learning_rate=0.1),
        data,
        RunFolder.create(tmp_path / "r"),
    )
    weights = {k: v.clone() for k, v in made.learner.module.state_dict().items()}
    steps = made.steps()
    for _ in range(5):
        next(steps)
    layer = torch.nn.Linear(64, 3)
    layer.load_state_dict({k.removeprefix("fc."): v for k, v in weights.items()})
    optimizer = torch.optim.SGD(layer.parameters(), 0.1, 0.5, weight_decay=0.01)
    batch = data.batch(data.splits["train"])
    for number, chosen in enumerate(split_batches(made.order, 8)[:5]):
        x = torch.from_numpy(batch["image"])[chosen].flatten(1)
        loss = torch.nn.functional.cross_entropy(layer(x), torch.from_numpy(batch["label"])[chosen])
        torch.testing.assert_close(made.losses[number], loss.detach(), rtol=1e-5, atol=1e-6)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


# --- going on ---


@pytest.mark.parametrize(
    ("graph", "settings"),
    [
        (cnn(), {"schedule": "plateau", "plateau_patience": 1, "optimizer": "adam"}),
        (cnn(), {"schedule": "one_cycle", "optimizer": "rmsprop", "gradient_clip": 0.5}),
        (lstm(), {"schedule": "cosine", "optimizer": "sgd"}),
        (lstm(), {"schedule": "step", "step_epochs": 2, "optimizer": "adamw"}),
    ],
    ids=["plateau", "one-cycle", "cosine", "step"],
)
def test_goes_on_bit_for_bit(graph: Graph, settings: dict[str, Any], tmp_path: Path) -> None:
    data = stripes(as_rows=graph.nodes["n2"].layer == "lstm")
    document = project(graph, epochs=5, **settings)
    calm = run(document, data, tmp_path / "calm")
    folder = RunFolder.create(tmp_path / "torn")
    made = Trainer(document, data, folder)
    steps, chance = made.steps(), random.Random(3)
    breaks = 0
    while made.result is None:
        for _ in range(chance.randrange(1, 14)):
            next(steps, None)
        made.checkpoint()
        for _ in range(chance.randrange(4)):
            next(steps, None)  # lost
        if made.result is not None:
            break
        torch.rand(5), random.random(), np.random.rand()  # others draw in between
        made = Trainer(document, data, folder, resume=True)
        steps = made.steps()
        breaks += 1
    assert breaks >= 4
    assert rows(folder.path) == rows(calm.run.path)
    ours, theirs = made.curves.message(), calm.curves.message()
    np.testing.assert_array_equal(ours.train_loss, theirs.train_loss)
    np.testing.assert_array_equal(ours.x, theirs.x)
    assert made.result is not None
    assert calm.result is not None
    assert made.result.metrics == calm.result.metrics


def test_goes_on_with_more_epochs(tmp_path: Path) -> None:
    long = run(project(epochs=6), stripes(), tmp_path / "long")
    short = run(project(epochs=3), stripes(), tmp_path / "short")
    more = Trainer(project(epochs=6), stripes(), short.run, resume=True)
    for _ in more.steps():
        pass
    assert rows(short.run.path) == rows(long.run.path)


def test_resume_refuses_what_is_not_the_same_run(tmp_path: Path) -> None:
    made = run(project(), stripes(), tmp_path / "r")
    for document, data, words in (
        (project(cnn(channels=5)), stripes(), "network was changed"),
        (project(), stripes(60), "other data"),
        (project(optimizer="sgd"), stripes(), "another optimizer"),
        (project(batch_size=16), stripes(), "batch size"),
    ):
        with pytest.raises((RunError, TrainingError), match=words):
            Trainer(document, data, made.run, resume=True)
    with pytest.raises(RunError, match="ended before"):
        Trainer(project(), stripes(), RunFolder.create(tmp_path / "new"), resume=True)


def test_resume_refuses_other_samples_of_the_same_number(tmp_path: Path) -> None:
    def of(folder: str, name: str = "0", seed: int = 0) -> Dataset:
        data = stripes()
        paths = (f"{folder}/a/{name}.png", *(f"{folder}/b/{i}.png" for i in range(1, len(data))))
        parts = split(len(data), SplitSettings(0.2, 0.2, seed=seed))
        return replace(data, files=paths, splits=parts)

    made = run(project(), of("/here"), tmp_path / "r")
    for data in (of("/here", name="new"), of("/here", seed=1)):
        with pytest.raises(RunError, match="other samples: files came or went"):
            Trainer(project(), data, made.run, resume=True)
    Trainer(project(epochs=9), of("/moved/there"), made.run, resume=True)
    made.run.update(splits=None)  # a run of before there were digests
    Trainer(project(), of("/here", name="new"), made.run, resume=True)


def test_stop_keeps_everything(tmp_path: Path) -> None:
    made = Trainer(project(epochs=100), stripes(), RunFolder.create(tmp_path / "r"))
    for number, _ in enumerate(made.steps()):
        if number == 30:
            made.stop()
    assert number == 30
    assert made.result is not None
    assert made.result.reason == "stopped"
    assert load_model(made.run).run is not None
    assert made.run.info()["state"] == "stopped"


def test_two_processes_cannot_train_in_one_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Trainer(project(), stripes(), RunFolder.create(tmp_path / "r"))
    monkeypatch.setattr("os.getpid", lambda: 1)
    with pytest.raises(RunError, match="another process"):
        made.run.claim()


def test_weights_of_another_run(tmp_path: Path) -> None:
    first = run(project(epochs=12), stripes(), tmp_path / "a")
    graph = cnn()
    renamed = replace(
        graph, nodes={**graph.nodes, "n2": replace(graph.nodes["n2"], name="features")}
    )
    second = Trainer(
        project(renamed), stripes(), RunFolder.create(tmp_path / "b"), weights_from=first.run
    )
    assert second.notes == ["3 of 3 layers keep the weights of run a"]
    last = first.run.checkpoint("last").weights
    own = second.learner.module.state_dict()
    torch.testing.assert_close(own["features.weight"].contiguous(), last["conv1.weight"])
    third = Trainer(
        project(cnn(channels=6)),
        stripes(),
        RunFolder.create(tmp_path / "c"),
        weights_from=first.run,
    )
    assert third.notes == ["0 of 3 layers keep the weights of run a; new: conv1, bn1, fc"]


# --- settings ---


def test_early_stopping(tmp_path: Path) -> None:
    document = project(epochs=500, early_stopping=3, learning_rate=1e-9)
    made = run(document, stripes(), tmp_path / "r")
    assert made.result is not None
    assert made.result.reason == "early"
    assert made.result.epochs < 100
    assert made.result.best_epoch == made.result.epochs - 3


def test_best_weights_are_those_of_the_best_epoch(tmp_path: Path) -> None:
    made = run(project(epochs=8, learning_rate=0.05), stripes(), tmp_path / "r")
    assert made.result is not None
    table = made.run.metrics()
    scores = [(row["validation_accuracy"], -row["validation_loss"]) for row in table]
    best = max(range(len(table)), key=lambda i: (scores[i], -i))
    assert made.result.best_epoch == best + 1
    assert made.result.metrics["validation"]["accuracy"] == scores[best][0]
    assert made.run.checkpoint("best").state["epoch"] == best + 1


def test_gradient_clip_bounds_a_step(tmp_path: Path) -> None:
    document = project(optimizer="sgd", momentum=0.0, learning_rate=1.0, gradient_clip=1e-3)
    made = Trainer(document, stripes(), RunFolder.create(tmp_path / "r"))
    before = [p.detach().clone() for p in made.learner.parameters]
    after = [p.detach() for p in made.learner.parameters]
    next(made.steps())
    change = sum(float((a - b).square().sum()) for a, b in zip(before, after, strict=True))
    assert math.sqrt(change) <= 1.001e-3


def test_class_weights() -> None:
    data = stripes()
    labels = np.zeros(90, np.int64)
    labels[:9] = 1
    target = replace(data.target, values=labels)
    skewed = replace(
        data, targets={"label": target}, splits={**data.splits, "train": np.arange(90)}
    )
    weights = class_weights(skewed)
    assert weights.tolist() == pytest.approx([90 / 2 / 81, 5.0, 0.0])
    assert float((weights * torch.tensor([81, 9, 0])).sum()) == pytest.approx(90)


def test_class_weights_help_the_rare_class(tmp_path: Path) -> None:
    recall = {}
    for balanced in (False, True):
        random_ = np.random.default_rng(0)
        labels = (np.arange(300) % 15 == 0).astype(np.int64)
        values = (random_.normal(0, 1, (300, 2)) + labels[:, None]).astype(np.float32)
        data = Dataset(
            "skewed",
            "",
            {"x": Column("x", vector(2), values)},
            {"label": Column("label", vector(1), labels, classes=("no", "yes"))},
            {
                "train": np.arange(200),
                "validation": np.arange(200, 250),
                "test": np.arange(250, 300),
            },
            "classification",
        )
        graph = chain(
            ("x", "input", {"shape": vector(2).to_json()}),
            ("fc", "linear", {"out_features": 2}),
            ("label", "output", {}),
        )
        document = project(graph, epochs=20, class_weights=balanced, learning_rate=0.05)
        made = run(document, data, tmp_path / str(balanced))
        rare = np.flatnonzero(labels)
        outputs = made.learner.module(torch.from_numpy(values[rare]))
        recall[balanced] = float((outputs.argmax(1) == 1).float().mean())
    assert recall[True] > recall[False] + 0.3


def test_schedules() -> None:
    def curve(**values: Any) -> list[float]:
        settings = TrainingSettings().replace(**values)
        return [factor(settings, step, 100, step // 10) for step in range(101)]

    assert set(curve(schedule="constant")) == {1.0}
    assert curve(schedule="step", step_epochs=5, reduce_by=0.1)[::25] == [1, 1, 0.1, 0.1, 0.1**2]
    cosine = curve(schedule="cosine")
    assert cosine[0] == 1
    assert cosine[50] == pytest.approx(0.5)
    assert cosine[100] == pytest.approx(0, abs=1e-12)
    cycle = curve(schedule="one_cycle")
    assert cycle[0] == pytest.approx(1 / 25)
    assert max(cycle) == cycle[30] == 1
    assert cycle[100] == pytest.approx(1 / 25e4)


def test_plateau_reduces_the_rate(tmp_path: Path) -> None:
    document = project(
        epochs=12,
        schedule="plateau",
        plateau_patience=2,
        reduce_by=0.5,
        optimizer="sgd",
        learning_rate=1e-9,
        momentum=0.0,
    )
    made = run(document, stripes(), tmp_path / "r")
    rates = [row["learning_rate"] for row in made.run.metrics()]
    assert rates[0] == 1e-9
    assert rates[-1] <= 0.25e-9


def test_settings_round_trip_and_refuse() -> None:
    settings = TrainingSettings().replace(epochs=7, gradient_clip=1.5)
    assert TrainingSettings.from_json(settings.to_json()) == settings
    later = TrainingSettings.from_json({"epochs": 3, "new": [1]})
    assert later.to_json()["new"] == [1]
    for values in ({"epochs": 0}, {"epochs": 1.5}, {"optimizer": "magic"}, {"colour": 1}):
        with pytest.raises(ParameterError):
            TrainingSettings().replace(**values)
    with pytest.raises(ParameterError, match="object"):
        TrainingSettings.from_json([])
    assert len({parameter.id for parameter in PARAMETERS}) == len(PARAMETERS)


# --- other tasks ---


def numbers(targets: int = 1, steps: int = 0) -> Dataset:
    random_ = np.random.default_rng(0)
    x = random_.normal(5, 3, (120, 12, 1) if steps else (120, 4)).astype(np.float32)
    flat = x.reshape(120, -1)
    y = (100 + 20 * flat[:, :targets]).astype(np.float32)
    return Dataset(
        "numbers",
        "",
        {
            "x": Column(
                "x",
                sequence(12, 1) if steps else vector(4),
                x,
                Preprocessing((standardized(x, -1),)),
            )
        },
        {"y": Column("y", vector(targets), y, Preprocessing((standardized(y, -1),)), unit="mm")},
        {"train": np.arange(80), "validation": np.arange(80, 100), "test": np.arange(100, 120)},
        "forecast" if steps else "regression",
    )


def test_regression(tmp_path: Path) -> None:
    graph = chain(
        ("x", "input", {"shape": vector(4).to_json()}),
        ("fc", "linear", {"out_features": 1}),
        ("y", "output", {}),
    )
    document = project(graph, "regression", epochs=40, learning_rate=0.05)
    made = run(document, numbers(), tmp_path / "r")
    assert made.result is not None
    assert made.result.metrics["test"]["mae"] < 5  # in millimetres
    assert made.curves.message().unit == "mm"
    (answer,) = load_model(made.run).predict({"x": numbers().raw([3])["x"]})
    assert answer.unit == "mm"
    assert answer.value == pytest.approx(float(numbers().raw([3])["y"][0, 0]), abs=10)


def test_forecast(tmp_path: Path) -> None:
    graph = chain(
        ("x", "input", {"shape": sequence(12, 1).to_json()}),
        ("flatten", "flatten", {}),
        ("fc", "linear", {"out_features": 3}),
        ("y", "output", {}),
    )
    document = project(graph, "forecast", epochs=40, learning_rate=0.05)
    made = run(document, numbers(3, steps=12), tmp_path / "r")
    assert made.result is not None
    assert made.result.metrics["test"]["mae"] < 20
    assert {"mae", "rmse"} <= set(made.result.metrics["validation"])


def test_two_inputs_and_two_outputs(tmp_path: Path) -> None:
    base = numbers(2)
    y = base.target
    data = replace(
        base,
        inputs={"a": replace(base.inputs["x"], name="a"), "b": replace(base.inputs["x"], name="b")},
        targets={"one": replace(y, name="one"), "two": replace(y, name="two")},
    )
    shape = {"shape": vector(4).to_json()}
    nodes = [
        Node("n1", "a", "input", shape),
        Node("n2", "b", "input", shape),
        Node("n3", "sum", "add"),
        Node("n4", "fc1", "linear", {"out_features": 2}),
        Node("n5", "fc2", "linear", {"out_features": 2}),
        Node("n6", "one", "output"),
        Node("n7", "two", "output"),
    ]
    edges = (
        Edge("n1", "output", "n3", "inputs"),
        Edge("n2", "output", "n3", "inputs"),
        Edge("n3", "output", "n4", "input"),
        Edge("n3", "output", "n5", "input"),
        Edge("n4", "output", "n6", "input"),
        Edge("n5", "output", "n7", "input"),
    )
    graph = Graph({node.id: node for node in nodes}, edges)
    document = project(graph, "regression", epochs=20, learning_rate=0.05)
    made = run(document, data, tmp_path / "r")
    assert made.scores.main == "one.mae"
    assert made.result is not None
    assert {"one.mae", "two.mae"} <= set(made.result.metrics["test"])
    wrong = replace(data, targets={"one": y, "three": y})
    with pytest.raises(TrainingError, match="no 'two'"):
        Trainer(document, wrong, RunFolder.create(tmp_path / "s"))


# --- bad input ---


def test_batch_larger_than_the_data_and_single_samples(tmp_path: Path) -> None:
    run(project(batch_size=1000, epochs=2), stripes(), tmp_path / "large")
    assert [len(b) for b in split_batches(torch.arange(9), 4)] == [4, 5]
    assert [len(b) for b in split_batches(torch.arange(9), 1)] == [1] * 9
    few = stripes()
    none = np.zeros(0, np.int64)
    few = replace(few, splits={"train": np.arange(9), "validation": none, "test": none})
    made = run(project(epochs=2), few, tmp_path / "few")
    assert "validation_loss" not in rows(tmp_path / "few")[0]
    assert made.result is not None
    assert made.result.metrics["test"] == {}
    empty = replace(few, splits={"train": none, "validation": none, "test": none})
    with pytest.raises(TrainingError, match="no samples to train on"):
        Trainer(project(), empty, RunFolder.create(tmp_path / "none"))


def test_batch_norm_of_a_single_sample_names_the_node(tmp_path: Path) -> None:
    graph = chain(
        ("x", "input", {"shape": vector(4).to_json()}),
        ("bn", "batch-norm", {}),
        ("fc", "linear", {"out_features": 1}),
        ("y", "output", {}),
    )
    made = Trainer(
        project(graph, "regression", batch_size=1), numbers(), RunFolder.create(tmp_path / "r")
    )
    with pytest.raises(TrainingError, match=r"^bn could not be computed") as caught:
        list(made.steps())
    assert caught.value.node == "n2"


def test_exploding_loss_names_the_node_and_keeps_the_checkpoint(tmp_path: Path) -> None:
    graph = chain(
        ("image", "input", {"shape": image(1, 8, 8).to_json()}),
        ("flatten", "flatten", {}),
        ("fc1", "linear", {"out_features": 8}),
        ("fc2", "linear", {"out_features": 3}),
        ("label", "output", {}),
    )
    document = project(graph, optimizer="sgd", learning_rate=1e3, epochs=9)
    made = Trainer(document, stripes(), RunFolder.create(tmp_path / "r"))
    with pytest.raises(TrainingError, match=r"no longer numbers.*learning rate") as caught:
        list(made.steps())
    assert caught.value.node in ("n3", "n4")
    saved = made.run.checkpoint("last")
    assert all(bool(t.isfinite().all()) for t in saved.weights.values())
    assert made.run.info()["state"] == "failed"
    assert "no longer numbers" in made.run.info()["message"]


def test_checkpoints_are_never_spoilt(tmp_path: Path) -> None:
    made = Trainer(project(), stripes(), RunFolder.create(tmp_path / "r"))
    steps = made.steps()
    next(steps)
    made.checkpoint()
    with torch.no_grad():
        made.learner.parameters[0].fill_(math.nan)
    with pytest.raises(TrainingError, match="conv1"):
        made.checkpoint()
    assert all(bool(t.isfinite().all()) for t in made.run.checkpoint("last").weights.values())


def test_nan_in_a_sample_names_the_sample(tmp_path: Path) -> None:
    data = stripes()
    values = np.array(data.inputs["image"].values)
    values[int(data.splits["train"][7]), 0, 3, 3] = np.nan
    bad = replace(data, inputs={"image": replace(data.inputs["image"], values=values)})
    made = Trainer(project(), bad, RunFolder.create(tmp_path / "r"))
    with pytest.raises(TrainingError, match=f"sample {data.splits['train'][7]} "):
        list(made.steps())


class Files:
    """Lazy values of which one cannot be read."""

    dtype = np.dtype(np.float32)

    def __init__(self, values: np.ndarray[Any, Any], bad: int, error: Exception) -> None:
        self.values, self.bad, self.error, self.reads = values, bad, error, 0

    def __len__(self) -> int:
        return len(self.values)

    def take(self, indices: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        self.reads += len(indices)
        if self.bad in indices:
            raise self.error
        return self.values[indices]


def with_files(error: Exception, bad: int = 5) -> tuple[Dataset, Files]:
    data = stripes()
    lazy = Files(np.array(data.inputs["image"].values), bad, error)
    made = replace(data, inputs={"image": replace(data.inputs["image"], values=lazy)})
    return replace(made, splits={**data.splits, "train": np.arange(60)}), lazy


def test_device_error_names_the_sample(tmp_path: Path) -> None:
    made = Trainer(project(), with_files(OSError("gone"))[0], RunFolder.create(tmp_path / "r"))
    with pytest.raises(TrainingError, match=r"sample 5 .*gone"):
        list(made.steps())


def test_unreadable_sample_is_left_out_and_noted(tmp_path: Path) -> None:
    data, lazy = with_files(DataError("cat.png is damaged"))
    made = run(project(epochs=3), data, tmp_path / "r")
    assert made.result is not None
    assert made.result.reason == "finished"
    assert data.unreadable.reasons() == {5: "cat.png is damaged"}
    assert lazy.reads < 2 * len(data)  # kept from the first epoch on, without the bad one


def test_batch_of_unreadable_samples_alone(tmp_path: Path) -> None:
    data, _ = with_files(DataError("cat.png is damaged"), bad=59)
    made = run(project(epochs=2, batch_size=59), data, tmp_path / "r")
    assert made.result is not None
    assert list(data.unreadable.reasons()) == [59]


def test_batch_of_one_unreadable_sample(tmp_path: Path) -> None:
    data, _ = with_files(DataError("cat.png is damaged"))
    made = open_feed(data, np.arange(4, 8), torch.device("cpu"), 1 << 30)
    for _ in range(2):  # read from the files, and from what was kept of them
        chosen = [positions.tolist() for positions, _ in made.batches(torch.arange(4).split(1))]
        assert chosen == [[0], [0], [2], [3]]  # another stands in for it, under its own number


class Vanishing(Files):
    """The third is gone when the first seven were looked at each by itself."""

    def take(self, indices: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        if self.reads >= 14 and 2 in indices:
            raise DataError("dog.png is gone")
        return super().take(indices)


def test_files_that_vanish_while_they_are_read() -> None:
    data, files = with_files(DataError("cat.png is damaged"))
    lazy = Vanishing(files.values, files.bad, files.error)
    data = replace(data, inputs={"image": replace(data.inputs["image"], values=lazy)})
    good, arrays = read_good(data, np.arange(7))
    assert good.tolist() == [0, 1, 3, 4, 6]
    assert len(arrays["image"]) == 5


def test_files_are_read_in_the_first_epoch_alone(tmp_path: Path) -> None:
    data = stripes()
    lazy = Files(np.array(data.inputs["image"].values), -1, OSError())
    slow = replace(data, inputs={"image": replace(data.inputs["image"], values=lazy)})
    run(project(epochs=4), slow, tmp_path / "r")
    assert lazy.reads == len(data)
    run(project(epochs=4), data, tmp_path / "s")
    assert rows(tmp_path / "r") == rows(tmp_path / "s")


@pytest.mark.parametrize(
    "error",
    [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried …")],
    ids=["Python's", "torch's"],
)
def test_out_of_memory_names_the_largest_node(
    error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Trainer(project(), stripes(), RunFolder.create(tmp_path / "r"))

    def fails(*_: object) -> Tensor:
        raise error

    monkeypatch.setattr(made.learner, "loss", fails)
    with pytest.raises(TrainingError, match=r"out of memory: \w+ alone keeps .* batch size"):
        list(made.steps())


def test_full_disk_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Trainer(project(), stripes(), RunFolder.create(tmp_path / "r"))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(RunFolder, "save", full)
    with pytest.raises(TrainingError, match="cannot be written: No space left"):
        list(made.steps())


def test_too_large_for_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Device, "memory", lambda self: 1000)
    with pytest.raises(
        TrainingError, match=r"too large: it needs about .* free; .* takes the most"
    ):
        Trainer(project(), stripes(), RunFolder.create(tmp_path / "r"))


def test_head_that_does_not_fit_the_classes(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="each of the 3 classes") as caught:
        Trainer(project(cnn(classes=4)), stripes(), RunFolder.create(tmp_path / "r"))
    assert caught.value.node == "n9"


def test_nothing_to_learn(tmp_path: Path) -> None:
    graph = chain(
        ("x", "input", {"shape": vector(4).to_json()}),
        ("relu", "relu", {}),
        ("y", "output", {}),
    )
    with pytest.raises(TrainingError, match="nothing to learn"):
        Trainer(project(graph, "regression"), numbers(4), RunFolder.create(tmp_path / "r"))


def test_missing_device_is_named() -> None:
    for kind in ("cuda", "mps"):
        if kind not in choose("auto").kind:
            with pytest.raises(DeviceError, match=f"no {kind} device"):
                choose(kind)
    assert choose("cpu", 1).text.startswith("CPU · 1 of ")


def test_feeds_keep_to_their_share(monkeypatch: pytest.MonkeyPatch) -> None:
    data, cpu = stripes(), torch.device("cpu")
    indices = data.splits["train"]
    assert isinstance(open_feed(data, indices, cpu, 1 << 30), feed.Resident)
    assert isinstance(open_feed(data, indices, cpu, 1000), feed.Streamed)


# --- curves ---


def test_points_are_bounded_and_keep_the_mean() -> None:
    points = Points(2, capacity=100)
    chance = random.Random(0)
    values = np.random.default_rng(0).normal(size=12_345)
    start = 0
    while start < len(values):
        end = min(len(values), start + chance.randrange(1, 400))
        points.add(np.stack([np.arange(start, end), values[start:end]], axis=1))
        start = end
        assert len(points.rows()) <= 100
    table = points.rows()
    assert np.all(np.diff(table[:, 0]) > 0)
    one_go = Points(2, capacity=100)
    one_go.add(np.stack([np.arange(len(values)), values], axis=1))
    np.testing.assert_array_equal(one_go.rows(), table)
    weights = np.full(len(table), 128.0)
    weights[-1] = len(values) - 128 * (len(table) - 1)
    assert (table[:, 1] * weights).sum() / len(values) == pytest.approx(values.mean())


def test_checkpoints_take_a_bounded_share_of_the_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr(trainer, "perf_counter", lambda: clock[0])
    made = Trainer(project(epochs=500), stripes(), RunFolder.create(tmp_path / "r"))
    saved: list[float] = []

    def save(*_: object) -> None:
        clock[0] += 2.0
        saved.append(clock[0])

    monkeypatch.setattr(RunFolder, "save", save)
    steps = made.steps()
    for _ in range(500):
        next(steps)
        clock[0] += 0.2
    assert 2 * len(saved) / clock[0] < 0.08
