"""Teaching by example: pictures become vectors once, and learning is a fit of the last layer.

The head is softmax regression on standardized vectors. How well a picture is known is told by its
distance to the nearest examples: a head alone has to choose one of its classes for anything at all.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch

from models import edits
from models.graph import Graph, Node
from playground import project as projects
from playground.answers import Classes
from playground.data.dataset import Dataset
from playground.data.labels import natural
from playground.data.prepared import PREPARED
from playground.data.settings import DataSettings
from playground.embedding import Embedder, EmbeddingError, behind_features
from playground.project import Project, ProjectError
from playground.recognisers import fill
from playground.runs import RUNS, RunError, RunFolder, new_run, rewrite_run
from playground.tasks.classification import softmax
from playground.training.settings import TrainingSettings

if TYPE_CHECKING:
    from torch import Tensor


Array = npt.NDArray[np.float32]

DECAY = 0.1
"""The pull of the head's weights towards 0; it keeps the head from being too sure."""
STEPS, FLAT = 1_000, 1e-4
"""At most so many steps; and the slope at which the loss is at its least."""
NEIGHBOURS = 3
MEASURED = 1_000
"""Examples of a class, evenly from all, whose distances to the others tell its spread."""
FURTHEST = 0.95
"""Of a class's examples, the share that lies closer to the others than its spread."""
LEAST, MOST = 0.3, 0.5
"""Limits of the distance at which something is as likely new as known. Cosine distances of the
bundled backbone are up to 0.25 between views of one thing, and from 0.6 between unlike things."""
SHARPNESS = 6


class TeachError(ValueError):
    """The examples do not make a recogniser yet; the message says what is missing."""


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """The last layer: logits are ``weight`` (C, F) · vector + ``bias`` (C,). Without ``examples``
    it is not told what was seen before."""

    classes: tuple[str, ...]
    weight: Array
    bias: Array
    examples: Examples | None

    def predict(self, vector: Array) -> Classes:
        """What a picture with this vector (F,) shows, and how well it is known."""
        (probabilities,) = self.probabilities(vector[None])
        known = None if self.examples is None else float(self.examples.seen(vector[None])[0])
        return self.worded(probabilities, known)

    def worded(self, probabilities: npt.NDArray[np.float64], seen: float | None) -> Classes:
        """The answer that probabilities (C,) are."""
        order = np.argsort(-probabilities, kind="stable").tolist()
        return Classes(tuple((self.classes[i], float(probabilities[i])) for i in order), seen)

    def probabilities(self, vectors: Array) -> npt.NDArray[np.float64]:
        """Probabilities (N, C) of vectors (N, F)."""
        found: npt.NDArray[np.float64] = softmax(vectors @ self.weight.T + self.bias)
        return found

    def score(self, vectors: Array, labels: npt.NDArray[np.int64]) -> dict[str, float]:
        """Accuracy and loss; empty without samples."""
        if not len(labels):
            return {}
        found = self.probabilities(vectors)
        own = np.maximum(found[np.arange(len(labels)), labels], 1e-30)
        return {
            "loss": float(-np.log(own).mean()),
            "accuracy": float((found.argmax(axis=1) == labels).mean()),
        }


class Examples:
    """The vectors (N, F) that were shown, with their classes (N,), to tell what is like them.

    The distance of a picture to a class is the mean cosine distance to its nearest examples; that
    of the examples to each other says how much views of the class differ.
    """

    def __init__(self, vectors: Array, labels: npt.NDArray[np.int64]) -> None:
        self.vectors, self.labels = vectors, labels
        self._parts = [_unit(vectors[labels == label]) for label in np.unique(labels)]
        self._spreads = [_spread(part) for part in self._parts]

    def seen(self, vectors: Array) -> npt.NDArray[np.float64]:
        """How likely anything like these vectors (N, F) was among the examples (N,), 0…1: a half
        at twice the spread of the class that is nearest by its own measure."""
        units = _unit(vectors)
        ratios = [
            _nearest(1 - units @ part.T) / spread
            for part, spread in zip(self._parts, self._spreads, strict=True)
        ]
        found: npt.NDArray[np.float64] = 1 / (1 + np.min(ratios, axis=0) ** SHARPNESS)
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """A picture that was shown: its class, its vector (F,), and the file where there is one."""

    name: str
    vector: Array
    path: Path | None = None


class Taught:
    """Classes with examples. Not for several threads at once; a ``Head`` does not change."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._examples: dict[int, Example] = {}
        self._numbers = count(1)

    @property
    def classes(self) -> tuple[str, ...]:
        """In the order in which they were added, also those without examples."""
        return tuple(self._names)

    @property
    def examples(self) -> Mapping[int, Example]:
        """By number, in the order in which they were added."""
        return dict(self._examples)

    def counts(self) -> dict[str, int]:
        """Examples a class."""
        counts = dict.fromkeys(self._names, 0)
        for example in self._examples.values():
            counts[example.name] += 1
        return counts

    def add_class(self, name: str) -> None:
        """Raises ``TeachError`` where there is one of that name."""
        if name in self._names:
            raise TeachError(f"there is a class {name} already: choose another name")
        if not name.strip():
            raise TeachError("a class needs a name")
        self._names.append(name)

    def rename_class(self, name: str, wanted: str) -> None:
        """Raises ``TeachError`` where there is no such class, or ``wanted`` is another."""
        place = self._place(name)
        if wanted == name:
            return
        self.add_class(wanted)
        self._names[place] = self._names.pop()
        self.relabel([i for i, e in self._examples.items() if e.name == name], wanted)

    def remove_class(self, name: str) -> None:
        """With its examples."""
        del self._names[self._place(name)]
        self.remove([i for i, e in self._examples.items() if e.name == name])

    def add(self, name: str, vector: Array, path: Path | None = None) -> int:
        """An example of ``name``, which becomes a class where it is none; its number."""
        if not np.isfinite(vector).all():
            raise TeachError("the picture's vector has a value that is no number")
        if name not in self._names:
            self.add_class(name)
        number = next(self._numbers)
        self._examples[number] = Example(name, np.asarray(vector, np.float32), path)
        return number

    def relabel(self, numbers: Iterable[int], name: str) -> None:
        """Move examples to another class."""
        self._place(name)
        for number in numbers:
            self._examples[number] = replace(self._examples[number], name=name)

    def remove(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            del self._examples[number]

    def fit(self) -> Head:
        """Learn all examples anew; raises ``TeachError`` without two classes of examples. Classes
        are sorted as data in folders have them."""
        counts = self.counts()
        names = tuple(sorted((name for name in counts if counts[name]), key=natural))
        if len(names) < 2:
            shown = f"only {names[0]} has examples" if names else "there are no examples"
            raise TeachError(f"{shown}: show at least two classes")
        index = {name: number for number, name in enumerate(names)}
        return fit(*self._arrays(index), names)

    def known(self) -> Examples:
        """What is known of all examples together; also of one class alone."""
        return Examples(*self._arrays({name: place for place, name in enumerate(self._names)}))

    def _arrays(self, index: Mapping[str, int]) -> tuple[Array, npt.NDArray[np.int64]]:
        examples = self._examples.values()
        vectors = np.stack([example.vector for example in examples])
        return vectors, np.asarray([index[example.name] for example in examples], np.int64)

    def _place(self, name: str) -> int:
        if name not in self._names:
            raise TeachError(f"there is no class {name}")
        return self._names.index(name)


def fit(vectors: Array, labels: npt.NDArray[np.int64], classes: Sequence[str]) -> Head:
    """The head for vectors (N, F) of ``classes``, each of which has some; classes count alike,
    however many examples they have.

    The loss is convex and its curvature known, so that accelerated gradients (Nesterov 1983, with
    the restarts of O'Donoghue and Candès 2015) need no search for a rate.
    """
    mean, deviation = vectors.mean(axis=0), vectors.std(axis=0)
    scale = np.maximum(deviation, 1e-3 * max(float(deviation.mean()), 1e-6))
    x = np.column_stack([(vectors - mean) / scale, np.ones(len(vectors))]).astype(np.float32)
    wanted = np.eye(len(classes), dtype=np.float32)[labels]
    rows = (1 / (np.bincount(labels) * len(classes)))[labels, None].astype(np.float32)
    decay = np.full(x.shape[1], DECAY, np.float32)
    decay[-1] = 0  # the bias
    step = 1 / (_curvature(x * np.sqrt(rows)) / 2 + DECAY)
    weight: Array = np.zeros((len(classes), x.shape[1]), np.float32)
    ahead = weight
    momentum = 1.0
    for _ in range(STEPS):
        errors = (softmax(x @ ahead.T) - wanted).astype(np.float32) * rows
        slope = errors.T @ x + decay * ahead
        if float(np.abs(slope).max()) < FLAT:
            break
        before, weight = weight, np.asarray(ahead - step * slope, np.float32)
        moved = weight - before
        if float((slope * moved).sum()) > 0:  # uphill: start over from here
            momentum = 1.0
        after = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        ahead = weight + ((momentum - 1) / after) * moved
        momentum = after
    slopes = weight[:, :-1] / scale
    offset = weight[:, -1] - slopes @ mean
    found = Examples(vectors, labels)
    return Head(tuple(classes), slopes.astype(np.float32), offset.astype(np.float32), found)


def _curvature(x: Array) -> float:
    """The largest eigenvalue of xᵀx, by the power method; a little more, to be safe."""
    gram = x @ x.T if len(x) < x.shape[1] else x.T @ x
    vector: Array = np.ones(len(gram), np.float32)
    for _ in range(50):
        vector = np.asarray(gram @ vector, np.float32)
        vector /= np.linalg.norm(vector)
    return 1.1 * float(np.linalg.norm(gram @ vector))


# --- a project of it ------------------------------------------------------------------------------


def save_project(
    path: Path,
    embedder: Embedder,
    head: Head,
    data: DataSettings,
    result: Mapping[str, Mapping[str, float]] | None = None,
) -> Project:
    """Write ``path``, a project of backbone and ``head`` with the weights as its run.

    ``data`` are the examples' own; ``result`` has metrics by split. Raises ``TeachError``,
    ``ProjectError`` or ``RunError``.
    """
    files = projects.files_folder(path.absolute())
    *_, run = write_run(files, embedder, head, data, result)
    project = run.project()
    try:
        projects.save(project, path)
    except ProjectError:
        shutil.rmtree(run.path, ignore_errors=True)
        raise
    return project


def write_run(
    files: Path,
    embedder: Embedder,
    head: Head,
    data: DataSettings,
    result: Mapping[str, Mapping[str, float]] | None = None,
    replace: RunFolder | None = None,
) -> tuple[Graph, TrainingSettings, RunFolder]:
    """Write backbone and ``head`` as a run under ``files`` (``NAME.files``): the graph and the
    settings of training that belong to it, and the run.

    A taught run ``replace`` of the same project gives its place to the new one, so that learning
    again and again does not fill the disk. Raises ``TeachError`` or ``RunError``.
    """
    if len(head.classes) < 2:
        raise TeachError(f"only {head.classes[0]} has examples: show at least two classes")
    if head.examples is None:
        raise TeachError("a run is taught by examples, and there are none")
    graph, last = graph_for(embedder, head.classes)
    weights: dict[str, Tensor] = dict(embedder.model.network.module.state_dict())
    weights[f"{last.name}.weight"] = torch.from_numpy(head.weight)
    weights[f"{last.name}.bias"] = torch.from_numpy(head.bias)
    examples = {
        VECTORS: torch.from_numpy(head.examples.vectors),
        LABELS: torch.from_numpy(head.examples.labels),
    }
    about = {"message": "taught by example", "taught": True, "result": dict(result or {})}
    name, dataset = files.name.removesuffix(".files"), _dataset(embedder, head)
    training = TrainingSettings().replace(
        learning_rate=1e-4, batch_size=16, learns="head", epochs=5
    )

    def write(run: RunFolder) -> None:
        project = Project(
            name=name,
            summary="Taught by example.",
            graph=graph,
            data=data,
            training=training,
            run=f"{RUNS}/{run.name}",
        )
        fill(run, project, dataset, weights, examples, **about)

    if replace is not None and _may_go(replace, files):
        return graph, training, rewrite_run(replace, files, write)
    run = new_run(files)
    try:
        write(run)
    except OSError as error:
        shutil.rmtree(run.path, ignore_errors=True)
        raise RunError(f"{run.path} cannot be written: {error.strerror or error}") from None
    return graph, training, run


def _may_go(run: RunFolder, files: Path) -> bool:
    """Whether a run is one that was taught in this project."""
    try:
        return run.path.resolve().parent == (files / RUNS).resolve() and "taught" in run.info()
    except RunError:
        return False


def _dataset(embedder: Embedder, head: Head) -> Dataset:
    """What the network of backbone and head is fitted to, without samples."""
    known = embedder.model.dataset
    target = replace(known.target, values=np.zeros(0, np.int64), classes=head.classes)
    targets = {target.name: target}
    return Dataset("examples", "", known.inputs, targets, known.splits, "classification")


VECTORS, LABELS = "taught.vectors", "taught.labels"


def graph_for(embedder: Embedder, classes: Sequence[str]) -> tuple[Graph, Node]:
    """The network for other classes, and its last layer; raises ``TeachError``."""
    graph = embedder.model.graph
    try:
        behind = behind_features(graph)
    except EmbeddingError as error:
        raise TeachError(str(error)) from None
    linear = [node for node in behind if node.layer == "linear"]
    if len(linear) != 1 or any(node.layer == "softmax" for node in behind):
        raise TeachError("a network with one Linear layer behind its backbone can be taught")
    graph = edits.set_params(graph, linear[0].id, {"out_features": len(classes)})
    return graph, graph.node(linear[0].id)


def prepared_for(embedder: Embedder) -> str:
    """The source option ``prepared`` that gives pictures as the backbone knows them; raises
    ``TeachError`` where there is none."""
    steps = embedder.column.preprocessing
    for item in PREPARED:
        if item.reading == embedder.reading and item.preprocessing == steps:
            return item.id
    raise TeachError("only a bundled recogniser can be taught by example")


def taught_by(run: RunFolder) -> Taught | None:
    """The examples of a run that was taught; None of one that was trained. Raises ``RunError``."""
    if not run.info().get("taught"):
        return None
    tensors = run.checkpoint("best").tensors
    vectors, labels = tensors.get(VECTORS), tensors.get(LABELS)
    classes = run.fitted().classes
    if vectors is None or labels is None or vectors.dim() != 2 or labels.shape != vectors.shape[:1]:
        return None
    taught = Taught()
    for vector, label in zip(vectors.float().numpy(), labels.long().tolist(), strict=True):
        if 0 <= label < len(classes):
            taught.add(classes[label], vector)
    return taught


def _unit(vectors: Array) -> npt.NDArray[np.float64]:
    wide = vectors.astype(np.float64)
    found: npt.NDArray[np.float64] = wide / np.maximum(
        np.linalg.norm(wide, axis=1, keepdims=True), 1e-12
    )
    return found


def _nearest(distances: npt.NDArray[np.float64], most: int = NEIGHBOURS) -> npt.NDArray[np.float64]:
    """The mean of the smallest of each row, of ``most`` at most."""
    few = min(most, distances.shape[1])
    found: npt.NDArray[np.float64] = np.partition(distances, few - 1, axis=1)[:, :few].mean(axis=1)
    return found


def _spread(units: npt.NDArray[np.float64]) -> float:
    """The distance at which a picture is as likely new as of this class."""
    if len(units) < 2:
        return LEAST
    asked = np.linspace(0, len(units) - 1, min(len(units), MEASURED)).round().astype(np.int64)
    distances = 1 - units[asked] @ units.T
    distances[np.arange(len(asked)), asked] = np.inf  # an example is none of the others
    near = _nearest(distances, min(NEIGHBOURS, len(units) - 1))
    return float(np.clip(2 * np.quantile(near, FURTHEST), LEAST, MOST))
