"""The application at the digits, on a real display, with what its data view shows in JSON lines."""

from __future__ import annotations

import json
import sys
import tempfile

from PySide6.QtCore import QSettings, QTimer
from PySide6.QtWidgets import QPushButton

from tests.gui.whole_window import middle
from ui import app as application
from ui.data.samples.page import SamplesPage
from ui.failures import Failures

WATCH_MS = 100


class Watched:
    """Prints a line whenever something that the test looks for has changed."""

    def __init__(self) -> None:
        self.window = application.make_window(Failures())
        self.window.setGeometry(0, 0, 1390, 880)
        self.window.painted.connect(self.begin)
        self.window.show()
        self.said = ""
        self.timer = QTimer(self.window)
        self.timer.timeout.connect(self.tell)

    def begin(self) -> None:
        self.window.start()
        self.window.open_example("digits-cnn")
        self.timer.start(WATCH_MS)

    def tell(self) -> None:
        text = json.dumps(self.state())
        if text != self.said:
            self.said = text
            print(text, flush=True)

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


def main() -> int:
    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, tempfile.mkdtemp())
    app = application.make_application()
    watched = Watched()
    status = app.exec()
    watched.window.session.close()
    return status


if __name__ == "__main__":
    sys.exit(main())
