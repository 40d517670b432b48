"""Which node a view looks at: a flat list box that follows the selection on the canvas."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, Signal, Slot
from PySide6.QtWidgets import QComboBox, QWidget

from models.axes import Kind
from models.layers import LAYERS
from playground.messages import PortId
from ui.session import Session
from ui.theme import theme

MAP_KINDS: tuple[Kind, ...] = (Kind.IMAGE, Kind.VIDEO, Kind.VOLUME)


def nodes_with_maps(session: Session) -> list[PortId]:
    """Outputs that are feature maps: of every convolution, and whatever else gives images."""
    found: list[PortId] = []
    for id, node in session.graph.nodes.items():
        layer, report = LAYERS.find(node.layer), session.report.nodes.get(id)
        if report is None or node.layer in ("input", "output"):
            continue
        kinds = MAP_KINDS
        if layer is not None and layer.family == "convolution":
            kinds = (*MAP_KINDS, Kind.SEQUENCE)
        port = next((p for p, shape in report.outputs.items() if shape.kind in kinds), None)
        if port is not None:
            found.append((id, port))
    return found


def nodes_with_states(session: Session) -> list[PortId]:
    """The state over time of every recurrent node."""
    found: list[PortId] = []
    for id, node in session.graph.nodes.items():
        layer, report = LAYERS.find(node.layer), session.report.nodes.get(id)
        if layer is None or layer.family != "recurrent" or report is None:
            continue
        if "sequence" in report.outputs:
            found.append((id, "sequence"))
    return found


def node_title(session: Session, id: str) -> str:
    """A node for people: ``Conv2d · conv2``."""
    node = session.graph.nodes[id]
    layer = LAYERS.find(node.layer)
    kind = layer.name if layer is not None else node.layer
    return kind if kind.lower() == node.name.lower() else f"{kind} · {node.name}"


class NodeChooser(QComboBox):
    """The nodes that a view can show. ``port_changed`` tells that another is shown now."""

    port_changed = Signal()

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setToolTip(f"{name}: choose here, or select a node on the canvas")
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.setMaximumWidth(220)
        self.activated.connect(self._activated)
        self.installEventFilter(self)
        theme().changed.connect(self.restyle)
        self.restyle()

    @property
    def port(self) -> PortId | None:
        """The output that is shown."""
        port: PortId | None = self.currentData()
        return port

    def offer(self, choices: Sequence[tuple[PortId, str]], preferred: PortId | None) -> None:
        """List ``choices``; the present one stays if it is among them, else ``preferred``."""
        before = self.port
        self.blockSignals(True)
        texts = [(port, text) for port, text in choices]
        if [(self.itemData(i), self.itemText(i)) for i in range(self.count())] != texts:
            self.clear()
            for port, text in texts:
                self.addItem(text, port)
        ports = [port for port, _ in texts]
        wanted = before if before in ports else preferred
        if ports:
            self.setCurrentIndex(ports.index(wanted) if wanted in ports else 0)
        self.blockSignals(False)
        if self.port != before:
            self.port_changed.emit()

    def choose_node(self, id: str) -> None:
        """Show a node if it is among the choices."""
        for index in range(self.count()):
            if self.itemData(index)[0] == id and index != self.currentIndex():
                self.setCurrentIndex(index)
                self.port_changed.emit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        return event.type() == QEvent.Type.Wheel or super().eventFilter(watched, event)

    @Slot(int)
    def _activated(self, _index: int) -> None:
        self.port_changed.emit()

    @Slot()
    def restyle(self) -> None:
        tokens = theme().tokens
        self.setStyleSheet(
            "QComboBox { background: transparent; border: 1px solid transparent; padding: 0 2px;"
            f" min-height: 22px; color: {tokens.text2}; font-size: 12px; }}"
            f" QComboBox:hover {{ background: {tokens.raised}; }}"
            f" QComboBox:focus {{ border-color: {tokens.accent}; }}"
        )
