"""A framed panel with tabs in its header."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QMetaMethod, Qt, Signal, Slot
from PySide6.QtGui import QContextMenuEvent, QFontMetrics, QMouseEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QMenu,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ui.theme import theme

HEADER_HEIGHT = 36


class Panel(QFrame):
    """A framed panel with a header of tabs (one tab is a title) and room for buttons at its right.

    A page is a widget, or a function that makes it when it is first shown. A double click on the
    header asks to maximise or restore the panel; its context menu also to hide it.
    """

    current_changed = Signal(str)
    maximise_wanted = Signal()
    hide_wanted = Signal()

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("kind", "panel")
        self.setAccessibleName(name)
        self.name = name
        column = QVBoxLayout(self)
        column.setContentsMargins(1, 1, 1, 1)
        column.setSpacing(0)
        self.header = _Header(self)
        column.addWidget(self.header)
        self._pages = QStackedWidget()
        column.addWidget(self._pages, 1)
        self._group = QButtonGroup(self)
        self._tabs: dict[str, Tab] = {}
        self._makers: dict[str, Callable[[], QWidget]] = {}
        self._widgets: dict[str, QWidget] = {}
        self._corners: dict[str, QWidget] = {}

    def add_page(self, id: str, title: str, page: QWidget | Callable[[], QWidget]) -> None:
        tab = Tab(title)
        tab.setAccessibleName(f"{title}, {self.name} panel")
        tab.clicked.connect(self._tab_clicked)
        self._group.addButton(tab)
        self._tabs[id] = tab
        self.header.add_tab(tab)
        if isinstance(page, QWidget):
            self._put(id, page)
        else:
            self._makers[id] = page
        if len(self._tabs) == 1:
            tab.setChecked(True)
            if isinstance(page, QWidget):
                self._pages.setCurrentWidget(page)

    def set_title(self, id: str, title: str) -> None:
        """Name a page anew."""
        self._tabs[id].set_title(title)
        self._tabs[id].setAccessibleName(f"{title}, {self.name} panel")

    def set_shown(self, id: str, shown: bool) -> None:
        """Offer a page or not; where it was the current one, the first that is offered is."""
        self._tabs[id].setVisible(shown)
        offered = [other for other, tab in self._tabs.items() if not tab.isHidden()]
        if offered and self.current() not in offered:
            self.set_current(offered[0])

    def add_right(self, widget: QWidget) -> None:
        """Put ``widget`` at the right of the header."""
        self.header.add_right(widget)

    def set_corner(self, id: str, widget: QWidget) -> None:
        """Put ``widget`` at the right of the header while the page ``id`` is shown."""
        self._corners[id] = widget
        self.add_right(widget)
        widget.setVisible(self.current() == id)

    def ids(self) -> list[str]:
        return list(self._tabs)

    def current(self) -> str:
        return next((id for id, tab in self._tabs.items() if tab.isChecked()), "")

    def page(self, id: str) -> QWidget:
        """The widget of a page, made now where it was not yet."""
        if id not in self._widgets:
            self._put(id, self._makers.pop(id)())
        return self._widgets[id]

    def made(self, id: str) -> QWidget | None:
        """The widget of a page, if it was made already."""
        return self._widgets.get(id)

    def set_current(self, id: str) -> None:
        if id not in self._tabs:
            return
        self._tabs[id].setChecked(True)
        self._pages.setCurrentWidget(self.page(id))
        for other, widget in self._corners.items():
            widget.setVisible(other == id)
        self.current_changed.emit(id)

    def _put(self, id: str, page: QWidget) -> None:
        self._widgets[id] = page
        self._pages.addWidget(page)

    @Slot()
    def _tab_clicked(self) -> None:
        self.set_current(self.current())


class Tab(QToolButton):
    """A panel's tab, as wide as its title, whether chosen or not."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self.setProperty("kind", "tab")
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.set_title(title)

    def set_title(self, title: str) -> None:
        self.setText(title)
        width = QFontMetrics(theme().font(13, 600)).horizontalAdvance(title)
        self.setFixedSize(width + 2, HEADER_HEIGHT)


class _Header(QFrame):
    """The tabs and buttons on top of a panel."""

    def __init__(self, panel: Panel) -> None:
        super().__init__(panel)
        self._panel = panel
        self.setProperty("kind", "header")
        self.setFixedHeight(HEADER_HEIGHT)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(12, 0, 8, 0)
        self._row.setSpacing(16)
        self._tabs = QHBoxLayout()
        self._tabs.setSpacing(16)
        self._row.addLayout(self._tabs)
        self._row.addStretch()
        self._right = QHBoxLayout()
        self._right.setSpacing(2)
        self._row.addLayout(self._right)

    def add_tab(self, tab: QToolButton) -> None:
        self._tabs.addWidget(tab)

    def add_right(self, widget: QWidget) -> None:
        self._right.addWidget(widget)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self._panel.maximise_wanted.emit()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if not self._panel.isSignalConnected(QMetaMethod.fromSignal(self._panel.hide_wanted)):
            return  # one that has its place
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction("Maximise or restore", self._panel.maximise_wanted.emit)
        menu.addAction("Hide", self._panel.hide_wanted.emit)
        menu.popup(event.globalPos())
