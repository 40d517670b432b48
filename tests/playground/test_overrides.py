"""``--set`` for augmentation."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.parameters import ParameterError
from playground import project as projects
from playground.data.augment import Applied
from playground.overrides import apply


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
