"""A detector that was trained here, on pictures of any size."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from models.parameters import Values, checked
from playground.answers import Boxes
from playground.data.reading import ImageReading
from playground.detection.geometry import Array
from playground.detection.parameters import TRAINED
from playground.live.errors import LiveError
from playground.tasks.detection import found, in_words
from playground.vision import Pixels, part_seen

if TYPE_CHECKING:
    from playground.model import Model


class Trained:
    """Finds what ``model`` was trained to find; the model belongs to this object from now on.
    Raises ``LiveError`` for a model of something else."""

    parameters = TRAINED

    def __init__(self, model: Model) -> None:
        columns = list(model.dataset.inputs.values())
        reading = columns[0].reading
        if model.task.id != "detection" or len(columns) != 1:
            raise LiveError("this model finds no objects: choose a run of the task Detection")
        if not isinstance(reading, ImageReading):
            raise LiveError("this model takes no pictures: it cannot be given a camera's")
        self._model, self._name, self._reading = model, columns[0].name, reading
        self._output, target = next(iter(model.wires.outputs.items()))
        self._column = model.dataset.targets[target]

    def detect(self, pixels: Pixels, settings: Values | None = None) -> Boxes:
        """The objects in an H×W×3 picture (RGB, 0…255), the surest first. ``settings`` may differ
        from call to call; raises ``ParameterError``."""
        values = checked(TRAINED, settings or {})
        raw = {self._name: self._reading.from_array(pixels)[None]}
        (maps,) = self._model.outputs(self._model.prepared(raw))[self._output]
        boxes, scores, labels = found(maps, values["score"], values["overlap"])
        boxes, inside = in_frame(boxes, pixels.shape[:2], self._reading)
        chosen = np.flatnonzero(inside)[: values["most"]]
        answer = in_words(boxes[chosen], scores[chosen], labels[chosen], self._column)
        return replace(answer, size=pixels.shape[:2])


def in_frame(boxes: Array, frame: tuple[int, int], reading: ImageReading) -> tuple[Array, Array]:
    """Boxes (n, 4), which are in shares of what ``reading`` makes of a frame (rows, columns), in
    pixels of the frame, and which of them (n,) lie in it at all, not in borders that were added."""
    left, top, right, bottom = part_seen(frame, (reading.height, reading.width), reading.fit)
    sides = np.asarray([right - left, bottom - top] * 2)
    rows, columns = frame
    shares = (np.asarray([left, top] * 2) + boxes * sides).clip(0, 1)
    return shares * [columns, rows, columns, rows], (shares[:, 2:] > shares[:, :2]).all(axis=1)
