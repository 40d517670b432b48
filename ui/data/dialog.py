"""Choosing data: bundled sets, a folder of images, labelled series, or a table column by column."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from playground.data import SOURCES
from playground.data.settings import SPLIT_PARAMETERS, DataSettings, SplitSettings
from playground.data.source import SAMPLE, Source
from ui.data.bundled import BUNDLED
from ui.data.table_form import TableForm
from ui.forms import Form
from ui.session import Session
from ui.theme import icon_names, theme
from ui.widgets import Button, divider, label, scrolled

OWN = ("images", "table", "series")
FOLDERS = frozenset({"images"})
TABLE_FILES = "Tables (*.csv *.tsv *.txt);;All files (*)"
HELD_BY_WIZARD = frozenset({"path", "target", "features", "time"})


class PathRow(QWidget):
    """A path that is typed or chosen."""

    def __init__(self, folder: bool) -> None:
        super().__init__()
        self._folder = folder
        self.line = QLineEdit()
        what = "Folder" if folder else "File"
        self.line.setAccessibleName(what)
        self.line.setPlaceholderText("A folder with a subfolder a class" if folder else "A file")
        button = Button("Choose …", "folder")
        button.setAccessibleName(f"Choose the {what.lower()}")
        button.clicked.connect(self._choose)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.line, 1)
        row.addWidget(button)

    @Slot()
    def _choose(self) -> None:
        here = self.line.text()
        if self._folder:
            chosen = QFileDialog.getExistingDirectory(self, "Choose a folder of images", here)
        else:
            chosen = QFileDialog.getOpenFileName(self, "Choose a table", here, TABLE_FILES)[0]
        if chosen:
            self.line.setText(chosen)


class SourcePage(QWidget):
    """A source of one's own data: where they are, and its options as a form."""

    def __init__(self, source: Source, base: Path) -> None:
        super().__init__()
        self.source = source
        self._base = base
        self._options: dict[str, Any] = {}
        self.path = PathRow(source.id in FOLDERS)
        self.path.line.textChanged.connect(self._path_changed)
        table = source.id == "table"
        self.table = TableForm() if table else None
        held = HELD_BY_WIZARD if table else {"path"}
        self.form = Form([p for p in source.parameters if p.id not in held], {})
        self.form.edited.connect(self._edited)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        column.addWidget(label(source.name, "title"))
        column.addWidget(label(source.summary, "second", wrap=True))
        column.addWidget(self.path)
        if self.table is not None:
            column.addWidget(self.table, 1)
        holder = QWidget()
        inner = QVBoxLayout(holder)
        inner.setContentsMargins(0, 0, 8, 0)
        inner.addWidget(self.form)
        inner.addStretch(1)
        area = scrolled(holder)
        if table:
            area.setFixedHeight(150)
        column.addWidget(area, 0 if table else 1)

    def options(self) -> dict[str, Any]:
        """The options that were set; what is not among them takes its default."""
        options = {**self._options, "path": self._stored(self.path.line.text().strip())}
        if self.table is not None:
            options.update(self.table.options())
        return {key: value for key, value in options.items() if value not in (None, "")}

    def set_options(self, options: Mapping[str, Any]) -> None:
        self._options = {key: value for key, value in options.items() if key != "path"}
        self.form.set_values(self._options)
        if self.table is not None:
            self.table.set_options(options)
        self.path.line.setText(str(options.get("path", "")))

    def is_complete(self) -> bool:
        return bool(self.path.line.text().strip())

    def _stored(self, text: str) -> str:
        """A path in the project's own folder is kept relative to it, so that both can move."""
        if not text or text.startswith(SAMPLE):
            return text
        path = Path(text)
        try:
            return path.resolve().relative_to(self._base.resolve()).as_posix()
        except ValueError:
            return str(path)

    @Slot(str, object)
    def _edited(self, id: str, value: Any) -> None:
        self._options[id] = value
        if self.table is not None and id in ("delimiter", "encoding", "header", "task"):
            self.table.set_options({**self._options, **self.table.options()})
            self._path_changed()

    @Slot()
    def _path_changed(self, *_: object) -> None:
        if self.table is not None:
            self.table.look(self.path.line.text().strip(), self._base, self._options)


class BundledPage(QWidget):
    """What a bundled set is."""

    def __init__(self) -> None:
        super().__init__()
        self.title, self.text = label("", "title"), label("", "second", wrap=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        column.addWidget(self.title)
        column.addWidget(self.text)
        column.addStretch(1)


class ChooseData(QDialog):
    """Sources at the left, the chosen one's settings at the right, the split below."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        base = session.files.parent
        self.setWindowTitle("Choose data")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(880, 640)
        self.list = QListWidget()
        self.list.setAccessibleName("Sources of data")
        self.list.setFixedWidth(210)
        self.list.setIconSize(QSize(16, 16))
        self.bundled = BundledPage()
        self.pages = {id: SourcePage(SOURCES.get(id), base) for id in OWN}
        self._stack = QStackedWidget()
        self._stack.addWidget(self.bundled)
        for page in self.pages.values():
            self._stack.addWidget(page)
        self.split = (Form(SPLIT_PARAMETERS[:2]), Form(SPLIT_PARAMETERS[2:]))
        for form in self.split:
            form.edited.connect(self._split_edited)
        self._split = session.project.data.split
        self.ok = Button("Use these data", "check", "primary", "#FFFFFF")
        self.ok.setDefault(True)
        self.ok.clicked.connect(self.accept)
        cancel = Button("Cancel")
        cancel.clicked.connect(self.reject)
        self._lay_out(cancel)
        self._fill()
        for page in self.pages.values():
            page.path.line.textChanged.connect(self._check)
        self.list.currentItemChanged.connect(self._chosen)
        self._show_present()

    def _lay_out(self, cancel: Button) -> None:
        right = QVBoxLayout()
        right.setSpacing(12)
        right.addWidget(self._stack, 1)
        right.addWidget(divider())
        right.addWidget(label("Split", "title"))
        halves = QHBoxLayout()
        halves.setSpacing(24)
        for form in self.split:
            halves.addWidget(form, 1)
        right.addLayout(halves)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(cancel)
        buttons.addWidget(self.ok)
        right.addLayout(buttons)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 16, 16, 16)
        row.setSpacing(20)
        row.addWidget(self.list)
        row.addLayout(right, 1)

    def _fill(self) -> None:
        self._heading("Your own")
        for id, page in self.pages.items():
            self._item(page.source.name, page.source.icon, id)
        self._heading("Bundled")
        for index, item in enumerate(BUNDLED):
            self._item(item.title, item.icon, index)

    def _heading(self, text: str) -> None:
        item = QListWidgetItem(text)
        item.setFlags(Qt.ItemFlag.NoItemFlags)
        item.setForeground(theme().color("text3"))
        self.list.addItem(item)

    def _item(self, text: str, icon: str, id: object) -> None:
        name = icon if icon in icon_names() else "image"
        item = QListWidgetItem(theme().icon(name), text)
        item.setData(Qt.ItemDataRole.UserRole, id)
        self.list.addItem(item)

    # What is chosen -----------------------------------------------------------------------------

    def _show_present(self) -> None:
        """Begin with the project's own data."""
        present = self._session.project.data
        for index, item in enumerate(BUNDLED):
            if self._same(item.settings, present):
                self._choose_item(index)
                return
        if present.source in self.pages:
            self.show_source(present.source, options=present.options)
        else:
            self._choose_item(0)

    @staticmethod
    def _same(bundled: DataSettings, present: DataSettings) -> bool:
        path = bundled.options.get("path")
        return bundled.source == present.source and path == present.options.get("path")

    def show_source(
        self, source: str, path: str = "", options: Mapping[str, Any] | None = None
    ) -> None:
        """Choose a source; with a ``path`` or ``options``, fill them in."""
        if source not in self.pages:
            self._choose_item(0)
            return
        page = self.pages[source]
        if options is not None or path:
            page.set_options({**(options or {}), **({"path": path} if path else {})})
        self._choose_item(source)
        page.path.line.setFocus()

    def _choose_item(self, id: object) -> None:
        for row in range(self.list.count()):
            if self.list.item(row).data(Qt.ItemDataRole.UserRole) == id:
                self.list.setCurrentRow(row)

    @property
    def current(self) -> object:
        """The id of a source, or the number of a bundled set."""
        item = self.list.currentItem()
        return item.data(Qt.ItemDataRole.UserRole) if item is not None else None

    def settings(self) -> DataSettings:
        """What was chosen."""
        current = self.current
        if isinstance(current, int):
            return DataSettings(
                BUNDLED[current].settings.source, BUNDLED[current].settings.options, self._split
            )
        return DataSettings(str(current), self.pages[str(current)].options(), self._split)

    @Slot()
    def _chosen(self, *_: object) -> None:
        current = self.current
        present = self._session.project.data
        if isinstance(current, int):
            item = BUNDLED[current]
            self.bundled.title.setText(item.title)
            self.bundled.text.setText(item.summary)
            self._stack.setCurrentWidget(self.bundled)
            same = self._same(item.settings, present)
            self._show_split(present.split if same else item.settings.split)
        elif isinstance(current, str):
            self._stack.setCurrentWidget(self.pages[current])
            same = current == present.source
            self._show_split(present.split if same else SplitSettings())
        self._check()

    def _show_split(self, split: SplitSettings) -> None:
        self._split = split
        for form in self.split:
            form.set_values(split.values())

    @Slot()
    def _check(self, *_: object) -> None:
        current = self.current
        complete = isinstance(current, int) or (
            isinstance(current, str) and self.pages[current].is_complete()
        )
        self.ok.setEnabled(complete)

    @Slot(str, object)
    def _split_edited(self, id: str, value: Any) -> None:
        self._split = self._split.replace(**{id: value})

    @Slot()
    def use(self) -> None:
        """Open what was chosen."""
        self._session.set_data(self.settings())
