"""What a source of data declares."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.parameters import Parameter
from playground.data.dataset import Dataset
from playground.data.errors import DataError
from playground.data.settings import SplitSettings
from playground.resources import SAMPLES

Progress = Callable[[str, float | None], None]
"""Told what is being done and the fraction that is, where known. It may raise, to cancel."""

Options = Mapping[str, Any]
Open = Callable[[Options, Path, SplitSettings, Progress], Dataset]

SAMPLE = "sample:"


@dataclass(frozen=True, slots=True)
class Source:
    """A kind of data. ``open`` gets checked options, the folder that relative paths begin at, the
    split settings, and whom to tell of the progress; it raises ``DataError``. ``icon`` names a line
    icon."""

    id: str
    name: str
    icon: str
    summary: str
    open: Open
    parameters: tuple[Parameter, ...] = ()


def located(text: str, base: Path) -> Path:
    """The file or folder that an option means: bundled ("sample:series/x.csv"), absolute, or
    relative to ``base``. Raises ``DataError``."""
    if not text.strip():
        raise DataError("no file is chosen yet: choose one")
    if "\0" in text:
        raise DataError("a path with a NUL character cannot be opened: choose the file again")
    if text.startswith(SAMPLE):
        path = (SAMPLES / text.removeprefix(SAMPLE)).resolve()
        if not path.is_relative_to(SAMPLES) or not path.exists():
            raise DataError(f"there is no bundled sample {text.removeprefix(SAMPLE)!r}")
        return path
    return base / Path(text).expanduser()
