"""Recorded samples: on the disk at once, changed with undo, and nothing is ever lost."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from PIL import Image

from playground import recordings as module
from playground import sample_files
from playground.data import DataError, DataSettings, SplitSettings, open_data
from playground.recordings import Recorder, RecordingError, Recordings, class_name
from tests.clock import quickest
from tests.playground.capture_kit import until

RATE = 16000


def picture(value: int = 0, size: tuple[int, int] = (24, 32)) -> Any:
    pixels = np.full((*size, 3), value, np.uint8)
    pixels[: size[0] // 2] = 255 - value
    return pixels


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "my.files" / "pictures"


@pytest.fixture
def recordings(folder: Path) -> Recordings:
    """Three samples of a cat and two of a dog."""
    made = Recordings(folder)
    for name, count in (("cat", 3), ("dog", 2)):
        made.ensure_class(name)
        for number in range(count):
            made.save_picture(name, picture(number))
    return made


def names(recordings: Recordings, name: str) -> list[str]:
    return [path.name for path in recordings.files(name)]


# --- writing --------------------------------------------------------------------------------


def test_samples_are_files_at_once(recordings: Recordings, folder: Path) -> None:
    assert recordings.classes() == ["cat", "dog"]
    assert recordings.counts() == {"cat": 3, "dog": 2}
    assert names(recordings, "cat") == ["000001.jpg", "000002.jpg", "000003.jpg"]
    with Image.open(recordings.files("cat")[1]) as read:
        assert read.format == "JPEG"
        assert read.size == (32, 24)
        assert abs(np.asarray(read).astype(int) - picture(1)).max() <= 4
    path = recordings.save_sound("dog", np.linspace(-1, 1, RATE, dtype=np.float32), RATE)
    assert path == folder / "dog" / "000003.flac"
    samples, rate = soundfile.read(path)
    assert rate == RATE
    assert samples == pytest.approx(np.linspace(-1, 1, RATE), abs=1e-4)


def test_nothing_is_made_before_the_first_sample(folder: Path) -> None:
    made = Recordings(folder)
    assert made.classes() == []
    assert made.counts() == {}
    assert made.files("cat") == []
    assert not folder.exists()


def test_files_of_ones_own_count_and_others_do_not(recordings: Recordings, folder: Path) -> None:
    (folder / "cat" / "mine.png").write_bytes(b"x")
    (folder / "cat" / "notes.txt").write_text("x")
    (folder / "cat" / ".hidden.jpg").write_bytes(b"x")
    (folder / "cat" / "000010.jpg").write_bytes(b"x")
    (folder / "stray.jpg").write_bytes(b"x")
    (folder / "cat" / "deeper").mkdir()
    assert names(recordings, "cat")[-2:] == ["000010.jpg", "mine.png"]
    assert recordings.counts()["cat"] == 5
    assert recordings.save_picture("cat", picture()).name in ("000004.jpg", "000011.jpg")


def test_two_windows_do_not_write_over_each_other(folder: Path) -> None:
    """Four processes record into one class at the same time."""
    Recordings(folder).add_class("cat")
    others = [
        subprocess.Popen([sys.executable, "-c", RECORD, folder, str(value)])
        for value in (10, 90, 170, 250)
    ]
    assert [other.wait(60) for other in others] == [0, 0, 0, 0]
    files = Recordings(folder).files("cat")
    assert [path.name for path in files] == [f"{n:06}.jpg" for n in range(1, 161)]
    values = [int(np.asarray(Image.open(path))[-1, 0, 0]) for path in files]
    assert {value: sum(abs(v - value) < 5 for v in values) for value in (10, 90, 170, 250)} == {
        10: 40,
        90: 40,
        170: 40,
        250: 40,
    }


RECORD = """
import sys
from pathlib import Path
import numpy as np
from playground.recordings import Recordings
recordings = Recordings(Path(sys.argv[1]))
for _ in range(40):
    recordings.save_picture("cat", np.full((8, 8, 3), int(sys.argv[2]), np.uint8))
"""


def test_a_file_system_without_links(
    recordings: Recordings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def link(*_: Any, **__: Any) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", link)
    assert recordings.save_picture("cat", picture()).name == "000004.jpg"
    assert recordings.delete(recordings.files("cat")[:2]) == 2
    assert recordings.undo()
    assert recordings.counts()["cat"] == 4
    assert all(path.stat().st_size > 0 for path in recordings.files("cat"))


# --- names ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["cat", "Katze 1", "猫", "Übung", "قطة", "🐈‍⬛", "a.b", "c++", "don't", "100 %", "name, given"],
)
def test_names_in_any_script(name: str, folder: Path) -> None:
    recordings = Recordings(folder)
    assert recordings.add_class(name) == name
    recordings.save_picture(name, picture())
    assert recordings.counts() == {name: 1}


@pytest.mark.parametrize(
    "name",
    [
        *("", "   ", ".", "..", "../up", "a/b", "a\\b", "/etc", "C:", "a\0b", "a\nb", ".hidden"),
        *("CON", "nul.txt", "com1", "a" * 81, "猫" * 81, "what?", "a*", "<b>", "a|b", "ends."),
        *("\ud800", "~user", "\u2028"),
    ],
)
def test_names_that_play_tricks(name: str, recordings: Recordings, folder: Path) -> None:
    before = sorted(folder.parent.parent.rglob("*"))
    with pytest.raises(RecordingError) as refused:
        recordings.add_class(name)
    assert str(refused.value).endswith(".")
    for change in (
        lambda: recordings.rename_class("cat", name),
        lambda: recordings.rename_class(name, "x"),
        lambda: recordings.remove_class(name),
        lambda: recordings.move(recordings.files("cat"), name),
        lambda: recordings.save_picture(name, picture()),
    ):
        with pytest.raises(RecordingError):
            change()
    assert recordings.files(name) == []
    assert sorted(folder.parent.parent.rglob("*")) == before


def test_upper_and_lower_case_are_one(recordings: Recordings) -> None:
    for name in ("CAT", " cat ", "Cat"):
        if name.strip() != "cat":
            with pytest.raises(RecordingError, match="There is a class “cat” already"):
                recordings.add_class(name)
    assert recordings.add_class(" cat ") == "cat"  # it is there: nothing to do
    assert recordings.rename_class("cat", "CAT") == "CAT"
    assert recordings.counts() == {"CAT": 3, "dog": 2}
    assert class_name("U\u0308bung") == "Übung"  # composed


# --- changes --------------------------------------------------------------------------------


def test_delete_move_and_rename_with_undo_and_redo(recordings: Recordings) -> None:
    def look() -> Any:
        return {
            name: [path.read_bytes() for path in recordings.files(name)]
            for name in recordings.classes()
        }

    states = [look()]
    files = recordings.files("cat")
    assert recordings.delete([files[0], files[0], files[2]]) == 2
    states.append(look())
    moved = recordings.move(recordings.files("dog"), "cat")
    assert [path.name for path in moved] == ["000004.jpg", "000005.jpg"]
    states.append(look())
    recordings.rename_class("cat", "lion")
    states.append(look())
    recordings.remove_class("lion")
    states.append(look())
    recordings.add_class("bird")
    states.append(look())
    assert [sum(map(len, state.values())) for state in states] == [5, 3, 3, 3, 0, 0]
    for _ in range(2):
        for state in reversed(states[:-1]):
            assert recordings.can_undo
            assert recordings.undo()
            assert look() == state
        assert not recordings.can_undo
        assert not recordings.undo()
        for state in states[1:]:
            assert recordings.redo()
            assert look() == state
        assert not recordings.redo()
    recordings.undo()
    recordings.add_class("fish")
    assert not recordings.can_redo


def test_undo_beside_new_samples(recordings: Recordings) -> None:
    last = recordings.files("cat")[-1]
    content = last.read_bytes()
    recordings.delete([last])
    fresh = Recordings(recordings.folder).save_picture("cat", picture(200))
    assert fresh == last  # another window took its number
    taken = fresh.read_bytes()
    recordings.undo()
    assert last.read_bytes() == taken
    assert recordings.files("cat")[-1].read_bytes() == content
    recordings.redo()
    assert last.read_bytes() == taken
    assert recordings.counts()["cat"] == 3


def test_a_class_with_samples_is_not_undone_away(recordings: Recordings) -> None:
    recordings.add_class("bird")
    recordings.save_picture("bird", picture())
    with pytest.raises(RecordingError, match="“bird” has samples by now"):
        recordings.undo()
    assert recordings.counts()["bird"] == 1
    assert not recordings.can_undo


def test_a_class_that_came_again(recordings: Recordings) -> None:
    recordings.remove_class("cat")
    Recordings(recordings.folder).add_class("cat")
    with pytest.raises(RecordingError, match="There is a class “cat” again"):
        recordings.undo()


def test_what_is_gone_is_left_out(recordings: Recordings) -> None:
    files = recordings.files("cat")
    files[0].unlink()
    assert recordings.delete(files) == 2
    with pytest.raises(RecordingError, match="not there any more"):
        recordings.delete(files)
    recordings.undo()
    assert recordings.counts()["cat"] == 2


def test_only_samples_of_these_classes(recordings: Recordings, tmp_path: Path) -> None:
    mine = tmp_path / "mine.jpg"
    mine.write_bytes(b"x")
    folder = recordings.folder
    for path in (
        mine,
        folder / "cat",
        folder / "cat" / ".." / ".." / ".." / "mine.jpg",
        folder / ".." / "x" / "y.jpg",
        Path("cat/000001.jpg"),
    ):
        with pytest.raises(RecordingError, match="is no recording of this project"):
            recordings.delete([path])
    assert mine.exists()
    (folder / "link").symlink_to(tmp_path)
    assert "link" not in recordings.classes()


def test_the_trash_is_emptied(recordings: Recordings) -> None:
    folder = recordings.folder
    other = Recordings(folder)
    other.delete(other.files("dog"))
    recordings.delete(recordings.files("cat"))
    recordings.close()
    assert len(list((folder / ".trash").iterdir())) == 1  # the other window's
    assert other.undo()
    other.close()
    assert not (folder / ".trash").exists()
    assert recordings.counts() == {"cat": 0, "dog": 2}
    assert not recordings.can_undo


def test_what_crashed_windows_left_goes_with_time(recordings: Recordings) -> None:
    folder = recordings.folder
    recordings.delete(recordings.files("cat"))
    (folder / ".part-1").write_bytes(b"x")
    (folder / ".part-2").write_bytes(b"x")
    old = time.time() - 8 * 86400
    (trash,) = (folder / ".trash").iterdir()
    os.utime(folder / ".part-1", (old, old))
    Recordings(folder).tidy()
    assert not (folder / ".part-1").exists()
    assert (folder / ".part-2").exists()
    assert trash.exists()
    os.utime(trash, (old, old))
    Recordings(folder).tidy()
    assert not trash.exists()


def test_tens_of_thousands_are_listed_fast(folder: Path) -> None:
    (folder / "cat").mkdir(parents=True)
    for number in range(10_000):
        (folder / "cat" / f"{number:06}.jpg").touch()
    recordings = Recordings(folder)
    recordings.files("cat")
    assert recordings.counts() == {"cat": 10_000}
    assert len(recordings.files("cat")) == 10_000
    asked = quickest(lambda: (recordings.counts(), recordings.files("cat")))
    assert asked < 10 * quickest(lambda: list(os.scandir(folder / "cat")))


# --- the recorder ---------------------------------------------------------------------------


def test_a_recorder_writes_what_it_is_given(folder: Path) -> None:
    recorder = Recorder(Recordings(folder))
    for number in range(20):
        assert recorder.put_picture("cat", picture(number))
    assert recorder.put_sound("noise", np.zeros(RATE, np.float32), RATE)
    recorder.close()
    assert (recorder.saved, recorder.failed, recorder.problem) == (21, 0, "")
    assert Recordings(folder).counts() == {"cat": 20, "noise": 1}
    assert not list(folder.glob(".part*"))
    assert not recorder.put_picture("cat", picture())  # it is closed
    assert not [thread for thread in threading.enumerate() if thread.name == "recorder"]


def test_pixels_may_change_after_they_were_put(folder: Path) -> None:
    recorder = Recorder(Recordings(folder))
    pixels = np.zeros((300, 300, 3), np.uint8)
    for value in range(0, 250, 50):
        pixels[:] = value
        recorder.put_picture("cat", pixels)
    recorder.close()
    read = [int(np.asarray(Image.open(path))[0, 0, 0]) for path in Recordings(folder).files("cat")]
    assert read == pytest.approx(list(range(0, 250, 50)), abs=3)


def test_a_full_disk_stops_recording_and_what_is_saved_stays(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = Recorder(Recordings(folder))
    for number in range(5):
        recorder.put_picture("cat", picture(number))
    until(lambda: recorder.saved == 5)

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(module.os, "fsync", full)
        recorder.put_picture("cat", picture())
        until(lambda: recorder.problem)
        assert recorder.problem.startswith("The disk is full: make room")
        assert not recorder.put_picture("cat", picture())
    assert not recorder.put_picture("cat", picture())  # until somebody goes on
    assert recorder.saved == 5
    assert recorder.failed == 3
    assert [item.name for item in folder.iterdir()] == ["cat"]
    recorder.resume()
    assert recorder.put_picture("cat", picture())
    recorder.close()
    assert recorder.problem == ""
    assert Recordings(folder).counts() == {"cat": 6}


def test_a_folder_deleted_while_recording(folder: Path) -> None:
    recorder = Recorder(Recordings(folder))
    recorder.put_picture("cat", picture())
    until(lambda: recorder.saved == 1)
    shutil.rmtree(folder)
    recorder.put_picture("cat", picture())
    until(lambda: recorder.problem)
    assert recorder.problem.startswith("The folder of “cat” is gone: recording has stopped")
    assert not folder.exists()
    recorder.close()


@pytest.mark.parametrize(
    ("code", "says"),
    [
        (errno.EROFS, "is read-only"),
        (errno.EACCES, "permission denied"),
        (errno.EIO, "Input/output error"),
        (errno.ENOENT, "is gone: it was moved or deleted"),
    ],
)
def test_what_the_system_refuses(
    code: int, says: str, recordings: Recordings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: Any, **__: Any) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(sample_files.os, "link", refused)
    with pytest.raises(RecordingError, match=says):
        recordings.save_picture("cat", picture())
    assert recordings.counts()["cat"] == 3


def test_a_file_where_a_folder_is_needed(folder: Path) -> None:
    folder.parent.mkdir()
    folder.write_text("in the way")
    recorder = Recorder(Recordings(folder))
    recorder.put_picture("cat", picture())
    recorder.close()
    assert "is a file where a folder is needed" in recorder.problem


def test_a_slow_disk_does_not_fill_the_memory(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()
    monkeypatch.setattr(Recorder, "ROOM", 10 * picture().nbytes)
    monkeypatch.setattr(module.os, "fsync", lambda _: go_on.wait(20))
    recorder = Recorder(Recordings(folder))
    taken = [recorder.put_picture("cat", picture()) for _ in range(30)]
    assert sum(taken) == 10
    go_on.set()
    recorder.close()
    assert (recorder.saved, recorder.failed) == (10, 20)


def test_a_bad_sample_does_not_stop_the_rest(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    recorder = Recorder(Recordings(folder))
    recorder.put_picture("cat", np.zeros((3, 4, 7), np.uint8))
    recorder.put_picture("cat", picture())
    recorder.put_sound("cat", np.full(100, np.nan, np.float32), RATE)
    recorder.close()
    assert (recorder.saved, recorder.failed, recorder.problem) == (2, 1, "")
    assert "was not written" in caplog.text


# --- as data --------------------------------------------------------------------------------


def opened(source: str, folder: Path) -> Any:
    from playground.data.source import Place

    return open_data(DataSettings(source, {}, SplitSettings()), Place(folder, folder / "my.files"))


def test_recorded_pictures_are_data(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nothing is recorded yet: choose the camera"):
        opened("camera", tmp_path)
    recorder = Recorder(Recordings(tmp_path / "my.files" / "pictures"))
    for number in range(10):
        recorder.put_picture("cat", picture(number))
    until(lambda: recorder.saved == 10)
    with pytest.raises(DataError, match="only “cat” is recorded yet"):
        opened("camera", tmp_path)
    for number in range(10):
        recorder.put_picture("dog", picture(100 + number))
    recorder.close()
    data = opened("camera", tmp_path)
    assert data.classes == ("cat", "dog")
    assert len(data) == 20
    assert data.inputs["image"].shape.elements == 3 * 24 * 32
    assert Path(data.files[0]).name == "000001.jpg"


def test_recorded_sounds_are_data(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nothing is recorded yet: choose the microphone"):
        opened("microphone", tmp_path)
    recorder = Recorder(Recordings(tmp_path / "my.files" / "sounds"))
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, RATE).astype(np.float32)
    for name in ("yes", "no", "background noise"):
        for _ in range(4):
            recorder.put_sound(name, noise, RATE)
    recorder.close()
    data = opened("microphone", tmp_path)
    assert data.classes == ("background noise", "no", "yes")
    assert len(data) == 12
    assert data.batch([0])["sound"].shape == (1, RATE, 1)
