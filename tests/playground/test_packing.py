"""Packed projects: everything in one file, and nothing from a hostile one."""

from __future__ import annotations

import random
import stat
import zipfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from playground import packing
from playground import project as projects
from playground.cli import main
from playground.data import open_data
from playground.data.settings import DataSettings, SplitSettings
from playground.packing import pack, unpack
from playground.project import Project, ProjectError
from playground.runs import new_run
from playground.starter import starter_graph
from playground.training.settings import TrainingSettings
from playground.training.trainer import Trainer


def pictures(folder: Path, count: int = 8) -> None:
    random = np.random.default_rng(0)
    for label in ("cup", "key"):
        (folder / label).mkdir(parents=True)
        for number in range(count):
            pixels = random.integers(0, 255, (12, 12, 3), np.uint8)
            Image.fromarray(pixels).save(folder / label / f"{number:06d}.jpg")


def trained(path: Path, options: dict[str, str]) -> Project:
    """A project with a run, saved at ``path``."""
    data = DataSettings("images", options, SplitSettings(2, 2))
    dataset = open_data(data, projects.place(path))
    graph = starter_graph(dataset, "mlp")
    project = Project(name="Desk", graph=graph, data=data, training=TrainingSettings(epochs=1))
    trainer = Trainer(project, dataset, new_run(projects.files_folder(path)))
    list(trainer.steps())
    project = replace(project, run=f"runs/{trainer.run.name}")
    projects.save(project, path)
    return project


def test_packed_project_opens_elsewhere_with_everything(tmp_path: Path) -> None:
    home = tmp_path / "home"
    pictures(home / "desk.files" / "pictures")
    (home / "desk.files" / "cache").mkdir()
    (home / "desk.files" / "cache" / "large").write_bytes(b"0" * 1000)
    path = home / "desk.playground"
    project = trained(path, {"path": "files:pictures"})
    new_run(home / "desk.files")  # another run, which stays here
    packed = tmp_path / "for you.playground.zip"
    told: list[float | None] = []
    pack(project, path, packed, lambda text, fraction: told.append(fraction))
    assert told[0] == 0
    (home / "desk.playground").unlink()
    opened = unpack(packed, tmp_path / "away")
    assert opened == tmp_path / "away" / "for you.playground"
    assert projects.load(opened) == project
    dataset = open_data(project.data, projects.place(opened))
    assert len(dataset) == 16
    run = projects.run_folder(project, opened)
    assert run is not None
    assert (run / "best").is_dir()
    files = projects.files_folder(opened)
    assert sorted(path.name for path in files.iterdir()) == ["pictures", "runs"]
    assert len(list((files / "runs").iterdir())) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["away", packed.name, "home"]


def test_data_from_elsewhere_are_brought_along(tmp_path: Path) -> None:
    pictures(tmp_path / "photos")
    path = tmp_path / "home" / "desk.playground"
    path.parent.mkdir()
    project = trained(path, {"path": str(tmp_path / "photos")})
    packed = tmp_path / "desk.playground.zip"
    pack(project, path, packed)
    opened = unpack(packed, tmp_path / "away")
    found = projects.load(opened)
    assert found.data.options["path"] == "files:data/photos"
    assert len(open_data(found.data, projects.place(opened))) == 16
    again = tmp_path / "again.playground.zip"
    pack(found, opened, again)  # and once more
    assert unpack(again, tmp_path / "third").exists()


def test_data_take_the_place_of_others_of_their_name(tmp_path: Path) -> None:
    home = tmp_path / "p.files"
    pictures(home / "data" / "photos", 8)
    pictures(tmp_path / "photos", 5)
    (tmp_path / "photos" / "key").rename(tmp_path / "photos" / "cache")  # a class like any other
    settings = DataSettings("images", {"path": str(tmp_path / "photos")})
    target = tmp_path / "p.playground.zip"
    pack(replace(projects.empty(), data=settings), tmp_path / "p.playground", target)
    opened = unpack(target, tmp_path / "away")
    data = open_data(projects.load(opened).data, projects.place(opened))
    assert len(data) == 10
    assert data.classes == ("cache", "cup")


@pytest.mark.parametrize("what", ["list", "file", "folder"])
def test_what_would_stay_behind_is_told(tmp_path: Path, what: str) -> None:
    pictures(tmp_path / "photos")
    path = tmp_path / "photos"
    if what == "list":
        path = path / "labels.csv"
        path.write_text("file,label\ncup/000000.jpg,cup\nkey/000000.jpg,key\n")
    else:
        pictures(tmp_path / "elsewhere")
        there = tmp_path / "elsewhere" / "cup"
        leads = there if what == "folder" else there / "000000.jpg"
        (path / "mug" if what == "folder" else path / "cup" / "9.jpg").symlink_to(leads)
    project = replace(projects.empty(), data=DataSettings("images", {"path": str(path)}))
    words = "only lists files" if what == "list" else "is a link"
    with pytest.raises(ProjectError, match=words):
        pack(project, tmp_path / "p.playground", tmp_path / "p.playground.zip")
    assert not (tmp_path / "p.playground.zip").exists()


def test_missing_data_are_told(tmp_path: Path) -> None:
    project = replace(projects.empty(), data=DataSettings("images", {"path": "gone"}))
    with pytest.raises(ProjectError, match="gone are not there"):
        pack(project, tmp_path / "p.playground", tmp_path / "p.playground.zip")
    assert list(tmp_path.iterdir()) == []


class Cancelled(Exception):
    pass


def test_nothing_is_left_of_what_was_cancelled(tmp_path: Path) -> None:
    pictures(tmp_path / "p.files" / "pictures", 2)
    project = replace(projects.empty(), data=DataSettings("images", {"path": "files:pictures"}))

    def cancel(text: str, fraction: float | None) -> None:
        if fraction:
            raise Cancelled

    target = tmp_path / "p.playground.zip"
    with pytest.raises(Cancelled):
        pack(project, tmp_path / "p.playground", target, cancel)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["p.files"]
    pack(project, tmp_path / "p.playground", target)
    with pytest.raises(Cancelled):
        unpack(target, tmp_path / "away", cancel)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["p.files", target.name]
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").touch()
    with pytest.raises(ProjectError, match="not empty"):
        unpack(target, tmp_path / "full")


def archive(path: Path, *names: str, text: str | None = None) -> Path:
    """An archive with files of these names."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name in names:
            document = name.endswith(".playground")
            made.writestr(name, text or (projects.dumps(projects.empty()) if document else "x"))
    return path


@pytest.mark.parametrize(
    "name",
    [
        "../evil.txt",
        "p.files/../../evil.txt",
        "/etc/evil",
        "p.files/C:/evil",
        "p.files\\..\\evil",
        "other.files/x",
        "evil.txt",
    ],
)
def test_nothing_is_written_outside(tmp_path: Path, name: str) -> None:
    packed = archive(tmp_path / "p.playground.zip", "p.playground", name)
    with pytest.raises(ProjectError, match="no part of a project"):
        unpack(packed, tmp_path / "away")
    assert [path.name for path in tmp_path.iterdir()] == [packed.name]


def test_hostile_archives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packed = tmp_path / "p.playground.zip"
    with zipfile.ZipFile(packed, "w") as made:
        made.writestr("p.playground", projects.dumps(projects.empty()))
        link = zipfile.ZipInfo("p.files/link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        made.writestr(link, "/etc/passwd")
    with pytest.raises(ProjectError, match="no part of a project"):
        unpack(packed, tmp_path / "away")
    archive(packed, "p.playground", text="{")
    with pytest.raises(ProjectError, match="cannot be opened"):
        unpack(packed, tmp_path / "away")
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_LZMA) as made:  # its memory has no bounds
        made.writestr("p.playground", projects.dumps(projects.empty()))
    with pytest.raises(ProjectError, match="not packed by this program"):
        unpack(packed, tmp_path / "away")
    archive(packed, "p.files/x")
    with pytest.raises(ProjectError, match="no packed project"):
        unpack(packed, tmp_path / "away")
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("p.playground", projects.dumps(projects.empty()))
        made.writestr("p.files/zeros", bytes(80 << 20))
    with pytest.raises(ProjectError, match="more than a packed project"):
        unpack(packed, tmp_path / "away")
    archive(packed, "p.playground", "p.files/x")
    monkeypatch.setattr(packing.shutil, "disk_usage", lambda path: (0, 0, 0))
    free = type("Usage", (), {"free": 0})
    monkeypatch.setattr(packing.shutil, "disk_usage", lambda path: free)
    with pytest.raises(ProjectError, match="more than the disk"):
        unpack(packed, tmp_path / "away")
    assert not (tmp_path / "away").exists()


def test_damaged_archives_are_refused_or_opened(tmp_path: Path) -> None:
    whole = archive(tmp_path / "p.playground.zip", "p.playground", "p.files/a", "p.files/b")
    good = whole.read_bytes()
    chance = random.Random(0)
    for number in range(200):
        bytes_ = bytearray(good[: chance.randrange(len(good))] if number % 4 == 0 else good)
        for _ in range(chance.randrange(1, 6)):
            if bytes_:
                bytes_[chance.randrange(len(bytes_))] = chance.randrange(256)
        whole.write_bytes(bytes_)
        with suppress(ProjectError):
            unpack(whole, tmp_path / f"away{number}")
    assert not list(tmp_path.glob(".unpack*"))


def test_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pictures(tmp_path / "p.files" / "pictures", 2)
    path = tmp_path / "p.playground"
    data = DataSettings("images", {"path": "files:pictures"})
    projects.save(replace(projects.empty(), data=data), path)
    assert main(["pack", str(path)]) == 0
    assert main(["unpack", str(tmp_path / "p.playground.zip")]) == 0
    assert (tmp_path / "p" / "p.files" / "pictures" / "cup" / "000001.jpg").is_file()
    assert main(["pack", str(path)]) == 1
    assert "--force" in capsys.readouterr().err
    assert main(["unpack", str(path)]) == 1
    assert "no packed project" in capsys.readouterr().err
