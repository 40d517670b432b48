"""What a network makes of a picture before its last layer: a vector that says what is on it.

Such a vector takes time to compute and none to compare, so it is kept on disk, by the contents of
the picture's file and the weights: a picture that is moved to another class keeps its vector.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from torch import fx

from models import edits
from models.axes import vector
from models.graph import OUTPUT, Graph, Node
from models.shapes import infer
from playground.data.cache import Cache
from playground.data.dataset import Column, Dataset, Skipped
from playground.data.errors import DataError
from playground.data.reading import ImageReading
from playground.tasks import TASKS
from playground.training.learner import Wires

if TYPE_CHECKING:
    from playground.model import Model

Array = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]
Progress = Callable[[int, int], None]
"""Told how many of how many pictures are done. It may raise, to cancel."""

HEAD = ("linear", "dropout", "softmax")
"""Layers behind the features: what turns them into classes."""
PLACES = 5_000
"""Vectors that a cache has room for: 5 KB each, taken from the disk when one is written."""


class EmbeddingError(ValueError):
    """This network has no vectors of pictures; the message says why."""


@dataclass(frozen=True, slots=True, eq=False)
class Embedded:
    """Vectors (N, F) of the files of ``paths``; those of ``skipped`` cannot be read."""

    vectors: Array
    paths: tuple[Path, ...]
    skipped: tuple[Skipped, ...] = ()


class Embedder:
    """The part of ``model`` before its head. Not for several threads at once."""

    def __init__(self, model: Model, *, cached: bool = True) -> None:
        if len(model.wires.arguments) != 1 or len(model.network.outputs) != 1:
            raise EmbeddingError("only networks with one Input and one Output have such a vector")
        self.column = next(iter(model.dataset.inputs.values()))
        if not isinstance(self.column.reading, ImageReading):
            raise EmbeddingError("only networks for pictures can be taught by example")
        self.reading: ImageReading = self.column.reading
        self.model = model
        self.backbone = backbone(model)
        self.module = self.backbone.network.module
        self.width = self.backbone.dataset.target.shape.elements
        self.key = _digest(self.module, self.column.to_json())
        shape = (self.width,)
        what = f"embedding|{self.key}"
        self._cache = Cache.of(what, shape, np.float32, PLACES) if cached else None

    def embed(self, pictures: Sequence[Pixels]) -> Array:
        """Vectors (N, F) of pictures C×H×W as ``reading`` gives them.

        One after the other: their values then stay in the processor's cache, which is faster.
        """
        result = np.empty((len(pictures), self.width), np.float32)
        for row, pixels in zip(result, pictures, strict=True):
            batch = self.model.prepared({self.column.name: pixels[None]})
            with torch.inference_mode():
                row[...] = self.module(*batch.values())[0].cpu().numpy()
        return result

    def frame(self, frame: npt.NDArray[np.uint8]) -> Array:
        """The vector (F,) of a camera's frame, H×W×3 of 0…255."""
        (vector,) = self.embed([self.reading.from_array(frame)])
        return np.asarray(vector, np.float32)

    def keep(self, path: Path, vector: Array) -> None:
        """Remember the vector of a file that was just written."""
        key = _contents(path)
        if self._cache is not None and key is not None:
            self._cache.write(key, vector)

    def files(self, paths: Sequence[Path], progress: Progress | None = None) -> Embedded:
        """The vectors of picture files: from the cache, otherwise computed and kept."""
        tell = progress or (lambda done, total: None)
        vectors = np.empty((len(paths), self.width), np.float32)
        good: list[int] = []
        skipped: list[Skipped] = []
        for index, path in enumerate(paths):
            tell(index, len(paths))
            try:
                vectors[index] = self.file(path)
            except DataError as error:
                skipped.append(Skipped(path.name, str(error)))
            else:
                good.append(index)
        return Embedded(vectors[good], tuple(paths[i] for i in good), tuple(skipped))

    def file(self, path: Path) -> Array:
        """The vector (F,) of a picture's file, kept from now on; raises ``DataError``."""
        key, vector = _contents(path), np.empty(self.width, np.float32)
        if key is not None and self._cache and self._cache.read(key, vector):
            return vector
        (computed,) = self.embed([self.reading.read(str(path))[0][1]])
        vector[...] = computed
        if key is not None and self._cache:
            self._cache.write(key, vector)
        return vector


def features_node(graph: Graph) -> str:
    """The id of the node whose output the head gets: behind it are only layers of ``HEAD``. Raises
    ``EmbeddingError``."""
    outputs = graph.of_layer(OUTPUT)
    if len(outputs) == 1:
        id = outputs[0].id
        while graph.node(id).layer in (OUTPUT, *HEAD):
            edges = graph.into(id)
            if len(edges) != 1:
                break
            id = edges[0].source
        else:
            return id
    raise EmbeddingError("the network does not end with a plain head of Linear layers")


def behind_features(graph: Graph) -> list[Node]:
    """The head's nodes in order, the Output last; raises ``EmbeddingError``."""
    id, found = features_node(graph), []
    while edges := graph.out_of(id):
        id = edges[0].target
        found.append(graph.node(id))
    return found


def backbone(model: Model) -> Model:
    """``model`` without its head: its Output is the vector (F,) of features, which as an answer is
    so many plain values. The weights are shared with ``model``. Raises ``EmbeddingError``.
    """
    network, id = model.network, features_node(model.graph)
    port, shape = next(iter(network.report.nodes[id].outputs.items()))
    if len(shape.sizes) != 1 or not isinstance(shape.sizes[0], int):
        raise EmbeddingError(
            f"{model.graph.node(id).name} gives {shape.described()}, where a vector is needed"
        )
    head = [node.id for node in behind_features(model.graph) if node.layer != OUTPUT]
    graph = edits.remove(model.graph, head)
    network = replace(
        network, module=_cut(network.module, network.values[id, port]), report=infer(graph)
    )
    target = Column("vector", vector(shape.sizes[0]), np.zeros((0, shape.sizes[0]), np.float32))
    inputs, splits = model.dataset.inputs, model.dataset.splits
    task = TASKS.get("regression")
    dataset = Dataset("vectors", "", inputs, {target.name: target}, splits, task.id)
    wires = Wires(network, dataset, task)
    return replace(
        model, network=network, graph=graph, dataset=dataset, task=task, options={}, wires=wires
    )


def _cut(module: fx.GraphModule, name: str) -> fx.GraphModule:
    """``module`` up to the value ``name``, in evaluation mode, with the same weights."""
    graph = copy.deepcopy(module.graph)
    wanted = next(node for node in graph.nodes if node.name == name)
    graph.output_node().args = (wanted,)
    cut = fx.GraphModule(module, graph)
    cut.graph.eliminate_dead_code()
    cut.delete_all_unused_submodules()
    cut.recompile()
    return cut.eval()


def _digest(module: fx.GraphModule, column: Mapping[str, object]) -> str:
    """What changes when a picture's vector does."""
    digest = blake2b(json.dumps(column, sort_keys=True).encode(), digest_size=16)
    digest.update(module.code.encode())
    for name, tensor in sorted(module.state_dict().items()):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(tensor.cpu().numpy()).data)
    return digest.hexdigest()


def _contents(path: Path) -> bytes | None:
    """The key of a file; None where it cannot be read, which reading it as a picture tells."""
    try:
        return blake2b(path.read_bytes(), digest_size=16).digest()
    except OSError:
        return None
