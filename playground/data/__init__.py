"""Data of any source as one ``Dataset``: ``open_data(settings, place)``. Torch is not needed."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from pathlib import Path

from models.parameters import ParameterError, checked
from models.registry import Registry, UnknownEntry
from playground.data.columns import TablePreview, inspect_table
from playground.data.dataset import Column, Dataset
from playground.data.errors import DataError
from playground.data.settings import DataSettings, SplitSettings
from playground.data.source import Place, Progress, Source, located

__all__ = [
    "SOURCES",
    "Column",
    "DataError",
    "DataSettings",
    "Dataset",
    "Place",
    "Source",
    "SplitSettings",
    "TablePreview",
    "inspect_table",
    "located",
    "open_data",
]

_MODULES = (
    "camera",
    "microphone",
    "digits",
    "images",
    "boxes",
    "pairs",
    "table",
    "series",
    "sound",
    "text",
    "video",
    "medical",
    "generated.moving_shapes",
    "generated.waves",
    "generated.recall",
    "generated.adding",
    "generated.brackets",
    "generated.noisy_shapes",
    "generated.scattered_shapes",
)
"""Each has a ``SOURCE``; in the order in which they are offered."""

SOURCES: Registry[Source] = Registry(
    "source of data",
    lambda: [import_module(f"playground.data.{name}").SOURCE for name in _MODULES],
)


def open_data(
    settings: DataSettings, base: Path | Place, progress: Progress | None = None
) -> Dataset:
    """Open what a project's settings mean; relative paths begin at ``base``, the place of the
    project file. Raises ``DataError``, a sentence that names the place and the way out."""
    try:
        source = SOURCES.get(settings.source)
        options = checked(source.parameters, settings.options)
    except (UnknownEntry, ParameterError) as error:
        raise DataError(str(error.args[0])) from None
    tell = progress or (lambda text, fraction: None)
    try:
        dataset = source.open(options, Place.around(base), settings.split, tell)
    except MemoryError:
        raise DataError(f"{source.name}: there is not enough memory for these data") from None
    except OSError as error:
        raise DataError(
            f"{source.name}: {error.strerror or error}: choose the data again"
        ) from None
    return replace(dataset, augmentation=settings.augmentation)
