"""Live recognition goes on, or ends with a sentence, whatever a camera or a microphone does."""

from __future__ import annotations

import threading
import time
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from playground.capture import Camera, CameraSettings, CaptureStatus, Limits, Microphone
from playground.capture.kinds import State
from playground.capture.pictures import blank
from playground.console import Console
from playground.live import command
from playground.live.command import tell
from playground.live.errors import LiveError
from playground.live.loop import Live
from playground.live.settings import LiveAnswer, LiveSettings
from tests.playground.capture_kit import QUICK, MjpegServer, children, until, write_clip
from tests.playground.device_kit import FakeCamera, fake_sound
from tests.playground.live_kit import picture_model, series_model, shaken, sound_model

EAGER = LiveSettings(engine="eager")
WAIT = 20.0
MB = 1 << 20


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    before, files = set(threading.enumerate()), psutil.Process().num_fds()
    yield
    assert children() == []
    until(lambda: set(threading.enumerate()) <= before, 3)
    assert psutil.Process().num_fds() <= files


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeCamera:
    return FakeCamera(tmp_path, monkeypatch)


class Running:
    """A live view of a camera or a microphone, and what can be seen of it."""

    def __init__(self, device: Camera | Microphone) -> None:
        self.device = device
        model = picture_model() if isinstance(device, Camera) else sound_model()
        self.live = Live(shaken(model), device, EAGER)

    def __enter__(self) -> Running:
        self.device.start()
        self.live.start()
        return self

    def __exit__(self, *_: object) -> None:
        began = time.monotonic()
        self.live.close()
        self.device.close()
        assert time.monotonic() - began < 20

    def answered(self) -> LiveAnswer:
        """An answer to something that was captured from now on."""
        now = time.monotonic()

        def fresh() -> LiveAnswer | None:
            answer = self.live.answer()
            return answer if answer is not None and answer.captured > now else None

        found = until(fresh, WAIT)
        assert isinstance(found, LiveAnswer)
        return found

    def says(self, text: str, state: str) -> str:
        """Wait until the status is ``state`` and its sentence has ``text``."""
        message = ""

        def said() -> bool:
            nonlocal message
            status = self.live.status
            message = f"{status.state}: {status.message}"
            return status.state == state and text in status.message

        try:
            until(said, WAIT)
        except AssertionError:
            raise AssertionError(f"{message!r} instead of {text!r}") from None
        assert message.endswith((".", "?"))
        assert message.count("\n") == 0
        return message.partition(": ")[2]


# --- cameras --------------------------------------------------------------------------------


def test_unplugged_and_plugged_in_again(fake: FakeCamera) -> None:
    with Running(Camera("0", limits=QUICK)) as view:
        before = view.answered()
        fake.unplug()
        view.says(
            "There is no camera 0: plug it in, or choose another; trying again", "reconnecting"
        )
        assert view.live.answer() is not None  # what was answered last stays
        fake.does("well")
        view.says("160×120 from camera 0.", "running")
        assert view.answered().number > before.number


def test_taken_by_another_program(fake: FakeCamera) -> None:
    """In the middle, and before it was opened."""
    sentence = "Camera 0 is in use by “meeting”: close that program"
    with Running(Camera("0", limits=QUICK)) as view:
        view.answered()
        fake.does("taken")
        view.says(sentence, "reconnecting")
        fake.does("well")
        view.answered()
        assert view.live.status.state == "running"
    fake.does("taken")
    with Running(Camera("0", limits=QUICK)) as view:
        view.says(sentence, "reconnecting")
        fake.does("well")
        view.answered()


@pytest.mark.parametrize(
    ("what", "says"),
    [
        (
            "black",
            "The camera gives only black pictures: is its cover closed, or is another program "
            "using it?",
        ),
        ("green", "The camera gives only green pictures: is another program using it?"),
        ("white", "The camera gives only one-colour pictures: is something right in front of it"),
    ],
)
def test_pictures_with_nothing_on_them(fake: FakeCamera, what: str, says: str) -> None:
    with Running(Camera("0", limits=QUICK)) as view:
        view.answered()
        fake.does(what)
        view.says(says, "running")
        view.answered()  # it goes on
        fake.does("well")
        view.says("160×120 from camera 0.", "running")


def test_dark_is_not_black(tmp_path: Path) -> None:
    dark = np.random.default_rng(0).integers(0, 40, (120, 160, 3), np.uint8)
    assert blank(dark) == ""
    assert blank(np.full((120, 160, 3), 128, np.uint8)) == "one-colour"
    Image.new("RGB", (160, 120), (0, 135, 0)).save(tmp_path / "green.png")
    with Running(Camera(str(tmp_path), CameraSettings(rate=20), QUICK)) as view:
        view.answered()
        until(lambda: view.device.status.seconds > 2 * QUICK.blank)
        assert view.live.status.message.startswith("160×120 from")  # a picture may be green


def test_a_resolution_that_changes_in_the_middle(fake: FakeCamera) -> None:
    with Running(Camera("0", limits=QUICK)) as view:
        view.answered()
        for what, size in (("large", "320×240"), ("small", "80×60"), ("well", "160×120")):
            fake.does(what)
            view.says(f"{size} from camera 0.", "running")
            view.answered()


def test_a_stall_is_told_and_over_when_it_is_over(fake: FakeCamera) -> None:
    limits = Limits(stall=30, silence=30, late=0.5)
    with Running(Camera("0", limits=limits)) as view:
        view.answered()
        (child,) = children()
        fake.does("stalled")
        view.says("No new picture has come from camera 0 for 1 s.", "running")
        view.says("No new picture has come from camera 0 for 2 s.", "running")
        fake.does("well")
        view.says("160×120 from camera 0.", "running")
        view.answered()
        assert children() == [child]  # it was waited for


def test_a_stall_that_takes_too_long_opens_the_camera_anew(fake: FakeCamera) -> None:
    with Running(Camera("0", limits=QUICK)) as view:
        view.answered()
        fake.does("stalled")
        view.says("No picture has come from camera 0 for 2 s; trying again", "reconnecting")
        fake.does("well")
        view.answered()


def test_no_camera_at_all() -> None:
    limits = Limits(pauses=(0.1, 0.1, 8.0))
    with Running(Camera("97", limits=limits)) as view:
        view.says("There is no camera 97: plug it in", "reconnecting")
        view.says("trying again in 8 s.", "reconnecting")
        view.says("trying again in 7 s.", "reconnecting")
        assert view.live.answer() is None


# --- streams --------------------------------------------------------------------------------


def test_the_command_does_not_count_seconds(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And gives up what was never there."""

    class Absent(Camera):
        over = time.monotonic() + 2

        def start(self) -> None: ...

        @property
        def status(self) -> CaptureStatus:
            left = self.over - time.monotonic()
            if 1 < left < 2:
                taken = f"{100 * (2 - left):.0f} s; some drivers take 20 s."
                return CaptureStatus("opening", f"Camera 0 is still opening after {taken}", 0)
            state: State = "reconnecting" if left > 0 else "failed"
            return CaptureStatus(state, f"There is no camera 0; trying again in {left:.1f} s.", 0)

    camera = Absent("0")
    live = Live(shaken(picture_model()), camera)
    options = Namespace(json=False, top=None, frames=None)
    with pytest.raises(LiveError):
        tell(live, camera, Console(False), options, lambda: {"engine": "eager"})
    said = capsys.readouterr().out
    assert said.count("There is no camera 0") == 2, "failed too"
    assert said.count("still opening") == 1
    Absent.over += 60
    monkeypatch.setattr(command, "PATIENCE", 0.2)
    live = Live(shaken(picture_model()), camera)
    with pytest.raises(LiveError, match=r"^There is no camera 0\.$"):
        tell(live, camera, Console(False), options, lambda: {"engine": "eager"})


def test_a_stream_that_drops_and_comes_back_after_longer_and_longer_pauses() -> None:
    limits = Limits(opening=20, stall=1.5, pauses=(0.2, 0.4, 2.0))
    with MjpegServer() as server, Running(Camera(server.url, limits=limits)) as view:
        view.answered()
        server.pull()
        view.says("refuses the connection", "reconnecting")
        view.says("; trying again in 2 s.", "reconnecting")
        server.give()
        view.answered()
        assert view.live.status.state == "running"


def test_a_stream_whose_rate_doubles_is_answered_as_fresh_as_before() -> None:
    with MjpegServer(rate=25) as server, Running(Camera(server.url, limits=QUICK)) as view:
        late: list[float] = []
        for rate in (25, 50, 100):
            server.rate = rate
            view.answered()
            found: list[float] = []
            end = time.monotonic() + 0.8
            while time.monotonic() < end:
                found.append(view.answered().latency)
            late.append(float(np.median(found)))
        assert max(late) < 2 * (late[0] + 1 / 25)  # in a queue it would be most of the 0.8 s


# --- clips ----------------------------------------------------------------------------------


def events(device: Camera) -> tuple[list[LiveAnswer], str]:
    """All answers until ``device`` ends, and its last sentence."""
    with device:
        found = list(Live(shaken(picture_model()), device, EAGER).events())
        assert device.status.state == "ended"
        message = device.status.message
    return [event for event in found if isinstance(event, LiveAnswer)], message


def test_a_clip_that_ends(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "short.avi", 12)
    answers, said = events(Camera(str(clip), CameraSettings(loop=False)))
    assert said == "short.avi has ended."
    assert 6 < len(answers) <= 12
    assert answers[-1].number == 12


@pytest.mark.parametrize("how", ["cut", "zeros"])
def test_a_clip_that_is_corrupt_in_the_middle(how: str, tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "damaged.avi", 30)
    content = clip.read_bytes()
    third = len(content) // 3
    whole = third * 2 if how == "zeros" else 0
    clip.write_bytes(content[:third] + (bytes(third) + content[whole:] if whole else b""))
    answers, said = events(Camera(str(clip), CameraSettings(loop=False)))
    assert len(answers) >= 5  # what came before is answered
    assert said.startswith("damaged.avi has ended; only ")
    assert said.endswith(" of its 30 pictures can be read.")


def test_a_damaged_clip_that_is_played_again_and_again_says_so(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "damaged.avi", 30)
    clip.write_bytes(clip.read_bytes()[: clip.stat().st_size // 3])
    with Running(Camera(str(clip))) as view:
        view.says("of its 30 pictures can be read.", "running")
        view.answered()


# --- microphones ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ("forbidden", "may not be used: allow the microphone in the system's settings"),
        ("none", "There is no microphone: plug one in, or choose a sound file instead"),
        ("busy", "is in use by another program: close that program"),
        ("unplugged", "No sound comes from Desk microphone any more: plug it in again"),
    ],
)
def test_microphones_that_fail(
    how: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_sound(tmp_path, monkeypatch)
    monkeypatch.setenv("FAKE_SOUND", how)
    limits = Limits(opening=5, stall=1, pauses=(0.2,))
    with Running(Microphone("default", 8000, limits)) as view:
        view.says(says, "reconnecting")
        monkeypatch.setenv("FAKE_SOUND", "well")  # it is allowed, there, and free again
        view.says("samples a second from Desk microphone.", "running")
        view.answered()


# --- all of it ------------------------------------------------------------------------------


def test_what_cannot_be_given_is_told_before_anything_starts() -> None:
    with pytest.raises(LiveError, match=r"neither a camera nor a microphone gives: run one that"):
        Live(series_model(), Camera("0"))
    with pytest.raises(LiveError, match="takes sound, which a camera does not give"):
        Live(sound_model(), Camera("0"))


def test_trouble_leaves_nothing_behind(fake: FakeCamera) -> None:
    """Again and again: no thread, no process and no memory more than at first."""
    process = psutil.Process()
    with Running(Camera("0", limits=QUICK)) as view:

        def trouble() -> tuple[int, int]:
            for what in ("taken", "large", "black", "stalled"):
                fake.does(what)
                if what in ("taken", "stalled"):
                    until(lambda: view.live.status.state == "reconnecting", WAIT)
                fake.does("well")
                view.answered()
            return process.memory_info().rss, len(threading.enumerate())

        trouble()
        memory, threads = trouble()
        for _ in range(2):
            later, still = trouble()
        assert still == threads
        assert len(children()) == 1
        assert later - memory < 8 * MB
