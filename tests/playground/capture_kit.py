"""What captures are tried on: a server of MJPEG, clips, and a look at what is left running."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from PIL import Image

from playground.capture import Camera, Limits, Microphone
from playground.vision import cv2

QUICK = Limits(opening=20, stall=1.5, silence=3, late=0.7, blank=0.5, mute=0.5, pauses=(0.1, 0.3))
"""Limits for tests: what takes ten seconds with a person takes one and a half here."""

BITS = 12


def numbered(number: int, height: int = 120, width: int = 160) -> Any:
    """A picture (H×W×3) that shows ``number`` in twelve stripes, dark or light."""
    bits = np.array([number >> bit & 1 for bit in range(BITS)], np.uint8)
    row = np.repeat(40 + 175 * bits, -(-width // BITS))[:width]
    return np.repeat(np.repeat(row[None, :, None], height, 0), 3, 2).astype(np.uint8)


def number_of(pixels: Any) -> int:
    """The number that a picture shows; the halves of a torn one differ."""
    middle = pixels.shape[1] / BITS
    columns = [int((bit + 0.5) * middle) for bit in range(BITS)]
    light = pixels[:, columns].mean(axis=2) > 127
    assert (light == light[0]).all(), "torn"
    return sum(int(bit) << place for place, bit in enumerate(light[0]))


def jpeg(pixels: Any) -> bytes:
    made = BytesIO()
    Image.fromarray(pixels).save(made, "JPEG", quality=90)
    return made.getvalue()


class MjpegServer:
    """A camera in the network: numbered pictures at ``rate`` a second. ``pull`` takes it away and
    ``give`` brings it back at the same address; while ``stalled`` it sends nothing."""

    def __init__(self, rate: float = 25.0, size: tuple[int, int] = (120, 160)) -> None:
        self.rate, self.size, self.stalled = rate, size, False
        self.sent = 0
        self.files = {"/page": b"<p>no camera</p>"}
        self._open = threading.Event()
        self._server: ThreadingHTTPServer | None = None
        self._port = 0
        self.give()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/live"

    def give(self) -> None:
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path == "/live":
                    owner._stream(self)
                elif self.path in owner.files:
                    kind = "text/html" if self.path == "/page" else "video/x-msvideo"
                    self.send_response(200)
                    self.send_header("Content-Type", kind)
                    self.send_header("Content-Length", str(len(owner.files[self.path])))
                    self.end_headers()
                    with contextlib.suppress(OSError):
                        self.wfile.write(owner.files[self.path])
                else:
                    self.send_error(404)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), Handler)
        self._server.daemon_threads = False
        self._port = self._server.server_address[1]
        self._open.set()
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def pull(self) -> None:
        assert self._server is not None
        self._open.clear()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self._server = None

    def close(self) -> None:
        if self._server is not None:
            self.pull()

    def __enter__(self) -> MjpegServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _stream(self, handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        handler.end_headers()
        handler.connection.settimeout(1)
        try:
            while self._open.is_set():
                time.sleep(1 / self.rate)
                if self.stalled:
                    continue
                self.sent += 1
                data = jpeg(numbered(self.sent % (1 << BITS), *self.size))
                head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n"
                handler.wfile.write(head.encode() + data + b"\r\n")
        except OSError:
            pass  # the camera was closed


def write_clip(path: Path, frames: int, rate: float = 25, height: int = 120) -> Path:
    """A clip of numbered pictures, 4 : 3."""
    width = height * 4 // 3
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), rate, (width, height))
    for number in range(1, frames + 1):
        writer.write(numbered(number, height, width))
    writer.release()
    return path


def until(condition: Callable[[], Any], seconds: float = 20) -> Any:
    """Wait for ``condition``; returns what it gave."""
    end = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < end, "it has not come to pass"
        time.sleep(0.01)


def state(device: Camera | Microphone, *states: str, seconds: float = 20) -> str:
    """Wait for one of ``states``; returns the status's message."""

    def reached() -> Any:
        status = device.status
        return status if status.state in states else None

    try:
        return str(until(reached, seconds).message)
    except AssertionError:
        raise AssertionError(f"{device.status} instead of {states}") from None


def children() -> list[psutil.Process]:
    """Capture processes of this one that still run."""
    found = []
    for process in psutil.Process().children(recursive=True):
        try:
            if "playground.capture.child" in process.cmdline():
                found.append(process)
        except psutil.Error:
            continue
    return found
