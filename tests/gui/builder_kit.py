"""What the canvas tests share: a session without a worker thread, and networks to edit."""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QHBoxLayout, QWidget

from models import edits
from models.axes import image
from models.graph import Edge, Graph
from playground import project as projects
from playground.mailbox import Mailbox
from playground.messages import Snapshot
from ui.actions import Actions
from ui.builder.canvas import Canvas
from ui.session import Session


class StillWorker:
    """Takes every order and does nothing; messages are put in its mailbox by the test."""

    def __init__(self) -> None:
        self.mailbox = Mailbox()
        self.orders: list[str] = []

    def __getattr__(self, name: str) -> Any:
        def order(*args: Any, **kwargs: Any) -> None:
            self.orders.append(name)

        return order


def chain(*layers: str | tuple[str, dict[str, Any]], pitch: float = 192.0) -> Graph:
    """Layers in a row, each wired to the next by its first ports."""
    graph, before = Graph(), ""
    for number, entry in enumerate(layers):
        layer, params = entry if isinstance(entry, tuple) else (entry, {})
        graph, id = edits.add_node(graph, layer, (number * pitch, 0.0), params=params)
        if before:
            port = edits.ports(graph, graph.nodes[before])[1][0].name
            target = edits.ports(graph, graph.nodes[id])[0][0].name
            graph = edits.connect(graph, Edge(before, port, id, target))
        before = id
    return graph


def digits_cnn() -> Graph:
    return chain(
        ("input", {"shape": image(1, 28, 28).to_json()}),
        ("conv2d", {"out_channels": 16}),
        "max-pool2d",
        "flatten",
        ("linear", {"out_features": 10}),
        "output",
    )


def long_chain(count: int) -> Graph:
    """A network of ``count`` nodes with a skip edge every ten."""
    graph = chain(
        ("input", {"shape": image(8, 16, 16).to_json()}),
        *(["relu", "batch-norm"] * count)[: count - 2],
        "output",
    )
    places = {
        id: (number % 40 * 192.0, number // 40 * 168.0) for number, id in enumerate(graph.nodes)
    }
    return edits.move(graph, places)


class Bench:
    """A canvas with a session, in a window of its own."""

    def __init__(self, graph: Graph, size: tuple[int, int] = (1000, 560)) -> None:
        self.worker = StillWorker()
        self.session = Session(self.worker)
        self.window = QWidget()
        self.canvas = Canvas(self.session)
        row = QHBoxLayout(self.window)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.canvas)
        self.actions = Actions(self.window)
        self.actions.add(self.canvas.actions())
        self.told: list[str] = []
        self.session.notice.connect(self._hear)
        self.window.resize(*size)
        self.window.show()
        project = projects.Project(graph=graph)
        self.session.new(project)
        QApplication.processEvents()
        self.view, self.scene = self.canvas.view, self.canvas.scene
        self.view.setFocus()

    def _hear(self, notice: object) -> None:
        self.told.append(notice.text)

    def close(self) -> None:
        self.session.close()
        self.window.close()
        self.window.deleteLater()

    # --- the mouse ----------------------------------------------------------------------------

    def at(self, scene: QPointF) -> QPoint:
        """Where a scene position is on the view."""
        return self.view.mapFromScene(scene)

    def middle(self, id: str) -> QPointF:
        return self.scene.nodes[id].box.center()

    def drag(
        self,
        start: QPointF,
        end: QPointF,
        modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier,
        *,
        steps: int = 6,
        release: bool = True,
    ) -> None:
        """Press at a scene position, move in steps, let go at another."""
        first, last = self.at(start), self.at(end)
        self.mouse(QEvent.Type.MouseButtonPress, first, modifiers)
        for step in range(1, steps + 1):
            way = QPointF(first) + (QPointF(last) - QPointF(first)) * (step / steps)
            self.mouse(QEvent.Type.MouseMove, way.toPoint(), modifiers)
        if release:
            self.mouse(QEvent.Type.MouseButtonRelease, last, modifiers)

    def mouse(self, kind: QEvent.Type, at: QPoint, modifiers: Qt.KeyboardModifier) -> None:
        left = Qt.MouseButton.LeftButton
        button = Qt.MouseButton.NoButton if kind == QEvent.Type.MouseMove else left
        held = Qt.MouseButton.NoButton if kind == QEvent.Type.MouseButtonRelease else left
        port = self.view.viewport()
        event = QMouseEvent(
            kind, QPointF(at), QPointF(port.mapToGlobal(at)), button, held, modifiers
        )
        QApplication.sendEvent(port, event)

    def click(
        self,
        scene: QPointF,
        modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier,
    ) -> None:
        QTest.mouseClick(self.view.viewport(), Qt.MouseButton.LeftButton, modifiers, self.at(scene))

    def key(
        self,
        key: Qt.Key,
        modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier,
    ) -> None:
        QTest.keyClick(self.view, key, modifiers)

    # --- the document -------------------------------------------------------------------------

    def ids(self, layer: str) -> list[str]:
        return [node.id for node in self.session.graph.of_layer(layer)]

    def names(self) -> list[str]:
        return [node.layer for node in self.session.graph.nodes.values()]

    def wires(self) -> set[tuple[str, str]]:
        nodes = self.session.graph.nodes
        return {(nodes[e.source].layer, nodes[e.target].layer) for e in self.session.graph.edges}

    def snapshot(self, seed: int = 0) -> Snapshot:
        """A made-up sample's way through the network."""
        random = np.random.default_rng(seed)
        values = {}
        for id, entry in self.session.report.nodes.items():
            for port, shape in entry.outputs.items():
                sizes = [size if isinstance(size, int) else 9 for size in shape.sizes]
                values[id, port] = random.normal(size=sizes).astype(np.float32)
        snapshot = Snapshot(self.session.graph, 0, values, 0, False)
        self.session.snapshot = snapshot
        return snapshot
