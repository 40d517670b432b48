"""Sounds that were recorded with the microphone."""

from __future__ import annotations

from dataclasses import replace

from playground.data import sound
from playground.data.recorded import chosen, opener, path_parameter

FOLDER = "files:sounds"

SOURCE = replace(
    sound.SOURCE,
    id="microphone",
    name="Microphone",
    icon="mic",
    summary="Sounds that you record with the microphone, a class at a time.",
    open=opener(sound.SOURCE, "microphone"),
    family="recordings",
    place="none",
    parameters=(
        path_parameter(FOLDER),
        *chosen(sound.SOURCE, ("seconds", "rate", "take", "stride")),
    ),
)
