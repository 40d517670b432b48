"""What is open: the project, its graph and report, the undo history, the file."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QUndoCommand, QUndoStack

from models.edits import Edit
from models.graph import Graph
from models.shapes import Report, ShapeInference
from playground import project as projects
from playground.data.source import Place
from playground.files import bring
from playground.project import Project, ProjectError
from ui.settings import remember_project

UNDO_STEP = 1
UNTITLED = "untitled"
UNNAMED = "Untitled"  # as a new project is called
RECORDED = "recorded"
RECORDINGS = ("pictures", "sounds")
_UNTITLED_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Notice:
    """A sentence for the person, with a way out: ``action`` is a button's text and what it does.

    Notices with the same ``key`` replace each other; an empty ``text`` takes the notice away.
    """

    text: str
    level: str = "info"
    action: tuple[str, Callable[[], object]] | None = None
    key: str = ""


@dataclass(frozen=True)
class Along:
    """What else changes with an edit of the graph: when it is done, also again, and undone."""

    done: Callable[[], None]
    undone: Callable[[], None]


class _Step(QUndoCommand):
    """One edit of the graph on Qt's undo stack, with what goes along with it."""

    def __init__(self, document: Document, edit: Edit, along: Along | None) -> None:
        super().__init__(edit.label)
        self._document, self.edit, self.along = document, edit, along

    def redo(self) -> None:
        self._document._take(self.edit.after, self.edit.path)
        if self.along is not None:
            self.along.done()

    def undo(self) -> None:
        self._document._take(self.edit.before, self.edit.path)
        if self.along is not None:
            self.along.undone()

    def id(self) -> int:
        return UNDO_STEP if self.edit.merge is not None else -1

    def mergeWith(self, other: QUndoCommand) -> bool:
        if not isinstance(other, _Step) or other.edit.merge != self.edit.merge:
            return False
        self.edit = replace(self.edit, after=other.edit.after)
        if self.along is not None and other.along is not None:
            self.along = replace(self.along, done=other.along.done)
        self.setObsolete(self.edit.before == self.edit.after)
        return True


class Document(QObject):
    """A project in a window. Every change goes through a method here and is announced by the signal
    named after it; ``project_changed`` comes first when another project is opened."""

    project_changed = Signal()
    edited_inside = Signal(object)
    """The path of the group that an edit, an undo or a redo changed; then comes graph_changed."""
    graph_changed = Signal()
    selection_changed = Signal()
    settings_changed = Signal()
    file_changed = Signal()
    saving = Signal()
    notice = Signal(object)
    reveal = Signal(str)
    project_wanted = Signal(object)
    """A project that a panel wants opened in the place of this one (``ui.opening.Wanted``)."""
    asked = Signal(str)
    """The id of an action of the window that a panel wants done."""
    _autosave_failed = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.undo = QUndoStack(self)
        self.graph = Graph()
        self._inference = ShapeInference()
        self.report: Report = self._inference.infer(self.graph)
        self.selection: tuple[str, ...] = ()
        self.path: Path | None = None
        self._project: Project | None = None
        self._settings_dirty = False
        self._earlier_place: Path | None = None
        self._saver = ThreadPoolExecutor(1, "autosave")
        self._autosaved: Project | None = None
        self.undo.cleanChanged.connect(self._clean_changed)
        self._autosave_failed.connect(self._tell_autosave_failed)

    def tell(
        self,
        text: str,
        level: str = "info",
        action: tuple[str, Callable[[], object]] | None = None,
        key: str = "",
    ) -> None:
        """Show a sentence in the window. ``level`` is info, good, warn or bad."""
        self.notice.emit(Notice(text, level, action, key))

    @property
    def project(self) -> Project:
        """The project as it is now; raises ``RuntimeError`` where none is open."""
        if self._project is None:
            raise RuntimeError("no project is open")
        return self._project

    @property
    def is_open(self) -> bool:
        return self._project is not None

    @property
    def dirty(self) -> bool:
        """Whether something would be lost on closing without saving."""
        return self.is_open and (self._settings_dirty or not self.undo.isClean())

    @property
    def busy(self) -> bool:
        """Whether a run is writing to the project's folder."""
        return False

    @property
    def files(self) -> Path:
        """The folder of the runs and recordings: beside the file, or the program's own."""
        return projects.files_folder(self._place)

    @property
    def file(self) -> Path:
        """The project's file; where it has none, the one that its files would lie beside."""
        return self._place

    @property
    def place(self) -> Place:
        """Where the paths of the data begin."""
        return projects.place(self._place)

    @property
    def run_folder(self) -> Path | None:
        """The folder of the last run, if there is one."""
        if self._project is None:
            return None
        for place in (self._place, self._earlier_place):
            try:
                found = place and projects.run_folder(self._project, place)
            except ProjectError as error:
                self.tell(str(error), "warn", key="run")
                return None
            if found:
                return found
        return None

    @property
    def title(self) -> str:
        """The open project's name; without one of its own, its file's."""
        name = self.project.name or UNNAMED
        return self.path.stem if self.path is not None and name == UNNAMED else name

    @property
    def _place(self) -> Path:
        """The project's file; where it has none, one that only gives its folder a name."""
        return self.path or untitled_folder() / f"{self.project.extra[UNTITLED]}.playground"

    # --- files --------------------------------------------------------------------------------

    def new(self, project: Project, path: Path | None = None, *, dirty: bool = False) -> None:
        """Show ``project``; without a ``path`` it is untitled."""
        self.path = path.resolve() if path is not None else None
        if self.path is None and not _UNTITLED_ID.fullmatch(str(project.extra.get(UNTITLED))):
            project = replace(project, extra={**project.extra, UNTITLED: uuid4().hex})
        self._project = self._autosaved = project
        self._earlier_place = None
        self._settings_dirty = dirty
        self.selection = ()
        self.graph = project.graph
        self.undo.clear()
        self.report = self._inference.infer(self.graph)
        for signal in (
            self.project_changed,
            self.graph_changed,
            self.selection_changed,
            self.settings_changed,
            self.file_changed,
        ):
            signal.emit()

    def open(self, path: Path) -> bool:
        """Open a project file; tells why where it cannot be."""
        try:
            project = projects.load(path)
        except ProjectError as error:
            self.tell(str(error), "bad", key="open")
            return False
        self.new(project, path)
        remember_project(path)
        return True

    def open_example(self, id: str) -> bool:
        """Open a bundled example as an untitled project."""
        try:
            project = projects.open_example(id)
        except ProjectError as error:
            self.tell(str(error), "bad", key="open")
            return False
        self.new(project)
        return True

    def save(self, path: Path | None = None) -> bool:
        """Save to ``path`` or to the file at hand; tells why where it cannot be."""
        target = path or self.path
        if target is None:
            return False
        self.saving.emit()
        place, before = self._place, (self.path, self._project)
        self.path = target.resolve()
        extra = {key: value for key, value in self.project.extra.items() if key != UNTITLED}
        self._project = replace(self.project, extra=extra)
        try:
            if place != self._place:
                self._earlier_place = place
                self._bring_recordings(place)
                if not self.busy:
                    self._bring_run()
            projects.save(self.project, self.path)
        except (ProjectError, OSError) as error:
            self.path, self._project = before
            self.tell(f"The project was not saved: {error}", "bad", key="save")
            return False
        self._settings_dirty = False
        self.undo.setClean()
        self.forget_autosave()
        remember_project(self.path)
        self.file_changed.emit()
        return True

    @Slot()
    def autosave(self) -> None:
        """Keep a copy for recovery, in the background, where something changed since the last."""
        project = self._project
        if project is None or not self.dirty or project is self._autosaved:
            return
        self._autosaved = project
        writing = self._saver.submit(projects.autosave, project, self.path)
        writing.add_done_callback(self._autosave_done)

    def forget_autosave(self) -> None:
        """Delete the copy for recovery: the work was saved, or is not wanted."""
        self._autosaved = self._project
        self._saver.submit(projects.discard_autosave)

    def close(self) -> None:
        """Finish what is being written."""
        self._saver.shutdown(wait=True)

    def discard_files(self) -> None:
        """Delete the runs of a project that was never saved. None may be under way."""
        if self.path is None and self.is_open:
            shutil.rmtree(self.files, ignore_errors=True)

    def keep(self, key: str, value: Any) -> None:
        """Note a piece of the window's state (a sample, a tab) to be saved with the project."""
        self._project = replace(self.project, view={**self.project.view, key: value})

    def note_recordings(self) -> None:
        """Samples are being recorded: a project without a file is not to be left without a
        question, and is kept for recovery with where they are."""
        if self.path is None and not self.project.view.get(RECORDED):
            self._change(view={**self.project.view, RECORDED: True})
            self.autosave()

    def _bring_recordings(self, place: Path) -> None:
        """Let the samples that were recorded while the project was at ``place`` be here too."""
        before = projects.files_folder(place)
        for name in RECORDINGS:
            if (before / name).is_dir():
                bring(before / name, self.files / name)

    def _bring_run(self) -> None:
        """Copy the last run from where the project was, so that its weights stay with it."""
        run, before = self.project.run, self._earlier_place
        if run is None or before is None:
            return
        found = projects.run_folder(self.project, before)
        if found is not None and not (self.files / run).exists():
            shutil.copytree(found, self.files / run)
        self._earlier_place = None

    def note_run(self, run: Path | None) -> None:
        """Remember the last run by its place in the project's folder, at once and for good; None:
        there is none any more."""
        if run is None:
            self._change(run=None)
            return
        for place in (self._place, self._earlier_place):
            folder = projects.files_folder(place).resolve() if place else None
            if folder is not None and run.resolve().is_relative_to(folder):
                name = run.resolve().relative_to(folder).as_posix()
                if name != self.project.run:
                    self._change(run=name)
                    self.autosave()

    # --- edits --------------------------------------------------------------------------------

    def edit(
        self,
        label: str,
        graph: Graph,
        merge: str | None = None,
        path: tuple[str, ...] = (),
        along: Along | None = None,
    ) -> None:
        """Take an edited graph as one undoable step; equal ``merge`` keys make one step. ``path``
        leads to the group inside which the edit was made. An equal graph is a step only where
        something else changes ``along``."""
        if along is not None or (graph is not self.graph and graph != self.graph):
            self.undo.push(_Step(self, Edit(label, self.graph, graph, merge, path), along))

    def select(self, ids: Iterable[str]) -> None:
        chosen = tuple(id for id in ids if id in self.graph.nodes)
        if chosen != self.selection:
            self.selection = chosen
            self.selection_changed.emit()

    def show(self, id: str) -> None:
        """Select a node and bring it into view."""
        self.select([id])
        self.reveal.emit(f"node:{id}")

    def set_name(self, name: str) -> None:
        self._change(name=name)
        self.file_changed.emit()

    def set_task(self, **changes: Any) -> None:
        """Change the task's ``id`` or ``options``."""
        self._change(task=replace(self.project.task, **changes))

    def _take(self, graph: Graph, path: tuple[str, ...]) -> None:
        self.graph = graph
        self._project = replace(self.project, graph=graph)
        self.report = self._inference.infer(graph)
        self.edited_inside.emit(path)
        self.graph_changed.emit()
        self.select(self.selection)

    def _change(self, **changes: Any) -> None:
        project = replace(self.project, **changes)
        if project == self.project:
            return
        was_dirty, self._project, self._settings_dirty = self.dirty, project, True
        self.settings_changed.emit()
        if not was_dirty:
            self.file_changed.emit()

    def _autosave_done(self, writing: Future[None]) -> None:
        error = writing.exception()
        if error is not None:
            self._autosave_failed.emit(str(error))

    @Slot(str)
    def _tell_autosave_failed(self, text: str) -> None:
        self.tell(
            f"Unsaved work is not protected: {text}. Save the project.", "warn", key="autosave"
        )

    @Slot(bool)
    def _clean_changed(self, _clean: bool) -> None:
        self.file_changed.emit()


def untitled_folder() -> Path:
    """Where the runs of projects without a file are kept."""
    return projects.state_folder() / UNTITLED


def same_network(first: Graph, second: Graph) -> bool:
    """Whether two documents are the same network: everything but the places on the canvas."""
    if first.edges != second.edges or first.definitions != second.definitions:
        return False
    return _placeless(first) == _placeless(second)


def _placeless(graph: Graph) -> Mapping[str, Any]:
    return {id: replace(node, position=(0.0, 0.0)) for id, node in graph.nodes.items()}
