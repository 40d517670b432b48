"""Answers on pictures."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from playground.answers import Answer, Boxes, Classes, Detection, Ranking, Value
from playground.captions import CLASS_COLOURS, known, rows
from playground.drawing import caption, colour, drawn

GREY = np.full((360, 640, 3), 90, np.uint8)
FACE = Detection((100, 120, 220, 280), "face", 0.984, ((130, 170), (190, 170)), track=8)


def changed(answer: Answer) -> np.ndarray:
    """Where drawing changes a grey picture (H, W)."""
    return (drawn(GREY, answer) != GREY).any(axis=2)


def test_a_box_is_drawn_in_its_place_and_the_picture_is_left_alone() -> None:
    before = GREY.copy()
    picture = drawn(GREY, Boxes((FACE,), (360, 640)))
    assert (before == GREY).all()
    ink = colour(FACE)
    for y, x in ((200, 100), (200, 220), (280, 160), (170, 130)):
        assert tuple(picture[y, x]) == ink
    assert tuple(picture[200, 160]) == (90, 90, 90)
    rows, columns = np.nonzero(changed(Boxes((FACE,), (360, 640))))
    assert 90 <= rows.min() < 110  # the label stands above
    assert rows.max() <= 282
    assert columns.min() >= 98
    assert columns.max() <= 222


def test_words_and_colours() -> None:
    assert caption(FACE) == "#8 face 98 %"
    assert caption(Detection((0, 0, 1, 1), "cup", 0.5)) == "cup 50 %"
    assert caption(Detection((0, 0, 1, 1), "cup", 0.9996)) == "cup >99 %"
    cups = [Detection((0, 0, 1, 1), "cup", score) for score in (0.1, 0.9)]
    assert colour(cups[0]) == colour(cups[1])
    assert colour(replace(FACE, track=9)) == colour(FACE), "its line over time has one colour"
    assert colour(FACE) in CLASS_COLOURS


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


def test_other_answers_stand_in_the_lower_left_corner() -> None:
    classes = Classes((("tabby", 0.6), ("tiger cat", 0.3), ("cup", 0.1), ("lynx", 0.0)))
    three = changed(classes)
    assert three[220:, :270].any()
    assert not three[:220].any()
    assert not three[:, 280:].any()
    five = (drawn(GREY, classes, most=4) != GREY).any(axis=2)
    assert five.sum() > three.sum()
    one = changed(Value(3.2, "m"))
    assert 0 < one.sum() < three.sum()
    assert not changed(Boxes((), (360, 640))).any()


def test_bars_have_the_length_and_colour_of_their_classes() -> None:
    picture = drawn(GREY, Classes((("Wall", 0.75), ("Cat", 0.25))))
    wall, cat = (np.nonzero((picture == CLASS_COLOURS[place]).all(axis=2)) for place in (1, 0))
    assert wall[0].max() < cat[0].min(), "the likelier stands above"
    ratio = (np.ptp(wall[1]) + 1) / (np.ptp(cat[1]) + 1)
    assert ratio == pytest.approx(3, rel=0.05)


def test_what_is_none_of_the_classes_is_said_so() -> None:
    answer = Classes((("Cat", 0.4), ("Me", 0.3), ("Wall", 0.3)), seen=0.04)
    assert [name for name, *_ in rows(answer, 3, True)] == ["None of these", "Cat", "Me"]
    assert [name for name, *_ in rows(answer, 1, True)] == ["None of these", "Cat"]
    assert rows(Classes(()), 3, True) == []
    assert known(answer) == "Not seen before · 4 % known"
    unknown = drawn(GREY, answer, unknown=True)
    assert (unknown != drawn(GREY, answer)).any()


def test_of_many_classes_only_those_that_are_shown_are_named() -> None:
    asked: list[int] = []

    class Names(tuple[str, ...]):
        def __getitem__(self, at: Any) -> Any:
            asked.append(at)
            return super().__getitem__(at)

    names = Names(f"class {i}" for i in range(1000))
    found = rows(Classes(Ranking(names, np.linspace(0, 0.002, 1000))), 3)
    assert [name for name, *_ in found] == ["class 999", "class 998", "class 997"]
    assert len(asked) == 3


def test_many_classes_share_one_colour() -> None:
    many = Classes(tuple((f"class {i}", 0.1) for i in range(10)))
    assert {shade for *_, shade in rows(many, 10)} == {CLASS_COLOURS[1]}
    few = Classes(tuple((f"class {i}", 0.125) for i in (8, 1, 12)))
    assert [shade for *_, shade in rows(few, 3)] == [CLASS_COLOURS[i] for i in (1, 0, 2)]


@pytest.mark.parametrize("size", [(1, 1), (2, 500), (7, 9), (1080, 1920)])
def test_pictures_of_any_size(size: tuple[int, int]) -> None:
    picture = np.zeros((*size, 3), np.uint8)
    for answer in (Boxes((FACE,), size), Classes((("tabby", 0.6),))):
        assert drawn(picture, answer).shape == picture.shape
        assert drawn(picture[::-1], answer).dtype == np.uint8


def test_classes_without_a_track_have_colours_of_their_own() -> None:
    names = ("a circle", "a square", "a triangle")
    inks = [colour(Detection((0, 0, 1, 1), name, 1.0)) for name in names]
    assert len(set(inks)) == 3
    again = [colour(Detection((0, 0, 1, 1), name, 1.0)) for name in names]
    assert again == inks, "and keep them"
