"""A node on the canvas: a cached pixmap, with its live picture and its error as children."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtWidgets import QGraphicsPixmapItem

from models import edits
from models.axes import Kind
from models.graph import GROUP, INPUT, OUTPUT, Graph, Node
from models.layers import LAYERS
from models.layers.declaration import Layer, Port
from models.parameters import checked
from models.shapes import NodeReport
from ui.builder.faces import HEIGHT, MARGIN, Face, Faces, Frame, Sign, frame, rounded, sign_layout
from ui.builder.pictures import picture
from ui.theme import theme

SIGN_GAP = 8.0
NOTHING = NodeReport()
_SHORTER = (
    (" normalization", " norm"),
    ("average", "avg"),
    (" pooling", " pool"),
    (" pool", ""),
    ("Depthwise Conv", "Depthwise "),
    ("Separable Conv", "Separable "),
    ("Positional", "Pos."),
)


class NodeItem(QGraphicsPixmapItem):
    """Shows one node. Nothing is painted before it is visible: ``freshen`` does that.

    The item and its children count in view pixels of the scale they were painted at, so that
    copying them to the screen needs no resampling; ``box`` is the node in scene pixels.
    """

    def __init__(self, graph: Graph, node: Node, entry: NodeReport) -> None:
        super().__init__()
        self.setShapeMode(QGraphicsPixmapItem.ShapeMode.BoundingRectShape)
        self.setTransformationMode(Qt.TransformationMode.SmoothTransformation)
        self._picture = QGraphicsPixmapItem(self)
        self._picture.setTransformationMode(Qt.TransformationMode.SmoothTransformation)
        self._sign_item: QGraphicsPixmapItem | None = None
        self.node, self.entry = node, entry
        self.selected = False
        self.sign: Sign | None = None
        self.value: NDArray[Any] | None = None
        self.kind: Kind | None = None
        self._seen: object = None
        self.fresh_for: object = None
        self._painted: tuple[object, ...] = ()
        self._pictured: tuple[object, ...] = ()
        self.update_from(graph, node, entry, False)

    # --- what it stands for -------------------------------------------------------------------

    def update_from(self, graph: Graph, node: Node, entry: NodeReport, selected: bool) -> None:
        """Take over a changed node or report; paints nothing."""
        self.node, self.entry, self.selected = node, entry, selected
        inputs, outputs = edits.ports(graph, node)
        self.inputs, self.outputs = inputs, outputs
        self.frame: Frame = frame(
            tuple(port.name for port in inputs),
            tuple(port.name for port in outputs),
            tuple(p.name for p in inputs[1:] if not p.optional or entry.inputs.ports.get(p.name)),
        )
        if not entry.ok:
            self.value = None
        face = _face(graph, node, entry, inputs, self.frame, selected)
        self.face = replace(face, picture=self.value is not None)
        self.sign = _sign(entry)
        self.fresh_for = None
        self.setPos(*node.position)
        self.setZValue(2.0 if self.sign else 1.0 if selected else 0.0)

    def reshape(self, entry: NodeReport) -> bool:
        """Take over a report of other shapes alone; False where the node's look depends on it."""
        known = self.entry
        if not (known.ok and entry.ok) or known.per_frame or entry.per_frame:
            return False
        if known.inputs.ports.keys() != entry.inputs.ports.keys():
            return False
        self.entry = entry
        return True

    def select(self, selected: bool) -> None:
        """Show the selection alone."""
        if selected != self.selected:
            self.selected = selected
            self.face = replace(self.face, selected=selected)
            self.fresh_for = None
            self.setZValue(2.0 if self.sign else 1.0 if selected else 0.0)

    @property
    def box(self) -> QRectF:
        """The node's body in scene pixels, wherever it is being dragged."""
        at = self.scenePos()
        return QRectF(at.x(), at.y(), self.frame.width, self.frame.height)

    def input_at(self, port: str) -> QPointF:
        return self.scenePos() + self.frame.input(port)

    def output_at(self, port: str) -> QPointF:
        return self.scenePos() + self.frame.output(port)

    def sign_box(self) -> QRectF | None:
        """The error under the node in scene pixels."""
        if self.sign is None:
            return None
        layout = sign_layout(self.sign)
        corner = self.scenePos() + QPointF(0, self.frame.height + SIGN_GAP)
        return QRectF(corner.x(), corner.y(), layout.width, layout.height)

    def fix_box(self) -> QRectF | None:
        """The button in the error."""
        box = self.sign_box()
        button = sign_layout(self.sign).button if self.sign else None
        if box is None or button is None:
            return None
        return QRectF(*button).translated(box.topLeft())

    # --- pictures -----------------------------------------------------------------------------

    def shown_port(self) -> str:
        """The output whose value is the node's picture: a sequence where there is one."""
        outputs = self.entry.outputs
        if len(outputs) > 1:
            for port, shape in outputs.items():
                if shape.kind is Kind.SEQUENCE:
                    return port
        return next(iter(outputs), "output")

    def show_value(self, values: Mapping[tuple[str, str], NDArray[Any]]) -> None:
        """Take the node's value from a snapshot's; the next ``freshen`` paints it."""
        if values is self._seen:
            return
        self._seen = values
        port = self.shown_port()
        shape = self.entry.outputs.get(port)
        value = values.get((self.node.id, port)) if self.entry.ok else None
        self.kind = shape.kind if shape is not None else None
        if value is not self.value:
            self.value = value
            self.fresh_for = None
        has = self.value is not None
        if has != self.face.picture:
            self.face = replace(self.face, picture=has)

    # --- painting -----------------------------------------------------------------------------

    def freshen(self, faces: Faces, scale: float, ratio: float, blocks: bool) -> None:
        """Bring the pixmaps up to date for a view at ``scale``; ``blocks``: from afar."""
        name = theme().name
        face = self.face.block() if blocks else self.face
        key = (face, scale, ratio, name)
        if key != self._painted:
            self._painted = key
            self.setPixmap(faces.node(face, scale, ratio))
            self.setOffset(-MARGIN * scale, -MARGIN * scale)
            self.setScale(1.0 / scale)
        self._freshen_picture(scale, ratio, blocks, name)
        self._freshen_sign(faces, scale, ratio, blocks)

    def _freshen_picture(self, scale: float, ratio: float, blocks: bool, name: str) -> None:
        value = self.value
        visible = value is not None and not blocks
        if visible != self._picture.isVisible():
            self._picture.setVisible(visible)
        key = (id(value), self.kind, scale, ratio, name, self.frame.picture)
        if value is None or blocks or key == self._pictured:
            return
        self._pictured = key
        x, y, width, height = self.frame.picture
        size = (max(1, round(width * scale * ratio)), max(1, round(height * scale * ratio)))
        image = picture(value, self.kind, size, raw=self.node.layer == INPUT)
        self._picture.setPixmap(rounded(image, ratio, 3.0 * scale))
        self._picture.setPos(round(x * scale), round(y * scale))

    def _freshen_sign(self, faces: Faces, scale: float, ratio: float, blocks: bool) -> None:
        if self.sign is None or blocks:
            if self._sign_item is not None:
                self._sign_item.setVisible(False)
            return
        if self._sign_item is None:
            self._sign_item = QGraphicsPixmapItem(self)
            mode = Qt.TransformationMode.SmoothTransformation
            self._sign_item.setTransformationMode(mode)
        self._sign_item.setPixmap(faces.sign(self.sign, scale, ratio))
        self._sign_item.setPos(0, (self.frame.height + SIGN_GAP) * scale)
        self._sign_item.setVisible(True)

    def described(self) -> str:
        """For a screen reader, and as the tooltip: what, where, which shape, what is wrong."""
        layer = LAYERS.find(self.node.layer)
        kind = layer.name if layer is not None else f"unknown layer {self.node.layer}"
        if self.node.layer == GROUP:
            kind = "Group, opened by a double click"
        parts = [f"{kind} {self.node.name}"]
        parts += [f"{port} {shape}" for port, shape in self.entry.outputs.items()]
        if self.entry.problem is not None:
            parts.append(self.entry.problem.message)
        elif self.entry.waiting:
            parts.append("waits for a node before it")
        return " · ".join(parts)


def title_of(node: Node, layer: Layer | None) -> str:
    """A name of the person's own, else the layer's."""
    if layer is None:
        return node.layer
    own = node.layer not in (INPUT, OUTPUT) and named(node.name, node.layer)
    return node.name if own else layer.name


@lru_cache(maxsize=4096)
def named(name: str, layer: str) -> bool:
    """Whether a name says more than the layer: ``encoder``, but not ``conv2d_2``, ``conv1``."""
    stem = re.sub(r"[\d_.]", "", name.rpartition(".")[2]).lower()
    return bool(stem) and stem not in re.sub(r"[\d_-]", "", layer).lower()


def caption_of(graph: Graph, node: Node, entry: NodeReport, layer: Layer | None) -> str:
    """The line of parameters, in the layer's own words."""
    if layer is None:
        return "unknown layer"
    if node.layer == OUTPUT:
        return node.name
    lender = graph.nodes.get(node.shares_weights_with or "")
    if lender is not None:
        return f"weights of {lender.name}"
    try:
        text = layer.caption(entry.values or checked(layer.parameters, node.params))
    except (ValueError, KeyError, TypeError):
        text = ""
    if node.layer == GROUP:
        words = _group_words(graph, node)[1]
        return words if text in ("", "plain") else f"{words} {text}"
    if title_of(node, layer) == layer.name:
        return text
    return f"{layer.name} {text.removesuffix(' units')}".strip()


def _group_words(graph: Graph, node: Node) -> tuple[str, str]:
    """A group's own name and its definition's; the latter first where it has no name of its own."""
    definition = graph.definitions.get(str(node.params.get("definition")))
    words = (node.name, definition.name if definition is not None else "missing")
    return words if node.name.rstrip("0123456789") != GROUP else (words[1], words[0])


def _face(
    graph: Graph,
    node: Node,
    entry: NodeReport,
    inputs: tuple[Port, ...],
    shape: Frame,
    selected: bool,
) -> Face:
    layer = LAYERS.find(node.layer)
    title = title_of(node, layer) if node.layer != GROUP else _group_words(graph, node)[0]
    if len(title) > 12 and shape.height == HEIGHT:
        title = _shortened(title)
    state = ""
    if layer is None:
        state = "unknown"
    elif entry.problem is not None:
        state = entry.problem.level
    elif entry.waiting:
        state = "waiting"
    steps = next((s["T"] for s in entry.outputs.values() if "T" in s.axes), "T")
    return Face(
        frame=shape,
        title=title,
        caption=caption_of(graph, node, entry, layer),
        family=layer.family if layer is not None else "",
        state=state,
        selected=selected,
        badge=f"×{steps}" if entry.per_frame else "",
        optional=frozenset(port.name for port in inputs if port.optional),
        stacked=node.layer == GROUP,
    )


def _shortened(title: str) -> str:
    for long, short in _SHORTER:
        if len(title) <= 12:
            break
        title = title.replace(long, short)
    return title


def _sign(entry: NodeReport) -> Sign | None:
    problem = entry.problem
    if problem is None:
        return None
    text = problem.message[:1].upper() + problem.message[1:]
    return Sign(text, problem.fix.label if problem.fix else "", problem.level == "note")
