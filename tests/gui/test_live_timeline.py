"""The last seconds of the live view as lines."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication

from playground.answers import Boxes, Classes, Detection, Mask, Picture, Series, Value
from playground.captions import colour
from tests.gui.live_kit import CAT, live_answer, quiet_desk
from ui.data.record.cards import class_colour
from ui.insight.column import token_colour
from ui.live.course import MOST, Course, point
from ui.live.desk import Desk
from ui.live.timeline import LEGEND, Legend, Timeline
from ui.theme import theme


def many(*likely: str) -> Classes:
    rest = [(f"class {i:03}", 0.001) for i in range(100) if f"class {i:03}" not in likely]
    return Classes((*((name, 0.5 / (1 + at)) for at, name in enumerate(likely)), *rest))


def course(*answers: object, gap: float = 0.1) -> tuple[Course, float]:
    made = Course()
    for place, answer in enumerate(answers):
        new = point(answer)  # type: ignore[arg-type]
        assert new is not None
        made.add(place * gap, new)
    return made, (len(answers) - 1) * gap


def test_a_few_classes_are_all_lines_in_a_persons_order() -> None:
    made, now = course(CAT, CAT)
    assert made.places() == {"Cat": 0, "Me": 1, "Wall": 2}
    x, lines = made.lines(["Cat"], now)
    assert x.tolist() == pytest.approx([-0.1, 0.0])
    assert lines["Cat"].tolist() == [70.0, 70.0]
    assert made.newest("Me") == pytest.approx(10)


def test_of_many_classes_the_likeliest_of_these_seconds_keep_their_colours() -> None:
    made, _ = course(many("class 050", "class 007"))
    before = made.places()
    assert list(before)[:2] == ["class 050", "class 007"]
    assert len(before) == MOST
    new = point(many("class 080", "class 007"))
    assert new is not None
    for step in range(5):
        made.add(1.0 + step, new)
    after = made.places()
    assert after["class 007"] == before["class 007"]
    assert next(iter(after)) == "class 080"
    assert len(set(after.values())) == MOST
    _, lines = made.lines(["class 080"], 5.0)
    assert lines["class 080"][0] == 0.0, "not among the likeliest then"


def test_what_is_old_is_forgotten_and_a_pause_breaks_the_line() -> None:
    made, _ = course(many("class 050"))
    for at in (10.0, 10.5, 15.0):
        made.add(at, point(CAT))  # type: ignore[arg-type]
    x, lines = made.lines(["Cat"], 15.0)
    assert np.isnan(lines["Cat"]).sum() >= 1
    assert len(x) == len(lines["Cat"])
    made.forget(25.0)
    assert "class 050" not in made.names()
    assert len(made) == 3
    made.forget(100.0)
    assert not len(made)
    assert made.names() == []


def test_other_answers_are_lines_too() -> None:
    face = Detection((0, 0, 1, 1), "face", 0.9)
    made, now = course(Boxes((face, face), (4, 4)), Boxes((), (4, 4)))
    assert made.kind == "count"
    assert made.lines(["face"], now)[1]["face"].tolist() == [2.0, 0.0]
    assert course(Value(3.0, "kW"))[0].unit == "kW"
    assert course(Series((2.0, 9.0)))[0].newest("Next value") == 2.0
    mask = Mask(np.array([[0, 1]], np.uint8), ("a", "b"))
    assert course(mask)[0].newest("b") == 50.0
    assert point(Picture(np.zeros((1, 2, 2), np.float32))) is None
    kept, _ = course(CAT, Value(1.0))
    assert kept.names() == ["Answer"], "another kind of answer begins anew"


@pytest.fixture
def desk(app: QApplication, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    desk = quiet_desk(monkeypatch)
    yield desk
    desk.session.close()


def test_the_timeline_follows_the_answers(desk: Desk, wait: Callable[..., None]) -> None:
    timeline = Timeline(desk)
    timeline.resize(800, 220)
    timeline.show()
    assert not timeline.plot.isVisible(), "it says what will be here"
    assert timeline.empty.text.text().endswith("once live runs.")
    desk.running = True
    desk.running_changed.emit()
    assert timeline.empty.text.text().endswith("from the first answer on.")
    desk.running = False
    now = time.monotonic()
    for step in range(5):
        desk._show(live_answer(number=step, captured=now - 1 + step / 5))
    wait(lambda: len(timeline.legend.rows) == 3)
    assert timeline.legend.rows[0] == ("Cat", "70 %", "recurrent")
    assert [line.name for line in timeline.plot.lines] == ["Cat", "Me", "Wall"]
    assert timeline.plot.x_range == (-20.0, 0.0)
    assert timeline.plot.y_range == (0.0, 100.0)
    desk.set_colours({"Cat": class_colour(5)})
    desk._show(live_answer(number=9, captured=now + 0.1))
    wait(lambda: timeline.legend.rows[0][2] == "merge")
    desk.choose("faces")
    assert not len(timeline.course)
    face = Detection((0, 0, 1, 1), "face", 0.9, track=7)
    desk._show(live_answer(Boxes((face,), (4, 4)), number=10, captured=now + 0.2))
    wait(lambda: bool(timeline.legend.rows) and timeline.legend.rows[0][0] == "face")
    theme().set_theme("dark")
    assert token_colour(timeline.legend.rows[0][2]) == QColor(*colour(face)), "as its box has it"
    assert timeline.corner.smoothing.isHidden(), "a detector is not smoothed"
    timeline.hide()


def test_smoothing_and_threshold_are_set_from_the_header(desk: Desk) -> None:
    timeline = Timeline(desk)
    corner = timeline.corner
    corner.smoothing.setValue(10)
    corner.threshold.setValue(40)
    assert desk.settings.smoothing == 0.5
    assert desk.settings.threshold == 0.4
    assert corner.seconds.text() == "smoothing 0.50 s"
    assert corner.share.text() == "none of these below 40 %"
    desk.set_settings(smoothing=0.0, threshold=0.0)
    assert corner.seconds.text() == "smoothing: off"
    assert corner.threshold.accessibleDescription() == "none of these: off"
    desk.set_settings(smoothing=1.0)
    assert corner.smoothing.value() == 20
    desk.close()
    assert Desk(desk.session).settings.smoothing == 1.0, "remembered"


def test_the_legend_has_room_for_its_words_and_does_not_jump(app: QApplication) -> None:
    legend = Legend()
    legend.show_rows([("Next value", "423.9 thousand passengers", "recurrent")])
    width = legend.width()
    assert width > LEGEND, "a long unit is read whole"
    legend.show_rows([("Next value", "9", "recurrent")])
    assert legend.width() == width
    legend.show_rows([("Cat", "9 %", "recurrent")])
    assert legend.width() == LEGEND
