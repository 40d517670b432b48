"""One source of data in the dialog: where the data are, and its options as a form."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from playground.data.source import FILES, SAMPLE, Place, Source
from ui.data.table_form import HELD, TableForm
from ui.forms import Form
from ui.widgets import Button, EmptyState, label, scrolled

FORM_HEIGHT = 116
PLACES = {
    "file": "A file",
    "folder": "A folder",
    "either": "A file or a folder",
}


class PathRow(QWidget):
    """A path that is typed or chosen: of a file, of a folder, or of either."""

    def __init__(self, source: Source) -> None:
        super().__init__()
        self._source = source
        self.line = QLineEdit()
        what = PLACES.get(source.place, "A file")
        self.line.setAccessibleName(what)
        self.line.setPlaceholderText(f"{what}, or drop it here")
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(8)
        self._row.addWidget(self.line, 1)
        self.buttons: list[Button] = []
        if source.place in ("folder", "either"):
            self._add("Folder …", "folder", self._choose_folder)
        if source.place in ("file", "either"):
            self._add("File …", "file", self._choose_file)

    def _add(self, text: str, icon: str, slot: Any) -> None:
        button = Button(text, icon)
        button.setAccessibleName(f"Choose the {text.removesuffix(' …').lower()}")
        button.clicked.connect(slot)
        self.buttons.append(button)
        self._row.addWidget(button)

    def file_filter(self) -> str:
        """The files that the source opens, as the file dialog wants them."""
        endings = " ".join(f"*{ending}" for ending in self._source.suffixes)
        return f"{self._source.name} ({endings});;All files (*)" if endings else "All files (*)"

    @Slot()
    def _choose_folder(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, "Choose a folder", self.line.text())
        if chosen:
            self.line.setText(chosen)

    @Slot()
    def _choose_file(self) -> None:
        title, here = "Choose a file", self.line.text()
        chosen = QFileDialog.getOpenFileName(self, title, here, self.file_filter())[0]
        if chosen:
            self.line.setText(chosen)


class SourcePage(QWidget):
    """A source's place and options. ``changed`` follows when something was set."""

    changed = Signal()

    def __init__(self, source: Source, place: Place) -> None:
        super().__init__()
        self.source = source
        self._place = place
        self._options: dict[str, Any] = {}
        self.path: PathRow | None = None
        if source.place != "none":
            self.path = PathRow(source)
            self.path.line.textChanged.connect(self._path_changed)
        self.table = TableForm() if source.id == "table" else None
        held = HELD if self.table is not None else {"path"}
        self.form = Form([p for p in source.parameters if p.id not in held], {})
        self.form.edited.connect(self._edited)
        if self.table is not None:
            self.table.changed.connect(self.changed)
        self._lay_out()

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        column.addWidget(label(self.source.name, "title"))
        column.addWidget(label(self.source.summary, "second", wrap=True))
        if self.path is not None:
            column.addWidget(self.path)
        if self.table is not None:
            column.addWidget(self.table, 1)
        if not self.form.parameters:
            if self.path is None:
                column.addWidget(EmptyState("check", "There is nothing to set."), 1)
            else:
                column.addStretch(1)
            return
        holder = QWidget()
        inner = QVBoxLayout(holder)
        inner.setContentsMargins(0, 0, 8, 0)
        inner.addWidget(self.form)
        inner.addStretch(1)
        area = scrolled(holder)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # its fields take the keys, and scroll it
        if self.table is not None:
            area.setFixedHeight(FORM_HEIGHT)
        column.addWidget(area, 0 if self.table is not None else 1)

    def options(self) -> dict[str, Any]:
        """The options that were set; what is not among them takes its default."""
        options = dict(self._options)
        if self.path is not None:
            options["path"] = self._stored(self.path.line.text().strip())
        if self.table is not None:
            options.update(self.table.options())
        return {key: value for key, value in options.items() if value not in (None, "")}

    def set_options(self, options: Mapping[str, Any]) -> None:
        self._options = {key: value for key, value in options.items() if key != "path"}
        self.form.set_values(self._options)
        if self.table is not None:
            self.table.set_options(options)
        if self.path is not None:
            self.path.line.setText(str(options.get("path", "")))

    def missing(self) -> str:
        """Why the data cannot be opened yet, in a sentence; "" where nothing is in the way."""
        if self.path is not None and not self.path.line.text().strip():
            place = PLACES[self.source.place]
            return f"Choose {place[0].lower()}{place[1:]} first."
        if self.table is not None and self.table.problem:
            return "The table cannot be used as it is: what is in the way is said above it."
        wrong = [p.label for p in self.source.parameters if p.id in self.form.fields
                 and self.form.error(p.id)]  # fmt: skip
        return f"{wrong[0]} is not right yet." if wrong else ""

    def _stored(self, text: str) -> str:
        """A path in the project's own folder is kept relative to it, so that both can move."""
        if not text or text.startswith((SAMPLE, FILES)):
            return text
        path = Path(text)
        try:
            return path.resolve().relative_to(self._place.folder.resolve()).as_posix()
        except ValueError:
            return str(path)

    @Slot(str, object)
    def _edited(self, id: str, value: Any) -> None:
        self._options[id] = value
        if self.table is not None and id == "task":
            self.table.set_options({**self._options, **self.table.options()})
            self._path_changed()
        self.changed.emit()

    @Slot()
    def _path_changed(self, *_: object) -> None:
        if self.table is not None and self.path is not None:
            self.table.look(self.path.line.text().strip(), self._place.folder, self._options)
        self.changed.emit()
