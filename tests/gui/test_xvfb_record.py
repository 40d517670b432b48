"""Recording on a real display: hold a button with the mouse and a digit with the keyboard, drag
samples to another class, and train, all from the bundled clip."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gui.xvfb import Display, Window


@pytest.fixture
def display(tmp_path: Path) -> Iterator[Display]:
    made = Display()
    made.environment["PLAYGROUND_STATE"] = str(tmp_path / "state")
    yield made
    made.close()


@pytest.fixture
def window(display: Display) -> Iterator[Window]:
    made = Window(display, "tests.gui.record_window")
    yield made
    made.close()


def test_hold_record_drag_and_train(display: Display, window: Window) -> None:
    state = window.wait(lambda state: state.get("camera"))
    display.mouse("mousemove", *state["camera"], "click", 1)
    state = window.wait(lambda state: state.get("ready"), 60)

    display.mouse("mousemove", *state["hold"]["Class 1"], "mousedown", 1)
    window.wait(lambda state: state["counts"]["Class 1"] >= 8, settled=False)
    assert window.state["red"] == ["Class 1"]
    display.mouse("mouseup", 1)
    state = window.wait(lambda state: not state["red"])
    files = sorted((Path(state["folder"]) / "Class 1").glob("*.jpg"))
    assert len(files) == state["counts"]["Class 1"]
    assert all(file.read_bytes()[:2] == b"\xff\xd8" for file in files)

    display.mouse("keydown", "2")
    window.wait(lambda state: state["counts"]["Class 2"] >= 8, settled=False)
    display.mouse("keyup", "2")
    state = window.wait(lambda state: not state["red"] and state["shown"] == "Class 2")

    before = state["counts"]
    display.mouse("mousemove", *state["tiles"][-1], "click", 1)
    state = window.wait(lambda state: state["chosen"] == 1)
    display.drag(state["tiles"][-1], state["cards"]["Class 1"])
    state = window.wait(lambda state: state["counts"]["Class 1"] == before["Class 1"] + 1)
    assert state["counts"]["Class 2"] == before["Class 2"] - 1
    display.mouse("key", "ctrl+z")
    state = window.wait(lambda state: state["counts"] == before and state["train"])

    display.mouse("mousemove", *state["train"], "click", 1)
    window.wait(lambda state: state["run"] in ("running", "finished"), 90, settled=False)
    display.mouse("keydown", "1")  # recording goes on meanwhile
    window.wait(lambda state: state["counts"]["Class 1"] > before["Class 1"], settled=False)
    display.mouse("keyup", "1")
    window.wait(lambda state: not state["red"], 60)
