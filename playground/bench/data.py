"""The figures of reading data: a part a kind, each a function that yields rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from playground.bench import pictures, tables

if TYPE_CHECKING:
    from playground.bench import Plan

PARTS = (pictures.loading, pictures.folder, tables.reading_tables)


def reading(plan: Plan) -> Iterator[dict[str, Any]]:
    """All parts, one after the other."""
    for part in PARTS:
        yield from part(plan)
