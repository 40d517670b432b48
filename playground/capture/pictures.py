"""In the child: frames of a camera, a stream, a clip or a folder, written to the shared memory."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from playground.capture.kinds import CameraSettings, Pixels
from playground.capture.memory import LARGEST, FrameSlots, attach
from playground.capture.outlet import Outlet
from playground.vision import cv2

_BLACK = 16
"""The brightest value of a black picture; sensors are never quite dark."""
_ONE_COLOUR = 3
"""How much the values of a picture of one colour differ; those of a real one do more."""
_MOST_MEMORY = 2 << 30


@dataclass(frozen=True, slots=True)
class Taken:
    """A captured picture: when (monotonic seconds), how to decode it (H×W×3 BGR; None where that
    fails), and how many the source left out since the one before."""

    time: float
    pixels: Callable[[], Pixels | None]
    skipped: int = 0


def run(orders: Mapping[str, Any], outlet: Outlet, asked: threading.Event) -> dict[str, Any]:
    """Capture until the source ends (returns what is to be said then) or ``asked`` is set; raises
    ``Fault``."""
    from playground.capture import sources

    if orders["kind"] in ("file", "folder"):
        _limit_memory()
    settings = CameraSettings(**orders["settings"])
    publisher = Publisher(orders, settings, outlet)
    stall = orders["limits"]["stall"]
    outlet.within(orders["limits"]["opening"], f"{orders['title']} has not opened in time")
    for taken in sources.opened(orders, settings, outlet, asked):
        if asked.is_set():
            return {"ended": f"{orders['title']} is closed"}
        publisher.take(taken)
        outlet.within(stall, f"no picture has come from {orders['title']} for {stall:.0f} s")
    return {"ended": f"{orders['title']} has ended{outlet.remark}"}


def _limit_memory() -> None:
    """A hostile file may ask for pictures of any size; the system then refuses."""
    if sys.platform == "linux":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))


class Publisher:
    """Brings pictures to what the settings ask for and puts them into the shared memory."""

    def __init__(self, orders: Mapping[str, Any], settings: CameraSettings, outlet: Outlet) -> None:
        self._slots = FrameSlots(attach(orders["memory"]))
        self._settings = settings
        self._title = orders["title"]
        self._live = orders["kind"] in ("device", "stream")
        self._patience = orders["limits"]["blank"]
        self._outlet = outlet
        self._number = 0
        self._count = 0
        self._due = 0.0
        self._size = (0, 0)
        self._seen = 0.0
        """When there was last something to see."""
        self._said = ""

    def take(self, taken: Taken) -> None:
        self._count += 1 + taken.skipped
        rate = self._settings.rate
        if rate is not None:
            if taken.time < self._due - 0.001:
                return
            if taken.time - self._due > 1 / rate:  # the first, and after a pause
                self._due = taken.time
            self._due += 1 / rate
        found = taken.pixels()
        if found is None or found.size == 0:
            return  # one damaged picture of a stream
        pixels = self._shaped(found)
        height, width = pixels.shape[:2]
        self._number += 1
        place = self._slots.place(self._number, height, width)
        cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB, dst=place)
        self._slots.publish(self._number, taken.time, height, width, self._count)
        self._tell(place, taken.time)  # before the frame: who sees it knows that the camera runs
        self._outlet.frame(self._number)

    def _shaped(self, pixels: Any) -> Any:
        """Three channels, within the size that is wanted, cropped and mirrored."""
        if pixels.ndim == 2 or pixels.shape[2] == 1:
            pixels = cv2.cvtColor(pixels, cv2.COLOR_GRAY2BGR)
        elif pixels.shape[2] == 4:
            pixels = cv2.cvtColor(pixels, cv2.COLOR_BGRA2BGR)
        if self._settings.crop == "square":
            side = min(pixels.shape[:2])
            top, left = (pixels.shape[0] - side) // 2, (pixels.shape[1] - side) // 2
            pixels = pixels[top : top + side, left : left + side]
        height, width = pixels.shape[:2]
        scale = min(
            1.0,
            (self._settings.height or height) / height,
            (self._settings.width or width) / width,
            (LARGEST / (height * width)) ** 0.5,
        )
        if scale < 1:
            size = (max(1, int(width * scale)), max(1, int(height * scale)))
            pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
        if self._settings.mirror:
            pixels = cv2.flip(pixels, 1)
        return pixels

    def _tell(self, pixels: Pixels, now: float) -> None:
        """Say that it runs, at which size, and when there is nothing to see."""
        wrong = blank(pixels)
        if self._number == 1 or not wrong:
            self._seen = now
        height, width = pixels.shape[:2]
        said = f"{width}×{height} from {self._title}{self._outlet.remark}"
        if now - self._seen > self._patience:
            if self._live:
                said = f"the camera gives only {wrong} pictures: {_CAUSES[wrong]}"
            elif wrong == "black":  # clips and pictures may be of one colour
                said += "; its pictures are black"
        if said != self._said:
            self._said = said
            self._outlet.tell(running=said)


_CAUSES = {
    "black": "is its cover closed, or is another program using it?",
    "green": "is another program using it? Otherwise unplug it and plug it in again",
    "one-colour": "is something right in front of it, or is it dazzled?",
}


def blank(pixels: Pixels) -> str:
    """What a picture (H×W×3) without anything on it looks like; "" where something is. Drivers
    that have no data give black or green: zeros as RGB, and as YUV."""
    few = pixels[::16, ::16].reshape(-1, 3)
    least, most = few.min(axis=0).astype(int), few.max(axis=0).astype(int)
    if most.max() <= _BLACK:
        return "black"
    if (most - least).max() > _ONE_COLOUR:
        return ""
    red, green, blue = most.tolist()
    return "green" if green > 2 * max(red, blue, 16) else "one-colour"


def rested(seconds: float, asked: threading.Event) -> bool:
    """Sleep; whether to go on after it."""
    return not asked.wait(seconds) if seconds > 0 else not asked.is_set()


def constant(pixels: Pixels | None) -> Callable[[], Pixels | None]:
    return lambda: pixels


def paced(
    pictures: Iterator[tuple[float, Callable[[], Pixels | None]]], asked: threading.Event
) -> Iterator[Taken]:
    """A clip's pictures (seconds in the clip, how to decode) at the clip's own pace. Where decoding
    is too slow, pictures are left out instead of falling behind."""
    start = None
    skipped = 0
    for at, decode in pictures:
        now = time.monotonic()
        if start is None or now - (start + at) > 1:  # the machine slept
            start = now - at
        late = now - (start + at)
        if late > 0.1:
            skipped += 1
            continue
        if not rested(-late, asked):
            return
        yield Taken(time.monotonic(), decode, skipped)
        skipped = 0
