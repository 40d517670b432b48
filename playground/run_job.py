"""A run as the worker drives it: its state, its pauses and what it tells."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter

from playground.data.dataset import Dataset
from playground.devices import DeviceError
from playground.mailbox import Mailbox
from playground.messages import Progress, State, Status
from playground.project import Project
from playground.runs import RunError, RunFolder, new_run
from playground.tasks.task import SHARES, metric_name
from playground.training.errors import TrainingError
from playground.training.trainer import Result, Step, Trainer

REPORT_SECONDS = 0.1

FOLLOWING: dict[State, tuple[State, ...]] = {
    State.IDLE: (State.PREPARING,),
    State.PREPARING: (State.RUNNING, State.PAUSED, State.STOPPING, State.FINISHED, State.FAILED),
    State.RUNNING: (State.PAUSED, State.STOPPING, State.FINISHED, State.FAILED),
    State.PAUSED: (State.RUNNING, State.STOPPING, State.FAILED),
    State.STOPPING: (State.FINISHED, State.FAILED),
    State.FINISHED: (),
    State.FAILED: (),
}


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be trained. ``resume`` and ``weights_from`` are folders of runs."""

    project: Project
    dataset: Dataset
    files: Path
    resume: Path | None = None
    weights_from: Path | None = None


class RunJob:
    """Trains in turns of one batch. Every method returns within one."""

    def __init__(self, order: Order, mailbox: Mailbox) -> None:
        self.order = order
        self.trainer: Trainer | None = None
        self.status = Status(State.IDLE)
        self._mailbox = mailbox
        self._silent = False
        self._steps: Iterator[Step] = iter(())
        self._batches_left: int | None = None
        """How many batches may be done before a pause; None: any number."""
        self._pace = Pace()
        self._reported = 0.0
        self._to(State.PREPARING, "building the network")

    @property
    def state(self) -> State:
        return self.status.state

    @property
    def waits(self) -> bool:
        """Whether a turn would do nothing."""
        return self.state in (State.PAUSED, State.FINISHED, State.FAILED)

    def turn(self) -> None:
        """Build the network, or learn from one batch; a failure ends the run and nothing else."""
        try:
            if self.trainer is None:
                self._prepare()
                return
            step = next(self._steps, None)
            if step is None:
                self._finish(self.trainer)
            else:
                self._after(step)
        except Exception as error:
            self._fail(error)

    def pause(self) -> None:
        if self.state is State.PREPARING:
            self._batches_left = 0
        elif self.state is State.RUNNING:
            self._batches_left = 0
            self._pause(keep=True)

    def resume(self) -> None:
        self._go(None)

    def step(self) -> None:
        """One batch, then pause."""
        self._go(1)

    def stop(self) -> None:
        """End after the present batch and keep everything."""
        if self.trainer is None:
            self._to(State.FINISHED, "stopped before it began")
        elif self.state in (State.RUNNING, State.PAUSED):
            self.trainer.stop()
            self._to(State.STOPPING, "saving")

    def set_learning_rate(self, rate: float) -> None:
        if self.trainer is not None:
            self.trainer.set_learning_rate(rate)
            self._report()

    def silence(self) -> None:
        """Tell nothing more: the window has turned to something else."""
        self._silent = True

    def close(self) -> None:
        """The program ends: keep a checkpoint from which the run can be resumed."""
        if self.trainer is not None and self.state.busy:
            try:
                self.trainer.suspend()
            except (TrainingError, OSError, ValueError):
                logging.getLogger(__name__).exception("the run could not be saved")

    def _prepare(self) -> None:
        order = self.order
        weights_from = RunFolder(order.weights_from) if order.weights_from else None
        run = RunFolder(order.resume) if order.resume else new_run(order.files)
        try:
            self.trainer = Trainer(
                order.project,
                order.dataset,
                run,
                resume=order.resume is not None,
                weights_from=weights_from,
            )
        except Exception:
            if order.resume is None:
                run.discard()
            raise
        trainer = self.trainer
        self.status = replace(self.status, device=trainer.device.text, run=run.path)
        self._steps = trainer.steps()
        self._pace.start(trainer)
        if self._batches_left == 0:
            self._to(State.PAUSED)
        else:
            self._to(State.RUNNING, "; ".join(trainer.notes))
        self._report()

    def _after(self, step: Step) -> None:
        if step.kind == "train" and self._batches_left is not None:
            self._batches_left -= 1
        if self._batches_left is not None and self._batches_left <= 0 and self.state.busy:
            if self.state is State.RUNNING:
                self._pause(keep=False)
        elif perf_counter() - self._reported > REPORT_SECONDS:
            self._report(step)

    def _go(self, batches: int | None) -> None:
        if self.state not in (State.PREPARING, State.RUNNING, State.PAUSED):
            return
        self._batches_left = batches
        if self.state is State.PAUSED and self.trainer is not None:
            self._pace.start(self.trainer)
            self._to(State.RUNNING)

    def _pause(self, *, keep: bool) -> None:
        assert self.trainer is not None
        try:
            if keep:
                self.trainer.checkpoint()
        except (TrainingError, OSError) as error:
            self._fail(error)
            return
        self._report()
        self._to(State.PAUSED)

    def _finish(self, trainer: Trainer) -> None:
        self._report()
        assert trainer.result is not None
        self._to(State.FINISHED, sentence(trainer.result, trainer.scores.main))

    def _fail(self, error: Exception) -> None:
        node = error.node if isinstance(error, TrainingError) else None
        message = str(error)
        if not isinstance(error, (TrainingError, RunError, DeviceError, ValueError)):
            logging.getLogger(__name__).error("the run failed", exc_info=error)
            message = f"the run ended unexpectedly ({type(error).__name__}: {error})"
        if self.trainer is not None:
            self.trainer.fail(error)
            self._report()
        self.status = replace(self.status, node=node)
        self._to(State.FAILED, message)

    def _to(self, state: State, message: str = "") -> None:
        if state not in FOLLOWING[self.state]:
            raise AssertionError(f"a run cannot go from {self.state} to {state}")
        self.status = replace(self.status, state=state, message=message)
        if not self._silent:
            self._mailbox.post(self.status)

    def _report(self, step: Step | None = None) -> None:
        trainer = self.trainer
        if trainer is None or self._silent:
            return
        self._reported = perf_counter()
        trainer.read_losses()
        self._mailbox.post(trainer.curves.message())
        self._mailbox.post(self._pace.progress(trainer, step))


class Pace:
    """How fast a run is, from the clock on the wall without its pauses."""

    def __init__(self) -> None:
        self._rate = 0.0
        self._at, self._step, self._epoch = 0.0, 0, 0

    def start(self, trainer: Trainer) -> None:
        p = trainer.position
        self._at, self._step, self._epoch = perf_counter(), p.step, p.epoch

    def progress(self, trainer: Trainer, step: Step | None) -> Progress:
        p, epochs = trainer.position, trainer.settings.epochs
        validating = step is not None and step.kind != "train"
        now = perf_counter()
        # a stretch that holds a validation tells nothing of batches
        if p.step > self._step and p.epoch == self._epoch and not validating:
            rate = (p.step - self._step) / (now - self._at)
            self._rate = rate if not self._rate else 0.7 * self._rate + 0.3 * rate
        if p.step > self._step or p.epoch > self._epoch:
            self.start(trainer)
        left = max(0, (epochs - p.epoch) * trainer.batches - p.batch)
        share = p.seconds / p.train_seconds if p.train_seconds else 1.0
        done = trainer.result is not None
        return Progress(
            epoch=min(p.epoch + 1, epochs) if not done else p.epoch,
            epochs=epochs,
            batch=p.batch if p.batch or p.epoch < epochs else trainer.batches,
            batches=trainer.batches,
            batches_per_second=self._rate,
            seconds_left=0.0 if done else left / self._rate * share if self._rate else None,
            learning_rate=trainer.learning_rate,
            validating=validating,
        )


def sentence(result: Result, metric: str) -> str:
    """What a run came to, in a line."""
    how = {"finished": "finished", "early": "stopped early", "stopped": "stopped"}[result.reason]
    text = f"{how} after {result.epochs} epoch{'s' if result.epochs != 1 else ''}"
    for kind in ("test", "validation", "train"):
        value = result.metrics.get(kind, {}).get(metric)
        if value is not None:
            shown = f"{100 * value:.1f} %" if metric in SHARES else f"{value:.4g}"
            return f"{text} · {kind} {metric_name(metric)} {shown} (best epoch {result.best_epoch})"
    return text
