"""Which samples are searched for what excites a channel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from playground.data.image_files import SUFFIXES
from playground.recordings import Recordings
from playground.resources import SAMPLES

MOST = 240
SOUNDS = (".wav", ".flac", ".ogg", ".mp3")


@dataclass(frozen=True, slots=True)
class Found:
    """Files, and what they are to a person."""

    paths: tuple[Path, ...]
    what: str


def samples_of(medium: str, folder: Path | None, files: Sequence[str]) -> Found:
    """The project's recordings under ``folder``, else the ``files`` of its data, else the bundled
    samples; at most 240 of them, evenly spread. Reads folders: not for the main thread."""
    pictures = medium == "pictures"
    suffixes = SUFFIXES if pictures else SOUNDS
    recorded: list[Path] = []
    if folder is not None:
        recordings = Recordings(folder / ("pictures" if pictures else "sounds"))
        recorded = [path for name in recordings.classes() for path in recordings.files(name)]
    if recorded:
        return Found(_spread(recorded), "recordings")
    mine = [Path(file) for file in dict.fromkeys(files) if file.lower().endswith(suffixes)]
    if mine:
        return Found(_spread(mine), "samples")
    bundled = SAMPLES / ("images" if pictures else "speech")
    found = sorted(path for path in bundled.rglob("*") if path.suffix.lower() in suffixes)
    return Found(_spread(found), "bundled pictures" if pictures else "bundled sounds")


def _spread(paths: Sequence[Path]) -> tuple[Path, ...]:
    if len(paths) <= MOST:
        return tuple(paths)
    return tuple(paths[index * len(paths) // MOST] for index in range(MOST))
