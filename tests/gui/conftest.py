"""One QApplication for all window tests, settings and data of their own, and a check for leaks."""

from __future__ import annotations

import gc
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QSettings, QTimer, qInstallMessageHandler
from PySide6.QtWidgets import QApplication, QWidget

from models.graph import Graph
from tests.gui.builder_kit import Bench
from ui.session import Session
from ui.theme import theme

GRACE_S = 5.0


@pytest.fixture(scope="session")
def application() -> QApplication:
    """The one application of the test process."""
    app = QApplication.instance() or QApplication(["playground"])
    assert isinstance(app, QApplication)
    app.setStyle("Fusion")
    qInstallMessageHandler(lambda kind, context, text: None)
    return app


@pytest.fixture(autouse=True)
def own_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings, data, logs and caches of the person who runs the tests stay untouched."""
    QSettings.setPath(
        QSettings.Format.IniFormat, QSettings.Scope.UserScope, str(tmp_path / "settings")
    )
    monkeypatch.setenv("PLAYGROUND_STATE", str(tmp_path / "state"))
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))


@pytest.fixture
def sessions(monkeypatch: pytest.MonkeyPatch) -> list[Session]:
    """Those that the test makes. They end as Qt's objects do, parents first: left to Python, which
    undoes cycles in any order, one may take its parent along, which then ends it again."""
    made: list[Session] = []
    begin = Session.__init__

    def noted(self: Session, *arguments: Any, **named: Any) -> None:
        begin(self, *arguments, **named)
        made.append(self)

    monkeypatch.setattr(Session, "__init__", noted)
    return made


@pytest.fixture
def app(
    application: QApplication, own_places: None, sessions: list[Session]
) -> Iterator[QApplication]:
    """The application; after the test no widget, running timer or thread may be left."""
    threads = set(threading.enumerate())
    widgets = set(map(id, application.topLevelWidgets()))
    theme().start()
    gc.disable()  # another thread must not be the one to end a widget; see ui.garbage
    yield application
    for widget in application.topLevelWidgets():
        if id(widget) not in widgets and widget.parent() is None:
            widget.close()
            widget.deleteLater()
    while sessions:
        sessions.pop().deleteLater()
    settle(application)
    left = [w for w in application.topLevelWidgets() if id(w) not in widgets and w.isVisible()]
    assert not left, f"windows left open: {left}"
    end = time.monotonic() + GRACE_S
    while (extra := _strangers(threads)) and time.monotonic() < end:
        time.sleep(0.02)
    gc.enable()
    assert not extra, f"threads left running: {extra}"


def settle(application: QApplication) -> None:
    """Deliver what is waiting, deletions included."""
    for _ in range(3):
        application.processEvents()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    gc.collect()
    application.processEvents()


@pytest.fixture
def wait(app: QApplication) -> Callable[..., None]:
    """``wait(condition, seconds)`` lets the window live until the condition holds."""

    def until(condition: Callable[[], object], seconds: float = 30.0) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "it did not happen in time"
            app.processEvents()
            time.sleep(0.005)

    return until


def running_timers(widget: QWidget) -> list[QTimer]:
    return [timer for timer in widget.findChildren(QTimer) if timer.isActive()]


def _strangers(known: set[threading.Thread]) -> list[threading.Thread]:
    return [t for t in threading.enumerate() if t not in known and not t.name.startswith("pytest")]


@pytest.fixture
def opened(app: QApplication) -> Iterator[Callable[[Graph], Bench]]:
    """``opened(graph)`` shows a graph on a canvas of its own."""
    benches: list[Bench] = []

    def show(graph: Graph) -> Bench:
        benches.append(Bench(graph))
        return benches[-1]

    yield show
    for bench in benches:
        bench.close()
