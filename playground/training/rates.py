"""Finding a learning rate: the rate rises batch by batch, and the loss tells when it is too large.

Smith, "Cyclical Learning Rates for Training Neural Networks", 2017, section 3.3.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import cycle, islice
from typing import TYPE_CHECKING

import numpy as np
import torch

from playground.data.dataset import Dataset
from playground.devices import choose
from playground.messages import Array, RateCurve
from playground.training.diagnosis import explain
from playground.training.feed import open_feed, split_batches
from playground.training.learner import Learner, NotFinite, isolated

if TYPE_CHECKING:
    from playground.project import Project

LOWEST, HIGHEST = 1e-6, 10.0
BATCHES = 120
SMOOTHING = 0.9
WINDOW = 12
WORSE = 4.0
"""The search ends where the loss is this many times the least one seen."""


def rate_curve(project: Project, dataset: Dataset) -> Iterator[RateCurve]:
    """Yields the curve so far after each batch; the last one is finished and has a suggestion.

    Trains a network of its own. Raises ``TrainingError`` where the project cannot be trained.
    """
    settings = project.training
    device = choose(settings.device, settings.threads)
    device.use()
    with isolated(settings.seed):
        learner = Learner(project, dataset, device)
        indices = dataset.splits["train"]
        feed = open_feed(dataset, indices, device.torch, device.memory(), settings.seed)
        order = torch.randperm(len(feed)).to(device.torch)
        batches = split_batches(order, settings.batch_size)
        chosen = list(islice(cycle(batches), BATCHES))
        rates: list[float] = []
        losses: list[float] = []
        mean, least = 0.0, math.inf
        for number, (read, batch) in enumerate(feed.batches(chosen)):
            rate = LOWEST * (HIGHEST / LOWEST) ** (number / (BATCHES - 1))
            learner.set_rate(rate)
            try:
                loss = float(learner.train(batch, check=True)[0])
            except NotFinite:
                break
            except Exception as error:
                samples = indices[read.cpu().numpy()].tolist()
                raise explain(error, learner, batch, dataset, samples) from error
            mean = SMOOTHING * mean + (1 - SMOOTHING) * loss
            smooth = mean / (1 - SMOOTHING ** (number + 1))
            rates.append(rate)
            losses.append(smooth)
            least = min(least, smooth)
            if number > 10 and smooth > WORSE * least:
                break
            yield RateCurve(np.array(rates), np.array(losses), None, finished=False)
    curve = np.array(rates), np.array(losses)
    yield RateCurve(*curve, suggest(*curve))


def suggest(rates: Array, losses: Array) -> float | None:
    """Where the loss falls the fastest, at most a tenth of where it is least; None where it does
    not fall."""
    if not len(losses):
        return None
    least = int(losses.argmin())
    if least <= WINDOW or losses[least] > 0.98 * losses[0]:
        return None
    # over several batches, because a single one tells more of its samples than of the rate
    falls = losses[: least + 1 - WINDOW] - losses[WINDOW : least + 1]
    steepest = rates[int(falls.argmax()) + WINDOW // 2]
    rate = min(float(steepest), float(rates[least]) / 10)
    # two digits are all that such a curve can tell
    return float(f"{rate:.1e}")
