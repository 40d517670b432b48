"""Teaching by example in the window: recording, learning, the network that comes of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QLineEdit, QVBoxLayout, QWidget

from playground import project as projects
from playground.messages import State, Status
from playground.runs import RunFolder
from playground.teach import write_run
from playground.teaching import Learned
from tests.gui.doubles import NotingWorker, give_data, small_graph
from tests.gui.live_fakes import FakeRecognition, fake_live
from tests.gui.record_kit import FakeCamera, pictures
from tests.playground.live_kit import as_run, picture_model, shaken
from ui.data.record.cards import class_colour
from ui.document import Notice, same_network
from ui.live.desk import NETWORK, Desk
from ui.live.teach import lessons as lessons_module
from ui.live.teach.classes_page import ClassesPage, told
from ui.live.teach.head_page import OTHER, OWN, TRAINED, HeadPage
from ui.live.teach.samples_page import SamplesPage
from ui.live.workspace import LiveWorkspace
from ui.session import Session

Wait = Callable[..., None]


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A small network: what is tried here does not depend on a good one."""
    return str(as_run(shaken(picture_model()), tmp_path_factory.mktemp("network") / "run"))


class Answering:
    """Stands for ``LiveTaught``: keeps the head that it is given; has looked at nothing."""

    head: Any = None

    def looked(self) -> None:
        return None


class Room:
    """The view of teaching in a window of its own: pages side by side, one desk."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.desk = Desk(session)
        self.window = QWidget()
        self.other = QLineEdit()
        self.page, self.samples = ClassesPage(self.desk), SamplesPage(self.desk)
        self.head = HeadPage(self.desk)
        column = QVBoxLayout(self.window)
        for widget in (self.other, self.page, self.samples, self.head):
            column.addWidget(widget)
        self.lessons = self.page.lessons
        self.library = self.lessons.library
        self.window.resize(400, 1300)
        self.window.show()
        self.desk.set_address("0")
        self.desk.choose("teach")
        self.desk.start()
        FakeRecognition.made[-1].answers = Answering()

    @property
    def live_head(self) -> Any:
        return FakeRecognition.made[-1].answers.head

    def counts(self) -> dict[str, int]:
        return {name: len(self.library.files(name)) for name in self.library.names}

    def learned(self) -> dict[str, int]:
        learned = self.lessons.learned
        return {} if learned is None else {n: c for n, c in learned.counts.items() if c}


@pytest.fixture
def session(app: QApplication, tmp_path: Path) -> Iterator[Session]:
    session = Session(NotingWorker())  # type: ignore[arg-type]
    session.new(projects.empty(), tmp_path / "mine.playground")
    yield session
    session.close()


@pytest.fixture
def room(session: Session, network: str, wait: Wait, monkeypatch: Any) -> Iterator[Room]:
    fake_live(monkeypatch)
    monkeypatch.setattr(lessons_module, "BACKBONE", network)
    monkeypatch.setattr("playground.teach.prepared_for", lambda embedder: "efficientnet-lite0")
    made = Room(session)
    wait(lambda: made.library.ready and made.lessons.frame is not None)
    yield made
    made.window.hide()


def record(room: Room, name: str, wait: Wait, count: int = 6) -> None:
    room.lessons.hold(name)
    before = room.counts().get(name, 0)
    wait(lambda: room.counts().get(name, 0) >= before + count)
    room.lessons.release()


def taught(room: Room, wait: Wait) -> None:
    """Two classes are shown and learnt."""
    for name in ("Class 1", "Class 2"):
        record(room, name, wait)
    wait(lambda: room.learned() == room.counts() and room.lessons.network.taken is not None)


# --- recording and learning -----------------------------------------------------------------------


def test_what_is_shown_is_written_at_once_and_learnt_when_it_pauses(room: Room, wait: Wait) -> None:
    assert "Record two classes" in room.page.text.text()
    assert not room.page.learn.isEnabled()
    card = room.page.classes.card("Class 1")
    assert card is not None
    wait(lambda: card.hold.isEnabled())
    QTest.mousePress(card.hold, Qt.MouseButton.LeftButton)
    wait(lambda: room.counts()["Class 1"] >= 6)
    wait(lambda: card.hold.property("kind") == "danger")
    assert room.desk.mark.startswith("Class 1 ")
    QTest.mouseRelease(card.hold, Qt.MouseButton.LeftButton)
    wait(lambda: room.learned() == {"Class 1": room.counts()["Class 1"]})
    assert room.desk.mark == ""
    assert room.live_head.classes == ("Class 1",), "how well one class is known is told"
    assert "Class 1" in room.page.text.text()
    record(room, "Class 2", wait)
    wait(lambda: room.learned() == room.counts())
    assert room.live_head.classes == ("Class 1", "Class 2")
    assert room.page.text.text().startswith("Last time")
    assert room.page.learn.isEnabled()
    assert room.page.corner.text() == f"{room.library.total} samples"
    colours = room.desk.colours
    assert [colours["Class 1"], colours["Class 2"]] == [class_colour(0), class_colour(1)]


def test_few_samples_are_learnt_when_that_is_asked_for(room: Room, wait: Wait) -> None:
    for name in ("Class 1", "Class 2"):
        room.lessons.once(name)
        wait(lambda name=name: room.counts()[name] == 1)
    wait(lambda: room.page.learn.isEnabled())
    QTest.qWait(700)
    assert room.lessons.learned is None
    room.page.learn.click()
    wait(lambda: room.learned() == {"Class 1": 1, "Class 2": 1})
    assert "samples each" in room.page.text.text()


def test_keys_record_wherever_the_focus_is_but_not_in_a_field(room: Room, wait: Wait) -> None:
    wait(lambda: room.page.classes.cards[1].hold.isEnabled())
    room.window.activateWindow()
    room.samples.samples.grid.setFocus()
    QTest.keyPress(room.window, Qt.Key.Key_2)
    wait(lambda: room.counts()["Class 2"] >= 2)
    assert room.page.classes.chosen == "Class 2"
    assert room.samples.samples.name == "Class 2"
    QTest.keyRelease(room.window, Qt.Key.Key_2)
    assert not room.lessons.shooting.active
    QTest.keyPress(room.window, Qt.Key.Key_Space)
    assert room.lessons.shooting.name == "Class 2"
    QTest.keyPress(room.window, Qt.Key.Key_Escape)
    assert not room.lessons.shooting.active
    QTest.keyRelease(room.window, Qt.Key.Key_Space)
    room.other.setFocus()
    QTest.keyClicks(room.other, "1")
    assert not room.lessons.shooting.active
    assert room.other.text() == "1"


def test_a_burst_begins_after_a_countdown_and_is_ended_by_a_second_click(
    room: Room, wait: Wait, monkeypatch: Any
) -> None:
    monkeypatch.setattr("ui.data.record.shooting.COUNTDOWN_S", 0.3)
    monkeypatch.setattr(lessons_module, "BURST", 3)
    room.lessons.burst("Class 1")
    wait(lambda: room.desk.countdown == 1)
    wait(lambda: room.counts()["Class 1"] == 3)
    assert not room.lessons.shooting.active
    room.lessons.burst("Class 1")
    room.lessons.burst("Class 1")
    assert not room.lessons.shooting.active


def test_without_a_picture_nothing_is_recorded_and_the_buttons_say_so(
    room: Room, wait: Wait
) -> None:
    wait(lambda: room.page.classes.cards[0].hold.isEnabled())
    room.lessons.hold("Class 1")
    FakeCamera.state = "reconnecting"
    wait(lambda: not room.page.classes.cards[0].hold.isEnabled())
    assert not room.lessons.shooting.active
    assert "no picture" in room.page.classes.cards[0].accessibleDescription()
    FakeCamera.state = "running"
    wait(lambda: room.page.classes.cards[0].hold.isEnabled())


def test_classes_change_while_it_runs(room: Room, wait: Wait) -> None:
    taught(room, wait)
    room.library.rename("Class 1", "Mug")
    wait(lambda: room.live_head.classes == ("Class 2", "Mug"))
    assert room.library.names == ["Mug", "Class 2"]  # it keeps its place, its key and its colour
    assert room.desk.colours == {"Mug": class_colour(0), "Class 2": class_colour(1)}
    first = room.library.files("Mug")[0]
    room.library.move([first], "Class 2")
    wait(lambda: room.learned() == room.counts())
    QTest.keyClick(room.window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    wait(lambda: first.exists() and room.learned() == room.counts())
    room.page.classes.add_class()
    wait(lambda: "Class 3" in room.library.names)
    record(room, "Class 3", wait)
    wait(lambda: room.live_head.classes == ("Class 2", "Class 3", "Mug"))
    notices: list[Notice] = []
    room.session.notice.connect(notices.append)
    room.page.classes.card("Class 3")._remove()  # type: ignore[union-attr]
    wait(lambda: room.live_head.classes == ("Class 2", "Mug"))
    assert "is removed" in notices[-1].text
    assert notices[-1].action is not None
    notices[-1].action[1]()
    wait(lambda: room.live_head.classes == ("Class 2", "Class 3", "Mug"))
    for over in (room.library.undo, room.desk.rest):  # taken back by a key; Live was left
        room.page.classes.card("Class 3")._remove()  # type: ignore[union-attr]
        assert notices[-1].action is not None
        over()
        assert not notices[-1].text, "what is offered is what would happen"
        wait(lambda: "Class 3" in room.counts())


def locked(folder: Path) -> Any:
    raise PermissionError(13, "Permission denied", str(folder))


def test_dropped_pictures_are_looked_at_and_learnt(
    room: Room, wait: Wait, tmp_path: Path, monkeypatch: Any
) -> None:
    taught(room, wait)
    before = room.counts()["Class 2"]
    for number in range(6):
        Image.new("RGB", (40, 30), (200, number, 0)).save(tmp_path / f"{number}.png")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    notices: list[Notice] = []
    room.session.notice.connect(notices.append)
    room.lessons.incoming.take("Class 2", sorted(tmp_path.glob("*.png")))
    wait(lambda: room.learned().get("Class 2") == before + 6)
    wait(lambda: any("Left out: broken.png" in notice.text for notice in notices))
    column, folder = room.page.classes, tmp_path / "Mug"
    folder.mkdir()
    for number in range(3):
        (tmp_path / f"{number}.png").rename(folder / f"{number}.png")
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(folder))])
    column.drop(data)  # beside the cards: a class of its own
    wait(lambda: room.counts().get("Mug") == 3)
    (empty := tmp_path / "empty").mkdir()
    room.lessons.incoming.take("Mug", [empty])
    wait(lambda: "Nothing was copied into Mug" in notices[-1].text)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "iterdir", locked)
        room.lessons.incoming.take("Mug", [folder])
        wait(lambda: "Left out: Mug (Permission denied)" in notices[-1].text)
    card = column.card("Mug")
    assert card is not None
    paths = [str(path) for path in folder.iterdir()]
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_: (paths, ""))
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(folder))
    actions = {action.text(): action for action in card.more.menu().actions()}
    actions["Add files …"].trigger()
    wait(lambda: room.counts()["Mug"] == 6)
    actions["Add a folder's files …"].trigger()
    wait(lambda: room.counts()["Mug"] == 9)
    actions["Delete its samples"].trigger()
    wait(lambda: room.counts()["Mug"] == 0)
    assert notices[-1].text == "9 samples of “Mug” are deleted."
    assert notices[-1].action is not None
    notices[-1].action[1]()
    wait(lambda: room.counts()["Mug"] == 9)


def test_leaving_ends_recording_and_what_was_taken_is_there_again(room: Room, wait: Wait) -> None:
    room.lessons.hold("Class 1")
    wait(lambda: room.counts()["Class 1"] >= 3)
    room.desk.rest()
    assert not room.lessons.active
    assert not room.lessons.shooting.active
    assert room.desk.mark == ""
    assert room.desk.colours == {}
    room.desk.wake()
    folder = room.session.files / "pictures" / "Class 1"
    wait(lambda: room.counts()["Class 1"] == len(list(folder.glob("*.jpg"))))
    room.desk.choose("efficientnet-lite0")
    assert not room.lessons.active
    QTest.keyPress(room.window, Qt.Key.Key_1)
    assert not room.lessons.shooting.active


def test_a_folder_that_is_gone_ends_recording_with_a_sentence(
    room: Room, wait: Wait, tmp_path: Path
) -> None:
    taught(room, wait)
    room.lessons.hold("Class 1")
    wait(lambda: room.lessons.shooting.taken >= 2)
    (room.session.files / "pictures" / "Class 1").rename(tmp_path / "elsewhere")
    wait(lambda: room.page.problem.text() != "")
    assert "gone" in room.page.problem.text()
    assert not room.lessons.shooting.active


def test_a_network_that_cannot_be_loaded_is_told(
    session: Session, wait: Wait, monkeypatch: Any
) -> None:
    fake_live(monkeypatch)
    monkeypatch.setattr(lessons_module, "BACKBONE", "no-such-network")
    room = Room(session)
    wait(lambda: "cannot be taught" in room.page.text.text())
    assert not room.page.learn.isEnabled()
    room.window.hide()


def test_recordings_of_a_project_are_learnt_when_it_is_opened(
    session: Session, network: str, wait: Wait, monkeypatch: Any
) -> None:
    fake_live(monkeypatch)
    monkeypatch.setattr(lessons_module, "BACKBONE", network)
    monkeypatch.setattr("playground.teach.prepared_for", lambda embedder: "efficientnet-lite0")
    pictures(session.files / "pictures", {"cup": 7, "pen": 6})
    room = Room(session)
    wait(lambda: room.live_head is not None and room.live_head.classes == ("cup", "pen"))
    wait(lambda: room.lessons.network.taken is not None)
    run = session.project.run
    assert run is not None
    assert session.save()
    changed = (session.files / run / "run.json").stat().st_mtime_ns

    session.new(projects.load(session.path), session.path)  # type: ignore[arg-type]
    assert room.lessons.learned is None
    room.desk.choose("teach")
    room.desk.start()
    FakeRecognition.made[-1].answers = Answering()
    wait(lambda: room.live_head is not None and room.live_head.classes == ("cup", "pen"))
    wait(lambda: room.lessons.network.taken is not None)
    assert not session.dirty, "nothing new was learnt"
    assert (session.files / run / "run.json").stat().st_mtime_ns == changed
    room.window.hide()


def test_another_project_has_other_classes(room: Room, wait: Wait, tmp_path: Path) -> None:
    taught(room, wait)
    room.session.new(projects.empty(), tmp_path / "other.playground")
    room.desk.choose("teach")
    wait(lambda: room.library.ready)
    assert room.library.total == 0
    assert room.lessons.learned is None
    assert room.session.project.run is None


# --- the network that comes of it -----------------------------------------------------------------


def test_a_bare_canvas_gets_the_network_with_its_run_and_data(room: Room, wait: Wait) -> None:
    session = room.session
    bare = session.graph
    session.set_mode("live")
    taught(room, wait)
    project = session.project
    assert [node.layer for node in session.graph.nodes.values()][-1] == "output"
    assert session.report.ok
    assert project.data.source == "camera"
    assert project.data.options["path"] == "files:pictures"
    assert project.data.options["prepared"] == "efficientnet-lite0"
    assert project.training.learns == "head"
    assert session.run_folder is not None
    assert session.run_folder.is_dir()
    worker: Any = session.worker
    opened = len(worker.named("open_data"))
    record(room, "Class 1", wait)
    wait(lambda: room.learned() == room.counts())
    room.lessons.network.finish()
    assert project.run == session.project.run, "learning again does not fill the disk"
    assert len(list((session.files / "runs").iterdir())) == 1
    assert len(worker.named("open_data")) == opened, "not while it runs live"
    session.set_mode("network")
    assert len(worker.named("open_data")) == opened + 1
    assert worker.named("load_run")[-1] == (session.run_folder,)
    kept = room.lessons.network.taken
    session.undo.undo()
    assert same_network(session.graph, bare)
    assert room.lessons.network.taken is None
    assert session.project.run is None
    assert session.project.data == projects.empty().data
    assert session.project.training == projects.empty().training
    session.undo.redo()
    assert kept is not None
    assert room.lessons.network.taken is kept, "it can be tuned and exported again"
    assert session.project == project


def test_undoing_while_it_is_written_leaves_canvas_and_run_together(
    room: Room, wait: Wait, monkeypatch: Any
) -> None:
    session, network = room.session, room.lessons.network
    taught(room, wait)
    two = session.project.run
    begun, go = threading.Event(), threading.Event()

    def slow(*arguments: Any, **named: Any) -> Any:
        begun.set()
        go.wait(10)
        return write_run(*arguments, **named)

    monkeypatch.setattr("playground.teach.write_run", slow)
    room.library.add("Class 3")
    wait(lambda: "Class 3" in room.counts())
    record(room, "Class 3", wait)
    wait(begun.is_set)
    session.undo.undo()
    go.set()
    network.finish()
    assert not session.graph.nodes
    assert session.project.run is None
    assert network.in_the_way, "what was undone is not put back unasked"
    wait(lambda: [path.name for path in (session.files / "runs").iterdir()] == ["001"])
    session.undo.redo()
    assert session.project.run == two
    assert is_together(session)
    wait(lambda: network.taken is room.lessons.learned)
    assert session.project.run != two
    assert is_together(session)
    assert room.head.state.text() == OWN
    session.undo.undo()
    assert not session.graph.nodes
    assert session.project.run is None


def is_together(session: Session) -> bool:
    assert session.run_folder is not None
    return same_network(RunFolder(session.run_folder).project().graph, session.graph)


def test_another_network_stays_until_a_person_says_so(room: Room, wait: Wait) -> None:
    session = room.session
    session.edit("Build", small_graph())
    own = session.graph
    for name in ("Class 1", "Class 2"):
        record(room, name, wait)
    wait(lambda: room.lessons.network.in_the_way)
    assert session.graph is own
    assert session.project.run is None
    assert room.page.keep.isVisible()
    assert room.head.put.isVisible()
    assert room.head.state.text() == OTHER
    assert not room.head.save.isVisible()
    room.head.put.click()
    wait(lambda: room.lessons.network.taken is not None)
    assert session.project.run is not None
    assert not room.page.keep.isVisible()
    session.undo.undo()
    assert session.graph is own
    assert room.lessons.network.taken is None


def test_what_is_being_written_is_saved_with_the_project(room: Room, wait: Wait) -> None:
    for name in ("Class 1", "Class 2"):
        record(room, name, wait)
    wait(lambda: room.learned() == room.counts())
    assert room.session.save()
    found = projects.load(room.session.path)  # type: ignore[arg-type]
    assert found.run == room.session.project.run is not None
    assert same_network(found.graph, room.session.graph)
    assert not room.session.dirty


def test_a_full_disk_leaves_what_was_learnt_in_place(
    room: Room, wait: Wait, monkeypatch: Any
) -> None:
    def full(*arguments: Any, **named: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("playground.teach.fill", full)
    for name in ("Class 1", "Class 2"):
        record(room, name, wait)
    wait(lambda: "could not be kept" in room.page.problem.text())
    assert "No space left" in room.page.problem.text()
    assert room.live_head.classes == ("Class 1", "Class 2")
    monkeypatch.undo()


def test_the_head_in_numbers_and_what_can_be_done_with_it(room: Room, wait: Wait) -> None:
    assert room.head._pages.currentIndex() == 0
    taught(room, wait)
    head = room.head
    assert head._pages.currentIndex() == 1
    assert head.parameters.text().endswith("parameters")
    assert "2 classes" in head.what.text()
    assert head.state.text() == OWN
    asked: list[str] = []
    room.session.asked.connect(asked.append)
    for button in (head.python, head.onnx, head.save):
        assert button.isEnabled()
        button.click()
    assert asked == ["export_python", "export_onnx", "save"]
    room.session.set_mode("live")
    head.canvas.click()
    assert room.session.mode == "network"


def test_the_whole_network_is_tuned_from_the_taught_weights(room: Room, wait: Wait) -> None:
    session = room.session
    session.set_mode("live")
    taught(room, wait)
    worker: Any = session.worker
    room.head.tune.click()
    assert session.mode == "network"
    assert session.project.training.learns == "all"
    assert worker.named("train") == [], "the recordings are being read"
    give_data(session)
    (call,) = worker.named("train")
    assert call[-1] == session.run_folder
    assert room.desk.chosen.id == NETWORK, "what is tuned is what runs live"


def test_pages_of_teaching_are_offered_for_teaching(
    session: Session, wait: Wait, monkeypatch: Any, network: str
) -> None:
    fake_live(monkeypatch)
    monkeypatch.setattr(lessons_module, "BACKBONE", network)
    view = LiveWorkspace(session)
    view.show()

    def offered(panel: Any) -> list[str]:
        return [id for id in panel.ids() if not panel._tabs[id].isHidden()]

    assert "classes" not in offered(view.left)
    assert view.left.made("head") is None, "what is not offered is not made"
    view.desk.set_address("0")
    view.recognise("teach")
    assert offered(view.left) == ["classes", "head", "model"]
    assert view.left.current() == "classes"
    assert "samples" in offered(view.below)
    page = view.left.page("classes")
    assert isinstance(page, ClassesPage)
    assert page.corner.isVisible()
    view.left.set_current("head")
    assert not page.corner.isVisible()
    assert page.lessons.active
    view.recognise("faces")
    assert view.left.current() == "model"
    assert not page.lessons.active
    view.hide()


def test_how_well_it_was_learnt_in_words() -> None:
    counts = {"a": 5, "b": 5}
    assert told(Learned(1, None, counts, 0.42, 1.0, 23)) == (
        "Last time: 0.4 s, 100 % of 23 held-back right"
    )
    assert told(Learned(1, None, counts, 0.05)).startswith("Last time: 50 ms. With 5")


def trained_on(room: Room, name: str = "002") -> Path:
    """A run of the taught network that went on learning, as it has ended."""
    session = room.session
    assert session.run_folder is not None
    path = as_run(shaken(picture_model()), session.files / "runs" / name)
    session._on_status(Status(State.RUNNING, run=path))
    return path


def test_what_was_tuned_stays_until_a_person_says_so(room: Room, wait: Wait) -> None:
    session, network = room.session, room.lessons.network
    taught(room, wait)
    tuned = trained_on(room)
    before = room.lessons.learned
    record(room, "Class 1", wait)
    wait(lambda: room.lessons.learned is not before)
    assert room.head.state.text() == TRAINED
    session._on_status(Status(State.FINISHED, run=tuned))
    wait(lambda: network.in_the_way)  # it was learnt while the other ran
    assert session.run_folder == tuned
    assert room.head.state.text() == OTHER
    assert room.head.put.isVisible()
    room.head.put.click()
    wait(lambda: network.taken is room.lessons.learned)
    assert session.run_folder != tuned
    assert is_together(session)
    session.undo.undo()
    assert session.run_folder == tuned
    assert room.head.state.text() == OTHER
    session.undo.redo()
    assert network.taken is room.lessons.learned
