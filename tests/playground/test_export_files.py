"""Exported runs: ONNX files, torch programs and Python answer as the application does."""

from __future__ import annotations

import io
import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from models import edits
from models.axes import Kind, Shape, vector
from models.graph import Edge, Graph
from playground.answers import Classes
from playground.data import DataSettings
from playground.data.dataset import Column, Dataset
from playground.export import ExportError, _child, export, files_of, pt2
from playground.export import onnx as writer
from playground.export.application import application
from playground.export.check import Differs, compare
from playground.model import Model, untrained
from playground.preprocessing import Preprocessing, Standardize
from playground.project import Project, load, save
from playground.runs import load_model
from playground.tasks import TaskSettings
from tests.playground.cli_kit import Shell, digits_project, project_on, write_table


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(capsys)


def session(path: Path) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])


def trained(shell: Shell, project: Path) -> Path:
    return Path(shell.json("train", project)[-1]["run"])


def properties(path: Path) -> dict[str, str]:
    return {item.key: item.value for item in onnx.load(str(path)).metadata_props}


@pytest.mark.parametrize("kind", ["cnn", "rnn", "hybrid"])
def test_both_exports_answer_alike(shell: Shell, tmp_path: Path, kind: str) -> None:
    run = trained(shell, digits_project(tmp_path / "digits.playground", kind))
    model = load_model(run)
    (column,) = model.dataset.inputs.values()
    path = tmp_path / "model.onnx"
    done = shell.json("export", run, "--to", "onnx", "-o", path)[-1]
    assert done["difference"] <= 1e-4
    onnx.checker.check_model(onnx.load(str(path)), full_check=True)
    about = properties(path)
    assert about["task"] == "classification"
    assert json.loads(about["classes"]) == [str(digit) for digit in range(10)]
    for count in (1, 7):
        raw = np.random.default_rng(count).integers(0, 256, (count, 1, 28, 28)).astype(np.uint8)
        answers = model.predict({column.name: raw})
        (got,) = session(path).run(None, {column.name: raw.astype(np.float32)})
        assert got.shape == (count, 10)
        for answer, row in zip(answers, got, strict=True):
            assert isinstance(answer, Classes)
            wanted = dict(answer.answers)
            assert row == pytest.approx([wanted[str(digit)] for digit in range(10)], abs=1e-5)

    done = shell.json("export", run, "--to", "python", "-o", tmp_path / "model.py")[-1]
    assert done["difference"] == 0
    assert [Path(name).name for name in done["files"]] == ["model.py", "model.safetensors"]


@pytest.mark.parametrize("kind", ["cnn", "hybrid"])
def test_a_torch_program_answers_alike(shell: Shell, tmp_path: Path, kind: str) -> None:
    run = trained(shell, digits_project(tmp_path / "digits.playground", kind))
    path = tmp_path / "model.pt2"
    done = shell.json("export", run, "--to", "pt2", "-o", path)[-1]
    assert done["difference"] <= 1e-4
    extra = {pt2.ABOUT: ""}
    program = torch.export.load(path, extra_files=extra).module()
    about = json.loads(extra[pt2.ABOUT])
    assert json.loads(about["classes"]) == [str(digit) for digit in range(10)]
    assert json.loads(about["outputs"]) == ["probabilities"]
    model = load_model(run)
    (name,) = json.loads(about["inputs"])
    raw = np.random.default_rng(0).integers(0, 256, (7, 1, 28, 28)).astype(np.uint8)
    (got,) = program(torch.from_numpy(raw.astype(np.float32)))
    for answer, row in zip(model.predict({name: raw}), got, strict=True):
        assert isinstance(answer, Classes)
        wanted = dict(answer.answers)
        assert row.tolist() == pytest.approx([wanted[str(d)] for d in range(10)], abs=1e-5)


@pytest.mark.parametrize("name", ["lstm", "two-way gru"])
def test_a_torch_program_with_free_steps_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(pt2.Pt2Error, match="as ONNX or Python"):
        pt2.write(varying(*VARYING[name]), tmp_path / "model.pt2")
    assert not list(tmp_path.iterdir())


def test_a_torch_program_keeps_a_length_free_without_recurrent_layers(tmp_path: Path) -> None:
    checked = pt2.write(varying(*VARYING["cnn"]), tmp_path / "model.pt2")
    assert checked.difference is not None
    assert checked.difference <= 1e-4


def test_values_leave_in_their_own_unit(shell: Shell, tmp_path: Path) -> None:
    random.seed(0)
    rows = [(a := random.gauss(5, 2), b := random.gauss(-3, 9), 700 + a - 3 * b) for _ in range(90)]
    write_table(tmp_path / "table.csv", rows, "a,b,value")
    data = DataSettings("table", {"path": "table.csv"})
    run = trained(shell, project_on(tmp_path / "table.playground", data, epochs=3))
    path = tmp_path / "model.onnx"
    shell.json("export", run, "--to", "onnx", "-o", path)
    raw = np.asarray([[5.0, -3.0], [7.0, 1.0], [1.0, -12.0]], np.float32)
    (got,) = session(path).run(None, {"features": raw})
    answers = [answer.value for answer in load_model(run).predict({"features": raw})]
    assert got[:, 0] == pytest.approx(answers, rel=1e-5)
    assert 400 < got.min() < got.max() < 1000
    assert (
        shell.json("export", run, "--to", "python", "-o", tmp_path / "m.py")[-1]["difference"] == 0
    )


def test_a_forecast(shell: Shell, tmp_path: Path) -> None:
    rows = [(np.sin(step / 3) * 10 + step,) for step in range(120)]
    write_table(tmp_path / "series.csv", rows, "level")
    data = DataSettings("table", {"path": "series.csv", "task": "forecast"})
    run = trained(shell, project_on(tmp_path / "series.playground", data, epochs=2))
    for target, suffix in (("onnx", "onnx"), ("python", "py")):
        done = shell.json("export", run, "--to", target, "-o", tmp_path / f"model.{suffix}")[-1]
        assert done["difference"] <= 1e-4


# --- a length that varies -------------------------------------------------------------------------


def varying(*layers: tuple[str, str, dict[str, Any]]) -> Model:
    """An untrained model over sequences T×3 with T free."""
    shape = Shape(Kind.SEQUENCE, ("T", 3))
    graph, before = edits.add_node(
        Graph(), "input", name="steps", params={"shape": shape.to_json()}
    )
    port = "output"
    for layer, leaving, params in layers:
        graph, id = edits.add_node(graph, layer, params=params)
        graph = edits.connect(graph, Edge(before, port, id, "input"))
        before, port = id, leaving
    graph, id = edits.add_node(graph, "output", name="label")
    graph = edits.connect(graph, Edge(before, port, id, "input"))
    scaled = Preprocessing((Standardize((1.0, 2.0, 3.0), (2.0, 3.0, 4.0)),))
    none = np.zeros(0, np.int64)
    dataset = Dataset(
        "steps",
        "",
        {"steps": Column("steps", shape, np.zeros((0,), np.float32), scaled)},
        {"label": Column("label", vector(1), none, classes=("a", "b", "c"))},
        {},
        "classification",
    )
    return untrained(Project("Steps", graph, task=TaskSettings("classification")), dataset)


HEAD = ("linear", "output", {"out_features": 3})
VARYING = {
    "lstm": (("lstm", "last", {"hidden_size": 5}), HEAD),
    "two-way gru": (("gru", "last", {"hidden_size": 5, "bidirectional": True}), HEAD),
    "two layers": (("lstm", "last", {"hidden_size": 5, "num_layers": 2}), HEAD),
    "rnn": (("rnn", "last", {"hidden_size": 5}), HEAD),
    "cnn": (
        ("conv1d", "output", {"out_channels": 4}),
        ("relu", "output", {}),
        ("mean-over-time", "output", {}),
        HEAD,
    ),
}


@pytest.mark.parametrize("name", VARYING)
def test_a_free_length_stays_free(tmp_path: Path, name: str) -> None:
    model = varying(*VARYING[name])
    path = tmp_path / "model.onnx"
    checked = writer.write(model, path)
    assert checked.difference is not None
    assert checked.difference <= 1e-4
    steps = next(item for item in session(path).get_inputs() if item.name == "steps")
    assert steps.shape == ["batch", "T", 3]
    # what lies behind the valid steps changes nothing
    random = np.random.default_rng(0)
    raw = random.standard_normal((2, 11, 3)).astype(np.float32)
    lengths = np.asarray([11, 6])
    other = raw.copy()
    other[1, 6:] = 99
    first, second = (
        session(path).run(None, {"steps": value, "steps_lengths": lengths})[0]
        for value in (raw, other)
    )
    assert first == pytest.approx(second, abs=1e-6)


# --- what cannot be done --------------------------------------------------------------------------


def test_nothing_is_overwritten_unasked(shell: Shell, tmp_path: Path) -> None:
    run = trained(shell, digits_project(tmp_path / "digits.playground"))
    for target, name in (("onnx", "model.onnx"), ("python", "model.py")):
        path = tmp_path / name
        for taken in files_of(target, path):
            taken.write_text("precious")
            said = shell("export", run, "--to", target, "-o", path)
            assert said.code == 1
            assert "--force" in said.sentence
            assert taken.read_text() == "precious"
            taken.unlink()
    path = tmp_path / "model.onnx"
    path.write_text("precious")
    assert shell("export", run, "--to", "onnx", "-o", path, "--force").code == 0
    assert path.read_bytes() != b"precious"
    nowhere = tmp_path / "nowhere" / "model.onnx"
    assert "does not exist" in shell("export", run, "--to", "onnx", "-o", nowhere).sentence


def test_a_failed_export_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    path = tmp_path / "model.onnx"
    path.write_text("precious")
    with pytest.raises(ExportError, match="run"):
        export(tmp_path / "run", "onnx", path)
    assert path.read_text() == "precious"
    assert {item.name for item in tmp_path.iterdir()} == {"run", "model.onnx"}
    with pytest.raises(ExportError, match="python, onnx, pt2"):
        export(tmp_path / "run", "cobol", path)


def test_what_nobody_foresaw_is_told_with_its_place(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO('{"target": "python"}'))
    monkeypatch.setattr(_child, "_answer", lambda question: exec("assert not question"))
    _child.main()
    error = json.loads(capsys.readouterr().out)["error"]
    assert error.startswith("the export as python failed unexpectedly: AssertionError (<string>,")


def test_a_hostile_name_stays_a_name(shell: Shell, tmp_path: Path) -> None:
    path = digits_project(tmp_path / "digits.playground")
    mark = tmp_path / "ran"
    name = f'x"""\nopen({str(mark)!r}, "w")\n"""\\'
    save(replace(load(path), name=name), path)
    # the file may be called anything, too
    done = shell.json("export", trained(shell, path), "--to", "python", "-o", tmp_path / "m")
    assert done[-1]["difference"] == 0
    assert not mark.exists()


def test_a_wrong_export_is_noticed() -> None:
    model = varying(*VARYING["lstm"])
    right = application(model)
    assert compare(model, right, right).difference == 0

    def wrong(raw: Any) -> Any:
        return {name: values + 1e-3 * values.std() for name, values in right(raw).items()}

    with pytest.raises(Differs, match="differ by"):
        compare(model, right, wrong)
    with pytest.raises(Differs, match="same answer to every input"):
        compare(model, lambda raw: {k: 0 * v for k, v in right(raw).items()}, right)
