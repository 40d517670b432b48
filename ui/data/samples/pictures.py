"""Small pictures of samples, made beside the window for what is seen, the newest kept in memory."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from PySide6.QtCore import QObject, QRect, QSize, Qt, Signal, Slot
from PySide6.QtGui import QImage, QPainter

from models.axes import Kind
from playground.data.dataset import Column, Dataset
from playground.data.thumbnails import thumbnail as file_thumbnail
from playground.messages import Array
from ui.insight.colormaps import MAGMA, coloured, qimage
from ui.insight.sample_pictures import image_of, is_picture, row_text, sparkline, trimmed
from ui.theme import theme
from ui.threads import begin

CHUNK = 24
BUDGET = 96 << 20
TEXT_BYTES = 512
BANDS, WINDOW = 40, 400
QUIETEST = 1e-5


@dataclass(frozen=True)
class Thumbnail:
    """A sample seen small: a picture, or a text where a sample is one, or why it is neither."""

    image: QImage | None = None
    text: str = ""
    broken: str = ""

    @property
    def size(self) -> int:
        return self.image.sizeInBytes() if self.image is not None else TEXT_BYTES


@dataclass(frozen=True)
class Look:
    """How large thumbnails are (logical pixels), on what screen, in which theme; ``ends`` are the
    values at the bottom and top of lines, where they are not each sample's own."""

    size: QSize = field(default_factory=lambda: QSize(96, 96))
    ratio: float = 1.0
    theme: str = ""
    ends: tuple[float, float] | None = None


def is_rows(column: Column) -> bool:
    """Whether samples are best read as lines of text."""
    return column.shape.kind in (Kind.VECTOR, Kind.TOKENS)


def is_sound(column: Column) -> bool:
    return column.shape.kind is Kind.SEQUENCE and getattr(column.reading, "kind", "") == "sound"


def as_text(column: Column, raw: Array) -> str:
    """A row of a table or a text in words."""
    decode = getattr(column.reading, "decode", None)
    if column.shape.kind is Kind.TOKENS:
        return decode(raw) if decode is not None else " ".join(str(int(item)) for item in raw)
    return row_text(column, raw)


def log_mel(samples: Array, rate: int, bands: int = BANDS) -> Array:
    """Bands × frames of log energy on the mel scale (O'Shaughnessy 1987), for the eye alone."""
    wave = np.asarray(samples, np.float32).reshape(-1)
    hop = max(WINDOW // 2, len(wave) // 256)
    wave = np.pad(wave, (0, max(0, WINDOW - len(wave))))
    starts = np.arange(0, len(wave) - WINDOW + 1, hop)
    frames = wave[starts[:, None] + np.arange(WINDOW)] * np.hanning(WINDOW).astype(np.float32)
    energy = np.abs(np.fft.rfft(frames, axis=1)) ** 2
    top = 2595 * np.log10(1 + rate / 2 / 700)
    edges = 700 * (10 ** (np.linspace(0, top, bands + 2) / 2595) - 1) * WINDOW / rate
    bins = np.arange(energy.shape[1])
    rising = (bins - edges[:-2, None]) / np.maximum(edges[1:-1] - edges[:-2], 1e-6)[:, None]
    falling = (edges[2:, None] - bins) / np.maximum(edges[2:] - edges[1:-1], 1e-6)[:, None]
    weights = np.clip(np.minimum(rising, falling), 0, None)
    nearest = np.clip(np.round(edges[1:-1]).astype(int), 0, len(bins) - 1)
    empty = weights.sum(axis=1) == 0
    weights[empty, nearest[empty]] = 1  # a band narrower than a bin takes the nearest one
    return np.asarray(np.log(energy @ weights.T + QUIETEST).T, np.float32)


def mel_image(samples: Array, rate: int) -> QImage:
    """The log-mel spectrogram as a picture, low bands at the bottom."""
    mel = log_mel(samples, rate)[::-1]
    high = float(mel.max())
    return qimage(coloured(mel, max(float(mel.min()), high - 12), high, MAGMA))


def sound_image(column: Column, raw: Array, look: Look) -> QImage:
    """The waveform over its log-mel spectrogram."""
    size, ratio = look.size, look.ratio
    image = QImage(size * ratio, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(ratio)
    image.fill(theme().color("raised"))
    upper = size.height() * 2 // 5
    painter = QPainter(image)
    above = QSize(size.width(), upper)
    painter.drawImage(0, 0, sparkline(envelope(raw), above, ratio, look.ends))
    place = QRect(4, upper, size.width() - 8, size.height() - upper - 4)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.drawImage(place, mel_image(raw, int(getattr(column.reading, "rate", 16000))))
    painter.end()
    return image


def envelope(raw: Array, points: int = 200) -> Array:
    """A waveform's extremes, least and greatest in turn, so that a short peak is seen."""
    wave = np.asarray(raw, np.float32).reshape(-1)
    if len(wave) <= 2 * points:
        return wave[:, None]
    parts = wave[: len(wave) // points * points].reshape(points, -1)
    return np.stack([parts.min(axis=1), parts.max(axis=1)], axis=1).reshape(-1, 1)


def as_pixels(column: Column, raw: Array) -> Array:
    """Values that were computed from bytes as bytes again, so that 0 stays black and 255 white."""
    if column.values.dtype == np.uint8 and raw.dtype != np.uint8:
        return np.clip(np.round(raw), 0, 255).astype(np.uint8)
    return raw


def _shrunk(image: QImage, look: Look) -> QImage:
    """``image`` no larger than it is drawn, so that painting it costs little."""
    least = max(look.size.width(), look.size.height()) * look.ratio
    if min(image.width(), image.height()) <= least:
        return image.convertToFormat(QImage.Format.Format_RGB32)
    return image.scaled(
        QSize(round(least), round(least)),
        Qt.AspectRatioMode.KeepAspectRatioByExpanding,
        Qt.TransformationMode.SmoothTransformation,
    ).convertToFormat(QImage.Format.Format_RGB32)


def of_files(
    dataset: Dataset, column: Column, indices: Sequence[int], look: Look
) -> dict[int, Thumbnail]:
    """Thumbnails of picture files themselves, which show more than the network is given."""
    side = 64
    while side < max(look.size.width(), look.size.height()) * look.ratio:
        side *= 2
    found = {}
    for index in indices:
        try:
            pixels = file_thumbnail(dataset.files[index], side)
            found[index] = Thumbnail(_shrunk(qimage(pixels), look))
        except (ValueError, OSError) as error:
            found[index] = Thumbnail(broken=str(error) or type(error).__name__)
    return found


def thumbnail(column: Column, raw: Array, look: Look) -> Thumbnail:
    """One raw sample small. Safe in any thread."""
    if is_rows(column):
        return Thumbnail(text=as_text(column, raw))
    if is_picture(column.shape):
        return Thumbnail(_shrunk(image_of(as_pixels(column, raw)), look))
    if is_sound(column):
        return Thumbnail(sound_image(column, raw, look))
    return Thumbnail(sparkline(raw, look.size, look.ratio, look.ends))


def thumbnails(
    dataset: Dataset, column: Column, indices: Sequence[int], look: Look
) -> dict[int, Thumbnail]:
    """Thumbnails of several samples; one that cannot be read is told in its place."""
    if column.lazy and column.shape.kind is Kind.IMAGE and len(dataset.files) == len(dataset):
        return of_files(dataset, column, indices, look)
    try:
        raws = column.take(np.asarray(indices, np.int64))
    except (ValueError, OSError) as error:
        if len(indices) == 1:
            return {indices[0]: Thumbnail(broken=str(error) or type(error).__name__)}
        found: dict[int, Thumbnail] = {}
        for index in indices:
            found |= thumbnails(dataset, column, [index], look)
        return found
    return {
        index: thumbnail(column, trimmed(column, raw, index), look)
        for index, raw in zip(indices, raws, strict=True)
    }


class Pictures(QObject):
    """Thumbnails of a data set's samples. ``want`` says what is seen at present; what was seen
    before and is not needed any more is not made. ``ready`` carries those that are there now.

    The thread lives only while there is something to make.
    """

    ready = Signal(object)
    _made = Signal(int, object)

    def __init__(self, parent: QObject | None = None, budget: int = BUDGET) -> None:
        super().__init__(parent)
        self._budget, self._used = budget, 0
        self._kept: OrderedDict[int, tuple[Look, Thumbnail]] = OrderedDict()
        self._dataset: Dataset | None = None
        self._look = Look()
        self._generation = 0
        self._lock = threading.Lock()
        self._wanted: list[int] = []
        self._working = False
        self._made.connect(self._arrived, Qt.ConnectionType.QueuedConnection)

    @property
    def used(self) -> int:
        """Bytes of what is kept."""
        return self._used

    def show(self, dataset: Dataset | None) -> None:
        if dataset is not self._dataset:
            self._dataset = dataset
            self.clear()

    def clear(self) -> None:
        with self._lock:
            self._generation += 1
            self._wanted = []
        self._kept.clear()
        self._used = 0

    def get(self, index: int) -> Thumbnail | None:
        found = self._kept.get(index)
        if found is None:
            return None
        self._kept.move_to_end(index)
        return found[1]

    def want(self, indices: Sequence[int], look: Look) -> None:
        """Make what is missing of ``indices``, in this order."""
        self._look = look
        missing = [i for i in indices if i not in self._kept or not self._good(self._kept[i])]
        with self._lock:
            self._wanted = missing
            if not missing or self._working or self._dataset is None:
                return
            self._working = True
        begin("thumbnails", self._work)

    def _good(self, kept: tuple[Look, Thumbnail]) -> bool:
        """Whether a kept thumbnail serves at the present look."""
        look, made = kept
        if look == self._look or made.image is None:
            return True
        if self._dataset is not None and is_picture(first_input(self._dataset).shape):
            return self._look.size.width() <= look.size.width()
        return False

    def _next(self) -> tuple[Dataset, int, list[int], Look] | None:
        with self._lock:
            part, self._wanted = self._wanted[:CHUNK], self._wanted[CHUNK:]
            if not part or self._dataset is None:
                self._working = False
                return None
            return self._dataset, self._generation, part, self._look

    def _work(self) -> None:
        while (task := self._next()) is not None:
            dataset, generation, part, look = task
            made = _guarded(partial(thumbnails, dataset, first_input(dataset), part, look))
            try:
                self._made.emit(generation, (look, part, made))
            except RuntimeError:
                return  # the page was closed meanwhile

    @Slot(int, object)
    def _arrived(
        self, generation: int, made: tuple[Look, list[int], dict[int, Thumbnail] | str]
    ) -> None:
        if generation != self._generation:
            return
        look, part, found = made
        for index in part:
            one = Thumbnail(broken=found) if isinstance(found, str) else found[index]
            old = self._kept.pop(index, None)
            self._used += one.size - (old[1].size if old is not None else 0)
            self._kept[index] = (look, one)
        while self._used > self._budget and len(self._kept) > 1:
            self._used -= self._kept.popitem(last=False)[1][1].size
        self.ready.emit(part)


def first_input(dataset: Dataset) -> Column:
    return next(iter(dataset.inputs.values()))


def _guarded(work: Callable[[], dict[int, Thumbnail]]) -> dict[int, Thumbnail] | str:
    """What ``work`` gives, or what went wrong: one bad sample must not end the thread."""
    try:
        return work()
    except Exception as error:  # a source's reader may raise anything at a damaged file
        return f"{type(error).__name__}: {error}"
