"""Asking the trained network about something of one's own, with its answer beside it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PySide6.QtCore import QMimeData, QTimer, Slot
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QShowEvent
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from models.axes import Kind
from playground.answers import Classes
from playground.data.dataset import Column, Dataset
from playground.data.reading import RowReading
from playground.data.sound_files import SUFFIXES
from playground.data.text_reading import TextReading
from playground.live.errors import LiveError
from playground.live.intake import live_input
from playground.messages import Answered, Array, State
from ui.insight.answer_view import AnswerView
from ui.insight.fetch import Fetch
from ui.insight.input_sound import SoundInput
from ui.insight.input_text import TextInput
from ui.insight.input_video import VideoInput
from ui.insight.inputs import PictureInput, RowInput, SeriesInput
from ui.insight.sample_pictures import is_picture
from ui.session import Session
from ui.widgets import Button, ElidedLabel, EmptyState, IconButton, label

UNTRAINED = "Train the network, then try it here on something of your own."
PICTURES = "Images (*.png *.jpg *.jpeg *.bmp *.webp *.gif *.tif *.tiff);;All files (*)"
TABLES = "Tables (*.csv *.tsv *.txt);;All files (*)"
TEXTS = "Texts (*.txt *.csv *.tsv *.parquet);;All files (*)"
CLIPS = "Clips (*.mp4 *.m4v *.mov *.avi *.mkv *.webm *.gif *.mpg *.mpeg *.wmv);;All files (*)"
SCANS = "Scans (*.dcm *.nii *.nii.gz);;All files (*)"
SOUNDS = f"Sounds ({' '.join(f'*{suffix}' for suffix in SUFFIXES)});;All files (*)"
PATIENCE_MS = 2000


class TryPanel(QWidget):
    """Input at the left, the network's answer at the right, live while one draws or types."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._asked, self._answered = 0, 0
        self._waiting: Array | None = None
        self._true: Array | None = None
        self._offered: list[tuple[str, Array]] = []
        self._column: Column | None = None
        self._patience = QTimer(self)
        self._patience.setSingleShot(True)
        self._patience.setInterval(PATIENCE_MS)
        self._patience.timeout.connect(self._send)
        self._fetch = Fetch(self)
        self._fetch.done.connect(self._fetched)
        self._fetch.failed.connect(self._not_read)
        self.setAccessibleName("Try")
        self.setAcceptDrops(True)
        self._build()
        self._connect()
        self._prepare()

    def _build(self) -> None:
        self.picture, self.row, self.series = PictureInput(), RowInput(), SeriesInput()
        self.text, self.clip, self.sound = TextInput(), VideoInput(), SoundInput()
        self.open = Button("Open a file …", "folder")
        self.sample = Button("Take the sample", "target")
        self.sample.setToolTip("Ask about the sample that all views look at")
        self.pick = QComboBox()
        self.pick.setAccessibleName("Which of the values in the file")
        self.pick.setMaximumWidth(260)
        self.source = ElidedLabel("", "small")
        head = QHBoxLayout()
        head.setSpacing(8)
        for widget in (self.open, self.sample, self.pick):
            head.addWidget(widget)
        head.addWidget(self.source, 1)
        self._inputs = QStackedWidget()
        for page in (self.picture, self.row, self.series, self.text, self.clip, self.sound):
            self._inputs.addWidget(page)
        left = QVBoxLayout()
        left.setSpacing(10)
        left.addLayout(head)
        left.addWidget(self._inputs, 1)
        self.answer = AnswerView()
        self.heading = label("Answer", "title")
        self.verdict = ElidedLabel("", "second")
        self.live = IconButton("camera", "Run this network live")
        self.live.clicked.connect(self._run_live)
        self.again = IconButton("refresh", "Ask again")
        titles = QHBoxLayout()
        titles.setSpacing(10)
        titles.addWidget(self.heading)
        titles.addWidget(self.verdict, 1)
        titles.addWidget(self.live)
        titles.addWidget(self.again)
        right = QVBoxLayout()
        right.setSpacing(10)
        right.addLayout(titles)
        right.addWidget(self.answer, 1)
        self._body = QWidget()
        row = QHBoxLayout(self._body)
        row.setContentsMargins(16, 8, 16, 12)
        row.setSpacing(36)
        row.addLayout(left, 5)
        row.addLayout(right, 4)
        self.empty = EmptyState("wand", UNTRAINED, "Run", self._session.run)
        self._pages = QStackedWidget()
        self._pages.addWidget(self.empty)
        self._pages.addWidget(self._body)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._pages)

    def _connect(self) -> None:
        session = self._session
        for page in (self.picture, self.row, self.series, self.text, self.clip, self.sound):
            page.changed.connect(self._ask)
        self.text.typed.connect(self._typed)
        self.open.clicked.connect(self._choose_file)
        self.sample.clicked.connect(self.take_sample)
        self.pick.activated.connect(self._picked)
        self.again.clicked.connect(self._ask_again)
        session.dataset_changed.connect(self._prepare)
        session.state_changed.connect(self._state_changed)
        session.project_changed.connect(self._prepare)
        session.bridge.answered.connect(self._on_answered)
        session.bridge.loaded.connect(self._state_changed)
        session.bridge.snapshot.connect(self._weights_changed)

    # What can be asked --------------------------------------------------------------------------

    @Slot()
    def _prepare(self) -> None:
        """Offer the input that the data has."""
        dataset = self._session.dataset
        self._waiting, self._true, self._offered = None, None, []
        self.pick.hide()
        self.source.set_text("")
        self._column = next(iter(dataset.inputs.values())) if dataset is not None else None
        if self._column is not None:
            self._input().prepare(self._column)
            self._inputs.setCurrentWidget(self._input())
            self.open.setText(f"Open {self._word()} …")
            self.open.setVisible(self._column.reading is not None)
            self.live.setVisible(answers_live(dataset))
            if self._input() is not self.picture:
                self.take_sample()
        self._state_changed()

    def _word(self) -> str:
        """What is opened, in sentences."""
        assert self._column is not None
        if self._input() is self.clip:
            return "a clip" if self._column.shape.kind is Kind.VIDEO else "a scan"
        words = {self.picture: "an image", self.text: "a text", self.sound: "a sound"}
        return words.get(self._input(), "a table")

    def _input(self) -> PictureInput | RowInput | SeriesInput | TextInput | VideoInput | SoundInput:
        assert self._column is not None
        if isinstance(self._column.reading, TextReading):
            return self.text
        if getattr(self._column.reading, "kind", "") == "sound":
            return self.sound
        if self._column.shape.kind is Kind.IMAGE:
            return self.picture
        if is_picture(self._column.shape):
            return self.clip
        return self.row if isinstance(self._column.reading, RowReading) else self.series

    @Slot()
    def _state_changed(self, *_: object) -> None:
        session = self._session
        trained = session.run_folder is not None or session.state.busy
        usable = trained and self._column is not None
        self.empty.say(UNTRAINED if session.dataset is not None else session.data_message, "Run")
        self._pages.setCurrentWidget(self._body if usable else self.empty)
        if usable and not session.state.busy and self.isVisible():
            self._ask_again()

    @Slot()
    def _run_live(self) -> None:
        self._session.reveal.emit("recognise:network")

    @Slot()
    def _weights_changed(self) -> None:
        """While a run goes on, the answer follows what the network learns."""
        if self._session.state is State.RUNNING and self.isVisible():
            self._ask_again()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._pages.currentWidget() is self._body:
            self._ask_again()

    @Slot()
    def take_sample(self) -> None:
        """Ask about the sample that all views look at, whose true answer is known."""
        dataset, column = self._session.dataset, self._column
        if dataset is None or column is None or not len(dataset):
            return
        index = np.array([self._session.sample], np.int64)
        self.source.set_text(f"sample {index[0] + 1:,} · {dataset.describe(int(index[0]))}")
        self.pick.hide()
        true = dataset.target.take(index)[0] if not dataset.target.lazy else None

        def read() -> list[tuple[str, Array]]:
            value = column.take(index)[0]
            return [("", value if column.lengths is None else value[: column.lengths[index[0]]])]

        if column.lazy:
            self._fetch.start(read)
        else:
            self._show(read()[0][1], column.texts[index[0]] if column.texts else None)
            self._true = true

    @Slot()
    def _choose_file(self) -> None:
        if self._column is None:
            return
        clips = CLIPS if self._column.shape.kind is Kind.VIDEO else SCANS
        kinds = {
            self.picture: PICTURES,
            self.text: TEXTS,
            self.clip: clips,
            self.sound: SOUNDS,
        }
        filters = kinds.get(self._input(), TABLES)
        chosen = QFileDialog.getOpenFileName(self, "Ask the network about a file", "", filters)[0]
        if chosen:
            self.open_file(Path(chosen))

    def open_file(self, path: Path) -> None:
        """Ask about a file: a picture, or the rows or series of a table."""
        if self._column is None or self._column.reading is None:
            return
        reading = self._column.reading
        self.source.set_text(path.name)
        self._fetch.start(lambda: reading.read(str(path)))

    @Slot(object)
    def _fetched(self, offered: list[tuple[str, Array]]) -> None:
        self._offered = offered
        self.pick.clear()
        for name, _ in offered:
            self.pick.addItem(Path(name).name)
        self.pick.setVisible(len(offered) > 1)
        if offered:
            self._picked(0)

    @Slot(int)
    def _picked(self, index: int) -> None:
        self._show(self._offered[index][1])

    @Slot(str)
    def _not_read(self, text: str) -> None:
        self.answer.say(text)

    @Slot()
    def _typed(self) -> None:
        """What is typed is no sample or file any more."""
        self.source.set_text("")
        self.pick.hide()

    def _show(self, value: Array, text: str | None = None) -> None:
        self._true = None
        page = self._input()
        if isinstance(page, TextInput):
            page.show_value(value, text)
        else:
            page.show_value(value)

    # Dropping files -----------------------------------------------------------------------------

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if self._column is not None and dropped_file(event.mimeData()) is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        path = dropped_file(event.mimeData())
        if path is not None:
            event.acceptProposedAction()
            self.open_file(path)

    # Asking and answering -----------------------------------------------------------------------

    @Slot(object)
    def _ask(self, value: Array | None) -> None:
        """Ask about ``value``; while a question is open, only the newest waits."""
        self._true = None
        self._waiting = value
        if value is None:
            self.verdict.set_text("")
            self.answer.say(self._invitation())
        elif not self._patience.isActive():
            self._send()

    @Slot()
    def _ask_again(self) -> None:
        if self._column is not None:
            true = self._true
            self._ask(self._input().value)
            self._true = true

    @Slot()
    def _send(self) -> None:
        value, self._waiting = self._waiting, None
        if value is None or self._column is None or not self._session.is_open:
            return
        self._asked += 1
        self._patience.start()
        page = self._input()
        raw = page.question if isinstance(page, TextInput) else value[None]
        self._session.worker.predict(("try", self._asked), {self._column.name: raw})

    @Slot(object)
    def _on_answered(self, message: Answered) -> None:
        token = message.token
        if not (isinstance(token, tuple) and token[0] == "try" and token[1] > self._answered):
            return
        self._answered = token[1]
        self._patience.stop()
        if self._column is None or self._input().value is None:
            return
        if message.answer is None:
            self.answer.say(message.problem or "There is no answer: train the network first.")
        else:
            self._show_answer(message)
        if self._waiting is not None:
            self._send()

    def _show_answer(self, message: Answered) -> None:
        assert message.answer is not None
        assert self._column is not None
        asked = self._input().value
        if self._column.shape.kind is Kind.SEQUENCE and asked is not None:
            asked = np.reshape(asked, (len(asked), -1))[:, 0]
        true, dataset = None, self._session.dataset
        if self._true is not None and message.answer.kind == "series":
            true = np.asarray(self._true, float).reshape(-1)
        elif message.answer.kind in ("mask", "picture", "boxes"):
            true = self._true
        target = None if dataset is None else dataset.target
        self.answer.show_answer(message.answer, asked, true, target)
        self.verdict.set_text(self._judged(message))

    def _judged(self, message: Answered) -> str:
        """The true answer, where it is known."""
        dataset = self._session.dataset
        if self._true is None or dataset is None:
            return ""
        target = dataset.target
        if isinstance(message.answer, Classes) and target.classes:
            true = target.classes[int(self._true)]
            right = bool(message.answer.answers) and message.answer.answers[0][0] == true
            return f"true: “{true}”, " + ("right" if right else "wrong")
        if np.size(self._true) == 1:
            return f"true: {float(np.reshape(self._true, -1)[0]):.4g} {target.unit}".rstrip()
        return ""

    def _invitation(self) -> str:
        if self._column is not None and self._input() in (self.clip, self.sound):
            return f"Open {self._word()}, drop one here, or take the sample."
        if self._column is not None and is_picture(self._column.shape):
            drawn = "Draw on the pad, open" if not self.picture.pad.isHidden() else "Open"
            return f"{drawn} an image, or drop one here."
        if self._column is not None and self._input() is self.text:
            return "Type a text, open a file, or take the sample."
        return "Change a value, open a table, or take the sample."


def answers_live(dataset: Dataset | None) -> bool:
    """Whether a camera or a microphone gives what a network for this takes."""
    try:
        return dataset is not None and bool(live_input(dataset).name)
    except LiveError:
        return False


def dropped_file(data: QMimeData) -> Path | None:
    """The first file on this machine among what is dragged."""
    for url in data.urls():
        if url.isLocalFile():
            return Path(url.toLocalFile())
    return None
