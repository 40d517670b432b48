"""A table before it is read: its first rows, what each column holds, and what it is used for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from playground.data import TablePreview, inspect_table, located
from playground.data.csv_reading import CsvOptions, fields, joined
from playground.data.source import Place
from playground.data.table_roles import TARGET_NAMES, is_forecast
from ui.insight.fetch import Fetch
from ui.widgets import label

LOOK_DELAY_MS = 250
SHOWN_ROWS = 30
ROLES = ("feature", "target", "time", "unused")
WORDS = {
    "feature": "learn from",
    "target": "predict",
    "time": "time",
    "unused": "leave out",
}


def proposed_roles(preview: TablePreview, options: Mapping[str, Any]) -> dict[str, str]:
    """What each column is used for: as set in ``options``, else as the table source guesses."""
    names = [column.name for column in preview.columns]
    kinds = {column.name: column.type for column in preview.columns}
    forecast = is_forecast(options, kinds.values())
    time = options.get("time")
    if not time and forecast:
        time = next((name for name in names if kinds[name] == "date"), None)
    target = options.get("target")
    if not target and forecast:
        numeric = [name for name in names if kinds[name] == "number" and name != time]
        target = numeric[-1] if numeric else None
    elif not target and len(names) > 1:
        target = next((name for name in names if name.lower() in TARGET_NAMES), names[-1])
    chosen = fields(options["features"]) if options.get("features") else None
    roles = {}
    for name in names:
        if name == target:
            roles[name] = "target"
        elif forecast and name == time:
            roles[name] = "time"
        elif chosen is not None:
            usable = not forecast or kinds[name] == "number"
            roles[name] = "feature" if name in chosen and usable else "unused"
        else:
            usable = kinds[name] in ("number", "category") and not forecast
            roles[name] = "feature" if usable else "unused"
    return roles


class TableForm(QWidget):
    """The first rows under a row of boxes that say what each column is used for.

    ``options()`` gives ``target``, ``features`` and ``time`` of the table source.
    """

    def __init__(self) -> None:
        super().__init__()
        self._options: dict[str, Any] = {}
        self._preview: TablePreview | None = None
        self._wanted: tuple[str, Path, CsvOptions] | None = None
        self.boxes: dict[str, QComboBox] = {}
        self.message = label("", "small", wrap=True)
        self.table = QTableWidget()
        self.table.setAccessibleName("First rows of the table")
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.verticalHeader().hide()
        self.table.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.table.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        self.table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        self.table.setShowGrid(False)
        self.table.setAlternatingRowColors(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(self.message)
        column.addWidget(self.table, 1)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(LOOK_DELAY_MS)
        self._timer.timeout.connect(self._read)
        self._fetch = Fetch(self)
        self._fetch.done.connect(self.show_preview)
        self._fetch.failed.connect(self._failed)
        self._say("")

    def set_options(self, options: Mapping[str, Any]) -> None:
        """Take the roles that a project has already."""
        self._options = dict(options)

    def look(self, path: str, base: Path, options: Mapping[str, Any]) -> None:
        """Show the beginning of a table, in a moment and away from the main thread."""
        keys = ("delimiter", "encoding", "header")
        csv = CsvOptions(**{key: options[key] for key in keys if options.get(key)})
        self._wanted = (path, base, csv)
        if path:
            self._timer.start()
        else:
            self._failed("")

    @Slot()
    def _read(self) -> None:
        if self._wanted is not None:
            path, base, csv = self._wanted
            self._fetch.start(lambda: inspect_table(located(path, Place.around(base)), csv))

    @Slot(str)
    def _failed(self, text: str) -> None:
        self._preview = None
        self.boxes = {}
        self.table.hide()
        self._say(text)

    def _say(self, text: str) -> None:
        self.message.setText(text or "Choose a table, and its columns show here.")
        self.message.setProperty("kind", "error" if text else "small")
        self.message.style().polish(self.message)
        self.table.setVisible(self._preview is not None)

    @Slot(object)
    def show_preview(self, preview: TablePreview) -> None:
        """Show a table's columns and first rows, with the roles that fit."""
        self._preview = preview
        roles = proposed_roles(preview, self._options)
        rows = preview.rows[:SHOWN_ROWS]
        self.table.clear()
        self.boxes = {}
        self.table.setColumnCount(len(preview.columns))
        self.table.setRowCount(len(rows) + 1)
        self.table.setHorizontalHeaderLabels([column.name for column in preview.columns])
        for place, column in enumerate(preview.columns):
            header = self.table.horizontalHeaderItem(place)
            missing = f", {column.missing:,} missing" if column.missing else ""
            assert header is not None
            header.setToolTip(
                f"{column.name}: {column.type}, {column.different:,} different{missing}"
            )
            box = QComboBox()
            for role in ROLES:
                box.addItem(WORDS[role], role)
            box.setCurrentIndex(ROLES.index(roles[column.name]))
            box.setAccessibleName(f"{column.name} is used to")
            box.activated.connect(self._role_chosen)
            self.boxes[column.name] = box
            self.table.setCellWidget(0, place, box)
            self.table.setColumnWidth(place, 132)
            for row, cells in enumerate(rows):
                self.table.setItem(row + 1, place, QTableWidgetItem(cells[place]))
        self.table.setRowHeight(0, 34)
        first = (
            f"The first {len(rows)} rows. "
            if not preview.complete or len(rows) < len(preview.rows)
            else ""
        )
        self._say("")
        self.message.setText(first + " ".join((*preview.notes, "Say what each column is for.")))

    def roles(self) -> dict[str, str]:
        return {name: str(box.currentData()) for name, box in self.boxes.items()}

    @Slot()
    def _role_chosen(self, *_: object) -> None:
        """One column is predicted and one is the time: the former holder steps back."""
        changed = self.sender()
        for role in ("target", "time"):
            if isinstance(changed, QComboBox) and changed.currentData() == role:
                for box in self.boxes.values():
                    if box is not changed and box.currentData() == role:
                        box.setCurrentIndex(ROLES.index("unused"))
        self._options = {**self._options, **self.options()}

    def options(self) -> dict[str, Any]:
        """``target``, ``features`` and ``time`` as the table source takes them; empty before a
        table could be read."""
        roles = self.roles()
        if not roles:
            return {key: self._options.get(key) for key in ("target", "features", "time")}
        chosen = {role: [n for n, r in roles.items() if r == role] for role in ROLES}
        return {
            "target": next(iter(chosen["target"]), None),
            "features": joined(chosen["feature"]) if chosen["feature"] else None,
            "time": next(iter(chosen["time"]), None),
        }
