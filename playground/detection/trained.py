"""A detector that was trained here, on pictures of any size."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from models.parameters import Values, checked
from playground.answers import Boxes
from playground.data.dataset import Column
from playground.data.reading import ImageReading
from playground.detection.geometry import corners
from playground.detection.parameters import TRAINED
from playground.live.errors import LiveError
from playground.messages import Array
from playground.tasks.detection import MOST, found, in_words
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
        self.model, self._name, self._reading = model, columns[0].name, reading
        self._output, target = next(iter(model.wires.outputs.items()))
        self._column = model.dataset.targets[target]

    def detect(self, pixels: Pixels, settings: Values | None = None) -> Boxes:
        """The objects in an H×W×3 picture (RGB, 0…255), the surest first. ``settings`` may differ
        from call to call; raises ``ParameterError``."""
        values = checked(TRAINED, settings or {})
        raw = {self._name: self._reading.from_array(pixels)[None]}
        (maps,) = self.model.outputs(self.model.prepared(raw))[self._output]
        answer = worded(maps, self._column, values)
        return on_frame(answer, pixels.shape[:2], self._reading)


def worded(maps: Array, column: Column, values: Values) -> Boxes:
    """The objects in maps (K + 4, h, w), in pixels of what the network was given, the surest
    first; ``values`` are those of ``TRAINED``."""
    most = max(values["most"], MOST)  # of which those that overlap are left out
    boxes, scores, labels = found(maps, values["score"], values["overlap"], most)
    height, width = column.frame
    answer = in_words(boxes * [width, height, width, height], scores, labels, column)
    return replace(answer, boxes=answer.boxes[: values["most"]])


def on_frame(found: Boxes, frame: tuple[int, int], reading: ImageReading) -> Boxes:
    """Boxes in what ``reading`` made of a frame (rows, columns), in pixels of the frame itself;
    those that lie in borders that were added are left out."""
    left, top, right, bottom = part_seen(frame, (reading.height, reading.width), reading.fit)
    height, width = found.size
    start = np.asarray([left, top] * 2)
    scale = np.asarray([(right - left) / width, (bottom - top) / height] * 2)
    kept = []
    for box in found.boxes:
        shares = (start + box.box * scale).clip(0, 1)
        if (shares[2:] > shares[:2]).all():
            kept.append(replace(box, box=corners(shares * [*frame[::-1], *frame[::-1]])))
    return Boxes(tuple(kept), frame)
