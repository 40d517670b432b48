"""Downloads from a server that breaks off, lies, refuses, or is not there."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from playground import downloads
from playground.downloads import Download, DownloadError, Stopped

CONTENT = np.random.default_rng(0).integers(0, 256, 1_000_000, np.uint8).tobytes()
DIGEST = hashlib.sha256(CONTENT).hexdigest()
NAME = f"weights-{DIGEST[:8]}.pth"


class Server(ThreadingHTTPServer):
    """Serves CONTENT with ranges. ``cuts`` are the bytes after which the next connections end."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.cuts: list[int] = []
        self.ranges = True
        self.status = 0
        self.content = CONTENT
        self.asked: list[str | None] = []

    def download(self, name: str = NAME) -> Download:
        return Download(f"http://127.0.0.1:{self.server_address[1]}/models/{name}", len(CONTENT))


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        server, asked = self.server, self.headers.get("Range")
        server.asked.append(asked)
        if server.status:
            self.send_error(server.status)
            return
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and server.ranges else 0
        whole = len(server.content)
        if start >= whole:
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{whole}")
            self.end_headers()
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{whole - 1}/{whole}")
        self.send_header("Content-Length", str(whole - start))
        self.end_headers()
        end = start + server.cuts.pop(0) if server.cuts else whole
        self.wfile.write(server.content[start:end])

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PLAYGROUND_CACHE", str(tmp_path))
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setattr(downloads, "PAUSE", 0.0)
    return tmp_path / "downloads"


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_file_arrives_whole_and_is_fetched_once(server: Server, folder: Path) -> None:
    seen: list[tuple[int, int]] = []
    download = server.download()
    assert not downloads.is_there(download)
    path = downloads.fetch(download, lambda there, whole: seen.append((there, whole)))
    assert path.read_bytes() == CONTENT
    assert path == folder / NAME == downloads.checked_file(download)
    assert seen[0] == (0, len(CONTENT))
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert seen == sorted(seen)
    assert downloads.fetch(download) == path
    assert server.asked == [None]
    assert [item.name for item in folder.iterdir()] == [NAME]


def test_a_connection_that_breaks_off_is_taken_up_where_it_was(server: Server) -> None:
    server.cuts = [300_000, 1, 250_000]
    assert downloads.fetch(server.download()).read_bytes() == CONTENT
    assert server.asked == [None, "bytes=300000-", "bytes=300001-", "bytes=550001-"]


def test_a_download_is_taken_up_by_the_next_start(server: Server, folder: Path) -> None:
    server.cuts = [400_000, *[0] * downloads.TRIES]
    with pytest.raises(DownloadError, match=r"400\.0 kB of 1\.0 MB that are there are kept"):
        downloads.fetch(server.download())
    server.asked.clear()
    assert downloads.fetch(server.download()).read_bytes() == CONTENT
    assert server.asked == ["bytes=400000-"]


def test_a_server_without_ranges_begins_anew(server: Server) -> None:
    server.ranges, server.cuts = False, [400_000]
    assert downloads.fetch(server.download()).read_bytes() == CONTENT
    assert server.asked == [None, "bytes=400000-"]


@pytest.mark.parametrize("there", [CONTENT, CONTENT + b"x", b"another file" * 100_000])
def test_what_is_there_already_is_used_or_replaced(
    server: Server, folder: Path, there: bytes
) -> None:
    folder.mkdir()
    (folder / f"{NAME}.part").write_bytes(there)
    assert downloads.fetch(server.download()).read_bytes() == CONTENT


def test_stopping_keeps_what_is_there(server: Server, folder: Path) -> None:
    stop = threading.Event()

    def halfway(there: int, whole: int) -> None:
        if there > whole / 2:
            stop.set()

    with pytest.raises(Stopped, match="are kept"):
        downloads.fetch(server.download(), halfway, stop)
    kept = (folder / f"{NAME}.part").read_bytes()
    assert len(CONTENT) / 2 < len(kept) < len(CONTENT)
    assert CONTENT.startswith(kept)
    assert downloads.fetch(server.download()).read_bytes() == CONTENT


def test_a_wrong_checksum_is_never_kept(server: Server, folder: Path) -> None:
    server.content = b"!" + CONTENT[1:]
    with pytest.raises(DownloadError, match="checksum is wrong"):
        downloads.fetch(server.download())
    assert not list(folder.iterdir())
    server.content = CONTENT * 3
    with pytest.raises(DownloadError, match="far larger"):
        downloads.fetch(server.download())


def test_a_damaged_file_is_not_used(server: Server, folder: Path) -> None:
    path = downloads.fetch(server.download())
    path.write_bytes(CONTENT[:-1])
    for use in (downloads.checked_file, downloads.fetch):
        with pytest.raises(DownloadError, match="damaged: delete it"):
            use(server.download())
    path.unlink()
    with pytest.raises(DownloadError, match="not been downloaded"):
        downloads.checked_file(server.download())


def test_a_refusal_is_said_at_once(server: Server) -> None:
    server.status = 404
    with pytest.raises(DownloadError, match=f"refuses {NAME}: 404"):
        downloads.fetch(server.download())
    assert len(server.asked) == 1
    server.status = 503
    with pytest.raises(DownloadError, match="503"):
        downloads.fetch(server.download())
    assert len(server.asked) == 1 + downloads.TRIES


def test_without_a_network_one_sentence_says_so(server: Server) -> None:
    port = server.server_address[1]
    server.server_close()
    for host in (f"127.0.0.1:{port}", "host.invalid"):
        with pytest.raises(DownloadError) as caught:
            downloads.fetch(Download(f"http://{host}/{NAME}", 10))
        sentence = str(caught.value)
        assert sentence.startswith(f"{NAME} cannot be fetched from {host}: ")
        assert sentence.endswith("connect to the network and try again")
        assert "\n" not in sentence


def test_a_folder_that_cannot_be_written_is_named(server: Server, folder: Path) -> None:
    folder.write_bytes(b"")
    with pytest.raises(DownloadError, match="cannot be written"):
        downloads.fetch(server.download())


def test_a_full_disk_is_said(server: Server, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("playground.downloads.os.fsync", full)
    with pytest.raises(DownloadError, match="full: make room"):
        downloads.fetch(server.download())


def test_a_name_without_a_checksum_is_refused() -> None:
    with pytest.raises(ValueError, match="checksum"):
        Download("http://host/weights.pth", 1).checksum  # noqa: B018
