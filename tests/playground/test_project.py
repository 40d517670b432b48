"""Project files: the same bytes each time, nothing lost, nothing run, nothing half written."""

import json
import os
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import edits
from models.graph import Edge, Graph
from models.shapes import infer
from playground import project as projects
from playground.project import (
    DataSettings,
    Project,
    ProjectError,
    SplitSettings,
    TaskSettings,
    dumps,
    loads,
)


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch):
    monkeypatch.setenv("PLAYGROUND_STATE", str(tmp_path / "state"))


def small_graph():
    graph, image = edits.add_node(Graph(), "input", (0, 0), name="image")
    graph, conv = edits.add_node(graph, "conv2d", (192, 0), params={"out_channels": 8})
    return edits.connect(graph, Edge(image, "output", conv, "input"))


def sample():
    return Project(
        name="Zürich · 数字",
        graph=small_graph(),
        data=DataSettings("table", {"path": "data/a b.csv", "window": 3}, SplitSettings(10, 0.5)),
        task=TaskSettings("forecast", {"loss": "mae"}),
        view={"zoom": 1.5, "tabs": ["Live", {"open": [True, None]}]},
        run="runs/003",
    )


def document(**changes):
    data = json.loads(dumps(sample()))
    data.update(changes)
    return json.dumps(data)


# --- text -----------------------------------------------------------------------------------------


def test_text_and_back():
    text = dumps(sample())
    assert loads(text) == sample()
    assert dumps(loads(text)) == text
    assert text.endswith("}\n")
    assert '"sizes"' not in text  # defaults of layers are not repeated
    assert '      {"from": ["n1", "output"], "to": ["n2", "input"]}\n' in text
    assert '"position": [192, 0]' in text


def test_unknown_keys_are_kept_where_they_were():
    data = json.loads(dumps(sample()))
    data["later"] = {"a": [1, {"b": 2}]}
    data["data"]["filter"] = "x > 3"
    data["data"]["split"]["groups"] = ["a"]
    data["task"]["decoder"] = {"beam": 4}
    data["training"]["swa"] = True
    data["graph"]["notes"] = ["n"]
    data["graph"]["nodes"][1]["colour"] = "red"
    project = loads(json.dumps(data))
    assert json.loads(dumps(project)) == data
    changed = replace(
        project, data=replace(project.data, options={**project.data.options, "window": 9})
    )
    written = json.loads(dumps(changed))
    assert written["data"]["options"]["window"] == 9
    assert written["data"]["split"]["groups"] == ["a"]
    assert dumps(loads(dumps(project))) == dumps(project)


def test_unknown_layers_and_sources_are_kept():
    data = json.loads(dumps(sample()))
    data["graph"]["nodes"][1]["layer"] = "hologram"
    data["data"]["source"] = "telepathy"
    project = loads(json.dumps(data))
    assert project.graph.nodes["n2"].layer == "hologram"
    assert not infer(project.graph).ok
    assert json.loads(dumps(project)) == data


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"), max_size=10),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=8), JSON, max_size=4))
def test_any_view_and_options_survive(values):
    project = replace(
        sample(), view=values, data=DataSettings("table", values), extra={"later": values}
    )
    text = dumps(project)
    assert dumps(loads(text)) == text
    assert json.loads(text) == json.loads(json.dumps(project.to_json()))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "it is empty"),
        ("hello", "line 1: "),
        ('{"format_version": 1,\n"graph": {}\n,}', "line 3: "),
        ("[]", "not an object"),
        ("{}", "format_version is missing"),
        ('{"format_version": "1"}', "format_version is missing"),
        ('{"format_version": true}', "format_version is missing"),
        ('{"format_version": 2, "graph": {}}', "newer version"),
        ('{"format_version": 1}', "it has no graph"),
        ('{"format_version": 1, "graph": {}, "a": NaN}', "NaN"),
        ('{"format_version": 1, "graph": {}, "a": 1e999}', "too large"),
        ('{"format_version": 1, "graph": {}, "a": ' + "9" * 5000 + "}", "too large"),
        ('{"format_version": 1, "graph": {}, "a": 1, "a": 2}', "'a' is there twice"),
        ('{"format_version": 1, "graph": {}, "name": "\\ud800"}', "broken character"),
        ("[" * 200_000, "nested too deeply"),
        ('{"format_version": 1, "a": ' + "[" * 150 + "]" * 150 + "}", "nested too deeply"),
        (document(name=3), "name is a text"),
        (document(view=[]), "view: it is an object"),
        (document(data={"source": 3}), "data: "),
        (document(task={}), "task: "),
        (document(training={"epochs": -1}), "training: Epochs is from 1"),
        (document(training={"optimizer": "magic"}), "training: Optimizer is one of"),
        (document(graph={"nodes": [{"id": "n1", "name": "a b", "layer": "relu"}]}), "'a b' cannot"),
        (document(graph={"nodes": 3}), "graph: nodes is a list"),
        (document(run="../../etc"), "outside the project's files"),
        (document(run="/etc"), "outside the project's files"),
        (document(run="C:\\windows"), "outside the project's files"),
        (document(run=3), "run is the name of a folder"),
    ],
)
def test_foreign_and_damaged_documents_are_explained(text, words):
    with pytest.raises(ProjectError) as caught:
        loads(text)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


@settings(max_examples=200)
@given(st.data())
def test_changed_documents_are_read_or_explained(data):
    text = dumps(sample())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text)))
        width = data.draw(st.integers(0, 12))
        text = text[:at] + data.draw(st.text(max_size=3)) + text[at + width :]
    try:
        project = loads(text)
    except ProjectError:
        return
    assert dumps(loads(dumps(project))) == dumps(project)
    infer(project.graph)


# --- files ----------------------------------------------------------------------------------------


def test_save_and_load(tmp_path):
    path = tmp_path / "a.playground"
    projects.save(sample(), path)
    assert projects.load(path) == sample()
    assert path.read_bytes() == dumps(sample()).encode()
    assert [item.name for item in tmp_path.iterdir() if item.is_file()] == ["a.playground"]
    assert projects.files_folder(path) == tmp_path / "a.files"
    assert projects.files_folder(tmp_path / "b.json") == tmp_path / "b.json.files"


def test_permissions_and_links_are_kept(tmp_path):
    path = tmp_path / "a.playground"
    projects.save(sample(), path)
    path.chmod(0o640)
    link = tmp_path / "link.playground"
    link.symlink_to(path)
    projects.save(projects.empty(), link)
    assert link.is_symlink()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert projects.load(path).name == "Untitled"


def test_a_failed_save_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "a.playground"
    projects.save(sample(), path)

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ProjectError, match="cannot be written: No space left on device"):
        projects.save(projects.empty(), path)
    monkeypatch.undo()
    assert projects.load(path) == sample()
    assert [item.name for item in tmp_path.iterdir() if item.is_file()] == ["a.playground"]


def test_what_cannot_be_written_is_explained(tmp_path):
    with pytest.raises(ProjectError, match="does not exist"):
        projects.save(sample(), tmp_path / "none" / "a.playground")
    with pytest.raises(ProjectError, match="cannot be written"):
        projects.save(replace(sample(), view={"x": float("nan")}), tmp_path / "a.playground")
    assert not list(tmp_path.glob("*.playground"))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\x89PNG\0\xff", "it is no text"),
        (b"{", "line 1"),
        (b" " * ((32 << 20) + 1), "larger than 32 MiB"),
    ],
)
def test_files_that_are_no_projects_are_explained(tmp_path, content, words):
    path = tmp_path / "a.playground"
    path.write_bytes(content)
    with pytest.raises(ProjectError) as caught:
        projects.load(path)
    assert words in str(caught.value)
    assert "a.playground" in str(caught.value)


def test_missing_files_and_folders_are_explained(tmp_path):
    with pytest.raises(ProjectError, match="does not exist"):
        projects.load(tmp_path / "none.playground")
    with pytest.raises(ProjectError, match="is a folder"):
        projects.load(tmp_path)


def test_a_run_stays_inside_the_projects_files(tmp_path):
    path = tmp_path / "a.playground"
    (tmp_path / "a.files" / "runs" / "003").mkdir(parents=True)
    assert projects.run_folder(sample(), path) == tmp_path / "a.files" / "runs" / "003"
    assert projects.run_folder(replace(sample(), run="runs/004"), path) is None
    assert projects.run_folder(replace(sample(), run=None), path) is None
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "a.files" / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ProjectError, match="lies outside"):
        projects.run_folder(replace(sample(), run="link"), path)


# --- recovery -------------------------------------------------------------------------------------


def test_work_of_a_living_process_is_not_recovered():
    projects.autosave(sample(), None)
    assert projects.recoverable() == []
    projects.discard_autosave()
    projects.discard_autosave()


@pytest.mark.parametrize("path", [None, "/somewhere/a.playground"])
def test_work_of_a_killed_process_is_recovered(path):
    script = f"""
import os, signal
from pathlib import Path
from dataclasses import replace
from playground import project as projects
for name in ("first", "second"):
    path = {path!r}
    projects.autosave(replace(projects.empty(), name=name), path and Path(path))
os.kill(os.getpid(), signal.SIGKILL)
"""
    subprocess.run([sys.executable, "-c", script], env=dict(os.environ), timeout=60, check=False)
    [found] = projects.recoverable()
    assert found.name == "second"
    assert found.path == (None if path is None else Path(path))
    assert found.load() == replace(projects.empty(), name="second")
    found.discard()
    assert projects.recoverable() == []


def test_damaged_copies_are_passed_over(tmp_path):
    folder = tmp_path / "state" / "autosave"
    folder.mkdir(parents=True)
    (folder / "1-a.playground").write_text("{")
    (folder / "2-b.playground").write_text('{"autosave": {}, "project": 3}')
    (folder / "3-c.playground").write_bytes(b"\xff\xfe")
    assert projects.recoverable() == []


# --- examples -------------------------------------------------------------------------------------


def test_the_examples():
    found = projects.examples()
    assert [example.id for example in found] == [
        "digits-cnn",
        "digits-lstm",
        "digits-hybrid",
        "airline-lstm",
        "gunpoint-cnn",
        "gunpoint-bilstm",
        "moving-shapes",
        "shapes-detector",
        "surnames-lstm",
        "sentiment-bigru",
        "spoken-words-cnn",
        "spoken-words-gru",
        "spoken-words-stream",
    ]
    with pytest.raises(ProjectError, match="no example 'x'"):
        projects.open_example("x")


@pytest.mark.parametrize("example", projects.examples(), ids=lambda example: example.id)
def test_an_example_is_a_canonical_document_of_a_network_that_fits_its_data(example, tmp_path):
    from playground.data import open_data
    from playground.starter import propose

    project = projects.open_example(example.id)
    assert dumps(project) == example.path.read_text(encoding="utf-8")
    assert example.title == project.name
    assert example.summary.endswith(".")
    report = infer(project.graph)
    assert report.ok, report.sentence(project.graph)
    assert report.used == set(project.graph.nodes)
    assert propose(project.graph, open_data(project.data, tmp_path), report) == []
    places = {node.position for node in project.graph.nodes.values()}
    assert len(places) == len(project.graph.nodes)


def test_an_empty_project_has_data():
    assert not infer(projects.empty().graph).ok
    assert projects.empty().data.source == "digits"
