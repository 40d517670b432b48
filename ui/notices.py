"""Sentences over the window: what went wrong and the way out. Never modal, never a traceback."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from ui.session import Notice
from ui.theme import theme
from ui.widgets import Button, IconButton, label

WIDTH, TOP, MOST = 620, 68, 3
BRIEF_MS = {"info": 7000, "good": 7000, "warn": 15000}
OFFER_MS = 12000
"""How long good news with something to do about it stay; other offers stay until they are taken."""
ICONS = {"info": "info", "good": "check", "warn": "warning", "bad": "error"}
TOKENS = {"info": "accent", "good": "good", "warn": "warn", "bad": "bad"}


class NoticeBar(QFrame):
    """One sentence with a button and a cross."""

    def __init__(self, notice: Notice, parent: QWidget) -> None:
        super().__init__(parent)
        self.notice = notice
        self.setProperty("kind", "banner")
        self.setAccessibleName(notice.text)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 6, 6, 6)
        row.setSpacing(10)
        self._picture = QLabel()
        row.addWidget(self._picture, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(label(notice.text, wrap=True, selectable=True), 1)
        if notice.action is not None:
            button = Button(notice.action[0])
            button.clicked.connect(self._act)
            row.addWidget(button)
        close = IconButton("close", "Close", size=24)
        close.clicked.connect(self.dismiss)
        row.addWidget(close)
        theme().changed.connect(self._recolor)
        self._recolor()
        if notice.action is None and notice.level in BRIEF_MS:
            QTimer.singleShot(BRIEF_MS[notice.level], self, self.dismiss)
        elif notice.action is not None and notice.level == "good":
            QTimer.singleShot(OFFER_MS, self, self.dismiss)

    def fitted(self, width: int) -> int:
        """Take the height that the sentence needs at ``width``."""
        row = self.layout()
        assert row is not None
        height = max(40, row.totalHeightForWidth(width))
        self.setFixedHeight(height)
        return height

    @Slot()
    def dismiss(self) -> None:
        stack = self.parent()
        if isinstance(stack, Notices):
            stack.take_away(self)

    @Slot()
    def _act(self) -> None:
        action = self.notice.action
        self.dismiss()
        if action is not None:
            action[1]()

    @Slot()
    def _recolor(self) -> None:
        level = self.notice.level
        self._picture.setPixmap(theme().pixmap(ICONS[level], TOKENS[level]))
        self._picture.setContentsMargins(0, 5, 0, 0)


class Notices(QWidget):
    """The newest few notices, under the bar on top, in the middle of the window."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(6)
        self.bars: list[NoticeBar] = []
        window.installEventFilter(self)
        self.hide()

    @Slot(object)
    def show_notice(self, notice: Notice) -> None:
        """Add a notice in place of the one with its key; an empty text only takes that away."""
        for bar in list(self.bars):
            same = bar.notice.key == notice.key if notice.key else bar.notice.text == notice.text
            if same:
                self.take_away(bar)
        if not notice.text:
            return
        bar = NoticeBar(notice, self)
        self.bars.append(bar)
        self._column.addWidget(bar)
        for old in self.bars[:-MOST]:
            self.take_away(old)
        self._place()

    @Slot()
    def withdraw_offers(self) -> None:
        """Another project is open: what could be done was about the one before."""
        for bar in [bar for bar in self.bars if bar.notice.action is not None]:
            self.take_away(bar)

    def take_away(self, bar: NoticeBar) -> None:
        if bar in self.bars:
            self.bars.remove(bar)
            self._column.removeWidget(bar)
            bar.hide()
            bar.deleteLater()
            self._place()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self._place()
        return super().eventFilter(watched, event)

    def _place(self) -> None:
        self.setVisible(bool(self.bars))
        if self.bars:
            width = min(WIDTH, self._window.width() - 32)
            gaps = self._column.spacing() * (len(self.bars) - 1)
            self.resize(width, gaps + sum(bar.fitted(width) for bar in self.bars))
            self.move((self._window.width() - width) // 2, TOP)
            self.raise_()
