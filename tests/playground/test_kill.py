"""A run that is killed at any moment goes on as if nothing had happened."""

from __future__ import annotations

import multiprocessing
import random
import time
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from playground.project import loads
from playground.runs import RunFolder, list_runs, load_model
from playground.training.trainer import Trainer
from tests.playground import kill_child
from tests.playground.fakes import project, rows, stripes

# children are forked from a process that has imported torch and done nothing else
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.playground.kill_child"])


def start(kind: str, path: Path) -> tuple[BaseProcess, Connection]:
    ours, theirs = PROCESSES.Pipe(duplex=False)
    child = PROCESSES.Process(target=kill_child.train, args=(kind, path, theirs))
    child.start()
    theirs.close()
    return child, ours


def survives(kind: str, folder: Path, kills: int, seed: int) -> int:
    """Kill a run ``kills`` times, let it end, and compare it with an undisturbed one. Returns how
    many kills found it at work."""
    chance = random.Random(seed)
    path = folder / "runs" / "001"
    hits = 0
    for _ in range(kills):
        child, told = start(kind, path)
        if chance.random() < 0.8:
            assert told.recv() == "ready"
        time.sleep(chance.uniform(0, 0.3))
        hits += child.is_alive()
        child.kill()
        child.join()
        _check_what_is_left(folder, path)
    child, told = start(kind, path)
    assert [told.recv(), told.recv()] == ["ready", "done"]
    child.join()

    calm = RunFolder.create(folder / "runs" / "002")
    trainer = Trainer(kill_child.document(kind), stripes(as_rows=kind == "lstm"), calm)
    for _ in trainer.steps():
        pass
    assert rows(path) == rows(calm.path)
    assert len(rows(path)) == kill_child.EPOCHS + 1
    first, second = RunFolder(path).checkpoint("last"), calm.checkpoint("last")
    assert all(bool((second.weights[name] == t).all()) for name, t in first.weights.items())
    return hits


def _check_what_is_left(folder: Path, path: Path) -> None:
    if not (path / "run.json").exists():
        return
    run = RunFolder(path)
    (found,) = list_runs(folder)
    assert found.state in ("interrupted", "finished"), found
    assert not found.problem
    if run.has("last"):
        run.checkpoint("last")
        assert loads((path / "project.json").read_text()).name == "test"
    if run.has("best"):
        load_model(run)


def test_two_kills(tmp_path: Path) -> None:
    assert survives("cnn", tmp_path, kills=2, seed=1) >= 1


@pytest.mark.full
@pytest.mark.parametrize("kind", ["cnn", "lstm"])
def test_twenty_kills(kind: str, tmp_path: Path) -> None:
    assert survives(kind, tmp_path, kills=20, seed=7) >= 10


def test_leftovers_of_a_kill_between_two_renames(tmp_path: Path) -> None:
    """The old checkpoint waits beside its place and is used."""
    run = RunFolder.create(tmp_path / "r")
    trainer = Trainer(project(epochs=2), stripes(), run)
    for _ in trainer.steps():
        pass
    (run.path / "last").rename(run.path / "last.old")
    (run.path / "last.new").mkdir()
    (run.path / "last.new" / "weights.safetensors").write_bytes(b"torn")
    resumed = Trainer(project(epochs=4), stripes(), run, resume=True)
    for _ in resumed.steps():
        pass
    whole = Trainer(project(epochs=4), stripes(), RunFolder.create(tmp_path / "s"))
    for _ in whole.steps():
        pass
    assert rows(run.path) == rows(whole.run.path)
    assert sorted(item.name for item in run.path.iterdir()) == [
        "best",
        "last",
        "metrics.csv",
        "project.json",
        "run.json",
    ]
