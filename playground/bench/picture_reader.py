"""One contender in a process of its own, for ``pictures``:
``python -m playground.bench.picture_reader loading|folder FOLDER``.
"""

from __future__ import annotations

import gc
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from playground.bench.child import serve

SIZE, BATCH = 64, 32
THUMBNAIL, SCREEN, SCREENS = 96, 60, 100
Row = dict[str, Any]


def loading(folder: Path, question: Row) -> Row:
    """The seconds of ``{"what": step}``."""
    what = question["what"]
    gc.collect()
    if what.startswith("torchvision"):
        return {"seconds": _torchvision(folder, int(what.split()[1]))}
    if what == "first":
        for file in Path(os.environ["PLAYGROUND_CACHE"]).glob("*"):
            file.unlink()
    return {"seconds": _engine(folder)}


def _torchvision(folder: Path, workers: int) -> float:
    """As its documentation has it."""
    from torch.utils.data import DataLoader
    from torchvision import datasets, transforms

    steps = [
        transforms.Resize(SIZE),
        transforms.CenterCrop(SIZE),
        transforms.ToTensor(),
        transforms.Normalize((0.5, 0.5, 0.5), (0.25, 0.25, 0.25)),
    ]
    data = datasets.ImageFolder(str(folder), transforms.Compose(steps))
    loader = DataLoader(data, batch_size=BATCH, shuffle=True, num_workers=workers)
    started = time.perf_counter()
    count = sum(len(labels) for _, labels in loader)
    assert count == len(data)
    return time.perf_counter() - started


def _engine(folder: Path) -> float:
    """As training reads: opened as data, batches read ahead and preprocessed. Nothing is kept in
    memory, so that a second pass comes from the disk."""
    import torch

    from playground.data import DataSettings, SplitSettings, open_data
    from playground.training.feed import Streamed, split_batches

    settings = DataSettings("images", {"path": str(folder), "size": SIZE}, SplitSettings(0, 0))
    dataset = open_data(settings, folder.parent)
    feed = Streamed(dataset, dataset.splits["train"], torch.device("cpu"))
    order = split_batches(torch.randperm(len(feed)), BATCH)
    started = time.perf_counter()
    count = sum(1 for _ in feed.batches(order))
    assert count == len(order)
    return time.perf_counter() - started


def folder(folder: Path, question: Row) -> Row:
    """The seconds to open a folder, and the memory before and after its thumbnails went by."""
    import psutil

    from playground.data import DataSettings, open_data
    from playground.data.thumbnails import Thumbnails

    started = time.perf_counter()
    dataset = open_data(DataSettings("images", {"path": str(folder)}), folder.parent)
    seconds = time.perf_counter() - started
    thumbnails, megabytes, screens = Thumbnails(), [], []
    starts = np.linspace(0, len(dataset) - SCREEN, SCREENS).astype(int).tolist()
    for number, start in enumerate(starts):
        began = time.perf_counter()
        for path in dataset.files[start : start + SCREEN]:
            thumbnails.get(path, THUMBNAIL)
        screens.append(time.perf_counter() - began)
        if number % (SCREENS // 4) == 0 or number == SCREENS - 1:
            megabytes.append(psutil.Process().memory_info().rss / 1e6)
    return {
        "seconds": seconds,
        "screens": SCREENS,
        "megabytes": megabytes,
        "screen_ms": 1000 * float(np.median(screens)),
    }


if __name__ == "__main__":
    import playground.compat

    playground.compat.prepare()  # before torchvision
    contender = {"loading": loading, "folder": folder}[sys.argv[1]]
    serve(lambda question: contender(Path(sys.argv[2]), question))
