"""Small projects and data for the tests of training."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from models.axes import image, sequence, vector
from models.graph import Edge, Graph, Node
from playground.data.dataset import Column, Dataset
from playground.project import Project, TaskSettings, TrainingSettings


def chain(*layers: tuple[str, str, dict[str, Any]], ports: dict[str, str] | None = None) -> Graph:
    """A graph of (name, layer, params) in a row; ``ports`` tells which output goes on."""
    nodes = [
        Node(f"n{i}", name, layer, params) for i, (name, layer, params) in enumerate(layers, 1)
    ]
    edges = tuple(
        Edge(a.id, (ports or {}).get(a.name, "output"), b.id, "input") for a, b in pairwise(nodes)
    )
    return Graph({node.id: node for node in nodes}, edges)


def cnn(side: int = 8, classes: int = 3, channels: int = 4) -> Graph:
    shape = image(1, side, side).to_json()
    return chain(
        ("image", "input", {"shape": shape}),
        ("conv1", "conv2d", {"out_channels": channels}),
        ("bn1", "batch-norm", {}),
        ("relu1", "relu", {}),
        ("pool1", "max-pool2d", {}),
        ("flatten", "flatten", {}),
        ("drop", "dropout", {"p": 0.25}),
        ("fc", "linear", {"out_features": classes}),
        ("label", "output", {}),
    )


def lstm(steps: int = 8, features: int = 8, classes: int = 3) -> Graph:
    return chain(
        ("rows", "input", {"shape": sequence(steps, features).to_json()}),
        ("lstm", "lstm", {"hidden_size": 12}),
        ("fc", "linear", {"out_features": classes}),
        ("label", "output", {}),
        ports={"lstm": "last"},
    )


def stripes(samples: int = 90, side: int = 8, seed: int = 0, *, as_rows: bool = False) -> Dataset:
    """Pictures of three classes that a small network learns in a few epochs."""
    random = np.random.default_rng(seed)
    labels = np.arange(samples) % 3
    pictures = random.normal(0, 0.3, (samples, 1, side, side)).astype(np.float32)
    for index, label in enumerate(labels):
        pictures[index, 0, label::3] += 1
    values = pictures[:, 0] if as_rows else pictures
    shape = sequence(side, side) if as_rows else image(1, side, side)
    name = "rows" if as_rows else "image"
    third = samples // 6
    order = random.permutation(samples)
    return Dataset(
        name="stripes",
        summary="",
        inputs={name: Column(name, shape, values)},
        targets={"label": Column("label", vector(1), labels, classes=("a", "b", "c"))},
        splits={
            "train": np.sort(order[: samples - 2 * third]),
            "validation": np.sort(order[samples - 2 * third : samples - third]),
            "test": np.sort(order[samples - third :]),
        },
        task="classification",
    )


def project(graph: Graph | None = None, task: str = "classification", **training: Any) -> Project:
    settings = {"epochs": 3, "batch_size": 8, "threads": 1, "learning_rate": 0.01} | training
    return Project(
        name="test",
        graph=graph or cnn(),
        task=TaskSettings(task),
        training=TrainingSettings().replace(**settings),
    )


def rows(path: Path) -> list[str]:
    """The lines of a run's metrics without the time, which differs."""
    lines = (path / "metrics.csv").read_text().splitlines()
    column = lines[0].split(",").index("seconds")
    return [",".join(v for i, v in enumerate(line.split(",")) if i != column) for line in lines]
