"""A worker that only notes what it is asked for, and small projects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from models import edits
from models.axes import image, vector
from models.graph import Edge, Graph
from playground.data.dataset import Column, Dataset
from playground.mailbox import Mailbox
from playground.messages import DataReady, Forgotten, State, Status
from playground.project import Project


class NotingWorker:
    """Stands for the worker: ``calls`` are (method, arguments); messages are posted by the test."""

    def __init__(self) -> None:
        self.mailbox = Mailbox()
        self.calls: list[tuple[str, tuple[Any, ...]]] = []
        self.closed = False

    def __getattr__(self, name: str) -> Any:
        def note(*arguments: Any, **named: Any) -> None:
            self.calls.append((name, (*arguments, *named.values())))

        return note

    def forget(self, number: int) -> None:
        self.calls.append(("forget", ()))
        self.mailbox.post(Forgotten(number))
        self.idle()

    def idle(self) -> None:
        self.mailbox.post(Status(State.IDLE))

    def close(self, timeout: float = 10.0) -> None:
        self.closed = True

    def named(self, name: str) -> list[tuple[Any, ...]]:
        return [arguments for method, arguments in self.calls if method == name]


def small_graph() -> Graph:
    """Input 1×8×8, Flatten, Linear 3, Output."""
    graph, first = edits.add_node(
        Graph(), "input", (0, 0), name="image", params={"shape": image(1, 8, 8).to_json()}
    )
    last = first
    for place, (layer, params) in enumerate(
        (("flatten", {}), ("linear", {"out_features": 3}), ("output", {})), start=1
    ):
        graph, id = edits.add_node(graph, layer, (190.0 * place, 0), params=params)
        graph = edits.connect(graph, Edge(last, "output", id, "input"))
        last = id
    return graph


def small_project(name: str = "Small") -> Project:
    return Project(name=name, graph=small_graph())


def small_dataset(samples: int = 12) -> Dataset:
    images = np.zeros((samples, 1, 8, 8), np.float32)
    labels = np.arange(samples) % 3
    return Dataset(
        name="Squares",
        summary=f"{samples} images",
        inputs={"image": Column("image", image(1, 8, 8), images)},
        targets={"output": Column("output", vector(3), labels, classes=("a", "b", "c"))},
        splits={
            "train": np.arange(0, 8),
            "validation": np.arange(8, 10),
            "test": np.arange(10, samples),
        },
        task="classification",
    )


def give_data(session: Any, dataset: Dataset | None = None) -> None:
    """Let the data of the session's project be there."""
    session.worker.mailbox.post(DataReady(dataset or small_dataset(), session.project.data))
    session.bridge.drain()


def run_path(session: Any, name: str = "001") -> Path:
    """A run folder of the session's project, made on disk."""
    path = Path(session.files) / "runs" / name
    path.mkdir(parents=True)
    return path
