"""A titled part of a panel, and the small pieces that such parts are made of."""

from __future__ import annotations

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QScrollBar,
    QVBoxLayout,
    QWidget,
)

from ui.theme import LEAST_CONTRAST, contrast, theme
from ui.widgets import label

SPACING = 8


def token_colour(name: str) -> QColor:
    """The colour of a token of the theme ("accent"), or of a layer family ("recurrent")."""
    return theme().color(name) if hasattr(theme().tokens, name) else theme().family(name)


def text_colour(name: str) -> QColor:
    """A token's or a layer family's colour, of the same hue but strong enough for text."""
    shade, panel = token_colour(name), theme().color("panel")
    for _ in range(30):
        if contrast(shade, panel) >= LEAST_CONTRAST:
            break
        if theme().name == "light":
            saturation = min(1.0, shade.saturationF() + 0.05)
            shade = QColor.fromHsvF(shade.hueF(), saturation, shade.valueF() * 0.96)
        else:
            shade = shade.lighter(104)
    return shade


def steady(area: QScrollArea) -> QScrollArea:
    """Keep the room of the scroll bar also where none is needed. Contents whose height follows
    from their width would otherwise make it come and go without end."""
    area.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
    area.setVerticalScrollBar(_QuietBar())
    return area


class _QuietBar(QScrollBar):
    """A scroll bar that cannot be seen where there is nothing to scroll."""

    def __init__(self) -> None:
        super().__init__(Qt.Orientation.Vertical)
        self.rangeChanged.connect(self._adapt)
        self.setEnabled(False)

    @Slot(int, int)
    def _adapt(self, low: int, high: int) -> None:
        self.setEnabled(high > low)


class Figure(QLabel):
    """A live number in a colour of the theme; its room only grows, so that nothing jumps."""

    def __init__(self, name: str, colour: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._colour = colour
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
            self.setMinimumWidth(max(self.minimumWidth(), self.sizeHint().width()) if text else 0)

    @Slot()
    def restyle(self) -> None:
        self.setStyleSheet(f"color: {text_colour(self._colour).name()}; font-size: 12px;")


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
