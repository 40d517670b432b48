"""The application at the digits, on a real display, with what its data view shows in JSON lines."""

from __future__ import annotations

from PySide6.QtWidgets import QPushButton

from tests.gui.watched import Watched, middle, run
from ui.data.samples.page import SamplesPage


class DataView(Watched):
    def open(self) -> None:
        self.window.open_example("digits-cnn")

    def state(self) -> dict[str, object]:
        session = self.window.session
        state: dict[str, object] = {
            "ready": session.is_open and session.dataset is not None,
            "mode": session.mode,
            "sample": session.sample,
            "modes": {
                button.text(): middle(button)
                for button in self.window.findChildren(QPushButton)
                if button.text() in ("Network", "Data") and button.isVisible()
            },
        }
        pages = self.window.findChildren(SamplesPage)
        return state | (self.page(pages[0]) if pages and pages[0].isVisible() else {})

    def page(self, page: SamplesPage) -> dict[str, object]:
        grid, seen = page.grid, page.detail.seen
        port, tiles = grid.viewport(), {}
        for place in range(min(20, len(grid.indices))):
            at = port.mapToGlobal(grid.tile_rect(place).center())
            tiles[str(int(grid.indices[place]))] = [at.x(), at.y()]
        return {
            "search": middle(page.search),
            "shown": len(grid.indices),
            "tiles": tiles,
            "seen": None if seen is None else seen.index,
            "shape": page.detail.numbers.shape.text(),
            "total": float(page.detail.numbers.array.sum()),
        }


if __name__ == "__main__":
    run(DataView)
