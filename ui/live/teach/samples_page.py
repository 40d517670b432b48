"""All samples of the chosen class, to be looked through, moved and deleted while it runs."""

from __future__ import annotations

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QVBoxLayout, QWidget

from ui.data.record.samples import Samples
from ui.live.desk import Desk
from ui.live.teach.lessons import lessons_of

EMPTY = ("camera", "Hold the button of a class, or its digit key: pictures appear here at once.")


class SamplesPage(QWidget):
    """They can be dragged to the card of another class."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.setAccessibleName("Samples")
        self._lessons = lessons_of(desk)
        self.samples = Samples(self._lessons.library, self._lessons.thumbnails, EMPTY)
        self.samples.opened.connect(self.samples.open_file)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.samples)
        self._lessons.chosen_changed.connect(self._show)
        self._show()

    @Slot()
    def _show(self) -> None:
        self.samples.show_class(self._lessons.chosen)
