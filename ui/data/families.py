"""The families that sources of data are offered in: their names, icons and order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from models.parameters import Parameter
from playground.data import SOURCES
from playground.data.settings import SPLIT_PARAMETERS
from playground.data.source import Source
from ui.theme import icon_names


@dataclass(frozen=True)
class FamilyLook:
    """``direct``: the family has a button of its own in the data panel's header."""

    name: str
    icon: str
    summary: str
    direct: bool = False


FAMILIES: dict[str, FamilyLook] = {
    "recordings": FamilyLook("Recordings", "camera", "Recorded here, with camera or microphone"),
    "pictures": FamilyLook("Pictures", "image", "Folders of pictures", True),
    "sound": FamilyLook("Sound", "waveform", "Folders of recordings", True),
    "tables": FamilyLook("Tables", "table", "Rows of numbers and words, and series", True),
    "text": FamilyLook("Text", "text", "Sentences, reviews, names", True),
    "video": FamilyLook("Video", "film", "Folders of clips"),
    "volumes": FamilyLook("Volumes", "volume", "Medical slices and volumes"),
    "generated": FamilyLook("Generated", "sparkles", "Made by a rule, for experiments"),
}
"""All but "bundled", which have a list of their own."""

ALWAYS = ("auto", "stratified", "random", "folds")


def known_icon(icon: str, fallback: str = "file") -> str:
    """``icon`` where there is one of that name."""
    return icon if icon in icon_names() else fallback


def offered() -> Iterator[tuple[str, list[Source]]]:
    """The families that have sources, in order."""
    for id in FAMILIES:
        found = [source for source in SOURCES if source.family == id]
        if found:
            yield id, found


def split_parameters(source: Source | None, method: str) -> tuple[Parameter, ...]:
    """The split's settings that mean something for ``source`` (None: any) divided by ``method``."""
    usable = set(ALWAYS)
    if source is not None:
        own = source.family != "generated"
        usable |= {"group", "own"} if own else set()
        usable |= {"time"} if source.family == "tables" else set()
    found = []
    for item in SPLIT_PARAMETERS:
        if item.id == "method":
            choices = tuple(c for c in item.choices if c[0] in usable or c[0] == method)
            found.append(replace(item, choices=choices))
        elif item.id == "validation" and method == "folds":
            continue  # a fold is the validation set
        elif item.id in ("folds", "fold") and method != "folds":
            continue
        else:
            found.append(item)
    return tuple(found)
