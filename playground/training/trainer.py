"""Training as a generator: one step a batch, so that whoever drives it can pause, look, save or
stop between any two of them, and a run that was cut off goes on as if nothing had happened."""

from __future__ import annotations

import math
import random
from collections.abc import Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from torch import Tensor

from playground.data.dataset import Dataset
from playground.data.splits import digests
from playground.devices import choose
from playground.runs import Row, RunFolder, versions
from playground.training import checkpoints
from playground.training.carry import TUNED, by_example, carry, last_run
from playground.training.checkpoints import Checkpoint
from playground.training.diagnosis import explain, spoilt_weights
from playground.training.errors import TrainingError
from playground.training.feed import Batch, Feed, open_feed, split_batches
from playground.training.history import Curves
from playground.training.learner import Learner, same_network
from playground.training.position import Position, restore, save, threads_of
from playground.training.schedules import factor
from playground.training.scores import Scores

if TYPE_CHECKING:
    from playground.project import Project

Kind = Literal["train", "validation", "test"]
SPLITS: tuple[Kind, ...] = ("train", "validation", "test")

FLAT = 1e-4
"""The share by which a loss must fall not to be on a plateau."""
SAVE_SECONDS = 5.0
SAVE_EPOCH_SECONDS = 2.0
SAVE_SHARE = 0.02
"""Checkpoints come at epoch ends and every few seconds, and take at most this share of the time."""
CHECK_EVERY = 50
"""Batches between two looks at the loss where reading it stalls the device."""


@dataclass(frozen=True, slots=True)
class Step:
    """One batch is done: ``batch`` of ``batches`` in ``epoch``, all counted from 1."""

    kind: Kind
    epoch: int
    batch: int
    batches: int


Reason = Literal["finished", "early", "stopped"]


@dataclass(frozen=True)
class Result:
    """What a run came to: the metrics of the best epoch by split."""

    reason: Reason
    epochs: int
    best_epoch: int | None
    metrics: dict[Kind, dict[str, float]] = field(default_factory=dict)
    seconds: float = 0.0
    samples_per_second: float = 0.0


class Trainer:
    """Trains ``project`` on ``dataset`` and keeps what it learns in ``run``.

    ``resume`` goes on from the run's last checkpoint, with the same losses to the last bit on the
    same CPU. ``weights_from`` starts with the weights of another run that fit by node and shape;
    where the last layer alone learns, it is the project's last run unless another is given.
    Raises ``TrainingError``, ``RunError`` or ``DeviceError`` where it cannot start.
    """

    def __init__(
        self,
        project: Project,
        dataset: Dataset,
        run: RunFolder,
        *,
        device: str | None = None,
        resume: bool = False,
        weights_from: RunFolder | None = None,
    ) -> None:
        self.project, self.dataset, self.run = project, dataset, run
        self.settings = settings = project.training
        if not len(dataset.splits["train"]):
            raise TrainingError("there are no samples to train on: change the data or the split")
        saved = run.checkpoint("last") if resume else None
        if saved and not same_network(run.project().graph, project.graph):
            raise TrainingError(
                f"the network was changed since run {run.name}: start a new run with its weights"
            )
        self.device = choose(
            device or settings.device, threads_of(saved) if saved else settings.threads
        )
        self.device.use()
        self.learner = Learner(project, dataset, self.device)
        self.notes: list[str] = []
        if settings.learns == "head" and not resume and weights_from is None:
            weights_from = last_run(project, run)
        if weights_from is not None:
            self.notes.append(carry(weights_from, self.learner.network, project.graph, dataset))
        self.tuned = weights_from is not None and by_example(weights_from)
        free = self.device.memory()
        self.feeds: dict[Kind, Feed] = {
            kind: open_feed(
                dataset,
                dataset.splits[kind],
                self.device.torch,
                free,
                settings.seed if kind == "train" else None,
            )
            for kind in SPLITS
        }
        self.batches = len(self._split(torch.arange(len(self.feeds["train"]))))
        self.scores = self._scores()
        self.curves = Curves(self.scores.main, self.scores.better, self.scores.unit)
        self.position = Position(learning_rate=settings.learning_rate)
        self.result: Result | None = None
        self.order = torch.empty(0, dtype=torch.int64)
        self.losses = torch.zeros(self.batches, device=self.device.torch)
        self._losses_read = 0
        self._rows: list[Row] = []
        self._best: Checkpoint | None = None
        self._stop = self._ended = False
        self._saved_at, self._save_cost = 0.0, 0.0
        torch.manual_seed(settings.seed)
        random.seed(settings.seed)
        np.random.seed(settings.seed)
        if saved:
            restore(self, saved)
            self._losses_read = self.position.batch
        run.claim()
        run.freeze(project)
        run.keep_metrics(self.position.epoch)

    # what may be asked between two steps

    def stop(self) -> None:
        """End after the present batch and keep everything. May be called from a signal handler."""
        self._stop = True

    @property
    def learning_rate(self) -> float:
        """The rate of the next batch, the schedule included."""
        p = self.position
        share = factor(self.settings, p.step, self.settings.epochs * self.batches, p.epoch)
        return p.learning_rate * p.reduced * share

    def set_learning_rate(self, rate: float) -> None:
        """Change the rate that the schedule starts from."""
        self.position.learning_rate = rate

    def read_losses(self) -> None:
        """Fetch the losses since the last call from the device into the curves."""
        p = self.position
        if p.batch > self._losses_read:
            fresh = self.losses[self._losses_read : p.batch].cpu().double().numpy()
            x = p.epoch + np.arange(self._losses_read + 1, p.batch + 1) / self.batches
            self.curves.add_losses(x, fresh)
            self._losses_read = p.batch

    # the run

    def steps(self) -> Iterator[Step]:
        """Train until the last epoch, an early stop, or ``stop()``; ``result`` then has a value.

        Raises ``TrainingError`` with the last good checkpoint kept.
        """
        steps, position = self._steps(), self.position
        try:
            while True:
                started = perf_counter()
                step = next(steps, None)
                elapsed = perf_counter() - started
                position.seconds += elapsed
                if step is None:
                    return
                if step.kind == "train":
                    position.train_seconds += elapsed
                yield step
        except OSError as error:
            problem = TrainingError(f"{self.run.path} cannot be written: {error.strerror or error}")
            self.fail(problem)
            raise problem from error
        except TrainingError as error:
            self.fail(error)
            raise

    def _steps(self) -> Iterator[Step]:
        self._announce()
        if not self.run.has("last"):
            self.checkpoint()
        while not self._over() and not self._stop:
            yield from self._train_epoch()
            if self._stop:
                break
            validation = yield from self._score("validation")
            if validation is None:
                break
            self._end_epoch(validation)
        yield from self._finish()

    def _over(self) -> bool:
        p, patience = self.position, self.settings.early_stopping
        return p.epoch >= self.settings.epochs or (patience is not None and p.waited >= patience)

    def _train_epoch(self) -> Iterator[Step]:
        p = self.position
        if not p.batch:
            # the order follows from the seed and the epoch alone
            generator = torch.Generator().manual_seed(self.settings.seed * 1_000_003 + p.epoch)
            order = torch.randperm(len(self.feeds["train"]), generator=generator)
            self.order = order.to(self.device.torch)
        left = self._split(self.order)[p.batch :]
        for chosen, batch in self.feeds["train"].batches(left, draw=p.step):
            try:
                self._learn(batch)
            except Exception as error:
                raise self._explained(error, "train", batch, chosen) from error
            yield Step("train", p.epoch + 1, p.batch, self.batches)
            if self._stop:
                return
            if self._due(SAVE_SECONDS):
                self.checkpoint()

    def _learn(self, batch: Batch) -> None:
        p = self.position
        self.learner.set_rate(self.learning_rate)
        check = self.device.kind == "cpu" or p.step % CHECK_EVERY == 0
        loss, pairs = self.learner.train(batch, check=check)
        self.losses[p.batch] = loss
        self.scores.update(pairs)
        p.batch += 1
        p.step += 1

    def _score(self, kind: Kind) -> Generator[Step, None, dict[str, float] | None]:
        """Loss and metrics of a split with the present weights; None where it was stopped."""
        feed, learner = self.feeds[kind], self.learner
        if not len(feed):
            return {}
        order = torch.arange(len(feed), device=self.device.torch)
        slices = torch.split(order, max(64, 2 * self.settings.batch_size))
        scores, count = self._scores(), 0
        losses: list[Tensor] = []
        for chosen, batch in feed.batches(slices):
            learner.module.eval()
            try:
                with torch.no_grad():
                    pairs = learner.forward(batch)
                    losses.append(learner.loss(pairs) * len(chosen))
                    count += len(chosen)
                    scores.update(pairs)
            except Exception as error:
                raise self._explained(error, kind, batch, chosen) from error
            finally:
                learner.module.train()
            yield Step(kind, self.position.epoch + 1, len(losses), len(slices))
            if self._stop:
                return None
        return {"loss": float(torch.stack(losses).sum()) / count, **scores.values()}

    def _end_epoch(self, validation: dict[str, float]) -> None:
        p = self.position
        self.read_losses()
        sizes = torch.tensor([len(chosen) for chosen in self._split(self.order)]).double()
        loss = float((self.losses.cpu().double() * sizes).sum() / sizes.sum())
        train = {"loss": loss, **self.scores.values()}
        rate = self.learning_rate
        p.epoch, p.batch, self._losses_read = p.epoch + 1, 0, 0
        self.scores.reset()
        best = self._judge(validation or train)
        self.curves.add_epoch(
            p.epoch,
            (train["loss"], validation.get("loss", math.nan)),
            (train[self.scores.main], validation.get(self.scores.main, math.nan)),
            best=best,
        )
        self._rows.append(
            {
                "epoch": p.epoch,
                "step": p.step,
                "seconds": round(p.seconds, 3),
                "learning_rate": rate,
            }
            | {f"train_{name}": value for name, value in train.items()}
            | {f"validation_{name}": value for name, value in validation.items()}
        )
        if self._due(SAVE_EPOCH_SECONDS):
            self.checkpoint(best=best)
        elif best:
            self._best = self._weights(copy=True)

    def _judge(self, values: dict[str, float]) -> bool:
        """Whether this epoch is the best so far; also moves plateaus and early stopping on."""
        p, settings = self.position, self.settings
        metric, loss = values[self.scores.main], values["loss"]
        sign = 1 if self.scores.better == "higher" else -1
        ahead = sign * (metric - p.best_metric)
        best = p.best_epoch is None or ahead > 0 or (ahead == 0 and loss < p.best_loss)
        if best:
            p.best_epoch, p.best_metric, p.best_loss, p.waited = p.epoch, metric, loss, 0
        else:
            p.waited += 1
        if loss < p.plateau_loss * (1 - FLAT):
            p.plateau_loss, p.plateau_waited = loss, 0
        else:
            p.plateau_waited += 1
        if settings.schedule == "plateau" and p.plateau_waited > settings.plateau_patience:
            p.reduced *= settings.reduce_by
            p.plateau_waited = 0
        return best

    def _finish(self) -> Iterator[Step]:
        """Save, put the best weights into the network, and judge them on the test split."""
        p = self.position
        early = p.epoch < self.settings.epochs
        reason: Reason = "stopped" if self._stop else "early" if early else "finished"
        self.checkpoint(best=p.best_epoch is None)
        self._ended = True
        checkpoints.load_weights(self.learner.module, self.run.checkpoint("best").weights)
        rows = [row for row in self.run.metrics() if row["epoch"] == p.best_epoch]
        metrics = {kind: _part(rows[-1], kind) for kind in SPLITS} if rows else {}
        if not self._stop:
            metrics["test"] = (yield from self._score("test")) or {}
        trained = p.epoch * len(self.feeds["train"]) + p.batch * self.settings.batch_size
        speed = trained / p.train_seconds if p.train_seconds else 0.0
        self.result = Result(reason, p.epoch, p.best_epoch, metrics, p.seconds, speed)
        self.run.update(
            state="finished" if reason != "stopped" else "stopped",
            reason=reason,
            result=metrics,
            seconds=round(p.seconds, 3),
            samples_per_second=round(speed, 1),
            process=None,
        )

    # keeping it

    def checkpoint(self, *, best: bool = False) -> None:
        """Write everything that a resumed run needs; ``best``: these are the best weights too.

        Raises ``TrainingError`` rather than save weights that are no numbers.
        """
        if self._ended:  # everything is saved, and the network holds the best weights
            return
        started = perf_counter()
        if not self.learner.finite():
            raise spoilt_weights(self.learner.network) or TrainingError("the weights are spoilt")
        self.read_losses()
        if self._rows:
            self.run.add_metrics(self._rows)
            self._rows = []
        if best:
            self._best = self._weights()
        if self._best is not None:
            self.run.save("best", self._best)
            self._best = None
        self.run.save("last", save(self))
        p = self.position
        self.run.update(epochs=p.epoch, best_epoch=p.best_epoch, seconds=round(p.seconds, 3))
        self._saved_at = perf_counter()
        self._save_cost = self._saved_at - started

    def suspend(self) -> None:
        """Save and let go of the run, to be resumed later; raises ``TrainingError``."""
        self.checkpoint()
        self.run.update(state="interrupted", process=None)

    def fail(self, error: Exception) -> None:
        """Note in the run why it ended; the last good checkpoint stays."""
        with suppress(OSError, ValueError):
            self.run.update(state="failed", message=str(error), process=None)

    def _due(self, seconds: float) -> bool:
        return perf_counter() - self._saved_at > max(seconds, self._save_cost / SAVE_SHARE)

    def _weights(self, *, copy: bool = False) -> Checkpoint:
        weights = self.learner.module.state_dict()
        if copy:
            weights = {name: tensor.clone() for name, tensor in weights.items()}
        p = self.position
        return Checkpoint(weights, {"epoch": p.epoch, "step": p.step})

    def _announce(self) -> None:
        self.run.update(
            state="running",
            message="",
            device=self.device.text,
            threads=self.device.threads,
            seed=self.settings.seed,
            metric=self.scores.main,
            parameters=self.learner.network.report.parameters,
            samples={kind: len(feed) for kind, feed in self.feeds.items()},
            splits=digests(self.dataset),
            data=self.dataset.to_json(),
            versions=versions(),
            **({TUNED: True} if self.tuned else {}),
        )

    # small things

    def _split(self, order: Tensor) -> Sequence[Tensor]:
        return split_batches(order, self.settings.batch_size)

    def _scores(self) -> Scores:
        options, outputs = self.project.task.options, self.learner.wires.outputs
        return Scores(self.learner.task, options, outputs, self.dataset)

    def _explained(
        self, error: Exception, kind: Kind, batch: Batch, chosen: Tensor
    ) -> TrainingError:
        samples = self.dataset.splits[kind][chosen.cpu().numpy()].tolist()
        return explain(error, self.learner, batch, self.dataset, samples)


def _part(row: Row, kind: Kind) -> dict[str, float]:
    start = f"{kind}_"
    return {key.removeprefix(start): value for key, value in row.items() if key.startswith(start)}
