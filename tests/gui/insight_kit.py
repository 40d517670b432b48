"""Data, networks and messages for the tests of the panels that show them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from playground.data import open_data
from playground.data.dataset import Dataset
from playground.messages import DataReady, Evaluation, History, Snapshot
from playground.project import DataSettings, Project, TaskSettings
from playground.starter import starter_graph
from tests.gui.doubles import NotingWorker
from ui.data.bundled import BUNDLED
from ui.session import Session

DIGITS, GUNPOINT, AIRLINE = 0, 1, 3


def opened(settings: DataSettings | int, kind: str = "auto") -> Session:
    """A session with a starter network for data that are there."""
    if isinstance(settings, int):
        settings = BUNDLED[settings].settings
    dataset = open_data(settings, Path.cwd())
    session = Session(NotingWorker())
    task = TaskSettings(dataset.task, {})
    graph = starter_graph(dataset, kind)
    session.new(Project(name="Shown", graph=graph, data=settings, task=task))
    post(session, DataReady(dataset, settings))
    return session


def post(session: Session, *messages: Any) -> None:
    for message in messages:
        session.worker.mailbox.post(message)
    session.bridge.drain()


def with_run(session: Session, name: str = "001") -> Path:
    """Give the project a run's folder."""
    path = session.files / "runs" / name
    path.mkdir(parents=True)
    (path / "run.json").write_text("{}")
    session.note_run(path)
    assert session.run_folder is not None
    return path


def history(points: int = 200, **changes: Any) -> History:
    x = np.linspace(0, 4, points)
    epochs = np.arange(1, 5.0)
    values: dict[str, Any] = {
        "x": x,
        "train_loss": 2 * np.exp(-x),
        "epochs": epochs,
        "validation_loss": 2 * np.exp(-epochs) + 0.1,
        "metric": "accuracy",
        "train_metric": 1 - np.exp(-epochs),
        "validation_metric": np.array([0.5, 0.7, 0.9, 0.956]),
        "best_epoch": 4,
    }
    return History(**{**values, **changes})


def snapshot(session: Session, sample: int = 0, seed: int = 0) -> Snapshot:
    """Random values at every port, states between −1 and 1."""
    rng = np.random.default_rng(seed)
    values = {}
    for id, report in session.report.nodes.items():
        for port, shape in report.outputs.items():
            value = rng.standard_normal(shape.sizes).astype(np.float32)
            values[(id, port)] = np.tanh(value) if port == "sequence" else np.maximum(value, 0)
    return Snapshot(session.graph, sample, values, 1, True)


def evaluation(dataset: Dataset, split: str = "validation", wrong: int = 20) -> Evaluation:
    """Answers that are right but for the first ``wrong`` samples, which get the next class."""
    indices = dataset.splits[split]
    true = dataset.target.take(indices)
    if not dataset.classes:
        predicted = true + np.float32(1.0)
        metrics = {"loss": 0.1, "mae": 1.0}
        unit = dataset.target.unit
        return Evaluation(
            split, metrics, (), None, indices, true, predicted, unit=unit, task=dataset.task
        )
    count = len(dataset.classes)
    predicted = true.copy()
    predicted[:wrong] = (true[:wrong] + 1) % count
    confusion = np.bincount(true * count + predicted, minlength=count * count)
    confidence = np.linspace(0.5, 1.0, len(true))
    metrics = {"loss": 0.2, "accuracy": float((true == predicted).mean())}
    return Evaluation(
        split,
        metrics,
        dataset.classes,
        confusion.reshape(count, count),
        indices,
        true,
        predicted,
        confidence,
    )
