"""A model's answers to a whole split of the data."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace

import numpy as np
import torch

from playground.data.dataset import Column, Dataset
from playground.data.text_reading import TextReading
from playground.messages import Array, Evaluation
from playground.model import Model, ModelError
from playground.training.feed import read_good
from playground.training.scores import Scores

SLICE = 128


def evaluate(model: Model, dataset: Dataset, split: str = "test") -> Evaluation:
    """Metrics and answers on a split; raises ``ModelError``."""
    steps = evaluation(model, dataset, split)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]


def evaluation(
    model: Model, dataset: Dataset, split: str
) -> Generator[tuple[int, int], None, Evaluation]:
    """The same in slices, each yielding how many samples are done of how many."""
    indices = dataset.splits.get(split)
    if indices is None or not len(indices):
        raise ModelError(f"the data have no {split} samples: change the split")
    _check_same(model, dataset)
    dataset = _as_fitted(model, dataset)
    name, column_name = next(iter(model.wires.outputs.items()))
    column = dataset.targets[column_name]
    scores = Scores(model.task, model.options, {name: column_name}, dataset)
    loss_of = model.task.loss(model.options)
    said: list[tuple[Array, Array]] = []
    targets, judged, loss = [], [], 0.0
    for start in range(0, len(indices), SLICE):
        chosen, arrays = read_good(dataset, indices[start : start + SLICE])
        if not len(chosen):
            continue
        batch = {
            key: torch.from_numpy(np.ascontiguousarray(values)).to(model.device)
            for key, values in arrays.items()
        }
        output = torch.from_numpy(model.outputs(batch)[name])
        target = batch[column_name].cpu()
        scores.update([(output, target)])
        loss += float(loss_of(output, target)) * len(chosen)
        said.append(model.task.predicted(output.numpy(), column))
        targets.append(column.take(chosen))
        judged.append(chosen)
        yield min(start + SLICE, len(indices)), len(indices)
    if not judged:
        raise ModelError(f"none of the {split} samples can be read: open the data again")
    indices = np.concatenate(judged)
    predicted, confidence = (np.concatenate(parts) for parts in zip(*said, strict=True))
    true = np.concatenate(targets)
    return Evaluation(
        split=split,
        metrics={"loss": loss / len(indices), **scores.values()},
        classes=column.classes,
        confusion=_confusion(true, predicted, len(column.classes)) if column.classes else None,
        indices=indices,
        true=true,
        predicted=predicted,
        confidence=confidence,
        unit=column.unit,
        task=model.task.id,
        run=model.run.path if model.run else None,
    )


def _confusion(true: Array, predicted: Array, classes: int) -> Array:
    counts = np.bincount(true * classes + predicted, minlength=classes * classes)
    return counts.reshape(classes, classes)


def _check_same(model: Model, dataset: Dataset) -> None:
    """The data must be of the kind that the model was trained on."""
    for side, theirs in (
        (dataset.inputs, model.dataset.inputs),
        (dataset.targets, model.dataset.targets),
    ):
        for name, column in theirs.items():
            other = side.get(name)
            if (
                other is None
                or (other.shape, other.pixel_classes) != (column.shape, column.pixel_classes)
                or not set(other.classes) <= set(column.classes)
                or bool(other.classes) != bool(column.classes)
                or not _read_alike(other, column)
            ):
                raise ModelError(
                    f"the data do not fit the model: it was trained with {name} as "
                    f"{column.shape.described()}"
                    + (f" of {len(column.classes)} classes" if column.classes else "")
                )


def _as_fitted(model: Model, dataset: Dataset) -> Dataset:
    """``dataset`` with what was fitted on the model's own training data: other data must not be
    scaled by their own mean."""
    inputs, targets = (
        {
            name: _column_as_fitted(column, fitted[name]) if name in fitted else column
            for name, column in side.items()
        }
        for side, fitted in (
            (dataset.inputs, model.dataset.inputs),
            (dataset.targets, model.dataset.targets),
        )
    )
    return replace(dataset, inputs=inputs, targets=targets)


def _read_alike(one: Column, other: Column) -> bool:
    """Whether inputs are read in one way; other texts have another vocabulary, which does not
    matter because they are read again."""
    if one.texts and isinstance(other.reading, TextReading):
        return True
    return one.reading == other.reading


def _column_as_fitted(column: Column, fitted: Column) -> Column:
    reading = fitted.reading
    if column.texts and isinstance(reading, TextReading) and column.reading != reading:
        values, lengths, _ = reading.encode_all(column.texts)
        column = replace(column, values=values, lengths=lengths, reading=reading)
    if column.classes != fitted.classes:  # other data may lack some of the classes
        numbers = np.asarray([fitted.classes.index(name) for name in column.classes], np.int64)
        everything = np.arange(len(column.values))
        column = replace(column, values=numbers[column.take(everything)], classes=fitted.classes)
    return replace(column, preprocessing=fitted.preprocessing)
