"""Rows that come one after the other: a CSV file to which somebody appends, or standard input.

A row counts when its line has ended; a half-written one waits. A file that was made shorter, was
replaced, or was deleted and comes back, is begun anew.
"""

from __future__ import annotations

import codecs
import csv
import os
import re
import select
import stat
import sys
import threading
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self

from playground.capture import CaptureStatus
from playground.capture.kinds import State, located
from playground.data.csv_format import CsvOptions, Format, encoding_of, sniffed

STANDARD_INPUT = "-"
KEPT = 4096
"""Rows that are remembered; of a file that is opened, as many from its end."""
POLL = 0.1
"""Seconds between two looks at a file."""
_TAIL = 1 << 20
_HEAD = 1 << 16
_LONGEST = 1 << 20
"""Bytes of a line; a longer one is no row."""
_CHECKED = 64
"""Bytes before the new ones by which a file is known again."""
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
_FEW = 8
"""Control characters in what begins a table; with more, and more than a fiftieth, it is no text."""
_SHOWN = 3.0
"""Seconds for which a sentence about a row stands."""

Row = tuple[str, ...]


class NoTable(ValueError):
    """What comes is no text."""


@dataclass(frozen=True, slots=True)
class Heard:
    """The last of the rows that came: ``number`` is that of the newest, counted from when the
    source was opened; ``begun`` counts how often it was begun anew. ``time`` is
    ``time.monotonic()`` when the newest came."""

    header: Row
    rows: tuple[Row, ...]
    number: int
    begun: int
    time: float


class Rows:
    """A file by its path, or standard input by "-". Like a camera: started and closed by whoever
    made it; nobody waits for a reader. Raises ``ValueError`` for an address that means nothing."""

    def __init__(self, address: str, format: CsvOptions | None = None) -> None:
        if not address.strip() or "\0" in address:
            raise ValueError("no rows are chosen yet: choose a CSV file, or - for standard input")
        self.address = address.strip()
        self._options = format or CsvOptions()
        self._path = None if self.address == STANDARD_INPUT else located(self.address)
        self.name = "standard input" if self._path is None else self._path.name
        self._changed = threading.Condition()
        self._header: Row = ()
        self._rows: deque[Row] = deque(maxlen=KEPT)
        self._number = self._begun = 0
        self._when = self._since = time.monotonic()
        self._state: State = "closed"
        self._message = f"{self.name} has not been opened."
        self._notice, self._noticed = "", 0.0
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._work, name=f"rows {self.name}", daemon=True)

    @property
    def status(self) -> CaptureStatus:
        with self._changed:
            now = time.monotonic()
            shown = self._notice if now - self._noticed < _SHOWN else ""
            message = shown if shown and self._state == "running" else self._message
            return CaptureStatus(self._state, message, now - self._since)

    def start(self) -> None:
        """Begin to read, and return at once."""
        with self._changed:
            if self._state != "closed" or self._stopped.is_set():
                return
            self._set("opening", f"{self.name} is being opened.")
        self._thread.start()

    def close(self, timeout: float = 2) -> bool:
        """Read no further; waits ``timeout`` seconds for the thread. Whether it ended."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(timeout)
        with self._changed:
            if self._state not in ("failed", "ended"):
                self._set("closed", f"{self.name} is closed.")
        return not self._thread.is_alive()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def notice(self, sentence: str) -> None:
        """Say something about a row for a while."""
        with self._changed:
            self._notice, self._noticed = sentence, time.monotonic()

    def heard(self) -> Heard:
        """What is known now."""
        with self._changed:
            rows = tuple(self._rows)
            return Heard(self._header, rows, self._number, self._begun, self._when)

    def wait(self, after: int, timeout: float) -> Heard | None:
        """What is known once there is a row numbered above ``after``; None where none came."""
        with self._changed:
            self._changed.wait_for(lambda: self._number > after or self._over, timeout)
            if self._number <= after:
                return None
        return self.heard()

    @property
    def _over(self) -> bool:
        return self._state in ("ended", "failed", "closed")

    # --- the reading thread ---------------------------------------------------------------------

    def _set(self, state: State, message: str) -> None:
        if state != self._state:
            self._state, self._since = state, time.monotonic()
        self._message = message
        self._changed.notify_all()

    def _say(self, state: State, message: str) -> None:
        with self._changed:
            self._set(state, message)

    def _work(self) -> None:
        if self._path is None:
            self._listen()
            return
        follower = Follower(self._path, self._options)
        while not self._stopped.is_set():
            try:
                changed = follower.look()
            except FileNotFoundError:
                if not self._begun:
                    self._say("failed", f"{self._path} does not exist: choose the file again.")
                    return
                self._say("reconnecting", f"{self.name} is gone; waiting for it to come back.")
            except NoTable:
                if not self._begun:
                    self._say("failed", f"{self.name} is no table: its bytes are no text.")
                    return
                self._say("reconnecting", f"{self.name} is no table any more; waiting for one.")
            except OSError as error:
                reason = error.strerror or error
                if not self._begun:
                    self._say("failed", f"{self._path} cannot be read: {reason}.")
                    return
                self._say("reconnecting", f"{self.name} cannot be read ({reason}); trying again.")
            else:
                if changed:
                    self._begin(follower.header)
                if follower.header:
                    self._say("running", f"Following {self.name}.")
                else:
                    self._say("opening", f"{self.name} is empty; waiting for its first row.")
                self._take(follower.rows())
            self._stopped.wait(POLL)

    def _listen(self) -> None:
        lines = Lines(self._options)
        try:
            stream = sys.stdin.buffer
            stream.fileno()
        except (AttributeError, OSError, ValueError):
            self._say("failed", "There is no standard input: choose a file.")
            return
        self._say("opening", "Waiting for the first row from standard input.")
        while not self._stopped.is_set():
            piece = _piece(stream)
            if piece is None:
                continue
            try:
                lines.add(piece or b"\n")  # the last line has ended too
            except NoTable:
                self._say("failed", "Standard input gives no text: pipe a table to it.")
                return
            if lines.header and not self._begun:
                self._begin(lines.header)
                self._say("running", "Reading rows from standard input.")
            self._take(lines.rows())
            if not piece:
                none = "" if self._number else " There was no row."
                self._say("ended", f"Standard input has ended.{none}")
                return

    def _begin(self, header: Row) -> None:
        with self._changed:
            if self._begun:
                self._notice = f"{self.name} was begun anew: so is what is known of it."
                self._noticed = time.monotonic()
            self._header = header
            self._rows.clear()
            self._begun += 1

    def _take(self, rows: list[Row]) -> None:
        good = [row for row in rows if len(row) == len(self._header)]
        with self._changed:
            if len(good) < len(rows):
                bad = next(row for row in rows if len(row) != len(self._header))
                self._notice = (
                    f"{self.name}: a row has {len(bad)} values instead of {len(self._header)}; "
                    "it is left out."
                )
                self._noticed = time.monotonic()
            if good:
                self._rows.extend(good)
                self._number += len(good)
                self._when = time.monotonic()
                self._changed.notify_all()


class Lines:
    """Rows of text that comes in pieces; the first is the header, or there is none."""

    def __init__(self, options: CsvOptions) -> None:
        self._options = options
        self._wide: codecs.IncrementalDecoder | None = None
        self._rest = b""
        self._ready: list[Row] = []
        self.header: Row = ()
        self.format = Format("utf-8", ",", True, False)

    def add(self, piece: bytes) -> None:
        """Read further bytes; a line that has not ended waits. Raises ``NoTable`` where there is no
        header yet, nor will be."""
        first = not self.header and not self._rest
        if first and self._wide is None:
            self._wide = wide(piece)
        if self._wide is not None:  # lines end with a byte once it is UTF-8
            piece = self._wide.decode(piece).encode(errors="replace")
        if first:
            piece = piece.lstrip(b"\r\n")
        if b"\n" not in piece:
            self._rest = (self._rest + piece)[-_LONGEST:]
            return
        whole, _, self._rest = (self._rest + piece).rpartition(b"\n")
        text = whole.decode(self.format.encoding if self.header else encoding_of(whole), "replace")
        lines = [line for line in text.removeprefix("\ufeff").split("\n") if line.strip()]
        if lines and not self.header:
            if len(_CONTROL.findall(text)) > max(_FEW, len(text) // 50):
                raise NoTable
            self._look(lines, encoding_of(whole))
            if self.format.header:
                lines = lines[1:]
        self._ready += map(self._row, lines)

    def rows(self) -> list[Row]:
        """Those that are complete, once."""
        ready, self._ready = self._ready, []
        return ready

    def _look(self, lines: list[str], encoding: str) -> None:
        self.format = sniffed("\n".join(lines), encoding, self._options)
        first = self._row(lines[0])
        # one line alone does not show whether it is a header: names are no numbers
        named = not any(_is_number(cell) for cell in first)
        if self._options.header == "auto" and named != self.format.header:
            self.format = Format(
                self.format.encoding, self.format.delimiter, named, self.format.decimal_comma
            )
        places = (str(place + 1) for place in range(len(first)))
        self.header = first if self.format.header else tuple(places)

    def _row(self, line: str) -> Row:
        mark = self.format.delimiter
        try:
            return tuple(cell.strip() for cell in next(csv.reader([line], delimiter=mark), []))
        except csv.Error:
            return ()


class Follower:
    """A file that grows."""

    def __init__(self, path: Path, options: CsvOptions) -> None:
        self._path, self._options = path, options
        self._lines = Lines(options)
        self._file: tuple[int, int] | None = None
        self._read, self._last = 0, b""

    @property
    def header(self) -> Row:
        return self._lines.header

    def rows(self) -> list[Row]:
        return self._lines.rows()

    def look(self) -> bool:
        """Read what is new; whether the file was begun (anew). Raises ``OSError``, ``NoTable``."""
        try:
            mode = self._path.stat().st_mode
        except FileNotFoundError:
            self._file = None  # what comes back may have the same place on the disk
            raise
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):  # a pipe would be waited for
            raise OSError("it is no plain file; lead what it gives to standard input and choose -")
        with self._path.open("rb") as file:
            found = os.fstat(file.fileno())
            same = self._file == (found.st_dev, found.st_ino) and self._goes_on(file)
            known = bool(self.header)
            if not same:
                self._file, known = (found.st_dev, found.st_ino), False
                self._read, self._last = 0, b""
                self._lines = Lines(self._options)
            if not known:
                self._open(file, found.st_size)
            else:
                file.seek(self._read)
            while piece := file.read(_TAIL):
                self._note(piece)
                try:
                    self._lines.add(piece)
                except NoTable:
                    self._file = None
                    raise
        return not known and bool(self.header)

    def _open(self, file: BinaryIO, size: int) -> None:
        """The header, and of a large file the rows at its end alone."""
        if self._read or size <= _HEAD + _TAIL:
            file.seek(self._read)
            return
        head = file.read(_HEAD)
        if wide(head) is not None:  # where a line ends is not seen by a byte
            file.seek(0)
            return
        self._lines.add(head[: head.rfind(b"\n") + 1])
        self._lines.rows()
        file.seek(size - _TAIL)
        rest = file.read(_TAIL)
        self._lines.add(rest[rest.find(b"\n") + 1 :])
        self._read = size - _TAIL
        self._note(rest)

    def _note(self, piece: bytes) -> None:
        self._read += len(piece)
        self._last = (self._last + piece)[-_CHECKED:]

    def _goes_on(self, file: BinaryIO) -> bool:
        """Whether what was read last still stands where it was."""
        file.seek(self._read - len(self._last))
        return file.read(len(self._last)) == self._last


def wide(first: bytes) -> codecs.IncrementalDecoder | None:
    """A decoder where text begins as UTF-16, as Windows writes it; None for one byte a letter."""
    encoding = encoding_of(first)
    if not encoding.startswith("utf-16"):
        return None
    return codecs.getincrementaldecoder(encoding)("replace")


def _piece(stream: BinaryIO) -> bytes | None:
    """What standard input has now: None for nothing yet, empty at its end."""
    if os.name != "nt" and not select.select([stream], [], [], POLL)[0]:
        return None
    return os.read(stream.fileno(), _HEAD)


def _is_number(cell: str) -> bool:
    try:
        float(cell.replace(",", "."))
    except ValueError:
        return False
    return True
