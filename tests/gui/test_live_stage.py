"""The stage of the live view: picture, answer, notices, snapshots, films, the whole screen."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QGuiApplication, QImage, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from playground.answers import Boxes, Classes, Detection, Mask, Series, Value
from playground.captions import CLASS_COLOURS, colour
from playground.capture import Camera, CameraSettings, CaptureStatus, DeviceInfo
from playground.live.what import bundled
from playground.vision import cv2
from tests.gui.live_kit import CAT, QuietNetwork, grey, live_answer, quiet_desk
from tests.playground.capture_kit import QUICK, MjpegServer, write_clip
from ui.data.record.cards import class_colour
from ui.data.record.devices import CLIP
from ui.live.boxes import placed
from ui.live.desk import Desk
from ui.live.notices import State, said
from ui.live.overlay import paint_chip, words
from ui.live.picture import LiveView, Look
from ui.live.stage import Stage
from ui.settings import settings
from ui.theme import theme

FACE = Detection((100, 50, 200, 150), "face", 0.98, ((150, 90),), track=1)
WELL = CaptureStatus("running", "640×480 from camera 0.", 3.0)


def ink(view: LiveView, x: float, y: float) -> tuple[int, int, int]:
    colour = view.grab().toImage().pixelColor(round(x), round(y))
    return colour.red(), colour.green(), colour.blue()


def near(one: tuple[int, int, int], other: tuple[int, int, int], by: int = 12) -> bool:
    return max(abs(a - b) for a, b in zip(one, other, strict=True)) <= by


@pytest.fixture
def view(app: QApplication) -> LiveView:
    view = LiveView(Look())
    view.resize(800, 500)
    view.show_image(grey(450, 800))
    return view


# --- words and colours ------------------------------------------------------------------------


def test_classes_have_the_colours_of_their_cards(app: QApplication) -> None:
    theme().set_theme("dark")
    for place, rgb in enumerate(CLASS_COLOURS):
        assert class_colour(place) == QColor(*rgb)
    said = words(live_answer(), 2)
    assert said.rows == (("Cat", 0.7, CLASS_COLOURS[0]), ("Wall", 0.2, CLASS_COLOURS[2]))
    own = words(live_answer(), 1, {"Cat": QColor(1, 2, 3)})
    assert own.rows == (("Cat", 0.7, (1, 2, 3)),)


def test_what_is_said_of_answers(app: QApplication) -> None:
    unknown = words(live_answer(unknown=True), 3)
    assert [row[0] for row in unknown.rows] == ["None of these", "Cat", "Wall"]
    assert unknown.dim == 1
    strange = words(live_answer(Classes(CAT.answers, seen=0.1)), 3)
    assert strange.line == "Not seen before · 10 % known"
    assert strange.warn
    assert words(live_answer(Value(21.5, "°C")), 3).head == "21.5 °C"
    assert words(live_answer(Series((2.0, 3.0), "kW")), 3).line == "the next of 2"
    mask = Mask(np.array([[0, 1], [1, 1]], np.uint8), ("ground", "leaf"))
    assert [row[:2] for row in words(live_answer(mask), 3).rows] == [
        ("leaf", 0.75),
        ("ground", 0.25),
    ]
    assert not words(live_answer(Boxes((FACE,), (480, 640))), 3)
    assert not words(live_answer(Classes(())), 3), "a network that knows no class yet"


# --- painting ---------------------------------------------------------------------------------


def test_boxes_are_where_the_objects_are_in_a_picture_of_any_size() -> None:
    area = QRectF(10, 20, 320, 240)
    assert placed(FACE, (480, 640), area) == QRectF(60, 45, 50, 50)
    assert placed(FACE, (240, 320), area) == QRectF(110, 70, 100, 100)


def test_a_box_is_painted_in_the_colour_of_its_class(view: LiveView) -> None:
    view.show_answer(live_answer(Boxes((FACE,), (225, 400))))
    area = view.picture_rect()
    assert (area.width(), area.height(), area.top()) == (800, 450, 25)
    rect = placed(FACE, (225, 400), area)
    middle = rect.center()
    for x, y in (
        (rect.left(), middle.y()),
        (rect.right(), middle.y()),
        (middle.x(), rect.bottom()),
    ):
        assert near(ink(view, x, y), colour(FACE), 60)
    assert near(ink(view, rect.left() + 150, rect.top() + 150), (90, 90, 90))
    assert view.accessibleDescription().startswith("face 98")


def test_bars_of_the_likeliest_classes(view: LiveView) -> None:
    view.show_answer(live_answer())
    image = view.grab().toImage()
    found = {image.pixelColor(x, y).name() for x in range(30, 340, 4) for y in range(300, 475)}
    for place in (0, 1, 2):
        assert QColor(*CLASS_COLOURS[place]).name() in found
    view.show_answer(live_answer(unknown=True))
    image = view.grab().toImage()
    found = {image.pixelColor(x, y).name() for x in range(30, 340, 4) for y in range(300, 475)}
    assert QColor(*CLASS_COLOURS[0]).name() not in found, "the bars are dimmed"
    assert view.accessibleDescription() == "None of these, Cat 70 %, Wall 20 %"


def test_an_answer_is_on_the_screen_when_it_has_been_shown(view: LiveView) -> None:
    seen: list[Any] = []
    view.painted.connect(seen.append)
    view.show()
    assert QTest.qWaitForWindowExposed(view)
    answer = live_answer()
    view.show_answer(answer)
    assert seen[-1] is answer
    view.set_dimmed(True)
    seen.clear()
    view.repaint()
    assert not seen, "an answer to an old picture is not shown"


def test_only_what_an_answer_changes_is_painted_anew(app: QApplication) -> None:
    painted: list[QRect] = []

    class Watched(LiveView):
        def paintEvent(self, event: QPaintEvent) -> None:
            painted.append(event.rect())
            super().paintEvent(event)

    view = Watched(Look())
    view.resize(800, 500)
    view.show_image(grey(450, 800))
    view.show()
    assert QTest.qWaitForWindowExposed(view)
    view.show_answer(live_answer())
    assert painted[-1] == view.rect(), "what is beside a panel may move when it comes"
    view.show_answer(live_answer(unknown=True, number=2))
    assert painted[-1].height() < 220
    assert painted[-1].contains(QRect(40, 330, 280, 120))
    view.show_answer(live_answer(Boxes((FACE,), (225, 400)), number=3))
    assert painted[-1] == view.rect()


def test_a_heat_map_lies_over_the_part_that_the_network_sees(view: LiveView) -> None:
    red = QImage(2, 2, QImage.Format.Format_RGB32)
    red.fill(QColor("#FF0000"))
    view.set_heat(red, (0.25, 0.0, 0.75, 1.0))
    assert ink(view, 400, 250)[0] > 150
    assert near(ink(view, 100, 250), (90, 90, 90))
    view.set_heat(None)
    assert near(ink(view, 400, 250), (90, 90, 90))


def test_a_warning_is_read_to_its_end(app: QApplication) -> None:
    picture = QImage(300, 80, QImage.Format.Format_ARGB32_Premultiplied)
    for warn in (False, True):
        picture.fill(Qt.GlobalColor.transparent)
        with QPainter(picture) as painter:
            paint_chip(painter, "No picture " * 8, QPointF(0, 0), 1.0, warn=warn, room=280)
        assert (picture.pixelColor(140, 33).alpha() > 0) == warn, "a second line"


def test_the_outline_of_what_the_network_sees(view: LiveView) -> None:
    view.set_sight((0.25, 0.0, 0.75, 1.0))
    assert near(ink(view, 201, 250), (90, 90, 90)), "only on wish"
    view._look.outline = True
    assert not near(ink(view, 201, 250), (90, 90, 90), 30)
    assert near(ink(view, 400, 250), (90, 90, 90))


# --- what is said -----------------------------------------------------------------------------


def state(**changes: Any) -> State:
    what = next(item for item in bundled() if item.id == "efficientnet-lite0")
    values: dict[str, Any] = {"running": True, "address": "0", "named": "Camera 0", "what": what}
    values |= {"seen": True, "answered": True, "device": WELL, "network": WELL}
    return State(**values | changes)


def status(state: Any, message: str = "It is so.", seconds: float = 1.0) -> CaptureStatus:
    return CaptureStatus(state, message, seconds)


@pytest.mark.parametrize(
    ("changes", "text", "ways"),
    [
        ({}, "", []),
        ({"running": False}, "Live is off. F8 starts it.", []),
        ({"device": status("opening"), "seen": False}, "Opening Camera 0 … 1 s", ["Cancel"]),
        (
            {"device": status("running", seconds=4.0), "seen": False},
            "Opening Camera 0 … 4 s · some drivers take 20 s",
            ["Cancel"],
        ),
        (
            {"device": status("opening", seconds=4.0), "seen": False, "address": "a.mp4"},
            "Opening Camera 0 … 4 s",
            ["Cancel"],
        ),
        ({"device": status("reconnecting")}, "It is so.", ["Try now", "Use the bundled clip"]),
        ({"device": status("ended")}, "It is so.", ["Again", "Use the bundled clip"]),
        ({"device": status("failed")}, "It is so.", ["Try again", "Use the bundled clip"]),
        ({"network": status("failed")}, "It is so.", ["Try again"]),
        ({"problem": "No such clip."}, "No such clip.", ["Try again", "Use the bundled clip"]),
    ],
)
def test_what_is_wrong_is_said_with_ways_out(
    changes: dict[str, Any], text: str, ways: list[str]
) -> None:
    found = said(state(**changes))
    assert found.text == text
    assert [words for _, words in found.ways] == ways
    assert found.dimmed == bool(text)


def test_what_is_said_beside_a_picture_that_goes_on() -> None:
    loading = said(state(network=status("opening", "The network is being loaded …")))
    assert (loading.text, loading.note, loading.dimmed) == (
        "",
        "The network is being loaded …",
        False,
    )
    black = said(state(device=status("running", "640×480 from camera 0; its pictures are black.")))
    assert (black.text, black.dimmed) == ("", False)
    assert black.hint.endswith("pictures are black.")
    assert said(state()).hint == ""
    assert said(state(answered=False)).note == "Waiting for the first answer …"


def test_a_download_that_is_missing_is_offered() -> None:
    what = next(item for item in bundled() if item.id == "ssdlite")
    missing = State(True, "0", "Camera 0", WELL, None, what, seen=True)
    assert "not on this machine yet" in said(missing).text
    assert said(missing).ways[0][0] == "download"
    refused = replace(missing, refused="the server does not answer")
    assert said(refused).text == "The server does not answer."
    assert said(refused).ways == (("download", "Try again"),)
    under_way = State(True, "0", "Camera 0", WELL, None, what, True, downloading="3 MB of 14 MB")
    assert (said(under_way).text, said(under_way).note) == ("", "3 MB of 14 MB")


# --- the stage --------------------------------------------------------------------------------


class QuickCamera(Camera):
    """Loses its patience in a second or two."""

    def __init__(self, address: str, settings: CameraSettings | None = None) -> None:
        super().__init__(address, settings, QUICK)


@pytest.fixture
def desk(app: QApplication, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Desk]:
    monkeypatch.setattr("ui.live.stage.cameras", list)
    monkeypatch.setattr("ui.live.desk.Camera", QuickCamera)
    desk = quiet_desk(monkeypatch)
    yield desk
    desk.session.close()


def shown(desk: Desk) -> Stage:
    stage = Stage(desk)
    stage.resize(900, 560)
    stage.show()
    return stage


def test_a_camera_that_is_plugged_in_takes_the_place_of_the_clip(
    desk: Desk, wait: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[DeviceInfo] = []
    monkeypatch.setattr("ui.live.stage.cameras", lambda: list(found))
    monkeypatch.setattr("ui.live.stage.LOOK_S", 0.0)
    stage = shown(desk)
    desk.start()
    wait(lambda: "No camera was found" in stage.view.signs.tip, 10)
    assert desk.address == CLIP
    assert not settings().value("live/pictures"), "a camera is wanted the next time"
    desk.set_mark("Cat 56")
    found.append(DeviceInfo("97", "Desk camera"))
    wait(lambda: stage.view.signs.marks == ("Cat 56",))
    desk.set_mark("")
    wait(lambda: desk.address == "97")
    stage._way_out("clip")
    wait(lambda: stage.view.signs.credit != "")
    assert stage.view.signs.tip == ""
    assert settings().value("live/pictures") == "97"
    stage.hide()


def test_the_bundled_clip_where_there_is_no_camera(desk: Desk, wait: Callable[..., None]) -> None:
    stage = shown(desk)
    wait(lambda: desk.address == CLIP, 10)
    assert stage.notice.said == "Live is off. F8 starts it."
    assert not stage.mirror.isChecked(), "a clip is no mirror"
    desk.set_mirror(True)
    assert stage.mirror.isChecked()
    desk.set_address("0")
    desk.set_mirror(False)
    assert not stage.mirror.isChecked()
    desk.set_address(CLIP)
    assert desk.mirror, "remembered for what is no camera"
    desk.set_mirror(False)
    QTest.keyClick(stage, Qt.Key.Key_Space)
    assert desk.running
    wait(lambda: not stage.view.image.isNull())
    wait(lambda: not stage.view.dimmed)
    assert "CC BY" in stage.view.signs.credit
    assert stage.view.signs.note == "Waiting for the first answer …"
    desk._show(live_answer(captured=time.monotonic()))
    assert stage.view.said.rows[0][0] == "Cat"
    stage.most.setCurrentIndex(0)
    assert len(stage.view.said.rows) == 1
    assert Stage(desk).look.most == 1, "remembered"
    desk.choose("faces")
    assert not stage.view.said, "what another network said is gone"
    desk._show(live_answer())
    red = QImage(2, 2, QImage.Format.Format_RGB32)
    red.fill(QColor("#FF0000"))
    before = ink(stage.view, 450, 200)
    desk.set_heat(red)
    assert not near(ink(stage.view, 450, 200), before, 40)
    desk.set_heat(None)
    desk.set_mark("Cat 56")
    assert stage.view.signs.marks == ("Cat 56",)
    QTest.keyClick(stage, Qt.Key.Key_Space)
    assert not desk.running
    assert stage.view.dimmed
    assert not stage.view.image.isNull(), "the last picture stays"
    stage.hide()


def test_a_network_that_fails_leaves_the_picture_running(
    desk: Desk, wait: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QuietNetwork, "now", status("failed", "Its weights are damaged."))
    desk.set_address(CLIP)
    desk.start()
    stage = shown(desk)
    wait(lambda: stage.notice.said == "Its weights are damaged.")
    before = stage.view.image.cacheKey()
    wait(lambda: stage.view.image.cacheKey() != before)
    monkeypatch.setattr(QuietNetwork, "now", WELL)
    wait(lambda: not stage.notice.said)
    stage.hide()


def test_a_stream_that_stalls_and_one_that_goes_away_come_back(
    desk: Desk, wait: Callable[..., None]
) -> None:
    with MjpegServer() as server:
        desk.set_address(server.url)
        desk.start()
        stage = shown(desk)
        wait(lambda: not stage.view.image.isNull() and not stage.notice.said)
        desk._show(live_answer())
        server.stalled = True
        wait(lambda: "No new picture" in stage.view.signs.hint or stage.view.dimmed)
        wait(lambda: stage.view.dimmed and stage.notice.said, 20)
        assert not stage.view.image.isNull(), "the last picture stays, dimmed"
        server.stalled = False
        wait(lambda: not stage.view.dimmed, 20)
        assert not stage.notice.said
        server.pull()
        wait(lambda: stage.view.dimmed, 20)
        assert [b.text() for b in stage.notice.buttons] == ["Try now", "Use the bundled clip"]
        server.give()
        wait(lambda: not stage.view.dimmed, 20)
        stage.hide()
        desk.stop()


def test_a_clip_without_an_end_and_one_that_is_gone(
    desk: Desk, wait: Callable[..., None], tmp_path: Path
) -> None:
    desk.set_address(str(tmp_path / "gone.mp4"))
    desk.start()
    stage = shown(desk)
    wait(lambda: "gone.mp4" in stage.notice.said and stage.notice.buttons[0].text() == "Try again")
    write_clip(tmp_path / "gone.mp4", 5)
    QTest.mouseClick(stage.notice.buttons[0], Qt.MouseButton.LeftButton)
    wait(lambda: not stage.view.dimmed)
    stage.hide()


def test_snapshot_and_film(desk: Desk, wait: Callable[..., None], app: QApplication) -> None:
    told: list[Any] = []
    desk.session.notice.connect(told.append)
    desk.set_address(CLIP)
    desk.start()
    stage = shown(desk)
    wait(lambda: not stage.view.image.isNull())
    desk._show(live_answer())
    QTest.keyClick(stage, Qt.Key.Key_S)
    wait(lambda: told)
    folder = desk.session.files / "snapshots"
    (picture,) = folder.glob("*.png")
    assert picture.name in told[-1].text
    assert told[-1].action[0] == "Open folder"
    assert QImage(str(picture)).size() == QGuiApplication.clipboard().image().size()
    assert cv2.imread(str(picture)).shape == (720, 1280, 3)

    told.clear()
    QTest.keyClick(stage, Qt.Key.Key_R)
    assert stage.keeper.filming
    wait(lambda: stage.view.signs.marks == ("Filming 0:01",))
    assert stage.record.accessibleName() == "End the film (R)"
    stage.hide()
    wait(lambda: told)
    assert "Kept" in told[-1].text
    (film,) = folder.glob("*.mp4")
    clip = cv2.VideoCapture(str(film))
    good, frame = clip.read()
    clip.release()
    assert good
    orange = np.abs(frame[:, :, ::-1].astype(int) - CLASS_COLOURS[0]).max(axis=2) < 40
    assert orange.sum() > 1000, "the answer is on the film"


def test_without_a_picture_there_is_nothing_to_keep(desk: Desk) -> None:
    told: list[Any] = []
    desk.session.notice.connect(told.append)
    stage = shown(desk)
    stage.snapshot.click()
    stage.record.click()
    assert ["nothing" in notice.text or "no picture" in notice.text for notice in told] == [
        True
    ] * 2
    stage.hide()


def test_the_whole_screen(
    desk: Desk, wait: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.set_address(CLIP)
    desk.start()
    stage = shown(desk)
    stage.resize(500, 360)
    wait(lambda: not stage.view.image.isNull())
    QTest.keyClick(stage, Qt.Key.Key_F)
    whole = stage._whole
    assert whole is not None
    assert whole.isFullScreen()
    desk._show(live_answer())
    assert whole.view.said.rows[0][0] == "Cat"
    assert whole.view.scale > stage.view.scale
    wait(lambda: whole.view.image.width() > stage.view.image.width())
    desk.session.tell("Kept as 1.png.", "good")
    stage._tell()
    assert whole.view.signs.tip == "Kept as 1.png.", "the window, which tells it, is behind"
    told: list[int] = []
    monkeypatch.setattr(desk, "painted", lambda answer: told.append(answer.number))
    desk._show(live_answer(number=2))
    stage.view.show_answer(live_answer(number=1))
    assert set(told) == {2}, "what is painted behind the whole screen is not what a person sees"
    wait(lambda: whole.mouse_hidden, 10)
    at, none = QPointF(90, 90), Qt.MouseButton.NoButton
    moved = QMouseEvent(QEvent.Type.MouseMove, at, at, none, none, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(whole.view, moved)
    assert not whole.mouse_hidden
    QTest.keyClick(whole, Qt.Key.Key_Escape)
    assert stage._whole is None
    wait(lambda: stage.view.picture_rect().width() == stage.view.image.width())
    QTest.mouseDClick(stage.view, Qt.MouseButton.LeftButton)
    assert stage._whole is not None
    QTest.mouseDClick(stage._whole.view, Qt.MouseButton.LeftButton)
    assert stage._whole is None
    stage.toggle_whole()
    stage.hide()
    assert stage._whole is None
