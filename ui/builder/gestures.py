"""One object a gesture: what a press began, until the release or Escape ends it.

Gestures see scene positions alone. They change the document once, at their end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QKeyEvent

from models import edits
from models.edits import EditError
from models.graph import Edge
from models.shapes import ShapeInference
from ui.builder import commands
from ui.builder.fits import takes
from ui.builder.nodes import NodeItem
from ui.builder.scene import Hit

if TYPE_CHECKING:
    from ui.builder.view import View

THRESHOLD = 4.0
"""View pixels that a pointer moves before a press becomes a drag."""
SNAP = 26.0
SPLICE_REACH = 24.0
Modifiers = Qt.KeyboardModifier


class Gesture(Protocol):
    """``move`` may come any number of times; then ``finish`` or ``cancel`` comes once."""

    def move(self, at: QPointF, modifiers: Modifiers) -> None: ...

    def finish(self, at: QPointF, modifiers: Modifiers) -> None: ...

    def cancel(self) -> None: ...


class Keys(Protocol):
    """What the view hands its keys to."""

    def press(self, event: QKeyEvent) -> bool: ...

    def walk(self, by: int) -> bool: ...


class MoveNodes:
    """Drag the selected nodes. Alt leaves copies; a lone unconnected node goes into an edge."""

    def __init__(self, view: View, node: str, start: QPointF, additive: bool) -> None:
        self._view, self._node, self._start = view, node, start
        self._additive = additive
        self._moving = False
        self._ids: tuple[str, ...] = ()
        self._offset = QPointF()
        self._edge: Edge | None = None
        self._was_selected = node in view.level.selection
        if not self._was_selected:
            chosen = view.level.selection if additive else ()
            view.level.select((*chosen, node))

    def move(self, at: QPointF, modifiers: Modifiers) -> None:
        scene, level = self._view.board, self._view.level
        delta = at - self._start
        if not self._moving:
            if delta.manhattanLength() * self._view.zoom < THRESHOLD:
                return
            self._moving = True
            self._ids = level.selection
            scene.lift(self._ids)
        x, y = level.graph.nodes[self._node].position
        snapped = commands.snapped(x + delta.x(), y + delta.y())
        self._offset = QPointF(snapped[0] - x, snapped[1] - y)
        scene.carry(self._offset)
        self._edge = self._edge_below()
        self._view.marks.light(self._edge)

    def _edge_below(self) -> Edge | None:
        if len(self._ids) != 1:
            return None
        item = self._view.board.nodes[self._node]
        graph = self._view.level.graph
        if graph.into(self._node) or graph.out_of(self._node):
            return None
        if not item.inputs or not item.outputs:
            return None
        return self._view.board.edge_at(item.box.center(), SPLICE_REACH, (self._node,))

    def finish(self, at: QPointF, modifiers: Modifiers) -> None:
        level = self._view.level
        if not self._moving:
            self._click()
            return
        self._end()
        shift = (self._offset.x(), self._offset.y())
        if not any(shift):
            return
        if modifiers & Modifiers.AltModifier:
            commands.duplicate(level, shift)
            return
        positions = {}
        for id in self._ids:
            x, y = level.graph.nodes[id].position
            positions[id] = (x + shift[0], y + shift[1])
        commands.move(level, positions, self._edge)

    def _click(self) -> None:
        """A press and release without a move: select one, or take one out."""
        level = self._view.level
        if self._additive and self._was_selected:
            level.select(id for id in level.selection if id != self._node)
        elif not self._additive:
            level.select([self._node])

    def cancel(self) -> None:
        if self._moving:
            self._end()

    def _end(self) -> None:
        self._view.marks.clear()
        self._view.board.put_down()


class RubberBand:
    """Select what a rectangle touches."""

    def __init__(self, view: View, start: QPointF, additive: bool) -> None:
        self._view, self._start = view, start
        self._base = view.level.selection if additive else ()
        self._before = frozenset(view.level.selection)
        self._moving = False

    def move(self, at: QPointF, modifiers: Modifiers) -> None:
        if (at - self._start).manhattanLength() * self._view.zoom < THRESHOLD and not self._moving:
            return
        self._moving = True
        area = QRectF(self._start, at).normalized()
        self._view.marks.band(area)
        self._view.board.select(frozenset((*self._base, *self._view.board.within(area))))
        self._view.freshen_soon()

    def finish(self, at: QPointF, modifiers: Modifiers) -> None:
        self._view.marks.clear()
        found = self._view.board.within(QRectF(self._start, at).normalized())
        chosen = dict.fromkeys((*self._base, *(found if self._moving else ())))
        self._view.level.select(chosen)
        self._view.board.select(frozenset(self._view.level.selection))
        self._view.freshen_soon()

    def cancel(self) -> None:
        self._view.marks.clear()
        self._view.board.select(self._before)
        self._view.freshen_soon()


class Pan:
    """Drag the paper itself. Counts in view pixels, as the scene moves under the pointer."""

    def __init__(self, view: View, start: QPoint) -> None:
        self._view, self._last = view, start

    def move_view(self, at: QPoint) -> None:
        self._view.pan(self._last - at)
        self._last = at

    def move(self, at: QPointF, modifiers: Modifiers) -> None:
        pass

    def finish(self, at: QPointF, modifiers: Modifiers) -> None:
        pass

    def cancel(self) -> None:
        pass


class PressFix:
    """The button of an error: it acts where the release is still on it."""

    def __init__(self, view: View, node: str) -> None:
        self._view, self._node = view, node

    def move(self, at: QPointF, modifiers: Modifiers) -> None:
        pass

    def finish(self, at: QPointF, modifiers: Modifiers) -> None:
        item = self._view.board.nodes.get(self._node)
        box = item.fix_box() if item is not None else None
        if item is not None and box is not None and box.contains(at):
            commands.fix(self._view.level, self._node, item.entry.problem)

    def cancel(self) -> None:
        pass


class Fate(NamedTuple):
    """What would come of a connection: the new shape or the error, in words."""

    text: str = ""
    error: bool = False


class Wire:
    """Draw a connection from a port, or pull the end of one that is there.

    While it lasts, the ports that it may go to are ringed; over a port, the wire shows what would
    come of it: the new shape, or the error.
    """

    def __init__(self, view: View, hit: Hit, start: QPointF) -> None:
        self._view = view
        self._press = start
        self._moving = False
        self._taken: Edge | None = None
        self._trial = ShapeInference()
        self._fates: dict[Edge, Fate] = {}
        self.fate = Fate()
        graph = view.level.graph
        self._out = hit.kind == "output"
        self._node, self._port = hit.node, hit.port
        if not self._out:
            arriving = [e for e in graph.into(hit.node) if e.target_port == hit.port]
            if arriving:
                self._taken = arriving[-1]
                self._out, self._node = True, self._taken.source
                self._port = self._taken.source_port

    def move(self, at: QPointF, modifiers: Modifiers) -> None:
        if not self._moving:
            if (at - self._press).manhattanLength() * self._view.zoom < THRESHOLD:
                return
            self._begin()
        edge, end = self._aim(at)
        self.fate = self._fate(edge) if edge is not None else Fate()
        token = "bad" if self.fate.error else "accent" if edge is not None else "text3"
        fixed, loose = self._fixed_end(), end if edge is not None else at
        start, stop = (fixed, loose) if self._out else (loose, fixed)
        self._view.marks.wire(start, stop, token)
        view = self._view
        view.marks.hint(self.fate.text, at, view.zoom, view.ratio, bad=self.fate.error)

    def _begin(self) -> None:
        self._moving = True
        if self._taken is not None:
            self._view.board.edges[self._taken].setVisible(False)
            self._view.board.edges[self._taken].chip.setOpacity(0.0)
        self._view.marks.rings(self._candidates())

    def _fixed_end(self) -> QPointF:
        item = self._view.board.nodes[self._node]
        return item.output_at(self._port) if self._out else item.input_at(self._port)

    def _candidates(self) -> list[QPointF]:
        """Where the ports in view are that the wire could sensibly go to."""
        graph, board = self._view.level.graph, self._view.board
        barred = related(graph.edges, self._node, forward=not self._out)
        own = board.nodes[self._node]
        found = []
        for item in board.visible(self._view.visible_area()):
            if item.node.id in barred:
                continue
            if self._out:
                shape = own.entry.outputs.get(self._port)
                for port in item.inputs:
                    if shape is None or takes(item.node.layer, item.node.params, port.name, shape):
                        found.append(item.input_at(port.name))
            else:
                for port in item.outputs:
                    given = item.entry.outputs.get(port.name)
                    node = own.node
                    if given is None or takes(node.layer, node.params, self._port, given):
                        found.append(item.output_at(port.name))
        return found

    def _aim(self, at: QPointF) -> tuple[Edge | None, QPointF]:
        """The edge that a release at ``at`` would make, and the port it snaps to.

        On a node's body it goes to the nearest free port.
        """
        board = self._view.board
        wanted = "input" if self._out else "output"
        hit = board.port_at(at, SNAP / min(1.0, self._view.zoom))
        if hit.kind == wanted and hit.node != self._node:
            item = board.nodes[hit.node]
            return self._edge(hit.node, hit.port), _port_place(item, hit)
        for item in reversed(board.visible(QRectF(at.x(), at.y(), 1, 1))):
            if item.node.id != self._node and item.box.contains(at):
                ports = item.inputs if self._out else item.outputs
                if ports:
                    name = self._free_port(item)
                    return self._edge(item.node.id, name), _port_place(
                        item,
                        Hit(wanted, item.node.id, name),  # type: ignore[arg-type]
                    )
        return None, at

    def _free_port(self, item: NodeItem) -> str:
        if not self._out:
            return item.outputs[0].name
        used = {edge.target_port for edge in self._view.level.graph.into(item.node.id)}
        free = [p.name for p in item.inputs if p.variadic or p.name not in used]
        return free[0] if free else item.inputs[0].name

    def _edge(self, node: str, port: str) -> Edge:
        if self._out:
            return Edge(self._node, self._port, node, port)
        return Edge(node, port, self._node, self._port)

    def _fate(self, edge: Edge) -> Fate:
        if edge not in self._fates:
            self._fates[edge] = Fate() if edge == self._taken else self._tried(edge)
        return self._fates[edge]

    def _tried(self, edge: Edge) -> Fate:
        graph = self._view.level.graph
        if self._taken is not None:
            graph = edits.disconnect(graph, [self._taken])
        try:
            graph = edits.connect(graph, edge)
        except EditError as error:
            text = str(error)
            return Fate(text[:1].upper() + text[1:], True)
        entry = self._trial.infer(graph).nodes[edge.target]
        if entry.problem is not None and entry.problem.level == "error":
            return Fate(entry.problem.message, True)
        shape = next(iter(entry.outputs.values()), None)
        return Fate(f"→ {shape}" if shape is not None else "")

    def finish(self, at: QPointF, modifiers: Modifiers) -> None:
        view, taken = self._view, self._taken
        moving = self._moving
        edge, _ = self._aim(at) if moving else (None, at)
        self.cancel()
        if not moving or (edge is not None and edge == taken):
            return
        if edge is not None:
            commands.connect(view.level, edge, taken)
        elif taken is not None:
            commands.delete(view.level, (), [taken])
        else:
            view.wire_searched.emit(at, self._node, self._port, self._out)

    def cancel(self) -> None:
        self._view.marks.clear()
        if self._taken is not None and self._taken in self._view.board.edges:
            self._view.board.edges[self._taken].setVisible(True)
            self._view.board.edges[self._taken].chip.setOpacity(1.0)


class DropLayer:
    """A layer from the palette over the canvas; lights the edge that it would go into."""

    def __init__(self, view: View, layer: str) -> None:
        self._view, self._layer = view, layer

    def move(self, at: QPointF, modifiers: Modifiers) -> None:
        self._view.marks.light(self._view.splice_edge(self._layer, at))

    def finish(self, at: QPointF, modifiers: Modifiers) -> None:
        self._view.marks.clear()
        self._view.place(self._layer, at)

    def cancel(self) -> None:
        self._view.marks.clear()


def _port_place(item: NodeItem, hit: Hit) -> QPointF:
    return item.input_at(hit.port) if hit.kind == "input" else item.output_at(hit.port)


def related(edges: tuple[Edge, ...], start: str, forward: bool) -> set[str]:
    """``start`` and all nodes behind it (``forward``) or before it."""
    following: dict[str, list[str]] = {}
    for edge in edges:
        a, b = (edge.source, edge.target) if forward else (edge.target, edge.source)
        following.setdefault(a, []).append(b)
    seen, stack = {start}, [start]
    while stack:
        fresh = [id for id in following.get(stack.pop(), ()) if id not in seen]
        seen.update(fresh)
        stack.extend(fresh)
    return seen
