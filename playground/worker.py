"""The one background thread that owns the device. Torch is loaded in it, behind the window."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from models.parameters import Values
from playground.background import Newest
from playground.mailbox import Mailbox
from playground.messages import (
    Array,
    DataFailed,
    DataProgress,
    DataReady,
    Exported,
    Failure,
    PortId,
    State,
    Status,
)

if TYPE_CHECKING:
    from playground.capture import Camera, Microphone
    from playground.data.dataset import Dataset
    from playground.data.settings import DataSettings
    from playground.data.source import Place
    from playground.engine import Engine
    from playground.live.inside import InsideWish
    from playground.live.settings import LiveSettings
    from playground.model import Model
    from playground.project import Project

LONGEST_WAIT = 0.5
"""Seconds after which the heart beats though nothing happens."""

Command = Callable[["Engine"], None]


class Worker:
    """Every method returns at once and may be called from any thread; what comes of it is posted
    to ``mailbox``. Commands are looked at between two batches."""

    def __init__(self) -> None:
        self.mailbox = Mailbox()
        self._commands: queue.SimpleQueue[Command | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="worker", daemon=True)
        self._data = Newest("data")
        self._exports = Newest("export")
        self._to_export: queue.SimpleQueue[tuple[Path, str, Path]] = queue.SimpleQueue()
        self._closing = threading.Event()
        self._beat = monotonic()
        self._started = False

    def start(self) -> None:
        self._started = True
        self._thread.start()

    def close(self, timeout: float = 10.0) -> bool:
        """End after the present batch, keep a checkpoint of a run, and join. False where the
        thread did not end within ``timeout`` seconds."""
        self._commands.put(None)
        self._closing.set()
        self._data.close(timeout=0.2)
        self._exports.close(timeout=1.0)  # its process is ended
        if self._started:
            self._thread.join(timeout)
        return not self._thread.is_alive()

    @property
    def silent_seconds(self) -> float:
        """How long ago the worker last gave a sign of life: over a few seconds, a batch is long or
        a driver hangs."""
        return monotonic() - self._beat

    # data

    def open_data(self, settings: DataSettings, base: Path | Place) -> None:
        """Read data; ``DataReady`` or ``DataFailed`` follows, for the newest request alone."""
        self._data.do(lambda overtaken: self._open_data(settings, base, overtaken))

    def cancel_data(self) -> None:
        """Give up reading data; no answer follows."""
        self._data.do(lambda overtaken: None)

    # a run

    def train(
        self,
        project: Project,
        dataset: Dataset,
        files: Path,
        resume: Path | None = None,
        weights_from: Path | None = None,
    ) -> None:
        """Start a run in a new folder under ``files``, or go on with the run ``resume``."""

        def command(engine: Engine) -> None:
            from playground.run_job import Order

            engine.train(Order(project, dataset, files, resume, weights_from))

        self._commands.put(command)

    def pause(self) -> None:
        self._commands.put(lambda engine: engine.control(lambda run: run.pause()))

    def resume(self) -> None:
        self._commands.put(lambda engine: engine.control(lambda run: run.resume()))

    def step(self) -> None:
        """One batch, then pause."""
        self._commands.put(lambda engine: engine.control(lambda run: run.step()))

    def stop(self) -> None:
        """End the run and keep it; without a run, give up the job under way."""
        self._commands.put(lambda engine: engine.stop())

    def set_learning_rate(self, rate: float) -> None:
        self._commands.put(lambda engine: engine.control(lambda run: run.set_learning_rate(rate)))

    def forget(self, number: int = 0) -> None:
        """The window turns to another project: end and keep the run, and drop its weights.
        ``Forgotten`` with ``number`` divides what was said before from what is said after."""
        self._commands.put(lambda engine: engine.forget(number))

    # looking and answering

    def look(
        self,
        project: Project,
        dataset: Dataset | None,
        sample: int | Mapping[str, Array],
        wanted: frozenset[PortId] | None = frozenset(),
        rate_hz: float = 10.0,
    ) -> None:
        """Send snapshots of ``sample`` (an index, or raw values of each input without batch axis)
        from now on: one at once, and one as often as ``rate_hz`` while the weights change.

        Each node's value comes thinned; those of the ports ``wanted`` (None: all) come whole.
        Weights are the newest of the run or of the loaded run where they fit, else initial ones.
        """

        def command(engine: Engine) -> None:
            from playground.probes.look import Request

            engine.look(Request(project, dataset, sample, wanted), rate_hz)

        self._commands.put(command)

    def load_run(self, run: Path) -> None:
        """Answer with the best weights of ``run`` from now on, and show its curves."""
        self._commands.put(lambda engine: engine.load_run(run))

    def evaluate(self, project: Project, dataset: Dataset, split: str = "test") -> None:
        """``Evaluation`` of the present weights on a split."""
        self._commands.put(lambda engine: engine.evaluate(dataset, split))

    def predict(self, token: Hashable, raw: Mapping[str, Array]) -> None:
        """``Answered`` with ``token`` for one raw sample: arrays (1, …) for each input."""
        self._commands.put(lambda engine: engine.predict(token, raw))

    def live(
        self,
        device: Camera | Microphone | None,
        settings: LiveSettings | None = None,
        rate_hz: float = 10.0,
        inside: InsideWish | None = None,
        detection: Values | None = None,
    ) -> None:
        """``LiveAnswered`` to what ``device`` gives from now on, at most ``rate_hz`` times a
        second; None ends it. The network is that of the run under way, between its batches and with
        the newest weights, or the one that was loaded. The device stays the caller's. With
        ``inside``, which may change from call to call, ``LookedInside`` as well; ``detection`` are
        values for the parameters of a network that finds objects."""

        def command(engine: Engine) -> None:
            engine.live(device, settings, rate_hz, inside, detection)

        self._commands.put(command)

    def copied(self) -> Future[Model]:
        """A copy of the network as it is between two batches, the caller's own; ``ModelError``
        where there is none yet."""
        found: Future[Model] = Future()

        def command(engine: Engine) -> None:
            try:
                found.set_result(engine.copied())
            except Exception as error:
                found.set_exception(error)

        self._commands.put(command)
        return found

    # before and after a run

    def estimate(self, project: Project, dataset: Dataset) -> None:
        """``Estimate`` of an epoch, measured; not while a run is under way."""
        self._commands.put(lambda engine: engine.estimate(project, dataset))

    def find_learning_rate(self, project: Project, dataset: Dataset) -> None:
        """``RateCurve`` several times, the last one finished."""
        self._commands.put(lambda engine: engine.find_learning_rate(project, dataset))

    def export(self, run: Path, target: str, path: Path) -> None:
        """``Exported`` or ``Failure``; runs beside the worker in a process of its own, after those
        that were asked for before."""
        self._to_export.put((run, target, path))
        self._exports.do(lambda overtaken: self._export_all())

    # in the worker's thread

    def _work(self) -> None:
        try:
            from playground.preload import preload_torch

            preload_torch()
            from playground.engine import Engine

            engine = Engine(self.mailbox)
        except Exception as error:
            logging.getLogger(__name__).exception("the worker could not start")
            text = f"PyTorch cannot be used ({error}): `playground doctor` tells what is wrong"
            self.mailbox.post(Status(State.FAILED, text))
            self.mailbox.post(Failure("start", text))
            return
        wait: float | None = 0.0
        while self._obey(engine, wait):
            self._beat = monotonic()
            try:
                wait = engine.turn()
            except Exception as error:
                logging.getLogger(__name__).exception("a turn of the worker failed")
                self.mailbox.post(Failure("work", f"{type(error).__name__}: {error}"))
                wait = LONGEST_WAIT
        engine.close()

    def _obey(self, engine: Engine, wait: float | None) -> bool:
        """Take every command that waits, or wait for one; False at the end."""
        timeout = LONGEST_WAIT if wait is None else min(wait, LONGEST_WAIT)
        while True:
            try:
                command = self._commands.get(block=timeout > 0, timeout=timeout or None)
            except queue.Empty:
                return True
            if command is None:
                return False
            timeout = 0.0
            try:
                command(engine)
            except Exception as error:
                logging.getLogger(__name__).exception("a command failed")
                self.mailbox.post(Failure("work", f"{type(error).__name__}: {error}"))

    # beside it

    def _open_data(
        self, settings: DataSettings, base: Path | Place, overtaken: Callable[[], bool]
    ) -> None:
        def progress(text: str, fraction: float | None) -> None:
            if overtaken():
                raise _Overtaken
            self.mailbox.post(DataProgress(text, fraction))

        answer: DataReady | DataFailed
        try:
            from playground.data import open_data

            answer = DataReady(open_data(settings, base, progress), settings)
        except _Overtaken:
            return
        except ValueError as error:
            answer = DataFailed(str(error), settings)
        except Exception as error:
            logging.getLogger(__name__).exception("data could not be opened")
            text = f"the data cannot be opened ({type(error).__name__}: {error})"
            answer = DataFailed(text, settings)
        if not overtaken():
            self.mailbox.post(answer)

    def _export_all(self) -> None:
        with suppress(queue.Empty):
            while not self._closing.is_set():
                self._export(*self._to_export.get_nowait())

    def _export(self, run: Path, target: str, path: Path) -> None:
        try:
            from playground.export import export

            done = export(run, target, path, cancelled=self._closing.is_set)
            self.mailbox.post(Exported(done.path, done.text))
        except Exception as error:
            if not isinstance(error, (ValueError, OSError)):
                logging.getLogger(__name__).exception("an export failed")
            self.mailbox.post(Failure("export", str(error)))


class _Overtaken(Exception):
    """Nobody waits for these data any more."""
