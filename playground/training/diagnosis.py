"""What went wrong in a batch, as one sentence that names the node or the sample."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, fx

from models.build import Network
from playground.data.dataset import Dataset
from playground.training.errors import TrainingError
from playground.training.feed import Batch
from playground.training.learner import Learner, NotFinite, isolated, out_of_memory

REMEDY = "lower the learning rate, or clip gradients"


def explain(
    error: Exception, learner: Learner, batch: Batch, dataset: Dataset, samples: Sequence[int]
) -> TrainingError:
    """The error to show for ``error``, which a batch made of ``samples`` of the data raised."""
    if isinstance(error, TrainingError):
        return error
    if isinstance(error, NotFinite):
        return not_finite(learner, batch, dataset, samples)
    if out_of_memory(error):
        if learner.device.kind == "cuda":
            torch.cuda.empty_cache()
        return _too_large(learner.network, learner.settings.batch_size)
    found = locate(learner, batch)
    text = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    if found is None:
        return TrainingError(f"a batch could not be learnt from: {text}")
    return TrainingError(f"{_name(learner.network, found)} could not be computed: {text}", found)


def not_finite(
    learner: Learner, batch: Batch, dataset: Dataset, samples: Sequence[int]
) -> TrainingError:
    """Where values that are no numbers come from: a sample, a node's weights, or its output."""
    for name, values in batch.items():
        if values.is_floating_point() and not bool(values.isfinite().all()):
            rows = values.isfinite().flatten(1).all(1) if values.dim() > 1 else values.isfinite()
            sample = samples[int(rows.logical_not().nonzero()[0])]
            return TrainingError(
                f"sample {sample} ({dataset.describe(sample)}) has a value of {name} that is "
                "missing or infinite: repair it or leave it out"
            )
    spoilt = spoilt_weights(learner.network)
    if spoilt is not None:
        return spoilt
    found = locate(learner, batch, lambda value: not bool(value.isfinite().all()))
    if found is None:
        return TrainingError(f"the loss is no longer a number: {REMEDY}")
    return TrainingError(
        f"{_name(learner.network, found)} is the first node whose values are no longer numbers: "
        f"{REMEDY}",
        found,
    )


def spoilt_weights(network: Network) -> TrainingError | None:
    """The error to show where a node's weights are not finite."""
    for name, tensor in network.module.state_dict().items():
        if tensor.is_floating_point() and not bool(tensor.isfinite().all()):
            node = next((n for n, p in network.paths.items() if name.startswith(f"{p}.")), None)
            where = name if node is None else _name(network, node)
            return TrainingError(f"the weights of {where} are no longer numbers: {REMEDY}", node)
    return None


def locate(
    learner: Learner, batch: Batch, bad: Callable[[Tensor], bool] = lambda value: False
) -> str | None:
    """The first node that cannot be computed for ``batch``, or whose output is ``bad``."""
    seeker = _Seeker(learner.network.module, bad)
    with isolated(learner.settings.seed), torch.no_grad():
        try:
            seeker.run(*[batch[name] for name in learner.wires.arguments])
        except _Found:
            return _node_of(learner.network, seeker.at)
    return None


class _Found(Exception):
    pass


class _Seeker(fx.Interpreter):
    """Runs node by node and stops at the first that is in trouble."""

    def __init__(self, module: fx.GraphModule, bad: Callable[[Tensor], bool]) -> None:
        super().__init__(module)
        self.bad = bad
        self.at = ""

    def run_node(self, n: fx.Node) -> Any:
        self.at = n.name
        try:
            value = super().run_node(n)
        except Exception as error:
            raise _Found from error
        if isinstance(value, Tensor) and value.is_floating_point() and self.bad(value):
            raise _Found
        return value


def _node_of(network: Network, name: str) -> str | None:
    """The document's node that an fx node belongs to: the next whose value is named."""
    owners: dict[str, str] = {}
    for (id, _), fx_name in network.values.items():
        owners.setdefault(fx_name, id)  # an Output hands on the value of the node before it
    behind = False
    for node in network.module.graph.nodes:
        behind = behind or node.name == name
        if behind and node.name in owners:
            return owners[node.name]
    return None


def _too_large(network: Network, batch_size: int) -> TrainingError:
    nodes = network.report.nodes
    largest = max(nodes, key=lambda id: nodes[id].activations)
    size = 4 * batch_size * nodes[largest].activations / 1e6
    return TrainingError(
        f"out of memory: {_name(network, largest)} alone keeps {size:,.0f} MB for a batch of "
        f"{batch_size}: lower the batch size, or make the node smaller",
        largest,
    )


def _name(network: Network, id: str) -> str:
    return network.paths.get(id, id)
