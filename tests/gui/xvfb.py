"""A real X display, a real mouse and keyboard, and a window in a process of its own."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

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
    """The process of ``module``'s window and the newest of what it tells, a JSON object a line."""

    def __init__(self, display: Display, module: str, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
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

    def wait(
        self,
        condition: Callable[[dict[str, Any]], object],
        seconds: float = PATIENCE_S,
        *,
        settled: bool = True,
    ) -> dict[str, Any]:
        """What the window told when ``condition`` was first true of it, and, if ``settled``, was
        still true when nothing more was changing."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                self.state = json.loads(self._lines.get(timeout=0.4))
                if settled:
                    continue
            except queue.Empty:
                pass
            if self.state and condition(self.state):
                return self.state
        raise AssertionError(f"it did not happen in time; the window is at {self.state}")

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)
        assert self._process.stdout is not None
        self._process.stdout.close()
