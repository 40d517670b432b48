"""One way to look things up by id: layers, sources, tasks, probes, views."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from difflib import get_close_matches
from threading import RLock
from typing import Generic, Protocol, TypeVar

FEW = 24
"""As many names can be listed in a sentence."""


class Named(Protocol):
    @property
    def id(self) -> str: ...


Entry = TypeVar("Entry", bound=Named)


class UnknownEntry(LookupError):
    """Nothing is registered under an id; the message names the nearest ones."""


class Registry(Generic[Entry]):
    """Declarations by id, in the order in which they were added. ``fill`` gives the first ones when
    they are first asked for, so that what takes long to load need not be there at the start."""

    def __init__(self, what: str, fill: Callable[[], Iterable[Entry]] | None = None) -> None:
        self.what = what
        self._known: dict[str, Entry] = {}
        self._aliases: dict[str, str] = {}
        self._fill = fill
        self._filled = fill is None
        self._filling = RLock()

    @property
    def _entries(self) -> dict[str, Entry]:
        if not self._filled:
            with self._filling:  # other threads wait until all are there
                fill, self._fill = self._fill, None
                if fill is not None:
                    self._known.update((entry.id, entry) for entry in fill())
                    self._filled = True
        return self._known

    def add(self, entry: Entry, *, aliases: tuple[str, ...] = ()) -> Entry:
        """Register ``entry``; ``aliases`` are former ids that documents may still hold.

        Raises ``ValueError`` where an id is taken.
        """
        for key in (entry.id, *aliases):
            if key in self._entries or key in self._aliases:
                raise ValueError(f"there is already a {self.what} called {key!r}")
        self._entries[entry.id] = entry
        self._aliases.update(dict.fromkeys(aliases, entry.id))
        return entry

    def get(self, id: str) -> Entry:
        """The entry of ``id``; raises ``UnknownEntry`` with a "did you mean"."""
        entry = self.find(id)
        if entry is None:
            near = get_close_matches(str(id), self._entries, n=3)
            hint = f"; did you mean {' or '.join(near)}?" if near else ""
            if not near and 0 < len(self._entries) <= FEW:
                hint = f"; known: {', '.join(self._entries)}"
            raise UnknownEntry(f"there is no {self.what} called {id!r}{hint}")
        return entry

    def find(self, id: str) -> Entry | None:
        return self._entries.get(self._aliases.get(id, id))

    def list(self) -> tuple[Entry, ...]:
        return tuple(self._entries.values())

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries.values())

    def __contains__(self, id: object) -> bool:
        return id in self._entries or id in self._aliases
