"""What the tests of kills run in a process of its own."""

from __future__ import annotations

from multiprocessing.connection import Connection
from pathlib import Path

from playground.project import Project
from playground.runs import RunFolder
from playground.training import trainer
from tests.playground.fakes import cnn, lstm, project, stripes

EPOCHS = 60


def document(kind: str) -> Project:
    graph = lstm() if kind == "lstm" else cnn()
    return project(graph, epochs=EPOCHS, schedule="plateau", plateau_patience=2)


def train(kind: str, path: Path, told: Connection) -> None:
    """Train in ``path``, or go on there; checkpoints come so often that many kills hit
    one that is being written."""
    trainer.SAVE_EPOCH_SECONDS = trainer.SAVE_SECONDS = 0.05
    trainer.SAVE_SHARE = 1e9
    run = RunFolder(path)
    resume = path.exists() and run.has("last")
    if not resume:
        run.discard()
        run = RunFolder.create(path)
    data = stripes(as_rows=kind == "lstm")
    driver = trainer.Trainer(document(kind), data, run, resume=resume)
    told.send("ready")
    for _ in driver.steps():
        pass
    told.send("done")
