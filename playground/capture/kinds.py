"""What cameras and microphones are described by: addresses, settings, status, frames."""

from __future__ import annotations

import os
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import numpy as np
import numpy.typing as npt

from playground.resources import SAMPLES

State = Literal["opening", "running", "reconnecting", "ended", "failed", "closed"]
Pixels = npt.NDArray[np.uint8]
Samples = npt.NDArray[np.float32]
Kind = Literal["device", "stream", "folder", "file"]

SAMPLE = "sample:"
SCHEMES = ("rtsp", "rtsps", "http", "https")
SOUNDS = (".wav", ".flac", ".ogg", ".mp3", ".aif", ".aiff", ".opus")
"""How the names of sound files end."""
PICTURE_EVERY = 2.0
"""Seconds that each picture of a folder is shown for, where no rate is set."""


@dataclass(frozen=True, slots=True)
class DeviceInfo:
    """A camera or microphone of this machine: what to open it by, and what people call it."""

    address: str
    name: str


@dataclass(frozen=True, slots=True)
class CameraSettings:
    """How frames are wanted.

    ``width`` and ``height`` (pixels) are asked of the driver; pictures that are still larger are
    made smaller, their proportions kept. ``crop`` "square" keeps the middle. ``rate`` is the most
    frames a second; of a folder, the pictures a second. Clips and folders begin again with
    ``loop``, otherwise they end.
    """

    width: int | None = None
    height: int | None = None
    mirror: bool = False
    crop: Literal["none", "square"] = "none"
    rate: float | None = None
    loop: bool = True

    def __post_init__(self) -> None:
        for name in ("width", "height"):
            value = getattr(self, name)
            if value is not None and not 1 <= value <= 16384:
                raise ValueError(f"the {name} of a camera is 1 to 16384 pixels")
        if self.rate is not None and not 0 < self.rate <= 1000:
            raise ValueError("the rate of a camera is above 0 and at most 1000 frames a second")
        if self.crop not in ("none", "square"):
            raise ValueError("the crop of a camera is none or square")


@dataclass(frozen=True, slots=True)
class CaptureStatus:
    """How a camera or microphone does: ``message`` is one sentence, ``seconds`` how long it has
    been in this state."""

    state: State
    message: str
    seconds: float


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture: ``pixels`` H×W×3 RGB, read-only. ``number`` counts what was captured since the
    camera was started, ``time`` is ``time.monotonic()`` at capture, ``dropped`` how many of the
    pictures so far were overtaken by newer ones before anybody saw them."""

    pixels: Pixels
    number: int
    time: float
    dropped: int


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds until something is given up: ``opening``, waiting for the next picture or sound
    (``stall``), a child process without a sign of life (``silence``); and the ``pauses`` before it
    is tried again. Seconds until it is told: no new picture (``late``), only black ones or ones of
    a single colour (``blank``), zeros in place of sound (``mute``)."""

    opening: float = 60.0
    stall: float = 10.0
    silence: float = 15.0
    late: float = 3.0
    blank: float = 1.5
    mute: float = 4.0
    pauses: tuple[float, ...] = field(default=(0.5, 1.0, 2.0, 4.0, 8.0))

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def kind_of(address: str) -> Kind:
    """What an address means; raises ``ValueError``, a sentence."""
    text = address.strip()
    if not text:
        raise ValueError("no camera is chosen yet: choose one, a clip, or a stream's address")
    if "\0" in text:
        raise ValueError("an address with a NUL character cannot be opened: choose it again")
    if text.isdecimal():
        return "device"
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]+)://", text)
    if scheme:
        if scheme[1].lower() not in SCHEMES:
            raise ValueError(
                f"streams begin with {', '.join(f'{name}://' for name in SCHEMES)}, "
                f"not with {scheme[0]}"
            )
        if not _host(text):
            raise ValueError(f"{scheme[0]} is followed by the name of a computer, or its number")
        return "stream"
    return "folder" if located(text).is_dir() else "file"


def located(address: str) -> Path:
    """The file or folder of an address, "sample:…" included; raises ``ValueError``."""
    if not address.startswith(SAMPLE):
        return Path(os.path.expanduser(address)).absolute()
    path = (SAMPLES / address.removeprefix(SAMPLE)).resolve()
    if not path.is_relative_to(SAMPLES) or not path.exists():
        raise ValueError(f"there is no bundled sample {address.removeprefix(SAMPLE)!r}")
    return path


def title(address: str) -> str:
    """What sentences call it; a password in an address is left out."""
    kind = kind_of(address)
    if kind == "device":
        return f"camera {int(address)}"
    if kind == "stream":
        parts = urlsplit(address.strip())
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    return named(located(address.strip()))


def _host(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:  # half of an IPv6 address
        return None


def named(path: Path) -> str:
    """A file's or a folder's name, in quotes where it could be taken for a word."""
    return path.name if "." in path.name.partition(" ")[0] else f"“{path.name}”"
