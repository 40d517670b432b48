"""Recorded samples as files, a folder a class: written at once, changed with undo.

    FOLDER/CLASS/000001.jpg     pictures (JPEG, quality 95) or sounds (FLAC, 16 bits)
    FOLDER/.trash/…             what was deleted, until the folder is closed

Every sample is written beside its place and renamed into it, so there is never half of one, and a
name that exists is never written over, so that two windows may record into one folder.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import numpy.typing as npt

from playground.sample_files import (
    RecordingError,
    class_name,
    entries,
    highest,
    in_order,
    is_class,
    is_plain,
    is_sample,
    key,
    natural,
    rename_new,
    sentence,
)

__all__ = ["Recorder", "RecordingError", "Recordings", "class_name"]

QUALITY = 95
TRASH = ".trash"
_PART = ".part-"
_UNDOS = 100
_KEPT_DAYS = 7
_PART_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class _Change:
    """Something that was done, as renames from and to; undone by the same backwards."""

    moves: tuple[tuple[Path, Path], ...]
    made: bool = False
    """Whether a class was made: not undone once it has samples."""


class Recordings:
    """The classes and samples in ``folder``, which is made with the first of them.

    Errors are ``RecordingError``. May be used from several threads.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        self._lock = threading.RLock()
        self._bin = self.folder / TRASH / f"{os.getpid()}-{uuid.uuid4().hex[:12]}"
        self._done: list[_Change] = []
        self._undone: list[_Change] = []
        self._numbers: dict[Path, int] = {}
        self._paths: dict[str, dict[str, Path]] = {}
        self._thrown = 0

    # --- what there is ------------------------------------------------------------------------

    def classes(self) -> list[str]:
        """Names of classes, in a person's order ("10" after "9")."""
        with self._told():
            return sorted(
                (item.name for item in entries(self.folder) if is_class(item)), key=natural
            )

    def counts(self) -> dict[str, int]:
        """The number of samples of each class."""
        with self._told():
            return {
                name: sum(map(is_sample, entries(self.folder / name))) for name in self.classes()
            }

    def files(self, name: str) -> list[Path]:
        """The samples of a class, oldest first; none where there is no such class."""
        if not is_plain(name):
            return []
        with self._told():
            names = [item.name for item in entries(self.folder / name) if is_sample(item)]
        base, known = self.folder / name, self._paths.get(name, {})
        # of tens of thousands, only the new ones take the time that a Path takes
        paths = {item: known.get(item) or base / item for item in in_order(names)}
        self._paths[name] = paths
        return list(paths.values())

    @property
    def can_undo(self) -> bool:
        return bool(self._done)

    @property
    def can_redo(self) -> bool:
        return bool(self._undone)

    # --- changes ------------------------------------------------------------------------------

    def add_class(self, name: str) -> str:
        """Make a class, where it is not there yet; returns its name as it is written."""
        with self._lock, self._told():
            name = class_name(name)
            if name in self.classes():
                return name
            self._check_free(name)
            (self.folder / name).mkdir(parents=True)
            self._did([(self._throw_to(name), self.folder / name)], made=True)
            return name

    def ensure_class(self, name: str) -> None:
        """Make the folder of a class that is recorded into; nothing to undo."""
        with self._lock, self._told():
            if not is_plain(name) or not (self.folder / name).is_dir():
                name = class_name(name)
                self._check_free(name)
                (self.folder / name).mkdir(parents=True)

    def rename_class(self, name: str, to: str) -> str:
        with self._lock, self._told():
            self._check_class(name)
            to = class_name(to)
            if to == name:
                return to
            if key(to) != key(name):
                self._check_free(to)
            self._did(self._carry([(self.folder / name, self.folder / to)]))
            return to

    def remove_class(self, name: str) -> None:
        """Throw a class away with its samples; ``undo`` brings it back."""
        with self._lock, self._told():
            self._check_class(name)
            self._did(self._carry([(self.folder / name, self._throw_to(name))]))

    def move(self, paths: Iterable[Path], name: str) -> list[Path]:
        """Give samples another class; returns where they are now. Those that are gone are left
        out."""
        with self._lock, self._told():
            self._check_class(name)
            chosen = [path for path in self._own(paths) if path.parent.name != name]
            target = self.folder / name
            done = self._carry([(path, target / path.name) for path in chosen], renumber=True)
            self._did(done)
            return [new for _, new in done]

    def delete(self, paths: Iterable[Path]) -> int:
        """Throw samples away; returns how many. ``undo`` brings them back."""
        with self._lock, self._told():
            chosen = self._own(paths)
            bin_ = self._throw_to("")
            done = self._carry([(path, bin_ / path.parent.name / path.name) for path in chosen])
            self._did(done)
            return len(done)

    def undo(self) -> bool:
        """Take the last change back; False where there is none."""
        return self._back(self._done, self._undone)

    def redo(self) -> bool:
        return self._back(self._undone, self._done)

    def close(self) -> None:
        """Empty this window's part of the trash; changes can no longer be undone."""
        with self._lock:
            self._done.clear()
            self._undone.clear()
            shutil.rmtree(self._bin, ignore_errors=True)
            with contextlib.suppress(OSError):
                self._bin.parent.rmdir()

    # --- writing ------------------------------------------------------------------------------

    def save_picture(self, name: str, pixels: npt.NDArray[np.uint8]) -> Path:
        """Write a picture (H×W×3 RGB or H×W grey) as the newest of a class."""
        from PIL import Image

        made = BytesIO()
        Image.fromarray(pixels).save(made, "JPEG", quality=QUALITY)
        return self._save(name, made.getvalue(), ".jpg")

    def save_sound(self, name: str, samples: npt.NDArray[np.float32], rate: int) -> Path:
        """Write a sound (n,) of −1…1 as the newest of a class."""
        import soundfile

        made = BytesIO()
        finite = np.nan_to_num(np.asarray(samples, np.float32)).clip(-1, 1)
        soundfile.write(made, finite, rate, format="FLAC", subtype="PCM_16")
        return self._save(name, made.getvalue(), ".flac")

    def _save(self, name: str, content: bytes, suffix: str) -> Path:
        part = self.folder / f"{_PART}{uuid.uuid4().hex}"
        with self._told():
            if not is_plain(name) or not (self.folder / name).is_dir():
                raise RecordingError(
                    f"The folder of “{name}” is gone: recording has stopped; add the class again."
                )
            try:
                with part.open("xb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
                with self._lock:
                    return self._place(part, self.folder / name, suffix)
            except BaseException:
                with contextlib.suppress(OSError):
                    part.unlink(missing_ok=True)
                raise

    # --- within -------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        """The system's errors as sentences."""
        try:
            yield
        except OSError as error:
            raise RecordingError(sentence(error, self.folder)) from None

    def _check_class(self, name: str) -> None:
        if not is_plain(name) or not (self.folder / name).is_dir():
            raise RecordingError(f"There is no class “{name}”: it may have been renamed.")

    def _check_free(self, name: str) -> None:
        """Upper and lower case are one on some systems, so they are here."""
        there = next((item for item in self.classes() if key(item) == key(name)), None)
        if there is not None:
            raise RecordingError(f"There is a class “{there}” already: choose another name.")
        if os.path.lexists(self.folder / name):
            raise RecordingError(f"There is a file “{name}” in the way: choose another name.")

    def _own(self, paths: Iterable[Path]) -> list[Path]:
        """Samples of these classes alone, each once; raises where one is elsewhere."""
        chosen = list(dict.fromkeys(Path(path) for path in paths))
        for path in chosen:
            inside = path.parent.parent == self.folder and is_plain(path.parent.name)
            if not inside or not is_plain(path.name):
                raise RecordingError(f"{path} is no recording of this project.")
        return chosen

    def _throw_to(self, name: str) -> Path:
        self._thrown += 1
        return self._bin / str(self._thrown) / name

    def _did(self, moves: Sequence[tuple[Path, Path]], made: bool = False) -> None:
        if moves:
            self._done.append(_Change(tuple(moves), made))
            del self._done[:-_UNDOS]
            self._undone.clear()

    def _back(self, source: list[_Change], target: list[_Change]) -> bool:
        with self._lock, self._told():
            if not source:
                return False
            change = source[-1]
            if change.made and source is self._done:
                name = change.moves[0][1].name
                if self.files(name):
                    source.pop()
                    raise RecordingError(
                        f"“{name}” has samples by now: remove the class if you want to."
                    )
            done = self._carry([(new, old) for old, new in reversed(change.moves)])
            source.pop()
            target.append(_Change(tuple(done), change.made))
            return True

    def _carry(
        self, moves: Sequence[tuple[Path, Path]], renumber: bool = False
    ) -> list[tuple[Path, Path]]:
        """Rename; returns what was renamed to what. What is gone is left out. A sample whose name
        is taken by now gets the next number. Where the system refuses, what was done so far can be
        undone."""
        done: list[tuple[Path, Path]] = []
        made: set[Path] = set()
        try:
            for old, new in moves:
                if new.parent not in made:
                    new.parent.mkdir(parents=True, exist_ok=True)
                    made.add(new.parent)
                with contextlib.suppress(FileNotFoundError):
                    done.append((old, self._renamed(old, new, renumber)))
        except OSError:
            self._did(done)
            raise
        if moves and not done:
            raise RecordingError("This is not there any more: it was changed by another program.")
        return done

    def _renamed(self, old: Path, new: Path, renumber: bool) -> Path:
        if old.is_dir():
            if os.path.lexists(new) and not (new.exists() and old.samefile(new)):
                raise RecordingError(f"There is a class “{new.name}” again: rename it first.")
            old.rename(new)
            return new
        if not renumber:
            try:
                rename_new(old, new)
                return new
            except FileExistsError:
                pass
        return self._place(old, new.parent, new.suffix)

    def _place(self, file: Path, folder: Path, suffix: str) -> Path:
        """Rename ``file`` to the next free number in ``folder``."""
        number = self._numbers.get(folder) or highest(folder)
        while True:
            number += 1
            path = folder / f"{number:06}{suffix}"
            try:
                rename_new(file, path)
            except FileExistsError:  # another window, or a file of one's own
                number = max(number, highest(folder))
                continue
            self._numbers[folder] = number
            return path

    def tidy(self) -> None:
        """Remove what crashed windows have left: parts of samples, and trash after a week."""
        now = time.time()
        for folder, prefix, seconds in (
            (self.folder, _PART, _PART_SECONDS),
            (self.folder / TRASH, "", _KEPT_DAYS * 86400),
        ):
            with contextlib.suppress(OSError):
                for item in entries(folder):
                    if not item.name.startswith(prefix):
                        continue
                    if now - item.stat(follow_symlinks=False).st_mtime < seconds:
                        continue
                    if item.is_dir(follow_symlinks=False):
                        shutil.rmtree(item.path, ignore_errors=True)
                    else:
                        Path(item.path).unlink(missing_ok=True)


class Recorder:
    """Writes samples in a thread of its own, in the order in which they come.

    ``put_picture`` and ``put_sound`` come back at once and say whether the sample was taken: where
    the disk is so slow that ``ROOM`` bytes wait for it, and after a ``problem``, it was not.
    """

    ROOM = 256 << 20

    def __init__(self, recordings: Recordings) -> None:
        self._recordings = recordings
        self._changed = threading.Condition()
        self._waiting: deque[tuple[int, str, Callable[[], Path]]] = deque()
        self._bytes = 0
        self._known: set[str] = set()
        self._closed = False
        self.saved = 0
        self._written: list[Path] = []
        self.failed = 0
        """Samples that were not written: there was no room, or a problem."""
        self.problem = ""
        """Why recording has stopped, a sentence; "" while it goes on."""
        self._thread = threading.Thread(target=self._work, name="recorder", daemon=True)
        self._thread.start()

    def put_picture(
        self, name: str, pixels: npt.NDArray[np.uint8], told: Callable[[Path], object] | None = None
    ) -> bool:
        """A picture, H×W×3 RGB or H×W grey. One that can be written to is copied. ``told`` is
        called in the writing thread with its file; it must not take time."""
        kept = pixels.copy() if pixels.flags.writeable else pixels

        def save() -> Path:
            path = self._recordings.save_picture(name, kept)
            if told is not None:
                told(path)
            return path

        return self._put(kept.nbytes, name, save)

    def put_sound(self, name: str, samples: npt.NDArray[np.float32], rate: int) -> bool:
        """A sound (n,) of −1…1."""
        kept = samples.copy() if samples.flags.writeable else samples
        return self._put(kept.nbytes, name, lambda: self._recordings.save_sound(name, kept, rate))

    def written(self) -> list[Path]:
        """What was saved since this was last asked."""
        with self._changed:
            taken, self._written = self._written, []
            return taken

    def resume(self) -> None:
        """After a problem: try again."""
        with self._changed:
            self.problem = ""
            self._known.clear()

    def close(self, timeout: float | None = None) -> None:
        """Write what waits, then end; gives up waiting after ``timeout`` seconds."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join(timeout)

    def _put(self, size: int, name: str, save: Callable[[], Path]) -> bool:
        with self._changed:
            if self._closed or self.problem or self._bytes + size > self.ROOM:
                self.failed += 1
                return False
            self._waiting.append((size, name, save))
            self._bytes += size
            self._changed.notify_all()
            return True

    def _work(self) -> None:
        self._recordings.tidy()
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closed)
                if not self._waiting:
                    return
                size, name, save = self._waiting[0]
            problem, good, path = "", False, None
            try:
                if name not in self._known:  # a class that vanishes later is not made again
                    self._recordings.ensure_class(name)
                    self._known.add(name)
                path = save()
                good = True
            except RecordingError as error:
                problem = str(error)
            except Exception:
                logging.getLogger(__name__).exception("a sample of %s was not written", name)
            with self._changed:
                self.saved += good
                if path is not None:
                    self._written.append(path)
                self.failed += not good
                self._waiting.popleft()
                self._bytes -= size
                if problem:
                    self.problem = problem
                    self.failed += len(self._waiting)
                    self._waiting.clear()
                    self._bytes = 0
