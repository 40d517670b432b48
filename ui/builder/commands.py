"""What can be done to the graph on the canvas, each as one undoable step. No mouse here.

Each function changes ``session`` and tells, in a sentence, why where it cannot.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping

from PySide6.QtCore import QPointF
from PySide6.QtGui import QGuiApplication

from models import edits
from models.edits import EditError
from models.graph import Edge, Graph, GraphError, Node
from models.shapes import Problem
from ui.builder.faces import Frame, frame
from ui.builder.layout import COLUMN_GAP, GRID, Position, arrange, make_room
from ui.builder.level import Level
from ui.builder.project_groups import add_node, layer_kind, splice
from ui.session import Session

Network = Session | Level
"""What is edited: the whole network, or the inside of an opened group."""
Boxes = dict[str, tuple[float, float, float, float]]
CLIPBOARD_KEY = "playground-nodes"
LARGEST_CLIPBOARD = 8_000_000


def frame_of(graph: Graph, node: Node) -> Frame:
    """The size of a node; names of optional inputs do not change it."""
    inputs, outputs = edits.ports(graph, node)
    return frame(tuple(p.name for p in inputs), tuple(p.name for p in outputs))


def boxes_of(graph: Graph) -> Boxes:
    boxes = {}
    for id, node in graph.nodes.items():
        size = frame_of(graph, node)
        boxes[id] = (*node.position, size.width, size.height)
    return boxes


def snapped(x: float, y: float) -> Position:
    return (float(round(x / GRID) * GRID), float(round(y / GRID) * GRID))


def attempt(
    session: Network, label: str, edit: Callable[[Graph], Graph], merge: str | None = None
) -> bool:
    """Carry out ``edit`` as one step; where it is refused, say why."""
    graph = _tried(session, session.graph, edit)
    if graph is not None:
        session.edit(label, graph, merge)
    return graph is not None


def attempt_whole(level: Level, label: str, edit: Callable[[Graph], Graph]) -> bool:
    """Like ``attempt``, with an edit of the whole network while a group of it is open."""
    graph = _tried(level, level.session.graph, edit)
    if graph is not None:
        level.edit_whole(label, graph)
    return graph is not None


def _tried(session: Network, graph: Graph, edit: Callable[[Graph], Graph]) -> Graph | None:
    try:
        return edit(graph)
    except (EditError, GraphError) as error:
        text = str(error)
        session.tell(f"{text[:1].upper()}{text[1:]}.", "warn", key="canvas")
        return None


# --- adding -----------------------------------------------------------------------------------


def place(session: Network, layer: str, at: QPointF, edge: Edge | None = None) -> str | None:
    """Put a new node's middle at ``at``, into ``edge`` where one is given; returns its id."""
    made: list[str] = []

    def edit(graph: Graph) -> Graph:
        if edge is not None and fits_into_edge(graph, layer):
            graph, id = splice(graph, layer, edge)
            graph = _settle(graph, id, at, edge)
        else:
            graph, id = add_node(graph, layer)
            size = frame_of(graph, graph.nodes[id])
            graph = standing(graph, id, at.x() - size.width / 2, at.y() - size.height / 2)
        made.append(id)
        return graph

    if not attempt(session, f"Add {_name(session, layer)}", edit):
        return None
    session.select(made[-1:])
    return made[-1]


def add(session: Network, layer: str) -> str | None:
    """Add a node behind the selected one, into its edge where it has just one; else at the end."""
    graph, kind = session.graph, layer_kind(session.graph, layer)
    before = _behind(graph, session.selection, takes=bool(kind and kind.inputs))
    made: list[str] = []

    def edit(graph: Graph) -> Graph:
        if before is None:
            graph, id = add_node(graph, layer, _free_place(graph))
        else:
            graph, id = _append(graph, layer, before)
        made.append(id)
        return graph

    if not attempt(session, f"Add {_name(session, layer)}", edit):
        return None
    session.show(made[-1])
    return made[-1]


def place_wired(session: Network, layer: str, at: QPointF, node: str, port: str, out: bool) -> None:
    """Place a node and wire it: to the output ``port`` of ``node`` (``out``), or to its input."""
    made: list[str] = []

    def edit(graph: Graph) -> Graph:
        graph, id = add_node(graph, layer)
        size = frame_of(graph, graph.nodes[id])
        x = at.x() if out else at.x() - size.width
        graph = standing(graph, id, x, at.y() - 26)
        inputs, outputs = edits.ports(graph, graph.nodes[id])
        made.append(id)
        if out and inputs:
            return edits.connect(graph, Edge(node, port, id, inputs[0].name))
        if not out and outputs:
            return edits.connect(graph, Edge(id, outputs[0].name, node, port))
        return graph

    if attempt(session, f"Add {_name(session, layer)}", edit):
        session.select(made[-1:])


def _name(session: Network, layer: str) -> str:
    kind = layer_kind(session.graph, layer)
    return kind.name if kind is not None else layer


def fits_into_edge(graph: Graph, layer: str) -> bool:
    """Whether a layer has an input and an output to put it into an edge by."""
    kind = layer_kind(graph, layer)
    return kind is not None and bool(kind.inputs) and bool(kind.outputs)


def _behind(graph: Graph, selection: Collection[str], takes: bool) -> str | None:
    """The node that a new one follows."""
    if not takes or len(selection) != 1:
        return None
    (id,) = selection
    return id if edits.ports(graph, graph.nodes[id])[1] else None


def _append(graph: Graph, layer: str, before: str) -> tuple[Graph, str]:
    source = graph.nodes[before]
    port = edits.ports(graph, source)[1][0].name
    following = [edge for edge in graph.out_of(before) if edge.source_port == port]
    size = frame_of(graph, source)
    corner = (source.position[0] + size.width + COLUMN_GAP, source.position[1])
    if len(following) == 1 and fits_into_edge(graph, layer):
        graph, id = splice(graph, layer, following[0], corner)
    else:
        graph, id = add_node(graph, layer, corner)
        inputs = edits.ports(graph, graph.nodes[id])[0]
        graph = edits.connect(graph, Edge(before, port, id, inputs[0].name))
    return _roomy(graph, id), id


def _free_place(graph: Graph) -> Position:
    """Right of everything in the last row."""
    boxes = boxes_of(graph)
    if not boxes:
        return (0.0, 0.0)
    lowest = max(boxes.values(), key=lambda box: (box[1], box[0]))
    return snapped(lowest[0] + lowest[2] + COLUMN_GAP, lowest[1])


def _roomy(graph: Graph, id: str) -> Graph:
    return edits.move(graph, make_room(boxes_of(graph), id))


def _settle(graph: Graph, id: str, at: QPointF, edge: Edge) -> Graph:
    """Stand a spliced node where it was dropped, in the row of its neighbours, with room."""
    boxes = boxes_of(graph)
    _, _, width, height = boxes[id]
    source, target = boxes[edge.source], boxes[edge.target]
    x, y = at.x() - width / 2, at.y() - height / 2
    forward = target[0] >= source[0] + source[2]
    if forward and abs(source[1] - target[1]) < 40:
        y = source[1]
        room = target[0] - source[0] - source[2] - 2 * 24
        first = source[0] + source[2] + COLUMN_GAP
        x = first if room < width else min(max(x, first), target[0] - width - COLUMN_GAP)
    elif _crowded(boxes, id, (x, y, width, height)):
        if abs(y - target[1]) < abs(y - source[1]):
            x, y = target[0] if not forward else target[0] - width - COLUMN_GAP, target[1]
        else:
            x, y = source[0] + source[2] + COLUMN_GAP, source[1]
    return _roomy(edits.move(graph, {id: snapped(x, y)}), id)


def standing(graph: Graph, id: str, x: float, y: float) -> Graph:
    """Stand a free node at a corner, or as near to it as no other node is in the way."""
    boxes = boxes_of(graph)
    _, _, width, height = boxes[id]
    sides = ((0, 1), (1, 0), (0, -1), (-1, 0))
    places = (
        snapped(x + away * dx, y + away * dy) for away in range(0, 800, GRID) for dx, dy in sides
    )
    free = (place for place in places if not _crowded(boxes, id, (*place, width, height)))
    return edits.move(graph, {id: next(free, snapped(x, y))})


def uncrowded(graph: Graph, ids: Collection[str]) -> Graph:
    """``graph``, arranged anew where nodes that came to it stand on others."""
    boxes = boxes_of(graph)
    new = [boxes[id] for id in ids]
    if not new:
        return graph
    left, top = min(box[0] for box in new) - 24, min(box[1] for box in new) - 24
    right, bottom = max(x + w for x, _, w, _ in new) + 24, max(y + h for _, y, _, h in new) + 24
    others = (box for id, box in boxes.items() if id not in ids)
    met = any(x < right and x + w > left and y < bottom and y + h > top for x, y, w, h in others)
    return arranged_graph(graph) if met else graph


def _crowded(boxes: Boxes, id: str, box: tuple[float, float, float, float]) -> bool:
    x, y, width, height = box
    return any(
        other != id
        and left < x + width + 8
        and left + w > x - 8
        and top < y + height + 8
        and top + h > y - 8
        for other, (left, top, w, h) in boxes.items()
    )


# --- wiring, deleting, moving -------------------------------------------------------------------


def connect(session: Network, edge: Edge, instead_of: Edge | None = None) -> bool:
    """Wire two ports, taking ``instead_of`` away in the same step."""

    def edit(graph: Graph) -> Graph:
        if instead_of is not None:
            graph = edits.disconnect(graph, [instead_of])
        return edits.connect(graph, edge)

    return attempt(session, "Connect", edit)


def delete(session: Network, ids: Collection[str], edges: Collection[Edge] = ()) -> bool:
    """Delete nodes (what fed them feeds what they fed) and edges."""
    if not ids and not edges:
        return False
    if ids:
        only = next(iter(ids))
        what = session.graph.nodes[only].name if len(ids) == 1 else f"{len(ids)} nodes"
        label = f"Delete {what}"
    else:
        label = "Disconnect"
    return attempt(session, label, lambda graph: edits.remove(edits.disconnect(graph, edges), ids))


def move(
    session: Network,
    positions: Mapping[str, Position],
    into: Edge | None = None,
    merge: str | None = None,
) -> bool:
    """Move nodes; a single one without connections is put ``into`` an edge."""

    def edit(graph: Graph) -> Graph:
        graph = edits.move(graph, positions)
        if into is None:
            return graph
        (id,) = positions
        graph = edits.splice_existing(graph, id, into)
        x, y, width, height = boxes_of(graph)[id]
        return _settle(graph, id, QPointF(x + width / 2, y + height / 2), into)

    return attempt(session, "Insert into edge" if into else "Move", edit, merge)


def nudge(session: Network, dx: float, dy: float) -> bool:
    """Move the selected nodes by a step; steps in a row are one in the history."""
    chosen = session.selection
    if not chosen:
        return False
    positions = {}
    for id in chosen:
        x, y = session.graph.nodes[id].position
        positions[id] = (x + dx, y + dy)
    return move(session, positions, merge="nudge " + " ".join(chosen))


def rename(session: Network, id: str, name: str) -> bool:
    return attempt(session, f"Rename to {name}", lambda graph: edits.rename(graph, id, name))


def fix(session: Network, id: str, problem: Problem | None) -> bool:
    """Carry out the remedy that the node's error offers."""
    remedy = problem.fix if problem is not None else None
    if remedy is None:
        return False

    def edit(graph: Graph) -> Graph:
        result = edits.apply_fix(graph, id, remedy)
        for new in result.nodes.keys() - graph.nodes.keys():
            x, y, width, height = boxes_of(result)[new]
            edge = Edge(result.into(new)[0].source, "", id, "")
            result = _settle(result, new, QPointF(x + width / 2, y + height / 2), edge)
        return result

    return attempt(session, remedy.label, edit)


def tidy(session: Network) -> bool:
    """Arrange all nodes, or the selected ones where they are several."""
    graph = session.graph
    chosen = session.selection if len(session.selection) > 1 else tuple(graph.nodes)
    arranged = arranged_graph(graph, chosen)
    if arranged is graph:
        return False
    session.edit("Arrange", arranged)
    return True


def arranged_graph(graph: Graph, ids: Iterable[str] | None = None) -> Graph:
    """``graph`` with nodes in layers and rows; a part stays where its top left corner was."""
    inside = set(graph.nodes if ids is None else ids)
    chosen = [id for id in graph.nodes if id in inside]
    if not chosen:
        return graph
    boxes = boxes_of(graph)
    pairs = [(edge.source, edge.target) for edge in graph.edges]
    places = arrange(chosen, pairs, {id: boxes[id][2:] for id in chosen})
    left = top = 0.0
    if len(chosen) < len(graph.nodes):
        left, top = min(boxes[id][0] for id in chosen), min(boxes[id][1] for id in chosen)
    positions = {id: snapped(x + left, y + top) for id, (x, y) in places.items()}
    changed = {id: at for id, at in positions.items() if graph.nodes[id].position != at}
    return edits.move(graph, changed) if changed else graph


def build_starter(session: Session, kind: str = "auto") -> bool:
    """Replace the graph by a starter network for the data."""
    from playground.starter import starter_graph

    if session.dataset is None:
        text = session.data_message or "Choose the data first: a starter network is built for it."
        session.tell(text, "warn", ("Data", lambda: session.reveal.emit("data")), "canvas")
        return False
    try:
        graph = arranged_graph(starter_graph(session.dataset, kind))
    except ValueError as error:
        session.tell(str(error), "warn", key="canvas")
        return False
    if session.dataset.task != session.project.task.id:
        session.set_task(id=session.dataset.task, options={})
    session.edit("Build a starter network", graph)
    session.select(())
    return True


def adapt(session: Session) -> bool:
    """Change the network and the task to what the data need; tells what is left to be done."""
    from playground.starter import adopt, propose

    dataset = session.dataset
    if dataset is None:
        return False
    if dataset.task != session.project.task.id:
        session.set_task(id=dataset.task, options={})
    try:
        session.edit("Adapt to the data", adopt(session.graph, dataset))
    except ValueError as error:
        session.tell(str(error), "warn", key="adapt")
        return False
    left = propose(session.graph, dataset, session.report)
    if left:
        text = f"{left[0].message} Change the network on the canvas, or build a new one."
        session.tell(text, "warn", key="adapt")
    return not left


# --- clipboard ----------------------------------------------------------------------------------


def copy(session: Network) -> bool:
    """Put the selected nodes on the system's clipboard, as JSON text."""
    if not session.selection:
        return False
    QGuiApplication.clipboard().setText(fragment_text(session.graph, session.selection))
    return True


def cut(session: Network) -> bool:
    return copy(session) and delete(session, session.selection)


def paste(session: Network, at: QPointF | None = None) -> bool:
    """Add what the clipboard holds, its middle at ``at`` or beside where it was copied from."""
    try:
        fragment = read_fragment(QGuiApplication.clipboard().text())
    except ValueError as error:
        session.tell(str(error), "warn", key="canvas")
        return False
    return _paste(session, fragment, at, "Paste")


def duplicate(session: Network, offset: Position = (32.0, 32.0)) -> bool:
    fragment = edits.copy_nodes(session.graph, session.selection)
    return bool(fragment.nodes) and _paste(session, fragment, None, "Duplicate", offset)


def fragment_text(graph: Graph, ids: Iterable[str]) -> str:
    fragment = edits.copy_nodes(graph, ids)
    return json.dumps({CLIPBOARD_KEY: 1, "graph": fragment.to_json()}, indent=1)


def read_fragment(text: str) -> Graph:
    """The nodes in a clipboard's text; raises ``ValueError`` with a sentence on anything else."""
    nothing = "The clipboard holds no layers: copy some on the canvas first."
    if len(text) > LARGEST_CLIPBOARD or CLIPBOARD_KEY not in text:
        raise ValueError(nothing)
    try:
        data = json.loads(text)
        if not isinstance(data, dict) or data.get(CLIPBOARD_KEY) != 1:
            raise ValueError(nothing)
        fragment = Graph.from_json(data.get("graph"))
    except (GraphError, RecursionError) as error:
        raise ValueError(f"What the clipboard holds cannot be pasted: {error}.") from None
    except json.JSONDecodeError:
        raise ValueError(nothing) from None
    if not fragment.nodes:
        raise ValueError(nothing)
    return fragment


def _paste(
    session: Network,
    fragment: Graph,
    at: QPointF | None,
    label: str,
    offset: Position = (32.0, 32.0),
) -> bool:
    made: list[str] = []
    if at is not None:
        boxes = boxes_of(fragment).values()
        left, right = min(b[0] for b in boxes), max(b[0] + b[2] for b in boxes)
        top, bottom = min(b[1] for b in boxes), max(b[1] + b[3] for b in boxes)
        offset = snapped(at.x() - (left + right) / 2, at.y() - (top + bottom) / 2)

    def edit(graph: Graph) -> Graph:
        shift = offset
        taken = {node.position for node in graph.nodes.values()}
        first = next(iter(fragment.nodes.values())).position
        while at is None and (first[0] + shift[0], first[1] + shift[1]) in taken:
            shift = (shift[0] + 32.0, shift[1] + 32.0)
        graph, ids = edits.paste(graph, fragment, shift)
        made.extend(ids)
        return graph

    if not attempt(session, label, edit):
        return False
    session.select(made)
    return True


def share_weights(session: Network, id: str, other: str | None) -> bool:
    return attempt(session, "Share weights", lambda graph: edits.share_weights(graph, id, other))


def set_parameter(
    session: Network, ids: Collection[str], key: str, value: object, merge: str
) -> bool:
    """Set one parameter of nodes; steps with equal ``merge`` in a row are one in the history."""

    def edit(graph: Graph) -> Graph:
        for id in ids:
            graph = edits.set_params(graph, id, {key: value})
        return graph

    return attempt(session, "Change " + key.replace("_", " "), edit, merge)
