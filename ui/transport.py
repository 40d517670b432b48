"""The bar on top (project, run, progress, device) and the line at the bottom of the window."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psutil
from PySide6.QtCore import QSize, Qt, QTimer, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from playground.messages import State
from ui.actions import Actions
from ui.run_words import best_words, progress_words, state_words
from ui.session import Mode, Session
from ui.theme import theme
from ui.widgets import Button, Chip, Dot, ElidedLabel, IconButton, ProgressLine, Segmented, label

if TYPE_CHECKING:
    from ui.live.bar import LiveBar
    from ui.live.workspace import LiveWorkspace

BAR_HEIGHT, STATUS_HEIGHT = 52, 24
BUTTON = 32
SIDE_WIDTH, TITLE_HEIGHT = 250, 44
PROGRESS_WIDTH, SEARCH_WIDTH = 300, 188
NARROW, NARROW_TITLE, SEARCHED = 1500, 176, 1700
"""Beside live figures, windows narrower than ``NARROW`` have a shorter title, and those narrower
than ``SEARCHED`` no field for search: what runs, and on which engine, comes first."""
METER_MS = 2000
MODES = (("network", "Network"), ("data", "Data"), ("live", "Live"))

STATE_TOKENS = {
    State.RUNNING: "good",
    State.PREPARING: "warn",
    State.PAUSED: "warn",
    State.STOPPING: "warn",
    State.FAILED: "bad",
}
SILENT_S = 5.0
"""A worker that says nothing for longer has a very long batch, or a driver that hangs."""


class TransportBar(QFrame):
    """The 52 pixels on top. ``menu`` is shown by a click on the project's name."""

    def __init__(self, session: Session, actions: Actions, menu: QMenu) -> None:
        super().__init__()
        self._session, self._actions = session, actions
        self.setProperty("kind", "bar")
        self.setAccessibleName("Transport bar")
        self.setFixedHeight(BAR_HEIGHT)
        grid = QGridLayout(self)
        grid.setContentsMargins(8, 0, 14, 0)
        grid.setHorizontalSpacing(16)
        self._grid = grid
        self.live: LiveBar | None = None
        self.title = TitleButton(menu)
        grid.addLayout(self._left(), 0, 0)
        self._run_part = QWidget()
        self._run_part.setLayout(self._middle())
        self._centre = QHBoxLayout()
        self._centre.addWidget(self._run_part)
        grid.addLayout(self._centre, 0, 1)
        grid.addLayout(self._right(), 0, 2)
        for signal in (
            session.project_changed,
            session.file_changed,
            session.state_changed,
            session.graph_changed,
        ):
            signal.connect(self._refresh)
        theme().changed.connect(self._recolor)
        self._recolor()
        self._refresh()
        self._arrange()

    def _left(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(4)
        row.addWidget(self.title)
        self._edit_part = QWidget()
        edit = QHBoxLayout(self._edit_part)
        edit.setContentsMargins(16, 0, 12, 0)
        edit.setSpacing(4)
        for id, icon in (("undo", "undo"), ("redo", "redo")):
            button = IconButton(icon, id, size=BUTTON)
            self._actions.bind(button, id)
            edit.addWidget(button)
        row.addWidget(self._edit_part)
        self.mode = Segmented(MODES, name="Show")
        self.mode.setFixedHeight(BUTTON)
        self.mode.chosen.connect(self._mode_chosen)
        self._session.mode_changed.connect(self._show_mode)
        row.addWidget(self.mode)
        row.addStretch()
        return row

    @Slot(str)
    def _mode_chosen(self, mode: Mode) -> None:
        self._session.set_mode(mode)

    @Slot()
    def _show_mode(self) -> None:
        self.mode.set_current(self._session.mode)
        self._arrange()
        self._actions.refresh()

    def set_live(self, view: LiveWorkspace) -> None:
        """The live view was made: its figures take the place of the run's while it is shown."""
        from ui.live.bar import LiveBar

        self.live = LiveBar(self._session, self._actions)
        self._centre.addWidget(self.live)
        self._arrange()
        self.live.set_view(view)

    def _arrange(self) -> None:
        """The figures of what runs live, or the run."""
        live = self._session.is_open and self._session.mode == "live" and self.live is not None
        narrow = live and self.width() < NARROW
        for column, stretch in enumerate((0, 1, 0) if live else (1, 0, 1)):
            self._grid.setColumnStretch(column, stretch)
        self._edit_part.setVisible(not live)
        self._run_part.setVisible(not live)
        if self.live is not None:
            self.live.setVisible(live)
        self.search.setVisible(not live or self.width() >= SEARCHED)
        self.title.set_width(NARROW_TITLE if narrow else SIDE_WIDTH)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _middle(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        self.run_button = Button("Run", "play", "run", "text")
        self._actions.bind(self.run_button, "run")
        self.run_button.setFixedHeight(BUTTON)
        self.run_button.setMinimumWidth(84)
        row.addWidget(self.run_button)
        for id, icon in (("step", "step"), ("stop", "stop")):
            button = IconButton(icon, id, size=BUTTON)
            self._actions.bind(button, id)
            row.addWidget(button)
        row.addSpacing(8)
        self.progress = RunProgress(self._session)
        row.addWidget(self.progress)
        return row

    def _right(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addStretch()
        self.device = Chip("CPU", "chip", "The device that trains; choose it in Training")
        self.device.clicked.connect(self._show_device)
        row.addWidget(self.device)
        self.search = _SearchChip()
        self._actions.bind(self.search, "search")
        row.addWidget(self.search)
        self.theme_button = IconButton("sun", "theme", size=BUTTON)
        self._actions.bind(self.theme_button, "theme")
        row.addWidget(self.theme_button)
        return row

    @Slot()
    def _show_device(self) -> None:
        self._session.reveal.emit("training")

    @Slot()
    def _recolor(self) -> None:
        self.theme_button.set_icon("sun" if theme().name == "dark" else "moon")

    @Slot()
    def _refresh(self) -> None:
        session = self._session
        self._actions.refresh()
        self.mode.setVisible(session.is_open)
        self._arrange()
        self.title.show_file(*described_file(session))
        state = session.state
        text, icon = ("Pause", "pause") if state is State.RUNNING else ("Run", "play")
        if state is State.PAUSED:
            text = "Resume"
        if self.run_button.text() != text:
            self.run_button.setText(text)
            self.run_button.setAccessibleName(text)
            self.run_button.set_icon(icon, "text")
        if session.status.device and self.device.text() != session.status.device:
            self.device.setText(session.status.device)


class TitleButton(QPushButton):
    """The project's name, its file and whether it is saved; a click opens the menu."""

    def __init__(self, menu: QMenu) -> None:
        super().__init__()
        self.setProperty("kind", "title")
        self.setFixedSize(SIDE_WIDTH, TITLE_HEIGHT)
        self._menu = menu
        self._shown = ""
        column = QVBoxLayout(self)
        column.setContentsMargins(7, 4, 7, 5)
        column.setSpacing(0)
        first = QHBoxLayout()
        first.setSpacing(4)
        self.name = label("", "title")
        self._chevron = QLabel()
        first.addWidget(self.name)
        first.addWidget(self._chevron)
        first.addStretch()
        column.addLayout(first)
        self.file = ElidedLabel("", "third")
        self.file.setFont(theme().font(12))
        column.addWidget(self.file)
        for child in (self.name, self.file, self._chevron):
            child.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.clicked.connect(self._open)
        theme().changed.connect(self._recolor)
        self._recolor()

    def show_file(self, name: str, file: str) -> None:
        self._shown = name
        self._show_name()
        self.file.set_text(file)
        self.setAccessibleName(f"Menu. {name}, {file}")

    def set_width(self, width: int) -> None:
        if width != self.width():
            self.setFixedSize(width, TITLE_HEIGHT)
            self._show_name()

    def _show_name(self) -> None:
        room, metrics = self.width() - 40, self.name.fontMetrics()
        self.name.setText(metrics.elidedText(self._shown, Qt.TextElideMode.ElideRight, room))

    @Slot()
    def _open(self) -> None:
        self._menu.popup(self.mapToGlobal(self.rect().bottomLeft()))

    @Slot()
    def _recolor(self) -> None:
        self._chevron.setPixmap(theme().pixmap("chevron-down", "text3", 12))


class _SearchChip(Chip):
    """ "Search actions  Ctrl K": looks like a field, opens the command search."""

    def __init__(self) -> None:
        super().__init__("Search actions", "search", "Search actions")
        self.setMinimumWidth(140)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 11, 0)
        row.addStretch()
        self._keys = label("Ctrl K", "third")
        self._keys.setFont(theme().font(12))
        self._keys.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        row.addWidget(self._keys)

    def sizeHint(self) -> QSize:
        return QSize(SEARCH_WIDTH, super().sizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._keys.setVisible(self.width() >= SEARCH_WIDTH)


class RunProgress(QWidget):
    """Epoch and speed over a thin bar; before a run, what an epoch would take."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.setFixedHeight(BUTTON)
        self.setMinimumWidth(160)
        self.setMaximumWidth(PROGRESS_WIDTH)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 2, 0, 4)
        column.setSpacing(4)
        row = QHBoxLayout()
        self.left = QLabel()
        self.left.setTextFormat(Qt.TextFormat.RichText)
        self.right = ElidedLabel("", "second")
        self.right.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(self.left)
        row.addWidget(self.right, 1)
        column.addLayout(row)
        self.bar = ProgressLine()
        column.addWidget(self.bar)
        for one in (self.left, self.right):
            one.setFont(theme().font(12))
        session.state_changed.connect(self._refresh)
        session.bridge.progress.connect(self._refresh)
        session.project_changed.connect(self._refresh)
        self._refresh()

    def sizeHint(self) -> QSize:
        return QSize(PROGRESS_WIDTH, BUTTON)

    @Slot()
    def _refresh(self) -> None:
        left, right, share, token = progress_words(self._session)
        if left != self.left.text():
            self.left.setText(left)
        if right != self.right.whole():
            self.right.set_text(right)
        self.bar.setVisible(self._session.is_open)
        self.bar.set_value(share, token)


class StatusLine(QFrame):
    """The 24 pixels at the bottom: state, best checkpoint, memory and the window's lateness."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.setFixedHeight(STATUS_HEIGHT)
        self.setAccessibleName("Status line")
        self._process = psutil.Process()
        self._live: LiveWorkspace | None = None
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 0, 16, 4)
        row.setSpacing(6)
        self._dot = Dot()
        self.state = label("", "second")
        self.best = label("", "third")
        self.differs = Button("Continue with the edited graph", "", "link")
        self.differs.setToolTip(
            "The run trains the network as it was when it began. Go on with the one on the canvas: "
            "every weight whose name and shape fit is kept."
        )
        self.differs.clicked.connect(session.run_on)
        self.meter = label("", "third")
        row.addWidget(self._dot)
        row.addWidget(self.state)
        row.addSpacing(12)
        row.addWidget(self.best)
        row.addWidget(self.differs)
        row.addStretch()
        row.addWidget(self.meter)
        for one in (self.state, self.best, self.meter, self.differs):
            one.setFont(theme().font(12))
        for signal in (
            session.state_changed,
            session.project_changed,
            session.graph_changed,
            session.bridge.history,
            session.mode_changed,
        ):
            signal.connect(self._refresh)
        session.mode_changed.connect(self._measure)
        self._timer = QTimer(self)
        self._timer.setInterval(METER_MS)
        self._timer.timeout.connect(self._measure)
        self._timer.start()
        theme().changed.connect(self._refresh)
        self._refresh()
        self._measure()

    def set_live(self, view: LiveWorkspace) -> None:
        """The live view was made: say how it does while it is shown."""
        self._live = view
        for signal in (
            view.desk.status_changed,
            view.desk.running_changed,
            view.desk.awake_changed,
            view.desk.figures_changed,
        ):
            signal.connect(self._refresh)
        self._refresh()
        self._measure()

    @property
    def _is_live(self) -> bool:
        return self._live is not None and self._session.mode == "live"

    @Slot()
    def _refresh(self) -> None:
        if self._is_live:
            self._refresh_live()
            return
        session = self._session
        token = STATE_TOKENS.get(session.state, "text3")
        self._dot.set_token(token)
        words = state_words(session)
        if words != self.state.text():
            self.state.setText(words)
        differs = session.run_differs
        best = "the canvas was edited since this run began" if differs else best_words(session)
        if best != self.best.text():
            self.best.setText(best)
        self.differs.setVisible(differs and session.report.ok)

    def _refresh_live(self) -> None:
        from ui.live.bar import dropped_words, live_words

        assert self._live is not None
        token, words = live_words(self._live.desk)
        self._dot.set_token(token)
        self.state.setText(words)
        self.best.setText(dropped_words(self._live.desk))
        self.differs.hide()

    @Slot()
    def _measure(self) -> None:
        if self._is_live:
            from ui.live.bar import PRIVATE

            self.meter.setText(PRIVATE)
            return
        memory = self._process.memory_info().rss / 2**20
        late = self._session.bridge.lateness
        text = f"window at most {late:.0f} ms late · {memory:,.0f} MB"
        silent = self._session.worker.silent_seconds
        if self._session.state.busy and silent > SILENT_S:
            text = f"no sign of life from the worker for {silent:.0f} s · {text}"
        self.meter.setText(text)


def described_file(session: Session) -> tuple[str, str]:
    """The project's name, and its file with whether it is saved."""
    if not session.is_open:
        return "Playground", "nothing is open"
    name = session.title
    if session.path is None:
        return name, "not saved to a file yet"
    return name, f"{session.path.name} · {'edited' if session.dirty else 'saved'}"
