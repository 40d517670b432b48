"""A project as one file that opens elsewhere: its document, recordings, data and last run.

A packed project is a zip archive with ``NAME.playground`` and ``NAME.files/``. Data that lie
elsewhere are copied into it, below ``NAME.files/data/``. A packed file may come from a stranger:
names are checked, links are not made, sizes are bounded, and nothing in it is executed.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath

from playground import project as projects
from playground.data import DataError, Place, located
from playground.data.source import FILES, SAMPLE, Progress
from playground.project import SUFFIX, Project, ProjectError

PACKED = f"{SUFFIX}.zip"
LARGEST = 64 << 30
MOST_ENTRIES = 1_000_000
DENSEST = 200
"""How many times larger than the archive its content may be; text seldom reaches 20."""
TRASH = ".trash"
HALF = ".part-"
"""How files begin that a crash left half written."""
COMPRESSED = frozenset(
    ".png .jpg .jpeg .webp .gif .flac .ogg .mp3 .mp4 .mkv .webm .avi .zip .gz .parquet".split()
)
"""Kinds of files that would not become smaller."""
LISTS = frozenset({".csv", ".tsv", ".txt", ".json"})
"""Files that name the pictures and sounds that are the data."""


def pack(project: Project, path: Path, target: Path, progress: Progress | None = None) -> None:
    """Write ``project``, whose file is or would be ``path``, to ``target``; raises
    ``ProjectError``. ``progress`` may raise, to cancel."""
    tell = progress or (lambda text, fraction: None)
    place = projects.place(path)
    name = target.name.removesuffix(".zip").removesuffix(SUFFIX) or "project"
    fresh: Path | None = None
    try:
        project, outside = _gathered(project, place)
        # what is brought takes the place of what other data of that name have left here
        brought = {"/".join(inside.split("/")[:2]) for _, inside in outside}
        kept = (
            (file, inside)
            for file, inside in _own_files(project, place)
            if "/".join(inside.split("/")[:2]) not in brought
        )
        members = [*kept, *outside]
        total = sum(file.stat().st_size for file, _ in members) or 1
        with tempfile.NamedTemporaryFile(
            dir=target.absolute().parent, prefix=".pack", suffix=".zip", delete=False
        ) as made:
            fresh = Path(made.name)
            with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
                archive.writestr(f"{name}{SUFFIX}", projects.dumps(project))
                done = 0
                for file, inside in members:
                    tell(f"Packing {file.name}", done / total)
                    done += file.stat().st_size
                    packed = file.suffix.lower() in COMPRESSED
                    how = zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED
                    archive.write(file, f"{name}.files/{inside}", how)
            made.flush()
            os.fsync(made.fileno())
        fresh.chmod(0o644)
        fresh.replace(target)
    except OSError as error:
        raise ProjectError(
            f"{error.filename or target} cannot be packed: {error.strerror or error}"
        ) from None
    finally:
        if fresh is not None:
            fresh.unlink(missing_ok=True)


def unpack(packed: Path, folder: Path, progress: Progress | None = None) -> Path:
    """Unpack into ``folder``, which must be new or empty; the path of the project file. Raises
    ``ProjectError``; what was begun is then removed."""
    tell = progress or (lambda text, fraction: None)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ProjectError(f"{folder} is not empty: choose a new folder to unpack into")
    made: Path | None = None
    try:
        with zipfile.ZipFile(packed) as archive:
            members = _checked(packed, archive)
            folder.parent.mkdir(parents=True, exist_ok=True)
            made = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".unpack"))
            _extract(archive, members, made, tell)
        document = next(made.glob(f"*{SUFFIX}"))
        projects.load(document)  # refused before it takes its place
        if folder.exists():
            folder.rmdir()
        made.chmod(0o755)
        made.rename(folder)
        return folder / document.name
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise ProjectError(
            f"{packed.name} is damaged, or no packed project ({error}): get it again"
        ) from None
    except OSError as error:
        raise ProjectError(f"{packed.name} cannot be unpacked: {error.strerror or error}") from None
    finally:
        if made is not None:
            shutil.rmtree(made, ignore_errors=True)


def is_packed(path: Path) -> bool:
    """Whether a file is named like a packed project."""
    return path.name.endswith(PACKED)


def folder_for(packed: Path) -> Path:
    """A new folder beside a packed file, named like it."""
    name = packed.name.removesuffix(".zip").removesuffix(SUFFIX)
    folder, number = packed.absolute().with_name(name), 2
    while folder.exists():
        folder, number = packed.absolute().with_name(f"{name} {number}"), number + 1
    return folder


def _gathered(project: Project, place: Place) -> tuple[Project, list[tuple[Path, str]]]:
    """The project with data outside its folder renamed to be inside, and those data's files with
    their places below ``NAME.files``."""
    options, found = dict(project.data.options), []
    for id, value in _paths(project).items():
        if value.startswith((SAMPLE, FILES)):
            continue
        try:
            path = located(value, place)
        except DataError as error:
            raise ProjectError(str(error)) from None
        if not path.exists():
            raise ProjectError(f"the data {value} are not there: choose the data again, then pack")
        if _is_list(project, path):
            raise ProjectError(
                f"{path.name} only lists files, which would stay here: choose the folder with "
                "these files as the data, then pack"
            )
        inside = f"data/{id}/{path.name}" if id != "path" else f"data/{path.name}"
        options[id] = f"{FILES}{inside}"
        found += [(file, f"{inside}{rest}") for file, rest in _files(path)]
    return replace(project, data=replace(project.data, options=options)), found


def _paths(project: Project) -> Mapping[str, str]:
    """The options of the data that are paths and are set."""
    from playground.data import SOURCES

    source = SOURCES.find(project.data.source)
    ids = [item.id for item in source.parameters if item.type == "path"] if source else []
    values = {id: project.data.options.get(id) for id in ids}
    return {id: value for id, value in values.items() if isinstance(value, str) and value.strip()}


def _is_list(project: Project, path: Path) -> bool:
    from playground.data import SOURCES

    media = SOURCES.get(project.data.source).family in ("pictures", "sound", "video")
    return media and path.is_file() and path.suffix.lower() in LISTS


def _files(path: Path, left_out: str = "") -> Iterator[tuple[Path, str]]:
    """A file, or the files of a folder without its folder ``left_out``, with what follows the path
    of it. Raises ``ProjectError`` at a link: what it leads to may not be meant for others."""
    if path.is_file():
        yield path, ""
        return
    for where, folders, names in os.walk(path):
        away = {TRASH, left_out} if Path(where) == path else {TRASH}
        folders[:] = sorted(name for name in folders if name not in away)
        for name in sorted(name for name in [*folders, *names] if not name.startswith(HALF)):
            file = Path(where, name)
            if file.is_symlink() and file.exists():
                raise ProjectError(f"{file} is a link: put the real thing there, then pack")
            if stat.S_ISREG(file.lstat().st_mode):
                yield file, f"/{file.relative_to(path).as_posix()}"


def _own_files(project: Project, place: Place) -> list[tuple[Path, str]]:
    """What ``NAME.files`` has: all but caches and other runs than the last."""
    found = []
    for file, rest in _files(place.files, "cache") if place.files.is_dir() else ():
        inside = rest.removeprefix("/")
        other_run = inside.startswith("runs/") and not (
            project.run and inside.startswith(f"{project.run}/")
        )
        if not other_run:
            found.append((file, inside))
    return found


def _checked(packed: Path, archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """The files of an archive that is a packed project; raises ``ProjectError``."""
    members = [member for member in archive.infolist() if not member.is_dir()]
    documents = [
        m.filename for m in members if m.filename.endswith(SUFFIX) and "/" not in m.filename
    ]
    if len(documents) != 1:
        raise ProjectError(f"{packed.name} is no packed project: it holds no NAME{SUFFIX}")
    files = f"{documents[0].removesuffix(SUFFIX)}.files"
    for member in members:
        name = PurePosixPath(member.filename)
        inside = member.filename == documents[0] or (len(name.parts) > 1 and name.parts[0] == files)
        plain = not any(mark in member.filename for mark in ("\\", "\0", ":"))
        is_link = stat.S_ISLNK(member.external_attr >> 16)
        if not inside or not plain or ".." in name.parts or name.is_absolute() or is_link:
            raise ProjectError(
                f"{packed.name} holds {member.filename!r:.80}, which is no part of a project: "
                "it is not opened"
            )
    if any(m.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for m in members):
        raise ProjectError(f"{packed.name} was not packed by this program: it is not opened")
    if len({member.filename for member in members}) != len(members):
        raise ProjectError(f"{packed.name} holds a file twice: it is not opened")
    size = sum(member.file_size for member in members)
    most = max(DENSEST * packed.stat().st_size, 64 << 20)
    if size > min(LARGEST, most) or len(members) > MOST_ENTRIES:
        raise ProjectError(
            f"{packed.name} claims to hold {size / 1e9:,.1f} GB in {len(members):,} files, more "
            "than a packed project can: it is not opened"
        )
    return members


def _extract(
    archive: zipfile.ZipFile, members: list[zipfile.ZipInfo], folder: Path, tell: Progress
) -> None:
    total = sum(member.file_size for member in members) or 1
    if total > shutil.disk_usage(folder).free:
        raise ProjectError(f"unpacking needs {total / 1e9:,.1f} GB, more than the disk has free")
    done = 0
    for member in members:
        tell(f"Unpacking {PurePosixPath(member.filename).name}", done / total)
        target = folder / member.filename
        target.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(member) as source, target.open("xb") as file:
            # reads no more than the size that was checked, and compares the checksum
            shutil.copyfileobj(source, file)
        done += member.file_size
