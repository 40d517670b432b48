"""One's own pictures that excite a channel, searched beside what else goes on."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from models.axes import image
from playground.live.candidates import File, Glimpses, Stored
from playground.live.searching import Search
from tests.playground.capture_kit import until
from tests.playground.live_kit import picture_model, shaken

PORT = ("n2", "output")


def _pictures(folder: Path, count: int) -> list[File]:
    paths = []
    for number in range(count):
        path = folder / f"{number}.png"
        shade = np.full((32, 32), 12 * number, np.uint8)
        shade[8:16, 16:24] = 255 - 12 * number
        Image.fromarray(shade).save(path)
        paths.append(File(path))
    return paths


def test_the_best_come_first_with_what_the_network_was_given(tmp_path: Path) -> None:
    paths = _pictures(tmp_path, 20)
    (tmp_path / "broken.png").write_bytes(b"no picture")
    told = threading.Event()
    model = shaken(picture_model())
    search = Search(model, PORT, 1, [*paths, File(tmp_path / "broken.png")], told.set)
    search.start()
    until(lambda: search.finished, 20)
    assert search.close(5)
    assert told.is_set()
    assert (search.done, search.skipped, search.problem) == (21, 1, "")
    strengths = [one.strength for one in search.found]
    assert len(strengths) == 12
    assert strengths == sorted(strengths, reverse=True)
    assert search.raw.keys() == {one.key for one in search.found}
    assert {raw.shape for raw in search.raw.values()} == {(1, 16, 16)}
    best = search.found[0]
    values = model.network.capture(model.prepared({"input": search.raw[best.key][None]}))
    assert best.strength == pytest.approx(float(values[PORT][0, 1].max()), abs=1e-5)


def test_it_can_be_given_up(tmp_path: Path) -> None:
    search = Search(shaken(picture_model()), PORT, 0, _pictures(tmp_path, 2) * 500)
    search.start()
    until(lambda: search.done > 3, 20)
    assert search.close(5)
    assert not search.finished


def test_a_channel_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    search = Search(picture_model(), PORT, 99, _pictures(tmp_path, 1))
    search.start()
    until(lambda: search.finished, 20)
    search.close(5)
    assert "there is no channel 99" in search.problem


def test_frames_that_were_seen_are_few_and_small() -> None:
    """One a second, and of a scene that stays the same the first."""
    seen = Glimpses(most=3)
    frame = np.zeros((720, 1280, 3), np.uint8)
    for second, shade, count in ((0, 0, 1), (0.5, 99, 1), (1, 1, 1), (2, 80, 2), (3, 0, 3)):
        seen.put(frame + np.uint8(shade), 100 + second)
        until(lambda count=count: len(seen.all()) == count and seen._newest._task is None, 5)
    first = seen.all()[0]
    seen.put(frame + np.uint8(200), 104)
    until(lambda: first not in seen.all(), 5)
    seen.close(5)
    kept = seen.all()
    assert len(kept) == 3
    assert len(kept[0].jpeg) < 20_000
    (column,) = picture_model().dataset.inputs.values()
    assert kept[-1].raw(column).shape == (1, 16, 16)


def test_samples_of_data_of_another_shape_are_passed_over() -> None:
    model = shaken(picture_model())
    (column,) = model.dataset.inputs.values()
    values = np.full((3, 1, 16, 16), 90, np.uint8)
    mine = replace(column, values=values)
    other = replace(column, shape=image(1, 8, 8))
    search = Search(model, PORT, 0, [Stored(mine, 2), Stored(other, 0)])
    search.start()
    until(lambda: search.finished, 20)
    assert search.close(5)
    assert (search.found[0].key.name, search.skipped) == ("sample 3", 1)
