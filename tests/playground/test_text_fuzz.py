"""Texts that were damaged at random: read, or refused in one sentence; never anything else."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from playground.data import DataError, DataSettings, open_data
from playground.data.reading import reading_from_json
from playground.data.text_encoder import TextEncoder
from playground.data.text_reading import TextReading
from tests.playground.test_fuzz import damaged

WORDS = "a b ab good bad film שלום 😀 é e\u0301 ▁ \u202e ﬁ 日本 <b> %s ; \t".split(" ")
LENGTHS = [pytest.param(50, id="few"), pytest.param(2000, id="many", marks=pytest.mark.full)]


def sentence(dice: random.Random) -> str:
    return " ".join(dice.choice(WORDS) for _ in range(dice.randrange(1, 12)))


def a_table(folder: Path) -> tuple[Path, bytes, str]:
    dice = random.Random(1)
    rows = [f'"{sentence(dice)}",{"yn"[n % 2]}' for n in range(40)]
    return folder / "some.csv", "\n".join(["text,label", *rows]).encode(), "some.csv"


def a_wide_table(folder: Path) -> tuple[Path, bytes, str]:
    path, content, name = a_table(folder)
    return path, content.decode().encode("utf-16"), name


def lines(folder: Path) -> tuple[Path, bytes, str]:
    dice = random.Random(2)
    (folder / "lines").mkdir()
    (folder / "lines" / "a.txt").write_text("one text\nanother text\n" * 6)
    content = "\n".join(sentence(dice) for _ in range(12)).encode()
    return folder / "lines" / "b.txt", content, "lines"


def documents(folder: Path) -> tuple[Path, bytes, str]:
    for label in ("a", "b"):
        (folder / "films" / label).mkdir(parents=True)
        for number in range(6):
            (folder / "films" / label / f"{number}.txt").write_text(f"text {label} {number}")
    return folder / "films" / "a" / "3.txt", "Grüße, 😀\nund mehr".encode(), "films"


def read_texts(name: str, folder: Path, tokens: str) -> str:
    try:
        data = open_data(DataSettings("text", {"path": name, "tokens": tokens}), folder)
    except DataError as error:
        return str(error)
    reading = data.inputs["text"].reading
    assert isinstance(reading, TextReading)
    batch = data.batch(range(len(data)))
    assert batch["text"].max() < reading.size
    assert (batch["text_lengths"] >= 1).all()
    json.dumps(data.to_json()).encode()
    reading.decode(batch["text"][0])
    return "read"


def read_reading(content: bytes) -> str:
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        return "no JSON"
    try:
        reading = reading_from_json(data)
    except ValueError as error:
        return str(error)
    ((_, values),) = reading.read("ab c ab")
    assert values.dtype == np.int64
    return "read"


@pytest.mark.parametrize("count", LENGTHS)
@pytest.mark.parametrize("make", [a_table, a_wide_table, lines, documents])
def test_damaged_texts(
    make: Callable[[Path], tuple[Path, bytes, str]], count: int, tmp_path: Path
) -> None:
    dice = random.Random(count)
    path, content, name = make(tmp_path)
    for number in range(count):
        path.write_bytes(damaged(content, dice))
        said = read_texts(name, tmp_path, ("characters", "words", "pieces")[number % 3])
        assert said
        assert "\n" not in said


@pytest.mark.parametrize("count", LENGTHS)
def test_damaged_readings(count: int) -> None:
    """A reading of a run's folder is refused with a ``ValueError``, or works."""
    dice = random.Random(count)
    made = TextReading("pieces", ("a", "b", "ab", "▁"), (("a", "b"),))
    content = json.dumps(made.to_json(), ensure_ascii=False).encode()
    for _ in range(count):
        assert read_reading(damaged(content, dice))


@pytest.mark.parametrize("count", LENGTHS)
def test_random_characters(count: int) -> None:
    """Any characters are cut, in any way, and never into more tokens than allowed."""
    dice = random.Random(count)
    merges = [("a", "b"), ("▁", "a"), ("ab", "ab")]
    for number in range(count):
        text = "".join(
            chr(dice.choice([dice.randrange(32, 127), dice.randrange(0x110000)])) for _ in range(60)
        )
        for unit in ("characters", "words", "pieces"):
            accents = bool(number % 2)
            encoder = TextEncoder(unit, ["a", "ab"], merges, strip_accents=accents, longest=20)
            assert len(encoder.encode(text)) <= 20
            assert all(encoder.split(text))
            assert encoder.clean(encoder.clean(text)) == encoder.clean(text)
