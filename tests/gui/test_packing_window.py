"""A packed copy from the window, and the window from a packed copy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QFileDialog

from playground.data.settings import DataSettings
from tests.gui.doubles import NotingWorker
from ui.main_window import MainWindow
from ui.session import Session


def test_packed_copy_is_saved_and_opened(
    app: QApplication,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    wait: Callable[[Callable[[], bool]], None],
) -> None:
    window = MainWindow(Session(NotingWorker()))
    window.show()
    session = window.session
    assert session.open_example("digits-cnn")
    session.set_data(DataSettings("images", {"path": "files:pictures"}))
    picture = session.files / "pictures" / "cup" / "000001.jpg"
    picture.parent.mkdir(parents=True)
    picture.write_bytes(b"picture")
    target = tmp_path / "desk.playground.zip"
    monkeypatch.setattr(
        QFileDialog, "getSaveFileName", lambda *a: (str(target.with_name("desk")), "")
    )
    window.actions_.trigger("pack")
    wait(target.exists)
    window.ask_to_save = lambda name: "discard"  # type: ignore[method-assign]
    window.open_path(target)
    wait(lambda: session.path is not None)
    assert session.path == tmp_path / "desk" / "desk.playground"
    assert (session.files / "pictures" / "cup" / "000001.jpg").read_bytes() == b"picture"
    target.write_bytes(b"no archive")
    told: list[str] = []
    session.notice.connect(lambda notice: told.append(notice.text))
    window.open_path(target)
    wait(lambda: any("no packed project" in text for text in told))
    window.close()
    window.deleteLater()
