"""Masks and pictures that a network made, beside the true ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from playground.answers import Mask, Picture
from playground.data import DataSettings
from playground.messages import Evaluation
from tests.gui.insight_kit import opened, post, with_run
from ui.insight.answer_view import AnswerView
from ui.insight.confusion import ConfusionPanel
from ui.insight.masks import NO_CLASS, class_colour, legend, mask_image
from ui.insight.pairs_view import goodness
from ui.offscreen import wait_until
from ui.session import Session
from ui.theme import theme


@pytest.fixture
def session(app: QApplication, tmp_path: Path) -> Iterator[Session]:
    """Twelve pairs: the mask's object is at another column in each."""
    for number in range(12):
        mask = np.zeros((16, 16), np.uint8)
        mask[4:8, number : number + 4] = 1
        for name, values in (("images", mask * 200), ("masks", mask)):
            (tmp_path / name).mkdir(exist_ok=True)
            Image.fromarray(values).save(tmp_path / name / f"{number}.png")
    session = opened(DataSettings("pairs", {"path": str(tmp_path)}))
    yield session
    session.close()


def evaluated(session: Session, task: str = "segmentation") -> Evaluation:
    """The first answer is wrong in half of its object, the others are right."""
    dataset = session.dataset
    assert dataset is not None
    indices = np.arange(12)
    true = dataset.target.take(indices)
    predicted = true.copy()
    predicted[3, 0, 4:6] = 0
    return Evaluation(
        split="validation",
        metrics={"loss": 0.1, "mean_iou": 0.93, "accuracy": 0.99},
        classes=(),
        confusion=None,
        indices=indices,
        true=true,
        predicted=predicted,
        task=task,
    )


def test_the_worst_answers_come_first(session: Session) -> None:
    with_run(session)
    panel = ConfusionPanel(session)
    panel.resize(1300, 330)
    panel.show()
    post(session, evaluated(session))
    tiles = panel.pairs.tiles
    wait_until(lambda: bool(tiles.triples), 10)
    assert panel.pairs.isVisible()
    assert panel.told.text().startswith("mean IoU 93.0 % · accuracy 99.0 %")
    assert "background" in panel.pairs.legend.text()
    assert tiles.triples[0].caption == "3.png · 96.9 % of pixels"
    _, true, said = tiles.triples[0].images
    assert true.pixelColor(4, 4).getRgb()[:3] == class_colour(1)
    assert said.pixelColor(4, 4).getRgb()[:3] == class_colour(0)
    for name in ("dark", "light"):
        theme().set_theme(name)
        assert not panel.grab().isNull()
    panel.close()


def test_a_click_or_a_key_chooses_a_sample(session: Session) -> None:
    with_run(session)
    panel = ConfusionPanel(session)
    panel.resize(1300, 330)
    panel.show()
    post(session, evaluated(session))
    tiles = panel.pairs.tiles
    wait_until(lambda: bool(tiles.triples), 10)
    QTest.mouseClick(tiles, Qt.MouseButton.LeftButton, pos=tiles.place(0).center())
    assert session.sample == 3
    QTest.keyClick(tiles, Qt.Key.Key_Right)
    assert session.sample == tiles.triples[1].index
    assert "%" in tiles.accessibleDescription()
    QTest.keyClick(tiles, Qt.Key.Key_Left)
    QTest.keyClick(tiles, Qt.Key.Key_Left)
    assert session.sample == 3
    QTest.mouseClick(tiles, Qt.MouseButton.LeftButton, pos=QPoint(0, tiles.height() - 1))
    panel.close()


def test_how_good_answers_are(session: Session) -> None:
    values, words = goodness(evaluated(session))
    assert values.argmin() == 3
    assert words[0] == "100.0 % of pixels"
    values, words = goodness(evaluated(session, "image"))
    assert values.argmin() == 3
    assert words[0] == "PSNR 100.0 dB"


def test_answers_as_pictures(session: Session) -> None:
    view = AnswerView()
    view.show()
    mask = np.zeros((8, 8), np.uint8)
    mask[:2] = 1
    view.show_answer(Mask(mask, ("ground", "a<b")), true=1 - mask[None])
    page = view.picture
    assert page.isVisible()
    assert page.made.image.pixelColor(0, 0).getRgb()[:3] == class_colour(1)
    assert page.true.image.pixelColor(0, 0).getRgb()[:3] == class_colour(0)
    assert "ground · 75 %" in page.legend.text()
    assert "a&lt;b · 25 %" in page.legend.text()
    view.show_answer(Picture(np.full((3, 8, 8), 200, np.float32)))
    assert page.made.image.pixelColor(0, 0).red() == 200
    assert not page.true.isVisible()
    assert not page.legend.isVisible()
    view.close()


def test_colours_of_classes() -> None:
    assert len({class_colour(index) for index in range(64)}) == 64
    image = mask_image(np.array([[0, 255]], np.uint8))
    assert image.pixelColor(1, 0).getRgb()[:3] == NO_CLASS
    assert legend(["a"]).endswith("a")
