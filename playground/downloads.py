"""Files from the network, at the user's wish alone: resumed where they broke off, checked, and then
in the cache for good."""

from __future__ import annotations

import errno
import hashlib
import http.client
import os
import re
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from playground.console import size
from playground.data.cache import cache_folder

Progress = Callable[[int, int], None]
"""Called with the bytes that are there and all bytes (0 where that is not known)."""

TIMEOUT = 20.0
"""Seconds without a byte after which a connection counts as broken."""
TRIES = 4
"""Attempts in a row that bring nothing, before giving up."""
PAUSE = 0.5
"""Seconds after the first of them; the pauses grow by as much each time."""
PIECE = 1 << 18

_HASH = re.compile(r"-([0-9a-f]{8,64})\.[a-z0-9]+$")
_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")
_BROKEN = (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError)
_one_at_a_time = threading.Lock()


class DownloadError(RuntimeError):
    """A file cannot be fetched, or is not there; the message says why and what to do."""


class Stopped(DownloadError):
    """The user stopped a download; what is there is kept."""


@dataclass(frozen=True, slots=True)
class Download:
    """A file at ``url``. ``bytes`` is about how large it is. The beginning of its SHA-256 is in its
    name, as torch's hub has it: ``ssdlite-a79551df.pth``."""

    url: str
    bytes: int

    @property
    def name(self) -> str:
        return self.url.rpartition("/")[2]

    @property
    def checksum(self) -> str:
        """Hexadecimal; raises ``ValueError`` where the name has none."""
        found = _HASH.search(self.name)
        if found is None:
            raise ValueError(f"{self.name} does not end with its checksum")
        return found[1]


def downloads_folder() -> Path:
    return cache_folder() / "downloads"


def is_there(download: Download) -> bool:
    return (downloads_folder() / download.name).is_file()


def checked_file(download: Download) -> Path:
    """The downloaded file, whose checksum is right; raises ``DownloadError``."""
    path = downloads_folder() / download.name
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        raise DownloadError(f"{download.name} has not been downloaded yet") from None
    except OSError as error:
        raise DownloadError(f"{path} cannot be read: {error.strerror or error}") from None
    if not found.startswith(download.checksum):
        raise DownloadError(f"{path} is damaged: delete it and download it again")
    return path


def fetch(
    download: Download,
    progress: Progress = lambda there, whole: None,
    stop: threading.Event | None = None,
) -> Path:
    """Download a file into the cache, or go on with one that broke off. Returns its path; raises
    ``DownloadError``, and ``Stopped`` soon after ``stop`` is set."""
    path = downloads_folder() / download.name
    if is_there(download):
        return checked_file(download)
    with _one_at_a_time:
        part = path.with_name(f"{path.name}.part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _Fetching(download, part, progress, stop or threading.Event()).run()
            with part.open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
            if not found.startswith(download.checksum):
                part.unlink()
                raise DownloadError(
                    f"{download.name} arrived damaged (its checksum is wrong) and was deleted: "
                    "download it again"
                )
            part.replace(path)
        except OSError as error:
            raise DownloadError(_disk(error, path.parent)) from None
    return path


class _Fetching:
    """One download into ``part``, over as many connections as it takes."""

    def __init__(
        self, download: Download, part: Path, progress: Progress, stop: threading.Event
    ) -> None:
        self.download, self.part = download, part
        self.progress, self.stop = progress, stop
        self.there = self.whole = 0

    def run(self) -> None:
        """Raises ``DownloadError``, or ``OSError`` of the disk."""
        with self.part.open("ab") as file:
            self.there = file.tell()
            fruitless = 0
            while True:
                before = self.there
                try:
                    self._connect(file)
                    return
                except _BROKEN as error:
                    fruitless = 0 if self.there > before else fruitless + 1
                    if _refused(error) or fruitless == TRIES:
                        raise DownloadError(self._sentence(error)) from None
                if self.stop.wait(PAUSE * fruitless):
                    raise self._stopped()

    def _connect(self, file: IO[bytes]) -> None:
        """One connection, to the end of the file; raises one of ``_BROKEN`` where it breaks off."""
        request = urllib.request.Request(self.download.url, headers=self._headers())
        try:
            answer = urllib.request.urlopen(request, timeout=TIMEOUT)
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE and self.there:
                if self._is_whole(error.headers.get("Content-Range", "")):
                    return
                self._restart(file)  # what is there cannot be the beginning of this file
                raise ConnectionError("what was there did not fit") from None
            raise
        with answer:
            self._begin(answer, file)
            while self.there < self.whole or not self.whole:
                if self.stop.is_set():
                    raise self._stopped()
                piece = _read(answer)
                if not piece:
                    break
                file.write(piece)
                self.there += len(piece)
                if self.there > 2 * self.download.bytes:
                    self._restart(file)
                    raise DownloadError(
                        f"{self.download.name} is far larger than it should be: try again in "
                        "another network"
                    )
                self.progress(self.there, self.whole)
        file.flush()
        os.fsync(file.fileno())
        if self.there < self.whole:
            raise ConnectionError("the connection broke off")

    def _headers(self) -> dict[str, str]:
        headers = {"User-Agent": "playground", "Accept-Encoding": "identity"}
        return headers | ({"Range": f"bytes={self.there}-"} if self.there else {})

    def _begin(self, answer: http.client.HTTPResponse, file: IO[bytes]) -> None:
        """Whether the answer goes on where we are, or begins anew, and how long the file is."""
        place = _RANGE.fullmatch(answer.headers.get("Content-Range", ""))
        if self.there and not (answer.status == 206 and place and int(place[1]) == self.there):
            if answer.status == 206:
                raise ConnectionError("the server sent another part than was asked for")
            self._restart(file)
        length = answer.headers.get("Content-Length", "")
        self.whole = self.there + int(length) if length.isdecimal() else 0
        self.progress(self.there, self.whole)

    def _restart(self, file: IO[bytes]) -> None:
        file.truncate(0)
        self.there = self.whole = 0

    def _is_whole(self, content_range: str) -> bool:
        return content_range == f"bytes */{self.there}"

    def _stopped(self) -> Stopped:
        return Stopped(f"stopped; {self._kept()}")

    def _kept(self) -> str:
        whole = f" of {size(self.whole)}" if self.whole else ""
        return f"the {size(self.there)}{whole} that are there are kept"

    def _sentence(self, error: Exception) -> str:
        host = self.download.url.split("/")[2]
        if isinstance(error, urllib.error.HTTPError):
            return f"{host} refuses {self.download.name}: {error.code} {error.reason}"
        reason = getattr(error, "reason", error)
        why = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
        kept = f" ({self._kept()})" if self.there else ""
        return (
            f"{self.download.name} cannot be fetched from {host}: {why}{kept}; connect to the "
            "network and try again"
        )


def _read(answer: http.client.HTTPResponse) -> bytes:
    """What has arrived; raises ``ConnectionError``, so that it is not taken for the disk's."""
    try:
        return answer.read1(PIECE)
    except (OSError, http.client.HTTPException) as error:
        raise ConnectionError(str(error) or type(error).__name__) from None


def _refused(error: Exception) -> bool:
    """Whether asking again would bring the same answer."""
    if not isinstance(error, urllib.error.HTTPError):
        return False
    busy = (http.client.REQUEST_TIMEOUT, http.client.TOO_MANY_REQUESTS)
    return error.code < 500 and error.code not in busy


def _disk(error: OSError, folder: Path) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk of {folder} is full: make room and try again; what is there is kept"
    return f"{folder} cannot be written: {error.strerror or error}"
