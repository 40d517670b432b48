"""Augmentation: what is switched on, and what it makes of the samples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from PySide6.QtCore import QTimer, Slot
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from models.parameters import checked
from playground.data.augment import Applied, Augmentation, separates, suited
from playground.data.dataset import Dataset
from ui.data.augment.cards import Card
from ui.data.augment.draws import MOST_ROWS, Drawn, DrawsView, draw
from ui.data.samples.pictures import Look, first_input
from ui.insight.column import steady
from ui.insight.fetch import Fetch
from ui.session import Session
from ui.theme import theme
from ui.widgets import Button, EmptyState, label, scrolled

LIST_WIDTH = 340
DELAY_MS = 120
SENTENCE = (
    "Drawn anew for every sample and every epoch, for training alone: validation and test are "
    "always measured on the samples as they are."
)


class AugmentPage(QWidget):
    """The augmentations that suit the session's data, and a live preview of them."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._dataset: Dataset | None = None
        self._seed = 0
        self._others: tuple[int, ...] = ()
        self.cards: dict[str, Card] = {}
        self._fetch = Fetch(self)
        self._fetch.done.connect(self._drawn)
        self._fetch.failed.connect(self._failed)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(DELAY_MS)
        self._timer.timeout.connect(self._draw)
        self.setAccessibleName("Augmentation")
        self._build()
        session.dataset_changed.connect(self._refresh)
        session.sample_changed.connect(self._timer.start)
        theme().changed.connect(self._timer.start)
        self._refresh()

    def _build(self) -> None:
        content = QWidget()
        self._list = QVBoxLayout(content)
        self._list.setContentsMargins(12, 10, 2, 12)
        self._list.setSpacing(8)
        self._list.addWidget(label("Augmentation", "title"))
        self._list.addWidget(label(SENTENCE, "small", wrap=True))
        self.strangers = Button("", "close", "link", "accent")
        self.strangers.clicked.connect(self._forget_strangers)
        self._list.addWidget(self.strangers)
        self._list.addStretch(1)
        area = steady(scrolled(content))
        area.setFixedWidth(LIST_WIDTH)
        line = QFrame()
        line.setProperty("kind", "divider")
        line.setFixedWidth(1)
        self.title = label("", "title")
        self.again = Button("Draw again", "refresh")
        self.again.clicked.connect(self.draw_again)
        self.problem = label("", "error", wrap=True)
        self.problem.hide()
        self.view = DrawsView()
        head = QHBoxLayout()
        head.addWidget(self.title)
        head.addStretch(1)
        head.addWidget(self.again)
        right = QVBoxLayout()
        right.setContentsMargins(16, 8, 16, 12)
        right.setSpacing(8)
        right.addLayout(head)
        right.addWidget(self.problem)
        right.addWidget(self.view, 1)
        whole = QWidget()
        row = QHBoxLayout(whole)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(area)
        row.addWidget(line)
        row.addLayout(right, 1)
        self.empty = EmptyState("wand", "")
        self._pages = QStackedWidget()
        self._pages.addWidget(self.empty)
        self._pages.addWidget(whole)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self._pages)

    # What is applied ----------------------------------------------------------------------------

    @property
    def applied(self) -> tuple[Applied, ...]:
        """What is switched on, in order."""
        return self._session.project.data.augmentation

    def _store(self, applied: tuple[Applied, ...]) -> None:
        data = self._session.project.data
        self._session.set_data(replace(data, augmentation=applied))

    @Slot(str, bool)
    def _switched(self, id: str, on: bool) -> None:
        others = tuple(item for item in self.applied if item.id != id)
        self._store((*others, Applied(id)) if on else others)

    @Slot(str, str, object)
    def _edited(self, id: str, parameter: str, value: Any) -> None:
        self._store(
            tuple(
                Applied(id, {**item.options, parameter: value}) if item.id == id else item
                for item in self.applied
            )
        )

    @Slot(str, int)
    def _moved(self, id: str, steps: int) -> None:
        applied = [item for item in self.applied if item.id in self.cards]
        rest = tuple(item for item in self.applied if item.id not in self.cards)
        place = [item.id for item in applied].index(id)
        target = place + steps
        if 0 <= target < len(applied):
            applied[place], applied[target] = applied[target], applied[place]
            self._store((*applied, *rest))

    @Slot()
    def _forget_strangers(self) -> None:
        self._store(tuple(item for item in self.applied if item.id in self.cards))

    # What is shown ------------------------------------------------------------------------------

    @Slot()
    def _refresh(self) -> None:
        dataset = self._session.dataset
        if dataset is None or not len(dataset):
            self.empty.say(self._session.data_message or "Choose data to augment first.")
            self._pages.setCurrentIndex(0)
            return
        known = usable(dataset)
        if not known:
            self.empty.say(
                "There is no augmentation for these data: it is made for pictures, video, sound "
                "and series."
            )
            self._pages.setCurrentIndex(0)
            return
        self._pages.setCurrentIndex(1)
        if self._dataset is None or self._dataset.inputs is not dataset.inputs:
            self._make_cards(dataset)
            random = np.random.default_rng(0)
            train = dataset.splits["train"]
            count = min(MOST_ROWS - 1, len(train))
            self._others = tuple(int(i) for i in random.choice(train, count, replace=False))
            self.view.prepare(dataset)
        self._dataset = dataset
        self._show_state()
        self._timer.start()

    def _make_cards(self, dataset: Dataset) -> None:
        for card in self.cards.values():
            card.hide()
            card.deleteLater()
        self.cards = {}
        for item in usable(dataset):
            card = Card(item)
            card.switched.connect(self._switched)
            card.edited.connect(self._edited)
            card.moved.connect(self._moved)
            self.cards[item.id] = card

    def _show_state(self) -> None:
        """Cards in the order in which they are applied, then those that are off."""
        on: dict[str, Mapping[str, Any]] = {
            item.id: item.options for item in self.applied if item.id in self.cards
        }
        ids = [*on, *(id for id in self.cards if id not in on)]
        for place, id in enumerate(ids):
            card = self.cards[id]
            self._list.insertWidget(3 + place, card)
            options = on.get(id)
            if options is not None:
                options = {**checked(card.augmentation.parameters, {}), **options}
            card.show_state(options, place == 0, place == len(on) - 1)
        strangers = len(self.applied) - len(on)
        self.strangers.setVisible(strangers > 0)
        self.strangers.setText(f"Forget {strangers} that do not suit these data")
        self.title.setText("Preview" if on else "Preview: switch something on at the left")

    @Slot()
    def draw_again(self) -> None:
        """Other draws of the same samples."""
        self._seed += 1
        self._draw()

    @Slot()
    def _draw(self) -> None:
        dataset = self._dataset
        if dataset is None or dataset is not self._session.dataset or not self.isVisible():
            return
        mine = [item for item in self.applied if item.id in self.cards]
        indices = list(dict.fromkeys((min(self._session.sample, len(dataset) - 1), *self._others)))
        indices = indices[: self.view.rows()]
        look = Look(self.view.tile(len(indices)), self.devicePixelRatioF(), theme().name)
        draws, seed = self.view.draws(len(indices)), self._seed
        self._fetch.start(lambda: draw(dataset, mine, indices, draws, seed, look))

    @Slot(object)
    def _drawn(self, drawn: Drawn) -> None:
        self.problem.hide()
        self.view.show_drawn(drawn)

    @Slot(str)
    def _failed(self, text: str) -> None:
        self.problem.setText(text)
        self.problem.show()

    def showEvent(self, event: QShowEvent) -> None:
        self._timer.start()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._timer.start()


def usable(dataset: Dataset) -> list[Augmentation]:
    """What suits the input, and does not move it away from a mask or picture that belongs to it."""
    return [item for item in suited(first_input(dataset)) if not separates(item, dataset)]
