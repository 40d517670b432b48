"""What the worker tells: immutable values with numpy arrays, no torch and no Qt.

Each message type is one box of the ``Mailbox``: a newer one takes the place of an unread one
(``Answered`` has a box a token, so that no question stays without its answer).
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from models.graph import Graph
    from playground.answers import Answer
    from playground.data.dataset import Dataset
    from playground.live.inside import InsideView
    from playground.live.settings import LiveAnswer

Array = npt.NDArray[Any]
PortId = tuple[str, str]
"""Where a value leaves a node: (node id, output port)."""


class State(StrEnum):
    """What the worker does with a run.

    idle → preparing → running ⇄ paused → stopping → finished | failed; preparing and paused may
    also stop or fail at once.
    """

    IDLE = "idle"
    PREPARING = "preparing"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPING = "stopping"
    FINISHED = "finished"
    FAILED = "failed"

    @property
    def busy(self) -> bool:
        """Whether a run is under way."""
        return self in (State.PREPARING, State.RUNNING, State.PAUSED, State.STOPPING)


class Message:
    """Anything that goes through the mailbox."""

    __slots__ = ()

    @property
    def key(self) -> Hashable:
        """Messages with equal keys replace each other while unread."""
        return type(self).__name__


@dataclass(frozen=True, slots=True)
class Status(Message):
    """The state of the run. ``message`` is a sentence; ``node`` is the id of a node it is about.

    ``device`` is for people ("CPU · 1 of 2 cores"); ``run`` is the run's folder.
    """

    state: State
    message: str = ""
    device: str = ""
    run: Path | None = None
    node: str | None = None


@dataclass(frozen=True, slots=True)
class Progress(Message):
    """Where a run stands. ``epoch`` counts from 1, ``batch`` is the number done in this epoch."""

    epoch: int
    epochs: int
    batch: int
    batches: int
    batches_per_second: float
    seconds_left: float | None
    learning_rate: float
    validating: bool = False


@dataclass(frozen=True, slots=True)
class History(Message):
    """Curves of a run; every x is in epochs and the number of points is bounded.

    ``x`` and ``train_loss`` are means over a few batches each. ``epochs``, ``validation_loss``,
    ``train_metric`` and ``validation_metric`` have a value an epoch (NaN where unknown).
    ``metric`` names the metric ("accuracy"); ``unit`` its unit.
    """

    x: Array
    train_loss: Array
    epochs: Array
    validation_loss: Array
    metric: str
    train_metric: Array
    validation_metric: Array
    best_epoch: int | None
    epoch_train_loss: Array = field(default_factory=lambda: np.empty(0))
    better: str = "higher"
    unit: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot(Message):
    """What leaves the nodes of ``graph`` for one sample, without the batch axis.

    ``values`` keeps each port's kind of axes (C×H×W, T×F, …); previews of large values are thinned
    (at most 64 channels, 64 rows and columns), values that were asked for are whole up to a bound;
    ``whole`` names the latter. ``sample`` is the data's index or None for a sample of one's own.
    ``step`` counts the run's batches; ``trained`` is false for initial weights. Nodes without a
    value (behind a problem) are missing. ``problem`` is a sentence where nothing could be computed.
    """

    graph: Graph
    sample: int | None
    values: Mapping[PortId, Array]
    step: int
    trained: bool
    whole: frozenset[PortId] = frozenset()
    problem: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class DataReady(Message):
    """The data are open. ``settings`` are those that were asked for."""

    dataset: Dataset
    settings: Any

    @property
    def key(self) -> Hashable:
        return "data"


@dataclass(frozen=True, slots=True)
class DataProgress(Message):
    """How far opening the data is; ``fraction`` is from 0 to 1 or None where unknown."""

    text: str
    fraction: float | None


@dataclass(frozen=True, slots=True)
class DataFailed(Message):
    """The data cannot be opened; ``message`` says why and what to do."""

    message: str
    settings: Any = None

    @property
    def key(self) -> Hashable:
        return "data"


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation(Message):
    """A model on a split of the data.

    ``indices`` are the samples (N,), ``true`` and ``predicted`` their targets: class indices (N,)
    for classification, values in their own unit (N, F) or (N, T, F) otherwise. ``confidence`` is
    the probability of the predicted class (N,), or empty. ``confusion[i, j]`` counts samples of
    class i answered as j; None without classes.
    """

    split: str
    metrics: Mapping[str, float]
    classes: tuple[str, ...]
    confusion: Array | None
    indices: Array
    true: Array
    predicted: Array
    confidence: Array = field(default_factory=lambda: np.empty(0))
    unit: str = ""
    task: str = "classification"
    run: Path | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Answered(Message):
    """The answer to ``predict(token, …)``; ``values`` as in ``Snapshot``.

    ``answer`` is None where the model could not answer; ``problem`` then says why.
    """

    token: Hashable
    answer: Answer | None
    values: Mapping[PortId, Array] = field(default_factory=dict)
    problem: str = ""

    @property
    def key(self) -> Hashable:
        return ("Answered", self.token)


@dataclass(frozen=True, slots=True, eq=False)
class LiveAnswered(Message):
    """The answer to the newest frame of the live view, from the weights after ``step`` batches.

    ``answer`` is None where this network cannot answer; ``problem`` then says why.
    """

    answer: LiveAnswer | None
    step: int = 0
    problem: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class LookedInside(Message):
    """What was seen inside while a frame of the live view was answered, with the weights after
    ``step`` batches; ``problem`` says why nothing was."""

    view: InsideView | None
    step: int = 0
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Estimate(Message):
    """How long an epoch would take and what it would need, measured on a few batches."""

    seconds_per_epoch: float | None
    memory_bytes: int
    text: str
    fits: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class RateCurve(Message):
    """Loss against learning rate (Smith 2015); ``suggestion`` is None while it is not known."""

    rates: Array
    losses: Array
    suggestion: float | None
    finished: bool = True


@dataclass(frozen=True, slots=True)
class Exported(Message):
    """A model was written to ``path``; ``text`` says what was checked."""

    path: Path
    text: str


@dataclass(frozen=True, slots=True)
class Forgotten(Message):
    """``forget`` with this number is done: what comes after is about the project at hand."""

    number: int


@dataclass(frozen=True, slots=True)
class Loaded(Message):
    """``load_run`` is done: what was kept of the run, for the window."""

    run: Path
    text: str


@dataclass(frozen=True, slots=True)
class Failure(Message):
    """A job could not be done: ``what`` was wanted, ``message`` says why and what to do."""

    what: str
    message: str
    node: str | None = None
