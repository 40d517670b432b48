"""The live panel: which columns are there, what they show, and that hidden views cost nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from models import edits
from models.graph import Graph
from playground.messages import State, Status
from playground.project import Project
from tests.clock import quickest
from tests.gui.doubles import NotingWorker
from tests.gui.insight_kit import AIRLINE, DIGITS, history, opened, post, snapshot
from ui.insight.live import LivePanel
from ui.insight.sample_chooser import SampleChooser
from ui.session import Session


@pytest.fixture
def session(app: QApplication) -> Iterator[Session]:
    session = opened(DIGITS, "hybrid")
    yield session
    session.close()


@pytest.fixture
def panel(session: Session) -> LivePanel:
    panel = LivePanel(session)
    panel.resize(1300, 330)
    panel.show()
    QApplication.processEvents()
    return panel


def named(session: Session, layer: str) -> str:
    return session.graph.of_layer(layer)[0].id


def test_a_hybrid_has_all_three_columns(session: Session, panel: LivePanel) -> None:
    post(session, history(), snapshot(session))
    assert panel.maps.isVisible()
    assert panel.states.isVisible()
    assert panel.curves.isVisible()
    id, _ = panel.maps.chooser.port or ("", "")
    assert session.graph.nodes[id].layer == "conv2d"
    assert panel.maps.maps.maps.shape == (32, 14, 14)
    assert panel.maps.detail.whole() == "32 of 32 · 14×14"
    assert panel.states.detail.whole() == "128 units over 7 steps"
    np.testing.assert_array_equal(
        panel.states.states.states, session.snapshot.values[panel.states.chooser.port]
    )


def test_columns_without_nodes_are_not_there(app: QApplication) -> None:
    session = opened(AIRLINE, "rnn")
    panel = LivePanel(session)
    panel.show()
    assert panel.maps.isHidden()
    assert not panel.states.isHidden()
    session.new(Project(name="Empty", graph=Graph()))
    assert panel.states.isHidden()
    session.close()


def test_the_canvas_selection_chooses_the_node(session: Session, panel: LivePanel) -> None:
    pool = named(session, "max-pool2d")
    session.select([pool])
    assert panel.maps.chooser.port == (pool, "output")
    assert (pool, "output") in session.wanted
    session.select([named(session, "linear")])
    assert panel.maps.chooser.port == (pool, "output")


def test_a_chosen_node_is_kept_with_the_project(session: Session, panel: LivePanel) -> None:
    pool = named(session, "max-pool2d")
    session.select([pool])
    kept = session.project
    assert kept.view["live"]["maps"] == pool
    session.new(replace(kept, name="Again"))
    assert panel.maps.chooser.port == (pool, "output")


def test_a_broken_view_in_a_project_is_ignored(session: Session, panel: LivePanel) -> None:
    session.new(replace(session.project, view={"live": [1, 2], "sample": "x"}))
    session.new(replace(session.project, view={"live": {"maps": 7, "states": "none"}}))
    assert panel.maps.chooser.port is not None


def test_deleting_the_node_shows_another(session: Session, panel: LivePanel) -> None:
    before = panel.maps.chooser.port
    assert before is not None
    session.edit("Delete", edits.remove(session.graph, [before[0]]))
    assert panel.maps.chooser.port not in (None, before)
    session.undo.undo()
    assert before in [panel.maps.chooser.itemData(i) for i in range(panel.maps.chooser.count())]


def test_nothing_is_wanted_or_drawn_while_hidden(session: Session, panel: LivePanel) -> None:
    assert len(session.wanted) == 2
    panel.hide()
    assert session.wanted == frozenset()
    post(session, history(), snapshot(session))
    assert not panel.curves.plot.lines
    assert panel.maps.maps.image.isNull()
    panel.show()
    assert panel.curves.plot.lines
    assert not panel.maps.maps.image.isNull()


def test_empty_views_say_what_to_do(session: Session, panel: LivePanel) -> None:
    assert panel._curves_body.empty.isVisible()
    assert "Run" in panel._curves_body.empty.text.text()
    revealed: list[str] = []
    session.reveal.connect(revealed.append)
    session.dataset = None
    session.data_message = ""
    session.dataset_changed.emit()
    panel.maps.empty._clicked()
    assert revealed == ["data"]


def test_a_problem_of_the_snapshot_is_told(session: Session, panel: LivePanel) -> None:
    post(session, replace(snapshot(session), values={}, problem="conv: out of memory"))
    assert panel.maps.empty.text.text() == "conv: out of memory"


def test_a_new_run_begins_with_empty_curves(session: Session, panel: LivePanel) -> None:
    post(session, history())
    assert panel.curves.isVisible()
    session.run()
    assert session.state is State.PREPARING
    assert not panel.curves.isVisible()
    post(session, Status(State.RUNNING), history(10))
    assert panel.curves.isVisible()


def test_strange_values_are_survived(session: Session, panel: LivePanel) -> None:
    port = panel.maps.chooser.port
    for value in (
        np.full((32, 14, 14), np.nan),
        np.empty((0, 3, 3)),
        np.zeros(5),
        np.zeros((3, 2, 4, 4)),
        np.float32(1.0).reshape(()),
    ):
        post(session, replace(snapshot(session), values={port: value}))
        QApplication.processEvents()
    panel.grab()


def test_drawing_beside_training_is_cheap(session: Session, panel: LivePanel) -> None:
    """Of a long run not much dearer than of a short one; the figure itself is in the bench."""
    picture = snapshot(session)

    def draw(points: int) -> float:
        def update() -> None:
            post(session, given, picture)
            panel.repaint()

        given = history(points)
        return quickest(update, 15)

    short = draw(100)
    assert draw(5000) < 3 * short


def test_the_sample_chooser(session: Session) -> None:
    chooser = SampleChooser(session)
    chooser.show()
    session.set_sample(1203)
    assert chooser.text.text().startswith("sample 1,204 · “")
    QTest.mouseClick(chooser.next, Qt.MouseButton.LeftButton)
    assert session.sample == 1204
    QTest.mouseClick(chooser.previous, Qt.MouseButton.LeftButton)
    QTest.mouseClick(chooser.text, Qt.MouseButton.LeftButton)
    chooser.number.setText("7")
    QTest.keyClick(chooser.number, Qt.Key.Key_Return)
    assert session.sample == 6
    chooser.number.setText("99999999")
    QTest.keyClick(chooser.number, Qt.Key.Key_Return)
    assert session.sample == 4999
    QTest.mouseClick(chooser.text, Qt.MouseButton.LeftButton)
    QTest.keyClick(chooser.number, Qt.Key.Key_Escape)
    assert chooser.text.isVisible()
    before = session.sample
    QTest.mouseClick(chooser.any, Qt.MouseButton.LeftButton)
    assert session.sample != before


def test_without_data_there_is_no_sample(app: QApplication) -> None:
    session = Session(NotingWorker())
    chooser = SampleChooser(session)
    assert chooser.isHidden()
    session.close()
