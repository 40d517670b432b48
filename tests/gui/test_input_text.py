"""Typing a text in the Try panel, and texts and rows among the samples."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from models.axes import vector
from playground.answers import Classes
from playground.data.dataset import Column
from playground.data.reading import Feature, RowReading
from playground.messages import Answered
from playground.project import DataSettings
from tests.gui.insight_kit import opened, post, with_run
from ui.data.samples.detail import names_of
from ui.insight.input_text import MOST_TYPED
from ui.insight.sample_grid import SampleGrid
from ui.insight.sample_pictures import date_text, row_text
from ui.insight.tryout import TryPanel
from ui.session import Session

Wait = Callable[..., None]
SENTENCES = [("a good film", "good"), ("a bad film", "bad"), ("good good", "good"), ("bad", "bad")]


@pytest.fixture
def texts(app: QApplication, tmp_path: Path) -> Iterator[Session]:
    rows = "\n".join(f"{text},{label}" for text, label in 6 * SENTENCES)
    (tmp_path / "films.csv").write_text(f"text,label\n{rows}\n")
    session = opened(DataSettings("text", {"path": str(tmp_path / "films.csv")}))
    with_run(session)
    yield session
    session.close()


@pytest.fixture
def panel(texts: Session) -> TryPanel:
    panel = TryPanel(texts)
    panel.resize(1200, 330)
    panel.show()
    QApplication.processEvents()
    return panel


def questions(session: Session) -> list[str]:
    return [str(next(iter(raw.values()))[0]) for _, raw in session.worker.named("predict")]


def answer(session: Session) -> None:
    token = session.worker.named("predict")[-1][0]
    post(session, Answered(token, Classes((("good", 0.8), ("bad", 0.2)))))


def test_the_answer_follows_the_typing(texts: Session, panel: TryPanel, wait: Wait) -> None:
    answer(texts)
    asked = len(questions(texts))
    panel.text.edit.selectAll()
    QTest.keyClicks(panel.text.edit, "a splendid film")
    assert len(questions(texts)) == asked
    assert panel.source.whole() == ""
    wait(lambda: len(questions(texts)) > asked, 5)
    answer(texts)
    assert questions(texts)[-1] == "a splendid film"
    reading = texts.dataset.inputs["text"].reading
    np.testing.assert_array_equal(panel.text.value, reading.encode("a splendid film"))
    assert panel.text.tokens.tokens == [("a", True), ("splendid", False), ("film", True)]
    assert panel.text.told.text() == "3 words · 1 not in the vocabulary"
    assert "splendid" in panel.text.tokens.accessibleDescription()
    assert panel.answer.bars.answers[0] == ("good", 0.8)
    panel.grab()


def test_no_text_gives_no_question(texts: Session, panel: TryPanel, wait: Wait) -> None:
    answer(texts)
    asked = len(questions(texts))
    panel.text.edit.setPlainText("  \n ")
    wait(lambda: "Type a text" in panel.answer.message.text(), 5)
    assert len(questions(texts)) == asked
    assert panel.text.tokens.tokens == []


def test_a_sample_is_shown_as_it_was_written(texts: Session, panel: TryPanel) -> None:
    texts.set_sample(1)
    panel.take_sample()
    assert panel.text.edit.toPlainText() == "a bad film"
    answer(texts)
    answer(texts)
    assert questions(texts)[-1] == "a bad film"
    assert len(panel.text.value) == 3
    assert panel.verdict.whole() == "true: “bad”, wrong"


def test_lines_of_a_file_are_offered(
    texts: Session, panel: TryPanel, wait: Wait, tmp_path: Path
) -> None:
    path = tmp_path / "more.txt"
    path.write_text("good film\nbad film\n")
    panel.open_file(path)
    wait(lambda: panel.pick.count() == 2, 20)
    panel._picked(1)
    assert panel.text.edit.toPlainText() == "bad film"


def test_a_very_long_text_is_cut(texts: Session, panel: TryPanel) -> None:
    data = QMimeData()
    data.setText("x" * (2 * MOST_TYPED))
    panel.text.edit.clear()
    panel.text.edit.insertFromMimeData(data)
    assert len(panel.text.edit.toPlainText()) == MOST_TYPED
    panel.text._read()
    panel.text.edit.setPlainText("film " * 400)
    panel.text._read()
    assert panel.text.told.text() == "256 words · the rest is cut off"
    panel.text.resize(90, 200)
    panel.grab()


@pytest.mark.parametrize("text", ["שלום עולם", "😀👍🏽 ok", "\u202eabc", "a\0b"])
def test_any_characters_can_be_typed(texts: Session, panel: TryPanel, text: str) -> None:
    panel.text.edit.setPlainText(text)
    panel.text._read()
    assert panel.text.value is not None
    panel.grab()


def test_texts_among_the_samples(texts: Session) -> None:
    grid = SampleGrid("Samples")
    grid.resize(500, 100)
    grid.show_samples(texts.dataset, [0, 1])
    grid.grab()
    assert grid._words(1) == "a bad film"
    assert grid._told(1) == "sample 2 · “bad”\na bad film"
    column = texts.dataset.inputs["text"]
    assert row_text(column, column.values[0]) == "a good film"


def test_dates_are_told_as_dates() -> None:
    values = np.array([[2024, *_around(1 + 28 / 31, 12), *_around(3, 7), *_around(14.5, 24)]])
    feature = Feature("day", None, ("year", "month", "weekday", "hour"), "%Y-%m-%d")
    column = Column(
        "features", vector(7), values.astype(np.float32), reading=RowReading((feature,))
    )
    assert row_text(column, column.values[0]) == "day 29 Feb 2024 14:30"
    assert date_text(values[0, 3:5], ("weekday",)) == "Thursday"
    assert names_of(column, values[0])[0][:3] == [
        "day: year",
        "day: month, sine",
        "day: month, cosine",
    ]


def _around(value: float, cycle: float) -> tuple[float, float]:
    return float(np.sin(2 * np.pi * value / cycle)), float(np.cos(2 * np.pi * value / cycle))
