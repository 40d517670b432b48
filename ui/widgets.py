"""The few widgets of which every panel is made."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import (
    QColor,
    QIcon,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ui.theme import theme

CONTROL_HEIGHT = 28


def restyle(widget: QWidget) -> None:
    """Let the stylesheet look again at a widget whose properties changed."""
    widget.style().unpolish(widget)
    widget.style().polish(widget)
    widget.update()


def set_kind(widget: QWidget, kind: str) -> None:
    if widget.property("kind") != kind:
        widget.setProperty("kind", kind)
        restyle(widget)


def label(
    text: str = "", kind: str = "", *, wrap: bool = False, selectable: bool = False
) -> QLabel:
    """A label of a look: title, second, third, small, action, section, error,
    head."""
    result = QLabel(text)
    result.setTextFormat(Qt.TextFormat.PlainText)
    if kind:
        result.setProperty("kind", kind)
    result.setWordWrap(wrap)
    if selectable:
        result.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return result


def scrolled(content: QWidget) -> QScrollArea:
    """``content`` in a frameless area that scrolls up and down alone."""
    area = QScrollArea()
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setWidgetResizable(True)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    content.setProperty("kind", "content")
    policy = content.sizePolicy()
    policy.setHorizontalPolicy(QSizePolicy.Policy.Ignored)  # never wider than what is seen
    content.setSizePolicy(policy)
    content.setAutoFillBackground(False)
    area.viewport().setAutoFillBackground(False)
    area.setWidget(content)
    content.setAutoFillBackground(False)
    return area


def divider() -> QFrame:
    line = QFrame()
    line.setProperty("kind", "divider")
    line.setFixedHeight(1)
    return line


class IconButton(QToolButton):
    """A square button with a line icon; ``text`` is its tooltip and accessible name."""

    def __init__(
        self, icon: str, text: str, parent: QWidget | None = None, *, size: int = CONTROL_HEIGHT
    ) -> None:
        super().__init__(parent)
        self._icon, self._token = icon, "text2"
        self.setToolTip(text)
        self.setAccessibleName(text)
        self.setFixedSize(size, size)
        self.setIconSize(QSize(16, 16))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        theme().changed.connect(self._recolor)
        self._recolor()

    def set_icon(self, icon: str, token: str = "text2") -> None:
        self._icon, self._token = icon, token
        self._recolor()

    @Slot()
    def _recolor(self) -> None:
        self.setIcon(theme().icon(self._icon, self._token))


class Button(QPushButton):
    """A push button whose icon follows the theme. ``kind``: primary, danger, link, chip, row …"""

    def __init__(self, text: str, icon: str = "", kind: str = "", token: str = "text2") -> None:
        super().__init__(text)
        self._icon, self._token = icon, token
        if kind:
            self.setProperty("kind", kind)
        self.setIconSize(QSize(16, 16))
        theme().changed.connect(self._recolor)
        self._recolor()

    def set_icon(self, icon: str, token: str = "text2") -> None:
        self._icon, self._token = icon, token
        self._recolor()

    @Slot()
    def _recolor(self) -> None:
        self.setIcon(theme().icon(self._icon, self._token) if self._icon else QIcon())


class Chip(Button):
    """A small round-ended button or sign: icon and a few words."""

    def __init__(self, text: str = "", icon: str = "", tip: str = "") -> None:
        super().__init__(text, icon, "chip")
        self.setIconSize(QSize(14, 14))
        self.setToolTip(tip)
        self.setAccessibleName(tip or text)


class ElidedLabel(QLabel):
    """A label that shortens its text where there is too little room; the tooltip is ``tip``, or the
    whole of a shortened text."""

    def __init__(self, text: str = "", kind: str = "") -> None:
        super().__init__()
        self._whole = self.tip = ""
        if kind:
            self.setProperty("kind", kind)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.set_text(text)

    def set_text(self, text: str) -> None:
        self._whole = text
        self.setAccessibleName(text)
        self._elide()

    def whole(self) -> str:
        return self._whole

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._elide()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._elide()

    def minimumSizeHint(self) -> QSize:
        return QSize(24, super().minimumSizeHint().height())

    def _elide(self) -> None:
        mode = Qt.TextElideMode.ElideRight
        text = self.fontMetrics().elidedText(self._whole, mode, max(0, self.width()))
        if text != self.text():
            self.setText(text)
        self.setToolTip(self.tip or (self._whole if text != self._whole else ""))


class Segmented(QFrame):
    """A few choices side by side, one of them chosen. ``chosen`` carries its id."""

    chosen = Signal(str)

    def __init__(
        self, choices: Sequence[tuple[str, str]], current: str = "", name: str = ""
    ) -> None:
        super().__init__()
        self.setProperty("kind", "segments")
        self.setAccessibleName(name)
        row = QHBoxLayout(self)
        row.setContentsMargins(2, 2, 2, 2)
        row.setSpacing(2)
        self._group = QButtonGroup(self)
        self._buttons: dict[str, QPushButton] = {}
        for id, text in choices:
            button = QPushButton(text)
            button.setProperty("kind", "segment")
            button.setCheckable(True)
            button.setAccessibleName(f"{name}: {text}" if name else text)
            self._group.addButton(button)
            self._buttons[id] = button
            row.addWidget(button)
        self.set_current(current or choices[0][0])
        self._group.buttonClicked.connect(self._clicked)

    def current(self) -> str:
        return next((id for id, button in self._buttons.items() if button.isChecked()), "")

    def set_current(self, id: str) -> None:
        if id in self._buttons:
            self._buttons[id].setChecked(True)

    def set_shown(self, id: str, shown: bool) -> None:
        """Offer a choice or not."""
        self._buttons[id].setVisible(shown)

    @Slot(object)
    def _clicked(self, _button: object) -> None:
        self.chosen.emit(self.current())


class SearchField(QLineEdit):
    """A line with a magnifying glass. Escape empties it."""

    def __init__(self, placeholder: str) -> None:
        super().__init__()
        self.setPlaceholderText(placeholder)
        self.setAccessibleName(placeholder)
        self.setTextMargins(22, 0, 0, 0)
        theme().changed.connect(self.update)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        painter.drawPixmap(9, (self.height() - 14) // 2, theme().pixmap("search", "text2", 14))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.text():
            self.clear()
            return
        super().keyPressEvent(event)


class ProgressLine(QWidget):
    """A thin bar; ``value`` from 0 to 1."""

    def __init__(self, height: int = 4) -> None:
        super().__init__()
        self._value, self._token = 0.0, "accent"
        self.setFixedHeight(height)
        self.setAccessibleName("Progress")
        theme().changed.connect(self.update)

    def set_value(self, value: float, token: str = "accent") -> None:
        value = min(1.0, max(0.0, value))
        if (value, token) != (self._value, self._token):
            self._value, self._token = value, token
            self.setAccessibleDescription(f"{value:.0%}")
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        area, radius = QRectF(self.rect()), self.height() / 2
        painter.setBrush(theme().color("pressed"))
        painter.drawRoundedRect(area, radius, radius)
        if self._value > 0:
            painter.setBrush(theme().color(self._token))
            area.setWidth(max(2 * radius, area.width() * self._value))
            painter.drawRoundedRect(area, radius, radius)


class Dot(QWidget):
    """A coloured dot: the state of something that is also said in words beside it."""

    def __init__(self, token: str = "text3", size: int = 8) -> None:
        super().__init__()
        self._token = token
        self.setFixedSize(size, size)
        theme().changed.connect(self.update)

    def set_token(self, token: str) -> None:
        if token != self._token:
            self._token = token
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme().color(self._token))
        painter.drawEllipse(QPointF(self.width() / 2, self.height() / 2), 3.5, 3.5)


class Strip(QWidget):
    """The upright strip of a layer family's colour at the left of a name."""

    def __init__(self, color: QColor, width: int = 3, height: int = 16) -> None:
        super().__init__()
        self._color = color
        self.setFixedSize(width, height)

    def set_color(self, color: QColor) -> None:
        self._color = color
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._color)
        painter.drawRoundedRect(QRectF(self.rect()), 1.5, 1.5)


class EmptyState(QWidget):
    """What an empty panel shows: an icon, what to do, and a button that does it."""

    def __init__(
        self,
        icon: str,
        text: str,
        button: str = "",
        callback: Callable[[], object] | None = None,
    ) -> None:
        super().__init__()
        self._icon = icon
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 16, 24, 16)
        column.setSpacing(12)
        column.addStretch()
        self._picture = QLabel()
        self._picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        column.addWidget(self._picture)
        self.text = label(text, "second", wrap=True)
        self.text.setAlignment(Qt.AlignmentFlag.AlignCenter)
        column.addWidget(self.text)
        self.button = Button(button)
        self.button.clicked.connect(self._clicked)
        column.addWidget(self.button, 0, Qt.AlignmentFlag.AlignCenter)
        self.button.setVisible(bool(button))
        column.addStretch()
        self._callback = callback
        theme().changed.connect(self._recolor)
        self._recolor()

    def say(self, text: str, button: str | None = None) -> None:
        """Another sentence, and another button text where one is given ("" hides it)."""
        self.text.setText(text)
        if button is not None:
            self.button.setText(button)
            self.button.setVisible(bool(button))

    @Slot()
    def _clicked(self) -> None:
        if self._callback is not None:
            self._callback()

    @Slot()
    def _recolor(self) -> None:
        self._picture.setPixmap(theme().pixmap(self._icon, "text3", 28))
