"""Scattered shapes: pictures of several simple shapes, each with the box around it.

Ground and shapes have colours of their own, lighter or darker, so that neither brightness nor
colour says where or what a shape is. Shapes do not cover each other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.axes import image
from models.parameters import Parameter
from playground.data.box_columns import boxes_column
from playground.data.dataset import Column, Dataset, Indices
from playground.data.generated import common
from playground.data.generated.common import Array, Pixels, grain
from playground.data.generated.outlines import EXTENTS, OUTLINES, coverage
from playground.data.reading import ImageReading
from playground.data.settings import SplitSettings
from playground.data.source import Options, Place, Progress, Source
from playground.data.splits import split

Floats = npt.NDArray[np.float32]

EMPTY = 0.08
"""The share of pictures without a shape."""
_TRIES = 12
"""Places that are tried for a shape before it is left out."""
_APART = 0.25
"""The least difference of a shape's colour from the ground's, in each channel."""
_AT_ONCE = 256


@dataclass(frozen=True, slots=True, eq=False)
class Scenes:
    """What each picture shows: up to K shapes with their kind, centre (x, y) and radius in pixels
    (a radius of 0: no shape), and their colour and the ground's (0…1)."""

    size: int
    noise: float
    seed: int
    kinds: Indices
    centre: Floats
    radius: Floats
    colour: Floats
    ground: Floats

    def draw(self, indices: Indices) -> Pixels:
        """Pictures (N, C, H, W) of 0…255."""
        parts = [indices[at : at + _AT_ONCE] for at in range(0, len(indices), _AT_ONCE)]
        result = np.empty((len(indices), self.ground.shape[1], self.size, self.size), np.uint8)
        for number, part in enumerate(parts):
            result[number * _AT_ONCE :][: len(part)] = self._drawn(part)
        return result

    def _drawn(self, chosen: Indices) -> Pixels:
        pixel = np.arange(self.size, dtype=np.float32) + np.float32(0.5)
        shape = (len(chosen), self.ground.shape[1], self.size, self.size)
        picture = np.broadcast_to(self.ground[chosen][:, :, None, None], shape).copy()
        for number in range(self.kinds.shape[1]):
            there = np.flatnonzero(self.radius[chosen, number])
            some = chosen[there]
            x, y = (pixel - self.centre[some, number, axis, None] for axis in (0, 1))
            radius = self.radius[some, number][:, None, None]
            covered = coverage(self.kinds[some, number], x[:, None, :], y[:, :, None], radius)
            colour = self.colour[some, number][:, :, None, None]
            below = picture[there]
            picture[there] = below + covered[:, None] * (colour - below)
        if self.noise:
            grey = (1, self.size, self.size)  # the same in all channels, and a third of the time
            picture += np.float32(self.noise) * grain(self.seed, chosen, grey)
        return (picture * 255).round().clip(0, 255).astype(np.uint8)

    def boxes(self) -> list[Floats]:
        """Each picture's boxes (n, 5) in shares of it, with the kind."""
        corners = np.concatenate([self.centre, self.centre], -1)
        corners = (corners + EXTENTS[self.kinds] * self.radius[..., None]) / self.size
        rows = np.concatenate([corners, self.kinds[..., None]], -1).astype(np.float32)
        return [each[there] for each, there in zip(rows, self.radius > 0, strict=True)]


def scattered_shapes(
    count: int, seed: int, *, size: int, classes: int, shapes: int, channels: int, noise: float
) -> Scenes:
    """``count`` pictures with up to ``shapes`` shapes each, some with none."""
    random = np.random.default_rng(seed)
    radius = random.uniform(0.08, 0.2, (count, shapes)) * size
    shown = random.integers(1, shapes + 1, count) * (random.uniform(0, 1, count) >= EMPTY)
    radius[np.arange(shapes) >= shown[:, None]] = 0
    centre = np.zeros((count, shapes, 2))
    for number in range(shapes):
        _place(random, centre, radius, number, size)
    ground = random.uniform(0, 1, (count, 1, channels))
    # round the range, so that as many shapes are lighter as are darker
    colour = (ground + random.uniform(_APART, 1 - _APART, (count, shapes, channels))) % 1
    return Scenes(
        size,
        noise,
        seed,
        random.integers(0, classes, (count, shapes)),
        centre.astype(np.float32),
        radius.astype(np.float32),
        colour.astype(np.float32),
        ground[:, 0].astype(np.float32),
    )


def _place(
    random: np.random.Generator, centre: Array, radius: Array, number: int, size: int
) -> None:
    """Put the shape ``number`` of each picture where it covers none of those before it; its radius
    becomes 0 where there is no room."""
    room = 1.2 * radius[:, number]
    open_ = np.ones(len(radius), bool)
    for _ in range(_TRIES):
        at = room[:, None] + random.uniform(0, 1, (len(radius), 2)) * (size - 2 * room[:, None])
        gaps = np.linalg.norm(centre[:, :number] - at[:, None], axis=-1)
        reach = 1.2 * (radius[:, :number] + radius[:, number, None])
        free = ((gaps > reach) | (radius[:, :number] == 0)).all(axis=1) & open_
        centre[free, number] = at[free]
        open_ &= ~free
    radius[open_, number] = 0


def _open(options: Options, place: Place, settings: SplitSettings, progress: Progress) -> Dataset:
    count, size = options["samples"], options["size"]
    classes, channels = tuple(OUTLINES)[: options["classes"]], 3 if options["colour"] else 1
    progress("Drawing the pictures", None)
    scenes = scattered_shapes(
        count,
        options["seed"],
        size=size,
        classes=len(classes),
        shapes=options["shapes"],
        channels=channels,
        noise=options["noise"],
    )
    values = common.values(count, scenes.draw, np.uint8)
    splits = split(count, settings)
    target = boxes_column(scenes.boxes(), classes, (size, size))
    return Dataset(
        name="Scattered shapes",
        summary=f"{count:,} images · {size}×{size} {'colour' if channels == 3 else 'grey'} · "
        f"{int((scenes.radius > 0).sum()):,} boxes of {len(classes)} classes",
        inputs={
            "image": Column(
                "image",
                image(channels, size, size),
                values,
                common.scaled_pixels(values, splits["train"]),
                reading=ImageReading(channels, size, size, "pad"),
            )
        },
        targets={target.name: target},
        splits=splits,
        task="detection",
    )


SOURCE = Source(
    id="scattered-shapes",
    name="Scattered shapes",
    icon="image",
    summary="Pictures with several shapes to be found, each with the box around it.",
    open=_open,
    family="generated",
    readings=(ImageReading,),
    parameters=(
        common.samples(2000),
        common.size(64),
        Parameter(
            "classes",
            "Kinds",
            "int",
            3,
            f"How many kinds of shapes: {', '.join(OUTLINES)}.",
            minimum=1,
            maximum=len(OUTLINES),
        ),
        Parameter(
            "shapes",
            "Shapes",
            "int",
            4,
            "At most so many in a picture; some pictures have none.",
            minimum=1,
            maximum=20,
        ),
        Parameter("colour", "Colour", "bool", True, "Colours at random instead of greys."),
        common.noise("The deviation of grain in the pixels, as a share of white.", 0.05),
        common.SEED,
    ),
)
