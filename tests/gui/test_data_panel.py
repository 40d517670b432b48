"""The data panel: what it shows, whether data and network fit, and choosing other data."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton

from models import edits
from models.graph import Graph
from playground.data import SOURCES, open_data
from playground.messages import DataFailed, DataProgress, DataReady
from playground.project import DataSettings, Project, SplitSettings
from tests.gui.doubles import small_dataset, small_project
from tests.gui.insight_kit import AIRLINE, DIGITS, GUNPOINT, opened, post
from ui.builder import commands
from ui.data.bars import ClassBars, SplitBar
from ui.data.bundled import BUNDLED
from ui.data.dialog import ChooseData
from ui.data.drops import data_drops
from ui.data.families import offered, split_parameters
from ui.data.panel import DataPanel
from ui.data.table_form import TableForm, proposed_roles
from ui.session import Session

Wait = Callable[..., None]
TABLE = "when,size,kind,price\n" + "".join(
    f"2024-01-{day:02},{day},{'ab'[day % 2]},{day * 1.5}\n" for day in range(1, 29)
)


@pytest.fixture
def session(app: QApplication) -> Iterator[Session]:
    session = opened(DIGITS)
    yield session
    session.close()


def shown(session: Session) -> DataPanel:
    panel = DataPanel(session)
    panel.resize(254, 420)
    panel.show()
    QApplication.processEvents()
    return panel


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "prices.csv"
    path.write_text(TABLE)
    return path


# --- showing --------------------------------------------------------------------------------------


def test_the_digits_are_shown(session: Session) -> None:
    panel = shown(session)
    assert panel.title.whole() == "MNIST sample"
    assert panel.summary.text() == "5,000 images · 28×28 grey · 10 classes"
    assert panel.split.sizes == {"train": 3500, "validation": 500, "test": 1000}
    assert len(panel.grid.indices) == 24
    assert panel.bars.isVisible()
    assert panel.notes.isHidden()
    assert panel.banner.isHidden()
    names = [button.accessibleName() for button in panel.sources]
    assert names[-1] == "All sources of data"
    assert {"Pictures", "Tables", "Text"} <= set(names)
    assert len(names) <= 7


def test_a_click_chooses_the_sample(session: Session) -> None:
    panel = shown(session)
    place = panel.grid.tile_rect(5).center()
    QTest.mouseClick(panel.grid, Qt.MouseButton.LeftButton, pos=place)
    assert session.sample == panel.grid.indices[5]
    QTest.keyClick(panel.grid, Qt.Key.Key_Right)
    assert session.sample == panel.grid.indices[6]
    columns = panel.grid.columns()
    QTest.keyClick(panel.grid, Qt.Key.Key_Down)
    assert session.sample == panel.grid.indices[6 + columns]


def test_the_tile_shows_its_picture(session: Session) -> None:
    panel = shown(session)
    image = panel.grid.grab().toImage()
    rect = panel.grid.tile_rect(0)
    drawn = np.array(
        [
            [image.pixelColor(rect.x() + x, rect.y() + y).red() for x in range(rect.width())]
            for y in range(rect.height())
        ]
    )
    raw = session.dataset.inputs["image"].values[panel.grid.indices[0], 0]
    assert drawn.mean() == pytest.approx(raw.mean(), abs=12)
    assert drawn.max() > 150


def test_a_click_on_a_class_shows_its_samples_alone(session: Session) -> None:
    panel = shown(session)
    place = panel.bars.bar_rect(7).center().toPoint()
    QTest.mouseClick(panel.bars, Qt.MouseButton.LeftButton, pos=place)
    labels = session.dataset.target.values[panel.grid.indices]
    assert set(labels.tolist()) == {7}
    QTest.mouseClick(panel.bars, Qt.MouseButton.LeftButton, pos=place)
    assert len(set(session.dataset.target.values[panel.grid.indices].tolist())) > 1
    before = list(panel.grid.indices)
    QTest.mouseClick(panel.shuffle, Qt.MouseButton.LeftButton)
    assert panel.grid.indices != before


def test_series_and_rows_are_shown(app: QApplication, table: Path) -> None:
    for settings in (GUNPOINT, AIRLINE, DataSettings("table", {"path": str(table)})):
        session = opened(settings)
        panel = shown(session)
        assert len(panel.grid.indices) == 8
        assert panel.bars.isVisible() == bool(session.dataset.classes)
        own = settings is GUNPOINT
        assert (panel.split_method.text() == "own test set") == own
        assert not panel.grid.grab().toImage().isNull()
        session.close()


def test_notes_are_shown(session: Session) -> None:
    panel = shown(session)
    noted = replace(session.dataset, notes=("2 files were skipped.", "One class is small."))
    post(session, DataReady(noted, session.project.data))
    assert panel.notes.text() == "2 files were skipped.\nOne class is small."
    assert panel.notes.isVisible()


def test_lazy_pictures_are_read_beside(app: QApplication, wait: Wait, tmp_path: Path) -> None:
    class Files:
        dtype = np.dtype(np.uint8)

        def __len__(self) -> int:
            return 12

        def take(self, indices: np.ndarray) -> np.ndarray:
            return np.full((len(indices), 1, 8, 8), 200, np.uint8)

    session = opened(DIGITS)
    small = small_dataset()
    column = replace(small.inputs["image"], values=Files())
    panel = shown(session)
    lazy = replace(small, inputs={"image": column})
    post(session, DataReady(lazy, session.project.data))
    wait(lambda: len(panel.grid.indices) == 12)
    assert panel.grid._raw.max() == 200
    session.close()


def test_a_thousand_classes_and_one(app: QApplication) -> None:
    bars = ClassBars()
    bars.resize(220, 57)
    for count in (1, 1000):
        names = tuple(f"quite a long name {i}" for i in range(count))
        bars.show_counts(np.arange(count) + 1, names)
        bars.grab()
        assert bars.class_at(219.99) == count - 1
    bars.show_counts(np.zeros(3, int), ("a", "b", "c"))
    bars.grab()
    split = SplitBar()
    split.show_sizes({"train": 10**9, "validation": 0, "test": 1})
    split.grab()
    split.show_sizes({"train": 0, "validation": 0, "test": 0})
    split.grab()


# --- errors ---------------------------------------------------------------------------------------


def test_errors_come_with_ways_out(session: Session) -> None:
    panel = shown(session)
    good = session.project.data
    bad = DataSettings("images", {"path": "/nowhere"})
    session.set_data(bad)
    assert "Reading" in panel.empty.text.text()
    assert panel.retry.isHidden()
    post(session, DataFailed("/nowhere does not exist: choose the folder again", bad))
    assert panel.empty.text.text() == "/nowhere does not exist: choose the folder again"
    asked = len(session.worker.named("open_data"))
    QTest.mouseClick(panel.retry, Qt.MouseButton.LeftButton)
    assert len(session.worker.named("open_data")) == asked + 1
    QTest.mouseClick(panel.earlier, Qt.MouseButton.LeftButton)
    assert session.project.data == good


def test_without_a_project_it_offers_to_choose(app: QApplication) -> None:
    from tests.gui.doubles import NotingWorker

    session = Session(NotingWorker())
    panel = shown(session)
    assert panel.empty.button.isVisible()
    panel.choose_data()
    session.close()


# --- data and network -----------------------------------------------------------------------------


def test_other_classes_are_offered_to_the_network(session: Session) -> None:
    panel = shown(session)
    fewer = replace(
        session.dataset,
        targets={"label": replace(session.dataset.target, classes=("a", "b", "c"))},
    )
    labels = np.asarray(session.dataset.target.values) % 3
    fewer = replace(fewer, targets={"label": replace(fewer.target, values=labels)})
    post(session, DataReady(fewer, session.project.data))
    assert panel.banner.isVisible()
    assert "the data have 3 classes" in panel.banner.text.text()
    QTest.mouseClick(panel.banner.button, Qt.MouseButton.LeftButton)
    assert panel.banner.isHidden()
    output = session.graph.of_layer("output")[0]
    assert session.report.nodes[output.id].outputs["output"].number("F") == 3
    session.undo.undo()
    assert panel.banner.isVisible()


def test_another_task_is_offered(app: QApplication) -> None:
    session = opened(AIRLINE)
    session.set_task(id="classification", options={})
    panel = shown(session)
    assert "The data are for forecast" in panel.banner.text.text()
    panel.adapt()
    assert session.project.task.id == "forecast"
    assert panel.banner.isHidden()
    session.close()


def test_a_difference_that_cannot_be_adapted_is_told(session: Session) -> None:
    panel = shown(session)
    graph = session.graph
    output = graph.of_layer("output")[0]
    session.edit("Delete", edits.remove(graph, [output.id]))
    assert panel.banner.isVisible()
    told: list[str] = []
    session.notice.connect(lambda notice: told.append(notice.text))
    panel.adapt()
    assert any("no Output" in text for text in told)


def test_a_starter_network_is_one_undoable_step(session: Session) -> None:
    panel = shown(session)
    before = session.graph
    for kind in ("auto", "mlp", "cnn", "rnn", "hybrid"):
        panel.build_starter(kind)
        assert session.report.ok
    while session.undo.canUndo():
        session.undo.undo()
    assert session.graph == before


def test_a_starter_brings_its_task(app: QApplication, table: Path) -> None:
    session = opened(DataSettings("table", {"path": str(table), "target": "price"}))
    session.set_task(id="classification" if session.dataset.task == "regression" else "regression")
    assert commands.build_starter(session)
    assert session.project.task.id == session.dataset.task
    assert not DataPanel(session).differences()
    session.close()


def test_a_starter_that_makes_no_sense_is_told(app: QApplication, table: Path) -> None:
    session = opened(DataSettings("table", {"path": str(table)}))
    panel = shown(session)
    told: list[str] = []
    session.notice.connect(lambda notice: told.append(notice.text))
    panel.build_starter("cnn")
    assert "there is no order in them" in told[-1]
    session.close()


def test_an_empty_canvas_is_not_a_difference(session: Session) -> None:
    panel = shown(session)
    session.new(Project(name="Empty", graph=Graph()))
    assert panel.differences() == []


# --- the dialog -----------------------------------------------------------------------------------


def dialog(session: Session) -> ChooseData:
    made = ChooseData(session)
    made.show()
    QApplication.processEvents()
    return made


def test_it_begins_with_the_present_data(session: Session) -> None:
    made = dialog(session)
    assert made.current == DIGITS
    assert made.settings() == session.project.data
    made.reject()


@pytest.mark.parametrize("item", BUNDLED, ids=lambda item: item.title)
def test_bundled_sets_open(item: Any) -> None:
    dataset = open_data(item.settings, Path.cwd())
    assert len(dataset) > 50
    assert len(dataset.splits["train"]) > 20


def test_a_bundled_set_is_used(session: Session) -> None:
    made = dialog(session)
    made._choose_item(AIRLINE)
    assert made.bundled.title.text() == "Airline passengers"
    QTest.mouseClick(made.ok, Qt.MouseButton.LeftButton)
    made.use()
    assert session.project.data == BUNDLED[AIRLINE].settings


def test_an_image_folder_needs_a_path(session: Session, tmp_path: Path) -> None:
    made = dialog(session)
    made.show_source("images")
    page = made.pages["images"]
    assert not made.ok.isEnabled()
    page.path.line.setText(str(tmp_path))
    assert made.ok.isEnabled()
    page.form.edited.emit("fit", "pad")
    made.split[0].edited.emit("test", 0.3)
    settings = made.settings()
    assert settings.source == "images"
    assert settings.options == {"fit": "pad", "path": str(tmp_path)}
    assert settings.split.test == 0.3
    made.reject()


def test_paths_beside_the_project_are_kept_relative(session: Session, tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    session.save(tmp_path / "mine.playground")
    made = dialog(session)
    made.show_source("images", str(tmp_path / "pictures"))
    assert made.settings().options["path"] == "pictures"
    made.reject()


def test_a_table_is_looked_at_and_its_columns_get_roles(
    session: Session, wait: Wait, table: Path
) -> None:
    made = dialog(session)
    made.show_source("table", str(table))
    page = made.pages["table"]
    assert page.table is not None
    wait(lambda: page.table.roles())
    assert page.table.roles() == {
        "when": "ignore",
        "size": "feature",
        "kind": "feature",
        "price": "target",
    }
    page.table.set_role("size", "target")
    assert page.table.roles()["price"] == "ignore"
    assert made.settings().options["target"] == "size"
    assert made.settings().options["features"] == "kind"
    dataset = open_data(made.settings(), table.parent)
    assert dataset.task == "regression"
    page.form.edited.emit("task", "forecast")
    wait(lambda: page.table.roles()["when"] == "time")
    page.form.edited.emit("window", 4)
    options = made.settings().options
    assert (options["time"], options["task"], options["window"]) == ("when", "forecast", 4)
    assert open_data(made.settings(), table.parent).task == "forecast"
    made.reject()


def test_a_table_that_cannot_be_read_is_told(session: Session, wait: Wait, tmp_path: Path) -> None:
    made = dialog(session)
    made.show_source("table", str(tmp_path / "gone.csv"))
    page = made.pages["table"]
    wait(lambda: "does not exist" in page.table.message.text())
    assert page.table.table.isHidden()
    (tmp_path / "bytes.csv").write_bytes(b"a,b\n1,\x002\n")
    page.path.line.setText(str(tmp_path / "bytes.csv"))
    wait(lambda: "NUL" in page.table.message.text())
    made.reject()


def test_roles_of_columns_follow_the_options(table: Path) -> None:
    from playground.data import inspect_table

    preview = inspect_table(table)
    given = {"target": "kind", "features": "size"}
    assert proposed_roles(preview, given)["price"] == "ignore"
    forecast = proposed_roles(preview, {"task": "forecast"})
    assert forecast == {"when": "time", "size": "ignore", "kind": "ignore", "price": "target"}


def test_a_table_of_many_columns(app: QApplication) -> None:
    from playground.data.columns import ColumnPreview, TablePreview

    columns = tuple(ColumnPreview(f"column {i} " * 20, "number", 1, 2) for i in range(300))
    rows = tuple(tuple("x" * 500 for _ in columns) for _ in range(50))
    form = TableForm()
    form.show_preview(TablePreview(columns, rows, ",", "UTF-8", True, False, False))
    form.grab()
    assert form.roles()[columns[-1].name] == "target"


def test_a_dropped_folder_opens_the_dialog(session: Session, wait: Wait, tmp_path: Path) -> None:
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(tmp_path / "x.png")
    panel = shown(session)
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path))])
    event = QDropEvent(
        QPointF(10, 10), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )  # fmt: skip
    drops = data_drops(panel, session)
    assert panel.acceptDrops()
    assert drops.eventFilter(panel, event)
    assert event.isAccepted()
    wait(lambda: panel.findChild(ChooseData))
    made = panel.findChild(ChooseData)
    assert made.settings().options["path"] == str(tmp_path)
    made.reject()


def test_every_control_has_a_name(session: Session) -> None:
    panel = shown(session)
    made = dialog(session)
    for widget in (*panel.findChildren(QPushButton), *made.findChildren(QPushButton)):
        assert widget.accessibleName() or widget.text()
    made.reject()


def test_a_network_of_other_data(app: QApplication) -> None:
    session = opened(GUNPOINT)
    panel = shown(session)
    session.new(replace(small_project(), data=session.project.data))
    assert panel.empty.isVisible()
    post(session, DataReady(small_dataset(), DataSettings("digits", {}, SplitSettings())))
    assert session.dataset is None
    session.close()


@pytest.mark.parametrize("settings", [DIGITS, GUNPOINT, AIRLINE])
def test_any_size_comes_to_rest(app: QApplication, settings: int) -> None:
    """A height that follows from the width, and a scroll bar that takes from it, may not chase
    each other."""
    session = opened(settings)
    panel = shown(session)
    for width in range(180, 300, 7):
        for height in (240, 330, 380, 420, 520):
            panel.resize(width, height)
            QApplication.processEvents()
    assert panel.grid.width() > 100
    session.close()


# --- families of sources --------------------------------------------------------------------------


def test_every_source_has_a_page_that_opens(session: Session) -> None:
    made = dialog(session)
    for _, sources in offered():
        for source in sources:
            made.show_source(source.id)
            assert made.current == source.id
            page = made.page(source.id)
            assert (page.path is not None) == (source.place != "none")
            if source.place == "none":
                assert made.ok.isEnabled()
                assert made.settings().source == source.id
            else:
                assert not made.ok.isEnabled()
                assert made.reason.text().startswith("Choose a")
                page.path.line.setText("/somewhere")
                assert made.ok.isEnabled()
                assert made.reason.text() == ""
    made.reject()


def test_only_the_split_fields_that_apply_are_shown(session: Session) -> None:
    made = dialog(session)
    made.show_source("images")
    amounts, method = made.split
    assert {"validation", "test"} == set(amounts.fields)
    assert "folds" not in method.fields
    method.edited.emit("method", "folds")
    assert set(amounts.fields) == {"test"}
    assert {"folds", "fold"} <= set(method.fields)
    method.edited.emit("fold", 2)
    assert made.settings().split.fold == 2
    choices = {value for value, _ in split_parameters(SOURCES.get("images"), "auto")[2].choices}
    assert {"group", "own"} <= choices
    generated = split_parameters(SOURCES.get("waves"), "auto")
    assert "group" not in {value for value, _ in generated[2].choices}
    made.reject()


def test_files_dropped_on_the_dialog_choose_the_source(
    session: Session, wait: Wait, table: Path, tmp_path: Path
) -> None:
    made = dialog(session)
    made.drops.take([table])
    wait(lambda: made.current == "table")
    assert made.pages["table"].path.line.text() == str(table)
    (tmp_path / "x.exe").write_bytes(b"MZ")
    made.drops.take([tmp_path / "x.exe"])
    wait(lambda: "of no kind that is known" in made.reason.text())
    made.reject()


def test_a_family_button_opens_its_first_source(session: Session) -> None:
    panel = shown(session)
    button = next(b for b in panel.sources if b.accessibleName() == "Sound")
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    made = panel.findChild(ChooseData)
    assert made is not None
    assert made.current == "sound"
    made.reject()
    menu = panel.sources[-1].menu()
    menu.aboutToShow.emit()
    texts = [action.text() for action in menu.actions()]
    assert {"Generated", "Moving shapes", "Image folder"} <= set(texts)


def test_reading_shows_progress_and_can_be_cancelled(session: Session) -> None:
    panel = shown(session)
    session.set_data(DataSettings("images", {"path": "/far/away"}))
    assert session.reading
    assert panel.cancel.isVisible()
    post(session, DataProgress("Decoding images", 0.4))
    assert panel.empty.text.text() == "Decoding images"
    assert panel.progress.isVisible()
    QTest.mouseClick(panel.cancel, Qt.MouseButton.LeftButton)
    assert not session.reading
    assert session.worker.named("cancel_data")
    assert "cancelled" in panel.empty.text.text()
    assert panel.cancel.isHidden()
    assert panel.retry.isVisible()
    assert panel.earlier.isVisible()
    post(session, DataProgress("Decoding images", 0.5))
    assert "cancelled" in panel.empty.text.text()
