"""The worker thread: states, control within a batch, snapshots, answers, and what goes wrong."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from playground import export as exporting
from playground import messages
from playground.messages import (
    Answered,
    DataFailed,
    DataReady,
    Estimate,
    Evaluation,
    Failure,
    History,
    Loaded,
    Message,
    Progress,
    RateCurve,
    Snapshot,
    State,
    Status,
)
from playground.project import DataSettings
from playground.run_job import FOLLOWING
from playground.runs import RunFolder, list_runs
from playground.worker import Worker
from tests.playground.capture_kit import until
from tests.playground.fakes import chain, cnn, lstm, project, stripes

LONG = 30.0


class Listener:
    """Reads a worker's mailbox in order, and remembers everything that was read."""

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self.seen: list[Message] = []
        self._unread: deque[Message] = deque()

    def until(self, condition: Callable[[Message], bool], what: str = "") -> Message:
        """The first message after the last one found that fulfils ``condition``.

        What was drained together with a message that was found is kept for the next call: on a
        busy machine the mailbox may hold the end of a run already.
        """
        end = time.monotonic() + LONG
        while time.monotonic() < end:
            while self._unread:
                message = self._unread.popleft()
                self.seen.append(message)
                if condition(message):
                    return message
            self.worker.mailbox.wait(0.1)
            self._unread.extend(self.worker.mailbox.drain())
        raise AssertionError(f"nothing came: {what}; last {self.seen[-5:]}")

    def of(self, kind: type, **values: object) -> Message:
        return self.until(
            lambda m: isinstance(m, kind) and all(getattr(m, k) == v for k, v in values.items()),
            f"{kind.__name__} {values}",
        )

    def state(self, state: State) -> Status:
        found = self.of(Status, state=state)
        assert isinstance(found, Status)
        return found

    @property
    def states(self) -> list[State]:
        return [message.state for message in self.seen if isinstance(message, Status)]


@pytest.fixture
def listener() -> Iterator[Listener]:
    worker = Worker()
    worker.start()
    yield Listener(worker)
    assert worker.close(timeout=20)
    left = [thread.name for thread in threading.enumerate() if thread.name in ("worker", "data")]
    assert left == []


ENDLESS = 1_000_000


def test_trains_and_tells(listener: Listener, tmp_path: Path) -> None:
    listener.worker.train(project(epochs=3), stripes(), tmp_path / "p.files")
    done = listener.state(State.FINISHED)
    assert done.run == tmp_path / "p.files/runs/001"
    assert "3 epochs" in done.message
    assert "accuracy" in done.message
    assert "cores" in done.device or "core" in done.device
    history = [m for m in listener.seen if isinstance(m, History)][-1]
    progress = [m for m in listener.seen if isinstance(m, Progress)][-1]
    assert history.metric == "accuracy"
    assert list(history.epochs) == [1, 2, 3]
    assert history.x[-1] == pytest.approx(3)
    assert history.best_epoch is not None
    assert (progress.epoch, progress.epochs, progress.seconds_left) == (3, 3, 0)


def test_pause_step_resume_stop_within_a_batch(listener: Listener, tmp_path: Path) -> None:
    worker, data = listener.worker, stripes()
    worker.train(project(epochs=ENDLESS), data, tmp_path)
    listener.state(State.RUNNING)
    worker.pause()
    listener.state(State.PAUSED)
    run = RunFolder(tmp_path / "runs/001")
    assert run.has("last")
    where = run.checkpoint("last").state["position"]["step"]
    for _ in range(3):
        worker.step()
        listener.state(State.PAUSED)
    worker.pause()
    worker.resume()
    listener.state(State.RUNNING)
    time.sleep(0.05)
    worker.stop()
    done = listener.state(State.FINISHED)
    assert "stopped" in done.message
    position = run.checkpoint("last").state["position"]
    assert position["step"] > where + 3
    assert run.has("best")
    assert list_runs(tmp_path)[0].state == "stopped"
    order = [state for state in listener.states if state is not State.IDLE]
    assert order[-1] is State.FINISHED


def test_a_single_step_is_one_batch(listener: Listener, tmp_path: Path) -> None:
    worker = listener.worker
    worker.train(project(epochs=3), stripes(), tmp_path)
    worker.step()
    listener.state(State.PAUSED)
    for _ in range(20):  # over the end of an epoch, with its validation
        worker.step()
        listener.state(State.PAUSED)
    worker.pause()
    worker.stop()
    listener.state(State.FINISHED)
    position = RunFolder(tmp_path / "runs/001").checkpoint("last").state["position"]
    assert position["step"] == 21
    assert position["epoch"] == 2


def test_stop_before_it_begins(listener: Listener, tmp_path: Path) -> None:
    listener.worker.train(project(epochs=ENDLESS), stripes(), tmp_path)
    listener.worker.stop()
    listener.state(State.FINISHED)
    listener.worker.train(project(epochs=1), stripes(), tmp_path)
    listener.state(State.FINISHED)


def test_learning_rate_changes_while_it_runs(listener: Listener, tmp_path: Path) -> None:
    listener.worker.train(project(epochs=ENDLESS), stripes(), tmp_path)
    listener.state(State.RUNNING)
    listener.worker.set_learning_rate(0.002)
    listener.of(Progress, learning_rate=0.002)
    listener.worker.stop()
    listener.state(State.FINISHED)


def test_second_run_is_refused(listener: Listener, tmp_path: Path) -> None:
    listener.worker.train(project(epochs=ENDLESS), stripes(), tmp_path)
    listener.state(State.RUNNING)
    listener.worker.train(project(), stripes(), tmp_path)
    failure = listener.of(Failure, what="train")
    assert "under way" in failure.message
    listener.worker.stop()
    listener.state(State.FINISHED)


def test_failure_names_the_node_and_leaves_the_worker_usable(
    listener: Listener, tmp_path: Path
) -> None:
    worker, data = listener.worker, stripes()
    worker.train(project(epochs=5, optimizer="sgd", learning_rate=1e3), data, tmp_path)
    failed = listener.state(State.FAILED)
    assert failed.node is not None
    assert project().graph.nodes[failed.node].name in failed.message
    assert "learning rate" in failed.message
    worker.predict("after", {"image": data.raw([0])["image"]})
    answered = listener.of(Answered, token="after")
    assert answered.answer is not None
    assert list_runs(tmp_path)[0].state == "failed"
    worker.train(project(epochs=1), data, tmp_path)
    listener.state(State.FINISHED)


def test_too_large_a_network_is_refused_before_it_starts(
    listener: Listener, tmp_path: Path
) -> None:
    huge = cnn(classes=3, channels=4)
    graph = replace(
        huge,
        nodes={
            **huge.nodes,
            "n2": replace(huge.nodes["n2"], params={"out_channels": 60_000, "kernel_size": 7}),
            "n7": replace(huge.nodes["n7"], layer="linear", params={"out_features": 1_000_000}),
        },
    )
    listener.worker.train(project(graph), stripes(), tmp_path)
    failed = listener.state(State.FAILED)
    assert "too large" in failed.message
    assert "free" in failed.message
    assert list_runs(tmp_path) == []
    listener.worker.estimate(project(graph), stripes())
    estimate = listener.of(Estimate)
    assert not estimate.fits


def test_wrong_shape_is_a_sentence(listener: Listener, tmp_path: Path) -> None:
    listener.worker.train(project(cnn(side=10)), stripes(), tmp_path)
    failed = listener.state(State.FAILED)
    assert "image takes image 1×10×10" in failed.message
    assert failed.node == "n1"


def test_looks_before_while_and_after_training(listener: Listener, tmp_path: Path) -> None:
    worker, data = listener.worker, stripes()
    document = project(epochs=ENDLESS)
    worker.look(document, data, 4, frozenset({("n2", "output")}))
    first = listener.of(Snapshot)
    assert isinstance(first, Snapshot)
    assert not first.trained
    assert first.values["n2", "output"].shape == (4, 8, 8)
    assert first.values["n9", "output"].shape == (3,)
    assert first.whole == {("n2", "output")}
    worker.train(document, data, tmp_path)
    second = listener.of(Snapshot, trained=True)
    assert isinstance(second, Snapshot)
    assert second.step > 0
    assert not np.array_equal(first.values["n2", "output"], second.values["n2", "output"])
    # an edited graph is looked at with the run's weights where they fit
    graph = document.graph
    edited = replace(
        graph,
        nodes={**graph.nodes, "n8": replace(graph.nodes["n8"], params={"out_features": 5})},
    )
    worker.look(replace(document, graph=edited), data, 4)
    third = listener.until(lambda m: isinstance(m, Snapshot) and m.graph is edited)
    assert isinstance(third, Snapshot)
    assert third.values["n9", "output"].shape == (5,)
    worker.stop()
    listener.state(State.FINISHED)
    worker.look(document, data, 5)
    after = listener.until(lambda m: isinstance(m, Snapshot) and m.sample == 5)
    assert isinstance(after, Snapshot)
    assert after.trained
    worker.forget()
    worker.look(document, data, 4)
    last = listener.until(lambda m: isinstance(m, Snapshot) and m.sample == 4 and not m.trained)
    assert isinstance(last, Snapshot)
    np.testing.assert_array_equal(last.values["n2", "output"], first.values["n2", "output"])


def test_looking_does_not_change_the_run(listener: Listener, tmp_path: Path) -> None:
    """Snapshots, evaluations and answers draw no random numbers and leave training mode on."""
    worker, data = listener.worker, stripes()
    document = project(epochs=6)
    worker.train(document, data, tmp_path / "calm")
    listener.state(State.FINISHED)
    worker.look(document, data, 4, None, rate_hz=1000)
    worker.train(document, data, tmp_path / "busy")
    for number in range(50):
        worker.evaluate(document, data, "validation")
        worker.predict(number, {"image": data.raw([number])["image"]})
        worker.look(replace(document, graph=cnn(channels=3 + number % 2)), data, number, None, 1000)
        worker.set_learning_rate(document.training.learning_rate)
    listener.state(State.FINISHED)
    calm, busy = (RunFolder(tmp_path / name / "runs/001").metrics() for name in ("calm", "busy"))
    assert [row | {"seconds": 0} for row in calm] == [row | {"seconds": 0} for row in busy]


@pytest.mark.parametrize(
    ("graph", "as_rows"),
    [(cnn(), False), (lstm(), True)],
    ids=["cnn", "lstm"],
)
def test_answers_and_evaluates(
    listener: Listener, tmp_path: Path, graph: object, as_rows: bool
) -> None:
    worker, data = listener.worker, stripes(as_rows=as_rows)
    name = next(iter(data.inputs))
    worker.predict("early", {name: data.raw([0])[name]})
    early = listener.of(Answered, token="early")
    assert early.answer is None
    assert "run the training" in early.problem
    worker.evaluate(project(), data, "test")
    listener.of(Failure, what="evaluate")

    worker.train(project(graph, epochs=12), data, tmp_path)
    done = listener.state(State.FINISHED)
    worker.evaluate(project(), data, "test")
    evaluation = listener.of(Evaluation)
    assert isinstance(evaluation, Evaluation)
    assert evaluation.metrics["accuracy"] > 0.8
    assert evaluation.confusion is not None
    assert evaluation.confusion.sum() == len(data.splits["test"])
    worker.predict(("try", 1), {name: data.raw([0])[name]})
    answered = listener.of(Answered, token=("try", 1))
    assert isinstance(answered, Answered)
    assert answered.answer is not None
    assert answered.answer.answers[0][0] == data.classes[int(data.target.take(np.array([0]))[0])]
    assert answered.values
    worker.predict("bad", {name: np.zeros((1, 2, 2), np.float32)})
    bad = listener.of(Answered, token="bad")
    assert "got" in bad.problem

    worker.forget()
    assert done.run is not None
    worker.load_run(done.run)
    listener.of(Loaded)
    worker.evaluate(project(), data, "test")
    again = listener.of(Evaluation)
    assert isinstance(again, Evaluation)
    np.testing.assert_array_equal(again.predicted, evaluation.predicted)
    history = [m for m in listener.seen if isinstance(m, History)]
    np.testing.assert_array_equal(history[-1].train_loss, history[-2].train_loss)


def test_continues_with_the_edited_graph(listener: Listener, tmp_path: Path) -> None:
    worker, data = listener.worker, stripes()
    document = project(epochs=12)
    worker.train(document, data, tmp_path)
    done = listener.state(State.FINISHED)
    graph = document.graph
    wider = replace(graph, nodes={**graph.nodes, "n6": replace(graph.nodes["n6"], name="flat2")})
    worker.train(replace(document, graph=wider), data, tmp_path, weights_from=done.run)
    running = listener.state(State.RUNNING)
    assert "3 of 3 layers keep the weights of run 001" in running.message
    listener.state(State.FINISHED)
    first = RunFolder(tmp_path / "runs/002").metrics()[0]
    assert first["train_accuracy"] > 0.9
    worker.train(replace(document, graph=wider), data, tmp_path, resume=done.run)
    failed = listener.state(State.FAILED)
    assert "the network was changed" in failed.message
    assert list_runs(tmp_path)[-1].resumable is False or (tmp_path / "runs/001").exists()


def test_resumes_a_run(listener: Listener, tmp_path: Path) -> None:
    worker, data = listener.worker, stripes()
    worker.train(project(epochs=ENDLESS), data, tmp_path)
    listener.state(State.RUNNING)
    worker.pause()
    listener.state(State.PAUSED)
    worker.forget()  # as when another project is opened
    listener.state(State.IDLE)
    found = list_runs(tmp_path)[0]
    assert found.state == "interrupted"
    assert found.resumable
    worker.train(project(epochs=ENDLESS), data, tmp_path, resume=found.path)
    listener.state(State.RUNNING)
    worker.stop()
    listener.state(State.FINISHED)


def test_estimates_and_finds_a_rate(listener: Listener, tmp_path: Path) -> None:
    worker, data = listener.worker, stripes()
    worker.estimate(project(), data)
    estimate = listener.of(Estimate)
    assert isinstance(estimate, Estimate)
    assert estimate.fits
    assert estimate.seconds_per_epoch is not None
    assert 0 < estimate.seconds_per_epoch < 10
    assert "an epoch" in estimate.text
    worker.find_learning_rate(project(), data)
    curve = listener.of(RateCurve, finished=True)
    assert isinstance(curve, RateCurve)
    assert len(curve.rates) > 20
    assert curve.suggestion is not None
    assert 1e-5 < curve.suggestion < 1


def test_opens_the_newest_data(listener: Listener, tmp_path: Path) -> None:
    worker = listener.worker
    wanted = DataSettings("digits")
    worker.open_data(replace(wanted, source="digitz"), tmp_path)
    failed = listener.of(DataFailed)
    assert "digits" in failed.message
    worker.open_data(wanted, tmp_path)
    ready = listener.of(DataReady)
    assert len(ready.dataset) == 5000


def test_closing_keeps_a_checkpoint(tmp_path: Path) -> None:
    worker = Worker()
    listener = Listener(worker)
    worker.start()
    worker.train(project(epochs=ENDLESS), stripes(), tmp_path)
    listener.state(State.RUNNING)
    listener.of(Progress)
    assert worker.close(timeout=20)
    found = list_runs(tmp_path)[0]
    assert found.state == "interrupted"
    assert found.resumable


def test_a_job_that_breaks_does_not_end_the_worker(
    listener: Listener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("by design")

    monkeypatch.setattr("playground.probes.look.Looker.snapshot", broken)
    listener.worker.look(project(), stripes(), 0)
    listener.of(Failure)
    monkeypatch.undo()
    listener.worker.train(project(epochs=1), stripes(), tmp_path)
    listener.state(State.FINISHED)


def test_states_follow_the_design() -> None:
    assert set(FOLLOWING) == set(State)
    assert all(State.FAILED in FOLLOWING[state] for state in State if state.busy)
    assert FOLLOWING[State.FINISHED] == FOLLOWING[State.FAILED] == ()


def test_messages_replace_each_other() -> None:
    from playground.mailbox import Mailbox

    box = Mailbox()
    for number in range(1000):
        box.post(Status(State.RUNNING, str(number)))
        box.post(Answered(number % 3, None))
    unread = box.drain()
    assert len(unread) == 4
    assert [m.message for m in unread if isinstance(m, Status)] == ["999"]
    assert box.drain() == []
    assert messages.DataFailed("x").key == messages.DataReady(None, None).key


def test_heart_beats_while_idle(listener: Listener) -> None:
    listener.worker.forget()
    listener.state(State.IDLE)
    silent = [listener.worker.silent_seconds]
    until(lambda: silent.append(listener.worker.silent_seconds) or silent[-1] < silent[-2])


def test_unconnected_nodes_are_looked_at(listener: Listener) -> None:
    """A graph that is not whole yet shows what is known."""
    graph = chain(
        ("image", "input", {"shape": {"kind": "image", "sizes": [1, 8, 8]}}),
        ("conv1", "conv2d", {"out_channels": 2}),
    )
    listener.worker.look(project(graph), stripes(), 0)
    snapshot = listener.of(Snapshot)
    assert isinstance(snapshot, Snapshot)
    assert snapshot.values["n2", "output"].shape == (2, 8, 8)


def test_an_export_ends_with_the_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, ended = threading.Event(), threading.Event()

    def writing(run: Path, target: str, path: Path, cancelled: Callable[[], bool]) -> None:
        begun.set()
        until(cancelled)
        ended.set()
        raise exporting.ExportError("the export was given up")

    monkeypatch.setattr(exporting, "export", writing)
    worker = Worker()
    worker.export(tmp_path, "onnx", tmp_path / "it.onnx")
    assert begun.wait(LONG)
    worker.close()
    assert ended.wait(LONG)


def test_every_export_that_was_asked_for_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, asked = threading.Event(), threading.Event()
    made: list[str] = []

    def writing(run: Path, target: str, path: Path, cancelled: Callable[[], bool]) -> None:
        begun.set()
        assert asked.wait(LONG)
        made.append(target)
        raise exporting.ExportError("enough")

    monkeypatch.setattr(exporting, "export", writing)
    worker = Worker()
    worker.export(tmp_path, "onnx", tmp_path / "it.onnx")
    assert begun.wait(LONG)
    for target in ("python", "pt2"):
        worker.export(tmp_path, target, tmp_path / "it")
    asked.set()
    until(lambda: made == ["onnx", "python", "pt2"])
    worker.close()
