"""Where a run stands, and how all of it is put into a checkpoint and taken out again."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

import torch

from playground.data.splits import digests
from playground.runs import RunError, RunFolder
from playground.tasks import TASKS
from playground.training import checkpoints
from playground.training.checkpoints import Checkpoint, CheckpointError
from playground.training.history import Curves
from playground.training.scores import Scores

if TYPE_CHECKING:
    from playground.training.trainer import Trainer

FORMAT = 1
MOST_THREADS = 1024


@dataclass
class Position:
    """Numbers that change while a run goes on.

    ``epoch`` and ``batch`` are those done, ``batch`` within the present epoch; ``learning_rate`` is
    what the schedule starts from and ``reduced`` what plateaus left of it; ``waited`` counts epochs
    without a better result.
    """

    learning_rate: float
    epoch: int = 0
    batch: int = 0
    step: int = 0
    seconds: float = 0.0
    train_seconds: float = 0.0
    reduced: float = 1.0
    plateau_loss: float = math.inf
    plateau_waited: int = 0
    best_epoch: int | None = None
    best_metric: float = math.nan
    best_loss: float = math.inf
    waited: int = 0

    @classmethod
    def from_json(cls, data: Any) -> Position:
        """Raises ``CheckpointError``."""
        names = {item.name for item in fields(cls)}
        if not isinstance(data, Mapping) or data.keys() != names:
            raise CheckpointError("the saved position of the run is damaged")
        for name, value in data.items():
            whole = name in ("epoch", "batch", "step", "plateau_waited", "best_epoch", "waited")
            right = isinstance(value, int) and value >= 0 if whole else isinstance(value, float)
            if not right and not (name == "best_epoch" and value is None):
                raise CheckpointError(f"the saved {name} of the run is damaged: {value!r:.40}")
        return cls(**data)


def save(trainer: Trainer) -> Checkpoint:
    """All that ``restore`` needs for the same losses to the last bit."""
    position, learner = trainer.position, trainer.learner
    optimizer, optimizer_plain = checkpoints.optimizer_tensors(learner.optimizer)
    generators, generators_plain = checkpoints.random_state(trainer.device.torch)
    curves = {name: torch.from_numpy(array) for name, array in trainer.curves.arrays().items()}
    tensors = {
        **_prefixed("optimizer", optimizer),
        **_prefixed("random", generators),
        **_prefixed("curves", curves),
        **_prefixed("scores", trainer.scores.state()),
        "losses": trainer.losses[: position.batch],
        "order": trainer.order if position.batch else trainer.order[:0],
    }
    state = {
        "format": FORMAT,
        "position": asdict(position) | {"learning_rate": float(position.learning_rate)},
        "threads": trainer.device.threads,
        "samples": {kind: len(feed) for kind, feed in trainer.feeds.items()},
        "batches": trainer.batches,
        "optimizer": {"name": trainer.settings.optimizer, "values": optimizer_plain},
        "scaler": learner.scaler.state_dict(),
        "random": generators_plain,
    }
    return Checkpoint(learner.module.state_dict(), state, tensors)


def threads_of(saved: Checkpoint) -> int:
    """The number of threads that the saved losses were computed with; raises ``RunError``."""
    threads = saved.state.get("threads")
    if (
        isinstance(threads, bool)
        or not isinstance(threads, int)
        or not 1 <= threads <= MOST_THREADS
    ):
        raise RunError("the checkpoint does not say with how many threads it was computed")
    return threads


def restore(trainer: Trainer, saved: Checkpoint) -> None:
    """Go on from ``saved``; raises ``RunError`` where it is damaged or of something else."""
    state, learner = saved.state, trainer.learner
    if state.get("format") != FORMAT:
        raise RunError(f"{trainer.run.path} was written by another version")
    samples = {kind: len(feed) for kind, feed in trainer.feeds.items()}
    if state.get("samples") != samples or state.get("batches") != trainer.batches:
        raise RunError(
            f"{trainer.run.path} was trained on other data or with another batch size: "
            "start a new run with its weights instead"
        )
    known = trainer.run.info().get("splits")
    if known is not None and known != digests(trainer.dataset):
        raise RunError(
            f"{trainer.run.path} was trained on other samples: files came or went since, or the "
            "split was changed, so that samples which judge it may be among those that it learnt; "
            "start a new run with its weights instead"
        )
    if (state.get("optimizer") or {}).get("name") != trainer.settings.optimizer:
        raise RunError(
            f"{trainer.run.path} was trained with another optimizer: start a new run with its "
            "weights instead"
        )
    try:
        position = Position.from_json(state.get("position"))
        checkpoints.load_weights(learner.module, saved.weights)
        checkpoints.restore_optimizer(
            learner.optimizer, _part("optimizer", saved.tensors), state["optimizer"]["values"]
        )
        learner.scaler.load_state_dict(state.get("scaler") or learner.scaler.state_dict())
        trainer.scores.restore(_part("scores", saved.tensors), trainer.device.torch)
        curves = {name: tensor.numpy() for name, tensor in _part("curves", saved.tensors).items()}
        trainer.curves.restore(curves, position.best_epoch)
        losses, order = saved.tensors["losses"], saved.tensors["order"].cpu()
        if position.batch:
            whole = torch.arange(samples["train"])
            if position.batch > trainer.batches or not torch.equal(order.sort().values, whole):
                raise CheckpointError("the order of the samples is damaged")
            trainer.order = order.to(trainer.device.torch)
        trainer.losses[: position.batch] = losses
        checkpoints.restore_random_state(
            trainer.device.torch, _part("random", saved.tensors), state["random"]
        )
    except (
        CheckpointError,
        KeyError,
        TypeError,
        ValueError,
        RuntimeError,
        AttributeError,
    ) as error:
        raise RunError(f"{trainer.run.path / 'last'} cannot be gone on from: {error}") from None
    trainer.position = position


def _prefixed(prefix: str, tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {f"{prefix}/{name}": tensor for name, tensor in tensors.items()}


def _part(prefix: str, tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    start = f"{prefix}/"
    return {
        name.removeprefix(start): tensor
        for name, tensor in tensors.items()
        if name.startswith(start)
    }


def saved_curves(run: RunFolder) -> Curves:
    """The curves of a run at its last checkpoint, empty without one; raises ``RunError``."""
    project, dataset = run.project(), run.fitted()
    saved = run.checkpoint("last") if run.has("last") else None
    try:
        task = TASKS.get(project.task.id)
        outputs = {name: name for name in list(dataset.targets)[:1]}
        scores = Scores(task, project.task.options, outputs, dataset)
        curves = Curves(scores.main, scores.better, scores.unit)
        if saved is None:  # weights that no training here gave
            return curves
        position = Position.from_json(saved.state.get("position"))
        arrays = {name: tensor.numpy() for name, tensor in _part("curves", saved.tensors).items()}
        curves.restore(arrays, position.best_epoch)
    except (LookupError, TypeError, ValueError) as error:
        raise RunError(f"the curves of {run.path} cannot be read: {error}") from None
    return curves
