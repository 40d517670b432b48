"""In the child: what pictures can come from."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from playground.capture import reasons
from playground.capture.kinds import PICTURE_EVERY, CameraSettings, Pixels, named
from playground.capture.outlet import Fault, Outlet
from playground.capture.pictures import Taken, constant, paced, rested
from playground.vision import UnreadableImage, cv2, read_picture

_MJPG = cv2.VideoWriter.fourcc(*"MJPG")
Decode = Callable[[], Pixels | None]

PICTURES = {".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff", ".gif"}
_CLIP_PROTOCOLS = "protocol_whitelist;file"
"""A clip may be a play list in disguise: it opens nothing but files."""

_ANOTHER_TRY = 0.5
"""Seconds in which a camera that was just closed here is given back by its driver."""

_STREAM_OPTIONS = "fflags;nobuffer|flags;low_delay|rtsp_transport;tcp"
_STREAM_PROTOCOLS = "|protocol_whitelist;http,https,tcp,tls,rtp,udp,crypto,httpproxy"


def opened(
    orders: Mapping[str, Any], settings: CameraSettings, outlet: Outlet, asked: threading.Event
) -> Iterator[Taken]:
    """Pictures of what the orders name; raises ``Fault``."""
    kind, where = orders["kind"], orders["where"]
    if kind == "device":
        return _device(int(where), settings, orders, asked)
    if kind == "stream":
        return _stream(where, settings, orders, asked)
    path = Path(where)
    if kind == "folder":
        return _slides(path, settings, asked)
    if path.suffix.lower() in PICTURES:
        return _slides(path, settings, asked)
    return _clip(path, settings, outlet, asked)


def _device(
    index: int, settings: CameraSettings, orders: Mapping[str, Any], asked: threading.Event
) -> Iterator[Taken]:
    if sys.platform == "win32":
        # otherwise Media Foundation takes half a minute to open some cameras
        os.environ.setdefault("OPENCV_VIDEOIO_MSMF_ENABLE_HW_TRANSFORMS", "0")
    missing = reasons.no_camera(index)
    if missing:
        raise Fault(missing)
    backend = {"linux": cv2.CAP_V4L2, "win32": cv2.CAP_MSMF}.get(sys.platform, cv2.CAP_ANY)
    capture = cv2.VideoCapture(index, backend)
    if not capture.isOpened() and rested(_ANOTHER_TRY, asked):
        capture = cv2.VideoCapture(index, backend)
    if not capture.isOpened():
        raise Fault(reasons.camera_busy(index))
    width, height = settings.width, settings.height
    if width or height:
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, width or (height or 0) * 16 // 9)
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, height or (width or 0) * 9 // 16)
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    failures = 0
    try:
        while failures < 5:
            if capture.grab():
                failures = 0
                yield Taken(time.monotonic(), lambda: _retrieved(capture))
            else:
                failures += 1
        raise Fault(reasons.no_camera(index) or f"{orders['title']} gives no pictures any more")
    finally:
        capture.release()


def _stream(
    url: str, settings: CameraSettings, orders: Mapping[str, Any], asked: threading.Event
) -> Iterator[Taken]:
    """Live pictures as they come; a clip that lies on a server is played at its own rate."""
    os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = _STREAM_OPTIONS + _STREAM_PROTOCOLS
    stall = orders["limits"]["stall"]
    limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, int(1000 * stall)]
    limits += [cv2.CAP_PROP_READ_TIMEOUT_MSEC, int(1000 * stall)]
    while True:
        capture = cv2.VideoCapture(url, cv2.CAP_FFMPEG, limits)
        if not capture.isOpened():
            raise Fault(reasons.no_stream(url))
        latest = time.monotonic()
        live = capture.get(cv2.CAP_PROP_FRAME_COUNT) <= 0
        for taken in _live(capture) if live else paced(_timed(capture), asked):
            latest = taken.time
            yield taken
        if time.monotonic() - latest > 0.9 * stall:
            raise Fault(f"no picture has come from {orders['title']} for {stall:.0f} s")
        if live:
            raise Fault(f"{orders['title']} has broken off")
        if asked.is_set() or not settings.loop:
            return


def _live(capture: Any) -> Iterator[Taken]:
    # a stream of JPEGs is decoded here: OpenCV would squeeze every later size into the first
    jpegs = int(capture.get(cv2.CAP_PROP_FOURCC)) == _MJPG and capture.set(cv2.CAP_PROP_FORMAT, -1)
    retrieved = _jpeg if jpegs else _retrieved
    try:
        while capture.grab():
            yield Taken(time.monotonic(), lambda: retrieved(capture))
    finally:
        capture.release()


def _clip(
    path: Path, settings: CameraSettings, outlet: Outlet, asked: threading.Event
) -> Iterator[Taken]:
    os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = _CLIP_PROTOCOLS
    reasons.check_file(path)

    def short(count: int, wanted: int) -> None:
        outlet.remark = f"; only {count} of its {wanted} pictures can be read"

    while True:
        pictures = 0
        for taken in paced(_clip_pictures(path, short), asked):
            pictures += 1
            yield taken
        if asked.is_set() or not settings.loop:
            return
        if not pictures:
            raise Fault(f"{named(path)} holds no pictures", final=True)
        reasons.check_file(path)


def _clip_pictures(
    path: Path, short: Callable[[int, int], None] = lambda count, wanted: None
) -> Iterator[tuple[float, Decode]]:
    """One run through a clip, as ``_timed``. ``short`` is told at the end how many pictures there
    were, and how many there should have been, where that is far more."""
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    if not capture.isOpened():
        raise Fault(
            f"{named(path)} cannot be played: it is damaged, or of a kind that is not known here",
            final=True,
        )
    wanted = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    count = 0
    for picture in _timed(capture):
        count += 1
        yield picture
    # other containers do not say how many they hold: OpenCV guesses it from their seconds
    counted = path.suffix.lower() in (".avi", ".mp4", ".m4v", ".mov")
    if counted and wanted - count > max(3, wanted / 50):
        short(count, wanted)


def _timed(capture: Any) -> Iterator[tuple[float, Decode]]:
    """Seconds since the clip's beginning, and how to decode, of each picture."""
    rate = capture.get(cv2.CAP_PROP_FPS)
    step = 1 / rate if 0.1 <= rate <= 1000 else 1 / 25
    at, before = 0.0, None
    try:
        while capture.grab():
            stamp = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
            if before is not None:
                # a clip's own times, unless they are damaged
                at += stamp - before if 0 < stamp - before < 10 else step
            before = stamp
            yield at, lambda: _retrieved(capture)
    finally:
        capture.release()


def _slides(path: Path, settings: CameraSettings, asked: threading.Event) -> Iterator[Taken]:
    """Pictures one after the other, those that cannot be read left out. One that is shown for long
    is given again, as a sign of life."""
    seconds = 1 / settings.rate if settings.rate else PICTURE_EVERY
    while True:
        shown = 0
        reason = "it has no pictures"
        for file in reasons.listed(path, PICTURES):
            try:
                pixels = read_picture(file, 3)
            except UnreadableImage as error:
                reason = str(error)
                continue
            shown += 1
            show, left = constant(_bgr(pixels)), seconds
            while left > 0:
                yield Taken(time.monotonic(), show)
                if not rested(min(left, PICTURE_EVERY), asked):
                    return
                left -= PICTURE_EVERY
        if not shown:
            raise Fault(f"{named(path)} cannot be shown: {reason}", final=True)
        if not settings.loop:
            return


def _bgr(pixels: Pixels) -> Pixels:
    return np.asarray(
        cv2.merge(list(pixels[::-1])), np.uint8
    )  # ten times as fast as copying by strides


def _retrieved(capture: Any) -> Pixels | None:
    good, pixels = capture.retrieve()
    return pixels if good else None


def _jpeg(capture: Any) -> Pixels | None:
    """A packet of a stream of JPEGs; None where it is damaged."""
    packet = _retrieved(capture)
    if packet is None or packet.size == 0:
        return None
    try:
        pixels = cv2.imdecode(packet, cv2.IMREAD_COLOR)
    except cv2.error:  # a picture that would take gigabytes
        return None
    return None if pixels is None else np.asarray(pixels, np.uint8)
