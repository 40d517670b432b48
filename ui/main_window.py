"""The window: bar on top, start page or workspace, status line; and every action of the window."""

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
from ui.actions import Action, Actions
from ui.command_search import CommandSearch
from ui.notices import Notices
from ui.packing import Packing
from ui.rescue import Guard
from ui.session import Session
from ui.settings import forget_project, settings
from ui.shortcuts import ShortcutHelp
from ui.start import StartPage
from ui.theme import theme
from ui.transport import StatusLine, TransportBar, named
from ui.workspace import CANVAS, PAGES, TITLES, Workspace

SUFFIX = ".playground"
FILTER = f"Playground projects (*{SUFFIX})"
OPENED = f"Playground projects (*{SUFFIX} *{PACKED})"
FIRST_SIZE = (1600, 1000)
LEAST_SIZE = (1024, 640)
LOAD_AFTER_MS, LOAD_PAUSE_MS = 300, 20
MENUS, SUBMENUS = ("File", "Help", "Program"), ("Edit", "Run", "Canvas", "Panels", "View", "Export")


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
        self._add_actions()
        self._build()
        self._restore_geometry()
        session.notice.connect(self.notices.show_notice)
        session.file_changed.connect(self._show_title)
        session.project_changed.connect(self._project_changed)
        session.reveal.connect(self._reveal)
        session.bridge.exported.connect(self._exported)
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
            self.workspace = Workspace(self.session, self.open_example)
            self.pages.addWidget(self.workspace)
            canvas = self.workspace.canvas
            self.actions_.add(canvas.actions())
            canvas.choice_changed.connect(self.actions_.refresh)
        return self.workspace

    # --- actions ------------------------------------------------------------------------------

    def _add_actions(self) -> None:
        for actions in (
            self._file_actions(),
            self._export_actions(),
            self._edit_actions(),
            self._run_actions(),
            self._panel_actions(),
            self._view_actions(),
        ):
            self.actions_.add(actions)
        self.actions_.add(
            Action(
                f"example_{e.id}",
                f"Open example: {e.title}",
                partial(self.open_example, e.id),
                icon="network",
                keywords=f"{e.summary} start",
            )
            for e in projects.examples()
        )

    def _file_actions(self) -> list[Action]:
        is_open = self._is_open
        return [
            Action("new", "New network", self.new_project, "Ctrl+N", "file-plus", "File"),
            Action("open", "Open …", self.choose_project, "Ctrl+O", "folder", "File",
                   keywords="project file load"),
            Action("start", "Examples and recent projects", self.show_start, "Ctrl+Shift+N", "grid",
                   "File", keywords="home welcome"),
            Action("save", "Save", self.save, "Ctrl+S", "save", "File", is_open),
            Action("save_as", "Save as …", self.save_as, "Ctrl+Shift+S", "save", "File", is_open),
            Action("pack", "Save a packed copy …", self.save_packed, "", "save", "File", is_open,
                   keywords="zip share send recordings weights"),
            Action("quit", "Quit", self.close, "Ctrl+Q", "exit", "Program", keywords="close exit"),
        ]  # fmt: skip

    def _export_actions(self) -> list[Action]:
        trained = self._has_run
        return [
            Action("export_python", "Export as Python …", partial(self.export, "python", ".py"),
                   "", "code", "Export", trained, keywords="source code torch"),
            Action("export_onnx", "Export as ONNX …", partial(self.export, "onnx", ".onnx"),
                   "", "download", "Export", trained, keywords="model weights"),
        ]  # fmt: skip

    def _edit_actions(self) -> list[Action]:
        undo = self.session.undo
        return [
            Action("undo", "Undo", undo.undo, "Ctrl+Z", "undo", "Edit", undo.canUndo),
            Action("redo", "Redo", undo.redo, "Ctrl+Y; Ctrl+Shift+Z", "redo", "Edit", undo.canRedo),
            Action("search", "Search actions", self._search, "Ctrl+K", "search", "Help"),
        ]

    def _run_actions(self) -> list[Action]:
        session = self.session
        return [
            Action("run", "Run or pause", session.toggle, "F5", "play", "Run", self._can_toggle,
                   keywords="train start resume learn"),
            Action("step", "Train one batch", session.step, "F6", "step", "Run", self._can_step,
                   keywords="single step"),
            Action("stop", "Stop and keep what is learnt", session.stop, "Shift+F5", "stop", "Run",
                   lambda: session.state.busy, keywords="end finish"),
            Action("run_on", "Continue with the edited graph", session.run_on, "Ctrl+F5", "refresh",
                   "Run", self._can_run_on, keywords="train weights keep"),
        ]  # fmt: skip

    def _panel_actions(self) -> list[Action]:
        actions = [
            Action(f"panel_{id}", title, partial(self._in_workspace, "toggle", id),
                   f"Ctrl+{number}", "", "Panels", self._is_open,
                   partial(self._panel_shown, id), keywords="show hide panel")
            for number, (id, title) in enumerate(
                ((id, title) for id, title in TITLES.items() if id != CANVAS), start=1
            )
        ]  # fmt: skip
        actions += [
            Action(f"maximise_{id}", f"Maximise {title}",
                   partial(self._in_workspace, "maximise", id),
                   "F11" if id == CANVAS else "", "maximise", "Panels", self._is_open,
                   keywords="full large restore panel")
            for id, title in TITLES.items()
        ]  # fmt: skip
        actions += [
            Action(f"show_{id}", f"Go to {title}", partial(self.session.reveal.emit, id), "", "",
                   "", self._is_open, keywords="panel tab show")
            for id, title in (
                ("layers", "Layers"), ("examples", "Examples"), ("outline", "Outline"),
                ("data", "Data"), ("inspector", "Inspector"), ("training", "Training"),
                ("samples", "Samples"), ("record", "Record"), ("augment", "Augment"),
                ("checks", "Checks"), ("live", "Live"), ("confusion", "Confusion"),
                ("try", "Try"), ("runs", "Runs"),
            )
        ]  # fmt: skip
        return actions

    def _view_actions(self) -> list[Action]:
        return [
            Action("reset_panels", "All panels as at first", partial(self._in_workspace, "reset"),
                   "", "panel-left", "View", self._is_open, keywords="layout restore default"),
            Action("theme", "Light or dark", theme().toggle, "Ctrl+Shift+L", "sun", "View",
                   keywords="theme colours colors night"),
            Action("mode_network", "Network", partial(self.session.set_mode, "network"), "Alt+1",
                   "", "View", self._is_open, lambda: self.session.mode == "network",
                   keywords="canvas build design layers"),
            Action("mode_data", "Data", partial(self.session.set_mode, "data"), "Alt+2", "", "View",
                   self._is_open, lambda: self.session.mode == "data",
                   keywords="samples record augment checks camera microphone"),
            Action("record_camera", "Record pictures with the camera",
                   partial(self.session.reveal.emit, "record:camera"), "", "camera", "",
                   self._is_open, keywords="webcam samples classes hold teach"),
            Action("record_microphone", "Record sounds with the microphone",
                   partial(self.session.reveal.emit, "record:microphone"), "", "mic", "",
                   self._is_open, keywords="audio speech samples classes hold teach noise"),
            Action("full_screen", "Full screen", self._full_screen, "Shift+F11", "fit", "View",
                   checked=self.isFullScreen),
            Action("next_sample", "Next sample", partial(self._in_workspace, "next_sample"),
                   "Ctrl+.", "chevron-right", "View", self._is_open),
            Action("previous_sample", "Previous sample",
                   partial(self._in_workspace, "previous_sample"), "Ctrl+,", "chevron-left", "View",
                   self._is_open),
            Action("shortcuts", "Keyboard shortcuts", self._show_help, "F1", "keyboard", "Help",
                   keywords="keys help"),
        ]  # fmt: skip

    def _is_open(self) -> bool:
        return self.workspace is not None and self.pages.currentWidget() is self.workspace

    def _has_run(self) -> bool:
        folder = self.session.run_folder
        return self._is_open() and folder is not None and folder.is_dir()

    def _can_toggle(self) -> bool:
        return self.session.is_open and self.session.state not in (State.PREPARING, State.STOPPING)

    def _can_step(self) -> bool:
        return self._can_toggle()

    def _can_run_on(self) -> bool:
        return self._has_run() and self.session.report.ok

    def _panel_shown(self, id: str) -> bool:
        return self.workspace is not None and self.workspace.is_shown(id)

    def _in_workspace(self, method: str, *arguments: object) -> None:
        if self.workspace is not None:
            getattr(self.workspace, method)(*arguments)

    @Slot()
    def _search(self) -> None:
        self.search.open()

    @Slot()
    def _show_help(self) -> None:
        self.help.open()

    @Slot()
    def _full_screen(self) -> None:
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
        start = Path(self._folder()) / f"{file_stem(self.session.project.name)}{SUFFIX}"
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
        start = Path(self._folder()) / f"{file_stem(self.session.project.name)}{PACKED}"
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
        start = Path(self._folder()) / f"{file_stem(self.session.project.name)}{suffix}"
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
        answer = self.ask_to_save(self.session.project.name)
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
            self.setWindowTitle(f"{named(self.session)}[*] – Playground")
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
