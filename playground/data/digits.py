"""Handwritten digits: 5,000 pictures of MNIST (LeCun et al. 1998), bundled."""

from __future__ import annotations

import numpy as np

from models.axes import image, vector
from playground.data.dataset import Column, Dataset
from playground.data.errors import DataError
from playground.data.reading import ImageReading
from playground.data.settings import SplitSettings
from playground.data.source import Options, Place, Progress, Source
from playground.data.splits import split
from playground.preprocessing import Preprocessing, Scale, standardized
from playground.resources import SAMPLES

FILE = SAMPLES / "digits" / "mnist_5k.npz"


def _open(options: Options, place: Place, settings: SplitSettings, progress: Progress) -> Dataset:
    try:
        with np.load(FILE, allow_pickle=False) as file:
            images, labels = file["images"][:, None], file["labels"]
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f"the bundled digits cannot be read ({error}): install again") from None
    splits = split(len(labels), settings, labels)
    scale = Scale(255.0)
    fitted = standardized(images[splits["train"]] / np.float32(255), axis=-3)
    return Dataset(
        name="MNIST sample",
        summary="5,000 images · 28×28 grey · 10 classes",
        inputs={
            "image": Column(
                "image",
                image(1, 28, 28),
                images,
                Preprocessing((scale, fitted)),
                reading=ImageReading(1, 28, 28, fit="pad", digit=True),
            )
        },
        targets={
            "label": Column(
                "label", vector(1), labels.astype(np.int64), classes=tuple("0123456789")
            )
        },
        splits=splits,
        task="classification",
    )


SOURCE = Source(
    id="digits",
    name="Handwritten digits",
    icon="digits",
    summary="5,000 bundled pictures of the digits 0 to 9, 28×28 pixels.",
    open=_open,
    family="bundled",
    readings=(ImageReading,),
)
