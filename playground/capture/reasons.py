"""In the child: why something cannot be captured, in a sentence."""

from __future__ import annotations

import os
import socket
import sys
import urllib.error
import urllib.request
from base64 import b64encode
from pathlib import Path
from urllib.parse import unquote, urlsplit

from playground.capture.kinds import named
from playground.capture.outlet import Fault
from playground.sample_files import natural

_PATIENCE = 3.0


def no_camera(index: int) -> str:
    """Why there is no camera ``index``; "" where the system has one or does not say."""
    if sys.platform != "linux":
        return ""
    device = Path(f"/dev/video{index}")
    if not device.exists():
        return f"there is no camera {index}: plug it in, or choose another"
    if not os.access(device, os.R_OK | os.W_OK):
        return (
            f"camera {index} may not be used: permission denied "
            "(add yourself to the group “video”, then log in again)"
        )
    return ""


def camera_busy(index: int) -> str:
    holder = _holder(f"/dev/video{index}") if sys.platform == "linux" else ""
    who = f"“{holder}”" if holder else "another program"
    if sys.platform == "darwin":
        return (
            f"camera {index} cannot be opened: allow it in System Settings › Privacy › Camera, "
            "or close the program that uses it"
        )
    maybe = "is in use by" if holder else "cannot be opened; it may be in use by"
    return f"camera {index} {maybe} {who}: close that program, and the camera opens"


def _holder(device: str) -> str:
    """The program that has a device file open, as far as the system lets us see."""
    for process in Path("/proc").iterdir():
        if not process.name.isdecimal() or process.name == str(os.getpid()):
            continue
        try:
            for entry in (process / "fd").iterdir():
                if str(entry.readlink()) == device:
                    return (process / "comm").read_text().strip()
        except OSError:
            continue
    return ""


def check_file(path: Path) -> None:
    """Raises ``Fault`` where a clip is not there, or no file."""
    if not path.exists():
        raise Fault(f"{path} does not exist: choose the clip again", final=True)
    if not path.is_file():
        raise Fault(f"{named(path)} is no file: choose a clip", final=True)
    if not os.access(path, os.R_OK):
        raise Fault(f"{named(path)} may not be read: permission denied", final=True)
    if path.stat().st_size == 0:
        raise Fault(f"{named(path)} is empty: choose another clip", final=True)


def listed(path: Path, suffixes: set[str]) -> list[Path]:
    """The pictures of a folder and of its subfolders, by name; a file stands for itself."""
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise Fault(f"{path} does not exist: choose the folder again", final=True)
    found = []
    for where, folders, names in os.walk(path):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [
            Path(where, name)
            for name in sorted(names, key=natural)
            if Path(name).suffix.lower() in suffixes and not name.startswith(".")
        ]
    return found


def no_stream(url: str) -> str:
    """Why a stream does not open, found out by asking its server once more."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    name = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    try:
        port = parts.port or {"http": 80, "https": 443, "rtsp": 554, "rtsps": 322}[parts.scheme]
        with socket.create_connection((host, port), _PATIENCE):
            pass
    except ValueError:
        return f"{name} has a wrong port"
    except socket.gaierror:
        return f"there is no computer called {host!r} in the network"
    except TimeoutError:
        return f"{name} does not answer"
    except ConnectionRefusedError:
        return f"{name} refuses the connection: switch the camera or its server on"
    except OSError as error:
        return f"{name} cannot be reached: {error.strerror or error}"
    if parts.scheme not in ("http", "https"):
        return f"{name} answers, but with no stream: check its path and password"
    return _answer(url, name)


def _answer(url: str, name: str) -> str:
    """What a web server says instead of a stream."""
    parts = urlsplit(url)
    request = urllib.request.Request(
        parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    )
    if parts.username:
        login = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
        request.add_header("Authorization", f"Basic {b64encode(login).decode()}")
    try:
        with urllib.request.urlopen(request, timeout=_PATIENCE) as answer:
            kind = answer.headers.get_content_type()
    except urllib.error.HTTPError as error:
        if error.code in (401, 403):
            return f"{name} asks for a password: write it as http://name:password@…"
        return f"{name} answers with error {error.code}: check its path"
    except Exception:  # whatever a stranger's server can do to a connection
        return f"{name} does not answer"
    if kind.startswith(("multipart/", "video/", "image/")):
        return f"{name} sends no picture that can be read"
    return f"{name} sends {kind}, not a stream of pictures: check its path"
