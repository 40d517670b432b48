"""Teaching while pictures come: a thread that turns them into vectors, and learns from these.

Nothing here waits for torch when it is imported, and no method keeps its caller waiting.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from playground.data.dataset import Skipped
from playground.data.errors import DataError
from playground.data.labels import natural

if TYPE_CHECKING:
    from playground.embedding import Embedder
    from playground.teach import Head

Array = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]
Files = Mapping[str, Sequence[Path]]
Key = tuple[int, ...]
"""What a file stays through renaming and moving: its device, inode, size and time of change."""

HELD = 5
"""One in so many examples is held back to measure with."""
ROOM = 128 << 20
"""Bytes of pictures that may wait in memory; those behind them are read from their files."""
KEPT = 5_000
"""Vectors that are kept of examples which are gone, and may come back."""
TELLING = 0.1
"""Seconds between two notes of how far the work is."""
EMPTY = "There are no examples yet: show at least two classes."


@dataclass(frozen=True, slots=True, eq=False)
class Learned:
    """What was learnt of ``counts`` examples a class, in ``seconds``.

    ``accuracy`` is the share of right answers to ``held_back`` examples by a head that had not seen
    them; None where there were too few to hold any back. ``head`` has learnt from all. Of one class
    alone there is none, but ``known``, a head of that class, which tells how well a picture is
    known.
    """

    number: int
    head: Head | None
    counts: Mapping[str, int]
    seconds: float = 0.0
    accuracy: float | None = None
    held_back: int = 0
    known: Head | None = None

    @property
    def answers(self) -> Head | None:
        """What can answer live: ``head``, or what is ``known`` of one class."""
        return self.head or self.known


@dataclass(frozen=True, slots=True, eq=False)
class _Taken:
    name: str
    pixels: Pixels | None
    path: Path | None
    vector: Array | None


class Teacher:
    """Examples of classes, and what was learnt from them.

    ``told`` is called in the teacher's thread when there is something new; it must not take time.
    With ``keep_learning``, what was learnt once is learnt anew whenever examples are moved, renamed
    or removed, or their files come from elsewhere; what is merely recorded waits for ``learn``.
    """

    def __init__(
        self, recogniser: str = "efficientnet-lite0", told: Callable[[], None] | None = None
    ) -> None:
        """``recogniser`` names a bundled one or a run's folder; it is loaded at once, in the
        teacher's thread."""
        self.told = told
        self.keep_learning = True
        self._recogniser = recogniser
        self._changed = threading.Condition()
        self._embedder: Embedder | None = None
        self._status = ""
        self._over = self._closed = False
        # what is asked for
        self._taken: deque[_Taken] = deque()
        self._files: Files | None = None
        self._wanted = self._learning = False
        self._busy, self._looking = True, 0
        # what there is; written by the thread, under the lock
        self._classes: dict[str, dict[Key, Path | None]] = {}
        self._vectors: dict[Key, Array] = {}
        self._skipped: dict[Key, Skipped] = {}
        self._missing: deque[tuple[Key, Path]] = deque()
        self._fresh: set[Key] = set()
        """Taken, and not yet among the files that were listed."""
        self._learned: Learned | None = None
        self._loose = 0
        self._said = 0.0
        self._thread = threading.Thread(target=self._work, name="teacher", daemon=True)
        self._thread.start()

    # --- what a caller sees -------------------------------------------------------------------

    @property
    def embedder(self) -> Embedder | None:
        """The backbone, once it is loaded."""
        return self._embedder

    def ready(self, timeout: float) -> Embedder | None:
        """Wait for the backbone up to ``timeout`` seconds; None where it was not loaded."""
        with self._changed:
            self._changed.wait_for(lambda: self._embedder or self._over, timeout)
            return self._embedder

    @property
    def status(self) -> str:
        """What is wrong, a sentence; "" while nothing is."""
        return self._status

    @property
    def learned(self) -> Learned | None:
        """The newest; None before the first."""
        return self._learned

    @property
    def learning(self) -> bool:
        """Whether something newer is on its way."""
        return self._wanted or self._learning

    @property
    def idle(self) -> bool:
        """Whether all that was asked for is done."""
        with self._changed:
            return not self._busy and not self._asked()

    @property
    def pending(self) -> int:
        """Pictures that were not looked at yet."""
        with self._changed:
            return len(self._taken) + len(self._missing) + self._looking

    @property
    def progress(self) -> tuple[int, int]:
        """How many of how many pictures that were shown and are still there were looked at."""
        with self._changed:
            total = sum(map(len, self._classes.values()))
            return total - len(self._missing) - self._looking, total

    def counts(self) -> dict[str, int]:
        """Examples a class that were looked at, and can be learnt from."""
        with self._changed:
            return {
                name: sum(key in self._vectors for key in keys)
                for name, keys in self._classes.items()
            }

    def skipped(self) -> tuple[Skipped, ...]:
        """Files that are no pictures, and why."""
        with self._changed:
            keys = {key for keys in self._classes.values() for key in keys}
            return tuple(what for key, what in self._skipped.items() if key in keys)

    # --- what a caller asks for ---------------------------------------------------------------

    def take(
        self, name: str, pixels: Pixels, path: Path | None = None, vector: Array | None = None
    ) -> bool:
        """A picture (H×W×3) of class ``name`` was recorded, as the file ``path``; ``vector`` is
        what the backbone made of it where that is known. Without a file, it counts until the next
        ``follow``. False where it was not taken: it has no file, and too many wait."""
        with self._changed:
            waiting = sum(one.pixels.nbytes for one in self._taken if one.pixels is not None)
            full = vector is None and waiting > 0 and waiting + pixels.nbytes > ROOM
            if self._closed or self._over or (full and path is None):
                return False
            kept = None if full or vector is not None else pixels
            if kept is not None and kept.flags.writeable:
                kept = kept.copy()
            self._taken.append(_Taken(name, kept, path, vector))
            self._changed.notify_all()
            return True

    def follow(self, files: Files) -> None:
        """These are the files of the classes, the oldest first: what was added is looked at, what
        is gone is forgotten, and what was renamed or moved is not looked at again."""
        with self._changed:
            self._files = {name: tuple(paths) for name, paths in files.items()}
            self._changed.notify_all()

    def learn(self) -> None:
        """Learn when everything has been looked at."""
        with self._changed:
            self._wanted = True
            self._changed.notify_all()

    def close(self, timeout: float | None = None) -> None:
        """End after the present picture, and join."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join(timeout)

    # --- the thread ---------------------------------------------------------------------------

    def _work(self) -> None:
        try:
            embedder = _loaded(self._recogniser)
            with self._changed:
                self._embedder = embedder
                self._changed.notify_all()
            self._tell(always=True)
            while (job := self._next(embedder)) is not None:
                try:
                    job()
                except (ValueError, OSError) as error:
                    self._status = _sentence(error)
                self._tell()
        except Exception as error:
            if not isinstance(error, (ValueError, LookupError, OSError)):
                logging.getLogger(__name__).exception("teaching failed")
            self._status = f"{self._recogniser} cannot be taught: {_sentence(error)}"
        finally:
            with self._changed:
                self._over = True
                self._changed.notify_all()
            self._tell(always=True)

    def _next(self, embedder: Embedder) -> Callable[[], None] | None:
        """What to do now: first what was recorded, because its vectors are on their way into the
        classes that ``follow`` names."""
        with self._changed:
            self._busy, self._looking = False, 0
            self._changed.wait_for(self._asked)
            self._busy = True
            if self._closed:
                return None
            if self._taken:
                taken = self._taken.popleft()
                return lambda: self._take(embedder, taken)
            if self._files is not None:
                files, self._files = self._files, None
                return lambda: self._follow(files)
            if self._missing:
                key, path = self._missing.popleft()
                self._looking = 1
                return lambda: self._look(embedder, key, path)
            self._wanted, self._learning = False, True
            return self._learn

    def _asked(self) -> bool:
        waits = self._taken or self._missing or self._files is not None
        return bool(waits) or self._wanted or self._closed

    def _take(self, embedder: Embedder, taken: _Taken) -> None:
        if taken.path is None:
            self._loose += 1
            key: Key | None = (-self._loose,)
        else:
            key = _key(taken.path)
        if key is None:
            return  # deleted meanwhile
        vector = self._vectors.get(key)
        if vector is None:
            vector = _checked(taken.vector, embedder.width)
            if vector is None and taken.pixels is not None:
                vector = embedder.frame(taken.pixels)
            if vector is None and taken.path is None:
                return  # of no use: there is nothing to look at again
            if vector is not None and taken.path is not None:
                embedder.keep(taken.path, vector)
        with self._changed:
            self._classes.setdefault(taken.name, {})[key] = taken.path
            self._fresh.add(key)
            if vector is not None:
                self._vectors[key] = vector
            elif taken.path is not None:
                self._missing.append((key, taken.path))

    def _follow(self, files: Files) -> None:
        classes: dict[str, dict[Key, Path | None]] = {}
        for name, paths in files.items():
            found = ((_key(path), path) for path in paths)
            classes[name] = {key: path for key, path in found if key is not None}
        before, after = _places(self._classes), _places(classes)
        # a picture that was written after the folder was read is in its next listing
        self._fresh -= after.keys()
        for name, keys in self._classes.items():
            for key in self._fresh & keys.keys():
                path = keys[key]
                if path is not None and _key(path) == key:
                    classes.setdefault(name, {})[key] = path
        after = _places(classes)
        self._fresh &= after.keys()
        missing = [
            (key, path)
            for keys in classes.values()
            for key, path in keys.items()
            if path is not None and key not in self._vectors and key not in self._skipped
        ]
        vectors = self._vectors
        if len(vectors) > len(after) + KEPT:
            vectors = {key: vector for key, vector in vectors.items() if key in after}
        with self._changed:
            self._classes, self._vectors = classes, vectors
            self._missing = deque(missing)
            if self.keep_learning and self._learned is not None and before != after:
                self._wanted = True

    def _look(self, embedder: Embedder, key: Key, path: Path) -> None:
        try:
            vector = _checked(embedder.file(path), embedder.width)
        except DataError as error:
            with self._changed:
                self._skipped[key] = Skipped(path.name, str(error))
            return
        if vector is not None:
            with self._changed:
                self._vectors[key] = vector

    def _learn(self) -> None:
        groups = {
            name: [self._vectors[key] for key in keys if key in self._vectors]
            for name, keys in self._classes.items()
        }
        number = self._learned.number + 1 if self._learned is not None else 1
        try:
            learned, status = _learnt(groups, number)
            with self._changed:
                self._learned, self._status = learned, status
        finally:
            self._learning = False
        self._tell(always=True)

    def _tell(self, *, always: bool = False) -> None:
        now = time.monotonic()
        if always or now - self._said > TELLING or not self._asked():
            self._said = now
            if self.told is not None:
                self.told()


def _loaded(recogniser: str) -> Embedder:
    from playground.preload import preload_torch

    preload_torch()
    from playground.devices import choose
    from playground.embedding import Embedder
    from playground.recognisers import load_named

    choose("cpu").use()
    return Embedder(load_named(recogniser))


def _learnt(groups: Mapping[str, list[Array]], number: int) -> tuple[Learned, str]:
    """What is learnt from the vectors of each class, the oldest first; and what is missing."""
    from playground.teach import fit

    started = time.perf_counter()
    counts = {name: len(vectors) for name, vectors in groups.items()}
    names = sorted((name for name in groups if groups[name]), key=natural)
    if not names:
        return Learned(number, None, counts), EMPTY
    parts = [np.stack(groups[name]) for name in names]
    accuracy, held_back = _judged(parts, names)
    head = fit(*_together(parts), names)
    seconds = time.perf_counter() - started
    if len(names) == 1:
        learned = Learned(number, None, counts, seconds, known=head)
        return learned, f"Only {names[0]} has examples: show at least one more class."
    return Learned(number, head, counts, seconds, accuracy, held_back), ""


def _judged(parts: list[Array], names: list[str]) -> tuple[float | None, int]:
    """The accuracy on the newest fifth of each class of a head that learns from the rest, and how
    many these are.

    Neighbouring pictures of a burst are nearly copies of each other. Of every fifth picture there
    would be a copy among the others, and all answers would be right; a contiguous piece from the
    end has at most one such neighbour.
    """
    from playground.teach import fit

    rest = [part[: len(part) - len(part) // HELD] for part in parts]
    held = [part[len(part) - len(part) // HELD :] for part in parts]
    vectors, labels = _together(held)
    if len(names) < 2 or not len(labels):
        return None, 0
    return fit(*_together(rest), names).score(vectors, labels)["accuracy"], len(labels)


def _together(parts: list[Array]) -> tuple[Array, npt.NDArray[np.int64]]:
    return np.concatenate(parts), np.repeat(np.arange(len(parts)), [len(part) for part in parts])


def _places(classes: Mapping[str, Mapping[Key, Path | None]]) -> dict[Key, str]:
    """The class of every example that has a file."""
    return {
        key: name
        for name, keys in classes.items()
        for key, path in keys.items()
        if path is not None
    }


def _checked(vector: Array | None, width: int) -> Array | None:
    """A vector that can be learnt from."""
    if vector is None or vector.shape != (width,) or not np.isfinite(vector).all():
        return None
    return np.asarray(vector, np.float32)


def _key(path: Path) -> Key | None:
    """None where there is no such file."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _sentence(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
