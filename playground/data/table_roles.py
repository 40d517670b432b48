"""What each column of a table is used for: as chosen, and for the rest as guessed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from playground.data.columns import Type, missing_name
from playground.data.csv_reading import fields, pairs
from playground.data.errors import DataError

Role = Literal["feature", "target", "time", "group", "ignore"]
ROLES: tuple[Role, ...] = ("feature", "target", "time", "group", "ignore")
TYPES: tuple[Type, ...] = ("number", "category", "date", "text")
TARGET_NAMES = ("label", "class", "target", "species", "category", "y")
"""What a target is called, the surest name first."""

_TIME_NAMES = ("date", "time", "year", "month", "day")


@dataclass(frozen=True)
class Roles:
    """The target, the features in their order, and the columns of time and group, if any; the type
    of every column; and whether the target is a series to go on."""

    target: str | None
    features: tuple[str, ...]
    time: str | None
    group: str | None
    types: Mapping[str, Type]
    forecast: bool

    def role(self, name: str) -> Role:
        if name == self.target:
            return "target"
        if name == self.group:
            return "group"
        if name == self.time:
            return "time"
        return "feature" if name in self._learned else "ignore"

    @cached_property
    def _learned(self) -> frozenset[str]:
        return frozenset(self.features)

    @property
    def used(self) -> list[str]:
        """The columns that have to be read."""
        named = (self.target, self.time, self.group, *self.features)
        return list(dict.fromkeys(name for name in named if name is not None))


def is_forecast(options: Mapping[str, Any], types: Iterable[str]) -> bool:
    """Whether a table with columns of these ``types`` is a series to go on: as chosen, or, where
    nothing was, a number beside dates or alone."""
    if options.get("task", "auto") != "auto" or options.get("target"):
        return options.get("task") == "forecast"
    return sorted(islice(types, 3)) in (["number"], ["date", "number"])


def proposed(guessed: Mapping[str, Type], options: Mapping[str, Any]) -> Roles:
    """Roles for columns of the ``guessed`` types under a table source's ``options``: no features
    (None) means those that suit, an empty text none at all. Names that are not there are left for
    ``check`` to tell."""
    types = {**guessed, **_set_types(options, guessed)}
    names = list(types)
    forecast = is_forecast(options, types.values())
    time, group = options.get("time") or None, options.get("group") or None
    if forecast and not time:
        dates = [name for name in names if types[name] == "date"]
        time = next(iter(dates + [name for name in names if name.lower() in _TIME_NAMES]), None)
    target = options.get("target") or None
    if not target:
        free = [name for name in names if name not in (time, group)]
        if forecast:
            target = next((name for name in reversed(free) if types[name] == "number"), None)
        elif len(free) > 1:
            named = (name for wanted in TARGET_NAMES for name in free if name.lower() == wanted)
            target = next(named, free[-1])
    if options.get("features") is not None:
        chosen = [name for name in fields(options["features"]) if name != target or not forecast]
    elif forecast:
        chosen = []
    else:
        chosen = [
            name
            for name in names
            if name not in (target, time, group) and types[name] in ("number", "category")
        ]
    return Roles(target, tuple(chosen), time, group, types, forecast)


def check(roles: Roles, path: Path) -> None:
    """Raises ``DataError`` where roles do not fit the table."""
    names = list(roles.types)
    for name in (roles.target, roles.time, roles.group, *roles.features):
        if name is not None and name not in roles.types:
            raise missing_name(names, name, path)
    if roles.target is None:
        if roles.forecast:
            raise DataError(
                f"{path.name} has no column of numbers to forecast: choose another file"
            )
        raise DataError(f"{path.name} has one column: add features, or choose the task forecast")
    if roles.target in roles.features:
        raise DataError(f"{roles.target} is the target, so it cannot be a feature: take it out")
    if roles.target in (roles.time, roles.group):
        raise DataError(f"{roles.target} is the target, so it cannot also be the time or the group")
    if len(set(roles.features)) != len(roles.features):
        wanted = ", ".join(roles.features)
        raise DataError(f"the features {wanted} name a column twice: take one out")
    if not roles.features and not roles.forecast:
        raise DataError(
            f"{path.name} has no column to learn from besides {roles.target}: "
            "numbers, categories or dates are needed"
        )
    for name in roles.features:
        if roles.types[name] == "text":
            raise DataError(
                f"column {name} holds texts: leave it out here, or choose the source Text to "
                "learn from it; or set its type to category"
            )


def left_out(roles: Roles, options: Mapping[str, Any], empty: Iterable[str]) -> tuple[str, ...]:
    """Notes on columns that nobody decided about and that are not used."""
    if options.get("features") or roles.forecast:
        return ()
    notes, without = [], frozenset(empty)
    for name, kind in roles.types.items():
        if roles.role(name) != "ignore":
            continue
        if name in without:
            notes.append(f"Column {name} is empty, so it was left out.")
        elif kind == "date":
            notes.append(
                f"Column {name} holds dates, so it was left out: make it a feature to learn from "
                "its year and month."
            )
        else:
            notes.append(
                f"Column {name} holds texts that hardly repeat, so it was left out: the source "
                "Text is for them."
            )
    return tuple(notes)


def _set_types(options: Mapping[str, Any], guessed: Mapping[str, Type]) -> dict[str, Type]:
    found: dict[str, Type] = {}
    for name, word in pairs(options.get("types")).items():
        type = next((type for type in TYPES if type == word), None)
        if type is None:
            raise DataError(f"the type of {name} is {word!r}: it is one of {', '.join(TYPES)}")
        if name in guessed:
            found[name] = type
    return found
