"""In the child: samples of a microphone or a sound file, written to the shared ring."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from playground.capture.kinds import SOUNDS, Samples, named
from playground.capture.memory import SoundRing, attach
from playground.capture.outlet import Fault, Outlet

PAUSE = 0.8
"""Seconds of quiet after each sound file of a folder."""

MOST = 10_000
"""Files of a folder that are played."""

_BLOCK = 0.02
"""Seconds of sound that are written at a time."""

_LATENCY = 0.05
"""Seconds that the system may keep back: little beside a person's finger, enough for a busy one."""


def run(orders: Mapping[str, Any], outlet: Outlet, asked: threading.Event) -> dict[str, Any]:
    """Write samples until ``asked`` is set; raises ``Fault``."""
    ring = SoundRing(attach(orders["memory"]))
    if orders["kind"] == "file":
        return _file(Path(orders["where"]), orders["rate"], ring, outlet, asked)
    return _device(orders, ring, outlet, asked)


def portaudio() -> Any:
    """The module ``sounddevice``; raises ``Fault`` where it or PortAudio is missing."""
    try:
        import sounddevice
    except ImportError:
        raise Fault("sounddevice is not installed: microphones need it", final=True) from None
    except OSError:
        raise Fault(
            "PortAudio is missing (on Debian and Ubuntu: apt install libportaudio2)", final=True
        ) from None
    return sounddevice


def inputs(sounddevice: Any) -> list[dict[str, Any]]:
    """Devices that sound can come from, those of one host alone (Windows has each four times)."""
    hosts = sounddevice.query_hostapis()
    wanted = sounddevice.default.hostapi
    if sys.platform == "win32":
        names = [host["name"] for host in hosts]
        wanted = names.index("Windows WASAPI") if "Windows WASAPI" in names else wanted
    devices = [item for item in sounddevice.query_devices() if item["max_input_channels"] > 0]
    return [item for item in devices if item["hostapi"] == wanted] or devices


def _chosen(sounddevice: Any, where: str) -> dict[str, Any]:
    """The device of an address; raises ``Fault``."""
    found = inputs(sounddevice)
    if not found:
        raise Fault("there is no microphone: plug one in, or choose a sound file instead")
    if where == "default":
        default = sounddevice.default.device[0]
        return next((item for item in found if item["index"] == default), found[0])
    for item in found:
        if where in (item["name"], str(item["index"])):
            return item
    for item in found:
        if where.casefold() in item["name"].casefold():
            return item
    raise Fault(f"there is no microphone {where!r} now: plug it in, or choose another")


class _Intake:
    """Called by PortAudio's thread: one channel, resampled, into the ring."""

    def __init__(self, ring: SoundRing, rate: int, wanted: int) -> None:
        self._ring = ring
        self._resampler = _resampler(rate, wanted)
        self.blocks = 0
        self.heard = self.sounded = time.monotonic()

    def __call__(self, samples: Any, frames: int, when: Any, status: Any) -> None:
        if status.input_overflow:
            self._ring.overflowed()
        self.take(samples)

    def take(self, samples: Any) -> None:
        self.blocks += 1
        self.heard = time.monotonic()
        mono: Samples = samples.mean(axis=1, dtype=np.float32)
        if mono.any() or self.blocks == 1:
            self.sounded = self.heard
        if self._resampler is not None:
            mono = self._resampler.resample_chunk(mono)
        np.nan_to_num(mono, copy=False)
        self._ring.write(mono.clip(-1, 1))


def _device(
    orders: Mapping[str, Any], ring: SoundRing, outlet: Outlet, asked: threading.Event
) -> dict[str, Any]:
    title, limits = orders["title"], orders["limits"]
    outlet.within(limits["opening"], f"{title} has not opened in time")
    sounddevice = portaudio()
    device = _chosen(sounddevice, orders["where"])
    title = title if device["name"] == "default" else device["name"]
    stream, intake, rate = _started(sounddevice, device, orders["rate"], ring)
    outlet.within(1e9, "")
    said = ""
    while not asked.wait(0.1):
        now = time.monotonic()
        if not stream.active or now - intake.heard > limits["stall"]:
            raise Fault(f"no sound comes from {title} any more: plug it in again")
        text = f"{rate:,} samples a second from {title}"
        if now - intake.sounded > limits["mute"]:
            text = f"only silence comes from {title}: switch it on, and allow it in the settings"
        if text != said and intake.blocks:
            outlet.tell(running=text)
            said = text
    stream.abort()
    return {"ended": f"{title} is closed"}


def _started(
    sounddevice: Any, device: Mapping[str, Any], wanted: int, ring: SoundRing
) -> tuple[Any, _Intake, int]:
    """The running stream at the wanted rate, or at the device's own and resampled."""
    last: Exception | None = None
    for rate in dict.fromkeys((wanted, round(device["default_samplerate"]), 48000, 44100)):
        for channels in dict.fromkeys((1, min(2, device["max_input_channels"]))):
            intake = _Intake(ring, rate, wanted)
            try:
                stream = sounddevice.InputStream(
                    samplerate=rate,
                    device=device["index"],
                    channels=channels,
                    dtype="float32",
                    latency=_LATENCY,
                    callback=intake,
                )
                stream.start()
            except (sounddevice.PortAudioError, ValueError) as error:
                last = error
                continue
            return stream, intake, rate
    raise Fault(_why(device["name"], str(last)))


def _why(name: str, error: str) -> str:
    lower = error.lower()
    if "unavailable" in lower or "busy" in lower:
        return f"{name} is in use by another program: close that program"
    if "permission" in lower or "denied" in lower or "access" in lower:
        return f"{name} may not be used: allow the microphone in the system's settings"
    return f"{name} cannot be opened: {error.partition('[')[0].strip()}"


def _file(
    path: Path, wanted: int, ring: SoundRing, outlet: Outlet, asked: threading.Event
) -> dict[str, Any]:
    """A sound file, or those of a folder, again and again in real time."""
    import soundfile

    folder = path.is_dir()
    files = sounds_of(path) if folder else [path]
    if not files:
        raise Fault(f"no sound file is in {named(path)}: choose another folder", final=True)
    player, told = _Player(ring, wanted, asked), False
    while True:
        before = player.written
        for file in files:
            heard = player.written
            try:
                with soundfile.SoundFile(file) as sound:
                    if not told and sound.frames:
                        outlet.tell(running=f"{named(path)} in place of a microphone")
                        told = True
                    player.play(sound)
            except (soundfile.SoundFileError, OSError) as error:
                if not folder:
                    raise Fault(_unplayable(path, error), final=True) from None
            if folder and player.written > heard:
                player.write(np.zeros(round(PAUSE * wanted), np.float32))
            if asked.is_set():
                return {"ended": f"{named(path)} is closed"}
        if player.written == before:
            raise Fault(f"{named(path)} holds no sound", final=True)


def sounds_of(folder: Path) -> list[Path]:
    """The sound files in a folder and those in it, mixed: always in the same way."""
    found = (path for path in folder.rglob("*") if path.suffix.lower() in SOUNDS)
    files = sorted(islice(found, MOST))
    Random(0).shuffle(files)
    return files


class _Player:
    """Writes sound into the ring when its time has come, until it is ``asked`` to end."""

    def __init__(self, ring: SoundRing, rate: int, asked: threading.Event) -> None:
        self._ring, self._rate, self._asked = ring, rate, asked
        self._start = time.monotonic()
        self.written = 0

    def play(self, sound: Any) -> None:
        """An open sound file, from its beginning to its end."""
        rate = sound.samplerate
        resampler = _resampler(rate, self._rate)
        last = False
        while not (last or self._asked.is_set()):
            block = sound.read(max(1, round(rate * _BLOCK)), "float32", always_2d=True)
            last = not len(block)
            mono: Samples = block.mean(axis=1, dtype=np.float32)
            if resampler is not None:
                mono = resampler.resample_chunk(mono, last=last)
            self.write(mono)

    def write(self, mono: Samples) -> None:
        """Samples (n,), a block at a time."""
        size = max(1, round(self._rate * _BLOCK))
        for place in range(0, len(mono), size):
            block = mono[place : place + size]
            # a sample is there when its time has come, not before
            late = self._start + (self.written + len(block)) / self._rate - time.monotonic()
            if self._asked.wait(max(late, 0)):
                return
            if late < -1:  # the machine slept
                self._start -= late
            np.nan_to_num(block, copy=False)
            self._ring.write(block.clip(-1, 1))
            self.written += len(block)


def _unplayable(path: Path, error: Exception) -> str:
    if not path.exists():
        return f"{path} does not exist: choose the sound file again"
    return f"{named(path)} cannot be played: it is damaged, or of a kind that is not known here"


def _resampler(rate: int, wanted: int) -> Any:
    """A stream resampler (soxr, high quality); None where the rates are equal."""
    if rate == wanted:
        return None
    import soxr

    return soxr.ResampleStream(rate, wanted, 1, dtype="float32")
