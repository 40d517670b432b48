"""Which samples are searched for what excites a channel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from playground.data.dataset import Dataset
from playground.data.image_files import SUFFIXES
from playground.live.candidates import Candidate, File, Glimpse, Stored
from playground.recordings import Recordings
from playground.resources import SAMPLES

MOST = 240
SOUNDS = (".wav", ".flac", ".ogg", ".mp3")

One = TypeVar("One")


@dataclass(frozen=True, slots=True)
class Found:
    """Samples, and what they are to a person."""

    samples: tuple[Candidate, ...]
    what: str


def samples_of(
    medium: str,
    folder: Path | None,
    files: Sequence[str] = (),
    data: Dataset | None = None,
    seen: Sequence[Glimpse] = (),
) -> Found:
    """The project's recordings under ``folder``, else the ``files`` of its data, else the samples
    of ``data`` that the network learns from, else the bundled ones; at most 240 of them, evenly
    spread. And of pictures what was ``seen`` live. Reads folders: not for the main thread."""
    pictures = medium == "pictures"
    found = _kept(pictures, folder, files, data)
    if not (pictures and seen):
        return found
    return Found((*found.samples, *seen), f"{found.what} and frames")


def _kept(pictures: bool, folder: Path | None, files: Sequence[str], data: Dataset | None) -> Found:
    suffixes = SUFFIXES if pictures else SOUNDS
    recorded: list[Path] = []
    if folder is not None:
        recordings = Recordings(folder / ("pictures" if pictures else "sounds"))
        recorded = [path for name in recordings.classes() for path in recordings.files(name)]
    if recorded:
        return Found(_files(recorded), "recordings")
    mine = [Path(file) for file in dict.fromkeys(files) if file.lower().endswith(suffixes)]
    if mine:
        return Found(_files(mine), "samples")
    if data is not None and len(data.inputs) == 1:
        (column,) = data.inputs.values()
        stored = (Stored(column, index) for index in _spread(range(len(data))))
        return Found(tuple(stored), "samples")
    bundled = SAMPLES / ("images" if pictures else "speech")
    paths = sorted(path for path in bundled.rglob("*") if path.suffix.lower() in suffixes)
    return Found(_files(paths), "bundled pictures" if pictures else "bundled sounds")


def _files(paths: Sequence[Path]) -> tuple[Candidate, ...]:
    return tuple(File(path) for path in _spread(paths))


def _spread(items: Sequence[One]) -> tuple[One, ...]:
    if len(items) <= MOST:
        return tuple(items)
    return tuple(items[index * len(items) // MOST] for index in range(MOST))
