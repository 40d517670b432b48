"""Data opened for a command, which tells what was noticed and left out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from playground.console import Console, count
from playground.data import Dataset, DataSettings, Place, open_data
from playground.data.dataset import Skipped

REASONS = 3
"""Of files that were skipped, that are printed."""


def opened_data(data: DataSettings, place: Place, console: Console) -> Dataset:
    """Raises ``DataError``."""
    with console.progress("opening the data") as bar:
        dataset = open_data(
            data, place, lambda text, part: bar(part or 0.0, 1.0 if part else 0.0, text)
        )
    for note in dataset.notes:
        console.note(note)
    tell_skipped(dataset.skipped, console)
    return dataset


def tell_skipped(skipped: Sequence[Skipped], console: Console) -> None:
    """How many files or rows were left out, and the first reasons; nothing where none was."""
    if not skipped:
        return
    number = len(skipped)
    what = "1 file or row was" if number == 1 else f"{count(number)} files or rows were"
    listed = "; ".join(map(_reason, skipped[:REASONS]))
    more = f"; and {count(number - REASONS)} more" if number > REASONS else ""
    console.note(f"{what} skipped: {listed}{more}")


def _reason(skipped: Skipped) -> str:
    named = Path(skipped.name).name in skipped.reason
    return skipped.reason if named else f"{skipped.name}: {skipped.reason}"
