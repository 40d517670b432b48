"""Colours that can be read, icons that are there, a choice that is remembered."""

from __future__ import annotations

import re

import pytest
from PySide6.QtGui import QColor, QFontInfo
from PySide6.QtWidgets import QApplication, QLabel

from ui.settings import settings
from ui.stylesheet import stylesheet
from ui.theme import FAMILIES, RESOURCES, THEMES, contrast, icon_names, theme


@pytest.fixture(autouse=True)
def dark_again(app: QApplication) -> None:
    theme().set_theme("dark")


@pytest.mark.parametrize("name", list(THEMES))
def test_text_is_readable_on_every_surface(name: str) -> None:
    tokens = THEMES[name]
    for text in ("text", "text2"):
        for ground in ("window", "panel", "raised"):
            ratio = contrast(QColor(getattr(tokens, text)), QColor(getattr(tokens, ground)))
            assert ratio >= 4.5, (name, text, ground, ratio)
    white = QColor("#FFFFFF")
    assert contrast(white, QColor(tokens.accent_fill)) >= 4.5
    assert contrast(white, QColor(tokens.bad_fill)) >= 4.5
    assert contrast(QColor(tokens.text3), QColor(tokens.panel)) >= 4.5


@pytest.mark.parametrize("name", list(THEMES))
def test_family_colours_can_be_made_readable(name: str) -> None:
    theme().set_theme(name)
    for family in FAMILIES:
        color = theme().readable(theme().family(family))
        assert contrast(color, theme().color("panel")) >= 4.5


@pytest.mark.parametrize("name", list(THEMES))
def test_the_stylesheet_leaves_no_placeholder(name: str) -> None:
    sheet = stylesheet(THEMES[name], RESOURCES / "icons")
    assert "$" not in sheet
    for path in re.findall(r"url\((.*?)\)", sheet):
        assert path.startswith(RESOURCES.as_posix())
        assert (RESOURCES / path[len(RESOURCES.as_posix()) + 1 :]).is_file()


@pytest.mark.parametrize("name", icon_names())
def test_every_icon_draws_something_in_the_colour_asked_for(app: QApplication, name: str) -> None:
    image = theme().pixmap(name, "#FF0000", 48).toImage()
    colors = {
        image.pixelColor(x, y).name()
        for x in range(48)
        for y in range(48)
        if image.pixelColor(x, y).alpha() > 250
    }
    assert colors == {"#ff0000"}


def test_the_fonts_are_ours_and_figures_are_of_one_width(app: QApplication) -> None:
    for weight in (400, 500, 600):
        assert QFontInfo(theme().font(13, weight)).family() == "Inter"
    assert QFontInfo(theme().mono()).family() == "JetBrains Mono"
    label = QLabel()
    label.setFont(theme().font(13))
    metrics = label.fontMetrics()
    assert metrics.horizontalAdvance("1111") == metrics.horizontalAdvance("0000")


def test_a_chosen_theme_is_remembered_and_announced(app: QApplication) -> None:
    told = []
    theme().changed.connect(lambda: told.append(theme().name))
    theme().toggle()
    assert theme().name == "light"
    assert settings().value("theme") == "light"
    assert told == ["light"]
    theme().set_theme("light")
    assert told == ["light"]


def test_icons_follow_the_theme(app: QApplication) -> None:
    dark = theme().icon("play", "text").pixmap(20, 20).toImage()
    theme().toggle()
    light = theme().icon("play", "text").pixmap(20, 20).toImage()
    assert dark != light
