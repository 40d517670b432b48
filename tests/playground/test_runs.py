"""Run folders: what is read back, and what a stranger's folder cannot do."""

from __future__ import annotations

import errno
import json
import math
import os
import pickle
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import save_file

from playground.data.source import Place
from playground.evaluation import evaluate
from playground.model import ModelError
from playground.runs import (
    INFO,
    METRICS,
    PROJECT,
    RunError,
    RunFolder,
    list_runs,
    load_model,
    new_run,
)
from playground.training.position import saved_curves
from playground.training.trainer import Trainer
from tests.playground.fakes import cnn, project, rows, stripes


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    files = tmp_path_factory.mktemp("project") / "p.files"
    trainer = Trainer(project(epochs=8), stripes(), new_run(files))
    for _ in trainer.steps():
        pass
    return trainer.run.path


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> RunFolder:
    """A copy that a test may spoil."""
    return RunFolder(shutil.copytree(trained, tmp_path / "runs" / "001"))


def test_numbers_count_up(tmp_path: Path) -> None:
    assert [new_run(tmp_path).name for _ in range(3)] == ["001", "002", "003"]
    (tmp_path / "runs" / "notes").mkdir()
    (tmp_path / "runs" / "017").mkdir()
    assert new_run(tmp_path).name == "018"
    taken = tmp_path / "runs" / "003"
    with pytest.raises(RunError, match="not empty"):
        RunFolder.create(taken)
    assert new_run(tmp_path).place() == Place(tmp_path.parent, tmp_path)
    assert [item.name for item in list_runs(tmp_path)][:2] == ["notes", "019"]
    assert list_runs(tmp_path / "nothing") == []


def test_model_answers_as_the_trainer_did(trained: Path) -> None:
    data = stripes()
    model = load_model(trained)
    evaluation = evaluate(model, data, "test")
    stored = RunFolder(trained).info()["result"]["test"]
    assert evaluation.metrics["accuracy"] == stored["accuracy"]
    assert evaluation.metrics["loss"] == pytest.approx(stored["loss"], rel=1e-4)
    answers = model.predict({"image": data.raw(evaluation.indices)["image"]})
    labels = [answer.answers[0][0] for answer in answers]
    assert labels == [data.classes[i] for i in evaluation.predicted]
    assert answers[0].answers[0][1] == pytest.approx(float(evaluation.confidence[0]), rel=1e-6)
    assert load_model(trained, "last").run is not None
    with pytest.raises(ModelError, match="no tset samples"):
        evaluate(model, data, "tset")
    other = stripes(side=6)
    with pytest.raises(ModelError, match="do not fit the model"):
        evaluate(model, other)
    target = data.targets["label"]
    two = np.flatnonzero(np.asarray(target.values) > 0)  # the second and third of three classes
    fewer = replace(target, values=np.asarray(target.values)[two] - 1, classes=target.classes[1:])
    part = replace(
        data,
        inputs={"image": replace(data.inputs["image"], values=data.inputs["image"].take(two))},
        targets={"label": fewer},
        splits={"test": np.arange(len(two))},
    )
    found = evaluate(model, part)
    whole = evaluate(model, replace(data, splits={"test": two}))
    assert found.metrics == whole.metrics
    assert found.classes == data.classes
    named = replace(part, targets={"label": replace(fewer, classes=("x", "y"))})
    with pytest.raises(ModelError, match="do not fit the model"):
        evaluate(model, named)
    for raw, words in (
        ({}, "needs a value for image"),
        ({"image": np.zeros((1, 1, 9, 9))}, "got 1×9×9"),
        ({"image": np.full((1, 1, 8, 8), math.nan)}, "missing or infinite"),
    ):
        with pytest.raises(ModelError, match=words):
            model.predict(raw)


def test_summary_and_curves(trained: Path) -> None:
    (found,) = list_runs(trained.parents[1])
    assert found.state == "finished"
    assert found.epochs == 8
    assert found.metric == "accuracy"
    assert not found.resumable
    assert found.result["test"]["accuracy"] > 0.5
    history = saved_curves(RunFolder(trained)).message()
    assert len(history.x) == 8 * 8
    assert history.best_epoch == found.best_epoch


def test_torn_last_line_of_the_metrics(run: RunFolder) -> None:
    path = run.path / "metrics.csv"
    whole = path.read_text()
    path.write_text(whole[:-7])
    assert len(run.metrics()) == 7
    path.write_text(whole + "9,80,zero,nan\n10\n")
    assert len(run.metrics()) == 8
    run.keep_metrics(3)
    assert len(rows(run.path)) == 4
    run.keep_metrics(0)
    assert not path.exists()
    assert run.metrics() == []


def test_metrics_are_written_to_the_last_bit(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    values = np.random.default_rng(0).normal(size=50)
    run.add_metrics([{"epoch": n, "loss": v} for n, v in enumerate(values, 1)])
    run.add_metrics([{"epoch": 51, "loss": math.nan}, {"epoch": 52, "loss": math.inf}])
    table = run.metrics()
    assert [row["loss"] for row in table[:50]] == values.tolist()
    assert math.isnan(table[50]["loss"])
    assert table[51]["loss"] == math.inf


# --- strangers ---


class Evil:
    def __reduce__(self) -> Any:
        return (os.system, ("touch executed",))


@pytest.mark.parametrize("name", ["last", "best"])
def test_pickles_are_not_opened(run: RunFolder, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(run.path)
    for file in ("weights.safetensors", "state.safetensors", "state.json"):
        target = run.path / name / file
        if target.exists():
            target.write_bytes(pickle.dumps(Evil()))
    with pytest.raises(RunError, match="cannot be read"):
        load_model(run, name)
    with pytest.raises(RunError):
        Trainer(
            project(epochs=9), stripes(), run, resume=True
        ) if name == "last" else run.checkpoint("best")
    assert not (run.path / "executed").exists()


def test_links_are_not_followed(run: RunFolder, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("mine")
    for name in ("run.json", "project.json", "metrics.csv"):
        original = (run.path / name).read_bytes()
        (run.path / name).unlink()
        (run.path / name).symlink_to(secret)
        with pytest.raises(RunError, match="link"):
            {"run.json": run.info, "project.json": run.project, "metrics.csv": run.metrics}[name]()
        (run.path / name).unlink()
        (run.path / name).write_bytes(original)
    weights = run.path / "best" / "weights.safetensors"
    weights.unlink()
    weights.symlink_to(secret)
    with pytest.raises(RunError, match="link"):
        load_model(run)
    assert secret.read_text() == "mine"


def test_nothing_is_written_through_links(run: RunFolder, tmp_path: Path) -> None:
    """Files that wait for the trainer as links elsewhere stay as they are."""
    outside = tmp_path / "outside"
    outside.mkdir()
    victim = outside / "victim"
    victim.write_text("mine")
    for name in ("metrics.csv.new", "run.json.new", "project.json.new"):
        (run.path / name).symlink_to(victim)
    (run.path / "last.new").symlink_to(outside)
    (run.path / "best.old").symlink_to(outside)
    trainer = Trainer(project(epochs=10), stripes(), run, resume=True)
    for _ in trainer.steps():
        pass
    assert victim.read_text() == "mine"
    assert [item.name for item in outside.iterdir()] == ["victim"]
    assert len(run.metrics()) == 10


def test_link_in_place_of_a_checkpoint(run: RunFolder, tmp_path: Path) -> None:
    outside = shutil.copytree(run.path / "last", tmp_path / "elsewhere")
    shutil.rmtree(run.path / "last")
    (run.path / "last").symlink_to(outside)
    with pytest.raises(RunError, match="link"):
        run.checkpoint("last")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"format": 99}, "another version"),
        ({"data": None}, "does not describe its data"),
        ({"data": {"task": "x", "inputs": [], "targets": []}}, "does not describe its data"),
    ],
)
def test_damaged_info(run: RunFolder, changes: dict[str, Any], words: str) -> None:
    run.update(**changes)
    with pytest.raises(RunError, match=words):
        load_model(run)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"format": 1', "[" * 100_000, "\ud800x"])
def test_broken_documents(run: RunFolder, text: str) -> None:
    raw = text.encode("utf-8", "surrogatepass")
    (run.path / "run.json").write_bytes(raw)
    with pytest.raises(RunError):
        run.info()
    found = list_runs(run.path.parents[1])[0]
    assert found.problem
    assert not found.resumable
    (run.path / "project.json").write_bytes(raw)
    with pytest.raises(RunError):
        run.project()


def test_huge_documents_are_not_read(run: RunFolder) -> None:
    with (run.path / "run.json").open("wb") as file:
        file.truncate(1 << 30)
    with pytest.raises(RunError, match="too large"):
        run.info()


def test_weights_of_another_network(run: RunFolder) -> None:
    weights = dict(run.checkpoint("best").weights)
    path = run.path / "best" / "weights.safetensors"
    save_file({**weights, "fc.weight": torch.zeros(7, 7)}, path)
    with pytest.raises(RunError, match=r"weights of fc\.weight are 7×7"):
        load_model(run)
    weights.pop("fc.weight")
    save_file(weights, path)
    with pytest.raises(RunError, match="another network"):
        load_model(run)


def test_network_too_large_for_this_machine(run: RunFolder) -> None:
    document = json.loads((run.path / "project.json").read_text())
    for node in document["graph"]["nodes"]:
        if node["name"] == "fc":
            node["params"] = {"out_features": 2**31 - 1}
    (run.path / "project.json").write_text(json.dumps(document))
    with pytest.raises(RunError, match="cannot be loaded"):
        load_model(run)


@pytest.mark.parametrize(
    "spoil",
    [
        {"threads": "many"},
        {"threads": 10**9},
        {"position": {}},
        {"position": {"epoch": -1}},
        {"random": {}},
        {"random": {"python": [3, [1, 2], None], "numpy": ["MT19937", [1], 0, 0, 0.0]}},
        {"optimizer": {"name": "adam", "values": {"x.y": 1}}},
        {"format": 2},
    ],
)
def test_damaged_states(run: RunFolder, spoil: dict[str, Any]) -> None:
    path = run.path / "last" / "state.json"
    state = json.loads(path.read_text())
    if isinstance(spoil.get("position"), dict) and spoil["position"]:
        spoil = {"position": state["position"] | spoil["position"]}
    path.write_text(json.dumps(state | spoil))
    with pytest.raises(RunError):
        Trainer(project(epochs=9), stripes(), run, resume=True)


@pytest.mark.parametrize(
    "spoil",
    [
        {"scores/metric.accuracy.update": torch.zeros(3)},
        {"optimizer/0.exp_avg": torch.zeros(3)},
        {"optimizer/999.exp_avg": torch.zeros(3)},
        {"random/torch": torch.zeros(3, dtype=torch.uint8)},
        {"curves/batches.points": torch.zeros(3, 9)},
    ],
    ids=lambda spoil: next(iter(spoil)),
)
def test_damaged_tensors(run: RunFolder, spoil: dict[str, torch.Tensor]) -> None:
    tensors = dict(run.checkpoint("last").tensors)
    save_file({**tensors, **spoil}, run.path / "last" / "state.safetensors")
    with pytest.raises(RunError):
        Trainer(project(epochs=9), stripes(), run, resume=True)


def test_states_of_processes_that_are_gone(run: RunFolder) -> None:
    run.update(state="running", process=[os.getpid(), 1.0])
    assert list_runs(run.path.parents[1])[0].state == "interrupted"
    run.update(state="running", process=[2**22 + 1, 1.0])
    assert list_runs(run.path.parents[1])[0].state == "interrupted"
    for strange in ("x", [], ["a", "b"], [10**30, 1.0], {}):
        run.update(process=strange)
        assert not run.taken()


def test_listing_runs_needs_no_torch(run: RunFolder) -> None:
    code = (
        "import sys; from pathlib import Path; from playground.runs import list_runs;"
        f"assert len(list_runs(Path({str(run.path.parents[1])!r}))) == 1;"
        "assert 'torch' not in sys.modules and 'PySide6' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_discarding_keeps_what_has_weights(run: RunFolder, tmp_path: Path) -> None:
    run.discard()
    assert run.has("last")
    fresh = new_run(tmp_path / "q")
    fresh.discard()
    assert not fresh.path.exists()
    folder = tmp_path / "not a run"
    folder.mkdir()
    RunFolder(folder).discard()
    assert folder.exists()


def test_graph_of_a_run_is_frozen(trained: Path) -> None:
    assert RunFolder(trained).project().graph == cnn()


@pytest.mark.parametrize("name", [INFO, PROJECT, METRICS])
def test_what_is_no_plain_file_is_not_read(run: RunFolder, name: str) -> None:
    (run.path / name).unlink()
    (run.path / name).mkdir()
    with pytest.raises(RunError, match="no plain file"):
        {INFO: run.info, PROJECT: run.project, METRICS: run.metrics}[name]()


def test_base_that_cannot_be_a_folder(run: RunFolder) -> None:
    run.update(base="a\0b")
    with pytest.raises(RunError, match="cannot be"):
        run.place()


def test_full_disk_keeps_the_old_checkpoint(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(tensors: object, path: Path) -> None:
        raise SafetensorError("I/O error: No space left on device (os error 28)")

    before = run.checkpoint("best")
    monkeypatch.setattr("playground.training.checkpoints.save_file", full)
    with pytest.raises(OSError, match="No space left") as caught:
        run.save("best", before)
    assert caught.value.errno == errno.ENOSPC
    assert run.checkpoint("best").state == before.state
    assert not (run.path / "best.new").exists()
