"""A button that does something for as long as it is held."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRectF, Qt, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QHideEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
)

from ui.theme import theme
from ui.widgets import Button, set_kind

KEYS = (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter)
_BEGIN = (QEvent.Type.TouchBegin,)
_END = (QEvent.Type.TouchEnd, QEvent.Type.TouchCancel)


class HoldButton(Button):
    """Held by the mouse, a finger or a key: ``held`` when that begins, ``let_go`` when it ends.

    A pointer that slides off the button goes on holding it; losing the focus or being hidden lets
    go.
    """

    held = Signal()
    let_go = Signal()

    def __init__(self, text: str, icon: str = "") -> None:
        super().__init__(text, icon)
        self._held, self._key = False, ""
        self.setAttribute(Qt.WidgetAttribute.WA_AcceptTouchEvents)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    @property
    def is_held(self) -> bool:
        return self._held

    def set_key(self, key: str) -> None:
        """The key that does the same, drawn at the right."""
        if key != self._key:
            self._key = key
            self.update()

    def show_state(self, text: str, recording: bool) -> None:
        """Say what it does now; red while it records."""
        self.setText(f"●  {text}" if recording else text)
        set_kind(self, "danger" if recording else "")

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._key and self.property("kind") != "danger":
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            cap = QRectF(self.width() - 26, (self.height() - 18) / 2, 18, 18)
            painter.setPen(theme().color("line"))
            painter.setBrush(theme().color("panel"))
            painter.drawRoundedRect(cap.adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
            painter.setPen(theme().color("text2" if self.isEnabled() else "text3"))
            painter.setFont(theme().mono(11))
            painter.drawText(cap, Qt.AlignmentFlag.AlignCenter, self._key)

    def _begin(self) -> None:
        if not self._held and self.isEnabled():
            self._held = True
            self.setDown(True)
            self.held.emit()

    def _end(self) -> None:
        if self._held:
            self._held = False
            self.setDown(False)
            self.let_go.emit()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._begin()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        event.accept()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._end()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() not in KEYS:
            super().keyPressEvent(event)
        elif not event.isAutoRepeat():
            self._begin()

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.key() not in KEYS:
            super().keyReleaseEvent(event)
        elif not event.isAutoRepeat():
            self._end()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self._end()
        super().focusOutEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:
        self._end()
        super().hideEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.EnabledChange and not self.isEnabled():
            self._end()

    def event(self, event: QEvent) -> bool:
        if event.type() in _BEGIN:
            event.accept()
            self._begin()
            return True
        if event.type() in _END:
            event.accept()
            self._end()
            return True
        return super().event(event)
