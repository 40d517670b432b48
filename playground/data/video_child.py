"""Decoding clips, in a process of its own: a damaged clip can crash or hang its decoder.

A question is a line of JSON on standard input: a path and how it is read. The answer is a line of
JSON on standard output, followed by the frames' bytes where there are any.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from typing import Any

MEMORY = 2 << 30
SEEK_FROM = 300
"""Frames to be left out from which on it pays to seek: decoders begin anew at a key frame."""

LARGEST_FRAME = 100_000_000


def main() -> None:
    _limit_memory()
    # nothing but files: a playlist in a clip's clothes must not open addresses of the network
    os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = "protocol_whitelist;file|threads;1"
    os.environ["OPENCV_LOG_LEVEL"] = "OFF"
    os.environ["OPENCV_FFMPEG_LOGLEVEL"] = "-8"
    from playground.vision import cv2

    cv2.setNumThreads(1)
    for line in sys.stdin.buffer:
        question = json.loads(line)
        _alarm(question.pop("seconds"))
        answer: dict[str, Any] = {}
        content = b""
        try:
            content = _frames(question.pop("path"), question)
            answer["bytes"] = len(content)
        except (ValueError, MemoryError, cv2.error) as error:
            answer["error"] = str(error) if type(error) is ValueError else "cannot be decoded"
        _alarm(0)
        sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n" + content)
        sys.stdout.buffer.flush()


def _frames(path: str, question: dict[str, Any]) -> bytes:
    """The frames T×C×H×W; raises ``ValueError`` with what is wrong with the clip."""
    from playground.data.video_reading import VideoReading
    from playground.vision import cv2

    reading = VideoReading.from_json(question)
    capture = cv2.VideoCapture(path, cv2.CAP_FFMPEG)
    try:
        if not capture.isOpened():
            raise ValueError("is not a video, or of a kind that is not known here")
        width, height = (int(capture.get(key)) for key in (3, 4))
        if width * height > LARGEST_FRAME:
            raise ValueError(f"has frames of {width}×{height} pixels, which are too large")
        claimed = int(min(max(capture.get(cv2.CAP_PROP_FRAME_COUNT), 0), 2**40))
        count = claimed or _counted(capture)
        found = _sampled(capture, reading, count)
        if isinstance(found, int):  # it ends earlier than it claims
            if 2 * found < claimed:
                raise ValueError(f"is cut off: it ends after {found:,} of {claimed:,} frames")
            count = found
            found = _sampled(capture, reading, count)
        if count == 1:
            raise ValueError("has one frame only: a clip needs two or more")
        if count < 1 or isinstance(found, int):
            raise ValueError("has no frames that can be decoded")
        return b"".join(found)
    finally:
        capture.release()


def _counted(capture: Any) -> int:
    count = 0
    while capture.grab():
        count += 1
    return count


def _sampled(capture: Any, reading: Any, count: int) -> list[bytes] | int:
    """The chosen frames of ``count``, or how many there were before the clip ended."""
    from playground.vision import cv2

    if count < 1:
        return 0
    _go_to(capture, 0)
    place, frames, last = 0, [], b""
    for index in reading.chosen(count).tolist():
        if index < place:  # the same frame once more
            frames.append(last)
            continue
        if index - place > SEEK_FROM and _go_to(capture, index):
            place = index
        while place <= index:
            if not capture.grab():
                return place
            place += 1
        good, picture = capture.retrieve()
        if not good:
            return place - 1
        last = _fitted(picture, reading, cv2)
        frames.append(last)
    return frames


def _go_to(capture: Any, index: int) -> bool:
    return bool(capture.set(1, index)) and round(capture.get(1)) == index


def _fitted(picture: Any, reading: Any, cv2: Any) -> bytes:
    """C×H×W bytes."""
    from playground.vision import fitted

    code = cv2.COLOR_BGR2GRAY if reading.channels == 1 else cv2.COLOR_BGR2RGB
    pixels = cv2.cvtColor(picture, code).reshape(*picture.shape[:2], reading.channels)
    pixels = fitted(pixels, (reading.height, reading.width), reading.fit)
    return bytes(pixels.transpose(2, 0, 1).tobytes())


def _limit_memory() -> None:
    """No clip may take the machine's memory; not every system knows such limits."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))


def _alarm(seconds: float) -> None:
    """End this process should a decoder hang while nobody is left to kill it."""
    with contextlib.suppress(ImportError, AttributeError):
        import signal

        signal.setitimer(signal.ITIMER_REAL, seconds)


if __name__ == "__main__":
    main()
