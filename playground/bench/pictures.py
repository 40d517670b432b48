"""How fast pictures are loaded, beside torchvision, and how large a folder may be."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from playground.bench.child import Child
from playground.resources import SAMPLES

if TYPE_CHECKING:
    from playground.bench import Plan

Row = dict[str, Any]

PICTURES, SIDES = 10_000, (240, 320)
WORKERS = (0, 1, 2)
MANY, CLASSES = 100_000, 20
VARIANTS = 250
"""Different pictures; the files of a folder repeat them, which no reader can know."""


def loading(plan: Plan) -> Iterator[Row]:
    """Seconds to load 10,000 JPEGs as normalized batches: torchvision with the best number of
    workers, this engine for the first time, and again from what it kept decoded."""
    from playground.bench import spread

    seconds: dict[str, list[float]] = {}
    with ExitStack() as stack, plan.console.progress("loading pictures") as bar:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        make_folder(home / "photos", PICTURES, SIDES)
        child = _child(stack, "loading", home)
        steps = [*(f"torchvision, {count} workers" for count in WORKERS), "first", "again"]
        for turn in range(plan.rounds):
            for number, name in enumerate(steps):
                bar(turn * len(steps) + number, plan.rounds * len(steps), name)
                seconds.setdefault(name, []).append(child.ask(what=name)["seconds"])
    best = [
        min(values) for values in zip(*(seconds[n] for n in steps[: len(WORKERS)]), strict=True)
    ]
    ratios = {
        "against_torchvision": [b / own for b, own in zip(best, seconds["first"], strict=True)],
        "again_against_first": [
            first / again for first, again in zip(seconds["first"], seconds["again"], strict=True)
        ],
    }
    yield {
        "what": "loading",
        "pictures": PICTURES,
        "seconds": {name: spread(values) for name, values in seconds.items()},
        **{name: spread(values) for name, values in ratios.items()},
    }
    lines = []
    for name, values in seconds.items():
        own = {"first": "this engine", "again": "this engine, kept decoded"}.get(name, name)
        ratio = spread([b / value for b, value in zip(best, values, strict=True)])
        rate = PICTURES / spread(values)["median"]
        lines.append(
            (own, f"{spread(values)['median']:.1f}", f"{rate:.0f}", f"{ratio['median']:.2f}")
        )
    again = spread(ratios["again_against_first"])["median"]
    plan.console.say()
    plan.console.table((f"{PICTURES:,} JPEGs", "s", "pictures/s", "ratio"), lines, (1, 2, 3))
    plan.console.say(f"the second time is {again:.1f} × as fast as the first")


def folder(plan: Plan) -> Iterator[Row]:
    """A folder of 100,000 pictures: seconds until it can be used, and memory while its thumbnails
    are scrolled through."""
    with ExitStack() as stack, plan.console.progress("a large folder") as bar:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        bar(0, 2, "making 100,000 files")
        make_folder(home / "photos", MANY, (96, 96))
        bar(1, 2, "opening it")
        answer = _child(stack, "folder", home).ask()
    yield {"what": "folder", "files": MANY, **answer}
    memory = " → ".join(f"{megabytes:.0f}" for megabytes in answer["megabytes"])
    plan.console.say(
        f"\n{MANY:,} images in a folder: usable after {answer['seconds']:.2f} s; memory while "
        f"{answer['screens']} screens of thumbnails go by: {memory} MB; a screen in "
        f"{answer['screen_ms']:.0f} ms"
    )


def make_folder(where: Path, count: int, sides: tuple[int, int]) -> None:
    """JPEGs in class folders: a bundled photo, shifted and with noise, so that it is as large and
    as slow to decode as a photo is."""
    from playground import vision

    photo = vision.read_picture(SAMPLES / "images" / "astronaut.jpg", 3).transpose(1, 2, 0)
    random = np.random.default_rng(0)
    variants = [_jpeg(photo, sides, random) for _ in range(VARIANTS)]
    for number in range(count):
        place = where / f"class {number % CLASSES}"
        if number < CLASSES:
            place.mkdir(parents=True)
        content = variants[(number * 7 + number // CLASSES) % VARIANTS]
        (place / f"{number:06}.jpg").write_bytes(content)


def _jpeg(photo: npt.NDArray[Any], sides: tuple[int, int], random: np.random.Generator) -> bytes:
    from playground import vision

    top, left = random.integers(0, 100, 2)
    pixels = vision.fitted(np.ascontiguousarray(photo[top : top + 400, left : left + 400]), sides)
    noisy = pixels.astype(np.int16) + random.integers(-8, 9, pixels.shape, np.int16)
    encoded = vision.cv2.imencode(".jpg", noisy.clip(0, 255).astype(np.uint8))[1]
    return bytes(encoded)


def _child(stack: ExitStack, what: str, home: Path) -> Child:
    child = Child(
        "playground.bench.picture_reader",
        [what, str(home / "photos")],
        {"PLAYGROUND_CACHE": str(home / "cache")},
    )
    stack.callback(child.close)
    child.answer()
    return child
