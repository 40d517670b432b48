"""Cameras and what stands in for them: frames as the settings ask for, and a sentence otherwise."""

from __future__ import annotations

import random
import resource
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from playground.capture import Camera, CameraSettings, Limits, cameras, reasons, sources
from playground.capture.outlet import Fault
from playground.capture.pictures import Taken
from playground.vision import cv2
from tests.playground.capture_kit import (
    QUICK,
    MjpegServer,
    children,
    number_of,
    numbered,
    state,
    until,
    write_clip,
)
from tests.playground.test_fuzz import damaged

BUNNY = "sample:clip/bigbuckbunny.mp4"


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert children() == []
    until(lambda: set(threading.enumerate()) <= before, 3)


@pytest.fixture
def clip(tmp_path: Path) -> str:
    return str(write_clip(tmp_path / "numbers.avi", 30))


def first(camera: Camera) -> Any:
    """The first frame's pixels."""
    frame = camera.wait(0, 20)
    assert frame is not None, camera.status
    return frame.pixels


def test_the_bundled_clip_stands_in_for_a_camera() -> None:
    with Camera(BUNNY) as camera:
        assert camera.status.state == "opening"
        pixels = first(camera)
        assert pixels.shape == (720, 1280, 3)
        assert pixels.dtype == np.uint8
        assert not pixels.flags.writeable
        assert camera.status.state == "running"
        assert camera.status.message == "1280×720 from bigbuckbunny.mp4."
    assert camera.status.state == "closed"


def test_a_clip_is_played_at_its_own_rate_again_and_again(clip: str) -> None:
    with Camera(clip) as camera:
        first(camera)
        start = camera.frame()
        seen = {}
        while len(seen) < 40:
            frame = camera.wait(max(seen, default=0), 5)
            assert frame is not None
            seen[frame.number] = (number_of(frame.pixels), frame.time)
        assert start is not None
        numbers = sorted(seen)
        for number in numbers:
            assert seen[number][0] == (number - 1) % 30 + 1  # the clip, then the clip again
        seconds = seen[numbers[-1]][1] - seen[numbers[0]][1]
        assert (numbers[-1] - numbers[0]) / seconds == pytest.approx(25, rel=0.2)


def test_a_clip_that_is_played_once_ends(tmp_path: Path) -> None:
    clip = str(write_clip(tmp_path / "short.avi", 5))
    with Camera(clip, CameraSettings(loop=False)) as camera:
        assert state(camera, "ended") == "short.avi has ended."
        frame = camera.frame()
        assert frame is not None
        assert number_of(frame.pixels) == 5
        assert camera.wait(frame.number, 10) is None  # at once: nothing more will come


def test_mirrored_cropped_small(tmp_path: Path) -> None:
    left = np.zeros((90, 160, 3), np.uint8)
    left[:, :80] = (250, 0, 0)
    (tmp_path / "shots").mkdir()
    Image.fromarray(left).save(tmp_path / "shots" / "red.png")
    address = str(tmp_path / "shots")
    with Camera(address) as camera:
        assert (first(camera) == left).all()
    with Camera(address, CameraSettings(mirror=True)) as camera:
        assert (first(camera) == left[:, ::-1]).all()
    with Camera(address, CameraSettings(crop="square")) as camera:
        assert (first(camera) == left[:, 35:125]).all()
    with Camera(address, CameraSettings(width=40, height=40)) as camera:
        assert first(camera).shape == (22, 40, 3)  # proportions are kept


def test_a_rate_is_not_exceeded(clip: str) -> None:
    with Camera(clip, CameraSettings(rate=5)) as camera:
        first(camera)
        times: list[float] = []
        number = 0
        while len(times) < 6:
            frame = camera.wait(number, 5)
            assert frame is not None
            number = frame.number
            times.append(frame.time)
        assert 5 / (times[-1] - times[0]) == pytest.approx(5, rel=0.25)
        assert frame.dropped > 10  # the clip went on at its own rate


def test_a_folder_is_a_slide_show(tmp_path: Path) -> None:
    """Also one that is away for a while."""
    for number, suffix in ((1, "png"), (2, "jpg"), (10, "webp")):
        Image.fromarray(numbered(number)).save(tmp_path / f"{number}.{suffix}")
    Image.fromarray(numbered(3, 60, 80)).save(tmp_path / "3.bmp")
    (tmp_path / "4.png").write_bytes(b"no picture")
    (tmp_path / "5.png").write_bytes(b"")
    (tmp_path / "notes.txt").write_text("not this")
    with Camera(str(tmp_path), CameraSettings(rate=20), QUICK) as camera:
        seen: list[int] = []
        after = 0
        while len(seen) < 8:
            frame = camera.wait(after, 5)
            assert frame is not None
            after = frame.number
            seen.append(number_of(frame.pixels))
        assert seen == [1, 2, 3, 10, 1, 2, 3, 10]
        shutil.rmtree(tmp_path)
        assert "does not exist: choose the folder again" in state(camera, "reconnecting")
        last = camera.frame()
        assert last is not None
        tmp_path.mkdir()
        until(lambda: "cannot be shown: it has no pictures" in camera.status.message)
        Image.fromarray(numbered(7)).save(tmp_path / "7.png")
        frame = camera.wait(last.number, 5)
        assert frame is not None
        assert number_of(frame.pixels) == 7


def test_a_picture_stands_for_itself(tmp_path: Path) -> None:
    path = tmp_path / "one.png"
    Image.fromarray(numbered(7)).save(path)
    with Camera(str(path)) as camera:
        assert number_of(first(camera)) == 7


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "does not exist: choose the clip again."),
        (b"", "clip.mp4 is empty: choose another clip."),
        (b"this is no clip\n" * 100, "clip.mp4 cannot be played: it is damaged"),
        (b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/x.ts\n", "clip.mp4 cannot be played"),
    ],
)
def test_clips_that_cannot_be_played(content: bytes | None, says: str, tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    if content is not None:
        path.write_bytes(content)
    with Camera(str(path)) as camera:
        assert says in state(camera, "failed")
        assert camera.frame() is None


def test_a_clip_cut_off_in_the_middle_is_played_as_far_as_it_goes(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "cut.avi", 30)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with Camera(str(path), CameraSettings(loop=False)) as camera:
        state(camera, "ended")
        frame = camera.frame()
        assert frame is not None
        assert 5 < frame.number < 30


@pytest.mark.parametrize(
    ("size", "shown"), [((10, 30_000), (10, 30_000)), ((4000, 5000), (2747, 3434))]
)
def test_pictures_of_unusual_sizes(
    size: tuple[int, int], shown: tuple[int, int], tmp_path: Path
) -> None:
    """What has more pixels than a frame may have is made smaller, its proportions kept."""
    Image.fromarray(np.full((*size, 3), 90, np.uint8)).save(tmp_path / "large.png")
    with Camera(str(tmp_path)) as camera:
        assert first(camera).shape == (*shown, 3)


def test_a_picture_may_be_shown_for_long(tmp_path: Path) -> None:
    for name in ("1.png", "2.png"):
        Image.new("RGB", (8, 8), "red").save(tmp_path / name)
    settings, limits = CameraSettings(rate=0.2), Limits(stall=3.0)
    with Camera(str(tmp_path), settings, limits) as camera:
        first = camera.wait(0, 10)
        assert first is not None
        second = camera.wait(first.number, 8)  # longer than a driver may be silent
        assert second is not None
        assert second.time - first.time > 4.5
        assert camera.status.state == "running"


def test_an_empty_folder(tmp_path: Path) -> None:
    folder = tmp_path / "holiday"
    folder.mkdir()
    with Camera(str(folder)) as camera:
        assert state(camera, "failed") == "“holiday” cannot be shown: it has no pictures."


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("", "no camera is chosen yet"),
        ("a\0b", "NUL"),
        ("ftp://example.org/x", "not with ftp://"),
        ("rtsp://", "followed by the name of a computer"),
        ("http://[::1/live", "followed by the name of a computer"),
        ("sample:clip/none.mp4", "there is no bundled sample"),
        ("sample:../../pyproject.toml", "there is no bundled sample"),
    ],
)
def test_addresses_that_mean_nothing(address: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Camera(address)


@pytest.mark.parametrize("values", [{"width": 0}, {"height": 10**6}, {"rate": 0}, {"crop": "x"}])
def test_settings_that_mean_nothing(values: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="of a camera is"):
        CameraSettings(**values)


def test_a_camera_that_is_not_there() -> None:
    with Camera("97", limits=QUICK) as camera:
        said = state(camera, "reconnecting")
        assert said == "There is no camera 97: plug it in, or choose another; trying again."


def test_the_list_of_cameras_is_a_list() -> None:
    assert all(camera.address and camera.name for camera in cameras())


def test_names_of_cameras(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cv2_enumerate_cameras.py").write_text(
        "from types import SimpleNamespace as Camera\n"
        "def enumerate_cameras(backend):\n"
        "    found = [(2, 'Twin'), (0, 'Integrated'), (4, 'Twin')]\n"
        "    return [Camera(index=index, name=name) for index, name in found]\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    found = [(camera.address, camera.name) for camera in cameras()]
    assert found == [("0", "Integrated"), ("2", "Twin (2)"), ("4", "Twin (4)")]


# --- streams --------------------------------------------------------------------------------


def test_the_newest_picture_of_a_stream_also_when_its_rate_doubles() -> None:
    with MjpegServer(rate=25) as server, Camera(server.url, limits=QUICK) as camera:
        first(camera)
        for rate in (50, 100):
            server.rate = rate
            time.sleep(1)
            for _ in range(5):
                after = camera.frame()
                assert after is not None
                frame = camera.wait(after.number, 5)
                assert frame is not None
                assert server.sent - number_of(frame.pixels) <= rate // 4  # no queue


def test_a_stream_that_stalls_and_one_that_is_pulled_away_come_back() -> None:
    with MjpegServer() as server, Camera(server.url, limits=QUICK) as camera:
        first(camera)
        server.stalled = True
        assert "no picture has come from" in state(camera, "reconnecting").lower()
        before = camera.frame()
        server.stalled = False
        state(camera, "running")
        assert before is not None
        assert camera.wait(before.number, 5) is not None
        server.pull()
        state(camera, "reconnecting")
        until(lambda: "refuses the connection" in camera.status.message)
        server.give()
        state(camera, "running")


def test_a_stream_whose_size_changes() -> None:
    with MjpegServer(size=(120, 160)) as server, Camera(server.url, limits=QUICK) as camera:
        assert first(camera).shape == (120, 160, 3)
        server.size = (240, 320)
        until(lambda: camera.frame().pixels.shape == (240, 320, 3))
        until(lambda: camera.status.message.startswith("320×240"))


def test_a_clip_on_a_server_is_played_at_its_own_rate(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "numbers.avi", 20)
    with MjpegServer() as server:
        server.files["/numbers.avi"] = clip.read_bytes()
        url = server.url.replace("/live", "/numbers.avi")
        with Camera(url, CameraSettings(loop=False), QUICK) as camera:
            began = first(camera) is not None and time.monotonic()
            state(camera, "ended")
            assert time.monotonic() - began > 0.6  # 20 pictures at 25 a second


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/page", "sends text/html, not a stream of pictures"),
        ("/none", "answers with error 404: check its path"),
    ],
)
def test_servers_without_a_stream(path: str, says: str) -> None:
    with MjpegServer() as server:
        url = server.url.replace("http://", "http://me:secret@").replace("/live", path)
        with Camera(url, limits=QUICK) as camera:
            said = state(camera, "reconnecting")
            assert says in said
            assert "secret" not in said


def test_black_pictures_are_told(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((60, 80, 3), np.uint8)).save(tmp_path / "black.png")
    with Camera(str(tmp_path), CameraSettings(rate=10), QUICK) as camera:
        until(lambda: "its pictures are black" in camera.status.message)
        assert camera.status.state == "running"


# --- damaged clips --------------------------------------------------------------------------

PLAY = """
import sys
from pathlib import Path
from playground.capture.outlet import Fault
from playground.capture.sources import _clip_pictures
for name in sys.stdin.read().split():
    print(name, flush=True)
    try:
        for _, decode in _clip_pictures(Path(name)):
            decode()
    except Fault as fault:
        assert str(fault).count("\\n") == 0
"""


@pytest.mark.parametrize(
    "count", [pytest.param(50, id="few"), pytest.param(2000, id="many", marks=pytest.mark.full)]
)
def test_damaged_clips(count: int, tmp_path: Path) -> None:
    """No clip hangs or fills the memory; one that crashes the decoder costs its process alone."""
    dice = random.Random(count)
    content = write_clip(tmp_path / "whole.avi", 5, rate=250, height=48).read_bytes()
    left = []
    for number in range(count):
        path = tmp_path / f"{number}.avi"
        path.write_bytes(damaged(content, dice))
        left.append(str(path))
    while left:
        done = subprocess.run(
            [sys.executable, "-c", PLAY],
            input="\n".join(left),
            capture_output=True,
            text=True,
            timeout=10 + count,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30)),
        )
        assert done.returncode <= 0, done.stderr
        left = left[len(done.stdout.split()) :]


# --- devices that fail ----------------------------------------------------------------------


class Driver:
    """OpenCV's camera, as drivers are: ``opens`` or not, and gives ``pictures`` pictures."""

    def __init__(self, opens: bool, pictures: int) -> None:
        self.opens, self.pictures = opens, pictures
        self.asked: dict[int, float] = {}
        self.released = False

    def isOpened(self) -> bool:
        return self.opens

    def set(self, what: int, value: float) -> bool:
        self.asked[what] = value
        return True

    def grab(self) -> bool:
        self.pictures -= 1
        return self.pictures >= 0

    def retrieve(self) -> Any:
        return True, numbered(3)

    def release(self) -> None:
        self.released = True


@pytest.fixture
def plugged(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Make a driver that the next camera uses."""

    def plug(opens: bool = True, pictures: int = 3) -> Driver:
        driver = Driver(opens, pictures)
        monkeypatch.setattr(reasons, "no_camera", lambda index: "")
        monkeypatch.setattr(sources.cv2, "VideoCapture", lambda *_: driver)
        return driver

    return plug


def captured(settings: CameraSettings | None = None) -> Iterator[Taken]:
    outlet: Any = None
    orders = {"kind": "device", "where": "0", "title": "camera 0"}
    return sources.opened(orders, settings or CameraSettings(), outlet, threading.Event())


def test_a_camera_that_is_unplugged(plugged: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    driver = plugged(pictures=3)
    pictures = captured()
    for _ in range(3):
        pixels = next(pictures).pixels()
        assert pixels is not None
        assert number_of(pixels) == 3
    monkeypatch.setattr(reasons, "no_camera", lambda index: f"there is no camera {index}")
    with pytest.raises(Fault, match="there is no camera 0") as fault:
        next(pictures)
    assert not fault.value.final  # it may be plugged in again
    assert driver.released


def test_a_camera_that_gives_nothing_any_more(plugged: Any) -> None:
    plugged(pictures=0)
    with pytest.raises(Fault, match="camera 0 gives no pictures any more"):
        next(captured())


def test_a_camera_that_another_program_holds(plugged: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    plugged(opens=False)
    with pytest.raises(Fault, match="in use by another program") as fault:
        next(captured())
    assert not fault.value.final
    monkeypatch.setattr(reasons, "_holder", lambda device: "meeting")
    with pytest.raises(Fault, match="camera 0 is in use by “meeting”: close that program"):
        next(captured())


def test_who_holds_a_device(tmp_path: Path) -> None:
    path = tmp_path / "video0"
    path.touch()
    script = "import sys, time; f = open(sys.argv[1]); print(flush=True); time.sleep(60)"
    command = [sys.executable, "-c", script, path]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        other.stdout.readline()
        assert reasons._holder(str(path)).startswith("python")
        other.kill()
    assert reasons._holder(str(path)) == ""


def test_a_driver_is_asked_for_a_size(plugged: Any) -> None:
    driver = plugged()
    next(captured(CameraSettings(width=1280, height=720)))
    assert driver.asked[cv2.CAP_PROP_FRAME_WIDTH] == 1280
    assert driver.asked[cv2.CAP_PROP_FRAME_HEIGHT] == 720
    driver = plugged()
    next(captured(CameraSettings(height=360)))
    assert driver.asked[cv2.CAP_PROP_FRAME_WIDTH] == 640
