"""Clips by class: the frames that were asked for, in every format; what cannot be decoded costs
itself alone."""

from __future__ import annotations

import os
import random
import signal
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from playground.data import DataError, DataSettings, SplitSettings, images, open_data
from playground.data.reading import reading_from_json
from playground.data.video_decoder import Decoders
from playground.data.video_reading import VideoReading
from playground.vision import cv2
from tests.playground.cli_kit import Shell, project_on
from tests.playground.test_fuzz import damaged

CODECS = {".mp4": "mp4v", ".avi": "MJPG", ".mkv": "mp4v", ".mov": "mp4v", ".webm": "VP80"}


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("PLAYGROUND_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture(scope="module")
def decoders():
    with Decoders(1) as made:
        yield made


def write(path: Path, frames: list[np.ndarray], rate: float = 25) -> Path:
    """Frames H×W×3 as a clip of the suffix's format."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".gif":
        pictures = [Image.fromarray(frame) for frame in frames]
        pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=1000 / rate)
        return path
    code = cv2.VideoWriter_fourcc(*CODECS[path.suffix])
    height, width = frames[0].shape[:2]
    writer = cv2.VideoWriter(str(path), code, rate, (width, height))
    assert writer.isOpened()
    for frame in frames:
        writer.write(np.ascontiguousarray(frame[:, :, ::-1]))
    writer.release()
    return path


def numbered(count: int, step: int = 4, size: int = 32) -> list[np.ndarray]:
    """Frames whose brightness tells their number."""
    return [np.full((size, size, 3), step * n % 256, np.uint8) for n in range(count)]


def numbers(frames: np.ndarray, step: int = 4) -> list[int]:
    return np.round(frames.astype(float).mean(axis=(1, 2, 3)) / step).astype(int).tolist()


def folder_of_clips(folder: Path, count: int = 4) -> Path:
    for label in ("left", "right"):
        for number in range(count):
            write(folder / label / f"{number}.avi", numbered(6, step=10 + number))
    return folder


@pytest.mark.parametrize("suffix", [*CODECS, ".gif"])
def test_every_format_gives_the_frames_that_were_asked_for(suffix, decoders, tmp_path):
    path = write(tmp_path / f"clip{suffix}", numbered(25, step=10))
    frames = decoders.read(path, VideoReading(5, 3, 32, 32))
    assert frames.shape == (5, 3, 32, 32)
    assert frames.dtype == np.uint8
    assert numbers(frames, 10) == [0, 6, 12, 18, 24]


@pytest.mark.parametrize(
    ("sampling", "stride", "expected"),
    [
        ("evenly", 7, [0, 7, 13, 20]),
        ("start", 1, [0, 1, 2, 3]),
        ("start", 5, [0, 5, 10, 15]),
        ("middle", 2, [7, 9, 11, 13]),
        ("start", 10, [0, 10, 20, 20]),
        ("middle", 30, [0, 20, 20, 20]),
    ],
)
def test_frames_are_chosen(sampling, stride, expected, decoders, tmp_path):
    path = write(tmp_path / "clip.avi", numbered(21, step=12))
    reading = VideoReading(4, 1, 16, 16, sampling=sampling, stride=stride)
    frames = decoders.read(path, reading)
    assert frames.shape == (4, 1, 16, 16)
    assert numbers(frames, 12) == expected


def test_a_short_clip_repeats_frames(decoders, tmp_path):
    path = write(tmp_path / "clip.avi", numbered(3, step=50))
    assert numbers(decoders.read(path, VideoReading(6, 1, 8, 8)), 50) == [0, 0, 1, 1, 2, 2]


def test_three_hours_are_not_decoded_whole(decoders, tmp_path):
    """10,800 frames, one a second: those that are wanted are sought."""
    path = write(tmp_path / "clip.avi", numbered(10_800, step=1, size=16), rate=1)
    frames = decoders.read(path, VideoReading(4, 1, 16, 16))
    assert np.abs(frames.mean(axis=(1, 2, 3)) - np.array([0, 3600, 7199, 10799]) % 256).max() < 2


def test_colours_and_proportions(decoders, tmp_path):
    frame = np.zeros((20, 40, 3), np.uint8)
    frame[:, :, 0], frame[:, 10:30, 1] = 200, 200  # red, in the middle yellow
    path = write(tmp_path / "clip.avi", [frame] * 3)
    cropped = decoders.read(path, VideoReading(2, 3, 20, 20))[0]
    assert np.abs(cropped[:, 10, 10].astype(int) - [200, 200, 0]).max() < 20
    assert cropped[1].min() > 120
    padded = decoders.read(path, VideoReading(2, 3, 20, 20, fit="pad"))[0]
    assert padded[:, :4].max() < 20
    stretched = decoders.read(path, VideoReading(2, 3, 20, 20, fit="stretch"))[0]
    assert stretched[1, 10, 1] < 60


def test_a_folder_of_classes_opens(tmp_path):
    folder_of_clips(tmp_path / "clips")
    settings = DataSettings(
        "video", {"path": "clips", "frames": 3, "size": 16, "colour": False}, SplitSettings(2, 2)
    )
    dataset = open_data(settings, tmp_path)
    assert dataset.summary == "8 clips · 3 frames of 16×16 grey · 2 classes"
    assert dataset.classes == ("left", "right")
    assert dataset.batch([0, 5])["clip"].shape == (2, 3, 1, 16, 16)
    assert dataset.describe(0) == "“left” · 0.avi"
    assert Path(dataset.files[0]) == tmp_path / "clips" / "left" / "0.avi"
    assert [len(part) for part in dataset.splits.values()] == [4, 2, 2]
    name, again = dataset.inputs["clip"].reading.read(dataset.files[0])[0]
    assert name == dataset.files[0]
    np.testing.assert_array_equal(again, dataset.raw([0])["clip"][0])


def test_a_list_with_groups_opens(tmp_path):
    folder_of_clips(tmp_path)
    rows = [f"{c}/{n}.avi,{c},person {n}" for c in ("left", "right") for n in range(4)]
    (tmp_path / "list.csv").write_text("\n".join(["file,label,group", *rows, "gone.avi,left,x"]))
    settings = DataSettings(
        "video", {"path": "list.csv", "frames": 2}, SplitSettings(2, 2, "group")
    )
    dataset = open_data(settings, tmp_path)
    assert len(dataset) == 8
    assert "gone.avi" in dataset.skipped[0].reason
    assert dataset.groups is not None
    people = [set(dataset.groups.codes[part].tolist()) for part in dataset.splits.values()]
    assert not people[0] & people[1] | people[1] & people[2] | people[0] & people[2]


def test_what_cannot_be_read_is_left_out(tmp_path):
    clips = folder_of_clips(tmp_path / "clips", 2)
    (clips / "left" / "empty.mp4").write_bytes(b"")
    (clips / "left" / "text.mp4").write_text("no clip")
    write(clips / "left" / "one.gif", numbered(1))
    write(clips / "right" / "wrong.avi", numbered(4)).rename(clips / "right" / "wrong.mp4")
    whole = write(clips / "right" / "moov.mp4", numbered(60)).read_bytes()
    (clips / "right" / "moov.mp4").write_bytes(whole[: len(whole) // 2])
    long = write(clips / "right" / "cut.avi", numbered(60, size=64))
    long.write_bytes(long.read_bytes()[: long.stat().st_size // 3])
    dataset = open_data(DataSettings("video", {"path": "clips", "frames": 2}), tmp_path)
    assert len(dataset) == 5  # the one with the wrong suffix is a clip all the same
    reasons = {item.name: item.reason for item in dataset.skipped}
    assert reasons[str(Path("left/empty.mp4"))] == "empty.mp4 is empty"
    assert "one frame only" in reasons[str(Path("left/one.gif"))]
    assert "is not a video" in reasons[str(Path("left/text.mp4"))]
    assert "moov.mp4 is not a video" in reasons[str(Path("right/moov.mp4"))]
    assert "cut.avi is cut off: it ends after" in reasons[str(Path("right/cut.avi"))]
    assert len(dataset.skipped) == 5


def test_nothing_but_damaged_clips(tmp_path):
    for label in ("a", "b"):
        (tmp_path / label).mkdir()
        (tmp_path / label / "x.mp4").write_text("nothing")
    with pytest.raises(DataError, match=r"none of the 2 files .* is a clip \(x.mp4 is not a video"):
        open_data(DataSettings("video", {"path": str(tmp_path)}), tmp_path)


def test_large_data_are_decoded_when_wanted_and_kept(tmp_path, monkeypatch):
    folder_of_clips(tmp_path / "clips")
    settings = DataSettings("video", {"path": "clips", "frames": 2, "size": 16})
    resident = open_data(settings, tmp_path)
    monkeypatch.setattr(images, "RESIDENT", 1000)
    dataset = open_data(settings, tmp_path)
    assert dataset.lazy
    np.testing.assert_array_equal(dataset.raw([6, 1])["clip"], resident.raw([6, 1])["clip"])
    with monkeypatch.context() as patched:
        patched.setattr(Decoders, "read", None)  # from the disk now
        dataset.raw([6, 1])
    Path(dataset.files[1]).unlink()
    with pytest.raises(DataError, match=r"1.avi does not exist"):
        dataset.raw([1])
    assert dataset.readable([6, 1]).tolist() == [6]


def test_a_decoder_that_crashes_costs_one_clip(tmp_path, monkeypatch):
    path = write(tmp_path / "clip.avi", numbered(6, step=40))
    reading = VideoReading(2, 1, 16, 16)
    with Decoders(1) as decoders:
        decoders.read(path, reading)
        child = decoders._idle.queue[0]
        os.kill(child._process.pid, signal.SIGKILL)
        child._process.wait()
        with pytest.raises(DataError, match=r"clip.avi makes its decoder crash"):
            decoders.read(path, reading)
        assert numbers(decoders.read(path, reading), 40) == [0, 5]
        last = decoders._idle.queue[0]
    assert last._process.poll() is not None


def test_a_decoder_that_hangs_is_given_up(tmp_path):
    path = write(tmp_path / "clip.avi", numbered(6))
    with (
        Decoders(1, patience=0.01) as decoders,
        pytest.raises(DataError, match=r"clip.avi was not decoded within 0.01 s"),
    ):
        decoders.read(path, VideoReading(2, 1, 16, 16))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with names are of Unix")
def test_a_pipe_is_not_waited_for(decoders, tmp_path):
    os.mkfifo(tmp_path / "clip.avi")
    with pytest.raises(DataError, match="is no file"):
        decoders.read(tmp_path / "clip.avi", VideoReading(2, 1, 16, 16))


def test_a_reading_is_kept_with_the_run():
    reading = VideoReading(8, 3, 64, 48, "pad", "middle", 3)
    assert reading_from_json(reading.to_json()) == reading
    for wrong in ({"frames": 0}, {"channels": 2}, {"fit": "none"}, {"height": True}, {"stride": 0}):
        with pytest.raises(ValueError, match=r".+"):
            reading_from_json(reading.to_json() | wrong)


def read(decoders: Decoders, path: Path) -> str:
    try:
        decoders.read(path, VideoReading(3, 1, 16, 16))
    except DataError as error:
        return str(error)
    return "read"


@pytest.mark.parametrize(
    "count",
    [pytest.param(25, id="few"), pytest.param(2000, id="many", marks=pytest.mark.full)],
)
@pytest.mark.parametrize("suffix", [".avi", ".mp4"])
def test_damaged_clips(suffix, count, decoders, tmp_path):
    dice = random.Random(count)
    content = write(tmp_path / f"good{suffix}", numbered(12)).read_bytes()
    path = tmp_path / f"some{suffix}"
    for _ in range(count):
        path.write_bytes(damaged(content, dice))
        said = read(decoders, path)
        assert said == "read" or said.startswith(path.name)
        assert "\n" not in said


@pytest.fixture
def shell(capsys):
    return Shell(capsys)


def run_on_clips(shell: Shell, folder: Path) -> Path:
    folder_of_clips(folder / "clips")
    data = DataSettings(
        "video", {"path": "clips", "frames": 3, "size": 12, "colour": False}, SplitSettings(2, 2)
    )
    project = project_on(folder / "some.playground", data, epochs=1)
    shell.json("train", project, "--out", folder / "run")
    return folder / "run"


def test_a_network_is_asked_about_clips(shell, tmp_path):
    run = run_on_clips(shell, tmp_path)
    clip = write(tmp_path / "own.mp4", numbered(9))
    [answered] = shell.json("predict", run, clip)
    assert {item["label"] for item in answered["answers"]} == {"left", "right"}
    (tmp_path / "wrong.mp4").write_text("no clip")
    said = shell("predict", run, tmp_path / "wrong.mp4")
    assert "wrong.mp4 is not a video" in said.sentence


@pytest.mark.full
@pytest.mark.parametrize(("to", "name"), [("onnx", "some.onnx"), ("python", "some.py")])
def test_a_network_for_clips_is_exported(to, name, shell, tmp_path):
    run = run_on_clips(shell, tmp_path)
    said = shell("export", run, "--to", to, "-o", tmp_path / name)
    assert said.code == 0, said.err
