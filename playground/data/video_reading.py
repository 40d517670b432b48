"""From a clip of one's own to the frames that a network is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from playground.data.errors import DataError
from playground.data.reading import Named

SUFFIXES = (".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".gif", ".mpg", ".mpeg", ".wmv")
MOST_FRAMES = 1024
MOST_STRIDE = 1000

FITS = ("crop", "pad", "stretch")
SAMPLINGS = ("evenly", "start", "middle")


@dataclass(frozen=True, slots=True)
class VideoReading:
    """A clip as T×C×H×W bytes.

    ``sampling`` chooses the frames: ``evenly`` from the first to the last, or every ``stride``-th
    from the ``start`` or about the ``middle`` of the clip. A clip with too few frames repeats some
    of them; the last one where there is a stride.
    """

    frames: int
    channels: int
    height: int
    width: int
    fit: str = "crop"
    sampling: str = "evenly"
    stride: int = 1
    kind: ClassVar[str] = "video"

    def read(self, text: str) -> list[Named]:
        from playground.data.video_decoder import Decoders

        if not text.strip() or "\0" in text:
            raise DataError("a clip is needed: give the path of a video file")
        with Decoders(1) as decoders:
            return [(text, decoders.read(Path(text), self))]

    def chosen(self, count: int) -> npt.NDArray[np.int64]:
        """Which of a clip's ``count`` frames are taken (T,), in ascending order."""
        if self.sampling == "evenly":
            return np.linspace(0, count - 1, self.frames).round().astype(np.int64)
        span = (self.frames - 1) * self.stride + 1
        begin = max(0, (count - span) // 2) if self.sampling == "middle" else 0
        return np.minimum(begin + self.stride * np.arange(self.frames), count - 1)

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, **asdict(self)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> VideoReading:
        numbers = [data[key] for key in ("frames", "channels", "height", "width", "stride")]
        if any(isinstance(n, bool) or not isinstance(n, int) or n < 1 for n in numbers):
            raise ValueError("the frames, sizes and stride of a clip are positive numbers")
        frames, channels, height, width, stride = numbers
        if frames > MOST_FRAMES or channels not in (1, 3) or max(height, width) > 4096:
            raise ValueError("a clip has at most 1,024 frames of 4096×4096, grey or in colour")
        if stride > MOST_STRIDE:
            raise ValueError(f"the stride of a clip is at most {MOST_STRIDE:,} frames")
        if data["fit"] not in FITS or data["sampling"] not in SAMPLINGS:
            raise ValueError(f"the fit is one of {FITS}, the sampling one of {SAMPLINGS}")
        return cls(frames, channels, height, width, data["fit"], data["sampling"], stride)
