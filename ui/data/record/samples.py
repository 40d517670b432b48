"""The samples of the chosen class at large: choose, delete, move, undo."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QPoint, Qt, QUrl, Signal, Slot
from PySide6.QtGui import QAction, QDesktopServices
from PySide6.QtWidgets import QHBoxLayout, QMenu, QStackedWidget, QVBoxLayout, QWidget

from ui.data.record.grid import Grid
from ui.data.record.library import Library
from ui.data.record.thumbnails import Thumbnails
from ui.widgets import Button, ElidedLabel, EmptyState, IconButton


class Samples(QWidget):
    """A grid with its header. ``opened`` carries a file that was double-clicked."""

    opened = Signal(object)

    def __init__(self, library: Library, thumbnails: Thumbnails, empty: tuple[str, str]) -> None:
        super().__init__()
        self._library = library
        self.name, self._slow = "", False
        self.grid = Grid("Samples of the class", thumbnails)
        self.title = ElidedLabel("", "title")
        self.move_to = Button("Move to", "arrow-right")
        self.moves = QMenu(self.move_to)
        self.moves.aboutToShow.connect(self._fill_moves)
        self.move_to.setMenu(self.moves)
        self.delete = Button("Delete", "trash")
        self.undo = IconButton("undo", "Undo (Ctrl+Z)")
        self.redo = IconButton("redo", "Redo (Ctrl+Shift+Z)")
        self.folder = IconButton("folder", "Open the folder of the class")
        self._head = head = QHBoxLayout()
        head.setContentsMargins(12, 4, 8, 4)
        head.setSpacing(4)
        head.addWidget(self.title, 1)
        for widget in (self.move_to, self.delete, self.undo, self.redo, self.folder):
            widget.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            head.addWidget(widget)
        self.empty = EmptyState(*empty)
        self._pages = QStackedWidget()
        self._pages.addWidget(self.empty)
        self._pages.addWidget(self.grid)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self._pages, 1)
        self.setMinimumHeight(140)
        self.delete.clicked.connect(self.delete_chosen)
        self.undo.clicked.connect(library.undo)
        self.redo.clicked.connect(library.redo)
        self.folder.clicked.connect(self.open_folder)
        self.grid.chosen_changed.connect(self._retell)
        self.grid.delete_wanted.connect(self.delete_chosen)
        self.grid.menu_wanted.connect(self._menu)
        self.grid.opened.connect(self.opened)
        library.changed.connect(self.refresh)
        self.refresh()

    def add_action(self, icon: str, text: str, callback: Callable[[], object]) -> None:
        """One more button at the right of the header."""
        button = IconButton(icon, text)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.clicked.connect(callback)
        self._head.addWidget(button)

    def show_class(self, name: str) -> None:
        fresh = name != self.name
        self.name = name
        self.refresh(fresh=fresh)

    @Slot()
    def refresh(self, *, fresh: bool = False) -> None:
        files = self._library.files(self.name)
        self.grid.show_paths(files, fresh=fresh)
        self._pages.setCurrentIndex(1 if files else 0)
        self._retell()

    @Slot()
    def delete_chosen(self) -> None:
        if self.grid.chosen:
            self._library.delete(self.grid.ordered())

    @Slot()
    def open_folder(self) -> None:
        self.open_folder_of(self.name)

    def open_folder_of(self, name: str) -> None:
        """Show a class's folder in the system's file manager."""
        open_folder(self._library, name)

    @Slot(object)
    def open_file(self, path: Path) -> None:
        """Show a sample in the system's own viewer."""
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))

    def move_chosen(self, to: str) -> None:
        self._library.move(self.grid.ordered(), to)

    def show_slow(self, slow: bool) -> None:
        """Say that a change of very many files is under way."""
        if slow != self._slow:
            self._slow = slow
            self._retell()

    @Slot()
    def _retell(self) -> None:
        count, chosen = len(self.grid.paths), len(self.grid.chosen)
        parts = [self.name, f"{count:,} {'sample' if count == 1 else 'samples'}"]
        if chosen:
            parts.append(f"{chosen:,} chosen")
        if self._slow:
            parts.append("working …")
        self.title.set_text(" · ".join(parts) if self.name else "")
        for button in (self.move_to, self.delete):
            button.setVisible(bool(chosen))
        self.undo.setEnabled(self._library.listing.can_undo)
        self.redo.setEnabled(self._library.listing.can_redo)
        self.folder.setEnabled(self._library.ready)

    def _fill(self, menu: QMenu) -> None:
        for name in self._library.names:
            if name != self.name:
                action = menu.addAction(name)
                action.setData(name)
        menu.triggered.connect(self._move_triggered, Qt.ConnectionType.UniqueConnection)

    @Slot()
    def _fill_moves(self) -> None:
        self.moves.clear()
        self._fill(self.moves)

    @Slot(QAction)
    def _move_triggered(self, action: QAction) -> None:
        if isinstance(action.data(), str):
            self.move_chosen(action.data())

    @Slot(QPoint)
    def _menu(self, place: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._fill(menu.addMenu("Move to"))
        menu.addAction("Delete", self.delete_chosen)
        menu.addSeparator()
        menu.addAction("Choose all", self.grid.choose_all)
        menu.addAction("Open the folder", self.open_folder)
        menu.popup(place)


def open_folder(library: Library, name: str) -> None:
    """Show the folder of the class ``name`` in the system's file manager."""
    folder = library.folder
    if folder is not None:
        inner = folder / name
        where = inner if inner.is_dir() else folder
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(where)))


def file_names(paths: list[Path], most: int = 3) -> str:
    """A few names, and how many more."""
    said = ", ".join(path.name for path in paths[:most])
    return said + (f" and {len(paths) - most:,} more" if len(paths) > most else "")
