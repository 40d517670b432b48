"""The window: bar on top, start page or workspace, status line."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path

from PySide6.QtCore import QEvent, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QIcon, QPaintEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QMainWindow,
    QMessageBox,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from playground import project as projects
from playground.messages import Exported, State
from playground.packing import PACKED, is_packed
from ui.actions import Actions
from ui.command_search import CommandSearch
from ui.notices import Notices
from ui.opening import Opening
from ui.packing import Packing
from ui.rescue import Guard
from ui.session import Session
from ui.settings import forget_project, settings
from ui.shortcuts import ShortcutHelp
from ui.start import StartPage
from ui.transport import StatusLine, TransportBar
from ui.window_actions import window_actions
from ui.workspace import PAGES, Workspace

SUFFIX = ".playground"
FILTER = f"Playground projects (*{SUFFIX})"
OPENED = f"Playground projects (*{SUFFIX} *{PACKED})"
FIRST_SIZE = (1600, 1000)
LEAST_SIZE = (1024, 640)
LOAD_AFTER_MS, LOAD_PAUSE_MS = 300, 20
MENUS, SUBMENUS = ("File", "Help", "Program"), (
    "Edit", "Run", "Live", "Canvas", "Panels", "View", "Export"
)  # fmt: skip


class MainWindow(QMainWindow):
    """One project at a time. ``painted`` tells that it is on screen: ``start()`` it then."""

    painted = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.workspace: Workspace | None = None
        self._painted = self._at_once = self._closed = self._discarded = False
        self.guard = Guard(session)
        self.setWindowTitle("Playground")
        self.setMinimumSize(*LEAST_SIZE)
        self.setAcceptDrops(True)
        self.actions_ = Actions(self)
        self.actions_.add(window_actions(self))
        self._build()
        self._restore_geometry()
        session.notice.connect(self.notices.show_notice)
        session.file_changed.connect(self._show_title)
        session.project_changed.connect(self.notices.withdraw_offers)
        session.project_changed.connect(self._project_changed)
        session.reveal.connect(self._reveal)
        session.bridge.exported.connect(self._exported)
        self._opening = Opening(session, self.may_leave)
        self._packing = Packing(session)
        self._packing.unpacked.connect(self.open_path)
        self.actions_.refresh()

    # --- building -----------------------------------------------------------------------------

    def _build(self) -> None:
        menu = self.actions_.menu(MENUS, SUBMENUS, self)
        menu.setAccessibleName("Menu")
        self.transport = TransportBar(self.session, self.actions_, menu)
        self.start_page = StartPage(
            self.open_example,
            self.open_path,
            self.new_project,
            self.choose_project,
            partial(self.new_project, "record:camera"),
            self.recognise,
        )
        self.pages = QStackedWidget()
        self.pages.addWidget(self.start_page)
        self.status = StatusLine(self.session)
        centre = QWidget()
        centre.setProperty("kind", "window")
        column = QVBoxLayout(centre)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.transport)
        column.addWidget(self.pages, 1)
        column.addWidget(self.status)
        self.setCentralWidget(centre)
        self.start_page.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.start_page.setFocus(Qt.FocusReason.OtherFocusReason)
        self.notices = Notices(self)
        self.session.asked.connect(self.actions_.trigger)
        self.search = CommandSearch(self, self.actions_)
        self.help = ShortcutHelp(self, self.actions_)

    def start(self) -> None:
        """What takes time: the worker, and what an earlier crash left behind."""
        self.session.start()
        self.start_page.set_rescues(self.guard.rescues(self._recover))
        self._unloaded = list(PAGES)
        QTimer.singleShot(LOAD_AFTER_MS, self, self._load_ahead)

    @Slot()
    def _load_ahead(self) -> None:
        """Load one module of the workspace, and let the window live before the next."""
        if self._unloaded and self.workspace is None and not self._closed:
            import_module(self._unloaded.pop(0))
            QTimer.singleShot(LOAD_PAUSE_MS, self, self._load_ahead)

    def _make_workspace(self) -> Workspace:
        if self.workspace is None:
            from ui.live.entries import Finished

            self.workspace = Workspace(self.session, self.open_example)
            self.pages.addWidget(self.workspace)
            canvas = self.workspace.canvas
            self.actions_.add(canvas.actions())
            canvas.choice_changed.connect(self.actions_.refresh)
            self.workspace.live_made.connect(self._live_made)
            Finished(self.session)
        return self.workspace

    @Slot()
    def _live_made(self) -> None:
        assert self.workspace is not None
        view = self.workspace.made_live_view()
        self.transport.set_live(view)
        self.status.set_live(view)
        view.desk.running_changed.connect(self.actions_.refresh)

    # --- what actions ask and do ------------------------------------------------------------------

    def is_open(self) -> bool:
        return self.workspace is not None and self.pages.currentWidget() is self.workspace

    def has_run(self) -> bool:
        folder = self.session.run_folder
        return self.is_open() and folder is not None and folder.is_dir()

    def can_toggle(self) -> bool:
        return self.session.is_open and self.session.state not in (State.PREPARING, State.STOPPING)

    def can_run_on(self) -> bool:
        return self.has_run() and self.session.report.ok

    def can_undo(self) -> bool:
        """Not while live hides the canvas: nobody would see what is taken back."""
        return self.session.undo.canUndo() and self.session.mode != "live"

    def can_redo(self) -> bool:
        return self.session.undo.canRedo() and self.session.mode != "live"

    def panel_shown(self, id: str) -> bool:
        return self.workspace is not None and self.workspace.is_shown(id)

    def in_workspace(self, method: str, *arguments: object) -> None:
        if self.workspace is not None:
            getattr(self.workspace, method)(*arguments)

    def is_live(self) -> bool:
        return self.is_open() and self.session.mode == "live"

    def runs_live(self) -> bool:
        view = self.workspace.live_view if self.workspace is not None else None
        return view is not None and view.desk.running

    def toggle_live(self) -> None:
        """Start or stop what runs live; turn to it where something else is shown."""
        if self.is_live() and self.workspace is not None:
            self.workspace.made_live_view().desk.toggle()
        else:
            self.recognise("")

    def in_live(self, method: str, *arguments: object) -> None:
        if self.workspace is not None and self.workspace.live_view is not None:
            getattr(self.workspace.live_view, method)(*arguments)

    def choose_live(self) -> None:
        """Turn to live, and to the list of what can run."""
        if self.workspace is not None:
            self.session.set_mode("live")
            self.in_live("show_choices")

    @Slot()
    def open_search(self) -> None:
        self.search.open()

    @Slot()
    def show_help(self) -> None:
        self.help.open()

    @Slot()
    def full_screen(self) -> None:
        (self.showNormal if self.isFullScreen() else self.showFullScreen)()

    # --- projects -----------------------------------------------------------------------------

    def open_example(self, id: str) -> bool:
        """Open an example, after asking what to do with unsaved work."""
        return self.may_leave() and self.session.open_example(id)

    @Slot(object)
    def open_path(self, path: Path) -> bool:
        """Open a project file, after asking what to do with unsaved work; a packed one is
        unpacked first."""
        if is_packed(path):
            self._packing.unpack(path)
            return True
        if not self.may_leave():
            return False
        if self.session.open(path):
            return True
        forget_project(path)
        self.start_page.refresh()
        return False

    def recognise(self, what: str) -> None:
        """Turn to what runs live; without a project, in a new one."""
        if self.session.is_open:
            self.session.reveal.emit(f"recognise:{what}")
        else:
            self.new_project(f"recognise:{what}")

    def new_project(self, first: str = "") -> None:
        """An Input and an Output, to build on; the page ``first`` comes first."""
        if self.may_leave():
            self.session.new(projects.empty())
            self.session.reveal.emit(first)

    @Slot()
    def choose_project(self) -> None:
        name = QFileDialog.getOpenFileName(self, "Open a project", self._folder(), OPENED)[0]
        if name:
            self.open_path(Path(name))

    @Slot()
    def save(self) -> bool:
        return self.session.save() if self.session.path is not None else self.save_as()

    @Slot()
    def save_as(self) -> bool:
        start = Path(self._folder()) / f"{file_stem(self.session.title)}{SUFFIX}"
        name = QFileDialog.getSaveFileName(self, "Save the project", str(start), FILTER)[0]
        if not name:
            return False
        path = Path(name)
        return self.session.save(
            path if path.suffix == SUFFIX else path.with_name(path.name + SUFFIX)
        )

    @Slot()
    def save_packed(self) -> None:
        """Ask where to, and write a copy with everything that belongs to the project."""
        start = Path(self._folder()) / f"{file_stem(self.session.title)}{PACKED}"
        kind = f"Packed projects (*{PACKED})"
        name = QFileDialog.getSaveFileName(self, "Save a packed copy", str(start), kind)[0]
        if name:
            path = Path(name)
            self._packing.pack(path if is_packed(path) else path.with_name(path.name + PACKED))

    def export(self, target: str, suffix: str) -> None:
        """Ask where to, and let the worker write it."""
        run = self.session.run_folder
        if run is None:
            return
        start = Path(self._folder()) / f"{file_stem(self.session.title)}{suffix}"
        name = QFileDialog.getSaveFileName(self, f"Export as {target}", str(start))[0]
        if name:
            self.session.worker.export(run, target, Path(name))
            self.session.tell(f"Exporting to {Path(name).name} …", key="export")

    def show_start(self) -> None:
        """The examples and recent projects; the project stays open behind them."""
        self.start_page.refresh()
        at_start = self.pages.currentWidget() is self.start_page
        back = at_start and self.workspace is not None and self.session.is_open
        self.pages.setCurrentWidget(self.workspace if back and self.workspace else self.start_page)
        self.actions_.refresh()

    def may_leave(self) -> bool:
        """Whether the project may be closed: it is saved, or was saved now, or may be lost."""
        if not self.session.dirty:
            return True
        answer = self.ask_to_save(self.session.title)
        if answer == "save":
            return self.save()
        if answer != "discard":
            return False
        self._discarded = True
        self.session.forget_autosave()
        if not self.session.busy:
            self.session.discard_files()
        return True

    def ask_to_save(self, name: str) -> str:
        """ "save", "discard" or "cancel"."""
        box = QMessageBox(self)
        box.setWindowTitle("Playground")
        box.setText(f"Save the changes to {name or 'this project'}?")
        box.setInformativeText("Without saving, changes, recordings and an unsaved run are lost.")
        buttons = QMessageBox.StandardButton
        box.setStandardButtons(buttons.Save | buttons.Discard | buttons.Cancel)
        box.setDefaultButton(buttons.Save)
        for button in box.buttons():
            button.setIcon(QIcon())  # the platform's coloured ones are not of our hand
        answers = {buttons.Save: "save", buttons.Discard: "discard"}
        return answers.get(buttons(box.exec()), "cancel")

    def _recover(self, open_it: Callable[[], object]) -> None:
        if self.may_leave():
            open_it()

    def _folder(self) -> str:
        path = self.session.path
        return str(path.parent if path is not None else Path.home())

    # --- events -------------------------------------------------------------------------------

    @Slot()
    def _project_changed(self) -> None:
        fresh = self.workspace is None
        workspace = self._make_workspace()
        self.pages.setCurrentWidget(workspace)
        if fresh:
            workspace.project_changed()
        self._show_title()
        self.actions_.refresh()

    @Slot()
    def _show_title(self) -> None:
        if self.session.is_open:
            self.setWindowTitle(f"{self.session.title}[*] – Playground")
            self.setWindowModified(self.session.dirty)

    @Slot(str)
    def _reveal(self, _what: str) -> None:
        if self.workspace is not None:
            self.pages.setCurrentWidget(self.workspace)

    @Slot(object)
    def _exported(self, exported: Exported) -> None:
        self.session.tell(exported.text or f"Exported to {exported.path}.", "good", key="export")

    @Slot(str)
    def show_failure(self, text: str) -> None:
        """A sentence about an error that nobody caught."""
        self.session.tell(text, "bad", key="failure")

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self._painted:
            self._painted = True
            QTimer.singleShot(0, self, self.painted.emit)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if _dropped_project(event) is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        path = _dropped_project(event)
        if path is not None:
            event.acceptProposedAction()
            QTimer.singleShot(0, self, partial(self.open_path, path))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.WindowStateChange and hasattr(self, "actions_"):
            self.actions_.refresh()

    def closeEvent(self, event: QCloseEvent) -> None:
        if self._closed:
            return
        self._discarded = False
        if not self._at_once and not self.may_leave():
            event.ignore()
            return
        self._closed = True
        settings().setValue("window/geometry", self.saveGeometry())
        if self.workspace is not None:
            self.workspace.remember()
        if not self._at_once:
            self.session.forget_autosave()
        self._packing.close()
        self.session.close()
        if self._discarded:
            self.session.discard_files()
        event.accept()

    def close_at_once(self) -> None:
        """Close without a question. Unsaved changes are kept for the next start."""
        self._at_once = True
        self.session.autosave()
        self.close()

    def _restore_geometry(self) -> None:
        stored = settings().value("window/geometry")
        if stored is None or not self.restoreGeometry(stored):
            room = self.screen().availableGeometry().size()
            self.resize(min(FIRST_SIZE[0], room.width()), min(FIRST_SIZE[1], room.height()))


def file_stem(name: str) -> str:
    """A project's name as the beginning of a file name."""
    kept = "".join(c if c.isalnum() else "-" for c in name.lower())
    return "-".join(part for part in kept.split("-") if part) or "untitled"


def _dropped_project(event: QDropEvent) -> Path | None:
    for url in event.mimeData().urls():
        path = Path(url.toLocalFile())
        if url.isLocalFile() and (path.suffix == SUFFIX or is_packed(path)):
            return path
    return None
