"""The network on its device with its loss and its optimizer: what happens to one batch."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn, optim

from models.axes import Kind
from models.build import BuildError, Network, build
from models.graph import Graph
from models.shapes import Report, infer
from playground.data.dataset import Column, Dataset
from playground.devices import Device
from playground.tasks import TASKS, Task
from playground.training import memory
from playground.training.errors import TrainingError
from playground.training.feed import Batch
from playground.training.frozen import freeze_all_but_head
from playground.training.settings import TrainingSettings

if TYPE_CHECKING:
    from playground.project import Project

Pairs = list[tuple[Tensor, Tensor]]
"""The network's outputs with their targets."""


class NotFinite(ArithmeticError):
    """The loss of a batch is not a number; the weights are those before it."""


class Learner:
    """Learns from batches. Raises ``TrainingError`` where the project cannot be trained."""

    def __init__(self, project: Project, dataset: Dataset, device: Device) -> None:
        self.settings = settings = project.training
        self.device = device
        self.task = TASKS.get(project.task.id)
        report, free = infer(project.graph), device.memory()
        if not report.ok:
            wrong = [id for id, problem in report.problems() if problem.level == "error"]
            raise TrainingError(report.sentence(project.graph), wrong[0] if wrong else None)
        need = memory.needed(report, settings, dataset, free)
        memory.check(project.graph, report, need, device, free)
        self.network = initial_network(project.graph, settings.seed, report)
        self.wires = Wires(self.network, dataset, self.task)
        self.module = self.network.module.to(device.torch)
        if device.kind != "mps":
            # convolutions are a fifth faster on a CPU, and far more on tensor cores
            for layer in self.module.modules():
                if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):  # torch refuses 3-D ones
                    layer.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.module.train()
        if settings.learns == "head":
            freeze_all_but_head(self.network, project.graph)
        self.parameters = [p for p in self.module.parameters() if p.requires_grad]
        if not self.parameters:
            raise TrainingError("the network has nothing to learn: add a layer with weights")
        self.optimizer = make_optimizer(settings, self.parameters, device)
        self.loss_of = self.task.loss(project.task.options)
        self.weight = class_weights(dataset).to(device.torch) if settings.class_weights else None
        self.precision = _precision(settings, device)
        self.scaler = torch.amp.GradScaler(
            device.kind if device.kind == "cuda" else "cpu",
            enabled=self.precision is torch.float16,
        )

    def forward(self, batch: Batch) -> Pairs:
        """Each output of the network beside its target."""
        if self.precision is None:
            return self.wires.pairs(self.module, batch)
        with torch.autocast(self.device.kind, self.precision):
            pairs = self.wires.pairs(self.module, batch)
        return [(output.float(), target) for output, target in pairs]

    def loss(self, pairs: Pairs) -> Tensor:
        """The sum over the outputs, a scalar on the device."""
        losses = [self.loss_of(output, target, self.weight) for output, target in pairs]
        return losses[0] if len(losses) == 1 else torch.stack(losses).sum()

    def train(self, batch: Batch, *, check: bool = False) -> tuple[Tensor, Pairs]:
        """Learn from one batch; the loss and the outputs stay on the device.

        ``check`` reads the loss first and raises ``NotFinite`` before it reaches the weights.
        """
        pairs = self.forward(batch)
        loss = self.loss(pairs)
        if check and not math.isfinite(loss.item()):
            raise NotFinite
        if self.precision is torch.float16:
            self._scaled_step(loss)
        else:
            loss.backward()  # type: ignore[no-untyped-call]
            self._clip()
            self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return loss.detach(), [(output.detach(), target) for output, target in pairs]

    def _scaled_step(self, loss: Tensor) -> None:
        self.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        if self.settings.gradient_clip is not None:
            self.scaler.unscale_(self.optimizer)
            self._clip()
        self.scaler.step(self.optimizer)
        self.scaler.update()

    def _clip(self) -> None:
        if self.settings.gradient_clip is not None:
            nn.utils.clip_grad_norm_(self.parameters, self.settings.gradient_clip)

    def set_rate(self, rate: float) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = rate

    def finite(self) -> bool:
        """Whether all weights are numbers; reads from the device."""
        tensors = [t for t in self.module.state_dict().values() if t.is_floating_point()]
        return bool(torch.stack([t.isfinite().all() for t in tensors]).all())


class Wires:
    """Which values of a batch the network reads, and which targets its outputs are held against.

    Raises ``TrainingError`` where the document does not fit the data.
    """

    def __init__(self, network: Network, dataset: Dataset, task: Task) -> None:
        self.arguments = match_inputs(network, dataset)
        self.outputs = _matched("Output", network.outputs, dataset.targets)
        if len(self.outputs) == 1:
            _check_head(network, dataset, task)

    def pairs(self, module: nn.Module, batch: Batch) -> Pairs:
        result = module(*[batch[name] for name in self.arguments])
        if isinstance(result, dict):
            return [(result[name], batch[column]) for name, column in self.outputs.items()]
        (column,) = self.outputs.values()
        return [(result, batch[column])]


def match_inputs(network: Network, dataset: Dataset) -> list[str]:
    """The values of a batch that are the network's arguments; raises ``TrainingError`` where an
    Input does not fit the data."""
    columns = _matched("Input", network.inputs, dataset.inputs)
    ids = {path: id for id, path in network.paths.items()}
    for name, column in columns.items():
        has = network.report.nodes[ids[name]].outputs["output"]
        wants = dataset.inputs[column].shape
        if has != wants:
            raise TrainingError(
                f"{name} takes {has.described()}, but the data give {wants.described()}: set the "
                "Input to the shape of the data",
                ids[name],
            )
        _check_vocabulary(network, name.replace(".", "_"), dataset.inputs[column])
    wires = {name.replace(".", "_"): column for name, column in columns.items()}
    wires |= {f"{argument}_lengths": f"{column}_lengths" for argument, column in wires.items()}
    return [wires.get(argument, argument) for argument in network.arguments]


def _check_vocabulary(network: Network, argument: str, column: Column) -> None:
    """An Embedding that is given tokens knows all of them; raises ``TrainingError``."""
    if column.vocabulary is None:
        return
    for path in fed_by(network, argument):
        known = getattr(network.module.get_submodule(path), "num_embeddings", column.vocabulary)
        if known < column.vocabulary:
            raise TrainingError(
                f"{path} knows {known:,} tokens, but the data have {column.vocabulary:,}: set its "
                f"Vocabulary to {column.vocabulary}",
                next((id for id, at in network.paths.items() if at == path), None),
            )


def fed_by(network: Network, argument: str) -> list[str]:
    """The paths of the modules that are given an argument of the network as it is."""
    nodes = network.module.graph.nodes
    given = next(node for node in nodes if node.op == "placeholder" and node.target == argument)
    return [str(user.target) for user in given.users if user.op == "call_module"]


def same_network(one: Graph, other: Graph) -> bool:
    """Whether two documents mean the same network: positions on the canvas do not matter."""
    return one is other or _essence(one) == _essence(other)


def initial_network(
    graph: Graph, seed: int, report: Report | None = None, *, partial: bool = False
) -> Network:
    """The network with the weights that ``seed`` gives, without touching torch's generator.

    Each module's weights follow from the seed and its own name, so that an edit elsewhere leaves
    them alone. Raises ``TrainingError``.
    """
    try:
        with isolated(seed):
            return build(graph, report, partial=partial, seed=seed)
    except BuildError as error:
        raise TrainingError(str(error)) from None
    except (MemoryError, RuntimeError) as error:
        if not out_of_memory(error):
            raise
        raise TrainingError(
            "the network does not fit in memory: make its largest layer smaller"
        ) from None


@contextmanager
def isolated(seed: int) -> Iterator[None]:
    """Random numbers of one's own; the trainer's generators go on untouched."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield


def make_optimizer(
    settings: TrainingSettings, parameters: list[nn.Parameter], device: Device
) -> optim.Optimizer:
    rate, decay = settings.learning_rate, settings.weight_decay
    # fused kernels update all weights in one call
    fused: dict[str, Any] = {"fused": True} if device.kind in ("cpu", "cuda") else {}
    match settings.optimizer:
        case "sgd":
            momentum = settings.momentum
            return optim.SGD(parameters, rate, momentum, weight_decay=decay, **fused)
        case "adamw":
            return optim.AdamW(parameters, rate, weight_decay=decay, **fused)
        case "rmsprop":
            return optim.RMSprop(parameters, rate, weight_decay=decay)
    return optim.Adam(parameters, rate, weight_decay=decay, **fused)


def class_weights(dataset: Dataset) -> Tensor:
    """Weights in inverse proportion to the classes' training samples, 1 on average over samples.

    Raises ``TrainingError`` where there are no classes.
    """
    counts = torch.from_numpy(dataset.counts("train")).float()
    if not len(counts):
        raise TrainingError("Balance classes needs a class for every sample: turn it off")
    present = counts > 0
    weights = torch.zeros_like(counts)
    weights[present] = counts.sum() / (present.sum() * counts[present])
    return weights


def out_of_memory(error: BaseException) -> bool:
    """Whether torch or Python ran out of memory."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and ("out of memory" in text or "can't allocate" in text)


def _precision(settings: TrainingSettings, device: Device) -> torch.dtype | None:
    if device.kind != "cuda" or not settings.mixed_precision:
        return None
    return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16


def _matched(what: str, names: tuple[str, ...], columns: Mapping[str, Column]) -> dict[str, str]:
    """Nodes with the columns of their names; a single one needs no equal name."""
    if len(names) == len(columns) == 1:
        return {names[0]: next(iter(columns))}
    missing = [name for name in names if name not in columns]
    if missing:
        raise TrainingError(
            f"the data have no {missing[0]!r} for the {what} of that name; they have "
            f"{', '.join(columns)}: rename the {what}"
        )
    return {name: name for name in names}


def _check_head(network: Network, dataset: Dataset, task: Task) -> None:
    """The one Output has as many values as the task needs; raises ``TrainingError``."""
    (name,) = network.outputs
    id = next(id for id, path in network.paths.items() if path == name)
    shape = network.report.nodes[id].outputs["output"]
    wanted = task.output(dataset, shape)
    if wanted is not None:
        if shape != wanted:
            size = f"at the size {wanted['H']}×{wanted['W']}"
            raise TrainingError(
                f"{name} gets {shape.described()}, but the data need {wanted.described()}: end the "
                f"network with a Conv2d layer of {wanted['C']} channels {size}",
                id,
            )
        return
    needs, classes = task.head(dataset), dataset.target.classes
    if shape.elements == needs and (not classes or shape.kind is Kind.VECTOR):
        return
    if not needs:
        raise TrainingError(
            f"{dataset.name} has nothing for the task {task.name.lower()}: choose another task"
        )
    what = f"one value for each of the {needs} classes" if classes else f"{needs} values"
    raise TrainingError(
        f"{name} gets {shape.described()}, but the data need {what}: end the network with a Linear "
        f"layer of {needs} features",
        id,
    )


def _essence(graph: Graph) -> tuple[Any, ...]:
    return (
        [
            (node.id, node.name, node.layer, node.params, node.shares_weights_with)
            for node in graph.nodes.values()
        ],
        graph.edges,
        {
            id: (_essence(item.graph), item.exposed, item.states)
            for id, item in graph.definitions.items()
        },
    )
