"""The classes as cards: name, count, newest samples, and the button that records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QEvent, QMimeData, QObject, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import (
    QColor,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QMenu, QVBoxLayout, QWidget

from ui.data.record.grid import paint_thumbnail, unpacked
from ui.data.record.hold import HoldButton
from ui.data.record.thumbnails import Thumbnails
from ui.insight.column import token_colour
from ui.theme import theme
from ui.widgets import IconButton, Strip, label

COLOURS = (
    "recurrent", "accent", "dense", "attention", "pooling", "merge", "activation", "normalization",
)  # fmt: skip
KEYS = "1234567890"
THUMB, THUMB_GAP = 52, 4


@dataclass(frozen=True)
class CardWords:
    """What the buttons of a card are called."""

    hold: str
    once: str
    once_icon: str
    burst: str


def class_colour(index: int) -> QColor:
    return token_colour(COLOURS[index % len(COLOURS)])


class NewestStrip(QWidget):
    """The newest samples side by side, as many as fit."""

    def __init__(self, thumbnails: Thumbnails) -> None:
        super().__init__()
        self._thumbnails = thumbnails
        self._paths: Sequence[Path] = ()
        self.setFixedHeight(THUMB)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        thumbnails.arrived.connect(self.update)
        theme().changed.connect(self.update)

    def sizeHint(self) -> QSize:
        return QSize(5 * (THUMB + THUMB_GAP), THUMB)

    def show_paths(self, paths: Sequence[Path]) -> None:
        self._paths = paths[-40:]
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        fits = max(1, (self.width() + THUMB_GAP) // (THUMB + THUMB_GAP))
        side = (self.width() - (fits - 1) * THUMB_GAP) / fits
        newest = self._paths[-fits:]
        for place in range(fits):
            rect = QRectF(place * (side + THUMB_GAP), 0, side, self.height())
            if place < len(newest):
                paint_thumbnail(painter, rect, self._thumbnails.get(newest[-1 - place]))
            else:
                painter.setPen(QPen(theme().color("line"), 1, Qt.PenStyle.DashLine))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRoundedRect(rect.adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)


class NameField(QLineEdit):
    """A name that looks like a title until it is edited; ``named`` when it was."""

    named = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._name = ""
        self._clicked = False
        self.setMaxLength(80)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setStyleSheet(
            "QLineEdit { background: transparent; border: 1px solid transparent; font-weight: 600;"
            " padding: 0 3px; min-height: 22px; }"
        )
        self.editingFinished.connect(self._finished)

    def paintEvent(self, event: QPaintEvent) -> None:
        """A name that is too long ends with dots; whole while it is edited."""
        room = self.rect().adjusted(6, 0, -4, 0)
        if self.hasFocus() or self.fontMetrics().horizontalAdvance(self.text()) <= room.width():
            super().paintEvent(event)
            return
        painter = QPainter(self)
        painter.setPen(theme().color("text"))
        text = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, text)

    def set_name(self, name: str) -> None:
        self._name = name
        self.setAccessibleName(f"Name of the class {name}")
        self.setToolTip(f"{name}: click, or press F2, to rename the class")
        if not self.isModified() or not self.hasFocus():
            self.setText(name)
            self.setCursorPosition(0)
            self.setModified(False)

    def focusInEvent(self, event: QFocusEvent) -> None:
        self._clicked = event.reason() == Qt.FocusReason.MouseFocusReason
        super().focusInEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """After the click that begins it, what is typed takes the name's place."""
        super().mouseReleaseEvent(event)
        if self._clicked and not self.hasSelectedText():
            self.selectAll()
        self._clicked = False

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.setModified(False)
            self.set_name(self._name)
        if event.key() in (Qt.Key.Key_Escape, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._finished()
            page = self.parentWidget()
            if page is not None:
                page.setFocus(Qt.FocusReason.OtherFocusReason)
            return
        super().keyPressEvent(event)

    @Slot()
    def _finished(self) -> None:
        name, modified = self.text().strip(), self.isModified()
        self.setModified(False)
        if modified and name and name != self._name:
            self.named.emit(name)
        else:
            self.set_name(self._name)


class ClassCard(QFrame):
    """One class. ``dropped`` carries samples of the page, ``files_dropped`` those from outside;
    ``files_wanted`` and ``contents_wanted`` ask for files, or a folder's, to be added."""

    picked = Signal(str)
    renamed = Signal(str, str)
    removed = Signal(str)
    emptied = Signal(str)
    files_wanted = Signal(str)
    contents_wanted = Signal(str)
    held = Signal(str)
    let_go = Signal(str)
    once_wanted = Signal(str)
    burst_wanted = Signal(str)
    folder_wanted = Signal(str)
    dropped = Signal(str, object)
    files_dropped = Signal(str, object)

    def __init__(self, thumbnails: Thumbnails, words: CardWords) -> None:
        super().__init__()
        self.name, self._words, self._recording = "", words, ""
        self._chosen = self._target = False
        self.setAcceptDrops(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._build(thumbnails)
        theme().changed.connect(self.update)

    def _build(self, thumbnails: Thumbnails) -> None:
        self.strip = Strip(class_colour(0))
        self.title = NameField()
        self.count = label("", "second")
        self.more = IconButton("more", "More", size=24)
        self.more.setPopupMode(IconButton.ToolButtonPopupMode.InstantPopup)
        self.more.setMenu(self._menu())
        head = QHBoxLayout()
        head.setSpacing(4)
        for widget in (self.strip, self.title, self.count, self.more):
            head.addWidget(widget, 1 if widget is self.title else 0)
        self.newest = NewestStrip(thumbnails)
        self.hold = HoldButton(self._words.hold)
        self.hold.setMinimumHeight(32)
        self.once = IconButton(self._words.once_icon, self._words.once, size=32)
        self.burst = IconButton("clock", self._words.burst, size=32)
        buttons = QHBoxLayout()
        buttons.setSpacing(4)
        buttons.addWidget(self.hold, 1)
        buttons.addWidget(self.once)
        buttons.addWidget(self.burst)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 8, 12, 12)
        column.setSpacing(8)
        column.addLayout(head)
        column.addWidget(self.newest)
        column.addLayout(buttons)
        self.title.named.connect(self._named)
        self.title.installEventFilter(self)
        self.hold.held.connect(self._held)
        self.hold.let_go.connect(self._let_go)
        self.once.clicked.connect(self._once)
        self.burst.clicked.connect(self._burst)

    def _menu(self) -> QMenu:
        menu = QMenu(self)
        menu.addAction("Add files …", self._add_files)
        menu.addAction("Add a folder's files …", self._add_contents)
        menu.addSeparator()
        menu.addAction("Rename", self.edit_name)
        menu.addAction("Open its folder", self._folder)
        menu.addSeparator()
        menu.addAction("Delete its samples", self._empty)
        menu.addAction("Remove the class", self._remove)
        return menu

    def show_class(self, name: str, index: int, paths: Sequence[Path], total: int) -> None:
        """A class by its name, its place in the list and its files."""
        self.name = name
        self.setAccessibleName(f"Class {name}, {total:,} samples")
        self.title.set_name(name)
        self.strip.set_color(class_colour(index))
        self.count.setText(f"{total:,} {'sample' if total == 1 else 'samples'}")
        key = KEYS[index] if index < len(KEYS) else ""
        self.hold.setAccessibleName(f"Hold to record {name}")
        keys = f"Hold this button, or the key {key}" if key else "Hold this button"
        self.hold.setToolTip(f"{keys}; Space records the chosen class")
        for button, words in ((self.once, self._words.once), (self.burst, self._words.burst)):
            button.setAccessibleName(f"{words}: {name}")
        self.more.setAccessibleName(f"More for the class {name}")
        self.hold.set_key(key)
        self.newest.show_paths(paths)

    def show_recording(self, text: str) -> None:
        """What the button says while it records; "" where it does not."""
        if text != self._recording:
            self._recording = text
            self.hold.show_state(text or self._words.hold, bool(text))

    def set_chosen(self, chosen: bool) -> None:
        if chosen != self._chosen:
            self._chosen = chosen
            self.update()

    def set_ready(self, ready: bool, reason: str) -> None:
        """Whether there is something to record from; ``reason`` says why not."""
        for button in (self.hold, self.once, self.burst):
            button.setEnabled(ready)
        self.setAccessibleDescription("" if ready else reason)

    # --- dropping -----------------------------------------------------------------------------

    def drop(self, data: QMimeData) -> bool:
        """Take what was dropped here; False where it is nothing for a class."""
        own = unpacked(data)
        if own:
            self.dropped.emit(self.name, own)
            return True
        paths = [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
        if paths:
            self.files_dropped.emit(self.name, paths)
        return bool(paths)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        data = event.mimeData()
        if unpacked(data) or any(url.isLocalFile() for url in data.urls()):
            event.acceptProposedAction()
            self._mark(True)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._mark(False)

    def dropEvent(self, event: QDropEvent) -> None:
        self._mark(False)
        if self.drop(event.mimeData()):
            event.acceptProposedAction()

    def _mark(self, target: bool) -> None:
        self._target = target
        self.update()

    # --- events -------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        if self._target or self._chosen:
            painter.fillRect(self.rect(), theme().color("pressed" if self._target else "raised"))
        if self.hasFocus():
            painter.setPen(theme().color("accent"))
            painter.drawRect(self.rect().adjusted(0, 0, -1, -2))
        painter.fillRect(0, self.height() - 1, self.width(), 1, theme().color("line"))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.picked.emit(self.name)

    def focusInEvent(self, event: QEvent) -> None:
        self.picked.emit(self.name)
        self.update()

    def focusOutEvent(self, event: QEvent) -> None:
        self.update()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.FocusIn:
            self.picked.emit(self.name)
        return super().eventFilter(watched, event)

    @Slot()
    def edit_name(self) -> None:
        self.title.setFocus(Qt.FocusReason.OtherFocusReason)
        self.title.selectAll()

    @Slot(str)
    def _named(self, name: str) -> None:
        self.renamed.emit(self.name, name)

    @Slot()
    def _held(self) -> None:
        self.picked.emit(self.name)
        self.held.emit(self.name)

    @Slot()
    def _let_go(self) -> None:
        self.let_go.emit(self.name)

    @Slot()
    def _once(self) -> None:
        self.picked.emit(self.name)
        self.once_wanted.emit(self.name)

    @Slot()
    def _burst(self) -> None:
        self.picked.emit(self.name)
        self.burst_wanted.emit(self.name)

    @Slot()
    def _folder(self) -> None:
        self.folder_wanted.emit(self.name)

    @Slot()
    def _add_files(self) -> None:
        self.files_wanted.emit(self.name)

    @Slot()
    def _add_contents(self) -> None:
        self.contents_wanted.emit(self.name)

    @Slot()
    def _empty(self) -> None:
        self.emptied.emit(self.name)

    @Slot()
    def _remove(self) -> None:
        self.removed.emit(self.name)
