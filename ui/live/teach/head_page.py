"""What was learnt: a layer of one's own on the bundled backbone, and what can be done with it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from playground.live.what import BACKBONE
from playground.recognisers import RECOGNISERS
from playground.teaching import Learned
from ui.data.record.cards import class_colour
from ui.insight.answer_view import percent
from ui.live.desk import NETWORK, Desk
from ui.live.teach.lessons import lessons_of
from ui.theme import theme
from ui.widgets import Button, ElidedLabel, EmptyState, Strip, divider, label, scrolled

NOTHING = "Nothing is learnt yet. Record two classes, a few seconds each: they are known at once."
OTHER = (
    "The canvas stays as it is. Put the taught network in its place to save it with the project, "
    "export it or train it further; that can be undone."
)
OWN = "This is the project's network: saved with it, and drawn on the canvas."
TRAINED = (
    "The project's network went on learning after this: it is saved and exported as it is now."
)
TUNING = "All layers learn from the samples; it takes minutes, and gigabytes of memory."


class HeadPage(QWidget):
    """The layer that was learnt, in numbers."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.setAccessibleName("Head")
        self._session, self._desk = desk.session, desk
        self._lessons = lessons_of(desk)
        self._rows: list[_ClassRow] = []
        self._build()
        self._lessons.changed.connect(self._refresh)
        self._session.state_changed.connect(self._refresh)
        self._refresh()

    def _build(self) -> None:
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(12, 12, 12, 12)
        column.setSpacing(8)
        head = QHBoxLayout()
        self.parameters = label("", "second")
        self.parameters.setFont(theme().mono(11))
        head.addWidget(label("Linear layer", "title"), 1)
        head.addWidget(self.parameters)
        self.what = label("", "small", wrap=True)
        self._list = QVBoxLayout()
        self._list.setSpacing(4)
        facts = QGridLayout()
        facts.setVerticalSpacing(4)
        facts.setColumnStretch(0, 1)
        self._facts = {
            name: _fact(facts, row, name)
            for row, name in enumerate(("Held-back samples", "Learning took", "Learnt"))
        }
        column.addLayout(head)
        column.addWidget(self.what)
        column.addSpacing(4)
        column.addLayout(self._list)
        column.addSpacing(4)
        column.addWidget(divider())
        column.addSpacing(4)
        column.addLayout(facts)
        column.addSpacing(4)
        column.addWidget(divider())
        column.addSpacing(4)
        self._add_actions(column)
        column.addStretch(1)
        self.empty = EmptyState("sparkles", NOTHING)
        self._pages = QStackedWidget()
        self._pages.addWidget(self.empty)
        self._pages.addWidget(scrolled(content))
        around = QVBoxLayout(self)
        around.setContentsMargins(0, 0, 0, 0)
        around.addWidget(self._pages)
        for button in self.findChildren(QAbstractButton):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def _add_actions(self, column: QVBoxLayout) -> None:
        network = self._lessons.network
        self.state = label("", "small", wrap=True)
        self.put = Button("Put it on the canvas instead", "", "primary")
        self.canvas = Button("Open the network on the canvas", "network")
        self.tune = Button("Fine-tune the whole network", "layers")
        self.tune.setToolTip(TUNING)
        self.python = Button("Python …", "code")
        self.onnx = Button("ONNX …", "download")
        self.save = Button("Save the project", "save")
        self.put.clicked.connect(network.put)
        self.canvas.clicked.connect(network.open_on_canvas)
        self.tune.clicked.connect(self._tune)
        for button, action, tip in (
            (self.python, "export_python", "Export as Python"),
            (self.onnx, "export_onnx", "Export as ONNX"),
            (self.save, "save", "Save the project"),
        ):
            button.setProperty("action", action)
            button.setToolTip(tip)
            button.setAccessibleName(tip)
            button.clicked.connect(self._ask)
        self._own = (self.canvas, self.tune, self.python, self.onnx, self.save)
        export = QHBoxLayout()
        export.setSpacing(8)
        for button in (self.python, self.onnx):
            export.addWidget(button, 1)
        for widget in (self.state, self.put, self.canvas, self.tune):
            column.addWidget(widget)
        column.addLayout(export)
        column.addWidget(self.save)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._refresh()

    @Slot()
    def _tune(self) -> None:
        """The live view has the network that learns, from then on."""
        self._lessons.network.fine_tune()
        self._desk.choose(NETWORK)

    @Slot()
    def _ask(self) -> None:
        button = self.sender()
        if isinstance(button, QAbstractButton):
            self._session.asked.emit(str(button.property("action")))

    # --- what is shown ------------------------------------------------------------------------

    @Slot()
    def _refresh(self) -> None:
        if not self.isVisible():
            return
        learned = self._lessons.learned
        shown = learned is not None and learned.head is not None
        self._pages.setCurrentIndex(int(shown))
        if learned is None or learned.head is None:
            return
        classes, width = learned.head.weight.shape
        self.parameters.setText(f"{classes * (width + 1):,} parameters")
        name = RECOGNISERS.get(BACKBONE).title
        self.what.setText(f"From the {width:,} numbers that {name} makes of a picture to {classes} "
                          "classes, by softmax regression.")  # fmt: skip
        self._show_classes(learned)
        right = "too few to measure"
        if learned.accuracy is not None:
            right = f"{percent(learned.accuracy)} of {learned.held_back:,} right"
        self._facts["Held-back samples"].setText(right)
        self._facts["Learning took"].setText(f"{1000 * learned.seconds:,.0f} ms")
        times = "once" if learned.number == 1 else f"{learned.number:,} times"
        self._facts["Learnt"].setText(times)
        self._show_actions()

    def _show_classes(self, learned: Learned) -> None:
        names = self._lessons.library.names
        known = [name for name in names if name in learned.counts]
        known += [name for name in learned.counts if name not in names]
        counts = {name: learned.counts[name] for name in known if learned.counts[name]}
        while len(self._rows) < len(counts):
            self._rows.append(_ClassRow())
            self._list.addWidget(self._rows[-1])
        for row in self._rows[len(counts) :]:
            row.hide()
        for row, (name, count) in zip(self._rows, counts.items(), strict=False):
            row.show_class(name, names.index(name) if name in names else 0, count)

    def _show_actions(self) -> None:
        network = self._lessons.network
        own = network.taken is not None
        mine = TRAINED if network.trained else OWN
        self.state.setText(network.problem or (mine if own else OTHER))
        self.state.setVisible(own or network.in_the_way or bool(network.problem))
        self.put.setVisible(not own and network.in_the_way)
        self.put.setEnabled(not self._session.busy)
        for button in self._own:
            button.setVisible(own or not network.in_the_way)
            button.setEnabled(own and not (self._session.busy and button is self.tune))


class _ClassRow(QWidget):
    """A class by its colour and name, and how many samples it was learnt from."""

    def __init__(self) -> None:
        super().__init__()
        self._strip = Strip(class_colour(0))
        self._name = ElidedLabel()
        self._count = label("", "second")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self._strip)
        row.addWidget(self._name, 1)
        row.addWidget(self._count)

    def show_class(self, name: str, index: int, count: int) -> None:
        self._strip.set_color(class_colour(index))
        self._name.set_text(name)
        self._count.setText(f"{count:,} {'sample' if count == 1 else 'samples'}")
        self.setAccessibleName(f"{name}: {self._count.text()}")
        self.show()


def _fact(grid: QGridLayout, row: int, name: str) -> QLabel:
    value = label("")
    value.setAccessibleName(name)
    grid.addWidget(label(name, "second"), row, 0)
    grid.addWidget(value, row, 1, Qt.AlignmentFlag.AlignRight)
    return value
