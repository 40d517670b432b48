"""The window around the panels: pages, panels, actions, files, notices, leaving."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLineEdit, QMenu, QWidget

from models import edits
from playground import project as projects
from playground.messages import Estimate, Progress, State, Status
from tests.gui.doubles import NotingWorker, give_data, small_dataset, small_project
from ui.main_window import MainWindow, file_stem
from ui.session import Session
from ui.settings import recent_projects, settings
from ui.theme import theme
from ui.workspace import CANVAS, Workspace

Make = Callable[[], MainWindow]


@pytest.fixture
def make(app: QApplication) -> Iterator[Make]:
    """Makes windows; they are closed without questions at the end."""
    windows: list[MainWindow] = []

    def window() -> MainWindow:
        made = MainWindow(Session(NotingWorker()))
        made.resize(1366, 768)
        made.show()
        made.start()
        windows.append(made)
        return made

    yield window
    for made in windows:
        made.ask_to_save = lambda name: "discard"
        made.close()
        made.deleteLater()


@pytest.fixture
def window(make: Make) -> MainWindow:
    return make()


@pytest.fixture
def opened(window: MainWindow) -> MainWindow:
    window.session.new(small_project())
    give_data(window.session)
    return window


def workspace(window: MainWindow) -> Workspace:
    assert window.workspace is not None
    return window.workspace


def change(window: MainWindow) -> None:
    graph = edits.set_params(window.session.graph, "n3", {"out_features": 7})
    window.session.edit("Units", graph)


# --- pages ----------------------------------------------------------------------------------------


def test_an_empty_window_offers_examples(window: MainWindow) -> None:
    assert window.pages.currentWidget() is window.start_page
    names = [b.accessibleName() for b in window.start_page.findChildren(QAbstractButton)]
    for example in projects.examples():
        assert f"Open the example {example.title}" in names


def test_a_click_on_an_example_opens_it_untitled(window: MainWindow, app: QApplication) -> None:
    example = projects.examples()[0]
    card = next(
        b
        for b in window.start_page.findChildren(QAbstractButton)
        if b.accessibleName() == f"Open the example {example.title}"
    )
    QTest.mouseClick(card, Qt.MouseButton.LeftButton)
    assert window.pages.currentWidget() is workspace(window)
    assert window.session.project.name == example.title
    assert window.session.path is None
    assert not window.session.dirty


def test_recording_begins_at_the_start_page(window: MainWindow) -> None:
    button = next(
        b for b in window.start_page.findChildren(QAbstractButton) if b.text() == "Record your own"
    )
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    assert window.pages.currentWidget() is workspace(window)
    assert window.session.mode == "data"
    view = workspace(window).data_view
    assert view is not None
    assert view.current() == "record"


def test_recent_projects_are_offered(make: Make, tmp_path: Path) -> None:
    first = make()
    first.session.new(small_project())
    first.session.save(tmp_path / "mine.playground")
    assert recent_projects() == [tmp_path / "mine.playground"]
    second = make()
    row = next(
        b
        for b in second.start_page.findChildren(QAbstractButton)
        if b.accessibleName().startswith("Open mine.playground")
    )
    row.click()
    assert second.session.path == tmp_path / "mine.playground"


def test_the_start_page_and_back(opened: MainWindow) -> None:
    opened.actions_.trigger("start")
    assert opened.pages.currentWidget() is opened.start_page
    opened.actions_.trigger("start")
    assert opened.pages.currentWidget() is opened.workspace


# --- the bar on top -------------------------------------------------------------------------------


def test_the_title_tells_file_and_state(opened: MainWindow, tmp_path: Path) -> None:
    title = opened.transport.title
    assert title.name.text() == "Small"
    opened.session.save(tmp_path / "small.playground")
    assert title.file.whole() == "small.playground · saved"
    change(opened)
    assert title.file.whole() == "small.playground · edited"
    opened.session.undo.undo()
    assert title.file.whole() == "small.playground · saved"


def test_a_project_without_a_name_takes_its_file_s(window: MainWindow, tmp_path: Path) -> None:
    window.new_project()
    assert window.transport.title.name.text() == "Untitled"
    window.session.save(tmp_path / "mugs.playground")
    assert window.transport.title.name.text() == "mugs"
    assert window.windowTitle().startswith("mugs")


def test_what_is_selected_can_be_copied_at_once(opened: MainWindow) -> None:
    copy = opened.actions_.qaction("copy")
    assert not copy.isEnabled()
    opened.session.select(["n3"])
    assert copy.isEnabled()


def test_undo_and_redo_buttons(opened: MainWindow) -> None:
    undo, redo = opened.actions_.qaction("undo"), opened.actions_.qaction("redo")
    assert not undo.isEnabled()
    change(opened)
    assert undo.isEnabled()
    undo.trigger()
    assert not undo.isEnabled()
    assert redo.isEnabled()


def test_the_run_button_says_what_it_does(opened: MainWindow) -> None:
    button, session = opened.transport.run_button, opened.session
    assert button.text() == "Run"
    button.click()
    session.worker.mailbox.post(Status(State.RUNNING, device="CPU · 1 of 2 cores"))
    session.bridge.drain()
    assert button.text() == "Pause"
    assert opened.transport.device.text() == "CPU · 1 of 2 cores"
    session.worker.mailbox.post(Status(State.PAUSED, device="CPU · 1 of 2 cores"))
    session.bridge.drain()
    assert button.text() == "Resume"


def test_progress_with_units_and_before_a_run_its_estimate(opened: MainWindow) -> None:
    progress, session = opened.transport.progress, opened.session
    session.worker.mailbox.post(Estimate(3.0, 1000, "about 3 s an epoch"))
    session.bridge.drain()
    assert progress.left.text() == "Not trained yet"
    assert progress.right.whole() == "about 3 s an epoch"
    session.worker.mailbox.post(Status(State.RUNNING))
    session.worker.mailbox.post(Progress(7, 20, 30, 100, 418.3, 8.2, 0.001))
    session.bridge.drain()
    assert progress.left.text() == "Epoch <b>7</b> of 20"
    assert progress.right.whole() == "418 batches/s · 9 s left"


# --- panels ---------------------------------------------------------------------------------------


def test_every_page_can_be_reached(opened: MainWindow) -> None:
    for action in opened.actions_.list():
        if action.id.startswith("show_"):
            opened.actions_.trigger(action.id)
            page = action.id.removeprefix("show_")
            space = workspace(opened)
            panels = (space.library, space.data, space.side, space.views, space.data_view)
            panel = next(p for p in panels if p is not None and page in p.ids())
            assert panel.current() == page
            assert panel.page(page).isVisible()


def test_panels_hide_and_come_back(opened: MainWindow) -> None:
    space = workspace(opened)
    opened.actions_.trigger("panel_library")
    opened.actions_.trigger("panel_data")
    assert not space.panels["library"].isVisible()
    assert not space._left.isVisible()
    opened.session.reveal.emit("data")
    assert space.panels["data"].isVisible()
    assert not space.panels["library"].isVisible()
    opened.actions_.trigger("reset_panels")
    assert all(panel.isVisible() for panel in space.panels.values())


def test_a_panel_is_maximised_and_put_back(opened: MainWindow) -> None:
    space = workspace(opened)
    QTest.mouseDClick(space.views.header, Qt.MouseButton.LeftButton, pos=QPoint(600, 10))
    assert [id for id, panel in space.panels.items() if panel.isVisible()] == ["views"]
    opened.actions_.trigger("maximise_views")
    assert all(panel.isVisible() for panel in space.panels.values())
    opened.actions_.trigger(f"maximise_{CANVAS}")
    assert [id for id, panel in space.panels.items() if panel.isVisible()] == [CANVAS]


def test_a_panel_s_header_hides_it(opened: MainWindow) -> None:
    views = workspace(opened).views
    QApplication.sendEvent(
        views.header,
        QContextMenuEvent(QContextMenuEvent.Reason.Mouse, QPoint(500, 10), QPoint(500, 10)),
    )
    (menu,) = views.header.findChildren(QMenu)
    next(action for action in menu.actions() if action.text() == "Hide").trigger()
    menu.close()
    assert not views.isVisible()


def test_numbers_are_predicted_not_confused(opened: MainWindow) -> None:
    give_data(opened.session, replace(small_dataset(), task="forecast"))
    tab = workspace(opened).views._tabs["confusion"]
    assert tab.text() == "Predictions"
    give_data(opened.session)
    assert tab.text() == "Confusion"


def test_sizes_hidden_panels_and_tabs_are_remembered(make: Make, app: QApplication) -> None:
    first = make()
    first.session.new(small_project())
    app.processEvents()
    space = workspace(first)
    space._root.setSizes([400, 900])
    sizes = space._root.sizes()
    space.set_hidden("data", True)
    space.side.set_current("training")
    first.close()
    second = make()
    second.session.new(small_project())
    app.processEvents()
    again = workspace(second)
    assert again.hidden == {"data"}
    assert again.side.current() == "training"
    assert again._root.sizes() == sizes


def test_the_sample_is_named_and_changed(opened: MainWindow) -> None:
    opened.session.set_sample(4)
    assert "sample 5" in workspace(opened)._sample.text.text()
    opened.actions_.trigger("next_sample")
    assert opened.session.sample == 5


@pytest.mark.parametrize("size", [(1366, 768), (1600, 1000), (2560, 1440)])
def test_nothing_is_cut_off_in_the_bar(
    opened: MainWindow, app: QApplication, size: tuple[int, int]
) -> None:
    opened.resize(*size)
    app.processEvents()
    bar = opened.transport
    boxes = [bar.title, bar.run_button, bar.progress, bar.device, bar.search, bar.theme_button]
    edges = [(w.mapTo(bar, QPoint(0, 0)).x(), w.width()) for w in boxes]
    for (left, width), (following, _) in pairwise(edges):
        assert left + width <= following
    assert edges[-1][0] + edges[-1][1] <= opened.width()


# --- keyboard -------------------------------------------------------------------------------------


def test_the_command_search_finds_and_does(opened: MainWindow, app: QApplication) -> None:
    opened.activateWindow()
    before = theme().name
    opened.actions_.trigger("search")
    assert opened.search.isVisible()
    QTest.keyClicks(opened.search.field, "light or dark")
    QTest.keyClick(opened.search.field, Qt.Key.Key_Return)
    assert not opened.search.isVisible()
    assert theme().name != before
    opened.actions_.trigger("search")
    QTest.keyClicks(opened.search.field, "no such thing at all")
    assert opened.search.nothing.isVisible()
    QTest.keyClick(opened.search.field, Qt.Key.Key_Escape)
    assert not opened.search.isVisible()


def test_shortcuts_are_unambiguous_and_listed(opened: MainWindow) -> None:
    taken: dict[tuple[str, int], str] = {}
    for action in opened.actions_.list():
        for key in opened.actions_.qaction(action.id).shortcuts():
            where = (key.toString(), id(action.scope))
            assert where not in taken, f"{action.id} and {taken[where]} share {key.toString()}"
            taken[where] = action.id
    opened.actions_.trigger("shortcuts")
    assert opened.help.isVisible()
    opened.help.close()


@pytest.mark.parametrize("page", ["layers", "outline", "examples", "training", "try", "runs"])
def test_everything_that_can_be_operated_has_a_name(opened: MainWindow, page: str) -> None:
    opened.session.reveal.emit(page)
    nameless = [
        f"{type(w).__name__} in {type(w.parent()).__name__}"
        for w in opened.findChildren(QWidget)
        if isinstance(w, (QAbstractButton, QLineEdit, QComboBox))
        and w.isVisible()
        and not (w.accessibleName() or (isinstance(w, QAbstractButton) and w.text()))
        and not w.objectName().startswith("qt_")
    ]
    assert not nameless, nameless


# --- notices --------------------------------------------------------------------------------------


def test_notices_replace_each_other_and_offer_a_way_out(opened: MainWindow) -> None:
    done: list[str] = []
    session = opened.session
    session.tell("first", "bad", key="run")
    session.tell("second", "bad", ("Do it", lambda: done.append("done")), key="run")
    assert [bar.notice.text for bar in opened.notices.bars] == ["second"]
    opened.notices.bars[0]._act()
    assert done == ["done"]
    assert opened.notices.bars == []
    for number in range(5):
        session.tell(f"number {number}", "warn")
    assert len(opened.notices.bars) == 3
    session.tell("last", "warn", key="x")
    session.tell("", key="x")
    assert "last" not in [bar.notice.text for bar in opened.notices.bars]
    session.tell("removed", "info", ("Undo", lambda: None), "x")
    session.new(small_project("Another"))
    assert "removed" not in [bar.notice.text for bar in opened.notices.bars], "of the one before"


# --- leaving --------------------------------------------------------------------------------------


def test_leaving_asks_only_when_something_would_be_lost(opened: MainWindow, tmp_path: Path) -> None:
    asked: list[str] = []
    opened.ask_to_save = lambda name: asked.append(name) or "cancel"  # type: ignore[func-returns-value,method-assign]
    assert opened.may_leave()
    change(opened)
    assert not opened.close()
    assert asked == ["Small"]
    assert opened.isVisible()
    opened.session.save(tmp_path / "desk.playground")
    opened.session.set_name("Untitled")
    assert not opened.close()
    assert asked == ["Small", "desk"]
    opened.session.save(tmp_path / "desk.playground")
    assert opened.close()
    assert asked == ["Small", "desk"]


def test_saving_when_asked(opened: MainWindow, tmp_path: Path) -> None:
    opened.session.save(tmp_path / "small.playground")
    change(opened)
    opened.ask_to_save = lambda name: "save"
    assert opened.close()
    project = projects.load(tmp_path / "small.playground")
    assert project.graph.nodes["n3"].params["out_features"] == 7


def test_a_broken_file_is_told_and_forgotten(opened: MainWindow, tmp_path: Path) -> None:
    path = tmp_path / "bad.playground"
    path.write_text("no json")
    assert not opened.open_path(path)
    assert "bad.playground" in opened.notices.bars[-1].notice.text
    assert opened.session.project.name == "Small"


def test_the_theme_is_kept_between_windows(make: Make) -> None:
    first = make()
    theme().set_theme("dark")
    first.actions_.trigger("theme")
    assert settings().value("theme") == "light"


@pytest.mark.parametrize(
    ("name", "stem"),
    [("Handwritten digits: CNN", "handwritten-digits-cnn"), ("", "untitled"), ("../x", "x")],
)
def test_file_names(name: str, stem: str) -> None:
    assert file_stem(name) == stem
