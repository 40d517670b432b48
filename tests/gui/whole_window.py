"""The whole application on a real display, told about in JSON lines."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QPointF, QRect

from tests.gui.watched import Watched, middle, run
from ui.start import Card


class Whole(Watched):
    def state(self) -> dict[str, object]:
        session = self.window.session
        state: dict[str, object] = {
            "cards": {
                card.accessibleName(): middle(card) for card in self.window.findChildren(Card)
            },
            "open": session.is_open,
            "state": str(session.state),
            "can_run": session.is_open and session.can_run,
            "epochs": len(session.history.epochs) if session.history else 0,
        }
        if session.is_open:
            state |= self.canvas()
        return state

    def canvas(self) -> dict[str, object]:
        workspace, session = self.window.workspace, self.window.session
        view, scene = workspace.canvas.view, workspace.canvas.scene

        def on_screen(at: QPointF) -> list[int]:
            point = view.viewport().mapToGlobal(view.mapFromScene(at))
            return [point.x(), point.y()]

        names = {id: node.name for id, node in session.graph.nodes.items()}
        return {
            "nodes": {
                item.node.name: {
                    "inputs": {p: on_screen(item.input_at(p)) for p in item.frame.inputs},
                    "outputs": {p: on_screen(item.output_at(p)) for p in item.frame.outputs},
                }
                for item in scene.nodes.values()
            },
            "wires": [[names[e.source], names[e.target]] for e in session.graph.edges],
            "layers": self.layers(),
            "errors": len([p for _, p in session.report.problems() if p.level == "error"]),
            "curve": self.curve(),
        }

    def layers(self) -> dict[str, list[int]]:
        from ui.builder.palette import Palette

        found: dict[str, list[int]] = {}
        for palette in self.window.findChildren(Palette):
            port = palette.list.viewport()
            for number in range(palette.model.rowCount()):
                index = palette.model.index(number)
                layer, area = palette.model.layer(index), palette.list.visualRect(index)
                if layer is not None and port.rect().contains(area):
                    place = port.mapToGlobal(area.center())
                    found[layer.id] = [place.x(), place.y()]
        return found

    def curve(self) -> int:
        """A number that changes with what is painted of the curves."""
        from ui.insight.curves import Curves

        curves = self.window.findChildren(Curves)
        if not curves or not curves[0].isVisible():
            return 0
        picture = curves[0].plot.grab(QRect(QPoint(0, 0), curves[0].plot.size())).toImage()
        return hash(bytes(picture.constBits()))


if __name__ == "__main__":
    run(Whole)
