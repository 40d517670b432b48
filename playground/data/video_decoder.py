"""Clips decoded by child processes, so that a decoder that crashes or hangs costs one clip."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import weakref
from pathlib import Path
from queue import LifoQueue
from typing import Any

import numpy as np
import numpy.typing as npt

from playground.data.errors import DataError
from playground.data.video_reading import VideoReading

Pixels = npt.NDArray[np.uint8]

PATIENCE = 30.0
"""Seconds that decoding a clip may take."""

ROOT = Path(__file__).resolve().parents[2]


class Decoders:
    """A few child processes, started when they are first needed. Every method may be called from
    several threads; at most ``count`` clips are decoded at a time."""

    def __init__(self, count: int, patience: float = PATIENCE) -> None:
        self.count = count
        self._patience = patience
        self._idle: LifoQueue[_Child | None] = LifoQueue()
        for _ in range(count):
            self._idle.put(None)
        self._close = weakref.finalize(self, _end, self._idle)

    def __enter__(self) -> Decoders:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the processes; another ``read`` starts new ones."""
        _end(self._idle)

    def read(self, path: Path, reading: VideoReading) -> Pixels:
        """The frames T×C×H×W of a clip; raises ``DataError`` naming the file."""
        _check_file(path)
        question = {"path": os.path.abspath(path), **reading.to_json()}
        child = self._idle.get()
        try:
            if child is None:
                child = _Child()
            content = child.ask(question, self._patience)
        except _ChildEnded as ended:
            child = None
            raise DataError(f"{path.name} {ended}") from None
        except BaseException:
            if child is not None:
                child.end()
                child = None
            raise
        finally:
            self._idle.put(child)
        if isinstance(content, str):
            raise DataError(f"{path.name} {content}")
        size = (reading.frames, reading.channels, reading.height, reading.width)
        return np.frombuffer(content, np.uint8).reshape(size)


class _ChildEnded(Exception):
    """What is wrong with the clip that the child died of."""


class _Child:
    """One decoding process."""

    def __init__(self) -> None:
        search = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "playground.data.video_child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": search, "OMP_NUM_THREADS": "1"},
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )

    def ask(self, question: dict[str, Any], patience: float) -> bytes | str:
        """The clip's bytes, or what is wrong with it; raises ``_ChildEnded``."""
        late = threading.Event()

        def give_up() -> None:
            late.set()
            self._process.kill()

        watch = threading.Timer(patience, give_up)
        watch.daemon = True
        watch.start()
        try:
            return self._exchanged({**question, "seconds": 2 * patience})
        except (OSError, ValueError, EOFError):
            self.end()
            if late.is_set():
                raise _ChildEnded(
                    f"was not decoded within {patience:g} s: cut it into shorter clips"
                ) from None
            raise _ChildEnded("makes its decoder crash: it is damaged") from None
        finally:
            watch.cancel()

    def _exchanged(self, question: dict[str, Any]) -> bytes | str:
        asking, answering = self._process.stdin, self._process.stdout
        assert asking is not None
        assert answering is not None
        asking.write(json.dumps(question).encode() + b"\n")
        asking.flush()
        answer = json.loads(answering.readline())
        if "error" in answer:
            return str(answer["error"])
        content = answering.read(answer["bytes"])
        if len(content) != answer["bytes"]:
            raise EOFError
        return content

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):  # a question that it did not take any more
                    pipe.close()


def _end(idle: LifoQueue[_Child | None]) -> None:
    """End the processes that do nothing; those at work end with their clip."""
    children = [idle.get() for _ in range(idle.qsize())]
    for child in children:
        if child is not None:
            child.end()
        idle.put(None)


def _check_file(path: Path) -> None:
    try:
        if path.exists() and not path.is_file():
            raise DataError(f"{path} is no file")
        with path.open("rb") as file:
            empty = not file.read(1)
    except FileNotFoundError:
        raise DataError(f"{path} does not exist") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from None
    if empty:
        raise DataError(f"{path.name} is empty")
