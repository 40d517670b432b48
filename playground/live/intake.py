"""From what a device captures to what a model is asked about."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from models.axes import Kind
from playground.capture import Camera, CameraSettings, Microphone
from playground.data.dataset import Column, Dataset
from playground.data.reading import ImageReading
from playground.data.sound_reading import SoundReading
from playground.data.video_reading import VideoReading
from playground.live.errors import LiveError
from playground.messages import Array
from playground.vision import cut_out, fitted, from_array, part_seen

if TYPE_CHECKING:
    from playground.model import Model

DIGIT_FRAME = 192, 192
"""What a frame is made smaller to, at most, before a written digit is looked for in it."""

GAP = 2.0
"""Seconds without a frame after which what came before is forgotten."""


def input_of(model: Model) -> Column:
    """The one input of a model that can be run live; raises ``LiveError``."""
    return live_input(model.dataset)


def live_input(dataset: Dataset) -> Column:
    """The one input of data whose models can be run live; raises ``LiveError``."""
    if len(dataset.inputs) != 1:
        names = ", ".join(dataset.inputs)
        raise LiveError(
            f"this model has several inputs ({names}), and a live source gives one: ask it in the "
            "window"
        )
    (column,) = dataset.inputs.values()
    if isinstance(column.reading, (ImageReading, VideoReading, SoundReading)):
        return column
    raise LiveError(
        f"this model takes {_named(column)}, which neither a camera nor a microphone gives: "
        "run one that was trained on pictures, clips or sounds"
    )


def device_for(
    model: Model, source: str, camera: CameraSettings | None = None
) -> Camera | Microphone:
    """A camera, or for a model of sound a microphone, that is not started yet; raises
    ``LiveError``, or ``ValueError`` for an address that can mean nothing. Without an address it is
    the first device of its kind."""
    reading = input_of(model).reading
    if isinstance(reading, SoundReading):
        return Microphone(source or "default", reading.rate)
    return Camera(source or "0", camera)


def check(model: Model, device: Camera | Microphone) -> None:
    """Raises ``LiveError`` where the device does not give what the model takes."""
    reading = input_of(model).reading
    if isinstance(reading, SoundReading) != isinstance(device, Microphone):
        if isinstance(device, Camera):
            raise LiveError(
                "this model takes sound, which a camera does not give: choose a microphone"
            )
        raise LiveError(
            "this model takes pictures, which a microphone does not give: choose a camera"
        )
    if isinstance(reading, SoundReading) and isinstance(device, Microphone):
        _check_rate(reading, device)


def _check_rate(reading: SoundReading, microphone: Microphone) -> None:
    if microphone.rate != reading.rate:
        raise LiveError(
            f"this model takes sound at {reading.rate:,} samples a second, and the microphone was "
            f"opened at {microphone.rate:,}: open it anew"
        )
    if reading.seconds > 60:
        raise LiveError(
            f"this model listens to {reading.seconds:.0f} s at a time, and a microphone keeps 60 s"
        )


def _named(column: Column) -> str:
    if column.shape.kind is Kind.TOKENS:
        return "text"
    return f"{column.name} ({column.shape.described()})"


def part_taken(column: Column, size: tuple[int, int]) -> tuple[float, float, float, float] | None:
    """Which part of a frame (height, width) such an input takes, as ``vision.part_seen`` has it;
    None for sounds, and for digits, which are looked for in all of it."""
    reading = column.reading
    if not isinstance(reading, (ImageReading, VideoReading)) or getattr(reading, "digit", False):
        return None
    return part_seen(size, (reading.height, reading.width), reading.fit)


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Raw values of one question, (1, …) by the input's name, with when it was captured, and the
    frame (H×W×3) where it is a camera's."""

    number: int
    raw: dict[str, Array]
    time: float
    pixels: Array | None = None


class Pictures:
    """Frames as the model was trained on them: each by itself, or, for a model of clips, the last
    T in a window (``window``) or one at a time (1, 1, C, H, W) for a carried state."""

    def __init__(self, column: Column, *, window: bool) -> None:
        reading = column.reading
        assert isinstance(reading, (ImageReading, VideoReading))
        self._name, self._reading = column.name, reading
        steps = reading.frames if isinstance(reading, VideoReading) else 0
        self._window: deque[Array] | None = deque(maxlen=steps) if window and steps else None
        self._time = 0.0

    def taken(self, pixels: Array, time: float) -> dict[str, Array]:
        """The raw batch of one that a frame (H×W×3) captured at ``time`` makes. A window that is
        not full yet begins with its first frame again."""
        reading = self._reading
        if isinstance(reading, ImageReading):
            if reading.digit:  # its strokes are looked for in the whole frame
                pixels = fitted(pixels, DIGIT_FRAME, "within")
                return {self._name: reading.from_array(pixels)[None]}
            return {self._name: self._fitted(pixels)[None]}
        values = self._fitted(pixels)
        if self._window is None:
            return {self._name: values[None, None]}
        if time - self._time > GAP:
            self._window.clear()
        self._time = time
        while len(self._window) < reading.frames - 1:
            self._window.append(values)
        self._window.append(values)
        return {self._name: _stacked(self._window)}

    def _fitted(self, pixels: Array) -> Array:
        """C×H×W of the size that the model takes."""
        reading = self._reading
        size = reading.height, reading.width
        if reading.fit == "middle" and reading.channels == 3 and pixels.dtype == np.uint8:
            return _bicubic(cut_out(pixels, size, "middle"), size)
        return from_array(pixels, reading.channels, size, reading.fit)


def _bicubic(pixels: Array, size: tuple[int, int]) -> Array:
    """H×W×3 as 3×H×W of ``size``: what ``vision.fitted`` makes of it, to a step of 255 in one
    value of a hundred, in a sixth of the time, which a camera takes thirty times a second."""
    import torch
    from torch.nn.functional import interpolate

    values = torch.from_numpy(np.ascontiguousarray(pixels)).permute(2, 0, 1)[None]
    fitted = interpolate(values, size, mode="bicubic", antialias=True)
    return np.ascontiguousarray(fitted[0].numpy())


def _stacked(frames: deque[Array]) -> Array:
    return np.stack(frames)[None]
