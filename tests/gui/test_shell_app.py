"""The application as a process: start, interruption, no display, a kill and what comes after."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QObject, QTimer, Slot
from PySide6.QtWidgets import QApplication, QPushButton

from playground import project as projects
from playground.data import open_data
from playground.messages import State
from playground.runs import list_runs
from playground.starter import starter_graph
from playground.worker import Worker
from tests.gui.doubles import NotingWorker, small_project
from ui.failures import Failures
from ui.main_window import MainWindow
from ui.session import Session

ROOT = Path(__file__).resolve().parents[2]
START_S = 60


def environment(**extra: str) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if "DISPLAY" not in key}
    return {**kept, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **extra}


def start(*words: str, platform: str = "offscreen") -> subprocess.Popen[str]:
    env = environment(QT_QPA_PLATFORM=platform)
    if not platform:
        del env["QT_QPA_PLATFORM"]
    return subprocess.Popen(
        [sys.executable, *words],
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


@pytest.fixture
def project_file(tmp_path: Path) -> Path:
    """A plain network on the digits, quick to train."""
    project = projects.empty("Digits")
    graph = starter_graph(open_data(project.data, tmp_path), "mlp")
    project = replace(project, graph=graph, training=project.training.replace(epochs=3))
    path = tmp_path / "digits.playground"
    projects.save(project, path)
    return path


@pytest.fixture
def window(app: QApplication) -> Iterator[MainWindow]:
    """A window with a real worker."""
    made = MainWindow(Session(Worker()))
    made.ask_to_save = lambda name: "discard"
    made.show()
    yield made
    made.close()
    made.session.close()


PAINTED = """
import sys
from ui.app import choose_platform, make_application, make_window
from ui.failures import Failures
app = make_application()
window = make_window(Failures())
def painted():
    heavy = {"torch", "cv2", "polars", "onnx", "pyqtgraph"}
    print("heavy:", sorted(heavy & set(sys.modules)))
    app.quit()
window.painted.connect(painted)
window.show()
app.exec()
"""


def test_nothing_heavy_is_loaded_before_the_window_is_on_screen() -> None:
    process = start("-c", PAINTED)
    out, errors = process.communicate(timeout=START_S)
    assert (out.strip(), errors) == ("heavy: []", "")


def test_an_interrupt_closes_the_window_quietly(project_file: Path) -> None:
    process = start("-m", "playground", str(project_file))
    time.sleep(4)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    out, errors = process.communicate(timeout=START_S)
    assert (out, errors) == ("", "")
    assert process.returncode == 130


def test_without_a_display_it_says_so_and_saves_a_picture(project_file: Path) -> None:
    process = start("-m", "playground", str(project_file), platform="")
    out, errors = process.communicate(timeout=3 * START_S)
    assert errors == ""
    assert process.returncode == 0
    first, *_, last = out.strip().splitlines()
    assert "no display" in first
    picture = Path(last.rpartition(": ")[2])
    assert picture.read_bytes()[1:4] == b"PNG"


TRAIN = """
import sys
from pathlib import Path
from ui.app import make_application, make_window
from ui.failures import Failures
from ui.offscreen import wait_until
app = make_application()
window = make_window(Failures())
window.show()
window.start()
session = window.session
assert window.open_path(Path(sys.argv[1]))
assert wait_until(lambda: session.can_run, 60)
session.set_training(epochs=200)
session.run()
assert wait_until(lambda: session.progress is not None and session.progress.epoch > 2, 60)
print("training", flush=True)
wait_until(lambda: False, 60)
"""


def test_a_kill_loses_nothing_and_the_run_goes_on(
    project_file: Path, window: MainWindow, wait: Callable[..., None]
) -> None:
    process = start("-c", TRAIN, str(project_file))
    assert process.stdout is not None
    assert process.stdout.readline() == "training\n", process.communicate()[1]
    process.kill()
    process.communicate()
    window.start()
    (recover,) = [b for b in window.start_page.findChildren(QPushButton) if b.text() == "Recover"]
    recover.click()
    session = window.session
    assert session.path == project_file
    assert session.dirty
    assert session.project.training.epochs == 200
    wait(lambda: any(bar.notice.key == "resume" for bar in window.notices.bars), START_S)
    bar = next(bar for bar in window.notices.bars if bar.notice.key == "resume")
    done = list_runs(session.files)[0].epochs
    bar._act()
    wait(lambda: session.progress is not None and session.progress.epoch > done + 1, START_S)
    assert session.run_folder == project_file.with_name("digits.files") / "runs" / "001"
    session.stop()
    wait(lambda: session.state is State.FINISHED, START_S)
    assert list_runs(session.files)[0].state != "interrupted"


def test_trained_saved_closed_and_opened_again(
    project_file: Path, window: MainWindow, wait: Callable[..., None]
) -> None:
    window.start()
    session = window.session
    window.open_path(project_file)
    wait(lambda: session.can_run, START_S)
    session.set_sample(7)
    session.run()
    wait(lambda: session.state is State.FINISHED, START_S)
    assert session.save()
    session.bridge.drain()
    session.snapshot = None  # the next one has the weights that are kept
    wait(lambda: session.snapshot is not None and session.snapshot.trained, START_S)
    assert session.snapshot is not None
    output = next(node.id for node in session.graph.of_layer("output"))
    before = session.snapshot.values[(output, "output")]
    session.new(small_project())
    assert session.open(project_file)
    assert session.sample == 7
    wait(lambda: session.snapshot is not None and session.snapshot.trained, START_S)
    assert (session.snapshot.values[(output, "output")] == before).all()
    assert not session.dirty


def test_a_run_that_is_not_wanted_leaves_nothing(
    project_file: Path, window: MainWindow, wait: Callable[..., None]
) -> None:
    window.start()
    session = window.session
    session.new(projects.load(project_file))
    wait(lambda: session.can_run, START_S)
    session.set_training(epochs=500)
    session.run()
    wait(lambda: session.progress is not None, START_S)
    folder = session.files
    assert folder.is_dir()
    assert window.close()
    assert not folder.exists()
    assert not projects.recoverable()


class _Clumsy(QObject):
    @Slot()
    def stumble(self) -> None:
        raise RuntimeError("a shelf fell over")


def test_an_error_that_nobody_caught_is_a_sentence(
    app: QApplication, wait: Callable[..., None], capfd: pytest.CaptureFixture[str]
) -> None:
    window = MainWindow(Session(NotingWorker()))
    failures = Failures()
    failures.occurred.connect(window.show_failure)
    try:
        clumsy = _Clumsy()
        QTimer.singleShot(0, clumsy.stumble)
        wait(lambda: window.notices.bars)
        assert "a shelf fell over" in window.notices.bars[0].notice.text
        assert "Traceback" in failures.path.read_text()
        thread = threading.Thread(target=clumsy.stumble)
        window.notices.bars[0].dismiss()
        thread.start()
        thread.join()
        wait(lambda: window.notices.bars)
        assert capfd.readouterr() == ("", "")
    finally:
        failures.restore()
        window.close()
        window.session.close()
