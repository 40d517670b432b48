"""Looking at the chosen sample: at every node, with the newest weights there are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from models.build import Network
from models.graph import Graph
from models.shapes import ShapeInference
from playground.data.dataset import Dataset
from playground.devices import choose
from playground.messages import Array, PortId, Snapshot
from playground.model import ModelError, prepare_inputs
from playground.probes.values import Taps
from playground.training import memory
from playground.training.carry import fit
from playground.training.errors import TrainingError
from playground.training.feed import read_samples
from playground.training.learner import initial_network, match_inputs, same_network

if TYPE_CHECKING:
    from playground.project import Project

Sample = int | Mapping[str, Array]


@dataclass(frozen=True, slots=True)
class Request:
    """What is looked at. A ``sample`` is an index of the data or raw values of one's own, an array
    without batch axis for each input; ``wanted`` as in ``Taps.values``."""

    project: Project
    dataset: Dataset | None
    sample: Sample
    wanted: frozenset[PortId] | None = frozenset()


@dataclass(frozen=True, slots=True)
class Trained:
    """Weights to look with: a network, the graph it was built from, and how far it has learnt."""

    network: Network
    graph: Graph
    step: int
    device: torch.device


class Looker:
    """Makes snapshots, and keeps what one needs for the next."""

    def __init__(self) -> None:
        self._shapes = ShapeInference()
        self._own: _Own | None = None
        self._taps: tuple[Network, frozenset[PortId], Taps] | None = None
        self._read: tuple[Dataset, Sample, dict[str, Tensor]] | None = None

    def snapshot(self, request: Request, trained: Trained | None) -> Snapshot:
        """The values of the sample; a snapshot with a ``problem`` where there are none."""
        graph = request.project.graph
        sample = request.sample if isinstance(request.sample, int) else None
        step = trained.step if trained else 0
        try:
            network, device = self._network(request.project, trained)
            arguments = [value.to(device) for value in self._arguments(request, network)]
            values, whole = self.tapped(network, request.wanted).values(arguments, request.wanted)
        except (TrainingError, ModelError) as error:
            return Snapshot(graph, sample, {}, step, False, problem=str(error))
        except (RuntimeError, ValueError, MemoryError) as error:
            text = str(error).strip().split("\n")[0]
            return Snapshot(graph, sample, {}, step, False, problem=f"nothing to show: {text}")
        return Snapshot(graph, sample, values, step, step > 0, whole)

    def _network(self, project: Project, trained: Trained | None) -> tuple[Network, torch.device]:
        """The trained network itself where it is that of the canvas, else one of our own with the
        trained weights that fit."""
        if trained is not None and same_network(trained.graph, project.graph):
            return trained.network, trained.device
        own, seed = self._own, project.training.seed
        if own is None or not own.serves(project.graph, seed, trained):
            report = self._shapes.infer(project.graph)
            memory.check_weights(project.graph, report, choose("cpu").memory())
            network = initial_network(project.graph, seed, report, partial=True)
            own = self._own = _Own(network, project.graph, seed)
        if trained is not None and own.filled != trained.step:
            fit(trained.network.module.state_dict(), trained.graph, own.network, project.graph)
            own.source, own.filled = trained.network, trained.step
        return own.network, torch.device("cpu")

    def _arguments(self, request: Request, network: Network) -> list[Tensor]:
        """The sample as the network's arguments, read once."""
        dataset, sample = request.dataset, request.sample
        if dataset is None:
            raise TrainingError("open data to see what each layer makes of a sample")
        known = self._read
        if known is None or known[0] is not dataset or not _same_sample(known[1], sample):
            known = self._read = (dataset, sample, _read(dataset, sample))
        return [known[2][name] for name in match_inputs(network, dataset)]

    def tapped(self, network: Network, wanted: frozenset[PortId] | None = frozenset()) -> Taps:
        """``network`` with its values coming out, and the ``wanted`` ones of those inside groups;
        made once."""
        inner = frozenset(port for port in wanted or () if port in network.inner)
        if self._taps is None or self._taps[0] is not network or self._taps[1] != inner:
            self._taps = (network, inner, Taps(network, inner))
        return self._taps[2]


@dataclass(slots=True)
class _Own:
    """A network for the canvas's graph, and whose weights it was filled with, at which step."""

    network: Network
    graph: Graph
    seed: int
    source: Network | None = None
    filled: int = -1

    def serves(self, graph: Graph, seed: int, trained: Trained | None) -> bool:
        """Whether the network need not be built anew: weights of another run must not stay."""
        same_source = self.source is None or (trained and trained.network is self.source)
        return bool(same_source) and seed == self.seed and same_network(self.graph, graph)


def _read(dataset: Dataset, sample: Sample) -> dict[str, Tensor]:
    if not isinstance(sample, int):
        return prepare_inputs(dataset, {name: value[None] for name, value in sample.items()})
    if not 0 <= sample < len(dataset):
        raise TrainingError(f"there is no sample {sample} in the data")
    arrays = read_samples(dataset, np.array([sample]))
    return {name: torch.from_numpy(np.ascontiguousarray(a)) for name, a in arrays.items()}


def _same_sample(one: Sample, other: Sample) -> bool:
    return one is other or (isinstance(one, int) and one == other)
