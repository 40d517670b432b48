"""The whole application on a real display, told about in JSON lines for a test to read."""

from __future__ import annotations

import json
import sys
import tempfile

from PySide6.QtCore import QSettings, QTimer
from PySide6.QtWidgets import QWidget

from ui import app as application
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
        self.open()
        self.timer.start(WATCH_MS)

    def open(self) -> None:
        """What the window shows at first; the start page unless something else is opened."""

    def tell(self) -> None:
        text = json.dumps(self.state())
        if text != self.said:
            self.said = text
            print(text, flush=True)

    def state(self) -> dict[str, object]:
        """What the test looks for."""
        raise NotImplementedError


def middle(widget: QWidget) -> list[int]:
    place = widget.mapToGlobal(widget.rect().center())
    return [place.x(), place.y()]


def run(kind: type[Watched]) -> None:
    """Run the application until it is closed."""
    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, tempfile.mkdtemp())
    app = application.make_application()
    watched = kind()
    status = app.exec()
    watched.window.session.close()
    sys.exit(status)
