"""What runs live in the window: a device, a network that answers to it, the newest of both."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtGui import QColor

from models.graph import Graph
from models.parameters import Parameter
from playground.capture import Camera, CameraSettings, CaptureStatus, Microphone, refusal
from playground.console import size
from playground.detection.detectors import DETECTORS
from playground.detection.parameters import TRAINED
from playground.live.errors import LiveError
from playground.live.recognition import Recognition
from playground.live.rows import Rows
from playground.live.settings import EngineName, EngineReport, LiveAnswer
from playground.live.what import Runnable, Wanted, bundled, of_data, of_run
from playground.messages import LiveAnswered
from playground.runs import RunError, RunFolder
from ui.live.downloading import Downloading
from ui.live.figures import Figures, Tally
from ui.live.inside.insight import Insight
from ui.live.kept import Kept, keep_settings, kept_settings
from ui.session import Session

NETWORK = "network"
"""The id of the open project's own network, with the newest weights."""
FIRST = "efficientnet-lite0"
KEPT = "live_choice"
"""What was chosen, as the project notes it."""
TICK_MS, FIGURES_EVERY = 100, 5
KEEP_MS = 400
PATIENCE_S = 5.0
TRAINING_HZ = 10.0
IDLE = CaptureStatus("closed", "", 0.0)


class Desk(Insight):
    """What the panels of the live view share. Lives in the main thread; nothing here takes time.

    The device is given back by ``rest`` (the view is hidden) and taken again by ``wake``.
    """

    chosen_changed = Signal()
    running_changed = Signal()
    status_changed = Signal()
    settings_changed = Signal()
    answered = Signal(object)
    figures_changed = Signal()
    awake_changed = Signal()
    marked = Signal()
    """``mark``, ``countdown`` or ``colours`` changed."""
    _woken = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.session = session
        self._kept, self.settings = Kept(), kept_settings()
        self._detections: dict[str, dict[str, Any]] = {}
        self.chosen: Runnable = self._first()
        self.device: Camera | Microphone | Rows | None = None
        self.recognition: Recognition | None = None
        self.answer: LiveAnswer | None = None
        self.step = 0
        """Batches that the answering weights have learnt from, while they are under training."""
        self.running = self.with_training = False
        self.status = IDLE
        self.figures = Figures()
        self.mark, self.countdown = "", 0
        """What is being recorded, with its number ("Cat 56"), and the seconds until it begins."""
        self.colours: dict[str, QColor] = {}
        """Of classes that have one of their own."""
        self._tally = Tally()
        self._resting = self._pending = False
        self._problem = ""
        self._closing: list[Recognition | Camera | Microphone | Rows] = []
        self.downloading = Downloading(self)
        self.downloading.ended.connect(self._downloaded)
        self._ticks = 0
        self._timer = QTimer(self)
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self._tick)
        self._keeping = QTimer(self)
        self._keeping.setSingleShot(True)
        self._keeping.setInterval(KEEP_MS)
        self._keeping.timeout.connect(self._keep_settings)
        self._woken.connect(self._take, Qt.ConnectionType.QueuedConnection)
        session.bridge.live_answered.connect(self._on_worker)
        session.bridge.looked_inside.connect(self._worker_looked)
        session.state_changed.connect(self._follow_run)
        session.settings_changed.connect(self._follow_choice)
        session.project_changed.connect(self._project_changed)
        session.closing.connect(self.close)

    # --- what could run -----------------------------------------------------------------------

    @property
    def choices(self) -> list[Runnable]:
        """The project's own network first, then what comes with the application."""
        own = self._own()
        return [*([own] if own is not None else []), *bundled()]

    def choose(self, id: str) -> None:
        """Run something else from now on; an id of ``choices``, or "run:FOLDER"."""
        found = next((what for what in self.choices if what.id == id), None)
        if found is None and id.startswith("run:"):
            found = self._run(Path(id.removeprefix("run:")))
        elif found is None and id == NETWORK:
            self._own(told=True)
        if found is not None and found != self.chosen:
            if self.session.is_open:
                self.session.keep(KEPT, found.id)
            self._change_to(found)  # a camera that is open stays so

    def _change_to(self, what: Runnable) -> None:
        kept = isinstance(self.device, Camera) and what.medium == "pictures"
        self._cease() if kept else self._end()
        self.chosen, self.answer = what, None
        self._tally, self.figures = Tally(), Figures()
        self._forget_view()
        self.chosen_changed.emit()
        if kept:
            self._recognise()
        else:
            self._begin()

    def _first(self) -> Runnable:
        """What was chosen when the project was saved, its own network, or the bundled one."""
        if not self.session.is_open:
            return next(what for what in bundled() if what.id == FIRST)
        choices = {what.id: what for what in self.choices}
        kept = str(self.session.project.view.get(KEPT))
        return choices.get(kept) or choices.get(NETWORK) or choices[FIRST]

    def _own(self, *, told: bool = False) -> Runnable | None:
        """The open project's network, where it was trained or is under training; otherwise why not
        is ``told``."""
        session, problem = self.session, "This network has learnt nothing yet: train it first."
        try:
            if session.busy and session.dataset is not None:
                return of_data(session.dataset, NETWORK, session.title)
            folder = session.run_folder
            if folder is not None and folder.is_dir() and RunFolder(folder).has("best"):
                return replace(of_run(RunFolder(folder), session.title), id=NETWORK)
        except (RunError, LiveError) as error:
            problem = refusal(error)
        if told:
            session.tell(problem, "warn", key="live")
        return None

    def _run(self, folder: Path) -> Runnable | None:
        try:
            return of_run(RunFolder(folder))
        except (RunError, LiveError) as error:
            self.session.tell(refusal(error), "warn", key="live")
            return None

    # --- running ------------------------------------------------------------------------------

    @Slot()
    def toggle(self) -> None:
        (self.stop if self.running else self.start)()

    @Slot()
    def start(self) -> None:
        """Open the device and the network."""
        if not self.running:
            self.running = True
            self._begin()
            self._timer.start()
            self.running_changed.emit()

    @Slot()
    def stop(self) -> None:
        """Give the device back; the last answer stays."""
        if self.running:
            self.running = False
            self._end()
            self._timer.stop()
            self._set_status(IDLE)
            self.running_changed.emit()

    @property
    def awake(self) -> bool:
        """Whether the view is seen."""
        return not self._resting

    def rest(self) -> None:
        """The view is hidden: give the device back until ``wake``."""
        self._resting = True
        self._end()
        self.awake_changed.emit()

    def wake(self) -> None:
        """The view is seen (again): go on if it was running."""
        self._resting = False
        self._begin()
        self.awake_changed.emit()

    @Slot()
    def close(self) -> None:
        """End for good, and wait for the threads."""
        self.stop()
        if self._keeping.isActive():
            self._keep_settings()
        over = time.monotonic() + PATIENCE_S
        for one in (*self._closing, self.downloading):
            one.close(max(0.0, over - time.monotonic()))

    def _begin(self) -> None:
        if not self.running or self._resting or self.device is not None or not self.address:
            return
        self._problem, self.answer = "", None
        self._tally = Tally()
        try:
            self.device = self._device()
        except ValueError as error:
            self._problem = refusal(error)
            return
        self.device.start()
        self._recognise()

    def _device(self) -> Camera | Microphone | Rows:
        if self.chosen.medium == "series":
            return Rows(self.address)
        if self.chosen.medium == "sound":
            return Microphone(self.address, self.chosen.rate or 16_000)
        return Camera(self.address, CameraSettings(mirror=self.mirror))

    def _recognise(self) -> None:
        """Have the network answered by whoever has it: the worker while it learns."""
        assert self.device is not None
        session, self._problem = self.session, ""
        if self.chosen.id == NETWORK and session.busy and not isinstance(self.device, Rows):
            self.with_training = True
            self._ask_worker()
            self.status_changed.emit()  # the camera goes on: nothing else would tell
            return
        if not self.chosen.ready:
            return
        self.recognition = Recognition(self.chosen, self.device, self._wanted(), self._wake_up)
        self._look_into(self.recognition)
        self.recognition.start()

    def _ask_worker(self) -> None:
        device = self.device
        if device is not None and not isinstance(device, Rows):
            worker, inside = self.session.worker, self._workers_wish
            worker.live(device, self.settings, TRAINING_HZ, inside, self.detection)

    @property
    def network(self) -> Graph | None:
        if self.with_training:
            return self.session.running_graph
        inside = self.recognition.inside if self.recognition is not None else None
        return inside.graph if inside is not None else None

    def _cease(self) -> None:
        if self.with_training:
            self.session.worker.live(None)
            self.with_training = False
        recognition, self.recognition = self.recognition, None
        self._leave(recognition)

    def _end(self) -> None:
        self._cease()
        device, self.device = self.device, None
        self._leave(device)

    def _leave(self, one: Recognition | Camera | Microphone | Rows | None) -> None:
        """Have it end; ``close`` waits for what takes its time."""
        left = self._closing if one is None else [*self._closing, one]
        self._closing = [other for other in left if not other.close(timeout=0)]

    @Slot()
    def _follow_run(self) -> None:
        """A run of the project begins or ends: its weights are then with the worker, or on disk."""
        busy, seen = self.session.busy, isinstance(self.device, (Camera, Microphone))
        learning = self.with_training or (self.chosen.path is None and not (busy and seen))
        if self.chosen.id == NETWORK and busy != learning:
            self.chosen = self._own() or self.chosen
            if self.device is not None:
                self._cease()
                self._recognise()

    @Slot()
    def _follow_choice(self) -> None:
        """The project has another run now, or none: one is used, or teaching was undone."""
        was, run = self.chosen.path, self.session.project.run
        other = was is not None and (run is None or Path(run).name != was.name)
        if self.chosen.id == NETWORK and other and not self.session.busy:
            self._change_to(self._own() or self._first())

    @Slot()
    def _project_changed(self) -> None:
        self._end()
        self._detections.pop(NETWORK, None)  # of another network
        self.chosen = self._first()
        self._forget_view()
        self.chosen_changed.emit()
        self._begin()

    # --- settings -----------------------------------------------------------------------------

    @property
    def address(self) -> str:
        return self._kept.addresses[self.chosen.medium]

    def set_address(self, address: str, *, keep: bool = True) -> None:
        """Use another device, or what stands in for one; ``keep``: the next time too."""
        if address != self.address or self.device is None:
            self._kept.set_address(self.chosen.medium, address, keep=keep)
            self.again()

    def forget_address(self, medium: str) -> None:
        """What stood in for a device is gone: back to the one that was kept."""
        self._kept.forget_address(medium)

    @property
    def mirror(self) -> bool:
        """Whether pictures of such a device are mirrored."""
        return self._kept.mirrored(self.address)

    def set_mirror(self, mirror: bool) -> None:
        if mirror != self.mirror:
            self._kept.set_mirrored(self.address, mirror)
            self.again()

    @Slot()
    def again(self) -> None:
        """Open the device and the network anew."""
        self._end()
        self._begin()
        self.settings_changed.emit()

    @property
    def settable(self) -> frozenset[str]:
        """What changes its answers. Forecasts are not averaged: each is for times of its own."""
        what = self.chosen
        if what.classes:
            return frozenset(("smoothing", "threshold"))
        return frozenset(("smoothing",) if what.kind == "run" and what.medium != "series" else ())

    def set_settings(self, **values: Any) -> None:
        """Smoothing in seconds, threshold 0…1."""
        self.settings = replace(self.settings, **values)
        self._keeping.start()
        self._rewant()

    @Slot()
    def _keep_settings(self) -> None:
        """Not at every step of a slider: the disk may be slow."""
        self._keeping.stop()
        keep_settings(self.settings)

    @property
    def detection(self) -> dict[str, Any]:
        """Values for ``parameters``, where they differ from their defaults."""
        return self._detections.get(self.chosen.id, {})

    def set_detection(self, **values: Any) -> None:
        """The parameters of the detector that was chosen."""
        self._detections[self.chosen.id] = {**self.detection, **values}
        self._rewant()

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """What can be set about the chosen detector."""
        if (kind := DETECTORS.find(self.chosen.id)) is not None:
            return kind.parameters
        return TRAINED if self.chosen.kind == "detector" else ()

    def set_engine(self, engine: EngineName) -> None:
        """Answer with ``engine`` until the program ends; "auto" for the fastest."""
        if engine != self.settings.engine:
            self.settings = replace(self.settings, engine=engine)
            if self.recognition is not None:
                self._cease()
                self._recognise()
            self.settings_changed.emit()

    # --- weights that have to be fetched ------------------------------------------------------

    @Slot()
    def download(self) -> None:
        """Fetch what the chosen one needs, or go on with it."""
        if self.chosen.download is not None and not self.chosen.ready:
            self.downloading.start(self.chosen.download)

    @Slot()
    def _downloaded(self) -> None:
        """Run what was waiting for it."""
        if self.device is not None and self.recognition is None and self.chosen.ready:
            self._recognise()

    def _rewant(self) -> None:
        if self.with_training:
            self._ask_worker()
        if self.recognition is not None:
            self.recognition.want(self._wanted())
        self.settings_changed.emit()

    def _wanted(self) -> Wanted:
        smoothing = self.settings.smoothing if "smoothing" in self.settable else 0.0
        return Wanted(replace(self.settings, smoothing=smoothing), dict(self.detection))

    # --- news ---------------------------------------------------------------------------------

    @property
    def engine(self) -> EngineReport | None:
        """What answers, and how fast the others were; None where the worker does."""
        return self.recognition.engine if self.recognition is not None else None

    def painted(self, answer: LiveAnswer) -> None:
        """The view has drawn ``answer``: that is when a person sees it."""
        self._tally.painted(answer, time.monotonic())

    def set_mark(self, mark: str, countdown: int = 0) -> None:
        """Say over the picture what is recorded; "" where nothing is."""
        if (mark, countdown) != (self.mark, self.countdown):
            self.mark, self.countdown = mark, countdown
            self.marked.emit()

    def set_colours(self, colours: dict[str, QColor]) -> None:
        if colours != self.colours:
            self.colours = colours
            self.marked.emit()

    def _wake_up(self) -> None:
        """In the thread that answers: one event for the main thread, however many answers."""
        if not self._pending:
            self._pending = True
            self._woken.emit()

    @Slot()
    def _take(self) -> None:
        self._pending = False
        answer = self.recognition.answer() if self.recognition is not None else None
        if answer is not None and answer is not self.answer:
            self._show(answer)

    @Slot(object)
    def _on_worker(self, message: LiveAnswered) -> None:
        if self.with_training:
            self._problem, self.step = message.problem, message.step
            if message.answer is not None:
                self._show(message.answer)

    def _show(self, answer: LiveAnswer) -> None:
        self.answer = answer
        self._tally.add(answer, time.monotonic())
        self.answered.emit(answer)

    @Slot()
    def _tick(self) -> None:
        self._set_status(self._present_status())
        self._ticks += 1
        if self._ticks % FIGURES_EVERY == 0:
            engine = self.engine
            name = engine.engine if engine is not None else ""
            self.figures = self._tally.figures(time.monotonic(), self.device, name)
            self.figures_changed.emit()

    def _present_status(self) -> CaptureStatus:
        """That of the device, where it is in trouble; otherwise the network's."""
        device, recognition = self.device, self.recognition
        if self._problem or device is None:
            return CaptureStatus("failed" if self._problem else "opening", self._problem, 0.0)
        if not self.chosen.ready:
            return self._missing()
        found = device.status
        if found.state == "running" and recognition is not None:
            return recognition.status
        return found

    def _missing(self) -> CaptureStatus:
        """How it stands with the weights that have to be fetched."""
        download, loading = self.chosen.download, self.downloading
        assert download is not None
        mine = loading.download == download
        if mine and loading.running:
            text = f"{size(loading.there)} of {size(loading.whole)} are downloaded …"
            return CaptureStatus("opening", text, 0.0)
        missing = (
            f"{self.chosen.title} needs its weights ({size(download.bytes)}), which are not on "
            "this machine yet."
        )
        return CaptureStatus("failed", loading.problem if mine and loading.problem else missing, 0)

    def _set_status(self, status: CaptureStatus) -> None:
        before, self.status = self.status, status
        if (before.state, before.message) != (status.state, status.message):
            self.status_changed.emit()
