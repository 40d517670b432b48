"""Noisy shapes: pictures of simple shapes, with grain in the pixels and mistakes in the labels.

Mistakes are made in the training and validation labels alone, evenly over the other classes
(symmetric label noise, as in Zhang et al. 2017): the test split is judged by the truth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.axes import image, vector
from models.parameters import Parameter
from playground.data.dataset import Column, Dataset, Indices
from playground.data.generated import common
from playground.data.generated.common import Pixels, even_labels, grain
from playground.data.generated.outlines import OUTLINES, coverage
from playground.data.reading import ImageReading
from playground.data.settings import SplitSettings
from playground.data.source import Options, Place, Progress, Source
from playground.data.splits import split

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Pictures:
    """What each picture shows: its class, where (x, y), how large, turned how far, how bright."""

    size: int
    noise: float
    seed: int
    labels: Indices
    centre: Floats
    radius: Floats
    angle: Floats
    brightness: Floats

    def draw(self, chosen: Indices) -> Pixels:
        """Pictures (N, 1, H, W) of 0…255."""
        pixel = np.arange(self.size, dtype=np.float32) + np.float32(0.5)
        x = (pixel - self.centre[chosen, :1])[:, None, :]
        y = (pixel - self.centre[chosen, 1:])[:, :, None]
        cosine, sine = (f(self.angle[chosen])[:, None, None] for f in (np.cos, np.sin))
        radius = self.radius[chosen][:, None, None]
        turned = coverage(self.labels[chosen], cosine * x + sine * y, cosine * y - sine * x, radius)
        picture = turned * self.brightness[chosen][:, None, None]
        if self.noise:
            picture += np.float32(self.noise) * grain(self.seed, chosen, picture.shape[1:])
        return (picture[:, None] * 255).round().clip(0, 255).astype(np.uint8)


def noisy_shapes(count: int, seed: int, *, size: int, classes: int, noise: float) -> Pictures:
    """``count`` pictures, a shape in each: circle, square, triangle, cross, ring."""
    random = np.random.default_rng(seed)
    radius = random.uniform(0.18, 0.32, count) * size
    centre = random.uniform(0, 1, (count, 2)) * (size - 2 * radius[:, None]) + radius[:, None]
    return Pictures(
        size,
        noise,
        seed,
        even_labels(random, count, classes),
        centre.astype(np.float32),
        radius.astype(np.float32),
        random.uniform(-np.pi, np.pi, count).astype(np.float32),
        random.uniform(0.5, 1.0, count).astype(np.float32),
    )


def mistaken(labels: Indices, places: Indices, share: float, classes: int, seed: int) -> Indices:
    """``labels`` with a ``share`` of those at ``places`` replaced by another class."""
    random = np.random.default_rng((seed, 2))
    wrong = random.permutation(places)[: round(share * len(places))]
    result = labels.copy()
    result[wrong] = (labels[wrong] + random.integers(1, classes, len(wrong))) % classes
    return result


def _open(options: Options, place: Place, settings: SplitSettings, progress: Progress) -> Dataset:
    count, size, seed = options["samples"], options["size"], options["seed"]
    classes = tuple(OUTLINES)[: options["classes"]]
    progress("Drawing the pictures", None)
    pictures = noisy_shapes(count, seed, size=size, classes=len(classes), noise=options["noise"])
    values = common.values(count, pictures.draw, np.uint8)
    splits = split(count, settings, pictures.labels)
    learnt = np.concatenate([splits["train"], splits["validation"]])
    labels = mistaken(pictures.labels, learnt, options["mistakes"], len(classes), seed)
    wrong = int((labels != pictures.labels).sum())
    notes = (
        f"{wrong:,} of {len(learnt):,} training and validation labels are wrong on purpose; those "
        "of the test split are right.",
    )
    return Dataset(
        name="Noisy shapes",
        summary=f"{count:,} images · {size}×{size} grey · {len(classes)} classes",
        inputs={
            "image": Column(
                "image",
                image(1, size, size),
                values,
                common.scaled_pixels(values, splits["train"]),
                reading=ImageReading(1, size, size),
            )
        },
        targets={"shape": Column("shape", vector(1), labels, classes=classes)},
        splits=splits,
        task="classification",
        notes=notes if wrong else (),
    )


SOURCE = Source(
    id="noisy-shapes",
    name="Noisy shapes",
    icon="image",
    summary="Pictures of circles, squares, triangles and more, with grain and wrong labels.",
    open=_open,
    family="generated",
    readings=(ImageReading,),
    parameters=(
        common.samples(2000),
        common.size(32),
        Parameter(
            "classes",
            "Shapes",
            "int",
            4,
            f"How many kinds: {', '.join(OUTLINES)}.",
            minimum=2,
            maximum=len(OUTLINES),
        ),
        common.noise("The deviation of grain in the pixels, as a share of white.", 0.2),
        Parameter(
            "mistakes",
            "Wrong labels",
            "float",
            0.1,
            "The share of training and validation labels that are wrong.",
            minimum=0,
            maximum=0.9,
        ),
        common.SEED,
    ),
)
