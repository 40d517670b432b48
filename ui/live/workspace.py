"""The window turned to what runs live: what runs at the left, the picture, and the inside."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QHideEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from ui.data.record.devices import DeviceRow
from ui.live.desk import Desk
from ui.panel import Panel
from ui.session import Session
from ui.widgets import EmptyState

GAP = 8
SIDE, SIDE_LEAST, LOWER = 320, 240, 250
WIDE, WIDE_LEFT, WIDE_RIGHT = 1500, 368, 360
"""Of windows wider than ``WIDE``, the columns at the sides."""
Place = tuple[str, str, str, str]
LEFT: tuple[Place, ...] = (
    ("classes", "Classes", "ui.live.teach.classes_page", "ClassesPage"),
    ("head", "Head", "ui.live.teach.head_page", "HeadPage"),
    ("model", "Model", "ui.live.model_page", "ModelPage"),
)
BELOW: tuple[Place, ...] = (
    ("timeline", "Last 20 seconds", "ui.live.timeline", "Timeline"),
    ("samples", "Samples", "ui.live.teach.samples_page", "SamplesPage"),
)
RIGHT: tuple[Place, ...] = (
    ("inside", "Inside", "ui.live.inside.page", "InsidePage"),
    ("network", "Network", "ui.live.inside.network_page", "NetworkPage"),
)
"""Pages of the panels: id, title, module and class, which is made with the desk when the page is
first shown. Its ``corner``, where it has one, stands at the right of the panel's header."""
ONLY = {"classes": "teach", "head": "teach", "samples": "teach"}
"""Pages for one kind of what can run."""
STAGES = {
    "pictures": ("ui.live.stage", "Stage"),
    "sound": ("ui.live.sound", "SoundStage"),
    "series": ("ui.live.series", "SeriesStage"),
}
"""What is seen in the middle, by what the network takes."""


class LiveWorkspace(QWidget):
    """Takes the place of canvas and panels while the window is turned to "live". The device is
    open only while it is seen."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.setAccessibleName("Live")
        self.desk = Desk(session)
        self._session = session
        self.left, self.below, self.right = (
            _panel(name, places, self.desk)
            for name, places in (
                ("What runs", LEFT),
                ("Last seconds", BELOW),
                ("Inside", RIGHT),
            )
        )
        self.stages = QStackedWidget()
        self._made: dict[str, QWidget] = {}
        self._offered: dict[str, list[str]] = {}
        self._arrange()
        self.desk.chosen_changed.connect(self._follow)
        self.desk.page_wanted.connect(self.right.set_current)
        self._follow()

    def _arrange(self) -> None:
        frame = QFrame()
        frame.setProperty("kind", "panel")
        inner = QVBoxLayout(frame)
        inner.setContentsMargins(1, 1, 1, 1)
        inner.addWidget(self.stages)
        middle = _splitter(Qt.Orientation.Vertical, frame, self.below)
        middle.setStretchFactor(0, 1)
        whole = _splitter(Qt.Orientation.Horizontal, self.left, middle, self.right)
        whole.setStretchFactor(1, 1)
        self._whole, self._moved = whole, False
        whole.splitterMoved.connect(self._was_moved)
        middle.setSizes([600, LOWER])
        for panel in (self.left, self.right):
            panel.setMinimumWidth(SIDE_LEAST)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(whole)

    @Slot()
    def _was_moved(self) -> None:
        self._moved = True

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if not self._moved:
            left, right = (WIDE_LEFT, WIDE_RIGHT) if self.width() >= WIDE else (SIDE, SIDE)
            self._whole.setSizes([left, self.width() - left - right - 2 * GAP, right])

    @Slot()
    def _follow(self) -> None:
        """Show the stage for what the chosen network takes, and the pages that it has."""
        medium = self.desk.chosen.medium
        if medium not in self._made:
            self._made[medium] = self._stage(medium)
            self.stages.addWidget(self._made[medium])
        self.stages.setCurrentWidget(self._made[medium])
        for panel in (self.left, self.below, self.right):
            self._offer(panel, self.desk.chosen.kind)

    def _offer(self, panel: Panel, kind: str) -> None:
        """Those of a panel's pages that say something of such a thing; new ones come first."""
        before = self._offered.get(panel.name, [])
        offered = [id for id in panel.ids() if ONLY.get(id, kind) == kind]
        if offered and offered[0] not in before:
            panel.set_current(offered[0])
        for id in panel.ids():  # afterwards: no other page is made where the current one goes
            panel.set_shown(id, id in offered)
        self._offered[panel.name] = offered
        panel.setVisible(bool(offered))

    def _stage(self, medium: str) -> QWidget:
        if medium not in STAGES:
            return EmptyState("info", f"What runs live on {medium} cannot be shown here yet.")
        module, name = STAGES[medium]
        made: QWidget = getattr(import_module(module), name)(self.desk)
        return made

    def device_name(self) -> str:
        """What people call the device that is open."""
        stage = self.stages.currentWidget()
        name: Callable[[], str] | None = getattr(stage, "device_name", None)
        if name is not None:
            return name()
        devices = getattr(stage, "devices", None)
        return devices.named(self.desk.address) if isinstance(devices, DeviceRow) else ""

    def on_stage(self, action: str) -> None:
        """Do something on the stage that is shown, where it can: "keeper.toggle_film"."""
        found: Any = self.stages.currentWidget()
        for name in action.split("."):
            found = getattr(found, name, None)
        if found is not None:
            found()

    def show_choices(self) -> None:
        """Let a person choose what runs."""
        from ui.live.model_page import ModelPage

        self.left.set_current("model")
        page = self.left.page("model")
        assert isinstance(page, ModelPage)
        page.list.focus_chosen()

    def recognise(self, what: str) -> None:
        """Choose and start: an id of the desk's choices, or "run:FOLDER"."""
        if what:
            self.desk.choose(what)
        self.desk.start()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.desk.wake()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.desk.rest()


def _panel(name: str, places: tuple[Place, ...], desk: Desk) -> Panel:
    panel = Panel(name)
    for id, title, module, kind in places:
        panel.add_page(id, title, partial(_page, panel, id, module, kind, desk))
    return panel


def _page(panel: Panel, id: str, module: str, kind: str, desk: Desk) -> QWidget:
    page: QWidget = getattr(import_module(module), kind)(desk)
    corner: QWidget | None = getattr(page, "corner", None)
    if corner is not None:
        panel.set_corner(id, corner)
    return page


def _splitter(orientation: Qt.Orientation, *widgets: QWidget) -> QSplitter:
    splitter = QSplitter(orientation)
    splitter.setHandleWidth(GAP)
    splitter.setChildrenCollapsible(False)
    for widget in widgets:
        splitter.addWidget(widget)
    return splitter
