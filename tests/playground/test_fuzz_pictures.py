"""Damaged picture files of every kind: read, or skipped with a sentence; never anything else."""

from __future__ import annotations

import random
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from playground import vision
from playground.data import DataError, DataSettings, open_data
from playground.data.thumbnails import thumbnail
from tests.playground.test_fuzz import damaged

COUNTS = [pytest.param(50, id="few"), pytest.param(2000, id="many", marks=pytest.mark.full)]


def gradient(mode: str = "RGB") -> Image.Image:
    return Image.linear_gradient("L").resize((40, 32)).convert(mode)


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    made = BytesIO()
    image.save(made, kind, **options)
    return made.getvalue()


def deep() -> Image.Image:
    return Image.fromarray(np.arange(40 * 32, dtype=np.uint16).reshape(32, 40) * 51)


def frames() -> dict[str, Any]:
    return {"save_all": True, "append_images": [gradient(), gradient()]}


KINDS: dict[str, Callable[[], bytes]] = {
    "png": lambda: saved(gradient("RGBA"), "PNG"),
    "png-palette": lambda: saved(gradient().quantize(16), "PNG", transparency=3),
    "png-deep": lambda: saved(deep(), "PNG"),
    "jpeg": lambda: saved(gradient(), "JPEG"),
    "jpeg-progressive": lambda: saved(gradient(), "JPEG", progressive=True),
    "jpeg-cmyk": lambda: saved(gradient("CMYK"), "JPEG"),
    "bmp": lambda: saved(gradient(), "BMP"),
    "webp": lambda: saved(gradient("RGBA"), "WEBP"),
    "webp-animated": lambda: saved(gradient(), "WEBP", **frames()),
    "gif-animated": lambda: saved(gradient(), "GIF", **frames()),
    "tiff-deep": lambda: saved(deep(), "TIFF"),
    "tiff-pages": lambda: saved(gradient(), "TIFF", compression="tiff_lzw", **frames()),
    "tiff-jpeg": lambda: saved(gradient(), "TIFF", compression="jpeg"),
    "tiff-deflate": lambda: saved(gradient("CMYK"), "TIFF", compression="tiff_adobe_deflate"),
}


def said(work: Callable[[], Any]) -> str:
    """ "read", or the one sentence in which it was refused."""
    try:
        work()
    except (vision.UnreadableImage, DataError) as error:
        sentence = str(error)
    else:
        return "read"
    assert sentence
    assert "\n" not in sentence
    return sentence


@pytest.mark.parametrize("count", COUNTS)
def test_damaged_pictures(count: int, tmp_path: Path) -> None:
    """Every kind in turn, by the reader, its header alone, and as a thumbnail."""
    dice = random.Random(count)
    contents = [make() for make in KINDS.values()]
    path, read = tmp_path / "some", 0
    for number in range(count):
        path.write_bytes(damaged(contents[number % len(contents)], dice))
        for work in (
            lambda: vision.read_picture(path, dice.choice((1, 3)), (16, 16)),
            lambda: vision.picture_size(path),
            lambda: thumbnail(path, 16),
        ):
            read += said(work) == "read"
    assert read


@pytest.mark.parametrize("count", COUNTS)
def test_folders_of_damaged_pictures(count: int, tmp_path: Path) -> None:
    dice = random.Random(count)
    for kind, make in KINDS.items():
        for label in ("a", "b"):
            (tmp_path / "images" / label).mkdir(parents=True, exist_ok=True)
            (tmp_path / "images" / label / f"{kind}.{kind.split('-')[0]}").write_bytes(make())
    contents = [make() for make in KINDS.values()]
    for number in range(count):
        name = f"{number}.{dice.choice(['png', 'jpg', 'tif', 'txt'])}"
        content = damaged(contents[number % len(contents)], dice)
        (tmp_path / "images" / dice.choice("ab") / name).write_bytes(content)
    data = open_data(DataSettings("images", {"path": "images"}), tmp_path)
    assert len(data) + len(data.skipped) == 2 * len(KINDS) + count
    assert len(data) >= 2 * len(KINDS)
    assert all(item.reason for item in data.skipped)


@pytest.mark.parametrize("count", COUNTS)
def test_damaged_tables_of_pictures(count: int, tmp_path: Path) -> None:
    for number in range(8):
        (tmp_path / f"{number}.png").write_bytes(KINDS["png"]())
    rows = [f"{number}.png,{'ab'[number % 2]},p{number},train" for number in range(8)]
    content = "\n".join(["file,label,group,split", *rows]).encode()
    dice = random.Random(count)
    for _ in range(count):
        (tmp_path / "labels.csv").write_bytes(damaged(content, dice))
        said(lambda: open_data(DataSettings("images", {"path": "labels.csv"}), tmp_path))
