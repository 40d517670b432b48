"""The colours and words in which an answer is shown, on the screen and in kept pictures."""

from __future__ import annotations

from threading import Lock

from playground.answers import Classes, Detection
from playground.sample_files import natural

Colour = tuple[int, int, int]
Row = tuple[str, float | None, Colour]
"""A class, its probability and its colour."""

NONE = "None of these"
COLOURS: tuple[Colour, ...] = (
    (230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (213, 94, 0), (204, 121, 167),
    (0, 114, 178),
)  # fmt: skip
"""Of boxes in data; told apart by people of any colour vision (Okabe & Ito 2008)."""
CLASS_COLOURS: tuple[Colour, ...] = (
    (240, 146, 79), (91, 140, 255), (61, 184, 139), (176, 124, 255), (53, 181, 200),
    (224, 111, 164), (224, 190, 73), (143, 163, 191),
)  # fmt: skip
"""Of classes, in a person's order of their names; of objects, as their classes appear."""
ACCENT: Colour = CLASS_COLOURS[1]
"""Of the likeliest of more classes than there are colours."""


_places: dict[str, int] = {}
_places_lock = Lock()


def colour(box: Detection) -> Colour:
    """The colour of an object: its class's, as its line over time has it. Objects of one class are
    told apart by their numbers."""
    return CLASS_COLOURS[object_place(box.label)]


def object_place(label: str) -> int:
    """Of an object's class among the colours. In turn as classes appear, so that those of one
    network differ while there are colours; a class keeps its own while the program runs."""
    with _places_lock:
        return _places.setdefault(label, len(_places)) % len(CLASS_COLOURS)


def caption(box: Detection) -> str:
    """``face 98 %``, ``#3 face 98 %``."""
    number = "" if box.track is None else f"#{box.track} "
    return f"{number}{box.label} {percent(box.score)}"


def class_places(answer: Classes) -> dict[str, int]:
    """The place of each class among the colours; empty where there are more classes than those."""
    if len(answer.answers) > len(CLASS_COLOURS):
        return {}
    names = sorted((name for name, _ in answer.answers), key=natural)
    return {name: place for place, name in enumerate(names)}


def percent(probability: float) -> str:
    """``96 %``; never 0 or 100 where it is not quite that."""
    shown = 100 * probability
    if 0 < shown < 1:
        return "<1 %"
    if 99 < shown < 100:
        return ">99 %"
    return f"{shown:.0f} %" if shown == shown else "?"


def rows(answer: Classes, most: int, unknown: bool = False) -> list[Row]:
    """What is said of classes, at most ``most`` of them. Where no class is likely enough, ``NONE``
    comes in place of one."""
    places = class_places(answer)
    found: list[Row] = [(NONE, None, ACCENT)] if unknown else []
    for label, value in answer.answers[: max(1, most - len(found))]:
        found.append((label, value, CLASS_COLOURS[places[label]] if places else ACCENT))
    return found if answer.answers else []


def known(answer: Classes) -> str:
    """Whether the sample is like the examples; "" where the network was not taught by any."""
    if answer.seen is None:
        return ""
    words = "Not seen before" if answer.new else "Like the examples"
    return f"{words} · {percent(answer.seen)} known"
