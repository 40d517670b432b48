"""The ways into what runs live, and what the window's bar and status line say of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu

from playground.capture import Camera
from playground.live.errors import LiveError
from playground.live.settings import EngineReport
from playground.live.what import Runnable, Wanted
from playground.live.what import opened as opened_live
from playground.messages import LiveAnswered, Progress, State, Status
from playground.runs import RunFolder, summary
from playground.worker import Worker
from tests.gui.doubles import NotingWorker, small_graph
from tests.gui.insight_kit import AIRLINE, DIGITS, opened, post
from tests.gui.live_fakes import FakeRecognition, fake_live
from tests.gui.live_kit import live_answer
from tests.gui.test_runs_panel import make_run
from tests.playground.live_kit import as_run, picture_model
from ui.document import Notice
from ui.insight.tryout import TryPanel
from ui.live.bar import FIGURE_SPACE, LOOKS, LiveBar
from ui.live.desk import NETWORK, Desk
from ui.live.entries import Finished
from ui.live.entries import told as ended_words
from ui.live.figures import Tally
from ui.live.workspace import LiveWorkspace
from ui.main_window import MainWindow
from ui.runs.panel import RunsPanel
from ui.session import Session
from ui.start import LIVE, LiveCard
from ui.widgets import EmptyState

Wait = Callable[..., None]


@pytest.fixture
def window(app: QApplication, monkeypatch: pytest.MonkeyPatch) -> Iterator[MainWindow]:
    fake_live(monkeypatch)
    window = MainWindow(Session(NotingWorker()))
    window.resize(1366, 768)
    window.show()
    window.start()
    yield window
    window.ask_to_save = lambda name: "discard"
    window.close()
    window.deleteLater()


def live_view(window: MainWindow) -> LiveWorkspace:
    assert window.workspace is not None
    assert window.workspace.live_view is not None
    return window.workspace.live_view


def running(window: MainWindow, wait: Wait, what: str = "efficientnet-lite0") -> Desk:
    """The window turned to live with an answer."""
    window.recognise(what)
    desk = live_view(window).desk
    wait(lambda: desk.device is not None)
    FakeRecognition.report = EngineReport("onnxruntime", {"onnxruntime": 0.019})
    FakeRecognition.made[-1].give()
    wait(lambda: desk.answer is not None and desk.figures.inference_ms is not None)
    return desk


def bar(window: MainWindow) -> LiveBar:
    assert window.transport.live is not None
    return window.transport.live


# --- from the start page and the menu -----------------------------------------------------------


@pytest.mark.parametrize("id", [id for id, *_ in LIVE])
def test_the_start_page_leads_to_live(window: MainWindow, wait: Wait, id: str) -> None:
    title = next(title for known, _, title, _ in LIVE if known == id)
    cards = window.start_page.findChildren(LiveCard)
    card = next(card for card in cards if card.accessibleName() == title)
    QTest.mouseClick(card, Qt.MouseButton.LeftButton)
    assert window.session.mode == "live"
    desk = live_view(window).desk
    assert desk.running
    assert desk.chosen.id == id
    wait(lambda: desk.device is not None)


def test_one_key_starts_and_stops(window: MainWindow) -> None:
    assert window.actions_.get("live_toggle").keys == "F8"
    window.actions_.trigger("live_toggle")
    desk = live_view(window).desk
    assert desk.running
    assert bar(window).toggle.text() == "Stop live"
    window.show_start()
    assert bar(window).toggle.text() == "Start live", "it rests while nobody sees it"
    assert window.status.state.text() == "live is off"
    bar(window).toggle.click()
    assert window.is_live()
    assert bar(window).toggle.text() == "Stop live"
    window.actions_.trigger("live_toggle")
    assert not desk.running
    assert window.session.mode == "live"


def test_an_edit_of_the_canvas_is_not_undone_unseen(window: MainWindow) -> None:
    window.recognise("faces")
    session = window.session
    session.edit("Build", small_graph())
    for mode, can in (("live", False), ("network", True)):
        session.set_mode(mode)  # type: ignore[arg-type]
        assert window.actions_.qaction("undo").isEnabled() is can


def test_the_menu_has_live_with_its_keys(window: MainWindow) -> None:
    found = {a.id: a for a in window.actions_.list() if a.menu == "Live"}
    assert found["live_snapshot"].keys == "S"
    assert window.actions_.qaction("live_snapshot").text() == "Keep this picture\tS"
    assert window.actions_.qaction("live_snapshot").shortcuts() == []
    assert not found["live_snapshot"].is_enabled
    window.recognise("faces")
    assert found["live_snapshot"].is_enabled


def test_a_network_that_cannot_run_live_says_so(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise LiveError("this model takes rows")

    told: list[str] = []
    window.session.notice.connect(lambda notice: told.append(notice.text))
    window.recognise("network")
    assert told[-1] == "This network has learnt nothing yet: train it first."
    session = window.session
    session.note_run(as_run(picture_model(), session.files / "runs" / "001"))
    monkeypatch.setattr("ui.live.desk.of_run", refused)
    window.recognise("network")
    assert told[-1] == "This model takes rows."


def test_panels_that_have_their_place_offer_no_other(window: MainWindow) -> None:
    window.recognise("teach")
    assert window.workspace is not None
    menus = []
    for panel in (live_view(window).left, window.workspace.library):
        place = QPoint(1, 1)
        event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, place, place)
        QApplication.sendEvent(panel.header, event)
        menus.append(panel.header.findChildren(QMenu))
    assert [len(found) for found in menus] == [0, 1]
    menus[1][0].close()


def test_choosing_from_the_menu_leads_to_the_list(window: MainWindow) -> None:
    window.recognise("teach")
    window.actions_.trigger("live_choose")
    view = live_view(window)
    assert view.left.current() == "model"


def test_the_stage_does_what_the_menu_says(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    window.recognise("faces")
    stage = live_view(window).stages.currentWidget()
    done: list[str] = []
    monkeypatch.setattr(stage, "toggle_whole", lambda: done.append("whole"))
    window.actions_.trigger("live_whole")
    assert done == ["whole"]


def test_what_has_no_stage_says_so(window: MainWindow) -> None:
    window.recognise("faces")
    view = live_view(window)
    odd = Runnable("odd", "Odd", "", "run", "smells")  # type: ignore[arg-type]
    view.desk.stop()
    view.desk.chosen = odd
    view._follow()
    shown = view.stages.currentWidget()
    assert isinstance(shown, EmptyState)
    assert "smells" in shown.text.text()
    view.on_stage("toggle_whole")
    assert view.device_name() == ""


# --- the bar on top and the line at the bottom --------------------------------------------------


def test_frames_passed_over_are_counted_on_where_another_answers() -> None:
    tally = Tally()
    for second, dropped in enumerate((300, 303, 0, 2)):
        tally.add(replace(live_answer(), dropped=dropped), float(second))
    assert tally.figures(4.0, None, "").dropped == 5


def test_the_bar_shows_the_figures(window: MainWindow, wait: Wait) -> None:
    window.resize(1920, 1000)
    running(window, wait)
    shown = bar(window)
    wait(lambda: shown.camera.text() == "Desk camera · 80×60")
    assert shown.toggle.text() == "Stop live"
    assert shown.toggle.property("kind") == "danger"
    assert shown.rate.text().endswith(" fps")
    assert shown.inference.text() == "19 ms inference · ONNX Runtime"
    assert window.status.state.text() == "live"
    assert window.status.best.text() == "0 frames dropped in the last minute"
    assert window.status.meter.text() == "everything stays on this machine"
    QTest.mouseClick(shown.toggle, Qt.MouseButton.LeftButton)
    assert shown.toggle.text() == "Start live"
    assert not any(chip.isVisible() for chip in shown.chips)
    assert window.status.state.text() == "live is off"
    window.session.set_mode("network")
    assert window.transport.run_button.isVisible()
    assert not shown.isVisible()
    assert "ms late" in window.status.meter.text()


@pytest.mark.parametrize("width", [1024, 1366, 1600, 2560])
def test_nothing_is_cut_off(window: MainWindow, wait: Wait, width: int) -> None:
    window.resize(width, 768)
    running(window, wait)
    window.session.status = Status(State.RUNNING)
    window.session.progress = Progress(13, 100, 5, 40, 9.0, 60.0, 1e-3)
    window.session.state_changed.emit()
    QApplication.processEvents()
    shown = bar(window)
    shown.refresh()
    assert shown.epoch.isVisible()
    assert shown.epoch.text() == "Epoch 13 of 100"
    parts = [
        window.transport.title, window.transport.mode, shown.toggle, *shown.chips, shown.epoch,
        shown.pause, shown.end, window.transport.device, window.transport.theme_button,
    ]  # fmt: skip
    right = 0
    for part in (part for part in parts if part.isVisible()):
        left = part.mapTo(window, part.rect().topLeft()).x()
        assert left >= right, f"{part.accessibleName()} lies over what is before it"
        right = left + part.width()
    assert right <= window.width()
    for chip in (chip for chip in shown.chips if chip.isVisible()):
        assert chip.fontMetrics().horizontalAdvance(chip.text()) + 20 <= chip.width()


def test_the_latency_gives_way_after_the_engine() -> None:
    assert all(latency or not engine for _, _, latency, engine in LOOKS)


def test_numbers_do_not_jump_in_width(window: MainWindow, wait: Wait) -> None:
    window.resize(1920, 1000)
    desk = running(window, wait)
    shown = bar(window)
    widths = set()
    for rate, taken in ((9.5, 8.0), (28.0, 19.0), (3.1, 99.0)):
        desk.figures = replace(desk.figures, rate=rate, inference_ms=taken)
        shown.refresh()
        widths.add((shown.rate.width(), shown.inference.width()))
    assert len(widths) == 1
    assert shown.rate.text() == f"{FIGURE_SPACE}3.1 fps"


def test_a_run_under_way_can_be_paused_and_stopped(window: MainWindow, wait: Wait) -> None:
    window.session.open_example("digits-cnn")
    running(window, wait)
    shown, session = bar(window), window.session
    assert not shown.epoch.isVisible()
    post(session, Status(State.RUNNING), Progress(3, 10, 5, 40, 9.0, 60.0, 1e-3))
    assert shown.epoch.text() == "Epoch 3 of 10"
    QTest.mouseClick(shown.pause, Qt.MouseButton.LeftButton)
    QTest.mouseClick(shown.end, Qt.MouseButton.LeftButton)
    assert [name for name, _ in session.worker.calls if name in ("pause", "stop")] == [
        "pause",
        "stop",
    ]
    post(session, Status(State.FINISHED))
    assert not shown.epoch.isVisible()


# --- from runs, the try-out, and after training -------------------------------------------------


@pytest.fixture
def session(app: QApplication, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    fake_live(monkeypatch)
    session = opened(DIGITS)
    yield session
    session.close()


def test_a_run_is_run_live_from_the_list(session: Session, wait: Wait) -> None:
    asked: list[str] = []
    session.reveal.connect(asked.append)
    path = as_run(picture_model(), session.files / "runs" / "002")
    make_run(session, "001")
    panel = RunsPanel(session)
    panel.show()
    wait(lambda: panel.table.rowCount() == 2)
    assert panel.live.isEnabled()
    QTest.mouseClick(panel.live, Qt.MouseButton.LeftButton)
    assert asked == [f"recognise:run:{path}"]
    panel.table.selectRow(1)
    assert not panel.live.isEnabled()
    assert "it has learnt nothing yet" in panel.live.toolTip()
    panel.close()


def test_the_try_page_leads_to_live_where_a_camera_serves(session: Session) -> None:
    asked: list[str] = []
    session.reveal.connect(asked.append)
    panel = TryPanel(session)
    assert not panel.live.isHidden()
    panel.live.click()
    assert asked == ["recognise:network"]
    table = opened(AIRLINE)
    other = TryPanel(table)
    assert other.live.isHidden()
    table.close()


def test_what_has_learnt_is_offered(session: Session, wait: Wait) -> None:
    notices: list[Notice] = []
    asked: list[str] = []
    session.notice.connect(notices.append)
    session.reveal.connect(asked.append)
    Finished(session)
    path = as_run(picture_model(), session.files / "runs" / "001")
    post(session, Status(State.RUNNING, run=path))
    post(session, Status(State.FINISHED, run=path))
    wait(lambda: any(notice.key == "trained" for notice in notices))
    notice = next(notice for notice in notices if notice.key == "trained")
    assert notice.action is not None
    assert notice.action[0] == "Run it live"
    assert notice.text == "Trained: what it has learnt is kept."
    assert ended_words(replace(summary(RunFolder(path)), state="stopped")).startswith("Stopped: ")
    notice.action[1]()
    assert asked == [f"recognise:{NETWORK}"]
    session.set_mode("live")
    assert (notices[-1].key, notices[-1].text) == ("trained", "")


# --- watch it learn -----------------------------------------------------------------------------


@pytest.fixture
def learning(app: QApplication) -> Iterator[Session]:
    session = Session(Worker())
    session.start()
    session.open_example("digits-cnn")
    yield session
    session.close()


def test_watch_it_learn(learning: Session, tmp_path: Path, wait: Wait) -> None:
    """Live on the network under training: the worker answers, with newer and newer weights; then
    the finished run's weights take over, while the camera stays open."""
    session = learning
    wait(lambda: session.dataset is not None, 60)
    assert session.dataset is not None
    column = next(iter(session.dataset.inputs.values()))
    for place in range(8):
        digit = column.take(np.array([place]))[0].astype(float)[0]
        scaled = (255 * digit / max(1, digit.max())).astype(np.uint8)
        Image.fromarray(scaled).resize((160, 160)).save(tmp_path / f"{place}.png")
    session.set_training(epochs=500)
    desk = Desk(session)
    desk.set_address(str(tmp_path))
    desk.start()
    session.run()
    desk.choose(NETWORK)
    assert desk.with_training
    steps: set[int] = set()
    desk.answered.connect(lambda _: steps.add(desk.step))
    wait(lambda: len(steps) > 1 and session.history and len(session.history.epochs), 120)
    camera = desk.device
    session.stop()
    wait(lambda: not session.busy, 60)
    wait(lambda: desk.recognition is not None and desk.recognition.answer() is not None, 60)
    assert desk.device is camera
    assert not desk.with_training
    assert desk.chosen.path == session.run_folder


def test_a_run_that_ended_with_nothing_learnt_can_be_begun_again(session: Session) -> None:
    """Live says so meanwhile, and is with the training of the next one."""
    desk = Desk(session)
    desk.set_address("clip")
    desk.start()
    session.run()
    desk.choose(NETWORK)
    worker = session.worker
    assert isinstance(worker, NotingWorker)
    asked = len(worker.named("live"))
    post(session, LiveAnswered(None, problem="the network gives no numbers"))
    assert desk._problem
    post(session, Status(State.FAILED, "the loss is not a number any more"))
    assert not desk.with_training
    assert not desk._problem
    with pytest.raises(LiveError, match="it has learnt nothing yet"):
        opened_live(desk.chosen, Camera("0"), Wanted(desk.settings, {}))
    session.run()
    assert desk.with_training
    assert worker.named("live")[-1][0] is desk.device
    assert len(worker.named("live")) > asked


def test_the_projects_network_is_that_of_its_run(session: Session) -> None:
    """Also where an earlier run is used, or there is none any more."""
    first, second = (
        as_run(picture_model(), session.files / "runs" / name) for name in ("001", "002")
    )
    session.use_run(second)
    desk = Desk(session)
    desk.set_address("clip")
    desk.choose(NETWORK)
    desk.start()
    session.set_training(epochs=7)
    assert [made.what.path for made in FakeRecognition.made] == [second]
    session.use_run(first)
    assert [made.what.path for made in FakeRecognition.made] == [second, first]
    assert FakeRecognition.made[0].closed
    session.note_run(None)
    assert desk.chosen.id != NETWORK
    assert FakeRecognition.made[-1].what == desk.chosen


def test_a_detectors_settings_reach_it_while_it_learns(session: Session) -> None:
    desk = Desk(session)
    desk.set_address("clip")
    desk.start()
    session.run()
    desk.choose(NETWORK)
    desk.chosen = replace(desk.chosen, kind="detector", classes=False)
    assert {parameter.id for parameter in desk.parameters} == {"score", "overlap", "most"}
    desk.set_detection(score=0.7)
    worker = session.worker
    assert isinstance(worker, NotingWorker)
    device, *_, detection = worker.named("live")[-1]
    assert device is desk.device
    assert detection == {"score": 0.7}
    session.open_example("digits-cnn")
    session.run()
    desk.choose(NETWORK)
    assert not desk.detection, "that was another project's network"
