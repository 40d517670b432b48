"""On a real X display, with a real mouse: a layer is dragged from the palette and wired."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 30.0


class Display:
    """An X server of its own, at a free number, and the mouse on it."""

    def __init__(self) -> None:
        reader, writer = os.pipe()
        self._server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(writer), "-screen", "0", "1400x900x24", "-nolisten", "tcp"],
            pass_fds=[writer],
            stderr=subprocess.DEVNULL,
        )
        os.close(writer)
        with os.fdopen(reader) as pipe:
            number = pipe.readline().strip()
        assert number, "Xvfb did not start"
        self.environment = {**os.environ, "DISPLAY": f":{number}", "QT_QPA_PLATFORM": "xcb"}

    def mouse(self, *words: object) -> None:
        command = ["xdotool", *map(str, words)]
        subprocess.run(command, env=self.environment, check=True, timeout=PATIENCE_S)

    def drag(self, start: list[int], end: list[int]) -> None:
        """Press, move in steps as a hand does, let go."""
        self.mouse("mousemove", *start)
        time.sleep(0.1)
        self.mouse("mousedown", 1)
        for step in range(1, 13):
            way = [round(a + (b - a) * step / 12) for a, b in zip(start, end, strict=True)]
            self.mouse("mousemove", *way)
            time.sleep(0.03)
        time.sleep(0.2)
        self.mouse("mouseup", 1)

    def close(self) -> None:
        self._server.terminate()
        self._server.wait(PATIENCE_S)


class Window:
    """The window's process and the newest of what it tells."""

    def __init__(self, display: Display) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.gui.builder_window"],
            cwd=ROOT,
            env=display.environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._lines: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        self.state: dict[str, Any] = {}

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)

    def wait(self, condition: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        """What the window told when ``condition`` was first true of it, and still then."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            try:
                self.state = json.loads(self._lines.get(timeout=0.4))
            except queue.Empty:
                if self.state and condition(self.state):
                    return self.state
        raise AssertionError(f"it did not happen in time; the window is at {self.state}")

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)
        assert self._process.stdout is not None
        self._process.stdout.close()


@pytest.fixture
def display() -> Iterator[Display]:
    made = Display()
    yield made
    made.close()


@pytest.fixture
def window(display: Display) -> Iterator[Window]:
    made = Window(display)
    yield made
    made.close()


def between(state: dict[str, Any], source: str, target: str) -> list[int]:
    start = state["nodes"][source]["outputs"]["output"]
    end = state["nodes"][target]["inputs"]["input"]
    return [(a + b) // 2 for a, b in zip(start, end, strict=True)]


def test_drag_from_the_palette_and_wire(display: Display, window: Window) -> None:
    state = window.wait(lambda state: "conv2d" in state["layers"])

    display.drag(state["layers"]["conv2d"], between(state, "conv2d", "max_pool2d"))
    state = window.wait(lambda state: "conv2d2" in state["nodes"])
    assert ["conv2d", "conv2d2"] in state["wires"]
    assert ["conv2d2", "max_pool2d"] in state["wires"]
    assert ["conv2d", "max_pool2d"] not in state["wires"]

    display.drag(state["layers"]["conv1d"], state["empty"])
    state = window.wait(lambda state: "conv1d" in state["nodes"])
    assert not any("conv1d" in wire for wire in state["wires"])

    source = state["nodes"]["conv2d2"]["outputs"]["output"]
    display.drag(source, state["nodes"]["conv1d"]["inputs"]["input"])
    window.wait(lambda state: ["conv2d2", "conv1d"] in state["wires"])
