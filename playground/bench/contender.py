"""One contender in a process of its own: ``python -m playground.bench.contender NAME EXAMPLE``.

Answers ``{"seconds": s}`` with ``{"rate": batches a second}`` over whole epochs, validation
included, that take at least so long.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from playground.bench.child import serve

FOREVER = 1_000_000
RATE = 1e-3
STEADY: dict[str, Any] = {"early_stopping": None, "schedule": "constant", "learning_rate": RATE}
"""Settings that can go on for ever."""

Rate = Callable[[float], float]


def engine(example: str) -> Rate:
    """This project's trainer in a plain loop, with its checkpoints, as in ``playground train``."""
    from playground.data import open_data
    from playground.project import open_example
    from playground.runs import new_run
    from playground.training.trainer import Trainer

    project = open_example(example)
    project = replace(project, training=project.training.replace(epochs=FOREVER, **STEADY))
    dataset = open_data(project.data, Path.cwd())
    folder = tempfile.TemporaryDirectory()
    trainer = Trainer(project, dataset, new_run(Path(folder.name)))
    steps = trainer.steps()

    def rate(seconds: float, keep: Any = folder) -> float:
        """Whole epochs with their validation; the generator waits between two calls."""
        started, first = time.perf_counter(), trainer.position.epoch
        epoch, taken = first, 0.0
        for _ in steps:
            if trainer.position.epoch > epoch:
                epoch, taken = trainer.position.epoch, time.perf_counter() - started
                if taken >= seconds:
                    break
        return (epoch - first) * trainer.batches / taken

    return rate


def written(name: str, example: str) -> Rate:
    """A loop of ``loops`` on the example's network and data."""
    if name == "keras":
        os.environ["KERAS_BACKEND"] = "torch"
    import torch

    from playground.bench import keras_layers, loops
    from playground.compat import default_threads
    from playground.data import open_data
    from playground.export.python import python_source
    from playground.project import open_example

    if name != "default-threads":
        torch.set_num_threads(default_threads())
    torch.manual_seed(0)
    project = open_example(example)
    dataset = open_data(project.data, Path.cwd())
    x, y = next(iter(dataset.inputs)), next(iter(dataset.targets))
    arrays = {}
    for split in ("train", "validation"):
        batch = dataset.batch(dataset.splits[split])
        arrays[split] = batch[x], batch[y]
    training = project.training
    samples = loops.samples_of(arrays, training.batch_size, training.gradient_clip)

    # the network as a user would have written it: the class that the Python export writes
    written_class: dict[str, Any] = {"__name__": "network"}
    exec(python_source(project.graph), written_class)

    def network() -> torch.nn.Module:
        made: torch.nn.Module = written_class["Network"]()
        return made

    if name == "lightning":
        return loops.lightning(network, samples, RATE)
    if name == "keras":
        epoch = loops.keras(keras_layers.LAYERS[example], samples, RATE)
    else:
        loop = loops.tensors if name == "tensors" else loops.dataloader
        epoch = loop(network, samples, RATE)
    return lambda seconds: loops.rate_of(epoch, samples.batches, seconds)


def main() -> None:
    name, example = sys.argv[1:]
    rate = engine(example) if name == "engine" else written(name, example)
    import torch

    serve(lambda question: {"rate": rate(question["seconds"]), "threads": torch.get_num_threads()})


if __name__ == "__main__":
    main()
