"""``--set`` for augmentation, and ``--data``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from models.parameters import ParameterError
from playground import project as projects
from playground.data import DataSettings, open_data
from playground.data.augment import Applied
from playground.data.prepared import PREPARED
from playground.data.reading import ImageReading, Reading
from playground.data.sound_reading import SoundReading
from playground.data.video_reading import VideoReading
from playground.overrides import apply, as_read, with_data


def test_augmentations_are_switched_and_set() -> None:
    project = apply(projects.empty(), ["augment.move.turn=25", "augment.flip=true"])
    assert project.data.augmentation == (Applied("move", {"turn": 25.0}), Applied("flip"))
    project = apply(project, ["augment.move.shift=0.3", "augment.flip=false"])
    assert project.data.augmentation == (Applied("move", {"turn": 25.0, "shift": 0.3}),)


def test_a_path_may_begin_at_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    project = apply(projects.empty(), ["data.source=images", "data.path=~/photos"])
    assert project.data.options["path"] == str(tmp_path / "photos")
    apply(projects.empty(), ["data.source=images", "data.path=~nobody-of-this-name/photos"])


@pytest.mark.parametrize(
    ("source", "reading"),
    [
        ("images", ImageReading(1, 12, 20, "stretch")),
        ("images", PREPARED.get("efficientnet-lite0").reading),
        ("sound", SoundReading(11_025, 3_333, "start", 3_333)),
        ("sound", SoundReading(22_050, 7_001, "windows", 1_999)),
        ("video", VideoReading(3, 1, 24, 32, "pad", "middle", 2)),
        ("video", VideoReading(5, 3, 16, 16)),
    ],
)
def test_other_data_are_read_as_in_training(source: str, reading: Reading, tmp_path: Path) -> None:
    for index, name in enumerate("aabb"):
        (tmp_path / name).mkdir(exist_ok=True)
        path = tmp_path / name / str(index)
        if source == "sound":
            soundfile.write(path.with_suffix(".wav"), np.full(8_000, 0.1), 8_000)
        elif source == "images":
            Image.new("RGB", (40, 30), (60 * index, 90, 10)).save(path.with_suffix(".png"))
        else:
            frames = [Image.new("RGB", (40, 30), (60 * index, 9 * i, 10)) for i in range(9)]
            frames[0].save(path.with_suffix(".gif"), save_all=True, append_images=frames[1:])
    project = with_data(replace(projects.empty(), data=DataSettings(source)), tmp_path)
    fitted = open_data(project.data, tmp_path)
    (column,) = fitted.inputs.values()
    assert column.reading != reading
    known = replace(fitted, inputs={column.name: replace(column, reading=reading)})
    (again,) = open_data(as_read(project, known).data, tmp_path).inputs.values()
    assert again.reading == reading


def test_a_source_is_given_only_options_that_it_has() -> None:
    project = replace(projects.empty(), data=DataSettings("table", {"path": "x.csv"}))
    fitted = open_data(DataSettings("digits"), Path())
    assert as_read(project, fitted) == project


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("augment.mov=true", "did you mean move"),
        ("augment.move.tern=3", "did you mean turn"),
        ("augment.move.turn=far", "turn"),
        ("augment.flip=perhaps", "flip"),
    ],
)
def test_wrong_augmentations_are_told(setting: str, words: str) -> None:
    with pytest.raises(ParameterError, match=words):
        apply(projects.empty(), [setting])
