"""Microphones: a virtual device where the system can have one, a file, and a device that fails."""

from __future__ import annotations

import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from playground.capture import Limits, Microphone, microphones
from playground.capture.sounds import sounds_of
from tests.playground.capture_kit import QUICK, children, state, until
from tests.playground.device_kit import fake_sound

RATE = 16000


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert children() == []
    until(lambda: set(threading.enumerate()) <= before, 3)


def tone(path: Path, seconds: float = 2, rate: int = RATE, hertz: float = 1000) -> Path:
    """A sine at half of full scale on both of two channels."""
    times = np.arange(int(seconds * rate)) / rate
    wave = 0.5 * np.sin(2 * np.pi * hertz * times)
    soundfile.write(path, np.stack([wave, wave], 1), rate)
    return path


def loudest(samples: np.ndarray) -> float:
    """The frequency with the most energy, in Hz."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.fft.rfftfreq(len(samples), 1 / RATE)[spectrum.argmax()])


# --- files ----------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [16000, 44100])
def test_a_file_is_heard_in_real_time(rate: int, tmp_path: Path) -> None:
    with Microphone(str(tone(tmp_path / "tone.wav", rate=rate))) as microphone:
        assert microphone.status.state == "opening"
        assert microphone.level() == (-120, -120)
        state(microphone, "running")
        began, start = time.monotonic(), microphone.position
        until(lambda: microphone.position >= start + RATE)
        assert time.monotonic() - began == pytest.approx(1, abs=0.4)
        assert loudest(microphone.latest(RATE // 2)) == pytest.approx(1000, abs=4)
        rms, peak = microphone.level()
        assert rms == pytest.approx(-9.03, abs=0.2)
        assert peak == pytest.approx(-6.02, abs=0.2)
        assert microphone.overflows == 0
    assert microphone.status.state == "closed"
    assert len(microphone.latest(100)) == 100  # what was heard stays


def test_what_came_since(tmp_path: Path) -> None:
    path = tmp_path / "ramp.wav"
    ramp = np.linspace(-0.9, 0.9, 8000, dtype=np.float32)
    soundfile.write(path, ramp, RATE, subtype="FLOAT")
    with Microphone(str(path)) as microphone:
        position, parts = 0, []
        while position < 12000:
            new, samples = microphone.since(position)
            assert new == position + len(samples)
            position = new
            parts.append(samples)
            time.sleep(0.01)
        heard = np.concatenate(parts)
        assert (heard[:8000] == ramp).all()  # no sample twice, none left out
        assert (heard[8000:12000] == ramp[:4000]).all()  # and from the beginning again
        assert (microphone.latest(position + RATE)[:100] == 0).all()  # before the first sample


def test_a_killed_child_is_replaced_and_positions_go_on(tmp_path: Path) -> None:
    with Microphone(str(tone(tmp_path / "tone.wav")), limits=QUICK) as microphone:
        until(lambda: microphone.position > 1000)
        children()[0].kill()
        assert "ended unexpectedly (signal 9)" in state(microphone, "reconnecting")
        before = microphone.position
        state(microphone, "running")
        until(lambda: microphone.position > before + 1000)
        assert loudest(microphone.latest(1000)) == pytest.approx(1000, abs=30)


def test_a_bundled_sound() -> None:
    with Microphone("sample:speech/yes/awb_00.flac") as microphone:
        assert state(microphone, "running") == "awb_00.flac in place of a microphone."


def test_the_sounds_of_a_folder_in_turn(tmp_path: Path) -> None:
    folder = tmp_path / "words"
    (folder / "one").mkdir(parents=True)
    step = np.sin(np.arange(RATE // 5) * (2 * np.pi * 500 / RATE)).astype(np.float32) / 2
    for name in ("one/a.wav", "one/b.wav"):
        soundfile.write(folder / name, step, RATE)
    (folder / "damaged.wav").write_bytes(b"RIFF")
    (folder / "notes.txt").write_text("no sound")
    with Microphone(str(folder)) as microphone:
        assert state(microphone, "running") == "“words” in place of a microphone."
        until(lambda: microphone.position > 1.5 * RATE)
        loud = np.abs(microphone.since(0)[1][: round(1.5 * RATE)]) > 0.1
        assert loud[: RATE // 5].any(), "the one"
        assert not loud[round(0.25 * RATE) : round(0.95 * RATE)].any(), "a pause"
        assert loud[RATE : round(1.2 * RATE)].any(), "the other"
    assert sounds_of(folder) == sounds_of(folder)
    for path in folder.rglob("*.wav"):
        path.unlink()
    with Microphone(str(folder)) as microphone:
        assert "No sound file is in “words”" in state(microphone, "failed")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "does not exist: choose the sound file again."),
        (b"", "x.wav cannot be played: it is damaged"),
        (b"RIFF\0\0\0\0WAVEfmt ", "x.wav cannot be played: it is damaged"),
    ],
)
def test_files_that_cannot_be_played(content: bytes | None, says: str, tmp_path: Path) -> None:
    path = tmp_path / "x.wav"
    if content is not None:
        path.write_bytes(content)
    with Microphone(str(path)) as microphone:
        assert says in state(microphone, "failed")


def test_a_file_without_samples(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "none.wav", np.zeros(0, np.float32), RATE)
    with Microphone(str(tmp_path / "none.wav")) as microphone:
        assert state(microphone, "failed") == "none.wav holds no sound."


def test_samples_that_are_no_numbers(tmp_path: Path) -> None:
    wave = np.full(RATE, np.nan, np.float32)
    wave[::2] = 1e30
    soundfile.write(tmp_path / "nan.wav", wave, RATE, subtype="FLOAT")
    with Microphone(str(tmp_path / "nan.wav")) as microphone:
        until(lambda: microphone.position > 3000)
        samples = microphone.latest(2000)
        assert np.isfinite(samples).all()
        assert np.abs(samples).max() <= 1


@pytest.mark.parametrize(("address", "rate"), [("", RATE), ("a\0", RATE), ("default", 1)])
def test_what_means_nothing(address: str, rate: int) -> None:
    with pytest.raises(ValueError, match="microphone"):
        Microphone(address, rate)


# --- a virtual device -----------------------------------------------------------------------


class Virtual:
    """A PulseAudio of its own with a sink that plays into nothing: what is played to it is heard
    by the default microphone, through ALSA and PortAudio as from any other device."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (folder / "asoundrc").write_text(
            "</usr/share/alsa/alsa.conf>\n"
            "pcm.!default { type pulse }\n"
            "ctl.!default { type pulse }\n"
        )
        folder.chmod(0o700)
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
        monkeypatch.setenv("HOME", str(folder))
        monkeypatch.setenv("PULSE_SERVER", f"unix:{folder}/pulse/native")
        monkeypatch.setenv("ALSA_CONFIG_PATH", str(folder / "asoundrc"))
        self._socket = folder / "pulse" / "native"
        self.give()

    def give(self) -> None:
        self._daemon = subprocess.Popen(
            [
                *("pulseaudio", "--daemonize=no", "--exit-idle-time=-1", "--disable-shm=1", "-n"),
                *("-L", f"module-null-sink sink_name=virtual rate={RATE} channels=1"),
                *("-L", "module-native-protocol-unix auth-anonymous=1"),
            ],
            stderr=subprocess.DEVNULL,
        )
        until(self._socket.exists)

    def pull(self) -> None:
        self._daemon.terminate()
        self._daemon.wait(10)
        self._socket.unlink(missing_ok=True)

    def play(self, path: Path) -> subprocess.Popen[bytes]:
        return subprocess.Popen(["paplay", str(path)])


def pulse_is_here() -> bool:
    """PulseAudio and ALSA's plug-in for it: 150 MB of packages, so they are not asked for."""
    plugins = Path("/usr/lib").glob("*/alsa-lib/libasound_module_pcm_pulse.so")
    return bool(shutil.which("pulseaudio") and shutil.which("paplay") and any(plugins))


def test_a_device_is_heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Through a virtual device; where the system has none, a file takes its place."""
    path = tone(tmp_path / "tone.wav", seconds=4)
    if not pulse_is_here():
        with Microphone(str(path)) as microphone:
            until(lambda: loudest(microphone.latest(RATE // 4)) == pytest.approx(1000, abs=8))
        return
    virtual = Virtual(tmp_path, monkeypatch)
    try:
        assert "default" in [device.address for device in microphones()]
        with Microphone("default", limits=Limits(stall=3, pauses=(0.2,))) as microphone:
            said = state(microphone, "running")
            assert said == "16,000 samples a second from the system's microphone."
            with virtual.play(path):
                until(lambda: loudest(microphone.latest(RATE // 2)) == pytest.approx(1000, abs=4))
                until(lambda: microphone.level()[0] == pytest.approx(-9.03, abs=0.5))
            virtual.pull()
            state(microphone, "reconnecting")
            before = microphone.position
            virtual.give()
            state(microphone, "running", seconds=30)
            until(lambda: microphone.position > before)
    finally:
        virtual.pull()


# --- devices that fail ----------------------------------------------------------------------


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    fake_sound(tmp_path, monkeypatch)
    return monkeypatch


def test_names_of_microphones(fake: pytest.MonkeyPatch) -> None:
    assert [(device.address, device.name) for device in microphones()] == [
        ("default", "System default (Desk microphone)"),
        ("Desk microphone", "Desk microphone"),
        ("Headset", "Headset"),
    ]
    fake.setenv("FAKE_SOUND", "none")
    assert microphones() == []


@pytest.mark.parametrize(
    ("how", "address", "states", "says"),
    [
        ("none", "default", "reconnecting", "There is no microphone: plug one in"),
        ("well", "Studio", "reconnecting", "There is no microphone 'Studio' now: plug it in"),
        ("busy", "default", "reconnecting", "Desk microphone is in use by another program"),
        ("forbidden", "Headset", "reconnecting", "Headset may not be used: allow the microphone"),
        ("unplugged", "default", "reconnecting", "No sound comes from Desk microphone any more"),
        ("slow", "default", "reconnecting", "has not opened in time"),
    ],
)
def test_devices_that_fail(
    fake: pytest.MonkeyPatch, how: str, address: str, states: str, says: str
) -> None:
    fake.setenv("FAKE_SOUND", how)
    with Microphone(address, limits=Limits(opening=2, stall=1, pauses=(0.2,))) as microphone:
        assert says in state(microphone, states)
        fake.setenv("FAKE_SOUND", "well")  # it is plugged in, the other program is closed
        if address != "Studio":
            state(microphone, "running")
            until(lambda: microphone.level()[1] > -7)


def test_silence_is_told(fake: pytest.MonkeyPatch) -> None:
    fake.setenv("FAKE_SOUND", "mute")
    with Microphone(limits=QUICK) as microphone:
        until(lambda: "Only silence comes from Desk microphone" in microphone.status.message)
        assert microphone.status.state == "running"


def test_lost_samples_are_counted(fake: pytest.MonkeyPatch) -> None:
    fake.setenv("FAKE_SOUND", "late")
    with Microphone(limits=QUICK) as microphone:
        until(lambda: microphone.overflows > 2)


def test_a_device_with_a_rate_and_channels_of_its_own(fake: pytest.MonkeyPatch) -> None:
    fake.setenv("FAKE_SOUND", "stubborn")
    with Microphone("headset", limits=QUICK) as microphone:
        state(microphone, "reconnecting")  # it has one channel, and wants two
    with Microphone("1", limits=QUICK) as microphone:
        assert "48,000 samples a second" in state(microphone, "running")
        until(lambda: microphone.position > RATE)
        assert loudest(microphone.latest(RATE // 2)) == pytest.approx(1000, abs=4)


def test_a_device_that_hangs_is_closed_in_time(fake: pytest.MonkeyPatch) -> None:
    fake.setenv("FAKE_SOUND", "slow")
    microphone = Microphone()
    microphone.start()
    time.sleep(0.5)
    began = time.monotonic()
    microphone.close()
    assert time.monotonic() - began < 60  # of the 600 that it hangs
