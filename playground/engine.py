"""What the worker thread does: one run, snapshots of a sample, and short jobs, in turns.

Everything here runs in that one thread, which owns the device. A turn is short: one batch of
training, one slice of an evaluation, one snapshot.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter

from models.parameters import Values
from playground.capture import Camera, Microphone
from playground.data.dataset import Dataset
from playground.devices import choose
from playground.evaluation import evaluation
from playground.live.inside import InsideWish
from playground.live.settings import LiveSettings
from playground.live.share import Share, Wish
from playground.mailbox import Mailbox
from playground.messages import (
    Answered,
    Array,
    Estimate,
    Failure,
    Forgotten,
    Loaded,
    PortId,
    RateCurve,
    State,
    Status,
)
from playground.model import Model, ModelError
from playground.probes.look import Looker, Request, Trained
from playground.project import Project
from playground.run_job import Order, RunJob
from playground.runs import RunError, RunFolder, load_model, summary
from playground.training import checkpoints
from playground.training.errors import TrainingError
from playground.training.estimate import estimate
from playground.training.position import saved_curves
from playground.training.rates import rate_curve

LOOK_SHARE = 0.04
"""Of the time, what snapshots may take while a run goes on."""
RATE_CURVE_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Job:
    """Work in turns. The lowest ``priority`` goes first; a new job replaces one of its name."""

    name: str
    priority: int
    steps: Iterator[object]
    failed: Callable[[str, str | None], None]


class Engine:
    """Does one piece of work a ``turn``; never raises because of a job."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox
        self._jobs: dict[str, Job] = {}
        self._run: RunJob | None = None
        self._model: Model | None = None
        self._trained: Trained | None = None
        self._looker = Looker()
        self._request: Request | None = None
        self._rate_hz = 10.0
        self._looked_at, self._look_cost = 0.0, 0.0
        self._looked_step: int | None = None
        self._live: Share | None = None
        choose("cpu").use()

    # commands: each returns at once

    def train(self, order: Order) -> None:
        if self._busy:
            self._mailbox.post(Failure("train", "a run is under way: stop it first"))
            return
        self.cancel()
        self._run = RunJob(order, self._mailbox)

    def control(self, do: Callable[[RunJob], None]) -> None:
        """Pause, go on, step, stop or change the run that is under way, if there is one."""
        if self._run is not None and self._busy:
            do(self._run)
            self._follow_run()

    def stop(self) -> None:
        """End the run; without one, whatever job is under way."""
        if self._busy:
            self.control(RunJob.stop)
        else:
            self.cancel()

    def cancel(self, name: str | None = None) -> None:
        """Give up the job of ``name``, or all."""
        for job in [job for job in self._jobs.values() if name in (None, job.name)]:
            self._end(job)

    def look(self, request: Request, rate_hz: float) -> None:
        self._request, self._rate_hz = request, rate_hz
        self._looked_step = None

    def live(
        self,
        device: Camera | Microphone | None,
        settings: LiveSettings | None,
        rate_hz: float,
        inside: InsideWish | None = None,
        detection: Values | None = None,
    ) -> None:
        """Answer what ``device`` gives from now on, and look inside; None ends it."""
        wish = None
        if device is not None:
            rate = max(0.1, rate_hz)
            wish = Wish(device, settings or LiveSettings(), rate, detection or {})
        if self._live is not None and wish is not None and self._live.want(wish):
            self._live.inside = inside
            return
        if self._live is not None:
            self._live.close()
        self._live = None if wish is None else Share(wish, self._mailbox.post, inside)

    def copied(self) -> Model:
        """The network with the present weights, for another thread; raises ``ModelError``."""
        if self._model is None:
            raise ModelError("there is no trained network yet: run the training first")
        network = self._model.network
        module = copy.deepcopy(network.module).eval()
        return replace(self._model, network=replace(network, module=module))

    def forget(self, number: int = 0) -> None:
        """The window turns to another project: end the run, keep it, and drop its weights."""
        if self._run is not None and self._busy:
            self._run.silence()
            self._run.close()
        self.cancel()
        self.live(None, None, 1)
        self._run = self._model = self._trained = self._request = None
        self._mailbox.post(Forgotten(number))
        self._mailbox.post(Status(State.IDLE, device=choose().text))

    def load_run(self, path: Path) -> None:
        self._start("load the run", 2, self._load_run(path))

    def evaluate(self, dataset: Dataset, split: str) -> None:
        self._start("evaluate", 3, self._evaluate(dataset, split))

    def predict(self, token: Hashable, raw: Mapping[str, Array]) -> None:
        def failed(message: str, node: str | None) -> None:
            self._mailbox.post(Answered(token, None, problem=message))

        name = f"predict {token}"
        self._jobs[name] = Job(name, 0, self._predict(token, raw), failed)

    def estimate(self, project: Project, dataset: Dataset) -> None:
        if not self._busy:
            self._start("estimate", 4, self._estimate(project, dataset))

    def find_learning_rate(self, project: Project, dataset: Dataset) -> None:
        if self._busy:
            text = "a run is under way: stop it before looking for a learning rate"
            self._mailbox.post(Failure("find a learning rate", text))
            return
        self._start("find a learning rate", 5, self._find_rate(project, dataset))

    def close(self) -> None:
        """The program ends: a run keeps a checkpoint."""
        self.cancel()
        self.live(None, None, 1)
        if self._run is not None:
            self._run.close()
            self._run = None

    # turns

    def turn(self) -> float | None:
        """Do the most pressing piece of work. Returns the seconds until there is more: 0 for at
        once, None for not before a command."""
        job = min(self._jobs.values(), key=lambda job: job.priority, default=None)
        if job is not None and job.priority == 0:
            self._advance(job)
            return 0
        look, live = self._look_wait(), self._live_wait()
        if live == 0:
            self._answer_live()
        elif look == 0:
            self._look()
        elif job is not None:
            self._advance(job)
        elif self._run is not None and self._busy and not self._run.waits:
            self._train(self._run)
        else:
            return min((wait for wait in (look, live) if wait is not None), default=None)
        return 0

    def _train(self, run: RunJob) -> None:
        """A batch."""
        started = perf_counter()
        run.turn()
        seconds = perf_counter() - started
        self._follow_run()
        if self._live is None:
            return
        if self._busy:
            self._live.after_batch(self._model, seconds, self._steps())
        else:
            self._live.at_rest()

    @property
    def _busy(self) -> bool:
        return self._run is not None and self._run.state.busy

    def _start(self, name: str, priority: int, steps: Iterator[object]) -> None:
        def failed(message: str, node: str | None) -> None:
            self._mailbox.post(Failure(name, message, node))

        self.cancel(name)
        self._jobs[name] = Job(name, priority, steps, failed)

    def _advance(self, job: Job) -> None:
        try:
            next(job.steps)
        except StopIteration:
            self._jobs.pop(job.name, None)
        except Exception as error:
            self._jobs.pop(job.name, None)
            if not isinstance(error, (TrainingError, ValueError, LookupError)):
                logging.getLogger(__name__).error("%s failed", job.name, exc_info=error)
            job.failed(str(error) or type(error).__name__, getattr(error, "node", None))

    def _end(self, job: Job) -> None:
        self._jobs.pop(job.name, None)
        close = getattr(job.steps, "close", None)
        if close is not None:
            close()

    def _follow_run(self) -> None:
        """Take over the network of a run that was built or has just ended."""
        run = self._run
        if run is None or run.trainer is None:
            return
        if run.state is State.FAILED:
            self._run = None
            self._keep_last_good(run)
        elif run.state is State.FINISHED:
            self._run = None
            self._model, self._trained = _model(run), _trained(run)
            self._looked_step = None
        elif self._model is None or self._model.network is not run.trainer.learner.network:
            self._model = _model(run)

    def _keep_last_good(self, run: RunJob) -> None:
        """After a failure, answer with the last checkpoint's weights, if there are any."""
        self._model = self._trained = None
        assert run.trainer is not None
        learner, folder = run.trainer.learner, run.trainer.run
        try:
            saved = folder.checkpoint("last")
            checkpoints.load_weights(learner.module, saved.weights)
        except (RunError, ValueError):
            return
        self._model, self._trained = _model(run), _trained(run)
        self._looked_step = None

    # looking

    def _source(self) -> Trained | None:
        if self._run is not None and self._run.trainer is not None:
            return _trained(self._run)
        return self._trained

    def _look_wait(self) -> float | None:
        """Seconds until a snapshot is due; None where nothing has changed."""
        if self._request is None:
            return None
        trained = self._source()
        step = trained.step if trained else 0
        if step == self._looked_step:
            return None
        gap = 0.0 if self._looked_step is None else 1 / max(0.1, self._rate_hz)
        if self._busy:
            gap = max(gap, self._look_cost / LOOK_SHARE)
        return max(0.0, self._looked_at + gap - perf_counter())

    def _look(self) -> None:
        assert self._request is not None
        started = perf_counter()
        trained = self._source()
        self._looked_step = trained.step if trained else 0
        self._mailbox.post(self._looker.snapshot(self._request, trained))
        self._looked_at = perf_counter()
        self._look_cost = self._looked_at - started

    # a live view

    def _live_wait(self) -> float | None:
        """Seconds until the newest frame is to be answered; None where there is none."""
        return None if self._live is None else self._live.due(self._model)

    def _answer_live(self) -> None:
        assert self._live is not None
        assert self._model is not None
        others = bool(self._jobs) or self._look_wait() == 0
        training = self._run is not None and not self._run.waits
        self._live.turn(self._model, self._steps(), training=training or others)

    def _steps(self) -> int:
        """How many batches the present weights have learnt from."""
        trained = self._source()
        return trained.step if trained else 0

    # jobs

    def _load_run(self, path: Path) -> Iterator[None]:
        if self._busy:
            raise ModelError("a run is under way: stop it before opening another")
        run = RunFolder(path)
        model = load_model(run, "best" if run.has("best") else "last")
        yield
        found = summary(run)
        text = f"run {run.name}: {found.epochs} epoch{'s' if found.epochs != 1 else ''}"
        if not found.epochs and found.message:
            text = f"run {run.name} {found.message}"
        if found.resumable:
            text += ", can be resumed"
        curves = saved_curves(run)
        self._run, self._model = None, model
        self._trained = Trained(model.network, model.graph, max(1, found.epochs), model.device)
        self._looked_step = None
        self._mailbox.post(curves.message())
        self._mailbox.post(Status(State.IDLE, text, found.device, path))
        self._mailbox.post(Loaded(path, text))

    def _evaluate(self, dataset: Dataset, split: str) -> Iterator[object]:
        if self._model is None:
            raise ModelError("there is no trained network yet: run the training first")
        result = yield from evaluation(self._model, dataset, split)
        self._mailbox.post(result)

    def _predict(self, token: Hashable, raw: Mapping[str, Array]) -> Iterator[None]:
        model = self._model
        if model is None:
            raise ModelError("there is no trained network yet: run the training first")
        batch = model.prepared(raw)
        outputs = model.answers(batch)
        values: dict[PortId, Array] = {}
        arguments = [batch[name] for name in model.wires.arguments]
        if len(arguments[0]) == 1:
            values, _ = self._looker.tapped(model.network).values(arguments)
        self._mailbox.post(Answered(token, outputs[0], values))
        yield

    def _estimate(self, project: Project, dataset: Dataset) -> Iterator[None]:
        for value in estimate(project, dataset):
            if isinstance(value, Estimate):
                self._mailbox.post(value)
            yield

    def _find_rate(self, project: Project, dataset: Dataset) -> Iterator[RateCurve]:
        posted = 0.0
        for curve in rate_curve(project, dataset):
            if curve.finished or perf_counter() - posted > RATE_CURVE_SECONDS:
                self._mailbox.post(curve)
                posted = perf_counter()
            yield curve


def _model(run: RunJob) -> Model:
    trainer = run.trainer
    assert trainer is not None
    learner, project = trainer.learner, trainer.project
    return Model(
        learner.network,
        project.graph,
        trainer.dataset,
        learner.task,
        project.task.options,
        learner.wires,
        trainer.device.torch,
        trainer.run,
    )


def _trained(run: RunJob) -> Trained:
    trainer = run.trainer
    assert trainer is not None
    network, step = trainer.learner.network, trainer.position.step
    return Trained(network, trainer.project.graph, step, trainer.device.torch)
