"""Which engine is the fastest for a model on this machine: measured once, and remembered.

Live recognition starts on torch at once. Meanwhile the other engines are made ready; those that
give equal answers are timed between the answers, and the fastest takes over. What was found is kept
in the cache folder under a digest of the weights.
"""

from __future__ import annotations

import json
import logging
import platform
import tempfile
import threading
from contextlib import suppress
from dataclasses import replace
from hashlib import blake2b
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import torch

from playground.compat import default_threads
from playground.data.cache import cache_folder
from playground.export import export
from playground.files import read_text, write_text
from playground.live.engines import (
    CHANNELS_LAST,
    CUDA,
    CUDA_HALF,
    EAGER,
    ONNX,
    Engine,
    GivenUp,
    Onnx,
    Torch,
    close,
    same,
    takes_images,
)
from playground.live.settings import EngineName
from playground.messages import Array
from playground.model import Model
from playground.project import Project
from playground.runs import RunFolder
from playground.tasks import TaskSettings
from playground.training.checkpoints import Checkpoint

ROUNDS = 12
"""Runs of each engine that are timed; the first two are not counted."""
_WARM_UP = 2
GAIN = 0.95
"""Another engine takes over where its time is below this share of torch's."""
KEPT = 16
"""Files of models that are kept for ONNX Runtime; those unused for longest go first."""


class Choice:
    """Starts with torch; ``current`` changes over when another engine was found to be faster."""

    def __init__(self, model: Model, wanted: EngineName = "auto") -> None:
        self.current: Engine = Torch(model)
        self.times: dict[str, float] = {}
        """Seconds of an inference by the engine's name, once measured or remembered."""
        self.settled = wanted == EAGER
        self.problems: dict[str, str] = {}
        """Why an engine does not take part."""
        self._model, self._wanted = model, wanted
        self._eager = self.current
        self._samples: dict[str, list[float]] = {}
        self._rivals: list[Engine] = []
        self._ready = threading.Event()
        self._closed = threading.Event()
        self._digest = ""
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Make the other engines ready; the first ``turn`` does it otherwise."""
        if not self.settled and self._thread is None:
            self._thread = threading.Thread(target=self._prepare, name="live engines", daemon=True)
            self._thread.start()

    @property
    def stopped(self) -> bool:
        return self._closed.is_set()

    def stop(self) -> None:
        """Begin to give up what is being prepared; returns at once."""
        self._closed.set()

    def close(self) -> None:
        """Give up what is being prepared, and join."""
        self.stop()
        if self._thread is not None:
            self._thread.join()

    def turn(self, raw: dict[str, Array], seconds: float) -> None:
        """After an answer to ``raw`` that took ``seconds``: time the others on the same input, and
        decide when that was done often enough. Called in the thread that answers. The first call
        begins to make them ready: what that takes must not delay the first answer."""
        self.start()
        if self.settled or self.stopped or not self._ready.is_set():
            return
        if self._wanted != "auto" or not self._rivals:
            self._settle(self._rivals[0] if self._rivals else self._eager, remember=False)
            return
        self._samples.setdefault(EAGER, []).append(seconds)
        for rival in tuple(self._rivals):
            if self.stopped:
                return
            started = perf_counter()
            try:
                rival.run(raw)
            except Exception as error:  # a runtime raises nearly anything; torch goes on
                self._rivals.remove(rival)
                self._samples.pop(rival.name, None)
                self._fails(rival.name, error)
                continue
            self._samples.setdefault(rival.name, []).append(perf_counter() - started)
        if self._rivals and len(self._samples[EAGER]) >= ROUNDS:
            self.times = {name: median(s[_WARM_UP:]) for name, s in self._samples.items()}
            fastest = min(self._rivals, key=lambda rival: self.times[rival.name])
            faster = self.times[fastest.name] < GAIN * self.times[EAGER]
            self._settle(fastest if faster else self._eager, remember=True)

    def fall_back(self, error: Exception) -> bool:
        """Torch goes on where another engine failed at an answer; False where it was torch."""
        if self.current is self._eager:
            return False
        self._fails(self.current.name, error)
        self.current = self._eager
        return True

    def _settle(self, engine: Engine, *, remember: bool) -> None:
        self.current, self.settled = engine, True
        self._rivals = []
        if remember:
            found = {"engine": engine.name, "seconds": self.times}
            with suppress(OSError):  # then it is measured again the next time
                _folder().mkdir(parents=True, exist_ok=True)
                write_text(_note(self._digest), json.dumps(found))

    # in the thread that makes engines ready

    def _prepare(self) -> None:
        try:
            self._digest = digest(self._model)
            if self.stopped:
                return
            known = _remembered(self._digest) if self._wanted == "auto" else None
            if known is not None:
                self.times = known["seconds"]
                self._recall(known["engine"])
            if known is None or self.problems:
                self._gather()
        except Exception:
            logging.getLogger(__name__).exception("the engines could not be compared")
        finally:
            self._ready.set()

    def _recall(self, name: str) -> None:
        """Take the engine that was found the fastest before."""
        engine = self._eager if name == EAGER else self._made(name)
        if engine is not None:
            self.current, self.settled = engine, True

    def _gather(self) -> None:
        """Make the engines that may be faster and answer equally."""
        names = _candidates(self._model)
        if self._wanted not in ("auto", *names):
            gpu = self._wanted in (CUDA, CUDA_HALF)
            why = "there is no NVIDIA GPU here" if gpu else "the model takes no pictures"
            self.problems[self._wanted] = why
        for name in names:
            if self._wanted in ("auto", name) and not self.stopped:
                rival = self._made(name)
                if rival is not None:
                    self._rivals.append(rival)

    def _made(self, name: str) -> Engine | None:
        try:
            engine = self._new(name)
            if self.stopped:
                return None
            alike = close if name == CUDA_HALF else same
            if alike(self._model, self._eager, engine, self._closed.is_set):
                return engine
            self.problems[name] = "its answers differ from torch's"
        except GivenUp:
            return None
        except Exception as error:  # exporters and runtimes raise nearly anything
            self._fails(name, error)
        return None

    def _fails(self, name: str, error: Exception) -> None:
        self.problems[name] = " ".join(str(error).split())[:300] or type(error).__name__

    def _new(self, name: str) -> Engine:
        if name == CHANNELS_LAST:
            return Torch(self._model, channels_last=True)
        if name == ONNX:
            return self._onnx()
        from playground.live.cuda import Captured

        return Captured(self._model, half=name == CUDA_HALF)

    def _onnx(self) -> Engine:
        """ONNX Runtime on the model's file, written if it is not there yet, and anew where the one
        that is there was spoilt."""
        path = _folder() / f"{self._digest}.onnx"
        if path.is_file():
            try:
                engine = Onnx(self._model, path)
                with suppress(OSError):  # it was used just now
                    path.touch()
                return engine
            except Exception as error:  # the runtime raises nearly anything
                logging.getLogger(__name__).info("%s is written anew: %s", path, error)
        return Onnx(self._model, self._exported(path))

    def _exported(self, path: Path) -> Path:
        _folder().mkdir(parents=True, exist_ok=True)
        _drop_oldest()
        with tempfile.TemporaryDirectory(prefix="live-") as place:
            run = as_run(self._model, Path(place) / "run")
            export(run.path, "onnx", path, cancelled=self._closed.is_set)
        return path


def _candidates(model: Model) -> list[str]:
    """Engines beside the first that this machine has for ``model``."""
    names = [CHANNELS_LAST, ONNX] if takes_images(model) else [ONNX]
    return [*names, CUDA, CUDA_HALF] if torch.cuda.is_available() else names


def as_run(model: Model, path: Path) -> RunFolder:
    """``model`` written as a run that ``load_model`` reads."""
    run = RunFolder.create(path)
    task = TaskSettings(model.task.id, dict(model.options))
    run.freeze(replace(Project("live"), graph=model.graph, task=task))
    run.update(data=model.dataset.to_json())
    weights = {name: value.cpu() for name, value in model.network.module.state_dict().items()}
    run.save("best", Checkpoint(weights, {}))
    return run


def digest(model: Model) -> str:
    """What changes when an engine's file or its speed may: the network with its weights and
    preprocessing, the libraries, the device, and the number of threads."""
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    about: dict[str, Any] = {
        "graph": model.graph.to_json(),
        "data": model.dataset.to_json(),
        "torch": torch.__version__,
        "onnxruntime": _version("onnxruntime"),
        "device": [platform.machine(), gpu],
        "threads": default_threads(),
    }
    found = blake2b(json.dumps(about, sort_keys=True).encode(), digest_size=16)
    for name, value in sorted(model.network.module.state_dict().items()):
        found.update(name.encode())
        found.update(value.detach().cpu().contiguous().numpy().tobytes())
    return found.hexdigest()


def _version(package: str) -> str | None:
    with suppress(PackageNotFoundError):
        return version(package)
    return None


def _folder() -> Path:
    return cache_folder() / "engines"


def _note(digest: str) -> Path:
    return _folder() / f"{digest}.json"


def _remembered(digest: str) -> dict[str, Any] | None:
    """What was measured before, if it can be read."""
    try:
        found = json.loads(read_text(_note(digest)))
        seconds = {str(name): float(value) for name, value in found["seconds"].items()}
        engine = str(found["engine"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return {"engine": engine, "seconds": seconds} if engine in seconds else None


def _drop_oldest() -> None:
    files = sorted(_folder().glob("*.onnx"), key=lambda path: path.stat().st_mtime)
    for path in files[: max(0, len(files) + 1 - KEPT)]:
        with suppress(OSError):
            path.unlink()
