"""Detectors asked from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from playground.resources import SAMPLES
from tests.playground.cli_kit import Shell

IMAGES = SAMPLES / "images"
RECOGNISER = "efficientnet-lite0"


def test_the_face_in_a_photograph(capsys: pytest.CaptureFixture[str]) -> None:
    run = Shell(capsys)
    found, none = run.json("predict", "faces", IMAGES / "astronaut.jpg", IMAGES / "chelsea_cat.png")
    assert found["kind"] == none["kind"] == "boxes"
    (face,) = found["boxes"]
    assert face["label"] == "face"
    assert face["box"] == pytest.approx([180, 60, 269, 173], abs=5)
    assert none["boxes"] == []
    said = run("predict", "faces", IMAGES / "chelsea_cat.png", IMAGES / "astronaut.jpg")
    nothing, face = said.out.splitlines()
    assert nothing.endswith("chelsea_cat.png: nothing found")
    assert "astronaut.jpg: face 100.0% at 1" in face


def test_settings_of_a_detector(capsys: pytest.CaptureFixture[str]) -> None:
    run = Shell(capsys)
    photo = IMAGES / "astronaut.jpg"
    (found,) = run.json("predict", "faces", photo, "--set", "smallest=400", "--set", "score=0.9")
    assert found["boxes"] == []
    for setting, why in (
        ("scores=0.9", "there is no setting of faces called 'scores'; did you mean score?"),
        ("score", "--set takes KEY=VALUE; got 'score'"),
        ("score=2", "Least score is from 0.05 to 0.999; got 2"),
        ("score=high", "Least score is a number; got 'high'"),
    ):
        assert run("predict", "faces", photo, "--set", setting).sentence == why


def test_inputs_that_cannot_be_read_are_named(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    run = Shell(capsys)
    empty = tmp_path / "empty.png"
    empty.touch()
    said = run("predict", "faces", empty, tmp_path, IMAGES / "astronaut.jpg", "--json")
    assert len(said.events) == 1
    assert said.code == 1
    assert "2 of 3 inputs have no answer; the first: empty.png is empty" in said.sentence


def test_what_a_detector_cannot_do(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    run = Shell(capsys)
    for words in (("evaluate",), ("export", "--to", "onnx", "-o", tmp_path / "faces.onnx")):
        command, *rest = words
        said = run(command, "faces", *rest)
        assert said.sentence == "faces is a detector and no run: playground predict faces PICTURE"
    assert "leave out --set" in run("predict", RECOGNISER, "1.png", "--set", "a=1").sentence
