"""A small window at the pointer: type a few letters, Enter chooses. For layers, and for ports."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPoint, Qt, Signal, Slot
from PySide6.QtGui import QHideEvent, QKeyEvent
from PySide6.QtWidgets import QFrame, QListView, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from models.layers.declaration import Layer
from ui.builder.palette import LayerList, LayerModel
from ui.widgets import SearchField

WIDTH, HEIGHT = 260, 320


class Popup(QFrame):
    """A search field over a list. Escape, or a click elsewhere, closes it."""

    closed = Signal()

    def __init__(self, parent: QWidget, placeholder: str, rows: QListView) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setProperty("kind", "float")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setAccessibleName(placeholder)
        self.setFixedSize(WIDTH, HEIGHT)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.setSpacing(6)
        self.field = SearchField(placeholder)
        self.rows = rows
        self.rows.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        column.addWidget(self.field)
        column.addWidget(self.rows, 1)
        self.field.textChanged.connect(self.look_for)
        self.field.installEventFilter(self)

    def open(self, place: QPoint) -> None:
        """Show it near a global position, inside the screen."""
        screen = self.screen().availableGeometry()
        x = min(max(place.x() - 20, screen.left()), screen.right() - WIDTH)
        y = min(max(place.y() - 16, screen.top()), screen.bottom() - HEIGHT)
        self.move(x, y)
        self.look_for("")
        self.show()
        self.field.setFocus(Qt.FocusReason.PopupFocusReason)

    def look_for(self, text: str) -> None:
        raise NotImplementedError

    def accept(self, index: QModelIndex) -> None:
        raise NotImplementedError

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            match event.key():
                case Qt.Key.Key_Escape:
                    self.close()
                    return True
                case Qt.Key.Key_Down | Qt.Key.Key_Up:
                    self._step(1 if event.key() == Qt.Key.Key_Down else -1)
                    return True
                case Qt.Key.Key_Return | Qt.Key.Key_Enter:
                    index = self.rows.currentIndex()
                    if index.isValid():
                        self.accept(index)
                    return True
        return super().eventFilter(watched, event)

    def _step(self, by: int) -> None:
        """To the next row that can be chosen."""
        model = self.rows.model()
        row = self.rows.currentIndex().row() + by
        while 0 <= row < model.rowCount():
            index = model.index(row, 0)
            if index.flags() & Qt.ItemFlag.ItemIsEnabled:
                self.rows.setCurrentIndex(index)
                return
            row += by

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.closed.emit()


class LayerSearch(Popup):
    """Chooses a layer; ``accept_layer`` leaves out those that would not do."""

    chosen = Signal(str)

    def __init__(
        self,
        parent: QWidget,
        accept_layer: Callable[[Layer], bool] | None = None,
        groups: Sequence[Layer] = (),
    ) -> None:
        self._layers = LayerModel(None, accept_layer)
        self._layers.set_groups(list(groups))
        rows = LayerList(self._layers)
        rows.setDragEnabled(False)
        super().__init__(parent, "Search a layer to add", rows)
        self._layers.setParent(self)
        rows.clicked.connect(self.accept)

    @Slot(str)
    def look_for(self, text: str) -> None:
        self._layers.search(text)
        self.rows.setCurrentIndex(self._layers.first())
        self.rows.scrollToTop()

    @Slot(QModelIndex)
    def accept(self, index: QModelIndex) -> None:
        layer = self._layers.layer(index)
        if layer is not None:
            self.close()
            self.chosen.emit(layer.id)


class ChoiceSearch(Popup):
    """Chooses one of a few described things: a port to connect to."""

    chosen = Signal(object)

    def __init__(self, parent: QWidget, title: str, choices: Sequence[tuple[str, object]]) -> None:
        rows = QListWidget()
        rows.setAccessibleName(title)
        rows.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        super().__init__(parent, title, rows)
        self._list = rows
        self._choices = choices
        rows.clicked.connect(self.accept)

    @Slot(str)
    def look_for(self, text: str) -> None:
        words = text.lower().split()
        self._list.clear()
        for title, value in self._choices:
            if all(word in title.lower() for word in words):
                item = QListWidgetItem(title, self._list)
                item.setData(Qt.ItemDataRole.UserRole, value)
        self._list.setCurrentRow(0)

    @Slot(QModelIndex)
    def accept(self, index: QModelIndex) -> None:
        item = self._list.item(index.row())
        value = item.data(Qt.ItemDataRole.UserRole)
        self.close()
        self.chosen.emit(value)
