"""What is to be seen inside the network that runs, and what was seen last."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtGui import QImage

from models.graph import Graph
from playground.live.inside import InsideView, InsideWish
from playground.live.recognition import Recognition
from playground.messages import LookedInside

Shares = tuple[float, float, float, float]
WHOLE: Shares = (0.0, 0.0, 1.0, 1.0)


class Insight(QObject):
    """The part of the desk that looks inside. Nothing is looked at before a panel wishes it."""

    inside_changed = Signal(object)
    wish_changed = Signal()
    heat_changed = Signal()
    page_wanted = Signal(str)
    """The id of a page at the right that is to be shown."""
    _looked = Signal()

    recognition: Recognition | None
    with_training: bool

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.wish = InsideWish(rate_hz=0)
        self.view: InsideView | None = None
        self.heat: tuple[QImage, Shares] | None = None
        """What lies over the big picture, and over which part of it."""
        self._looks = False
        self._looked.connect(self._take_view, Qt.ConnectionType.QueuedConnection)

    def set_wish(self, **values: Any) -> None:
        """Change what is looked at: the fields of ``InsideWish``; a rate of 0 rests."""
        wish = replace(self.wish, **values)
        if wish != self.wish:
            self.wish = wish
            if self.recognition is not None:
                self.recognition.wish = wish
            elif self.with_training:
                self._ask_worker()
            self.wish_changed.emit()

    def set_heat(self, image: QImage | None, shares: Shares = WHOLE) -> None:
        """Lay heat over the big picture, or take it away."""
        if image is not None or self.heat is not None:
            self.heat = None if image is None else (image, shares)
            self.heat_changed.emit()

    @property
    @abstractmethod
    def network(self) -> Graph | None:
        """The network that is answering; None where there is none to be looked into."""

    @abstractmethod
    def _ask_worker(self) -> None:
        """Have the worker answer, and look inside."""

    @property
    def _workers_wish(self) -> InsideWish | None:
        """None where nothing is to be seen: answers then have all of the time."""
        return self.wish if self.wish.rate_hz > 0 else None

    def _look_into(self, recognition: Recognition) -> None:
        recognition.looked = self._look_there
        recognition.wish = self.wish

    def _forget_view(self) -> None:
        """Another network runs: what was chosen in the one before means nothing in it."""
        self.view = None
        self.set_heat(None)
        self.set_wish(port=None, label=None, heat_port=None, channels=None)

    def _look_there(self) -> None:
        """In the thread that looks: one event for the main thread, however many looks."""
        if not self._looks:
            self._looks = True
            self._looked.emit()

    @Slot()
    def _take_view(self) -> None:
        self._looks = False
        view = self.recognition.view() if self.recognition is not None else None
        if view is not None and view is not self.view:
            self._show_view(view)

    @Slot(object)
    def _worker_looked(self, message: LookedInside) -> None:
        if not self.with_training:
            return
        view = message.view
        if view is None and message.problem:
            view = InsideView(0, 0.0, problem=message.problem)
        if view is not None:
            self._show_view(view)

    def _show_view(self, view: InsideView) -> None:
        self.view = view
        self.inside_changed.emit(view)
