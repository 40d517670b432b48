"""The whole application, turned to the recording page by hand, told about in JSON lines."""

from __future__ import annotations

from PySide6.QtWidgets import QAbstractButton

from playground import project as projects
from tests.gui.watched import Watched, middle, run
from ui.data.record.page import RecordPage


class Recording(Watched):
    def open(self) -> None:
        self.window.session.new(projects.empty())

    def state(self) -> dict[str, object]:
        session = self.window.session
        state: dict[str, object] = {"open": session.is_open, "run": str(session.state)}
        for button in self.window.findChildren(QAbstractButton):
            if button.accessibleName() == "Record pictures" and button.isVisible():
                state["camera"] = middle(button)
        for page in self.window.findChildren(RecordPage):
            state |= self.page(page)
        return state

    def page(self, page: RecordPage) -> dict[str, object]:
        bench, grid = page.bench, page.bench.samples.grid
        tiles = [grid.viewport().mapToGlobal(grid.tile_rect(i).center()) for i in grid.visible()]
        return {
            "folder": str(bench.library.folder),
            "ready": bool(bench.classes.cards) and bench.classes.cards[0].hold.isEnabled(),
            "hold": {card.name: middle(card.hold) for card in bench.classes.cards},
            "cards": {card.name: middle(card.newest) for card in bench.classes.cards},
            "red": [
                card.name for card in bench.classes.cards if card.hold.property("kind") == "danger"
            ],
            "counts": {name: len(bench.library.files(name)) for name in bench.library.names},
            "shown": bench.samples.name,
            "chosen": len(grid.chosen),
            "tiles": [[tile.x(), tile.y()] for tile in tiles],
            "train": middle(bench.use.train) if bench.use.train.isEnabled() else None,
            "said": bench.use.text.text(),
        }


if __name__ == "__main__":
    run(Recording)
