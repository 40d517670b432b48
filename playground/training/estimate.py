"""How long an epoch would take and what it would need, before a run is started."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle, islice
from time import perf_counter
from typing import TYPE_CHECKING

import torch

from models.shapes import infer
from playground.data.dataset import Dataset
from playground.devices import Device, DeviceError, choose
from playground.messages import Estimate
from playground.training import memory
from playground.training.errors import TrainingError
from playground.training.feed import Batch, Streamed, raw_inputs, split_batches, with_augmentation
from playground.training.learner import Learner, NotFinite, isolated

if TYPE_CHECKING:
    from playground.project import Project

WARM_UP = 2
BATCHES = 10
SECONDS = 1.0
FORWARD_SHARE = 0.35
"""Of a training batch's time, what its samples take in validation."""


def estimate(project: Project, dataset: Dataset) -> Iterator[Estimate | None]:
    """Measures a few batches of a network of its own; the last value is the estimate.

    A project that cannot be trained gives an estimate that says why.
    """
    settings = project.training
    try:
        device = choose(settings.device, settings.threads)
        report = infer(project.graph)
        need = memory.needed(report, settings, dataset, device.memory()).total
    except DeviceError as error:
        yield Estimate(None, 0, str(error), fits=False)
        return
    try:
        device.use()
        seconds = 0.0
        for value in _batch_seconds(project, dataset, device):
            seconds = value
            yield None
    except (TrainingError, NotFinite, ValueError, LookupError, RuntimeError) as error:
        yield Estimate(None, need, str(error), fits=False)
        return
    train, validation = (len(dataset.splits[kind]) for kind in ("train", "validation"))
    batches = max(1, round(train / settings.batch_size))
    epoch = seconds * batches * (1 + FORWARD_SHARE * validation / max(1, train))
    text = f"{duration(epoch)} an epoch · {memory.gigabytes(need)} · {device.text}"
    yield Estimate(epoch, need, text)


def _batch_seconds(project: Project, dataset: Dataset, device: Device) -> Iterator[float]:
    """The time of a batch, better known with each value."""
    settings = project.training
    indices = dataset.splits["train"]
    if not len(indices):
        raise TrainingError("there are no samples to train on: change the data or the split")
    with isolated(settings.seed):
        learner = Learner(project, dataset, device)
        # only what is measured is read: large data need not be opened for it
        streamed = Streamed(dataset, indices, device.torch, raw=raw_inputs(dataset))
        feed = with_augmentation(streamed, dataset, device.torch, settings.seed)
        order = split_batches(torch.arange(len(feed)), settings.batch_size)
        times: list[float] = []
        spent = perf_counter()
        batches = feed.batches(islice(cycle(order), WARM_UP + BATCHES))
        augmenting = perf_counter()
        for _, batch in batches:
            # reading is left out, because small data are read once
            started = augmenting if dataset.augmentation else perf_counter()
            _learn(learner, batch, device)
            augmenting = perf_counter()
            times.append(augmenting - started)
            yield sorted(times)[len(times) // 2]
            if perf_counter() - spent > SECONDS and len(times) > WARM_UP:
                return


def _learn(learner: Learner, batch: Batch, device: Device) -> None:
    loss, _ = learner.train(batch)
    if device.kind != "cpu":
        loss.item()  # waits until the device has done it


def duration(seconds: float) -> str:
    """For people: "about 3 s", "about 2 min"."""
    if seconds < 1:
        return f"about {max(seconds, 0.001):.1g} s"
    if seconds < 90:
        return f"about {seconds:.0f} s"
    if seconds < 5400:
        return f"about {seconds / 60:.0f} min"
    return f"about {seconds / 3600:.1f} h"
