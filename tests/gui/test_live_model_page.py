"""The page "Model" of the live view: what can run, how it answers, and what has to be fetched."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from playground import downloads
from playground.detection.detectors import DETECTORS
from playground.live.settings import EngineReport
from playground.messages import Progress, State, Status
from tests.gui.insight_kit import AIRLINE, DIGITS, opened, post
from tests.gui.live_fakes import FakeRecognition, fake_live
from tests.gui.record_kit import FakeCamera
from tests.playground.live_kit import as_run, picture_model
from tests.playground.test_downloads import CONTENT, Server
from ui.live.choices import DETECT, OWN, RECOGNISE, RUNS, TRAIN
from ui.live.controls import engine_words
from ui.live.desk import NETWORK, Desk
from ui.live.model_page import ModelPage
from ui.session import Session

Wait = Callable[..., None]
RECOGNISER = "efficientnet-lite0"


@pytest.fixture
def session(app: QApplication, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    fake_live(monkeypatch)
    session = opened(DIGITS)
    yield session
    session.close()


@pytest.fixture
def page(session: Session) -> Iterator[ModelPage]:
    page = page_of(session)
    yield page
    page.close()


def page_of(session: Session) -> ModelPage:
    desk = Desk(session)
    desk.set_address("0")
    page = ModelPage(desk)
    page.resize(320, 700)
    page.show()
    return page


def groups(page: ModelPage) -> dict[str, str]:
    return {id: row.entry.group for id, row in page.list.rows.items()}


def press(page: ModelPage, id: str) -> None:
    QTest.mouseClick(page.list.rows[id], Qt.MouseButton.LeftButton)


def test_what_comes_with_the_application_is_offered(page: ModelPage) -> None:
    found = groups(page)
    assert found[TRAIN] == OWN
    assert found[RECOGNISER] == RECOGNISE
    assert found["faces"] == found["ssdlite"] == DETECT
    assert [id for id, row in page.list.rows.items() if row.isChecked()] == [RECOGNISER]
    assert page.list.rows["ssdlite"].note.text() == "14.1 MB"
    assert page.list.rows["faces"].note.text() == ""


def test_choosing_while_it_runs_keeps_the_camera(page: ModelPage) -> None:
    desk = page._desk
    desk.start()
    press(page, "faces")
    assert page.list.rows["faces"].isChecked()
    assert not page.list.rows[RECOGNISER].isChecked()
    assert [one.what.id for one in FakeRecognition.made] == [RECOGNISER, "faces"]
    assert FakeRecognition.made[0].closed
    assert len(FakeCamera.made) == 1
    assert not FakeCamera.made[0].closed


def test_the_keyboard_chooses(page: ModelPage, wait: Wait) -> None:
    page.activateWindow()
    wait(page.isActiveWindow)
    page.list.focus_chosen()
    row = page.list.rows["faces"]
    for _ in range(10):
        focused = QApplication.focusWidget()
        if focused is row:
            break
        QTest.keyClick(focused or page, Qt.Key.Key_Down)
    assert QApplication.focusWidget() is row
    QTest.keyClick(row, Qt.Key.Key_Space)
    assert page._desk.chosen.id == "faces"


def test_a_network_is_trained_and_watched(page: ModelPage, session: Session, wait: Wait) -> None:
    desk = page._desk
    desk.start()
    press(page, TRAIN)
    assert session.worker.named("train")
    assert desk.chosen.id == NETWORK
    assert desk.with_training
    assert FakeRecognition.made[-1].closed
    camera, *_ = session.worker.named("live")[-1]
    assert camera is desk.device
    post(session, Status(State.RUNNING), Progress(3, 10, 5, 40, 9.0, 60.0, 1e-3))
    assert page.list.rows[NETWORK].entry.group == OWN
    assert page.list.rows[NETWORK].whole.text() == "Learning now, epoch 3 of 10"
    wait(lambda: page.list.rows[RECOGNISER].height() == page.list.rows["faces"].height(), 5)
    desk.step = 1240
    page.controls.refresh()
    assert page.controls.learning.text() == "learning · step 1,240"
    assert page.controls.engine.isHidden()


def test_a_network_for_tables_can_be_trained_to_run(
    app: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_live(monkeypatch)
    session = opened(AIRLINE)
    page = page_of(session)
    row = page.list.rows[TRAIN]
    assert row.isEnabled()
    assert "answers to rows" in row.whole.text()
    page.close()
    session.close()


def test_runs_of_the_project(session: Session, wait: Wait) -> None:
    for name in ("001", "002"):
        path = as_run(picture_model(), session.files / "runs" / name)
        (path / "note").touch()
    session.note_run(session.files / "runs" / "002")
    page = page_of(session)
    other = f"run:{session.files / 'runs' / '001'}"
    wait(lambda: other in page.list.rows)
    assert groups(page)[other] == RUNS
    assert page.list.rows[NETWORK].entry.sentence.startswith("Run 002")
    assert page._desk.chosen.id == NETWORK
    press(page, other)
    assert page._desk.chosen.path == session.files / "runs" / "001"
    assert page.list.rows[other].isChecked()
    page.close()


def test_a_detectors_parameters_reach_it_while_it_runs(page: ModelPage) -> None:
    desk, form = page._desk, page.controls.form
    desk.start()
    press(page, "faces")
    assert form.isVisible()
    field = form.fields["smallest"].line
    QTest.keyClick(field, Qt.Key.Key_Up)
    assert desk.detection == {"smallest": 41}
    recognition = FakeRecognition.made[-1]
    assert recognition.wishes[-1].detection == {"smallest": 41}
    assert not recognition.closed
    press(page, RECOGNISER)
    press(page, "faces")
    assert FakeRecognition.made[-1].wanted.detection == {"smallest": 41}


def test_the_engine_can_be_chosen(page: ModelPage) -> None:
    desk, engine = page._desk, page.controls.engine
    desk.start()
    page.controls.refresh()
    assert engine.words.text() == "PyTorch answers; measuring the others …"
    assert engine.box.findData("cuda") < 0
    engine._chosen(engine.box.findData("eager"))
    assert [one.wanted.settings.engine for one in FakeRecognition.made] == ["auto", "eager"]
    assert len(FakeCamera.made) == 1
    FakeRecognition.report = EngineReport("eager", {"eager": 0.038})
    desk.figures_changed.emit()
    desk.stop()
    assert engine.words.text() == "PyTorch 38\xa0ms, measured on this machine.", "it stays known"
    press(page, "faces")
    press(page, RECOGNISER)
    assert engine.words.text().startswith("PyTorch 38")


def test_words_for_engines() -> None:
    report = EngineReport("onnxruntime", {"eager": 0.038, "onnxruntime": 0.0003})
    assert engine_words(report, "auto", running=True) == (
        "ONNX Runtime 0.3\xa0ms · PyTorch 38\xa0ms, measured on this machine."
    )
    assert engine_words(EngineReport("streaming"), "auto", running=False).startswith("Step by step")
    slow = replace(report, engine="eager")
    assert engine_words(slow, "auto", running=True).endswith("ONNX Runtime is being made ready.")
    failed = replace(report, seconds={}, engine="eager", problems={"cuda": "there is no GPU"})
    assert engine_words(failed, "cuda", running=True) == (
        "PyTorch answers. CUDA graph takes no part: there is no GPU."
    )
    assert engine_words(None, "auto", running=False).startswith("The engines are measured")


# --- downloads ----------------------------------------------------------------------------------


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Has the weights of "ssdlite" in place of the real ones."""
    monkeypatch.setenv("PLAYGROUND_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setattr(downloads, "PAUSE", 0.0)
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        kind = replace(DETECTORS.get("ssdlite"), download=server.download())
        monkeypatch.setitem(DETECTORS._entries, "ssdlite", kind)
        yield server
        server.shutdown()
        thread.join()


def test_what_is_missing_is_fetched_and_then_runs(
    server: Server, session: Session, wait: Wait
) -> None:
    page = page_of(session)
    desk, controls = page._desk, page.controls
    desk.start()
    press(page, "ssdlite")
    assert len(FakeRecognition.made) == 1, "it cannot run yet"
    assert controls.download.start.text() == "Download 1.0 MB"
    QTest.mouseClick(controls.download.start, Qt.MouseButton.LeftButton)
    assert controls.download.cancel.isVisible()
    wait(lambda: len(FakeRecognition.made) == 2)
    assert FakeRecognition.made[-1].what.id == "ssdlite"
    assert controls.form.isVisible()
    assert page.list.rows["ssdlite"].note.text() == ""
    page.close()


def test_a_download_is_cancelled_and_taken_up(
    server: Server, session: Session, wait: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = threading.Event(), threading.Event()
    note = downloads._Fetching._begin

    def held(self: downloads._Fetching, *arguments: object) -> None:
        note(self, *arguments)
        begun.set()
        go_on.wait(10)

    monkeypatch.setattr(downloads._Fetching, "_begin", held)
    page = page_of(session)
    box, loading = page.controls.download, page._desk.downloading
    press(page, "ssdlite")
    QTest.mouseClick(box.start, Qt.MouseButton.LeftButton)
    wait(begun.is_set)
    QTest.mouseClick(box.cancel, Qt.MouseButton.LeftButton)
    go_on.set()
    wait(lambda: not loading.running)
    assert loading.problem == ""
    assert box.start.text() == "Download 1.0 MB"
    part = downloads.downloads_folder() / f"{server.download().name}.part"
    part.write_bytes(CONTENT[:400_000])
    server.asked.clear()
    QTest.mouseClick(box.start, Qt.MouseButton.LeftButton)
    wait(lambda: page._desk.chosen.ready)
    wait(lambda: not loading.running)
    assert server.asked == ["bytes=400000-"]
    page.close()


def test_without_a_network_a_sentence_and_another_try(
    server: Server, session: Session, wait: Wait
) -> None:
    server.status = 503
    page = page_of(session)
    desk, box = page._desk, page.controls.download
    desk.start()
    press(page, "ssdlite")
    QTest.mouseClick(box.start, Qt.MouseButton.LeftButton)
    wait(lambda: not desk.downloading.running)
    assert "503" in box.words.text()
    assert box.start.text() == "Try again"
    desk._tick()
    assert desk.status.state == "failed"
    assert "503" in desk.status.message
    server.status = 0
    QTest.mouseClick(box.start, Qt.MouseButton.LeftButton)
    wait(lambda: desk.recognition is not None)
    page.close()
