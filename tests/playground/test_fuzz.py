"""Files that were damaged at random: read, or refused in one sentence; never anything else."""

from __future__ import annotations

import random
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from models.shapes import infer
from playground import project as projects
from playground.data import DataError, DataSettings, open_data
from playground.project import ProjectError

PIECES = [b"", b"\0", b"\xff\xfe", b",", b'"', b"\n", b"nan", b"1e999", b"-", b"{", b"]", b"../"]


def damaged(content: bytes, dice: random.Random) -> bytes:
    """``content`` with a few places overwritten, cut out, doubled or cut off."""
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(content) + 1)
        end = min(len(content), at + dice.choice([0, 1, 2, 8, 64]))
        match dice.randrange(4):
            case 0:
                content = content[:at] + dice.choice(PIECES) + content[end:]
            case 1:
                content = content[:at] + dice.randbytes(end - at) + content[end:]
            case 2:
                content = content[:end] + content[at:]
            case 3 if dice.random() < 0.3:
                content = content[:at]
    return content


def a_project(folder: Path) -> tuple[Path, bytes]:
    content = projects.dumps(projects.open_example("digits-hybrid")).encode()
    return folder / "some.playground", content


def read_project(path: Path) -> str:
    try:
        infer(projects.load(path).graph)
    except ProjectError as error:
        return str(error)
    return "read"


def a_table(folder: Path) -> tuple[Path, bytes]:
    rows = [f"2024-01-{1 + n % 28:02},{n * 0.5},{n % 7},{'abc'[n % 3]}" for n in range(60)]
    return folder / "some.csv", "\n".join(["day,x,y,label", *rows]).encode()


def read_table(path: Path) -> str:
    try:
        open_data(DataSettings("table", {"path": path.name}), path.parent)
    except DataError as error:
        return str(error)
    return "read"


def a_picture(folder: Path) -> tuple[Path, bytes]:
    made = BytesIO()
    Image.linear_gradient("L").resize((24, 24)).save(made, "PNG")
    for label in ("a", "b"):
        (folder / "images" / label).mkdir(parents=True, exist_ok=True)
        for number in range(6):
            (folder / "images" / label / f"{number}.png").write_bytes(made.getvalue())
    return folder / "images" / "a" / "0.png", made.getvalue()


def read_pictures(path: Path) -> str:
    try:
        dataset = open_data(DataSettings("images", {"path": "images"}), path.parents[2])
        dataset.batch(range(len(dataset)))
    except DataError as error:
        return str(error)
    return "read"


READERS = [(a_project, read_project), (a_table, read_table), (a_picture, read_pictures)]


@pytest.mark.parametrize(
    "count",
    [pytest.param(50, id="few"), pytest.param(2000, id="many", marks=pytest.mark.full)],
)
@pytest.mark.parametrize(("make", "read"), READERS, ids=["project", "table", "picture"])
def test_damaged_files(
    make: Callable[[Path], tuple[Path, bytes]],
    read: Callable[[Path], str],
    count: int,
    tmp_path: Path,
) -> None:
    dice = random.Random(count)
    path, content = make(tmp_path)
    for _ in range(count):
        path.write_bytes(damaged(content, dice))
        said = read(path)
        assert said
        assert "\n" not in said
