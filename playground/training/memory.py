"""How much memory a run will need, known from the shapes alone, before anything is built."""

from __future__ import annotations

from dataclasses import dataclass

from models.graph import Graph
from models.shapes import Report
from playground.data.dataset import Dataset
from playground.devices import Device
from playground.training.errors import TrainingError
from playground.training.feed import RESIDENT_BYTES, RESIDENT_SHARE, prepared_bytes
from playground.training.settings import TrainingSettings

STATES = {"sgd": 1, "adam": 2, "adamw": 2, "rmsprop": 1}
"""Numbers that an optimizer keeps for each weight."""


@dataclass(frozen=True, slots=True)
class Need:
    """Bytes of a run: weights with gradients and optimizer, values of a batch, resident data."""

    weights: int
    values: int
    data: int

    @property
    def total(self) -> int:
        return self.weights + self.values + self.data


def needed(report: Report, settings: TrainingSettings, dataset: Dataset, free: int) -> Need:
    """What training would take; data that do not fit in their share of ``free`` are streamed."""
    # weights, their gradients, a copy of the best ones, and the optimizer's
    weights = 4 * report.parameters * (3 + STATES[settings.optimizer])
    batch = min(settings.batch_size, max(1, len(dataset.splits["train"])))
    # values are kept for the backward pass, which makes gradients of about the same size
    values = 2 * report.activation_bytes(batch)
    data = prepared_bytes(dataset, len(dataset))
    data = data if data <= min(RESIDENT_BYTES, RESIDENT_SHARE * free) else 0
    return Need(weights, values, data)


def check(graph: Graph, report: Report, need: Need, device: Device, free: int) -> None:
    """Raises ``TrainingError`` where a run cannot fit, naming the node that takes the most."""
    if need.total <= free:
        return
    nodes = report.nodes
    by_weights = need.weights > need.values
    largest = max(
        nodes, key=lambda id: nodes[id].parameters if by_weights else nodes[id].activations
    )
    way = "make it smaller" if by_weights else "lower the batch size, or make it smaller"
    where = "the GPU" if device.kind == "cuda" else "this machine"
    raise TrainingError(
        f"the network is too large: it needs about {gigabytes(need.total)} to train and {where} "
        f"has {gigabytes(free)} free; {graph.nodes[largest].name} takes the most: {way}",
        largest,
    )


def gigabytes(size: int) -> str:
    return f"{size / 1e9:,.1f} GB" if size >= 1e9 else f"{size / 1e6:,.0f} MB"


def check_weights(graph: Graph, report: Report, free: int) -> None:
    """Raises ``TrainingError`` where not even the weights fit."""
    if 4 * report.parameters > free:
        largest = max(report.nodes, key=lambda id: report.nodes[id].parameters)
        raise TrainingError(
            f"the network is too large: its weights take {gigabytes(4 * report.parameters)} and "
            f"{gigabytes(free)} are free; {graph.nodes[largest].name} has most of them",
            largest,
        )
