"""The canvas without a mouse: walking from node to node, moving, wiring."""

from __future__ import annotations

from PySide6.QtCore import QObject, QPointF, Qt, Slot
from PySide6.QtGui import QAccessible, QAccessibleEvent, QKeyEvent

from models.graph import Edge
from ui.builder import commands
from ui.builder.gestures import related
from ui.builder.level import Level
from ui.builder.search import ChoiceSearch
from ui.builder.view import View

STEP, FINE_STEP = 16.0, 1.0
_Key, _Mod = Qt.Key, Qt.KeyboardModifier
ARROWS = {
    _Key.Key_Left: (-1, 0),
    _Key.Key_Right: (1, 0),
    _Key.Key_Up: (0, -1),
    _Key.Key_Down: (0, 1),
}


class Keyboard(QObject):
    """Keys of the focused canvas that are no shortcuts of actions.

    Arrows move the selected nodes (with Shift by single pixels); with Ctrl they go to the nearest
    node in that direction. Tab and Shift+Tab go through the nodes along the network and leave the
    canvas at its ends. Enter opens a group. Escape cancels a gesture, then the selection, then
    leaves the group that is open, as Backspace does.
    """

    def __init__(self, view: View) -> None:
        super().__init__(view)
        self._view = view
        self._level: Level = view.level

    def press(self, event: QKeyEvent) -> bool:
        """Handle a key; False where it is not the canvas's."""
        key = Qt.Key(event.key())
        modifiers = event.modifiers() & ~_Mod.KeypadModifier
        if key in ARROWS:
            self._arrow(*ARROWS[key], modifiers)
            return True
        if key == _Key.Key_Escape:
            self._escape()
            return True
        if key == _Key.Key_Backspace and self._level.path:
            self._level.back()
            return True
        if key in (_Key.Key_Return, _Key.Key_Enter) and len(self._level.selection) == 1:
            self._view.open_wanted.emit(self._level.selection[0])
            return True
        if key == _Key.Key_Space:
            if not event.isAutoRepeat():
                self._view.set_space(True)
            return True
        return False

    def _escape(self) -> None:
        chosen = bool(self._level.selection) or bool(self._view.board.chosen_edges)
        if self._view.cancel():
            return
        self._level.select(())
        self._view.board.choose_edges(())
        if not chosen:
            self._level.back()

    def _arrow(self, dx: int, dy: int, modifiers: Qt.KeyboardModifier) -> None:
        if not self._level.selection:
            self.walk(1)
        elif modifiers & _Mod.ControlModifier:
            self._go(dx, dy)
        else:
            step = FINE_STEP if modifiers & _Mod.ShiftModifier else STEP
            commands.nudge(self._level, dx * step, dy * step)

    def walk(self, by: int) -> bool:
        """Select the next node along the network; False at its ends."""
        ahead, looped = self._level.graph.order()
        order = [*ahead, *looped]
        if not order:
            return False
        chosen = self._level.selection
        if chosen:
            place = order.index(chosen[-1] if by > 0 else chosen[0]) + by
        else:
            place = 0 if by > 0 else len(order) - 1
        if not 0 <= place < len(order):
            return False
        self._choose(order[place])
        return True

    def _go(self, dx: int, dy: int) -> None:
        """Select the nearest node in a direction; sideways counts double."""
        nodes = self._view.board.nodes
        start = nodes[self._level.selection[-1]].box.center()
        best, found = float("inf"), ""
        for id, item in nodes.items():
            way: QPointF = item.box.center() - start
            ahead = way.x() * dx + way.y() * dy
            aside = abs(way.x() * dy) + abs(way.y() * dx)
            if ahead > 4 and ahead + 2 * aside < best:
                best, found = ahead + 2 * aside, id
        if found:
            self._choose(found)

    def _choose(self, id: str) -> None:
        self._level.select([id])
        self._view.reveal(id)

    # --- wiring -------------------------------------------------------------------------------

    @Slot()
    def connect_selected(self) -> None:
        """Offer every input that an output of the selected node could be wired to."""
        level = self._level
        if len(level.selection) != 1:
            level.tell("Select the one node to connect from first.", key="canvas")
            return
        choices = self._connections(level.selection[0])
        if not choices:
            level.tell("There is nothing that this node could be connected to.", key="canvas")
            return
        search = ChoiceSearch(self._view, "Connect to", choices)
        search.chosen.connect(self._connect)
        item = self._view.board.nodes[level.selection[0]]
        corner = self._view.mapFromScene(item.box.bottomRight())
        search.open(self._view.viewport().mapToGlobal(corner))

    def _connections(self, id: str) -> list[tuple[str, object]]:
        graph, nodes = self._level.graph, self._view.board.nodes
        outputs = nodes[id].outputs
        place = {other: number for number, other in enumerate(graph.order()[0])}
        here = place.get(id, 0)
        near = sorted(place, key=lambda other: (place[other] < here, place[other]))
        before = related(graph.edges, id, forward=False)
        taken = {(edge.target, edge.target_port) for edge in graph.edges}
        choices: list[tuple[bool, str, object]] = []
        for other in near:
            if other in before:
                continue
            for port in nodes[other].inputs:
                for output in outputs:
                    edge = Edge(id, output.name, other, port.name)
                    if edge in graph.edges:
                        continue
                    title = nodes[other].node.name
                    if len(nodes[other].inputs) > 1:
                        title += f" · {port.name}"
                    if len(outputs) > 1:
                        title = f"{output.name} → {title}"
                    full = (other, port.name) in taken and not port.variadic
                    choices.append((full, f"{title} (instead)" if full else title, edge))
        choices.sort(key=lambda choice: choice[0])
        return [(title, edge) for _, title, edge in choices]

    @Slot(object)
    def _connect(self, edge: Edge) -> None:
        commands.connect(self._level, edge)
        self._view.setFocus(Qt.FocusReason.OtherFocusReason)

    # --- for screen readers -------------------------------------------------------------------

    def announce(self) -> None:
        """Say what is selected."""
        chosen = self._level.selection
        nodes = self._view.board.nodes
        if len(chosen) == 1 and chosen[0] in nodes:
            text = nodes[chosen[0]].described()
        else:
            text = f"{len(chosen)} nodes selected" if chosen else f"{len(nodes)} nodes"
        if text != self._view.accessibleDescription():
            self._view.setAccessibleDescription(text)
            event = QAccessibleEvent(self._view, QAccessible.Event.DescriptionChanged)
            QAccessible.updateAccessibility(event)
