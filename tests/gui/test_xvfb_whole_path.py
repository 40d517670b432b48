"""The whole way on a real display, with a real mouse and real keys: open an example, drag a layer
from the palette into an edge, wire another, train, and see the curve move."""

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
    made = Window(display, "tests.gui.whole_window")
    yield made
    made.close()


def test_open_drag_wire_train_and_see_the_curve_move(display: Display, window: Window) -> None:
    state = window.wait(lambda state: state["cards"])
    card = next(name for name in state["cards"] if "CNN" in name)
    display.mouse("mousemove", *state["cards"][card], "click", 1)
    state = window.wait(lambda state: state["open"] and state["can_run"] and state["layers"])

    source, target = next(wire for wire in state["wires"] if wire[0].startswith("conv"))
    start = state["nodes"][source]["outputs"]["output"]
    end = state["nodes"][target]["inputs"]["input"]
    gap = [(a + b) // 2 for a, b in zip(start, end, strict=True)]
    display.drag(state["layers"]["conv2d"], gap)
    state = window.wait(lambda state: [source, target] not in state["wires"])
    assert len(state["wires"]) == len(state["nodes"]) - 1
    new = next(b for a, b in state["wires"] if a == source)
    assert [new, target] in state["wires"]
    assert new != target

    display.mouse("key", "ctrl+z")
    state = window.wait(lambda state: [source, target] in state["wires"])
    display.mouse("key", "ctrl+shift+z")
    state = window.wait(lambda state: [source, new] in state["wires"] and state["can_run"])

    x, y = state["nodes"]["label"]["inputs"]["input"]
    display.drag(state["layers"]["conv1d"], [x + 200, y])
    state = window.wait(lambda state: "conv1d" in state["nodes"])
    pin = state["nodes"][new]["outputs"]["output"]
    display.drag(pin, state["nodes"]["conv1d"]["inputs"]["input"])
    state = window.wait(lambda state: [new, "conv1d"] in state["wires"])
    assert state["errors"] == 1  # an image is no sequence: told at once, on the canvas
    display.mouse("key", "ctrl+z", "key", "ctrl+z")
    state = window.wait(lambda state: "conv1d" not in state["nodes"] and state["can_run"])

    display.mouse("key", "F5")
    state = window.wait(lambda state: state["epochs"] >= 1, 90, settled=False)
    before = state["curve"]
    state = window.wait(
        lambda state: state["epochs"] >= 2 and state["curve"] != before, 90, settled=False
    )
    assert state["state"] == "running"

    display.mouse("key", "shift+F5")
    state = window.wait(lambda state: state["state"] == "finished", settled=False)
