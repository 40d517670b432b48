"""What the network does while it learns: curves, feature maps and hidden states, side by side."""

from __future__ import annotations

from PySide6.QtCore import Slot
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedLayout, QWidget

from models.axes import Kind
from models.layers import LAYERS
from playground.messages import Array, History, PortId, Snapshot, State
from ui.insight.column import Column
from ui.insight.curves import Curves
from ui.insight.feature_maps import FeatureMaps, as_maps, middle
from ui.insight.hidden_states import HiddenStates
from ui.insight.node_chooser import (
    NodeChooser,
    node_title,
    nodes_with_maps,
    nodes_with_states,
)
from ui.session import Session
from ui.widgets import ElidedLabel, EmptyState, IconButton, Segmented

LEAST_SIDE = 5
NO_RUN = "Press Run (F5) and the curves appear here."
NO_DATA = "Choose data to see what each part of the network makes of a sample."
BROKEN = "The picture comes as soon as the network has no errors."
WAITING = "The picture comes in a moment."


class _Body(QWidget):
    """A view, or an empty state that says why there is nothing to see."""

    def __init__(self, view: QWidget, empty: EmptyState) -> None:
        super().__init__()
        self._stack = QStackedLayout(self)
        self._stack.setContentsMargins(0, 0, 0, 0)
        self.view, self.empty = view, empty
        self._stack.addWidget(view)
        self._stack.addWidget(empty)

    def show_view(self, shown: bool) -> None:
        self._stack.setCurrentWidget(self.view if shown else self.empty)


class _NodeColumn(Column):
    """A view of one node's value: its chooser in the header, an empty state under it."""

    def __init__(self, session: Session, title: str, view: QWidget, icon: str) -> None:
        super().__init__(title)
        self._session = session
        self.chooser = NodeChooser(f"{title}: node")
        self.detail = ElidedLabel("", "small")
        self.head.addWidget(self.chooser)
        self.head.addWidget(self.detail, 1)
        self.empty = EmptyState(icon, NO_DATA, "Choose data", self._choose_data)
        self.main = _Body(view, self.empty)
        self.body.addWidget(self.main, 1)
        self._shown: tuple[PortId | None, int | None] = (None, None)

    def is_fresh(self, port: PortId, sample: int | None) -> bool:
        """Whether another node or sample is shown than last time."""
        before, self._shown = self._shown, (port, sample)
        return before != self._shown

    def value(self, snapshot: Snapshot | None) -> Array | None:
        """The chosen node's value in ``snapshot``; explains where there is none."""
        port = self.chooser.port
        value = snapshot.values.get(port) if snapshot is not None and port is not None else None
        if value is None or not value.size:
            self.detail.set_text("")
            self._explain(snapshot)
            self.main.show_view(False)
            return None
        self.main.show_view(True)
        return value

    def _explain(self, snapshot: Snapshot | None) -> None:
        if self._session.dataset is None:
            self.empty.say(self._session.data_message or NO_DATA, "Choose data")
        else:
            waiting = WAITING if self._session.report.ok else BROKEN
            self.empty.say((snapshot.problem if snapshot else "") or waiting, "")

    def _choose_data(self) -> None:
        self._session.reveal.emit("data")


class MapsColumn(_NodeColumn):
    """The feature maps of one node."""

    def __init__(self, session: Session) -> None:
        self.maps = FeatureMaps()
        super().__init__(session, "Feature maps", self.maps, "grid")
        self.both = IconButton("sigma", "Show negative responses too, in blue")
        self.both.setCheckable(True)
        self.both.toggled.connect(self.maps.set_signed)
        self.head.addWidget(self.both)
        self.maps.chosen_changed.connect(self._retell)
        self._told = ""

    def show_snapshot(self, snapshot: Snapshot | None) -> None:
        value, port = self.value(snapshot), self.chooser.port
        if value is None or port is None or snapshot is None:
            return
        report = self._session.report.nodes.get(port[0])
        shape = report.outputs.get(port[1]) if report is not None else None
        note = ""
        if value.ndim == 4:
            value, note = middle(value, video=shape is not None and shape.kind is Kind.VIDEO)
        try:
            maps = as_maps(value)
        except ValueError:
            return
        self.maps.show_maps(maps, fresh=self.is_fresh(port, snapshot.sample))
        total = len(maps)
        if shape is not None and shape.kind in (Kind.IMAGE, Kind.VIDEO, Kind.VOLUME):
            total = max(total, int(shape["C"]))
        size = f"{maps.shape[1]}×{maps.shape[2]}" if maps.shape[1] > 1 else f"{maps.shape[2]} steps"
        if shape is not None and shape.kind is Kind.IMAGE:
            size = f"{shape['H']}×{shape['W']}"
        parts = [f"{len(self.maps.maps)} of {total}", size, note]
        self._told = " · ".join(part for part in parts if part)
        self._retell()

    @Slot()
    def _retell(self) -> None:
        chosen = self.maps.chosen
        self.detail.set_text(self._told if chosen is None else f"map {chosen + 1} · {self._told}")


class StatesColumn(_NodeColumn):
    """The hidden states of one node over time."""

    def __init__(self, session: Session) -> None:
        self.states = HiddenStates()
        super().__init__(session, "Hidden state", self.states, "series")
        self.look = Segmented((("map", "Map"), ("lines", "Lines")), "map", "Hidden state as")
        self.look.chosen.connect(self._look_chosen)
        self.head.addWidget(self.look)

    def show_snapshot(self, snapshot: Snapshot | None) -> None:
        value, port = self.value(snapshot), self.chooser.port
        if value is None or port is None or snapshot is None or value.ndim != 2:
            return
        self.states.show_states(value, fresh=self.is_fresh(port, snapshot.sample))
        steps, units = value.shape
        self.detail.set_text(f"{units} units over {steps} steps")

    @Slot(str)
    def _look_chosen(self, look: str) -> None:
        self.states.set_as_lines(look == "lines")


class LivePanel(QWidget):
    """The three columns. Nothing is drawn while the panel is hidden."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.setAccessibleName("Live views")
        self.curves = Curves()
        self._curves_body = _Body(self.curves, EmptyState("play", NO_RUN, "Run", session.run))
        self.maps = MapsColumn(session)
        self.states = StatesColumn(session)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 8, 16, 12)
        row.setSpacing(28)
        row.addWidget(self._curves_body, 10)
        row.addWidget(self.maps, 11)
        row.addWidget(self.states, 11)
        self._stale = True
        self._connect()
        self._rebuild()
        self._project_changed()

    def _connect(self) -> None:
        session = self._session
        session.project_changed.connect(self._project_changed)
        session.graph_changed.connect(self._rebuild)
        session.selection_changed.connect(self._follow_selection)
        session.dataset_changed.connect(self._refresh)
        session.state_changed.connect(self._state_changed)
        session.bridge.history.connect(self._on_history)
        session.bridge.snapshot.connect(self._on_snapshot)
        for column in (self.maps, self.states):
            column.chooser.port_changed.connect(self._port_changed)

    # What is there to be seen -------------------------------------------------------------------

    @Slot()
    def _rebuild(self) -> None:
        """Offer the nodes of the edited graph; a column without nodes is not there."""
        session = self._session
        maps, states = nodes_with_maps(session), nodes_with_states(session)
        titled = [
            [(port, node_title(session, port[0])) for port in side] for side in (maps, states)
        ]
        self.maps.chooser.offer(titled[0], self._telling(maps))
        self.states.chooser.offer(titled[1], states[0] if states else None)
        self.maps.setVisible(bool(maps))
        self.states.setVisible(bool(states))
        self._watch()

    def _telling(self, ports: list[PortId]) -> PortId | None:
        """The last convolution whose maps are large enough to be recognised."""
        best: tuple[bool, PortId] | None = None
        for port in ports:
            shape = self._session.report.nodes[port[0]].outputs[port[1]]
            layer = LAYERS.find(self._session.graph.nodes[port[0]].layer)
            large = (
                shape.kind is not Kind.IMAGE
                or min(shape.number("H"), shape.number("W")) >= LEAST_SIDE
            )
            good = large and layer is not None and layer.family == "convolution"
            if best is None or good or not best[0]:
                best = (good, port)
        return best[1] if best is not None else None

    @Slot()
    def _project_changed(self) -> None:
        self.curves.clear()
        self._curves_body.show_view(False)
        if self._session.is_open:
            chosen = self._session.project.view.get("live", {})
            for key, column in (("maps", self.maps), ("states", self.states)):
                if isinstance(chosen, dict) and isinstance(chosen.get(key), str):
                    column.chooser.choose_node(chosen[key])
        self._refresh()

    @Slot()
    def _follow_selection(self) -> None:
        if len(self._session.selection) == 1:
            self.maps.chooser.choose_node(self._session.selection[0])
            self.states.chooser.choose_node(self._session.selection[0])

    @Slot()
    def _port_changed(self) -> None:
        if self._session.is_open:
            ports = {"maps": self.maps.chooser.port, "states": self.states.chooser.port}
            self._session.keep("live", {key: port[0] for key, port in ports.items() if port})
        self._watch()
        self._refresh()

    def _watch(self) -> None:
        """Ask for the values that can be seen at present, and for no others."""
        ports = [self.maps.chooser.port, self.states.chooser.port] if self.isVisible() else []
        self._session.watch("live", {port for port in ports if port is not None})

    # Drawing ------------------------------------------------------------------------------------

    @Slot(object)
    def _on_history(self, history: History) -> None:
        if self.isVisible():
            self._show_history(history)
        else:
            self._stale = True

    def _show_history(self, history: History) -> None:
        some = len(history.x) > 0 or len(history.epochs) > 0
        self._curves_body.show_view(some)
        if some:
            self.curves.show_history(history)

    @Slot(object)
    def _on_snapshot(self, snapshot: Snapshot) -> None:
        if self.isVisible():
            self._show_snapshot(snapshot)
        else:
            self._stale = True

    def _show_snapshot(self, snapshot: Snapshot | None) -> None:
        if not self.maps.isHidden():
            self.maps.show_snapshot(snapshot)
        if not self.states.isHidden():
            self.states.show_snapshot(snapshot)

    @Slot()
    def _state_changed(self) -> None:
        if self._session.state is State.PREPARING and self._session.history is None:
            self.curves.clear()
            self._curves_body.show_view(False)

    @Slot()
    def _refresh(self) -> None:
        if not self.isVisible():
            self._stale = True
            return
        self._stale = False
        if self._session.history is not None:
            self._show_history(self._session.history)
        self._show_snapshot(self._session.snapshot)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._watch()
        if self._stale:
            self._refresh()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._watch()
