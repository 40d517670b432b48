"""The session: edits and their undoing, files, the run's states, and what the worker is asked."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication

from models import edits
from models.graph import Graph
from playground import project as projects
from playground.messages import (
    DataFailed,
    Estimate,
    Failure,
    Forgotten,
    History,
    Progress,
    Snapshot,
    State,
    Status,
)
from playground.runs import RunFolder
from tests.gui.doubles import (
    NotingWorker,
    give_data,
    run_path,
    small_dataset,
    small_graph,
    small_project,
)
from ui.session import Notice, Session, same_network

LINEAR = "n3"


@pytest.fixture
def worker() -> NotingWorker:
    return NotingWorker()


@pytest.fixture
def session(app: QApplication, worker: NotingWorker) -> Iterator[Session]:
    session = Session(worker)
    session.new(small_project())
    session.bridge.drain()
    yield session
    session.close()
    assert worker.closed


@pytest.fixture
def notices(session: Session) -> list[Notice]:
    told: list[Notice] = []
    session.notice.connect(told.append)
    return told


def units(session: Session, number: int) -> Graph:
    return edits.set_params(session.graph, LINEAR, {"out_features": number})


def say(session: Session, state: State, **values: object) -> None:
    session.worker.mailbox.post(Status(state, **values))
    session.bridge.drain()


# --- edits ----------------------------------------------------------------------------------------


def test_an_edit_reaches_graph_project_and_report(session: Session) -> None:
    seen: list[int] = []
    session.graph_changed.connect(lambda: seen.append(session.report.parameters))
    session.edit("Units", units(session, 5))
    assert session.graph.nodes[LINEAR].params["out_features"] == 5
    assert session.project.graph is session.graph
    assert seen == [64 * 5 + 5]
    assert session.dirty


def test_undo_gives_the_very_same_document(session: Session) -> None:
    before = session.graph
    session.edit("Units", units(session, 5))
    session.undo.undo()
    assert session.graph is before
    assert not session.dirty
    session.undo.redo()
    assert session.graph.nodes[LINEAR].params["out_features"] == 5


def test_edits_with_one_key_are_one_step(session: Session) -> None:
    before = session.graph
    for number in (6, 60, 601):
        session.edit("Units", units(session, number), merge="units n3")
    assert session.undo.count() == 1
    session.undo.undo()
    assert session.graph is before


def test_an_edit_taken_back_by_hand_leaves_no_step(session: Session) -> None:
    session.edit("Units", units(session, 5), merge="units")
    session.edit("Units", units(session, 3), merge="units")
    assert session.undo.count() == 0
    assert not session.dirty


def test_nothing_changed_is_no_step(session: Session) -> None:
    session.edit("Nothing", replace(session.graph))
    assert session.undo.count() == 0


def test_many_edits_undone_and_redone(session: Session) -> None:
    chance = random.Random(0)
    documents = [session.graph]
    for number in range(300):
        key = f"key {chance.randrange(3)}" if chance.random() < 0.3 else None
        before = session.undo.count()
        session.edit("Units", units(session, 10 + number), merge=key)
        if session.undo.count() == before:
            documents[-1] = session.graph
        else:
            documents.append(session.graph)
    for document in reversed(documents):
        assert session.graph == document
        session.undo.undo()
    for document in documents[1:]:
        session.undo.redo()
        assert session.graph == document


def test_a_selection_forgets_what_is_gone(session: Session) -> None:
    session.select([LINEAR, "n2", "nothing"])
    assert session.selection == (LINEAR, "n2")
    session.edit("Delete", edits.remove(session.graph, [LINEAR]))
    assert session.selection == ("n2",)


# --- settings and data ----------------------------------------------------------------------------


def test_settings_are_announced_once_and_make_dirty(session: Session) -> None:
    seen: list[int] = []
    session.settings_changed.connect(lambda: seen.append(session.project.training.epochs))
    session.set_training(epochs=7)
    session.set_training(epochs=7)
    assert seen == [7]
    assert session.dirty


def test_data_are_opened_and_the_sample_stays_within_them(session: Session) -> None:
    worker = session.worker
    assert worker.named("open_data")[0][0] == session.project.data
    give_data(session)
    session.set_sample(14)
    assert session.sample == 2
    session.set_sample(-1)
    assert session.sample == 11
    assert session.project.view["sample"] == 11
    give_data(session, small_dataset(10))
    assert session.sample == 9


def test_data_that_are_no_longer_wanted_are_not_taken(session: Session) -> None:
    wanted = session.project.data
    session.set_data(replace(wanted, source="series"))
    session.worker.mailbox.post(DataFailed("too late", wanted))
    session.bridge.drain()
    assert session.data_message != "too late"


def test_data_that_cannot_be_opened_are_told_with_a_way_out(
    session: Session, notices: list[Notice]
) -> None:
    session.worker.mailbox.post(DataFailed("digits.png is missing", session.project.data))
    session.bridge.drain()
    assert notices[-1].text == "digits.png is missing"
    assert notices[-1].action is not None
    assert session.data_message == "digits.png is missing"


def test_looks_are_gathered(
    session: Session, worker: NotingWorker, wait: Callable[..., None]
) -> None:
    give_data(session)
    wait(lambda: worker.named("look"))
    worker.calls.clear()
    for number in range(20):
        session.edit("Units", units(session, 10 + number))
    session.watch("live", {(LINEAR, "output")})
    session.watch("canvas", {("n2", "output")})
    wait(lambda: worker.named("look"))
    assert len(worker.named("look")) == 1
    project, _dataset, sample, wanted = worker.named("look")[0][:4]
    assert project.graph is session.graph
    assert sample == session.sample
    assert wanted == {(LINEAR, "output"), ("n2", "output")}


# --- the run --------------------------------------------------------------------------------------


def test_a_run_needs_data_and_a_whole_network(session: Session, notices: list[Notice]) -> None:
    session.cancel_data()
    session.run()
    assert notices[-1].level == "warn"
    give_data(session)
    session.edit("Delete", replace(session.graph, edges=session.graph.edges[:1]))
    session.run()
    assert notices[-1].level == "warn"
    assert session.worker.named("train") == []


def test_a_run_that_is_asked_for_too_soon_begins_when_the_data_are_read(
    session: Session, worker: NotingWorker, notices: list[Notice]
) -> None:
    session.run()
    session.run()
    assert notices[-1].level == "info"
    assert "by itself" in notices[-1].text
    assert worker.named("train") == []
    session.worker.mailbox.post(DataFailed("digits.png is missing", session.project.data))
    session.bridge.drain()
    give_data(session)
    assert worker.named("train") == []
    session.set_data(replace(session.project.data, options={"count": 7}), later=True)
    opened = len(worker.named("open_data"))
    session.step()
    assert len(worker.named("open_data")) == opened + 1
    give_data(session)
    assert len(worker.named("train")) == 1
    assert worker.named("step") == [()]
    give_data(session)
    assert len(worker.named("train")) == 1


def test_run_pause_step_stop(session: Session, worker: NotingWorker) -> None:
    give_data(session)
    session.toggle()
    assert session.state is State.PREPARING
    project, _dataset, files = worker.named("train")[0][:3]
    assert project is session.project
    assert files == session.files
    session.toggle()
    assert len(worker.named("train")) == 1
    say(session, State.RUNNING, device="CPU")
    session.toggle()
    assert worker.named("pause") == [()]
    say(session, State.PAUSED)
    session.step()
    assert worker.named("step") == [()]
    session.toggle()
    assert worker.named("resume") == [()]
    say(session, State.RUNNING)
    session.stop()
    assert worker.named("stop") == [()]
    say(session, State.FINISHED)
    assert not session.busy


def test_a_run_goes_on_with_the_network_it_began_with(
    session: Session, worker: NotingWorker, tmp_path: Path
) -> None:
    give_data(session)
    begun = session.graph
    run = RunFolder.create(tmp_path / "001")
    run.freeze(session.project)
    session.edit("Units", units(session, 5))
    session.resume_run(run.path)
    project, _dataset, _files, resumed = worker.named("train")[0][:4]
    assert resumed == run.path
    assert same_network(project.graph, begun)
    assert session.running_graph is project.graph
    assert not same_network(session.graph, begun)


def test_the_learning_rate_reaches_the_run(session: Session, worker: NotingWorker) -> None:
    give_data(session)
    session.run()
    say(session, State.RUNNING)
    session.set_training(learning_rate=0.25)
    assert worker.named("set_learning_rate") == [(0.25,)]


def test_the_canvas_may_differ_from_the_run(session: Session, worker: NotingWorker) -> None:
    give_data(session)
    session.run()
    say(session, State.RUNNING, run=run_path(session))
    session.edit("Move", edits.move(session.graph, {LINEAR: (500.0, 80.0)}))
    assert not session.run_differs
    session.edit("Units", units(session, 7))
    assert session.run_differs
    session.run_on()
    assert worker.named("stop") == [()]
    say(session, State.FINISHED)
    assert len(worker.named("train")) == 2
    assert worker.named("train")[1][4] == session.run_folder
    assert not session.run_differs


def test_a_failure_names_the_node(session: Session, notices: list[Notice]) -> None:
    give_data(session)
    session.run()
    say(session, State.FAILED, message="linear has no numbers left", node=LINEAR)
    assert notices[-1].text == "linear has no numbers left"
    label, show = notices[-1].action or ("", lambda: None)
    assert label == "Show"
    show()
    assert session.selection == (LINEAR,)
    session.worker.mailbox.post(Failure("export", "no room on the disk"))
    session.bridge.drain()
    assert notices[-1].text == "no room on the disk"


def test_no_estimate_of_a_network_that_does_not_fit_its_data(
    session: Session, worker: NotingWorker
) -> None:
    give_data(session)
    session.edit("Units", units(session, 5))
    session._estimate()
    assert not worker.named("estimate")
    session.edit("Units", units(session, 3))
    session._estimate()
    assert worker.named("estimate")


def test_what_a_late_panel_finds(session: Session) -> None:
    progress = Progress(1, 2, 3, 4, 50.0, 1.0, 0.1)
    estimate = Estimate(2.0, 1000, "2 s an epoch")
    session.worker.mailbox.post(progress)
    session.worker.mailbox.post(estimate)
    session.bridge.drain()
    assert session.progress == progress
    assert session.estimate == estimate


def test_what_the_worker_said_before_it_was_told_to_train_does_not_end_the_run(
    session: Session,
) -> None:
    give_data(session)
    session.worker.mailbox.post(Status(State.IDLE))  # under way when the button is pressed
    session.run()
    session.bridge.drain()
    assert session.state is State.PREPARING
    say(session, State.PREPARING)
    say(session, State.RUNNING)
    assert session.state is State.RUNNING


def test_a_run_of_another_project_is_not_heard_any_more(
    session: Session, worker: NotingWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    give_data(session)
    session.run()
    say(session, State.RUNNING)
    asked: list[int] = []
    monkeypatch.setattr(worker, "forget", asked.append)
    session.new(small_project("Another"))
    worker.mailbox.post(Progress(7, 20, 3, 4, 50.0, 1.0, 0.1))
    say(session, State.RUNNING)
    assert session.state is State.IDLE
    assert session.progress is None
    give_data(session)
    assert session.dataset is not None
    worker.mailbox.post(Forgotten(asked[0]))
    none = np.zeros(0)
    history = History(none, none, none, none, "accuracy", none, none, None)
    worker.mailbox.post(history)
    say(session, State.IDLE)
    session.bridge.drain()
    assert session.history is history  # that of the project at hand
    say(session, State.RUNNING)
    assert session.state is State.RUNNING


# --- files ----------------------------------------------------------------------------------------


def test_saved_and_opened_again(session: Session, tmp_path: Path) -> None:
    give_data(session)
    session.edit("Units", units(session, 5))
    session.set_sample(3)
    path = tmp_path / "five.playground"
    assert session.save(path)
    assert not session.dirty
    text = path.read_text()
    assert "untitled" not in text
    session.new(small_project("Another"))
    assert session.open(path)
    assert session.graph.nodes[LINEAR].params["out_features"] == 5
    assert session.sample == 3
    assert session.save()
    assert path.read_text() == text


def test_the_runs_of_an_untitled_project_come_along(session: Session, tmp_path: Path) -> None:
    run = run_path(session)
    (run / "run.json").write_text("{}")
    say(session, State.FINISHED, run=run)
    assert session.project.run == "runs/001"
    assert session.save(tmp_path / "kept.playground")
    assert (tmp_path / "kept.files/runs/001/run.json").is_file()
    assert session.run_folder == tmp_path / "kept.files/runs/001"


def test_saving_elsewhere_while_a_run_is_under_way(session: Session, tmp_path: Path) -> None:
    give_data(session)
    session.run()
    run = run_path(session)
    say(session, State.RUNNING, run=run)
    assert session.save(tmp_path / "kept.playground")
    assert not (tmp_path / "kept.files").exists()
    assert session.run_folder == run
    (run / "run.json").write_text("{}")
    say(session, State.FINISHED, run=run)
    assert session.run_folder == tmp_path / "kept.files/runs/001"
    assert (tmp_path / "kept.files/runs/001/run.json").is_file()


def test_a_file_that_cannot_be_opened_loses_nothing(
    session: Session, notices: list[Notice], tmp_path: Path
) -> None:
    path = tmp_path / "bad.playground"
    path.write_text("{")
    project = session.project
    assert not session.open(path)
    assert "bad.playground" in notices[-1].text
    assert session.project is project


def test_a_place_that_cannot_be_written_loses_nothing(
    session: Session, notices: list[Notice], tmp_path: Path
) -> None:
    session.edit("Units", units(session, 5))
    assert not session.save(tmp_path / "nowhere" / "x.playground")
    assert notices[-1].level == "bad"
    assert session.path is None
    assert session.dirty
    assert session.save(tmp_path / "x.playground")


def test_unsaved_work_is_kept_and_forgotten_when_saved(
    session: Session, tmp_path: Path, wait: Callable[..., None]
) -> None:
    folder = projects.state_folder() / "autosave"
    session.autosave()
    session.edit("Units", units(session, 5))
    session.autosave()
    wait(lambda: len(list(folder.glob("*.playground"))) == 1)
    session.save(tmp_path / "x.playground")
    wait(lambda: not list(folder.glob("*.playground")))


def test_an_untitled_project_cannot_point_elsewhere(session: Session) -> None:
    project = replace(small_project(), extra={"untitled": "../../elsewhere"})
    session.new(project)
    assert "elsewhere" not in str(session.files)
    assert session.files.parent == projects.state_folder() / "untitled"


def test_an_evaluation_s_failure_is_told_by_its_panel_alone(
    session: Session, notices: list[Notice]
) -> None:
    before = len(notices)
    session.bridge.failure.emit(Failure("evaluate", "The sample 3 cannot be read."))
    assert len(notices) == before
    session.bridge.failure.emit(Failure("export", "There is no room left."))
    assert notices[-1].text == "There is no room left."


def test_the_same_network() -> None:
    graph = small_graph()
    assert same_network(graph, edits.move(graph, {LINEAR: (1.0, 2.0)}))
    assert not same_network(graph, edits.set_params(graph, LINEAR, {"out_features": 4}))


# --- the bridge -----------------------------------------------------------------------------------


def test_pictures_are_shown_one_at_a_time(session: Session, worker: NotingWorker) -> None:
    seen: list[str] = []
    bridge = session.bridge
    bridge.snapshot.connect(lambda snapshot: seen.append(f"snapshot {snapshot.step}"))
    bridge.history.connect(lambda history: seen.append("history"))
    bridge.progress.connect(lambda progress: seen.append("progress"))
    none = np.empty(0)
    for step in (1, 2):
        worker.mailbox.post(Snapshot(session.graph, 0, {}, step, trained=False))
    worker.mailbox.post(History(none, none, none, none, "accuracy", none, none, None))
    worker.mailbox.post(Progress(1, 2, 3, 4, 50.0, 1.0, 0.1))
    bridge._tick()
    assert seen == ["progress", "snapshot 2"]
    bridge._tick()
    bridge._tick()
    assert seen == ["progress", "snapshot 2", "history"]
