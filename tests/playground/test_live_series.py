"""Series live: rows that come, what is wrong with them, forecasts and their band."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.axes import sequence
from playground.answers import Classes, Series
from playground.bands import Band, NoBand, band_of, measured, residuals
from playground.data import SplitSettings, open_data
from playground.data.csv_format import CsvOptions
from playground.data.series_reading import SeriesReading, WindowReading
from playground.live.adapting import Adapting
from playground.live.errors import LiveError
from playground.live.inside import InsideWish
from playground.live.rows import KEPT, Follower, Heard, NoTable, Rows
from playground.live.series import LiveSeries, Rolling
from playground.live.settings import LiveAnswer
from playground.live.table import Intake
from playground.live.what import Wanted, of_run, opened
from playground.model import Model
from playground.preprocessing import Log, Preprocessing, Scale, Step
from playground.project import open_example
from playground.resources import SAMPLES
from playground.runs import RunFolder, load_model
from playground.training.trainer import Trainer
from tests.playground.capture_kit import until
from tests.playground.cli_kit import Shell
from tests.playground.fakes import chain
from tests.playground.live_kit import model_of, shaken
from tests.playground.test_fuzz import damaged

AIRLINE = (SAMPLES / "series/airline_passengers.csv").read_text().splitlines()
HEADER, ROWS = AIRLINE[0], AIRLINE[1:]


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    until(lambda: set(threading.enumerate()) <= before, 3)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example of the airline passengers, trained as it is."""
    return trained(tmp_path_factory.mktemp("airline"))


def trained(folder: Path, **settings: Any) -> Path:
    project = open_example("airline-lstm")
    project = replace(project, training=project.training.replace(**settings))
    trainer = Trainer(project, open_data(project.data, folder), RunFolder.create(folder / "run"))
    for _ in trainer.steps():
        pass
    trainer.run.update(state="finished")
    return trainer.run.path


class Grown:
    """A file to which a test appends."""

    def __init__(self, path: Path, header: str = HEADER) -> None:
        self.path = path
        path.write_text(f"{header}\n")

    def add(self, *lines: str, end: str = "\n") -> None:
        with self.path.open("a") as file:
            file.write("\n".join(lines) + end)


@pytest.fixture
def grown(tmp_path: Path) -> Grown:
    return Grown(tmp_path / "data.csv")


def next_of(live: LiveSeries, after: int) -> LiveAnswer:
    answer = live.wait(after, 10)
    assert answer is not None, live.status
    return answer


def says(live: LiveSeries, text: str) -> None:
    until(lambda: text in live.status.message, 5)


def closing(live: LiveSeries) -> None:
    live.close()
    live.rows.close()


# --- a file that grows --------------------------------------------------------------------------


def test_every_new_row_is_answered_as_predict_does(run: Path, grown: Grown) -> None:
    model = load_model(run)
    grown.add(*ROWS[:11])
    with Rows(str(grown.path)) as rows:
        live = LiveSeries(model, rows)
        live.start()
        says(live, "has 11 rows so far; the network needs 12; waiting for more")
        for count in range(12, 15):
            grown.add(ROWS[count - 1])
            answer = next_of(live, count - 1)
            assert answer.number == count
            column = model.dataset.inputs["series"]
            assert column.reading is not None
            ((_, window),) = column.reading.read(str(grown.path))
            wanted = model.predict({"series": window[None]})[0]
            assert isinstance(answer.answer, Series)
            assert isinstance(wanted, Series)
            assert answer.answer.values == pytest.approx(wanted.values, rel=1e-5)
            assert live.status.message == "Following data.csv."
        recent = live.recent()
        assert recent is not None
        assert recent.times[-1] == ROWS[13].split(",")[0]
        assert recent.values.shape == (14, 1)
        live.close()


def test_a_half_written_row_waits(run: Path, grown: Grown) -> None:
    grown.add(*ROWS[:12])
    live = LiveSeries(load_model(run), str(grown.path))
    with live.rows:
        live.start()
        assert next_of(live, 0).number == 12
        date, value = ROWS[12].split(",")
        grown.add(f"{date},{value[:1]}", end="")
        assert live.wait(12, 0.4) is None
        grown.add(value[1:])
        recent = (next_of(live, 12), live.recent())[1]
        assert recent is not None
        assert recent.values[-1, 0] == float(value)
        closing(live)


def test_many_rows_at_once_are_one_question(run: Path, grown: Grown) -> None:
    grown.add(*ROWS[:20])
    live = LiveSeries(load_model(run), str(grown.path))
    with live.rows:
        live.start()
        assert next_of(live, 0).number == 20
        grown.add(*ROWS[20:50])
        until(lambda: live.answer() is not None and live.answer().number == 50, 5)  # type: ignore[union-attr]
        closing(live)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("1960-01,many", "passengers is 'many' in row 13, which is no number; the value before it"),
        ("1960-01,1,2", "a row has 3 values instead of 2; it is left out."),
        ("1960-01", "a row has 1 values instead of 2; it is left out."),
    ],
)
def test_a_bad_row_is_told_and_the_next_is_answered(
    run: Path, grown: Grown, line: str, sentence: str
) -> None:
    grown.add(*ROWS[:12])
    live = LiveSeries(load_model(run), str(grown.path))
    with live.rows:
        live.start()
        before = next_of(live, 0).number
        grown.add(line)
        says(live, sentence)
        grown.add(ROWS[12])
        until(lambda: live.answer().number > before, 5)  # type: ignore[union-attr]
        closing(live)


@pytest.mark.parametrize(
    ("step", "cell", "why"),
    [
        (Log(), "0", "has no logarithm"),
        (Log(), "-5", "has no logarithm"),
        (Scale(1e-3), "-2e38", "is too large"),
    ],
)
def test_a_value_that_no_network_can_be_given_is_told(step: Step, cell: str, why: str) -> None:
    column = row_model(12).dataset.inputs["input"]
    column = replace(column, reading=WINDOW, preprocessing=Preprocessing((step,)))
    rows = tuple((f"{day}", "7") for day in range(11))
    said: list[str] = []
    intake = Intake(column, "data.csv", said.append)
    header = ("date", "passengers")
    raw = intake.window(Heard(header, (*rows, ("11", cell)), 12, 1, 0.0))["input"]
    assert raw.tolist() == [[[7.0]] * 12]
    intake.window(Heard(header, (*rows, ("11", cell), ("12", "8")), 13, 1, 0.0))
    sentence = f"passengers is {cell!r} in row 12, which {why}; the value before it stands in."
    assert said == [f"data.csv: {sentence}"]


def test_a_missing_value_is_the_one_before(run: Path, grown: Grown) -> None:
    grown.add("1948-12,", *ROWS[:12], "1950-01,NA")
    live = LiveSeries(load_model(run), str(grown.path))
    with live.rows:
        live.start()
        assert next_of(live, 0).number == 14
        grown.add("1950-02,126")
        next_of(live, 14)
        recent, short = live.recent(), live.recent(2)
        assert recent is not None
        assert short is not None
        values = [float(row.split(",")[1]) for row in ROWS[:12]]
        # as in the data that a network learns from: such a row is a step like the others
        assert recent.values[:, 0].tolist() == [values[0], *values, values[-1], 126]
        assert short.values[:, 0].tolist() == [values[-1], 126]
        assert short.times == ("1950-01", "1950-02")
        closing(live)


def shortened(path: Path) -> None:
    path.write_text("\n".join([HEADER, *ROWS[:5]]) + "\n")


def rotated(path: Path) -> None:
    path.rename(path.with_suffix(".old"))
    path.write_text("\n".join([HEADER, *ROWS[:5]]) + "\n")


def rewritten(path: Path) -> None:
    with path.open("r+") as file:
        file.write("\n".join([HEADER, *reversed(ROWS[:60])]) + "\n")


@pytest.mark.parametrize("change", [shortened, rotated])
def test_a_file_that_is_begun_anew(run: Path, grown: Grown, change: Callable[[Path], None]) -> None:
    grown.add(*ROWS[:20])
    live = LiveSeries(load_model(run), str(grown.path))
    with live.rows:
        live.start()
        assert next_of(live, 0).number == 20
        change(grown.path)
        says(live, "data.csv has 5 rows so far; the network needs 12")
        grown.add(*ROWS[5:14])
        again = next_of(live, 20)
        recent = live.recent()
        assert recent is not None
        assert len(recent.values) == again.number - 20
        closing(live)


def test_a_longer_file_in_its_place_is_noticed(run: Path, grown: Grown) -> None:
    grown.add(*ROWS[:20])
    live = LiveSeries(load_model(run), str(grown.path))
    with live.rows:
        live.start()
        assert next_of(live, 0).number == 20
        rewritten(grown.path)
        says(live, "data.csv was begun anew")
        assert next_of(live, 20).number == 80
        closing(live)


def test_a_file_that_is_deleted_and_returns(run: Path, grown: Grown) -> None:
    grown.add(*ROWS[:20])
    live = LiveSeries(load_model(run), str(grown.path))
    with live.rows:
        live.start()
        assert next_of(live, 0).number == 20
        grown.path.unlink()
        says(live, "data.csv is gone; waiting for it to come back.")
        assert live.status.state == "reconnecting"
        Grown(grown.path).add(*ROWS[:30])
        assert next_of(live, 20).number == 50
        until(lambda: live.status.state == "running", 3)
        closing(live)


def test_other_columns_are_told_until_they_are_right(run: Path, tmp_path: Path) -> None:
    grown = Grown(tmp_path / "data.csv", "date,people,note")
    grown.add(*(f"{row},x" for row in ROWS[:20]))
    live = LiveSeries(load_model(run), str(grown.path))
    with live.rows:
        live.start()
        says(live, "data.csv has no column passengers: it needs passengers, and has date, people")
        Grown(grown.path, "note,passengers").add(*(f"x,{row.split(',')[1]}" for row in ROWS[:20]))
        assert next_of(live, 0).number >= 20
        closing(live)


@pytest.mark.parametrize("content", [b"", b"\n\n", HEADER.encode(), b"\0\0\0\n", b"\xff\xfe\n" * 9])
def test_files_without_rows_wait(run: Path, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes(content)
    live = LiveSeries(load_model(run), str(path))
    with live.rows:
        live.start()
        until(lambda: live.rows.status.state in ("opening", "running"), 3)
        assert live.wait(0, 0.3) is None
        path.write_text("\n".join([HEADER, *ROWS[:12]]) + "\n")
        assert isinstance(next_of(live, 0).answer, Series)
        closing(live)


def test_a_file_that_never_was_fails(run: Path, tmp_path: Path) -> None:
    live = LiveSeries(load_model(run), str(tmp_path / "none.csv"))
    with live.rows:
        live.start()
        until(lambda: live.status.state == "failed", 3)
        assert "none.csv does not exist: choose the file again." in live.status.message
        closing(live)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with Rows(str(tmp_path / "pipe")) as rows:
        until(lambda: rows.status.state == "failed", 3)
        assert rows.status.message.endswith(
            "pipe cannot be read: it is no plain file; lead what it gives to standard input and "
            "choose -."
        )


def test_of_a_large_file_the_end_is_read(tmp_path: Path) -> None:
    path = tmp_path / "large.csv"
    path.write_text("a,b\n" + "".join(f"{row},{'7' * 20}\n" for row in range(200_000)))
    with Rows(str(path)) as rows:
        heard = rows.wait(0, 5)
        assert heard is not None
        assert heard.header == ("a", "b")
        assert len(heard.rows) == KEPT
        assert heard.rows[-1][0] == "199999"
        with path.open("a") as file:
            file.write("200000,1\n")
        newest = rows.wait(heard.number, 5)
        assert newest is not None
        assert newest.rows[-1] == ("200000", "1")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("count", [2, 120_000])
def test_a_file_in_utf16_grows(tmp_path: Path, encoding: str, count: int) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes("\ufeffday,μ\n".encode(encoding) + "1,Ċ7\n".encode(encoding) * count)
    follower = Follower(path, CsvOptions())
    assert follower.look()
    assert len(follower.rows()) == count
    with path.open("ab") as file:
        file.write("2,Ċ\n3".encode(encoding))
    assert not follower.look()
    assert follower.rows() == [("2", "Ċ")]
    assert follower.header == ("day", "μ")


@pytest.mark.parametrize("line", ["2020-01;1,5", "2020-01\t1.5", '"2020-01","1.5"'])
def test_the_format_is_found_out(tmp_path: Path, line: str) -> None:
    mark = next((m for m in (";", "\t") if m in line), ",")
    grown = Grown(tmp_path / "data.csv", f"date{mark}y")
    grown.add(line, line)
    model = row_model()
    with Rows(str(grown.path)) as rows:
        live = LiveSeries(model, rows)
        live.start()
        assert isinstance(next_of(live, 0).answer, Classes)
        recent = live.recent()
        assert recent is not None
        assert recent.values.tolist() == [[1.5], [1.5]]
        live.close()


@pytest.mark.parametrize("count", [50, pytest.param(2000, marks=pytest.mark.full)])
def test_damaged_files_give_windows_or_a_sentence(count: int, tmp_path: Path) -> None:
    content = "\n".join([HEADER, *ROWS[:40]]).encode() + b"\n"
    column = replace(row_model(12).dataset.inputs["input"], reading=WINDOW)
    answered = 0
    for seed in range(count):
        dice = random.Random(seed)
        path = tmp_path / "data.csv"
        follower = Follower(path, CsvOptions())
        for part in (damaged(content, dice), damaged(content, dice) * 2):
            path.write_bytes(part)
            try:
                follower.look()
            except NoTable:  # there is a sentence for it
                continue
            rows = [row for row in follower.rows() if len(row) == len(follower.header)]
            heard = Heard(follower.header, tuple(rows), len(rows), 1, 0.0)
            try:
                window = Intake(column, "data.csv", lambda sentence: None).window(heard)["input"]
            except LiveError:
                continue
            assert window.shape == (1, 12, 1)
            assert np.isfinite(window).all()
            answered += 1
    assert answered > count


WINDOW = WindowReading(("passengers",), 12, None, "date")


# --- other models -------------------------------------------------------------------------------


def row_model(length: int | None = 2, channels: int = 1, **options: Any) -> Model:
    shape = sequence(length or "T", channels)
    graph = chain(
        ("input", "input", {"shape": shape.to_json()}),
        ("memory", "gru", {"hidden_size": 4, **options}),
        ("fc", "linear", {"out_features": 3}),
        ("label", "output", {}),
        ports={"memory": "last"},
    )
    return shaken(model_of(graph, shape, SeriesReading(length, channels)))


def test_classes_of_the_last_window(tmp_path: Path) -> None:
    grown = Grown(tmp_path / "data.csv", "time,x,y")
    grown.add(*(f"t{row},{row},{row / 2}" for row in range(9)))
    model = row_model(8, 2)
    with Rows(str(grown.path)) as rows:
        live = LiveSeries(model, rows)
        live.start()
        answer = next_of(live, 0)
        window = np.stack([np.arange(1, 9), np.arange(1, 9) / 2], axis=1).astype(np.float32)
        wanted = model.predict({"input": window[None]})[0]
        assert isinstance(answer.answer, Classes)
        assert isinstance(wanted, Classes)
        assert dict(answer.answer.answers) == pytest.approx(dict(wanted.answers), abs=1e-5)
        assert live.no_band == ""
        live.close()


def test_series_of_any_length_are_asked_as_far_as_they_go(tmp_path: Path) -> None:
    grown = Grown(tmp_path / "data.csv", "y")
    grown.add("1", "2", "3")
    with Rows(str(grown.path)) as rows:
        live = LiveSeries(row_model(None), rows)
        live.start()
        assert next_of(live, 0).number == 3
        live.close()


def test_what_takes_no_rows_is_told() -> None:
    from tests.playground.live_kit import picture_model

    with pytest.raises(LiveError, match="takes no series"):
        LiveSeries(picture_model(), "data.csv")
    with pytest.raises(LiveError, match="rows are needed"):
        LiveSeries(row_model(), " ")


def test_a_state_that_is_carried_from_row_to_row() -> None:
    model = row_model(4)
    engine = Rolling(model)
    values = np.random.default_rng(0).standard_normal((12, 1)).astype(np.float32)

    def ask(row: int) -> Any:
        return engine.run({"input": values[row - 4 : row][None]})

    def whole(first: int, row: int) -> Any:
        batch = {"input": values[None, first:row]}
        prepared = model.dataset.inputs["input"].prepared(batch["input"])
        import torch

        return model.network({"input": torch.from_numpy(prepared)})["label"].detach().numpy()

    np.testing.assert_allclose(ask(4)["label"], whole(0, 4), atol=1e-5)
    np.testing.assert_allclose(ask(5)["label"], whole(0, 5), atol=1e-5)
    engine.reset()  # a row that comes late
    np.testing.assert_allclose(ask(7)["label"], whole(0, 7), atol=1e-5)
    assert engine.states()["memory"].shape == (4,)
    np.testing.assert_allclose(ask(12)["label"], whole(8, 12), atol=1e-5)  # rows were missed
    np.testing.assert_allclose(ask(5)["label"], whole(1, 5), atol=1e-5)  # a file begun anew


def test_each_series_of_a_table_has_its_own_window() -> None:
    """Rows of two series that take turns: the state of one says nothing of the other."""
    model = row_model(4)
    engine, generator = Rolling(model), np.random.default_rng(1)
    one, other = (generator.standard_normal((6, 1)).astype(np.float32) for _ in "ab")
    for end in (4, 5, 6):
        for values in (one, other):
            window = {"input": values[None, end - 4 : end]}
            wanted = model.outputs(model.prepared(window))["label"]
            np.testing.assert_allclose(engine.run(window)["label"], wanted, atol=1e-5)


def test_the_series_of_a_table_are_told_apart() -> None:
    model = row_model(2)
    reading = WindowReading(("v",), 2, group="shop", time="t")
    column = replace(model.dataset.inputs["input"], reading=reading)
    intake = Intake(column, "data.csv", print)
    rows = tuple((f"{n}", "ab"[n % 2], f"{n}") for n in range(6))
    heard = Heard(("t", "shop", "v"), rows, 106, 1, 0.0)
    assert intake.groups(heard) == ("b", "a")
    newest, other = intake.recent(heard, 2), intake.recent(heard, 2, "a")
    assert (newest.group, newest.numbers, newest.times) == ("b", (104, 106), ("3", "5"))
    assert (other.group, other.numbers, other.known) == ("a", (103, 105), 3)
    assert other.values[:, 0].tolist() == [2, 4]


@pytest.mark.parametrize("carried", [False, True])
def test_a_run_of_rows_can_be_looked_into(grown: Grown, carried: bool) -> None:
    grown.add(*ROWS[:20])
    with Rows(str(grown.path)) as rows:
        live = LiveSeries(row_model(4), rows)
        if carried:
            live._engine = Rolling(live._model)
        live.start()
        next_of(live, 19)
        inside = live.look_inside(InsideWish(rate_hz=20))
        inside.start()
        until(lambda: inside.view() is not None, 10)
        view = inside.view()
        assert view is not None
        assert view.problem == ""
        assert view.states["memory"].shape == ((4,) if carried else (4, 4)), "now, or of all steps"
        assert bool(live.states()) == carried
        inside.close()
        closing(live)


# --- the band -----------------------------------------------------------------------------------


def test_the_band_holds_what_comes_in_the_test_windows(run: Path) -> None:
    model = load_model(run)
    project = RunFolder(run).project()
    dataset = open_data(project.data, RunFolder(run).place())
    band = band_of(model)
    errors = residuals(model, dataset, dataset.splits["test"])
    held = float((np.abs(errors) <= band.reach).mean())
    print(f"{held:.0%} of the test points lie in a band that is meant to hold 80 %")
    assert 0.5 <= held <= 1.0
    answer = model.predict({"series": dataset.inputs["series"].take(np.asarray([0]))})[0]
    banded = band.around(answer, model)
    assert isinstance(banded, Series)
    assert banded.low is not None
    assert banded.high is not None
    for low, value, high in zip(banded.low, banded.values, banded.high, strict=True):
        assert 0 < low < value < high
        assert value / low == pytest.approx(high / value, rel=1e-3)  # it grows with the series
    assert banded.to_json()["low"] == list(banded.low)
    assert "–" in str(banded)


def test_the_band_follows_what_then_comes() -> None:
    """Forecasts three steps ahead whose band was found much too narrow, then much too wide."""
    random, adapting, held = np.random.default_rng(1), Adapting(), []
    low, high = np.zeros(3), np.zeros(3)
    for row in range(1, 1501):
        value = random.normal(scale=10 if row < 750 else 0.1)
        held.append(low[0] <= value <= high[0])
        adapting.came(1, row, np.float32([0, value]))
        high = adapting.width * np.ones(3)
        low = -high
        adapting.said(Series((0, 0, 0), low=tuple(low.tolist()), high=tuple(high.tolist())))
    assert np.mean(held[300:749]) == pytest.approx(0.8, abs=0.03)
    assert np.mean(held[1100:]) == pytest.approx(0.8, abs=0.03)
    width = adapting.width
    adapting.came(2, 1501, np.float32([1e9]))  # begun anew: nothing was forecast of it
    assert adapting.width == width


def test_a_row_that_was_missed_widens_the_band(run: Path, grown: Grown) -> None:
    live = LiveSeries(load_model(run), str(grown.path))
    spans = []
    for number in (13, 14):
        cells = [tuple(row.split(",")) for row in ROWS[:13]] + [("", "9000")]
        heard = Heard(tuple(HEADER.split(",")), tuple(cells[:number]), number, 1, 0.0)
        sample = live._sample(heard)
        assert sample is not None
        answer = live._answering.answer(sample, live._engine).answer
        spans.append(answer.high[0] / answer.values[0])  # type: ignore[union-attr, index]
    assert spans[1] > spans[0]


def test_the_band_is_kept_with_the_run(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = load_model(run)
    first = band_of(model)
    kept = RunFolder(run).info()["band"]
    assert kept["windows"] == 13
    monkeypatch.setattr("playground.bands.open_data", None)
    assert band_of(model).reach.tolist() == first.reach.tolist()
    shaken(model)
    with pytest.raises(TypeError):  # other weights: it would be found anew
        band_of(model)


def test_without_its_data_a_forecast_has_no_band(tmp_path: Path) -> None:
    run = RunFolder(trained(tmp_path, epochs=1))
    project = run.project()
    options = {**project.data.options, "path": "gone.csv"}
    run.freeze(replace(project, data=replace(project.data, options=options)))
    live = LiveSeries(load_model(run), "data.csv")
    assert live.band is None
    assert "no band, because its data cannot be opened: " in live.no_band
    data = replace(project.data, split=SplitSettings(24, 36))
    run.freeze(replace(project, data=data))
    with pytest.raises(NoBand, match="the data are not those of its training"):
        band_of(load_model(run))


def test_damaged_bands_are_found_anew(run: Path) -> None:
    folder, model = RunFolder(run), load_model(run)
    good = band_of(model)
    weights = folder.info()["band"]["weights"]
    damaged: list[Any] = [None, [], {}, {"weights": weights, "reach": ["x"]}]
    for wrong in damaged:
        folder.update(band=wrong)
        assert band_of(model).reach.tolist() == good.reach.tolist()
    with pytest.raises(ValueError, match="positive number"):
        Band.from_json({"reach": [-1.0], "windows": 3, "carried": False})


def test_a_state_is_carried_where_that_forecasts_as_well(tmp_path: Path) -> None:
    project = open_example("airline-lstm")
    graph = chain(
        ("series", "input", {"shape": sequence(12, 1).to_json()}),
        ("memory", "lstm", {"hidden_size": 8}),
        ("fc", "linear", {"out_features": 12}),
        ("forecast", "output", {}),
        ports={"memory": "last"},
    )
    project = replace(project, graph=graph, training=project.training.replace(epochs=2))
    dataset = open_data(project.data, tmp_path)
    trainer = Trainer(project, dataset, RunFolder.create(tmp_path / "run"))
    for _ in trainer.steps():
        pass
    model = load_model(tmp_path / "run")
    band = measured(model, dataset)
    live = LiveSeries(model, "data.csv")
    assert live.engine.engine == ("streaming" if band.carried else "eager")


def test_a_run_of_series_is_something_that_runs_live(run: Path, grown: Grown) -> None:
    what = of_run(RunFolder(run))
    assert (what.medium, what.kind, what.path) == ("series", "run", run)
    grown.add(*ROWS[:12])
    with Rows(str(grown.path)) as rows:
        live = opened(what, rows, Wanted())
        assert isinstance(live, LiveSeries)
        live.start()
        assert next_of(live, 0).number == 12
        live.close()
        with pytest.raises(LiveError, match="wait for its run"):
            opened(replace(what, path=None), rows, Wanted())


# --- the command --------------------------------------------------------------------------------


def test_the_command_follows_a_file(run: Path, grown: Grown, capsys: Any) -> None:
    grown.add(*ROWS[:20])
    lines = Shell(capsys).json("live", run, "--source", grown.path, "--frames", "1")
    answer = next(line for line in lines if "frame" in line)
    assert answer["kind"] == "series"
    assert len(answer["values"]) == len(answer["low"]) == len(answer["high"]) == 12
    assert lines[-1]["event"] == "finished"
    assert lines[-1]["engine"] == "eager"


def test_predict_tells_the_band_too(run: Path, grown: Grown, capsys: Any) -> None:
    grown.add(*ROWS[:20])
    (line,) = Shell(capsys).json("predict", run, grown.path)
    assert all(
        low < value < high
        for low, value, high in zip(line["low"], line["values"], line["high"], strict=True)
    )


def test_the_command_reads_standard_input(run: Path) -> None:
    command = [sys.executable, "-m", "playground", "live", str(run), "--source", "-", "--json"]
    text = "\n".join([HEADER, *ROWS[:15]])  # its last line has no end
    done = subprocess.run(
        command, input=text, capture_output=True, text=True, timeout=60, env={**os.environ}
    )
    assert done.returncode == 0, done.stderr
    assert '"frame": 15' in done.stdout
    assert "Standard input has ended." in done.stdout


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "has ended. There was no row."),
        (HEADER.encode() + b"\n1949-01,112\n", "has 1 row so far; the network needs"),
        (b"a,b\n1,2\n3,4\n", "has no column passengers: it needs passengers, and has"),
        (np.random.default_rng(1).bytes(90_000), "gives no text: pipe a table to it."),
    ],
)
def test_what_came_from_standard_input_is_told_at_its_end(
    run: Path, content: bytes, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    says = f"Standard input {says}"
    path = tmp_path / "piped"
    path.write_bytes(content)
    with path.open() as piped:
        monkeypatch.setattr(sys, "stdin", piped)
        live = LiveSeries(load_model(run), "-")
        with live.rows:
            live.start()
            until(lambda: live.status.state in ("ended", "failed") and says in live.status.message)
            closing(live)


def test_a_file_that_is_no_text_is_no_table(run: Path, tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(np.random.default_rng(1).bytes(90_000))
    live = LiveSeries(load_model(run), str(path))
    with live.rows:
        live.start()
        until(lambda: live.status.state == "failed", 3)
        assert live.status.message == "clip.mp4 is no table: its bytes are no text."
        closing(live)


def test_the_command_names_what_is_missing(run: Path, tmp_path: Path, capsys: Any) -> None:
    for option, said in (("--engine", "onnxruntime"), ("--rate", "5")):
        refused = Shell(capsys)("live", run, "--source", "-", option, said)
        assert refused.code == 1
        assert refused.sentence.startswith(f"{option} is for ")
    zero = tmp_path / "zero.csv"
    zero.write_text("\n".join([HEADER, *ROWS, "1961-01,0"]))
    assert (
        Shell(capsys)("predict", run, zero).sentence == "series has a value that has no logarithm"
    )
    said = Shell(capsys)("live", run, "--source", tmp_path / "none.csv")
    assert said.code == 1
    assert "does not exist: choose the file again" in said.err
