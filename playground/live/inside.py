"""Looking inside while a network runs: maps, heat, states, as often as there is time for.

Known without torch, so that a window can ask for it at once; torch is loaded in the thread.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from models.axes import Kind
from models.graph import GROUP, INPUT, OUTPUT, Graph, GraphError
from models.groups import inside
from models.shapes import Report, infer
from playground.live.latest import Latest
from playground.live.searching import Search
from playground.messages import Array, PortId

if TYPE_CHECKING:
    from playground.live.candidates import Candidate
    from playground.live.streaming import Moment
    from playground.model import Model
    from playground.probes.attribution import LastLayer

HeadOf = Callable[[], "LastLayer | None"]
HeatKind = Literal["none", "gradcam", "occlusion"]
PATIENCE = 0.05
"""Seconds between two looks at whether to end."""
FILLING = 0.1
"""Seconds that heat by occlusion goes on in each look: more would keep the maps waiting."""


@dataclass(frozen=True, slots=True)
class InsideWish:
    """What is to be seen.

    ``port`` is the layer whose maps are shown, also inside groups (``n3/n1``); None for the last
    whose values are pictures. Without ``maps`` none are. ``channels`` are those to show (None: the
    first 64). ``heat`` is for the class ``label`` (None: the first answer); Grad-CAM is taken at
    ``heat_port`` (None: the last layer whose values are pictures). ``rate_hz`` is how often at
    most; 0 rests.
    """

    port: PortId | None = None
    heat: HeatKind = "none"
    label: str | None = None
    rate_hz: float = 5.0
    states: bool = True
    channels: tuple[int, ...] | None = None
    heat_port: PortId | None = None
    maps: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class InsideView:
    """What was seen of the sample ``number``, captured at ``time`` (``time.monotonic``).

    ``maps`` are values at ``port``, thinned: C×H×W, T×F or F. Those of pictures are the
    ``channels`` of ``channel_count``; of clips, the newest frame's. ``strongest`` are (channel,
    mean activation), the largest first. ``heat`` (H, W) in 0…1 says where the network saw
    ``label``, whose probability was ``heat_score``, in the sample ``heat_number``; it lies on
    ``picture``: H×W×C bytes as the network was given them, or H×W of a spectrogram. ``crop`` is
    where that picture is in the camera's ``frame``, which is given with heat and made small: left,
    top, right, bottom as shares of its width and height, outside 0…1 for borders; None where that
    is not known. ``heat_share`` is how much there is of the heat that comes next, where it takes
    several looks. ``states`` are by the recurrent
    layer's name: (H,) now where they are carried along, (T, H) where a whole window is asked about.
    ``seconds`` is what looking took; ``problem`` is a sentence where something cannot be shown.
    """

    number: int
    time: float
    port: PortId | None = None
    maps: Array | None = None
    channels: tuple[int, ...] = ()
    channel_count: int = 0
    strongest: tuple[tuple[int, float], ...] = ()
    heat: Array | None = None
    label: str = ""
    heat_score: float = 0.0
    heat_number: int = 0
    heat_share: float = 1.0
    picture: Array | None = None
    frame: Array | None = None
    crop: tuple[float, float, float, float] | None = None
    states: Mapping[str, Array] = field(default_factory=dict)
    seconds: float = 0.0
    problem: str = ""

    def with_values(self, **values: Any) -> InsideView:
        return replace(self, **values)


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A sample that was answered: its raw values (1, …) by the input's name, the size of the
    camera's frame (rows, columns) and its ``pixels`` (H×W×3), and the first answer; ``moment``
    where a state is carried along."""

    number: int
    time: float
    raw: Mapping[str, Array]
    size: tuple[int, int] | None = None
    label: str | None = None
    moment: Moment | None = None
    pixels: Array | None = None


class Inside:
    """Looks in a thread of its own at what ``newest`` gives: the newest sample numbered above the
    first argument, or None after so many seconds. It takes at most half of its own time, so that
    answers are not starved. The model's weights are shared with whoever answers; ``head`` gives
    the last layer where it is not the model's own. ``told`` is called in the thread after each new
    view; it must not take time."""

    def __init__(
        self,
        model: Model,
        newest: Callable[[int, float], Seen | None],
        wish: InsideWish | None = None,
        told: Callable[[], None] | None = None,
        head: HeadOf | None = None,
    ) -> None:
        self._model, self._newest, self._head = model, newest, head
        self.told = told
        self._wish = wish or InsideWish()
        self._changed = threading.Event()
        self._latest: Latest[InsideView] = Latest()
        self._problem = ""
        self._thread = threading.Thread(target=self._work, name="inside", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Begin to end; returns at once."""
        self._latest.stop()
        self._changed.set()

    def close(self, timeout: float | None = None) -> bool:
        """End after the present look; waits for it, at most ``timeout`` seconds. Whether it
        ended."""
        self.stop()
        if self._thread.is_alive():
            self._thread.join(timeout)
        return not self._thread.is_alive()

    @property
    def wish(self) -> InsideWish:
        """May be set at any time, from any thread."""
        return self._wish

    @wish.setter
    def wish(self, wish: InsideWish) -> None:
        self._wish = wish
        self._changed.set()

    @property
    def graph(self) -> Graph:
        """The network that is looked into."""
        return self._model.graph

    @property
    def report(self) -> Report:
        """The shapes of its values."""
        return self._model.network.report

    @property
    def problem(self) -> str:
        """Why nothing more is looked at, as a sentence."""
        return self._problem

    def view(self) -> InsideView | None:
        """The newest; None before the first."""
        return self._latest.item

    def search(
        self,
        port: PortId,
        channel: int,
        samples: Sequence[Candidate],
        told: Callable[[], None] | None = None,
    ) -> Search:
        """Which of ``samples`` excite a channel most; starting and closing it is the caller's."""
        return Search(self._model, port, channel, samples, told)

    def _work(self) -> None:
        try:
            self._look()
        except Exception as error:
            logging.getLogger(__name__).exception("looking inside failed")
            self._problem = f"The network cannot be looked into: {' '.join(str(error).split())}"

    def _look(self) -> None:
        from playground.live.looking import Looking

        looking = Looking(self._model, self._head)
        number = 0
        while not self._latest.stopped:
            if self._changed.is_set():
                self._changed.clear()
                number = 0  # the same sample again, with other eyes
            wish = self._wish
            if wish.rate_hz <= 0:
                self._changed.wait()
                continue
            seen = self._newest(number, PATIENCE)
            if seen is None:
                continue
            started = time.perf_counter()
            view = looking.look(seen, wish, FILLING)
            self._latest.put(view)
            if self.told is not None:
                self.told()
            number = 0 if looking.unfinished else seen.number
            taken = time.perf_counter() - started
            self._changed.wait(max(taken, 1 / wish.rate_hz - taken))


def inside_ports(graph: Graph, report: Report | None = None) -> list[tuple[PortId, str, str]]:
    """What can be looked at: (port, title, "maps" or "states"), in the order of the pass, also
    inside groups. Needs no torch."""
    return list(_ports(graph, infer(graph) if report is None else report, "", ""))


def _ports(graph: Graph, report: Report, place: str, path: str) -> list[tuple[PortId, str, str]]:
    found: list[tuple[PortId, str, str]] = []
    for id in graph.order()[0]:
        node, entry = graph.nodes[id], report.nodes.get(id)
        if entry is None or not entry.ok or id not in report.used or node.layer == OUTPUT:
            continue
        title = f"{path}{node.name}"
        if node.layer == GROUP and entry.inside is not None:
            try:
                inner = inside(graph, node)
            except GraphError:
                continue
            found += _ports(inner, entry.inside, f"{place}{id}/", f"{title} / ")
        elif node.layer == INPUT and place:
            continue
        several = len(entry.outputs) > 1
        for port, shape in entry.outputs.items():
            kind = "maps" if shape.kind in (Kind.IMAGE, Kind.VIDEO, Kind.VOLUME) else "states"
            if shape.kind is not Kind.TOKENS:
                found.append(
                    ((f"{place}{id}", port), f"{title} · {port}" if several else title, kind)
                )
    return found
