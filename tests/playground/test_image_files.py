"""Finding pictures: class and split folders, tables, lists, groups; folders that change."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from playground import vision
from playground.data import DataError, Dataset, DataSettings, SplitSettings, images, open_data
from playground.data.image_values import ImageFiles, PixelFiles
from playground.data.reading import ImageReading
from playground.preprocessing import standardized


def save(path: Path, shade: int = 128, size: tuple[int, int] = (12, 10)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (shade, shade, 255 - shade)).save(path)
    return path


def opened(path: Path, method: str = "auto", **options: Any) -> Dataset:
    split = SplitSettings(0.15, 0.15, method)
    return open_data(DataSettings("images", {"path": str(path), **options}, split), path.parent)


def labels_of(data: Dataset) -> dict[str, str]:
    codes = data.target.take(np.arange(len(data)))
    return {Path(f).name: data.classes[c] for f, c in zip(data.files, codes, strict=True)}


@pytest.fixture
def flat(tmp_path: Path) -> Path:
    """Twelve pictures without folders."""
    for number in range(12):
        save(tmp_path / "flat" / f"{number:02}.png", 20 * number)
    return tmp_path / "flat"


def test_files_of_samples(flat: Path) -> None:
    for number in range(4):
        save(flat / "a" / f"{number}.png")
        save(flat / "b" / f"{number}.png")
    data = opened(flat, labels="folders")
    assert [Path(file).name for file in data.files[:4]] == ["0.png", "1.png", "2.png", "3.png"]
    assert len(data.files) == len(data) == 8


def test_numbered_names_are_in_the_order_of_numbers(tmp_path: Path) -> None:
    for name in ("10.png", "9.png", "1.png"):
        save(tmp_path / "pets" / "a" / name)
        save(tmp_path / "pets" / "b" / name)
    assert [Path(f).name for f in opened(tmp_path / "pets").files[:3]] == [
        "1.png",
        "9.png",
        "10.png",
    ]


def table(header: str, row: str, rows: int = 12) -> str:
    kinds = ("cat", "dog", "fox")
    lines = [row.format(n=n, kind=kinds[n % 3], who=f"p{n // 3}") for n in range(rows)]
    return "\n".join([header, *lines]) + "\n"


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("file,label", "{n:02}.png,{kind}"),
        ("file,label", "./{n:02}.png,{kind}"),
        ("image_id;species", "{n:02};{kind}"),
        ("comment\tpicture\tkind", "none\t{n:02}.png\t{kind}"),
    ],
)
def test_a_table_beside_the_pictures(flat: Path, header: str, row: str) -> None:
    (flat / "labels.csv").write_text(table(header, row))
    options = {"label_column": "kind"} if "kind" in header else {}
    data = opened(flat, **options)
    assert data.classes == ("cat", "dog", "fox")
    assert labels_of(data)["04.png"] == "dog"
    assert not data.skipped


def test_a_table_can_be_opened_itself(flat: Path) -> None:
    (flat / "labels.csv").write_text(table("file,label", "{n:02}.png,{kind}"))
    assert opened(flat / "labels.csv").classes == ("cat", "dog", "fox")


def test_pictures_of_a_table_may_lie_in_folders(tmp_path: Path) -> None:
    for number in range(12):
        save(tmp_path / "pets" / "images" / f"{number:02}.png")
    (tmp_path / "pets" / "y.csv").write_text(table("file,label", "{n:02}.png,{kind}"))
    assert len(opened(tmp_path / "pets")) == 12


def test_numbers_to_predict(flat: Path) -> None:
    (flat / "ages.csv").write_text(
        "file,age\n" + "".join(f"{n:02}.png,{n / 2}\n" for n in range(12))
    )
    data = opened(flat)
    assert data.task == "regression"
    assert data.raw([3])["value"] == 1.5
    train = data.batch(data.splits["train"])["value"]
    assert abs(float(train.mean())) < 1e-5
    assert opened(flat, target="class").task == "classification"
    (flat / "ages.csv").write_text(table("file,label", "{n:02}.png,{kind}"))
    with pytest.raises(DataError, match="'cat' is no number"):
        opened(flat, target="number")


def test_groups_and_splits_of_a_table(flat: Path) -> None:
    text = table("file,label,patient,split", "{n:02}.png,{kind},{who},SPLIT")
    for name in ("train", "Train", "training", "val", "dev", "test") * 2:
        text = text.replace("SPLIT", name, 1)
    (flat / "labels.csv").write_text(text)
    data = opened(flat)
    assert data.splits["validation"].tolist() == [3, 4, 9, 10]
    assert data.splits["test"].tolist() == [5, 11]
    assert data.groups is not None
    assert (data.groups.what, data.groups.names) == ("patient", ("p0", "p1", "p2", "p3"))
    grouped = opened(flat, "group")
    codes = data.groups.codes
    parts = [set(codes[indices].tolist()) for indices in grouped.splits.values()]
    assert not parts[0] & parts[1]
    assert not parts[0] & parts[2]


def test_what_a_table_says_wrongly_is_skipped(flat: Path) -> None:
    text = table("file,label", "{n:02}.png,{kind}") + "13.png,cat\n,dog\n03.png,\n"
    (flat / "labels.csv").write_text(text)
    data = opened(flat)
    assert len(data) == 12
    assert [item.reason for item in data.skipped] == [
        "labels.csv, row 13: there is no file 13.png",
        "labels.csv, row 14 names no file",
        "labels.csv, row 15 (03.png) has no label",
    ]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"labels": "table", "label_column": "none"}, "has no table"),
        ({"labels": "table"}, "has no table"),
        ({"labels": "folders"}, "no subfolders with images"),
    ],
)
def test_tables_that_do_not_fit(flat: Path, options: Mapping[str, str], words: str) -> None:
    (flat / "labels.csv").write_text("name,label\nx.png,1\n")
    with pytest.raises(DataError, match=words):
        opened(flat, **options)
    with pytest.raises(DataError, match=r"labels\.csv has no column of file names"):
        opened(flat / "labels.csv")


@pytest.mark.parametrize("names", [("train", "val", "test"), ("Training", "validation")])
def test_split_folders(tmp_path: Path, names: tuple[str, ...]) -> None:
    for name in names:
        for label in ("cat", "dog"):
            for number in range(2 + (name == names[0])):
                save(tmp_path / "pets" / name / label / f"{number}.png")
    save(tmp_path / "pets" / names[0] / "stray.png")
    data = opened(tmp_path / "pets")
    assert data.classes == ("cat", "dog")
    own_test = len(names) == 3
    assert len(data.splits["train"]) == (6 if own_test else 5)
    assert len(data.splits["validation"]) == 4
    assert all(names[0] in data.files[index] for index in data.splits["train"])
    assert data.skipped[0].reason.endswith("is in no folder of a class")


@pytest.mark.parametrize("labelled", [True, False])
def test_a_list_of_files(tmp_path: Path, labelled: bool) -> None:
    lines = []
    for label in ("cat", "big dog"):
        for number in range(3):
            path = save(tmp_path / "some where" / label / f"{number}.png")
            lines.append(f"{path} {label.split()[-1]}" if labelled else f"{path}")
    (tmp_path / "list.txt").write_text("\n".join([*lines, "", str(tmp_path / "gone.png")]))
    data = opened(tmp_path / "list.txt")
    assert data.classes == (("cat", "dog") if labelled else ("big dog", "cat"))
    assert len(data) == 6
    assert "does not exist" in data.skipped[0].reason


@pytest.mark.parametrize(("group", "names"), [("folder", ("a", "b")), ("prefix", ("ann", "bob"))])
def test_groups_from_names(tmp_path: Path, group: str, names: tuple[str, ...]) -> None:
    for label in ("a", "b"):
        for name in ("ann_1.png", "ann-2.png", "bob 1.png"):
            save(tmp_path / "pets" / label / name)
    data = opened(tmp_path / "pets", group=group)
    assert data.groups is not None
    assert data.groups.names == names


def large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PLAYGROUND_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("playground.data.images.RESIDENT_FILES", 10)
    monkeypatch.setattr("playground.data.image_values.CACHED_FROM", 1)
    for number in range(40):
        save(tmp_path / "many" / "ab"[number % 2] / f"{number}.png", 5 * number)
    return tmp_path / "many"


def test_the_second_time_comes_from_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = large(tmp_path, monkeypatch)
    everything = np.arange(40)
    first = opened(folder).inputs["image"].take(everything)

    def forbidden(*_: object) -> None:
        raise AssertionError("decoded again")

    monkeypatch.setattr("playground.vision.read_picture", forbidden)
    values = opened(folder).inputs["image"].values
    assert isinstance(values, ImageFiles)
    np.testing.assert_array_equal(values.take(everything), first)


def test_a_changed_file_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = large(tmp_path, monkeypatch)
    column = opened(folder).inputs["image"]
    assert column.take(np.asarray([0])).max() == 255
    save(folder / "a" / "0.png", 10, size=(13, 10))
    assert column.take(np.asarray([0]))[0, 0].max() == 10


def test_a_folder_that_goes_away_while_it_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    folder = large(tmp_path, monkeypatch)
    data = opened(folder)
    shutil.rmtree(folder)
    with pytest.raises(DataError, match=r"0\.png does not exist"):
        data.batch([0])


def test_what_is_no_plain_file_is_left_alone(tmp_path: Path) -> None:
    for label in ("a", "b"):
        save(tmp_path / "pets" / label / "1.png")
    (tmp_path / "pets" / "a" / "around").symlink_to(tmp_path / "pets", target_is_directory=True)
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pets" / "a" / "pipe.png")
    assert len(opened(tmp_path / "pets")) == 2
    list_ = tmp_path / "list.txt"
    list_.write_text("pets/a/1.png\npets/b/1.png\npets/a/pipe.png\npets/a\n/dev/zero\n")
    found = opened(list_)  # a list may name anything
    assert len(found) == 2
    assert [item.reason.partition(":")[0][-13:] for item in found.skipped][1:] == [
        "a is a folder",
        "no plain file",
    ]


@pytest.mark.skipif(sys.platform != "linux", reason="other file systems allow text alone")
def test_a_class_whose_name_is_no_text(tmp_path: Path) -> None:
    for label in (b"a", b"\xff\xfe"):
        save(Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + label + b"/1.png")))
    assert set(opened(tmp_path, size=8).classes) == {"a", "??"}


def test_a_file_that_is_far_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(tmp_path / "1.png")
    monkeypatch.setattr(vision, "LARGEST_FILE", 20)
    with pytest.raises(vision.UnreadableImage, match="too large"):
        vision.read_picture(path, 3)


def test_very_wide_and_oversized_pictures(tmp_path: Path) -> None:
    for label in ("a", "b"):
        save(tmp_path / "pets" / label / "1.png")
    save(tmp_path / "pets" / "a" / "wide.png", size=(30_000, 3))
    huge = bytearray(save(tmp_path / "pets" / "b" / "huge.bmp").read_bytes())
    huge[18:26] = (30_000).to_bytes(4, "little") * 2  # width and height in its header
    (tmp_path / "pets" / "b" / "huge.bmp").write_bytes(huge)
    data = opened(tmp_path / "pets", size=8)
    assert len(data) == 3
    assert "huge.bmp is too large (30000×30000)" in data.skipped[0].reason


def test_a_disk_without_room_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = large(tmp_path, monkeypatch)
    monkeypatch.setattr("playground.data.cache.SPARE", 1 << 60)
    data = opened(folder)
    assert "too little room on the disk" in data.notes[-1]
    assert len(data.batch(range(40))["image"]) == 40


@pytest.mark.parametrize("shape", [(1, 6, 5), (3, 6, 5), (4, 3, 6, 5)])
def test_fitted_in_parts_as_at_once(
    shape: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    pixels = np.random.default_rng(0).integers(0, 90, (9, *shape), np.uint8)
    train = np.arange(1, 8)
    whole = standardized(pixels[train] / np.float32(255), axis=-3)
    assert images.fitted_on_pixels(pixels, train, 0).steps[1] == whole
    files = PixelFiles("x", [str(index) for index in range(9)], ImageReading(1, 1, 1), shape, False)
    monkeypatch.setattr(PixelFiles, "decoded", lambda self, index: pixels[int(self.paths[index])])
    monkeypatch.setattr(images, "_PORTION", 2 * int(np.prod(shape)))
    assert images.fitted_on_pixels(files, train, 0).steps[1] == whole
