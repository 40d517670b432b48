"""On a real X display, with a real mouse and keys: a group is opened, edited, left, and undone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.gui.xvfb import Display, Window

BLOCK = "blocks.4"


@pytest.fixture
def display(tmp_path: Path) -> Iterator[Display]:
    made = Display()
    made.environment["PLAYGROUND_STATE"] = str(tmp_path / "state")
    yield made
    made.close()


@pytest.fixture
def window(display: Display) -> Iterator[Window]:
    made = Window(display, "tests.gui.groups_window")
    yield made
    made.close()


def click(display: Display, at: list[int], times: int = 1) -> None:
    display.mouse("mousemove", *at, "click", "--repeat", times, "--delay", 60, 1)


def open_block(display: Display, window: Window) -> dict[str, Any]:
    click(display, window.state["nodes"][BLOCK], 2)
    return window.wait(lambda state: state["path"] and "depthwise_conv" in state["nodes"])


def retype(display: Display, window: Window, field: str, text: str) -> None:
    """Choose the filter inside and type another value into one of its fields."""
    click(display, window.state["nodes"]["depthwise_conv"])
    state = window.wait(lambda state: field in state["fields"] and state["selected"])
    assert state["selected"] == ["depthwise_conv"]
    click(display, state["fields"][field], 3)
    display.mouse("key", "ctrl+a", "type", text)


def test_open_a_group_change_a_kernel_go_back_and_undo(display: Display, window: Window) -> None:
    state = window.wait(lambda state: BLOCK in state["nodes"])
    assert state["kernels"][BLOCK] == 5
    others = {name: kernel for name, kernel in state["kernels"].items() if name != BLOCK}

    state = open_block(display, window)
    assert state["note"] == "changes all 9 uses"
    retype(display, window, "kernel_size", "3")
    state = window.wait(lambda state: state["kernels"][BLOCK] == 3)
    assert {n: k for n, k in state["kernels"].items() if n != BLOCK} == others

    click(display, state["back"])
    state = window.wait(lambda state: not state["path"] and BLOCK in state["nodes"])
    assert state["selected"] == [BLOCK]
    display.mouse("key", "ctrl+z")
    state = window.wait(lambda state: state["kernels"][BLOCK] == 5)
    assert state["path"], "undo shows where it changed something"

    retype(display, window, "stride", "2")  # of all uses: their sums no longer fit
    state = window.wait(lambda state: state["stride"]["residual"] == 2)
    assert state["errors"] > 0
    click(display, state["nodes"]["bn2"])
    window.wait(lambda state: state["selected"] == ["bn2"])
    display.mouse("key", "Escape", "key", "Escape")
    window.wait(lambda state: not state["path"])
    display.mouse("key", "ctrl+z")
    state = window.wait(lambda state: state["stride"]["residual"] == 1 and state["path"])
    assert state["errors"] == 0
