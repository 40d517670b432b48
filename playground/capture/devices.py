"""Which cameras and microphones there are, asked in a child process: drivers hang and crash."""

from __future__ import annotations

import json
import subprocess
from typing import Any, Literal

from playground.capture.kinds import DeviceInfo
from playground.capture.process import spawn

TIMEOUT = 15.0


def cameras() -> list[DeviceInfo]:
    """Cameras by name; none is opened. Takes half a second and more; never raises."""
    return found("cameras")[0]


def microphones() -> list[DeviceInfo]:
    """Microphones by name, the system's default first. Takes half a second and more; never
    raises."""
    return found("microphones")[0]


def found(what: Literal["cameras", "microphones"]) -> tuple[list[DeviceInfo], str]:
    """Devices by name, and why they cannot be listed ("" where they can)."""
    orders = {"what": what, "title": f"the list of {what}"}
    try:
        child = spawn()
    except OSError as error:
        return [], f"no process can be started: {error.strerror}"
    with child:
        try:
            # standard input stays open meanwhile: its end would end the child
            assert child.stdin is not None
            assert child.stdout is not None
            child.stdin.write(json.dumps(orders).encode() + b"\n")
            child.stdin.flush()
            child.wait(TIMEOUT)
            lines = child.stdout.read().splitlines()
        except subprocess.TimeoutExpired:
            child.kill()
            return [], f"the system has not listed its {what} within {TIMEOUT:.0f} s"
        except OSError:
            lines = []
    return _read(lines, what)


def _read(lines: list[bytes], what: str) -> tuple[list[DeviceInfo], str]:
    for line in reversed(lines):
        try:
            said: dict[str, Any] = json.loads(line)
        except ValueError:
            continue
        if "devices" in said:
            return [DeviceInfo(**item) for item in said["devices"]], ""
        if "fault" in said:
            return [], str(said["fault"])
    return [], f"the list of {what} crashed"
