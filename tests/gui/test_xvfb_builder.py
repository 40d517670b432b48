"""On a real X display, with a real mouse: a layer is dragged from the palette and wired."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.gui.xvfb import Display, Window


@pytest.fixture
def display() -> Iterator[Display]:
    made = Display()
    yield made
    made.close()


@pytest.fixture
def window(display: Display) -> Iterator[Window]:
    made = Window(display, "tests.gui.builder_window")
    yield made
    made.close()


def between(state: dict[str, Any], source: str, target: str) -> list[int]:
    start = state["nodes"][source]["outputs"]["output"]
    end = state["nodes"][target]["inputs"]["input"]
    return [(a + b) // 2 for a, b in zip(start, end, strict=True)]


def test_drag_from_the_palette_and_wire(display: Display, window: Window) -> None:
    state = window.wait(lambda state: "conv2d" in state["layers"])

    display.drag(state["layers"]["conv2d"], between(state, "conv2d", "max_pool2d"))
    state = window.wait(lambda state: "conv2d2" in state["nodes"])
    assert ["conv2d", "conv2d2"] in state["wires"]
    assert ["conv2d2", "max_pool2d"] in state["wires"]
    assert ["conv2d", "max_pool2d"] not in state["wires"]

    display.drag(state["layers"]["conv1d"], state["empty"])
    state = window.wait(lambda state: "conv1d" in state["nodes"])
    assert not any("conv1d" in wire for wire in state["wires"])

    source = state["nodes"]["conv2d2"]["outputs"]["output"]
    display.drag(source, state["nodes"]["conv1d"]["inputs"]["input"])
    window.wait(lambda state: ["conv2d2", "conv1d"] in state["wires"])
