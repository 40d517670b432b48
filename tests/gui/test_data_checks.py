"""The page of checks: findings with their samples, ways to them, and a remedy."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton

from playground.data.augment import Applied
from playground.data.dataset import Groups
from playground.messages import DataReady
from tests.gui.insight_kit import DIGITS, opened, post
from ui.data.checks.page import ChecksPage
from ui.data.samples.page import SamplesPage
from ui.data.workspace import DataWorkspace
from ui.session import Session

Wait = Callable[..., None]


@pytest.fixture
def session(app: QApplication) -> Iterator[Session]:
    session = opened(DIGITS)
    yield session
    session.close()


def shown(session: Session) -> ChecksPage:
    page = ChecksPage(session)
    page.resize(1000, 640)
    page.show()
    QApplication.processEvents()
    return page


def spoilt(session: Session) -> Any:
    """A few digits with copies, a black one, and writers that are in every split."""
    dataset = session.dataset
    column = next(iter(dataset.inputs.values()))
    values, labels = column.values[::25].copy(), dataset.target.values[::25].copy()
    values[10], labels[10] = values[0], labels[0]
    values[150], labels[150] = values[1], labels[1]
    values[20] = 0
    count = len(values)
    return replace(
        dataset,
        inputs={column.name: replace(column, values=values)},
        targets={"label": replace(dataset.target, values=labels)},
        splits={
            "train": np.arange(120),
            "validation": np.arange(120, 160),
            "test": np.arange(160, count),
        },
        groups=Groups("writer", np.arange(count) % 7, tuple(f"writer {i}" for i in range(7))),
    )


def test_findings_are_shown_with_their_samples(session: Session, wait: Wait) -> None:
    page = shown(session)
    post(session, DataReady(spoilt(session), session.project.data))
    wait(lambda: page.report is not None)
    found = {card.finding.check: card for card in page.cards}
    assert {"duplicates", "leakage", "broken", "groups"} <= set(found)
    assert "200 samples looked at" in page.told.text()
    leak = found["leakage"]
    assert leak.strip is not None
    assert leak.strip.samples == [1, 150]
    wait(lambda: page.pictures.get(150) is not None)
    page.grab()
    place = leak.strip._places[1][1].center()
    QTest.mouseClick(leak.strip, Qt.MouseButton.LeftButton, pos=place)
    assert session.sample == 150


def test_samples_of_a_finding_are_shown_in_the_grid(session: Session, wait: Wait) -> None:
    view = DataWorkspace(session)
    view.resize(1100, 640)
    view.show()
    post(session, DataReady(spoilt(session), session.project.data))
    view.set_current("checks")
    checks, samples = view.page("checks"), view.page("samples")
    assert isinstance(checks, ChecksPage)
    assert isinstance(samples, SamplesPage)
    wait(lambda: checks.report is not None)
    card = next(card for card in checks.cards if card.finding.check == "leakage")
    button = card.findChildren(QPushButton)[0]
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    assert view.current() == "samples"
    wait(lambda: samples.grid.indices.tolist() == [1, 150])
    assert samples.only.text() == "shared between splits"
    assert session.sample == 1
    view.close()


def test_a_split_by_group_is_one_click(session: Session, wait: Wait) -> None:
    page = shown(session)
    post(session, DataReady(spoilt(session), session.project.data))
    wait(lambda: page.report is not None)
    card = next(card for card in page.cards if card.finding.check == "groups")
    QTest.mouseClick(card.findChildren(QPushButton)[-1], Qt.MouseButton.LeftButton)
    assert session.project.data.split.method == "group"
    assert session.dataset is None
    assert page.cards == []


def test_a_report_is_kept_while_the_samples_are_the_same(session: Session, wait: Wait) -> None:
    page = shown(session)
    post(session, DataReady(spoilt(session), session.project.data))
    wait(lambda: page.report is not None)
    report = page.report
    session.set_data(replace(session.project.data, augmentation=(Applied("flip"),)))
    assert page.report is report
    page.hide()
    page.show()
    assert page.report is report
    QTest.mouseClick(page.again, Qt.MouseButton.LeftButton)
    wait(lambda: page.report is not None and page.report is not report)


def test_it_can_be_cancelled(session: Session, wait: Wait) -> None:
    begun, go_on = threading.Event(), threading.Event()

    class Slow:
        dtype = np.dtype(np.uint8)

        def __len__(self) -> int:
            return 5000

        def take(self, indices: Any) -> Any:
            begun.set()
            go_on.wait(10)
            return np.zeros((len(indices), 1, 28, 28), np.uint8)

    page = shown(session)
    column = replace(next(iter(session.dataset.inputs.values())), values=Slow())
    lazy = replace(session.dataset, inputs={"image": column})
    post(session, DataReady(lazy, session.project.data))
    assert page.empty.button.isVisible()  # files are not read unasked
    QTest.mouseClick(page.empty.button, Qt.MouseButton.LeftButton)
    assert begun.wait(10)
    wait(lambda: page.progress.isVisible() and page.cancel.isVisible())
    QTest.mouseClick(page.cancel, Qt.MouseButton.LeftButton)
    go_on.set()
    assert page.told.text().startswith("Cancelled")
    assert page.again.isVisible()
    assert page.report is None


def test_a_reader_that_fails_is_told(session: Session, wait: Wait) -> None:
    class Bad:
        dtype = np.dtype(np.uint8)

        def __len__(self) -> int:
            return 50

        def take(self, indices: Any) -> Any:
            raise RuntimeError("the decoder broke")

    page = shown(session)
    column = replace(next(iter(session.dataset.inputs.values())), values=Bad())
    few = {name: np.arange(3) for name in session.dataset.splits}
    bad = replace(session.dataset, inputs={"image": column}, splits=few)
    post(session, DataReady(bad, session.project.data))
    page.start()
    wait(lambda: "the decoder broke" in page.told.text())
    assert page.again.isVisible()
