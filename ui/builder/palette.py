"""The layers to choose from: by family, searched, dragged to the canvas or added with Enter."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import (
    QAbstractListModel,
    QByteArray,
    QEvent,
    QMimeData,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPoint,
    QRectF,
    QSize,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtGui import QDrag, QDropEvent, QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QMenu,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from models import grouping
from models.layers import LAYERS
from models.layers.declaration import FAMILIES, Layer
from models.parameters import ParameterError, checked
from ui.builder import commands, group_commands
from ui.builder.faces import MARGIN, Face, Faces, frame
from ui.builder.level import level_of
from ui.builder.project_groups import PREFIX, group_layers
from ui.session import Session
from ui.theme import theme
from ui.widgets import SearchField, label

LAYER_MIME = "application/x-playground-layer"
HEADINGS = FAMILIES | {"group": "In this project"}
ROW, HEADING = 28, 30
_Index = QModelIndex | QPersistentModelIndex


def found(text: str, layers: Sequence[Layer]) -> list[Layer]:
    """The layers that fit what was typed, the best first."""
    words = text.lower().split()
    ranked = []
    for place, layer in enumerate(layers):
        ranks = [_rank(word, layer) for word in words]
        if None not in ranks:
            ranked.append((sum(rank or 0 for rank in ranks), place, layer))
    return [layer for _, _, layer in sorted(ranked, key=lambda entry: entry[:2])]


def _rank(word: str, layer: Layer) -> int | None:
    name = layer.name.lower()
    if any(part.startswith(word) for part in name.split()):
        return 0
    if word in name or word in layer.id:
        return 1
    if word in f"{layer.keywords} {FAMILIES.get(layer.family, '')}".lower():
        return 2
    return 3 if word in layer.summary.lower() else None


def offered() -> list[Layer]:
    """Every layer that a person may choose, by family; inputs and outputs at the end."""
    families = [family for family in FAMILIES if family != "input"] + ["input"]
    layers = [layer for layer in LAYERS if not layer.hidden]
    known = [layer for family in families for layer in layers if layer.family == family]
    return known + [layer for layer in layers if layer.family not in families]


class LayerModel(QAbstractListModel):
    """Headings and layers; while something is searched, only the layers found."""

    def __init__(
        self, parent: QObject | None = None, accept: Callable[[Layer], bool] | None = None
    ):
        super().__init__(parent)
        self._accept = accept
        self._text = ""
        self.groups: list[Layer] = []
        self.rows: list[str | Layer] = []
        self.search("")

    def set_groups(self, groups: list[Layer]) -> None:
        """Offer the groups of the project too."""
        words = [(layer.id, layer.name, layer.summary) for layer in groups]
        if words != [(layer.id, layer.name, layer.summary) for layer in self.groups]:
            self.groups = groups
            self.search(self._text)

    def search(self, text: str) -> None:
        self.beginResetModel()
        self._text = text
        accept = self._accept
        layers = [layer for layer in (*self.groups, *offered()) if accept is None or accept(layer)]
        if text.strip():
            self.rows = list(found(text, layers))
        else:
            self.rows = []
            family = ""
            for layer in layers:
                if layer.family != family:
                    family = layer.family
                    self.rows.append(HEADINGS.get(family, family.capitalize()))
                self.rows.append(layer)
        self.endResetModel()

    def layer(self, index: _Index) -> Layer | None:
        row = self.rows[index.row()] if index.isValid() else None
        return row if isinstance(row, Layer) else None

    def first(self) -> QModelIndex:
        """The first row that can be chosen."""
        for number, row in enumerate(self.rows):
            if isinstance(row, Layer):
                return self.index(number)
        return QModelIndex()

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.rows)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        row = self.rows[index.row()]
        if isinstance(row, str):
            return row if role == Qt.ItemDataRole.DisplayRole else None
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return row.name
            case Qt.ItemDataRole.ToolTipRole:
                return f"<p><b>{row.name}</b><br>{row.summary}</p>"
            case Qt.ItemDataRole.AccessibleTextRole:
                return f"{row.name}, {FAMILIES.get(row.family, row.family)}"
            case Qt.ItemDataRole.AccessibleDescriptionRole:
                return row.summary
        return None

    def flags(self, index: _Index) -> Qt.ItemFlag:
        if self.layer(index) is None:
            return Qt.ItemFlag.NoItemFlags
        usable = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        return usable | Qt.ItemFlag.ItemIsDragEnabled | Qt.ItemFlag.ItemNeverHasChildren

    def mimeTypes(self) -> list[str]:
        return [LAYER_MIME]

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        data = QMimeData()
        layer = self.layer(indexes[0]) if indexes else None
        if layer is not None:
            data.setData(LAYER_MIME, QByteArray(layer.id.encode()))
        return data


class LayerDelegate(QStyledItemDelegate):
    """A heading, or the strip of the family's colour and a name."""

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        model = index.model()
        heading = isinstance(model, LayerModel) and model.layer(index) is None
        return QSize(80, HEADING if heading else ROW)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        model, look = index.model(), theme()
        layer = model.layer(index) if isinstance(model, LayerModel) else None
        area = QRectF(option.rect)
        text = str(index.data())
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if layer is None:
            painter.setPen(look.color("text3"))
            painter.setFont(look.font(12))
            painter.drawText(area.adjusted(8, 4, -4, 0), middle, text)
        else:
            state = option.state
            painter.setPen(Qt.PenStyle.NoPen)
            if state & QStyle.StateFlag.State_Selected:
                painter.setBrush(look.color("pressed"))
                painter.drawRoundedRect(area, 6, 6)
            elif state & QStyle.StateFlag.State_MouseOver:
                painter.setBrush(look.color("raised"))
                painter.drawRoundedRect(area, 6, 6)
            painter.setBrush(look.family(layer.family))
            strip = QRectF(area.left() + 8, area.center().y() - 7, 3, 14)
            painter.drawRoundedRect(strip, 1.5, 1.5)
            painter.setPen(look.color("text"))
            painter.setFont(look.font(13))
            room = area.adjusted(19, 0, -6, 0)
            shown = painter.fontMetrics().elidedText(
                text, Qt.TextElideMode.ElideRight, int(room.width())
            )
            painter.drawText(room, middle, shown)
        painter.restore()


class LayerList(QListView):
    """The list itself; ``chosen`` carries a layer's id on Enter and double click."""

    chosen = Signal(str)

    def __init__(self, model: LayerModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._layers = model
        self.setModel(model)
        self.setItemDelegate(LayerDelegate(self))
        self.setMouseTracking(True)
        self.setDragEnabled(True)
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragOnly)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("Layers")
        self.activated.connect(self._activated)
        theme().changed.connect(self.viewport().update)

    def startDrag(self, actions: Qt.DropAction) -> None:
        """Drag a picture of the node that the layer would be."""
        layer = self._layers.layer(self.currentIndex())
        if layer is None:
            return
        drag = QDrag(self)
        drag.setMimeData(self._layers.mimeData([self.currentIndex()]))
        face = layer_face(layer)
        ratio = self.devicePixelRatioF()
        drag.setPixmap(Faces(4).node(face, 1.0, ratio))
        middle = QPoint(round(MARGIN + face.frame.width / 2), round(MARGIN + face.frame.height / 2))
        drag.setHotSpot(middle)
        drag.exec(Qt.DropAction.CopyAction)

    @Slot(QModelIndex)
    def _activated(self, index: QModelIndex) -> None:
        layer = self._layers.layer(index)
        if layer is not None:
            self.chosen.emit(layer.id)


class Palette(QWidget):
    """Search and list. Enter or a double click adds the layer behind the selected node."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._level = level_of(session)
        self.setAccessibleName("Layer palette")
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 10, 10, 4)
        column.setSpacing(4)
        self.field = SearchField("Find a layer")
        self.model = LayerModel(self)
        self.list = LayerList(self.model)
        self.nothing = label("No layer fits.", "second")
        self.nothing.setContentsMargins(8, 8, 8, 8)
        self.nothing.hide()
        column.addWidget(self.field)
        column.addWidget(self.nothing)
        column.addWidget(self.list, 1)
        self.setFocusProxy(self.field)
        self.field.textChanged.connect(self._search)
        self.field.installEventFilter(self)
        self.list.chosen.connect(self.add)
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.list.customContextMenuRequested.connect(self._menu)
        session.graph_changed.connect(self._offer_groups)
        self._offer_groups()

    @Slot()
    def _offer_groups(self) -> None:
        """List the groups of the project, where they or their uses may have changed."""
        graph = self._level.session.graph
        if graph.definitions or self.model.groups:
            self.model.set_groups(group_layers(graph))

    @Slot(QPoint)
    def _menu(self, at: QPoint) -> None:
        menu = self.menu(self.model.layer(self.list.indexAt(at)))
        if menu is not None:
            menu.popup(self.list.viewport().mapToGlobal(at))

    def menu(self, layer: Layer | None) -> QMenu | None:
        """What can be done with a group of the project; None for other layers."""
        if layer is None or not layer.id.startswith(PREFIX):
            return None
        level, definition = self._level, layer.id.removeprefix(PREFIX)
        menu = QMenu(self)
        menu.aboutToHide.connect(menu.deleteLater)
        menu.addAction("Add to the network", lambda: self.add(layer.id))
        remove = menu.addAction(
            "Remove from the project", lambda: group_commands.drop_definition(level, definition)
        )
        remove.setEnabled(grouping.uses(level.session.graph, definition) == 0)
        return menu

    @Slot(str)
    def add(self, layer: str) -> None:
        """Add a layer to the network, if one is open."""
        if self._level.is_open:
            commands.add(self._level, layer)

    @Slot(str)
    def _search(self, text: str) -> None:
        self.model.search(text)
        first = self.model.first()
        self.nothing.setVisible(not first.isValid())
        if text.strip() and first.isValid():
            self.list.setCurrentIndex(first)
        else:
            self.list.scrollToTop()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """From the search field: Enter adds the first layer, the arrows go into the list."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                layer = self.model.layer(self.list.currentIndex()) or self.model.layer(
                    self.model.first()
                )
                if layer is not None:
                    self.add(layer.id)
                return True
            if event.key() == Qt.Key.Key_Down:
                if not self.list.currentIndex().isValid():
                    self.list.setCurrentIndex(self.model.first())
                self.list.setFocus(Qt.FocusReason.OtherFocusReason)
                return True
        return super().eventFilter(watched, event)


def layer_face(layer: Layer) -> Face:
    """The node that ``layer`` would be, with its defaults."""
    try:
        caption = layer.caption(checked(layer.parameters, {}))
    except (ParameterError, KeyError):
        caption = ""
    inputs = tuple(port.name for port in layer.inputs)
    shape = frame(inputs, tuple(port.name for port in layer.outputs))
    optional = frozenset(port.name for port in layer.inputs if port.optional)
    return Face(shape, layer.name, caption, layer.family, optional=optional)


def dragged_layer(event: QDropEvent) -> str:
    """The layer that is being dragged; "" where it is something else."""
    data = event.mimeData()
    if not data.hasFormat(LAYER_MIME):
        return ""
    layer = bytes(data.data(LAYER_MIME).data()).decode("utf-8", "replace")
    return layer if layer in LAYERS or layer.startswith(PREFIX) else ""
