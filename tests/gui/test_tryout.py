"""Trying the trained network: drawing, files, rows and series, and the answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from playground.answers import Classes, Series, Value
from playground.messages import Answered, State, Status
from playground.project import DataSettings
from tests.gui.insight_kit import AIRLINE, DIGITS, opened, post, snapshot, with_run
from tests.gui.test_insight_views import draw
from ui.insight.answer_view import AnswerBars, AnswerView, percent
from ui.insight.tryout import TryPanel
from ui.session import Session

ROWS = "5.1,1.4,red,setosa\n6.2,4.5,blue,other\n5.0,1.5,red,setosa\n"
IRIS = "sepal,petal,colour,species\n" + 8 * ROWS
Wait = Callable[..., None]


@pytest.fixture
def digits(app: QApplication) -> Iterator[Session]:
    session = opened(DIGITS)
    with_run(session)
    yield session
    session.close()


def shown(session: Session) -> TryPanel:
    panel = TryPanel(session)
    panel.resize(1200, 330)
    panel.show()
    QApplication.processEvents()
    return panel


def questions(session: Session) -> list[np.ndarray]:
    """What the worker was asked about: raw values without batch axis."""
    return [next(iter(raw.values()))[0] for _, raw in session.worker.named("predict")]


def answer(session: Session, panel: TryPanel, given: object) -> None:
    token = session.worker.named("predict")[-1][0]
    post(session, Answered(token, given))


def test_before_a_run_it_says_what_to_do(app: QApplication) -> None:
    session = opened(DIGITS)
    panel = shown(session)
    assert panel.empty.isVisible()
    session.close()


def test_a_drawing_is_asked_about_while_it_is_drawn(digits: Session) -> None:
    panel = shown(digits)
    draw(panel.picture.pad, [(0.3, 0.2), (0.7, 0.2), (0.4, 0.9)])
    first = questions(digits)
    assert first
    assert first[0].shape == (1, 28, 28)
    assert first[0].dtype == np.uint8
    answer(digits, panel, Classes((("7", 0.9), ("1", 0.1))))
    last = questions(digits)[-1]
    np.testing.assert_array_equal(last, panel.picture.pad.array()[None])
    answer(digits, panel, Classes((("7", 0.97), ("1", 0.03))))
    assert panel.answer.bars.answers[0] == ("7", 0.97)
    assert not panel.picture.seen.image.isNull()


def test_only_the_newest_question_waits(digits: Session) -> None:
    panel = shown(digits)
    draw(panel.picture.pad, [(0.1 + 0.01 * i, 0.5) for i in range(60)])
    assert len(questions(digits)) == 1
    answer(digits, panel, Classes((("1", 1.0),)))
    assert len(questions(digits)) == 2
    answer(digits, panel, Classes((("1", 1.0),)))
    assert len(questions(digits)) == 2


def test_a_lost_answer_does_not_block(digits: Session) -> None:
    panel = shown(digits)
    draw(panel.picture.pad, [(0.2, 0.5), (0.8, 0.5)])
    panel._patience.stop()
    panel._send()
    assert len(questions(digits)) == 2


def test_the_answer_follows_a_run(digits: Session) -> None:
    panel = shown(digits)
    draw(panel.picture.pad, [(0.2, 0.5), (0.8, 0.5)])
    answer(digits, panel, Classes((("1", 0.5), ("7", 0.5))))
    answer(digits, panel, Classes((("1", 0.5), ("7", 0.5))))
    asked = len(questions(digits))
    post(digits, snapshot(digits))
    assert len(questions(digits)) == asked
    post(digits, Status(State.RUNNING), snapshot(digits))
    assert len(questions(digits)) == asked + 1


def test_clearing_takes_the_answer_away(digits: Session) -> None:
    panel = shown(digits)
    draw(panel.picture.pad, [(0.2, 0.5), (0.8, 0.5)])
    token = digits.worker.named("predict")[-1][0]
    QTest.mouseClick(panel.picture.clear, Qt.MouseButton.LeftButton)
    assert "Draw on the pad" in panel.answer.message.text()
    post(digits, Answered(token, Classes((("1", 1.0),))))
    assert panel.answer.message.isVisible()


def test_a_problem_is_told(digits: Session) -> None:
    panel = shown(digits)
    draw(panel.picture.pad, [(0.2, 0.5), (0.8, 0.5)])
    token = digits.worker.named("predict")[-1][0]
    post(digits, Answered(token, None, problem="there is no trained network yet"))
    assert panel.answer.message.text() == "there is no trained network yet"


def test_the_sample_of_all_views_is_judged(digits: Session) -> None:
    panel = shown(digits)
    digits.set_sample(11)
    QTest.mouseClick(panel.sample, Qt.MouseButton.LeftButton)
    column = digits.dataset.inputs["image"]
    np.testing.assert_array_equal(questions(digits)[-1], column.values[11])
    true = digits.dataset.classes[int(digits.dataset.target.values[11])]
    answer(digits, panel, Classes(((true, 0.8), ("x", 0.2))))
    assert panel.verdict.whole() == f"true: “{true}”, right"
    assert "sample 12" in panel.source.whole()


def test_an_image_file_is_read_as_in_training(digits: Session, wait: Wait, tmp_path: Path) -> None:
    picture = np.full((90, 70), 255, np.uint8)
    picture[20:70, 30:38] = 0
    path = tmp_path / "one.png"
    Image.fromarray(picture).save(path)
    panel = shown(digits)
    panel.open_file(path)
    wait(lambda: questions(digits), 20)
    assert questions(digits)[-1].shape == (1, 28, 28)
    assert panel.source.whole() == "one.png"


def test_a_file_that_is_no_picture_is_told(digits: Session, wait: Wait, tmp_path: Path) -> None:
    path = tmp_path / "wrong.png"
    path.write_text("no picture")
    panel = shown(digits)
    panel.open_file(path)
    wait(lambda: "wrong.png" in panel.answer.message.text(), 20)
    assert not questions(digits)


def test_a_dropped_file_is_opened(digits: Session, wait: Wait, tmp_path: Path) -> None:
    path = tmp_path / "dropped.png"
    Image.fromarray(np.zeros((28, 28), np.uint8)).save(path)
    panel = shown(digits)
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    event = QDropEvent(
        QPointF(10, 10), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )  # fmt: skip
    panel.dropEvent(event)
    wait(lambda: panel.source.whole() == "dropped.png" and questions(digits), 20)


@pytest.fixture
def table(app: QApplication, tmp_path: Path) -> Iterator[Session]:
    path = tmp_path / "iris.csv"
    path.write_text(IRIS)
    session = opened(DataSettings("table", {"path": str(path)}))
    with_run(session)
    yield session
    session.close()


def test_a_row_is_typed_in_fields(table: Session) -> None:
    panel = shown(table)
    form = panel.row.form
    assert list(form.fields) == ["sepal", "petal", "colour"]
    before = questions(table)[-1]
    answer(table, panel, Classes((("setosa", 0.7), ("other", 0.3))))
    line = form.fields["petal"].focusProxy()
    line.clear()
    QTest.keyClicks(line, "9.5")
    answer(table, panel, Classes((("setosa", 0.7), ("other", 0.3))))
    asked = questions(table)[-1]
    assert asked[1] == pytest.approx(9.5)
    assert asked[0] == before[0]
    form.edited.emit("colour", "blue")
    answer(table, panel, Classes((("setosa", 0.7), ("other", 0.3))))
    names = panel.row._reading.features[2].categories
    assert questions(table)[-1][2:].tolist() == [float(name == "blue") for name in names]


def test_rows_of_a_file_are_offered(table: Session, wait: Wait, tmp_path: Path) -> None:
    path = tmp_path / "more.csv"
    path.write_text("sepal,petal,colour\n1,2,red\n3,4,blue\n")
    panel = shown(table)
    panel.open_file(path)
    wait(lambda: panel.pick.count() == 2, 20)
    panel._picked(1)
    answer(table, panel, Value(1.0))
    assert questions(table)[-1][:2].tolist() == [3, 4]


def test_a_series_and_its_forecast(app: QApplication) -> None:
    session = opened(AIRLINE)
    with_run(session)
    panel = shown(session)
    panel.take_sample()
    answer(session, panel, Series(tuple(float(i) for i in range(12)), "thousand"))
    lines = {line.name: line for line in panel.answer.plot.lines}
    assert set(lines) == {"seen", "true", "forecast"}
    assert lines["forecast"].y[1:].tolist() == list(range(12))
    np.testing.assert_allclose(lines["true"].y[1:], session.dataset.target.values[0])
    session.close()


def test_other_data_bring_another_input(digits: Session) -> None:
    panel = shown(digits)
    draw(panel.picture.pad, [(0.2, 0.5), (0.8, 0.5)])
    digits.dataset = None
    digits.data_message = "gone"
    digits.dataset_changed.emit()
    assert panel.empty.text.text() == "gone"
    token = digits.worker.named("predict")[-1][0]
    post(digits, Answered(token, Classes((("1", 1.0),))))


def test_answers_of_every_kind(app: QApplication) -> None:
    view = AnswerView()
    view.resize(300, 200)
    view.show()
    view.show_answer(Value(21.5, "°C"))
    assert view.value.text() == "21.5 °C"
    view.show_answer(Series((1.0, 2.0)))
    view.show_answer(Classes(()))
    view.show_answer(Classes(tuple((f"a very long class name {i}" * 5, 0.1) for i in range(40))))
    view.grab()
    assert len(view.bars.answers) == 5
    bars = AnswerBars()
    bars.show_answers((("x", float("nan")), ("y", 0.0)))
    bars.grab()
    assert bars.accessibleDescription() == "x ?, y 0 %"


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0 %"), (0.004, "<1 %"), (0.5, "50 %"), (0.9999, ">99 %"), (1, "100 %")]
)
def test_probabilities(value: float, text: str) -> None:
    assert percent(value) == text


def test_the_pad_is_for_small_grey_pictures_alone(app: QApplication, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for index in range(4):
            pixels = np.random.default_rng(index).integers(0, 255, (40, 40, 3), np.uint8)
            Image.fromarray(pixels).save(tmp_path / name / f"{index}.png")
    session = opened(DataSettings("images", {"path": str(tmp_path)}))
    with_run(session)
    panel = shown(session)
    assert panel.picture.pad.isHidden()
    panel.take_sample()
    assert questions(session)[-1].shape == (3, 40, 40)
    QTest.mouseMove(panel, QPoint(5, 5))
    session.close()
