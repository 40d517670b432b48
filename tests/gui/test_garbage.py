"""Cycles that hold widgets end in the main thread."""

from __future__ import annotations

import gc
import sys
import threading
import weakref
from collections.abc import Iterator
from types import ModuleType

import pytest
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication, QWidget

from ui.garbage import LIBRARY, Collector


@pytest.fixture
def collector(app: QApplication) -> Iterator[Collector]:
    was_on, thresholds = gc.isenabled(), gc.get_threshold()
    parent = QObject()
    made = Collector(parent)
    yield made
    gc.set_threshold(*thresholds)
    if was_on:
        gc.enable()


def lost_widget() -> weakref.ref[QWidget]:
    """A widget in a cycle that nothing else holds."""
    widget = QWidget()
    widget.__dict__["itself"] = [widget]
    return weakref.ref(widget)


def test_another_thread_collects_nothing(collector: Collector) -> None:
    lost = lost_widget()
    thread = threading.Thread(target=lambda: [[] for _ in range(200_000)])
    thread.start()
    thread.join()
    assert not gc.isenabled()
    assert lost() is not None


def test_the_main_thread_collects_when_it_is_due(collector: Collector) -> None:
    lost = lost_widget()
    gc.set_threshold(1, 10, 10)
    kept = [[] for _ in range(100)]
    collector.look()
    assert lost() is None
    assert len(kept) == 100


def test_a_library_is_not_gone_through_again(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = gc.get_freeze_count()
    for number in range(LIBRARY + 1):
        monkeypatch.setitem(sys.modules, f"a.large.library{number}", ModuleType("part"))
    collector.look()
    try:
        assert gc.get_freeze_count() > before
    finally:
        gc.unfreeze()
    lost = lost_widget()
    gc.set_threshold(1, 10, 10)
    collector.look()
    assert lost() is None, "the rest is collected as ever"
