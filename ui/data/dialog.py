"""Choosing data: every source by family and the bundled sets, with the split."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from playground.data import SOURCES
from playground.data.guess import Guess
from playground.data.settings import DataSettings, SplitSettings
from playground.data.source import Source
from ui.data.bundled import BUNDLED, Bundled
from ui.data.drops import FileDrops
from ui.data.families import FAMILIES, known_icon, offered, split_parameters
from ui.data.source_page import SourcePage
from ui.forms import Form
from ui.session import Session
from ui.theme import theme
from ui.widgets import Button, divider, label

LIST_WIDTH = 216
LEAST, MOST = QSize(900, 660), QSize(1220, 820)


class BundledPage(QWidget):
    """What a bundled set is."""

    def __init__(self) -> None:
        super().__init__()
        self.title = label("", "title")
        self.text = label("", "second", wrap=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        column.addWidget(self.title)
        column.addWidget(self.text)
        column.addStretch(1)


class ChooseData(QDialog):
    """Sources at the left, the chosen one's settings at the right, the split below. A file or
    folder that is dropped here chooses the source that opens it."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.setWindowTitle("Choose data")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(self._room(parent))
        self.list = QListWidget()
        self.list.setAccessibleName("Sources of data")
        self.list.setFixedWidth(LIST_WIDTH)
        self.list.setIconSize(QSize(16, 16))
        self.bundled = BundledPage()
        self.pages: dict[str, SourcePage] = {}
        self._stack = QStackedWidget()
        self._stack.addWidget(self.bundled)
        self.split = (Form(), Form())
        for form in self.split:
            form.edited.connect(self._split_edited)
        self._split = session.project.data.split
        self.reason = label("", "small", wrap=True)
        self.ok = Button("Use these data", "check", "primary", "#FFFFFF")
        self.ok.setDefault(True)
        self.ok.clicked.connect(self.accept)
        cancel = Button("Cancel")
        cancel.clicked.connect(self.reject)
        self._lay_out(cancel)
        self._fill()
        self.list.currentItemChanged.connect(self._chosen)
        self.drops = FileDrops(self, self._dropped, self.reason.setText)
        self._show_present()

    @staticmethod
    def _room(parent: QWidget | None) -> QSize:
        """Wide enough for a table's columns where the window is."""
        around = parent.window().size() - QSize(120, 80) if parent is not None else LEAST
        return around.boundedTo(MOST).expandedTo(LEAST)

    def _lay_out(self, cancel: Button) -> None:
        right = QVBoxLayout()
        right.setSpacing(12)
        right.addWidget(self._stack, 1)
        right.addWidget(divider())
        right.addWidget(label("Split", "title"))
        halves = QHBoxLayout()
        halves.setSpacing(24)
        for form in self.split:
            halves.addWidget(form, 1, Qt.AlignmentFlag.AlignTop)
        right.addLayout(halves)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self.reason, 1)
        buttons.addWidget(cancel)
        buttons.addWidget(self.ok)
        right.addLayout(buttons)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 16, 16, 16)
        row.setSpacing(20)
        row.addWidget(self.list)
        row.addLayout(right, 1)

    def _fill(self) -> None:
        for family, sources in offered():
            self._heading(FAMILIES[family].name)
            for source in sources:
                self._item(source.name, source.icon, source.id)
        self._heading("Bundled")
        for index, item in enumerate(BUNDLED):
            self._item(item.title, item.icon, index)

    def _heading(self, text: str) -> None:
        item = QListWidgetItem(text)
        item.setFlags(Qt.ItemFlag.NoItemFlags)
        item.setForeground(theme().color("text3"))
        self.list.addItem(item)

    def _item(self, text: str, icon: str, id: object) -> None:
        item = QListWidgetItem(theme().icon(known_icon(icon)), text)
        item.setData(Qt.ItemDataRole.UserRole, id)
        self.list.addItem(item)

    def page(self, id: str) -> SourcePage:
        """A source's page, made when it is first shown."""
        if id not in self.pages:
            made = SourcePage(SOURCES.get(id), self._session.place)
            made.changed.connect(self._check)
            self._stack.addWidget(made)
            self.pages[id] = made
        return self.pages[id]

    # What is chosen -----------------------------------------------------------------------------

    def _show_present(self) -> None:
        """Begin with the project's own data."""
        present = self._session.project.data
        for index, item in enumerate(BUNDLED):
            if self._same(item.settings, present):
                self._choose_item(index)
                return
        if present.source in SOURCES:
            self.show_source(present.source, options=present.options)
        else:
            self._choose_item(0)

    @staticmethod
    def _same(bundled: DataSettings, present: DataSettings) -> bool:
        if bundled.source != present.source:
            return False
        path = bundled.options.get("path")
        return path == present.options.get("path") and (
            path is not None or bundled.options == present.options
        )

    def show_source(
        self, source: str, path: str = "", options: Mapping[str, Any] | None = None
    ) -> None:
        """Choose a source; with a ``path`` or ``options``, fill them in."""
        if source not in SOURCES or SOURCES.get(source).family not in FAMILIES:
            self._choose_item(0)
            return
        page = self.page(source)
        if options is not None or path:
            page.set_options({**(options or {}), **({"path": path} if path else {})})
        self._choose_item(source)
        if page.path is not None:
            page.path.line.setFocus()

    def show_family(self, family: str) -> None:
        """Choose the first source of a family."""
        sources = dict(offered()).get(family, [])
        if sources:
            self.show_source(sources[0].id)

    def _dropped(self, guess: Guess) -> None:
        self.show_source(guess.source, str(guess.path))

    def _choose_item(self, id: object) -> None:
        for row in range(self.list.count()):
            if self.list.item(row).data(Qt.ItemDataRole.UserRole) == id:
                self.list.setCurrentRow(row)

    @property
    def current(self) -> object:
        """The id of a source, or the number of a bundled set."""
        item = self.list.currentItem()
        return item.data(Qt.ItemDataRole.UserRole) if item is not None else None

    def _source(self) -> Source | None:
        current = self.current
        id = BUNDLED[current].settings.source if isinstance(current, int) else current
        return SOURCES.find(str(id))

    def settings(self) -> DataSettings:
        """What was chosen; the augmentation stays where the source does."""
        current, present = self.current, self._session.project.data
        if isinstance(current, int):
            source, options = BUNDLED[current].settings.source, BUNDLED[current].settings.options
        else:
            source, options = str(current), self.page(str(current)).options()
        kept = present.augmentation if source == present.source else ()
        return DataSettings(source, options, self._split, kept)

    @Slot()
    def _chosen(self, *_: object) -> None:
        current = self.current
        present = self._session.project.data
        if isinstance(current, int):
            item: Bundled = BUNDLED[current]
            self.bundled.title.setText(item.title)
            self.bundled.text.setText(item.summary)
            self._stack.setCurrentWidget(self.bundled)
            same = self._same(item.settings, present)
            self._show_split(present.split if same else item.settings.split)
        elif isinstance(current, str):
            self._stack.setCurrentWidget(self.page(current))
            same = current == present.source
            self._show_split(present.split if same else SplitSettings())
        self._check()

    def _show_split(self, split: SplitSettings) -> None:
        self._split = split
        items = split_parameters(self._source(), split.method)
        amounts = [item for item in items if item.id in ("validation", "test")]
        self.split[0].set_parameters(amounts, split.values())
        self.split[1].set_parameters([i for i in items if i not in amounts], split.values())

    @Slot()
    def _check(self, *_: object) -> None:
        current = self.current
        missing = self.page(current).missing() if isinstance(current, str) else ""
        self.reason.setText(missing)
        self.ok.setEnabled(not missing and current is not None)
        self.ok.setToolTip(missing)

    @Slot(str, object)
    def _split_edited(self, id: str, value: Any) -> None:
        self._split = self._split.replace(**{id: value})
        if id == "method":
            self._show_split(self._split)

    @Slot()
    def use(self) -> None:
        """Open what was chosen."""
        self._session.set_data(self.settings())


def choose(
    session: Session, parent: QWidget, source: str = "", path: str = "", family: str = ""
) -> ChooseData | None:
    """Open the dialog over ``parent``, at a source or family where one is given."""
    if not session.is_open:
        return None
    dialog = ChooseData(session, parent)
    if source:
        dialog.show_source(source, path)
    elif family:
        dialog.show_family(family)
    dialog.accepted.connect(dialog.use)
    dialog.open()
    return dialog
