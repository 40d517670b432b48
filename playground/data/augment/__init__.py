"""Augmentation: changes that leave a sample what it is, drawn anew for each sample and epoch.

They work on raw training batches, before preprocessing: ``augmented(…)``. Declaring them needs no
torch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from models.axes import Kind
from models.parameters import Parameter, ParameterError, checked
from models.registry import Registry, UnknownEntry
from playground.data.augment.settings import Applied

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from playground.data.dataset import Column, Dataset

__all__ = [
    "AUGMENTATIONS",
    "Applied",
    "Augmentation",
    "augmented",
    "kind_of",
    "separates",
    "suited",
]

Apply = Callable[["Tensor", Mapping[str, Any], "Generator"], "Tensor"]


@dataclass(frozen=True, slots=True)
class Augmentation:
    """``apply`` takes a raw batch (N, …) in float32, checked options, and a generator on the CPU
    from which it draws for each sample by itself; it returns a batch of the same shape. ``kinds``
    are "image", "video", "series" and "sound"; pixels are 0…255, sound is -1…1. ``any_length``:
    padded steps at the end do no harm. ``moves``: a mask, picture or box that belongs to the sample
    no longer lies over it, or what follows a series no longer goes on from it."""

    id: str
    name: str
    kinds: tuple[str, ...]
    summary: str
    apply: Apply
    parameters: tuple[Parameter, ...] = ()
    any_length: bool = False
    moves: bool = False


AUGMENTATIONS: Registry[Augmentation] = Registry("augmentation")
_MODULES = ("image", "series", "sound")
"""Each has ``AUGMENTATIONS``, a tuple."""

for _name in _MODULES:
    for _item in import_module(f"playground.data.augment.{_name}").AUGMENTATIONS:
        AUGMENTATIONS.add(_item)


def kind_of(column: Column) -> str | None:
    """What augmentations call a column's values; None where there are none for it."""
    if column.shape.kind is Kind.SEQUENCE:
        return "sound" if getattr(column.reading, "kind", "") == "sound" else "series"
    return {Kind.IMAGE: "image", Kind.VIDEO: "video"}.get(column.shape.kind)


def suited(column: Column) -> tuple[Augmentation, ...]:
    """The augmentations that a column can have."""
    kind = kind_of(column)
    return tuple(
        item
        for item in AUGMENTATIONS
        if kind in item.kinds and (item.any_length or column.lengths is None)
    )


def separates(augmentation: Augmentation, dataset: Dataset) -> bool:
    """Whether it would move inputs away from the mask, picture, boxes or continuation that is their
    target."""
    placed = dataset.target.shape.kind is Kind.IMAGE or bool(dataset.target.box_classes)
    belongs = placed or dataset.task == "forecast"
    suits = any(kind_of(column) in augmentation.kinds for column in dataset.inputs.values())
    return augmentation.moves and belongs and suits


def checked_options(applied: Applied) -> tuple[Augmentation, dict[str, Any]]:
    """An augmentation with its whole options; raises ``ParameterError``."""
    try:
        found = AUGMENTATIONS.get(applied.id)
        return found, checked(found.parameters, applied.options)
    except (UnknownEntry, ParameterError) as error:
        raise ParameterError(str(error.args[0])) from None


def augmented(
    applied: Sequence[Applied], column: Column, batch: Tensor, generator: Generator
) -> Tensor:
    """A raw batch (N, …) of ``column`` as float32 with every augmentation that suits it applied,
    in their order. Raises ``ParameterError``."""
    values, kind = batch.float(), kind_of(column)
    for item in applied:
        augmentation, options = checked_options(item)
        if kind in augmentation.kinds and (augmentation.any_length or column.lengths is None):
            values = augmentation.apply(values, options, generator)
    return values
