"""Which source opens what was dropped."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from playground.data import SOURCES, DataError
from playground.data.guess import Guess, guess_source
from playground.resources import SAMPLES


def pictures(folder: Path, count: int = 3) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for place in range(count):
        Image.fromarray(np.full((8, 8), place, np.uint8)).save(folder / f"{place}.png")
    return folder


def filled(folder: Path, ending: str, count: int = 3) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for place in range(count):
        (folder / f"{place}{ending}").write_bytes(b"x")
    return folder


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("series/airline_passengers.csv", "table"),
        ("series/sunspots.csv", "table"),
        ("series/gunpoint_train.csv", "series"),
        ("series/italy_power_test.csv", "series"),
        ("sentences/imdb.csv", "text"),
        ("names/names.csv", "text"),
    ],
)
def test_bundled_tables(file: str, source: str) -> None:
    assert guess_source([SAMPLES / file]) == Guess(source, SAMPLES / file)


def test_a_folder_of_class_folders(tmp_path: Path) -> None:
    pictures(tmp_path / "cats")
    pictures(tmp_path / "dogs")
    (tmp_path / "dogs" / "notes.txt").write_text("of mine")
    (tmp_path / ".hidden").write_text("x")
    assert guess_source([tmp_path]) == Guess("images", tmp_path)
    assert guess_source([tmp_path / "cats" / "0.png"]) == Guess("images", tmp_path / "cats")
    several = [tmp_path / "cats" / "0.png", tmp_path / "dogs" / "1.png"]
    assert guess_source(several) == Guess("images", tmp_path)


@pytest.mark.parametrize(
    ("ending", "family"), [(".wav", "sound"), (".mp4", "video"), (".nii.gz", "volumes")]
)
def test_other_kinds_of_files(tmp_path: Path, ending: str, family: str) -> None:
    declared = [s for s in SOURCES if s.family == family and s.place in ("folder", "either")]
    filled(tmp_path / "a", ending)
    filled(tmp_path / "b", ending)
    filled(tmp_path / "b", ".png", 1)
    if any(ending in source.suffixes for source in declared):
        assert SOURCES.get(guess_source([tmp_path]).source).family == family


def test_a_folder_of_texts(tmp_path: Path) -> None:
    filled(tmp_path / "good", ".txt")
    filled(tmp_path / "bad", ".txt")
    assert guess_source([tmp_path]) == Guess("text", tmp_path)


def test_a_folder_with_one_table(tmp_path: Path) -> None:
    (tmp_path / "prices.csv").write_text("size,kind,price\n1,a,2\n2,b,3\n3,a,5\n")
    assert guess_source([tmp_path]) == Guess("table", tmp_path / "prices.csv")


def test_pictures_with_boxes_and_pairs(tmp_path: Path) -> None:
    pictures(tmp_path / "coco")
    (tmp_path / "coco" / "all.json").write_text('{"images": [], "annotations": []}')
    assert guess_source([tmp_path / "coco"]).source == "boxes"
    pictures(tmp_path / "yolo" / "images")
    (tmp_path / "yolo" / "labels").mkdir()
    (tmp_path / "yolo" / "labels" / "0.txt").write_text("3 0.5 0.5 0.1 0.2\n")
    assert guess_source([tmp_path / "yolo"]).source == "boxes"
    pictures(tmp_path / "cells" / "images")
    pictures(tmp_path / "cells" / "masks")
    assert guess_source([tmp_path / "cells"]).source == "pairs"


def test_a_table_that_lists_pictures(tmp_path: Path) -> None:
    pictures(tmp_path)
    rows = "".join(f"{place}.png,{'ab'[place % 2]}\n" for place in range(3))
    (tmp_path / "labels.csv").write_text(f"file,label\n{rows}")
    assert guess_source([tmp_path / "labels.csv"]).source == "images"
    assert guess_source([tmp_path]).source == "images"


def test_what_cannot_be_opened_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nothing was given"):
        guess_source([])
    with pytest.raises(DataError, match="does not exist"):
        guess_source([tmp_path / "gone"])
    with pytest.raises(DataError, match="has no files"):
        guess_source([tmp_path])
    (tmp_path / "program.exe").write_bytes(b"MZ")
    with pytest.raises(DataError, match="of no kind that is known"):
        guess_source([tmp_path / "program.exe"])
    with pytest.raises(DataError, match=r"\.exe"):
        guess_source([tmp_path])
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("x,y\n1,2\n")
    with pytest.raises(DataError, match="2 tables"):
        guess_source([tmp_path])
    (tmp_path / "empty.csv").write_bytes(b"")
    with pytest.raises(DataError, match="empty"):
        guess_source([tmp_path / "empty.csv"])


def test_a_huge_folder_is_not_walked_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from playground.data import guess

    monkeypatch.setattr(guess, "LOOKED_AT", 50)
    filled(tmp_path / "a", ".png", 60)
    filled(tmp_path / "b", ".exe", 60)
    assert guess_source([tmp_path]).source == "images"
