"""What a source of data declares."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from models.parameters import Parameter
from playground.data.dataset import Dataset
from playground.data.errors import DataError
from playground.data.reading import Reading
from playground.data.settings import SplitSettings
from playground.resources import SAMPLES

Progress = Callable[[str, float | None], None]
"""Told what is being done and the fraction that is, where known. It may raise, to cancel."""

Options = Mapping[str, Any]

SAMPLE = "sample:"
FILES = "files:"

Family = Literal[
    "recordings", "pictures", "sound", "video", "tables", "text", "volumes", "generated", "bundled"
]


@dataclass(frozen=True, slots=True)
class Place:
    """Where the paths of a project begin: ``folder`` holds the project file, and ``files`` is its
    NAME.files with recordings, runs and caches."""

    folder: Path
    files: Path

    @classmethod
    def around(cls, base: Path | Place) -> Place:
        """A place; a mere folder is taken for both."""
        return base if isinstance(base, Place) else cls(base, base)


Open = Callable[[Options, Place, SplitSettings, Progress], Dataset]


@dataclass(frozen=True, slots=True)
class Source:
    """A kind of data. ``open`` gets checked options, the place that paths begin at, the split
    settings, and whom to tell of the progress; it raises ``DataError``. ``icon`` names a line icon.

    ``place`` says what the option "path" is, ``suffixes`` which files it can be or hold (".csv"),
    ``family`` under which heading the source is offered, and ``readings`` how single inputs of a
    trained network are read.
    """

    id: str
    name: str
    icon: str
    summary: str
    open: Open
    parameters: tuple[Parameter, ...] = ()
    family: Family = "bundled"
    place: Literal["none", "file", "folder", "either"] = "none"
    suffixes: tuple[str, ...] = ()
    readings: tuple[type[Reading], ...] = ()


def located(text: str, place: Place) -> Path:
    """The file or folder that an option means: bundled ("sample:series/x.csv"), of the project
    ("files:pictures", in NAME.files), absolute, or relative to the project's folder. Raises
    ``DataError``."""
    if not text.strip():
        raise DataError("no file is chosen yet: choose one")
    if "\0" in text:
        raise DataError("a path with a NUL character cannot be opened: choose the file again")
    if text.startswith(SAMPLE):
        name = text.removeprefix(SAMPLE)
        path = _inside(SAMPLES, name)
        if path is None or not path.exists():
            raise DataError(f"there is no bundled sample {name!r}")
        return path
    if text.startswith(FILES):
        path = _inside(place.files, text.removeprefix(FILES))
        if path is None:
            raise DataError(f"{text!r} would lie outside the project: choose the file again")
        return path
    # unlike Path.expanduser this does not raise at "~nobody"
    return place.folder / os.path.expanduser(text)


def _inside(root: Path, name: str) -> Path | None:
    path = (root / name).resolve()
    return path if path.is_relative_to(root.resolve()) else None
