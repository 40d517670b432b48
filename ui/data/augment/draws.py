"""Samples before augmentation, and several draws of each after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from playground.data.augment.preview import preview
from playground.data.augment.settings import Applied
from playground.data.dataset import Dataset
from ui.data.samples.pictures import Look, Thumbnail, first_input, is_sound, thumbnail
from ui.insight.sample_pictures import is_picture, paint_picture, trimmed
from ui.theme import theme

GAP, BETWEEN, HEAD = 8, 20, 22
LEAST, GREATEST = 84, 200
MOST_ROWS = 6


@dataclass(frozen=True, eq=False)
class Drawn:
    """A row a sample: how it is, and how it was drawn."""

    indices: tuple[int, ...]
    before: list[Thumbnail] = field(repr=False)
    after: list[list[Thumbnail]] = field(repr=False)


def draw(
    dataset: Dataset, applied: Sequence[Applied], indices: Sequence[int], draws: int, seed: int,
    look: Look,
) -> Drawn:  # fmt: skip
    """Read ``indices`` and augment each ``draws`` times. Raises ``DataError`` and
    ``ParameterError``; for a thread beside the window."""
    name, column = next(iter(dataset.inputs.items()))
    raw = dataset.raw(indices)[name]
    repeated = np.repeat(np.asarray(indices), draws).tolist()
    changed = preview(dataset, applied, repeated, seed)[name]
    before, after = [], []
    for place, index in enumerate(indices):
        mine = trimmed(column, raw[place], index)
        own = look
        if not is_picture(column.shape):  # one scale for a row: a change of size is to be seen
            low, high = float(np.nanmin(mine)), float(np.nanmax(mine))
            room = 0.25 * ((high - low) or 1.0)
            ends = (-1.0, 1.0) if is_sound(column) else (low - room, high + room)
            own = replace(look, ends=ends)
        before.append(thumbnail(column, mine, own))
        part = changed[place * draws : (place + 1) * draws]
        after.append([thumbnail(column, trimmed(column, one, index), own) for one in part])
    return Drawn(tuple(indices), before, after)


class DrawsView(QWidget):
    """A row a sample: at the left as it is, then its draws."""

    def __init__(self) -> None:
        super().__init__()
        self._drawn: Drawn | None = None
        self._pictured = True
        self.setAccessibleName("Samples before and after augmentation")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        theme().changed.connect(self.update)

    @property
    def drawn(self) -> Drawn | None:
        return self._drawn

    def sizeHint(self) -> QSize:
        return QSize(640, 400)

    def prepare(self, dataset: Dataset | None) -> None:
        self._drawn = None
        self._pictured = dataset is None or is_picture(first_input(dataset).shape)
        self.update()

    def show_drawn(self, drawn: Drawn) -> None:
        self._drawn = drawn
        self.update()

    def tile(self, rows: int) -> QSize:
        """The size of a tile where ``rows`` are shown, and at most four draws beside a sample."""
        high = (self.height() - HEAD - GAP * (rows - 1)) // max(1, rows)
        if self._pictured:
            side = max(LEAST, min(GREATEST, high, (self.width() - BETWEEN - 4 * GAP) // 5))
            return QSize(side, side)
        wide = max(LEAST, min(280, (self.width() - BETWEEN - 3 * GAP) // 4))
        return QSize(wide, max(48, min(high, wide * 2 // 3)))

    def draws(self, rows: int) -> int:
        """How many draws there is room for."""
        wide = self.tile(rows).width()
        return max(1, min(8, (self.width() - wide - BETWEEN + GAP) // (wide + GAP)))

    def rows(self) -> int:
        """How many samples there is room for: at least two."""
        return max(2, min(MOST_ROWS, (self.height() - HEAD + GAP) // (self.least_height() + GAP)))

    def least_height(self) -> int:
        """How high a tile is at the size that four draws beside a sample leave it."""
        across = (self.width() - BETWEEN - 4 * GAP) // 5
        if self._pictured:
            return max(LEAST, min(GREATEST, across))
        return max(48, min(280, (self.width() - BETWEEN - 3 * GAP) // 4) * 2 // 3)

    def paintEvent(self, event: QPaintEvent) -> None:
        drawn = self._drawn
        if drawn is None:
            return
        painter = QPainter(self)
        size = self.tile(len(drawn.before))
        right = size.width() + BETWEEN
        painter.setFont(theme().font(12))
        painter.setPen(theme().color("text2"))
        top = int(Qt.AlignmentFlag.AlignTop)
        painter.drawText(QRectF(0, 0, size.width(), HEAD), top, "As it is")
        painter.drawText(QRectF(right, 0, self.width(), HEAD), top, "As it may be drawn")
        for row, before in enumerate(drawn.before):
            y = HEAD + row * (size.height() + GAP)
            self._paint(painter, 0, y, size, before)
            for place, one in enumerate(drawn.after[row]):
                self._paint(painter, right + place * (size.width() + GAP), y, size, one)

    def _paint(self, painter: QPainter, x: float, y: float, size: QSize, one: Thumbnail) -> None:
        if one.image is not None:
            paint_picture(painter, QRectF(x, y, size.width(), size.height()), one.image)
