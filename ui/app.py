"""Start and end of the window: on screen first, torch behind it; no thread is left at the end."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from types import FrameType

if sys.platform == "win32":  # there torch's libraries must be loaded before Qt's
    import_module("playground.devices")

from PySide6.QtCore import QObject, QTimer, Slot
from PySide6.QtGui import QGuiApplication, QIcon
from PySide6.QtWidgets import QApplication

from playground.worker import Worker
from ui.failures import Failures
from ui.garbage import Collector
from ui.main_window import MainWindow
from ui.session import Session
from ui.settings import APPLICATION, ORGANISATION
from ui.theme import RESOURCES, theme

PLATFORM = "QT_QPA_PLATFORM"
SIGNAL_MS = 200
SWITCH_S = 0.0005
"""How long a thread that recognises or learns may go on with Python while the window wants it: the
usual 5 ms would be felt, since a paint asks many times."""
INTERRUPTED = 130


def main(argv: Sequence[str]) -> int:
    """Open the window, with the project that ``argv`` names if any; returns the exit status.

    Where no display can be opened, it says so and shows the same work in a picture.
    """
    project = Path(argv[0]) if argv else None
    may_fall_back = choose_platform()
    app = make_application()
    failures = Failures()
    window = make_window(failures)
    if may_fall_back and app.platformName() == "offscreen":
        from ui.offscreen import show_without_display

        return show_without_display(window, project)
    starter = _Starter(window, project)
    window.painted.connect(starter.go)
    window.show()
    interrupt = _Interrupt(window)
    app.exec()
    interrupt.restore()
    window.session.close()
    failures.restore()
    return INTERRUPTED if interrupt.came else 0


def choose_platform() -> bool:
    """On Linux, let Qt try the displays that are announced and then go on without one, instead of
    ending the process. Whether it may go on without one."""
    if PLATFORM in os.environ or not sys.platform.startswith("linux"):
        return False
    names = [
        name
        for name, variable in (("xcb", "DISPLAY"), ("wayland", "WAYLAND_DISPLAY"))
        if os.environ.get(variable)
    ]
    if os.environ.get("XDG_SESSION_TYPE") == "wayland":
        names.reverse()
    os.environ[PLATFORM] = ";".join([*names, "offscreen"])
    return True


def make_application() -> QApplication:
    """The one QApplication, in the application's look. For the whole process, threads take turns
    sooner from then on, and cycles are collected in this thread alone."""
    sys.setswitchinterval(SWITCH_S)
    QGuiApplication.setDesktopFileName("playground")
    app = QApplication(sys.argv[:1])
    app.setOrganizationName(ORGANISATION)
    app.setApplicationName(APPLICATION)
    app.setStyle("Fusion")
    app.setWindowIcon(QIcon(str(RESOURCES / "icons" / "sheet" / "playground.svg")))
    theme().start()
    Collector(app)
    return app


def make_window(failures: Failures) -> MainWindow:
    """A window with its session; the worker is started by ``MainWindow.start``."""
    window = MainWindow(Session(Worker()))
    failures.occurred.connect(window.show_failure)
    return window


class _Starter(QObject):
    """What happens right after the first paint."""

    def __init__(self, window: MainWindow, project: Path | None) -> None:
        super().__init__(window)
        self._window, self._project = window, project

    @Slot()
    def go(self) -> None:
        self._window.start()
        if self._project is not None:
            self._window.open_path(self._project)


class _Interrupt(QObject):
    """Ctrl+C and termination close the window without a question; unsaved work is recovered at the
    next start."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.came = False
        self._before = {
            number: signal.signal(number, self._note) for number in (signal.SIGINT, signal.SIGTERM)
        }
        self._timer = QTimer(self)  # Python looks at signals only while it runs
        self._timer.setInterval(SIGNAL_MS)
        self._timer.timeout.connect(self._look)
        self._timer.start()

    def restore(self) -> None:
        self._timer.stop()
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self.came = True

    @Slot()
    def _look(self) -> None:
        if self.came:
            self._timer.stop()
            self._window.close_at_once()
