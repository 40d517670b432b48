"""On a real X display, with a real mouse and real keys: turn to the data, filter, choose a sample
and see its numbers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from playground.data import DataSettings, SplitSettings, open_data
from tests.gui.xvfb import Display, Window


@pytest.fixture
def display(tmp_path: Path) -> Iterator[Display]:
    made = Display()
    made.environment["PLAYGROUND_STATE"] = str(tmp_path / "state")
    yield made
    made.close()


@pytest.fixture
def window(display: Display) -> Iterator[Window]:
    made = Window(display, "tests.gui.data_window")
    yield made
    made.close()


def test_turn_to_the_data_filter_and_see_the_numbers(display: Display, window: Window) -> None:
    state = window.wait(lambda state: state["ready"])
    display.mouse("mousemove", *state["modes"]["Data"], "click", 1)
    state = window.wait(lambda state: state["mode"] == "data" and state.get("shown") == 5000)

    display.mouse("mousemove", *state["search"], "click", 1, "type", "7")
    state = window.wait(lambda state: state["shown"] == 500)
    index = list(state["tiles"])[5]
    display.mouse("mousemove", *state["tiles"][index], "click", 1)
    state = window.wait(lambda state: state["seen"] == int(index) == state["sample"])

    dataset = open_data(
        DataSettings("digits", {}, SplitSettings(validation=500, test=1000)), Path.cwd()
    )
    assert dataset.classes[int(dataset.target.take([int(index)])[0])] == "7"
    values = dataset.batch([int(index)])["image"][0]
    assert state["shape"] == "1×28×28 · float32"
    assert state["total"] == pytest.approx(float(values.sum()), rel=1e-4)

    display.mouse("mousemove", *state["modes"]["Network"], "click", 1)
    window.wait(lambda state: state["mode"] == "network" and state["sample"] == int(index))
