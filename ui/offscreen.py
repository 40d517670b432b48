"""The main job where there is no display: open, train a little, save a picture of the window."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import monotonic

from PySide6.QtCore import QEventLoop, QTimer

from playground.messages import State
from ui.main_window import MainWindow

EXAMPLE, EPOCHS = "digits-cnn", 2
PATIENCE_S, SETTLE_MS, POLL_MS = 180.0, 1500, 20


def show_without_display(window: MainWindow, project: Path | None) -> int:
    """Train ``project`` or the digits CNN for two epochs in a window on no screen; the status."""
    print(
        "There is no display here (neither DISPLAY nor WAYLAND_DISPLAY leads to one), so the same "
        "is done without: open, train a little, and save a picture of the window.",
        flush=True,
    )
    window.resize(1600, 1000)
    window.show()
    window.start()
    problem = _train(window, project)
    if not problem:
        pause(SETTLE_MS)
    path = Path(tempfile.gettempdir()) / "playground-window.png"
    saved = window.grab().save(str(path))
    window.session.discard_files()
    window.session.forget_autosave()
    window.close_at_once()
    if problem or not saved:
        print(f"error: {problem or f'{path} cannot be written'}", file=sys.stderr)
        return 1
    print(f"Trained {EPOCHS} epochs. Picture of the window: {path}")
    return 0


def _train(window: MainWindow, project: Path | None) -> str:
    """What is in the way, or "" when it is done."""
    session = window.session
    said: list[str] = []
    session.notice.connect(lambda notice: said.append(notice.text))
    opened = window.open_path(project) if project else window.open_example(EXAMPLE)
    if not opened or not wait_until(lambda: session.can_run, PATIENCE_S):
        return next(filter(None, reversed(said)), "the project could not be opened")
    session.set_training(epochs=EPOCHS)
    session.run()
    if not wait_until(lambda: session.state in (State.FINISHED, State.FAILED), PATIENCE_S):
        return f"the training did not end within {PATIENCE_S:.0f} s"
    return session.status.message if session.state is State.FAILED else ""


def wait_until(done: Callable[[], bool], seconds: float) -> bool:
    """Let the window live until ``done()``; False where it takes longer than ``seconds``."""
    end = monotonic() + seconds
    while not done():
        if monotonic() > end:
            return False
        pause(POLL_MS)
    return True


def pause(milliseconds: int) -> None:
    """Let the window live for a while."""
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()
