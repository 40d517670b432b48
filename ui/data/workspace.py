"""The data at full size: every sample, recording, augmentation, and checks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module

from PySide6.QtCore import SignalInstance, Slot
from PySide6.QtWidgets import QWidget

from ui.panel import Panel
from ui.session import Session

PAGES = (
    ("samples", "Samples", "ui.data.samples.page", "SamplesPage"),
    ("record", "Record", "ui.data.record.page", "RecordPage"),
    ("augment", "Augment", "ui.data.augment.page", "AugmentPage"),
    ("checks", "Checks", "ui.data.checks.page", "ChecksPage"),
)


class DataWorkspace(Panel):
    """Takes the place of the canvas while the window is turned to the data. A page is made when
    it is first shown."""

    def __init__(self, session: Session) -> None:
        super().__init__("Data view")
        self.setObjectName("samples")
        for id, title, module, name in PAGES:
            self.add_page(id, title, _maker(session, module, name))

    def show_first(self) -> None:
        """Make the page of the chosen tab, at the first time."""
        self.set_current(self.current())

    def show_part(self, id: str, part: str) -> None:
        """Turn a page that has parts to one of them: the recording page to "microphone"."""
        page = self.page(id)
        if hasattr(page, "show_kind"):
            page.show_kind(part)

    @Slot(object, str)
    def show_samples(self, indices: Sequence[int], title: str) -> None:
        """Turn to the page of samples, with these alone."""
        self.set_current("samples")
        page = self.page("samples")
        if hasattr(page, "show_only"):
            page.show_only(indices, title)

    def _put(self, id: str, page: QWidget) -> None:
        super()._put(id, page)
        if isinstance(wanted := getattr(page, "samples_wanted", None), SignalInstance):
            wanted.connect(self.show_samples)


def _maker(session: Session, module: str, name: str) -> Callable[[], QWidget]:
    def make() -> QWidget:
        page: QWidget = getattr(import_module(module), name)(session)
        return page

    return make
