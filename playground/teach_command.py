"""``playground teach``: from a folder of pictures to a project, by way of their vectors."""

from __future__ import annotations

import time
from argparse import Namespace
from pathlib import Path

import numpy as np

from playground import project as projects
from playground.commands import refuse_existing
from playground.console import Console, count, duration, metric
from playground.data import DataError, Dataset, DataSettings, Place
from playground.data.dataset import Indices
from playground.devices import choose
from playground.embedding import Embedded, Embedder
from playground.opening import opened_data, tell_skipped
from playground.runs import RunFolder, load_model
from playground.teach import fit, prepared_for, save_project

SPLITS = ("train", "validation", "test")


def run(source: RunFolder, options: Namespace) -> int:
    """Teach the network of ``source`` the classes of a folder, save it as a project, and print how
    well held-out pictures are told apart."""
    console, folder = Console(options.json), options.folder.resolve()
    path = options.output
    if path.suffix != projects.SUFFIX:
        path = path.with_name(path.name + projects.SUFFIX)
    refuse_existing(path, options.force)
    choose("cpu").use()
    embedder = Embedder(load_model(source))
    data = DataSettings("images", {"path": str(folder), "prepared": prepared_for(embedder)})
    dataset = opened_data(data, Place.around(folder), console)
    if not dataset.classes:
        raise DataError(f"{folder} has numbers for labels: teaching needs classes")
    started = time.perf_counter()
    with console.progress("looking at the pictures") as bar:
        found = embedder.files(
            [Path(file) for file in dataset.files],
            lambda done, total: bar(done, total, "looking at the pictures"),
        )
    tell_skipped(found.skipped, console)
    looked = time.perf_counter()
    labels, parts = _parts(dataset, found)
    train = parts["train"]
    if not set(range(len(dataset.classes))) <= set(labels[train].tolist()):
        raise DataError("a class has no picture to learn from: show more of each class")
    head = fit(found.vectors[train], labels[train], dataset.classes)
    fitted = time.perf_counter()
    scores = {kind: head.score(found.vectors[part], labels[part]) for kind, part in parts.items()}
    result = {kind: values for kind, values in scores.items() if values}
    project = save_project(path, embedder, head, data, result)
    console.event(
        {
            "event": "finished",
            "project": str(path),
            "run": str(projects.run_folder(project, path)),
            "classes": list(head.classes),
            "samples": {kind: len(part) for kind, part in parts.items()},
            **scores,
            "seconds": {"look": round(looked - started, 3), "fit": round(fitted - looked, 3)},
        }
    )
    for kind, values in result.items():
        console.say(
            f"{kind:<11} {count(len(parts[kind]))} pictures: "
            + ", ".join(metric(name, value) for name, value in values.items())
        )
    console.say(
        f"\nlooked for {duration(looked - started)}, learnt for {duration(fitted - looked)}"
        f"\nkept in {path}; ask it: playground predict {path} PHOTO"
    )
    return 0


def _parts(dataset: Dataset, found: Embedded) -> tuple[Indices, dict[str, Indices]]:
    """The class of each picture that could be read, and which of them each split has."""
    place = {path: number for number, path in enumerate(found.paths)}
    numbers = [place.get(Path(file), -1) for file in dataset.files]
    read = [index for index, number in enumerate(numbers) if number >= 0]
    labels = dataset.target.take(np.asarray(read, np.int64)).astype(np.int64)
    parts = {}
    for kind in SPLITS:
        chosen = [numbers[index] for index in dataset.splits[kind].tolist()]
        parts[kind] = np.asarray([number for number in chosen if number >= 0], np.int64)
    return labels, parts
