"""Teaching on a real display, from the start page to the first right answers: three things are
shown to the camera, their buttons are held with the mouse and with keys, and they are known."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.gui.teach_kit import RATE, SECONDS, THINGS, Telling, views, write_clip
from tests.gui.xvfb import Display, Window

WAY = "Teach my own objects"
SAMPLES = 12
HELD_S = SECONDS / 3
"""A hand that is slow to let go then still does so before the next thing is in view."""


@pytest.fixture
def display(tmp_path: Path) -> Iterator[Display]:
    made = Display()
    made.environment["PLAYGROUND_STATE"] = str(tmp_path / "state")
    yield made
    made.close()


@pytest.fixture
def window(display: Display, tmp_path: Path) -> Iterator[Window]:
    made = Window(display, "tests.gui.teach_window", str(write_clip(tmp_path / "three.avi")))
    yield made
    made.close()


def test_what_the_clip_shows_is_known_of_every_frame() -> None:
    telling = Telling()
    for name in THINGS:
        frames = views(name, RATE * SECONDS)
        assert {telling.name(frame) for frame in frames} == {name}
        assert {telling.name(np.ascontiguousarray(frame[:, ::-1])) for frame in frames} == {name}


class Person:
    """Waits for a thing to be in view, and does something; ``busy`` is the time that it took."""

    def __init__(self, display: Display, window: Window) -> None:
        self.display, self.window, self.busy = display, window, 0.0

    def show(self, thing: str, name: str, *gesture: object, end: tuple[object, ...]) -> None:
        """Hold something while ``thing`` is in view, until there are samples of the class; where
        that takes long, let go before the next thing comes, and hold it again the next time."""
        count = 0
        while count < SAMPLES:
            self.window.wait(lambda state: state.get("shown") != thing, settled=False)
            self.window.wait(lambda state: state["shown"] == thing, settled=False)
            self.do(*gesture)
            count = self.held(name)
            self.do(*end)
            self.window.wait(lambda state: not state["red"], settled=False)

    def held(self, name: str) -> int:
        """Samples of the class after a moment with the hand on its button."""
        began = time.monotonic()
        state = self.window.wait(
            lambda state: (
                state["red"] == [name]
                and (state["counts"].get(name, 0) >= SAMPLES or time.monotonic() - began > HELD_S)
            ),
            settled=False,
        )
        assert state["mark"], "the picture says what is recorded"
        self.busy += time.monotonic() - began
        return int(state["counts"].get(name, 0))

    def do(self, *words: object) -> None:
        began = time.monotonic()
        self.display.mouse(*words)
        self.busy += time.monotonic() - began


def test_from_launch_to_three_things_that_are_known(display: Display, window: Window) -> None:
    launched = time.monotonic()
    person = Person(display, window)
    state = window.wait(lambda state: state["ways"], settled=False)
    person.do("mousemove", *state["ways"][WAY], "click", 1)
    state = window.wait(lambda state: state.get("ready"), 60, settled=False)

    place = state["hold"]["Class 1"]
    person.show("Cat", "Class 1", "mousemove", *place, "mousedown", 1, end=("mouseup", 1))
    person.show("Me", "Class 2", "keydown", "2", end=("keyup", "2"))
    person.do("mousemove", *window.state["add"], "click", 1)
    window.wait(lambda state: state["editing"] and "Class 3" in state["hold"], settled=False)
    person.do("type", "Wall")
    person.do("key", "Return")
    window.wait(lambda state: "Wall" in state["hold"], settled=False)
    person.show("Wall", "Wall", "keydown", "3", end=("keyup", "3"))

    names = dict(zip(THINGS, ("Class 1", "Class 2", "Wall"), strict=True))
    state = window.wait(lambda state: state["learn"], 60, settled=False)
    person.do("mousemove", *state["learn"], "click", 1)
    state = window.wait(
        lambda state: min(state["learned"].get(name, 0) for name in names.values()) >= SAMPLES,
        60,
        settled=False,
    )
    first = window.wait(
        lambda state: (
            state["shown"] and state.get("answer") == names[state["shown"]] and state["known"]
        ),
        60,
        settled=False,
    )
    print(
        f"{time.monotonic() - launched:.1f} s from launch to {first['answer']!r}, "
        f"{person.busy:.1f} s of them with a hand on mouse or keys"
    )
    for thing, name in names.items():
        window.wait(
            lambda state, thing=thing, name=name: (
                state["shown"] == thing and state["answer"] == name and state["known"]
            ),
            60,
            settled=False,
        )
    state = window.wait(lambda state: state["run"] and state["nodes"] > 20, settled=False)
    assert state["said"].startswith("Last time")
    assert state["accuracy"] == 1.0
