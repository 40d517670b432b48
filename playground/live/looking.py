"""What a network makes of one sample inside, for whoever shows it while it runs."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from torch import Tensor

from models.axes import Kind
from models.build import Network
from models.graph import OUTPUT
from playground.live.inside import HeadOf, InsideView, InsideWish, Seen
from playground.live.intake import part_taken
from playground.live.streaming import Moment
from playground.messages import Array, PortId
from playground.model import Model, ModelError
from playground.probes.attribution import (
    AttributionError,
    GradCam,
    Heat,
    LastLayer,
    Occlusion,
    Subject,
    arguments_of,
    default_port,
    pictures_of,
    subject,
)
from playground.probes.channels import strengths
from playground.probes.passing import Passage, newest, node_of, shape_of
from playground.probes.values import CHANNELS, thin
from playground.vision import fitted

BATCH, FEW = 16, 4
"""Places that occlusion covers at a time on a GPU, and on a CPU, whose caches hold no more."""
SOONER = 3
"""Times as long as others a look takes that waits for the first heat."""
RECURRENT = "sequence"
"""The port at which a recurrent layer gives its states of all steps."""
FRAME = 480
"""Pixels of a frame's longer side, at most, that heat is shown on."""


@dataclass(slots=True)
class _Shown:
    """Heat with the picture that it lies on."""

    heat: Heat
    label: str
    seen: Seen
    picture: Array | None
    frame: Array | None = None


class Looking:
    """Looks into ``model``; ``head`` gives the last layer where it is not the model's own. Not for
    several threads at once."""

    def __init__(self, model: Model, head: HeadOf | None = None) -> None:
        self._model, self._head = model, head
        self._network: Network | None = None
        self._subject: Subject | AttributionError | None = None
        self._plan: _Plan | None = None
        self._filling: Generator[Heat, None, None] | None = None
        self._filled: _Shown | None = None
        self._begun: tuple[Seen, Array | None] | None = None
        self._share = 1.0
        self._first = self._awaited = True
        self._asked: object = None

    @property
    def unfinished(self) -> bool:
        """Whether looking once more at the same sample brings more."""
        return self._filling is not None

    def look(self, seen: Seen, wish: InsideWish, filling: float = 0.0) -> InsideView:
        """What is wished of ``seen``. Heat by occlusion fills over several calls, for ``filling``
        seconds in each and at least by a step; meanwhile the last that is whole is given, and at
        first, for which there is more time, a coarse one. Never raises because of the network."""
        started = time.perf_counter()
        column = next(iter(self._model.dataset.inputs.values()))
        crop = None if seen.size is None else part_taken(column, seen.size)
        view = InsideView(seen.number, seen.time, crop=crop, states=_carried(seen.moment))
        try:
            found = self._found(seen, wish, filling)
        except (ModelError, ValueError, RuntimeError, MemoryError) as error:
            self._filling = None
            text = str(error).strip().split("\n")[0] or type(error).__name__
            found = {"problem": text}
        return view.with_values(**found, seconds=time.perf_counter() - started)

    def _found(self, seen: Seen, wish: InsideWish, filling: float) -> dict[str, object]:
        network, arguments = self._arguments(seen)
        self._turn_to(network)
        plan = self._planned(network, wish, stepping=seen.moment is not None)
        head = self._head() if self._head is not None else None
        values: Mapping[PortId, Tensor] = {}
        shown: _Shown | None = None
        label, problem = self._label(wish, seen, head) if plan.explains else (None, plan.problem)
        if plan.cam is not None and not problem:
            heat, values = plan.cam.run(arguments, label, head)
            shown = _Shown(heat, self._classes(head)[heat.label], seen, None)
        elif plan.ports:
            values = plan.passage.run(arguments).values
        picture = self._picture(seen, values)
        if plan.occlusion is not None and not problem:
            asked = (wish.label, self._classes(head))
            if self._filling is None or self._asked != asked:
                # one after the other is nearly as quick on a CPU, and can be left off sooner
                few = FEW if filling else 1
                batch = few if arguments[0].device.type == "cpu" else BATCH
                self._first = self._filled is None or self._asked != asked
                self._awaited = self._first
                self._filling = plan.occlusion.run(arguments, label, head, batch)
                self._begun, self._asked = (seen, picture), asked
            filling *= SOONER if self._awaited else 1
            shown = self._fill(self._filling, head, time.perf_counter() + filling)
        elif shown is not None:
            shown.picture, shown.frame = picture, _small(seen.pixels)
        found: dict[str, object] = {"picture": picture, "problem": problem}
        if plan.port is not None and plan.port in values:
            found |= _maps(values[plan.port][0], shape_of(network, plan.port).kind, wish)
            found["port"] = plan.port
        states = {
            name: _numpy(thin(values[port][0], Kind.SEQUENCE)) for name, port in plan.states.items()
        }
        if states:
            found["states"] = states
        if shown is not None:
            found |= {
                "heat": shown.heat.values,
                "label": shown.label,
                "heat_score": shown.heat.score,
                "heat_number": shown.seen.number,
                "picture": shown.picture,
                "frame": shown.frame,
            }
        if self._filling is not None:
            found["heat_share"] = self._share
        return found

    # --- what is asked -------------------------------------------------------------------------

    def _arguments(self, seen: Seen) -> tuple[Network, list[Tensor]]:
        if seen.moment is None:
            return self._model.network, arguments_of(self._model, seen.raw)
        network, given = seen.moment.network, seen.moment.given
        return network, [given[name] for name in network.arguments]

    def _turn_to(self, network: Network) -> None:
        if self._network is network:
            return
        self._network, self._plan = network, None
        try:
            self._subject = subject(self._model, network, headless=self._head is not None)
        except AttributionError as error:
            self._subject = error

    def _planned(self, network: Network, wish: InsideWish, *, stepping: bool) -> _Plan:
        states = wish.states and not stepping
        key = (wish.port, wish.maps, wish.heat, wish.heat_port, states)
        if self._plan is None or self._plan.key != key:
            self._filling = self._filled = None
            self._plan = _Plan(key, network, self._subject, wish, stepping, self._model)
        return self._plan

    def _classes(self, head: LastLayer | None) -> tuple[str, ...]:
        return head.classes if head is not None else self._model.dataset.target.classes

    def _label(
        self, wish: InsideWish, seen: Seen, head: LastLayer | None
    ) -> tuple[int | None, str]:
        """The number of the class to explain (None: the likeliest), or why there is none."""
        if self._head is not None and head is None:
            return None, "nothing is taught yet that could be explained: record and learn classes"
        classes = self._classes(head)
        if wish.label is not None and wish.label not in classes:
            return None, f"there is no class {wish.label} in this network's answers"
        wanted = wish.label if wish.label is not None else seen.label
        return (classes.index(wanted) if wanted in classes else None), ""

    # --- what is given -------------------------------------------------------------------------

    def _fill(
        self, filling: Generator[Heat, None, None], head: LastLayer | None, until: float
    ) -> _Shown | None:
        """Go on with the heat of the sample that it was begun with; the last that is to be seen."""
        heat = next(filling)
        while heat.share < 1 and time.perf_counter() < until:
            heat = next(filling)
        self._share = heat.share
        if heat.share >= 1 or (self._first and heat.everywhere):
            assert self._begun is not None
            seen, picture = self._begun
            label, frame = self._classes(head)[heat.label], _small(seen.pixels)
            self._filled, self._awaited = _Shown(heat, label, seen, picture, frame), False
        if heat.share >= 1:
            self._filling = self._begun = None
        return self._filled

    def _picture(self, seen: Seen, values: Mapping[PortId, Tensor]) -> Array | None:
        """What heat lies on: the newest picture (H, W, C) of bytes as it was given, or a
        spectrogram (H, W)."""
        column = next(iter(self._model.dataset.inputs.values()))
        raw = seen.raw.get(column.name)
        if raw is not None and column.shape.kind in (Kind.IMAGE, Kind.VIDEO):
            pixels = raw[0, -1] if column.shape.kind is Kind.VIDEO else raw[0]
            return np.ascontiguousarray(pixels.transpose(1, 2, 0))
        if isinstance(self._subject, Subject) and self._subject.ground in values:
            kind = shape_of(self._subject.network, self._subject.ground).kind
            value, _ = newest(values[self._subject.ground][0], kind)
            return _numpy(value.float().mean(0))
        return None


class _Plan:
    """How a wish is fulfilled: one pass that everything comes out of."""

    def __init__(
        self,
        key: object,
        network: Network,
        found: Subject | AttributionError | None,
        wish: InsideWish,
        stepping: bool,
        model: Model,
    ) -> None:
        self.key, self.problem = key, ""
        self._network = network
        self.cam: GradCam | None = None
        self.occlusion: Occlusion | None = None
        self.port = (wish.port or _last_picture(network, found)) if wish.maps else None
        self.states = _recurrent(model, network) if wish.states and not stepping else {}
        ports = [*self.states.values()]
        if self.port is not None:
            shape_of(network, self.port)
            ports.append(self.port)
        if wish.heat != "none" and isinstance(found, AttributionError):
            self.problem = str(found)
        elif isinstance(found, Subject) and wish.heat != "none":
            ports.append(found.ground)
            try:
                if wish.heat == "gradcam":
                    self.cam = GradCam(found, wish.heat_port, ports)
                else:
                    self.occlusion = Occlusion(found)
            except AttributionError as error:
                self.problem = str(error)
        self.ports = tuple(ports)

    @property
    def explains(self) -> bool:
        """Whether there is to be heat."""
        return self.cam is not None or self.occlusion is not None

    @cached_property
    def passage(self) -> Passage:
        """The values alone, without heat."""
        return Passage(self._network, self.ports)


def _last_picture(network: Network, found: Subject | AttributionError | None) -> PortId | None:
    """The port whose maps are shown where none is chosen."""
    if isinstance(found, Subject):
        try:
            return default_port(found)
        except AttributionError:
            return None
    made = [p for p in pictures_of(network) if node_of(network, p).op != "placeholder"]
    return made[-1] if made else None


def _recurrent(model: Model, network: Network) -> dict[str, PortId]:
    """The states of all steps, by the node's name."""
    return {
        model.graph.nodes[id].name: (id, port)
        for id, port in network.values
        if port == RECURRENT and id in model.graph.nodes and model.graph.nodes[id].layer != OUTPUT
    }


def _carried(moment: Moment | None) -> dict[str, Array]:
    states = {} if moment is None else moment.states
    return {name: _numpy(value).reshape(-1) for name, value in states.items()}


def _small(frame: Array | None) -> Array | None:
    """A frame for people to look at."""
    if frame is None or max(frame.shape[:2]) <= FRAME:
        return frame
    scale = FRAME / max(frame.shape[:2])
    height, width = (max(1, round(side * scale)) for side in frame.shape[:2])
    return fitted(frame, (height, width), "stretch")


def _numpy(value: Tensor) -> Array:
    """An own copy: the tensor may be reused by the next batch."""
    return np.array(value.detach().float().cpu().numpy(), np.float32, order="C")


def _maps(value: Tensor, kind: Kind, wish: InsideWish) -> dict[str, object]:
    value, kind = newest(value, kind)
    found: dict[str, object] = {"strongest": strengths(value, kind, CHANNELS)}
    if kind is Kind.IMAGE:
        chosen = tuple(c for c in wish.channels or () if 0 <= c < len(value))[:CHANNELS]
        channels = chosen or tuple(range(min(CHANNELS, len(value))))
        found |= {"channels": channels, "channel_count": len(value)}
        value = value[list(channels)]
    found["maps"] = _numpy(thin(value, kind))
    return found
