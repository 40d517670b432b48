"""The commands, as a person types them."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from playground.data import DataSettings
from playground.export import ExportError, export
from playground.project import load
from playground.runs import RunFolder, list_runs
from tests.playground.cli_kit import Shell, digits_project, project_on, write_table

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(capsys)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return digits_project(tmp_path / "digits.playground")


def outside(*words: str, code: str = "") -> subprocess.CompletedProcess[str]:
    """The command line in a process of its own; ``code`` runs before it."""
    program = f"{code}\nimport sys\nfrom playground.cli import main\nsys.exit(main())"
    return subprocess.run(
        [sys.executable, "-c", program, *words],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


# --- words ----------------------------------------------------------------------------------------


def test_help_needs_nothing_heavy() -> None:
    blocked = "import sys\nfor name in ('torch', 'numpy', 'PySide6'): sys.modules[name] = None"
    for words in (["--help"], ["train", "--help"], ["--version"]):
        done = outside(*words, code=blocked)
        assert done.returncode == 0, done.stderr
        assert done.stdout


@pytest.mark.parametrize(
    "words",
    [
        ["trian"],
        ["train"],
        ["new", "digits-cnn"],
        ["train", "x", "--epochs", "0"],
        ["train", "x", "--epochs", "many"],
        ["train", "x", "--device", "abacus"],
        ["export", "x", "--to", "cobol", "-o", "y"],
        ["predict", "run"],
        ["check", "x", "--unknown"],
    ],
)
def test_wrong_usage_is_2(shell: Shell, words: list[str]) -> None:
    said = shell(*words)
    assert said.code == 2
    assert said.err.startswith("usage: ")


def test_unknown_command_names_the_nearest(shell: Shell) -> None:
    assert "did you mean train?" in shell("trian").err


def test_examples(shell: Shell) -> None:
    events = shell.json("examples")
    assert [set(event) for event in events] == [{"id", "title", "summary"}] * len(events)
    assert {"digits-cnn", "digits-lstm", "digits-hybrid"} <= {event["id"] for event in events}
    assert all(event["id"] in shell("examples").out for event in events)


def test_new_makes_a_project_of_ones_own(shell: Shell, tmp_path: Path) -> None:
    path = tmp_path / "mine.playground"
    assert shell("new", "digits-cnn", "-o", path).code == 0
    assert load(path).name == "mine"
    path.write_text("precious")
    assert "--force" in shell("new", "digits-cnn", "-o", path).sentence
    assert path.read_text() == "precious"
    assert shell("new", "digits-cnn", "-o", path, "--force").code == 0
    assert "digits-cnn" in shell("new", "digits", "-o", tmp_path / "x").sentence
    assert "does not exist" in shell("new", "digits-cnn", "-o", tmp_path / "no" / "x").sentence


# --- check ----------------------------------------------------------------------------------------


def test_check_tells_every_node(shell: Shell, project: Path) -> None:
    (found,) = shell.json("check", project)
    assert found["ok"] is True
    assert found["parameters"] == 20490
    assert found["flops"] > 1e6
    rows = {row["name"]: row for row in found["nodes"]}
    assert {"id", "name", "layer", "shape", "parameters", "error"} <= rows["conv"].keys()
    assert rows["conv"]["shape"] == [16, 28, 28]
    assert rows["conv"]["parameters"] == 16 * 9 + 16
    assert rows["head"]["shape"] == [10]
    assert rows["conv"]["error"] is None
    table = shell("check", project)
    assert table.code == 0
    assert "16×28×28" in table.out
    assert "20,490 parameters" in table.out


def test_check_names_the_error(shell: Shell, project: Path) -> None:
    said = shell("check", project, "--json", "--set", "node.pool2.kernel_size=40")
    assert said.code == 1
    assert said.sentence.startswith("pool2: ")
    (found,) = said.events
    assert found["ok"] is False
    rows = {row["name"]: row for row in found["nodes"]}
    assert rows["pool2"]["error"]
    assert rows["head"]["error"] is None
    assert rows["head"]["parameters"] is None
    assert "✗" in shell("check", project, "--set", "node.pool2.kernel_size=40").out


def test_check_does_without_torch(project: Path) -> None:
    done = outside("check", str(project), code="import sys\nsys.modules['torch'] = None")
    assert done.returncode == 0, done.stderr
    assert "conv2d" in done.stdout


# --- train, and what is done with a run -----------------------------------------------------------


def test_train_evaluate_predict(shell: Shell, project: Path, tmp_path: Path) -> None:
    *events, summary = shell.json("train", project, "--epochs", "2")
    assert [event["event"] for event in events] == ["started", "epoch", "epoch"]
    assert events[0]["samples"] == {"train": 500, "validation": 4000, "test": 500}
    assert summary["event"] == "finished"
    assert summary["epochs"] == 2
    for split in ("train", "validation", "test"):
        assert {"loss", "accuracy"} <= summary[split].keys()
    assert summary["seconds"] > 0
    assert summary["samples_per_second"] > 0
    run = Path(summary["run"])
    assert run.parent == tmp_path / "digits.files" / "runs"

    (found,) = shell.json("evaluate", run)
    assert found["metrics"]["accuracy"] == pytest.approx(summary["test"]["accuracy"])
    assert sum(map(sum, found["confusion"])) == 500
    assert shell.json("evaluate", project, "--split", "validation")[0]["samples"] == 4000
    assert "rows are true classes" in shell("evaluate", run).out

    picture = tmp_path / "digit.png"
    pixels = np.zeros((60, 60), np.uint8)
    pixels[10:50, 28:33] = 255
    Image.fromarray(pixels).save(picture)
    (answer,) = shell.json("predict", run, picture)
    assert answer["input"] == str(picture)
    assert answer["kind"] == "classes"
    assert len(answer["answers"]) == 10
    assert sum(item["probability"] for item in answer["answers"]) == pytest.approx(1)
    assert shell("predict", run, picture, "--top", "1").out.count("%") == 1

    said = shell("predict", run, tmp_path / "no.png", picture, "--json")
    assert said.code == 1
    assert "no.png" in said.sentence
    assert len(said.events) == 1


def test_data_that_have_changed_since_are_told(shell: Shell, tmp_path: Path) -> None:
    table = write_table(
        tmp_path / "t.csv", [(i, 2 * i, "ab"[i % 2]) for i in range(60)], "x,y,kind"
    )
    path = project_on(tmp_path / "t.playground", DataSettings("table", {"path": str(table)}))
    run = shell.json("train", path, "--epochs", "1")[-1]["run"]
    assert "not those" not in shell("evaluate", run).out
    with table.open("a") as file:
        file.write("70,140,a\n" * 20)
    assert "samples of the test split may be among those it learnt" in shell("evaluate", run).out


def test_the_same_seed_is_the_same_run(shell: Shell, project: Path, tmp_path: Path) -> None:
    runs = [
        shell.json("train", project, "--seed", seed, "--out", tmp_path / f"run{number}")[-1]
        for number, seed in enumerate(["3", "3", "4"])
    ]
    assert runs[0]["train"] == runs[1]["train"]
    assert runs[0]["test"] == runs[1]["test"]
    assert runs[0]["train"] != runs[2]["train"]


def test_train_an_example_here(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ("--epochs", "1", "--set", "split.validation=3500")
    *_, summary = shell.json("train", "digits-lstm", *words)
    assert summary["run"] == str(tmp_path / "digits-lstm.files" / "runs" / "001")
    assert shell("evaluate", "digits-lstm").code == 0


def test_settings_of_one_run(shell: Shell, project: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    words = ["training.optimizer=sgd", "training.learning_rate=0.02", "node.conv.out_channels=4"]
    words += ["split.test=100", "task.label_smoothing=0.1"]
    sets = [part for word in words for part in ("--set", word)]
    *_, summary = shell.json("train", project, "--out", out, *sets)
    kept = RunFolder(Path(summary["run"])).project()
    assert kept.training.optimizer == "sgd"
    assert kept.training.learning_rate == 0.02
    conv = kept.graph.named("conv")
    assert conv is not None
    assert conv.params["out_channels"] == 4
    assert kept.data.split.test == 100
    assert kept.task.options["label_smoothing"] == 0.1
    assert load(project).training.optimizer == "adam"


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("training.learning_rat=1", "did you mean learning_rate?"),
        ("training.learning_rate=-1", "from 1e-10 to 1,000"),
        ("training.epochs=two", "whole number"),
        ("node.con.out_channels=3", "did you mean conv"),
        ("node.conv.out_chanels=3", "did you mean out_channels?"),
        ("node.conv.kernel_size=3x3x3", "one number or 2"),
        ("data.path=x", "setting of"),
        ("data.source=satellite", "source of data"),
        ("epochs=3", "begins with training."),
        ("training.epochs", "write KEY=VALUE"),
    ],
)
def test_a_wrong_setting_says_what_is_right(
    shell: Shell, project: Path, setting: str, says: str
) -> None:
    said = shell("train", project, "--set", setting)
    assert said.code == 1
    assert says in said.sentence


def test_a_run_is_not_overwritten(shell: Shell, project: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    assert shell("train", project, "--out", out).code == 0
    before = (out / "run.json").read_bytes()
    assert "not empty" in shell("train", project, "--out", out).sentence
    assert (out / "run.json").read_bytes() == before


def test_data_of_another_folder(shell: Shell, tmp_path: Path) -> None:
    random.seed(0)
    rows = [(random.gauss(0, 1), random.gauss(0, 1)) for _ in range(120)]
    labelled = [(a, b, "high" if a + b > 0 else "low") for a, b in rows]
    first = write_table(tmp_path / "first.csv", labelled, "a,b,label")
    second = write_table(tmp_path / "second.csv", [(a, b, a - b) for a, b in rows], "a,b,value")
    data = DataSettings("table", {"path": first.name})
    project = project_on(tmp_path / "table.playground", data, epochs=1)
    assert shell("train", project).code == 0
    (found,) = shell.json("evaluate", project, "--data", first)
    assert found["split"] == "all"
    assert found["samples"] == 120
    assert "--fit" in shell("train", project, "--data", second).sentence
    run = shell.json("train", project, "--data", second, "--fit")[-1]
    assert "mae" in run["test"]
    assert run["baseline"]["mae"] > 0
    answers = shell.json("predict", run["run"], second, "0.5, 1")
    assert len(answers) == 121
    assert answers[0]["input"] == f"{second}:1"
    assert isinstance(answers[-1]["value"], float)


def test_other_data_are_prepared_as_those_of_the_training(shell: Shell, tmp_path: Path) -> None:
    random.seed(0)
    rows = [(a := random.gauss(0, 1), 2 * a) for _ in range(200)]
    write_table(tmp_path / "first.csv", rows, "a,value")
    shifted = [(a, value) for a, value in rows if a > 0.5]
    second = write_table(tmp_path / "second.csv", shifted, "a,value")
    data = DataSettings("table", {"path": "first.csv"})
    project = project_on(tmp_path / "t.playground", data, epochs=20, learning_rate=0.01)
    assert shell("train", project).code == 0
    (found,) = shell.json("evaluate", project, "--data", second)
    answers = shell.json("predict", project, *(f"a={a}" for a, _ in shifted))
    errors = [abs(row["value"] - value) for row, (_, value) in zip(answers, shifted, strict=True)]
    assert found["metrics"]["mae"] == pytest.approx(np.mean(errors), rel=1e-3)


def test_other_pictures_are_evaluated_in_the_size_of_the_training(
    shell: Shell, tmp_path: Path
) -> None:
    for folder, size, mode in (("first", (16, 16), "RGB"), ("second", (40, 30), "L")):
        for index in range(12):
            path = tmp_path / folder / "ab"[index % 2] / f"{index}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new(mode, size, (index % 2 * 200,) * len(mode)).save(path)
    project = project_on(tmp_path / "p.playground", DataSettings("images", {"path": "first"}))
    assert shell("train", project).code == 0
    (found,) = shell.json("evaluate", project, "--data", tmp_path / "second")
    assert found["samples"] == 12
    for index in range(5):
        (tmp_path / "second" / "a" / f"bad{index}.png").write_text("no picture")
    note, found = shell.json("evaluate", project, "--data", tmp_path / "second")
    assert note["text"].startswith("5 files or rows were skipped: bad0.png ")
    assert note["text"].endswith("; and 2 more")
    assert found["samples"] == 12


def test_fit_gives_another_network_where_the_project_s_cannot_be_fitted(
    shell: Shell, tmp_path: Path
) -> None:
    for index in range(10):
        pixels = np.zeros((16, 16), np.uint8)
        pixels[2 : 4 + index, 3:9] = 1
        for folder, values in (("images", 99 * pixels), ("masks", pixels)):
            (tmp_path / "set" / folder).mkdir(parents=True, exist_ok=True)
            Image.fromarray(values).save(tmp_path / "set" / folder / f"{index}.png")
    words = ("train", "digits-cnn", "--data", tmp_path / "set", "--epochs", "1")
    out = tmp_path / "run"
    said = shell.json(*words, "--fit", "--out", out)
    assert "mean_iou" in said[-1]["test"]
    assert any("a first network for the data" in e["text"] for e in said if e["event"] == "note")
    assert RunFolder(out).project().task.id == "segmentation"
    table = write_table(tmp_path / "t.csv", [(i, 2 * i) for i in range(40)], "x,y")
    words = ("train", "digits-cnn", "--data", table, "--epochs", "1")
    said = shell.json(*words, "--fit", "--out", tmp_path / "other")
    assert "mae" in said[-1]["test"]


# --- interruption ---------------------------------------------------------------------------------


def test_standard_streams_that_are_closed() -> None:
    """What is opened next does not take their place."""
    script = """if True:
        import os, sys
        for number in range(3):
            os.close(number)
        sys.stdin = sys.stdout = sys.stderr = None
        from playground.cli import main
        done = main(["examples"])
        os._exit(done if os.open(os.devnull, os.O_RDONLY) > 2 else 9)"""
    assert subprocess.run([sys.executable, "-c", script]).returncode == 0


def test_interrupted_while_it_is_imported() -> None:
    """And where another program imports it, Ctrl+C stays that program's."""
    # a program that was started in the background of a shell may ignore the signal
    lines = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "import playground; signal.raise_signal(signal.SIGINT)"
    )
    for name, code, text in (("bin/playground", 130, "error: interrupted\n"), ("other", 0, "")):
        script = (
            f"import sys; sys.argv = [{name!r}]\ntry:\n {lines}\nexcept KeyboardInterrupt: pass"
        )
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (code, text)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_with_a_checkpoint(
    shell: Shell, project: Path, tmp_path: Path, number: signal.Signals
) -> None:
    out = tmp_path / "run"
    words = ["train", str(project), "--out", str(out), "--json"]
    started = subprocess.Popen(
        [sys.executable, "-m", "playground", *words, "--epochs", "100000"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert started.stdout is not None
    while '"event": "epoch"' not in started.stdout.readline():
        assert started.poll() is None
    time.sleep(0.05)
    started.send_signal(number)
    rest, errors = started.communicate(timeout=60)
    assert started.returncode == 130
    assert "Traceback" not in errors
    assert json.loads(rest.splitlines()[-1])["event"] == "interrupted"
    assert RunFolder(out).has("last")
    reached = int(RunFolder(out).info()["epochs"])
    assert shell("predict", out, "nothing.png").code == 1
    *_, summary = shell.json(*words[:-1], "--resume", "--epochs", str(reached + 2))
    assert summary["event"] == "finished"
    assert summary["epochs"] == reached + 2


def test_resume_of_nothing(shell: Shell, project: Path) -> None:
    assert "no unfinished run" in shell("train", project, "--resume").sentence
    assert "keeps its data" in shell("train", project, "--resume", "--seed", "1").sentence


# --- bad input ------------------------------------------------------------------------------------


def _document(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text())
    return document


def _changed(path: Path, change: Any) -> None:
    document = _document(path)
    change(document)
    path.write_text(json.dumps(document))


def _node(document: dict[str, Any], number: int) -> dict[str, Any]:
    node: dict[str, Any] = document["graph"]["nodes"][number]
    return node


def _cycle(document: dict[str, Any]) -> None:
    ends = [_node(document, 3)["id"], "output"], [_node(document, 1)["id"], "input"]
    document["graph"]["edges"].append({"from": ends[0], "to": ends[1]})


HOSTILE: dict[str, tuple[Any, str]] = {
    "unknown layer": (lambda d: _node(d, 1).update(layer="conv9d"), "conv9d"),
    "cycle": (_cycle, "cycle"),
    "out of range": (lambda d: _node(d, 1)["params"].update(out_channels=0), "conv: Channels"),
    "not a number": (lambda d: _node(d, 1)["params"].update(out_channels="x"), "whole number"),
    "too large": (
        lambda d: [_node(d, n)["params"].update(out_channels=65536) for n in (1, 4)],
        "too large",
    ),
    "name": (lambda d: _node(d, 1).update(name="x; import os"), "cannot be a name"),
    "run outside": (lambda d: d.update(run="../../.ssh"), "outside"),
    "version": (lambda d: d.update(format_version=99), "newer version"),
    "rate": (lambda d: d["training"].update(learning_rate=-1), "Learning rate"),
    "source": (lambda d: d["data"].update(source="telepathy"), "telepathy"),
    "task": (lambda d: d["task"].update(id="poetry"), "poetry"),
    "file": (lambda d: d.update(data={"source": "table", "options": {"path": "no.csv"}}), "no.csv"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_bad_project_costs_one_sentence(shell: Shell, project: Path, what: str) -> None:
    change, says = HOSTILE[what]
    _changed(project, change)
    before = project.read_bytes()
    said = shell("train", project)
    assert said.code == 1
    assert says in said.sentence
    assert project.read_bytes() == before
    assert not list_runs(project.with_suffix(".files"))


@pytest.mark.parametrize(
    "content",
    [b"", b"hello", b"[1, 2]", b'{"format_version": 1, "graph": {', bytes(range(256)),
     b'{"format_version":1,"x":' + b"[" * 50_000, b'{"format_version": NaN}'],
)  # fmt: skip
def test_what_is_no_project(shell: Shell, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "foreign.playground"
    path.write_bytes(content)
    for command in ("check", "train"):
        said = shell(command, path)
        assert said.code == 1
        assert "foreign.playground cannot be opened" in said.sentence


TABLES: dict[str, tuple[str | bytes, str]] = {
    "mixed types": ("a,b,label\n" + "1,2,x\nfoo,3,y\n4,5,x\n6,7,y\n" * 9, "foo"),
    "one class": ("a,b,label\n" + "1,2,x\n" * 30, "one class only"),
    "no rows": ("a,b,label\n", "no rows"),
    "nothing": ("", "empty"),
    "no text": (bytes(range(256)) * 9, "NUL"),
    "ragged": ("a,b,label\n1,2,x\n1,2,3,y\n", "row 3"),
}


@pytest.mark.parametrize("what", TABLES)
def test_a_bad_table_costs_one_sentence(shell: Shell, tmp_path: Path, what: str) -> None:
    good = write_table(
        tmp_path / "good.csv", [(n, -n, "xy"[n % 2]) for n in range(40)], "a,b,label"
    )
    data = DataSettings("table", {"path": good.name})
    project = project_on(tmp_path / "table.playground", data, epochs=1)
    content, says = TABLES[what]
    bad = tmp_path / "bad.csv"
    bad.write_bytes(content if isinstance(content, bytes) else content.encode())
    said = shell("train", project, "--data", bad)
    assert said.code == 1
    assert says in said.sentence
    assert "bad.csv" in said.sentence


def test_no_such_example(shell: Shell) -> None:
    assert "digits-cnn" in shell("train", "digits-cmm").sentence


def test_a_batch_larger_than_the_data(shell: Shell, project: Path) -> None:
    assert shell("train", project, "--set", "training.batch_size=100000").code == 0


def test_what_is_no_run(shell: Shell, project: Path, tmp_path: Path) -> None:
    for command in (["evaluate"], ["predict", "x.png"], ["export", "--to", "onnx", "-o", "x.onnx"]):
        words = [command[0], "WHERE", *command[1:]]
        for where in (tmp_path / "nothing", tmp_path, project, Path(__file__)):
            said = shell(*[str(where) if word == "WHERE" else word for word in words])
            assert said.code == 1
            assert said.sentence


def test_a_stranger_s_run_writes_nothing_elsewhere(shell: Shell, project: Path) -> None:
    run = Path(shell.json("train", project)[-1]["run"])
    weights = run / "best" / "weights.safetensors"
    for content in (b"", b"\xff" * 64, weights.read_bytes()[:200]):
        weights.write_bytes(content)
        assert "weights.safetensors" in shell("evaluate", run).sentence
    weights.unlink()
    weights.symlink_to(project)
    assert shell("evaluate", run).code == 1


def test_example_on_data_of_ones_own(shell: Shell, tmp_path: Path) -> None:
    rows = [[n, n % 5, "ab"[n % 2]] for n in range(40)]
    table = write_table(tmp_path / "own.csv", rows, "x,y,label")
    words = ("train", "digits-cnn", "--data", table, "--epochs", 1, "--out", tmp_path / "run")
    assert "--fit" in shell(*words).sentence


def test_other_series_do_not_keep_the_test_file(shell: Shell, tmp_path: Path) -> None:
    rows = [["ab"[n % 2], *(n + step for step in range(30))] for n in range(40)]
    header = ",".join(["label", *(f"t{step}" for step in range(30))])
    table = write_table(tmp_path / "own.csv", rows, header)
    words = ("train", "gunpoint-cnn", "--data", table, "--epochs", 1, "--out", tmp_path / "run")
    *_, summary = shell.json(*words, "--fit")
    assert summary["test"] == {} or np.isfinite(summary["test"]["loss"])


@pytest.mark.parametrize("key", ["task", "data"])
def test_unknown_parts_are_named_by_check(shell: Shell, project: Path, key: str) -> None:
    document = _document(project)
    document[key] = {"task": {"id": "sorcery"}, "data": {"source": "sorcery"}}[key]
    project.write_text(json.dumps(document))
    assert "'sorcery'; known: " in shell("check", project).sentence


def test_export_over_its_own_weights(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="name of the weights"):
        export(tmp_path, "python", tmp_path / "model.safetensors")
