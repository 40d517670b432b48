"""What can run, as a list of rows by group with a sentence each; the chosen one stands out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from playground.captions import percent
from playground.console import size
from playground.live.errors import LiveError
from playground.live.what import Runnable, of_data, of_run
from playground.messages import State
from playground.runs import RunError, RunFolder, RunSummary, list_runs
from ui.live.desk import NETWORK, Desk
from ui.runs.listing import result_text
from ui.session import Session
from ui.theme import theme
from ui.widgets import ElidedLabel, label, scrolled, set_kind

TRAIN = "train"
"""The id of the project's network before it has been trained: choosing it trains it."""
OWN, RECOGNISE, DETECT, RUNS = "This project", "Recognise", "Detect", "Other runs"
GROUPS = (OWN, RECOGNISE, DETECT, RUNS)
MOST_RUNS = 12


@dataclass(frozen=True, slots=True)
class Entry:
    """A row: ``note`` stands at its right; one that is not ``enabled`` says why in its sentence."""

    id: str
    group: str
    title: str
    sentence: str
    note: str = ""
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class Past:
    """A run of the project: what it reached, and what runs live or why it does not."""

    summary: RunSummary
    what: Runnable | None
    problem: str = ""


def past_runs(files: Path) -> list[Past]:
    """The runs under ``files``, the newest first. Reads files: not for the main thread."""
    found = []
    for summary in list_runs(files)[:MOST_RUNS]:
        run = RunFolder(summary.path)
        if summary.problem or not run.has("best"):
            continue
        try:
            found.append(Past(summary, of_run(run)))
        except (RunError, LiveError) as error:
            found.append(Past(summary, None, str(error)))
    return found


def entries(desk: Desk, past: Sequence[Past]) -> list[Entry]:
    """Everything that can run, in the order of the groups."""
    session = desk.session
    choices = desk.choices
    own = next((what for what in choices if what.id == NETWORK), None)
    first = own_entry(session, own, past) if session.is_open else None
    rows = [first] if first is not None else []
    for what in choices:
        if what.id != NETWORK:
            group = DETECT if what.kind == "detector" else RECOGNISE
            rows.append(Entry(what.id, group, what.title, what.summary, missing(desk, what)))
    mine = session.run_folder if session.is_open else None
    rows += [run_entry(one) for one in past if mine is None or one.summary.path != mine]
    other = desk.chosen
    if other.id.startswith("run:") and other.id not in {row.id for row in rows}:
        rows.append(Entry(other.id, RUNS, other.title, other.summary))  # from elsewhere
    return sorted(rows, key=lambda row: GROUPS.index(row.group))


def own_entry(session: Session, own: Runnable | None, past: Sequence[Past]) -> Entry | None:
    """The open project's network; None where it has nothing to learn from."""
    title = session.title
    if own is not None:
        return Entry(NETWORK, OWN, title, own_words(session, past))
    if session.dataset is None:
        return None
    try:
        medium = of_data(session.dataset, NETWORK, title).medium
    except LiveError as error:
        return Entry(NETWORK, OWN, title, capitalised(str(error)), enabled=False)
    if not session.can_run:
        return None
    then = "then it answers to rows as they come" if medium == "series" else "and watch it learn"
    return Entry(TRAIN, OWN, title, f"Not trained yet: train it now, {then}.", "Train")


def own_words(session: Session, past: Sequence[Past]) -> str:
    """What the project's network has learnt, or how far it is."""
    progress = session.progress
    if session.busy:
        words = "Paused" if session.state is State.PAUSED else "Learning now"
        if progress is None or not progress.epochs:
            return f"{words} …"
        return f"{words}, epoch {progress.epoch} of {progress.epochs}"
    folder = session.run_folder
    for one in past:
        if one.summary.path == folder:
            return run_words(one.summary)
    return f"Run {folder.name}" if folder is not None else ""


def run_words(summary: RunSummary) -> str:
    """``Run 003 · accuracy 97.1 % (validation)``."""
    result = result_text(summary) or summary.message
    return f"Run {summary.name} · {result}" if result else f"Run {summary.name}"


def run_entry(past: Past) -> Entry:
    summary, what = past.summary, past.what
    title = f"Run {summary.name}"
    if what is None:
        return Entry(f"run:{summary.path}", RUNS, title, capitalised(past.problem), enabled=False)
    result = result_text(summary)
    sentence = capitalised(f"{result}: {what.summary}" if result else what.summary)
    return Entry(what.id, RUNS, title, sentence)


def missing(desk: Desk, what: Runnable) -> str:
    """How much has to be fetched for it, or how far that is."""
    if what.ready or what.download is None:
        return ""
    loading = desk.downloading
    if loading.running and loading.download == what.download and loading.whole:
        return percent(loading.there / loading.whole)
    return size(what.download.bytes)


def capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]


class ChoiceRow(QPushButton):
    """A title with a sentence under it, in one line, or whole where it is the chosen one."""

    def __init__(self, entry: Entry) -> None:
        super().__init__()
        self.setProperty("kind", "choice")
        self.setCheckable(True)
        policy = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 7, 10, 8)
        column.setSpacing(2)
        head = QHBoxLayout()
        head.setSpacing(8)
        self.title, self.note = ElidedLabel("", "title"), label("", "small")
        head.addWidget(self.title, 1)
        head.addWidget(self.note)
        column.addLayout(head)
        self.line, self.whole = ElidedLabel("", "second"), label("", "second", wrap=True)
        for one in (self.line, self.whole):
            one.setFont(theme().font(12))
            column.addWidget(one)
        for child in (self.title, self.note, self.line, self.whole):
            child.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.entry = entry
        self.show_entry(entry)

    def show_entry(self, entry: Entry) -> None:
        self.entry = entry
        self.title.set_text(entry.title)
        self.note.setText(entry.note)
        set_kind(self.note, "action" if entry.id == TRAIN else "small")
        self.line.set_text(entry.sentence)
        if self.whole.text() != entry.sentence:
            self.whole.setText(entry.sentence)
        self.setEnabled(entry.enabled)
        self.setAccessibleName(", ".join(t for t in (entry.title, entry.note) if t))
        self.setAccessibleDescription(entry.sentence)
        self.setToolTip(entry.sentence)
        self._unfold()

    def set_chosen(self, chosen: bool) -> None:
        self.setChecked(chosen)
        self._unfold()

    def nextCheckState(self) -> None:
        """What is chosen is what the desk says, not what was clicked."""

    def _unfold(self) -> None:
        whole = self.isChecked() or not self.isEnabled()
        self.whole.setVisible(whole)
        self.line.setVisible(not whole)
        self.updateGeometry()

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        layout = self.layout()
        if layout is None or not layout.hasHeightForWidth():  # one line under the title
            return self.sizeHint().height()
        return layout.totalHeightForWidth(width)

    def sizeHint(self) -> QSize:
        layout = self.layout()
        return layout.totalSizeHint() if layout is not None else super().sizeHint()


class ChoiceList(QWidget):
    """The rows under the titles of their groups. ``wanted`` carries the id that a person chose."""

    wanted = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("What runs")
        self.rows: dict[str, ChoiceRow] = {}
        self._shape: list[tuple[str, str]] = []
        self._content = QWidget()
        self._column = QVBoxLayout(self._content)
        self._column.setContentsMargins(8, 4, 8, 12)
        self._column.setSpacing(2)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        self._area = scrolled(self._content)
        outer.addWidget(self._area)

    def show_entries(self, found: Sequence[Entry], chosen: str) -> None:
        """Rows that are there stay, so that the focus does."""
        shape = [(entry.group, entry.id) for entry in found]
        if shape != self._shape:
            self._shape = shape
            self._arrange(found)
        for entry in found:
            row = self.rows[entry.id]
            if row.entry != entry:
                row.show_entry(entry)
            if row.isChecked() != (entry.id == chosen):
                row.set_chosen(entry.id == chosen)

    def focus_chosen(self) -> None:
        """Take the focus to the chosen row, and bring it into view."""
        for row in self.rows.values():
            if row.isChecked():
                row.setFocus(Qt.FocusReason.OtherFocusReason)
                self._area.ensureWidgetVisible(row)

    def _arrange(self, found: Sequence[Entry]) -> None:
        while (item := self._column.itemAt(0)) is not None:
            widget = item.widget()
            if widget is None:
                self._column.takeAt(0)
                continue
            # a row whose item lives on when it is taken would keep the height that it had there
            self._column.removeWidget(widget)
            if not isinstance(widget, ChoiceRow):
                widget.hide()
                widget.deleteLater()
        before, self.rows = self.rows, {}
        group = ""
        for entry in found:
            if entry.group != group:
                group = entry.group
                heading = label(group, "section")
                heading.setContentsMargins(10, 10, 0, 2)
                self._column.addWidget(heading)
            row = before.pop(entry.id, None)
            if row is None:
                row = ChoiceRow(entry)
                row.clicked.connect(self._clicked)
            self.rows[entry.id] = row
            self._column.addWidget(row)
        self._column.addStretch()
        for row in before.values():
            row.hide()
            row.deleteLater()
        for first, second in zip(self.rows.values(), list(self.rows.values())[1:], strict=False):
            QWidget.setTabOrder(first, second)

    @Slot()
    def _clicked(self) -> None:
        row = self.sender()
        if isinstance(row, ChoiceRow):
            self.wanted.emit(row.entry.id)
