"""What was recorded here, opened as the pictures or sounds that it is."""

from __future__ import annotations

from dataclasses import replace

from models.parameters import Parameter, checked
from playground.data.dataset import Dataset
from playground.data.errors import DataError
from playground.data.settings import SplitSettings
from playground.data.source import Open, Options, Place, Progress, Source, located
from playground.recordings import RecordingError, Recordings


def path_parameter(folder: str) -> Parameter:
    return Parameter(
        "path", "Folder", "path", folder, "Where the recordings are: a subfolder for each class."
    )


def chosen(source: Source, ids: tuple[str, ...]) -> tuple[Parameter, ...]:
    """Those of a source's parameters that recordings leave open."""
    return tuple(parameter for parameter in source.parameters if parameter.id in ids)


def opener(source: Source, device: str) -> Open:
    """How recordings of ``device`` ("camera") are opened: as ``source`` opens a folder, with
    sentences for what is not recorded yet."""

    def open_(
        options: Options, place: Place, settings: SplitSettings, progress: Progress
    ) -> Dataset:
        _check(options, place, device)
        all_options = checked(source.parameters, {**options, "labels": "folders"})
        dataset = source.open(all_options, place, settings, progress)
        return replace(dataset, name=f"{device.capitalize()} recordings")

    return open_


def _check(options: Options, place: Place, device: str) -> None:
    folder = located(options["path"], place)
    try:
        counts = Recordings(folder).counts()
    except RecordingError as error:
        raise DataError(str(error)) from None
    filled = [name for name, count in counts.items() if count]
    if not filled:
        raise DataError(
            f"nothing is recorded yet: choose the {device} in the Data view and hold Record for "
            "each of two classes"
        )
    if len(filled) == 1:
        raise DataError(
            f"only “{filled[0]}” is recorded yet: hold Record in the Data view for a second class"
        )
