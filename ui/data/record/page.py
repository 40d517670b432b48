"""The page that records: pictures from a camera, or sounds from a microphone."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from ui.data.record.bench import Bench
from ui.session import Session
from ui.widgets import Segmented

KINDS = (("camera", "Camera"), ("microphone", "Microphone"))
MODE = "record"


class RecordPage(QWidget):
    """A bench for pictures and one for sounds, each made when it is first shown."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.setAccessibleName("Record")
        self.benches: dict[str, Bench] = {}
        self._switches: list[Segmented] = []
        self._pages = QStackedWidget()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._pages)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        session.project_changed.connect(self._project_changed)
        self.show_kind(self._kept())

    @property
    def kind(self) -> str:
        """What is recorded: "camera" or "microphone"."""
        current = self._pages.currentWidget()
        return next((kind for kind, bench in self.benches.items() if bench is current), "")

    @property
    def bench(self) -> Bench:
        return self.benches[self.kind]

    @Slot(str)
    def show_kind(self, kind: str) -> None:
        """Turn to the camera or to the microphone."""
        if kind not in self.benches:
            self.benches[kind] = self._make(kind)
            self._pages.addWidget(self.benches[kind])
        self._pages.setCurrentWidget(self.benches[kind])
        self.setFocusProxy(self.benches[kind])
        for switch in self._switches:
            switch.set_current(kind)
        if self._session.is_open:
            self._session.keep(MODE, kind)
        if self.isVisible():
            self.bench.setFocus(Qt.FocusReason.OtherFocusReason)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.bench.setFocus(Qt.FocusReason.OtherFocusReason)  # keys record at once

    def _make(self, kind: str) -> Bench:
        maker: Callable[[Session], Bench]
        if kind == "microphone":
            from ui.data.record.microphone import MicrophoneBench as maker
        else:
            from ui.data.record.camera import CameraBench as maker
        bench = maker(self._session)
        switch = Segmented(KINDS, kind, "Record from")
        switch.chosen.connect(self.show_kind)
        self._switches.append(switch)
        bench.classes.head.insertWidget(0, switch)
        return bench

    def _kept(self) -> str:
        """The kind that was recorded last in this project, or that its data are."""
        if not self._session.is_open:
            return "camera"
        kept = self._session.project.view.get(MODE)
        if kept in dict(KINDS):
            return str(kept)
        return "microphone" if self._session.project.data.source == "microphone" else "camera"

    @Slot()
    def _project_changed(self) -> None:
        self.show_kind(self._kept())
