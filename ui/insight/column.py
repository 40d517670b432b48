"""A titled part of a panel, and the small pieces that all parts are made of."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ui.theme import LEAST_CONTRAST, contrast, theme

SPACING = 8


def label(text: str = "", kind: str = "", *, wrap: bool = False) -> QLabel:
    """Plain text; ``kind`` is one of the stylesheet's ("title", "second", "third", "small")."""
    made = QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    if kind:
        made.setProperty("kind", kind)
    made.setWordWrap(wrap)
    return made


class Elided(QLabel):
    """One line that ends in … where there is no room, with the whole text as a tooltip."""

    def __init__(self, text: str = "", kind: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        if kind:
            self.setProperty("kind", kind)
        self.setMinimumWidth(16)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def minimumSizeHint(self) -> QSize:
        return QSize(16, super().minimumSizeHint().height())

    def setText(self, text: str) -> None:
        if text != self.text():
            super().setText(text)
            self._explain()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._explain()

    def _explain(self) -> None:
        cut = QFontMetricsF(self.font()).horizontalAdvance(self.text()) > self.width()
        self.setToolTip(self.text() if cut else "")

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setFont(self.font())
        painter.setPen(self.palette().color(self.foregroundRole()))
        text = painter.fontMetrics().elidedText(
            self.text(), Qt.TextElideMode.ElideRight, self.width()
        )
        painter.drawText(self.rect(), int(self.alignment() | Qt.AlignmentFlag.AlignVCenter), text)


class Figure(QLabel):
    """A live number in a colour of the theme; its room only grows, so that nothing jumps."""

    def __init__(self, name: str, colour: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._colour = colour
        self._shown = ""
        self.setAccessibleName(name)
        self.setTextFormat(Qt.TextFormat.PlainText)
        theme().changed.connect(self.restyle)
        self.restyle()

    def set_colour(self, colour: str) -> None:
        if colour != self._colour:
            self._colour = colour
            self.restyle()

    def show_text(self, text: str) -> None:
        if text != self.text():
            self.setText(text)
            self.setMinimumWidth(max(self.minimumWidth() if text else 0, self.sizeHint().width()))

    @Slot()
    def restyle(self) -> None:
        self.setStyleSheet(f"color: {text_colour(self._colour).name()}; font-size: 12px;")


def text_colour(name: str) -> QColor:
    """A token's or a layer family's colour, of the same hue but strong enough for text."""
    shade = theme().color(name) if hasattr(theme().tokens, name) else theme().family(name)
    panel = theme().color("panel")
    for _ in range(30):
        if contrast(shade, panel) >= LEAST_CONTRAST:
            break
        shade = shade.darker(104) if theme().name == "light" else shade.lighter(104)
    return shade


class PlainButton(QPushButton):
    """A button that looks like strong text; a line under it shows that it can be pressed."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        theme().changed.connect(self.restyle)
        self.restyle()

    @Slot()
    def restyle(self) -> None:
        text = theme().tokens.text
        self.setStyleSheet(
            f"QPushButton {{ background: transparent; border: none; padding: 0; color: {text};"
            " font-size: 12px; font-weight: 600; }"
            " QPushButton:hover, QPushButton:focus { text-decoration: underline; }"
        )


def icon_button(
    icon: str, name: str, callback: Callable[[], object], *, checkable: bool = False
) -> QToolButton:
    """A button of one icon, 28 px square; ``name`` is its tooltip and accessible name."""
    button = IconButton(icon)
    button.setAccessibleName(name)
    button.setToolTip(name)
    button.setCheckable(checkable)
    button.clicked.connect(callback)
    return button


class IconButton(QToolButton):
    """A tool button whose icon follows the theme."""

    def __init__(self, icon: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._icon = icon
        self.setFixedSize(28, 28)
        self.setIconSize(QSize(16, 16))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        theme().changed.connect(self.restyle)
        self.restyle()

    @Slot()
    def restyle(self) -> None:
        self.setIcon(theme().icon(self._icon))


class Column(QWidget):
    """A row of title, detail and extras above a body that takes the rest."""

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = label(title, "title")
        self.head = QHBoxLayout()
        self.head.setContentsMargins(0, 0, 0, 0)
        self.head.setSpacing(10)
        self.head.addWidget(self.title)
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(0, 0, 0, 0)
        self.body.setSpacing(SPACING)
        row = QWidget()
        row.setFixedHeight(28)
        row.setLayout(self.head)
        self.body.addWidget(row)
        self.setAccessibleName(title)
