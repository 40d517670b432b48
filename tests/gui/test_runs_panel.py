"""The runs panel: what is listed, and loading, continuing, deleting and bringing back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from playground.messages import Loaded, State, Status
from playground.runs import RunFolder, RunSummary
from tests.gui.insight_kit import DIGITS, opened, post
from ui.document import Notice
from ui.runs.listing import (
    Row,
    difference_text,
    differing,
    read_rows,
    result_text,
    time_text,
    when_text,
)
from ui.runs.panel import RunsPanel
from ui.session import Session

Wait = Callable[..., None]


@pytest.fixture
def session(app: QApplication) -> Iterator[Session]:
    session = opened(DIGITS)
    yield session
    session.close()


def make_run(session: Session, name: str, *, state: str = "finished", **training: object) -> Path:
    """A run folder as the trainer leaves it, without weights."""
    path = session.files / "runs" / name
    project = replace(session.project, training=session.project.training.replace(**training))
    run = RunFolder.create(path)
    run.freeze(project)
    result = {"validation": {"loss": 0.1, "accuracy": 0.9 + int(name) / 100}}
    run.update(
        state=state, epochs=3, best_epoch=2, metric="accuracy", result=result, seconds=12.0,
        message="It ended well.",
    )  # fmt: skip
    if state != "finished":
        (path / "last").mkdir()
        (path / "last" / "weights.safetensors").write_bytes(b"")
    return path


def shown(session: Session, wait: Wait, count: int) -> RunsPanel:
    panel = RunsPanel(session)
    panel.resize(1200, 320)
    panel.show()
    wait(lambda: panel.table.rowCount() == count)
    return panel


def cells(panel: RunsPanel, row: int) -> list[str]:
    return [panel.table.item(row, column).text() for column in range(panel.table.columnCount())]


def test_without_runs_it_says_what_they_are(session: Session, wait: Wait) -> None:
    panel = shown(session, wait, 0)
    assert panel.empty.isVisible()
    panel.empty._clicked()
    assert session.worker.named("train")


def test_runs_are_listed_the_newest_first(session: Session, wait: Wait) -> None:
    make_run(session, "001", batch_size=64)
    make_run(session, "002", state="failed", optimizer="sgd")
    panel = shown(session, wait, 2)
    newest, oldest = cells(panel, 0), cells(panel, 1)
    assert newest[0] == "002"
    assert newest[2] == "failed"
    assert newest[4] == "accuracy 92.0 % (validation)"
    assert newest[5] == "12 s"
    assert newest[6] == "batch size 32, SGD"
    assert oldest[6] == "batch size 64, Adam"
    assert panel.told.whole() == "It ended well."


def test_a_damaged_run_is_listed_with_its_problem(session: Session, wait: Wait) -> None:
    path = make_run(session, "001")
    (path / "run.json").write_text("{")
    make_run(session, "002")
    panel = shown(session, wait, 2)
    assert "is no run that can be read: run.json" in cells(panel, 1)[4]
    panel.table.selectRow(1)
    assert not panel.load.isEnabled()
    assert panel.delete.isEnabled()


def test_loading_weights(session: Session, wait: Wait) -> None:
    path = make_run(session, "001")
    make_run(session, "002")
    panel = shown(session, wait, 2)
    panel.table.selectRow(1)
    QTest.mouseClick(panel.load, Qt.MouseButton.LeftButton)
    assert session.worker.named("load_run")[-1] == (path,)
    assert session.project.run == "runs/001"
    post(session, Loaded(path, "run 001: 3 epochs"))
    wait(lambda: cells(panel, 1)[0].endswith("shown"))
    assert panel.told.whole() in ("run 001: 3 epochs", "It ended well.")


def test_continuing_an_interrupted_run(session: Session, wait: Wait) -> None:
    path = make_run(session, "001", state="running")
    panel = shown(session, wait, 1)
    assert cells(panel, 0)[2] == "interrupted"
    QTest.mouseClick(panel.resume, Qt.MouseButton.LeftButton)
    assert session.worker.named("train")[-1][-2] == path
    assert not panel.load.isEnabled()


def test_a_finished_run_cannot_be_continued(session: Session, wait: Wait) -> None:
    make_run(session, "001")
    assert not shown(session, wait, 1).resume.isEnabled()


def test_deleting_and_bringing_back(session: Session, wait: Wait) -> None:
    notices: list[Notice] = []
    session.notice.connect(notices.append)
    path = make_run(session, "001")
    before = (path / "run.json").read_text()
    panel = shown(session, wait, 1)
    panel.table.setFocus()
    QTest.keyClick(panel, Qt.Key.Key_Delete)
    wait(lambda: panel.table.rowCount() == 0)
    assert not path.exists()
    assert notices[-1].action is not None
    notices[-1].action[1]()
    wait(lambda: panel.table.rowCount() == 1)
    assert (path / "run.json").read_text() == before
    panel.delete_run()
    make_run(session, "001")
    notices[-1].action[1]()
    assert "could not be brought back" in notices[-1].text


def test_deleted_runs_are_gone_when_opened_again(session: Session, wait: Wait) -> None:
    make_run(session, "001")
    panel = shown(session, wait, 1)
    panel.delete_run()
    aside = session.files / "deleted runs"
    assert (aside / "001").is_dir()
    session.project_changed.emit()
    wait(lambda: not aside.exists())


def test_the_list_follows_runs(session: Session, wait: Wait) -> None:
    panel = shown(session, wait, 0)
    session.run()
    make_run(session, "001")
    post(session, Status(State.RUNNING))
    post(session, Status(State.FINISHED))
    wait(lambda: panel.table.rowCount() == 1)


def test_a_changed_network_is_named(session: Session) -> None:
    from models import edits

    make_run(session, "001")
    graph = edits.set_params(
        session.graph, session.graph.of_layer("linear")[0].id, {"out_features": 7}
    )
    (row,) = read_rows(session.files, graph)
    assert not row.same_graph
    assert difference_text(row, differing([row])) == "another network"


def test_a_run_without_a_project_is_survived(session: Session) -> None:
    path = make_run(session, "001")
    (path / "project.json").write_text("[]")
    (row,) = read_rows(session.files, session.graph)
    assert row.settings == {}
    assert difference_text(row, ["epochs"]) == ""


def test_words_for_results_and_times() -> None:
    summary = RunSummary(Path("x"), "x", result={"test": {"mae": 1.5}}, metric="mae")
    assert result_text(summary) == "MAE 1.500 (test)"
    assert result_text(RunSummary(Path("x"), "x")) == ""
    assert [time_text(s) for s in (1.25, 42, 185, 7800)] == [
        "1.2 s",
        "42 s",
        "3 min 5 s",
        "2 h 10 min",
    ]
    now = datetime(2024, 5, 3, 18, 0)
    assert when_text("2024-05-03T14:03:00", now) == "today 14:03"
    assert when_text("2023-05-03T14:03:00", now) == "3 May 2023 14:03"
    assert when_text("nonsense", now) == ""
    assert json.dumps(differing([Row(summary, {}, True)])) == "[]"
