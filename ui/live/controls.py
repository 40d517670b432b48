"""How the chosen one answers: its engine, a detector's parameters, or the download that it
needs."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Slot
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QVBoxLayout, QWidget

from playground.console import size
from playground.live.settings import EngineName, EngineReport
from playground.live.what import Runnable
from ui.forms import Form
from ui.live.desk import Desk
from ui.live.notices import sentence
from ui.theme import theme
from ui.widgets import Button, ProgressLine, divider, label

ENGINES: tuple[tuple[EngineName, str], ...] = (
    ("auto", "The fastest"),
    ("eager", "PyTorch"),
    ("channels-last", "PyTorch channels-last"),
    ("onnxruntime", "ONNX Runtime"),
    ("cuda", "CUDA graph"),
    ("cuda-half", "CUDA graph, half"),
)
GPU = ("cuda", "cuda-half")
STEPS = "streaming"


def engine_title(id: str) -> str:
    return next((title for name, title in ENGINES if name == id), id)


def engine_words(report: EngineReport | None, wanted: EngineName, *, running: bool) -> str:
    """What was measured, the fastest first, or what is still to be."""
    if report is not None and report.engine == STEPS:
        return "Step by step: what the network remembers is carried along."
    if report is None and running:
        return "Loading …"
    if report is None or not (report.seconds or running):
        return "The engines are measured while it runs."
    sentences = []
    if report.seconds:
        ordered = sorted(report.seconds.items(), key=lambda item: item[1])
        times = " · ".join(f"{engine_title(n)} {_ms(took)}" for n, took in ordered)
        sentences.append(f"{times}, measured on this machine.")
        if running and wanted == "auto" and report.engine != ordered[0][0]:
            sentences.append(f"{engine_title(ordered[0][0])} is being made ready.")
    elif not report.settled:
        sentences.append(f"{engine_title(report.engine)} answers; measuring the others …")
    elif wanted != "auto" and report.engine != wanted:
        sentences.append(f"{engine_title(report.engine)} answers.")
    sentences += [
        f"{engine_title(name)} takes no part: {why}." for name, why in report.problems.items()
    ]
    return " ".join(sentences)


def _ms(seconds: float) -> str:
    took = 1e3 * seconds
    return f"{took:.2g}\xa0ms" if took < 10 else f"{took:.0f}\xa0ms"


class EngineControls(QWidget):
    """Which engine answers, and how fast each is here."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self._listed: list[str] = []
        self._reports: dict[Runnable, EngineReport] = {}
        """What was measured of each the last time that it ran."""
        self.box = QComboBox()
        self.box.setAccessibleName("Engine")
        self.box.setSizePolicy(
            self.box.sizePolicy().Policy.Ignored, self.box.sizePolicy().Policy.Fixed
        )
        self.box.activated.connect(self._chosen)
        self.box.installEventFilter(self)
        row = QHBoxLayout()
        row.setSpacing(12)
        row.addWidget(label("Engine", "second"), 44)
        row.addWidget(self.box, 100)
        self.words = label("", "small", wrap=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addLayout(row)
        column.addWidget(self.words)

    def show_report(self) -> None:
        desk = self._desk
        report = desk.engine
        if report is not None:
            self._reports[desk.chosen] = report
        elif not desk.running:
            report = self._reports.get(desk.chosen)
        known = {*report.seconds, report.engine} if report is not None else set()
        names = [n for n, _ in ENGINES if n not in GPU or n in known or n == desk.settings.engine]
        if names != self._listed:
            self._listed = [str(name) for name in names]
            self.box.clear()
            for name in names:
                self.box.addItem(engine_title(name), name)
        index = self.box.findData(desk.settings.engine)
        if self.box.currentIndex() != index:
            self.box.setCurrentIndex(index)
        words = engine_words(report, desk.settings.engine, running=desk.running)
        if words != self.words.text():
            self.words.setText(words)
        self.words.setVisible(bool(words))

    @Slot(int)
    def _chosen(self, index: int) -> None:
        self._desk.set_engine(self.box.itemData(index))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Wheel:
            event.ignore()
            return True
        return super().eventFilter(watched, event)


class DownloadControls(QWidget):
    """What has to be fetched, how far it is, and how to stop it or try again."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self.words = label("", "second", wrap=True)
        self.bar = ProgressLine()
        self.bytes = label("", "small")
        self.start = Button("", "download", "primary", "#FFFFFF")
        self.cancel = Button("Cancel")
        self.start.clicked.connect(desk.download)
        self.cancel.clicked.connect(desk.downloading.cancel)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.bytes, 1)
        row.addWidget(self.cancel)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.words)
        column.addWidget(self.start)
        column.addWidget(self.bar)
        column.addLayout(row)

    def show_state(self) -> None:
        download, loading = self._desk.chosen.download, self._desk.downloading
        if download is None:
            return
        mine = loading.download == download
        running = mine and loading.running
        for one in (self.bar, self.bytes, self.cancel):
            one.setVisible(running)
        self.start.setVisible(not running)
        self.start.setEnabled(not loading.running)
        problem = loading.problem if mine else ""
        begun = mine and loading.there and not problem
        self.start.setText("Try again" if problem else f"Download {size(download.bytes)}")
        if running:
            self.words.setText("Fetching its weights. They stay on this machine for good.")
            self.bar.set_value(loading.there / max(1, loading.whole))
            self.bytes.setText(f"{size(loading.there)} of {size(loading.whole)}")
        elif loading.running:
            self.words.setText("Another download is under way; this one can come after it.")
        else:
            kept = f" {size(loading.there)} of it are here already." if begun else ""
            need = f"Its weights are fetched once, from {download.url.split('/')[2]}.{kept}"
            self.words.setText(sentence(problem) if problem else need)


class Controls(QWidget):
    """The settings of what is chosen, whatever it is."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self.setAccessibleName("Settings of what runs")
        self.heading = label("", "title")
        self.learning = label("", "second", wrap=True)
        self.download = DownloadControls(desk)
        self.engine = EngineControls(desk)
        self.form = Form()
        self.form.edited.connect(self._edited)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(divider())
        column = QVBoxLayout()
        column.setContentsMargins(18, 12, 18, 14)
        column.setSpacing(10)
        whole.addLayout(column)
        for widget in (self.heading, self.learning, self.download, self.form, self.engine):
            column.addWidget(widget)
        desk.chosen_changed.connect(self.refresh)
        desk.settings_changed.connect(self.refresh)
        desk.running_changed.connect(self.refresh)
        desk.status_changed.connect(self.refresh)
        desk.figures_changed.connect(self.refresh)
        desk.downloading.changed.connect(self.refresh)
        desk.downloading.ended.connect(self.refresh)
        theme().changed.connect(self.refresh)
        self.refresh()

    @Slot()
    def refresh(self) -> None:
        desk = self._desk
        ready, detector = desk.chosen.ready, desk.chosen.kind == "detector"
        engines = desk.chosen.medium != "series" and not desk.with_training
        engines = engines and not desk.chosen.opaque
        loading = desk.downloading
        under_way = loading.running and loading.download == desk.chosen.download
        missing = "Downloading" if under_way else "Needs a download"
        self.heading.setText("How it answers" if ready else missing)
        self.setVisible(not ready or detector or engines or desk.with_training)
        self.learning.setVisible(desk.with_training)
        if desk.with_training:
            self.learning.setText(learning_words(desk.step))
        self.download.setVisible(not ready)
        self.engine.setVisible(ready and engines)
        self.form.setVisible(ready and detector)
        if not ready:
            self.download.show_state()
            return
        if detector:
            self._show_form()
        if engines:
            self.engine.show_report()

    def _show_form(self) -> None:
        parameters = self._desk.parameters
        if parameters != self.form.parameters:
            self.form.set_parameters(parameters, self._desk.detection)
        else:
            self.form.set_values(self._desk.detection)

    @Slot(str, object)
    def _edited(self, id: str, value: object) -> None:
        self._desk.set_detection(**{id: value})


def learning_words(step: int) -> str:
    """``learning · step 1,240``."""
    return f"learning · step {step:,}" if step else "learning · from the first step on"
