"""The whole application, turned to the recording page by hand, told about in JSON lines."""

from __future__ import annotations

import json
import sys
import tempfile

from PySide6.QtCore import QSettings, QTimer
from PySide6.QtWidgets import QAbstractButton, QWidget

from playground import project as projects
from ui import app as application
from ui.data.record.page import RecordPage
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
        self.timer.start(WATCH_MS)

    def begin(self) -> None:
        self.window.start()
        self.window.session.new(projects.empty())

    def tell(self) -> None:
        text = json.dumps(self.state())
        if text != self.said:
            self.said = text
            print(text, flush=True)

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


def middle(widget: QWidget) -> list[int]:
    place = widget.mapToGlobal(widget.rect().center())
    return [place.x(), place.y()]


def main() -> int:
    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, tempfile.mkdtemp())
    app = application.make_application()
    watched = Watched()
    status = app.exec()
    watched.window.session.close()
    return status


if __name__ == "__main__":
    sys.exit(main())
