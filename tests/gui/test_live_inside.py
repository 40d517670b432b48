"""Looking inside what runs live: only what is seen is asked for, and what comes back is shown."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from models.axes import image
from models.graph import Graph
from models.zoo.efficientnet import efficientnet_lite0
from models.zoo.mtcnn import onet
from playground.answers import Classes
from playground.capture import CaptureStatus
from playground.data.dataset import Column, Dataset
from playground.live.candidates import Glimpse
from playground.live.inside import InsideView
from playground.live.what import Runnable, bundled
from playground.messages import LookedInside
from playground.probes.channels import Excited
from playground.project import empty
from playground.runs import RunFolder, new_run
from playground.worker import Worker
from tests.gui.doubles import small_project
from tests.gui.live_kit import live_answer, quiet_desk
from ui.data.record.devices import CLIP
from ui.live.desk import Desk
from ui.live.inside.heat import on_frame
from ui.live.inside.layers import layers_of
from ui.live.inside.network_page import NetworkPage
from ui.live.inside.networks import networks_of, project_of, run_for
from ui.live.inside.page import InsidePage
from ui.live.inside.samples import samples_of
from ui.live.inside.tree import LayerTree
from ui.live.inside.why import FIRST
from ui.opening import Opening, Wanted
from ui.session import Session


@pytest.fixture
def desk(app: QApplication, monkeypatch: pytest.MonkeyPatch) -> Any:
    desk = quiet_desk(monkeypatch)
    yield desk
    desk.close()
    desk.session.close()


def test_a_wish_reaches_what_runs_and_is_forgotten_with_it(desk: Desk) -> None:
    changes: list[str] = []
    desk.wish_changed.connect(lambda: changes.append("wish"))
    desk.set_address("sample:clip/bigbuckbunny.mp4")
    desk.start()
    assert desk.recognition is not None
    assert desk.recognition.wish.rate_hz == 0
    desk.set_wish(rate_hz=5.0, port=("n2", "output"))
    desk.set_wish(rate_hz=5.0)
    assert changes == ["wish"]
    assert desk.recognition.wish.port == ("n2", "output")
    desk.choose("faces")
    assert desk.wish.port is None
    assert desk.wish.rate_hz == 5.0
    assert desk.recognition.wish == desk.wish


def test_what_the_worker_sees_is_shown_while_it_learns(desk: Desk) -> None:
    views: list[InsideView] = []
    desk.inside_changed.connect(views.append)
    message = LookedInside(InsideView(3, 0.0), 7)
    desk._worker_looked(message)
    assert not views, "the network on show is not under training"
    desk.with_training = True
    desk._worker_looked(message)
    desk._worker_looked(LookedInside(None, 8, "it is gone"))
    assert [view.number for view in views] == [3, 0]
    assert desk.view is not None
    assert desk.view.problem == "it is gone"
    desk.with_training = False


def test_heat_on_the_big_picture_goes_with_the_network(desk: Desk) -> None:
    desk.set_heat(QImage(4, 4, QImage.Format.Format_ARGB32_Premultiplied), (0, 0, 0.5, 1))
    assert desk.heat is not None
    desk.choose("faces")
    assert desk.heat is None


# --- the page -------------------------------------------------------------------------------------


class FakeSearch:
    """Stands for ``Search``: the test says what it found."""

    def __init__(self, port: Any, channel: int, samples: Any, told: Any) -> None:
        self.port, self.channel, self.samples, self.told = port, channel, tuple(samples), told
        self.found: tuple[Any, ...] = ()
        self.raw: dict[Any, Any] = {}
        self.done, self.total, self.skipped, self.problem = 0, len(self.samples), 0, ""
        self.started = self.closed = False

    @property
    def finished(self) -> bool:
        return self.done == self.total or bool(self.problem)

    def start(self) -> None:
        self.started = True

    def close(self, timeout: float | None = None) -> bool:
        self.closed = True
        return True


class FakeInside:
    """Stands for ``Inside`` of the bundled network."""

    def __init__(self, graph: Graph) -> None:
        self.graph, self.problem = graph, ""
        self.searches: list[FakeSearch] = []

    def search(self, port: Any, channel: int, samples: Any, told: Any = None) -> FakeSearch:
        self.searches.append(FakeSearch(port, channel, samples, told))
        return self.searches[-1]


class FakeAnswers:
    """Answers that carry a state."""

    def __init__(self) -> None:
        self.carried: dict[str, Any] = {}

    def states(self) -> dict[str, Any]:
        return self.carried


@dataclass
class Shown:
    """The page with the desk that it shows."""

    desk: Desk
    page: InsidePage
    inside: FakeInside
    wait: Callable[..., None]

    def see(self, **values: Any) -> None:
        view = InsideView(1, time.monotonic(), seconds=0.031).with_values(**values)
        self.desk._show_view(view)

    def answer(self, seen: float | None = None, number: int = 1) -> None:
        classes = Classes((("Cat", 0.9), ("Wall", 0.1)), seen)
        self.desk._show(live_answer(classes, number, captured=10.0 + 0.1 * number))


@pytest.fixture
def shown(desk: Desk, wait: Callable[..., None]) -> Any:
    desk.set_address("sample:clip/bigbuckbunny.mp4")
    desk.start()
    page = InsidePage(desk)
    page.resize(320, 900)
    page.show()
    inside = FakeInside(efficientnet_lite0(10))
    assert desk.recognition is not None
    recognition: Any = desk.recognition
    recognition.inside, recognition.answers = inside, FakeAnswers()
    desk.status_changed.emit()
    wait(lambda: page.ready and page.maps.port is not None)
    yield Shown(desk, page, inside, wait)
    page.close()


def test_only_what_is_seen_is_wished(shown: Shown) -> None:
    desk, page = shown.desk, shown.page
    assert desk.wish.rate_hz == 5
    assert desk.wish.heat == "gradcam"
    assert desk.wish.maps
    page.corner.rate.set_value(11)
    assert desk.wish.rate_hz == 11
    page.why.title.click()
    assert desk.wish.heat == "none"
    assert desk.wish.maps
    page.maps.title.click()
    assert not desk.wish.maps
    page.hide()
    assert desk.wish.rate_hz == 0
    page.show()
    page.why.title.click()
    assert desk.wish.rate_hz == 11
    assert desk.wish.heat == "gradcam"
    again = InsidePage(desk)
    again.show()
    shown.wait(lambda: again.ready)
    assert not again.maps.open, "what was folded stays so"
    assert again.corner.rate.value() == 11
    again.close()
    again.deleteLater()


def test_layers_are_offered_in_their_order_and_one_tells_most(shown: Shown) -> None:
    chooser = shown.page.maps.chooser
    titles = [chooser.itemText(index) for index in range(chooser.count())]
    assert titles.index("blocks.4") < titles.index("blocks.5 / expand_conv")
    assert titles.index("blocks.5 / expand_conv") < titles.index("blocks.5")
    assert shown.desk.wish.port == shown.page.maps.port
    layers = layers_of(efficientnet_lite0(10))
    assert layers.telling is not None
    assert layers.size(layers.telling) == "28×28"
    assert layers.parameters > 3_000_000
    shown.desk.set_wish(port=("n3", "output"))
    assert chooser.port == ("n3", "output"), "chosen elsewhere"


def test_heat_says_what_pushed_the_answer(shown: Shown) -> None:
    why = shown.page.why
    heat = np.zeros((224, 224), np.float32)
    heat[:112] = 1.0
    frame = np.full((270, 480, 3), 100, np.uint8)
    crop = (0.25, 0.0, 0.75, 1.0)
    shown.see(heat=heat, label="Cat", heat_score=0.93, frame=frame, crop=crop)
    assert why.title.text() == "Why “Cat”"
    assert why.sentence.whole() == "Bright regions pushed the answer towards Cat."
    assert why.detail.whole() == "93 %"
    image = why.picture.image
    middle, side = image.width() // 2, image.width() // 10
    warm, plain = image.pixelColor(middle, 20), image.pixelColor(side, 20)
    assert warm.red() > 200
    assert plain.red() == plain.blue() == 100, "nothing lies beside what the network sees"
    assert image.pixelColor(middle, image.height() - 10).red() == 100
    assert shown.page.corner.cost.text() == "31 ms"
    why.large.click()
    assert shown.desk.heat is not None
    assert shown.desk.heat[1] == crop
    why.large.click()
    assert shown.desk.heat is None
    why.kind._buttons["occlusion"].click()
    assert shown.desk.wish.heat == "occlusion"
    shown.see(heat_share=0.4)
    assert not why.progress.isHidden()
    shown.see(problem="this network takes no picture")
    assert why.off.text() == "This network takes no picture"
    assert why.picture.isHidden()
    shown.see(heat=heat, label="Cat")
    assert not why.picture.isHidden()


def test_a_class_can_be_chosen_from_the_answers(shown: Shown) -> None:
    classes = shown.page.why.classes
    shown.answer()
    classes.offer(None)
    assert [classes.itemText(i) for i in range(classes.count())] == [FIRST, "Cat", "Wall"]
    classes.setCurrentIndex(2)
    classes.class_changed.emit()
    assert shown.desk.wish.label == "Wall"
    shown.see(problem="there is no class Wall in this network's answers")
    assert not classes.isHidden(), "it can be given up"


def test_borders_that_the_network_was_given_have_no_heat() -> None:
    heat = np.arange(200, dtype=np.float32).reshape(20, 10)
    part, shares = on_frame(heat, (0.0, -0.5, 1.0, 1.5))
    np.testing.assert_array_equal(part, heat[5:15])
    assert shares == pytest.approx((0.0, 0.0, 1.0, 1.0))
    whole, shares = on_frame(heat, (0.2, 0.1, 0.7, 0.9))
    assert whole.shape == heat.shape
    assert shares == pytest.approx((0.2, 0.1, 0.7, 0.9))


def maps_of(count: int) -> Any:
    maps = np.zeros((count, 28, 28), np.float32)
    maps += np.arange(count)[:, None, None]
    return maps


def test_the_strongest_channels_come_first_and_one_can_be_opened(shown: Shown) -> None:
    section = shown.page.maps
    port = section.port
    strongest = tuple((channel, float(channel)) for channel in range(39, 7, -1))
    shown.see(
        port=port,
        maps=maps_of(40),
        channels=tuple(range(40)),
        channel_count=40,
        strongest=strongest,
    )
    assert section.maps.channels == tuple(range(32))
    assert shown.desk.wish.channels == tuple(range(39, 7, -1))
    assert section.count.whole() == "32 of 40 · 28×28"
    section.strongest.click()
    assert shown.desk.wish.channels == tuple(range(32))
    section.maps.opened.emit(12)
    assert shown.desk.wish.channels == (12,)
    shown.wait(lambda: shown.inside.searches)
    search = shown.inside.searches[0]
    assert (search.port, search.channel) == (port, 12)
    assert len(search.samples) == 5, "the bundled pictures"
    search.found = (Excited(search.samples[0], 3.5, (0.25, 0.5)),)
    search.raw = {search.samples[0]: np.zeros((3, 8, 8), np.uint8)}
    search.done = 1
    search.told()
    shown.wait(lambda: section.channel.thumbs.thumbs)
    assert section.channel.state.text() == "1 of 5 bundled pictures"
    assert section.channel.thumbs.thumbs[0].image.width() == 8
    section.channel.button.click()
    assert search.closed
    assert "Stopped after 1 of 5" in section.channel.state.text()
    section.channel.back.click()
    assert section.channel.isHidden()
    assert shown.desk.wish.channels == tuple(range(32))


def test_a_search_ends_when_nobody_looks(shown: Shown) -> None:
    section = shown.page.maps
    section.maps.show_channels(maps_of(8), range(8), {}, fresh=True)
    QTest.keyClick(section.maps, Qt.Key.Key_Right)
    QTest.keyClick(section.maps, Qt.Key.Key_Return)
    shown.wait(lambda: shown.inside.searches)
    assert shown.inside.searches[0].channel == 1
    shown.page.hide()
    assert shown.inside.searches[0].closed


def test_while_it_learns_a_copy_is_searched(shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    copied: Future[Any] = Future()
    copied.set_exception(ValueError("there is no network yet"))
    worker: Any = shown.desk.session.worker
    monkeypatch.setattr(worker, "copied", lambda: copied, raising=False)
    channel, recognition = shown.page.maps.channel, shown.desk.recognition
    shown.desk.session.running_graph = shown.inside.graph
    shown.desk.recognition, shown.desk.with_training = None, True
    channel.setVisible(True)
    channel.open(("n2", "output"), 1, "relu")
    shown.desk.status_changed.emit()  # the camera may tell something meanwhile
    shown.wait(lambda: channel.state.text() == "There is no network yet.")
    channel.end()
    shown.desk.recognition, shown.desk.with_training = recognition, False


def test_states_roll_by_with_the_answers(shown: Shown) -> None:
    section = shown.page.states
    assert section.isHidden()
    recognition: Any = shown.desk.recognition
    for number in range(1, 40):
        state = np.full(6, -1.0 if number < 20 else 1.0, np.float32)
        recognition.answers.carried = {"memory": state, "memory c": 3 * state}
        shown.answer(number=number)
    assert not section.isHidden()
    assert section.chooser.count() == 2
    assert 30 <= section.map.image.width() <= 40
    assert section.map.image.height() == 6
    first, last = (section.map.image.pixelColor(x, 0) for x in (0, section.map.image.width() - 1))
    assert first.blue() > first.red()
    assert last.red() > last.blue()
    section.chooser.setCurrentIndex(1)
    section._draw()
    assert section.map.reach == 3


def test_states_of_a_window_are_shown_as_they_are(shown: Shown) -> None:
    shown.see(states={"memory": np.zeros((100, 4), np.float32)})
    assert shown.page.states.map.image.width() == 100
    assert shown.page.states.last.text() == "last step"


def test_how_well_it_is_known_stands_at_its_place(shown: Shown) -> None:
    seen = shown.page.seen
    shown.answer()
    assert seen.isHidden()
    shown.answer(0.9, 2)
    assert not seen.isHidden()
    near = seen.bar.mark()
    shown.answer(0.1, 3)
    assert seen.bar.mark() > near + 100
    assert seen.detail.whole() == "10 % known"


def test_a_sentence_stands_where_nothing_can_be_seen(shown: Shown) -> None:
    page, desk = shown.page, shown.desk
    desk.choose("faces")
    assert not page.empty.isHidden()
    assert "detector" in page.empty.text.text()
    assert desk.wish.rate_hz == 0
    desk.choose("efficientnet-lite0")
    assert "loaded" in page.empty.text.text()
    desk.stop()
    assert "Start live" in page.empty.text.text()


def test_samples_are_the_projects_own_where_there_are_some(tmp_path: Path) -> None:
    assert samples_of("pictures", tmp_path).what == "bundled pictures"
    assert samples_of("sound", None).what == "bundled sounds"
    glimpse = Glimpse(datetime.now(), b"")
    seen = samples_of("pictures", None, seen=(glimpse,))
    assert (seen.samples[-1], seen.what) == (glimpse, "bundled pictures and frames")
    column = Column("image", image(1, 2, 2), np.arange(4000, dtype=np.uint8).reshape(1000, 1, 2, 2))
    data = Dataset("", "", {"image": column}, {}, {}, "classification")
    stored = samples_of("pictures", None, data=data)
    assert (len(stored.samples), stored.what) == (240, "samples")
    assert stored.samples[1].raw(column).tolist() == column.values[4].tolist()
    files = [f"/data/{number}.png" for number in range(1000)]
    found = samples_of("pictures", tmp_path, [*files, "/data/notes.txt"])
    assert found.what == "samples"
    assert len(found.samples) == 240
    assert found.samples[-1].name == "995.png"
    folder = tmp_path / "pictures" / "Cat"
    folder.mkdir(parents=True)
    Image.new("RGB", (8, 8)).save(folder / "000001.jpg")
    found = samples_of("pictures", tmp_path, files)
    assert found.what == "recordings"
    assert [(one.place, one.name) for one in found.samples] == [("Cat", "000001.jpg")]


# --- the network ----------------------------------------------------------------------------------


@pytest.fixture
def network_page(desk: Desk) -> Any:
    page = NetworkPage(desk)
    page.resize(320, 700)
    page.show()
    yield page
    page.close()


def names(tree: LayerTree, parent: QModelIndex) -> list[str]:
    model = tree.layers
    return [str(model.index(row, 0, parent).data()) for row in range(model.rowCount(parent))]


def test_the_network_is_a_tree_and_a_layer_can_be_chosen(
    desk: Desk, network_page: NetworkPage, wait: Callable[..., None]
) -> None:
    tree = network_page.tree
    wait(lambda: tree.layers.rowCount())
    tops = names(tree, QModelIndex())
    assert tops[0] == "image"
    assert "blocks.4" in tops
    group = tree.layers.index(tops.index("blocks.4"), 0)
    assert "expand_conv" in names(tree, group)
    inner = tree.layers.index(0, 0, group)
    assert tree.layers.parent(inner) == group
    assert "4.7 M parameters" in network_page.cost.text()
    tree.setCurrentIndex(inner)
    row, whole = tree.layers.row_at(inner), tree.layers.row_at(group)
    assert row is not None
    assert whole is not None
    assert desk.wish.port == row.port
    assert row.place.startswith(f"{whole.place}/")
    desk.set_wish(port=whole.port)
    assert tree.currentIndex() == group
    wanted: list[str] = []
    desk.page_wanted.connect(wanted.append)
    tree.activated.emit(inner)
    assert wanted == ["inside"]


def test_the_bundled_network_goes_to_the_canvas_with_its_weights(
    desk: Desk, network_page: NetworkPage, wait: Callable[..., None]
) -> None:
    asked: list[bool] = []

    def may_leave() -> bool:
        asked.append(True)
        return len(asked) > 1

    session = desk.session
    opening = Opening(session, may_leave)
    before = session.graph
    wait(lambda: network_page.tree.layers.rowCount())
    network_page.button.click()
    wait(lambda: asked)
    assert session.graph is before, "unsaved work stays where it is"
    network_page.button.click()
    wait(lambda: session.graph is not before)
    assert session.project.name == "EfficientNet-Lite0"
    assert session.dirty
    assert session.mode == "network"
    wait(lambda: session.run_folder is not None, 60)
    assert session.run_folder is not None
    assert RunFolder(session.run_folder).has("best")
    worker: Any = session.worker
    assert worker.named("load_run") == [(session.run_folder,)]
    opening.deleteLater()


def test_the_three_networks_of_faces_can_be_opened(
    desk: Desk, network_page: NetworkPage, wait: Callable[..., None]
) -> None:
    desk.choose("faces")
    tree = network_page.tree
    wait(lambda: names(tree, QModelIndex()) == ["P-Net", "R-Net", "O-Net"])
    first = tree.layers.index(0, 0, tree.layers.index(2, 0))
    tree.setCurrentIndex(first)
    assert desk.wish.port is None, "nothing is looked at in a detector"
    assert network_page.button.text() == "Open O-Net on the canvas"
    wanted: list[Wanted] = []
    desk.session.project_wanted.connect(wanted.append)
    network_page.button.click()
    wait(lambda: wanted)
    assert wanted[0].project.graph == onet()
    assert wanted[0].run is None


def test_networks_without_a_graph_and_with_a_frozen_one(tmp_path: Path, desk: Desk) -> None:
    choices = {what.id: what for what in bundled()}
    assert networks_of(choices["ssdlite"], None) == []
    assert networks_of(choices["teach"], None)[0].rows
    graph = efficientnet_lite0(3)
    assert networks_of(choices["ssdlite"], graph)[0].parameters == layers_of(graph).parameters
    run = new_run(tmp_path)
    run.freeze(small_project())
    what = Runnable("run:x", "Run 001", "", "run", path=run.path)
    project = project_of(what, "")
    assert project is not None
    assert project.name == "Small (001)"
    assert run_for(what) == run.path
    assert networks_of(what, None)[0].rows[0].name == "image"


def test_what_only_remembers_shows_what_it_remembers(shown: Shown) -> None:
    page, recognition = shown.page, shown.desk.recognition
    other: Any = recognition
    other.inside = None
    shown.desk.status_changed.emit()
    assert "cannot be looked into" in page.empty.text.text()
    assert page.empty.isVisible()
    other.answers.carried = {"memory": np.zeros(6, np.float32)}
    shown.answer()
    assert not page.empty.isVisible()
    assert page.states.isVisible()
    assert not page.why.isVisible()
    assert shown.desk.wish.rate_hz == 0
    other.answers = None
    shown.desk.status_changed.emit()
    assert "being loaded" in page.empty.text.text()
    other.now = CaptureStatus("failed", "It cannot be run.", 0.0)
    shown.desk.status_changed.emit()
    assert page.empty.text.text() == "It cannot be run."


def test_the_bundled_network_is_seen_from_inside_on_the_clip(
    app: QApplication, wait: Callable[..., None]
) -> None:
    session = Session(Worker())
    session.start()
    session.new(empty())
    desk = Desk(session)
    page = InsidePage(desk)
    page.resize(320, 900)
    page.show()
    try:
        desk.set_address(CLIP)
        desk.start()
        assert not page.ready, "made when there is something to show, not before"
        wait(lambda: page.ready and len(page.maps.maps.channels) == 32, 60)
        wait(lambda: not page.why.picture.image.isNull(), 30)
        assert page.why.sentence.whole().startswith("Bright regions pushed the answer towards ")
        assert page.maps.maps.maps.shape == (32, 28, 28)
        page.maps.open_channel(3)
        thumbs = page.maps.channel.thumbs
        wait(lambda: len(thumbs.thumbs) == 5, 60)
        assert thumbs.thumbs[0].strength >= thumbs.thumbs[-1].strength
        assert all(one.place is not None and one.image.width() == 224 for one in thumbs.thumbs)
    finally:
        page.close()
        session.close()
