"""What a run knows of the examples that it was taught by, also when it was trained on since.

Training moves the vectors, so that those of the taught run are of no more use: the pictures are
looked at anew, with the weights that the run has now. What comes of it is kept beside the weights,
and does not need the pictures any more.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch

from playground.data import open_data
from playground.data.dataset import Dataset, Indices
from playground.data.errors import DataError
from playground.data.reading import ImageReading
from playground.embedding import (
    Embedder,
    EmbeddingError,
    Progress,
    behind_features,
    features_node,
)
from playground.runs import RunFolder
from playground.teach import LABELS, VECTORS, Examples, Head, TeachError, taught_by
from playground.training import checkpoints
from playground.training.carry import TUNED

if TYPE_CHECKING:
    from playground.model import Model

Familiarity = Callable[[npt.NDArray[np.uint8]], float]

FOLDER = "examples"
"""In a run that was trained on: a checkpoint of vectors."""
WEIGHTS = "weights"
"""In its state: the key of the weights that gave them."""
MOST = 2_000
"""Examples that are looked at anew, evenly from all."""


class NoExamples(ValueError):
    """It cannot be told whether a picture was seen before; the message says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"it cannot be told what was seen before: {reason}")


def is_tuned(model: Model) -> bool:
    """Whether ``model`` is a run that was trained on from one that was taught by example."""
    if model.run is None or model.run.info().get(TUNED) is not True:
        return False
    if model.task.id != "classification" or len(model.dataset.inputs) != 1:
        return False  # another network since
    with suppress(EmbeddingError):
        features_node(model.graph)
        (column,) = model.dataset.inputs.values()
        return isinstance(column.reading, ImageReading)
    return False


def examples_of(model: Model, progress: Progress | None = None) -> Examples | None:
    """What ``model`` knows of the examples that its run was taught by; None where it was not. Those
    of a run that was trained on are looked at anew, once: ``progress`` is told, and may raise to
    cancel. Raises ``NoExamples``, ``RunError``, or ``TeachError`` where they are damaged."""
    taught = taught_by(model.run) if model.run is not None else None
    if taught is not None:
        return taught.known() if taught.examples else None
    if not is_tuned(model):
        return None
    known = kept_by(model)
    return _looked_at(model, progress or (lambda done, total: None)) if known is None else known


def head_of(model: Model) -> Head | None:
    """The head of the run that ``model`` comes from; None where it was not taught by example. That
    of a run that was trained on has no examples yet where these were not looked at anew. Raises
    ``RunError`` or ``TeachError``."""
    tuned = is_tuned(model)
    known = kept_by(model) if tuned else examples_of(model)
    if known is None and not tuned:
        return None
    try:
        behind = behind_features(model.graph)
    except EmbeddingError:
        return None  # the graph was changed
    linear = [node.name for node in behind if node.layer == "linear"]
    weights = model.network.module.state_dict()
    parts = [weights.get(f"{name}.{part}") for name in linear for part in ("weight", "bias")]
    match parts:
        case [torch.Tensor() as weight, torch.Tensor() as bias]:
            if known is None or known.vectors.shape[1] == weight.shape[1]:
                return Head(model.dataset.classes, weight.numpy(), bias.numpy(), known)
    if tuned:
        return None
    raise TeachError("the run's examples do not fit its network: teach it anew")


def familiarity(model: Model, progress: Progress | None = None) -> Familiarity | None:
    """What tells of a raw picture (C, H, W) how likely anything like it was among the examples;
    None of a run that was not taught by any. Raises as ``examples_of``."""
    examples = examples_of(model, progress)
    if examples is None:
        return None
    embedder = Embedder(model, cached=False)
    return lambda picture: float(examples.seen(embedder.embed([picture]))[0])


def share_known(
    model: Model, dataset: Dataset, indices: Indices, progress: Progress | None = None
) -> float | None:
    """The share of the samples of ``dataset`` that are more likely like the examples than new; None
    where there are no examples, or the samples have no files. Raises as ``examples_of``."""
    examples = examples_of(model, progress)
    if examples is None or not dataset.files or not len(indices):
        return None
    found = Embedder(model).files([Path(dataset.files[i]) for i in indices.tolist()], progress)
    return float((examples.seen(found.vectors) >= 0.5).mean()) if len(found.vectors) else None


def kept_by(model: Model) -> Examples | None:
    """The examples as they were last looked at; None where that was with other weights."""
    assert model.run is not None
    with suppress(ValueError, KeyError, TypeError):  # damaged: they are looked at anew
        found = checkpoints.read(model.run.path / FOLDER)
        embedder = Embedder(model, cached=False)
        vectors, labels = (found.weights[name].numpy() for name in (VECTORS, LABELS))
        fits = vectors.dtype == np.float32 and vectors.shape == (len(labels), embedder.width)
        if found.state.get(WEIGHTS) == embedder.key and fits and np.isfinite(vectors).all():
            return Examples(vectors, labels.astype(np.int64)) if len(labels) else None
    return None


def _looked_at(model: Model, progress: Progress) -> Examples:
    assert model.run is not None
    try:
        embedder = Embedder(model)
    except EmbeddingError as error:
        raise NoExamples(str(error)) from None
    paths, labels = _pictures(model, model.run)
    found = embedder.files(paths, progress)
    if not found.paths:
        raise NoExamples(f"the examples cannot be read any more ({found.skipped[0].reason})")
    there = set(found.paths)
    kept = [label for path, label in zip(paths, labels, strict=True) if path in there]
    examples = Examples(found.vectors, np.asarray(kept, np.int64))
    state = {WEIGHTS: embedder.key}
    tensors = {
        VECTORS: torch.from_numpy(examples.vectors),
        LABELS: torch.from_numpy(examples.labels),
    }
    with suppress(OSError):  # then they are looked at anew the next time
        checkpoints.write(model.run.path / FOLDER, checkpoints.Checkpoint(tensors, state))
    return examples


def _pictures(model: Model, run: RunFolder) -> tuple[list[Path], list[int]]:
    """The files that the run learnt from, with the numbers of their classes."""
    try:
        dataset = open_data(run.project().data, run.place())
    except (DataError, OSError) as error:
        raise NoExamples(f"the examples are gone ({error})") from None
    classes = model.dataset.classes
    if not dataset.files or not dataset.classes:
        raise NoExamples("its data are no picture files any more")
    number = [classes.index(name) if name in classes else -1 for name in dataset.classes]
    train = dataset.splits["train"]
    train = train[np.linspace(0, len(train) - 1, min(len(train), MOST)).round().astype(np.int64)]
    labels = dataset.target.take(train).astype(np.int64).tolist()
    chosen = [
        (Path(dataset.files[index]), number[label])
        for index, label in zip(train.tolist(), labels, strict=True)
        if number[label] >= 0
    ]
    if not chosen:
        raise NoExamples("its data have none of its classes any more")
    return [path for path, _ in chosen], [label for _, label in chosen]
