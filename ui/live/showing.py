"""A stage for what is no camera's picture: sound, or the rows of a table."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtGui import QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QStackedLayout, QVBoxLayout, QWidget

from ui.data.record.notice import StageNotice
from ui.live.answer_head import AnswerHead
from ui.live.desk import Desk
from ui.live.snapshot import NO_FILM, WidgetKeeper
from ui.live.whole_screen import WholePanel
from ui.widgets import IconButton

ROW = 40
LARGER = 1.6
"""Letters on the whole screen, against those in the window."""


class Showing(QWidget):
    """A row of what is chosen over ``sight``, which can be kept as a picture and fill the screen;
    or over a ``notice`` in its place."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self.setAccessibleName("Stage")
        self.sight, self.notice, self.head = QWidget(), StageNotice(), AnswerHead()
        self.head.painted.connect(desk.painted)
        self.keeper = WidgetKeeper(desk, self.sight)
        self._whole: WholePanel | None = None
        self.snapshot = IconButton("image", "Keep this as a picture (S)")
        self.snapshot.clicked.connect(self.keeper.take_picture)
        self.record = IconButton("record", NO_FILM)
        self.record.setEnabled(False)
        self.whole = IconButton("maximise", "Full screen (F)")
        self.whole.clicked.connect(self.toggle_whole)
        for key, slot in (("S", self.keeper.take_picture), ("F", self.toggle_whole)):
            shortcut = QShortcut(QKeySequence(key), self)
            shortcut.setAutoRepeat(False)
            shortcut.activated.connect(slot)

    def _assemble(self, row: QHBoxLayout) -> None:
        """Put ``row``, with the buttons behind it, over the rest."""
        top = QWidget()
        top.setFixedHeight(ROW)
        top.setLayout(row)
        buttons = QHBoxLayout()
        buttons.setSpacing(2)
        for button in (self.snapshot, self.record, self.whole):
            buttons.addWidget(button)
        row.addLayout(buttons)
        self._middle = QWidget()
        layers = QStackedLayout(self._middle)
        layers.setStackingMode(QStackedLayout.StackingMode.StackAll)
        layers.addWidget(self.notice)
        layers.addWidget(self.sight)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(8, 0, 8, 8)
        self._column.setSpacing(0)
        self._column.addWidget(top)
        self._column.addWidget(self._middle, 1)

    def sizeHint(self) -> QSize:
        return QSize(640, 420)

    # --- the whole screen ---------------------------------------------------------------------

    @Slot()
    def toggle_whole(self) -> None:
        if self._whole is not None:
            self._whole.close()
            return
        self.head.set_scale(LARGER)
        self._whole = WholePanel(self._middle, self)
        self._whole.left.connect(self._whole_left)
        self._whole.pressed.connect(self._pressed)
        self._desk.session.notice.connect(self._whole.hear)
        self._whole.open_on(self)

    @Slot()
    def _whole_left(self) -> None:
        self._whole = None
        self.head.set_scale(1.0)
        self._column.addWidget(self._middle, 1)

    def _leave_whole(self) -> None:
        if self._whole is not None:
            self._whole.close()

    @Slot(int)
    def _pressed(self, key: int) -> None:
        if key in (Qt.Key.Key_Space, Qt.Key.Key_F8):
            self._desk.toggle()
        elif key == Qt.Key.Key_S:
            self.keeper.take_picture()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space:
            self._desk.toggle()
        else:
            super().keyPressEvent(event)
