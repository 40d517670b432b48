"""Pictures that were recorded with the camera."""

from __future__ import annotations

from dataclasses import replace

from playground.data import images
from playground.data.recorded import chosen, opener, path_parameter

FOLDER = "files:pictures"

SOURCE = replace(
    images.SOURCE,
    id="camera",
    name="Camera",
    icon="camera",
    summary="Pictures that you record with the camera, a class at a time.",
    open=opener(images.SOURCE, "camera"),
    family="recordings",
    place="none",
    parameters=(
        path_parameter(FOLDER),
        *chosen(images.SOURCE, ("prepared", "size", "channels", "fit")),
    ),
)
