"""A process that waits for a line, does a piece of work, and answers with a line.

Contenders each live in one: their libraries and thread settings do not touch each other, and only
the one that is asked works.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

ROOT = Path(__file__).resolve().parents[2]


class ChildFailed(RuntimeError):
    """A child process ended early; the message is its last line."""


class Child:
    """Asks a module that was started with ``python -m`` and calls ``serve``."""

    def __init__(
        self,
        module: str,
        arguments: Sequence[str],
        environment: Mapping[str, str | None] | None = None,
    ) -> None:
        self._errors = tempfile.TemporaryFile("w+", errors="replace")  # noqa: SIM115
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        variables = {**os.environ, "PYTHONPATH": path, **(environment or {})}
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            env={key: value for key, value in variables.items() if value is not None},
        )

    def ask(self, **question: Any) -> dict[str, Any]:
        """The answer to a question; raises ``ChildFailed`` where the child has ended."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # where it ended, why is read below
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
        return self.answer()

    def answer(self) -> dict[str, Any]:
        """The next line that is an answer; libraries may print others."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith('{"answer": '):
                return cast("dict[str, Any]", json.loads(line)["answer"])
        self._process.wait()
        self._errors.seek(0)
        lines = [line.strip() for line in self._errors if line.strip()]
        raise ChildFailed(lines[-1] if lines else f"ended with code {self._process.returncode}")

    def close(self) -> None:
        """Let it end; one that does not is killed."""
        if self._process.stdin is not None and not self._process.stdin.closed:
            with suppress(BrokenPipeError):
                self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._errors.close()


def window(*arguments: str) -> Child:
    """A real window without a screen. ``ui`` is run as a program: this package knows no Qt."""
    return Child("ui.bench", arguments, {"QT_QPA_PLATFORM": "offscreen"})


def serve(respond: Callable[[dict[str, Any]], Mapping[str, Any]]) -> None:
    """In the child: answer every line of standard input until it closes."""
    say({"ready": True})
    for line in sys.stdin:
        say(respond(json.loads(line)))


def say(answer: Mapping[str, Any]) -> None:
    print(json.dumps({"answer": answer}), flush=True)
