"""Answers on pictures."""

from __future__ import annotations

import numpy as np
import pytest

from playground.answers import Answer, Boxes, Classes, Detection, Value
from playground.drawing import COLOURS, caption, colour, drawn

GREY = np.full((360, 640, 3), 90, np.uint8)
FACE = Detection((100, 120, 220, 280), "face", 0.984, ((130, 170), (190, 170)), track=8)


def changed(answer: Answer) -> np.ndarray:
    """Where drawing changes a grey picture (H, W)."""
    return (drawn(GREY, answer) != GREY).any(axis=2)


def test_a_box_is_drawn_in_its_place_and_the_picture_is_left_alone() -> None:
    before = GREY.copy()
    picture = drawn(GREY, Boxes((FACE,), (360, 640)))
    assert (before == GREY).all()
    ink = COLOURS[8 % len(COLOURS)]
    for y, x in ((200, 100), (200, 220), (280, 160), (170, 130)):
        assert tuple(picture[y, x]) == ink
    assert tuple(picture[200, 160]) == (90, 90, 90)
    rows, columns = np.nonzero(changed(Boxes((FACE,), (360, 640))))
    assert 90 <= rows.min() < 110  # the label stands above
    assert rows.max() <= 282
    assert columns.min() >= 98
    assert columns.max() <= 222


def test_words_and_colours() -> None:
    assert caption(FACE) == "#8 face 98%"
    assert caption(Detection((0, 0, 1, 1), "cup", 0.5)) == "cup 50%"
    cups = [Detection((0, 0, 1, 1), "cup", score) for score in (0.1, 0.9)]
    assert colour(cups[0]) == colour(cups[1])
    assert colour(FACE) == COLOURS[1]


@pytest.mark.parametrize(
    "box",
    [
        (-50, -50, 700, 500),
        (0, 0, 30, 10),
        (600, 340, 640, 360),
        (-90, -90, -20, -20),
        (9, 9, 9, 9),
    ],
)
def test_labels_stay_in_the_picture(box: tuple[float, float, float, float]) -> None:
    assert changed(Boxes((Detection(box, "a long name " * 20, 0.5),), (360, 640))).any()


@pytest.mark.parametrize(
    "label", ["größer", "日本", "two\nlines", "", "\u202eabc", "a\0b", "é" * 500]
)
def test_any_name_can_be_drawn(label: str) -> None:
    drawn(GREY, Boxes((Detection((5, 50, 90, 90), label, 0.5),), (360, 640)))


def test_other_answers_are_lines_in_the_corner() -> None:
    classes = Classes((("tabby", 0.6), ("tiger cat", 0.3), ("cup", 0.1), ("lynx", 0.0)))
    three = changed(classes)
    assert three[:100, :250].any()
    assert not three[100:].any()
    assert (three == changed(Classes(classes.answers[:3]))).all()
    one = changed(Value(3.2, "m"))
    assert 0 < one.sum() < three.sum()
    assert not changed(Boxes((), (360, 640))).any()


@pytest.mark.parametrize("size", [(1, 1), (2, 500), (7, 9), (1080, 1920)])
def test_pictures_of_any_size(size: tuple[int, int]) -> None:
    picture = np.zeros((*size, 3), np.uint8)
    for answer in (Boxes((FACE,), size), Classes((("tabby", 0.6),))):
        assert drawn(picture, answer).shape == picture.shape
        assert drawn(picture[::-1], answer).dtype == np.uint8
