"""The way to the open group, above the canvas: back by a click, and what an edit changes."""

from __future__ import annotations

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from ui.builder.level import Crumb, Level
from ui.theme import theme
from ui.widgets import Button, IconButton, label

LONGEST = 40


class Breadcrumb(QFrame):
    """Hidden while the whole network is on the canvas."""

    resized = Signal()

    def __init__(self, level: Level, parent: QWidget) -> None:
        super().__init__(parent)
        self._level = level
        self._shown: list[Crumb] = []
        self.setProperty("kind", "float")
        self.setAccessibleName("Opened groups")
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(3, 2, 12, 2)
        self._row.setSpacing(2)
        self.back = IconButton("arrow-left", "Back out of the group  Esc", self)
        self.back.clicked.connect(level.back)
        self._row.addWidget(self.back)
        self.links: list[Button] = []
        self.note = label("", "second")
        self.hide()
        level.graph_changed.connect(self.refresh)
        level.settings_changed.connect(self.refresh)

    @Slot()
    def refresh(self) -> None:
        crumbs = self._level.crumbs() if self._level.path else []
        if crumbs == self._shown:
            return
        self._shown = crumbs
        while (item := self._row.takeAt(1)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        self.links = []
        for crumb in crumbs[:-1]:
            self._add_link(crumb)
        if crumbs:
            self._add_here(crumbs[-1])
        self.setVisible(bool(crumbs))
        self.adjustSize()
        self.resized.emit()

    def _add_link(self, crumb: Crumb) -> None:
        link = Button(_short(crumb.text), kind="link")
        link.setAccessibleName(f"Back to {crumb.text}")
        link.setToolTip(f"Back to {crumb.text}")
        link.setProperty("path", "/".join(crumb.path))
        link.clicked.connect(self._go)
        self.links.append(link)
        self._row.addWidget(link)
        self._row.addWidget(label("›", "third"))

    def _add_here(self, crumb: Crumb) -> None:
        here = label(_short(crumb.text))
        here.setFont(theme().font(13, 600))
        here.setToolTip(crumb.text)
        here.setContentsMargins(6, 0, 8, 0)
        self._row.addWidget(here)
        self.note = label(changes(crumb.uses), "second")
        self.note.setToolTip(
            "What is edited here is the group itself. Settings that it exposes belong to each use."
        )
        self._row.addWidget(self.note)
        self.setAccessibleDescription(f"{crumb.text}, {changes(crumb.uses)}")

    @Slot()
    def _go(self) -> None:
        link = self.sender()
        if isinstance(link, Button):
            text = str(link.property("path"))
            self._level.go(tuple(text.split("/")) if text else ())


def changes(uses: int) -> str:
    """What an edit inside a group changes."""
    return f"changes all {uses} uses" if uses > 1 else "used once"


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
