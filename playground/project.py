"""A project: a network, its data, its task and how it is trained, as one readable document.

Opening a project never runs anything and needs no torch: names are checked, paths stay data, and
what this version does not know is kept as it is.
"""

from __future__ import annotations

import hashlib
import os
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

from models.graph import Graph
from playground import processes
from playground.data.settings import DataSettings, SplitSettings
from playground.data.source import Place
from playground.documents import LARGEST, DocumentError, read_json, replace_text, write_json
from playground.resources import EXAMPLES
from playground.tasks.task import TaskSettings
from playground.training.settings import TrainingSettings

__all__ = [
    "DataSettings",
    "Example",
    "Project",
    "ProjectError",
    "Recovery",
    "SplitSettings",
    "TaskSettings",
    "TrainingSettings",
    "autosave",
    "discard_autosave",
    "dumps",
    "empty",
    "examples",
    "files_folder",
    "load",
    "loads",
    "open_example",
    "recoverable",
    "run_folder",
    "save",
    "state_folder",
]

FORMAT = 1
SUFFIX = ".playground"


class ProjectError(ValueError):
    """A project cannot be read or written; the message is a sentence for the user."""


@dataclass(frozen=True)
class Project:
    """Everything that a project file holds.

    ``view`` is the window's own state; ``run`` names the last run's folder, relative to
    ``NAME.files``. ``extra`` holds keys that this version does not know, where they were.
    """

    name: str = "Untitled"
    graph: Graph = field(default_factory=Graph)
    data: DataSettings = field(default_factory=DataSettings)
    task: TaskSettings = field(default_factory=TaskSettings)
    training: TrainingSettings = field(default_factory=TrainingSettings)
    summary: str = ""
    view: Mapping[str, Any] = field(default_factory=dict)
    run: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        data: dict[str, Any] = {"format_version": FORMAT, "name": self.name}
        if self.summary:
            data["summary"] = self.summary
        data |= {
            "data": self.data.to_json(),
            "task": self.task.to_json(),
            "training": self.training.to_json(),
            "graph": self.graph.to_json(),
        }
        if self.view:
            data["view"] = dict(self.view)
        if self.run is not None:
            data["run"] = self.run
        return _merged(data, self.extra)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Project:
        """Raises ``ProjectError`` naming the part that is wrong."""
        version = document.get("format_version")
        if isinstance(version, bool) or not isinstance(version, int) or version < 1:
            raise ProjectError("it is JSON, but not a project: format_version is missing")
        if version > FORMAT:
            raise ProjectError(
                f"it was saved by a newer version of this program (format {version}; this one "
                f"reads {FORMAT}): update the program"
            )
        project = cls(
            name=_text(document, "name", "Untitled"),
            summary=_text(document, "summary", ""),
            graph=_part(document, "graph", Graph.from_json),
            data=_part(document, "data", DataSettings.from_json),
            task=_part(document, "task", TaskSettings.from_json),
            training=_part(document, "training", TrainingSettings.from_json),
            view=_part(document, "view", _mapping),
            run=_run(document.get("run")),
        )
        return replace(project, extra=_unknown(document, project.to_json(), ("data", "task")))


def empty(name: str = "Untitled") -> Project:
    """A project with nothing on the canvas, on the bundled digits."""
    split = SplitSettings(validation=500, test=1000)
    return Project(name=name, data=DataSettings("digits", {}, split))


# --- text and files -------------------------------------------------------------------------------


def dumps(project: Project) -> str:
    """The document; the same project gives the same bytes."""
    return write_json(project.to_json())


def loads(text: str) -> Project:
    """Read a document; raises ``ProjectError``."""
    try:
        return Project.from_json(read_json(text))
    except DocumentError as error:
        raise ProjectError(str(error)) from None


def load(path: Path) -> Project:
    """Open a project file; raises ``ProjectError`` naming the file and what is wrong with it."""
    try:
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise ProjectError("it is no file, but a device or a pipe")
        if path.stat().st_size > LARGEST:
            raise ProjectError(f"it is larger than {LARGEST >> 20} MiB, so it is no project")
        return loads(path.read_bytes().decode("utf-8-sig"))
    except ProjectError as error:
        raise ProjectError(f"{path.name} cannot be opened: {error}") from None
    except FileNotFoundError:
        raise ProjectError(f"{path} does not exist") from None
    except IsADirectoryError:
        raise ProjectError(f"{path} is a folder; a project is a file NAME{SUFFIX}") from None
    except UnicodeDecodeError:
        raise ProjectError(f"{path.name} cannot be opened: it is no text, so no project") from None
    except OSError as error:
        raise ProjectError(f"{path} cannot be opened: {error.strerror or error}") from None


def save(project: Project, path: Path) -> None:
    """Write the project file, atomically; raises ``ProjectError``."""
    try:
        replace_text(path, dumps(project))
    except FileNotFoundError:
        raise ProjectError(f"the folder {path.parent} does not exist") from None
    except OSError as error:
        raise ProjectError(f"{path} cannot be written: {error.strerror or error}") from None
    except (TypeError, ValueError) as error:
        raise ProjectError(f"the project cannot be written: {error}") from None


def files_folder(path: Path) -> Path:
    """``NAME.files`` beside ``NAME.playground``: runs, recordings and caches."""
    return path.with_name(f"{path.name.removesuffix(SUFFIX)}.files")


def place(path: Path) -> Place:
    """Where the paths of a project's data begin: its file's folder, and ``NAME.files``."""
    return Place(path.absolute().parent, files_folder(path.absolute()))


def run_folder(project: Project, path: Path) -> Path | None:
    """The folder of the last run, inside ``NAME.files``; None where there is none.

    Raises ``ProjectError`` where a link leads out of it.
    """
    if project.run is None:
        return None
    files = files_folder(path).resolve()
    folder = (files / _run(project.run)).resolve()  # type: ignore[operator]
    if not folder.is_relative_to(files):
        raise ProjectError(f"the run {project.run} lies outside {files.name}, so it is not opened")
    return folder if folder.is_dir() else None


# --- examples -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Example:
    """A bundled project."""

    id: str
    title: str
    summary: str
    path: Path


_ORDER = (
    "digits-cnn",
    "digits-lstm",
    "digits-hybrid",
    "airline-lstm",
    "gunpoint-cnn",
    "gunpoint-bilstm",
    "moving-shapes",
    "shapes-detector",
    "surnames-lstm",
    "sentiment-bigru",
    "spoken-words-cnn",
    "spoken-words-gru",
    "spoken-words-stream",
)


@cache
def _examples() -> tuple[Example, ...]:
    found = []
    for path in sorted(EXAMPLES.glob(f"*{SUFFIX}")):
        project = load(path)
        found.append(Example(path.stem, project.name, project.summary, path))
    place = {id: number for number, id in enumerate(_ORDER)}
    return tuple(sorted(found, key=lambda example: place.get(example.id, len(place))))


def examples() -> list[Example]:
    """The bundled examples, the easiest first."""
    return list(_examples())


def open_example(id: str) -> Project:
    """A bundled example by its id; raises ``ProjectError``."""
    for example in _examples():
        if example.id == id:
            return load(example.path)
    known = ", ".join(example.id for example in _examples())
    raise ProjectError(f"there is no example {id!r}: known are {known}")


# --- recovery after a crash -----------------------------------------------------------------------


@dataclass(frozen=True)
class Recovery:
    """Unsaved work of a window that is no longer there. ``path`` is the project's own file, None
    where it had none; ``saved`` is in seconds since 1970."""

    file: Path
    name: str
    path: Path | None
    saved: float

    def load(self) -> Project:
        """The unsaved project; raises ``ProjectError``."""
        return _read_autosave(self.file)[0]

    def discard(self) -> None:
        self.file.unlink(missing_ok=True)


def state_folder() -> Path:
    """Where the program keeps what belongs to no project; PLAYGROUND_STATE moves it."""
    import platformdirs

    moved = os.environ.get("PLAYGROUND_STATE")
    return Path(moved) if moved else Path(platformdirs.user_state_dir("playground", False))


def autosave(project: Project, path: Path | None) -> None:
    """Keep a copy of unsaved work outside the project file, one for this process. Raises
    ``ProjectError``."""
    document = {
        "autosave": {
            "process": processes.identity(os.getpid()),
            "host": socket.gethostname(),
            "path": None if path is None else str(path.absolute()),
            "saved": time.time(),
        },
        "project": project.to_json(),
    }
    try:
        _autosave_file().parent.mkdir(parents=True, exist_ok=True)
        replace_text(_autosave_file(), write_json(document))
    except OSError as error:
        raise ProjectError(
            f"a copy for recovery cannot be kept: {error.strerror or error}"
        ) from None


def discard_autosave() -> None:
    """Forget this process's copy: the work was saved, or is not wanted."""
    _autosave_file().unlink(missing_ok=True)


def recoverable() -> list[Recovery]:
    """Unsaved work of processes that ended without saving, the newest first."""
    found = []
    for file in (state_folder() / "autosave").glob(f"*{SUFFIX}"):
        try:
            project, about = _read_autosave(file)
        except ProjectError:
            continue
        if _is_alive(about):
            continue
        path, saved = about.get("path"), about.get("saved")
        found.append(
            Recovery(
                file,
                project.name,
                Path(path) if isinstance(path, str) else None,
                float(saved) if isinstance(saved, (int, float)) else 0.0,
            )
        )
    return sorted(found, key=lambda recovery: -recovery.saved)


def _autosave_file() -> Path:
    process = processes.identity(os.getpid())
    me = hashlib.sha256(f"{socket.gethostname()} {process}".encode()).hexdigest()
    return state_folder() / "autosave" / f"{os.getpid()}-{me[:12]}{SUFFIX}"


def _read_autosave(file: Path) -> tuple[Project, dict[str, Any]]:
    try:
        document = read_json(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ProjectError(f"the copy {file.name} cannot be read: {error}") from None
    about, project = document.get("autosave"), document.get("project")
    if not isinstance(about, dict) or not isinstance(project, dict):
        raise ProjectError(f"the copy {file.name} cannot be read")
    return Project.from_json(project), about


def _is_alive(about: Mapping[str, Any]) -> bool:
    """Whether the window that kept a copy is still there (this very one is not asked about)."""
    return about.get("host") == socket.gethostname() and processes.alive(about.get("process"))


# --- parts of the document ------------------------------------------------------------------------


def _part(document: Mapping[str, Any], key: str, read: Any) -> Any:
    if key not in document:
        if key == "graph":
            raise ProjectError("it is no project: it has no graph")
        return read({"source": "digits"} if key == "data" else _DEFAULTS.get(key, {}))
    try:
        return read(document[key])
    except (ValueError, TypeError, RecursionError) as error:
        raise ProjectError(f"{key}: {error}") from None


_DEFAULTS: dict[str, Any] = {"task": {"id": "classification"}}


def _mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("it is an object")
    return value


def _text(document: Mapping[str, Any], key: str, default: str) -> str:
    value = document.get(key, default)
    if not isinstance(value, str) or len(value) > 10_000:
        raise ProjectError(f"{key} is a text")
    return value


def _run(value: Any) -> str | None:
    """A run's folder inside ``NAME.files``; raises ``ProjectError`` on a path that leaves it."""
    if value is None:
        return None
    if not isinstance(value, str) or not 0 < len(value) <= 500:
        raise ProjectError("run is the name of a folder")
    path = PurePosixPath(value)
    if path.is_absolute() or ".." in path.parts or any(mark in value for mark in "\\:\0"):
        raise ProjectError(f"the run {value!r} would lie outside the project's files")
    return value


def _unknown(
    document: Mapping[str, Any], known: Mapping[str, Any], inside: tuple[str, ...]
) -> dict[str, Any]:
    """The keys of ``document`` that ``known`` lacks, also in the objects ``inside``."""
    found: dict[str, Any] = {}
    for key, value in document.items():
        if key not in known:
            if key not in _OPTIONAL:
                found[key] = value
        elif key in inside and isinstance(value, Mapping):
            rest = _unknown(value, known[key], ("split",))
            if rest:
                found[key] = rest
    return found


_OPTIONAL = ("summary", "view", "run")


def _merged(known: dict[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(known)
    for key, value in extra.items():
        if key not in result:
            result[key] = value
        elif isinstance(result[key], dict) and isinstance(value, Mapping):
            result[key] = _merged(result[key], value)
    return result
