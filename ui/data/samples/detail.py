"""The chosen sample: what it is, and the exact numbers that the network is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PySide6.QtCore import QUrl, Slot
from PySide6.QtGui import QDesktopServices, QHideEvent, QImage, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QComboBox, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from models.axes import Kind
from playground.data.augment.preview import preview
from playground.data.dataset import Column, Dataset
from playground.data.thumbnails import thumbnail
from playground.messages import Array
from ui.data.samples.catalogue import SPLIT_WORDS, Catalogue
from ui.data.samples.large import HEIGHT, LEAST_HEIGHT, LargeView, PictureView, series_lines
from ui.data.samples.pictures import as_pixels, envelope, first_input, is_sound
from ui.data.samples.values import ValuesView
from ui.insight.box_pictures import boxes_of, inks, with_boxes
from ui.insight.colormaps import coloured, levels, qimage, signed
from ui.insight.column import steady
from ui.insight.fetch import Fetch
from ui.insight.masks import column_image
from ui.insight.plot import Line, Plot
from ui.insight.sample_pictures import SERIES_COLOURS, image_of, is_picture, trimmed
from ui.session import Session
from ui.theme import theme
from ui.widgets import ElidedLabel, IconButton, Segmented, divider, label, scrolled

STAGES = (("raw", "As read"), ("augmented", "Augmented"), ("prepared", "Prepared"))
SEEN_HEIGHT, LARGE = 96, 512


@dataclass(frozen=True, eq=False)
class Seen:
    """A sample by stage ("raw", "augmented", "prepared") and column, without a batch axis; the size
    of its file, and the ``picture`` H×W×3 that is in it."""

    index: int
    stages: Mapping[str, Mapping[str, Array]] = field(repr=False)
    bytes: int | None = None
    picture: Array | None = field(default=None, repr=False)


def look_at(dataset: Dataset, index: int, file: Path | None, seed: int = 0) -> Seen:
    """Read a sample as the trainer does. Raises ``DataError``; for a thread beside the window."""
    columns = dataset.columns
    raw = dataset.raw([index])
    batch = {name: column.prepared(raw[name]) for name, column in columns.items()}
    stages = {
        "raw": {name: trimmed(columns[name], raw[name][0], index) for name in columns},
        "prepared": {name: trimmed(columns[name], batch[name][0], index) for name in columns},
    }
    if dataset.augmentation:
        changed = preview(dataset, dataset.augmentation, [index], seed)
        stages["augmented"] = {
            name: trimmed(columns[name], changed[name][0], index) for name in dataset.inputs
        }
    size = file.stat().st_size if file is not None and file.is_file() else None
    picture = None
    if size is not None and first_input(dataset).shape.kind is Kind.IMAGE:
        try:
            picture = thumbnail(str(file), LARGE)
        except ValueError:
            picture = None  # the file is no picture itself, such as a table of pixels
    return Seen(index, stages, size, picture)


class SampleDetail(QWidget):
    """What is known of the session's sample; it reads it only while it is seen."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._catalogue: Catalogue | None = None
        self._seen: Seen | None = None
        self._file: Path | None = None
        self._stale = True
        self._fetch = Fetch(self)
        self._fetch.done.connect(self._arrived)
        self._fetch.failed.connect(self._failed)
        self.setAccessibleName("The chosen sample")
        self._build()
        session.sample_changed.connect(self.refresh)
        theme().changed.connect(self._show_stage)

    def _build(self) -> None:
        self.title = label("", "title")
        self.problem = label("", "error", wrap=True)
        self.problem.hide()
        self.large = LargeView("The chosen sample")
        self.target = PictureView("Its target")
        self.target.setFixedHeight(HEIGHT // 2)
        self.facts = QGridLayout()
        self.facts.setHorizontalSpacing(12)
        self.facts.setVerticalSpacing(4)
        self.facts.setColumnStretch(1, 1)
        self.reveal = IconButton("folder", "Show the file in its folder", size=24)
        self.reveal.clicked.connect(self._reveal)
        self.values: dict[str, ElidedLabel] = {}
        self._keys: dict[str, QLabel] = {}
        for row, name in enumerate(("Class", "Split", "Group", "Caption", "File", "Size")):
            text = ElidedLabel()
            self.values[name] = text
            self._keys[name] = label(name, "second")
            self.facts.addWidget(self._keys[name], row, 0)
            self.facts.addWidget(text, row, 1)
            if name == "File":
                self.facts.addWidget(self.reveal, row, 2)
        self.stage = Segmented(STAGES, "prepared", "What the network sees")
        self.stage.chosen.connect(self._show_stage)
        self.column = QComboBox()
        self.column.setAccessibleName("Column")
        self.column.setMinimumWidth(104)
        self.column.activated.connect(self._show_stage)
        self.picture = PictureView("What the network sees, as a picture")
        self.picture.setFixedHeight(SEEN_HEIGHT)
        self.lines = Plot("What the network sees, as lines")
        self.lines.setFixedHeight(SEEN_HEIGHT + 24)
        self.lines.hide()
        self.steps = label("", "small", wrap=True)
        self.numbers = ValuesView("what the network sees")
        self.numbers.moved.connect(self._follow)
        content = QWidget()
        rows = QVBoxLayout(content)
        rows.setContentsMargins(12, 10, 2, 12)
        rows.setSpacing(10)
        rows.addWidget(self.title)
        rows.addWidget(self.problem)
        rows.addWidget(self.large)
        rows.addWidget(self.target)
        rows.addLayout(self.facts)
        rows.addWidget(divider())
        head = QHBoxLayout()
        head.addWidget(label("What the network sees", "title"))
        head.addStretch(1)
        head.addWidget(self.column)
        rows.addLayout(head)
        rows.addWidget(self.stage)
        rows.addWidget(self.picture)
        rows.addWidget(self.lines)
        rows.addWidget(self.steps)
        rows.addWidget(self.numbers, 1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(steady(scrolled(content)))

    # What is shown ------------------------------------------------------------------------------

    @property
    def seen(self) -> Seen | None:
        """What was read last."""
        return self._seen

    def show_dataset(self, catalogue: Catalogue | None) -> None:
        self._catalogue = catalogue
        self._seen = None
        self.column.clear()
        if catalogue is None:
            self._fetch.cancel()
            return
        dataset = catalogue.dataset
        for name, column in dataset.columns.items():
            self.column.addItem(name, name)
            self.column.setItemData(self.column.count() - 1, column.shape.described(), 3)
        self.column.setVisible(self.column.count() > 1)
        self.stage.set_shown("augmented", bool(dataset.augmentation))
        if not dataset.augmentation and self.stage.current() == "augmented":
            self.stage.set_current("prepared")
        self.refresh()

    @Slot()
    def refresh(self) -> None:
        """Read the session's sample, now or when it is seen."""
        self._stale = True
        if not self.isVisible() or self._catalogue is None or not len(self._catalogue.dataset):
            return
        self._stale = False
        dataset = self._catalogue.dataset
        index = min(self._session.sample, len(dataset) - 1)
        file = self._catalogue.file(index)
        self._show_facts(index, file)
        self._fetch.start(lambda: look_at(dataset, index, file))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.large.set_room(max(LEAST_HEIGHT, min(HEIGHT, event.size().height() // 4)))

    def showEvent(self, event: QShowEvent) -> None:
        if self._stale:
            self.refresh()

    def hideEvent(self, event: QHideEvent) -> None:
        self._stale = True

    def _show_facts(self, index: int, file: Path | None) -> None:
        catalogue = self._catalogue
        assert catalogue is not None
        dataset = catalogue.dataset
        self.title.setText(f"Sample {index + 1:,} of {len(dataset):,}")
        self._file = file
        groups = dataset.groups
        group = "" if groups is None else groups.names[int(groups.codes[index])]
        self._keys["Group"].setText("" if groups is None else groups.what.capitalize())
        self._keys["Class"].setText("Class" if dataset.classes else "Target")
        caption = catalogue.caption(index)
        is_text = first_input(dataset).shape.kind is Kind.TOKENS
        if is_text or (file is not None and caption == file.name):
            caption = ""  # it is shown already
        self._fact("Class", catalogue.label(index))
        self._fact("Split", SPLIT_WORDS[catalogue.split(index)])
        self._fact("Group", group)
        self._fact("Caption", caption)
        self._fact("File", "" if file is None else file.name, tip="" if file is None else str(file))
        self._fact("Size", first_input(dataset).shape.described())
        self.reveal.setVisible(file is not None)

    def _fact(self, name: str, text: str, tip: str = "") -> None:
        value = self.values[name]
        value.tip = tip
        value.set_text(text)
        value.setVisible(bool(text))
        self._keys[name].setVisible(bool(text))

    @Slot(object)
    def _arrived(self, seen: Seen) -> None:
        if self._catalogue is None:
            return
        self._seen = seen
        self.problem.hide()
        dataset = self._catalogue.dataset
        name, column = next(iter(dataset.inputs.items()))
        raw, target = seen.stages["raw"], dataset.target
        self.large.show_sample(column, raw[name])
        if target.box_classes:
            found = boxes_of(target, raw[target.name])
            drawn = with_boxes(image_of(raw[name]), found, inks(target.box_classes), named=True)
            self.large.picture.show_image(drawn)
        elif seen.picture is not None:
            self.large.picture.show_image(qimage(seen.picture))
        caption = self._catalogue.caption(seen.index)
        if self._catalogue.text and not caption.endswith("…"):  # the text as it was written
            self.large.text.setPlainText(caption)
        paired = is_picture(target.shape) and not target.classes
        self.target.setVisible(paired)
        if paired:
            self.target.show_image(column_image(target, raw[target.name]))
        if seen.bytes is not None:
            size = self.values["Size"]
            size.set_text(f"{size.whole()} · {_amount(seen.bytes)}")
        self._show_stage()

    @Slot(str)
    def _failed(self, text: str) -> None:
        self._seen = None
        self.large.clear()
        self.picture.show_image(self.large.picture.image)
        self.numbers.show_tensor(Kind.VECTOR, np.empty((0,)))
        self.problem.setText(text)
        self.problem.show()

    @Slot()
    def _show_stage(self, *_: object) -> None:
        seen, catalogue = self._seen, self._catalogue
        if seen is None or catalogue is None:
            return
        stage, name = self.stage.current(), str(self.column.currentData())
        column = catalogue.dataset.columns[name]
        array = seen.stages.get(stage, {}).get(name)
        if array is None:  # targets are not augmented
            array = seen.stages["raw"][name]
        rows, columns = names_of(column, array)
        self.numbers.show_tensor(column.shape.kind, array, rows, columns)
        self._draw(column, array, stage)
        self.steps.setText(told(column, stage))
        self.steps.setVisible(bool(self.steps.text()))

    def _draw(self, column: Column, array: Array, stage: str) -> None:
        """Show a value as a picture or as lines, where it is one or the other."""
        pictured = is_picture(column.shape) and array.ndim >= 2
        series = column.shape.kind is Kind.SEQUENCE and len(array) > 0 and not column.box_classes
        features = array.size // len(array) if series else 0
        few = series and features <= len(SERIES_COLOURS)
        self.picture.setVisible(pictured or (series and not few))
        self.lines.setVisible(few)
        self.picture.stretched = series
        if pictured:
            shown = as_pixels(column, array) if stage == "augmented" else array
            self.picture.show_image(image_of(self._frame(shown)))
        elif few:
            self.lines.set_lines(_lines(column, array))
        elif series:
            self.picture.show_image(series_image(array))

    def _frame(self, array: Array) -> Array:
        """The frame or slice of a clip or volume that the numbers below are of."""
        if array.ndim == 4 and (frame := self.numbers.place("frame")) is not None:
            return np.asarray(array[frame])
        if array.ndim == 4 and (place := self.numbers.place("slice")) is not None:
            return np.asarray(array[:, place])
        return array

    @Slot()
    def _follow(self) -> None:
        """Show the picture of the frame or slice that was chosen."""
        seen, catalogue = self._seen, self._catalogue
        if seen is None or catalogue is None:
            return
        column = catalogue.dataset.columns[str(self.column.currentData())]
        if column.shape.kind in (Kind.VIDEO, Kind.VOLUME):
            self._draw(column, self.numbers.array, self.stage.current())

    @Slot()
    def _reveal(self) -> None:
        if self._file is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._file.parent)))


def names_of(column: Column, array: Array) -> tuple[Sequence[str], Sequence[str]]:
    """What the rows and columns of a value's table are called, where they have names."""
    kind = column.shape.kind
    if kind is Kind.VECTOR:
        if column.classes:
            return ("class",), ("index",)
        names: list[str] = []
        for feature in getattr(column.reading, "features", ()):
            if feature.categories is not None:
                names += [f"{feature.name} = {category}" for category in feature.categories]
            elif feature.parts:
                names += [f"{feature.name}: {part}" for part in _part_names(feature.parts)]
            else:
                names.append(feature.name)
        return (names if len(names) == array.size else ()), ("value",)
    if kind is Kind.TOKENS:
        decode = getattr(column.reading, "decode", None)
        pieces = [] if decode is None else [decode(array[i : i + 1]) for i in range(len(array))]
        return pieces, ("token",)
    if column.box_classes:
        return (), ("left", "top", "right", "bottom", "class")
    if kind is Kind.SEQUENCE:
        return (), tuple(getattr(column.reading, "columns", ()))
    return (), ()


def _part_names(parts: Sequence[str]) -> list[str]:
    """What the numbers of a date are called."""
    names = []
    for part in parts:
        names += [part] if part == "year" else [f"{part}, sine", f"{part}, cosine"]
    return names


def told(column: Column, stage: str) -> str:
    """What stands between the file and these numbers, in words."""
    if stage == "prepared":
        steps = column.preprocessing.to_json()
        return "After " + ", ".join(str(step["op"]) for step in steps) if steps else ""
    if stage == "augmented":
        return "One draw; training draws anew for every sample and epoch."
    return ""


def _lines(column: Column, array: Array) -> list[Line]:
    """A series as lines over its steps; a sound over seconds, as the extremes of each part."""
    if not is_sound(column):
        return series_lines(column, array)
    shape = envelope(array, 400).reshape(-1)
    seconds = len(array) / float(getattr(column.reading, "rate", 16000))
    return [Line(column.name, np.linspace(0, seconds, len(shape)), shape)]


def series_image(array: Array) -> QImage:
    """A series F×T as a signed picture, the first feature on top."""
    values = np.asarray(array, np.float32).reshape(len(array), -1).T
    if values.shape[1] > 512:
        values = values[:, np.linspace(0, values.shape[1] - 1, 512).astype(int)]
    low, high = levels(values)
    largest = max(abs(low), abs(high)) or 1.0
    values = np.repeat(values, max(1, 24 // len(values)), axis=0)
    return qimage(coloured(values, -largest, largest, signed(theme().name == "light")))


def _amount(size: int) -> str:
    for unit, one in (("MB", 1 << 20), ("KB", 1 << 10)):
        if size >= one:
            return f"{size / one:.1f} {unit}"
    return f"{size} B"
