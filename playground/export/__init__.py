"""A trained run as something that works without this application: Python source, ONNX, or a
program of torch.export (.pt2).

Preprocessing, class names and units go along, so the exported model answers raw inputs exactly as
the application does; that is checked before anything is written. Exports run in a fresh process: a
failed one spoils torch's exporter for the next.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT = 600.0
POLL = 0.2
TARGETS = {"python": ".py", "onnx": ".onnx", "pt2": ".pt2"}
WEIGHTS = ".safetensors"
VOCABULARY = ".vocabulary.json"


class ExportError(ValueError):
    """This model cannot be exported so, or not written there; the message says why."""


@dataclass(frozen=True, slots=True)
class Export:
    """What was written. ``difference`` is the largest between the exported model's outputs and the
    application's, as a share of the outputs' standard deviation; None where nothing could be run.
    ``text`` says it all in a sentence."""

    path: Path
    target: str
    files: tuple[Path, ...]
    difference: float | None
    text: str

    def to_json(self) -> dict[str, Any]:
        return {
            "to": self.target,
            "files": [str(path) for path in self.files],
            "difference": self.difference,
            "text": self.text,
        }


def files_of(target: str, path: Path) -> tuple[Path, ...]:
    """What an export to ``path`` writes; the vocabulary where the network reads text."""
    if target != "python":
        return (path,)
    return (path, path.with_suffix(WEIGHTS), path.with_suffix(VOCABULARY))


def export(
    run: Path,
    target: str,
    path: Path,
    which: str = "best",
    cancelled: Callable[[], bool] = lambda: False,
) -> Export:
    """Write the model of ``run`` to ``path``, replacing what is there; raises ``ExportError``, also
    soon after ``cancelled`` says so.

    Either everything is written or nothing.
    """
    if target not in TARGETS:
        raise ExportError(f"models are exported to {', '.join(TARGETS)}; got {target!r}")
    path = path.absolute()
    if len(set(files_of(target, path))) < len(files_of(target, path)):
        raise ExportError(f"{path.name} is the name of the weights: call the source NAME.py")
    try:
        with tempfile.TemporaryDirectory(prefix=".export-", dir=path.parent) as folder:
            fresh = Path(folder) / path.name
            found = _in_child(
                {"run": str(run), "target": target, "path": str(fresh), "which": which}, cancelled
            )
            pairs = zip(files_of(target, path), files_of(target, fresh), strict=True)
            written = [(final, made) for final, made in pairs if made.exists()]
            files = tuple(final for final, _ in written)
            # the source last: without its weights it would be of no use
            for final, made in reversed(written):
                made.replace(final)
    except OSError as error:
        raise ExportError(f"{path} cannot be written: {error.strerror or error}") from None
    *first, last = (item.name for item in files)
    names = f"{', '.join(first)} and {last}" if first else last
    text = f"{names} written; {found['text']}"
    return Export(path, target, files, found["difference"], text)


def _in_child(question: dict[str, str], cancelled: Callable[[], bool]) -> dict[str, Any]:
    """Ask ``_child`` in a fresh interpreter; raises ``ExportError`` with its reason."""
    search = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    child = subprocess.Popen(
        [sys.executable, "-m", "playground.export._child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        env={**os.environ, "PYTHONPATH": search},
    )
    with child:
        try:
            output, errors = _communicated(child, json.dumps(question), cancelled)
        except BaseException:
            child.kill()
            raise
    lines = output.splitlines()
    try:
        answer = json.loads(lines[-1])
    except (IndexError, ValueError):
        last = errors.strip().splitlines()
        reason = last[-1] if last else f"its process ended with code {child.returncode}"
        raise ExportError(f"the export failed: {reason}") from None
    if "error" in answer:
        raise ExportError(answer["error"])
    return dict(answer)


def _communicated(
    child: subprocess.Popen[str], question: str, cancelled: Callable[[], bool]
) -> tuple[str, str]:
    """What the child writes to its two outputs until it ends."""
    end = monotonic() + TIMEOUT
    given: str | None = question
    while True:
        try:
            return child.communicate(given, timeout=POLL)
        except subprocess.TimeoutExpired:
            given = None  # it may be given once alone, and goes on being written
            if cancelled():
                raise ExportError("the export was given up") from None
            if monotonic() > end:
                minutes = f"{TIMEOUT / 60:.0f} minutes"
                raise ExportError(f"the export took longer than {minutes}") from None
