"""Boxes in the window: on samples, as an answer, and beside the true ones."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QApplication

from playground.answers import Boxes, Detection
from playground.data import DataSettings
from playground.data.checks.statistics import measure
from playground.data.dataset import Dataset
from playground.messages import Evaluation
from tests.gui.insight_kit import opened, post, with_run
from ui.data.samples.catalogue import Catalogue
from ui.data.samples.detail import SampleDetail
from ui.data.samples.page import SamplesPage
from ui.insight.answer_view import AnswerView
from ui.insight.box_pictures import BoxPicture, boxes_of, counted, inks, with_boxes
from ui.insight.confusion import ConfusionPanel
from ui.insight.pairs_view import goodness
from ui.insight.sample_pictures import image_of
from ui.offscreen import wait_until
from ui.session import Session
from ui.theme import theme

CIRCLE, RING = Detection((8, 8, 24, 24), "circle", 0.9), Detection((0, 0, 8, 8), "ring", 0.4)
FOUND = Boxes((CIRCLE, RING), (32, 32))


@pytest.fixture
def session(app: QApplication) -> Iterator[Session]:
    options = {"samples": 20, "size": 32, "shapes": 3}
    session = opened(DataSettings("scattered-shapes", options))
    yield session
    session.close()


def data_of(session: Session) -> Dataset:
    assert session.dataset is not None
    return session.dataset


def evaluated(dataset: Dataset) -> Evaluation:
    """All boxes are found, but none in the first picture that has some."""
    indices = np.arange(20)
    true = dataset.target.take(indices)
    scores = np.where(true[..., 2:3] > 0, 0.8, 0.0)
    predicted = np.concatenate([true, scores], -1).astype(np.float32)
    assert dataset.target.lengths is not None
    predicted[int(np.flatnonzero(dataset.target.lengths)[0])] = 0
    return Evaluation(
        split="validation",
        metrics={"loss": 0.5, "map50": 0.93},
        classes=(),
        confusion=None,
        indices=indices,
        true=true,
        predicted=predicted,
        task="detection",
    )


def test_the_worst_pictures_come_first_with_their_boxes(session: Session) -> None:
    with_run(session)
    dataset = data_of(session)
    panel = ConfusionPanel(session)
    panel.resize(1300, 330)
    panel.show()
    post(session, evaluated(dataset))
    tiles = panel.pairs.tiles
    wait_until(lambda: bool(tiles.triples), 10)
    assert panel.told.text().startswith("mAP 50 93.0 %")
    assert "circle" in panel.pairs.legend.text()
    assert "AP " in panel.pairs.legend.text()
    first = tiles.triples[0]
    assert " · 0 of " in first.caption
    plain, true, said = first.images
    assert true.size() == said.size() == plain.size() * 8
    assert true != said
    for name in ("dark", "light"):
        theme().set_theme(name)
        assert not panel.grab().isNull()
    panel.close()


def test_how_good_answers_are(session: Session) -> None:
    evaluation = evaluated(data_of(session))
    good, words = goodness(evaluation)
    assert good.min() == 0
    assert good.max() == 1
    assert sum(" found" in each for each in words) >= 10
    empty = [word == "nothing, rightly" for word in words]
    assert not evaluation.true[empty].any()


def test_an_answer_with_boxes(session: Session) -> None:
    dataset = data_of(session)
    assert dataset.target.lengths is not None
    index = int(dataset.target.lengths.argmax())
    raw = dataset.raw([index])
    view = AnswerView()
    view.resize(300, 300)
    view.show()
    view.show_answer(FOUND, raw["image"][0], raw["boxes"][0], dataset.target)
    assert view.boxes.isVisible()
    assert view.boxes.words.text() == "1 × circle, 1 × ring · dashed: the true boxes"
    assert len(view.boxes.picture.true.boxes) == dataset.target.lengths[index]
    assert "circle 90.0% at 8, 8 (16×16)" in view.boxes.accessibleDescription()
    view.show_answer(Boxes((), (32, 32)))
    assert view.boxes.words.text() == "Nothing found"
    for name in ("dark", "light"):
        theme().set_theme(name)
        assert not view.grab().isNull()
    view.close()


def test_boxes_lie_where_the_picture_is(app: QApplication) -> None:
    picture = BoxPicture("Objects")
    picture.resize(200, 100)
    image = QImage(64, 32, QImage.Format.Format_RGB32)
    image.fill(QColor("#808080"))
    found = Boxes((Detection((32, 8, 64, 32), "b", 0.9),), (32, 64))
    picture.show_boxes(image, found, None, ("a", "b"))
    assert picture.area() == QRectF(0, 0, 200, 100)
    shot = picture.grab().toImage()
    ink = QColor(*inks(("a", "b"))(found.boxes[0]))
    assert shot.pixelColor(199, 60) == ink
    assert shot.pixelColor(50, 60) == QColor("#808080")
    picture.close()


def test_rows_become_boxes_in_pixels(session: Session) -> None:
    target = data_of(session).target
    rows = np.asarray([[0.25, 0.5, 0.5, 1, 1, 0.6], [0, 0, 1, 1, 0, 0.1], [0] * 6])
    found = boxes_of(target, rows, 0.3)
    assert found.boxes == (Detection((8, 16, 16, 32), "square", 0.6),)
    assert len(boxes_of(target, rows).boxes) == 2
    assert counted(found) == "1 × square"
    drawn = with_boxes(image_of(np.zeros((3, 32, 32), np.uint8)), found, inks(target.box_classes))
    assert drawn.width() == 256
    assert drawn.pixelColor(64, 200) == QColor(*inks(target.box_classes)(found.boxes[0]))


def test_the_chosen_sample_shows_its_boxes(session: Session) -> None:
    dataset = data_of(session)
    assert dataset.target.lengths is not None
    session.set_sample(int(dataset.target.lengths.argmax()))
    detail = SampleDetail(session)
    detail.resize(340, 700)
    detail.show()
    detail.show_dataset(Catalogue(dataset))
    wait_until(lambda: detail.seen is not None, 10)
    assert detail.large.picture.image.width() == 256
    detail.column.setCurrentIndex(1)
    detail.column.activated.emit(1)
    assert detail.picture.isHidden()
    assert not detail.numbers.isHidden()
    detail.close()


def test_boxes_are_counted_and_pictures_with_a_class_shown(session: Session) -> None:
    dataset = data_of(session)
    statistics = measure(dataset)
    boxes = dataset.target.take(np.arange(20)).reshape(-1, 5)
    total = sum(int(part.sum()) for part in statistics.counts.values())
    assert total == int((boxes[:, 2] > 0).sum())
    assert statistics.target is None
    page = SamplesPage(session)
    page.resize(900, 600)
    page.show()
    page.show_class(1)
    wait_until(lambda: page.only.isVisible(), 10)
    assert page.only.text().startswith("square")
    page.close()
