"""The page of augmentation: switched on and off, set, put in order, and drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from models.axes import image
from playground.data.augment import Applied
from playground.data.augment.preview import preview
from playground.data.dataset import Column
from playground.project import DataSettings
from tests.gui.insight_kit import DIGITS, GUNPOINT, opened
from ui.data.augment.draws import draw
from ui.data.augment.page import AugmentPage, usable
from ui.data.samples.pictures import Look
from ui.session import Session

Wait = Callable[..., None]


@pytest.fixture
def session(app: QApplication) -> Iterator[Session]:
    session = opened(DIGITS)
    yield session
    session.close()


def shown(session: Session) -> AugmentPage:
    page = AugmentPage(session)
    page.resize(1100, 640)
    page.show()
    QApplication.processEvents()
    return page


def test_it_is_switched_on_and_drawn(session: Session, wait: Wait) -> None:
    page = shown(session)
    wait(lambda: page.view.drawn is not None)
    dataset = session.dataset
    page.cards["noise"].switch.click()
    assert session.project.data.augmentation == (Applied("noise"),)
    assert session.dataset is not dataset
    assert session.dataset.inputs is dataset.inputs  # nothing was read again
    assert session.dataset.augmentation == (Applied("noise"),)
    assert page.cards["noise"].form.isVisible()
    wait(lambda: page.view.drawn.before[0].image != page.view.drawn.after[0][0].image)
    first = page.view.drawn
    assert len(first.before) >= 2
    assert first.after[0][0].image != first.after[0][1].image
    QTest.mouseClick(page.again, Qt.MouseButton.LeftButton)
    wait(lambda: page.view.drawn is not first)
    assert page.view.drawn.after[0][0].image != first.after[0][0].image
    page.grab()
    page.cards["noise"].switch.click()
    assert session.project.data.augmentation == ()


def test_parameters_are_set(session: Session) -> None:
    page = shown(session)
    page.cards["noise"].switch.click()
    page.cards["noise"].form.edited.emit("amount", 0.3)
    assert session.project.data.augmentation == (Applied("noise", {"amount": 0.3}),)
    assert page.cards["noise"].form.fields["amount"].line.text() == "0.3"


def test_the_order_is_changed(session: Session) -> None:
    page = shown(session)
    for id in ("move", "noise", "blur"):
        page.cards[id].switch.click()
    assert not page.cards["move"].up.isEnabled()
    QTest.mouseClick(page.cards["blur"].up, Qt.MouseButton.LeftButton)
    assert [item.id for item in session.project.data.augmentation] == ["move", "blur", "noise"]
    QTest.mouseClick(page.cards["move"].down, Qt.MouseButton.LeftButton)
    assert [item.id for item in session.project.data.augmentation] == ["blur", "move", "noise"]
    tops = [page.cards[id].y() for id in ("blur", "move", "noise")]
    QApplication.processEvents()
    tops = [page.cards[id].y() for id in ("blur", "move", "noise", "flip")]
    assert tops == sorted(tops)


def test_what_does_not_suit_is_kept_until_it_is_forgotten(session: Session) -> None:
    stranger = Applied("series-jitter")
    session.set_data(replace(session.project.data, augmentation=(stranger,)))
    page = shown(session)
    assert page.strangers.isVisible()
    page.cards["flip"].switch.click()
    assert stranger in session.project.data.augmentation
    QTest.mouseClick(page.strangers, Qt.MouseButton.LeftButton)
    assert session.project.data.augmentation == (Applied("flip"),)


def test_a_wrong_option_is_told(session: Session, wait: Wait) -> None:
    page = shown(session)
    wrong = Applied("noise", {"amount": -3.0})
    session.set_data(replace(session.project.data, augmentation=(wrong,)))
    wait(lambda: page.problem.isVisible())
    assert "at least" in page.problem.text() or "from" in page.problem.text()


def test_series_keep_one_scale_in_a_row(app: QApplication, wait: Wait) -> None:
    session = opened(GUNPOINT)
    page = shown(session)
    page.cards["series-scale"].switch.click()
    wait(lambda: page.view.drawn is not None and page.view.drawn.after)
    page.grab()
    session.close()


def test_data_without_augmentation_say_so(app: QApplication, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("size,kind,price\n" + "".join(f"{i},{'ab'[i % 2]},{i}\n" for i in range(40)))
    session = opened(DataSettings("table", {"path": str(path)}))
    page = shown(session)
    assert "no augmentation" in page.empty.text.text()
    session.close()


def test_what_moves_is_not_offered_beside_masks(session: Session) -> None:
    dataset = session.dataset
    assert {"move", "noise"} <= {item.id for item in usable(dataset)}
    mask = Column("mask", image(1, 28, 28), dataset.inputs["image"].values)
    ids = {item.id for item in usable(replace(dataset, targets={"mask": mask}))}
    assert "noise" in ids
    assert "move" not in ids


def test_a_preview_is_what_the_seed_says(session: Session) -> None:
    dataset = session.dataset
    applied = (Applied("move"), Applied("noise"))
    first, again = (preview(dataset, applied, [3, 3, 5], 1)["image"] for _ in range(2))
    assert np.array_equal(first, again)
    assert first.shape == (3, 1, 28, 28)
    assert not np.array_equal(first[0], first[1])
    assert not np.array_equal(first, preview(dataset, applied, [3, 3, 5], 2)["image"])
    drawn = draw(dataset, (), [3, 5], 2, 0, Look())
    assert drawn.before[0].image == drawn.after[0][1].image
