"""The recording page with a camera and a microphone that give what the test says."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, QPoint, Qt, QUrl
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox

from models.axes import vector
from playground import project as projects
from playground.data.settings import DataSettings
from playground.messages import DataReady, State, Status
from playground.recordings import Recordings
from tests.gui.doubles import small_dataset, small_graph
from tests.gui.record_kit import (
    FakeCamera,
    FakeMicrophone,
    faked,
    new_session,
    pictures,
    shown,
)
from ui.data.panel import DataPanel
from ui.data.record.camera import CREDIT, CameraBench
from ui.data.record.devices import CLIP
from ui.data.record.grid import packed
from ui.data.record.microphone import NOISE_S, MicrophoneBench
from ui.data.record.page import RecordPage
from ui.insight.fetch import Fetch
from ui.session import Session
from ui.settings import settings

Wait = Callable[..., None]
PLAIN = Qt.KeyboardModifier.NoModifier


@pytest.fixture
def session(app: QApplication, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    faked(monkeypatch)
    session = new_session()
    yield session
    session.close()


@pytest.fixture
def page(session: Session, wait: Wait) -> Iterator[RecordPage]:
    page = shown(session, wait)
    bench = camera_bench(page)
    wait(lambda: bench.live.image.width() > 0 and bench.classes.cards[0].hold.isEnabled())
    yield page
    page.close()


@pytest.fixture
def sounds(session: Session, wait: Wait) -> Iterator[MicrophoneBench]:
    page = shown(session, wait, "microphone")
    bench = page.bench
    assert isinstance(bench, MicrophoneBench)
    wait(lambda: bench.classes.cards[0].hold.isEnabled())
    yield bench
    page.close()


def camera_bench(page: RecordPage) -> CameraBench:
    assert isinstance(page.bench, CameraBench)
    return page.bench


def counts(bench: Any) -> dict[str, int]:
    return {name: len(bench.library.files(name)) for name in bench.library.names}


def on_disk(bench: Any) -> dict[str, int]:
    return Recordings(bench.library.folder).counts()


def recorded(bench: Any, wait: Wait, name: str, count: int = 1) -> None:
    wait(lambda: counts(bench).get(name, 0) >= count)


# --- recording pictures ---------------------------------------------------------------------------


def test_two_classes_wait_and_nothing_is_written_for_looking(page: RecordPage) -> None:
    bench = camera_bench(page)
    assert [card.name for card in bench.classes.cards] == ["Class 1", "Class 2"]
    assert not (bench.library.folder or Path()).exists()
    assert not page._session.dirty
    assert not bench.use.train.isEnabled()
    assert "two classes" in bench.use.text.text()


def test_holding_records_at_once(page: RecordPage, wait: Wait) -> None:
    bench = camera_bench(page)
    card = bench.classes.cards[0]
    QTest.mousePress(card.hold, Qt.MouseButton.LeftButton)
    wait(lambda: on_disk(bench).get("Class 1", 0) >= 3)
    assert "Recording" in card.hold.text()
    assert card.hold.property("kind") == "danger"
    QTest.mouseRelease(card.hold, Qt.MouseButton.LeftButton)
    wait(lambda: card.hold.property("kind") != "danger")
    recorded(bench, wait, "Class 1", 3)
    wait(lambda: counts(bench) == on_disk(bench))
    assert card.count.text().endswith("samples")
    assert on_disk(bench)["Class 2"] == 0
    with Image.open(bench.library.files("Class 1")[0]) as picture:
        assert picture.size == (80, 60)
    assert page._session.dirty


@pytest.mark.parametrize(
    ("key", "name"), [(Qt.Key.Key_2, "Class 2"), (Qt.Key.Key_Space, "Class 1")]
)
def test_keys_record(page: RecordPage, wait: Wait, key: Qt.Key, name: str) -> None:
    bench = camera_bench(page)
    bench.setFocus()
    QTest.keyPress(bench, key)
    recorded(bench, wait, name, 2)
    QTest.keyRelease(bench, key)
    assert not bench.shooting.active
    assert bench.classes.chosen == name


def test_a_digit_typed_into_a_name_records_nothing(page: RecordPage) -> None:
    bench = camera_bench(page)
    card = bench.classes.cards[0]
    card.edit_name()
    QTest.keyClicks(card.title, "Cup 2")
    assert card.title.text() == "Cup 2"
    assert not bench.shooting.active


def test_one_picture_and_a_burst(page: RecordPage, wait: Wait) -> None:
    bench = camera_bench(page)
    first, second = bench.classes.cards
    first.once.click()
    recorded(bench, wait, "Class 1")
    bench.burst_size.setCurrentIndex(bench.burst_size.findData(5))
    bench.rate.setCurrentIndex(bench.rate.findData(30))
    bench._pace_changed()
    second.burst.click()
    wait(lambda: "In" in second.hold.text())
    assert bench.shooting.countdown(bench.shooting._begins - 2.5) == 3
    wait(lambda: not bench.shooting.active, 10)
    recorded(bench, wait, "Class 2", 5)
    wait(lambda: counts(bench) == on_disk(bench) == {"Class 1": 1, "Class 2": 5})


def test_a_second_click_calls_a_burst_off(page: RecordPage) -> None:
    bench = camera_bench(page)
    bench.classes.cards[0].burst.click()
    assert bench.shooting.active
    bench.classes.cards[0].burst.click()
    assert not bench.shooting.active


def test_hiding_the_page_gives_the_camera_back(page: RecordPage, wait: Wait) -> None:
    bench = camera_bench(page)
    first = FakeCamera.made[-1]
    QTest.mousePress(bench.classes.cards[0].hold, Qt.MouseButton.LeftButton)
    recorded(bench, wait, "Class 1")
    page.hide()
    assert first.closed
    assert not bench.shooting.active
    wait(lambda: not [t for t in threading.enumerate() if t.name in ("preview", "recorder")])
    page.show()
    wait(lambda: bench.live.image.width() > 0)
    assert FakeCamera.made[-1] is not first
    assert counts(bench)["Class 1"] >= 1


def test_closing_waits_for_what_reads_files_and_pictures(
    page: RecordPage, session: Session, app: QApplication
) -> None:
    """It is told to end while the window is still seen."""
    fetch, read = Fetch(page), threading.Event()
    fetch.start(lambda: (time.sleep(0.3), read.set()))
    names = {"fetch", "preview", "thumbnails", "recorder"}
    assert {"fetch", "preview"} <= {thread.name for thread in threading.enumerate()}
    session.close()
    assert page.isVisible()
    assert read.is_set()
    assert not names & {thread.name for thread in threading.enumerate()}


def test_a_camera_that_is_lost_while_recording(page: RecordPage, wait: Wait) -> None:
    bench = camera_bench(page)
    QTest.mousePress(bench.classes.cards[0].hold, Qt.MouseButton.LeftButton)
    recorded(bench, wait, "Class 1")
    FakeCamera.state, FakeCamera.message = "reconnecting", "Desk camera is gone; trying again."
    wait(lambda: bench.notice.said == "Desk camera is gone; trying again.")
    wait(lambda: not bench.shooting.active)
    assert not bench.classes.cards[0].hold.isEnabled()
    kept = on_disk(bench)["Class 1"]
    assert kept >= 1
    FakeCamera.state = "running"
    wait(lambda: bench.classes.cards[0].hold.isEnabled())
    assert bench.notice.isHidden()


def test_opening_can_be_cancelled(session: Session, wait: Wait) -> None:
    FakeCamera.state = "opening"
    page = shown(session, wait)
    bench = camera_bench(page)
    wait(lambda: bench.notice.said.startswith("Opening Desk camera …"))
    cancel = next(b for b in bench.notice.buttons if b.text() == "Cancel")
    cancel.click()
    wait(lambda: bench.notice.said == "The camera is off.")
    assert FakeCamera.made[-1].closed
    FakeCamera.state = "running"
    next(b for b in bench.notice.buttons if b.text() == "Open it").click()
    wait(lambda: bench.live.image.width() > 0)
    page.close()


def test_closing_while_it_opens_leaves_nothing(session: Session, wait: Wait) -> None:
    FakeCamera.state = "opening"
    page = shown(session, wait)
    wait(lambda: bool(FakeCamera.made))
    page.close()
    assert all(camera.closed for camera in FakeCamera.made)


def test_a_camera_held_by_another_program(session: Session, wait: Wait) -> None:
    FakeCamera.state, FakeCamera.message = "failed", "Camera 0 is used by another program."
    page = shown(session, wait)
    bench = camera_bench(page)
    wait(lambda: bench.notice.said == FakeCamera.message)
    FakeCamera.state = "running"
    next(b for b in bench.notice.buttons if b.text() == "Use the bundled clip").click()
    wait(lambda: bench.live.image.width() > 0)
    assert FakeCamera.made[-1].address == CLIP
    assert bench.live._credit == CREDIT
    page.close()


def test_without_a_camera_the_clip_is_shown_with_its_credit(
    session: Session, wait: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    faked(monkeypatch, ())
    page = shown(session, wait)
    bench = camera_bench(page)
    wait(lambda: bench.live.image.width() > 0)
    assert bench.devices.address == CLIP
    assert bench.live._credit == CREDIT
    page.close()


def test_another_camera_and_its_settings(page: RecordPage, wait: Wait) -> None:
    bench = camera_bench(page)
    bench.mirror.click()
    bench.square.click()
    bench.size_box.setCurrentIndex(2)
    bench._settings_changed()
    wanted = FakeCamera.made[-1].settings
    assert (wanted.mirror, wanted.crop, wanted.width, wanted.height) == (True, "square", 640, 480)
    bench.devices.take("rtsp://me:secret@host/stream")
    assert FakeCamera.made[-1].address.startswith("rtsp://")
    assert bench.devices.box.currentText() == "rtsp://host/stream"
    assert sum(not camera.closed for camera in FakeCamera.made) == 1
    assert "secret" not in str(settings().value("record/camera", ""))
    bench.devices.take("http://host/stream.mjpg")
    again = CameraBench(page._session)
    assert again._wanted == "http://host/stream.mjpg"
    assert again.mirror.isChecked()
    again.library.close()
    again.deleteLater()


# --- classes and samples --------------------------------------------------------------------------


@pytest.fixture
def full(session: Session, wait: Wait) -> Iterator[CameraBench]:
    """A page with samples of two classes."""
    pictures(session.files / "pictures", {"Cup": 6, "Pen": 4})
    page = shown(session, wait)
    yield camera_bench(page)
    page.close()


def test_classes_are_named_added_and_removed(full: CameraBench, wait: Wait, tmp_path: Path) -> None:
    column = full.classes
    column.add.click()
    wait(lambda: [card.name for card in column.cards] == ["Cup", "Pen", "Class 3"])
    card = column.cards[2]
    assert column.chosen == "Class 3"
    assert card.title.hasSelectedText()
    QTest.keyClicks(card.title, "Apple")
    QTest.keyClick(card.title, Qt.Key.Key_Return)
    wait(lambda: [card.name for card in column.cards] == ["Cup", "Pen", "Apple"])
    said: list[Any] = []
    full._session.notice.connect(said.append)
    column.cards[0].removed.emit("Cup")
    wait(lambda: [card.name for card in column.cards] == ["Pen", "Apple"])
    assert said[-1].text == "“Cup” is removed with its 6 samples."
    assert said[-1].action[0] == "Undo"
    QTest.keyClick(full, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    wait(lambda: counts(full) == {"Apple": 0, "Cup": 6, "Pen": 4})
    assert full.library.names == ["Cup", "Pen", "Apple"]
    full._session.save(tmp_path / "kept.playground")
    full.library.open()
    wait(lambda: full.library.names == ["Cup", "Pen", "Apple"] and full.library.total == 10)


def test_a_name_that_cannot_be_is_refused_with_a_reason(full: CameraBench, wait: Wait) -> None:
    said: list[str] = []
    full._session.notice.connect(lambda notice: said.append(notice.text))
    card = full.classes.cards[0]
    QTest.mouseClick(card.title, Qt.MouseButton.LeftButton)
    assert card.title.selectedText() == "Cup", "what is typed takes its place"
    QTest.keyClicks(card.title, "Pen")
    QTest.keyClick(card.title, Qt.Key.Key_Return)
    wait(lambda: any("already" in text for text in said))
    assert card.title.text() == "Cup"
    assert counts(full) == {"Cup": 6, "Pen": 4}


def test_samples_are_deleted_and_brought_back(full: CameraBench, wait: Wait) -> None:
    grid = full.samples.grid
    QTest.mouseClick(grid.viewport(), Qt.MouseButton.LeftButton, PLAIN, grid.tile_rect(0).center())
    shift = Qt.KeyboardModifier.ShiftModifier
    QTest.mouseClick(grid.viewport(), Qt.MouseButton.LeftButton, shift, grid.tile_rect(2).center())
    assert "3 chosen" in full.samples.title.whole()
    QTest.keyClick(grid, Qt.Key.Key_Delete)
    wait(lambda: counts(full) == {"Cup": 3, "Pen": 4})
    assert not grid.chosen
    QTest.keyClick(grid, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    wait(lambda: counts(full) == {"Cup": 6, "Pen": 4})
    QTest.keyClick(grid, Qt.Key.Key_Y, Qt.KeyboardModifier.ControlModifier)
    wait(lambda: counts(full) == {"Cup": 3, "Pen": 4})
    assert full.samples.undo.isEnabled()


def test_samples_are_moved_by_menu_and_by_dragging(full: CameraBench, wait: Wait) -> None:
    files = full.library.files("Cup")
    full.samples.grid._choose({files[0]})
    full.samples._fill_moves()
    full.samples.moves.actions()[0].trigger()
    wait(lambda: counts(full) == {"Cup": 5, "Pen": 5})
    card = full.classes.card("Pen")
    assert card is not None
    assert card.drop(packed(files[1:3]))
    wait(lambda: counts(full) == {"Cup": 3, "Pen": 7})


def test_pictures_from_the_desktop_are_copied_in(
    full: CameraBench, wait: Wait, tmp_path: Path
) -> None:
    good, bad = tmp_path / "photo.png", tmp_path / "broken.jpg"
    Image.new("RGBA", (50, 40), (10, 200, 30, 255)).save(good)
    bad.write_bytes(b"\xff\xd8 no picture")
    said: list[str] = []
    full._session.notice.connect(lambda notice: said.append(notice.text))
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in (good, bad)])
    card = full.classes.card("Pen")
    assert card is not None
    assert card.drop(data)
    wait(lambda: counts(full)["Pen"] == 5)
    wait(lambda: any("broken.jpg" in text for text in said))
    assert good.exists()
    with Image.open(full.library.files("Pen")[-1]) as picture:
        assert picture.size == (50, 40)


def test_the_folder_goes_while_recording(page: RecordPage, wait: Wait) -> None:
    bench = camera_bench(page)
    card = bench.classes.cards[0]
    QTest.mousePress(card.hold, Qt.MouseButton.LeftButton)
    recorded(bench, wait, "Class 1", 2)
    folder = bench.library.folder
    assert folder is not None
    folder.rename(folder.with_name("elsewhere"))
    wait(lambda: bench.problem.isVisible() and "gone" in bench.problem.text())
    assert not bench.shooting.active
    QTest.mouseRelease(card.hold, Qt.MouseButton.LeftButton)
    wait(lambda: counts(bench) == {"Class 1": 0, "Class 2": 0})
    QTest.mousePress(bench.classes.cards[0].hold, Qt.MouseButton.LeftButton)
    recorded(bench, wait, "Class 1")
    assert not bench.problem.isVisible()
    QTest.mouseRelease(bench.classes.cards[0].hold, Qt.MouseButton.LeftButton)


def test_a_full_disk_stops_with_a_sentence(
    page: RecordPage, wait: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    import errno

    bench = camera_bench(page)
    QTest.mousePress(bench.classes.cards[0].hold, Qt.MouseButton.LeftButton)
    recorded(bench, wait, "Class 1", 2)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("playground.recordings.os.fsync", full)
    wait(lambda: bench.problem.isVisible())
    assert "disk is full" in bench.problem.text()
    assert not bench.shooting.active
    assert on_disk(bench)["Class 1"] >= 2


# --- sounds ---------------------------------------------------------------------------------------


def test_clips_of_one_length_are_recorded(sounds: MicrophoneBench, wait: Wait) -> None:
    import soundfile

    card = sounds.classes.cards[0]
    QTest.mousePress(card.hold, Qt.MouseButton.LeftButton)
    wait(lambda: 0 < sounds.filling._value < 1)
    recorded(sounds, wait, "Class 1", 2)
    QTest.mouseRelease(card.hold, Qt.MouseButton.LeftButton)
    wait(lambda: not sounds.cutting.active)
    wait(lambda: counts(sounds) == on_disk(sounds))
    info = soundfile.info(sounds.library.files("Class 1")[0])
    assert (info.frames, info.samplerate, info.format) == (16000, 16000, "FLAC")


def test_a_tap_is_one_clip_of_the_chosen_length(sounds: MicrophoneBench, wait: Wait) -> None:
    import soundfile

    sounds.length.setCurrentIndex(0)
    sounds._length_changed()
    QTest.mouseClick(sounds.classes.cards[1].hold, Qt.MouseButton.LeftButton)
    recorded(sounds, wait, "Class 2")
    wait(lambda: not sounds.cutting.active)
    assert [soundfile.info(f).frames for f in sounds.library.files("Class 2")] == [8000]


def test_background_noise_is_a_class_of_its_own(sounds: MicrophoneBench, wait: Wait) -> None:
    sounds.noise.click()
    recorded(sounds, wait, "Background noise", NOISE_S)
    wait(lambda: counts(sounds) == {"Class 1": 0, "Class 2": 0, "Background noise": NOISE_S})
    assert [card.name for card in sounds.classes.cards][-1] == "Background noise"
    assert sounds.samples.name == "Background noise"


def test_a_microphone_that_goes_is_told(sounds: MicrophoneBench, wait: Wait) -> None:
    QTest.mousePress(sounds.classes.cards[0].hold, Qt.MouseButton.LeftButton)
    wait(lambda: sounds.cutting.active)
    FakeMicrophone.state = "reconnecting"
    wait(lambda: sounds.notice.said == "The microphone is gone.")
    assert not sounds.cutting.active
    assert not sounds.scope.isVisible()


def test_too_loud_lights_up(sounds: MicrophoneBench, wait: Wait) -> None:
    FakeMicrophone.loudness = 1.0
    wait(lambda: sounds.meter.clipped)


def test_without_a_microphone_a_file_is_offered(
    session: Session, wait: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    faked(monkeypatch, ())
    page = shown(session, wait, "microphone")
    bench = page.bench
    assert isinstance(bench, MicrophoneBench)
    wait(lambda: "No microphone was found" in bench.notice.said)
    next(b for b in bench.notice.buttons if b.text() == "Bundled word").click()
    wait(lambda: bench.classes.cards[0].hold.isEnabled())
    assert FakeMicrophone.made[-1].address.endswith(".flac")
    page.close()


def test_a_sound_file_from_the_desktop_is_cut_to_clips(
    sounds: MicrophoneBench, wait: Wait, tmp_path: Path
) -> None:
    import numpy as np
    import soundfile

    path = tmp_path / "long.wav"
    soundfile.write(path, np.zeros(int(8000 * 2.7), np.float32), 8000)
    sounds.incoming.take("Class 1", [path])
    recorded(sounds, wait, "Class 1", 3)
    wait(lambda: counts(sounds)["Class 1"] == 3)
    assert {soundfile.info(f).frames for f in sounds.library.files("Class 1")} == {16000}


# --- from samples to a network --------------------------------------------------------------------


def test_train_takes_the_samples_builds_a_network_and_runs(full: CameraBench, wait: Wait) -> None:
    session, use = full._session, full.use
    assert use.train.isEnabled()
    use.train.click()
    assert session.project.data == DataSettings("camera", {"path": "files:pictures"})
    assert len(session.worker.named("open_data")) == 2
    session.worker.mailbox.post(DataReady(small_dataset(10), session.project.data))
    session.bridge.drain()
    layers = {node.layer for node in session.graph.nodes.values()}
    assert "conv2d" in layers
    assert len(session.worker.named("train")) == 1
    assert session.project.training.epochs == 50  # an epoch is a single step here
    session.worker.mailbox.post(Status(State.RUNNING))
    session.bridge.drain()
    assert use.stop.isVisible()
    assert use.see.text() == "See it learn"
    assert full.classes.cards[0].hold.isEnabled() or not full.live.image.width()
    session.undo.undo()
    assert "conv2d" not in {node.layer for node in session.graph.nodes.values()}


def test_what_was_trained_can_be_tried(full: CameraBench, wait: Wait) -> None:
    session, use, seen = full._session, full.use, []
    session.reveal.connect(seen.append)
    use.train.click()
    session.worker.mailbox.post(DataReady(small_dataset(10), session.project.data))
    session.bridge.drain()
    session.worker.mailbox.post(Status(State.FINISHED))
    session.bridge.drain()
    assert use.see.isVisible()
    assert use.see.text() == "Try it"
    use.see.click()
    assert seen == ["try"]


def test_what_was_still_being_written_is_not_called_new(full: CameraBench, wait: Wait) -> None:
    session, use = full._session, full.use
    use.use.click()
    full.library.delete(full.library.files("Cup")[:1])
    wait(lambda: counts(full) == {"Cup": 5, "Pen": 4})
    use._seen = use._marks()
    full.library.undo()
    wait(lambda: counts(full) == {"Cup": 6, "Pen": 4})
    assert use.stale
    session.worker.mailbox.post(DataReady(small_dataset(10), session.project.data))
    session.bridge.drain()
    assert not use.stale


def test_use_does_not_train(full: CameraBench) -> None:
    session = full._session
    full.use.use.click()
    session.worker.mailbox.post(DataReady(small_dataset(10), session.project.data))
    session.bridge.drain()
    assert "conv2d" in {node.layer for node in session.graph.nodes.values()}
    assert not session.worker.named("train")
    assert not full.use.use.isVisible()


def test_samples_that_changed_are_read_again_before_training(full: CameraBench, wait: Wait) -> None:
    session, use = full._session, full.use
    use.use.click()
    session.worker.mailbox.post(DataReady(small_dataset(10), session.project.data))
    session.bridge.drain()
    read = len(session.worker.named("open_data"))
    full.library.move(full.library.files("Cup")[:1], "Pen")
    wait(lambda: counts(full) == {"Cup": 5, "Pen": 5})
    assert "changed" in use.text.text()
    assert use.use.isVisible()
    use.train.click()
    assert len(session.worker.named("open_data")) == read + 1
    assert not session.worker.named("train")
    session.worker.mailbox.post(DataReady(small_dataset(10), session.project.data))
    session.bridge.drain()
    assert len(session.worker.named("train")) == 1


def test_a_network_that_does_not_fit_is_not_replaced_unasked(full: CameraBench, wait: Wait) -> None:
    session = full._session
    session.edit("Another", small_graph())
    before = session.graph
    full.use.train.click()
    wide = small_dataset(10)
    four = replace(wide.target, shape=vector(4), classes=("a", "b", "c", "d"))
    wide = replace(wide, targets={"output": four})
    session.worker.mailbox.post(DataReady(wide, session.project.data))
    session.bridge.drain()
    assert session.graph is before
    assert full.use.adapt.isVisible()
    assert not session.worker.named("train")
    full.use.adapt.click()
    assert session.graph is not before
    assert len(session.worker.named("train")) == 1


def test_too_few_samples_say_what_is_missing(session: Session, wait: Wait) -> None:
    pictures(session.files / "pictures", {"Cup": 6, "Pen": 1})
    page = shown(session, wait)
    assert page.bench.use.text.text() == "Record a few more of Pen."
    assert not page.bench.use.train.isEnabled()
    page.close()


# --- the project ----------------------------------------------------------------------------------


def test_recordings_come_along_when_the_project_is_saved(
    full: CameraBench, wait: Wait, tmp_path: Path
) -> None:
    session = full._session
    before = full.library.folder
    full.library.add("Key")
    wait(lambda: "Key" in counts(full))
    assert session.dirty
    assert session.save(tmp_path / "mine.playground")
    wait(lambda: full.library.ready and counts(full) == {"Cup": 6, "Key": 0, "Pen": 4})
    assert full.library.folder == tmp_path / "mine.files" / "pictures"
    assert before is not None
    assert len(list(before.glob("*/*.jpg"))) == 10
    full.library.delete(full.library.files("Cup")[:1])
    wait(lambda: counts(full)["Cup"] == 5)
    assert len(list(before.glob("Cup/*.jpg"))) == 6


def test_recordings_are_there_after_a_crash(page: RecordPage, wait: Wait) -> None:
    session, bench = page._session, camera_bench(page)
    bench.classes.cards[0].once.click()
    recorded(bench, wait, "Class 1")
    session._saver.submit(lambda: None).result()  # nobody asked it to save
    kept = next(projects.state_folder().glob("autosave/*.playground")).read_text()
    again = new_session()
    again.new(projects.Project.from_json(json.loads(kept)["project"]))
    assert Recordings(again.files / "pictures").counts()["Class 1"] == 1
    again.close()


def test_another_project_has_other_recordings(full: CameraBench, wait: Wait) -> None:
    full._session.new(projects.empty())
    wait(lambda: full.library.ready and counts(full) == {"Class 1": 0, "Class 2": 0})
    assert not full.samples.grid.paths


# --- the page -------------------------------------------------------------------------------------


def test_camera_and_microphone_take_turns(page: RecordPage, wait: Wait) -> None:
    camera = FakeCamera.made[-1]
    page.show_kind("microphone")
    assert camera.closed
    wait(lambda: bool(FakeMicrophone.made))
    page.show_kind("camera")
    assert FakeMicrophone.made[-1].closed
    assert page._session.project.view["record"] == "camera"


def test_the_data_panel_leads_here(session: Session) -> None:
    panel, told = DataPanel(session), []
    session.reveal.connect(told.append)
    for button in panel.sources[:2]:
        button.click()
    assert told == ["record:camera", "record:microphone"]
    panel.deleteLater()


def test_everything_has_a_name(page: RecordPage, sounds: MicrophoneBench) -> None:
    for widget in (*page.findChildren(QAbstractButton), *sounds.findChildren(QAbstractButton)):
        if not widget.isHidden():
            assert widget.accessibleName() or widget.text() or widget.toolTip()
    for box in (*page.findChildren(QComboBox), *sounds.findChildren(QComboBox)):
        assert box.accessibleName()


def test_narrow_windows_cut_nothing_off(page: RecordPage) -> None:
    page.resize(820, 480)
    QApplication.processEvents()
    bench = camera_bench(page)
    for widget in (bench.live, bench.use.train, bench.samples, bench.rate, bench.size_box):
        corner = widget.mapTo(page, QPoint(widget.width(), widget.height()))
        assert corner.x() <= page.width()
        assert corner.y() <= page.height()
