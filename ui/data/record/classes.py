"""The column of classes, with room for what is done with all of them below."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QMimeData, Signal, Slot
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from ui.data.record.cards import CardWords, ClassCard
from ui.data.record.library import Library
from ui.data.record.thumbnails import Thumbnails
from ui.widgets import Button, divider, label, scrolled

ADD = "Add a class"


class ClassColumn(QWidget):
    """Cards of the classes in ``library``. ``chosen`` is the class whose samples are shown at
    large; the cards' wishes are passed on with the class's name. ``removed`` tells what can be
    taken back, a sentence. Folders that are dropped beside the cards become classes."""

    chosen_changed = Signal()
    held = Signal(str)
    let_go = Signal(str)
    once_wanted = Signal(str)
    burst_wanted = Signal(str)
    folder_wanted = Signal(str)
    removed = Signal(str)
    files_dropped = Signal(str, object)

    def __init__(self, library: Library, thumbnails: Thumbnails, words: CardWords) -> None:
        super().__init__()
        self._library, self._thumbnails, self._words = library, thumbnails, words
        self.cards: list[ClassCard] = []
        self.chosen = ""
        self._to_edit = self._to_choose = ""
        self._to_fill: dict[str, Path] = {}
        self._ready = (False, "")
        self.setAccessibleName("Classes")
        self.setAcceptDrops(True)
        self.head = QHBoxLayout()
        self.head.setContentsMargins(12, 8, 12, 8)
        self.head.setSpacing(8)
        self.total = label("", "second")
        self.head.addStretch(1)
        self.head.addWidget(self.total)
        content = QWidget()
        self._list = QVBoxLayout(content)
        self._list.setContentsMargins(0, 0, 0, 12)
        self._list.setSpacing(0)
        self.add = Button(ADD, "plus", "dashed")
        self.add.clicked.connect(self.add_class)
        around = QVBoxLayout()
        around.setContentsMargins(12, 12, 12, 0)
        around.addWidget(self.add)
        self._list.addLayout(around)
        self._list.addStretch(1)
        self.area = scrolled(content)
        self.foot = QVBoxLayout()
        self.foot.setContentsMargins(12, 12, 12, 12)
        self.foot.setSpacing(8)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self._line = divider()
        column.addLayout(self.head)
        column.addWidget(self._line)
        column.addWidget(self.area, 1)
        column.addWidget(divider())
        column.addLayout(self.foot)
        library.changed.connect(self.refresh)
        self.refresh()

    def without_head(self) -> QLabel:
        """Take the head off: what stands in it, the number of samples, is shown elsewhere."""
        self.head.removeWidget(self.total)
        self.head.setContentsMargins(0, 0, 0, 0)
        self._line.hide()
        return self.total

    def card(self, name: str) -> ClassCard | None:
        return next((card for card in self.cards if card.name == name), None)

    @Slot()
    def refresh(self) -> None:
        """Show the classes as they are now."""
        names = self._library.names if self._library.ready else []
        while len(self.cards) > len(names):
            card = self.cards.pop()
            self._list.removeWidget(card)
            card.hide()
            card.deleteLater()
        while len(self.cards) < len(names):
            self._add_card()
        for index, (card, name) in enumerate(zip(self.cards, names, strict=True)):
            files = self._library.files(name)
            card.show_class(name, index, files, len(files))
        total = self._library.total
        self.total.setText(f"{total:,} {'sample' if total == 1 else 'samples'}")
        for name in [name for name in names if name in self._to_fill]:
            self.files_dropped.emit(name, [self._to_fill.pop(name)])
        if self._to_choose in names:
            self.choose(self._to_choose)
            self._to_choose = ""
        if self.chosen not in names:
            self.choose(names[0] if names else "")
        self._mark()
        edited = self.card(self._to_edit)
        if edited is not None:
            self._to_edit = ""
            self.choose(edited.name)
            edited.edit_name()
            self.area.ensureWidgetVisible(edited)

    def set_ready(self, ready: bool, reason: str = "") -> None:
        """Whether there is something to record from."""
        if (ready, reason) != self._ready:
            self._ready = (ready, reason)
            for card in self.cards:
                card.set_ready(ready, reason)

    @Slot(str)
    def choose(self, name: str) -> None:
        if name != self.chosen:
            self.chosen = name
            self._mark()
            self.chosen_changed.emit()

    def choose_later(self, name: str) -> None:
        """Choose a class, as soon as there is one of that name."""
        self._to_choose = name
        self.refresh()

    @Slot()
    def add_class(self) -> None:
        """A new class, its name ready to be typed."""
        names = {name.casefold() for name in self._library.names}
        number = len(names) + 1
        while f"class {number}" in names:
            number += 1
        self._to_edit = f"Class {number}"
        self._library.add(self._to_edit)

    def _mark(self) -> None:
        for card in self.cards:
            card.set_chosen(card.name == self.chosen)

    def _add_card(self) -> None:
        card = ClassCard(self._thumbnails, self._words)
        card.picked.connect(self.choose)
        card.renamed.connect(self._rename)
        card.removed.connect(self._remove)
        card.emptied.connect(self._empty)
        card.files_wanted.connect(self._add_files)
        card.contents_wanted.connect(self._add_contents)
        card.dropped.connect(self._moved)
        for ours, its in (
            (self.held, card.held),
            (self.let_go, card.let_go),
            (self.once_wanted, card.once_wanted),
            (self.burst_wanted, card.burst_wanted),
            (self.folder_wanted, card.folder_wanted),
            (self.files_dropped, card.files_dropped),
        ):
            its.connect(ours)
        card.set_ready(*self._ready)
        self._list.insertWidget(len(self.cards), card)
        self.cards.append(card)

    @Slot(str, str)
    def _rename(self, name: str, to: str) -> None:
        if self.chosen == name:
            self.chosen = to
        self._library.rename(name, to)

    @Slot(str)
    def _remove(self, name: str) -> None:
        count = len(self._library.files(name))
        self._library.remove(name)
        if count:
            self.removed.emit(f"“{name}” is removed with its {_samples(count)}.")

    @Slot(str)
    def _empty(self, name: str) -> None:
        files = list(self._library.files(name))
        if files:
            self._library.delete(files)
            what = "is" if len(files) == 1 else "are"
            self.removed.emit(f"{_samples(len(files))} of “{name}” {what} deleted.")

    @Slot(str)
    def _add_files(self, name: str) -> None:
        title = f"Add files to {name}"
        paths = QFileDialog.getOpenFileNames(self.window(), title, str(Path.home()))[0]
        if paths:
            self.files_dropped.emit(name, [Path(path) for path in paths])

    @Slot(str)
    def _add_contents(self, name: str) -> None:
        title = f"Add the files of a folder to {name}"
        path = QFileDialog.getExistingDirectory(self.window(), title, str(Path.home()))
        if path:
            self.files_dropped.emit(name, [Path(path)])

    # --- folders beside the cards -------------------------------------------------------------

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if folders(event.mimeData()):
            event.acceptProposedAction()
            self.add.setText("Drop: each folder becomes a class")

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self.add.setText(ADD)

    def dropEvent(self, event: QDropEvent) -> None:
        self.add.setText(ADD)
        self.drop(event.mimeData())
        event.acceptProposedAction()

    def drop(self, data: QMimeData) -> None:
        """Make classes of folders, with the pictures or sounds in them."""
        for folder in folders(data):
            if folder.name in self._library.names:
                self.files_dropped.emit(folder.name, [folder])
            else:
                self._to_fill[folder.name] = folder
                self._library.add(folder.name)

    @Slot(str, object)
    def _moved(self, to: str, paths: object) -> None:
        assert isinstance(paths, list)
        self._library.move([path for path in paths if path.parent.name != to], to)


def folders(data: QMimeData) -> list[Path]:
    """The folders among what is dragged."""
    paths = [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
    return [path for path in paths if path.is_dir()]


def _samples(count: int) -> str:
    return f"{count:,} sample{'s' if count != 1 else ''}"
