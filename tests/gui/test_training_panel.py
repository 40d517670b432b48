"""The training panel: settings reach the project, the learning rate also the run."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from playground.messages import Estimate, Failure, Progress, RateCurve, State, Status
from playground.training.settings import PARAMETERS
from tests.gui.insight_kit import AIRLINE, DIGITS, opened, post
from ui.session import Session
from ui.training.panel import TrainingPanel


@pytest.fixture
def session(app: QApplication) -> Iterator[Session]:
    session = opened(DIGITS)
    yield session
    session.close()


@pytest.fixture
def panel(session: Session) -> TrainingPanel:
    panel = TrainingPanel(session)
    panel.resize(290, 700)
    panel.show()
    QApplication.processEvents()
    return panel


def test_every_setting_has_its_field(panel: TrainingPanel) -> None:
    fields = {*panel.first.fields, *panel.others.fields, *panel.rate.form.fields}
    assert fields == {parameter.id for parameter in PARAMETERS}


def test_what_is_typed_reaches_the_project(session: Session, panel: TrainingPanel) -> None:
    line = panel.first.fields["epochs"].focusProxy()
    line.selectAll()
    QTest.keyClicks(line, "17")
    assert session.project.training.epochs == 17
    line.selectAll()
    QTest.keyClicks(line, "0")
    assert session.project.training.epochs == 17
    assert panel.first.error("epochs")
    panel.others.edited.emit("schedule", "cosine")
    assert session.project.training.schedule == "cosine"


def test_settings_from_elsewhere_are_shown(session: Session, panel: TrainingPanel) -> None:
    session.set_training(batch_size=128, learning_rate=0.05)
    assert panel.first.fields["batch_size"].focusProxy().text() == "128"
    assert panel.rate.form.fields["learning_rate"].focusProxy().text() == "0.05"
    assert panel.rate.slider.rate() == pytest.approx(0.05, rel=0.05)


def test_the_slider_changes_a_run_under_way(session: Session, panel: TrainingPanel) -> None:
    session.run()
    post(session, Status(State.RUNNING), Progress(1, 3, 5, 60, 100.0, 9.0, 0.001))
    assert panel.note.isVisible()
    assert "now 0.001" in panel.rate.now.text()
    panel.rate.slider.setValue(-50)
    assert session.project.training.learning_rate == pytest.approx(0.1)
    assert session.worker.named("set_learning_rate")[-1] == (0.1,)
    assert not panel.rate.search.isEnabled()
    post(session, Status(State.FINISHED))
    assert panel.rate.now.isHidden()


def test_a_rate_out_of_the_sliders_reach_is_kept(session: Session, panel: TrainingPanel) -> None:
    for rate in (1e-9, 50.0):
        session.set_training(learning_rate=rate)
        assert session.project.training.learning_rate == rate


def test_finding_a_rate(session: Session, panel: TrainingPanel) -> None:
    QTest.mouseClick(panel.rate.search, Qt.MouseButton.LeftButton)
    finder = panel.rate.finder
    assert finder.isVisible()
    assert len(session.worker.named("find_learning_rate")) == 1
    rates = np.logspace(-6, 0, 40)
    losses = np.where(rates < 0.1, 2.3 - rates, np.nan)
    post(session, RateCurve(rates[:10], losses[:10], None, finished=False))
    assert not finder.use.isVisible()
    post(session, RateCurve(rates, losses, 0.0031))
    finder.grab()
    assert finder.use.text() == "Use 0.0031"
    QTest.mouseClick(finder.use, Qt.MouseButton.LeftButton)
    assert session.project.training.learning_rate == 0.0031
    assert finder.isHidden()


def test_a_search_that_finds_nothing(session: Session, panel: TrainingPanel) -> None:
    panel.rate.finder.start()
    post(session, RateCurve(np.array([0.1]), np.array([np.nan]), None))
    assert "by hand" in panel.rate.finder.text.text()
    panel.rate.finder.start()
    post(session, Failure("find a learning rate", "a run is under way"))
    assert panel.rate.finder.text.text() == "a run is under way"


def test_the_estimate_is_shown(session: Session, panel: TrainingPanel) -> None:
    assert panel.estimate.isHidden()
    post(session, Estimate(2.0, 1 << 20, "About 2 s an epoch; 1 MB."))
    assert panel.estimate.text() == "About 2 s an epoch; 1 MB."
    post(session, Estimate(None, 1 << 50, "This needs more memory than there is.", fits=False))
    assert panel.estimate.property("kind") == "error"


def test_the_task_and_its_loss(app: QApplication) -> None:
    session = opened(AIRLINE)
    panel = TrainingPanel(session)
    panel.show()
    assert panel.task.box.currentText() == "Forecast"
    panel.task.form.edited.emit("loss", "huber")
    assert session.project.task.options == {"loss": "huber"}
    index = panel.task.box.findData("regression")
    panel.task.box.setCurrentIndex(index)
    panel.task.box.activated.emit(index)
    assert session.project.task.id == "regression"
    assert session.project.task.options == {}
    session.set_task(id="from the future", options={"x": 1})
    assert panel.task.box.currentIndex() == -1
    assert not panel.task.form.fields
    session.close()
