"""Pictures and films of what is seen live."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from playground.answers import Classes
from playground.capture import Frame
from playground.live.filming import Film, Seen, take_picture
from playground.live.settings import LiveAnswer
from playground.vision import cv2
from tests.playground.capture_kit import until

CLASSES = Classes((("Cat", 0.9), ("Me", 0.1)))


def seen(number: int, height: int = 360, width: int = 640, *, said: bool = True) -> Seen:
    pixels = np.full((height, width, 3), (number * 5) % 200, np.uint8)
    answer = LiveAnswer(number, CLASSES, 0.0, 0.01, 0.02, 0, "eager")
    return Seen(Frame(pixels, number, 0.0, 0), answer if said else None, 2)


def read(path: Path) -> tuple[list[np.ndarray], float]:
    """Every picture of a film (RGB), and its pictures a second."""
    clip = cv2.VideoCapture(str(path))
    rate, frames = clip.get(cv2.CAP_PROP_FPS), []
    while True:
        good, frame = clip.read()
        if not good:
            clip.release()
            return frames, rate
        frames.append(frame[:, :, ::-1])


def orange(picture: np.ndarray) -> int:
    """Pixels in the colour of the first class."""
    return int((np.abs(picture.astype(int) - (240, 146, 79)).max(axis=2) < 40).sum())


def test_a_film_plays_as_long_as_it_was_recorded(tmp_path: Path) -> None:
    numbers = iter(range(10_000))
    film = Film(tmp_path / "snapshots", lambda: seen(next(numbers)))
    film.start()
    until(lambda: film.status.seconds > 0)
    began = time.monotonic()
    until(lambda: time.monotonic() - began > 1.5)
    film.close()
    seconds = time.monotonic() - began
    status = film.status
    assert status.over
    assert not status.problem
    assert status.path.suffix == ".mp4"
    assert status.bytes == status.path.stat().st_size > 0
    frames, rate = read(status.path)
    assert len(frames) / rate == pytest.approx(seconds, rel=0.2)
    assert len(frames) / rate == pytest.approx(status.seconds)
    assert all(orange(frame) > 300 for frame in frames), "the bar of the likeliest class"
    assert [path.name for path in status.path.parent.iterdir()] == [status.path.name]


def test_a_picture_that_stays_is_repeated_and_another_size_is_fitted(tmp_path: Path) -> None:
    shown = [seen(1)]
    film = Film(tmp_path, lambda: shown[0])
    film.start()
    until(lambda: film.status.seconds > 0.3)
    shown[0] = seen(2, 480, 480)
    until(lambda: film.status.seconds > 0.6)
    film.close()
    frames, _ = read(film.status.path)
    assert len(frames) > 2
    assert {frame.shape for frame in frames} == {(360, 640, 3)}
    assert frames[-1][:, :100].max() < 30, "black borders beside a picture of other proportions"


def test_a_film_that_never_saw_anything_leaves_no_file(tmp_path: Path) -> None:
    film = Film(tmp_path, lambda: Seen(None, None))
    film.start()
    film.close()
    assert film.status.over
    assert not film.status.problem
    assert not list(tmp_path.iterdir())


def test_a_full_disk_ends_a_film_with_a_sentence(tmp_path: Path) -> None:
    film = Film(tmp_path, lambda: seen(1), room=1 << 60)
    film.start()
    until(lambda: film.status.over)
    assert "disk is nearly full" in film.status.problem
    film.close()


def test_a_film_that_gets_too_large_ends_and_can_be_played(tmp_path: Path) -> None:
    film = Film(tmp_path, lambda: seen(1), largest=1)
    film.start()
    until(lambda: film.status.over)
    assert "has reached" in film.status.problem
    assert read(film.status.path)[0]
    film.close()


def test_a_folder_that_may_not_be_made(tmp_path: Path) -> None:
    (tmp_path / "snapshots").write_text("in the way")
    film = Film(tmp_path / "snapshots", lambda: seen(1))
    film.start()
    until(lambda: film.status.over)
    assert "is a file where a folder is needed" in film.status.problem
    film.close()
    with pytest.raises(ValueError, match="a folder is needed"):
        take_picture(seen(1), tmp_path / "snapshots")


def test_snapshots_have_the_answer_on_them_and_names_of_their_own(tmp_path: Path) -> None:
    paths = [take_picture(seen(1), tmp_path / "snapshots") for _ in range(3)]
    assert len(set(paths)) == 3
    picture = cv2.imread(str(paths[0]))[:, :, ::-1]
    assert picture.shape == (360, 640, 3)
    assert orange(picture) > 300
    plain = take_picture(seen(2, said=False), tmp_path / "snapshots")
    assert (cv2.imread(str(plain)) == 10).all()
    with pytest.raises(ValueError, match="no picture yet"):
        take_picture(Seen(None, None), tmp_path)
