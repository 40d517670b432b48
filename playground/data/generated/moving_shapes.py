"""Moving shapes: short clips in which everything moves one way, and the way is the class.

Made after Moving MNIST (Srivastava et al. 2015), on a torus: what leaves at one side comes in at
the other. Where a shape begins is uniform, so in every single frame it is anywhere with the same
probability, whatever the class: one frame says nothing about the motion.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.axes import vector, video
from models.parameters import Parameter
from playground.data.dataset import Column, Dataset, Indices
from playground.data.errors import DataError
from playground.data.generated import common
from playground.data.generated.common import Pixels, even_labels, grain
from playground.data.generated.outlines import OUTLINES, coverage
from playground.data.settings import SplitSettings
from playground.data.source import Options, Place, Progress, Source
from playground.data.splits import split
from playground.data.video_reading import VideoReading

Floats = npt.NDArray[np.float32]

COMPASS = ("right", "up right", "up", "up left", "left", "down left", "down", "down right")
_AT_ONCE = 256


@dataclass(frozen=True, slots=True, eq=False)
class Clips:
    """What each clip shows: its class, and for each of its K shapes the kind, where it begins
    (x, y), its radius and its colour (0…1). ``velocity`` (N, 2) is in pixels a frame."""

    frames: int
    size: int
    noise: float
    seed: int
    labels: Indices
    velocity: Floats
    kinds: npt.NDArray[np.int64]
    begin: Floats
    radius: Floats
    colour: Floats

    def draw(self, indices: Indices) -> Pixels:
        """Clips (N, T, C, H, W) of 0…255."""
        parts = [indices[at : at + _AT_ONCE] for at in range(0, len(indices), _AT_ONCE)]
        result = np.empty((len(indices), *self.shape), np.uint8)
        for number, part in enumerate(parts):
            result[number * _AT_ONCE :][: len(part)] = self._drawn(part)
        return result

    @property
    def shape(self) -> tuple[int, int, int, int]:
        return self.frames, self.colour.shape[-1], self.size, self.size

    def _drawn(self, chosen: Indices) -> Pixels:
        side = np.float32(self.size)
        time = np.arange(self.frames, dtype=np.float32)
        pixel = np.arange(self.size, dtype=np.float32) + np.float32(0.5)
        picture = np.zeros((len(chosen), *self.shape), np.float32)
        for shape in range(self.kinds.shape[1]):
            travelled = self.velocity[chosen, None] * time[:, None]
            centre = (self.begin[chosen, shape, None] + travelled) % side  # (N, T, 2)
            # the nearest way round the torus
            x, y = (
                (pixel - centre[..., axis, None] + side / 2) % side - side / 2 for axis in (0, 1)
            )
            radius = self.radius[chosen, shape][:, None, None, None]
            kinds = self.kinds[chosen, shape]
            covered = coverage(kinds, x[:, :, None, :], y[:, :, :, None], radius)
            colour = self.colour[chosen, shape][:, None, :, None, None]
            np.maximum(picture, covered[:, :, None] * colour, out=picture)
        if self.noise:
            picture += np.float32(self.noise) * grain(self.seed, chosen, self.shape)
        return (picture * 255).round().clip(0, 255).astype(np.uint8)


def moving_shapes(
    count: int,
    seed: int,
    *,
    frames: int = 8,
    size: int = 32,
    speed: float = 2.0,
    shapes: int = 1,
    directions: int = 4,
    channels: int = 1,
    noise: float = 0.0,
) -> Clips:
    """``count`` clips. Every clip has its own speed, from a half to one and a half of ``speed``
    (pixels a frame). Raises ``DataError`` where the motion would be ambiguous."""
    if 1.5 * speed >= size / 2:
        raise DataError(
            f"a speed of {speed:g} pixels a frame is too fast for pictures of {size}: beyond a "
            f"third of the size a motion looks like the opposite one; lower it to {size / 4:g}"
        )
    random = np.random.default_rng(seed)
    labels = even_labels(random, count, directions)
    angle = labels * (2 * np.pi / directions)
    pace = speed * random.uniform(0.5, 1.5, count)
    velocity = np.stack([np.cos(angle) * pace, -np.sin(angle) * pace], axis=1)
    colour = random.uniform(0.4, 1.0, (count, shapes, channels))
    radius = random.uniform(0.11, 0.2, (count, shapes)) * size
    return Clips(
        frames,
        size,
        noise,
        seed,
        labels,
        velocity.astype(np.float32),
        random.integers(0, len(OUTLINES), (count, shapes)),
        random.uniform(0, size, (count, shapes, 2)).astype(np.float32),
        radius.astype(np.float32),
        colour.astype(np.float32),
    )


def _open(options: Options, place: Place, settings: SplitSettings, progress: Progress) -> Dataset:
    count, frames, size = options["samples"], options["frames"], options["size"]
    directions, channels = options["directions"], 3 if options["colour"] else 1
    progress("Drawing the clips", None)
    clips = moving_shapes(
        count,
        options["seed"],
        frames=frames,
        size=size,
        speed=options["speed"],
        shapes=options["shapes"],
        directions=directions,
        channels=channels,
        noise=options["noise"],
    )
    values = common.values(count, clips.draw, np.uint8)
    splits = split(count, settings, clips.labels)
    colours = "grey" if channels == 1 else "colour"
    return Dataset(
        name="Moving shapes",
        summary=f"{count:,} clips · {frames} frames of {size}×{size} {colours} · "
        f"{directions} directions",
        inputs={
            "clip": Column(
                "clip",
                video(*clips.shape),
                values,
                common.scaled_pixels(values, splits["train"]),
                reading=VideoReading(*clips.shape),
            )
        },
        targets={
            "direction": Column(
                "direction", vector(1), clips.labels, classes=COMPASS[:: 8 // directions]
            )
        },
        splits=splits,
        task="classification",
    )


SOURCE = Source(
    id="moving-shapes",
    name="Moving shapes",
    icon="film",
    summary="Clips to be told apart by the direction of motion: a single frame says nothing.",
    open=_open,
    family="generated",
    readings=(VideoReading,),
    parameters=(
        common.samples(2000),
        Parameter(
            "frames",
            "Frames",
            "int",
            8,
            "Frames in a clip. In a single one there is no motion to be seen.",
            minimum=1,
            maximum=256,
        ),
        common.size(32),
        Parameter(
            "directions",
            "Directions",
            "choice",
            4,
            "The classes: ways to move.",
            choices=((2, "2"), (4, "4"), (8, "8")),
        ),
        Parameter(
            "speed",
            "Speed",
            "float",
            2.0,
            "Pixels from one frame to the next; every clip has its own, from a half to one and a "
            "half of this.",
            minimum=0.1,
            maximum=80,
            unit="px a frame",
        ),
        Parameter(
            "shapes",
            "Shapes",
            "int",
            1,
            "How many things move at once, all of them one way.",
            minimum=1,
            maximum=10,
        ),
        Parameter("colour", "Colour", "bool", False, "Colours at random instead of greys."),
        common.noise("The deviation of grain in the pixels, as a share of white."),
        common.SEED,
    ),
)
