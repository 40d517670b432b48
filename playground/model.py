"""A network that can answer: with the preprocessing, the task and the classes it was made for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from models.build import Network
from models.graph import Graph
from models.shapes import infer
from playground.answers import Answer
from playground.data.dataset import Dataset
from playground.data.text_reading import TextReading
from playground.devices import choose
from playground.runs import RunError, RunFolder, Which
from playground.tasks import TASKS, Task
from playground.training import checkpoints, memory
from playground.training.errors import TrainingError
from playground.training.learner import Wires, initial_network

if TYPE_CHECKING:
    from playground.project import Project

Array = npt.NDArray[Any]
SLICE = 256


class ModelError(ValueError):
    """An input does not fit the model; the message says what it takes."""


@dataclass(frozen=True)
class Model:
    """A network with what turns raw inputs into its own and its outputs into answers.

    ``dataset`` says what was fitted; its samples are not needed.
    """

    network: Network
    graph: Graph
    dataset: Dataset
    task: Task
    options: Mapping[str, Any]
    wires: Wires
    device: torch.device
    run: RunFolder | None = None

    def predict(self, raw: Mapping[str, Array]) -> list[Answer]:
        """Answers to raw samples: an array (N, …) for each input, and, where its length
        varies, ``<name>_lengths`` (N,); or texts (N,). Raises ``ModelError``."""
        return self.answers(self.prepared(raw))

    def answers(self, batch: Mapping[str, Tensor]) -> list[Answer]:
        """The answers to a prepared batch."""
        outputs = self.outputs(batch)
        name, column = next(iter(self.wires.outputs.items()))
        return [self.task.answer(row, self.dataset.targets[column]) for row in outputs[name]]

    def prepared(self, raw: Mapping[str, Array]) -> dict[str, Tensor]:
        """Raw samples as the network is given them, on its device; raises ``ModelError``."""
        batch = prepare_inputs(self.dataset, raw)
        return {name: tensor.to(self.device) for name, tensor in batch.items()}

    def outputs(self, batch: Mapping[str, Tensor]) -> dict[str, Array]:
        """The outputs (N, …) of a prepared batch by the Output's name, in evaluation mode."""
        module = self.network.module
        training = module.training
        arguments = [batch[name] for name in self.wires.arguments]
        parts = []
        module.eval()
        try:
            with torch.no_grad():
                for start in range(0, len(arguments[0]), SLICE):
                    result = module(*[value[start : start + SLICE] for value in arguments])
                    parts.append(result if isinstance(result, dict) else {"": result})
        finally:
            module.train(training)
        names = self.network.outputs
        return {
            name: torch.cat([part[name if name in part else ""] for part in parts]).cpu().numpy()
            for name in names
        }


def prepare_inputs(dataset: Dataset, raw: Mapping[str, Array]) -> dict[str, Tensor]:
    """Raw samples (N, …) as a network for ``dataset`` is given them; raises ``ModelError``."""
    raw = _with_texts_read(dataset, raw)
    batch: dict[str, Tensor] = {}
    for name, column in dataset.inputs.items():
        if name not in raw:
            raise ModelError(f"the model needs a value for {name}")
        given, sizes = np.asarray(raw[name]), column.shape.sizes
        if given.ndim != len(sizes) + 1 or any(
            isinstance(size, int) and size != got
            for size, got in zip(sizes, given.shape[1:], strict=True)
        ):
            got = "×".join(map(str, given.shape[1:]))
            raise ModelError(f"{name} is {column.shape.described()}; got {got}")
        with np.errstate(all="ignore"):  # what comes of it is told
            values = column.prepared(given)
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            finite = np.isfinite(given).all()
            why = column.preprocessing.refused(given) if finite else "is missing or infinite"
            raise ModelError(f"{name} has a value that {why}")
        if column.vocabulary is not None and values.max(initial=0) >= column.vocabulary:
            raise ModelError(f"{name} has a token that the model does not know")
        batch[name] = torch.from_numpy(np.ascontiguousarray(values))
        if column.shape.varies:
            batch[f"{name}_lengths"] = torch.from_numpy(_lengths(name, raw, values))
    return batch


def _with_texts_read(dataset: Dataset, raw: Mapping[str, Array]) -> dict[str, Array]:
    """``raw`` with tokens instead of texts, by the vocabulary that the network learnt with."""
    read = dict(raw)
    for name, values in raw.items():
        column = dataset.inputs.get(name)
        if column is None or not isinstance(column.reading, TextReading):
            continue
        if np.asarray(values).dtype.kind == "U":
            read[name], read[f"{name}_lengths"], _ = column.reading.encode_all(values.tolist())
    return read


def _lengths(name: str, raw: Mapping[str, Array], values: Array) -> Array:
    """The numbers of valid steps (N,): all where nothing is said. Raises ``ModelError``."""
    count, steps = values.shape[:2]
    lengths = np.asarray(raw.get(f"{name}_lengths", np.full(count, steps)), np.int64)
    if lengths.shape != (count,) or not np.all((lengths >= 1) & (lengths <= steps)):
        raise ModelError(f"each sample of {name} needs from 1 to {steps} valid steps")
    return lengths


def load(run: RunFolder, which: Which = "best") -> Model:
    """The trained network of a run on the CPU; raises ``RunError``."""
    project, dataset = run.project(), run.fitted()
    checkpoint = run.checkpoint(which)
    try:
        model = untrained(project, dataset, run)
        checkpoints.load_weights(model.network.module, checkpoint.weights)
    except (TrainingError, LookupError, ValueError) as error:
        raise RunError(f"{run.path} cannot be loaded: {error}") from None
    return model


def untrained(project: Project, dataset: Dataset, run: RunFolder | None = None) -> Model:
    """The project's network with its initial weights; raises ``TrainingError``."""
    report, device = infer(project.graph), choose("cpu")
    memory.check_weights(project.graph, report, device.memory())
    network = initial_network(project.graph, project.training.seed, report)
    network.module.eval()
    task, options = TASKS.get(project.task.id), project.task.options
    wires = Wires(network, dataset, task)
    return Model(network, project.graph, dataset, task, options, wires, device.torch, run)
