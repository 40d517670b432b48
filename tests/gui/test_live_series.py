"""The stage of series: rows that come, forecasts and how good they were, what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from playground.answers import Classes, Series, Value
from playground.capture import CaptureStatus
from playground.live.errors import LiveError
from playground.live.replay import Script
from playground.live.table import Recent
from playground.live.what import Runnable
from tests.gui.live_kit import QuietNetwork, live_answer, quiet_desk
from ui.live.desk import Desk
from ui.live.forecast_plot import ForecastAhead, Shown, decimals_of, fixed_to
from ui.live.forecasts import Forecasts, Score
from ui.live.notices import OFF
from ui.live.series import NOTHING, REPLAYED, SeriesStage

HEADER = "month,sales"
SCRIPT = Script(("month", "sales"), tuple((f"m{n}", str(n)) for n in range(40)), 12, 20.0)


def forecast(values: tuple[float, ...], reach: float = 2.0) -> Series:
    low, high = tuple(v - reach for v in values), tuple(v + reach for v in values)
    return Series(values, "k€", low, high)


class Knowing:
    """What the stage asks of a network that follows rows: the last of them, as numbers."""

    no_band = ""
    columns: ClassVar[tuple[str, ...]] = ("sales",)

    class intake:
        length = 4

    def __init__(self, rows: Any) -> None:
        self._rows = rows

    def recent(self, most: int, group: str = "") -> Recent | None:
        heard = self._rows.heard()
        rows = heard.rows[-most:]
        if not rows:
            return None
        values = np.array([[float(row[1])] for row in rows], np.float32)
        return Recent(self.columns, tuple(row[0] for row in rows), values, heard.number)


class RowsNetwork(QuietNetwork):
    """Knows the rows that came, and answers what the test says."""

    def __init__(self, what: Any, device: Any, wanted: Any, told: Any = None) -> None:
        super().__init__(what, device, wanted, told)
        self.answers = Knowing(device)


def runnable(folder: Path, *, classes: bool = False) -> Runnable:
    return Runnable("run:x", "Sales", "", "run", "series", path=folder, classes=classes)


@pytest.fixture
def desk(app: QApplication, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Desk]:
    desk = quiet_desk(monkeypatch)
    monkeypatch.setattr("ui.live.desk.Recognition", RowsNetwork)
    monkeypatch.setattr(QuietNetwork, "now", CaptureStatus("running", "Following x.csv.", 1.0))
    desk._change_to(runnable(tmp_path))
    yield desk
    desk.session.close()


class Grown:
    """A file to which the test appends."""

    def __init__(self, path: Path) -> None:
        self.path, self.count = path, 0
        path.write_text(f"{HEADER}\n")

    def add(self, *values: float) -> int:
        with self.path.open("a") as file:
            for value in values:
                file.write(f"m{self.count},{value}\n")
                self.count += 1
        return self.count


@pytest.fixture
def grown(tmp_path: Path) -> Grown:
    return Grown(tmp_path / "x.csv")


def shown(desk: Desk) -> SeriesStage:
    stage = SeriesStage(desk)
    stage.resize(760, 520)
    stage.show()
    return stage


def test_without_a_file_there_are_two_ways(desk: Desk) -> None:
    stage = shown(desk)
    assert stage.notice.said == NOTHING.text
    assert [b.text() for b in stage.notice.buttons] == ["Choose a file …", "Replay its own rows"]
    assert stage.sight.isHidden()
    stage.hide()


def test_rows_their_forecast_and_how_good_it_was(
    desk: Desk, wait: Callable[..., None], grown: Grown
) -> None:
    grown.add(*range(100, 110))
    stage = shown(desk)
    stage.take(str(grown.path))
    QTest.keyClick(stage, Qt.Key.Key_Space)
    wait(lambda: stage.plot.shown is not None)
    drawn = stage.plot.shown
    assert drawn is not None
    assert drawn.values[:, 0].tolist() == list(range(100, 110)), "before there is any answer"
    assert drawn.ahead is None
    desk._show(live_answer(forecast((110.0, 111.0)), 10))
    said = stage.head.said
    assert (said.text, said.figure) == ("110.00", "k€")
    assert said.line.endswith("within 108.00 to 112.00")
    wait(lambda: desk._tally._painted == 10)
    drawn = stage.plot.shown
    assert drawn is not None
    assert drawn.ahead is not None
    assert drawn.ahead.x.tolist() == [11, 12]
    assert stage.plot.band.isVisible()
    assert stage.plot.y_label == "k€"
    assert stage.plot._x_text(10.0) == "m9"
    assert stage.plot._x_text(12.0) == "+2"
    grown.add(110.5)
    wait(lambda: desk.device is not None and desk.device.heard().number == 11)
    desk._show(live_answer(forecast((111.0, 112.0)), 11))
    assert "off by 0.50 k€ so far · 1 of 1 in the band" in stage.legend.text()
    drawn = stage.plot.shown
    assert drawn is not None
    assert [one.origin for one in drawn.before] == [10]
    assert "11 rows" in stage._rate()
    desk.stop()
    assert not stage.sight.isHidden(), "what came last stays"
    assert (stage.hint.whole(), stage.head.said.dim) == (OFF, True)
    stage.hide()


def test_one_series_of_the_table_is_drawn(
    desk: Desk, wait: Callable[..., None], grown: Grown, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = {"north": (2, 4, 6, 8), "south": (1, 3, 5, 7, 9)}

    def recent(self: Knowing, most: int, group: str = "") -> Recent | None:
        numbers = kept[group]
        values = np.array([[100.0 * number] for number in numbers], np.float32)
        times = tuple(f"m{number}" for number in numbers)
        return Recent(("sales",), times, values, 9, group, numbers, len(numbers))

    monkeypatch.setattr(Knowing, "recent", recent)
    monkeypatch.setattr(Knowing, "groups", lambda self: ("south", "north"), raising=False)
    grown.add(*range(9))
    stage = shown(desk)
    stage.take(str(grown.path))
    desk.start()
    wait(lambda: stage.plot.shown is not None)
    for number, group in ((6, "north"), (7, "south"), (8, "north"), (9, "south")):
        answer = forecast((number * 100.0 + 200.0, 0.0))
        desk._show(live_answer(answer, number, group=group))
    assert [stage.group.itemText(at) for at in range(2)] == ["south", "north"]
    assert stage.group.isVisible()
    assert stage.head.said.text == "1,100", "the newest row's"
    desk._show(live_answer(forecast((1.0,)), 10, group="north"))
    assert stage.head.said.text == "1,100", "another series is another matter"
    QTest.keyClick(stage.group, Qt.Key.Key_Down)
    drawn = stage.plot.shown
    assert drawn is not None
    assert drawn.values[:, 0].tolist() == [200, 400, 600, 800]
    assert (drawn.first, [one.origin for one in drawn.before]) == (1, [3])
    assert drawn.ahead is not None
    assert drawn.ahead.x.tolist() == [5, 6]
    assert "sales · north" in stage.legend.text()
    assert stage.head.said.text == "1"
    stage.hide()


def test_what_is_wrong_with_the_rows_is_said(
    desk: Desk,
    wait: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    grown: Grown,
) -> None:
    desk.set_address(str(grown.path.with_name("gone.csv")))
    desk.start()
    stage = shown(desk)
    wait(lambda: "does not exist" in stage.notice.said)
    assert [b.text() for b in stage.notice.buttons] == ["Try again", "Replay its own rows"]
    stage.take(str(grown.path))
    grown.add(1, 2)
    short = "x.csv has 2 rows so far; the network needs 12; waiting for more."
    monkeypatch.setattr(QuietNetwork, "now", CaptureStatus("reconnecting", short, 1.0))
    wait(lambda: stage.hint.whole() == short)
    assert stage.head.said.line == short
    wait(lambda: not stage.notice.said)
    monkeypatch.setattr(QuietNetwork, "now", CaptureStatus("running", "", 1.0))
    grown.add(*range(12))
    wait(lambda: stage.plot.shown is not None and len(stage.plot.shown.values) == 14)
    desk._show(live_answer(forecast((1.0,)), 14))
    assert stage.forecasts.newest is not None
    grown.path.unlink()
    wait(lambda: "waiting for it to come back" in stage.notice.said)
    Grown(grown.path).add(7)
    wait(lambda: not stage.notice.said)
    wait(lambda: stage.forecasts.newest is None)
    wait(lambda: stage.plot.shown is not None and len(stage.plot.shown.values) == 1)
    wait(lambda: "begun anew" in stage.hint.whole())
    stage.hide()


def test_windows_are_told_apart(
    desk: Desk, wait: Callable[..., None], grown: Grown, tmp_path: Path
) -> None:
    desk._change_to(runnable(tmp_path, classes=True))
    grown.add(*range(8))
    desk.set_address(str(grown.path))
    desk.start()
    stage = shown(desk)
    wait(lambda: stage.plot.shown is not None)
    desk._show(live_answer(Classes((("draw", 0.92), ("point", 0.08))), 8))
    said = stage.head.said
    assert (said.text, said.figure, said.line) == ("draw", "92 %", "of the last 4 rows")
    assert [name for name, *_ in said.rows] == ["draw", "point"]
    desk._show(live_answer(Classes((("draw", 0.92),)), 9, unknown=True))
    assert stage.head.said.text == "None of these"
    desk._show(live_answer(Value(3.5, "kW"), 10))
    assert stage.head.said.text == "3.5 kW"
    stage.hide()


def test_the_runs_own_rows_are_replayed(
    desk: Desk, wait: Callable[..., None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("ui.live.series.script_of", lambda run: SCRIPT)
    stage = shown(desk)
    QTest.mouseClick(stage.notice.buttons[1], Qt.MouseButton.LeftButton)
    wait(lambda: desk.running and stage.plot.shown is not None)
    assert stage.device_name() == REPLAYED
    path = Path(desk.address)
    wait(lambda: desk.device is not None and desk.device.heard().number > 12)
    desk._change_to(runnable(tmp_path / "other"))
    assert not path.exists()
    assert not desk.address, "what is gone is not followed"
    assert stage.notice.said == NOTHING.text
    stage.hide()


def test_rows_that_cannot_be_replayed(
    desk: Desk, wait: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(run: Any) -> Script:
        raise LiveError("sales.csv is not there any more")

    told: list[Any] = []
    desk.session.notice.connect(told.append)
    monkeypatch.setattr("ui.live.series.script_of", gone)
    stage = shown(desk)
    stage.again.click()
    wait(lambda: bool(told))
    assert "sales.csv is not there any more" in told[-1].text
    assert stage.again.isEnabled()
    stage.hide()


def test_forecasts_are_not_averaged_and_have_no_threshold(desk: Desk, tmp_path: Path) -> None:
    assert not desk.settable
    assert desk._wanted().settings.smoothing == 0
    desk._change_to(runnable(tmp_path, classes=True))
    assert desk.settable == {"smoothing", "threshold"}


# --- parts ------------------------------------------------------------------------------------


def test_earlier_forecasts_stay_while_rows_go_by() -> None:
    made = Forecasts()
    for origin in range(1, 31):
        made.add(origin, forecast(tuple(float(origin + step) for step in range(1, 9))))
    assert [one.origin for one in made.before(0)] == [16, 20, 24]
    made.add(31, forecast((1.0,) * 8))
    assert [one.origin for one in made.before(0)] == [16, 20, 24]
    made.add(32, forecast((1.0,) * 8))
    assert [one.origin for one in made.before(0)] == [20, 24, 28]
    made.add(32, forecast((5.0,) * 8))
    assert made.newest is not None
    assert made.newest.values[0] == 1.0, "a row counts once"


def test_forecasts_of_one_step_are_one_line() -> None:
    made = Forecasts()
    for origin in (1, 2, 3, 7, 8, 9):
        made.add(origin, forecast((float(origin),)))
    lines = made.before(0)
    assert [one.x.tolist() for one in lines] == [[2, 3, 4], [8, 9]]


def test_a_score_counts_what_came() -> None:
    made = Forecasts()
    assert made.score(np.zeros(3), 1) is None
    made.add(1, forecast((2.0, 9.0), reach=1.0))
    made.add(2, Series((3.5, 4.0)))
    score = made.score(np.array([1.0, 2.0, 3.0]), 1)
    assert score is not None
    assert score.count == 3
    assert score.mae == pytest.approx((0 + 6 + 0.5) / 3)
    assert score.band_words() == "1 of 2 in the band"
    assert Score(40, 1.0, 32, 40).band_words() == "80 % in the band"
    assert Score(40, 1.0, 0, 0).band_words() == ""
    made.clear()
    assert made.newest is None


def test_the_axis_keeps_still(app: QApplication) -> None:
    plot = ForecastAhead()
    plot.resize(600, 300)
    plot.show()
    values = np.linspace(0, 100, 40)[:, None]
    plot.show_rows(Shown(("a",), values, 1, seen=10))
    before = plot.y_range
    plot.show_rows(Shown(("a",), values[5:], 6, seen=10))
    assert plot.y_range == before
    plot.show_rows(Shown(("a",), values[30:] / 50, 6))
    assert plot.y_range[1] < 10, "it is fitted again where most of it would be empty"
    plot.clear()
    assert not plot.band.isVisible()
    plot.hide()


def test_numbers_do_not_jump() -> None:
    assert decimals_of(np.array([100.0, 600.0])) == 0
    assert decimals_of(np.array([0.0, 0.05])) == 4
    assert decimals_of(np.array([np.nan])) == 0
    assert fixed_to(1234.5, 0) == "1,234"
    assert fixed_to(-2.0, 2) == "−2.00"
    assert fixed_to(float("nan"), 2) == "–"
