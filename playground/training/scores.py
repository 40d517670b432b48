"""The metrics of many batches, kept on the device."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad

from playground.data.dataset import Dataset
from playground.tasks import Metric, Task
from playground.training.checkpoints import CheckpointError

TOGETHER = 16
"""Batches that are counted in one go: the counting of small batches would cost a tenth of them."""
MOST_ELEMENTS = 1 << 20

Pairs = list[tuple[Tensor, Tensor]]


class Scores:
    """Every metric of every output. ``outputs`` names the target column of each output."""

    def __init__(
        self, task: Task, options: Mapping[str, Any], outputs: Mapping[str, str], dataset: Dataset
    ) -> None:
        several = len(outputs) > 1
        self._metrics: list[dict[str, Metric]] = []
        for name, column in outputs.items():
            metrics = task.metrics(options, dataset.targets[column])
            self._metrics.append(
                {f"{name}.{key}" if several else key: item for key, item in metrics.items()}
            )
        first = next(iter(outputs))
        self.main = f"{first}.{task.main_metric}" if several else task.main_metric
        self.better = task.better
        self.unit = self._metrics[0][self.main].unit
        self._waiting: list[Pairs] = []

    def update(self, pairs: Pairs) -> None:
        """Outputs and targets of a batch, in the order of ``outputs``."""
        self._waiting.append(pairs)
        large = sum(output.numel() for output, _ in pairs) * len(self._waiting) > MOST_ELEMENTS
        if len(self._waiting) == TOGETHER or large:
            self._count()

    def values(self) -> dict[str, float]:
        """What the metrics say by now; reads from the device."""
        self._count()
        return {name: metric.compute() for group in self._metrics for name, metric in group.items()}

    def reset(self) -> None:
        self._waiting = []
        for group in self._metrics:
            for metric in group.values():
                metric.reset()

    def state(self) -> dict[str, Tensor]:
        """The tensors among the metrics' attributes, and the batches that are not counted yet."""
        state = {
            f"metric.{name}.{key}": value
            for group in self._metrics
            for name, metric in group.items()
            for key, value in vars(metric).items()
            if isinstance(value, Tensor)
        }
        for number, pairs in enumerate(self._waiting):
            for place, (output, target) in enumerate(pairs):
                state[f"waiting.{number:02d}.{place}.output"] = output
                state[f"waiting.{number:02d}.{place}.target"] = target
        return state

    def restore(self, state: Mapping[str, Tensor], device: torch.device) -> None:
        """Go on from ``state``; raises ``CheckpointError``."""
        self.reset()
        metrics = {name: metric for group in self._metrics for name, metric in group.items()}
        waiting: dict[str, dict[str, Tensor]] = {}
        for key, tensor in sorted(state.items()):
            start, _, rest = key.partition(".")
            if start == "waiting":
                number, _, end = rest.partition(".")
                waiting.setdefault(number, {})[end] = tensor.to(device)
                continue
            name, _, attribute = rest.rpartition(".")
            known = vars(metrics[name]) if name in metrics else {}
            if not isinstance(known.get(attribute, ""), Tensor | None):
                raise CheckpointError(f"the saved metrics have an unknown entry {key}")
            setattr(metrics[name], attribute, tensor.to(device))
        places = range(len(self._metrics))
        self._waiting = [
            [(values[f"{place}.output"], values[f"{place}.target"]) for place in places]
            for values in waiting.values()
        ]

    def _count(self) -> None:
        if not self._waiting:
            return
        for place, group in enumerate(self._metrics):
            output = torch.cat([pairs[place][0] for pairs in self._waiting])
            target = _joined([pairs[place][1] for pairs in self._waiting])
            for metric in group.values():
                metric.update(output, target)
        self._waiting = []


def _joined(targets: list[Tensor]) -> Tensor:
    """One batch of several, padded with 0 where their lengths differ."""
    longest = max(target.shape[1] if target.ndim > 1 else 0 for target in targets)
    return torch.cat(
        [
            target
            if target.ndim < 2 or target.shape[1] == longest
            else pad(target, (0, 0) * (target.ndim - 2) + (0, longest - target.shape[1]))
            for target in targets
        ]
    )
