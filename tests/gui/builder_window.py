"""The window side of the test on a real display: palette and canvas, told about in JSON lines."""

from __future__ import annotations

import json
import sys
import tempfile

from PySide6.QtCore import QPoint, QPointF, QSettings, QTimer
from PySide6.QtWidgets import QApplication

from tests.gui.builder_kit import Bench, digits_cnn
from ui.builder.palette import Palette
from ui.theme import theme

WATCH_MS = 30


class Window:
    """Prints a line whenever the graph, or where something is on the screen, has changed."""

    def __init__(self, app: QApplication) -> None:
        self.bench = Bench(digits_cnn(), (1300, 640))
        self.palette = Palette(self.bench.session)
        self.palette.setFixedWidth(260)
        row = self.bench.window.layout()
        assert row is not None
        row.insertWidget(0, self.palette)
        self.bench.window.move(0, 0)
        self.said = ""
        self.timer = QTimer(app)
        self.timer.timeout.connect(self.tell)
        self.timer.start(WATCH_MS)

    def tell(self) -> None:
        text = json.dumps(self.state())
        if text != self.said:
            self.said = text
            print(text, flush=True)

    def state(self) -> dict[str, object]:
        view, scene = self.bench.view, self.bench.scene

        def on_screen(at: QPointF) -> list[int]:
            point: QPoint = view.viewport().mapToGlobal(view.mapFromScene(at))
            return [point.x(), point.y()]

        nodes = {}
        for item in scene.nodes.values():
            nodes[item.node.name] = {
                "middle": on_screen(item.box.center()),
                "inputs": {port: on_screen(item.input_at(port)) for port in item.frame.inputs},
                "outputs": {port: on_screen(item.output_at(port)) for port in item.frame.outputs},
            }
        names = {id: node.name for id, node in self.bench.session.graph.nodes.items()}
        edges = self.bench.session.graph.edges
        return {
            "nodes": nodes,
            "wires": [[names[e.source], names[e.target]] for e in edges],
            "layers": self.rows(),
            "empty": on_screen(scene.bounds().center() + QPointF(0, 150)),
        }

    def rows(self) -> dict[str, list[int]]:
        """The palette's layers that are in view, and where."""
        found = {}
        rows, port = self.palette.list, self.palette.list.viewport()
        for number in range(self.palette.model.rowCount()):
            index = self.palette.model.index(number)
            layer, area = self.palette.model.layer(index), rows.visualRect(index)
            if layer is not None and port.rect().contains(area):
                place = port.mapToGlobal(area.center())
                found[layer.id] = [place.x(), place.y()]
        return found


def main() -> int:
    folder = tempfile.mkdtemp()
    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, folder)
    app = QApplication(["playground"])
    app.setStyle("Fusion")
    theme().start()
    window = Window(app)
    status = app.exec()
    window.bench.close()
    return status


if __name__ == "__main__":
    sys.exit(main())
