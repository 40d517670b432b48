"""The teacher: vectors while pictures come, files that change, and what is learnt from them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from playground import project as projects
from playground.capture import Camera
from playground.data import DataSettings
from playground.embedding import Embedder
from playground.live.settings import LiveSettings
from playground.live.taught import LiveTaught
from playground.messages import Array
from playground.project import Project
from playground.recordings import Recorder, Recordings
from playground.runs import RunError, RunFolder, list_runs, load_model
from playground.teach import TeachError, fit, save_project, taught_by, write_run
from playground.teaching import HELD, Teacher
from tests.playground.capture_kit import children, until, write_clip
from tests.playground.live_kit import as_run, picture_model, shaken
from tests.playground.test_teach import Pixels, clip, views

PHOTOS = {"astronaut": "astronaut.jpg", "cat": "chelsea_cat.png"}


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAYGROUND_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def network(tmp_path: Path) -> str:
    """A small network: what is tried here does not depend on a good one."""
    return str(as_run(shaken(picture_model()), tmp_path / "network"))


@pytest.fixture
def made(network: str) -> Iterator[Callable[[], Teacher]]:
    """Teachers that are closed in the end."""
    teachers: list[Teacher] = []

    def make() -> Teacher:
        teachers.append(Teacher(network))
        return teachers[-1]

    yield make
    for teacher in teachers:
        teacher.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "teacher"]


@pytest.fixture
def teacher(made: Callable[[], Teacher]) -> Teacher:
    return made()


@pytest.fixture
def recordings(tmp_path: Path) -> Recordings:
    return Recordings(tmp_path / "mine.files" / "pictures")


def pixels(level: int, seed: int) -> Pixels:
    """A picture that is dark or light, with some noise."""
    noise = np.random.default_rng(seed).integers(0, 60, (24, 32, 3))
    return (level + noise).astype(np.uint8)


def record(recordings: Recordings, counts: dict[str, int]) -> None:
    for place, (name, count) in enumerate(counts.items()):
        recordings.add_class(name)
        for number in range(count):
            recordings.save_picture(name, pixels(60 * place, number))


def listed(recordings: Recordings) -> dict[str, list[Path]]:
    return {name: recordings.files(name) for name in recordings.classes()}


def settled(teacher: Teacher) -> None:
    until(lambda: teacher.idle, 30)


def computed(teacher: Teacher, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many pictures were looked at, in a list that grows."""
    embedder = teacher.ready(30)
    assert embedder is not None
    before, counts = embedder.embed, []

    def embed(pictures):
        counts.append(len(pictures))
        return before(pictures)

    monkeypatch.setattr(embedder, "embed", embed)
    return counts


# --- examples as they come ------------------------------------------------------------------------


def test_what_is_recorded_is_looked_at_once_and_kept(
    teacher: Teacher, recordings: Recordings, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = computed(teacher, monkeypatch)
    recorder = Recorder(recordings)
    for number in range(6):
        shown = pixels(0, number)

        def told(path: Path, shown: Pixels = shown) -> bool:
            return teacher.take("dark", shown, path)

        assert recorder.put_picture("dark", shown, told)
    recorder.close()
    settled(teacher)
    assert teacher.counts() == {"dark": 6}
    assert counts == [1] * 6
    teacher.follow(listed(recordings))
    settled(teacher)
    assert teacher.progress == (6, 6)
    assert counts == [1] * 6
    embedder = teacher.embedder
    assert embedder is not None
    for path in recordings.files("dark"):
        embedder.file(path)  # on the disk, too
    assert counts == [1] * 6


def test_a_vector_that_is_known_costs_nothing(
    teacher: Teacher, recordings: Recordings, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = computed(teacher, monkeypatch)
    record(recordings, {"dark": 2})
    embedder = teacher.embedder
    assert embedder is not None
    first, second = recordings.files("dark")
    vector = np.arange(embedder.width, dtype=np.float32)
    teacher.take("dark", pixels(0, 0), first, vector)
    teacher.take("dark", pixels(0, 0), second, vector[:-1])  # another network's
    settled(teacher)
    assert counts == [1]
    np.testing.assert_array_equal(embedder.file(first), vector)
    assert teacher.counts() == {"dark": 2}


def test_too_many_at_once_are_read_from_their_files(
    teacher: Teacher, recordings: Recordings, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed(teacher, monkeypatch)
    monkeypatch.setattr("playground.teaching.ROOM", 2 * pixels(0, 0).nbytes)
    record(recordings, {"dark": 8})
    with teacher._changed:  # as if the thread were at work
        taken = [
            teacher.take("dark", pixels(0, i), p) for i, p in enumerate(listed(recordings)["dark"])
        ]
        refused = teacher.take("dark", pixels(0, 9))
        assert sum(one.pixels is not None for one in teacher._taken) == 2, "whatever their size"
    assert all(taken)
    assert not refused
    settled(teacher)
    assert teacher.counts() == {"dark": 8}


def test_files_that_move_are_not_looked_at_again(
    teacher: Teacher, recordings: Recordings, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = computed(teacher, monkeypatch)
    record(recordings, {"dark": 5, "light": 5, "more": 5})
    teacher.follow(listed(recordings))
    teacher.learn()
    until(lambda: teacher.learned)
    assert len(counts) == 15
    recordings.rename_class("more", "lightest")
    recordings.move(recordings.files("dark")[:2], "light")
    teacher.follow(listed(recordings))
    until(lambda: teacher.learned.number == 2)  # type: ignore[union-attr]
    learned = teacher.learned
    assert learned is not None
    assert learned.head is not None
    assert learned.head.classes == ("dark", "light", "lightest")
    assert learned.counts == {"dark": 3, "light": 7, "lightest": 5}
    recordings.remove_class("light")
    teacher.follow(listed(recordings))
    until(lambda: teacher.learned.number == 3)  # type: ignore[union-attr]
    recordings.undo()
    teacher.follow(listed(recordings))
    until(lambda: teacher.learned.number == 4)  # type: ignore[union-attr]
    assert teacher.counts() == {"dark": 3, "light": 7, "lightest": 5}
    assert len(counts) == 15
    teacher.keep_learning = False
    recordings.remove_class("light")
    teacher.follow(listed(recordings))
    settled(teacher)
    assert teacher.counts() == {"dark": 3, "lightest": 5}
    assert teacher.learned is not None
    assert teacher.learned.number == 4


def test_a_project_that_is_opened_again_is_ready_at_once(
    made: Callable[[], Teacher], recordings: Recordings, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(recordings, {"dark": 50, "light": 50, "lightest": 50})
    first = made()
    first.follow(listed(recordings))
    settled(first)
    second = made()
    counts = computed(second, monkeypatch)
    second.follow(listed(recordings))
    second.learn()
    until(lambda: second.learned, 2)
    assert second.progress == (150, 150)
    assert counts == []


def test_a_picture_newer_than_the_listing_stays(teacher: Teacher, recordings: Recordings) -> None:
    record(recordings, {"dark": 3})
    before = {"dark": recordings.files("dark")[:2]}
    newest = recordings.files("dark")[2]
    teacher.take("dark", pixels(0, 2), newest)
    teacher.follow(before)
    settled(teacher)
    assert teacher.counts() == {"dark": 3}
    teacher.follow(listed(recordings))
    settled(teacher)
    teacher.follow(before)  # now it was left out
    settled(teacher)
    assert teacher.counts() == {"dark": 2}


def test_what_is_no_picture_is_told(teacher: Teacher, recordings: Recordings) -> None:
    record(recordings, {"dark": 3, "light": 3})
    broken = recordings.folder / "dark" / "broken.png"
    broken.write_bytes(b"no picture")
    (recordings.folder / "light" / "empty.jpg").write_bytes(b"")
    teacher.follow({**listed(recordings), "gone": [recordings.folder / "gone" / "1.jpg"]})
    teacher.learn()
    until(lambda: teacher.learned)
    assert teacher.counts() == {"dark": 3, "light": 3, "gone": 0}
    assert {item.name for item in teacher.skipped()} == {"broken.png", "empty.jpg"}
    assert teacher.progress == (8, 8)
    broken.unlink()
    teacher.follow(listed(recordings))
    settled(teacher)
    assert {item.name for item in teacher.skipped()} == {"empty.jpg"}


# --- learning -------------------------------------------------------------------------------------


def test_one_class_alone_is_known_but_not_learnt(teacher: Teacher, recordings: Recordings) -> None:
    teacher.learn()
    until(lambda: teacher.learned)
    assert teacher.status == "There are no examples yet: show at least two classes."
    assert teacher.learned is not None
    assert teacher.learned.answers is None
    record(recordings, {"dark": 6})
    teacher.follow(listed(recordings))
    until(lambda: teacher.learned.number == 2)  # type: ignore[union-attr]
    assert teacher.status == "Only dark has examples: show at least one more class."
    learned = teacher.learned
    assert learned.head is None
    assert learned.known is not None
    assert learned.known is learned.answers
    embedder = teacher.embedder
    assert embedder is not None
    answer = learned.known.predict(embedder.frame(pixels(0, 0)))
    assert answer.answers == (("dark", 1.0),)
    assert answer.seen is not None
    assert answer.seen > 0.9
    with pytest.raises(TeachError, match="only dark has examples"):
        write_run(recordings.folder.parent, embedder, learned.known, DataSettings())
    record(recordings, {"dark": 0, "light": 6})
    teacher.follow(listed(recordings))
    until(lambda: teacher.learned.number == 3)  # type: ignore[union-attr]
    assert (teacher.learned.head is not None, teacher.status) == (True, "")


def test_the_newest_fifth_is_held_back(
    teacher: Teacher, recordings: Recordings, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []

    def spied(vectors, labels, names):
        sizes.append(len(vectors))
        return fit(vectors, labels, names)

    monkeypatch.setattr("playground.teach.fit", spied)
    record(recordings, {"dark": 11, "light": 9, "few": HELD - 1})
    teacher.follow(listed(recordings))
    teacher.learn()
    until(lambda: teacher.learned)
    learned = teacher.learned
    assert learned is not None
    assert learned.held_back == 3
    assert sizes == [21, 24]
    assert learned.accuracy is not None
    assert learned.seconds > 0
    assert learned.head is not None
    assert len(learned.head.examples.vectors) == 24


def test_somebody_is_told_and_errors_are_a_sentence(network: str, tmp_path: Path) -> None:
    told = threading.Event()
    good = Teacher(network, told.set)
    assert told.wait(30)
    good.close()
    assert not good.take("dark", pixels(0, 0))
    bad = Teacher(str(tmp_path / "none"), told.set)
    assert bad.ready(30) is None
    assert "cannot be taught: " in bad.status
    assert not bad.take("dark", pixels(0, 0))
    bad.follow({})
    bad.learn()
    bad.close()


def test_a_teacher_can_be_closed_at_any_moment(network: str, recordings: Recordings) -> None:
    record(recordings, {"dark": 30, "light": 30})
    at_once = Teacher(network)
    at_once.close()
    busy = Teacher(network)
    busy.follow(listed(recordings))
    busy.learn()
    assert busy.ready(30)
    busy.close()
    assert not busy._thread.is_alive()


# --- runs of it -----------------------------------------------------------------------------------


@pytest.fixture
def learnt(teacher: Teacher, recordings: Recordings) -> Teacher:
    record(recordings, {"dark": 6, "light": 6})
    teacher.follow(listed(recordings))
    teacher.learn()
    until(lambda: teacher.learned)
    return teacher


def written(teacher: Teacher, files: Path, replace: RunFolder | None = None) -> RunFolder:
    embedder, learned = teacher.embedder, teacher.learned
    assert embedder is not None
    assert learned is not None
    assert learned.head is not None
    graph, training, run = write_run(files, embedder, learned.head, DataSettings(), None, replace)
    project = run.project()
    assert (project.graph, project.training) == (graph, training)
    assert training.learns == "head"
    assert load_model(run).dataset.classes == learned.head.classes
    return run


def test_learning_again_takes_the_place_of_the_run(
    learnt: Teacher, recordings: Recordings, tmp_path: Path
) -> None:
    files = tmp_path / "mine.files"
    first = written(learnt, files)
    assert first.place().files == files
    assert first.project().run == "runs/001"
    recordings.rename_class("dark", "night")
    learnt.follow(listed(recordings))
    until(lambda: learnt.learned.number == 2)  # type: ignore[union-attr]
    again = written(learnt, files, first)
    assert again.path == first.path
    assert again.place().files == files
    assert [run.problem for run in list_runs(files)] == [""]
    assert sorted(path.name for path in files.iterdir()) == ["pictures", "runs"]
    back = taught_by(again)
    assert back is not None
    assert back.counts() == {"light": 6, "night": 6}
    # runs that were not taught here keep their place
    trained = RunFolder.create(files / "runs" / "002")
    assert written(learnt, files, trained).name == "003"
    assert written(learnt, tmp_path / "other.files", first).path.parent.parent.name == "other.files"
    assert written(learnt, files, RunFolder(files / "runs" / "099")).name == "004"


def test_a_run_that_cannot_be_written_leaves_the_one_before(
    learnt: Teacher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = tmp_path / "mine.files"
    run = written(learnt, files)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(RunFolder, "save", full)
    with pytest.raises(RunError, match="cannot be written anew: No space left"):
        written(learnt, files, run)
    with pytest.raises(RunError, match="cannot be written: No space left"):
        written(learnt, files)
    assert load_model(run).dataset.classes == ("dark", "light")
    assert [path.name for path in (files / "runs").iterdir()] == ["001"]


def test_a_project_is_written_with_the_same_run(learnt: Teacher, tmp_path: Path) -> None:
    embedder, learned = learnt.embedder, learnt.learned
    assert embedder is not None
    assert learned is not None
    assert learned.head is not None
    path = tmp_path / "other.playground"
    project = save_project(path, embedder, learned.head, DataSettings())
    assert isinstance(project, Project)
    assert projects.load(path) == project
    assert project.name == "other"


# --- the whole way --------------------------------------------------------------------------------


def test_from_a_camera_to_a_live_answer(learnt: Teacher, tmp_path: Path) -> None:
    """Frames that were looked at live are taken with their vectors, and answered."""
    with Camera(str(write_clip(tmp_path / "numbers.avi", 30))) as camera:
        assert learnt.embedder is not None
        live = LiveTaught(learnt.embedder, camera, LiveSettings(engine="eager"))
        live.start()
        number = 0
        for _ in range(8):
            assert live.wait(number, 20)
            looked = live.looked()
            assert looked is not None
            number = looked.number
            learnt.take("stripes", looked.pixels, None, looked.vector)
        learnt.learn()
        until(lambda: learnt.learned.number == 2)  # type: ignore[union-attr]
        assert learnt.learned is not None
        live.head = learnt.learned.head
        answer = live.wait(number + 3, 20)
        live.close()
    assert answer is not None
    assert str(answer.answer).startswith("stripes")
    assert not answer.unknown
    assert children() == []


def test_photographs_and_a_clip_are_told_apart() -> None:
    """Real material, the bundled backbone: what is asked about are other views of the photographs,
    and seconds of the clip of which no frame was shown."""
    shown: dict[str, list[Pixels]] = {}
    asked: dict[str, list[Pixels]] = {}
    for name, photo in PHOTOS.items():
        shown[name], asked[name] = views(photo, 20, 11), views(photo, 8, 12)
    frames = clip(80)
    shown["bunny"] = [f for i, f in enumerate(frames) if i // 8 % 2 == 0][:20]
    asked["bunny"] = [f for i, f in enumerate(frames) if i // 8 % 2 == 1][::4]
    teacher = Teacher()
    for name, pictures in shown.items():
        for picture in pictures:
            assert teacher.take(name, picture)
    teacher.learn()
    until(lambda: teacher.learned, 60)
    learned, embedder = teacher.learned, teacher.embedder
    teacher.close()
    assert learned is not None
    assert learned.head is not None
    assert embedder is not None
    assert learned.counts == {"astronaut": 20, "cat": 20, "bunny": 20}
    assert learned.held_back == 12
    assert learned.accuracy is not None
    assert learned.accuracy >= 0.95
    assert learned.seconds > 0
    right = [
        learned.head.predict(vector).answers[0][0] == name
        for name, pictures in asked.items()
        for vector in vectors(embedder, pictures)
    ]
    assert np.mean(right) >= 0.95


def vectors(embedder: Embedder, pictures: list[Pixels]) -> list[Array]:
    return [embedder.frame(picture) for picture in pictures]
