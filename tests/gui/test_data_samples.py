"""The page of samples: scrolling all of them, filters, one in detail, and statistics."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QImage, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QSlider

from models.axes import Kind, image, sequence, tokens, vector, video, volume
from playground.data import DataError
from playground.data.augment import Applied
from playground.data.dataset import Column, Dataset, Groups, Skipped
from playground.messages import DataReady
from playground.project import DataSettings
from tests.gui.insight_kit import AIRLINE, DIGITS, GUNPOINT, opened, post
from ui.data.samples.catalogue import Catalogue, Filter
from ui.data.samples.detail import look_at
from ui.data.samples.overview import ClassRows, HistogramView, sizes_told
from ui.data.samples.page import PROMISE, SamplesPage
from ui.data.samples.pictures import Look, Pictures, log_mel, thumbnails
from ui.data.samples.skipped import SkippedDialog, left_out
from ui.data.samples.values import ValuesView, statistics, written
from ui.session import Session

Wait = Callable[..., None]


@pytest.fixture
def session(app: QApplication) -> Iterator[Session]:
    session = opened(DIGITS)
    yield session
    session.close()


def shown(session: Session) -> SamplesPage:
    page = SamplesPage(session)
    page.resize(1120, 700)
    page.show()
    QApplication.processEvents()
    return page


class Slow:
    """Pictures that are made when they are asked for; every hundredth cannot be read."""

    dtype = np.dtype(np.uint8)

    def __init__(self, count: int) -> None:
        self.count, self.taken = count, 0

    def __len__(self) -> int:
        return self.count

    def take(self, indices: Any) -> Any:
        self.taken += len(indices)
        bad = [index for index in indices.tolist() if index % 100 == 99]
        if bad:
            raise DataError(f"{bad[0]}.png is empty")
        return np.repeat((indices % 200).astype(np.uint8), 64).reshape(-1, 1, 8, 8)


def large(count: int = 100_000) -> Dataset:
    return Dataset(
        name="Large",
        summary=f"{count:,} pictures",
        inputs={"image": Column("image", image(1, 8, 8), Slow(count))},
        targets={"label": Column("label", vector(1), np.arange(count) % 4, classes=tuple("abcd"))},
        splits={
            "train": np.arange(count * 8 // 10),
            "validation": np.arange(count * 8 // 10, count * 9 // 10),
            "test": np.arange(count * 9 // 10, count),
        },
        task="classification",
        captions=tuple(f"picture {index}.png" for index in range(count)),
    )


def column_of(kind: Kind, count: int = 12) -> Column:
    rng = np.random.default_rng(0)
    shapes = {
        Kind.IMAGE: image(3, 10, 12),
        Kind.VIDEO: video(5, 1, 8, 8),
        Kind.VOLUME: volume(1, 6, 8, 8),
        Kind.SEQUENCE: sequence(20, 2),
        Kind.VECTOR: vector(4),
        Kind.TOKENS: tokens(9),
    }
    shape = shapes[kind]
    values = rng.integers(0, 255, (count, *shape.sizes))
    exact = np.uint8 if kind in (Kind.IMAGE, Kind.VIDEO) else np.float32
    return Column(kind, shape, values.astype(np.int64 if kind is Kind.TOKENS else exact))


def of_kind(kind: Kind, **more: Any) -> Dataset:
    column = column_of(kind)
    labels = Column("label", vector(1), np.arange(12) % 2, classes=("no", "yes"))
    splits = {"train": np.arange(8), "validation": np.arange(8, 10), "test": np.arange(10, 12)}
    return Dataset(
        "Kind", f"12 of {kind}", {kind: column}, {"label": labels}, splits, "classification", **more
    )


# --- all samples ----------------------------------------------------------------------------------


def test_all_samples_scroll_and_only_what_is_seen_is_read(session: Session, wait: Wait) -> None:
    page = shown(session)
    dataset = large()
    post(session, DataReady(dataset, session.project.data))
    values = dataset.inputs["image"].values
    assert isinstance(values, Slow)
    grid = page.grid
    wait(lambda: all(grid.pictures.get(index) for index in grid.visible()))
    assert len(grid.indices) == 100_000
    assert values.taken < 1000
    bar = grid.verticalScrollBar()
    for part in (0.3, 0.7, 1.0):
        bar.setValue(int(bar.maximum() * part))
        wait(lambda: all(grid.pictures.get(index) for index in grid.visible()))
    assert grid.visible()[-1] == 99_999
    broken = grid.pictures.get(99_999)
    assert broken is not None
    assert "99999.png is empty" in broken.broken
    good = grid.pictures.get(99_998)
    assert good is not None
    assert good.image is not None
    assert QImage(good.image).pixelColor(2, 2).red() == 99_998 % 200
    assert not grid.viewport().grab().isNull()


def test_memory_stays_flat(app: QApplication, wait: Wait) -> None:
    dataset = large(4000)
    pictures = Pictures(budget=100_000)
    pictures.show(dataset)
    for start in range(0, 4000, 200):
        part = list(range(start, start + 90))
        pictures.want(part, Look())
        wait(lambda part=part: any(pictures.get(index) for index in part))
    time.sleep(0.05)
    QApplication.processEvents()
    assert 0 < pictures.used <= 100_000


def test_the_mouse_and_the_keyboard_choose(session: Session) -> None:
    page = shown(session)
    grid, port = page.grid, page.grid.viewport()
    QTest.mouseClick(port, Qt.MouseButton.LeftButton, pos=grid.tile_rect(5).center())
    assert session.sample == 5
    QTest.keyClick(grid, Qt.Key.Key_Right)
    QTest.keyClick(grid, Qt.Key.Key_Down)
    columns = session.sample - 6
    assert columns > 3
    QTest.keyClick(grid, Qt.Key.Key_End)
    assert session.sample == 4999
    assert 4999 in grid.visible()
    QTest.keyClick(grid, Qt.Key.Key_PageUp)
    QTest.keyClick(grid, Qt.Key.Key_Home)
    assert session.sample == 0
    session.set_sample(2500)
    assert grid.current == 2500
    assert 2500 in grid.visible()


def test_several_are_selected(session: Session) -> None:
    page = shown(session)
    grid, port = page.grid, page.grid.viewport()
    none, shift = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier
    control = Qt.KeyboardModifier.ControlModifier
    for place, modifier in ((2, none), (6, shift), (4, control)):
        QTest.mouseClick(port, Qt.MouseButton.LeftButton, modifier, grid.tile_rect(place).center())
    assert grid.selected == [2, 3, 5, 6]
    assert "4 selected" in page.count.text()
    QTest.keyClick(grid, Qt.Key.Key_A, control)
    assert len(grid.selected) == 5000
    page._menu(QPoint(0, 0))
    page.show_only([7, 9], "two of them")
    assert page.only.isVisible()


def test_filters(session: Session, wait: Wait) -> None:
    page = shown(session)
    post(session, DataReady(large(2000), session.project.data))
    page.label.setCurrentIndex(page.label.findData(2))
    page.label.activated.emit(0)
    wait(lambda: len(page.grid.indices) == 500)
    assert set(page.grid.indices % 4) == {2}
    page.split.setCurrentIndex(page.split.findData("test"))
    page.split.activated.emit(0)
    wait(lambda: len(page.grid.indices) == 50)
    assert page.grid.indices.min() >= 1800
    assert page.count.text() == "50 of 2,000 samples"
    QTest.keyClicks(page.search, "190 PNG")
    wait(lambda: page.grid.indices.tolist() == [1902, 1906])
    page.search.clear()
    page.show_only([3, 1999], "odd ones")
    wait(lambda: page.grid.indices.tolist() == [3, 1999])
    assert session.sample == 3
    QTest.mouseClick(page.only, Qt.MouseButton.LeftButton)
    wait(lambda: len(page.grid.indices) == 2000)


def test_words_are_found_in_classes_captions_and_files() -> None:
    dataset = replace(of_kind(Kind.IMAGE), captions=tuple(f"Cat {i}" for i in range(12)))
    dataset = replace(dataset, files=tuple(f"/home/x/{i}.png" for i in range(12)))
    catalogue = Catalogue(dataset)
    assert catalogue.matching(Filter(text="cat yes")).tolist() == [1, 3, 5, 7, 9, 11]
    assert catalogue.matching(Filter(text="11.png")).tolist() == [11]
    assert catalogue.matching(Filter(text="nothing")).tolist() == []
    assert "sample 2 · yes · training · Cat 1" in catalogue.told(1)


def test_the_size_of_tiles(session: Session) -> None:
    page = shown(session)
    page.zoom.setValue(200)
    wide = page.grid.tile_rect(0).width()
    session.set_sample(3000)
    page.zoom.setValue(40)
    assert page.grid.tile_rect(0).width() < wide / 3
    wheel = QWheelEvent(
        QPointF(9, 9), QPointF(9, 9), QPoint(), QPoint(0, 120), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.ControlModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    page.grid.wheelEvent(wheel)
    assert page.zoom.value() == 56
    again = shown(session)
    assert again.zoom.value() == 56


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_is_shown(session: Session, wait: Wait, kind: Kind) -> None:
    page = shown(session)
    post(session, DataReady(of_kind(kind), session.project.data))
    session.set_sample(1)
    wait(lambda: page.grid.pictures.get(11) and page.detail.seen is not None)
    made = page.grid.pictures.get(3)
    assert made is not None
    assert (made.image is not None) != bool(made.text)
    assert not made.broken
    page.grab()
    assert page.detail.numbers.array.size
    if kind in (Kind.VIDEO, Kind.VOLUME):  # the picture is of the frame that the numbers are of
        before = page.detail.picture.image
        page.detail.numbers.sliders[kind is Kind.VOLUME].setValue(0)
        assert page.detail.picture.image != before


def test_sound_is_shown_with_its_spectrogram(session: Session, wait: Wait) -> None:
    class Reading:
        kind, rate = "sound", 8000

    wave = np.sin(2 * np.pi * 1000 * np.arange(8000) / 8000).astype(np.float32)
    column = Column("sound", sequence(8000, 1), np.tile(wave[None, :, None], (12, 1, 1)))
    column = replace(column, reading=Reading())  # type: ignore[arg-type]
    page = shown(session)
    dataset = replace(of_kind(Kind.SEQUENCE), inputs={"sound": column})
    post(session, DataReady(dataset, session.project.data))
    wait(lambda: page.grid.pictures.get(0) and not page.detail.large.spectrum.image.isNull())
    page.grab()
    mel = log_mel(wave, 8000)
    loudest = int(mel.mean(axis=1).argmax())
    edges = 700 * (10 ** (np.linspace(0, 2595 * np.log10(1 + 4000 / 700), 42) / 2595) - 1)
    assert edges[loudest] < 1000 < edges[loudest + 2]
    assert page.detail.lines.isVisible()  # what the network sees, as a waveform
    assert not page.detail.picture.isVisible()


def test_a_series_of_many_features_is_a_heat_map(session: Session, wait: Wait) -> None:
    page = shown(session)
    wide = Column("wide", sequence(20, 9), np.zeros((12, 20, 9), np.float32))
    dataset = replace(of_kind(Kind.SEQUENCE), inputs={"wide": wide})
    post(session, DataReady(dataset, session.project.data))
    wait(lambda: page.detail.seen is not None)
    assert page.detail.picture.isVisible()
    assert not page.detail.lines.isVisible()


# --- one sample -----------------------------------------------------------------------------------


def test_what_the_network_sees_is_the_exact_tensor(session: Session, wait: Wait) -> None:
    page = shown(session)
    session.set_sample(1234)
    detail = page.detail
    wait(lambda: detail.seen is not None and detail.seen.index == 1234)
    dataset = session.dataset
    assert dataset is not None
    batch, raw = dataset.batch([1234]), dataset.raw([1234])
    assert np.array_equal(detail.numbers.array, batch["image"][0])
    assert detail.numbers.shape.text() == "1×28×28 · float32"
    model = detail.numbers.model
    assert (model.rowCount(), model.columnCount()) == (28, 28)
    value = float(batch["image"][0, 0, 14, 14])
    cell = model.index(14, 14)
    assert float(str(model.data(cell)).replace("−", "-")) == pytest.approx(value, rel=1e-3)
    detail.stage.set_current("raw")
    detail.stage.chosen.emit("raw")
    assert np.array_equal(detail.numbers.array, raw["image"][0])
    assert detail.numbers.shape.text().endswith("uint8")
    detail.column.setCurrentIndex(1)
    detail.column.activated.emit(1)
    assert detail.numbers.array.reshape(-1)[0] == raw["label"][0]
    assert detail.values["Split"].whole() in ("training", "validation", "test")
    assert detail.title.text() == "Sample 1,235 of 5,000"


def test_augmented_samples_are_seen(session: Session, wait: Wait) -> None:
    page = shown(session)
    page.label.setCurrentIndex(3)
    grid_before = page.grid.indices
    augmented = replace(session.project.data, augmentation=(Applied("noise", {"amount": 0.5}),))
    session.set_data(augmented)
    wait(lambda: page.detail.seen is not None and "augmented" in page.detail.seen.stages)
    assert page.grid.indices is grid_before
    assert page.label.currentIndex() == 3
    page.detail.stage.set_current("augmented")
    page.detail.stage.chosen.emit("augmented")
    seen = page.detail.seen
    assert seen is not None
    assert not np.array_equal(seen.stages["augmented"]["image"], seen.stages["raw"]["image"])
    assert np.array_equal(page.detail.numbers.array, seen.stages["augmented"]["image"])


def test_lengths_trim_what_is_shown() -> None:
    dataset = of_kind(Kind.TOKENS)
    column = replace(column_of(Kind.TOKENS), shape=tokens("T"), lengths=np.arange(12) % 9 + 1)
    dataset = replace(dataset, inputs={"tokens": column})
    seen = look_at(dataset, 3, None)
    assert seen.stages["raw"]["tokens"].shape == (4,)
    assert seen.stages["prepared"]["tokens"].shape == (4,)
    assert thumbnails(dataset, column, [3], Look())[3].text.count(" ") == 3


def test_a_sample_that_cannot_be_read_is_told(session: Session, wait: Wait) -> None:
    page = shown(session)
    post(session, DataReady(large(200), session.project.data))
    session.set_sample(99)
    wait(lambda: page.detail.problem.isVisible())
    assert page.detail.problem.text() == "99.png is empty"
    session.set_sample(98)
    wait(lambda: page.detail.seen is not None and page.detail.problem.isHidden())


def test_files_groups_and_sizes_are_told(session: Session, wait: Wait, tmp_path: Path) -> None:
    for place in range(12):
        Image.fromarray(np.full((40, 40, 3), place, np.uint8)).save(tmp_path / f"{place}.png")
    files = tuple(str(tmp_path / f"{place}.png") for place in range(12))
    groups = Groups("scene", np.arange(12) // 6, ("garden", "street"))
    page = shown(session)
    dataset = of_kind(Kind.IMAGE, files=files, groups=groups)
    post(session, DataReady(dataset, session.project.data))
    session.set_sample(7)
    detail = page.detail
    wait(lambda: detail.seen is not None and detail.seen.index == 7)
    assert detail.values["Group"].whole() == "street"
    assert detail.values["File"].whole() == "7.png"
    assert detail.values["File"].tip == files[7]
    assert detail.values["Size"].whole().endswith(" B")
    assert detail.reveal.isVisible()
    assert detail.large.picture.image.width() == 40  # the file itself, not the network's 12×10
    (tmp_path / "7.png").unlink()
    session.set_sample(8)
    session.set_sample(7)
    wait(lambda: detail.seen is not None and detail.seen.index == 7 and detail.seen.bytes is None)


def test_planes_of_a_volume(app: QApplication) -> None:
    view = ValuesView("a volume")
    values = np.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5)
    view.show_tensor(Kind.VOLUME, values)
    view.show()
    assert all(slider.isVisible() for slider in view.sliders)
    view.sliders[0].setValue(1)
    view.sliders[1].setValue(2)
    assert np.array_equal(view.model.plane, values[1, 2])
    view.show_tensor(Kind.VECTOR, np.array([1.5, np.nan]), ("a", "b"), ("value",))
    assert view.model.plane.shape == (2, 1)
    assert view.model.headerData(1, Qt.Orientation.Vertical) == "b"
    assert not view.sliders[0].isVisible()
    assert "1 not finite" in view.statistics.text()
    assert statistics(np.array([])) == "no finite values"
    assert written(np.int64(-3)) == "−3"
    view.close()


# --- statistics and what was skipped --------------------------------------------------------------


def test_the_overview_measures_when_it_is_seen(session: Session, wait: Wait) -> None:
    page = shown(session)
    assert page.overview.statistics is None
    QTest.mouseClick(page.view.findChildren(QAbstractButton)[1], Qt.MouseButton.LeftButton)
    wait(lambda: page.overview.statistics is not None)
    assert page.search.isHidden()
    assert page.overview.classes.total().tolist() == [500] * 10
    assert "measured on 2,000" in page.overview.message.text()
    page.grab()
    rows: ClassRows = page.overview.classes
    QTest.mouseClick(rows, Qt.MouseButton.LeftButton, pos=QPoint(20, 22 * 3 + 5))
    wait(lambda: len(page.grid.indices) == 500)
    assert page.label.currentData() == 3
    assert page.search.isVisible()


def test_the_sizes_of_files_are_told() -> None:
    assert sizes_told([]) == ""
    assert sizes_told([(4, 6)] * 3) == " The files are 4×6 pixels."
    some = sizes_told([(4, 6), (4, 6), (2, 2), (9, 9)])
    assert some == " The files are from 2×2 to 9×9 pixels, most often 4×6."


def test_the_overview_counts_groups(session: Session, wait: Wait) -> None:
    groups = Groups("scene", np.arange(12) // 6, ("garden", "street"))
    page = shown(session)
    post(session, DataReady(of_kind(Kind.IMAGE, groups=groups), session.project.data))
    page.view.set_current("overview")
    page._view_chosen("overview")
    wait(lambda: page.overview.statistics is not None)
    assert page.overview.groups.isVisible()
    assert page.overview.groups.total().tolist() == [6, 6]
    assert page.overview.groups.told(1) == "street: train 2, validation 2, test 2"


@pytest.mark.parametrize("settings", [GUNPOINT, AIRLINE])
def test_the_overview_of_series(app: QApplication, wait: Wait, settings: Any) -> None:
    session = opened(settings)
    page = shown(session)
    page.view.set_current("overview")
    page._view_chosen("overview")
    wait(lambda: page.overview.statistics is not None)
    assert page.overview.values.isVisible()
    assert page.overview.target.isVisible() != bool(session.dataset.classes)
    page.grab()
    session.close()


def test_the_overview_of_a_table(app: QApplication, wait: Wait, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("size,kind,price\n" + "".join(f"{i},{'ab'[i % 2]},{i}\n" for i in range(40)))
    session = opened(DataSettings("table", {"path": str(path)}))
    page = shown(session)
    page.view.set_current("overview")
    page._view_chosen("overview")
    wait(lambda: page.overview.statistics is not None)
    table = page.overview.features
    assert table.rowCount() == 2
    assert isinstance(table.cellWidget(0, 7), HistogramView)
    page.grab()
    session.close()


def test_what_was_skipped_is_listed(session: Session) -> None:
    page = shown(session)
    skipped = (Skipped("a.png", "a.png is empty"), Skipped("b.png", "b.png is no picture"))
    dataset = of_kind(Kind.IMAGE, skipped=skipped)
    post(session, DataReady(dataset, session.project.data))
    assert page.skipped.text() == "2 files or rows were skipped"
    dataset.unreadable.add(4, "it went away")
    page._tell_skipped()
    assert page.skipped.text() == "3 files or rows were skipped"
    QTest.mouseClick(page.skipped, Qt.MouseButton.LeftButton)
    dialog = page.findChild(SkippedDialog)
    assert isinstance(dialog, SkippedDialog)
    assert dialog.table.rowCount() == 3
    assert left_out(dataset)[-1] == ("sample 5", "it went away")
    dialog._copy()
    assert "a.png\ta.png is empty" in QApplication.clipboard().text()
    dialog.accept()


def test_without_data_it_says_so(session: Session) -> None:
    page = shown(session)
    session.set_data(DataSettings("images", {"path": "/nowhere"}))
    assert "Reading" in page.empty.text.text()
    asked: list[str] = []
    session.reveal.connect(asked.append)
    QTest.mouseClick(page.empty.button, Qt.MouseButton.LeftButton)
    assert asked == ["data"]


def test_every_control_has_a_name_and_the_promise_stands(session: Session) -> None:
    page = shown(session)
    for kind in (QAbstractButton, QComboBox, QSlider):
        for widget in page.findChildren(kind):
            if widget.isVisible():
                text = widget.text() if isinstance(widget, QAbstractButton) else ""
                assert widget.accessibleName() or text
    labels = [item.text() for item in page.findChildren(type(page.count))]
    assert PROMISE in labels
