"""A table before it is read: its format, what each column holds and is used for, its first rows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import QTimer, Signal, Slot
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHBoxLayout,
    QStackedWidget,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from playground.data import DataError, TablePreview, inspect_table, located
from playground.data.csv_format import DELIMITERS
from playground.data.csv_reading import joined, pairs
from playground.data.source import Place
from playground.data.table_parameters import FORMAT, csv_options
from playground.data.table_roles import Roles, check, proposed
from ui.data.table_columns import ColumnsView, dress
from ui.insight.fetch import Fetch
from ui.widgets import Segmented, label, restyle

LOOK_DELAY_MS = 250
SHOWN_ROWS = 50
LARGEST_COUNTED = 512 << 20
"""A larger file's columns are told by its first rows alone."""

MOST_NAMED = 100
"""With more features, a project keeps only those that a person chose."""

HELD = frozenset(
    {"path", "target", "features", "time", "group", "types", "fillings", "scalings"}
    | {item.id for item in FORMAT}
)
"""The options of the table source that are set here."""

_NO_TABLE = "Choose a table, and its columns show here."


def proposed_roles(preview: TablePreview, options: Mapping[str, Any]) -> dict[str, str]:
    """What each column is used for: as set in ``options``, else as the table source guesses."""
    roles = proposed({column.name: column.type for column in preview.columns}, options)
    return {name: roles.role(name) for name in roles.types}


class FormatBar(QWidget):
    """How the file is read: what was guessed, and boxes to set it. ``edited`` follows a change."""

    edited = Signal()

    def __init__(self) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        self.boxes: dict[str, QComboBox] = {}
        for item in FORMAT:
            box = QComboBox()
            for value, text in item.choices:
                box.addItem(text[:1].upper() + text[1:], value)
            box.setAccessibleName(item.label)
            box.setToolTip(item.help)
            box.setSizeAdjustPolicy(
                QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
            )
            box.setMinimumContentsLength(9)
            box.activated.connect(self._chosen)
            self.boxes[item.id] = box
            column = QVBoxLayout()
            column.setSpacing(2)
            column.addWidget(label(item.label, "small"))
            column.addWidget(box)
            row.addLayout(column, 1)

    def set_options(self, options: Mapping[str, Any]) -> None:
        for item in FORMAT:
            box = self.boxes[item.id]
            box.setCurrentIndex(max(0, box.findData(options.get(item.id, item.default))))

    def options(self) -> dict[str, Any]:
        """What is not as it is by default; None for what is."""
        chosen = {id: box.currentData() for id, box in self.boxes.items()}
        return {item.id: chosen[item.id] if chosen[item.id] != item.default else None
                for item in FORMAT}  # fmt: skip

    def show_guesses(self, preview: TablePreview) -> None:
        """Say in each box what "Automatic" came to."""
        guessed = {
            "delimiter": DELIMITERS.get(preview.delimiter, preview.delimiter),
            "encoding": preview.encoding,
            "header": "first row" if preview.header else "none",
            "decimal": "comma" if preview.decimal_comma else "point",
        }
        for id, words in guessed.items():
            self.boxes[id].setItemText(0, words[:1].upper() + words[1:])
            self.boxes[id].setToolTip(f"{self.boxes[id].accessibleName()}: guessed {words}")

    @Slot()
    def _chosen(self, *_: object) -> None:
        self.edited.emit()


class TableForm(QWidget):
    """The format, and below it the columns or the first rows.

    ``options()`` gives what is HELD here, as the table source takes it. ``problem`` is a sentence
    while the table cannot be used as it is; ``changed`` follows when it or the options changed.
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._options: dict[str, Any] = {}
        self._preview: TablePreview | None = None
        self._wanted: tuple[str, Path] | None = None
        self.file_problem = ""
        self.problem = ""
        self.format = FormatBar()
        self.format.edited.connect(self._format_edited)
        self.pages = Segmented([("columns", "Columns"), ("rows", "First rows")], name="Table")
        self.pages.chosen.connect(self._show_page)
        self.message = label("", "small", wrap=True)
        self.columns = ColumnsView()
        self.columns.columns.chosen.connect(self._column_chosen)
        self.table = QTableWidget()
        self.table.setAccessibleName("First rows of the table")
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        dress(self.table)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.columns)
        self._stack.addWidget(self.table)
        self._stack.setMinimumHeight(150)
        self._lay_out()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(LOOK_DELAY_MS)
        self._timer.timeout.connect(self._read)
        self._fetch = Fetch(self)
        self._fetch.done.connect(self.show_preview)
        self._fetch.failed.connect(self._failed)
        self._count = Fetch(self)
        self._count.done.connect(self._counted)
        self._count.failed.connect(self._failed)
        self._say()

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.format)
        row = QHBoxLayout()
        row.setSpacing(12)
        row.addWidget(self.pages)
        row.addWidget(self.message, 1)
        column.addLayout(row)
        column.addWidget(self._stack, 1)
        column.addStretch(0)

    # Options ------------------------------------------------------------------------------------

    def set_options(self, options: Mapping[str, Any]) -> None:
        """Take what a project, or the form beside, has set already."""
        task = self._options.get("task")
        self._options = {**self._options, **options} if options else {}
        if self._options.get("task") == "forecast" != task and self._preview is not None:
            self._keep_numbers()
        self.format.set_options(self._options)
        if self._preview is not None:
            self._show_columns()

    def options(self) -> dict[str, Any]:
        """What the table source is to be given; None for what takes its default."""
        held = {id: self._options.get(id) or None for id in HELD - {"path"}}
        roles = self._roles()
        if roles is not None:
            held |= {"target": roles.target, "time": roles.time, "group": roles.group}
            if len(roles.features) <= MOST_NAMED:
                held["features"] = joined(roles.features) if roles.features else None
        return held | self.format.options()

    def _keep_numbers(self) -> None:
        """A series is forecast from numbers: other features are left out."""
        roles = self._roles()
        if roles is not None:
            kept = [name for name in roles.features if roles.types[name] == "number"]
            self._options["features"] = joined(kept) if kept else None
            if roles.target is not None and roles.types.get(roles.target) != "number":
                self._options["target"] = None

    def roles(self) -> dict[str, str]:
        """The use of each column; empty before a table could be read."""
        roles = self._roles()
        return {} if roles is None else {name: roles.role(name) for name in roles.types}

    def set_role(self, name: str, role: str) -> None:
        """Use a column for something else; one column is predicted, and one the time or group."""
        roles = self.roles()
        for other, had in roles.items():
            if had == role and role in ("target", "time", "group"):
                roles[other] = "ignore"
        roles[name] = role
        chosen = {role: [n for n, r in roles.items() if r == role] for role in set(roles.values())}
        self._options |= {
            "target": next(iter(chosen.get("target", ())), None),
            "time": next(iter(chosen.get("time", ())), None),
            "group": next(iter(chosen.get("group", ())), None),
            "features": joined(chosen.get("feature", ())),
        }
        self._show_columns()

    def set_type(self, name: str, type: str) -> None:
        """Say what a column holds, where the guess is wrong."""
        roles = self.roles()
        guessed = {column.name: column.type for column in self._columns()}
        self._set_pair("types", name, "" if guessed.get(name) == type else type)
        if type == "text" and roles.get(name) == "feature":
            self.set_role(name, "ignore")
        self._show_columns()

    def _set_pair(self, option: str, name: str, value: str) -> None:
        found = self._pairs(option) | {name: value}
        kept = [f"{name}={value}" for name, value in found.items() if value]
        self._options[option] = joined(kept) if kept else None

    def _pairs(self, option: str) -> dict[str, str]:
        try:
            return pairs(self._options.get(option))
        except DataError:
            return {}

    def _columns(self) -> tuple[Any, ...]:
        return () if self._preview is None else self._preview.columns

    def _roles(self) -> Roles | None:
        if self._preview is None:
            return None
        try:
            return proposed({column.name: column.type for column in self._columns()}, self._options)
        except DataError:  # types that cannot be read
            self._options["types"] = None
            return proposed({column.name: column.type for column in self._columns()}, self._options)

    @Slot(str, str, str)
    def _column_chosen(self, name: str, field: str, value: str) -> None:
        if field == "role":
            self.set_role(name, value)
        elif field == "type":
            self.set_type(name, value)
        else:
            self._set_pair(f"{field}s", name, value)
            self._show_columns()

    @Slot()
    def _format_edited(self) -> None:
        self._options |= self.format.options()
        self._timer.start()
        self.changed.emit()

    # Looking ------------------------------------------------------------------------------------

    def look(self, path: str, base: Path, options: Mapping[str, Any]) -> None:
        """Show the beginning of a table, in a moment and away from the main thread."""
        before = self._wanted
        self._wanted = (path, base)
        if before is not None and before[0] and before[0] != path:
            self._options = {}
            self.format.set_options({})
        self._options |= {key: value for key, value in options.items() if key not in HELD}
        if path:
            self._timer.start()
        else:
            self._failed("")

    @Slot()
    def _read(self) -> None:
        if self._wanted is None or not self._wanted[0]:
            return
        path, base = self._wanted
        csv = csv_options({**self._options, **self.format.options()})
        self._count.cancel()
        self._fetch.start(lambda: inspect_table(located(path, Place.around(base)), csv))

    @Slot(str)
    def _failed(self, text: str) -> None:
        self._preview = None
        self.file_problem = text
        self._say()

    @Slot(object)
    def show_preview(self, preview: TablePreview) -> None:
        """Show a table's columns and first rows, with the roles that fit."""
        self._preview = preview
        self.file_problem = ""
        self.format.show_guesses(preview)
        self._show_rows(preview)
        self._show_columns()
        if not preview.complete and self._wanted is not None:
            path, base = self._wanted
            csv = csv_options({**self._options, **self.format.options()})
            self._count.start(lambda: _whole(located(path, Place.around(base)), csv))

    @Slot(object)
    def _counted(self, preview: TablePreview | None) -> None:
        """The figures of all rows; types stay as the first rows tell them, as when it is opened."""
        if preview is None or self._preview is None:
            return
        self._preview = preview
        self._show_columns()

    def _show_rows(self, preview: TablePreview) -> None:
        rows = preview.rows[:SHOWN_ROWS]
        self.table.clear()
        self.table.setColumnCount(len(preview.columns))
        self.table.setRowCount(len(rows))
        self.table.setHorizontalHeaderLabels([column.name for column in preview.columns])
        for row, cells in enumerate(rows):
            for place, cell in enumerate(cells):
                self.table.setItem(row, place, QTableWidgetItem(cell))

    def _show_columns(self) -> None:
        roles = self._roles()
        if roles is not None:
            settings: dict[str, Mapping[str, str]] = {
                "role": {name: roles.role(name) for name in roles.types},
                "type": roles.types,
                "filling": self._pairs("fillings"),
                "scaling": self._pairs("scalings"),
            }
            self.columns.columns.show(self._columns(), settings)
        self._say()

    def _say(self) -> None:
        """The message, and whether the table can be used."""
        before = self.problem
        self.problem = self.file_problem or self._roles_problem()
        preview = self._preview
        text = self.problem or _NO_TABLE
        if preview is not None and not self.problem:
            rows = f"{preview.count:,} rows"
            if not preview.complete:
                rows = f"Figures of the first {rows}"
            text = " ".join((f"{rows}, {len(preview.columns):,} columns.", *preview.notes))
        self.message.setText(text)
        self.message.setProperty("kind", "error" if self.problem else "small")
        restyle(self.message)
        shown = preview is not None
        self._stack.setVisible(shown)
        self.table.setVisible(shown and self.pages.current() == "rows")
        self.pages.setVisible(shown)
        self.format.setVisible((shown and bool(preview and preview.delimiter)) or (
            bool(self.file_problem)))  # fmt: skip
        if before != self.problem or shown:
            self.changed.emit()

    def _roles_problem(self) -> str:
        roles = self._roles()
        if roles is None or self._wanted is None:
            return ""
        try:
            check(roles, Path(self._wanted[0]))
        except DataError as error:
            return str(error)
        return ""

    @Slot(str)
    def _show_page(self, id: str) -> None:
        self._stack.setCurrentWidget(self.table if id == "rows" else self.columns)
        self.table.setVisible(id == "rows")


def _whole(path: Path, csv: Any) -> TablePreview | None:
    """The figures of all rows, where that does not take too long."""
    if path.stat().st_size > LARGEST_COUNTED:
        return None
    return inspect_table(path, csv, None)
