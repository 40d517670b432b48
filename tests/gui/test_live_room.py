"""Room in the live view: its columns, and what its bar says at which width."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from PySide6.QtWidgets import QApplication

from playground.live.settings import EngineReport
from tests.gui.doubles import NotingWorker
from tests.gui.live_fakes import FakeRecognition, fake_live
from ui.main_window import MainWindow
from ui.session import Session


@pytest.fixture
def window(app: QApplication, monkeypatch: pytest.MonkeyPatch) -> Iterator[MainWindow]:
    fake_live(monkeypatch)
    window = MainWindow(Session(NotingWorker()))
    window.resize(1600, 1000)
    window.show()
    window.start()
    yield window
    window.ask_to_save = lambda name: "discard"
    window.close()
    window.deleteLater()


def test_columns_and_bar_use_the_room(window: MainWindow, wait: Callable[..., None]) -> None:
    window.recognise("efficientnet-lite0")
    assert window.workspace is not None
    view, bar = window.workspace.live_view, window.transport.live
    assert view is not None
    assert bar is not None
    wait(lambda: view.desk.device is not None)
    FakeRecognition.report = EngineReport("onnxruntime", {"onnxruntime": 0.019})
    FakeRecognition.made[-1].give()
    wait(lambda: view.desk.figures.inference_ms is not None)
    bar.refresh()
    assert bar.inference.text().endswith("ms inference · ONNX Runtime")
    assert bar.camera.isVisible()
    assert not window.transport.search.isVisible(), "figures come first"
    assert (view.left.width(), view.right.width()) == (368, 360)
    window.resize(1366, 768)
    QApplication.processEvents()
    assert bar.inference.text().endswith("ms inference · ONNX Runtime"), "before the device's name"
    assert (view.left.width(), view.right.width()) == (320, 320)
    window.resize(2560, 1440)
    QApplication.processEvents()
    assert window.transport.search.isVisible()
    assert (view.left.width(), view.right.width()) == (368, 360)
    view._whole.moveSplitter(500, 1)
    view._whole.splitterMoved.emit(500, 1)
    window.resize(1600, 1000)
    QApplication.processEvents()
    assert view.left.width() > 368, "who moved a column keeps it"
