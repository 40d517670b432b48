"""Data of any source as one ``Dataset``: ``open_data(settings, base)``. Torch is not needed."""

from __future__ import annotations

from pathlib import Path

from models.parameters import ParameterError, checked
from models.registry import Registry, UnknownEntry
from playground.data.columns import TablePreview, inspect_table
from playground.data.dataset import Column, Dataset
from playground.data.errors import DataError
from playground.data.settings import DataSettings, SplitSettings
from playground.data.source import Progress, Source, located

__all__ = [
    "SOURCES",
    "Column",
    "DataError",
    "DataSettings",
    "Dataset",
    "Source",
    "SplitSettings",
    "TablePreview",
    "inspect_table",
    "located",
    "open_data",
]

SOURCES: Registry[Source] = Registry("source of data")


def _fill() -> None:
    from playground.data import digits, images, series, table

    for module in (digits, images, table, series):
        SOURCES.add(module.SOURCE)


_fill()


def open_data(settings: DataSettings, base: Path, progress: Progress | None = None) -> Dataset:
    """Open what a project's settings mean; relative paths begin at ``base``, the folder of the
    project file. Raises ``DataError``, a sentence that names the place and the way out."""
    try:
        source = SOURCES.get(settings.source)
        options = checked(source.parameters, settings.options)
    except (UnknownEntry, ParameterError) as error:
        raise DataError(str(error.args[0])) from None
    try:
        return source.open(options, base, settings.split, progress or (lambda text, fraction: None))
    except MemoryError:
        raise DataError(f"{source.name}: there is not enough memory for these data") from None
    except OSError as error:
        raise DataError(
            f"{source.name}: {error.strerror or error}: choose the data again"
        ) from None
