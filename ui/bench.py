"""The window's side of ``playground bench``, in a process of its own: ``python -m ui.bench WHAT``.

``launch`` tells when the window was painted; ``training EXAMPLE`` trains with all live views on
and answers ``{"seconds": s}``; ``edits NODES COUNT`` measures edits on a network of that size;
``live MODEL SOURCE`` recognises and answers ``{"page": page at the right, "seconds": s}``.
"""

from __future__ import annotations

import json
import os
import queue
import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from statistics import quantiles
from time import perf_counter
from typing import Any

from PySide6.QtCore import QEventLoop, QObject, QPointF, Qt, QTimer, Slot
from PySide6.QtWidgets import QApplication

from models import edits
from models.axes import image
from models.graph import Edge, Graph
from playground.bench.child import say
from playground.bench.contender import FOREVER, STEADY
from playground.compat import default_threads
from playground.data import DataSettings, SplitSettings
from playground.messages import Progress, Snapshot, State
from playground.project import Project
from ui import app as start
from ui.failures import Failures
from ui.main_window import MainWindow

PROBE_MS = 5
FRAMES, FRAME_SECONDS = 120, 1 / 60
WINDOW = (1600, 1000)
USAGE = "launch | training EXAMPLE | edits NODES COUNT | live MODEL SOURCE"
PATIENCE_SECONDS = 60.0
CALM_SECONDS = 2.0
"""After another page was turned to."""


class Lateness(QObject):
    """How much later than due a timer of the window's thread fires, in milliseconds."""

    def __init__(self) -> None:
        super().__init__()
        self.values: list[float] = []
        self._due = 0.0
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(PROBE_MS)
        self._timer.timeout.connect(self._fired)

    def start(self) -> None:
        self.values = []
        self._due = perf_counter() + PROBE_MS / 1000
        self._timer.start()

    def stop(self) -> list[float]:
        self._timer.stop()
        return self.values

    @Slot()
    def _fired(self) -> None:
        now = perf_counter()
        self.values.append(max(0.0, (now - self._due) * 1000))
        self._due = now + PROBE_MS / 1000


class Questions:
    """Lines of standard input, read in a thread so that the window goes on meanwhile."""

    def __init__(self) -> None:
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in sys.stdin:
            self._lines.put(line)
        self._lines.put("")

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Until standard input closes."""
        while True:
            while self._lines.empty():
                settle(0.05)
            line = self._lines.get()
            if not line:
                return
            yield json.loads(line)


class Training(QObject):
    """Trains an example in the window; paused between two questions."""

    def __init__(self, window: MainWindow, example: str) -> None:
        super().__init__()
        self.window, self.session = window, window.session
        self.session.open_example(example)
        wait(lambda: self.session.dataset is not None)
        self.session.set_training(epochs=FOREVER, **STEADY)
        self.lateness, self.snapshots = Lateness(), 0
        self._places: list[tuple[float, int]] = []
        self.session.bridge.snapshot.connect(self._count)
        self.session.bridge.progress.connect(self._note)
        self.session.run()
        wait(lambda: bool(self._places))
        self.pause()

    @Slot(object)
    def _count(self, snapshot: Snapshot) -> None:
        self.snapshots += bool(snapshot.values)

    @Slot(object)
    def _note(self, progress: Progress) -> None:
        done = (progress.epoch - 1) * progress.batches + progress.batch
        self._places.append((perf_counter(), done))

    def pause(self) -> None:
        self.session.pause()
        wait(lambda: self.session.state is State.PAUSED)

    def measure(self, seconds: float) -> dict[str, object]:
        """Train for ``seconds`` and pause; how fast, and how late the window was."""
        self.session.run()
        wait(lambda: self.session.state is State.RUNNING)
        self._places, self.snapshots = [], 0
        self.lateness.start()
        started = perf_counter()
        settle(seconds)
        wait(lambda: len(self._places) > 1)
        late, taken = self.lateness.stop(), perf_counter() - started
        (begin, first), (end, last) = self._places[0], self._places[-1]
        self.pause()
        return {
            "rate": (last - first) / (end - begin),
            "threads": default_threads(),
            "lateness": spread(late),
            "snapshots": self.snapshots / taken,
        }


def launch() -> None:
    """When the empty window is painted for the first time."""
    with opened() as window:
        say({"painted": time.time(), "width": window.width(), "height": window.height()})


def training(example: str) -> None:
    with opened() as window:
        window.start()
        trained = Training(window, example)
        say({"ready": True})
        for question in Questions():
            say(trained.measure(question["seconds"]))
        trained.session.stop()


def live(model: str, source: str) -> None:
    """How late the window is while it recognises, with what is asked for at the right."""
    with opened() as window:
        window.start()
        window.recognise(model)
        assert window.workspace is not None
        view = window.workspace.made_live_view()
        desk, lateness = view.desk, Lateness()
        desk.set_address(source, keep=False)
        wait(lambda: desk.answer is not None and desk.engine is not None and desk.engine.settled)
        say({"ready": True})
        for question in Questions():
            view.right.set_current(question["page"])
            settle(CALM_SECONDS)
            lateness.start()
            settle(question["seconds"])
            say(spread(lateness.stop()))


def measure_edits(nodes: int, count: int) -> None:
    """``count`` edits, and a node dragged at 60 Hz, on a network of ``nodes`` nodes."""
    with opened() as window:
        window.start()
        session = window.session
        session.new(Project("Edits", chain(nodes), DataSettings("digits", {}, SplitSettings())))
        wait(lambda: session.dataset is not None)
        settle(1.0)
        chosen = random.Random(0)
        convolutions = session.graph.of_layer("conv2d")
        edit_times, core_times = [], []
        for _ in range(count):
            node = chosen.choice(convolutions)
            graph = edits.set_params(session.graph, node.id, {"out_channels": chosen.randint(2, 9)})
            started = perf_counter()
            session.edit("Channels", graph)
            core_times.append(1000 * (perf_counter() - started))
            QApplication.processEvents()
            edit_times.append(1000 * (perf_counter() - started))
            settle(0.03)
        say(
            {
                "shapes in the document and the scene": spread(core_times),
                "and painted": spread(edit_times),
                "a frame of a dragged node": spread(drag(window)),
            }
        )


def drag(window: MainWindow) -> list[float]:
    """Milliseconds that each frame of dragging one node takes, of the 16 there are at 60 Hz."""
    assert window.workspace is not None
    scene = window.workspace.canvas.scene
    ids = list(window.session.graph.nodes)
    scene.lift([ids[len(ids) // 2]])
    times = []
    for frame in range(FRAMES):
        started = perf_counter()
        scene.carry(QPointF(frame * 3.0, frame * 2.0))
        QApplication.processEvents()
        times.append(1000 * (perf_counter() - started))
        settle(max(0.0, FRAME_SECONDS - times[-1] / 1000))
    scene.put_down()
    return times


def chain(nodes: int) -> Graph:
    """Convolution, normalization and activation in turn, as deep as asked, in rows of 20."""
    graph, before = edits.add_node(
        Graph(), "input", name="image", params={"shape": image(1, 28, 28).to_json()}
    )
    kinds = ("conv2d", "batch-norm", "relu")
    for number in range(1, nodes - 3):
        place = (number % 20 * 190.0, number // 20 * 120.0)
        params = {"out_channels": 4} if number % 3 == 1 else {}
        graph, before = _appended(graph, before, kinds[(number - 1) % 3], place, params)
    for number, (layer, params) in enumerate(
        (("flatten", {}), ("linear", {"out_features": 10}), ("output", {}))
    ):
        graph, before = _appended(graph, before, layer, (number * 190.0, -160.0), params)
    return graph


def _appended(
    graph: Graph, before: str, layer: str, place: tuple[float, float], params: Mapping[str, object]
) -> tuple[Graph, str]:
    graph, id = edits.add_node(graph, layer, place, params=params)
    return edits.connect(graph, Edge(before, "output", id, "input")), id


@contextmanager
def opened() -> Iterator[MainWindow]:
    """The application's own window, painted once, without touching the person's settings."""
    application = start.make_application()
    failures = Failures()
    window = start.make_window(failures)
    window.resize(*WINDOW)
    painted = QEventLoop()
    window.painted.connect(painted.quit)
    window.show()
    painted.exec()
    try:
        yield window
    finally:
        window.session.close()
        failures.restore()
        window.hide()
        application.processEvents()


def wait(condition: Callable[[], bool]) -> None:
    """Run the window until ``condition`` holds; raises ``TimeoutError``."""
    limit = perf_counter() + PATIENCE_SECONDS
    while not condition():
        if perf_counter() > limit:
            raise TimeoutError("the window did not get there in time")
        settle(0.01)


def settle(seconds: float) -> None:
    """Let the window run for a while, asleep where it has nothing to do."""
    loop = QEventLoop()
    QTimer.singleShot(round(1000 * seconds), loop.quit)
    loop.exec()


def spread(values: list[float]) -> dict[str, float]:
    """Percentiles of milliseconds."""
    points = quantiles(values, n=100, method="inclusive")
    return {
        "p50": points[49],
        "p95": points[94],
        "p99": points[98],
        "max": max(values),
        "count": len(values),
    }


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        # the person's settings, recent files and runs stay as they are
        for name in (
            "XDG_CONFIG_HOME",
            "XDG_DATA_HOME",
            "XDG_STATE_HOME",
            "XDG_CACHE_HOME",
            "PLAYGROUND_STATE",
        ):
            os.environ[name] = str(Path(folder) / name)
        match sys.argv[1:]:
            case ["launch"]:
                launch()
            case ["training", example]:
                training(example)
            case ["live", model, source]:
                live(model, source)
            case ["edits", nodes, count]:
                measure_edits(int(nodes), int(count))
            case _:
                sys.exit(f"python -m ui.bench {USAGE}")


if __name__ == "__main__":
    main()
