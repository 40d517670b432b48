"""What the bar on top and the line at the bottom say while the window is turned to live."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from playground.messages import State
from ui.actions import Actions
from ui.live.controls import engine_title, learning_words
from ui.live.desk import Desk
from ui.live.workspace import LiveWorkspace
from ui.session import Session
from ui.widgets import Button, Chip, IconButton, set_kind

HEIGHT, GAP = 32, 8
LONGEST = 26
"""Letters of a device's name that are shown."""
ICONS = {"pictures": "camera", "sound": "mic", "series": "table"}
DROPPED = {
    "pictures": ("frame", "frames"),
    "sound": ("piece of sound", "pieces of sound"),
    "series": ("row", "rows"),
}
FIGURE_SPACE = "\u2007"
PRIVATE = "everything stays on this machine"

Look = tuple[bool, bool, bool, bool]
LOOKS: tuple[Look, ...] = (
    (True, True, True, True),
    (False, True, True, True),
    (False, False, True, True),
    (False, True, True, False),
    (False, False, True, False),
    (False, False, False, False),
)
"""What is shown where there is less and less room: the device's name (the stage has it too), its
size, the latency, and the engine's name or the step of training (the page Model has them too)."""


class LiveBar(QWidget):
    """Start and stop, and the figures of what runs; beside a run under way, its progress. With
    less room it says less, and never cuts off."""

    def __init__(self, session: Session, actions: Actions) -> None:
        super().__init__()
        self._session = session
        self._view: LiveWorkspace | None = None
        self._widest: dict[tuple[int, int], int] = {}
        self.setFixedHeight(HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.toggle = Button("Start live", "play", "primary", "#FFFFFF")
        actions.bind(self.toggle, "live_toggle")
        self.toggle.setFixedHeight(HEIGHT)
        self.toggle.setMinimumWidth(self.toggle.sizeHint().width() + 4)
        self.camera = Chip("", "camera", "What is looked at")
        self.rate, self.latency, self.inference = (
            Chip("", "", tip)
            for tip in (
                "Answers a second",
                "From the capture of a picture to its answer on the screen",
                "What one answer takes, and the engine that gives it",
            )
        )
        self.epoch = Chip("", "network", "The run under way; choose its settings in Training")
        self.epoch.clicked.connect(self._show_training)
        self.pause, self.end = IconButton("pause", "run"), IconButton("stop", "stop")
        actions.bind(self.pause, "run")
        actions.bind(self.end, "stop")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GAP)
        row.addStretch()
        row.addWidget(self.toggle)
        for chip in self.chips:
            chip.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            row.addWidget(chip)
        run = QHBoxLayout()
        run.setSpacing(2)
        for widget in (self.epoch, self.pause, self.end):
            run.addWidget(widget)
        row.addLayout(run)
        row.addStretch()
        session.state_changed.connect(self.refresh)
        session.bridge.progress.connect(self.refresh)

    @property
    def chips(self) -> tuple[Chip, ...]:
        return self.camera, self.rate, self.latency, self.inference

    def set_view(self, view: LiveWorkspace) -> None:
        """The live view is there: say what it does from now on."""
        self._view = view
        view.desk.chosen_changed.connect(self._chosen)
        for signal in (
            view.desk.figures_changed,
            view.desk.running_changed,
            view.desk.settings_changed,
            view.desk.awake_changed,
        ):
            signal.connect(self.refresh)
        self.refresh()

    @Slot()
    def _chosen(self) -> None:
        self._widest.clear()
        self.refresh()

    @Slot()
    def refresh(self) -> None:
        if self._view is None or self.isHidden():
            return
        desk = self._view.desk
        if not on(desk):
            self._widest.clear()
        self.camera.set_icon(ICONS[desk.chosen.medium])
        self._show_toggle(on(desk))
        self._show_run()
        self._fit()

    def _show_toggle(self, running: bool) -> None:
        text = "Stop live" if running else "Start live"
        if self.toggle.text() != text:
            self.toggle.setText(text)
            self.toggle.setAccessibleName(text)
            self.toggle.set_icon("stop" if running else "play", "#FFFFFF")
            set_kind(self.toggle, "danger" if running else "primary")

    def _show_run(self) -> None:
        session, progress = self._session, self._session.progress
        for widget in (self.epoch, self.pause, self.end):
            widget.setVisible(session.busy)
        if not session.busy:
            return
        text = "Preparing"
        if progress is not None and progress.epochs:
            text = f"Epoch {progress.epoch} of {progress.epochs}"
        if self.epoch.text() != text:
            self.epoch.setText(text)
        self.pause.set_icon("play" if session.state is State.PAUSED else "pause")

    # --- room ---------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.refresh()

    def minimumSizeHint(self) -> QSize:
        return QSize(self._least(), HEIGHT)

    def sizeHint(self) -> QSize:
        return QSize(720, HEIGHT)

    def _least(self) -> int:
        """What is there even where there is no room for figures."""
        parts = [self.toggle.minimumWidth()]
        if self._session.busy:
            parts += [self.epoch.sizeHint().width(), self.pause.width(), self.end.width()]
        return sum(parts) + GAP * (len(parts) - 1)

    def _fit(self) -> None:
        """Say as much as there is room for."""
        assert self._view is not None
        desk = self._view.desk
        room = self.width() - self._least()
        for look in LOOKS:
            texts = [words(desk, look) for words in (self._camera_words, *FIGURES)]
            widths = [self._width(chip, text) for chip, text in zip(self.chips, texts, strict=True)]
            if sum(width + GAP for width in widths if width) <= room:
                break
        else:
            texts, widths = [""] * len(self.chips), [0] * len(self.chips)
        for chip, text, width in zip(self.chips, texts, widths, strict=True):
            chip.setVisible(bool(text))
            if text and width != chip.width():
                chip.setFixedWidth(width)
            if text and chip.text() != text:
                chip.setText(text)
                chip.setAccessibleName(f"{chip.toolTip()}: {text}")

    def _width(self, chip: Chip, text: str) -> int:
        """What ``chip`` needs for ``text``. While something runs it does not shrink, so that
        nothing moves to and fro with the number of digits."""
        if not text:
            return 0
        icon = 22 if not chip.icon().isNull() else 0
        needed = chip.fontMetrics().horizontalAdvance(text) + icon + 24
        key = (self.chips.index(chip), text.count(" "))
        self._widest[key] = max(needed, self._widest.get(key, 0))
        return self._widest[key]

    def _camera_words(self, desk: Desk, look: Look) -> str:
        named, sized, *_ = look
        if not on(desk) or self._view is None:
            return ""
        name = self._view.device_name() if named else ""
        if len(name) > LONGEST:
            name = f"{name[: LONGEST - 1]}…"
        size = desk.figures.size
        shown = f"{size[1]}×{size[0]}" if size is not None and sized else ""
        return " · ".join(part for part in (name, shown) if part)

    @Slot()
    def _show_training(self) -> None:
        self._session.reveal.emit("training")


Words = Callable[[Desk, Look], str]
"""A chip's text; "" for no chip."""


def on(desk: Desk) -> bool:
    """Whether it runs: on the start page it rests."""
    return desk.running and desk.awake


def answers(desk: Desk) -> bool:
    """Whether there have been answers in the last seconds: before, there are no figures."""
    return on(desk) and desk.figures.inference_ms is not None


def rate_words(desk: Desk, _look: Look) -> str:
    per = "fps" if desk.chosen.medium == "pictures" else "answers/s"
    return f"{digits(desk.figures.rate, 1, 4)} {per}" if answers(desk) else ""


def latency_words(desk: Desk, look: Look) -> str:
    late = desk.figures.latency_ms
    shown = answers(desk) and late is not None and look[2]
    return f"{digits(late or 0.0, 0, 2)} ms to screen" if shown else ""


def inference_words(desk: Desk, look: Look) -> str:
    taken = desk.figures.inference_ms
    if taken is None or not answers(desk):
        return ""
    engine = engine_title(desk.figures.engine)
    by = learning_words(desk.step) if desk.with_training else engine
    shown = digits(taken, 0, 2) if taken >= 1 else "<1"
    return f"{shown} ms inference" + (f" · {by}" if look[3] and by else "")


FIGURES: tuple[Words, ...] = (rate_words, latency_words, inference_words)


def digits(value: float, places: int, width: int) -> str:
    """A number that takes the room of ``width`` characters, so that nothing beside it moves."""
    return f"{value:.{places}f}".rjust(width).replace(" ", FIGURE_SPACE)


def live_words(desk: Desk) -> tuple[str, str]:
    """The colour of the dot and the word beside it: how what runs does."""
    if not on(desk):
        return "text3", "live is off"
    if not desk.chosen.ready:
        return "warn", "downloading" if desk.downloading.running else "needs a download"
    if not desk.address:
        return "warn", "nothing is chosen to answer to"
    state = desk.status.state
    words = {
        "opening": ("warn", "starting"),
        "reconnecting": ("warn", "reconnecting"),
        "ended": ("text3", "the end was reached"),
        "failed": ("bad", "stopped by an error"),
        "closed": ("text3", "starting"),
    }
    return words.get(state, ("good", "live"))


def dropped_words(desk: Desk) -> str:
    """``3 frames dropped in the last minute``."""
    if not answers(desk):
        return ""
    dropped = desk.figures.dropped
    one, more = DROPPED[desk.chosen.medium]
    what = one if dropped == 1 else more
    return f"{dropped:,} {what} dropped in the last minute"
