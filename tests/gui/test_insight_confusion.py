"""The confusion panel: asking, cells and their samples, values and forecasts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from playground.messages import Evaluation, Failure, State, Status
from tests.gui.insight_kit import AIRLINE, DIGITS, evaluation, opened, post, with_run
from ui.insight.confusion import ConfusionPanel, caption, in_cell, mistakes, worst
from ui.session import Session


@pytest.fixture
def session(app: QApplication) -> Iterator[Session]:
    session = opened(DIGITS)
    yield session
    session.close()


def shown(session: Session) -> ConfusionPanel:
    panel = ConfusionPanel(session)
    panel.resize(1300, 330)
    panel.show()
    QApplication.processEvents()
    return panel


def asked(session: Session) -> list[str]:
    return [arguments[-1] for arguments in session.worker.named("evaluate")]


def test_before_a_run_it_says_what_to_do(session: Session) -> None:
    panel = shown(session)
    assert panel.empty.isVisible()
    assert "Train" in panel.empty.text.text()
    panel.empty._clicked()
    assert session.worker.named("train")


def test_it_asks_when_shown_and_after_a_run(session: Session) -> None:
    with_run(session)
    panel = shown(session)
    assert asked(session) == ["validation"]
    post(session, Status(State.RUNNING))
    post(session, Status(State.FINISHED))
    assert asked(session) == ["validation"] * 2
    panel.hide()
    post(session, Status(State.RUNNING))
    post(session, Status(State.FINISHED))
    assert len(asked(session)) == 2
    panel.show()
    assert len(asked(session)) == 3
    buttons = panel.split._buttons
    QTest.mouseClick(buttons["test"], Qt.MouseButton.LeftButton)
    assert asked(session)[-1] == "test"


def test_an_evaluation_of_another_split_is_not_shown(session: Session) -> None:
    with_run(session)
    panel = shown(session)
    post(session, evaluation(session.dataset, "test"))
    assert not panel.matrix.isVisible()


def test_a_click_on_a_cell_lists_its_samples(session: Session) -> None:
    with_run(session)
    panel = shown(session)
    given = evaluation(session.dataset)
    post(session, given)
    assert panel.matrix.isVisible()
    assert "20 mistakes" in panel.list.heading.whole()
    true, answer = int(given.true[0]), int(given.predicted[0])
    QApplication.processEvents()
    place = panel.matrix.cell_rect(true, answer).center().toPoint()
    QTest.mouseClick(panel.matrix, Qt.MouseButton.LeftButton, pos=place)
    listed = panel.list.grid.indices
    expected = given.indices[(given.true == true) & (given.predicted == answer)]
    assert sorted(listed) == sorted(expected.tolist())
    assert f"“{true}” taken for “{answer}”" in panel.list.heading.whole()
    first = panel.list.grid.tile_rect(0).center()
    QTest.mouseClick(panel.list.grid, Qt.MouseButton.LeftButton, pos=first)
    assert session.sample == listed[0]


def test_figures_are_named_with_a_guess_beside(session: Session) -> None:
    with_run(session)
    panel = shown(session)
    post(session, evaluation(session.dataset))
    told = panel.told.whole()
    assert told.startswith("accuracy 96.0 % · 500 samples · always “")
    panel._figures_chosen("shares")
    assert panel.matrix.cell_text(0, 5) == "0"


def test_the_surest_mistakes_come_first(session: Session) -> None:
    given = evaluation(session.dataset)
    listed = mistakes(given)
    confidence = given.confidence[listed.places]
    assert (np.diff(confidence) <= 0).all()
    assert len(listed.places) == 20
    right = replace(given, predicted=given.true)
    assert mistakes(right).heading == "No mistakes"
    assert len(in_cell(given, 0, 0).places) == ((given.true == 0) & (given.predicted == 0)).sum()
    assert caption(given, 0).endswith("50 %")


def test_many_mistakes_are_cut_and_told(session: Session) -> None:
    with_run(session)
    panel = shown(session)
    post(session, evaluation(session.dataset, wrong=500))
    assert len(panel.list.grid.indices) == 120
    assert "380 more" in panel.list.more.text()


def test_an_empty_evaluation(session: Session) -> None:
    with_run(session)
    panel = shown(session)
    none = np.empty(0, np.int64)
    post(session, Evaluation("validation", {}, ("a", "b"), np.zeros((2, 2)), none, none, none))
    assert "no samples" in panel.empty.text.text()
    session.dataset = replace(session.dataset, splits={"train": np.arange(3)})
    panel._ask()
    assert "validation split has no samples" in panel.empty.text.text()


def test_an_evaluation_of_other_data_is_survived(session: Session) -> None:
    with_run(session)
    panel = shown(session)
    given = evaluation(session.dataset)
    post(session, replace(given, indices=given.indices + 10**6))
    assert panel.list.grid.indices == []
    panel.grab()


def test_a_failure_is_told_in_place(session: Session) -> None:
    with_run(session)
    panel = shown(session)
    post(session, Failure("evaluate", "the data do not fit the model"))
    assert panel.empty.text.text() == "the data do not fit the model"
    assert panel.refresh.isEnabled()


def test_one_class_and_a_thousand(session: Session) -> None:
    with_run(session)
    panel = shown(session)
    for count in (1, 1000):
        names = tuple(f"class with a long name {i}" for i in range(count))
        true = np.arange(50) % count
        panel.split.set_current("test")
        given = Evaluation(
            "test", {"accuracy": 1.0}, names, np.eye(count, dtype=int), np.arange(50), true, true
        )
        post(session, given)
        panel.grab()
        assert panel.list.heading.whole() == "No mistakes"


def test_a_forecast_is_drawn_with_the_naive_one(app: QApplication) -> None:
    session = opened(AIRLINE)
    with_run(session)
    panel = shown(session)
    given = evaluation(session.dataset)
    post(session, given)
    values = panel.values
    assert values.isVisible()
    lines = {line.name: line for line in values.forecast.lines}
    assert set(lines) == {"seasonal naive", "true", "forecast"}
    assert len(lines["true"].x) == 24
    np.testing.assert_allclose(lines["forecast"].y - lines["true"].y, 1.0)
    assert "seasonal naive (12 steps): MAE" in panel.told.whole()
    panel.grab()
    values.scatter.chosen.emit(2)
    assert session.sample == given.indices[2]
    assert values.forecast.lines[0].name == "seen"
    assert values.all.isEnabled()
    QTest.mouseClick(values.all, Qt.MouseButton.LeftButton)
    assert len(values.forecast.lines) == 3
    session.close()


def test_errors_are_listed_the_largest_first(app: QApplication) -> None:
    true = np.arange(5.0)[:, None]
    predicted = true + np.array([[0.1], [3.0], [np.nan], [-4.0], [0.0]])
    given = Evaluation(
        "test", {}, (), None, np.arange(5), true, predicted, unit="m", task="regression"
    )
    assert worst(given).places.tolist() == [2, 3, 1, 0, 4]
    assert caption(given, 1) == "4, true 1 m"
