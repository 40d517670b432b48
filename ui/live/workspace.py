"""The window turned to what runs live: what runs at the left, the picture, and the inside."""

from __future__ import annotations

from importlib import import_module

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from ui.live.desk import Desk
from ui.panel import Panel
from ui.session import Session

GAP = 8
SIDE, SIDE_LEAST, LOWER = 320, 240, 250
Place = tuple[str, str, str, str]
LEFT: tuple[Place, ...] = ()
BELOW: tuple[Place, ...] = ()
RIGHT: tuple[Place, ...] = ()
"""Pages of the panels: id, title, module and class, which is made with the desk."""
STAGES = {"pictures": ("ui.live.stage", "Stage")}
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
        self._arrange()
        self.desk.chosen_changed.connect(self._follow)
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
        whole.setSizes([SIDE, 900, SIDE])
        middle.setSizes([600, LOWER])
        for panel in (self.left, self.right):
            panel.setMinimumWidth(SIDE_LEAST)
            panel.setVisible(bool(panel.ids()))
        self.below.setVisible(bool(self.below.ids()))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(whole)

    @Slot()
    def _follow(self) -> None:
        """Show the stage for what the chosen network takes."""
        medium = self.desk.chosen.medium
        if medium not in self._made:
            module, name = STAGES[medium]
            self._made[medium] = getattr(import_module(module), name)(self.desk)
            self.stages.addWidget(self._made[medium])
        self.stages.setCurrentWidget(self._made[medium])

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
        panel.add_page(id, title, getattr(import_module(module), kind)(desk))
    return panel


def _splitter(orientation: Qt.Orientation, *widgets: QWidget) -> QSplitter:
    splitter = QSplitter(orientation)
    splitter.setHandleWidth(GAP)
    splitter.setChildrenCollapsible(False)
    for widget in widgets:
        splitter.addWidget(widget)
    return splitter
