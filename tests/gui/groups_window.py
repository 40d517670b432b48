"""The whole application with EfficientNet-Lite0 opened, told about in JSON lines."""

from __future__ import annotations

from PySide6.QtCore import QPointF

from models.zoo.efficientnet import efficientnet_lite0
from playground.project import Project
from tests.gui.watched import Watched, middle, run
from ui.builder.commands import arranged_graph
from ui.builder.inspector import Inspector


class Groups(Watched):
    def open(self) -> None:
        graph = arranged_graph(efficientnet_lite0(10, 64))
        self.window.session.new(Project("Lite", graph))

    def state(self) -> dict[str, object]:
        canvas = self.window.workspace.canvas
        level, crumb = canvas.level, canvas.breadcrumb
        session = self.window.session
        return {
            "path": list(level.path),
            "nodes": {
                item.node.name: self.on_screen(item.box.center())
                for item in canvas.scene.nodes.values()
            },
            "kernels": {n.name: n.params.get("kernel") for n in session.graph.of_layer("group")},
            "back": middle(crumb.back) if crumb.isVisible() else None,
            "note": crumb.note.text() if crumb.isVisible() else "",
            "selected": [level.graph.nodes[id].name for id in level.selection],
            "fields": self.fields(),
            "stride": {
                item.id: item.graph.named("depthwise_conv").params.get("stride", 1)
                for item in session.graph.definitions.values()
            },
            "errors": len(session.report.problems()),
        }

    def on_screen(self, at: QPointF) -> list[int]:
        view = self.window.workspace.canvas.view
        point = view.viewport().mapToGlobal(view.mapFromScene(at))
        return [point.x(), point.y()]

    def fields(self) -> dict[str, list[int]]:
        """The inspector's fields that are seen, by the ids of their parameters."""
        (inspector,) = self.window.findChildren(Inspector)
        page = inspector.node_page
        if not page.isVisible():
            return {}
        return {id: middle(field) for id, field in page.editor.form.fields.items()}


if __name__ == "__main__":
    run(Groups)
