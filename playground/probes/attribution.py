"""Where in a picture a network saw what it answers.

Grad-CAM (Selvaraju et al. 2017) weighs the feature maps of a layer with the gradient of the class's
score; one pass and a part of the way back. Occlusion (Zeiler & Fergus 2014) covers one place after
the other and looks how far the class's probability falls; a pass a place, and no assumption about
the network. Models of sound are explained on the picture that they make of it (a spectrogram).
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Mapping, Sequence
from dataclasses import dataclass
from types import EllipsisType
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, fx, nn
from torch.nn.functional import interpolate, linear

from models.axes import Kind
from models.build import Network
from playground.messages import Array, PortId
from playground.model import Model
from playground.probes.passing import Passage, newest, node_of, output_node, shape_of

HeatMap = npt.NDArray[np.float32]

PARTS = 4
"""Of the picture's shorter side, a patch is one in so many; the next lies half a patch further."""
BATCH = 4
_PICTURES = (Kind.IMAGE, Kind.VIDEO)


class AttributionError(ValueError):
    """This network's answers cannot be explained so; the message says why."""


class LastLayer(Protocol):
    """What gives classes for a vector where the network's own last layer is not used."""

    @property
    def classes(self) -> tuple[str, ...]: ...
    @property
    def weight(self) -> npt.NDArray[np.float32]: ...
    @property
    def bias(self) -> npt.NDArray[np.float32]: ...


@dataclass(frozen=True, slots=True, eq=False)
class Heat:
    """``values`` (H, W) in 0…1, for the class number ``label`` with its probability ``score``.
    ``share`` is how many of the places were looked at so far, and ``everywhere`` whether they cover
    the picture: a coarse map of it."""

    values: HeatMap
    label: int
    score: float
    share: float = 1.0
    everywhere: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """A network whose answer is explained: ``end`` names the value that has a score a class;
    ``ground`` is the picture that heat lies on. Raises ``AttributionError``."""

    network: Network
    end: fx.Node
    ground: PortId

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns of the picture."""
        height, width = shape_of(self.network, self.ground).sizes[-2:]
        return int(height), int(width)


def subject(model: Model, network: Network | None = None, *, headless: bool = False) -> Subject:
    """What is explained of ``model``, or of a ``network`` made from it. A ``headless`` one gives a
    vector, which a last layer of one's own makes classes of."""
    network = network or model.network
    output, target = next(iter(model.wires.outputs.items()))
    end = output_node(network, output)
    if not headless:
        if model.task.id != "classification" or not model.dataset.targets[target].classes:
            raise AttributionError("only answers that are classes can be explained on a picture")
        end = _before_softmax(network, end)
    pictures = pictures_of(network)
    if len(model.dataset.inputs) != 1 or not pictures:
        raise AttributionError(
            "this network takes no picture: what matters to it cannot be shown on one"
        )
    return Subject(network, end, pictures[0])


class GradCam:
    """Grad-CAM at ``port``, by default at the last layer whose value is still a picture; the values
    at the ports ``more`` come out of the same pass. Of a clip, the newest frame is explained.
    Not for several threads at once. Raises ``AttributionError``."""

    def __init__(
        self, subject: Subject, port: PortId | None = None, more: Collection[PortId] = ()
    ) -> None:
        self.subject = subject
        self.port = default_port(subject) if port is None else port
        network = subject.network
        try:
            self._kind = shape_of(network, self.port).kind
            if self._kind not in _PICTURES:
                raise AttributionError(
                    "Grad-CAM needs a layer whose values are pictures: choose a convolution"
                )
            self._passage = Passage(network, more, self.port, subject.end)
        except ValueError as error:
            raise AttributionError(str(error)) from None

    def run(
        self, arguments: Sequence[Tensor], label: int | None = None, head: LastLayer | None = None
    ) -> tuple[Heat, dict[PortId, Tensor]]:
        """The heat of one sample, given as the network's arguments (1, …), for the class number
        ``label`` (None: the likeliest), and the values (1, …) of the other ports."""
        passed = self._passage.run(arguments)
        assert passed.end is not None
        assert passed.source is not None
        with torch.enable_grad():
            scores = _scores(passed.end, head)[0]
            chosen = int(scores.argmax()) if label is None else label
            (gradient,) = torch.autograd.grad(scores[chosen], passed.source)
        maps, _ = newest(passed.source.detach()[0], self._kind)
        slopes, _ = newest(gradient[0], self._kind)
        weights = slopes.mean((1, 2), keepdim=True)
        cam = (weights * maps).sum(0).clamp(min=0)
        large = interpolate(cam[None, None], self.subject.size, mode="bilinear")[0, 0]
        score = float(scores.detach().float().softmax(0)[chosen])
        heat = Heat(_normalised(large.float().cpu().numpy()), chosen, score)
        return heat, dict(passed.values)


class Occlusion:
    """Heat by occlusion: how far the class's probability falls where a patch of the picture's mean
    colour covers a place, on average over the patches that cover it. Of a clip, each frame is
    covered. Not for several threads at once. Raises ``AttributionError``."""

    def __init__(
        self, subject: Subject, patch: int | None = None, stride: int | None = None
    ) -> None:
        self.subject = subject
        least = min(subject.size)
        self._patch = max(1, least // PARTS) if patch is None else patch
        self._stride = max(1, self._patch // 2) if stride is None else stride
        if not 1 <= self._patch <= least or not 1 <= self._stride <= self._patch:
            raise AttributionError(
                f"the patch is from 1 to {least} pixels wide, and the stride at most as long"
            )
        try:
            self._passage = Passage(subject.network, (), subject.ground, subject.end)
        except ValueError as error:
            raise AttributionError(str(error)) from None

    def run(
        self,
        arguments: Sequence[Tensor],
        label: int | None = None,
        head: LastLayer | None = None,
        batch: int = BATCH,
    ) -> Generator[Heat, None, None]:
        """The heat of one sample after every ``batch`` places, those of a coarse map first; stops
        where it is closed."""
        picture, crossing = self._passage.begin(arguments)
        whole = self._probabilities(picture, crossing, head)[0]
        label = int(whole.argmax()) if label is None else label
        score = float(whole[label])
        places = self._places()
        colour = picture.mean((-2, -1))
        falls, covered = np.zeros(self.subject.size), np.zeros(self.subject.size)
        for start in range(0, len(places), batch):
            some = places[start : start + batch]
            many = picture.repeat(len(some), *[1] * (picture.dim() - 1))
            if many.dim() == 4:  # convolutions on a CPU are faster so
                many = many.contiguous(memory_format=torch.channels_last)
            for (top, left), one in zip(some, many, strict=True):
                one[self._patch_at(top, left)] = colour[0, ..., None, None]
            found = self._probabilities(many, crossing, head)[:, label]
            for (top, left), probability in zip(some, found.tolist(), strict=True):
                falls[self._patch_at(top, left)] += score - probability
                covered[self._patch_at(top, left)] += 1
            heat = np.clip(falls / np.maximum(covered, 1), 0, None)
            share = min(1.0, (start + len(some)) / len(places))
            yield Heat(_normalised(heat), label, score, share, bool(covered.all()))

    def _places(self) -> list[tuple[int, int]]:
        """The corners of the patches, row by row; the last ones end at the picture's edges. Those
        come first that cover the picture once."""
        rows, columns = (
            sorted({*range(0, side - self._patch + 1, self._stride), side - self._patch})
            for side in self.subject.size
        )
        first = {(top, left) for top in self._apart(rows) for left in self._apart(columns)}
        places = [(top, left) for top in rows for left in columns]
        return sorted(places, key=lambda place: place not in first)

    def _apart(self, starts: list[int]) -> list[int]:
        """As few of ``starts`` as leave no gap."""
        found = [0]
        while found[-1] < starts[-1]:
            found.append(max(start for start in starts if start <= found[-1] + self._patch))
        return found

    def _patch_at(self, top: int, left: int) -> tuple[EllipsisType, slice, slice]:
        return ..., slice(top, top + self._patch), slice(left, left + self._patch)

    def _probabilities(
        self, pictures: Tensor, crossing: Sequence[object], head: LastLayer | None
    ) -> Tensor:
        scores = _scores(self._passage.go_on(pictures, crossing), head)
        return scores.float().softmax(1).cpu()


def gradcam(
    model: Model, raw: Mapping[str, Array], label: int | None = None, port: PortId | None = None
) -> HeatMap:
    """Grad-CAM (H, W) in 0…1 for one raw sample, an array (1, …) for the input, and the class
    number ``label`` (None: the likeliest), on the picture as the network is given it. Raises
    ``AttributionError`` or ``ModelError``."""
    return GradCam(subject(model), port).run(arguments_of(model, raw), label)[0].values


def occlusion(
    model: Model,
    raw: Mapping[str, Array],
    label: int | None = None,
    patch: int | None = None,
    stride: int | None = None,
) -> Generator[Heat, None, None]:
    """The heat of occlusion as it fills, for what ``gradcam`` takes; ``patch`` and ``stride`` are
    in pixels. Raises ``AttributionError`` or ``ModelError``, at once."""
    found = Occlusion(subject(model), patch, stride)
    return found.run(arguments_of(model, raw), label)


def arguments_of(model: Model, raw: Mapping[str, Array]) -> list[Tensor]:
    """Raw values as the network's arguments; raises ``ModelError``."""
    batch = model.prepared(raw)
    return [batch[name] for name in model.wires.arguments]


def default_port(subject: Subject) -> PortId:
    """The last node on the way to the answer whose value is still a picture. Raises
    ``AttributionError``."""
    found = [
        port
        for port in pictures_of(subject.network)
        if node_of(subject.network, port).op != "placeholder"
        and _leads_to(node_of(subject.network, port), subject.end)
    ]
    if not found:
        raise AttributionError(
            "no layer of this network gives pictures, which Grad-CAM needs: use occlusion"
        )
    return found[-1]


def pictures_of(network: Network) -> list[PortId]:
    """The ports whose values are pictures of more than one pixel, in the order of the pass; those
    inside groups are left out."""
    places = {node.name: place for place, node in enumerate(network.module.graph.nodes)}
    found = []
    for port, name in network.values.items():
        if name not in places:  # a head that was cut off
            continue
        shape = shape_of(network, port)
        if shape.kind in _PICTURES and shape.sizes[-2:] != (1, 1):
            found.append((places[name], port))
    return [port for _, port in sorted(found)]


def _leads_to(node: fx.Node, end: fx.Node) -> bool:
    waiting, seen = [node], {node}
    while waiting:
        one = waiting.pop()
        if one is end:
            return True
        waiting += [user for user in one.users if user not in seen]
        seen.update(one.users)
    return False


def _before_softmax(network: Network, node: fx.Node) -> fx.Node:
    """The scores, where probabilities are made of them inside the network: their slope vanishes
    where the network is sure."""
    if node.op == "call_module" and isinstance(
        network.module.get_submodule(str(node.target)), nn.Softmax
    ):
        return node.all_input_nodes[0]
    return node


def _scores(end: Tensor, head: LastLayer | None) -> Tensor:
    """A score a class (N, C)."""
    if head is None:
        return end
    weight, bias = (torch.from_numpy(part).to(end) for part in (head.weight, head.bias))
    return linear(end, weight, bias)


def _normalised(heat: npt.NDArray[np.floating]) -> HeatMap:
    """0…1; all 0 where nothing speaks for the class."""
    top = float(heat.max())
    return np.asarray(heat / top if top > 0 else heat, np.float32)
