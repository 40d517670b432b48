"""Models that live recognition is tried on: trained on little, or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from models.axes import Shape, image, sequence, vector, video
from models.graph import Graph
from playground.data.dataset import Column, Dataset
from playground.data.reading import ImageReading
from playground.data.sound_reading import SoundReading
from playground.data.video_reading import VideoReading
from playground.model import Model, untrained
from playground.preprocessing import Preprocessing, Scale
from tests.playground.fakes import chain, project

CLASSES = ("dark", "middle", "light")


def model_of(graph: Graph, shape: Shape, reading: Any, task: str = "classification") -> Model:
    """An untrained network with batch statistics of its own, so that its answers differ."""
    column = Column("input", shape, np.zeros(0), Preprocessing((Scale(255.0),)), reading=reading)
    target = Column("label", vector(1), np.zeros(0, np.int64), classes=CLASSES)
    none = np.zeros(0, np.int64)
    splits = {"train": none, "validation": none, "test": none}
    dataset = Dataset("live", "", {"input": column}, {"label": target}, splits, task)
    return untrained(project(graph), dataset)


def picture_model(side: int = 16, channels: int = 4, deep: int = 0) -> Model:
    """A small CNN for grey pictures; ``deep`` more convolutions make it slower."""
    more = [(f"deep{i}", "conv2d", {"out_channels": channels}) for i in range(deep)]
    graph = chain(
        ("input", "input", {"shape": image(1, side, side).to_json()}),
        ("conv1", "conv2d", {"out_channels": channels}),
        ("relu1", "relu", {}),
        *more,
        ("pool1", "max-pool2d", {}),
        ("flatten", "flatten", {}),
        ("fc", "linear", {"out_features": 3}),
        ("label", "output", {}),
    )
    return model_of(graph, image(1, side, side), ImageReading(1, side, side, fit="stretch"))


def clip_model(steps: int = 4, side: int = 8, recurrent: str = "lstm", **options: Any) -> Model:
    """A CNN on every frame, then a recurrent layer."""
    graph = chain(
        ("input", "input", {"shape": video(steps, 1, side, side).to_json()}),
        ("conv1", "conv2d", {"out_channels": 2}),
        ("relu1", "relu", {}),
        ("flatten", "flatten", {}),
        ("memory", recurrent, {"hidden_size": 6, **options}),
        ("fc", "linear", {"out_features": 3}),
        ("label", "output", {}),
        ports={"memory": "last"},
    )
    reading = VideoReading(steps, 1, side, side, fit="stretch")
    return model_of(graph, video(steps, 1, side, side), reading)


def sound_model(rate: int = 8000, steps: int = 800) -> Model:
    graph = chain(
        ("input", "input", {"shape": sequence(steps, 1).to_json()}),
        ("pool", "avg-pool1d", {"kernel_size": 8}),
        ("memory", "gru", {"hidden_size": 4}),
        ("fc", "linear", {"out_features": 3}),
        ("label", "output", {}),
        ports={"memory": "last"},
    )
    return model_of(graph, sequence(steps, 1), SoundReading(rate, steps))


def series_model() -> Model:
    """A model whose input neither a camera nor a microphone gives."""
    graph = chain(
        ("input", "input", {"shape": sequence(8, 2).to_json()}),
        ("memory", "gru", {"hidden_size": 4}),
        ("fc", "linear", {"out_features": 3}),
        ("label", "output", {}),
        ports={"memory": "last"},
    )
    return model_of(graph, sequence(8, 2), None)


def as_run(model: Model, path: Path) -> Path:
    """The model as the folder of a finished run."""
    from playground.live.choice import as_run

    run = as_run(model, path)
    run.update(state="finished", epochs=1)
    return run.path


def shaken(model: Model, seed: int = 0) -> Model:
    """Weights that are larger, so that answers differ clearly from input to input."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.network.module.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.5)
    return model
