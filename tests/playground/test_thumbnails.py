"""Thumbnails: small, upright, kept within bounds."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image

from playground import vision
from playground.data.thumbnails import Thumbnails, thumbnail


def test_the_whole_picture_within_a_square(tmp_path: Path) -> None:
    Image.new("L", (400, 100), 90).save(tmp_path / "x.png")
    pixels = thumbnail(tmp_path / "x.png", 64)
    assert pixels.shape == (16, 64, 3)
    assert int(pixels.mean()) == 90
    assert not pixels.flags.writeable
    assert thumbnail(tmp_path / "x.png", 64) is pixels
    Image.new("L", (30, 20), 10).save(tmp_path / "x.png")
    assert thumbnail(tmp_path / "x.png", 64).shape == (20, 30, 3)


def test_at_most_so_many_bytes(tmp_path: Path) -> None:
    kept = Thumbnails(10 * 32 * 32 * 3)
    paths = [tmp_path / f"{number}.png" for number in range(40)]
    for path in paths:
        Image.new("RGB", (32, 32)).save(path)
    with ThreadPoolExecutor(4) as pool:
        assert len({p.shape for p in pool.map(lambda path: kept.get(str(path), 32), paths)}) == 1
    assert kept.taken <= 10 * 32 * 32 * 3


def test_what_is_no_picture(tmp_path: Path) -> None:
    (tmp_path / "x.png").write_bytes(b"")
    for path in (tmp_path / "x.png", tmp_path / "none.png"):
        with pytest.raises(vision.UnreadableImage):
            thumbnail(path, 32)
