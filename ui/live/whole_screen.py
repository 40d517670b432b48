"""What is seen live on the whole screen, to be seen by a room."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QCloseEvent, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from ui.data.record.notice import StageNotice
from ui.document import Notice
from ui.live.picture import LiveView, Look
from ui.widgets import label

IDLE_MS, HINT_MS = 2000, 3000
HINT = "Esc leaves the full screen"


class Whole(QWidget):
    """A window of its own with nothing but ``content``. Esc, F or a double click leaves it;
    ``pressed`` carries the other keys. The mouse hides when it rests."""

    left = Signal()
    pressed = Signal(int)

    def __init__(self, content: QWidget, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Live")
        self.setAccessibleName("Live, full screen")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(content)
        self.said = HINT
        """For a moment: how to leave, then what is told over the window, which is behind."""
        self._idle, self._hint = QTimer(self), QTimer(self)
        for timer, after, slot in (
            (self._idle, IDLE_MS, self._hide_mouse),
            (self._hint, HINT_MS, self._hint_over),
        ):
            timer.setSingleShot(True)
            timer.setInterval(after)
            timer.timeout.connect(slot)
            timer.start()
        for widget in (self, content, *content.findChildren(QWidget)):
            widget.setMouseTracking(True)
            widget.installEventFilter(self)

    @property
    def mouse_hidden(self) -> bool:
        return self.cursor().shape() == Qt.CursorShape.BlankCursor

    def open_on(self, widget: QWidget) -> None:
        """Fill the screen that ``widget`` is on."""
        self.setScreen(widget.screen())
        self.setGeometry(widget.screen().geometry())
        self.showFullScreen()
        self.activateWindow()

    @Slot()
    def _hide_mouse(self) -> None:
        self.setCursor(Qt.CursorShape.BlankCursor)

    @Slot(object)
    def hear(self, notice: Notice) -> None:
        """Say what is told in the window, too."""
        if notice.text:
            self.said = notice.text
            self._hint.start()

    @Slot()
    def _hint_over(self) -> None:
        self.said = ""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.MouseMove:
            self.unsetCursor()
            self._idle.start()
        return super().eventFilter(watched, event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        if key in (Qt.Key.Key_Escape, Qt.Key.Key_F, Qt.Key.Key_F11):
            self.close()
        else:
            self.pressed.emit(int(key))

    def closeEvent(self, event: QCloseEvent) -> None:
        self._idle.stop()
        self._hint.stop()
        super().closeEvent(event)
        self.left.emit()


class WholeScreen(Whole):
    """A picture with what is said to it; whoever shows it says the hint upon it."""

    def __init__(self, look: Look, parent: QWidget) -> None:
        self.view = LiveView(look, large=True)
        super().__init__(self.view, parent)
        self.view.double_clicked.connect(self.close)
        self.notice = StageNotice()
        self.notice.setParent(self.view)
        over = QVBoxLayout(self.view)
        over.addWidget(self.notice)


class WholePanel(Whole):
    """What is drawn otherwise, with room around it, on the ground that it has in the window."""

    def __init__(self, content: QWidget, parent: QWidget) -> None:
        super().__init__(content, parent)
        self.setProperty("kind", "bar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        layout = self.layout()
        assert layout is not None
        layout.setContentsMargins(32, 24, 32, 32)
        self._words = label("", "small")
        self._words.setParent(self)
        self._show_words()

    def _show_words(self) -> None:
        self._words.setText(self.said)
        self._words.adjustSize()
        self._words.move((self.width() - self._words.width()) // 2, 8)

    @Slot(object)
    def hear(self, notice: Notice) -> None:
        super().hear(notice)
        self._show_words()

    @Slot()
    def _hint_over(self) -> None:
        super()._hint_over()
        self._show_words()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._show_words()

    def mouseDoubleClickEvent(self, event: object) -> None:
        self.close()
