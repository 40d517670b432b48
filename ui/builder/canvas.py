"""The canvas: the view with what floats over it, and the network behind it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QMenu, QWidget

from models.graph import GROUP, Edge
from models.layers.declaration import Layer
from playground.messages import Snapshot
from ui.actions import Action
from ui.builder import commands
from ui.builder.breadcrumb import Breadcrumb
from ui.builder.faces import TEXT_LEFT
from ui.builder.fits import takes
from ui.builder.group_actions import group_actions
from ui.builder.keyboard import Keyboard
from ui.builder.level import SEPARATOR, Path, level_of
from ui.builder.minimap import Minimap
from ui.builder.overlays import Corner, Summary
from ui.builder.project_groups import group_layers
from ui.builder.scene import Hit
from ui.builder.search import LayerSearch
from ui.builder.view import View
from ui.session import Session
from ui.widgets import EmptyState, IconButton

INSET = 16


class Canvas(QWidget):
    """Edits the network of the level that is open. ``sync`` shows its present state and returns
    when it is shown."""

    choice_changed = Signal()
    """Other nodes or edges are selected: what can be done is another."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.level = level_of(session)
        self.setAccessibleName("Canvas")
        self.view = View(self.level, self)
        self.scene = self.view.board
        self.keyboard = Keyboard(self.view)
        self.view.keys = self.keyboard
        self.setFocusProxy(self.view)
        self._fit_next = True
        self._search_at = QPointF()
        self._search_edge: Edge | None = None
        self._search_wire: tuple[str, str, bool] | None = None
        self._renamed = ""
        self._signed: set[str] = set()
        self._places: dict[Path, tuple[float, QPointF]] = {}
        self._path: Path = ()
        self._return: tuple[float, QPointF] | None = None
        self._make_overlays()
        self._connect()
        self.sync()

    # --- parts --------------------------------------------------------------------------------

    def _make_overlays(self) -> None:
        self.summary = Summary(self)
        self.breadcrumb = Breadcrumb(self.level, self)
        self.zoom_bar = self._make_zoom_bar()
        self.minimap = Minimap(self.view, self)
        self.empty = EmptyState(
            "network",
            "Drag a layer here, double click to search one, or let a starter network be built "
            "for your data.",
            "Build a starter network",
            self.build_starter,
        )
        self.empty.setParent(self)
        self.empty.setMaximumWidth(360)
        self.editor = QLineEdit(self.view)
        self.editor.setAccessibleName("Name of the node")
        self.editor.hide()
        self._corners = [Corner(self, index) for index in range(4)]

    def _make_zoom_bar(self) -> QFrame:
        bar = QFrame(self)
        bar.setProperty("kind", "float")
        bar.setAccessibleName("Zoom and arrange")
        row = QHBoxLayout(bar)
        row.setContentsMargins(3, 2, 3, 2)
        row.setSpacing(4)
        for icon, text, slot in (
            ("minus", "Zoom out", self.view.zoom_out),
            ("plus", "Zoom in", self.view.zoom_in),
            ("fit", "Zoom to fit", self.fit),
            ("grid", "Arrange the nodes", self.arrange),
            ("wand", "Build a starter network for the data", self.build_starter),
        ):
            button = IconButton(icon, text, bar)
            button.clicked.connect(slot)
            row.addWidget(button)
        return bar

    def _connect(self) -> None:
        session, level, view = self.session, self.level, self.view
        level.opened.connect(self._opened)
        session.project_changed.connect(self._forget_places)
        self.breadcrumb.resized.connect(self._place_overlays)
        level.graph_changed.connect(self.sync)
        level.rearranged.connect(self.fit)
        level.selection_changed.connect(self._select)
        session.settings_changed.connect(self._summarise)
        session.bridge.snapshot.connect(self._show_snapshot)
        view.searched.connect(self.search)
        view.wire_searched.connect(self._search_for_wire)
        view.menu_wanted.connect(self._menu)
        view.open_wanted.connect(self._open_node)
        self.editor.editingFinished.connect(self._renaming_done)
        level.selection_changed.connect(self.choice_changed)
        self.scene.edges_chosen.connect(self.choice_changed)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self.view.setGeometry(self.rect())
        self._place_overlays()
        if self.scene.nodes and (self._fit_next or self.view.fitted):
            self.fit()
            self._fit_next = not self.isVisible()

    def sizeHint(self) -> QSize:
        return QSize(760, 480)

    def _place_overlays(self) -> None:
        area = self.rect()
        self.breadcrumb.move(INSET, INSET)
        inside = self.breadcrumb.isVisibleTo(self)
        self.summary.move(INSET, INSET + (self.breadcrumb.height() + 8 if inside else 0))
        self.zoom_bar.adjustSize()
        bottom = area.height() - INSET
        self.zoom_bar.move(INSET, bottom - self.zoom_bar.height())
        map_ = self.minimap
        map_.move(area.width() - INSET - map_.width(), bottom - map_.height())
        roomy = area.width() > 480 and area.height() > 260
        map_.setVisible(roomy and bool(self.level.graph.nodes))
        self.empty.adjustSize()
        size = self.empty.sizeHint()
        self.empty.setGeometry(
            (area.width() - 360) // 2, (area.height() - size.height()) // 2, 360, size.height()
        )
        for corner in self._corners:
            corner.place()

    # --- the session --------------------------------------------------------------------------

    @Slot()
    def sync(self) -> None:
        """Show the network of the level and its report, now."""
        level = self.level
        if self.view.gesture is not None and level.graph is not self.scene.graph:
            self.view.cancel()
        self.scene.sync(level.graph, level.report, level.selection)
        if self._return is not None:
            self.view.set_zoom(self._return[0])
            self.view.centre_on(self._return[1])
            self._return = None
        if self._fit_next and self.isVisible() and self.scene.nodes:
            self._fit_next = False
            self.fit()
        self._show_new_signs()
        self.view.freshen()
        self._summarise()
        self.minimap.changed()
        empty = not self.scene.nodes
        if self.empty.isVisibleTo(self) != empty:
            self.empty.setVisible(empty)
            self.summary.setVisible(not empty)
            self._place_overlays()

    def _show_new_signs(self) -> None:
        """Scroll just as far as the button of an error needs that an edit brought about."""
        known, self._signed = self._signed, {id for id, _ in self.level.report.problems()}
        seen = self.view.visible_area()
        for id in self._signed - known:
            item = self.scene.nodes[id]
            sign = item.sign_box()
            if sign is not None and item.fix_box() is not None and seen.contains(item.box):
                self.view.pan(_outside(self.view.mapFromScene(sign).boundingRect(), self.rect()))

    @Slot()
    def _opened(self) -> None:
        """Another level: begin with all of it in view, or as it was left."""
        view, path = self.view, self.level.path
        view.cancel()
        self._places[self._path], self._path = (view.zoom, view.visible_area().center()), path
        self._return = self._places.get(path)
        self._fit_next = self._return is None
        self._signed = set()
        self.scene.empty()
        self.scene.show_values(self.level.values(self.session.snapshot))

    @Slot()
    def _forget_places(self) -> None:
        self._places, self._return, self._fit_next = {}, None, True

    @Slot()
    def _select(self) -> None:
        self.scene.select(frozenset(self.level.selection))
        if self.level.selection:
            self.scene.choose_edges(())
        self.view.freshen()
        self.keyboard.announce()

    @Slot(object)
    def _show_snapshot(self, snapshot: Snapshot) -> None:
        self.scene.show_values(self.level.values(snapshot))
        self.view.freshen()

    @Slot()
    def _summarise(self) -> None:
        session = self.session
        batch = session.project.training.batch_size if session.is_open else 1
        self.summary.show_report(self.level.report, batch)

    def show_node(self, place: str) -> None:
        """Scroll a node into view; ``place`` begins with the ids of the groups that it is in."""
        *path, id = place.split(SEPARATOR)
        if self.level.go(tuple(path)):
            self.level.select([id])
            self.view.reveal(id)

    # --- what can be done ---------------------------------------------------------------------

    def place(self, layer: str, at: QPointF) -> str | None:
        """Drop a layer at a scene position: into the edge there, or free; returns the node's id."""
        return self.view.place(layer, at)

    @Slot()
    def fit(self) -> None:
        parts = (self.breadcrumb, self.summary, self.zoom_bar, self.minimap)
        self.view.fit([QRectF(part.geometry()) for part in parts if part.isVisibleTo(self)])

    @Slot()
    def arrange(self) -> None:
        if commands.tidy(self.level) and len(self.level.selection) < 2:
            self.fit()

    @Slot()
    def build_starter(self) -> None:
        if self.session.is_open and commands.build_starter(self.session):
            self.fit()

    @Slot()
    def delete(self) -> None:
        commands.delete(self.level, self.level.selection, self.scene.chosen_edges)

    @Slot()
    def _disconnect(self) -> None:
        commands.delete(self.level, (), self.scene.chosen_edges)

    @Slot()
    def select_all(self) -> None:
        self.level.select(self.level.graph.nodes)

    @Slot()
    def paste(self) -> None:
        pointer = self.view.viewport().mapFromGlobal(self.cursor().pos())
        inside = self.view.viewport().rect().contains(pointer)
        commands.paste(self.level, self.view.mapToScene(pointer) if inside else None)

    @Slot()
    def rename(self) -> None:
        """Edit the name of the selected node in its place."""
        if len(self.level.selection) != 1:
            return
        self._renamed = self.level.selection[0]
        self.view.reveal(self._renamed)
        item = self.scene.nodes[self._renamed]
        corner = self.view.mapFromScene(item.box.topLeft())
        zoom = max(1.0, self.view.zoom)
        self.editor.setText(item.node.name)
        self.editor.setGeometry(
            corner.x() + round((TEXT_LEFT - 8) * self.view.zoom),
            corner.y() + 2,
            round(max(item.frame.width - 12, 120) * zoom),
            28,
        )
        self.editor.show()
        self.editor.selectAll()
        self.editor.setFocus(Qt.FocusReason.OtherFocusReason)

    @Slot()
    def _renaming_done(self) -> None:
        id, self._renamed = self._renamed, ""
        if not self.editor.isVisible():
            return
        name = self.editor.text().strip()
        self.editor.hide()
        self.view.setFocus(Qt.FocusReason.OtherFocusReason)
        if id in self.level.graph.nodes and name:
            commands.rename(self.level, id, name)

    # --- searching layers ---------------------------------------------------------------------

    @Slot(QPointF)
    def search(self, at: QPointF) -> LayerSearch:
        """Choose a layer in a popup and place it at a scene position."""
        self._search_wire = None
        self._search_edge = self.scene.edge_at(at, 9 / self.view.zoom)
        return self._open_search(at, None)

    @Slot()
    def search_here(self) -> None:
        """Choose a layer with the keyboard: added behind the selected node, else in the middle."""
        if len(self.level.selection) == 1:
            self._search_wire = ("", "", True)
            item = self.scene.nodes[self.level.selection[0]]
            self._open_search(item.box.bottomRight(), None)
        else:
            self.search(self.view.visible_area().center())

    @Slot(QPointF, str, str, bool)
    def _search_for_wire(self, at: QPointF, node: str, port: str, out: bool) -> None:
        self._search_wire = (node, port, out)
        shape = self.scene.nodes[node].entry.outputs.get(port) if out else None

        def fits(layer: Layer) -> bool:
            if not out:
                return bool(layer.outputs)
            if not layer.inputs:
                return False
            return shape is None or takes(layer.id, {}, layer.inputs[0].name, shape)

        self._open_search(at, fits)

    def _open_search(self, at: QPointF, accept: Callable[[Layer], bool] | None) -> LayerSearch:
        self._search_at = at
        search = LayerSearch(self.view, accept, group_layers(self.level.graph))
        search.chosen.connect(self._found)
        search.open(self.view.viewport().mapToGlobal(self.view.mapFromScene(at)))
        return search

    @Slot(str)
    def _found(self, layer: str) -> None:
        level, at = self.level, self._search_at
        if self._search_wire is None:
            commands.place(level, layer, at, self._search_edge)
        elif self._search_wire[0]:
            commands.place_wired(level, layer, at, *self._search_wire)
        else:
            commands.add(level, layer)
        self.view.setFocus(Qt.FocusReason.OtherFocusReason)

    @Slot(str)
    def _open_node(self, id: str) -> None:
        if self.level.graph.nodes[id].layer == GROUP:
            self.level.open(id)
        else:
            self.session.reveal.emit("inspector")

    # --- menus and actions --------------------------------------------------------------------

    @Slot(object, QPoint, QPointF)
    def _menu(self, hit: Hit, place: QPoint, at: QPointF) -> None:
        self._search_at = at
        menu = QMenu(self.view)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        if hit.kind == "edge":
            menu.addAction("Insert a layer …", self._search_again)
            menu.addAction("Disconnect\tDel", self._disconnect)
        else:
            wanted: Sequence[str] = _NODE_MENU if hit.node else _EMPTY_MENU
            if hit.node and self.level.graph.nodes[hit.node].layer == GROUP:
                wanted = _GROUP_MENU
            actions = {action.id: action for action in self.actions()}
            problem = self.scene.nodes[hit.node].entry.problem if hit.node else None
            if problem is not None and problem.fix is not None:
                menu.addAction(problem.fix.label, self._fix_selected)
                menu.addSeparator()
            if not hit.node:
                menu.addAction("Add a layer …", self._search_again)
            for id in wanted:
                if not id:
                    menu.addSeparator()
                    continue
                action = actions[id]
                entry = menu.addAction(f"{action.text}\t{action.keys}", action.callback)
                entry.setEnabled(action.is_enabled)
        menu.popup(place)

    @Slot()
    def _search_again(self) -> None:
        self.search(self._search_at)

    @Slot()
    def _fix_selected(self) -> None:
        for id in self.level.selection[:1]:
            commands.fix(self.level, id, self.scene.nodes[id].entry.problem)

    def actions(self) -> list[Action]:  # type: ignore[override]
        """What the canvas can do, for menus, shortcuts and the command search."""
        focused = [replace(action, scope=self.view) for action in self._edit_actions()]
        grouped = [replace(action, scope=self.view) for action in group_actions(self.level)]
        return focused + grouped + self._canvas_actions()

    def _edit_actions(self) -> list[Action]:
        """What needs the canvas's focus for its shortcut: elsewhere the keys mean other things."""
        level, edit = self.level, "Edit"
        chosen, one, some, opened = self._chosen, self._one, self._some, self._is_open
        cut, copy = partial(commands.cut, level), partial(commands.copy, level)
        duplicate = partial(commands.duplicate, level)
        connect = self.keyboard.connect_selected
        return [
            Action("cut", "Cut", cut, "Ctrl+X", "cut", edit, chosen),
            Action("copy", "Copy", copy, "Ctrl+C", "copy", edit, chosen),
            Action("paste", "Paste", self.paste, "Ctrl+V", "paste", edit, opened),
            Action("duplicate", "Duplicate", duplicate, "Ctrl+D", "copy", edit, chosen),
            Action("delete", "Delete", self.delete, "Del; Backspace", "trash", edit,
                   self._deletable, keywords="remove disconnect"),
            Action("select_all", "Select all", self.select_all, "Ctrl+A", "", edit, some),
            Action("rename", "Rename", self.rename, "F2", "pencil", edit, one),
            Action("connect", "Connect to …", connect, "C", "", edit, one, keywords="wire edge"),
            Action("add_layer", "Add a layer …", self.search_here, "A; Ins", "plus", edit, opened,
                   keywords="insert node search"),
            Action("fit", "Zoom to fit", self.fit, "F; Home", "fit", "Canvas", some),
        ]  # fmt: skip

    def _canvas_actions(self) -> list[Action]:
        view, menu, some = self.view, "Canvas", self._some
        return [
            Action("zoom_in", "Zoom in", view.zoom_in, "Ctrl++; Ctrl+=", "plus", menu),
            Action("zoom_out", "Zoom out", view.zoom_out, "Ctrl+-", "minus", menu),
            Action("full_size", "Actual size", partial(view.set_zoom, 1.0), "Ctrl+0", "", menu,
                   keywords="zoom 100 %"),
            Action("arrange", "Arrange", self.arrange, "Ctrl+L", "grid", menu, some,
                   keywords="layout tidy"),
            Action("starter", "Build a starter network for the data", self.build_starter, "",
                   "wand", menu, self._is_open, keywords="wizard propose"),
        ]  # fmt: skip

    def _chosen(self) -> bool:
        return bool(self.level.selection)

    def _one(self) -> bool:
        return len(self.level.selection) == 1

    def _some(self) -> bool:
        return bool(self.level.graph.nodes)

    def _deletable(self) -> bool:
        return self._chosen() or bool(self.scene.chosen_edges)

    def _is_open(self) -> bool:
        return self.session.is_open


_NODE_MENU = ("connect", "add_layer", "rename", "", "cut", "copy", "duplicate", "", "group",
              "arrange", "delete")  # fmt: skip
_GROUP_MENU = ("open_group", "ungroup", "independent", "", *_NODE_MENU)
_EMPTY_MENU = ("paste", "select_all", "", "arrange", "fit", "starter")


def _outside(area: QRect, room: QRect) -> QPoint:
    """How far to scroll for ``area`` to be in ``room`` with a small margin."""
    room = room.adjusted(8, 8, -8, -8)
    dx = max(0, area.right() - room.right()) or min(0, area.left() - room.left())
    dy = max(0, area.bottom() - room.bottom()) or min(0, area.top() - room.top())
    return QPoint(dx, dy)
