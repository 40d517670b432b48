"""What happens to the processes, threads and memory of a capture, whatever is done to them."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from playground.capture import Camera, CameraSettings, memory, process
from playground.capture.kinds import Limits
from playground.capture.memory import FrameSlots, Shared, SoundRing
from tests.playground.capture_kit import (
    QUICK,
    children,
    number_of,
    numbered,
    state,
    until,
    write_clip,
)


@pytest.fixture
def clip(tmp_path: Path) -> str:
    return str(write_clip(tmp_path / "numbers.avi", 30))


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    threads, files = set(threading.enumerate()), psutil.Process().num_fds()
    yield
    assert children() == []
    until(lambda: set(threading.enumerate()) <= threads, 3)
    assert psutil.Process().num_fds() <= files


def closed(camera: Camera) -> float:
    """Seconds that closing takes."""
    began = time.monotonic()
    camera.close()
    assert camera.status.state == "closed"
    return time.monotonic() - began


def test_a_killed_child_is_replaced_and_numbers_go_on(clip: str) -> None:
    with Camera(clip, limits=QUICK) as camera:
        before = camera.wait(3, 20)
        assert before is not None
        (child,) = children()
        child.send_signal(signal.SIGKILL)
        said = state(camera, "reconnecting")
        assert said == "The driver of numbers.avi ended unexpectedly (signal 9); trying again."
        state(camera, "running")
        after = camera.wait(before.number, 5)
        assert after is not None
        assert after.number > before.number
        assert after.time > before.time


def test_a_child_that_hangs_is_given_up(clip: str) -> None:
    with Camera(clip, limits=Limits(silence=1, pauses=(0.1,))) as camera:
        camera.wait(0, 20)
        (child,) = children()
        child.send_signal(signal.SIGSTOP)
        assert state(camera, "reconnecting") == (
            "The driver of numbers.avi does not answer; trying again."
        )
        assert child.pid not in [other.pid for other in children()]
        state(camera, "running")


def test_a_child_that_hangs_is_closed_in_time(clip: str) -> None:
    camera = Camera(clip)
    camera.start()
    camera.wait(0, 20)
    (child,) = children()
    child.send_signal(signal.SIGSTOP)
    assert closed(camera) < 2


def test_closing_while_it_opens(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server takes the connection and never answers, as a driver that hangs."""
    monkeypatch.setattr(process, "_SLOW", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as server:
        camera = Camera(f"http://127.0.0.1:{server.getsockname()[1]}/live")
        camera.start()
        assert camera.status.message.endswith("is being opened.")
        server.accept()[0].close()
        silent = server.accept()[0]  # the child connects again and waits
        until(lambda: "is still opening after" in camera.status.message)
        assert camera.status.state == "opening"
        assert closed(camera) < 2
        silent.close()


def test_closing_at_once_and_twice_and_starting_again(clip: str) -> None:
    camera = Camera(clip)
    camera.close()
    camera.start()
    assert closed(camera) < 2
    assert closed(camera) < 0.1
    camera = Camera(clip)
    camera.start()
    camera.start()
    assert camera.wait(0, 20) is not None
    assert len(children()) == 1
    assert closed(camera) < 2


def test_many_at_a_time(clip: str) -> None:
    cameras = [Camera(clip) for _ in range(3)]
    for camera in cameras:
        camera.start()
    assert all(camera.wait(0, 20) is not None for camera in cameras)
    assert all(closed(camera) < 2 for camera in cameras)


PARENT = """
import sys, time
from playground.capture import Camera
camera = Camera(sys.argv[1])
camera.start()
camera.wait(0, 20)
print(camera._child.pid, flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_child_dies_with_its_parent(how: signal.Signals, clip: str) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, clip], stdout=subprocess.PIPE, text=True
    )
    with parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        parent.send_signal(how)
        parent.wait(10)
        until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE, 3)


def test_a_child_dies_with_its_parent_though_a_fork_holds_its_pipes(clip: str) -> None:
    forking = "import os\nif os.fork() == 0:\n    time.sleep(60)\n    os._exit(0)\n"
    script = PARENT.replace("print(", f"{forking}print(")
    parent = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", script, clip], stdout=subprocess.PIPE, text=True
    )
    with parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        others = psutil.Process(parent.pid).children()
        parent.kill()
        parent.wait(10)
        until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE, 3)
        for other in others:
            if other.is_running():
                other.kill()


def test_a_program_that_forgets_to_close_ends_without_a_word(clip: str) -> None:
    script = PARENT.replace("time.sleep(600)", "")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script, clip],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0
    assert done.stderr == ""
    until(lambda: not psutil.pid_exists(int(done.stdout)), 3)


def test_no_qt_and_no_torch_in_the_child(clip: str) -> None:
    with Camera(clip) as camera:
        camera.wait(0, 20)
        (child,) = children()
        maps = {Path(item.path).name for item in child.memory_maps()}
        assert not [name for name in maps if name.startswith(("libtorch", "libQt6Gui", "QtGui"))]


def test_memory_is_flat(clip: str) -> None:
    with Camera(clip) as camera:
        frame = camera.wait(25, 20)
        (child,) = children()
        before = psutil.Process().memory_info().rss, child.memory_info().rss
        assert frame is not None
        camera.wait(frame.number + 60, 20)
        after = psutil.Process().memory_info().rss, child.memory_info().rss
        assert after[0] - before[0] < 8 << 20
        assert after[1] - before[1] < 8 << 20


def test_a_camera_does_not_wait_for_a_reader(tmp_path: Path) -> None:
    """Nobody takes the child's news, its pipe is full, and pictures go on being captured."""
    import fcntl

    from PIL import Image

    Image.fromarray(numbered(5, 24, 32)).save(tmp_path / "one.png")
    shared = Shared(FrameSlots.SIZE)
    child = process.spawn(shared)
    with child:
        assert child.stdin is not None
        assert child.stdout is not None
        fcntl.fcntl(child.stdout.fileno(), 1031, 4096)  # F_SETPIPE_SZ: full after 300 news
        settings = {"rate": 1000, "loop": True}
        orders = {
            "what": "camera",
            "kind": "folder",
            "where": str(tmp_path),
            "title": "one",
            "settings": settings,
            "memory": shared.address,
            "limits": QUICK.to_json(),
        }
        child.stdin.write(json.dumps(orders).encode() + b"\n")
        child.stdin.flush()
        slots = FrameSlots(shared.map)
        until(lambda: max(int(header["number"][0]) for header in slots._headers) > 1000)
    shared.close()


@pytest.mark.parametrize("make", [memory._in_memory, memory._unlinked])
def test_memory_without_a_name(
    make: Callable[[], int], monkeypatch: pytest.MonkeyPatch, clip: str
) -> None:
    monkeypatch.setattr(memory, "_in_memory", make)
    with Camera(clip) as camera:
        assert camera.wait(0, 20) is not None
        assert not list(Path("/dev/shm").glob("pg-*"))


def test_torn_frames_are_never_shown() -> None:
    """A writer overtakes the reader all the time."""
    shared = Shared(FrameSlots.SIZE)
    writer, reader = FrameSlots(shared.map), FrameSlots(shared.map)
    newest = 0
    stop = threading.Event()

    def write() -> None:
        nonlocal newest
        number = 0
        while not stop.is_set():
            number += 1
            writer.place(number, 400, 400)[:] = number % 251
            writer.publish(number, 0.0, 400, 400, number)
            newest = number

    thread = threading.Thread(target=write)
    thread.start()
    whole = 0
    try:
        until(lambda: newest > 0)
        end = time.monotonic() + 1
        while time.monotonic() < end:
            asked = newest
            found = reader.copy(asked)
            if found is not None:
                whole += 1
                assert (found[0] == asked % 251).all()
    finally:
        stop.set()
        thread.join()
        shared.close()
    assert whole > 10


def test_the_ring_of_sounds() -> None:
    shared = Shared(SoundRing.size(100))
    ring = SoundRing(shared.map)
    shared.close()
    ring.write(np.arange(70, dtype=np.float32))
    start, samples = ring.read(0, 70)
    assert start == 0
    assert (samples == np.arange(70)).all()
    ring.write(np.arange(70, 130, dtype=np.float32))
    start, samples = ring.read(0, 130)
    assert start == 30  # what is older than the ring is gone
    assert (samples == np.arange(30, 130)).all()
    ring.write(np.arange(1000, dtype=np.float32))
    assert (ring.read(0, 10**6)[1] == np.arange(900, 1000)).all()
    assert ring.position == 1130
    assert len(ring.read(1130, 1130)[1]) == 0


def test_frames_of_every_size_and_of_numbers(tmp_path: Path) -> None:
    path = str(write_clip(tmp_path / "large.avi", 30, rate=60, height=480))
    with Camera(path, CameraSettings()) as camera:
        number = 0
        for _ in range(20):
            frame = camera.wait(number, 5)
            assert frame is not None
            assert number_of(frame.pixels) == (frame.number - 1) % 30 + 1
            number = frame.number
